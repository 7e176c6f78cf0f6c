//! Which end of an IP socket is ours, and what calls tell about its state.

use super::FieldArg;
use crate::value::{Value, write_ip, write_u64};
use crate::world::dict::Endpoint;
use crate::world::{DescKind, DescRow, Dict, L4, Role};

/// The local and the remote end. An end that is all zero was never set.
fn ends(d: &DescRow) -> (Option<Endpoint>, Option<Endpoint>) {
    let (local, remote) = match (d.role, d.client) {
        (Role::Server, _) | (_, None) => (d.server, d.client),
        (Role::Client | Role::Unknown, Some(_)) => (d.client, d.server),
    };
    let set = |end: &Endpoint| end.port != 0 || !end.ip.is_unspecified();
    (local, remote.filter(set))
}

/// The local end.
pub(super) fn local_end(d: &DescRow) -> Option<Endpoint> {
    ends(d).0
}

/// The remote end.
pub(super) fn remote_end(d: &DescRow) -> Option<Endpoint> {
    ends(d).1
}

/// Whether datagrams come from and go to anybody: a peer seen once is not one that the socket is connected to.
fn is_open_to_all(d: &DescRow) -> bool {
    let (local, remote) = ends(d);
    let sent_only = d.role == Role::Client && local.is_some_and(|end| end.ip.is_unspecified());
    d.l4 != L4::Tcp && (remote.is_none() || d.role == Role::Server || sent_only)
}

fn write_end(d: &DescRow, end: Option<Endpoint>) -> Value<'static> {
    let mut text = Vec::with_capacity(24);
    match end {
        Some(end) => write_ip(&mut text, end.ip),
        None if d.kind == DescKind::Ipv6 => text.extend_from_slice(b"::"),
        None => text.extend_from_slice(b"0.0.0.0"),
    }
    if d.l4 != L4::Icmp {
        text.push(b':');
        match end.map_or(0, |end| end.port) {
            0 => text.push(b'*'),
            port => write_u64(&mut text, u64::from(port)),
        }
    }
    Value::owned(text)
}

/// Whether it has an address at all.
fn has_end(d: &DescRow) -> bool {
    d.client.is_some() || d.server.is_some()
}

pub(super) fn local<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    if has_end(d) { write_end(d, ends(d).0) } else { Value::Missing }
}

pub(super) fn remote<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    if has_end(d) { write_end(d, ends(d).1.filter(|_| !is_open_to_all(d))) } else { Value::Missing }
}

pub(super) fn state<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    if !has_end(d) || !matches!(d.kind, DescKind::Ipv4 | DescKind::Ipv6) {
        return Value::Missing;
    }
    Value::text(match (d.l4, ends(d).1) {
        (L4::Tcp, None) => b"LISTEN",
        (L4::Tcp, Some(_)) => b"ESTABLISHED",
        _ if is_open_to_all(d) => b"UNCONN",
        _ => b"ESTABLISHED",
    })
}

fn ip_of(end: Option<Endpoint>) -> Value<'static> {
    end.map_or(Value::Missing, |end| Value::Ip(end.ip))
}

fn port_of(end: Option<Endpoint>) -> Value<'static> {
    end.map_or(Value::Missing, |end| Value::Uint(u64::from(end.port)))
}

pub(super) fn lip<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    ip_of(ends(d).0)
}

pub(super) fn rip<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    ip_of(ends(d).1)
}

pub(super) fn lport<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    port_of(ends(d).0)
}

pub(super) fn rport<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    port_of(ends(d).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Option<Endpoint> {
        let address: std::net::SocketAddr = text.parse().ok()?;
        Some(Endpoint { ip: address.ip(), port: address.port() })
    }

    #[test]
    fn the_end_that_is_ours_and_the_state_follow_from_role_and_protocol() {
        use Role::{Client, Server, Unknown};
        let here = "10.0.0.1:80";
        let there = "10.0.0.9:5000";
        for (l4, role, client, server, want) in [
            (L4::Tcp, Server, "", here, "10.0.0.1:80 0.0.0.0:* LISTEN"),
            (L4::Tcp, Server, there, here, "10.0.0.1:80 10.0.0.9:5000 ESTABLISHED"),
            (L4::Tcp, Client, here, there, "10.0.0.1:80 10.0.0.9:5000 ESTABLISHED"),
            (L4::Udp, Unknown, "", here, "10.0.0.1:80 0.0.0.0:* UNCONN"),
            (L4::Udp, Server, there, here, "10.0.0.1:80 0.0.0.0:* UNCONN"),
            (L4::Udp, Client, "0.0.0.0:0", there, "0.0.0.0:* 0.0.0.0:* UNCONN"),
            (L4::Udp, Client, here, there, "10.0.0.1:80 10.0.0.9:5000 ESTABLISHED"),
            (L4::Udp, Unknown, here, there, "10.0.0.1:80 10.0.0.9:5000 ESTABLISHED"),
        ] {
            let row = DescRow {
                kind: DescKind::Ipv4,
                l4,
                role,
                client: end(client),
                server: end(server),
                ..DescRow::default()
            };
            let dict = Dict::new();
            let told = [local, remote, state].map(|f| match f(&dict, &row, &FieldArg::None) {
                Value::Text(text) => String::from_utf8(text.into_owned()).unwrap(),
                other => format!("{other:?}"),
            });
            assert_eq!(told.join(" "), want);
        }
    }
}
