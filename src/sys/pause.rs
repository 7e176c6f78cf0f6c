//! Sleep that a descriptor or a signal cuts short.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// What ended a sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The time was over.
    Time,
    /// The descriptor became readable.
    Descriptor,
    /// A signal came.
    Signal,
}

/// Sleeps at most so long, rounded to milliseconds and at least one, unless a descriptor becomes readable or a signal
/// comes.
pub fn pause(descriptor: Option<BorrowedFd<'_>>, longest: Duration) -> Woken {
    let fd = descriptor.as_ref().map_or(-1, AsRawFd::as_raw_fd);
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let milliseconds = longest.as_millis().clamp(1, 60_000) as libc::c_int;
    // SAFETY: one live pollfd, and the count says so; a negative descriptor in it is passed over (poll(2)).
    match unsafe { libc::poll(&raw mut poll, 1, milliseconds) } {
        0 => Woken::Time,
        got if got > 0 => Woken::Descriptor,
        _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => Woken::Signal,
        _ => {
            std::thread::sleep(longest);
            Woken::Time
        }
    }
}

/// A descriptor that becomes readable when a process ends.
///
/// # Errors
/// The system's: the kernel does not know `pidfd_open` (before 5.3) or refuses it, or the process is gone.
pub fn process_end(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two numbers and touches no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::process::{Command, Stdio};

    #[test]
    fn the_end_of_a_process_cuts_it_short() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let end = process_end(child.id()).unwrap();
        assert_eq!(pause(Some(end.as_fd()), Duration::from_millis(1)), Woken::Time);
        drop(child.stdin.take());
        // Far longer than any test may take. A signal to the tests' process is no fault.
        while pause(Some(end.as_fd()), Duration::from_secs(60)) == Woken::Signal {}
        assert!(child.try_wait().unwrap().is_some());
        assert_eq!(pause(None, Duration::from_millis(1)), Woken::Time);
    }
}
