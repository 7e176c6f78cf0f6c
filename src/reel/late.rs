//! The body of a Late frame: what became known of rows after they were written.
//!
//! Rows of a segment that is closed can be completed too, so readers gather the frames of a whole reel before they
//! evaluate anything.

use crate::world::{Dict, LateFact};
use std::collections::BTreeMap;

/// Facts that a reader keeps at most: a recorder asks for a thousand a second, and only while something is unknown.
const MOST: usize = 1 << 20;

/// The late facts of a reel.
#[derive(Debug, Default)]
pub(super) struct LateFacts {
    /// By reel and the number of the segment whose rows they are about; segment 0: about ids.
    by_segment: BTreeMap<(u32, u32), Vec<LateFact>>,
    count: usize,
}

impl LateFacts {
    /// Takes the facts of a frame in, which stands in that reel of the file and in the segment of that number.
    pub(super) fn add(&mut self, (part, segment): (u32, u32), facts: Vec<LateFact>) {
        for fact in facts {
            let about = if fact.is_of_a_segment() { segment.checked_sub(fact.back) } else { Some(0) };
            if let Some(about) = about.filter(|_| self.count < MOST) {
                self.by_segment.entry((part, about)).or_default().push(fact);
                self.count += 1;
            }
        }
    }

    /// Completes the whole dictionary of a segment, oldest fact first: the last one wins.
    pub(super) fn tell(&self, (part, segment): (u32, u32), dict: &mut Dict) {
        for about in [(part, 0), (part, segment)] {
            self.by_segment.get(&about).into_iter().flatten().for_each(|fact| dict.tell(fact));
        }
    }

    /// Rows that the recorder marked as doubtful.
    pub(super) fn doubtful(&self) -> u64 {
        self.by_segment.values().flatten().map(LateFact::doubtful).fold(0, u64::saturating_add)
    }
}
