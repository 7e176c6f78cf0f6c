//! [`Translator`]: events of scap into ours, the two halves of a call joined.

use super::clone::Births;
use super::enters::{Enter, Enters};
use super::plan::{Plan, Special, plans};
use super::rows;
use super::sink::Sink;
use super::values::{Value, Values};
use crate::event::{Event, Flags, Kind, Splitter, kinds};
use crate::format::scap::block::NO_THREAD;
use crate::format::scap::{RawEvent, Side, is_audit_plugin, kept_bits, kind_of_call, values};
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// scap's own bit of `file_flags`: the call made the file.
const FILE_CREATED: u64 = 0x4000;
/// A tick of the processor time that scap tells, ns.
const TICK: u64 = 10_000_000;
/// Threads whose processor time is remembered.
const MAX_TICKS: usize = 262_144;

/// What became of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Events in the capture.
    pub events: u64,
    /// Of them, handed on as events: calls that returned, and what is no call.
    pub told: u64,
    /// Of them, entries of calls that returned: they are part of those.
    pub joined: u64,
    /// Of them, entries of calls whose return is not in the capture: events that are marked `in flight`.
    pub open: u64,
    /// Of them, processor times of threads, which are not shown.
    pub cputimes: u64,
    /// Of them, those that only change the state.
    pub state_only: u64,
    /// Of them, those of types that this version does not know.
    pub unknown: u64,
}

/// Events of scap into ours.
pub(super) struct Translator {
    plans: Vec<Plan>,
    state: State,
}

/// What is remembered from one event to the next.
pub(super) struct State {
    enters: Enters,
    arena: Vec<u8>,
    pub(super) births: Births,
    /// Processor time of each thread so far, ticks.
    ticks: HashMap<u32, u64, FixedState>,
    splitter: Splitter,
    pub(super) counts: Counts,
}

/// Which event of a capture something is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) time: u64,
    pub(super) tid: u32,
    pub(super) pid: u32,
    pub(super) cpu: u16,
    pub(super) num: u64,
}

impl At {
    fn of<S: Sink>(event: &RawEvent<'_>, num: u64, sink: &S) -> At {
        let tid = thread_of(event);
        At { time: event.time, tid, pid: pid_of(sink, tid), cpu: event.cpu, num }
    }

    pub(super) fn event(self, kind: Kind) -> Event<'static> {
        let At { time, tid, pid, cpu, .. } = self;
        let flags = Flags::default();
        Event { kind, time, duration: None, cpu, tid, pid, ret: 0, flags, args: crate::event::Args::new() }
    }
}

fn thread_of(event: &RawEvent<'_>) -> u32 {
    if event.tid == NO_THREAD { 0 } else { event.tid as u32 }
}

/// The process of a thread; a thread that nobody announced is thought to be one of its own.
fn pid_of<S: Sink>(sink: &S, tid: u32) -> u32 {
    sink.world().facts(tid).map_or(tid, |row| row.pid)
}

impl Translator {
    pub(super) fn new() -> Translator {
        let state = State {
            enters: Enters::default(),
            arena: Vec::new(),
            births: Births::new(),
            ticks: HashMap::default(),
            splitter: Splitter::default(),
            counts: Counts::default(),
        };
        Translator { plans: plans(), state }
    }

    pub(super) fn counts(&self) -> Counts {
        self.state.counts
    }

    /// Takes an event, and its number in the capture.
    pub(super) fn take<S: Sink>(&mut self, event: &RawEvent<'_>, num: u64, sink: &mut S) -> Result<(), S::Error> {
        let Translator { plans, state } = self;
        state.counts.events += 1;
        let known = plans.get(usize::from(event.number)).filter(|plan| plan.kind.is_some());
        let Some(plan) = known else {
            state.counts.unknown += 1;
            return Ok(());
        };
        let at = At::of(event, num, sink);
        match plan.side {
            Some(Side::Enter) => {
                if let Some(stale) = state.enters.take(at.tid) {
                    state.open(plans, at.tid, &stale, sink)?;
                    state.enters.recycle(at.tid, stale);
                }
                if !state.enters.put(at.tid, event, num) {
                    // There is no room for it: it is told at once.
                    let mut values = Values::new();
                    state.arena.clear();
                    values.put(plan, event.params, false, &mut state.arena);
                    let made = generic(plan, event.params.get(0)).or(plan.kind);
                    let is_named = plan.special == Special::Generic && made != Some(kinds::SYSCALL);
                    return state.tell_open(at, (made, is_named), &values, event.state_only, sink);
                }
                Ok(())
            }
            Some(Side::Exit) => state.exit(plans, plan, event, at, sink),
            None => state.alone(plans, plan, event, at, sink),
        }
    }

    /// The end: calls that did not return are told.
    pub(super) fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        let Translator { plans, state } = self;
        for (tid, enter) in state.enters.drain() {
            state.open(plans, tid, &enter, sink)?;
        }
        state.births = Births::new();
        state.ticks.clear();
        Ok(())
    }
}

/// The kind of a call that is named by its code.
fn generic(plan: &Plan, code: Option<&[u8]>) -> Option<Kind> {
    if plan.special != Special::Generic {
        return None;
    }
    let code = values::integer(code?, false)?;
    Some(kind_of_call(code as u16).unwrap_or(kinds::SYSCALL))
}

impl State {
    /// A call returned.
    fn exit<S: Sink>(
        &mut self,
        plans: &[Plan],
        plan: &Plan,
        event: &RawEvent<'_>,
        at: At,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let mut enter = self.enters.take(at.tid);
        if let Some(stale) = enter.take_if(|enter| !belongs(plans, plan, enter, event)) {
            self.open(plans, at.tid, &stale, sink)?;
            self.enters.recycle(at.tid, stale);
        }
        let mut arena = std::mem::take(&mut self.arena);
        arena.clear();
        let mut values = Values::new();
        values.put(plan, event.params, true, &mut arena);
        if let Some(enter) = &enter {
            self.counts.joined += 1;
            values.put(&plans[usize::from(enter.number)], enter.params(), false, &mut arena);
        }
        let since = enter.as_ref().and_then(|enter| at.time.checked_sub(enter.time));
        let told = self.returned(plan, event, (at, since), &mut values, &mut arena, sink);
        self.arena = arena;
        if let Some(enter) = enter {
            self.enters.recycle(at.tid, enter);
        }
        told
    }

    fn returned<'a, S: Sink>(
        &mut self,
        plan: &Plan,
        event: &RawEvent<'a>,
        (at, since): (At, Option<u64>),
        values: &mut Values<'a>,
        arena: &mut Vec<u8>,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let Some(kind) = generic(plan, event.params.get(0)).or(plan.kind) else { return Ok(()) };
        let mut at = at;
        match plan.special {
            Special::Open => {
                if let Value::Int(flags) = values.get(kind, "flags") {
                    values.set(kind, "created", Value::Int(i64::from(kept_bits(flags) & FILE_CREATED != 0)));
                }
            }
            Special::Tuple { receives } => add_peer(kind, receives, values, arena),
            Special::Exec => {
                values.set(kind, "euid", values.get(kind, "uid"));
                values.set(kind, "egid", values.get(kind, "gid"));
                if values.ret == Some(0) {
                    rows::exec(plan, event, at, sink)?;
                    at.pid = pid_of(sink, at.tid);
                }
            }
            Special::Clone => {
                self.births.clone(plan, event, at, values.ret, sink)?;
                at.pid = pid_of(sink, at.tid);
            }
            _ => {}
        }
        // A generic event has the parameters of the kind `syscall`, and none of the call that it names.
        let args = if plan.special == Special::Generic && kind != kinds::SYSCALL {
            crate::event::Args::new()
        } else {
            values.args(kind, arena)
        };
        let has_return = kind.spec().ret.is_some();
        let flags = if has_return && values.ret.is_none() { Flags::UNTOLD } else { Flags::default() };
        let ret = values.ret.unwrap_or(0);
        let made = Event { duration: since, ret, flags, args, ..at.event(kind) };
        self.tell(&made, at.num, event.state_only, sink)
    }

    fn tell<S: Sink>(&mut self, event: &Event<'_>, num: u64, state_only: bool, sink: &mut S) -> Result<(), S::Error> {
        if state_only {
            self.counts.state_only += 1;
            sink.state(event)
        } else {
            self.counts.told += 1;
            sink.event(event, num)
        }
    }

    /// A call that was entered and whose return is not in the capture.
    fn open<S: Sink>(&mut self, plans: &[Plan], tid: u32, enter: &Enter, sink: &mut S) -> Result<(), S::Error> {
        let plan = &plans[usize::from(enter.number)];
        let mut arena = std::mem::take(&mut self.arena);
        arena.clear();
        let mut values = Values::new();
        values.put(plan, enter.params(), false, &mut arena);
        self.arena = arena;
        let at = At { time: enter.time, tid, pid: pid_of(sink, tid), cpu: enter.cpu, num: enter.num };
        let kind = generic(plan, enter.params().get(0)).or(plan.kind);
        let is_named = plan.special == Special::Generic && kind != Some(kinds::SYSCALL);
        self.tell_open(at, (kind, is_named), &values, enter.state_only, sink)
    }

    /// `is_named`: it is a call that is named by its code, and its parameters are not the kind's.
    fn tell_open<S: Sink>(
        &mut self,
        at: At,
        (kind, is_named): (Option<Kind>, bool),
        values: &Values<'_>,
        state_only: bool,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let Some(kind) = kind else { return Ok(()) };
        if state_only {
            self.counts.state_only += 1;
            return Ok(());
        }
        self.counts.open += 1;
        let args = if is_named { crate::event::Args::new() } else { values.args(kind, &self.arena) };
        sink.event(&Event { flags: Flags::IN_FLIGHT, args, ..at.event(kind) }, at.num)
    }

    /// Something that is no call.
    fn alone<S: Sink>(
        &mut self,
        plans: &[Plan],
        plan: &Plan,
        event: &RawEvent<'_>,
        at: At,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let Some(kind) = plan.kind else { return Ok(()) };
        if plan.special == Special::ProcInfo {
            return self.cputime(event, at, sink);
        }
        if plan.special == Special::Plugin
            && let Some(told) = self.audit(event, at, sink)
        {
            return told;
        }
        let mut arena = std::mem::take(&mut self.arena);
        arena.clear();
        let mut values = Values::new();
        let json;
        match plan.special {
            Special::OldContainer => {
                json = rows::container_json(event);
                values.set(kind, "json", Value::Bytes(&json));
            }
            _ => values.put(plan, event.params, true, &mut arena),
        }
        let mut told = Ok(());
        if plan.special == Special::ProcExit {
            if let Some(stale) = self.enters.take(at.tid) {
                // Such as `exit_group`, which never returns.
                self.arena.clear();
                told = self.open(plans, at.tid, &stale, sink);
                self.enters.recycle(at.tid, stale);
            }
            values.set(kind, "last", Value::Int(i64::from(sink.world().is_last_thread(at.tid))));
            self.ticks.remove(&at.tid);
        }
        let made = Event { args: values.args(kind, &arena), ..at.event(kind) };
        told = told.and_then(|()| self.tell(&made, at.num, event.state_only, sink));
        drop(made);
        self.arena = arena;
        told
    }

    /// A Kubernetes audit event that a plugin read; `None`: it is none.
    fn audit<S: Sink>(&mut self, event: &RawEvent<'_>, at: At, sink: &mut S) -> Option<Result<(), S::Error>> {
        let id = values::integer(event.params.get(0)?, false)?;
        let text = event.params.get(1).filter(|_| u32::try_from(id).is_ok_and(is_audit_plugin))?;
        let made = self.splitter.split_at(text.trim_ascii(), at.time).ok()?;
        if event.state_only {
            self.counts.state_only += 1;
            return Some(sink.state(&made));
        }
        self.counts.told += 1;
        Some(sink.event(&made, at.num))
    }

    /// Ticks that a thread used so far, as the row that our recorder makes of it.
    fn cputime<S: Sink>(&mut self, event: &RawEvent<'_>, at: At, sink: &mut S) -> Result<(), S::Error> {
        self.counts.cputimes += 1;
        let mut numbers = event.params.iter().map(|bytes| values::integer(bytes, false).unwrap_or(0) as u64);
        let (user, system) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let total = user.saturating_add(system);
        let before = self.ticks.get(&at.tid).copied().unwrap_or(total);
        if self.ticks.len() < MAX_TICKS || self.ticks.contains_key(&at.tid) {
            self.ticks.insert(at.tid, total);
        }
        let ns = |ticks: u64| crate::event::Arg::Int(ticks.saturating_mul(TICK) as i64);
        let args = [ns(total.saturating_sub(before)), ns(total), crate::event::Arg::Int(0)];
        let made = Event { args: args.into_iter().collect(), ..at.event(kinds::CPUTIME) };
        if event.state_only { sink.state(&made) } else { sink.event(&made, at.num) }
    }
}

/// Whether a call that was entered is the one that returned.
fn belongs(plans: &[Plan], plan: &Plan, enter: &Enter, event: &RawEvent<'_>) -> bool {
    let entered = &plans[usize::from(enter.number)];
    if entered.family != plan.family {
        return false;
    }
    plan.special != Special::Generic || enter.params().get(0) == event.params.get(0)
}

/// The address of the other end, told by both ends.
fn add_peer(kind: Kind, receives: bool, values: &mut Values<'_>, arena: &mut Vec<u8>) {
    let (Value::Missing, Value::Bytes(tuple)) = (values.get(kind, "addr"), values.get(kind, "tuple")) else { return };
    // The ends of a connected socket of the internet are used as they are.
    if kind == kinds::CONNECT && tuple.first() != Some(&1) {
        return;
    }
    let from = arena.len();
    if values::put_peer(arena, tuple, receives) {
        values.set(kind, "addr", Value::Made(from, arena.len()));
    }
}
