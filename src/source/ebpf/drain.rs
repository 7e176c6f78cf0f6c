//! [`Drain`]: takes records out of the rings, in the order of their times.
//!
//! Each ring is in order. Between rings a record may become visible a moment after one that is younger, so a round
//! hands over only what is older than the clock was when the round before began: by then every older record has been
//! written, unless its processor stood still for a whole round (such a record comes late, and nothing is lost).

use super::block::Block;
use super::record::peek;
use crate::sys::{RingCounters, Rings, boot_ns};

/// What a round of [`Drain`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Records put into the block.
    pub records: u32,
    /// Their bytes.
    pub bytes: usize,
    /// The block is full: there is more for the next one, so do not sleep.
    pub more: bool,
    /// How full the fullest ring was, percent.
    pub fullest: u8,
}

/// The front of one ring.
#[derive(Debug, Clone, Copy)]
struct Front {
    processor: usize,
    time: u64,
}

/// Takes records out of the rings. Owns their mapping, so it goes on after the probe is detached.
#[derive(Debug)]
pub struct Drain {
    rings: Rings,
    fronts: Vec<Front>,
    /// The clock when the current round began, and when the one before did.
    began: u64,
    before: u64,
    in_round: bool,
    damaged: u64,
}

impl Drain {
    pub(super) fn new(rings: Rings) -> Drain {
        let fronts = Vec::with_capacity(rings.processors());
        Drain { rings, fronts, began: 0, before: 0, in_round: false, damaged: 0 }
    }

    /// Appends the records to `block` that can be in order by now. Call it again at once while [`Round::more`], else after a short sleep.
    pub fn round(&mut self, block: &mut Block) -> Round {
        if !self.in_round {
            self.before = self.began;
            self.began = boot_ns();
        }
        self.merge(block, self.before)
    }

    /// Appends all records, the newest ones too: for the end, when the probe is detached.
    pub fn finish(&mut self, block: &mut Block) -> Round {
        self.merge(block, u64::MAX)
    }

    /// Exact counts of one processor since the probe was loaded.
    pub fn counters(&self, processor: usize) -> RingCounters {
        self.rings.counters(processor)
    }

    /// Number of processors (and rings).
    pub fn processors(&self) -> usize {
        self.rings.processors()
    }

    /// Times that a ring held something that is no record; what waited there was then thrown away. Always 0 unless kernel and program disagree.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    fn merge(&mut self, block: &mut Block, watermark: u64) -> Round {
        let mut round = Round { fullest: self.look(), ..Round::default() };
        let (bytes, records) = (block.bytes.len(), block.records);
        while let Some((i, limit)) = self.next_run(watermark) {
            let processor = self.fronts[i].processor;
            if self.take_run(processor, limit, block) == 0 && block.room() < super::object::MAX_RECORD {
                round.more = true;
                break;
            }
            match self.front(processor) {
                Some(front) => self.fronts[i] = front,
                None => {
                    self.fronts.swap_remove(i);
                }
            }
        }
        self.in_round = round.more;
        round.bytes = block.bytes.len() - bytes;
        round.records = block.records - records;
        round
    }

    /// Finds the rings that hold something; returns how full the fullest is.
    fn look(&mut self) -> u8 {
        self.fronts.clear();
        let mut fullest = 0;
        for processor in 0..self.rings.processors() {
            fullest = fullest.max(self.rings.waiting(processor));
            if let Some(front) = self.front(processor) {
                self.fronts.push(front);
            }
        }
        (fullest * 100 / self.rings.ring_bytes()) as u8
    }

    fn front(&mut self, processor: usize) -> Option<Front> {
        let window = self.rings.window(processor);
        if window.starts == 0 {
            return None;
        }
        let Some((_, time)) = peek(window.bytes) else {
            self.damaged += 1;
            let all = self.rings.waiting(processor);
            self.rings.release(processor, all);
            return None;
        };
        Some(Front { processor, time })
    }

    /// The ring with the oldest record, and up to which time it stays the one; `None` when nothing is older than the watermark.
    fn next_run(&self, watermark: u64) -> Option<(usize, u64)> {
        let mut oldest = None;
        let (mut least, mut second) = (u64::MAX, u64::MAX);
        for (i, front) in self.fronts.iter().enumerate() {
            if front.time < least || oldest.is_none() {
                second = least;
                least = front.time;
                oldest = Some(i);
            } else {
                second = second.min(front.time);
            }
        }
        oldest.filter(|_| least <= watermark).map(|i| (i, second.min(watermark)))
    }

    /// Copies the ring's records up to a time, as far as they lie end to end and fit; returns the bytes.
    fn take_run(&mut self, processor: usize, limit: u64, block: &mut Block) -> usize {
        let room = block.room();
        let window = self.rings.window(processor);
        let mut at = 0;
        while at < window.starts {
            let Some((len, time)) = peek(&window.bytes[at..]) else { break };
            if time > limit || at + len > room {
                break;
            }
            at += len;
            block.records += 1;
        }
        block.bytes.extend_from_slice(&window.bytes[..at]);
        self.rings.release(processor, at);
        at
    }
}
