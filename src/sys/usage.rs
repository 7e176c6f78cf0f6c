//! What the recorder itself costs.

use std::io;

/// Resources that the process has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Processor time in user mode, ns.
    pub user_ns: u64,
    /// Processor time in the kernel, ns.
    pub system_ns: u64,
    /// Most memory that was resident, bytes.
    pub max_resident: u64,
}

fn ns(time: libc::timeval) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1_000
}

/// What this process has used so far.
pub fn process_usage() -> Usage {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a live rusage.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    // SAFETY: `rusage` is numbers: initialised by the zeroes even had the call failed.
    let usage = unsafe { usage.assume_init() };
    Usage { user_ns: ns(usage.ru_utime), system_ns: ns(usage.ru_stime), max_resident: usage.ru_maxrss as u64 * 1024 }
}

/// Processor time of the calling thread, ns.
pub fn thread_cpu_ns() -> u64 {
    super::clock::thread_cpu()
}

/// Sets the calling thread's nice value, -20 (most favoured) to 19.
///
/// # Errors
/// The system's; below the current value it needs `CAP_SYS_NICE`.
pub fn set_thread_nice(nice: i32) -> io::Result<()> {
    // SAFETY: takes and returns numbers; 0 is the calling thread.
    let failed = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_grows_with_work() {
        let before = thread_cpu_ns();
        let mut x = 1_u64;
        while thread_cpu_ns() == before {
            x = x.wrapping_mul(3);
        }
        std::hint::black_box(x);
        assert!(process_usage().max_resident > 0);
    }

    #[test]
    fn a_thread_may_always_be_made_less_important() {
        std::thread::spawn(|| set_thread_nice(19).unwrap()).join().unwrap();
    }
}
