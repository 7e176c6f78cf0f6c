//! [`Held`]: events wait a little, so that they leave in order of time.

use crate::event::{Arg, Args, Event};
use crate::sys::prefetch;
use std::collections::VecDeque;

/// Events that wait at most, and their bytes.
const EVENTS: usize = 16_384;
const BYTES: usize = 24 << 20;

/// Bytes of a buffer that is kept for the next event: most have fewer at Metadata level, and as many buffers as events may wait.
const SPARE: usize = 1 << 10;

/// Room for an event's bytes is a multiple of this, so that buffers soon have room for whatever comes.
const ROOM: usize = 256;

/// Bytes of a cache line.
const LINE: usize = 64;

/// An event with its bytes in one piece.
#[derive(Default)]
struct Slot {
    time: u64,
    duration: Option<u64>,
    args: Vec<Kept>,
    bytes: Vec<u8>,
}

impl Slot {
    /// Has all of it brought near.
    fn fetch(&self) {
        (0..self.args.len()).step_by(LINE / size_of::<Kept>()).for_each(|at| prefetch(&self.args, at));
        (0..self.bytes.len()).step_by(LINE).for_each(|at| prefetch(&self.bytes, at));
    }
}

#[derive(Clone, Copy)]
enum Kept {
    Missing,
    Int(i64),
    Bytes(u32, u32),
}

/// Events that wait: log lines are written when requests are answered, not when they happened.
#[derive(Default)]
pub(super) struct Held {
    /// Times and places of those that wait, in the order in which they leave: what came first of one time is before the others.
    order: VecDeque<(u64, u32)>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    bytes: usize,
}

impl Held {
    pub(super) fn put(&mut self, event: &Event<'_>) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[place as usize];
        (slot.time, slot.duration) = (event.time, event.duration);
        slot.args.clear();
        slot.bytes.clear();
        let length: usize = event.args.iter().filter_map(|arg| arg.bytes()).map(<[u8]>::len).sum();
        slot.bytes.reserve_exact(length.next_multiple_of(ROOM));
        for arg in &event.args {
            slot.args.push(match arg {
                Arg::Missing => Kept::Missing,
                Arg::Int(number) => Kept::Int(*number),
                Arg::Bytes(bytes) => {
                    let start = slot.bytes.len() as u32;
                    slot.bytes.extend_from_slice(bytes);
                    Kept::Bytes(start, slot.bytes.len() as u32)
                }
            });
        }
        self.bytes += slot.bytes.len();
        // Most lines are nearly in order: where they are not, fewer than wait are moved by one.
        if self.order.back().is_none_or(|(last, _)| *last <= event.time) {
            self.order.push_back((event.time, place));
        } else {
            let at = self.order.partition_point(|(time, _)| *time <= event.time);
            self.order.insert(at, (event.time, place));
        }
    }

    /// Whether more wait than should.
    #[cfg(feature = "linux")]
    pub(super) fn is_full(&self) -> bool {
        self.order.len() > EVENTS || self.bytes > BYTES
    }

    /// Whether none waits.
    #[cfg(feature = "linux")]
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Gives the earliest to `each` while too many wait; `all`: until none does.
    pub(super) fn leave<E>(&mut self, all: bool, mut each: impl FnMut(&Event<'_>) -> Result<(), E>) -> Result<(), E> {
        while all || self.order.len() > EVENTS || (self.bytes > BYTES && self.order.len() > 1) {
            let Some((_, place)) = self.order.pop_front() else { break };
            // As many events as wait are further back than any cache reaches.
            if let Some((_, next)) = self.order.front() {
                self.slots[*next as usize].fetch();
            }
            let slot = &mut self.slots[place as usize];
            self.bytes -= slot.bytes.len();
            let args: Args<'_> = slot
                .args
                .iter()
                .map(|kept| match *kept {
                    Kept::Missing => Arg::Missing,
                    Kept::Int(number) => Arg::Int(number),
                    Kept::Bytes(start, end) => Arg::Bytes(&slot.bytes[start as usize..end as usize]),
                })
                .collect();
            let head = crate::event::audit_head(slot.time, slot.duration);
            each(&Event { args, ..head })?;
            if slot.bytes.capacity() > SPARE {
                slot.bytes = Vec::new();
            }
            self.free.push(place);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::audit_head;

    /// Times at which events leave, and as durations when they came.
    fn left(times: &[u64]) -> Vec<(u64, u64)> {
        let (mut held, mut left) = (Held::default(), Vec::new());
        let mut each = |event: &Event<'_>| {
            left.push((event.time, event.duration.unwrap()));
            Ok::<_, std::convert::Infallible>(())
        };
        for (n, &time) in (0..).zip(times) {
            held.put(&audit_head(time, Some(n)));
            let Ok(()) = held.leave(false, &mut each);
        }
        let Ok(()) = held.leave(true, &mut each);
        left
    }

    #[test]
    fn events_leave_in_order_of_time_and_those_of_one_time_as_they_came() {
        let falling: Vec<u64> = (0..500).rev().map(|n| n / 3).collect();
        let mixed: Vec<u64> = (0..3 * EVENTS as u64).map(|n| n / 4 + n * n % 97).collect();
        for times in [vec![], vec![5], vec![7; 100], falling, mixed] {
            let mut want: Vec<(u64, u64)> = times.iter().copied().zip(0..).collect();
            want.sort_unstable();
            assert_eq!(left(&times), want);
        }
    }
}
