//! The probe's records: `struct record` in `probe/layout.h`, then arguments of 8 bytes, then items.

/// Bytes before the arguments.
pub(super) const HEADER: usize = 40;
/// The most items that a record has.
pub(super) const MAX_ITEMS: usize = 9;
/// Length that says that an item could not be read.
const MISSING: u16 = 0xffff;

/// A number that whoever wrote the record could not know. The probe knows all of its own; no number of a record can be it.
pub(in crate::source) const UNKNOWN: u64 = 1 << 63;

pub(super) const COMPAT: u8 = 1;
pub(super) const TRUNCATED: u8 = 2;
pub(super) const LAST: u8 = 8;

/// What a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Call,
    Enter,
    Fork,
    Exec,
    Exit,
    Cputime,
    Signal,
    Submit,
    Complete,
    Switch,
}

/// A record whose header is known to be there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    header: &'a [u8; HEADER],
    rest: &'a [u8],
}

fn u16_at(bytes: &[u8; HEADER], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8; HEADER], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8; HEADER], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Length and time of the record that begins here, `None` if none can.
pub(super) fn peek(bytes: &[u8]) -> Option<(usize, u64)> {
    let header = bytes.first_chunk::<HEADER>()?;
    let len = usize::from(u16_at(header, 0));
    (len >= HEADER && len.is_multiple_of(8) && len <= bytes.len()).then(|| (len, u64_at(header, 16)))
}

impl<'a> Record<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Record<'a>> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        Some(Record { header, rest })
    }

    pub(super) fn header(&self) -> &'a [u8] {
        self.header
    }

    pub(super) fn kind(&self) -> Option<Type> {
        Some(match self.header[2] {
            1 => Type::Call,
            2 => Type::Enter,
            3 => Type::Fork,
            4 => Type::Exec,
            5 => Type::Exit,
            6 => Type::Cputime,
            7 => Type::Signal,
            8 => Type::Submit,
            9 => Type::Complete,
            10 => Type::Switch,
            _ => return None,
        })
    }

    pub(super) fn flags(&self) -> u8 {
        self.header[3]
    }

    pub(super) fn nr(&self) -> u16 {
        u16_at(self.header, 4)
    }

    pub(super) fn cpu(&self) -> u16 {
        u16_at(self.header, 6)
    }

    pub(super) fn tid(&self) -> u32 {
        u32_at(self.header, 8)
    }

    pub(super) fn pid(&self) -> u32 {
        u32_at(self.header, 12)
    }

    pub(super) fn time(&self) -> u64 {
        u64_at(self.header, 16)
    }

    pub(super) fn enter(&self) -> u64 {
        u64_at(self.header, 24)
    }

    pub(super) fn ret(&self) -> i64 {
        u64_at(self.header, 32) as i64
    }

    /// The n-th argument; 0 where the record is too short.
    pub(super) fn word(&self, n: usize) -> u64 {
        let bytes = self.rest.get(n * 8..n * 8 + 8).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |b| u64::from_le_bytes(*b))
    }

    /// What follows the first `words` arguments.
    pub(super) fn after(&self, words: usize) -> &'a [u8] {
        self.rest.get(words * 8..).unwrap_or_default()
    }
}

/// Takes `count` items apart; those that could not be read, or that a damaged record lacks, are `None`.
pub(super) fn items(mut bytes: &[u8], count: usize) -> [Option<&[u8]>; MAX_ITEMS] {
    let mut out = [None; MAX_ITEMS];
    for slot in out.iter_mut().take(count) {
        let Some((head, rest)) = bytes.split_first_chunk::<4>() else { break };
        let len = u16::from_le_bytes([head[0], head[1]]);
        if len == MISSING {
            bytes = rest;
            continue;
        }
        *slot = rest.get(..usize::from(len));
        bytes = rest.get(usize::from(len).next_multiple_of(4)..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_place_when_one_could_not_be_read() {
        let bytes = [3, 0, 0, 0, b'a', b'b', b'c', 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, b'z', 0, 0, 0];
        assert_eq!(items(&bytes, 4)[..4], [Some(&b"abc"[..]), None, Some(&b""[..]), Some(&b"z"[..])]);
    }

    #[test]
    fn a_cut_record_has_missing_items_and_zero_arguments() {
        let bytes = [0; HEADER + 8];
        let record = Record::new(&bytes).unwrap();
        assert_eq!(record.word(5), 0);
        assert_eq!(items(record.after(1), 3), [None; MAX_ITEMS]);
        assert_eq!(items(&[9, 0, 0, 0, 1], 1), [None; MAX_ITEMS]);
        assert!(Record::new(&bytes[..HEADER - 1]).is_none());
    }

    #[test]
    fn a_length_that_cannot_be_is_no_record() {
        let mut bytes = [0_u8; 64];
        for (len, ok) in [(0_u16, false), (32, false), (41, false), (40, true), (64, true), (72, false)] {
            bytes[..2].copy_from_slice(&len.to_le_bytes());
            assert_eq!(peek(&bytes).is_some(), ok, "{len}");
        }
    }
}
