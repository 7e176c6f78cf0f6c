//! [`Births`]: threads and processes that are made. scap tells of it twice: in the parent and in the child, either first.

use super::plan::Plan;
use super::rows::{self, Told};
use super::sink::Sink;
use super::translate::At;
use crate::event::{Arg, Event, flag_table, kinds};
use crate::format::scap::{Conversion, RawEvent};
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// Children of which only one half was told.
const MAX_HALVES: usize = 65_536;
/// include/uapi/linux/sched.h
const CLONE_THREAD: i64 = 0x1_0000;
const CLONE_PARENT: i64 = 0x8000;
const CLONE_NEWPID: i64 = 0x2000_0000;
/// scap's own bit of `clone_flags`: the child lives in another pid namespace than its parent.
const IN_PIDNS: u64 = 0x2000_0000;

/// Children of which one half was told.
pub(super) struct Births {
    /// Thread → whether it was the parent's half.
    halves: HashMap<u32, bool, FixedState>,
    flags: Option<Conversion>,
}

/// What a half says of the clone.
struct Half<'a> {
    told: Told<'a>,
    flags: i64,
    in_pidns: bool,
}

impl Births {
    pub(super) fn new() -> Births {
        let flags = flag_table("clone_flags").map(|table| Conversion::of("clone_flags", table, false));
        Births { halves: HashMap::default(), flags }
    }

    /// A clone returned `ret` in a thread: 0 in the child.
    pub(super) fn clone<S: Sink>(
        &mut self,
        plan: &Plan,
        event: &RawEvent<'_>,
        at: At,
        ret: Option<i64>,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let told = Told::of(plan, event);
        let scap = told.number("flags").unwrap_or(0) as u64;
        let flags = self.flags.as_ref().map_or(0, |table| table.to_kernel(scap)) & 0xffff_ffff;
        let half = Half { told, flags, in_pidns: scap & IN_PIDNS != 0 };
        match ret {
            Some(0) => self.in_child(&half, at, sink),
            Some(child) if child > 0 => self.in_parent(&half, at, child as u32, sink),
            _ => Ok(()),
        }
    }

    fn note(&mut self, tid: u32, by_parent: bool) {
        if self.halves.len() >= MAX_HALVES {
            // Their other halves were lost.
            self.halves.clear();
        }
        self.halves.insert(tid, by_parent);
    }

    fn in_parent<S: Sink>(&mut self, half: &Half<'_>, at: At, child: u32, sink: &mut S) -> Result<(), S::Error> {
        if !rows::is_known(sink, at.tid) {
            rows::teach(&half.told, at, sink)?;
        }
        rows::own(&half.told, at, sink)?;
        if self.halves.get(&child) == Some(&false) {
            self.halves.remove(&child);
            return Ok(());
        }
        // The number is the child's in its parent's namespace: the child itself says what it is on the host.
        let vtid = half.told.number("vtid").unwrap_or(i64::from(at.tid));
        if half.in_pidns || half.flags & CLONE_NEWPID != 0 || vtid != i64::from(at.tid) {
            return Ok(());
        }
        let Some(parent) = sink.world().facts(at.tid) else { return Ok(()) };
        let (pid, ppid) = if half.flags & CLONE_THREAD != 0 {
            (parent.pid, parent.ppid)
        } else {
            (child, if half.flags & CLONE_PARENT != 0 { parent.ppid } else { parent.pid })
        };
        self.note(child, true);
        born(at, [child, pid, child, pid, ppid], half.flags, sink)
    }

    fn in_child<S: Sink>(&mut self, half: &Half<'_>, at: At, sink: &mut S) -> Result<(), S::Error> {
        if self.halves.get(&at.tid) == Some(&true) {
            self.halves.remove(&at.tid);
            return rows::own(&half.told, at, sink);
        }
        let id = |name| half.told.number(name).map(|id| id as u32);
        let pid = id("pid").unwrap_or(at.tid);
        let parent = id("ptid").unwrap_or(0);
        // A thread's parent is that of its process: its first thread stands for whoever made it.
        let creator = if half.flags & CLONE_THREAD != 0 && pid != at.tid { pid } else { parent };
        self.note(at.tid, false);
        let Some(row) = sink.world().facts(creator).filter(|row| !row.placeholder) else {
            return rows::teach(&half.told, at, sink);
        };
        let ppid = if half.flags & CLONE_THREAD != 0 { row.ppid } else { row.pid };
        let (vtid, vpid) = (id("vtid").unwrap_or(at.tid), id("vpid").unwrap_or(pid));
        let by = At { tid: creator, pid: row.pid, ..at };
        born(by, [at.tid, pid, vtid, vpid, ppid], half.flags, sink)?;
        rows::own(&half.told, at, sink)
    }
}

/// The row of a fork: ids are the child's, on the host and in its namespace, and its parent's.
fn born<S: Sink>(by: At, ids: [u32; 5], flags: i64, sink: &mut S) -> Result<(), S::Error> {
    let mut args: crate::event::Args<'_> = ids.into_iter().map(|id| Arg::Int(i64::from(id))).collect();
    args.extend([Arg::Int(flags), Arg::Int(by.time as i64)]);
    sink.row(&Event { args, ..by.event(kinds::SNAP_FORK) }, by.num)
}
