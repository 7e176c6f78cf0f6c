//! The third part of an Index frame: who the threads of a segment are, so that a question about a process reads only the
//! dictionaries of segments that it may be in.

use crate::batch::codec::limits::{MAX_ROSTER, MAX_ROSTER_ROWS};
use crate::batch::codec::{put_varint, take_varint, unzigzag, zigzag};
use crate::world::{Delta, Roster, StrId, ThreadRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Stored bytes of a segment's dictionary from which on it is worth passing over: smaller ones are read in a millisecond.
const WORTH: usize = 32 * 1024;

/// Bytes of the longest name that is looked for among earlier texts: the kernel's (`TASK_COMM_LEN` less its zero).
const NAME: usize = 15;

/// Short texts that are kept for threads to come; of a segment with more, later names may not be known.
const MOST_TEXTS: usize = 1 << 16;

/// Codes of names: none, and one that is not known here; others are places in the list of names, from 2.
const NO_NAME: u64 = 0;
const UNKNOWN: u64 = 1;
const NAMES_FROM: u64 = 2;

/// The part as it is stored (postcard).
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    segment: u32,
    /// Dictionary frames of which these are the threads.
    dictionaries: u32,
    /// Row of the first thread.
    first: u32,
    /// Names, each behind its length as a varint.
    names: Vec<u8>,
    /// Of each thread a varint: its name's code; zigzag of its process id less that of the thread before; zigzag of its
    /// own id less its process id.
    comms: Vec<u8>,
    pids: Vec<u8>,
    tids: Vec<u8>,
}

/// Gathers the threads of the segment that is being written.
#[derive(Debug, Default)]
pub(super) struct Roll {
    /// What no Index has yet.
    stored: Stored,
    /// Codes of its names, by string.
    codes: BTreeMap<StrId, u64>,
    texts: Texts,
    /// Row of the next thread.
    next: u32,
    /// Process id of the last one.
    pid: u32,
    /// Bytes of the segment's Dictionary frames.
    bytes: usize,
    /// Rows are missing in between.
    has_gap: bool,
}

impl Roll {
    /// A segment begins, whose dictionary is empty.
    pub(super) fn begin(&mut self, segment: u32) {
        *self = Roll { next: 1, ..Roll::default() };
        (self.stored.segment, self.stored.first) = (segment, 1);
    }

    /// Takes the threads of a Dictionary frame in, whose body has so many bytes.
    pub(super) fn add(&mut self, delta: &Delta, bytes: usize) {
        self.bytes += bytes;
        self.stored.dictionaries += 1;
        self.texts.add(delta);
        self.has_gap |= !delta.threads.is_empty() && delta.first_thread != self.next;
        delta.threads.iter().for_each(|thread| self.thread(thread));
        self.next += delta.threads.len() as u32;
    }

    fn thread(&mut self, thread: &ThreadRow) {
        let code = self.code(thread.comm);
        put_varint(&mut self.stored.comms, code);
        put_varint(&mut self.stored.pids, zigzag(i64::from(thread.pid) - i64::from(self.pid)));
        put_varint(&mut self.stored.tids, zigzag(i64::from(thread.tid) - i64::from(thread.pid)));
        self.pid = thread.pid;
    }

    fn code(&mut self, name: StrId) -> u64 {
        if name == StrId::NONE {
            return NO_NAME;
        }
        if let Some(&code) = self.codes.get(&name) {
            return code;
        }
        let Some(text) = self.texts.get(name) else { return UNKNOWN };
        let code = NAMES_FROM + self.codes.len() as u64;
        put_varint(&mut self.stored.names, text.len() as u64);
        self.stored.names.extend_from_slice(text);
        self.codes.insert(name, code);
        code
    }

    /// Whether an Index that is written now tells of threads: not yet where the dictionary is small, and not where it has a gap.
    fn is_due(&self) -> bool {
        self.bytes >= WORTH && self.stored.dictionaries > 0 && !self.has_gap
    }

    /// What an Index that is written now says. One that would be too long says nothing, and its segment has no roster.
    pub(super) fn part(&self) -> Option<Vec<u8>> {
        let plain = if self.is_due() { postcard::to_stdvec(&self.stored).ok() } else { None };
        plain.filter(|plain| plain.len() <= MAX_ROSTER)
    }

    /// An Index with [`Roll::part`] was written.
    pub(super) fn written(&mut self) {
        if !self.is_due() {
            return;
        }
        self.stored = Stored { segment: self.stored.segment, first: self.next, ..Stored::default() };
        self.codes.clear();
        self.pid = 0;
    }
}

/// Texts of a segment that may be names of threads to come.
#[derive(Debug, Default)]
struct Texts {
    /// Ids, ascending, and where the text of each ends.
    ids: Vec<(StrId, u32)>,
    bytes: Vec<u8>,
}

impl Texts {
    fn add(&mut self, delta: &Delta) {
        let mut start = 0;
        for (id, &length) in (delta.first_string..).zip(&delta.string_lengths) {
            let end = start + length as usize;
            if let Some(text) = delta.string_bytes.get(start..end)
                && text.len() <= NAME
                && self.ids.len() < MOST_TEXTS
            {
                self.bytes.extend_from_slice(text);
                self.ids.push((StrId(id), self.bytes.len() as u32));
            }
            start = end;
        }
    }

    fn get(&self, id: StrId) -> Option<&[u8]> {
        let at = self.ids.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        let start = at.checked_sub(1).map_or(0, |before| self.ids[before].1);
        self.bytes.get(start as usize..self.ids[at].1 as usize)
    }
}

/// The roster of a segment with so many Dictionary frames, from the parts of its Index frames in their order; `None` where
/// they do not tell of all threads.
pub(super) fn roster(parts: &[Vec<u8>], segment: u32, dictionaries: usize) -> Option<Roster> {
    let mut roster = Roster::default();
    let mut told = 0;
    for part in parts {
        let stored: Stored = postcard::from_bytes(part).ok()?;
        if stored.segment != segment || stored.first as usize != roster.len() {
            return None;
        }
        told += stored.dictionaries as usize;
        stored.fill(&mut roster)?;
    }
    (told == dictionaries && dictionaries > 0).then_some(roster)
}

impl Stored {
    fn fill(&self, roster: &mut Roster) -> Option<()> {
        let names = self.names(roster)?;
        let (mut comms, mut pids, mut tids) = (self.comms.as_slice(), self.pids.as_slice(), self.tids.as_slice());
        let mut pid = 0;
        while !comms.is_empty() {
            let name = match take_varint(&mut comms)? {
                NO_NAME => Some(StrId::NONE),
                UNKNOWN => None,
                code => Some(*names.get(usize::try_from(code - NAMES_FROM).ok()?)?),
            };
            pid = step(pid, &mut pids)?;
            roster.add_thread(name, pid, step(pid, &mut tids)?);
            if roster.len() > MAX_ROSTER_ROWS {
                return None;
            }
        }
        (pids.is_empty() && tids.is_empty()).then_some(())
    }

    fn names(&self, roster: &mut Roster) -> Option<Vec<StrId>> {
        let (mut names, mut rest) = (Vec::new(), self.names.as_slice());
        while !rest.is_empty() && names.len() < MAX_ROSTER_ROWS {
            let length = usize::try_from(take_varint(&mut rest)?).ok()?;
            let (text, behind) = rest.split_at_checked(length)?;
            names.push(roster.add_name(text));
            rest = behind;
        }
        rest.is_empty().then_some(names)
    }
}

/// The number that is a step away, of which the varint stands at the front.
fn step(from: u32, bytes: &mut &[u8]) -> Option<u32> {
    let step = unzigzag(take_varint(bytes)?);
    u32::try_from(i64::from(from).checked_add(step)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn delta(first: (u32, u32), texts: &[&str], threads: &[(u32, u32, u32)]) -> Delta {
        let row =
            |&(comm, pid, tid): &(u32, u32, u32)| ThreadRow { comm: StrId(comm), pid, tid, ..ThreadRow::default() };
        Delta {
            first_string: first.0,
            string_lengths: texts.iter().map(|t| t.len() as u32).collect(),
            string_bytes: texts.concat().into_bytes(),
            first_thread: first.1,
            threads: threads.iter().map(row).collect(),
            ..Delta::default()
        }
    }

    /// A thread's name and ids, if the name is known.
    type Said = Option<(Option<Vec<u8>>, u32, u32)>;

    fn said(roster: &Roster) -> Vec<Said> {
        let text = |row: &ThreadRow| roster.names().strings.get(row.comm).map(<[u8]>::to_vec);
        roster.threads().map(|row| row.map(|row| (text(&row), row.pid, row.tid))).collect()
    }

    #[test]
    fn threads_of_several_indices_come_back_with_names_of_before() {
        let mut roll = Roll::default();
        roll.begin(3);
        roll.add(&delta((1, 1), &["cat", "a text longer than any name of a thread"], &[(1, 7, 7), (0, 7, 9)]), 10);
        assert_eq!(roll.part(), None, "so small a dictionary is read");
        roll.add(&delta((3, 3), &["sh", "vi"], &[(2, u32::MAX, 0), (3, 1, 1)]), WORTH);
        let mut parts = vec![roll.part().unwrap()];
        roll.written();
        assert_eq!(roll.part(), None);
        roll.add(&delta((5, 5), &[], &[(1, 8, 8), (4, 8, 8)]), 10);
        parts.push(roll.part().unwrap());
        let roster = roster(&parts, 3, 3).unwrap();
        let is = |name: &str, pid, tid| Some((Some(name.as_bytes().to_vec()), pid, tid));
        let rows = [is("sh", 1, 1), is("cat", 8, 8), is("vi", 8, 8)];
        assert_eq!(said(&roster)[..4], [Some((None, 0, 0)), is("cat", 7, 7), Some((None, 7, 9)), None]);
        assert_eq!(said(&roster)[4..], rows);
        assert!(super::roster(&parts, 2, 3).is_none() && super::roster(&parts, 3, 4).is_none());
        assert!(super::roster(&parts[1..], 3, 1).is_none() && super::roster(&[], 3, 0).is_none());
    }

    #[test]
    fn a_gap_in_the_rows_leaves_the_segment_without_a_roster() {
        let mut roll = Roll::default();
        roll.begin(1);
        roll.add(&delta((1, 2), &[], &[(0, 1, 1)]), WORTH);
        assert_eq!(roll.part(), None);
    }

    proptest! {
        #[test]
        fn what_is_damaged_is_no_roster_or_another_one(at in 0usize..64, byte: u8) {
            let mut roll = Roll::default();
            roll.begin(1);
            roll.add(&delta((1, 1), &["cat", "sh"], &[(1, 7, 7), (2, 70_000, 71_000), (9, 1, 1)]), WORTH);
            let mut part = roll.part().unwrap();
            let at = at % part.len();
            part[at] = byte;
            if let Some(roster) = roster(&[part], 1, 1) {
                prop_assert!(roster.threads().count() <= roster.len());
            }
        }
    }
}
