//! `fd.*proto` and what else a descriptor's ends tell: names of services by port, networks, whether it is connected.

use super::fd::{either, name as fd_name};
use super::{ArgRule, Context, Extract, Field, FieldArg, container, ends, path};
use crate::batch::Row;
use crate::value::{Type, Value};
use crate::world::{DescKind, DescRow, Dict, L4, Role};

pub(super) static FIELDS: &[Field] = &[
    Field::new(
        "fd.proto",
        Type::Text,
        ArgRule::No,
        "Service of either end's port, by its IANA name; the number where it has none.",
        "fd.proto = https",
        Extract::Descriptor(proto),
    ),
    Field::new(
        "fd.cproto",
        Type::Text,
        ArgRule::No,
        "Service of the client's port, by its IANA name; the number where it has none.",
        "fd.cproto = ntp",
        Extract::Descriptor(cproto),
    ),
    Field::new(
        "fd.sproto",
        Type::Text,
        ArgRule::No,
        "Service of the server's port, by its IANA name; the number where it has none.",
        "fd.sproto = https",
        Extract::Descriptor(sproto),
    ),
    Field::new(
        "fd.lproto",
        Type::Text,
        ArgRule::No,
        "Service of the local port, by its IANA name; the number where it has none.",
        "fd.lproto = ssh",
        Extract::Descriptor(lproto),
    ),
    Field::new(
        "fd.rproto",
        Type::Text,
        ArgRule::No,
        "Service of the remote port, by its IANA name; the number where it has none.",
        "fd.rproto = domain",
        Extract::Descriptor(rproto),
    ),
    Field::new(
        "fd.lnet",
        Type::Net,
        ArgRule::No,
        "Address of the local end, compared with a network.",
        "fd.lnet = 10.0.0.0/8",
        Extract::Descriptor(ends::lip),
    ),
    Field::new(
        "fd.rnet",
        Type::Net,
        ArgRule::No,
        "Address of the remote end, compared with a network.",
        "fd.rnet = 10.0.0.0/8",
        Extract::Descriptor(ends::rip),
    ),
    Field::new(
        "fd.connected",
        Type::Bool,
        ArgRule::No,
        "Whether a socket has a peer: it connected, or was accepted.",
        "fd.connected = true",
        Extract::Descriptor(connected),
    ),
    Field::new(
        "fd.containername",
        Type::Text,
        ArgRule::No,
        "The container's id and the descriptor's name, a colon between: one text for what is one file.",
        "fd.containername endswith :/etc/passwd",
        Extract::Event(container_name),
    ),
    Field::new(
        "fd.containerdirectory",
        Type::Text,
        ArgRule::No,
        "The container's id and the file's directory, a colon between.",
        "fd.containerdirectory endswith :/etc",
        Extract::Event(container_directory),
    ),
];

/// Services by port, of IANA's list (RFC 6335): those that name what a node talks to, by rising number.
const SERVICES: &[(u16, &str)] = &[
    (7, "echo"),
    (9, "discard"),
    (13, "daytime"),
    (17, "qotd"),
    (19, "chargen"),
    (20, "ftp-data"),
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "smtp"),
    (37, "time"),
    (43, "whois"),
    (49, "tacacs"),
    (53, "domain"),
    (67, "bootps"),
    (68, "bootpc"),
    (69, "tftp"),
    (70, "gopher"),
    (79, "finger"),
    (80, "http"),
    (88, "kerberos"),
    (110, "pop3"),
    (111, "sunrpc"),
    (113, "auth"),
    (119, "nntp"),
    (123, "ntp"),
    (135, "epmap"),
    (137, "netbios-ns"),
    (138, "netbios-dgm"),
    (139, "netbios-ssn"),
    (143, "imap2"),
    (161, "snmp"),
    (162, "snmp-trap"),
    (177, "xdmcp"),
    (179, "bgp"),
    (389, "ldap"),
    (427, "svrloc"),
    (443, "https"),
    (445, "microsoft-ds"),
    (464, "kpasswd"),
    (465, "submissions"),
    (500, "isakmp"),
    (514, "syslog"),
    (515, "printer"),
    (520, "route"),
    (543, "klogin"),
    (546, "dhcpv6-client"),
    (547, "dhcpv6-server"),
    (554, "rtsp"),
    (587, "submission"),
    (623, "asf-rmcp"),
    (631, "ipp"),
    (636, "ldaps"),
    (646, "ldp"),
    (749, "kerberos-adm"),
    (853, "domain-s"),
    (873, "rsync"),
    (989, "ftps-data"),
    (990, "ftps"),
    (993, "imaps"),
    (995, "pop3s"),
    (1080, "socks"),
    (1194, "openvpn"),
    (1433, "ms-sql-s"),
    (1521, "ncube-lm"),
    (1701, "l2f"),
    (1812, "radius"),
    (1813, "radius-acct"),
    (1883, "mqtt"),
    (2049, "nfs"),
    (2379, "etcd-client"),
    (2380, "etcd-server"),
    (3260, "iscsi-target"),
    (3306, "mysql"),
    (3389, "ms-wbt-server"),
    (3478, "stun"),
    (3690, "svn"),
    (4369, "epmd"),
    (4500, "ipsec-nat-t"),
    (5060, "sip"),
    (5061, "sip-tls"),
    (5222, "xmpp-client"),
    (5353, "mdns"),
    (5432, "postgresql"),
    (5671, "amqps"),
    (5672, "amqp"),
    (5900, "rfb"),
    (6379, "redis"),
    (6514, "syslog-tls"),
    (8080, "http-alt"),
    (8883, "secure-mqtt"),
    (9100, "jetdirect"),
    (9418, "git"),
    (11211, "memcache"),
    (27017, "mongodb"),
];

fn service(port: Value<'static>) -> Value<'static> {
    let Value::Uint(port) = port else { return port };
    match SERVICES.binary_search_by_key(&port, |(number, _)| u64::from(*number)) {
        Ok(at) => Value::text(SERVICES[at].1.as_bytes()),
        Err(_) => Value::owned(port.to_string()),
    }
}

fn of(end: Option<crate::world::Endpoint>) -> Value<'static> {
    service(end.map_or(Value::Missing, |end| Value::Uint(u64::from(end.port))))
}

fn proto<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    either(of(d.client), of(d.server))
}

fn cproto<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    of(d.client)
}

fn sproto<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    of(d.server)
}

fn lproto<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    of(ends::local_end(d))
}

fn rproto<'a>(_: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    of(ends::remote_end(d))
}

fn connected<'a>(dict: &'a Dict, d: &'a DescRow, _: &'a FieldArg) -> Value<'a> {
    match d.kind {
        DescKind::Ipv4 | DescKind::Ipv6 => Value::Bool(
            d.role != Role::Unknown && ends::remote_end(d).is_some() && (d.l4 != L4::Udp || d.role == Role::Client),
        ),
        DescKind::Unix => Value::Bool(d.role == Role::Client && dict.strings.get(d.name).is_some()),
        _ => Value::Missing,
    }
}

/// The id of the thread's container, a colon and a text.
fn in_container<'a>(row: &Row<'a>, text: &[u8]) -> Value<'a> {
    match container::short_id(row.dict(), row.thread(), &FieldArg::None) {
        Value::Text(id) if id.as_ref() == b"host" => Value::owned([b":", text].concat()),
        Value::Text(id) => Value::owned([id.as_ref(), b":", text].concat()),
        _ => Value::Missing,
    }
}

fn container_name<'a>(row: &Row<'a>, arg: &'a FieldArg, _: &Context) -> Value<'a> {
    let Some(desc) = row.desc() else { return Value::Missing };
    match fd_name(row.dict(), desc, arg) {
        Value::Text(name) => in_container(row, &name),
        _ => Value::Missing,
    }
}

fn container_directory<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let Some(desc) = row.desc() else { return Value::Missing };
    match (desc.kind, row.dict().strings.get(desc.name)) {
        (DescKind::File, Some(name)) => in_container(row, path::directory(name)),
        (DescKind::Directory, Some(name)) => in_container(row, name),
        _ => Value::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_stand_by_rising_port_and_others_are_numbers() {
        assert!(SERVICES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(service(Value::Uint(443)), Value::text(b"https"));
        assert_eq!(service(Value::Uint(40000)), Value::owned("40000"));
        assert_eq!(service(Value::Missing), Value::Missing);
    }
}
