//! Values of parameters that scap writes in another way than the kernel has them, in our layouts.

use super::ppm::Conversion;

/// The integer in a value of 1, 2, 4 or 8 bytes; others are none. A descriptor or error may be narrower than its type says.
pub fn integer(bytes: &[u8], signed: bool) -> Option<i64> {
    Some(match (bytes, signed) {
        (&[a], false) => i64::from(a),
        (&[a], true) => i64::from(a as i8),
        (&[a, b], false) => i64::from(u16::from_le_bytes([a, b])),
        (&[a, b], true) => i64::from(i16::from_le_bytes([a, b])),
        (&[a, b, c, d], false) => i64::from(u32::from_le_bytes([a, b, c, d])),
        (&[a, b, c, d], true) => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => i64::from_le_bytes(*bytes.first_chunk().filter(|_| bytes.len() == 8)?),
    })
}

/// Text up to its NUL; `None` where it says that it is not known.
pub fn text(bytes: &[u8]) -> Option<&[u8]> {
    let text = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let text = text.split(|&b| b == 0).next().unwrap_or_default();
    if bytes.is_empty() || matches!(text, b"(NULL)" | b"<NA>") { None } else { Some(text) }
}

/// Appends a `struct sockaddr` ([`ParamType::SockAddr`](crate::event::ParamType::SockAddr)); `false` for what is none.
pub fn put_sockaddr(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let Some((&family, rest)) = bytes.split_first() else { return false };
    match (family, rest.len()) {
        (2, 6..) => put_inet(out, &rest[..4], &rest[4..6]),
        (10, 18..) => put_inet6(out, &rest[..16], &rest[16..18]),
        (1, _) => put_unix(out, rest),
        _ => {
            out.extend([family, 0]);
            out.extend_from_slice(rest);
        }
    }
    true
}

/// Port in host order, as scap has it.
fn put_inet(out: &mut Vec<u8>, ip: &[u8], port: &[u8]) {
    out.extend([2, 0, port[1], port[0]]);
    out.extend_from_slice(ip);
    out.extend([0; 8]);
}

fn put_inet6(out: &mut Vec<u8>, ip: &[u8], port: &[u8]) {
    out.extend([10, 0, port[1], port[0], 0, 0, 0, 0]);
    out.extend_from_slice(ip);
    out.extend([0; 4]);
}

/// scap shows a name without a file as `@name`, if at all.
fn put_unix(out: &mut Vec<u8>, path: &[u8]) {
    out.extend([1, 0]);
    out.extend_from_slice(path.split(|&b| b == 0).next().unwrap_or_default());
}

/// Appends the other end of a datagram as a `struct sockaddr`, told by both ends of its socket; `false` where there is none.
/// `receives`: the first end is the sender's, and so the other one.
pub fn put_peer(out: &mut Vec<u8>, tuple: &[u8], receives: bool) -> bool {
    let Some((&family, rest)) = tuple.split_first() else { return false };
    match (family, rest.len()) {
        (2, 12) if receives => put_inet(out, &rest[..4], &rest[4..6]),
        (2, 12) => put_inet(out, &rest[6..10], &rest[10..12]),
        (10, 36) if receives => put_inet6(out, &rest[..16], &rest[16..18]),
        (10, 36) => put_inet6(out, &rest[18..34], &rest[34..36]),
        (1, 17..) if rest[16] != 0 => put_unix(out, &rest[16..]),
        _ => return false,
    }
    true
}

/// Appends both ends in the other order: scap has the client first, a server's own end is the second.
pub fn put_swapped(out: &mut Vec<u8>, tuple: &[u8]) {
    let Some((&family, rest)) = tuple.split_first() else { return };
    let half = match (family, rest.len()) {
        (2, 12) => 6,
        (10, 36) => 18,
        (1, 16..) => 8,
        _ => 0,
    };
    out.push(family);
    out.extend_from_slice(&rest[half..2 * half]);
    out.extend_from_slice(&rest[..half]);
    out.extend_from_slice(&rest[2 * half..]);
}

/// Appends an array of `struct pollfd`. `returned`: the bits are those that the call returned, not those it was asked for.
pub fn put_polls(out: &mut Vec<u8>, bytes: &[u8], returned: bool, flags: &Conversion) -> bool {
    let Some((count, rest)) = bytes.split_first_chunk() else { return false };
    let count = usize::from(u16::from_le_bytes(*count));
    for one in rest.chunks_exact(10).take(count) {
        let (fd, bits) = one.split_at(8);
        out.extend_from_slice(&fd[..4]);
        let bits = flags.to_kernel(integer(bits, false).unwrap_or(0) as u64) as u16;
        let (asked, came) = if returned { (0, bits) } else { (bits, 0) };
        out.extend(asked.to_le_bytes());
        out.extend(came.to_le_bytes());
    }
    true
}

/// Appends the value of a socket option as the kernel has it.
pub fn put_option(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let Some((&selector, value)) = bytes.split_first() else { return false };
    match (selector, value.len()) {
        // An error: the kernel has it as a positive `int`.
        (1, 8) => {
            let error = integer(value, true).unwrap_or(0).unsigned_abs() as u32;
            out.extend(error.to_le_bytes());
        }
        // A `struct timeval`.
        (4, 8) => {
            let ns = integer(value, false).unwrap_or(0) as u64;
            out.extend((ns / 1_000_000_000).to_le_bytes());
            out.extend((ns % 1_000_000_000 / 1_000).to_le_bytes());
        }
        _ => out.extend_from_slice(value),
    }
    true
}

/// The integer in a value with a selector; texts have none.
pub fn selected(bytes: &[u8]) -> Option<i64> {
    let (_, value) = bytes.split_first()?;
    integer(value, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::flag_table;
    use crate::format::scap::ppm::Conversion;

    #[test]
    fn addresses_become_the_kernels() {
        let mut out = Vec::new();
        assert!(put_sockaddr(&mut out, &[2, 127, 0, 0, 1, 0x50, 0]));
        assert_eq!(out, [2, 0, 0, 0x50, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.clear();
        assert!(put_sockaddr(&mut out, b"\x01/run/x\0"));
        assert_eq!(out, b"\x01\0/run/x");
        assert!(!put_sockaddr(&mut out, b""));
    }

    #[test]
    fn the_peer_of_a_datagram_is_told_by_its_direction() {
        let tuple = [2, 10, 0, 0, 1, 1, 0, 10, 0, 0, 2, 2, 0];
        for (receives, last, port) in [(true, 1, 1), (false, 2, 2)] {
            let mut out = Vec::new();
            assert!(put_peer(&mut out, &tuple, receives));
            assert_eq!(out[..8], [2, 0, 0, port, 10, 0, 0, last]);
        }
        let mut out = Vec::new();
        put_swapped(&mut out, &tuple);
        assert_eq!(out, [2, 10, 0, 0, 2, 2, 0, 10, 0, 0, 1, 1, 0]);
        assert!(!put_peer(&mut out, &[2, 1, 2], false), "cut");
    }

    #[test]
    fn values_with_a_selector_are_unwrapped() {
        let mut out = Vec::new();
        assert!(put_option(&mut out, &[2, 1, 0, 0, 0]));
        assert_eq!(out, [1, 0, 0, 0]);
        out.clear();
        let mut time = vec![4];
        time.extend(2_500_000_000u64.to_le_bytes());
        assert!(put_option(&mut out, &time));
        assert_eq!((&out[..8], &out[8..]), (&2u64.to_le_bytes()[..], &500_000u64.to_le_bytes()[..]));
        assert_eq!(selected(&[0, 7, 0, 0, 0, 0, 0, 0, 0]), Some(7));
        assert_eq!((text(b"(NULL)\0"), text(b"ls\0"), text(b"")), (None, Some(&b"ls"[..]), None));
    }

    #[test]
    fn polled_descriptors_have_the_kernels_bits() {
        let flags = Conversion::of("poll_flags", flag_table("poll_flags").unwrap(), false);
        let mut out = Vec::new();
        let list = [1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0x20, 0];
        assert!(put_polls(&mut out, &list, true, &flags));
        assert_eq!(out, [5, 0, 0, 0, 0, 0, 16, 0]);
    }
}
