//! Socket calls: who is connected to whom, and in which role.
//!
//! Names read client->server. A socket is one thing however many numbers refer to it: what `bind`, `connect` and `listen` make of
//! it shows in all of them. The peer of a datagram shows in the number that was used.

use super::action::{Action, Ends, SocketParams, bytes, int};
use super::address::{Address, sockaddr, tuple};
use super::dict::{DescKind, DescRow, Endpoint, L4, Role, StrId};
use super::engine::World;
use super::files::Slot;
use super::open::O_CLOEXEC;
use crate::event::{Event, kinds};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const EINTR: i64 = 4;
const EINPROGRESS: i64 = 115;
/// include/linux/socket.h
const MSG_CMSG_CLOEXEC: i64 = 0x4000_0000;
const AF_UNSPEC: u16 = 0;

/// What a call names, with texts in the dictionary.
#[derive(Debug, Clone, Copy)]
enum Named {
    Ip(Endpoint),
    Text(DescKind, StrId),
    /// `AF_UNSPEC`: to nobody any more.
    Nobody,
}

impl World {
    pub(super) fn change_sockets(&mut self, action: Action, index: usize, event: &Event<'_>) -> u32 {
        match action {
            Action::Socket(at) if event.ret >= 0 => {
                let row = self.new_socket(event, at);
                let cloexec = int(event, at.ty) & O_CLOEXEC != 0;
                self.install_socket(index, event.ret, &row, cloexec)
            }
            Action::Socketpair(at) if event.ret == 0 => {
                let row = self.new_socket(event, at);
                let cloexec = int(event, at.ty) & O_CLOEXEC != 0;
                self.install_socket(index, int(event, at.first), &row, cloexec);
                let ino = at.peer_ino.map_or(0, |p| int(event, p) as u64);
                self.install_socket(index, int(event, at.first + 1), &DescRow { ino, ..row }, cloexec)
            }
            Action::Bind(at) => self.on_socket(
                index,
                event,
                event.ret == 0,
                |row, named, event| {
                    bound(row, named, bytes(event, at.tuple));
                },
                at,
            ),
            Action::Listen => {
                let fd = fd_of(event);
                let slot = self.files(index).slot(fd);
                let row = DescRow { role: Role::Server, ..self.dict().desc(slot.desc).clone() };
                if event.ret == 0 { self.retell(index, fd, &row, true) } else { slot.desc }
            }
            Action::Connect(at) => {
                // Interrupted, it goes on by itself (`connect(2)`).
                let begun = matches!(-event.ret, 0 | EINPROGRESS | EINTR);
                self.on_socket(
                    index,
                    event,
                    begun,
                    |row, named, event| connected(row, named, bytes(event, at.tuple)),
                    at,
                )
            }
            Action::Accept { listener, tuple, flags, file } if event.ret >= 0 => {
                let cloexec = flags.is_some_and(|f| int(event, f) & O_CLOEXEC != 0);
                let row = self.accepted(index, event, listener, bytes(event, tuple));
                self.install_socket(index, event.ret, &DescRow { ino: file.read(event).1, ..row }, cloexec)
            }
            Action::Message { addr, tuple, files, flags, receives } => {
                if let Some(list) =
                    files.and_then(|f| bytes(event, f)).filter(|list| event.ret >= 0 && !list.is_empty())
                {
                    if receives {
                        // Not told: after an exec it is not known whether it is still open.
                        let cloexec = flags.is_none_or(|f| int(event, f) & MSG_CMSG_CLOEXEC != 0);
                        self.take_passed(index, list, cloexec);
                    } else {
                        self.pass(index, list);
                    }
                }
                let ends = tuple.and_then(|at| bytes(event, at)).and_then(self::tuple);
                self.message(index, event, (addr, ends), receives)
            }
            _ => event.kind.spec().fd.map_or(0, |fd| self.uses(index, int(event, fd))),
        }
    }

    fn install_socket(&mut self, index: usize, fd: i64, row: &DescRow, cloexec: bool) -> u32 {
        let (desc, open) = (self.interner.desc(row), self.tables.socket());
        self.files(index).set(fd, Slot { open, ..Slot::of(desc, cloexec) });
        desc
    }

    /// Gives an open socket another row; `everywhere`: in all numbers that refer to it.
    fn retell(&mut self, index: usize, fd: i64, row: &DescRow, everywhere: bool) -> u32 {
        let desc = self.interner.desc(row);
        let slot = self.files(index).slot(fd);
        if slot.desc == desc {
            return desc;
        }
        self.files(index).set(fd, Slot { desc, ..slot });
        if everywhere && slot.shared && slot.open != 0 {
            self.tables.iter_mut().for_each(|table| table.retell(slot.open, desc));
        }
        desc
    }

    /// Changes the row of the socket that a call is about, if it succeeded.
    fn on_socket<'a>(
        &mut self,
        index: usize,
        event: &Event<'a>,
        succeeded: bool,
        change: impl FnOnce(&mut DescRow, Option<Named>, &Event<'a>),
        at: Ends,
    ) -> u32 {
        let fd = fd_of(event);
        let desc = self.uses(index, fd);
        if desc == 0 && !succeeded {
            return desc;
        }
        let named = self.named(bytes(event, at.addr));
        let mut row = self.dict().desc(desc).clone();
        change(&mut row, named, event);
        if !succeeded {
            // The call is about what it tried; the socket stays what it was.
            return self.interner.desc(&row);
        }
        let (_, ino) = at.file.read(event);
        if ino != 0 {
            row.ino = ino;
        }
        self.retell(index, fd, &row, true)
    }

    /// What an address names; abstract names of Unix sockets are shown with `@`.
    fn named(&mut self, addr: Option<&[u8]>) -> Option<Named> {
        match sockaddr(addr?)? {
            Address::Ip(end) => Some(Named::Ip(end)),
            Address::Unix(path) if path.first() == Some(&0) => {
                let text = [b"@", &path[1..]].concat();
                Some(Named::Text(DescKind::Unix, self.interner.text(&text)))
            }
            Address::Unix(path) if !path.is_empty() => Some(Named::Text(DescKind::Unix, self.interner.text(path))),
            Address::Vsock { cid, port } => {
                let text = format!("vsock:{cid}:{port}");
                Some(Named::Text(DescKind::Socket, self.interner.text(text.as_bytes())))
            }
            Address::Other(AF_UNSPEC) => Some(Named::Nobody),
            _ => None,
        }
    }

    fn accepted(&mut self, index: usize, event: &Event<'_>, listener: u8, ends: Option<&[u8]>) -> DescRow {
        // Imported calls do not tell who listens.
        let listener = event.args.get(usize::from(listener)).and_then(|fd| fd.int());
        let listening = listener.map(|fd| self.dict().desc(self.uses(index, fd)).clone()).unwrap_or_default();
        let mut row = DescRow { role: Role::Server, ..listening };
        if let Some((local, remote)) = ends.and_then(tuple) {
            set_ends(&mut row, remote, local);
            if row.l4 == L4::None {
                row.l4 = L4::Tcp;
            }
        } else if let Some(&family) = ends.and_then(<[u8]>::first) {
            row.kind = socket_kind(i64::from(family));
            // They have the path behind both ends instead.
            if let Some(path) = ends.and_then(|e| e.get(17..)).filter(|p| row.name == StrId::NONE && p.len() > 1) {
                row.name = self.interner.text(path.split(|&b| b == 0).next().unwrap_or_default());
            }
        }
        row
    }

    fn message(
        &mut self,
        index: usize,
        event: &Event<'_>,
        (addr, ends): (u8, Option<(Endpoint, Endpoint)>),
        receives: bool,
    ) -> u32 {
        let fd = fd_of(event);
        let desc = self.uses(index, fd);
        let addr = bytes(event, addr).filter(|a| event.ret >= 0 && !a.is_empty());
        if addr.is_none() || self.dict().desc(desc).l4 == L4::Tcp {
            return desc;
        }
        let named = self.named(addr);
        let mut row = self.dict().desc(desc).clone();
        if let Some((from, to)) = ends {
            // The end of the socket itself, which its bound address may leave open.
            let own = if receives { to } else { from };
            if row.role == Role::Client { row.client = Some(own) } else { row.server = Some(own) }
        }
        exchanged(&mut row, named, receives);
        self.retell(index, fd, &row, false)
    }

    /// A socket as `socket(2)` makes it: family, type (low four bits) and protocol.
    fn new_socket(&mut self, event: &Event<'_>, at: SocketParams) -> DescRow {
        const IPPROTO_ICMP: i64 = 1;
        const IPPROTO_ICMPV6: i64 = 58;
        const IPPROTO_SCTP: i64 = 132;
        let family = int(event, at.domain);
        let kind = socket_kind(family);
        let protocol = int(event, at.protocol);
        let l4 = match (kind, int(event, at.ty) & 0xf) {
            (DescKind::Ipv4 | DescKind::Ipv6, _) if matches!(protocol, IPPROTO_ICMP | IPPROTO_ICMPV6) => L4::Icmp,
            (DescKind::Ipv4 | DescKind::Ipv6, 1) if protocol != IPPROTO_SCTP => L4::Tcp,
            (DescKind::Ipv4 | DescKind::Ipv6, 2) => L4::Udp,
            (DescKind::Ipv4 | DescKind::Ipv6, 3) => L4::Raw,
            _ => L4::None,
        };
        let name = if kind == DescKind::Socket { self.family_name(family) } else { StrId::NONE };
        let ino = at.file.read(event).1;
        DescRow { kind, name, l4, ino, ..DescRow::default() }
    }

    /// `[packet]` of `AF_PACKET`: all that is known of a socket of a rare family.
    fn family_name(&mut self, family: i64) -> StrId {
        let spec = kinds::SOCKET.spec();
        let table = spec.params.iter().find(|p| p.name == "domain").and_then(|p| p.table);
        let name = table.and_then(|t| t.values.iter().find(|(_, number)| *number == family as u64));
        match name.and_then(|(name, _)| name.strip_prefix("AF_")) {
            Some(name) => self.interner.text(format!("[{}]", name.to_ascii_lowercase()).as_bytes()),
            None => StrId::NONE,
        }
    }
}

fn fd_of(event: &Event<'_>) -> i64 {
    event.kind.spec().fd.map_or(-1, |fd| super::action::number(event, fd))
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

/// "Not known", of the family of another end.
fn unspecified(like: Endpoint) -> Endpoint {
    let ip = if like.ip.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    Endpoint { ip, port: 0 }
}

/// Sets both ends, and the family they have.
fn set_ends(row: &mut DescRow, client: Endpoint, server: Endpoint) {
    row.kind = if server.ip.is_ipv4() { DescKind::Ipv4 } else { DescKind::Ipv6 };
    (row.client, row.server) = (Some(client), Some(server));
}

fn bound(row: &mut DescRow, named: Option<Named>, ends: Option<&[u8]>) {
    if let Some(Named::Text(kind, name)) = named {
        (row.kind, row.name) = (kind, name);
        return;
    }
    let asked = match named {
        Some(Named::Ip(end)) => Some(end),
        _ => None,
    };
    // The kernel's own tuple knows the port that it chose for port 0.
    let local = ends.and_then(tuple).map(|(local, _)| local);
    if let Some(end) = local.filter(|l| l.port != 0).or(asked) {
        row.server = Some(end);
        // Whoever takes any port may still be either; a listener says so, and the first datagram tells.
        if asked.map_or(end.port, |a| a.port) > 0 {
            row.role = Role::Server;
        }
    }
}

fn connected(row: &mut DescRow, named: Option<Named>, ends: Option<&[u8]>) {
    let ends = ends.and_then(tuple);
    match (named, ends) {
        (Some(Named::Text(kind, name)), _) => (row.kind, row.name) = (kind, name),
        (Some(Named::Nobody), _) => {
            let local = ends.map(|(local, _)| local).filter(|local| local.port != 0);
            (row.client, row.server, row.role) = (None, local, Role::Unknown);
            return;
        }
        (_, Some((local, remote))) if remote.port != 0 => set_ends(row, local, remote),
        (Some(Named::Ip(remote)), Some((local, _))) => set_ends(row, local, remote),
        (Some(Named::Ip(remote)), None) => set_ends(row, row.client.unwrap_or(unspecified(remote)), remote),
        _ => return,
    }
    row.role = Role::Client;
}

/// A datagram to or from a peer. Whoever bound a port serves; else the first datagram tells, by its direction.
fn exchanged(row: &mut DescRow, named: Option<Named>, receives: bool) {
    let peer = match named {
        Some(Named::Ip(peer)) => peer,
        // A bound socket keeps its own name.
        Some(Named::Text(kind, name)) if !receives && (row.name == StrId::NONE || row.role == Role::Client) => {
            (row.kind, row.name, row.role) = (kind, name, Role::Client);
            return;
        }
        _ => return,
    };
    if row.role == Role::Unknown {
        row.role = if receives { Role::Server } else { Role::Client };
        if row.role == Role::Client {
            // The bound end is the client's.
            row.client = row.server;
        }
    }
    if row.role == Role::Server {
        set_ends(row, peer, row.server.unwrap_or(unspecified(peer)));
    } else {
        set_ends(row, row.client.unwrap_or(unspecified(peer)), peer);
    }
}
