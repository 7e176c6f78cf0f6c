//! `fd.*`: of the descriptor that an event is about.

use super::{ArgRule, Context, Extract, Field, FieldArg, ends, path};
use crate::batch::{Known, Row};
use crate::event::{Flags, KindFlags};
use crate::value::{Services, Type, Value, write_i64, write_ip, write_u64};
use crate::world::dict::Endpoint;
use crate::world::{DescKind, DescRow, Dict, L4, Role};

pub(super) static FIELDS: &[Field] = &[
    Field {
        name: "fd.num",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Number of the descriptor that the call works on or made.",
        example: "fd.num <= 2",
        extract: Extract::Event(num),
    },
    Field {
        name: "fd.type",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "What the descriptor is: file, directory, ipv4, ipv6, unix, pipe, event, signalfd, eventpoll, inotify, timerfd, netlink, ...",
        example: "fd.type = ipv4",
        extract: Extract::Descriptor(type_name),
    },
    Field {
        name: "fd.typechar",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "What the descriptor is, in one letter.",
        example: "fd.typechar = f",
        extract: Extract::Descriptor(typechar),
    },
    Field {
        name: "fd.name",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Path of a file, both ends of a connection (client->server), or path of a unix socket.",
        example: "fd.name startswith /etc",
        extract: Extract::Descriptor(name),
    },
    Field {
        name: "fd.directory",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Directory of a file.",
        example: "fd.directory = /etc",
        extract: Extract::Descriptor(directory),
    },
    Field {
        name: "fd.filename",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of a file without its directory.",
        example: "fd.filename = passwd",
        extract: Extract::Descriptor(filename),
    },
    Field {
        name: "fd.ip",
        ty: Type::Ip,
        arg: ArgRule::No,
        doc: "Address of either end.",
        example: "fd.ip = 10.0.0.1",
        extract: Extract::Descriptor(ip),
    },
    Field {
        name: "fd.cip",
        ty: Type::Ip,
        arg: ArgRule::No,
        doc: "Address of the client.",
        example: "fd.cip = 10.0.0.1",
        extract: Extract::Descriptor(cip),
    },
    Field {
        name: "fd.sip",
        ty: Type::Ip,
        arg: ArgRule::No,
        doc: "Address of the server.",
        example: "fd.sip = 10.0.0.1",
        extract: Extract::Descriptor(sip),
    },
    Field {
        name: "fd.net",
        ty: Type::Net,
        arg: ArgRule::No,
        doc: "Address of either end, compared with a network.",
        example: "fd.net = 10.0.0.0/8",
        extract: Extract::Descriptor(ip),
    },
    Field {
        name: "fd.cnet",
        ty: Type::Net,
        arg: ArgRule::No,
        doc: "Address of the client, compared with a network.",
        example: "fd.cnet = 10.0.0.0/8",
        extract: Extract::Descriptor(cip),
    },
    Field {
        name: "fd.snet",
        ty: Type::Net,
        arg: ArgRule::No,
        doc: "Address of the server, compared with a network.",
        example: "fd.snet = 10.0.0.0/8",
        extract: Extract::Descriptor(sip),
    },
    Field {
        name: "fd.port",
        ty: Type::Port,
        arg: ArgRule::No,
        doc: "Port of either end.",
        example: "fd.port = 443",
        extract: Extract::Descriptor(port),
    },
    Field {
        name: "fd.cport",
        ty: Type::Port,
        arg: ArgRule::No,
        doc: "Port of the client.",
        example: "fd.cport >= 32768",
        extract: Extract::Descriptor(cport),
    },
    Field {
        name: "fd.sport",
        ty: Type::Port,
        arg: ArgRule::No,
        doc: "Port of the server.",
        example: "fd.sport = 443",
        extract: Extract::Descriptor(sport),
    },
    Field {
        name: "fd.lip",
        ty: Type::Ip,
        arg: ArgRule::No,
        doc: "Address of the local end.",
        example: "fd.lip = 10.0.0.1",
        extract: Extract::Descriptor(ends::lip),
    },
    Field {
        name: "fd.rip",
        ty: Type::Ip,
        arg: ArgRule::No,
        doc: "Address of the remote end.",
        example: "fd.rip = 10.0.0.1",
        extract: Extract::Descriptor(ends::rip),
    },
    Field {
        name: "fd.lport",
        ty: Type::Port,
        arg: ArgRule::No,
        doc: "Port of the local end.",
        example: "fd.lport = 443",
        extract: Extract::Descriptor(ends::lport),
    },
    Field {
        name: "fd.rport",
        ty: Type::Port,
        arg: ArgRule::No,
        doc: "Port of the remote end.",
        example: "fd.rport = 443",
        extract: Extract::Descriptor(ends::rport),
    },
    Field {
        name: "fd.local",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Local end of an IP socket, address and port; `*` for a port that is not known.",
        example: "fd.local = '127.0.0.1:80'",
        extract: Extract::Descriptor(ends::local),
    },
    Field {
        name: "fd.remote",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Remote end of an IP socket, address and port; `0.0.0.0:*` or `:::*` where it is connected to none.",
        example: "fd.remote = '10.0.0.1:443'",
        extract: Extract::Descriptor(ends::remote),
    },
    Field {
        name: "fd.state",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "What calls tell of an IP socket: LISTEN (bound or listening), ESTABLISHED (connected or accepted), UNCONN (datagrams without a peer).",
        example: "fd.state = LISTEN",
        extract: Extract::Descriptor(ends::state),
    },
    Field {
        name: "fd.l4proto",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Transport protocol: tcp, udp, icmp or raw.",
        example: "fd.l4proto = udp",
        extract: Extract::Descriptor(l4proto),
    },
    Field {
        name: "fd.sockfamily",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Family of a socket: ip or unix.",
        example: "fd.sockfamily = unix",
        extract: Extract::Descriptor(sockfamily),
    },
    Field {
        name: "fd.is_server",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether the recorded end of a connection is the server.",
        example: "fd.is_server = true",
        extract: Extract::Descriptor(is_server),
    },
    Field {
        name: "fd.ino",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Inode number.",
        example: "fd.ino = 131090",
        extract: Extract::Descriptor(ino),
    },
    Field {
        name: "fd.dev",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Device number of the file system.",
        example: "fd.dev = 2049",
        extract: Extract::Descriptor(dev),
    },
    Field {
        name: "fd.dev.major",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Major part of the device number.",
        example: "fd.dev.major = 8",
        extract: Extract::Descriptor(dev_major),
    },
    Field {
        name: "fd.dev.minor",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Minor part of the device number.",
        example: "fd.dev.minor = 1",
        extract: Extract::Descriptor(dev_minor),
    },
    Field {
        name: "fd.uid",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Thread id and descriptor number, together one text.",
        example: "fd.uid = 42423",
        extract: Extract::Event(uid),
    },
];

/// Number of the descriptor that an event is about.
pub(super) fn number(row: &Row<'_>) -> Option<i64> {
    let info = row.info();
    if let Some(param) = info.fd {
        return row.arg(usize::from(param)).int().map(|fd| i64::from(fd as i32));
    }
    if !info.flags.has(KindFlags::CREATES_FD) || row.flags().has(Flags::IN_FLIGHT) {
        return None;
    }
    // Of a pair, the second, as sysdig has it.
    match row.batch.place(row.kind, Known::SecondFd) {
        Some(second) => row.arg(second).int().filter(|_| row.ret() == Some(0)),
        None => row.ret().filter(|&fd| fd >= 0),
    }
}

fn num<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    number(row).map_or(Value::Missing, Value::Int)
}

fn uid<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let Some(fd) = number(row).filter(|&fd| fd >= 0) else { return Value::Missing };
    let mut text = Vec::with_capacity(20);
    write_u64(&mut text, u64::from(row.thread().tid));
    write_i64(&mut text, fd);
    Value::owned(text)
}

/// `fd.type` and `fd.typechar` of a kind.
pub(super) fn type_words(kind: DescKind) -> (&'static str, &'static str) {
    match kind {
        DescKind::Unknown => ("", "?"),
        DescKind::File => ("file", "f"),
        DescKind::Directory => ("directory", "d"),
        DescKind::Ipv4 => ("ipv4", "4"),
        DescKind::Ipv6 => ("ipv6", "6"),
        DescKind::Unix => ("unix", "u"),
        DescKind::Netlink => ("netlink", "n"),
        DescKind::Socket => ("socket", "o"),
        DescKind::Pipe => ("pipe", "p"),
        DescKind::Event => ("event", "e"),
        DescKind::Signal => ("signalfd", "s"),
        DescKind::Eventpoll => ("eventpoll", "l"),
        DescKind::Inotify => ("inotify", "i"),
        DescKind::Timer => ("timerfd", "t"),
        DescKind::Bpf => ("bpf", "b"),
        DescKind::Userfault => ("userfaultfd", "u"),
        DescKind::IoUring => ("io_uring", "r"),
        DescKind::Memfd => ("memfd", "m"),
        DescKind::Pidfd => ("pidfd", "P"),
    }
}

/// What a descriptor is, in a word of `fd.type`; empty where it is not known.
pub fn type_word(desc: &DescRow) -> &'static str {
    type_words(desc.kind).0
}

/// What a descriptor is called, as `fd.name` has it; empty where it has no name.
pub fn desc_name(dict: &Dict, desc: &DescRow) -> Vec<u8> {
    match name(dict, desc, &FieldArg::None) {
        Value::Text(text) => text.into_owned(),
        _ => Vec::new(),
    }
}

fn type_name<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    match type_words(d.kind).0 {
        "" => Value::Missing,
        word => Value::text(word.as_bytes()),
    }
}

fn typechar<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    Value::text(type_words(d.kind).1.as_bytes())
}

fn write_end(out: &mut Vec<u8>, end: Endpoint, l4: L4, ports: Option<&Services>) {
    write_ip(out, end.ip);
    if l4 != L4::Icmp {
        out.push(b':');
        Services::write(ports, out, end.port);
    }
}

/// Appends what an IP socket is called: `client->server`, or its only end.
pub(super) fn write_ends(out: &mut Vec<u8>, d: &DescRow, ports: Option<&Services>) {
    if let Some(client) = d.client {
        write_end(out, client, d.l4, ports);
    }
    if d.client.is_some() && d.server.is_some() {
        out.extend_from_slice(b"->");
    }
    if let Some(server) = d.server {
        write_end(out, server, d.l4, ports);
    }
}

pub(super) fn name<'a>(dict: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    if let Some(name) = dict.strings.get(d.name) {
        return Value::text(name);
    }
    if d.client.is_none() && d.server.is_none() {
        return Value::Missing;
    }
    let mut text = Vec::with_capacity(48);
    write_ends(&mut text, d, None);
    Value::owned(text)
}

fn directory<'a>(dict: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    match (d.kind, dict.strings.get(d.name)) {
        (DescKind::File, Some(name)) => Value::text(path::directory(name)),
        (DescKind::Directory, Some(name)) => Value::text(name),
        _ => Value::Missing,
    }
}

fn filename<'a>(dict: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    match (d.kind, dict.strings.get(d.name)) {
        (DescKind::File, Some(name)) => Value::text(path::filename(name)),
        _ => Value::Missing,
    }
}

fn ip_of(end: Option<Endpoint>) -> Value<'static> {
    end.map_or(Value::Missing, |e| Value::Ip(e.ip))
}

fn port_of(end: Option<Endpoint>) -> Value<'static> {
    end.map_or(Value::Missing, |e| Value::Uint(u64::from(e.port)))
}

pub(super) fn either(client: Value<'static>, server: Value<'static>) -> Value<'static> {
    match (client.is_missing(), server.is_missing()) {
        (true, _) => server,
        (_, true) => client,
        _ => Value::Either(Box::new([client, server])),
    }
}

fn ip<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    either(ip_of(d.client), ip_of(d.server))
}

fn cip<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    ip_of(d.client)
}

fn sip<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    ip_of(d.server)
}

fn port<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    either(port_of(d.client), port_of(d.server))
}

fn cport<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    port_of(d.client)
}

fn sport<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    port_of(d.server)
}

fn is_ip(d: &DescRow) -> bool {
    matches!(d.kind, DescKind::Ipv4 | DescKind::Ipv6)
}

fn l4proto<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    match d.l4 {
        L4::None => Value::Missing,
        L4::Tcp => Value::text(b"tcp"),
        L4::Udp => Value::text(b"udp"),
        L4::Icmp => Value::text(b"icmp"),
        L4::Raw => Value::text(b"raw"),
    }
}

fn sockfamily<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    match d.kind {
        DescKind::Ipv4 | DescKind::Ipv6 => Value::text(b"ip"),
        DescKind::Unix => Value::text(b"unix"),
        _ => Value::Missing,
    }
}

fn is_server<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    let socket = is_ip(d) || d.kind == DescKind::Unix;
    if socket && d.role != Role::Unknown { Value::Bool(d.role == Role::Server) } else { Value::Missing }
}

fn ino<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    if d.ino == 0 { Value::Missing } else { Value::Uint(d.ino) }
}

fn dev<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    if d.dev == 0 { Value::Missing } else { Value::Uint(u64::from(d.dev)) }
}

/// Major part of a device number in the encoding of `stat` (`new_encode_dev` in the kernel's `kdev_t.h`).
fn dev_major<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    if d.dev == 0 { Value::Missing } else { Value::Uint(u64::from((d.dev & 0xf_ff00) >> 8)) }
}

/// Minor part, see [`dev_major`].
fn dev_minor<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    if d.dev == 0 { Value::Missing } else { Value::Uint(u64::from((d.dev & 0xff) | ((d.dev >> 12) & 0xf_ff00))) }
}
