//! The data of a call: the operations of the probe's table, done from outside (`put_op` in `probe/op.h`).

use super::draft::Draft;
use super::exec;
use crate::source::ebpf::UNKNOWN;
use crate::sys::{read_memory, socket_ends};
use std::os::unix::fs::MetadataExt;

/// An operation (`struct op` in the probe): kind, argument, second argument or 0, size or number; then its condition.
pub(super) type Op = [u8; 8];

/// Most bytes of a socket address.
const ADDRESS: usize = 128;
/// Most elements of an array.
const ARRAY: u64 = 31;
/// Most descriptors of a set.
const BITS: u64 = 1024;
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
    pub(super) nr: u16,
    /// Of a 32-bit program.
    pub(super) compat: bool,
    pub(super) args: &'a [u64; 6],
    /// What was kept at the entry.
    pub(super) early: Option<[u8; 16]>,
    pub(super) ret: i64,
}

impl Call<'_> {
    fn at(&self, i: u8) -> u64 {
        self.args[usize::from(i.min(5))]
    }

    fn returned(&self) -> Option<usize> {
        usize::try_from(self.ret).ok()
    }

    /// Whether an operation is to be done.
    fn asks(&self, [_, _, _, _, when, shift, low, high]: Op) -> bool {
        let value = || (self.at(when - 1) as u32 >> (shift & 31)) as u8;
        when == 0 || (low..=high).contains(&value())
    }

    /// The descriptor that an operation is about: an argument, the one returned, or the first int that an argument points to.
    fn descriptor(&self, arg: u8) -> Option<i32> {
        match arg {
            RETURNED => self.returned().map(|fd| fd as i32),
            0..128 => Some(self.at(arg) as i32),
            _ => self.returned().and_then(|_| word32(self.tid, self.at(arg - 128))).map(u32::cast_signed),
        }
        .filter(|fd| *fd >= 0)
    }
}

/// Items of a vector: data, size.
const VECTOR_ITEMS: usize = 2;
/// Items of a message: data, size, name, control, files.
const MESSAGE_ITEMS: usize = 5;

/// Writes as many items as the operation has, whatever happens, so that the reader knows items by their place.
pub(super) fn put(draft: &mut Draft<'_>, op: Op, call: Call<'_>, limits: Limits) {
    let [kind, arg, second, number, ..] = op;
    let (pointer, len) = (call.at(arg & 127), call.at(second));
    let (returned, snap, number) = (call.returned(), limits.snap_len, usize::from(number));
    if !call.asks(op) {
        return skip(draft, op);
    }
    match kind {
        1 => text(draft, call.tid, pointer, limits.text_max),
        2 => draft.maybe(call.early.as_ref().map(|early| &early[..])),
        3 if number != 0 => bytes(draft, call.tid, pointer, returned.map(|n| n.saturating_mul(number).min(number))),
        3 => bytes(draft, call.tid, pointer, returned.map(|n| n.min(snap))),
        4 => bytes(draft, call.tid, pointer, Some((len as usize).min(if number == 0 { snap } else { number }))),
        5 => bytes(draft, call.tid, pointer, Some((len as usize).min(ADDRESS))),
        6 => {
            let filled = returned.filter(|_| len != 0).and_then(|_| word32(call.tid, len));
            bytes(draft, call.tid, pointer, filled.map(|n| (n as usize).min(ADDRESS)));
        }
        7 => match returned {
            Some(moved) => segments(draft, call, [pointer, len, moved as u64], snap),
            None => missing(draft, VECTOR_ITEMS),
        },
        8 => message(draft, call, pointer, number != 0, snap),
        9 => bytes(draft, call.tid, pointer, returned.map(|_| number)),
        10 => {
            if len > ARRAY {
                draft.truncated();
            }
            bytes(draft, call.tid, pointer, Some(len.min(ARRAY) as usize * 8));
        }
        11 => draft.maybe(call.descriptor(arg).and_then(|fd| tuple(call.pid, fd)).as_deref()),
        12 => draft.maybe(call.descriptor(arg).and_then(|fd| facts(call, fd)).as_ref().map(|facts| &facts[..])),
        13 => {
            let kib = exec::memory(call.pid).map(|kib| kib.map(u32::to_le_bytes).concat());
            draft.maybe(kib.as_deref());
        }
        16 => bytes(draft, call.tid, pointer, returned.map(|_| (len as usize).saturating_mul(number).min(2 * number))),
        17 => bytes(draft, call.tid, pointer, returned.map(|_| (len.min(BITS) as usize).div_ceil(64) * 8)),
        // Queues of connections and addresses in the kernel are not shown to programs.
        _ => draft.missing(),
    }
}

/// Writes that nothing was read.
pub(super) fn skip(draft: &mut Draft<'_>, op: Op) {
    let items = match op[0] {
        7 => VECTOR_ITEMS,
        8 => MESSAGE_ITEMS,
        _ => 1,
    };
    missing(draft, items);
}

fn missing(draft: &mut Draft<'_>, items: usize) {
    (0..items).for_each(|_| draft.missing());
}

/// The most of a failed exec's arguments that is looked at.
const MOST_ARGUMENTS: u64 = 64;

/// The arguments of an exec that failed, one after the other, each with its NUL.
pub(super) fn put_argv(draft: &mut Draft<'_>, call: Call<'_>, from: u64) {
    const MOST: usize = super::draft::MAX_ITEM + 1;
    let width = if call.compat { 4 } else { 8 };
    let mut all = Vec::new();
    for i in 0..MOST_ARGUMENTS {
        let mut pointer = [0; 8];
        let at = from.wrapping_add(i * width);
        let Some(()) = read(call.tid, at, &mut pointer[..width as usize]) else { break };
        let pointer = u64::from_le_bytes(pointer);
        if pointer == 0 {
            break;
        }
        let room = MOST.saturating_sub(all.len());
        if room < 2 {
            draft.truncated();
            break;
        }
        let Some((text, cut)) = read_text(call.tid, pointer, room) else { break };
        all.extend_from_slice(&text);
        all.push(0);
        if cut {
            draft.truncated();
        }
    }
    draft.long_item(&all, MOST);
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

/// What an argument points to at the entry, because the call writes over it.
pub(super) fn early(tid: u32, from: u64, len: u8) -> Option<[u8; 16]> {
    let mut kept = [0; 16];
    read(tid, from, kept.get_mut(..usize::from(len))?).map(|()| kept)
}

/// `count` numbers of 4 bytes, as 32-bit programs pass them in memory.
pub(super) fn small_words(tid: u32, from: u64, count: usize) -> Option<[u64; 6]> {
    let (mut bytes, mut words) = ([0; 24], [0; 6]);
    read(tid, from, bytes.get_mut(..count * 4)?)?;
    words.iter_mut().zip(numbers(&bytes, 4)).for_each(|(to, word)| *to = word);
    Some(words)
}

fn word32(tid: u32, from: u64) -> Option<u32> {
    let mut to = [0; 4];
    read(tid, from, &mut to).map(|()| u32::from_le_bytes(to))
}

/// Segments of which data are kept, and those whose lengths are summed up.
const AT_ONCE: u64 = 8;
const MOST_SEGMENTS: u64 = 64;

/// Numbers of `width` bytes that stand one behind the other.
fn numbers(bytes: &[u8], width: usize) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(width).map(|word| word.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

/// Two items of a list of `struct iovec`: the first bytes of what it holds, as many as were moved and the snap length
/// allows, and the sum of its lengths.
fn segments(draft: &mut Draft<'_>, call: Call<'_>, [from, count, moved]: [u64; 3], snap: usize) {
    let width = if call.compat { 4 } else { 8 };
    let mut list = vec![0; count.min(MOST_SEGMENTS) as usize * 2 * width];
    let got = if list.is_empty() { 0 } else { read_memory(call.tid, from, &mut list) };
    if got < count.min(AT_ONCE) as usize * 2 * width {
        return missing(draft, VECTOR_ITEMS);
    }
    list.truncate(got - got % (2 * width));
    let words: Vec<u64> = numbers(&list, width).collect();
    let limit = (moved as usize).min(snap).min(super::draft::MAX_ITEM);
    let mut data = Vec::new();
    for part in words.chunks_exact(2).take(AT_ONCE as usize) {
        let len = (limit - data.len()).min(part[1] as usize);
        let begun = data.len();
        data.resize(begun + len, 0);
        if len > 0 && read(call.tid, part[0], &mut data[begun..]).is_none() {
            data.truncate(begun);
            break;
        }
    }
    draft.maybe(Some(&data[..]).filter(|data| !data.is_empty() || moved == 0 || snap == 0));
    let sum = words.chunks_exact(2).fold(0_u64, |sum, part| sum.wrapping_add(part[1])).to_le_bytes();
    draft.maybe(Some(&sum[..]).filter(|_| count <= MOST_SEGMENTS));
}

/// Most bytes of control messages, and of descriptors passed.
const CONTROL: usize = 256;
const PASSED: usize = 16;

/// Five items of a `struct msghdr`, or with `many` of the first `struct mmsghdr`: data, sum of the segments' lengths, name,
/// control messages, files passed.
fn message(draft: &mut Draft<'_>, call: Call<'_>, from: u64, many: bool, snap: usize) {
    // name, its length, iov, its length, control, its length, flags; then how much was moved of an mmsghdr.
    let (width, size) = match (call.compat, many) {
        (true, _) => (4, 32),
        (false, true) => (8, 64),
        (false, false) => (8, 56),
    };
    let mut header = [0; 64];
    if call.ret < 0 || read(call.tid, from, &mut header[..size]).is_none() {
        return missing(draft, MESSAGE_ITEMS);
    }
    let words: Vec<u64> = numbers(&header, width).collect();
    let [name, name_len, iov, count, control, control_len, _, len, ..] = words[..] else {
        return missing(draft, MESSAGE_ITEMS);
    };
    let moved = if many { u64::from(len as u32) } else { call.ret.cast_unsigned() };
    segments(draft, call, [iov, count, moved], snap);
    bytes(draft, call.tid, name, Some((name_len as u32 as usize).min(ADDRESS)));
    if control == 0 || control_len == 0 {
        return missing(draft, 2);
    }
    if control_len > CONTROL as u64 {
        draft.truncated();
    }
    let mut messages = vec![0; (control_len as usize).min(CONTROL)];
    let found = read(call.tid, control, &mut messages).map(|()| &messages[..]);
    draft.maybe(found);
    let files: Vec<u8> = found.map(|found| passed(call, found)).unwrap_or_default();
    draft.maybe(Some(&files[..]).filter(|files| !files.is_empty()));
}

/// Descriptors in control messages, each with its file's device (u32) and inode (u64).
fn passed(call: Call<'_>, mut messages: &[u8]) -> Vec<u8> {
    let word = if call.compat { 4 } else { 8 };
    let mut files = Vec::new();
    for _ in 0..4 {
        // struct cmsghdr: its length, level u32, type u32.
        let (Some(head), Some(len)) = (messages.get(..word + 8), messages.first_chunk::<4>()) else { break };
        let len = u32::from_le_bytes(*len) as usize;
        if len < word + 8 || len > CONTROL {
            break;
        }
        if head[word..] == [1, 0, 0, 0, 1, 0, 0, 0] {
            let fds = messages.get(word + 8..len.min(messages.len())).unwrap_or_default();
            for fd in fds.chunks_exact(4).take(PASSED).filter_map(<[u8]>::first_chunk::<4>) {
                let (dev, ino) = file_of(call.pid, i32::from_le_bytes(*fd)).unwrap_or_default();
                files.extend_from_slice(fd);
                files.extend_from_slice(&dev.to_le_bytes());
                files.extend_from_slice(&ino.to_le_bytes());
            }
            break;
        }
        messages = messages.get(len.next_multiple_of(word)..).unwrap_or_default();
    }
    files
}

/// Device and inode of the file behind a descriptor, as programs see them.
fn file_of(pid: u32, fd: i32) -> Option<(u32, u64)> {
    let file = std::fs::metadata(format!("/proc/{pid}/fd/{fd}")).ok()?;
    Some((file.dev() as u32, file.ino()))
}

/// dev u32, created u32, ino u64. Whether an open made its file is known where it must have, or cannot have.
fn facts(call: Call<'_>, fd: i32) -> Option<[u8; 16]> {
    const ALWAYS: i32 = libc::O_CREAT | libc::O_EXCL;
    const MAYBE: i32 = libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY);
    let (dev, ino) = file_of(call.pid, fd)?;
    let flags = match (call.compat, call.nr) {
        (false, 2) | (true, 5) => Some(call.args[1] as i32),
        (false, 257) | (true, 295) => Some(call.args[2] as i32),
        _ => None,
    };
    let created = match flags {
        Some(flags) if flags & ALWAYS == ALWAYS => 1,
        Some(flags) if flags & MAYBE == 0 => 0,
        _ => (UNKNOWN >> 32) as u32,
    };
    let mut facts = [0; 16];
    facts[..4].copy_from_slice(&dev.to_le_bytes());
    facts[4..8].copy_from_slice(&created.to_le_bytes());
    facts[8..].copy_from_slice(&ino.to_le_bytes());
    Some(facts)
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

    /// The record of an operation on our own memory, as of an openat.
    fn record(op: Op, args: [u64; 6], ret: i64) -> Vec<u8> {
        use super::super::draft::{Head, Type};
        let mut block = Block::default();
        let pid = std::process::id();
        let head = Head { ty: Type::Call, flags: 0, nr: 0, tid: pid, pid, time: 0, enter: 0, ret };
        let mut draft = Draft::new(&mut block, head);
        put(&mut draft, op, Call { tid: pid, pid, nr: 257, compat: false, args: &args, early: None, ret }, LIMITS);
        draft.finish();
        block.bytes
    }

    /// Its items.
    fn items(op: Op, args: [u64; 6], ret: i64) -> Vec<Option<Vec<u8>>> {
        let record = record(op, args, ret);
        let (mut rest, mut items) = (&record[40..], Vec::new());
        while let Some((head, behind)) = rest.split_first_chunk::<4>() {
            let len = usize::from(u16::from_le_bytes([head[0], head[1]]));
            let len = Some(len).filter(|len| *len != 0xffff);
            items.push(len.map(|len| behind[..len].to_vec()));
            rest = &behind[len.unwrap_or(0).next_multiple_of(4)..];
        }
        items
    }

    /// The first of them, and whether it says that it was cut.
    fn made(op: Op, args: [u64; 6], ret: i64) -> (Option<Vec<u8>>, bool) {
        use super::super::draft::TRUNCATED;
        let cut = record(op, args, ret)[3] & TRUNCATED != 0;
        (items(op, args, ret).swap_remove(0), cut)
    }

    fn op(kind: u8, arg: u8, second: u8, number: u8) -> Op {
        [kind, arg, second, number, 0, 0, 0, 0]
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
        assert_eq!(made(op(1, 0, 0, 0), [address(&short), 0, 0, 0, 0, 0], 0), whole(b"abc"));
        assert_eq!(made(op(1, 0, 0, 0), [address(&long), 0, 0, 0, 0, 0], 0), (Some(b"abcdefg".to_vec()), true));
        assert_eq!(made(op(1, 0, 0, 0), [0; 6], 0), (None, false));
        assert_eq!(made(op(1, 0, 0, 0), [8, 0, 0, 0, 0, 0], 0), (None, false));
        let asked = |value: u64| made([1, 1, 0, 0, 1, 8, 15, 16], [value << 8, address(&short), 0, 0, 0, 0], 0);
        assert_eq!([14, 15, 16, 17].map(|value| asked(value).0.is_some()), [false, true, true, false]);
    }

    #[test]
    fn data_are_as_long_as_the_call_says_and_the_snap_length_allows() {
        let data = *b"0123456789";
        let args = [0, address(&data), 4, 0, 0, 0];
        for (op, ret, expected) in [
            (op(3, 1, 0, 0), 3, Some(&b"012"[..])),
            (op(3, 1, 0, 0), 9, Some(b"01234")),
            (op(3, 1, 0, 0), 0, Some(b"")),
            (op(3, 1, 0, 0), -9, None),
            (op(4, 1, 2, 0), -9, Some(b"0123")),
            (op(5, 1, 2, 0), -111, Some(b"0123")),
            (op(9, 1, 0, 8), 0, Some(b"01234567")),
            (op(9, 1, 0, 8), -1, None),
            (op(4, 1, 2, 3), 0, Some(b"012")),
            (op(16, 1, 2, 2), 0, Some(b"0123")),
            (op(99, 1, 0, 8), 0, None),
        ] {
            assert_eq!(made(op, args, ret).0.as_deref(), expected, "{op:?} {ret}");
        }
    }

    #[test]
    fn vectors_and_messages_are_gathered_and_summed_up() {
        let (data, more, name) = (*b"012", *b"3456789", *b"name");
        let iov = [address(&data), 3, address(&more), 7];
        let args = [0, address(&iov), 2, 0, 0, 0];
        let sum = 10_u64.to_le_bytes();
        let both = |data: &[u8]| [Some(data.to_vec()), Some(sum.to_vec())];
        assert_eq!(items(op(7, 1, 2, 0), args, 4)[..2], both(b"0123"));
        assert_eq!(items(op(7, 1, 2, 0), args, 9)[..2], both(b"01234"));
        assert_eq!(items(op(7, 1, 2, 0), args, -1)[..2], [None, None]);
        let bad = [address(&data), 3, 8, 7];
        assert_eq!(items(op(7, 1, 2, 0), [0, address(&bad), 2, 0, 0, 0], 9)[..2], both(b"012"));
        let file = tempfile::tempfile().unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file) as u64;
        let control = [20_u64, 1 << 32 | 1, fd];
        let header = [address(&name), 4, address(&iov), 2, address(&control), 20, 0, 6];
        let found = items(op(8, 1, 0, 1), [0, address(&header), 0, 0, 0, 0], 1);
        assert_eq!(found[..3], [&both(b"01234")[..], &[Some(b"name".to_vec())]].concat());
        assert_eq!(found[3].as_ref().map(Vec::len), Some(20));
        let meta = file.metadata().unwrap();
        let passed = [&(fd as u32).to_le_bytes()[..], &(meta.dev() as u32).to_le_bytes(), &meta.ino().to_le_bytes()];
        assert_eq!(found[4], Some(passed.concat()));
        let bare = [0_u64; 8];
        let found = items(op(8, 1, 0, 0), [0, address(&bare), 0, 0, 0, 0], 0);
        assert_eq!(found[..5], [Some(vec![]), Some(vec![0; 8]), None, None, None]);
    }

    #[test]
    fn who_makes_a_file_is_told_only_where_it_is_certain() {
        let file = tempfile::tempfile().unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file).into();
        for (flags, expected) in
            [(0, 0), (libc::O_CREAT | libc::O_EXCL, 1), (libc::O_CREAT, 1 << 31), (libc::O_TMPFILE, 1 << 31)]
        {
            let item = made(op(12, 255, 0, 0), [0, 0, flags as u64, 0, 0, 0], fd).0.unwrap();
            assert_eq!(item[4..8], u32::to_le_bytes(expected), "{flags:#o}");
            assert_eq!(item[8..], file.metadata().unwrap().ino().to_le_bytes());
        }
        assert_eq!(made(op(12, 255, 0, 0), [0; 6], -2).0, None);
    }

    #[test]
    fn arrays_have_a_limit_and_addresses_their_own_length() {
        let polls = [0x0001_0000_0005_u64; 40];
        let (bytes, cut) = made(op(10, 0, 1, 0), [address(&polls), 40, 0, 0, 0, 0], 0);
        assert_eq!((bytes.map(|b| b.len()), cut), (Some(248), true));
        let (len, data) = (3_u32, *b"abcdef");
        assert_eq!(made(op(6, 0, 1, 0), [address(&data), address(&len), 0, 0, 0, 0], 0), whole(b"abc"));
        assert_eq!(made(op(6, 0, 1, 0), [address(&data), 0, 0, 0, 0, 0], 0), (None, false));
    }

    #[test]
    fn a_socket_has_its_ends_and_a_file_has_none() {
        use std::os::fd::AsRawFd;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (fd, port) = (client.as_raw_fd() as u64, client.local_addr().unwrap().port());
        let (bytes, _) = made(op(11, 0, 0, 0), [fd, 0, 0, 0, 0, 0], 0);
        let peer = listener.local_addr().unwrap().port();
        let expected = [&[2, 127, 0, 0, 1][..], &port.to_le_bytes(), &[127, 0, 0, 1], &peer.to_le_bytes()].concat();
        assert_eq!(bytes, Some(expected.clone()));
        assert_eq!(made(op(11, 255, 0, 0), [0; 6], fd as i64).0, Some(expected));
        assert_eq!(made(op(11, 255, 0, 0), [0; 6], -4).0, None);
        assert_eq!(made(op(11, 0, 0, 0), [0x7fff_ffff, 0, 0, 0, 0, 0], 0).0, None);
    }
}
