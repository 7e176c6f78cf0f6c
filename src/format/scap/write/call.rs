//! [`Encoder`]: events of ours, each with its thread and descriptor, as blocks of scap.

use super::event::{EventBlock, Stamp};
use super::plan::{Field, Half, Plan};
use super::target::Target;
use super::value::{placeholder, poll, put};
use crate::event::{Arg, Event, Flags, KindFlags, SPECS, kinds};
use crate::format::scap::Wire;
use crate::format::scap::block::NO_THREAD;
use crate::world::{DescRow, Dict, ThreadRow};
use std::collections::BTreeMap;
use std::ops::Range;

/// An event with what it refers to.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The event.
    pub event: &'a Event<'a>,
    /// Its thread, as it was then.
    pub thread: &'a ThreadRow,
    /// The descriptor that it is about.
    pub desc: Option<&'a DescRow>,
    /// What rows refer to.
    pub dict: &'a Dict,
}

impl<'a> Seen<'a> {
    fn arg(&self, name: &str) -> Option<Arg<'a>> {
        let place = self.event.kind.spec().params.iter().position(|p| p.name == name)?;
        self.event.args.get(place).copied()
    }

    /// A parameter of ours that is a number, by its name.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.arg(name)?.int()
    }

    /// A parameter of ours that is bytes, by its name.
    pub(super) fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.arg(name)?.bytes()
    }
}

/// What could not be written, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Events whose kind scap does not have, by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Calls that became generic events, without their parameters, by kind.
    pub generic: BTreeMap<&'static str, u64>,
    /// Calls that the oldest reader passes over, by kind.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Flags for which scap has no bit.
    pub flags: u64,
    /// Parameters that did not fit an event of scap, or have no form there.
    pub values: u64,
    /// Calls of which it is not known when they began.
    pub entries: u64,
    /// Events that say whom they are about with doubt; scap has no word for that.
    pub doubtful: u64,
}

/// Where the two blocks of an event stand in what was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The call begins: when (ns UTC), and the block.
    pub enter: Option<(u64, Range<usize>)>,
    /// It is over.
    pub exit: Option<Range<usize>>,
}

/// Which halves of calls are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry {
    /// The event changes the state and is not to be shown.
    pub hidden: bool,
}

/// Makes blocks of events.
pub struct Encoder {
    target: Target,
    plans: Vec<Option<Plan>>,
    block: EventBlock,
    left_out: LeftOut,
}

impl Encoder {
    /// An encoder for a reader.
    pub fn new(target: Target) -> Encoder {
        let plans = SPECS.iter().map(|_| None).collect();
        Encoder { target, plans, block: EventBlock::default(), left_out: LeftOut::default() }
    }

    /// What could not be written so far.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// Appends what an event is in scap: nothing, the end of a call, or both its halves.
    pub fn encode(&mut self, seen: &Seen<'_>, how: Entry, out: &mut Vec<u8>) -> Told {
        let event = seen.event;
        let Some(slot) = self.plans.get_mut(usize::from(event.kind.0)) else { return Told::default() };
        let plan = slot.take().unwrap_or_else(|| Plan::of(event.kind, self.target));
        let told = self.write(&plan, seen, how, out);
        if let Some(slot) = self.plans.get_mut(usize::from(event.kind.0)) {
            *slot = Some(plan);
        }
        told
    }

    fn write(&mut self, plan: &Plan, seen: &Seen<'_>, how: Entry, out: &mut Vec<u8>) -> Told {
        let event = seen.event;
        let mut told = Told::default();
        let flags = event.kind.spec().flags;
        if plan.enter.is_none() && plan.exit.is_none() {
            // rows of the initial state and the recorder's own are no events to whoever reads the file
            let own = flags.has(KindFlags::SNAPSHOT) || flags.has(KindFlags::INTERNAL);
            if !own && !how.hidden {
                *self.left_out.kinds.entry(event.kind.spec().name).or_default() += 1;
            }
            return told;
        }
        self.count(plan, event, how);
        let never_returns = plan.exit.is_none();
        let began = event.duration.map(|duration| event.time.saturating_sub(duration));
        let began = began.or(never_returns.then_some(event.time));
        if let (Some(half), Some(began)) = (&plan.enter, began) {
            let start = out.len();
            self.half(half, seen, Self::stamp(seen, began, how), out);
            told.enter = Some((began, start..out.len()));
        }
        // what is in flight has no end, and no result
        if let Some(half) = plan.exit.as_ref().filter(|_| !event.flags.has(Flags::IN_FLIGHT)) {
            let start = out.len();
            self.half(half, seen, Self::stamp(seen, event.time, how), out);
            told.exit = Some(start..out.len());
        }
        told
    }

    fn count(&mut self, plan: &Plan, event: &Event<'_>, how: Entry) {
        if how.hidden {
            return;
        }
        let name = event.kind.spec().name;
        let left_out = &mut self.left_out;
        if plan.enter.is_some() && event.duration.is_none() && plan.exit.is_some() {
            left_out.entries += 1;
        }
        if event.flags.has(Flags::DOUBTFUL) {
            left_out.doubtful += 1;
        }
        let number = plan.exit.as_ref().or(plan.enter.as_ref()).map_or(0, |half| half.number);
        if plan.is_generic() && !event.args.is_empty() {
            *left_out.generic.entry(name).or_default() += 1;
        } else if self.target.is_for_029() && super::known_to_029(number).is_none() {
            *left_out.passed_over.entry(name).or_default() += 1;
        }
    }

    /// The child's half of a fork is the child's, and what plugins tell is of no thread.
    fn stamp(seen: &Seen<'_>, time: u64, how: Entry) -> Stamp {
        let event = seen.event;
        let child = (event.kind == kinds::PROCFORK).then(|| seen.int("child_tid")).flatten();
        let tid = child.map_or(event.tid, |tid| tid as u32);
        let is_of_plugin = event.kind == kinds::K8SAUDIT || event.kind.spec().name == "pluginevent";
        let tid = if is_of_plugin { NO_THREAD } else { u64::from(tid) };
        Stamp { cpu: event.cpu, time, tid, hidden: how.hidden }
    }

    fn half(&mut self, half: &Half, seen: &Seen<'_>, at: Stamp, out: &mut Vec<u8>) {
        self.block.begin(half.number);
        let mut last = half.needed;
        for (i, field) in half.fields.iter().enumerate() {
            let room = self.block.room();
            let (written, whole) = self.block.param(|out| {
                let start = out.len();
                let whole = value(out, field, seen);
                if out.len() == start && i < half.needed {
                    placeholder(out, field.wire);
                    return (0, whole);
                }
                (out.len() - start, whole)
            });
            if written > 0 {
                last = last.max(i + 1);
            }
            if !at.hidden {
                self.left_out.flags += u64::from(!whole && field.wire.is_named());
                self.left_out.values += u64::from(written > room || (!whole && !field.wire.is_named()));
            }
        }
        self.block.cut(last);
        self.block.finish(out, at);
    }
}

/// Appends the value of a parameter, nothing if it is not known; says whether that is all of it.
fn value(out: &mut Vec<u8>, field: &Field, seen: &Seen<'_>) -> bool {
    if field.is_ret && field.wire != Wire::Dyn {
        return put(out, field.wire, None, Arg::Int(seen.event.ret));
    }
    let start = out.len();
    if let Some(made) = field.made.filter(|made| made.comes_first()) {
        made.put(out, field.wire, seen);
        if out.len() > start {
            return true;
        }
    }
    for &place in &field.own {
        let whole = match seen.event.args.get(place) {
            None | Some(Arg::Missing) => continue,
            Some(Arg::Bytes(array)) if field.wire == Wire::FdList => {
                poll(out, array, field.poll);
                true
            }
            Some(&arg) => put(out, field.wire, field.conversion.as_ref(), arg),
        };
        return whole;
    }
    if let Some(made) = field.made.filter(|made| !made.comes_first()) {
        made.put(out, field.wire, seen);
    }
    true
}
