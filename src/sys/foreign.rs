//! Looking into another process: its memory and its sockets. Both need the right to trace it.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The most bytes that one [`read_memory`] reads.
pub const MEMORY_LIMIT: usize = 3 * PAGE;
/// Reads are split here. Pages are at least as large, so a part never lies in two.
const PAGE: usize = 4096;
/// Parts of a read of [`MEMORY_LIMIT`] bytes that begins anywhere.
const PARTS: usize = MEMORY_LIMIT / PAGE + 1;

/// Copies memory of a thread's process into `to`, at most [`MEMORY_LIMIT`] bytes. Returns how many were read: fewer
/// than asked for if what follows is not mapped, none if nothing is, or if it may not be read.
pub fn read_memory(tid: u32, from: u64, to: &mut [u8]) -> usize {
    let len = to.len().min(MEMORY_LIMIT);
    let nothing = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
    let mut parts = [nothing; PARTS];
    let (mut count, mut done) = (0, 0);
    while done < len && count < PARTS {
        let at = from.wrapping_add(done as u64);
        let part = (PAGE - (at as usize & (PAGE - 1))).min(len - done);
        parts[count] = libc::iovec { iov_base: std::ptr::without_provenance_mut(at as usize), iov_len: part };
        count += 1;
        done += part;
    }
    let local = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: done };
    // SAFETY: the local part is `done` bytes of `to`, which is at least as long; the other parts are of another process,
    // where the kernel checks them.
    let got = unsafe {
        libc::process_vm_readv(tid as libc::pid_t, &raw const local, 1, parts.as_ptr(), count as libc::c_ulong, 0)
    };
    usize::try_from(got).unwrap_or(0)
}

/// Bytes of a `struct sockaddr_storage`.
const ADDRESS: usize = 128;
/// `SO_PEERNAME`, include/uapi/asm-generic/socket.h: like `getpeername`, and it also knows the other end of a
/// connection that is still being made.
const SO_PEERNAME: libc::c_int = 28;

/// A socket's own address and its peer's (empty: none), as `struct sockaddr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEnds {
    /// What `getsockname` says.
    pub local: Vec<u8>,
    /// What `getpeername` says.
    pub remote: Vec<u8>,
}

fn descriptor(number: libc::c_long) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(number as libc::c_int) })
}

/// The ends of the socket behind a process's descriptor (Linux 5.6 and newer).
///
/// # Errors
/// The system's: ENOTSOCK, EBADF, EPERM, …
pub fn socket_ends(pid: u32, fd: i32) -> io::Result<SocketEnds> {
    // SAFETY: takes numbers.
    let process = descriptor(unsafe { libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, 0) })?;
    // SAFETY: takes numbers, the first one of a descriptor that is open.
    let socket = descriptor(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd, 0) })?;
    let mut bytes = [0_u8; ADDRESS];
    let mut len = ADDRESS as libc::socklen_t;
    // SAFETY: `len` is the length of `bytes`, and both live across the call.
    let failed = unsafe { libc::getsockname(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), &raw mut len) } != 0;
    if failed {
        return Err(io::Error::last_os_error());
    }
    let local = bytes[..ADDRESS.min(len as usize)].to_vec();
    // It wants to be asked for no more than there is; both ends are of one family.
    len = local.len() as libc::socklen_t;
    let (level, to) = (libc::SOL_SOCKET, bytes.as_mut_ptr().cast());
    // SAFETY: as above.
    let alone = unsafe { libc::getsockopt(socket.as_raw_fd(), level, SO_PEERNAME, to, &raw mut len) } != 0;
    let remote = if alone { Vec::new() } else { bytes[..ADDRESS.min(len as usize)].to_vec() };
    Ok(SocketEnds { local, remote })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> u32 {
        std::process::id()
    }

    #[test]
    fn memory_is_read_up_to_where_it_ends() {
        let text = vec![7_u8; 9000];
        let mut to = vec![0; 9000];
        assert_eq!(read_memory(own(), text.as_ptr().addr() as u64, &mut to), 9000);
        assert_eq!(to, text);
        assert_eq!(read_memory(own(), 8, &mut to), 0);
        assert_eq!(read_memory(own(), u64::MAX - 8, &mut to), 0);
        let mut small = [0; 3];
        assert_eq!((read_memory(own(), text.as_ptr().addr() as u64, &mut small), small), (3, [7; 3]));
    }

    #[test]
    fn a_read_over_the_end_of_a_mapping_gives_what_is_before_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![9_u8; 4096]).unwrap();
        let map = crate::sys::map_file(&std::fs::File::open(file.path()).unwrap()).unwrap();
        // What lies behind a mapping is not ours to know: at least its own bytes must come.
        let mut to = [0; 300];
        let got = read_memory(own(), map.as_ptr().addr() as u64 + 4000, &mut to);
        assert!(got >= 96 && to[..96] == [9; 96], "{got}");
    }

    #[test]
    fn a_connection_has_two_ends_and_a_listener_one() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let ends = socket_ends(own(), client.as_raw_fd()).unwrap();
        assert_eq!(ends.remote[..8], [2, 0, port.to_be_bytes()[0], port.to_be_bytes()[1], 127, 0, 0, 1]);
        assert_eq!(ends.local[4..8], [127, 0, 0, 1]);
        let ends = socket_ends(own(), listener.as_raw_fd()).unwrap();
        assert_eq!((ends.local[2..4].to_vec(), ends.remote.len()), (port.to_be_bytes().to_vec(), 0));
        let file = tempfile::tempfile().unwrap();
        assert_eq!(socket_ends(own(), file.as_raw_fd()).unwrap_err().raw_os_error(), Some(libc::ENOTSOCK));
        assert!(socket_ends(own(), -1).is_err());
    }
}
