//! [`Decoder`]: records into events.

use super::plan::{EXEC_NUMBERS, Part, Plan, Plans, Step};
use super::record::{COMPAT, HEADER, LAST, MAX_ITEMS, Record, TRUNCATED, Type, items};
use crate::event::{Arg, Args, Event, Flags, ParamType};
use crate::sys::ClockPair;
use std::collections::HashMap;
use std::sync::Arc;

/// What a record told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// Something happened: a row.
    Event(Event<'a>),
    /// A call was entered: its time is that of the entry, its data are missing, and it is no row. Its completion comes later, or never.
    Enter(Event<'a>),
}

/// The most threads whose exec record waits for its call to return; more means lost records, so the oldest guesses go.
const MAX_PENDING: usize = 4096;

/// Turns the probe's records into events. Records must come in the order in which [`Drain`](super::Drain) gave them.
#[derive(Debug)]
pub struct Decoder {
    plans: Arc<Plans>,
    clock: ClockPair,
    /// Exec records whose call has not returned yet, by thread.
    pending: HashMap<u32, Vec<u8>>,
    /// The exec record that the event decoded last borrows from.
    exec: Vec<u8>,
    /// Processor time of a thread as of its last record.
    totals: HashMap<u32, u64>,
}

/// What the steps of a plan draw from.
struct Sources<'a> {
    record: Record<'a>,
    items: [Option<&'a [u8]>; MAX_ITEMS],
    exec: Option<Exec<'a>>,
    clock: ClockPair,
    delta: u64,
}

impl Decoder {
    /// A decoder that gives times as UTC by `clock`.
    pub fn new(plans: Arc<Plans>, clock: ClockPair) -> Decoder {
        Decoder { plans, clock, pending: HashMap::new(), exec: Vec::new(), totals: HashMap::new() }
    }

    /// From now on times are made UTC by another pair: the clock was set.
    pub fn set_clock(&mut self, clock: ClockPair) {
        self.clock = clock;
    }

    /// Tells what a thread had used when it was found in `/proc`, ns, so that only what comes after is counted. A record that was seen already wins.
    pub fn note_cputime(&mut self, tid: u32, total: u64) {
        self.totals.entry(tid).or_insert(total);
    }

    /// Reads one record. `None`: it is kept for a later one, or is of no known kind.
    #[inline]
    pub fn decode<'a>(&'a mut self, record: &'a [u8]) -> Option<Incoming<'a>> {
        let record = Record::new(record)?;
        match record.kind()? {
            Type::Call => self.call(record).map(Incoming::Event),
            Type::Enter => self.enter(record).map(Incoming::Enter),
            Type::Fork => self.fork(record).map(Incoming::Event),
            Type::Exec => {
                self.keep_exec(record);
                None
            }
            Type::Exit => {
                self.pending.remove(&record.tid());
                let sources = Sources::plain(record, self.clock);
                Some(Incoming::Event(sources.event(self.plans.exit.as_ref()?, record.time())))
            }
            Type::Cputime => self.cputime(record).map(Incoming::Event),
        }
    }

    fn call<'a>(&'a mut self, record: Record<'a>) -> Option<Event<'a>> {
        let plan = self.plans.call(record.nr(), record.flags() & COMPAT != 0)?;
        let mut sources = Sources::plain(record, self.clock);
        sources.items = items(record.after(usize::from(plan.words)), plan.items());
        let execs = plan.execs();
        if execs {
            // Only a call that succeeded has one; a failed one's would be of an exec whose return was lost.
            let pending = self.pending.remove(&record.tid()).filter(|_| record.ret() == 0);
            self.exec = pending.unwrap_or_default();
            sources.exec = Exec::new(&self.exec);
        }
        let mut event = sources.event(plan, record.time());
        event.duration = Some(record.time().saturating_sub(record.enter()));
        event.ret = record.ret();
        if sources.exec.is_some_and(|e| e.truncated()) {
            event.flags = event.flags.with(Flags::TRUNCATED);
        }
        Some(event)
    }

    fn enter<'a>(&'a mut self, record: Record<'a>) -> Option<Event<'a>> {
        let plan = self.plans.call(record.nr(), record.flags() & COMPAT != 0)?;
        Some(Sources::plain(record, self.clock).event(plan, record.enter()))
    }

    fn fork<'a>(&'a mut self, record: Record<'a>) -> Option<Event<'a>> {
        self.totals.insert(record.word(0) as u32, 0);
        Some(Sources::plain(record, self.clock).event(self.plans.fork.as_ref()?, record.time()))
    }

    fn cputime<'a>(&'a mut self, record: Record<'a>) -> Option<Event<'a>> {
        let total = record.word(0);
        let mut sources = Sources::plain(record, self.clock);
        // What a thread had before we first saw it is not of this recording.
        let before = self.totals.insert(record.tid(), total).unwrap_or(total);
        sources.delta = total.saturating_sub(before);
        if record.flags() & LAST != 0 {
            self.totals.remove(&record.tid());
        }
        Some(sources.event(self.plans.cputime.as_ref()?, record.time()))
    }

    /// The row of what a thread that still runs had used at `time` (ns UTC), `total` ns since it started. `None`: nothing since its last row.
    pub fn cputime_at(&mut self, tid: u32, pid: u32, total: u64, time: u64) -> Option<Event<'static>> {
        let before = self.totals.insert(tid, total)?;
        let delta = total.saturating_sub(before);
        let args = [Arg::Int(delta as i64), Arg::Int(total as i64), Arg::Int(0)].into_iter().collect();
        let (kind, flags) = (crate::event::kinds::CPUTIME, Flags::default());
        (delta > 0).then_some(Event { kind, time, duration: None, cpu: 0, tid, pid, ret: 0, flags, args })
    }

    fn keep_exec(&mut self, record: Record<'_>) {
        if self.pending.len() >= MAX_PENDING {
            self.pending.clear();
        }
        // A thread that execs becomes its process's first thread: it takes over that number, and the count under the old one ends.
        let old = record.word(6) as u32;
        if old != 0 && old != record.tid() {
            if let Some(total) = self.totals.remove(&old) {
                self.totals.insert(record.tid(), total);
            }
        }
        self.pending.insert(record.tid(), record.to_vec());
    }
}

impl<'a> Sources<'a> {
    fn plain(record: Record<'a>, clock: ClockPair) -> Sources<'a> {
        Sources { record, items: [None; MAX_ITEMS], exec: None, clock, delta: 0 }
    }

    fn event(&self, plan: &Plan, boot_time: u64) -> Event<'a> {
        let record = &self.record;
        let mut args = Args::new();
        for step in &plan.steps {
            if args.try_push(self.arg(*step)).is_err() {
                break; // the table's own test keeps kinds within the limit
            }
        }
        Event {
            kind: plan.kind,
            time: self.clock.utc_of(boot_time),
            duration: None,
            cpu: record.cpu(),
            tid: record.tid(),
            pid: record.pid(),
            ret: 0,
            flags: flags(record.flags()),
            args,
        }
    }

    #[inline]
    fn arg(&self, step: Step) -> Arg<'a> {
        match step {
            Step::Missing => Arg::Missing,
            Step::Word(n, ty) => Arg::Int(ty.narrow(self.record.word(usize::from(n)))),
            Step::Number(n) => Arg::Int(self.record.word(usize::from(n)) as i64),
            Step::BootTime(n) => Arg::Int(self.clock.utc_of(self.record.word(usize::from(n))) as i64),
            Step::Status => Arg::Int(self.record.ret()),
            Step::Last => Arg::Int(i64::from(self.record.flags() & LAST != 0)),
            Step::Delta => Arg::Int(self.delta as i64),
            Step::Item(i) => bytes(self.item(i)),
            Step::Field { item, offset, width, ty } => {
                self.item(item).and_then(|b| field(b, usize::from(offset), width, ty)).map_or(Arg::Missing, Arg::Int)
            }
            Step::Exec(part, instead) => match self.exec {
                Some(exec) => exec.arg(part),
                None => bytes(instead.and_then(|i| self.item(i))),
            },
        }
    }

    fn item(&self, i: u8) -> Option<&'a [u8]> {
        self.items.get(usize::from(i)).copied().flatten()
    }
}

fn flags(record: u8) -> Flags {
    let mut flags = Flags::default();
    if record & COMPAT != 0 {
        flags = flags.with(Flags::COMPAT);
    }
    if record & TRUNCATED != 0 {
        flags = flags.with(Flags::TRUNCATED);
    }
    flags
}

fn bytes(item: Option<&[u8]>) -> Arg<'_> {
    item.map_or(Arg::Missing, Arg::Bytes)
}

/// The integer of `width` bytes at an offset. Width 16 is a `struct timespec`, given as nanoseconds.
fn field(bytes: &[u8], offset: usize, width: u8, ty: ParamType) -> Option<i64> {
    let rest = bytes.get(offset..)?;
    let wide = |at: usize| rest.get(at..).and_then(<[u8]>::first_chunk).map(|b| i64::from_le_bytes(*b));
    match width {
        1 => rest.first().map(|b| i64::from(b.cast_signed())),
        2 => rest.first_chunk().map(|b| i64::from(i16::from_le_bytes(*b))),
        4 => {
            let value = rest.first_chunk().map(|b| i32::from_le_bytes(*b))?;
            let unsigned = matches!(ty, ParamType::Uid | ParamType::Gid | ParamType::Flags | ParamType::Mode | ParamType::Oct);
            Some(if unsigned { i64::from(value.cast_unsigned()) } else { i64::from(value) })
        }
        8 => wide(0),
        16 => Some(wide(0)?.saturating_mul(1_000_000_000).saturating_add(wide(8)?)),
        _ => None,
    }
}

/// An exec record.
#[derive(Debug, Clone, Copy)]
struct Exec<'a> {
    record: Record<'a>,
    items: [Option<&'a [u8]>; MAX_ITEMS],
}

/// Bytes of a thread's name in the kernel.
const COMM: usize = 16;

impl<'a> Exec<'a> {
    fn new(bytes: &'a [u8]) -> Option<Exec<'a>> {
        let record = Record::new(bytes)?;
        let texts = record.after(EXEC_NUMBERS).get(COMM..)?;
        Some(Exec { record, items: items(texts, MAX_ITEMS) })
    }

    fn truncated(self) -> bool {
        self.record.flags() & TRUNCATED != 0
    }

    fn arg(self, part: Part) -> Arg<'a> {
        let [filename, interp, argv, env] = self.items;
        match part {
            Part::Number(n) => Arg::Int(self.record.word(usize::from(n)) as i64),
            Part::Filename => bytes(filename),
            Part::Pathname => bytes(filename.map(without_directory)),
            Part::Exepath => bytes(interp),
            Part::Exe => bytes(argv.map(|a| split_first(a).0)),
            Part::Args => bytes(argv.map(|a| split_first(a).1)),
            Part::Env => bytes(env),
            Part::Comm => {
                let comm = self.record.after(EXEC_NUMBERS).get(..COMM).unwrap_or_default();
                Arg::Bytes(split_first(comm).0)
            }
        }
    }
}

/// What is before the first NUL, and what is after it.
fn split_first(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(0, bytes) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}

/// execveat's path as it was given: for one relative to a descriptor the kernel keeps `/dev/fd/N/path`, or `/dev/fd/N` for an empty one (`fs/exec.c`, `alloc_bprm`).
fn without_directory(path: &[u8]) -> &[u8] {
    let Some(rest) = path.strip_prefix(b"/dev/fd/") else { return path };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    match rest.get(digits) {
        _ if digits == 0 => path,
        None => &[],
        Some(b'/') => &rest[digits + 1..],
        Some(_) => path,
    }
}

impl Record<'_> {
    /// The record's bytes, to be kept.
    fn to_vec(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.after(0).len());
        bytes.extend_from_slice(self.header());
        bytes.extend_from_slice(self.after(0));
        bytes
    }
}
