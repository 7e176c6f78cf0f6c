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

/// A record whose header is known to be there. Two words, so that it is handed on in registers: one that was put together in
/// memory and read as a whole waits for all that was written before it, and what events are written into is mostly cold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    bytes: &'a [u8],
}

/// Length and time of the record that begins here, `None` if none can.
pub(super) fn peek(bytes: &[u8]) -> Option<(usize, u64)> {
    let record = Record::new(bytes)?;
    let len = usize::from(u16::from_le_bytes(record.at(0)));
    (len >= HEADER && len.is_multiple_of(8) && len <= bytes.len()).then(|| (len, record.time()))
}

impl<'a> Record<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Record<'a>> {
        (bytes.len() >= HEADER).then_some(Record { bytes })
    }

    /// Its bytes, to be kept.
    pub(super) fn to_vec(self) -> Vec<u8> {
        self.bytes.to_vec()
    }

    fn at<const N: usize>(&self, at: usize) -> [u8; N] {
        self.bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
    }

    pub(super) fn kind(&self) -> Option<Type> {
        Some(match self.bytes[2] {
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
        self.bytes[3]
    }

    pub(super) fn nr(&self) -> u16 {
        u16::from_le_bytes(self.at(4))
    }

    pub(super) fn cpu(&self) -> u16 {
        u16::from_le_bytes(self.at(6))
    }

    pub(super) fn tid(&self) -> u32 {
        u32::from_le_bytes(self.at(8))
    }

    pub(super) fn pid(&self) -> u32 {
        u32::from_le_bytes(self.at(12))
    }

    pub(super) fn time(&self) -> u64 {
        u64::from_le_bytes(self.at(16))
    }

    pub(super) fn enter(&self) -> u64 {
        u64::from_le_bytes(self.at(24))
    }

    pub(super) fn ret(&self) -> i64 {
        i64::from_le_bytes(self.at(32))
    }

    /// The n-th argument; 0 where the record is too short.
    pub(super) fn word(&self, n: usize) -> u64 {
        u64::from_le_bytes(self.at(HEADER + n * 8))
    }

    /// What follows the first `words` arguments.
    pub(super) fn after(&self, words: usize) -> &'a [u8] {
        self.bytes.get(HEADER + words * 8..).unwrap_or_default()
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
