//! Signals to a recorder: the first Ctrl-C asks it to end, the second one kills; a file that may not grow is an error.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_signal: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

/// The flag that becomes true on the first SIGINT or SIGTERM after [`stop_on_signals`].
pub fn stop_flag() -> &'static AtomicBool {
    &STOP
}

/// From now on the first SIGINT and SIGTERM only set [`stop_flag`]; each is then back to its default, so a second one ends the process.
///
/// # Errors
/// The system's, if a handler cannot be set.
pub fn stop_on_signals() -> io::Result<()> {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: `sigaction` is numbers and an optional function pointer: zeroes are a valid one.
        let mut action = unsafe { action.assume_init_mut() }.to_owned();
        action.sa_sigaction = note as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_RESETHAND | libc::SA_RESTART;
        // SAFETY: `action` is complete, and its handler does nothing but store to an atomic, which is safe in a signal handler.
        let failed = unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) } != 0;
        if failed {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// From now on a write beyond the limit on file sizes fails with `EFBIG`, instead of ending the process (setrlimit(2)).
pub fn refuse_large_files() {
    // SAFETY: sets a signal to be ignored, which no other code here relies on.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}
