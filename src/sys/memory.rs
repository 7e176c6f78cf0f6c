//! How the allocator keeps what was freed.

/// Size from which memory is mapped, and given back at once when it is freed, bytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_FROM: libc::c_int = 1 << 20;

/// Heaps that threads share.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const HEAPS: libc::c_int = 2;

/// Makes the allocator return what is freed, for processes whose memory is bounded: left alone, glibc keeps a heap for
/// each thread and large buffers in them once one was freed (mallopt(3), `M_MMAP_THRESHOLD`), which is a quarter more
/// memory for a recorder in a storm (`cargo bench --bench weather`). Does nothing with another C library.
pub fn return_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (option, value) in
        [(libc::M_MMAP_THRESHOLD, MAPPED_FROM), (libc::M_TRIM_THRESHOLD, MAPPED_FROM), (libc::M_ARENA_MAX, HEAPS)]
    {
        // SAFETY: takes numbers; an option that is refused leaves the allocator as it was.
        unsafe { libc::mallopt(option, value) };
    }
}
