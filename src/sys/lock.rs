//! Advisory locks, which tell a file that is being written from one whose writer is gone.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Locks a file for this process until it is closed (`flock`, so the lock goes with the open file, also when its
/// process is killed). `false` if somebody else has it.
///
/// # Errors
/// The system's: some network file systems have no locks.
pub fn lock_for_writing(file: &File) -> io::Result<bool> {
    flock(file, libc::LOCK_EX | libc::LOCK_NB)
}

/// Whether somebody has a file locked for writing; also through another open file of this process.
///
/// # Errors
/// The system's: some network file systems have no locks.
pub fn is_being_written(file: &File) -> io::Result<bool> {
    let free = flock(file, libc::LOCK_SH | libc::LOCK_NB)?;
    if free {
        flock(file, libc::LOCK_UN)?;
    }
    Ok(!free)
}

fn flock(file: &File, operation: libc::c_int) -> io::Result<bool> {
    // SAFETY: the descriptor is open as long as `file` is borrowed; the call takes no memory.
    let failed = unsafe { libc::flock(file.as_raw_fd(), operation) } != 0;
    if !failed {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::WouldBlock { Ok(false) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_seen_by_others_until_its_file_is_closed() {
        let scratch = tempfile::NamedTempFile::new().unwrap();
        let (writer, reader) = (File::create(scratch.path()).unwrap(), File::open(scratch.path()).unwrap());
        assert!(!is_being_written(&reader).unwrap());
        assert!(lock_for_writing(&writer).unwrap());
        assert!(is_being_written(&reader).unwrap());
        let other = File::create(scratch.path()).unwrap();
        assert!(!lock_for_writing(&other).unwrap());
        drop(writer);
        assert!(!is_being_written(&reader).unwrap());
    }
}
