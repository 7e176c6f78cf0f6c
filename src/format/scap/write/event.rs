//! [`EventBlock`]: one event, put together parameter by parameter.

use super::frame::block;
use crate::format::scap::block::{Block, FRAMING, SMALL_EVENT, STATE_ONLY};
use crate::format::scap::event_type;

/// Bytes of an event before the lengths of its parameters.
const HEAD: usize = 26;
/// The most bytes that the parameters of an event that is no large one may have: the block around them and its padding
/// must fit too, and room for their lengths is taken for 40 of them.
const SMALL: usize = SMALL_EVENT - FRAMING - 2 - 4 - HEAD - 80 - 4;
/// The most bytes of the parameters of a large event.
const LARGE: usize = 16 << 20;

/// Where and when an event was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Processor.
    pub cpu: u16,
    /// ns UTC.
    pub time: u64,
    /// Thread.
    pub tid: u64,
    /// It changes the state, and is not shown.
    pub hidden: bool,
}

/// An event that is being put together. Buffers are used again.
#[derive(Debug, Default)]
pub struct EventBlock {
    number: u16,
    wide: bool,
    lengths: Vec<u32>,
    data: Vec<u8>,
}

impl EventBlock {
    /// Begins an event of a type.
    pub fn begin(&mut self, number: u16) {
        self.number = number;
        self.wide = event_type(number).is_some_and(|t| t.length_width() == 4);
        self.lengths.clear();
        self.data.clear();
    }

    /// Bytes that further parameters may have.
    pub fn room(&self) -> usize {
        (if self.wide { LARGE } else { SMALL }).saturating_sub(self.data.len())
    }

    /// Number of parameters so far.
    pub fn params(&self) -> usize {
        self.lengths.len()
    }

    /// Adds a parameter, which `value` appends; at most as many bytes of it as there is [room](EventBlock::room) for are
    /// kept.
    pub fn param<T>(&mut self, value: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let (start, room) = (self.data.len(), self.room());
        let result = value(&mut self.data);
        self.data.truncate(start + room);
        self.lengths.push((self.data.len() - start) as u32);
        result
    }

    /// Takes the parameters back that are behind the first `count`.
    pub fn cut(&mut self, count: usize) {
        let gone: u32 = self.lengths.drain(count.min(self.lengths.len())..).sum();
        self.data.truncate(self.data.len() - gone as usize);
    }

    /// Appends the block.
    pub fn finish(&self, out: &mut Vec<u8>, at: Stamp) {
        let kind = Block::Event { flags: at.hidden, counted: true, large: self.wide };
        block(out, kind, |out| {
            let width = if self.wide { 4 } else { 2 };
            let length = HEAD + width * self.lengths.len() + self.data.len();
            out.extend(at.cpu.to_le_bytes());
            if at.hidden {
                out.extend(STATE_ONLY.to_le_bytes());
            }
            out.extend(at.time.to_le_bytes());
            out.extend(at.tid.to_le_bytes());
            out.extend((length as u32).to_le_bytes());
            out.extend(self.number.to_le_bytes());
            out.extend((self.lengths.len() as u32).to_le_bytes());
            for length in &self.lengths {
                out.extend_from_slice(&length.to_le_bytes()[..width]);
            }
            out.extend_from_slice(&self.data);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(hidden: bool) -> Stamp {
        Stamp { cpu: 3, time: 5, tid: 7, hidden }
    }

    #[test]
    fn a_small_event_has_lengths_of_two_bytes() {
        let mut event = EventBlock::default();
        event.begin(5);
        event.param(|out| out.extend(b"abcdefgh"));
        event.param(|_| ());
        let mut out = Vec::new();
        event.finish(&mut out, stamp(false));
        let expected = b"\x16\x02\0\0\x34\0\0\0\x03\0\
            \x05\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x26\0\0\0\x05\0\x02\0\0\0\x08\0\0\0abcdefgh\x34\0\0\0";
        assert_eq!(out, expected);
    }

    #[test]
    fn a_hidden_event_has_flags_and_a_large_one_lengths_of_four_bytes() {
        let mut event = EventBlock::default();
        event.begin(324);
        event.param(|out| out.resize(70_000, b'x'));
        let mut out = Vec::new();
        event.finish(&mut out, stamp(true));
        assert_eq!((out[..2].to_vec(), out[10]), (vec![0x22, 2], 1));
        assert_eq!(out[14..22], 5u64.to_le_bytes());
        assert_eq!(out[40..44], 70_000u32.to_le_bytes());
    }

    #[test]
    fn what_does_not_fit_a_small_block_is_cut() {
        let mut event = EventBlock::default();
        event.begin(7);
        event.param(|out| out.extend([0; 8]));
        event.param(|out| out.extend(vec![1; 100_000]));
        event.param(|out| out.extend([0; 8]));
        assert_eq!(event.room(), 0);
        let mut out = Vec::new();
        event.finish(&mut out, stamp(false));
        assert!(out.len() <= SMALL_EVENT, "{}", out.len());
        event.cut(1);
        let mut out = Vec::new();
        event.finish(&mut out, stamp(false));
        assert_eq!((event.params(), out.len()), (1, 12 + 2 + 26 + 2 + 8 + 2));
    }
}
