//! [`LateFact`]: an answer that came after the rows it is about were handed on.

use super::dict::{Account, DescRow, Dict, StrId};
use super::snapshot::{fill_desc, fill_thread};
use crate::event::{Arg, Args, Event, Flags, Kind, kind_by_name, kinds};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A value of a late fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LateValue {
    /// A number.
    Int(i64),
    /// Text, a list or an address, as the parameter of that name has it.
    Bytes(Vec<u8>),
}

/// What became known of a row or an id when events that refer to it were written already. The last one about a row wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateFact {
    /// The kind of snapshot row whose parameters the values are: `snap_thread` and `snap_fd` tell of a row,
    /// `snap_user` and `snap_group` of an id, `container` of the one that it names itself. Readers leave kinds alone that they do not know.
    pub kind: String,
    /// In which segment the row stands: 0 this one, 1 the one before, … Without meaning for an id.
    pub back: u32,
    /// Row of the segment's dictionary, or user or group id.
    pub id: u32,
    /// What became known, by the name of the parameter.
    pub values: Vec<(String, LateValue)>,
}

impl LateFact {
    /// The kind of fact that tells how many rows of a segment are doubtful: its value `rows`.
    pub const DOUBTFUL: &'static str = "doubtful";

    /// The number of doubtful rows that it tells; 0 if it is about something else.
    pub fn doubtful(&self) -> u64 {
        let rows = self.values.iter().find(|(name, _)| self.kind == Self::DOUBTFUL && name == "rows");
        rows.map_or(0, |(_, value)| if let LateValue::Int(rows) = value { *rows as u64 } else { 0 })
    }

    /// A fact about a row of this segment, of an answer: the parameters of a snapshot row that `tells` admits.
    pub(super) fn of(event: &Event<'_>, id: u32, tells: impl Fn(&str) -> bool) -> LateFact {
        let spec = event.kind.spec();
        let values = spec.params.iter().zip(&event.args).filter(|(param, _)| tells(param.name));
        let values = values.filter_map(|(param, arg)| match *arg {
            Arg::Missing => None,
            Arg::Int(value) => Some((param.name.to_owned(), LateValue::Int(value))),
            Arg::Bytes(bytes) => Some((param.name.to_owned(), LateValue::Bytes(bytes.to_vec()))),
        });
        LateFact { kind: spec.name.to_owned(), back: 0, id, values: values.collect() }
    }

    /// Whether it is about a row of one segment, rather than about an id that means the same in all of them.
    pub fn is_of_a_segment(&self) -> bool {
        let is_of_an_id = matches!(kind_by_name(&self.kind), Some(kinds::SNAP_USER | kinds::SNAP_GROUP));
        !is_of_an_id && self.kind != Self::CONTAINER
    }

    fn event(&self, kind: Kind) -> Event<'_> {
        let value = |name: &str| match self.values.iter().find(|(n, _)| n == name) {
            Some((_, LateValue::Int(value))) => Arg::Int(*value),
            Some((_, LateValue::Bytes(bytes))) => Arg::Bytes(bytes),
            None => Arg::Missing,
        };
        let args: Args<'_> = kind.spec().params.iter().map(|param| value(param.name)).collect();
        Event { kind, time: 0, duration: None, cpu: 0, tid: 0, pid: 0, ret: 0, flags: Flags::default(), args }
    }
}

/// The parameter of `snap_thread` that no partial answer has.
const PPID: usize = 4;

impl Dict {
    /// Completes a row by what became known later. For readers: rows that are appended afterwards would not be completed. What it
    /// does not know (a row that is not there, a kind of a later version) changes nothing.
    pub fn tell(&mut self, fact: &LateFact) {
        if fact.kind == LateFact::CONTAINER {
            return self.tell_container(fact);
        }
        let Some(kind) = kind_by_name(&fact.kind) else { return };
        let event = fact.event(kind);
        let row = fact.id as usize;
        match kind {
            kinds::SNAP_THREAD if row > 0 => self.tell_thread(row, &event),
            kinds::SNAP_FD if row > 0 => {
                let Some(mut desc) = self.descs.get(row).cloned() else { return };
                fill_desc(&mut desc, &event, &mut |text| self.strings.push_late(text));
                self.descs[row] = desc;
            }
            kinds::SNAP_USER | kinds::SNAP_GROUP => {
                let Some(name) = event.args.get(1).and_then(|a| a.bytes()) else { return };
                let name = self.strings.push_late(name);
                if kind == kinds::SNAP_USER {
                    let mut text = |param: usize| {
                        let text = event.args.get(param).and_then(|arg| arg.bytes());
                        text.map_or(StrId::NONE, |text| self.strings.push_late(text))
                    };
                    let account = Account { home: text(2), shell: text(3) };
                    if account != Account::default() {
                        self.accounts.insert(fact.id, account);
                    }
                }
                let names = if kind == kinds::SNAP_USER { &mut self.users } else { &mut self.groups };
                names.insert(fact.id, name);
            }
            _ => {}
        }
    }

    /// Takes the description of a container in, and nothing else. Also for a dictionary that still grows.
    pub fn tell_container(&mut self, fact: &LateFact) {
        if let Some(container) = fact.described() {
            self.containers.insert(container.id.clone(), Arc::new(container));
        }
    }

    fn tell_thread(&mut self, row: usize, event: &Event<'_>) {
        let Some(mut thread) = self.threads.get(row).cloned() else { return };
        let mut image = self.image(thread.image).clone();
        let before = image.clone();
        let (tid, pid) = (thread.tid, thread.pid);
        fill_thread(&mut thread, &mut image, event, &mut |text| self.strings.push_late(text));
        if image != before {
            thread.image = self.push_late_image(image);
        }
        // Only its parent's rows before it: one that pointed forward could lead a reader round in circles.
        if thread.parent == 0 && thread.ppid != 0 {
            let parent = self.threads[..row].iter().rposition(|t| t.tid == thread.ppid && t.pid == thread.ppid);
            thread.parent = parent.unwrap_or(0) as u32;
        }
        (thread.tid, thread.pid) = (tid, pid);
        thread.placeholder &= event.args.get(PPID).is_none_or(|arg| arg.int().is_none());
        self.threads[row] = thread;
    }
}

impl DescRow {
    /// Whether nothing is known of it but that it is open.
    pub fn is_unknown(&self) -> bool {
        self.name == StrId::NONE && *self == DescRow::default()
    }
}
