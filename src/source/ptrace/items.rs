//! The data of a call: the operations of the probe's table, done from outside (`put_op` in `probe/probe.bpf.c`).

use super::draft::Draft;
use crate::sys::{read_memory, socket_ends};

/// An operation: kind (`enum op_kind` in the probe), argument, second argument or 0, size or number.
pub(super) type Op = [u8; 4];

/// Most bytes of a socket address.
const ADDRESS: usize = 128;
/// Most elements of an array.
const ARRAY: u64 = 31;
/// Where the returned descriptor stands for an argument.
const RETURNED: u8 = 255;

/// How much of everything is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Of data.
    pub(super) snap_len: usize,
    /// Of a text, its NUL included.
    pub(super) text_max: usize,
}

/// A call that returned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) tid: u32,
    pub(super) pid: u32,
    pub(super) args: &'a [u64; 6],
    pub(super) ret: i64,
}

/// Writes one item, whatever happens, so that the reader knows items by their place.
pub(super) fn put(draft: &mut Draft<'_>, op: Op, call: Call<'_>, limits: Limits) {
    let [kind, arg, second, number] = op;
    let at = |i: u8| call.args[usize::from(i.min(5))];
    let (pointer, len) = (at(arg), at(second));
    let returned = usize::try_from(call.ret).ok();
    let snap = limits.snap_len;
    match kind {
        1 => text(draft, call.tid, pointer, limits.text_max),
        2 if at(0) as u32 == u32::from(number) => text(draft, call.tid, pointer, limits.text_max),
        3 => bytes(draft, call.tid, pointer, returned.map(|n| n.min(snap))),
        4 => bytes(draft, call.tid, pointer, Some((len as usize).min(snap))),
        5 => bytes(draft, call.tid, pointer, Some((len as usize).min(ADDRESS))),
        6 => {
            let filled = returned.filter(|_| len != 0).and_then(|_| word32(call.tid, len));
            bytes(draft, call.tid, pointer, filled.map(|n| (n as usize).min(ADDRESS)));
        }
        7 => vector(draft, call.tid, pointer, returned, snap),
        8 => message(draft, call.tid, pointer, returned, |[_, _, iov, count, ..], draft| {
            // Without a part there is nothing to look at.
            let n = if count == 0 { Some(0) } else { returned };
            if count == 0 { draft.item(&[]) } else { vector(draft, call.tid, iov, n, snap) }
        }),
        9 => message(draft, call.tid, pointer, returned, |[name, len, ..], draft| {
            bytes(draft, call.tid, name, Some((len as u32 as usize).min(ADDRESS)));
        }),
        10 => bytes(draft, call.tid, pointer, returned.map(|_| usize::from(number))),
        11 => {
            if len > ARRAY {
                draft.truncated();
            }
            bytes(draft, call.tid, pointer, Some(len.min(ARRAY) as usize * 8));
        }
        12 => {
            let fd = if arg == RETURNED { returned.map(|fd| fd as u64) } else { Some(pointer) };
            draft.maybe(fd.and_then(|fd| tuple(call.pid, fd as i32)).as_deref());
        }
        _ => draft.missing(),
    }
}

/// A text with its end, at most `max` bytes with it.
pub(super) fn read_text(tid: u32, from: u64, max: usize) -> Option<(Vec<u8>, bool)> {
    let mut to = vec![0; max];
    let got = if from == 0 { 0 } else { read_memory(tid, from, &mut to) };
    match memchr::memchr(0, &to[..got]) {
        // The probe cannot tell a text that just fits from one that was cut.
        Some(len) => {
            to.truncate(len);
            Some((to, len + 1 == max))
        }
        None if got == max => {
            to.truncate(max.saturating_sub(1));
            Some((to, true))
        }
        None => None,
    }
}

fn text(draft: &mut Draft<'_>, tid: u32, from: u64, max: usize) {
    match read_text(tid, from, max) {
        Some((text, cut)) => {
            draft.item(&text);
            if cut {
                draft.truncated();
            }
        }
        None => draft.missing(),
    }
}

/// All of `len` bytes, or nothing.
fn read(tid: u32, from: u64, to: &mut [u8]) -> Option<()> {
    (from != 0 && (to.is_empty() || read_memory(tid, from, to) == to.len())).then_some(())
}

fn bytes(draft: &mut Draft<'_>, tid: u32, from: u64, len: Option<usize>) {
    let mut to = [0; super::draft::MAX_ITEM];
    let place = len.and_then(|len| to.get_mut(..len));
    let read = place.and_then(|to| read(tid, from, to).map(|()| &*to));
    draft.maybe(read);
}

fn word32(tid: u32, from: u64) -> Option<u32> {
    let mut to = [0; 4];
    read(tid, from, &mut to).map(|()| u32::from_le_bytes(to))
}

fn words<const N: usize>(tid: u32, from: u64) -> Option<[u64; N]> {
    let mut to = vec![0; N * 8];
    read(tid, from, &mut to)?;
    let word = |i: usize| to.get(i * 8..i * 8 + 8)?.first_chunk().map(|b| u64::from_le_bytes(*b));
    let mut words = [0; N];
    for (i, slot) in words.iter_mut().enumerate() {
        *slot = word(i)?;
    }
    Some(words)
}

/// What the first `struct iovec` at `from` points to, as far as the call says that it was used.
fn vector(draft: &mut Draft<'_>, tid: u32, from: u64, returned: Option<usize>, snap: usize) {
    let first = match returned {
        None => None,
        Some(0) => Some([0, 0]),
        Some(_) => words::<2>(tid, from),
    };
    match (first, returned) {
        (Some([base, len]), Some(returned)) => {
            let len = (len as usize).min(returned).min(snap);
            if len == 0 { draft.item(&[]) } else { bytes(draft, tid, base, Some(len)) }
        }
        _ => draft.missing(),
    }
}

/// `struct user_msghdr`: name, its length, iov, its length, …
fn message(
    draft: &mut Draft<'_>,
    tid: u32,
    from: u64,
    returned: Option<usize>,
    part: impl FnOnce([u64; 4], &mut Draft<'_>),
) {
    match returned.and_then(|_| words::<4>(tid, from)) {
        Some(header) => part(header, draft),
        None => draft.missing(),
    }
}

/// Both ends of an IP socket: family u8, local address, local port LE, remote address, remote port LE. Of Unix sockets
/// the kernel shows no addresses to programs.
fn tuple(pid: u32, fd: i32) -> Option<Vec<u8>> {
    let ends = socket_ends(pid, fd).ok()?;
    let family = *ends.local.first()?;
    // struct sockaddr_in: family, port BE, address; struct sockaddr_in6: family, port BE, flow, address.
    let (start, size) = match i32::from(family) {
        libc::AF_INET => (4, 4),
        libc::AF_INET6 => (8, 16),
        _ => return None,
    };
    let mut tuple = vec![family];
    for end in [&ends.local, &ends.remote] {
        match end.get(start..start + size) {
            Some(address) => {
                tuple.extend_from_slice(address);
                tuple.extend([end[3], end[2]]);
            }
            None => tuple.resize(tuple.len() + size + 2, 0),
        }
    }
    Some(tuple)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ebpf::Block;

    const LIMITS: Limits = Limits { snap_len: 5, text_max: 8 };

    /// The item that an operation on our own memory makes: its bytes, and whether it says that it was cut.
    fn made(op: Op, args: [u64; 6], ret: i64) -> (Option<Vec<u8>>, bool) {
        use super::super::draft::{Head, TRUNCATED, Type};
        let mut block = Block::default();
        let pid = std::process::id();
        let head = Head { ty: Type::Call, flags: 0, nr: 0, tid: pid, pid, time: 0, enter: 0, ret };
        let mut draft = Draft::new(&mut block, head);
        put(&mut draft, op, Call { tid: pid, pid, args: &args, ret }, LIMITS);
        draft.finish();
        let record = block.bytes;
        let len = u16::from_le_bytes([record[40], record[41]]);
        let bytes = (len != 0xffff).then(|| record[44..44 + usize::from(len)].to_vec());
        (bytes, record[3] & TRUNCATED != 0)
    }

    fn address<T>(of: &T) -> u64 {
        std::ptr::from_ref(of).addr() as u64
    }

    fn whole(bytes: &[u8]) -> (Option<Vec<u8>>, bool) {
        (Some(bytes.to_vec()), false)
    }

    #[test]
    fn texts_end_at_their_nul_and_are_cut_at_the_limit() {
        let (short, long) = (*b"abc\0zzzzzzzzz", *b"abcdefghijk\0");
        assert_eq!(made([1, 0, 0, 0], [address(&short), 0, 0, 0, 0, 0], 0), whole(b"abc"));
        assert_eq!(made([1, 0, 0, 0], [address(&long), 0, 0, 0, 0, 0], 0), (Some(b"abcdefg".to_vec()), true));
        assert_eq!(made([1, 0, 0, 0], [0; 6], 0), (None, false));
        assert_eq!(made([1, 0, 0, 0], [8, 0, 0, 0, 0, 0], 0), (None, false));
        assert_eq!(made([2, 1, 0, 15], [15, address(&short), 0, 0, 0, 0], 0), whole(b"abc"));
        assert_eq!(made([2, 1, 0, 15], [16, address(&short), 0, 0, 0, 0], 0), (None, false));
    }

    #[test]
    fn data_are_as_long_as_the_call_says_and_the_snap_length_allows() {
        let data = *b"0123456789";
        let args = [0, address(&data), 4, 0, 0, 0];
        for (op, ret, expected) in [
            ([3, 1, 0, 0], 3, Some(&b"012"[..])),
            ([3, 1, 0, 0], 9, Some(b"01234")),
            ([3, 1, 0, 0], 0, Some(b"")),
            ([3, 1, 0, 0], -9, None),
            ([4, 1, 2, 0], -9, Some(b"0123")),
            ([5, 1, 2, 0], -111, Some(b"0123")),
            ([10, 1, 0, 8], 0, Some(b"01234567")),
            ([10, 1, 0, 8], -1, None),
            ([99, 1, 0, 8], 0, None),
        ] {
            assert_eq!(made(op, args, ret).0.as_deref(), expected, "{op:?} {ret}");
        }
    }

    #[test]
    fn lists_of_parts_show_their_first() {
        let (data, name) = (*b"0123456789", *b"name");
        let iov = [address(&data), 4];
        assert_eq!(made([7, 1, 0, 0], [0, address(&iov), 1, 0, 0, 0], 3), whole(b"012"));
        assert_eq!(made([7, 1, 0, 0], [0, address(&iov), 1, 0, 0, 0], -1), (None, false));
        let header = [address(&name), 4, address(&iov), 1];
        let args = [0, address(&header), 0, 0, 0, 0];
        assert_eq!(made([8, 1, 0, 0], args, 4), whole(b"0123"));
        assert_eq!(made([9, 1, 0, 0], args, 4), whole(b"name"));
        let bare = [0, 0, 0, 0_u64];
        let args = [0, address(&bare), 0, 0, 0, 0];
        assert_eq!(made([8, 1, 0, 0], args, 0), whole(b""));
        assert_eq!(made([9, 1, 0, 0], args, 0), (None, false));
    }

    #[test]
    fn arrays_have_a_limit_and_addresses_their_own_length() {
        let polls = [0x0001_0000_0005_u64; 40];
        let (bytes, cut) = made([11, 0, 1, 0], [address(&polls), 40, 0, 0, 0, 0], 0);
        assert_eq!((bytes.map(|b| b.len()), cut), (Some(248), true));
        let (len, data) = (3_u32, *b"abcdef");
        assert_eq!(made([6, 0, 1, 0], [address(&data), address(&len), 0, 0, 0, 0], 0), whole(b"abc"));
        assert_eq!(made([6, 0, 1, 0], [address(&data), 0, 0, 0, 0, 0], 0), (None, false));
    }

    #[test]
    fn a_socket_has_its_ends_and_a_file_has_none() {
        use std::os::fd::AsRawFd;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (fd, port) = (client.as_raw_fd() as u64, client.local_addr().unwrap().port());
        let (bytes, _) = made([12, 0, 0, 0], [fd, 0, 0, 0, 0, 0], 0);
        let peer = listener.local_addr().unwrap().port();
        let expected = [&[2, 127, 0, 0, 1][..], &port.to_le_bytes(), &[127, 0, 0, 1], &peer.to_le_bytes()].concat();
        assert_eq!(bytes, Some(expected.clone()));
        assert_eq!(made([12, 255, 0, 0], [0; 6], fd as i64).0, Some(expected));
        assert_eq!(made([12, 255, 0, 0], [0; 6], -4).0, None);
        assert_eq!(made([12, 0, 0, 0], [0x7fff_ffff, 0, 0, 0, 0, 0], 0).0, None);
    }
}
