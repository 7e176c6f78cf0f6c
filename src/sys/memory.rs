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

/// Memory that is kept rather than given back, bytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: libc::c_int = 128 << 20;

/// The largest buffer that comes from the heap, bytes: as much as glibc takes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const FROM_HEAP: libc::c_int = 32 << 20;

/// Makes the allocator keep what is freed, for processes that soon want as much again: columns of half a megabyte and more
/// are made and dropped batch after batch, and half of the page faults of a table over a large reel were theirs. Pages
/// that are given back also stop the other threads for a moment. Does nothing with another C library.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (option, value) in
        [(libc::M_MMAP_THRESHOLD, FROM_HEAP), (libc::M_TRIM_THRESHOLD, KEPT), (libc::M_TOP_PAD, 1 << 20)]
    {
        // SAFETY: takes numbers; an option that is refused leaves the allocator as it was.
        unsafe { libc::mallopt(option, value) };
    }
}
