//! [`Value`]: what a field of an event can be.

use std::borrow::Cow;
use std::net::IpAddr;

/// The type of a field or of a parameter, which decides how it is compared and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// Signed integer.
    Int,
    /// Unsigned integer.
    Uint,
    /// A number of nanoseconds between two moments.
    Duration,
    /// Nanoseconds since 1970-01-01 UTC.
    Time,
    /// Text; bytes that are usually UTF-8, but need not be.
    Text,
    /// A path of the file system.
    Path,
    /// Bytes of data, such as an I/O buffer.
    Bytes,
    /// An IPv4 or IPv6 address.
    Ip,
    /// An address block; `=` means membership.
    Net,
    /// A TCP or UDP port.
    Port,
    /// A number that need not be whole, such as a percentage.
    Real,
}

/// A field's value for one event; borrowed from dictionaries and columns where possible.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value<'a> {
    /// The event has no such value; every check on it is false, and it prints as `<NA>`.
    Missing,
    /// See [`Type::Bool`].
    Bool(bool),
    /// See [`Type::Int`].
    Int(i64),
    /// See [`Type::Uint`], [`Type::Duration`] (ns), [`Type::Time`] (ns), [`Type::Port`].
    Uint(u64),
    /// See [`Type::Real`]: a quotient that is only divided when it is written, so that it is exact. The divisor is not 0.
    Ratio {
        /// Dividend.
        sum: i64,
        /// Divisor.
        of: u64,
    },
    /// See [`Type::Text`], [`Type::Path`], [`Type::Bytes`].
    Text(Cow<'a, [u8]>),
    /// See [`Type::Ip`], [`Type::Net`].
    Ip(IpAddr),
    /// "Either end" fields (`fd.ip`, `fd.port`): both values.
    Either(Box<[Value<'a>; 2]>),
    /// Any of a list: ancestors' names for `proc.aname` without an index.
    List(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// Text borrowed from a dictionary.
    pub fn text(bytes: &'a [u8]) -> Self {
        Value::Text(Cow::Borrowed(bytes))
    }

    /// Text made for the occasion.
    pub fn owned(text: impl Into<Vec<u8>>) -> Self {
        Value::Text(Cow::Owned(text.into()))
    }

    /// Whether there is no value.
    pub fn is_missing(&self) -> bool {
        matches!(self, Value::Missing)
    }
}
