//! [`Draft`]: a record as the probe writes it (`struct record` in `probe/layout.h`).

use crate::source::ebpf::Block;

/// The most bytes of one record; `MAX_RECORD` in the probe.
pub(super) const MAX_RECORD: usize = 58_368;
/// No item is longer (`MAX_ITEM` in the probe, less what the longest text needs for its NUL).
pub(super) const MAX_ITEM: usize = 4095;
/// Most bytes of a new program's arguments, and of its environment; one less than in the probe, which counts a NUL.
pub(super) const MAX_ARGV: usize = 32_767;
pub(super) const MAX_ENV: usize = 16_383;
/// Length that says that an item could not be read.
const MISSING: u16 = 0xffff;

/// `enum record_flags`.
pub(super) const COMPAT: u8 = 1;
pub(super) const TRUNCATED: u8 = 2;
pub(super) const LATE_ENTER: u8 = 4;
pub(super) const LAST: u8 = 8;

/// `enum record_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Call = 1,
    Enter,
    Fork,
    Exec,
    Exit,
    Cputime,
    Signal,
}

/// The fixed part of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) ty: Type,
    pub(super) flags: u8,
    pub(super) nr: u16,
    pub(super) tid: u32,
    pub(super) pid: u32,
    /// Boot clock, ns.
    pub(super) time: u64,
    /// The same, of the entry.
    pub(super) enter: u64,
    pub(super) ret: i64,
}

/// A record that is being written at the end of a block.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    block: &'a mut Block,
    start: usize,
}

impl<'a> Draft<'a> {
    pub(super) fn new(block: &'a mut Block, head: Head) -> Draft<'a> {
        let start = block.bytes.len();
        let bytes = &mut block.bytes;
        bytes.extend_from_slice(&[0, 0, head.ty as u8, head.flags]);
        bytes.extend_from_slice(&head.nr.to_le_bytes());
        // A tracer does not learn on which processor its tracee runs.
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&head.tid.to_le_bytes());
        bytes.extend_from_slice(&head.pid.to_le_bytes());
        bytes.extend_from_slice(&head.time.to_le_bytes());
        bytes.extend_from_slice(&head.enter.to_le_bytes());
        bytes.extend_from_slice(&head.ret.to_le_bytes());
        Draft { block, start }
    }

    pub(super) fn words(&mut self, words: &[u64]) {
        for word in words {
            self.block.bytes.extend_from_slice(&word.to_le_bytes());
        }
    }

    /// Bytes without a length, such as a thread's name.
    pub(super) fn plain(&mut self, bytes: &[u8]) {
        self.block.bytes.extend_from_slice(bytes);
    }

    /// An item; of one that is too long, what fits.
    pub(super) fn item(&mut self, bytes: &[u8]) {
        self.long_item(bytes, MAX_ITEM);
    }

    /// An item that may be longer than others are; of one that is longer than `max`, what fits.
    pub(super) fn long_item(&mut self, bytes: &[u8], max: usize) {
        let kept = &bytes[..bytes.len().min(max)];
        if kept.len() < bytes.len() {
            self.truncated();
        }
        self.block.bytes.extend_from_slice(&(kept.len() as u16).to_le_bytes());
        self.block.bytes.extend_from_slice(&[0, 0]);
        self.block.bytes.extend_from_slice(kept);
        self.pad(4);
    }

    /// An item, or that it could not be read.
    pub(super) fn maybe(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.item(bytes),
            None => self.missing(),
        }
    }

    pub(super) fn missing(&mut self) {
        self.block.bytes.extend_from_slice(&MISSING.to_le_bytes());
        self.block.bytes.extend_from_slice(&[0, 0]);
    }

    /// Notes that something was cut.
    pub(super) fn truncated(&mut self) {
        self.block.bytes[self.start + 3] |= TRUNCATED;
    }

    pub(super) fn finish(mut self) {
        self.pad(8);
        let len = (self.block.bytes.len() - self.start) as u16;
        self.block.bytes[self.start..self.start + 2].copy_from_slice(&len.to_le_bytes());
        self.block.records += 1;
    }

    fn pad(&mut self, to: usize) {
        let len = self.block.bytes.len() - self.start;
        self.block.bytes.resize(self.start + len.next_multiple_of(to), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Arg, Event, kinds};
    use crate::source::ebpf::{Decoder, Incoming, Plans};
    use crate::sys::ClockPair;
    use std::sync::Arc;

    #[test]
    fn the_decoder_reads_what_is_written() {
        let mut block = Block::default();
        let (nr, ret) = (kinds::READ.spec().x86_64.unwrap(), 3);
        let head = Head { ty: Type::Call, flags: 0, nr, tid: 8, pid: 7, time: 30, enter: 10, ret };
        for data in [Some(&b"abc"[..]), None] {
            let mut draft = Draft::new(&mut block, head);
            draft.words(&[5, 0, 4096]);
            draft.maybe(data);
            draft.finish();
        }
        let mut decoder = Decoder::new(Arc::new(Plans::new()), ClockPair { boot: 0, utc: 1000 });
        let mut seen = Vec::new();
        for record in &block {
            let mut event = Event::default();
            assert_eq!(decoder.decode(record, &mut event), Some(Incoming::Event));
            assert_eq!((event.tid, event.pid, event.time, event.duration), (8, 7, 1030, Some(20)));
            assert_eq!(event.args[1], Arg::Int(5));
            seen.push(event.args[0].bytes().map(<[u8]>::to_vec));
        }
        assert_eq!((seen, block.records), (vec![Some(b"abc".to_vec()), None], 2));
    }

    #[test]
    fn the_longest_record_fits_and_says_that_it_was_cut() {
        let mut block = Block::default();
        let head = Head { ty: Type::Exec, flags: 0, nr: 0, tid: 1, pid: 1, time: 0, enter: 0, ret: 0 };
        let mut draft = Draft::new(&mut block, head);
        draft.words(&[0; 26]);
        for _ in 0..2 {
            draft.item(&[b'x'; 5000]);
        }
        draft.long_item(&vec![b'x'; 60_000], MAX_ARGV);
        draft.long_item(&vec![b'x'; 60_000], MAX_ENV);
        draft.finish();
        assert!(block.bytes.len() <= MAX_RECORD, "{}", block.bytes.len());
        assert_eq!(block.iter().next().unwrap()[3], TRUNCATED);
    }
}
