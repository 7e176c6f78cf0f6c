//! Being told that something happened in a folder (inotify(7)).

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// What wakes: a file of the folder is written, made, renamed or removed.
const EVENTS: u32 = libc::IN_MODIFY
    | libc::IN_CREATE
    | libc::IN_MOVED_TO
    | libc::IN_MOVED_FROM
    | libc::IN_DELETE
    | libc::IN_CLOSE_WRITE;

/// Folders whose changes wake.
#[derive(Debug)]
pub struct FolderWatch {
    fd: OwnedFd,
}

impl FolderWatch {
    /// Watches no folder yet.
    ///
    /// # Errors
    /// The system's: there are too many (`/proc/sys/fs/inotify/max_user_instances`).
    pub fn new() -> io::Result<FolderWatch> {
        // SAFETY: the call takes a number and touches no memory.
        let fd = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so the descriptor is new and nobody else's.
        Ok(FolderWatch { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Watches a folder, too.
    ///
    /// # Errors
    /// The system's: the folder is not there, or there are too many watches.
    pub fn add(&self, folder: &Path) -> io::Result<()> {
        let path = CString::new(folder.as_os_str().as_bytes())?;
        // SAFETY: the path is a C string that outlives the call, and the descriptor is open.
        let watch = unsafe { libc::inotify_add_watch(self.fd.as_raw_fd(), path.as_ptr(), EVENTS) };
        if watch < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Forgets what was told so far, so that only what comes from now on wakes.
    pub fn clear(&self) {
        let mut buffer = [0u8; 4096];
        loop {
            // SAFETY: the buffer is as long as the call is told, and the descriptor is open.
            let read = unsafe { libc::read(self.fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
            if read <= 0 {
                return;
            }
        }
    }
}

impl AsFd for FolderWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Sleeps until one of two descriptors is readable (or its other end is gone), a signal comes or so long is over, rounded
/// to milliseconds. Says which of them are.
pub fn either(first: BorrowedFd<'_>, second: BorrowedFd<'_>, longest: Duration) -> [bool; 2] {
    let one = |fd: BorrowedFd<'_>| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut polled = [one(first), one(second)];
    let milliseconds = longest.as_millis().clamp(1, 60_000) as libc::c_int;
    // SAFETY: two live pollfds, and the count says so; both descriptors are borrowed for as long.
    let got = unsafe { libc::poll(polled.as_mut_ptr(), 2, milliseconds) };
    if got < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
        std::thread::sleep(longest.min(Duration::from_millis(100)));
    }
    if got > 0 { polled.map(|fd| fd.revents != 0) } else { [false; 2] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_happens_in_a_folder_wakes_once() {
        let folder = tempfile::tempdir().unwrap();
        let watch = FolderWatch::new().unwrap();
        watch.add(folder.path()).unwrap();
        let (stop, keep) = io::pipe().unwrap();
        let now = |longest| either(watch.as_fd(), stop.as_fd(), Duration::from_millis(longest));
        assert_eq!(now(1), [false, false]);
        let mut file = std::fs::File::create(folder.path().join("a")).unwrap();
        assert_eq!(now(60_000), [true, false]);
        watch.clear();
        assert_eq!(now(1), [false, false]);
        file.write_all(b"x").unwrap();
        assert_eq!(now(60_000), [true, false]);
        watch.clear();
        std::fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
        assert_eq!(now(60_000), [true, false]);
        drop(keep);
        assert!(now(60_000)[1]);
        assert!(watch.add(&folder.path().join("none")).is_err());
    }
}
