//! Asking the kernel for its tables over netlink: binary, filtered by the kernel, and of one network namespace at a time.
#![allow(clippy::host_endian_bytes, reason = "netlink is spoken on one machine, in its own byte order")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};

/// Which part of the kernel is asked (`include/uapi/linux/netlink.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetlinkFamily {
    /// Interfaces and addresses.
    Route,
    /// Sockets.
    SockDiag,
}

/// A netlink socket in the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Netlink {
    socket: File,
    buffer: Vec<u8>,
    sequence: u32,
}

/// More than the kernel puts into one answer (`NLMSG_GOODSIZE` grows to 32 KiB for a reader with room).
const BUFFER: usize = 64 << 10;
/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

impl Netlink {
    /// Opens a socket.
    ///
    /// # Errors
    /// The system's: the kernel has no such family, or no more descriptors are allowed.
    pub fn open(family: NetlinkFamily) -> io::Result<Netlink> {
        let protocol = match family {
            NetlinkFamily::Route => libc::NETLINK_ROUTE,
            NetlinkFamily::SockDiag => libc::NETLINK_SOCK_DIAG,
        };
        // SAFETY: takes and returns numbers.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was made just now, and nobody else has it.
        let owned = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Netlink { socket: File::from(owned), buffer: vec![0; BUFFER], sequence: 0 })
    }

    /// Asks for a whole table: `each` gets the type and the payload of every message of the answer.
    ///
    /// # Errors
    /// What the kernel answered: it does not know the table, or refuses it.
    pub fn dump(&mut self, kind: u16, request: &[u8], each: &mut dyn FnMut(u16, &[u8])) -> io::Result<()> {
        self.sequence += 1;
        let mut message = Vec::with_capacity(HEADER + request.len());
        message.extend(((HEADER + request.len()) as u32).to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend(0_u32.to_ne_bytes());
        message.extend_from_slice(request);
        self.socket.write_all(&message)?;
        loop {
            let length = self.socket.read(&mut self.buffer)?;
            if length == 0 || !messages(&self.buffer[..length], self.sequence, each)? {
                return Ok(());
            }
        }
    }
}

/// Hands on the messages of one answer; `false` after the last.
fn messages(mut bytes: &[u8], sequence: u32, each: &mut dyn FnMut(u16, &[u8])) -> io::Result<bool> {
    while let Some((header, _)) = bytes.split_first_chunk::<HEADER>() {
        let word = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (length, kind) = (word(0) as usize, u16::from_ne_bytes([header[4], header[5]]));
        let Some(payload) = bytes.get(HEADER..length) else { return Ok(false) };
        if word(8) == sequence {
            match kind {
                NLMSG_DONE => return Ok(false),
                NLMSG_ERROR => return refused(payload).map_or(Ok(false), Err),
                _ => each(kind, payload),
            }
        }
        // Messages stand at multiples of four.
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(true)
}

/// The error in the payload of an error message: a negative errno, or 0 for none.
fn refused(payload: &[u8]) -> Option<io::Error> {
    let number = payload.first_chunk().map_or(libc::EPROTO, |b| -i32::from_ne_bytes(*b));
    (number != 0).then(|| io::Error::from_raw_os_error(number))
}

/// The attributes of a message (type, value), which stand behind its fixed part: `struct rtattr`, each at a multiple of four.
pub fn netlink_attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (header, _) = bytes.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        // The two highest bits say how the value is nested and ordered.
        Some((u16::from_ne_bytes([header[2], header[3]]) & 0x3fff, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `RTM_GETLINK` (`include/uapi/linux/rtnetlink.h`).
    const GETLINK: u16 = 18;

    #[test]
    fn the_kernel_lists_the_loopback_interface() {
        let mut netlink = Netlink::open(NetlinkFamily::Route).unwrap();
        for _ in 0..2 {
            let mut names = Vec::new();
            netlink
                .dump(GETLINK, &[0; 16], &mut |_, payload| {
                    names.extend(netlink_attributes(&payload[16..]).filter(|a| a.0 == 3).map(|a| a.1.to_vec()));
                })
                .unwrap();
            assert!(names.contains(&b"lo\0".to_vec()), "{names:?}");
        }
    }

    #[test]
    fn a_table_that_there_is_not_is_an_error_and_the_socket_goes_on() {
        let mut netlink = Netlink::open(NetlinkFamily::SockDiag).unwrap();
        assert!(netlink.dump(20, &[250; 56], &mut |_, _| ()).is_err());
        let mut tcp = [0; 56];
        (tcp[0], tcp[1]) = (2, 6);
        netlink.dump(20, &tcp, &mut |_, _| ()).unwrap();
    }

    #[test]
    fn cut_messages_end_the_answer_and_attributes_end_where_they_are_cut() {
        let mut seen = 0;
        let mut message = [0; 20];
        (message[0], message[4]) = (20, 99);
        for end in 0..20 {
            messages(&message[..end], 0, &mut |_, _| seen += 1).unwrap();
        }
        assert_eq!(seen, 0);
        assert!(messages(&message, 0, &mut |_, _| seen += 1).unwrap());
        assert_eq!(seen, 1);
        let attributes = [5, 0, 1, 0, 7, 0, 0, 0, 6, 0, 2, 0x80, 8, 9, 0, 0, 200, 0, 1, 0];
        let all: Vec<_> = netlink_attributes(&attributes).collect();
        assert_eq!(all, [(1, &[7][..]), (2, &[8, 9])]);
        assert_eq!(netlink_attributes(&[0, 0, 1, 0]).count(), 0);
    }
}
