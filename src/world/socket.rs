//! Socket calls: who is connected to whom, and in which role.

use super::action::{Action, bytes, int, named, named_bytes};
use super::address::{Address, sockaddr, tuple};
use super::dict::{DescKind, DescRow, Endpoint, L4, Role, StrId};
use super::engine::World;
use super::files::Slot;
use super::open::O_CLOEXEC;
use crate::event::Event;
use std::net::{IpAddr, Ipv4Addr};

const EINPROGRESS: i64 = 115;
const UNSPECIFIED: Endpoint = Endpoint { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 0 };

impl World {
    pub(super) fn change_sockets(&mut self, action: Action, index: usize, event: &Event<'_>) -> u32 {
        match action {
            Action::Socket if event.ret >= 0 => {
                let cloexec = named(event, "type") & O_CLOEXEC != 0;
                self.install(index, event.ret, &new_socket(event), cloexec)
            }
            Action::Socketpair if event.ret == 0 => self.socketpair(index, event),
            Action::Bind => self.on_socket(index, event, event.ret == 0, bound),
            Action::Listen => self.on_socket(index, event, event.ret == 0, |row, _, _| row.role = Role::Server),
            Action::Connect => self.on_socket(index, event, event.ret == 0 || event.ret == -EINPROGRESS, connected),
            Action::Accept { flags } if event.ret >= 0 => self.accept(index, event, flags),
            Action::Message { addr } => {
                let known = event.ret >= 0 && bytes(event, addr).is_some_and(|a| !a.is_empty());
                self.on_socket(index, event, known, |row, event, _| exchanged(row, bytes(event, addr)))
            }
            _ => event.kind.spec().fd.map_or(0, |fd| self.uses(index, int(event, fd))),
        }
    }

    /// Changes the row of the socket that a call is about, if it succeeded.
    fn on_socket(
        &mut self,
        index: usize,
        event: &Event<'_>,
        succeeded: bool,
        change: impl FnOnce(&mut DescRow, &Event<'_>, Option<StrId>),
    ) -> u32 {
        let fd = event.kind.spec().fd.map_or(-1, |fd| int(event, fd));
        let slot = self.files(index).slot(fd);
        if !succeeded {
            return slot.desc;
        }
        let name = self.unix_name(event);
        let mut row = self.dict().desc(slot.desc).clone();
        change(&mut row, event, name);
        self.install(index, fd, &row, slot.cloexec)
    }

    /// The path in a Unix address; abstract names are shown with `@`.
    fn unix_name(&mut self, event: &Event<'_>) -> Option<StrId> {
        match sockaddr(named_bytes(event, "addr")?)? {
            Address::Unix(path) if path.first() == Some(&0) => {
                let text = [b"@", &path[1..]].concat();
                Some(self.interner.text(&text))
            }
            Address::Unix(path) if !path.is_empty() => Some(self.interner.text(path)),
            _ => None,
        }
    }

    fn socketpair(&mut self, index: usize, event: &Event<'_>) -> u32 {
        let cloexec = named(event, "type") & O_CLOEXEC != 0;
        let row = new_socket(event);
        self.install(index, named(event, "fd1"), &row, cloexec);
        self.install(index, named(event, "fd2"), &row, cloexec)
    }

    fn accept(&mut self, index: usize, event: &Event<'_>, flags: Option<u8>) -> u32 {
        let listening = self.dict().desc(self.uses(index, named(event, "sockfd"))).clone();
        let mut row = DescRow { role: Role::Server, ..listening };
        if let Some((local, remote)) = named_bytes(event, "tuple").and_then(tuple) {
            set_ends(&mut row, remote, local);
            if row.l4 == L4::None {
                row.l4 = L4::Tcp;
            }
        } else if let Some(&family) = named_bytes(event, "tuple").and_then(<[u8]>::first) {
            row.kind = socket_kind(i64::from(family));
        }
        let cloexec = flags.is_some_and(|f| int(event, f) & O_CLOEXEC != 0);
        let desc = self.interner.desc(&row);
        self.files(index).set(event.ret, Slot { desc, cloexec });
        desc
    }
}

fn socket_kind(family: i64) -> DescKind {
    match family {
        1 => DescKind::Unix,
        2 => DescKind::Ipv4,
        10 => DescKind::Ipv6,
        16 => DescKind::Netlink,
        _ => DescKind::Socket,
    }
}

/// A socket as `socket(2)` makes it: family, type (low four bits) and protocol.
fn new_socket(event: &Event<'_>) -> DescRow {
    const IPPROTO_ICMP: i64 = 1;
    const IPPROTO_ICMPV6: i64 = 58;
    let kind = socket_kind(named(event, "domain"));
    let protocol = named(event, "proto");
    let l4 = match (kind, named(event, "type") & 0xf) {
        (DescKind::Ipv4 | DescKind::Ipv6, _) if matches!(protocol, IPPROTO_ICMP | IPPROTO_ICMPV6) => L4::Icmp,
        (DescKind::Ipv4 | DescKind::Ipv6, 1) => L4::Tcp,
        (DescKind::Ipv4 | DescKind::Ipv6, 2) => L4::Udp,
        (DescKind::Ipv4 | DescKind::Ipv6, 3) => L4::Raw,
        _ => L4::None,
    };
    DescRow { kind, l4, ..DescRow::default() }
}

/// Sets both ends, and the family they have.
fn set_ends(row: &mut DescRow, client: Endpoint, server: Endpoint) {
    row.kind = if server.ip.is_ipv4() { DescKind::Ipv4 } else { DescKind::Ipv6 };
    (row.client, row.server) = (Some(client), Some(server));
}

fn bound(row: &mut DescRow, event: &Event<'_>, name: Option<StrId>) {
    if let Some(name) = name {
        row.name = name;
        return;
    }
    let asked = match named_bytes(event, "addr").and_then(sockaddr) {
        Some(Address::Ip(end)) => Some(end),
        _ => None,
    };
    // The kernel's own tuple knows the port that it chose for port 0.
    let local = named_bytes(event, "tuple").and_then(tuple).map(|(local, _)| local);
    if let Some(end) = local.filter(|l| l.port != 0).or(asked) {
        row.server = Some(end);
        row.role = if end.port > 0 { Role::Server } else { row.role };
    }
}

fn connected(row: &mut DescRow, event: &Event<'_>, name: Option<StrId>) {
    if let Some(name) = name {
        row.name = name;
        row.role = Role::Client;
        return;
    }
    let asked = match named_bytes(event, "addr").and_then(sockaddr) {
        Some(Address::Ip(end)) => Some(end),
        _ => None,
    };
    match (named_bytes(event, "tuple").and_then(tuple), asked) {
        (Some((local, remote)), _) if remote.port != 0 => set_ends(row, local, remote),
        (Some((local, _)), Some(remote)) => set_ends(row, local, remote),
        (None, Some(remote)) => set_ends(row, row.client.unwrap_or(UNSPECIFIED), remote),
        _ => return,
    }
    row.role = Role::Client;
}

/// A datagram to or from a peer: the side that is bound to its port is the server.
fn exchanged(row: &mut DescRow, addr: Option<&[u8]>) {
    if !matches!(row.kind, DescKind::Ipv4 | DescKind::Ipv6) || row.l4 == L4::Tcp {
        return;
    }
    let Some(Address::Ip(peer)) = addr.and_then(sockaddr) else { return };
    if row.role == Role::Server {
        row.client = Some(peer);
    } else {
        row.role = Role::Client;
        (row.client, row.server) = (Some(row.client.unwrap_or(UNSPECIFIED)), Some(peer));
    }
}
