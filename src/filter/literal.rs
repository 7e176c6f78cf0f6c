//! [`Literal`]: a constant in a filter, read by the type of the field that it is compared with.

use super::pattern::{PathPrefix, Pattern};
use crate::value::{Moment, Type, Value, parse_duration, parse_size};
use std::net::IpAddr;

/// A constant of a filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Literal {
    /// `true` or `false`.
    Bool(bool),
    /// Any integer type.
    Number(i128),
    /// A number that need not be whole, in billionths.
    Billionths(i128),
    /// Text, paths and data.
    Text(Vec<u8>),
    /// An address.
    Ip(IpAddr),
    /// A network: address and prefix length.
    Net(IpAddr, u8),
    /// What a text is to be like.
    Pattern(Pattern),
    /// What a path is to be below.
    PathPrefix(PathPrefix),
}

/// How an operator's constants are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// By the field's type.
    Typed,
    /// Bytes, two hexadecimal digits each.
    Hex,
    /// A shell pattern.
    Glob,
    /// A shell pattern for any case.
    GlobOfAnyCase,
    /// A regular expression.
    Regex,
    /// A path, its components may be shell patterns.
    PathPrefix,
}

impl Reads {
    /// Reads a constant to be compared with values of a type.
    ///
    /// # Errors
    /// What was expected and what was found, in words.
    pub(super) fn read(self, ty: Type, of: &str, text: &[u8]) -> Result<Literal, String> {
        let told = |what: &str, why: String| format!("expected {what} for `{of}`: {why}");
        match self {
            Reads::Typed => Literal::parse(ty, text).ok_or_else(|| wrong(expected(ty), of, text)),
            Reads::Hex => hex(text)
                .map(Literal::Text)
                .ok_or_else(|| wrong("pairs of hexadecimal digits such as `7f45`", of, text)),
            Reads::Glob => Pattern::glob(text, false).map(Literal::Pattern).map_err(|why| told("a shell pattern", why)),
            Reads::GlobOfAnyCase => {
                Pattern::glob(text, true).map(Literal::Pattern).map_err(|why| told("a shell pattern", why))
            }
            Reads::Regex => Pattern::regex(text).map(Literal::Pattern).map_err(|why| told("a regular expression", why)),
            Reads::PathPrefix => PathPrefix::parse(text).map(Literal::PathPrefix).map_err(|why| told("a path", why)),
        }
    }
}

fn wrong(expected: &str, of: &str, text: &[u8]) -> String {
    format!("expected {expected} for `{of}`, found `{}`", String::from_utf8_lossy(text))
}

/// Bytes of pairs of digits.
fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok().filter(|t| t.len() % 2 == 0 && t.is_ascii())?;
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// What a field of a type is compared with, in words.
pub(super) fn expected(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "`true` or `false`",
        Type::Int => "an integer",
        Type::Uint => "an integer of 0 or more, or a size such as `64KiB`",
        Type::Duration => "nanoseconds, or a number with a unit such as `10ms`",
        Type::Time => "nanoseconds since 1970 UTC, or a time such as `2026-11-21T08:00:00Z`",
        Type::Text | Type::Path | Type::Bytes => "text",
        Type::Ip => "an IPv4 or IPv6 address",
        Type::Net => "a network such as `10.0.0.0/8`",
        Type::Real => "a number such as `12.5`",
        Type::Port => "a port, 0 to 65535 or a service such as `https`",
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
            Type::Uint => integer(text).or_else(|| parse_size(text)).and_then(unsigned),
            Type::Time => time(text),
            Type::Duration => duration(text),
            Type::Port => port(text),
            Type::Real => billionths(text).map(Literal::Billionths),
            Type::Ip => text.parse().ok().map(Literal::Ip),
            Type::Net => net(text),
            Type::Text | Type::Path | Type::Bytes => None,
        }
    }

    /// What a value is as constants: one, or those of a list; none of what is missing.
    pub(super) fn of(value: &Value<'_>) -> Vec<Literal> {
        let one = match value {
            Value::Missing => return Vec::new(),
            Value::List(list) => {
                let mut all: Vec<Literal> = list.iter().flat_map(Literal::of).collect();
                all.sort_unstable();
                return all;
            }
            Value::Either(ends) => return ends.iter().flat_map(Literal::of).collect(),
            Value::Bool(b) => Literal::Bool(*b),
            Value::Int(n) => Literal::Number(i128::from(*n)),
            Value::Uint(n) => Literal::Number(i128::from(*n)),
            Value::Ratio { sum, of } => Literal::Billionths(i128::from(*sum) * BILLION / i128::from(*of).max(1)),
            Value::Text(text) => Literal::Text(text.to_vec()),
            Value::Ip(ip) => Literal::Ip(*ip),
        };
        vec![one]
    }

    /// Whether a value equals it; an address equals the networks that hold it.
    pub(super) fn equals(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Literal::Bool(a), Value::Bool(b)) => a == b,
            (Literal::Number(a), Value::Int(b)) => *a == i128::from(*b),
            (Literal::Number(a), Value::Uint(b)) => *a == i128::from(*b),
            (Literal::Billionths(a), Value::Ratio { sum, of }) => i128::from(*sum) * BILLION == scaled(*a, *of),
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
            (Literal::Billionths(a), Value::Ratio { sum, of }) => {
                Some((i128::from(*sum) * BILLION).cmp(&scaled(*a, *of)))
            }
            (Literal::Text(a), Value::Text(b)) => Some(b[..].cmp(&a[..])),
            _ => None,
        }
    }

    /// Whether a text is what the pattern or path says.
    pub(super) fn is_like(&self, text: &[u8]) -> bool {
        match self {
            Literal::Pattern(pattern) => pattern.matches(text),
            Literal::PathPrefix(prefix) => prefix.holds(text),
            _ => false,
        }
    }

    /// The text of a text constant.
    pub(super) fn text(&self) -> &[u8] {
        if let Literal::Text(text) = self { text } else { &[] }
    }
}

const BILLION: i128 = 1_000_000_000;

/// A constant times the divisor of the quotient that it is compared with; constants have few digits, so it fits nearly always.
fn scaled(billionths: i128, of: u64) -> i128 {
    billionths.saturating_mul(i128::from(of))
}

/// A decimal with an optional sign and at most nine digits behind the point, in billionths.
fn billionths(text: &str) -> Option<i128> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || whole.len() > 18 || part.len() > 9 {
        return None;
    }
    let part = part.parse::<i128>().ok()? * 10i128.pow(9 - part.len() as u32);
    let number = whole.parse::<i128>().ok()? * BILLION + part;
    Some(if is_negative { -number } else { number })
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

/// Nanoseconds, or a date and time with its zone.
fn time(text: &str) -> Option<Literal> {
    match integer(text) {
        Some(ns) => unsigned(ns),
        None => match Moment::parse(text) {
            Some(Moment::Utc(ns)) => unsigned(i128::from(ns)),
            _ => None,
        },
    }
}

/// Nanoseconds, or an amount with a unit.
fn duration(text: &str) -> Option<Literal> {
    integer(text).or_else(|| parse_duration(text)).and_then(unsigned)
}

/// A number, or the name of a service.
fn port(text: &str) -> Option<Literal> {
    let number = integer(text).or_else(|| crate::value::port_of(text).map(i128::from));
    number.filter(|n| (0..=0xffff).contains(n)).map(Literal::Number)
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
            (Type::Uint, "64KiB", n(65_536)),
            (Type::Uint, "1.5MB", n(1_500_000)),
            (Type::Uint, "64K", None),
            (Type::Time, "2026-11-21T08:00:00Z", n(1_795_248_000_000_000_000)),
            (Type::Time, "2026-11-21T09:00:00.5+01:00", n(1_795_248_000_500_000_000)),
            (Type::Time, "2026-11-21T08:00:00", None),
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
            (Type::Port, "https", n(443)),
            (Type::Port, "nobody", None),
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
