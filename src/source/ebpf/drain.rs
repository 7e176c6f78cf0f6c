//! [`Drain`]: takes records out of the rings, in the order of their times.
//!
//! Each ring is in order. Between rings a record may become visible a moment after one that is younger, so a round
//! hands over only what is older than the clock was when the round before began: by then every older record has been
//! written, unless its processor stood still for a whole round (such a record comes late, and nothing is lost).

use super::block::Block;
use super::record::peek;
use crate::sys::{self, RingCounters, Rings, WakeOn, Woken, boot_ns};
use aya::maps::{MapData, RingBuf};
use std::os::fd::AsFd;
use std::time::Duration;

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
pub struct Drain {
    rings: Rings,
    /// Wakes us when there is much to take.
    bell: Option<RingBuf<MapData>>,
    fronts: Vec<Front>,
    /// The clock when the current round began, and when the one before did.
    began: u64,
    before: u64,
    in_round: bool,
    damaged: u64,
}

impl Drain {
    pub(super) fn new(rings: Rings, bell: Option<RingBuf<MapData>>) -> Drain {
        let fronts = Vec::with_capacity(rings.processors());
        Drain { rings, bell, fronts, began: 0, before: 0, in_round: false, damaged: 0 }
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

    /// From here on the probe wakes us: a [`Drain::sleep`] that follows is short.
    pub fn falls_asleep(&self, wake_on: WakeOn) {
        self.rings.falls_asleep(wake_on);
    }

    /// Sleeps at most so long, unless what `wake_on` names happens. Says whether it did.
    pub fn sleep(&mut self, longest: Duration, wake_on: WakeOn) -> bool {
        self.falls_asleep(wake_on);
        let bell = self.bell.as_ref().map(AsFd::as_fd);
        let is_rung = sys::pause(bell, longest) == Woken::Descriptor;
        while is_rung && self.bell.as_mut().is_some_and(|bell| bell.next().is_some()) {}
        is_rung
    }

    /// Exact counts of one processor since the probe was loaded.
    pub fn counters(&self, processor: usize) -> RingCounters {
        self.rings.counters(processor)
    }

    /// Number of processors (and rings).
    pub fn processors(&self) -> usize {
        self.rings.processors()
    }

    /// Up to when everything has been handed on, ns on the boot clock, once a round left nothing.
    pub fn watermark(&self) -> u64 {
        self.before
    }

    /// Bytes of each ring.
    pub fn ring_bytes(&self) -> usize {
        self.rings.ring_bytes()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::SLACK;
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileExt;

    const RING: usize = 4096;

    /// The kernel's side of two rings, with files for its maps.
    struct Kernel {
        headers: File,
        data: File,
        heads: [u64; 2],
    }

    impl Kernel {
        fn new() -> (Kernel, Drain) {
            let (headers, data) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
            headers.set_len(4096).unwrap();
            data.set_len(((RING + SLACK) * 2).next_multiple_of(4096) as u64).unwrap();
            let drain = Drain::new(Rings::map(headers.as_fd(), data.as_fd(), 2, RING).unwrap(), None);
            (Kernel { headers, data, heads: [0; 2] }, drain)
        }

        fn write(&mut self, processor: usize, time: u64, len: usize) {
            let mut record = vec![0; len];
            record[..2].copy_from_slice(&(len as u16).to_le_bytes());
            record[16..24].copy_from_slice(&time.to_le_bytes());
            self.write_bytes(processor, &record);
        }

        fn write_bytes(&mut self, processor: usize, record: &[u8]) {
            let at = processor * (RING + SLACK) + (self.heads[processor] as usize & (RING - 1));
            self.data.write_all_at(record, at as u64).unwrap();
            self.heads[processor] += record.len() as u64;
            self.headers.write_all_at(&self.heads[processor].to_le_bytes(), (processor * 128) as u64).unwrap();
        }
    }

    fn times(block: &Block) -> Vec<u64> {
        block.iter().map(|r| peek(r).unwrap().1).collect()
    }

    #[test]
    fn records_of_two_rings_come_in_the_order_of_their_times() {
        let (mut kernel, mut drain) = Kernel::new();
        for (processor, time) in [(0, 1), (0, 4), (1, 2), (1, 3), (0, 9), (1, 5)] {
            kernel.write(processor, time, 48);
        }
        let mut block = Block::default();
        let round = drain.finish(&mut block);
        assert_eq!((round.records, round.bytes, round.more), (6, 6 * 48, false));
        assert_eq!(times(&block), [1, 2, 3, 4, 5, 9]);
    }

    #[test]
    fn what_is_newer_than_the_round_before_waits() {
        let (mut kernel, mut drain) = Kernel::new();
        kernel.write(0, 1, 48);
        kernel.write(1, u64::MAX, 48);
        let mut block = Block::default();
        assert_eq!(drain.round(&mut block).records, 0, "there was no round before");
        assert_eq!(drain.round(&mut block).records, 1);
        assert_eq!(drain.finish(&mut block).records, 1);
        assert_eq!(times(&block), [1, u64::MAX]);
    }

    #[test]
    fn records_cross_the_end_of_the_ring_many_times() {
        let (mut kernel, mut drain) = Kernel::new();
        let mut seen = Vec::new();
        for time in 0..500 {
            kernel.write(0, time, 40 + (time as usize * 56) % 1000 / 8 * 8);
            let mut block = Block::default();
            drain.finish(&mut block);
            seen.extend(times(&block));
        }
        assert_eq!(seen, (0..500).collect::<Vec<_>>());
        assert!(kernel.heads[0] > 10 * RING as u64);
    }

    #[test]
    fn a_full_block_says_that_there_is_more() {
        let (mut kernel, mut drain) = Kernel::new();
        kernel.write(0, 1, 2048);
        kernel.write(0, 2, 2048);
        let mut block = Block::default();
        block.bytes.resize(super::super::BLOCK_BYTES - 3000, 0);
        let first = drain.finish(&mut block);
        assert_eq!((first.records, first.more, first.fullest), (1, true, 100));
        block.clear();
        let second = drain.finish(&mut block);
        assert_eq!((second.records, second.more), (1, false));
    }

    #[test]
    fn what_is_no_record_empties_its_ring_and_is_counted() {
        let (mut kernel, mut drain) = Kernel::new();
        kernel.write_bytes(0, &[0; 64]);
        kernel.write(1, 7, 48);
        let mut block = Block::default();
        assert_eq!(drain.finish(&mut block).records, 1);
        assert_eq!(drain.damaged(), 1);
        kernel.write(0, 8, 48);
        assert_eq!(drain.finish(&mut block).records, 1, "the ring goes on");
    }
}
