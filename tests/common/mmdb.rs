//! Databases of places, written as the `MaxMind` DB format 2.0 describes them (<https://maxmind.github.io/MaxMind-DB/>).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A value of a record.
#[derive(Clone)]
pub enum Datum {
    Text(&'static str),
    Number(u32),
    Small(u16),
    Epoch(u64),
    Map(Vec<(&'static str, Datum)>),
}

/// Appends a value: a control byte with type and size, the size behind it where it has no room for it, and the value.
fn write(out: &mut Vec<u8>, datum: &Datum) {
    let mut control = |kind: u8, size: usize| match size {
        0..=28 => out.push(kind << 5 | size as u8),
        29..=284 => out.extend([kind << 5 | 0x1d, (size - 29) as u8]),
        _ => panic!("a value of {size} bytes"),
    };
    match datum {
        Datum::Text(text) => {
            control(2, text.len());
            out.extend(text.as_bytes());
        }
        Datum::Number(number) => {
            control(6, 4);
            out.extend(number.to_be_bytes());
        }
        Datum::Small(number) => {
            control(5, 2);
            out.extend(number.to_be_bytes());
        }
        // An extended type, 9: its number less 7 behind the size.
        Datum::Epoch(number) => {
            out.extend([8, 2]);
            out.extend(number.to_be_bytes());
        }
        Datum::Map(all) => {
            control(7, all.len());
            for (key, value) in all {
                write(out, &Datum::Text(key));
                write(out, value);
            }
        }
    }
}

/// One side of a node.
#[derive(Clone, Copy)]
enum Side {
    Nothing,
    Node(usize),
    /// Its place in the data.
    Data(usize),
}

/// A database of networks (address, length of the prefix, record), none within another. In a tree of IPv6 IPv4 networks stand
/// below `::/96`.
pub fn database(kind: &'static str, version: u16, networks: &[(&str, u32, Datum)]) -> Vec<u8> {
    let mut nodes = vec![[Side::Nothing; 2]];
    let mut data = Vec::new();
    for (address, length, record) in networks {
        let (bits, length) = match (address.parse().unwrap(), version) {
            (IpAddr::V4(ip), 4) => (u128::from(ip.to_bits()) << 96, *length),
            (IpAddr::V4(ip), _) => (u128::from(Ipv4Addr::to_bits(ip)), 96 + length),
            (IpAddr::V6(ip), _) => (Ipv6Addr::to_bits(ip), *length),
        };
        let place = data.len();
        write(&mut data, record);
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                nodes[node][side] = Side::Data(place);
            } else if let Side::Node(next) = nodes[node][side] {
                node = next;
            } else {
                nodes.push([Side::Nothing; 2]);
                nodes[node][side] = Side::Node(nodes.len() - 1);
                node = nodes.len() - 1;
            }
        }
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for side in nodes.iter().flatten() {
        let value = match side {
            Side::Nothing => count,
            Side::Node(node) => *node,
            Side::Data(place) => count + 16 + place,
        };
        // Records of 24 bits.
        out.extend(&(value as u32).to_be_bytes()[1..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let about = [
        ("binary_format_major_version", Datum::Small(2)),
        ("binary_format_minor_version", Datum::Small(0)),
        ("build_epoch", Datum::Epoch(1_763_683_200)),
        ("database_type", Datum::Text(kind)),
        ("description", Datum::Map(vec![("en", Datum::Text("made for tests"))])),
        ("ip_version", Datum::Small(version)),
        ("node_count", Datum::Number(count as u32)),
        ("record_size", Datum::Small(24)),
    ];
    // `languages` is an array: an extended type, 11.
    let mut metadata = vec![7 << 5 | (about.len() + 1) as u8];
    for (key, value) in &about {
        write(&mut metadata, &Datum::Text(key));
        write(&mut metadata, value);
    }
    write(&mut metadata, &Datum::Text("languages"));
    metadata.extend([1, 4]);
    write(&mut metadata, &Datum::Text("en"));
    out.extend(metadata);
    out
}

/// A record as those of `GeoLite2` are, country and network in one.
pub fn place(country: &'static str, asn: u32, org: &'static str) -> Datum {
    Datum::Map(vec![
        ("country", Datum::Map(vec![("iso_code", Datum::Text(country)), ("geoname_id", Datum::Number(1))])),
        ("autonomous_system_number", Datum::Number(asn)),
        ("autonomous_system_organization", Datum::Text(org)),
    ])
}

/// `captures/places.mmdb`: networks and numbers that are kept for documentation (RFC 5737, 3849, 5398), and those that the samples
/// were recorded in.
pub fn sample() -> Vec<u8> {
    database(
        "sysreel-samples",
        6,
        &[
            ("192.0.2.0", 24, place("DE", 64496, "Example Hosting")),
            ("198.51.100.0", 24, place("BR", 64497, "Example Telecom")),
            ("203.0.113.0", 24, place("NL", 64498, "Example Anonymous Proxy")),
            ("2001:db8::", 32, place("JP", 64499, "Example Six")),
            ("127.0.0.0", 24, place("FR", 64511, "Example Office")),
            ("127.0.10.0", 24, place("FR", 64511, "Example Office")),
        ],
    )
}
