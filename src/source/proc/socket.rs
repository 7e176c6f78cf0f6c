//! What a socket's inode stands for, from the tables in `/proc/PID/net`, which are those of the process's network namespace.

use super::file;
use crate::world::{DescKind, L4, Role};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::Path;

/// A socket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Socket {
    pub(super) kind: DescKind,
    pub(super) l4: L4,
    pub(super) role: Role,
    /// Both ends as [`ParamType::Tuple`](crate::event::ParamType::Tuple) has them, the local one first.
    pub(super) tuple: Option<Vec<u8>>,
    pub(super) name: Vec<u8>,
}

/// The sockets of one network namespace, by inode.
pub(super) type Sockets = HashMap<u64, Socket>;

/// TCP's listening state (`include/net/tcp_states.h`).
const LISTEN: &str = "0A";

/// The tables of IP sockets: file, protocol.
const TABLES: [(&str, DescKind, L4); 8] = [
    ("tcp", DescKind::Ipv4, L4::Tcp),
    ("tcp6", DescKind::Ipv6, L4::Tcp),
    ("udp", DescKind::Ipv4, L4::Udp),
    ("udp6", DescKind::Ipv6, L4::Udp),
    ("raw", DescKind::Ipv4, L4::Raw),
    ("raw6", DescKind::Ipv6, L4::Raw),
    ("icmp", DescKind::Ipv4, L4::Icmp),
    ("icmp6", DescKind::Ipv6, L4::Icmp),
];

type End = (IpAddr, u16);

/// `0100007F:1F90`: each 32-bit word as the processor reads it, then the port.
fn end(text: &str) -> Option<End> {
    let (address, port) = text.split_once(':')?;
    let mut bytes = Vec::with_capacity(16);
    for at in (0..address.len()).step_by(8) {
        let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_le_bytes());
    }
    let ip = match *bytes.as_slice() {
        [a, b, c, d] => IpAddr::from([a, b, c, d]),
        _ => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

fn tuple(local: End, remote: End) -> Vec<u8> {
    let mut bytes = vec![if local.0.is_ipv4() { 2 } else { 10 }];
    for (ip, port) in [local, remote] {
        match ip {
            IpAddr::V4(ip) => bytes.extend(ip.octets()),
            IpAddr::V6(ip) => bytes.extend(ip.octets()),
        }
        bytes.extend(port.to_le_bytes());
    }
    bytes
}

/// Reads a table of IP sockets. A TCP socket is a server's if it listens, or if something listens on its local port.
fn add_ip(sockets: &mut Sockets, text: &str, kind: DescKind, l4: L4) {
    let mut found = Vec::new();
    let mut listening = BTreeSet::new();
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[_, local, remote, state, _, _, _, _, _, inode, ..] = columns.as_slice() else { continue };
        let (Some(local), Some(remote), Ok(inode)) = (end(local), end(remote), inode.parse::<u64>()) else { continue };
        if l4 == L4::Tcp && state == LISTEN {
            listening.insert(local.1);
        }
        if inode != 0 {
            found.push((inode, local, remote));
        }
    }
    for (inode, local, remote) in found {
        let role = match l4 {
            L4::Tcp if listening.contains(&local.1) => Role::Server,
            L4::Tcp if remote.1 != 0 => Role::Client,
            _ => Role::Unknown,
        };
        sockets.insert(inode, Socket { kind, l4, role, tuple: Some(tuple(local, remote)), name: Vec::new() });
    }
}

/// `Num RefCount Protocol Flags Type St Inode Path`; the flag 10000 is set while it listens (`net/unix/af_unix.c`).
fn add_unix(sockets: &mut Sockets, text: &str) {
    for line in text.lines().skip(1) {
        let mut columns = line.split_ascii_whitespace();
        let flags = columns.nth(3).and_then(|f| u32::from_str_radix(f, 16).ok());
        let Some(Ok(inode)) = columns.nth(2).map(str::parse::<u64>) else { continue };
        let name = columns.next().unwrap_or_default().as_bytes().to_vec();
        let role = if flags.is_some_and(|f| f & 0x1_0000 != 0) { Role::Server } else { Role::Unknown };
        sockets.insert(inode, Socket { kind: DescKind::Unix, role, name, ..Socket::default() });
    }
}

/// `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`.
fn add_netlink(sockets: &mut Sockets, text: &str) {
    for line in text.lines().skip(1) {
        let Some(Ok(inode)) = line.split_ascii_whitespace().nth(9).map(str::parse::<u64>) else { continue };
        sockets.insert(inode, Socket { kind: DescKind::Netlink, ..Socket::default() });
    }
}

/// The sockets in the network namespace of the process whose `/proc` directory this is.
pub(super) fn sockets(process: &Path) -> Sockets {
    let mut sockets = Sockets::new();
    let table = |name: &str| file::text(&process.join("net").join(name), file::TABLE_LIMIT).unwrap_or_default();
    for (name, kind, l4) in TABLES {
        add_ip(&mut sockets, &table(name), kind, l4);
    }
    add_unix(&mut sockets, &table("unix"));
    add_netlink(&mut sockets, &table("netlink"));
    sockets
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0\n\
   1: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 101 1 0\n\
   2: 0200007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0\n\
   3: 0100007F:1F90 0300007F:C351 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0\n\
   4: broken\n";

    #[test]
    fn tcp_sockets_get_their_ends_and_roles() {
        let mut sockets = Sockets::new();
        add_ip(&mut sockets, TCP, DescKind::Ipv4, L4::Tcp);
        assert_eq!(sockets.len(), 3);
        assert_eq!([100, 101, 102].map(|i| sockets[&i].role), [Role::Server, Role::Server, Role::Client]);
        let expected = vec![2, 127, 0, 0, 1, 0x90, 0x1f, 127, 0, 0, 2, 0x50, 0xc3];
        assert_eq!(sockets[&101].tuple, Some(expected));
    }

    #[test]
    fn ipv6_addresses_are_read_word_by_word() {
        let (ip, port) = end("B80D0120000000000000000001000000:0050").unwrap();
        assert_eq!((ip.to_string().as_str(), port), ("2001:db8::1", 80));
        assert_eq!(end("0100007F"), None);
        assert_eq!(end("01:0050"), None);
    }

    #[test]
    fn unix_sockets_have_a_path_and_netlink_ones_an_inode() {
        let mut sockets = Sockets::new();
        add_unix(
            &mut sockets,
            "Num\n0: 00000002 00000000 00010000 0001 01 7 /run/x.sock\n0: 00000003 00000000 00000000 0001 03 8\n",
        );
        add_netlink(&mut sockets, "sk\n0 0 1 0 0 0 0 2 0 9\n");
        assert_eq!((sockets[&7].name.as_slice(), sockets[&7].role), (&b"/run/x.sock"[..], Role::Server));
        assert_eq!((sockets[&8].name.as_slice(), sockets[&8].kind), (&b""[..], DescKind::Unix));
        assert_eq!(sockets[&9].kind, DescKind::Netlink);
    }
}
