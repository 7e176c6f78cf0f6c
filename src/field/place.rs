//! Where the ends of connections and of requests are, as databases say (`--geoip`). Each address is looked up once.

use super::audit::{claimed_ips, peer_ip};
use super::{ArgRule, Extract, Field, FieldRef, ends};
use crate::batch::Row;
use crate::value::{Place, Type, Value};
use crate::world::Dict;
use crate::world::dict::Endpoint;

const fn field(name: &'static str, ty: Type, doc: &'static str, example: &'static str, extract: Extract) -> Field {
    Field::new(name, ty, ArgRule::No, doc, example, extract)
}

pub(super) static FIELDS: &[Field] = &[
    field(
        "fd.cip.country",
        Type::Text,
        "Country of the client's address, two letters; needs --geoip, and private addresses have none.",
        "fd.cip.country in (DE, FR)",
        Extract::Descriptor(|dict, d, _| of_end(dict, d.client, country)),
    ),
    field(
        "fd.cip.asn",
        Type::Uint,
        "Number of the autonomous system of the client's address; needs --geoip.",
        "fd.cip.asn = 64496",
        Extract::Descriptor(|dict, d, _| of_end(dict, d.client, asn)),
    ),
    field(
        "fd.cip.org",
        Type::Text,
        "Who runs the autonomous system of the client's address; needs --geoip.",
        "fd.cip.org icontains hosting",
        Extract::Descriptor(|dict, d, _| of_end(dict, d.client, org)),
    ),
    field(
        "fd.sip.country",
        Type::Text,
        "Country of the server's address, two letters; needs --geoip, and private addresses have none.",
        "fd.sip.country != DE",
        Extract::Descriptor(|dict, d, _| of_end(dict, d.server, country)),
    ),
    field(
        "fd.sip.asn",
        Type::Uint,
        "Number of the autonomous system of the server's address; needs --geoip.",
        "fd.sip.asn = 64496",
        Extract::Descriptor(|dict, d, _| of_end(dict, d.server, asn)),
    ),
    field(
        "fd.sip.org",
        Type::Text,
        "Who runs the autonomous system of the server's address; needs --geoip.",
        "fd.sip.org icontains hosting",
        Extract::Descriptor(|dict, d, _| of_end(dict, d.server, org)),
    ),
    field(
        "fd.rip.country",
        Type::Text,
        "Country of the remote end's address, two letters; needs --geoip, and private addresses have none.",
        "fd.rip.country exists",
        Extract::Descriptor(|dict, d, _| of_end(dict, ends::remote_end(d), country)),
    ),
    field(
        "fd.rip.asn",
        Type::Uint,
        "Number of the autonomous system of the remote end's address; needs --geoip.",
        "fd.rip.asn = 64496",
        Extract::Descriptor(|dict, d, _| of_end(dict, ends::remote_end(d), asn)),
    ),
    field(
        "fd.rip.org",
        Type::Text,
        "Who runs the autonomous system of the remote end's address; needs --geoip.",
        "fd.rip.org icontains hosting",
        Extract::Descriptor(|dict, d, _| of_end(dict, ends::remote_end(d), org)),
    ),
    field(
        "ka.sourceip.country",
        Type::Text,
        "Country of the address that connected, two letters; needs --geoip, and private addresses have none.",
        "ka.sourceip.country = DE",
        Extract::Event(|row, _, _| of_peer(row, country)),
    ),
    field(
        "ka.sourceip.asn",
        Type::Uint,
        "Number of the autonomous system of the address that connected; needs --geoip.",
        "ka.sourceip.asn = 64496",
        Extract::Event(|row, _, _| of_peer(row, asn)),
    ),
    field(
        "ka.sourceip.org",
        Type::Text,
        "Who runs the autonomous system of the address that connected; needs --geoip.",
        "ka.sourceip.org icontains hosting",
        Extract::Event(|row, _, _| of_peer(row, org)),
    ),
    field(
        "ka.sourceip.claimed.country",
        Type::Text,
        "Countries of the addresses that the client claims; needs --geoip.",
        "ka.sourceip.claimed.country intersects (DE, FR)",
        Extract::Event(|row, _, _| of_claimed(row, country)),
    ),
    field(
        "ka.sourceip.claimed.asn",
        Type::Uint,
        "Numbers of the autonomous systems of the addresses that the client claims; needs --geoip.",
        "ka.sourceip.claimed.asn = 64496",
        Extract::Event(|row, _, _| of_claimed(row, asn)),
    ),
    field(
        "ka.sourceip.claimed.org",
        Type::Text,
        "Who runs the autonomous systems of the addresses that the client claims; needs --geoip.",
        "ka.sourceip.claimed.org icontains hosting",
        Extract::Event(|row, _, _| of_claimed(row, org)),
    ),
];

impl FieldRef {
    /// Whether databases of places (`--geoip`) answer it.
    pub fn needs_places(&self) -> bool {
        FIELDS.iter().any(|field| field.name == self.field.name)
    }
}

/// What is said of a place.
type Part = fn(Place) -> Value<'static>;

fn country(place: Place) -> Value<'static> {
    place.country.map_or(Value::Missing, |code| Value::text(code.as_bytes()))
}

fn asn(place: Place) -> Value<'static> {
    place.asn.map_or(Value::Missing, |number| Value::Uint(u64::from(number)))
}

fn org(place: Place) -> Value<'static> {
    place.org.map_or(Value::Missing, |name| Value::text(name.as_bytes()))
}

fn of_end(dict: &Dict, end: Option<Endpoint>, part: Part) -> Value<'static> {
    end.map_or(Value::Missing, |end| part(dict.place(end.ip)))
}

fn of_peer(row: &Row<'_>, part: Part) -> Value<'static> {
    peer_ip(row).map_or(Value::Missing, |ip| part(row.dict().place(ip)))
}

fn of_claimed(row: &Row<'_>, part: Part) -> Value<'static> {
    let values: Vec<_> = claimed_ips(row).map(|ip| part(row.dict().place(ip))).filter(|v| !v.is_missing()).collect();
    if values.is_empty() { Value::Missing } else { Value::List(values) }
}
