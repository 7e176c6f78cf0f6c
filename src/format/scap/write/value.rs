//! Values of ours as scap has them.

use crate::event::Arg;
use crate::format::scap::{Conversion, VALUES, Wire};
use crate::world::Endpoint;
use crate::world::address::{Address, sockaddr};

/// Appends the `count` low bytes of a number, little endian.
pub(super) fn number(out: &mut Vec<u8>, value: i64, count: usize) {
    out.extend_from_slice(value.to_le_bytes().get(..count).unwrap_or_default());
}

/// Appends a value; says whether that is all of it that is known. Nothing is appended for one that does not fit.
pub(super) fn put(out: &mut Vec<u8>, wire: Wire, conversion: Option<&Conversion>, value: Arg<'_>) -> bool {
    match value {
        Arg::Missing => true,
        Arg::Int(value) => {
            let Some((width, _)) = wire.number() else { return false };
            let (value, rest) = conversion.map_or((value, 0), |c| {
                let (scap, rest) = c.to_scap(value);
                (scap as i64, rest)
            });
            number(out, value, width);
            rest == 0
        }
        Arg::Bytes(bytes) => put_bytes(out, wire, bytes),
    }
}

fn put_bytes(out: &mut Vec<u8>, wire: Wire, bytes: &[u8]) -> bool {
    match wire {
        Wire::Text | Wire::Path | Wire::RelPath => text(out, bytes),
        Wire::Bytes | Wire::TextList | Wire::PairList => out.extend_from_slice(bytes),
        Wire::SockAddr => return address(out, bytes),
        Wire::Tuple => return tuple(out, bytes),
        _ => return false,
    }
    true
}

/// Appends a text with its NUL.
pub(super) fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.split(|&b| b == 0).next().unwrap_or_default());
    out.push(0);
}

/// Appends what stands for a value that is not known where a reader would take whatever stands in its place.
pub(super) fn placeholder(out: &mut Vec<u8>, wire: Wire) {
    let all_ones = matches!(wire, Wire::Pid | Wire::Pid32 | Wire::Fd | Wire::Fd32 | Wire::Uid | Wire::Gid);
    match wire.number() {
        Some((width, _)) => number(out, if all_ones { -1 } else { 0 }, width),
        None if wire.is_text() => out.extend(b"<NA>\0"),
        None if wire == Wire::Dyn => out.extend([0; 9]),
        None if wire == Wire::FdList => out.extend([0; 2]),
        None => {}
    }
}

/// Appends a `struct sockaddr` of the kernel as scap has it.
fn address(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    match sockaddr(bytes) {
        Some(Address::Ip(end)) => {
            out.push(if end.ip.is_ipv4() { 2 } else { 10 });
            endpoint(out, end, end.ip.is_ipv6());
        }
        Some(Address::Unix(path)) => {
            out.push(1);
            // an abstract name begins with a NUL, which readers write as `@`
            let abstract_name = path.strip_prefix(b"\0").filter(|rest| !rest.is_empty());
            match abstract_name {
                Some(name) => {
                    out.push(b'@');
                    text(out, name);
                }
                None => text(out, path),
            }
        }
        _ => return bytes.is_empty(),
    }
    true
}

fn endpoint(out: &mut Vec<u8>, end: Endpoint, v6: bool) {
    super::lists::address(out, end.ip, v6);
    out.extend(end.port.to_le_bytes());
}

/// Appends both ends of an IP socket, the source first.
pub(super) fn ends(out: &mut Vec<u8>, source: Endpoint, destination: Endpoint) {
    let v6 = source.ip.is_ipv6() || destination.ip.is_ipv6();
    out.push(if v6 { 10 } else { 2 });
    endpoint(out, source, v6);
    endpoint(out, destination, v6);
}

/// Appends both ends as the kernel told them, which is scap's layout but for the path of Unix sockets.
fn tuple(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let length = match bytes.first() {
        Some(2) => 13,
        Some(10) => 37,
        Some(1) => 17,
        _ => return bytes.is_empty(),
    };
    let Some(whole) = bytes.get(..length) else { return false };
    out.extend_from_slice(whole);
    if length == 17 {
        text(out, bytes.get(length..).unwrap_or_default());
    }
    true
}

/// Which bits of a `struct pollfd` are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Poll {
    /// Those that were asked for.
    Asked,
    /// Those that came.
    Came,
}

/// The kernel's bits of poll, in the order of scap's `poll_flags` by name (asm-generic/poll.h).
const POLL: &[(&str, u16)] = &[
    ("POLLIN", 1),
    ("POLLPRI", 2),
    ("POLLOUT", 4),
    ("POLLERR", 8),
    ("POLLHUP", 0x10),
    ("POLLNVAL", 0x20),
    ("POLLRDNORM", 0x40),
    ("POLLRDBAND", 0x80),
    ("POLLWRNORM", 0x100),
    ("POLLWRBAND", 0x200),
    ("POLLRDHUP", 0x2000),
];

/// Appends an array of `struct pollfd`.
pub(super) fn poll(out: &mut Vec<u8>, array: &[u8], which: Poll) {
    let theirs = VALUES.iter().find(|v| v.0 == "poll_flags").map_or(&[][..], |v| v.1);
    let count = (array.len() / 8).min(usize::from(u16::MAX));
    out.extend((count as u16).to_le_bytes());
    for entry in array.chunks_exact(8).take(count) {
        let [fd @ .., _, _, _, _] = entry else { continue };
        let [_, _, _, _, asked @ .., low, high] = entry else { continue };
        let bits = match (which, asked) {
            (Poll::Asked, &[low, high]) => u16::from_le_bytes([low, high]),
            _ => u16::from_le_bytes([*low, *high]),
        };
        let named = POLL.iter().filter(|(_, bit)| bits & bit != 0);
        let value = named.filter_map(|(name, _)| theirs.iter().find(|t| t.0 == *name)).fold(0, |all, t| all | t.1);
        number(out, i64::from(fd.try_into().map_or(-1, i32::from_le_bytes)), 8);
        number(out, value as i64, 2);
    }
}

/// Socket options of `SOL_SOCKET` whose value is one number of 4 bytes, by the kernel's numbers (asm-generic/socket.h).
const NUMBERS: &[i64] = &[
    1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 18, 19, 29, 30, 32, 33, 34, 35, 36, 38, 39, 40, 41, 42, 43, 44, 46, 47,
    48, 49,
];

/// Options that have another number in scap: (kernel's, scap's).
const RENUMBERED: &[(i64, i64)] = &[(55, 0x34), (57, 0x35), (59, 0x33)];
/// The last of scap's numbers of options.
const LAST_OPTION: i64 = 0x35;
const SOL_SOCKET: i64 = 1;

/// scap's number of an option: it has those of `SOL_SOCKET` only, and 0 for all others.
pub(super) fn option_name(level: Option<i64>, option: i64) -> i64 {
    match RENUMBERED.iter().find(|r| r.0 == option) {
        Some(renumbered) if level == Some(SOL_SOCKET) => renumbered.1,
        _ if level == Some(SOL_SOCKET) && (0..=LAST_OPTION).contains(&option) => option,
        // a reel that was a scap keeps what that had
        _ if option == 0xff => option,
        _ => 0,
    }
}

/// Appends the value of an option.
pub(super) fn option_value(out: &mut Vec<u8>, level: Option<i64>, option: i64, value: &[u8]) {
    let word = |at: usize| value.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    let int = value.get(..4).and_then(|b| b.try_into().ok()).map(i32::from_le_bytes);
    match (option, int) {
        _ if level != Some(SOL_SOCKET) => {}
        // what went wrong, as a negated error
        (4, Some(error)) => return dynamic(out, 1, -i64::from(error.abs()), 8),
        (20 | 21, _) => {
            // struct timeval
            if let (Some(seconds), Some(micros)) = (word(0), word(8)) {
                let nanos = seconds.saturating_mul(1_000_000_000).saturating_add(micros.saturating_mul(1000));
                return dynamic(out, 4, nanos as i64, 8);
            }
        }
        (57, _) => {
            if let Some(cookie) = word(0) {
                return dynamic(out, 3, cookie as i64, 8);
            }
        }
        (option, Some(value)) if NUMBERS.contains(&option) => return dynamic(out, 2, i64::from(value), 4),
        _ => {}
    }
    out.push(0);
    out.extend_from_slice(value);
}

/// Appends a value with what it is chosen by.
pub(super) fn dynamic(out: &mut Vec<u8>, selector: u8, value: i64, width: usize) {
    out.push(selector);
    number(out, value, width);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::flag_table;

    fn of(wire: Wire, value: Arg<'_>) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let whole = put(&mut out, wire, None, value);
        (out, whole)
    }

    #[test]
    fn numbers_have_the_width_of_their_type() {
        assert_eq!(of(Wire::Errno, Arg::Int(-2)), ((-2i64).to_le_bytes().to_vec(), true));
        assert_eq!(of(Wire::U32, Arg::Int(5)), (vec![5, 0, 0, 0], true));
        assert_eq!(of(Wire::Signal, Arg::Int(9)), (vec![9], true));
        assert_eq!(of(Wire::Text, Arg::Int(9)), (vec![], false));
        assert_eq!(of(Wire::Errno, Arg::Missing), (vec![], true));
    }

    #[test]
    fn flags_are_scaps_and_what_it_lacks_is_told() {
        let open = Conversion::of("file_flags", flag_table("file_flags").unwrap(), false);
        let mut out = Vec::new();
        assert!(put(&mut out, Wire::Flags32, Some(&open), Arg::Int(0o2_000_000)));
        assert_eq!(out, [1, 0x10, 0, 0]);
        assert!(!put(&mut out, Wire::Flags32, Some(&open), Arg::Int(0o1_000_000)));
    }

    #[test]
    fn addresses_have_their_port_in_host_order() {
        let inet = [2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(of(Wire::SockAddr, Arg::Bytes(&inet)).0, [2, 127, 0, 0, 1, 80, 0]);
        assert_eq!(of(Wire::SockAddr, Arg::Bytes(b"\x01\0/run/x\0junk")).0, b"\x01/run/x\0");
        assert_eq!(of(Wire::SockAddr, Arg::Bytes(b"\x01\0\0abc")).0, b"\x01@abc\0");
        assert_eq!(of(Wire::SockAddr, Arg::Bytes(b"\x10\0\0\0")), (vec![], false));
    }

    #[test]
    fn tuples_of_unix_sockets_have_a_path() {
        let inet = b"\x02\x01\x02\x03\x04\x50\0\x05\x06\x07\x08\x51\0";
        assert_eq!(of(Wire::Tuple, Arg::Bytes(inet)).0, inet);
        let unix = [&[1u8][..], &[7; 16], b"/s"].concat();
        assert_eq!(of(Wire::Tuple, Arg::Bytes(&unix)).0, [&[1u8][..], &[7; 16], b"/s\0"].concat());
        assert_eq!(of(Wire::Tuple, Arg::Bytes(b"\x02\x01")), (vec![], false));
    }

    #[test]
    fn poll_has_bits_of_its_own() {
        let array = [5, 0, 0, 0, 1, 0x20, 0x18, 0];
        let (mut asked, mut came) = (Vec::new(), Vec::new());
        poll(&mut asked, &array, Poll::Asked);
        poll(&mut came, &array, Poll::Came);
        assert_eq!(asked, b"\x01\0\x05\0\0\0\0\0\0\0\x09\0");
        assert_eq!(came, b"\x01\0\x05\0\0\0\0\0\0\0\x30\0");
    }

    #[test]
    fn options_have_a_value_of_their_kind() {
        let value = |level, option, bytes: &[u8]| {
            let mut out = Vec::new();
            option_value(&mut out, Some(level), option, bytes);
            out
        };
        assert_eq!(value(1, 2, &[1, 0, 0, 0]), [2, 1, 0, 0, 0]);
        assert_eq!(value(1, 4, &[111, 0, 0, 0]), [&[1u8][..], &(-111i64).to_le_bytes()].concat());
        let time = [2u64.to_le_bytes(), 5u64.to_le_bytes()].concat();
        assert_eq!(value(1, 20, &time), [&[4u8][..], &2_000_005_000u64.to_le_bytes()].concat());
        assert_eq!((value(6, 1, &[1, 0]), value(1, 13, &[9; 8])), (vec![0, 1, 0], vec![0, 9, 9, 9, 9, 9, 9, 9, 9]));
        assert_eq!((option_name(Some(1), 57), option_name(Some(6), 1), option_name(Some(1), 2)), (0x35, 0, 2));
    }

    #[test]
    fn what_is_not_known_stands_as_such() {
        let filled = |wire| {
            let mut out = Vec::new();
            placeholder(&mut out, wire);
            out
        };
        assert_eq!((filled(Wire::U32), filled(Wire::Path)), (vec![0; 4], b"<NA>\0".to_vec()));
        assert_eq!((filled(Wire::Pid), filled(Wire::Tuple), filled(Wire::FdList)), (vec![255; 8], vec![], vec![0; 2]));
    }
}
