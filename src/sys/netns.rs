//! Looking into another network namespace.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Runs `look` on a thread of its own that has entered a network namespace (an open `/proc/PID/ns/net`), so that the
/// sockets it opens are of that namespace. The caller's own threads stay where they are.
///
/// # Errors
/// The system's: without `CAP_SYS_ADMIN` in that namespace's owner it may not be entered; or no thread can be started.
pub fn in_network_namespace<T: Send>(namespace: &File, look: impl FnOnce() -> T + Send) -> io::Result<T> {
    let visit = || {
        // SAFETY: takes numbers; the descriptor is open for the whole call.
        let failed = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) } != 0;
        if failed { Err(io::Error::last_os_error()) } else { Ok(look()) }
    };
    std::thread::scope(|threads| {
        let visitor = std::thread::Builder::new().name("namespace".to_owned()).spawn_scoped(threads, visit)?;
        visitor.join().map_err(|_| io::Error::other("the thread in the namespace panicked"))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_namespace_can_be_entered_or_the_reason_is_told() {
        let own = File::open("/proc/self/ns/net").unwrap();
        match in_network_namespace(&own, || 7) {
            Ok(seen) => assert_eq!(seen, 7),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied),
        }
    }

    #[test]
    fn what_is_no_namespace_is_an_error() {
        assert!(in_network_namespace(&File::open("/dev/null").unwrap(), || ()).is_err());
    }
}
