//! [`Seen`]: which events were there already.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Events that are remembered at least; twice as many at most. They take 17 bytes each, and more while the set grows.
const KEPT: usize = 1 << 20;

/// Remembers what was there, newest first: webhooks and rotated files repeat what is not long ago.
///
/// An audit id alone says little, since a client may choose it (`Audit-ID`).
#[derive(Default)]
pub(super) struct Seen {
    new: HashSet<Key, foldhash::fast::FixedState>,
    old: HashSet<Key, foldhash::fast::FixedState>,
    hasher: RandomState,
    reused: Option<Reused>,
}

/// The first bytes of an audit id, which is random where an API server made it, and a hash of the whole identity. That is `SipHash` with a key
/// which nobody outside of this process knows, so who chooses an audit id cannot choose a URI that is taken for another one's.
type Key = [u64; 2];

/// Whose audit ids are watched: which request had each.
#[derive(Default)]
struct Reused {
    new: HashMap<u64, u64, foldhash::fast::FixedState>,
    old: HashMap<u64, u64, foldhash::fast::FixedState>,
}

/// Whether an event was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is new.
    No,
    /// It is new, and its audit id is one that another request had.
    Reused,
    /// It was there.
    Yes,
}

impl Seen {
    /// Watches audit ids, too: [`Known::Reused`].
    #[cfg(feature = "linux")]
    pub(super) fn watch_ids(&mut self) {
        self.reused.get_or_insert_default();
    }

    /// Notes an event by its audit id, stage, time of the request and URI; says whether it is new.
    pub(super) fn know(&mut self, id: &[u8], stage: &[u8], received: u64, uri: &[u8]) -> Known {
        let mut hasher = self.hasher.build_hasher();
        for part in [id, stage, uri] {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.write_u64(received);
        let first = id.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let key = [first, hasher.finish()];
        if self.old.contains(&key) || !self.new.insert(key) {
            return Known::Yes;
        }
        if self.new.len() >= KEPT {
            self.old = std::mem::take(&mut self.new);
        }
        let is_reused = self.reused.as_mut().is_some_and(|reused| reused.is_other(id, received, uri));
        if is_reused { Known::Reused } else { Known::No }
    }
}

impl Reused {
    /// Notes the request of an audit id; says whether another one had it, the first time that is seen.
    fn is_other(&mut self, id: &[u8], received: u64, uri: &[u8]) -> bool {
        let short = |hash: blake3::Hash| {
            let mut word = [0; 8];
            word.copy_from_slice(&hash.as_bytes()[..8]);
            u64::from_le_bytes(word)
        };
        let request = short(blake3::hash(&[uri, &received.to_le_bytes()].concat()));
        let id = short(blake3::hash(id));
        let before = self.new.get(&id).or_else(|| self.old.get(&id)).copied();
        if self.new.len() >= KEPT / 2 {
            self.old = std::mem::take(&mut self.new);
        }
        // Once told, an id is not told again.
        let is_other = before.is_some_and(|before| before != request && before != 0);
        self.new.insert(id, if is_other || before == Some(0) { 0 } else { request });
        is_other
    }
}
