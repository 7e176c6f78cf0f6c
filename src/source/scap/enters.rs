//! [`Enters`]: calls that were entered and have not returned yet.

use crate::format::scap::RawEvent;
use crate::format::scap::event::Params;
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// Threads whose calls are kept; of a hostile file there may be any number.
const MAX_THREADS: usize = 262_144;
/// Bytes of all of them.
const MAX_BYTES: usize = 64 << 20;

/// A call that was entered.
#[derive(Debug, Clone, Default)]
pub(super) struct Enter {
    pub(super) number: u16,
    pub(super) time: u64,
    pub(super) num: u64,
    pub(super) cpu: u16,
    pub(super) state_only: bool,
    count: usize,
    bytes: Vec<u8>,
    is_open: bool,
}

impl Enter {
    pub(super) fn params(&self) -> Params<'_> {
        Params::of(self.number, self.count, &self.bytes)
    }
}

/// The call that each thread is in.
#[derive(Debug, Default)]
pub(super) struct Enters {
    by_tid: HashMap<u32, Enter, FixedState>,
    bytes: usize,
}

impl Enters {
    /// Takes the call that a thread is in out; its buffer may be given back with [`Enters::recycle`].
    pub(super) fn take(&mut self, tid: u32) -> Option<Enter> {
        let enter = self.by_tid.get_mut(&tid).filter(|enter| enter.is_open)?;
        self.bytes = self.bytes.saturating_sub(enter.bytes.capacity());
        Some(std::mem::take(enter))
    }

    /// Gives the buffer of a call back to its thread.
    pub(super) fn recycle(&mut self, tid: u32, enter: Enter) {
        if let Some(place) = self.by_tid.get_mut(&tid).filter(|place| !place.is_open && place.bytes.capacity() == 0) {
            self.bytes += enter.bytes.capacity();
            *place = Enter { is_open: false, ..enter };
        }
    }

    /// Keeps a call; `false` if there is no room for it.
    pub(super) fn put(&mut self, tid: u32, event: &RawEvent<'_>, num: u64) -> bool {
        let (lengths, values) = event.bytes();
        let more = lengths.len() + values.len();
        let is_new = !self.by_tid.contains_key(&tid);
        if (is_new && self.by_tid.len() >= MAX_THREADS) || self.bytes + more > MAX_BYTES {
            self.by_tid.retain(|_, enter| enter.is_open);
            self.bytes = self.by_tid.values().map(|enter| enter.bytes.capacity()).sum();
            if self.by_tid.len() >= MAX_THREADS || self.bytes + more > MAX_BYTES {
                return false;
            }
        }
        let enter = self.by_tid.entry(tid).or_default();
        let before = enter.bytes.capacity();
        enter.bytes.clear();
        enter.bytes.extend_from_slice(lengths);
        enter.bytes.extend_from_slice(values);
        self.bytes += enter.bytes.capacity().saturating_sub(before);
        (enter.number, enter.time, enter.num, enter.cpu) = (event.number, event.time, num, event.cpu);
        (enter.count, enter.is_open, enter.state_only) = (event.params.count(), true, event.state_only);
        true
    }

    /// All calls that did not return, in the order in which they were entered.
    pub(super) fn drain(&mut self) -> Vec<(u32, Enter)> {
        let mut open: Vec<(u32, Enter)> = self.by_tid.drain().filter(|(_, enter)| enter.is_open).collect();
        open.sort_by_key(|(_, enter)| enter.num);
        self.bytes = 0;
        open
    }
}
