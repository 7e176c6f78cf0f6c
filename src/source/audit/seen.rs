//! [`Seen`]: which events were there already.

use std::collections::HashSet;

/// Events that are remembered at least; twice as many at most. They take 17 bytes each, and more while the set grows.
const KEPT: usize = 1 << 20;

/// Remembers what was there, newest first: webhooks and rotated files repeat what is not long ago.
///
/// An audit id alone says little, since a client may choose it (`Audit-ID`).
#[derive(Default)]
pub(super) struct Seen {
    new: HashSet<[u8; 16], foldhash::fast::FixedState>,
    old: HashSet<[u8; 16], foldhash::fast::FixedState>,
    text: Vec<u8>,
}

impl Seen {
    /// Notes an event by its audit id, stage, time of the request and URI; says whether it is new. The hash is one that
    /// nobody finds a second text for.
    pub(super) fn is_new(&mut self, id: &[u8], stage: &[u8], received: u64, uri: &[u8]) -> bool {
        // In one piece it is hashed in half the time.
        self.text.clear();
        for part in [id, stage, uri] {
            self.text.extend_from_slice(&(part.len() as u32).to_le_bytes());
            self.text.extend_from_slice(part);
        }
        self.text.extend_from_slice(&received.to_le_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(&self.text).as_bytes()[..16]);
        if self.old.contains(&key) || !self.new.insert(key) {
            return false;
        }
        if self.new.len() >= KEPT {
            self.old = std::mem::take(&mut self.new);
        }
        true
    }
}
