//! What a socket's inode stands for: the tables of a network namespace, from netlink or, where that is refused, from
//! the text in `/proc/PID/net`.

use super::diag::{self, TABLES, Table};
use super::file;
use crate::sys::in_network_namespace;
use crate::world::{DescKind, L4, Role};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
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

/// TCP's listening state in the text tables (`include/net/tcp_states.h`).
const LISTEN: &str = "0A";

/// The first port that the kernel gives to those who ask for none, where the namespace does not say.
const EPHEMERAL: u16 = 32768;

/// An address and a port.
pub(super) type End = (IpAddr, u16);

/// An IP socket as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IpSocket {
    pub(super) inode: u64,
    pub(super) kind: DescKind,
    pub(super) l4: L4,
    pub(super) local: End,
    pub(super) remote: End,
    pub(super) listens: bool,
}

/// A Unix socket as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct UnixSocket {
    pub(super) inode: u64,
    pub(super) name: Vec<u8>,
    pub(super) listens: bool,
    pub(super) peer: Option<u64>,
}

/// What the tables of a namespace hold.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) ip: Vec<IpSocket>,
    pub(super) unix: Vec<UnixSocket>,
    pub(super) other: Vec<(u64, DescKind)>,
}

impl Tables {
    /// Who is server and who is client can be told only when all are known: a listener may stand behind what it accepted.
    fn sockets(self, ephemeral: u16) -> Sockets {
        let mut sockets = Sockets::new();
        let listening: BTreeSet<End> = self.ip.iter().filter(|s| s.listens).map(|s| s.local).collect();
        for socket in &self.ip {
            let IpSocket { kind, l4, local, remote, .. } = *socket;
            let role = role(socket, &listening, ephemeral);
            let found = Socket { kind, l4, role, tuple: Some(tuple(local, remote)), ..Socket::default() };
            sockets.insert(socket.inode, found);
        }
        add_unix(&mut sockets, &self.unix);
        for (inode, kind) in self.other {
            sockets.insert(inode, Socket { kind, ..Socket::default() });
        }
        sockets
    }
}

/// A TCP socket is a server's if it listens, or if something listens where its own end is. An unconnected UDP socket
/// on a port that the kernel does not give away waits for requests.
fn role(socket: &IpSocket, listening: &BTreeSet<End>, ephemeral: u16) -> Role {
    let (ip, port) = socket.local;
    let any: [IpAddr; 2] = [[0_u8; 4].into(), [0_u8; 16].into()];
    match socket.l4 {
        L4::Tcp if socket.listens || listening.contains(&(ip, port)) => Role::Server,
        L4::Tcp if any.iter().any(|any| listening.contains(&(*any, port))) => Role::Server,
        L4::Tcp | L4::Udp if socket.remote.1 != 0 => Role::Client,
        L4::Udp if (1..ephemeral).contains(&port) => Role::Server,
        _ => Role::Unknown,
    }
}

/// A connection is known by the path that its server has; the client's own end has none.
fn add_unix(sockets: &mut Sockets, unix: &[UnixSocket]) {
    let by_inode: BTreeMap<u64, &UnixSocket> = unix.iter().map(|s| (s.inode, s)).collect();
    let listening: BTreeSet<&[u8]> = unix.iter().filter(|s| s.listens).map(|s| s.name.as_slice()).collect();
    for socket in unix {
        let peer = socket.peer.and_then(|peer| by_inode.get(&peer));
        let (name, role) = match peer {
            _ if socket.listens => (&socket.name, Role::Server),
            Some(_) if !socket.name.is_empty() && listening.contains(socket.name.as_slice()) => {
                (&socket.name, Role::Server)
            }
            Some(peer) if socket.name.is_empty() && !peer.name.is_empty() => (&peer.name, Role::Client),
            _ => (&socket.name, Role::Unknown),
        };
        let found = Socket { kind: DescKind::Unix, role, name: name.clone(), ..Socket::default() };
        sockets.insert(socket.inode, found);
    }
}

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

/// Reads a table of IP sockets.
fn read_ip(found: &mut Tables, text: &str, table: Table) {
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[_, local, remote, state, _, _, _, _, _, inode, ..] = columns.as_slice() else { continue };
        let (Some(local), Some(remote), Ok(inode)) = (end(local), end(remote), inode.parse::<u64>()) else { continue };
        if inode != 0 {
            let listens = table.l4 == L4::Tcp && state == LISTEN;
            // A raw socket's protocol stands where others have their port.
            let bare = |e: End| if table.l4 == L4::Raw { (e.0, 0) } else { e };
            let (local, remote) = (bare(local), bare(remote));
            found.ip.push(IpSocket { inode, kind: table.kind, l4: table.l4, local, remote, listens });
        }
    }
}

/// `Num RefCount Protocol Flags Type St Inode Path`; the flag 10000 is set while it listens (`net/unix/af_unix.c`).
fn read_unix(found: &mut Tables, text: &str) {
    for line in text.lines().skip(1) {
        let mut columns = line.split_ascii_whitespace();
        let flags = columns.nth(3).and_then(|f| u32::from_str_radix(f, 16).ok());
        let Some(Ok(inode)) = columns.nth(2).map(str::parse::<u64>) else { continue };
        let name = columns.next().unwrap_or_default().as_bytes().to_vec();
        let listens = flags.is_some_and(|f| f & 0x1_0000 != 0);
        found.unix.push(UnixSocket { inode, name, listens, peer: None });
    }
}

/// Netlink and packet sockets: the inode is the last column of some, of others the one before the last.
fn read_other(found: &mut Tables, text: &str, kind: DescKind) {
    for line in text.lines().skip(1) {
        let column = if kind == DescKind::Netlink { 9 } else { 8 };
        let Some(Ok(inode)) = line.split_ascii_whitespace().nth(column).map(str::parse::<u64>) else { continue };
        found.other.push((inode, kind));
    }
}

fn read_text(found: &mut Tables, process: &Path, table: Table) {
    let text = file::text(&process.join("net").join(table.name), file::TABLE_LIMIT).unwrap_or_default();
    match table.kind {
        DescKind::Unix => read_unix(found, &text),
        DescKind::Netlink | DescKind::Socket => read_other(found, &text, table.kind),
        _ => read_ip(found, &text, table),
    }
}

/// The first port that the kernel gives away, of the calling thread's namespace.
fn ephemeral() -> u16 {
    let range = file::text(Path::new("/proc/sys/net/ipv4/ip_local_port_range"), 64).unwrap_or_default();
    range.split_ascii_whitespace().next().and_then(|t| t.parse().ok()).unwrap_or(EPHEMERAL)
}

/// Whether the calling thread is in the network namespace of a process.
fn is_ours(namespace: &File) -> bool {
    let inode = |facts: std::io::Result<std::fs::Metadata>| facts.ok().map(|f| (f.dev(), f.ino()));
    inode(namespace.metadata()) == inode(std::fs::metadata("/proc/thread-self/ns/net"))
}

/// Looks around in the network namespace of the process whose `/proc` directory this is; `None` where it cannot be
/// entered.
pub(super) fn visit<T: Send>(process: &Path, look: impl FnOnce() -> T + Send) -> Option<T> {
    match File::open(process.join("ns/net")) {
        Ok(namespace) if is_ours(&namespace) => Some(look()),
        Ok(namespace) => in_network_namespace(&namespace, look).ok(),
        Err(_) => None,
    }
}

/// The sockets in the network namespace of the process whose `/proc` directory this is, and whether that namespace
/// could be entered: where it could not, names of client ends and peers of Unix sockets are missing.
pub(super) fn sockets(process: &Path) -> (Sockets, bool) {
    let ask = || {
        let mut found = Tables::default();
        let untold = diag::ask(&mut found);
        (found, untold, ephemeral())
    };
    let answer = visit(process, ask);
    let entered = answer.is_some();
    let (mut found, untold, ephemeral) = answer.unwrap_or_else(|| (Tables::default(), TABLES.to_vec(), EPHEMERAL));
    for table in untold {
        read_text(&mut found, process, table);
    }
    (found.sockets(ephemeral), entered)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
   1: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 101 1 0\n\
   2: 0200007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0\n\
   3: 0100007F:1F90 0300007F:C351 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0\n\
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0\n\
   4: broken\n";

    #[test]
    fn tcp_sockets_get_their_ends_and_roles_also_when_the_listener_stands_last() {
        let mut found = Tables::default();
        read_ip(&mut found, TCP, TABLES[0]);
        let sockets = found.sockets(EPHEMERAL);
        assert_eq!(sockets.len(), 3);
        assert_eq!([100, 101, 102].map(|i| sockets[&i].role), [Role::Server, Role::Server, Role::Client]);
        let expected = vec![2, 127, 0, 0, 1, 0x90, 0x1f, 127, 0, 0, 2, 0x50, 0xc3];
        assert_eq!(sockets[&101].tuple, Some(expected));
    }

    #[test]
    fn roles_follow_who_listens_where() {
        let any = IpAddr::from([0; 4]);
        let own = IpAddr::from([10, 0, 0, 1]);
        let nobody = (any, 0);
        let peer = (IpAddr::from([10, 0, 0, 2]), 40000);
        for (l4, listening, local, remote, expected) in [
            (L4::Tcp, (any, 80), (own, 80), peer, Role::Server),
            (L4::Tcp, (own, 80), (own, 80), peer, Role::Server),
            (L4::Tcp, (IpAddr::from([127, 0, 0, 1]), 80), (own, 80), peer, Role::Client),
            (L4::Tcp, (any, 81), (own, 80), peer, Role::Client),
            (L4::Tcp, (any, 81), (own, 80), nobody, Role::Unknown),
            (L4::Udp, (any, 80), (any, 53), nobody, Role::Server),
            (L4::Udp, (any, 80), (any, 50000), nobody, Role::Unknown),
            (L4::Udp, (any, 80), (own, 53), peer, Role::Client),
            (L4::Raw, (any, 80), (own, 0), nobody, Role::Unknown),
        ] {
            let socket = IpSocket { inode: 1, kind: DescKind::Ipv4, l4, local, remote, listens: false };
            assert_eq!(role(&socket, &BTreeSet::from([listening]), 32768), expected, "{socket:?}");
        }
    }

    #[test]
    fn ipv6_addresses_are_read_word_by_word() {
        let (ip, port) = end("B80D0120000000000000000001000000:0050").unwrap();
        assert_eq!((ip.to_string().as_str(), port), ("2001:db8::1", 80));
        assert_eq!(end("0100007F"), None);
        assert_eq!(end("01:0050"), None);
    }

    #[test]
    fn unix_sockets_have_a_path_and_others_an_inode() {
        let mut found = Tables::default();
        read_unix(
            &mut found,
            "Num\n0: 00000002 00000000 00010000 0001 01 7 /run/x.sock\n0: 00000003 00000000 00000000 0001 03 8\n",
        );
        read_other(&mut found, "sk\n0 0 1 0 0 0 0 2 0 9\n", DescKind::Netlink);
        read_other(&mut found, "sk\n0 3 3 0003 2 1 0 0 10\n", DescKind::Socket);
        let sockets = found.sockets(EPHEMERAL);
        assert_eq!((sockets[&7].name.as_slice(), sockets[&7].role), (&b"/run/x.sock"[..], Role::Server));
        assert_eq!((sockets[&8].name.as_slice(), sockets[&8].kind), (&b""[..], DescKind::Unix));
        assert_eq!([9, 10].map(|i| sockets[&i].kind), [DescKind::Netlink, DescKind::Socket]);
    }

    #[test]
    fn both_ends_of_a_unix_connection_have_the_servers_name() {
        let unix = |inode, name: &str, listens, peer| UnixSocket { inode, name: name.into(), listens, peer };
        let mut sockets = Sockets::new();
        let all = [
            unix(1, "/s", true, None),
            unix(2, "/s", false, Some(3)),
            unix(3, "", false, Some(2)),
            unix(4, "", false, Some(5)),
            unix(5, "", false, Some(4)),
            unix(6, "/s", false, Some(99)),
        ];
        add_unix(&mut sockets, &all);
        let said = |i: u64| (std::str::from_utf8(&sockets[&i].name).unwrap(), sockets[&i].role);
        assert_eq!([1, 2, 3].map(said), [("/s", Role::Server), ("/s", Role::Server), ("/s", Role::Client)]);
        assert_eq!([4, 6].map(said), [("", Role::Unknown), ("/s", Role::Unknown)]);
    }

    #[test]
    fn netlink_and_text_tell_the_same() {
        let _listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (netlink, entered) = sockets(Path::new("/proc/self"));
        assert!(entered);
        let mut text = Tables::default();
        read_text(&mut text, Path::new("/proc/self"), TABLES[0]);
        let text = text.sockets(ephemeral());
        let both: Vec<u64> = text.keys().copied().filter(|inode| netlink.contains_key(inode)).collect();
        assert!(!both.is_empty(), "sockets come and go, but ours stays");
        assert!(both.iter().all(|i| text[i].tuple == netlink[i].tuple || text[i].role != netlink[i].role));
    }
}
