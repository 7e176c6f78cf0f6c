//! The body of a Late frame: what became known of rows after they were written.
//!
//! Rows of a segment that is closed can be completed too, so readers gather the frames of a whole reel before they
//! evaluate anything.

use crate::world::{Dict, LateFact, Roster};
use std::collections::BTreeMap;

/// Facts that a reader keeps at most: a recorder asks for a thousand a second, and only while something is unknown.
const MOST: usize = 1 << 20;

/// The late facts of a reel.
#[derive(Debug, Default)]
pub(super) struct LateFacts {
    /// By reel and the number of the segment whose rows they are about; segment 0: about ids.
    by_segment: BTreeMap<(u32, u32), Vec<LateFact>>,
    /// About rows of the file before in a row of files, by how many of its segments stand behind theirs.
    before: Vec<(u32, LateFact)>,
    count: usize,
}

impl LateFacts {
    /// Takes the facts of a frame in, which stands in that reel of the file and in the segment of that number.
    pub(super) fn add(&mut self, (part, segment): (u32, u32), facts: Vec<LateFact>) {
        for fact in facts {
            if self.count >= MOST {
                return;
            }
            self.count += 1;
            if !fact.is_of_a_segment() {
                self.by_segment.entry((part, 0)).or_default().push(fact);
            } else if fact.back < segment {
                self.by_segment.entry((part, segment - fact.back)).or_default().push(fact);
            } else if part == 0 {
                self.before.push((fact.back - segment, fact));
            }
        }
    }

    /// What is known of the rows of the file before: how many of its segments stand behind the one it is about, and what.
    pub(super) fn before(&self) -> &[(u32, LateFact)] {
        &self.before
    }

    /// Takes in what the file behind knows of a segment.
    pub(super) fn add_from_behind(&mut self, place: (u32, u32), fact: LateFact) {
        self.by_segment.entry(place).or_default().push(fact);
    }

    /// Completes the whole dictionary of a segment, oldest fact first: the last one wins.
    pub(super) fn tell(&self, (part, segment): (u32, u32), dict: &mut Dict) {
        for about in [(part, 0), (part, segment)] {
            self.by_segment.get(&about).into_iter().flatten().for_each(|fact| dict.tell(fact));
        }
    }

    /// Completes the roster of a segment in the same way.
    pub(super) fn tell_roster(&self, place: (u32, u32), roster: &mut Roster) {
        self.by_segment.get(&place).into_iter().flatten().for_each(|fact| roster.tell(fact));
    }

    /// How many facts complete rows, and name or describe ids.
    pub(super) fn counts(&self) -> [u64; 2] {
        let of = |ids: bool| {
            let facts = self.by_segment.iter().filter(move |((_, segment), _)| (*segment == 0) == ids);
            facts.flat_map(|(_, facts)| facts).filter(|fact| fact.kind != LateFact::DOUBTFUL).count() as u64
        };
        [of(false) + self.before.len() as u64, of(true)]
    }

    /// Rows that the recorder marked as doubtful.
    pub(super) fn doubtful(&self) -> u64 {
        self.by_segment.values().flatten().map(LateFact::doubtful).fold(0, u64::saturating_add)
    }
}
