//! [`Literal`]: a constant in a filter, read by the type of the field that it is compared with.

use crate::value::{Type, Value};
use std::net::IpAddr;

/// A constant of a filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Literal {
    /// `true` or `false`.
    Bool(bool),
    /// Any integer type.
    Number(i128),
    /// Text, paths and data.
    Text(Vec<u8>),
    /// An address.
    Ip(IpAddr),
    /// A network: address and prefix length.
    Net(IpAddr, u8),
}

/// What a field of a type is compared with, in words.
pub(super) fn expected(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "`true` or `false`",
        Type::Int => "an integer",
        Type::Uint => "an integer of 0 or more",
        Type::Duration => "nanoseconds, or a number with a unit such as `10ms`",
        Type::Time => "nanoseconds since 1970 UTC",
        Type::Text | Type::Path | Type::Bytes => "text",
        Type::Ip => "an IPv4 or IPv6 address",
        Type::Net => "a network such as `10.0.0.0/8`",
        Type::Port => "a port, 0 to 65535",
    }
}

impl Literal {
    /// Reads a constant of the type; `None` if it is none.
    pub(super) fn parse(ty: Type, text: &[u8]) -> Option<Literal> {
        if matches!(ty, Type::Text | Type::Path | Type::Bytes) {
            return Some(Literal::Text(text.to_vec()));
        }
        let text = std::str::from_utf8(text).ok()?;
        match ty {
            Type::Bool => text.parse().ok().map(Literal::Bool),
            Type::Int => {
                integer(text).filter(|n| i64::try_from(*n).is_ok() || u64::try_from(*n).is_ok()).map(Literal::Number)
            }
            Type::Uint | Type::Time => unsigned(integer(text)?),
            Type::Duration => duration(text),
            Type::Port => integer(text).filter(|n| (0..=0xffff).contains(n)).map(Literal::Number),
            Type::Ip => text.parse().ok().map(Literal::Ip),
            Type::Net => net(text),
            Type::Text | Type::Path | Type::Bytes => None,
        }
    }

    /// Whether a value equals it; an address equals the networks that hold it.
    pub(super) fn equals(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Literal::Bool(a), Value::Bool(b)) => a == b,
            (Literal::Number(a), Value::Int(b)) => *a == i128::from(*b),
            (Literal::Number(a), Value::Uint(b)) => *a == i128::from(*b),
            (Literal::Text(a), Value::Text(b)) => a[..] == b[..],
            (Literal::Ip(a), Value::Ip(b)) => a == b,
            (Literal::Net(net, bits), Value::Ip(ip)) => contains(*net, *bits, *ip),
            _ => false,
        }
    }

    /// How a value compares with it; `None` for types without an order.
    pub(super) fn order(&self, value: &Value<'_>) -> Option<std::cmp::Ordering> {
        match (self, value) {
            (Literal::Number(a), Value::Int(b)) => Some(i128::from(*b).cmp(a)),
            (Literal::Number(a), Value::Uint(b)) => Some(i128::from(*b).cmp(a)),
            (Literal::Text(a), Value::Text(b)) => Some(b[..].cmp(&a[..])),
            _ => None,
        }
    }

    /// The text of a text constant.
    pub(super) fn text(&self) -> &[u8] {
        if let Literal::Text(text) = self { text } else { &[] }
    }
}

fn unsigned(n: i128) -> Option<Literal> {
    u64::try_from(n).is_ok().then_some(Literal::Number(n))
}

/// Decimal with an optional sign, or hexadecimal after `0x`.
fn integer(text: &str) -> Option<i128> {
    match text.strip_prefix("0x") {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => i128::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// Nanoseconds; `1.5s`, `10ms`, `3us`, `2m`, `1h` and `7d` are counted exactly.
fn duration(text: &str) -> Option<Literal> {
    const UNITS: &[(&str, i128)] = &[
        ("ns", 1),
        ("us", 1000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ];
    if let Some(ns) = integer(text) {
        return unsigned(ns);
    }
    let (number, unit) = UNITS.iter().find_map(|(name, ns)| Some((text.strip_suffix(name)?, *ns)))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |t: &str| t.len() <= 18 && t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || number.ends_with('.') {
        return None;
    }
    let part = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<i128>().ok()? * unit / 10_i128.pow(fraction.len() as u32)
    };
    unsigned(whole.parse::<i128>().ok()?.checked_mul(unit)? + part)
}

fn net(text: &str) -> Option<Literal> {
    let (ip, bits) = text.split_once('/')?;
    let ip: IpAddr = ip.parse().ok()?;
    let bits: u8 = bits.parse().ok()?;
    (bits <= if ip.is_ipv4() { 32 } else { 128 }).then_some(Literal::Net(ip, bits))
}

fn contains(net: IpAddr, bits: u8, ip: IpAddr) -> bool {
    match (net, ip) {
        (IpAddr::V4(net), IpAddr::V4(ip)) => {
            (net.to_bits() ^ ip.to_bits()).checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(net), IpAddr::V6(ip)) => {
            (net.to_bits() ^ ip.to_bits()).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_read_by_the_fields_type() {
        let n = |n| Some(Literal::Number(n));
        for (ty, text, want) in [
            (Type::Int, "-1", n(-1)),
            (Type::Int, "0xff", n(255)),
            (Type::Int, "0x-1", None),
            (Type::Int, "12a", None),
            (Type::Int, "99999999999999999999", None),
            (Type::Uint, "-1", None),
            (Type::Uint, "18446744073709551615", n(i128::from(u64::MAX))),
            (Type::Duration, "10ms", n(10_000_000)),
            (Type::Duration, "1.5s", n(1_500_000_000)),
            (Type::Duration, "2m", n(120_000_000_000)),
            (Type::Duration, "7", n(7)),
            (Type::Duration, "ms", None),
            (Type::Duration, "1.s", None),
            (Type::Duration, "999999999999999999d", None),
            (Type::Port, "65536", None),
            (Type::Port, "443", n(443)),
            (Type::Bool, "true", Some(Literal::Bool(true))),
            (Type::Bool, "1", None),
            (Type::Ip, "999.1.1.1", None),
            (Type::Ip, "::1", Some(Literal::Ip("::1".parse().unwrap()))),
            (Type::Net, "10.0.0.0", None),
            (Type::Net, "10.0.0.0/33", None),
        ] {
            assert_eq!(Literal::parse(ty, text.as_bytes()), want, "{ty:?} {text}");
        }
    }

    #[test]
    fn a_network_holds_the_addresses_that_share_its_prefix() {
        for (net, ip, want) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("1.2.3.4/32", "1.2.3.5", false),
            ("fe80::/10", "fe80::1", true),
            ("::/0", "1.2.3.4", false),
        ] {
            let literal = Literal::parse(Type::Net, net.as_bytes()).unwrap();
            assert_eq!(literal.equals(&Value::Ip(ip.parse().unwrap())), want, "{net} {ip}");
        }
    }
}
