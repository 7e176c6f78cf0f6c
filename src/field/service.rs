//! `fd.*proto` and what else a descriptor's ends tell: names of services by port, networks, whether it is connected.

use super::fd::{either, name as fd_name};
use super::{ArgRule, Context, Extract, Field, FieldArg, container, ends, path};
use crate::batch::Row;
use crate::value::{Type, Value, service_of};
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

fn service(port: Value<'static>) -> Value<'static> {
    let Value::Uint(port) = port else { return port };
    match u16::try_from(port).ok().and_then(service_of) {
        Some(name) => Value::text(name.as_bytes()),
        None => Value::owned(port.to_string()),
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
    fn services_have_names_and_other_ports_are_numbers() {
        assert_eq!(service(Value::Uint(443)), Value::text(b"https"));
        assert_eq!(service(Value::Uint(40000)), Value::owned("40000"));
        assert_eq!(service(Value::Missing), Value::Missing);
    }
}
