//! The sockets of the network namespace that the calling thread is in, as the kernel tells them over `sock_diag(7)`:
//! a tenth of the time that the text tables take, and without the thousands of connections that only wait for their end.
#![allow(clippy::host_endian_bytes, reason = "netlink is spoken on one machine, in its own byte order")]

use super::socket::{End, IpSocket, Tables, UnixSocket};
use crate::sys::{Netlink, NetlinkFamily, netlink_attributes};
use crate::world::{DescKind, L4};
use std::net::IpAddr;

/// `SOCK_DIAG_BY_FAMILY` (`include/uapi/linux/sock_diag.h`).
const BY_FAMILY: u16 = 20;
/// `TCP_LISTEN` (`include/net/tcp_states.h`); Unix sockets use the same number.
const LISTEN: u8 = 10;
/// All states but `SYN_RECV`, `TIME_WAIT` and `NEW_SYN_RECV`: those sockets belong to no descriptor.
const STATES: u32 = !(1 << 3 | 1 << 6 | 1 << 12);
/// `UDIAG_SHOW_NAME | UDIAG_SHOW_PEER` (`include/uapi/linux/unix_diag.h`).
const UNIX_SHOW: u32 = 1 | 4;
const UNIX_NAME: u16 = 0;
const UNIX_PEER: u16 = 2;

/// A table of the kernel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    /// Its file in `/proc/PID/net`.
    pub(super) name: &'static str,
    family: u8,
    protocol: u8,
    pub(super) kind: DescKind,
    pub(super) l4: L4,
}

const fn table(name: &'static str, family: u8, protocol: u8, kind: DescKind, l4: L4) -> Table {
    Table { name, family, protocol, kind, l4 }
}

/// Every table of sockets. Those of ping sockets have no protocol number here: the kernel shows them only as text.
pub(super) const TABLES: [Table; 11] = [
    table("tcp", 2, 6, DescKind::Ipv4, L4::Tcp),
    table("tcp6", 10, 6, DescKind::Ipv6, L4::Tcp),
    table("udp", 2, 17, DescKind::Ipv4, L4::Udp),
    table("udp6", 10, 17, DescKind::Ipv6, L4::Udp),
    table("raw", 2, 255, DescKind::Ipv4, L4::Raw),
    table("raw6", 10, 255, DescKind::Ipv6, L4::Raw),
    table("icmp", 2, 0, DescKind::Ipv4, L4::Icmp),
    table("icmp6", 10, 0, DescKind::Ipv6, L4::Icmp),
    table("unix", 1, 0, DescKind::Unix, L4::None),
    // 255 is `NDIAG_PROTO_ALL` (`include/uapi/linux/netlink_diag.h`).
    table("netlink", 16, 255, DescKind::Netlink, L4::None),
    table("packet", 17, 0, DescKind::Socket, L4::None),
];

impl Table {
    /// The request for it: `inet_diag_req_v2`, `unix_diag_req`, `netlink_diag_req` or `packet_diag_req`.
    fn request(self) -> Option<Vec<u8>> {
        let mut bytes = vec![self.family, self.protocol, 0, 0];
        match self.family {
            2 | 10 if self.protocol == 0 => return None,
            2 | 10 => {
                bytes.extend(STATES.to_ne_bytes());
                bytes.resize(56, 0);
            }
            1 => {
                bytes.extend(u32::MAX.to_ne_bytes());
                bytes.extend(0_u32.to_ne_bytes());
                bytes.extend(UNIX_SHOW.to_ne_bytes());
                bytes.resize(24, 0);
            }
            _ => bytes.resize(20, 0),
        }
        Some(bytes)
    }

    /// Takes a message of the answer in; one that is too short is left out.
    fn take(self, message: &[u8], found: &mut Tables) {
        match self.family {
            2 | 10 => found.ip.extend(ip_socket(message, self)),
            1 => found.unix.extend(unix_socket(message)),
            // `netlink_diag_msg` has two port ids and a group before the inode, `packet_diag_msg` nothing.
            16 => found.other.extend(number(message, 16).map(|inode| (inode, self.kind))),
            _ => found.other.extend(number(message, 4).map(|inode| (inode, self.kind))),
        }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|b| u64::from(u32::from_ne_bytes(*b)))
}

/// `struct inet_diag_msg` (`include/uapi/linux/inet_diag.h`).
fn ip_socket(message: &[u8], table: Table) -> Option<IpSocket> {
    let inode = number(message, 68).filter(|inode| *inode != 0)?;
    let end = |port: usize, address: usize| -> Option<End> {
        let port = message.get(port..)?.first_chunk().map(|b| u16::from_be_bytes(*b))?;
        let bytes: &[u8; 16] = message.get(address..)?.first_chunk()?;
        let ip = match *bytes {
            [a, b, c, d, ..] if table.kind == DescKind::Ipv4 => IpAddr::from([a, b, c, d]),
            all => IpAddr::from(all),
        };
        Some((ip, port))
    };
    let (local, remote) = (end(4, 8)?, end(6, 24)?);
    // A raw socket's protocol stands where others have their port.
    let bare = |e: End| if table.l4 == L4::Raw { (e.0, 0) } else { e };
    let listens = table.l4 == L4::Tcp && message.get(1) == Some(&LISTEN);
    Some(IpSocket { inode, kind: table.kind, l4: table.l4, local: bare(local), remote: bare(remote), listens })
}

/// `struct unix_diag_msg` and its attributes.
fn unix_socket(message: &[u8]) -> Option<UnixSocket> {
    let inode = number(message, 4)?;
    let mut socket = UnixSocket { inode, listens: message.get(2) == Some(&LISTEN), ..UnixSocket::default() };
    for (kind, value) in netlink_attributes(message.get(16..)?) {
        match kind {
            UNIX_NAME => socket.name = unix_name(value),
            UNIX_PEER => socket.peer = number(value, 0),
            _ => {}
        }
    }
    Some(socket)
}

/// A path without its NUL; an abstract name with `@` in place of its first one.
fn unix_name(name: &[u8]) -> Vec<u8> {
    match name.split_first() {
        Some((0, rest)) => [b"@", rest].concat(),
        _ => name.split(|&b| b == 0).next().unwrap_or_default().to_vec(),
    }
}

/// Asks for every table; returns those that the kernel does not tell this way.
pub(super) fn ask(found: &mut Tables) -> Vec<Table> {
    let Ok(mut netlink) = Netlink::open(NetlinkFamily::SockDiag) else { return TABLES.to_vec() };
    let mut untold = Vec::new();
    for table in TABLES {
        let told = table
            .request()
            .is_some_and(|request| netlink.dump(BY_FAMILY, &request, &mut |_, m| table.take(m, found)).is_ok());
        if !told {
            untold.push(table);
        }
    }
    untold
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::{UnixListener, UnixStream};

    /// What the kernel says of our own sockets, as the bytes that came.
    fn answers(table: &str) -> io::Result<Vec<Vec<u8>>> {
        let table = TABLES.into_iter().find(|t| t.name == table).unwrap();
        let mut messages = Vec::new();
        let mut netlink = Netlink::open(NetlinkFamily::SockDiag)?;
        netlink.dump(BY_FAMILY, &table.request().unwrap(), &mut |_, m| messages.push(m.to_vec()))?;
        Ok(messages)
    }

    fn inode(socket: &impl AsRawFd) -> u64 {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        link.to_str().unwrap().trim_start_matches("socket:[").trim_end_matches(']').parse().unwrap()
    }

    #[test]
    fn the_kernels_bytes_tell_our_own_sockets() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let tcp = TABLES[0];
        let found: Vec<_> = answers("tcp").unwrap().iter().filter_map(|m| ip_socket(m, tcp)).collect();
        let of = |inode: u64| found.iter().find(|s| s.inode == inode).unwrap();
        let ends = |a: std::net::SocketAddr, b: std::net::SocketAddr| ((a.ip(), a.port()), (b.ip(), b.port()));
        assert!(of(inode(&listener)).listens);
        assert_eq!((of(inode(&client)).local, of(inode(&client)).remote), ends(peer, address));
        assert_eq!((of(inode(&server)).local, of(inode(&server)).remote), ends(address, peer));
        let udp = UdpSocket::bind("[::1]:0").unwrap();
        let found: Vec<_> = answers("udp6").unwrap().iter().filter_map(|m| ip_socket(m, TABLES[3])).collect();
        let udp_end = udp.local_addr().unwrap();
        assert!(
            found.iter().any(|s| s.inode == inode(&udp)
                && s.local == (udp_end.ip(), udp_end.port())
                && s.kind == DescKind::Ipv6)
        );
    }

    #[test]
    fn unix_sockets_have_names_and_peers() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let client = UnixStream::connect(&path).unwrap();
        let (server, _) = listener.accept().unwrap();
        let found: Vec<_> = answers("unix").unwrap().iter().filter_map(|m| unix_socket(m)).collect();
        let of = |inode: u64| found.iter().find(|s| s.inode == inode).unwrap();
        let name = path.as_os_str().as_encoded_bytes();
        assert_eq!((of(inode(&listener)).name.as_slice(), of(inode(&listener)).listens), (name, true));
        assert_eq!((of(inode(&server)).name.as_slice(), of(inode(&server)).peer), (name, Some(inode(&client))));
        assert_eq!((of(inode(&client)).name.as_slice(), of(inode(&client)).peer), (&b""[..], Some(inode(&server))));
    }

    #[test]
    fn real_messages_cut_anywhere_make_no_panic() {
        let _listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _pair = UnixStream::pair().unwrap();
        for table in TABLES.into_iter().filter(|t| t.request().is_some()) {
            for message in answers(table.name).unwrap_or_default().iter().take(4) {
                for end in 0..=message.len() {
                    table.take(&message[..end], &mut Tables::default());
                }
            }
        }
    }
}
