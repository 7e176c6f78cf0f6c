//! Signals to a recorder: the first Ctrl-C asks it to end, the second one kills; a file that may not grow is an error.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);
static HANGUP: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_signal: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

extern "C" fn note_hangup(_signal: libc::c_int) {
    HANGUP.store(true, Ordering::Relaxed);
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
        handle(signal, note, libc::SA_RESETHAND | libc::SA_RESTART)?;
    }
    Ok(())
}

/// From now on SIGHUP only makes [`take_hangup`] true, unless it is ignored (`nohup`): then it stays so.
///
/// # Errors
/// The system's, if the handler cannot be set.
pub fn note_hangups() -> io::Result<()> {
    if handle(libc::SIGHUP, note_hangup, libc::SA_RESTART)? == libc::SIG_IGN {
        // SAFETY: the call takes two numbers; ignoring a signal runs no code.
        let failed = unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) } == libc::SIG_ERR;
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

/// Whether SIGHUP came since the last call.
pub fn take_hangup() -> bool {
    HANGUP.load(Ordering::Relaxed) && HANGUP.swap(false, Ordering::Relaxed)
}

/// Sets a handler, which must do nothing but store to an atomic; returns the one before, as a number.
fn handle(signal: libc::c_int, handler: extern "C" fn(libc::c_int), flags: libc::c_int) -> io::Result<usize> {
    let (mut action, mut old) = (no_action(), no_action());
    action.sa_sigaction = handler as usize;
    action.sa_flags = flags;
    // SAFETY: `action` is complete, its handler is safe in a signal handler (see above), and `old` outlives the call.
    let failed = unsafe { libc::sigaction(signal, &raw const action, &raw mut old) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(old.sa_sigaction) }
}

fn no_action() -> libc::sigaction {
    let action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: `sigaction` is numbers and an optional function pointer: zeroes are a valid one.
    unsafe { action.assume_init() }
}
