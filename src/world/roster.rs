//! [`Roster`]: who the threads of a segment are, without the rest of its dictionary.

use super::dict::{Dict, StrId, ThreadRow};
use super::late::{LateFact, LateValue};
use crate::event::{kind_by_name, kinds};

/// Names and ids of a segment's thread rows, in their order: enough to tell that no event of it can be about a process,
/// before its dictionary is read.
#[derive(Debug)]
pub struct Roster {
    /// Texts of the names.
    names: Dict,
    rows: Vec<Who>,
}

/// What a roster says of a thread row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Who {
    /// `None`: not known here.
    name: Option<StrId>,
    pid: u32,
    tid: u32,
}

impl Default for Roster {
    fn default() -> Roster {
        let nobody = Who { name: Some(StrId::NONE), pid: 0, tid: 0 };
        Roster { names: Dict::new(), rows: vec![nobody] }
    }
}

impl Roster {
    /// Keeps the text of a name that threads have.
    pub fn add_name(&mut self, text: &[u8]) -> StrId {
        self.names.strings.push(text)
    }

    /// Appends a thread row; without a `name` it may have any.
    pub fn add_thread(&mut self, name: Option<StrId>, pid: u32, tid: u32) {
        self.rows.push(Who { name, pid, tid });
    }

    /// Number of rows, that of events without a thread included.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row; there always is the first.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Completes a row by what became known later, as [`Dict::tell`] does: ids stay, a name may come.
    pub fn tell(&mut self, fact: &LateFact) {
        if kind_by_name(&fact.kind) != Some(kinds::SNAP_THREAD) || fact.id == 0 {
            return;
        }
        let Some(row) = self.rows.get_mut(fact.id as usize) else { return };
        if let Some((_, LateValue::Bytes(name))) = fact.values.iter().find(|(param, _)| param == "comm") {
            row.name = Some(self.names.strings.push(name));
        }
    }

    /// The texts that the threads' names refer to; nothing else is in it.
    pub fn names(&self) -> &Dict {
        &self.names
    }

    /// The threads, of which only name and ids are what they are in the dictionary; `None` for one whose name is not known
    /// here. Of equal ones in a row only the first.
    pub fn threads(&self) -> impl Iterator<Item = Option<ThreadRow>> + '_ {
        let mut last = None;
        let new = self.rows.iter().filter(move |&who| last.replace(who) != Some(who));
        new.map(|who| Some(ThreadRow { tid: who.tid, pid: who.pid, comm: who.name?, ..ThreadRow::default() }))
    }

    /// Whether a dictionary has the same threads.
    pub fn agrees_with(&self, dict: &Dict) -> bool {
        let same = |(who, row): (&Who, &ThreadRow)| {
            let name = who.name.is_none_or(|name| self.names.strings.get(name) == dict.strings.get(row.comm));
            name && (who.pid, who.tid) == (row.pid, row.tid)
        };
        self.rows.len() == dict.threads.len() && self.rows.iter().zip(&dict.threads).all(same)
    }
}
