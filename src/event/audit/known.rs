//! [`Known`]: values that are JSON and come again and again (accounts, annotations, addresses), so that they are not read anew.

use super::part::AuditPart;
use foldhash::fast::FixedState;
use std::hash::BuildHasher;
use std::ops::Range;

/// Values of a part for one user, the one that was met last first.
const WAYS: usize = 4;
/// Users that are told apart, by hash.
const SETS: usize = 64;
/// Parts whose values are remembered.
const PARTS: [AuditPart; 5] = [AuditPart::Account, AuditPart::Ips, AuditPart::As, AuditPart::Status, AuditPart::Notes];
/// Longer values are not remembered.
const LONGEST: usize = 2048;

/// What begins most accounts.
const USERNAME: &[u8] = b"{\"username\":\"";

/// A value that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Entry {
    /// Its text: a whole JSON value that begins with a bracket, so no other value begins with it.
    pub(super) raw: Vec<u8>,
    /// Of an account: with a mark for the name; of any other nothing.
    pub(super) made: Vec<u8>,
    /// Where the name stands in an account.
    pub(super) user: Range<usize>,
    /// Of a status.
    pub(super) code: Option<i64>,
}

/// Values that were read.
#[derive(Default)]
pub(super) struct Known {
    sets: Vec<[Entry; WAYS]>,
    /// Hash of the user of the event at hand.
    user: u64,
}

impl Known {
    /// Begins an event.
    pub(super) fn clear(&mut self) {
        self.user = 0;
    }

    /// The value of a part that begins a text, if it was met.
    pub(super) fn find(&mut self, part: AuditPart, text: &[u8]) -> Option<&Entry> {
        if part == AuditPart::Account {
            self.user = text
                .strip_prefix(USERNAME)
                .and_then(|rest| memchr::memchr(b'"', rest).map(|end| FixedState::default().hash_one(&rest[..end])))
                .unwrap_or(0);
        }
        let set = self.set(part)?;
        let way = set.iter().position(|entry| !entry.raw.is_empty() && text.starts_with(&entry.raw))?;
        if way > 0 {
            set.swap(way, way - 1);
        }
        set.get(way.saturating_sub(1))
    }

    /// Remembers the text of a part's value in place of what was met longest ago; what else is known of it is for the caller to say. `None`:
    /// it is not remembered.
    pub(super) fn keep(&mut self, part: AuditPart, raw: &[u8]) -> Option<&mut Entry> {
        let is_closed = matches!(raw.first(), Some(b'{' | b'['));
        if !is_closed || raw.len() > LONGEST {
            return None;
        }
        if self.sets.is_empty() {
            self.sets.resize_with(PARTS.len() * SETS, Default::default);
        }
        let set = self.set(part)?;
        set.rotate_right(1);
        let entry = set.first_mut()?;
        entry.raw.clear();
        entry.raw.extend_from_slice(raw);
        entry.made.clear();
        (entry.user, entry.code) = (0..0, None);
        Some(entry)
    }

    fn set(&mut self, part: AuditPart) -> Option<&mut [Entry; WAYS]> {
        let place = PARTS.iter().position(|&known| known == part)?;
        self.sets.get_mut(place * SETS + (self.user % SETS as u64) as usize)
    }
}
