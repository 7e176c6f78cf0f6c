//! Decoders: what a read or write on a connection says in a protocol of requests and answers.

mod http;
mod memcache;

/// A protocol of requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0 and HTTP/1.1 in clear text (RFC 9112).
    Http,
    /// The text protocol of memcached (its `doc/protocol.txt`).
    Memcache,
}

/// What the beginning of a read or write says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// Somebody wants something.
    Request {
        /// What is to be done.
        method: Vec<u8>,
        /// With what: a URL, or keys.
        target: Vec<u8>,
        /// Bytes that the request brings, where its beginning says so.
        size: Option<u64>,
    },
    /// The answer.
    Answer {
        /// What came of it: a status code, or a word.
        result: Vec<u8>,
        /// Bytes that the answer brings, where its beginning says so.
        size: Option<u64>,
    },
}

impl Protocol {
    /// Names in chisel files.
    pub const NAMES: &[(&'static str, Protocol)] = &[("http", Protocol::Http), ("memcache", Protocol::Memcache)];

    /// The protocol of this name in a chisel file.
    pub fn of_name(name: &str) -> Option<Protocol> {
        Protocol::NAMES.iter().find(|(n, _)| *n == name).map(|(_, protocol)| *protocol)
    }

    /// What data that begins here says; `None` for what is in the middle of something, or no such protocol. Data may be
    /// cut anywhere.
    pub(super) fn message(self, data: &[u8]) -> Option<Message> {
        match self {
            Protocol::Http => http::message(data),
            Protocol::Memcache => memcache::message(data),
        }
    }
}

/// The words of a line, at blanks.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&b| b == b' ').filter(|word| !word.is_empty())
}

/// A number in decimal digits.
fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
