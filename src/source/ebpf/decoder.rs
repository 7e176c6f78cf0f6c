//! [`Decoder`]: records into events.

use super::plan::{EXEC_NUMBERS, ExitPart, Part, Plan, Plans, REQUEST, RESULT, Step, TIMESPEC32};
use super::record::{COMPAT, LAST, MAX_ITEMS, Record, TRUNCATED, Type, UNKNOWN, items};
use crate::event::{Arg, Args, Event, Flags, ParamType};
use crate::sys::ClockPair;
use std::collections::HashMap;
use std::sync::Arc;

/// What a record told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// Something happened: a row.
    Event,
    /// A call was entered: its time is that of the entry, its data are missing, and it is no row. Its completion comes later, or never.
    Enter,
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

    /// Reads one record into `event`, which must be empty. `None`: it is kept for a later one, or is of no known kind.
    #[inline]
    pub fn decode<'a>(&'a mut self, record: &'a [u8], event: &mut Event<'a>) -> Option<Incoming> {
        let record = Record::new(record)?;
        match record.kind()? {
            Type::Call => self.call(record, event),
            Type::Enter => {
                let plan = self.plans.call(record.nr(), record.flags() & COMPAT != 0)?;
                Sources::plain(record, self.clock).tell(event, plan, record.enter(), None, 0);
                Some(Incoming::Enter)
            }
            Type::Fork => {
                self.totals.insert(record.word(0) as u32, 0);
                Some(Sources::plain(record, self.clock).made(event, self.plans.fork.as_ref()?))
            }
            Type::Exec => {
                self.keep_exec(record);
                None
            }
            Type::Exit => {
                self.pending.remove(&record.tid());
                Some(Sources::plain(record, self.clock).made(event, self.plans.exit.as_ref()?))
            }
            Type::Cputime => self.cputime(record, event),
            Type::Signal => Some(Sources::plain(record, self.clock).made(event, self.plans.signal.as_ref()?)),
            Type::Submit => Some(Sources::of(record, self.clock, REQUEST).made(event, self.plans.submit.as_ref()?)),
            Type::Complete => Some(Sources::of(record, self.clock, RESULT).made(event, self.plans.complete.as_ref()?)),
            Type::Switch => Some(Sources::plain(record, self.clock).made(event, self.plans.switch.as_ref()?)),
        }
    }

    fn call<'a>(&'a mut self, record: Record<'a>, event: &mut Event<'a>) -> Option<Incoming> {
        let plan = self.plans.call(record.nr(), record.flags() & COMPAT != 0)?;
        let mut sources = Sources::plain(record, self.clock);
        sources.items = items(record.after(usize::from(plan.words)), plan.items());
        if plan.execs() {
            // Only a call that succeeded has one; a failed one's would be of an exec whose return was lost.
            let pending = self.pending.remove(&record.tid()).filter(|_| record.ret() == 0);
            self.exec = pending.unwrap_or_default();
            sources.exec = Exec::new(&self.exec);
        }
        let duration = record.time().saturating_sub(record.enter());
        sources.tell(event, plan, record.time(), Some(duration), record.ret());
        Some(Incoming::Event)
    }

    fn cputime<'a>(&'a mut self, record: Record<'a>, event: &mut Event<'a>) -> Option<Incoming> {
        let total = record.word(0);
        let mut sources = Sources::plain(record, self.clock);
        // What a thread had before we first saw it is not of this recording.
        let before = self.totals.insert(record.tid(), total).unwrap_or(total);
        sources.delta = total.saturating_sub(before);
        if record.flags() & LAST != 0 {
            self.totals.remove(&record.tid());
        }
        Some(sources.made(event, self.plans.cputime.as_ref()?))
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
        if old != record.tid()
            && let Some(total) = self.totals.remove(&old)
        {
            self.totals.insert(record.tid(), total);
        }
        self.pending.insert(record.tid(), record.to_vec());
    }
}

impl<'a> Sources<'a> {
    fn plain(record: Record<'a>, clock: ClockPair) -> Sources<'a> {
        Sources { record, items: [None; MAX_ITEMS], exec: None, clock, delta: 0 }
    }

    /// A record that is no call, with items behind its numbers.
    fn of(record: Record<'a>, clock: ClockPair, (numbers, count): (usize, usize)) -> Sources<'a> {
        Sources { items: items(record.after(numbers), count), ..Sources::plain(record, clock) }
    }

    /// Tells the event of a kind that is no call.
    fn made(&self, event: &mut Event<'a>, plan: &Plan) -> Incoming {
        self.tell(event, plan, self.record.time(), None, 0);
        Incoming::Event
    }

    /// Fills an empty event in, where the caller has it.
    fn tell(&self, event: &mut Event<'a>, plan: &Plan, boot_time: u64, duration: Option<u64>, ret: i64) {
        let record = &self.record;
        let cut = self.exec.is_some_and(Exec::truncated);
        event.kind = plan.kind;
        event.time = self.clock.utc_of(boot_time);
        event.duration = duration;
        event.cpu = record.cpu();
        event.tid = record.tid();
        event.pid = record.pid();
        event.ret = ret;
        event.flags = flags(record.flags() | if cut { TRUNCATED } else { 0 });
        self.fill(&mut event.args, plan);
    }

    #[inline]
    fn fill(&self, args: &mut Args<'a>, plan: &Plan) {
        for step in &plan.steps {
            if args.try_push(self.arg(*step)).is_err() {
                return; // the table's own test keeps kinds within the limit
            }
        }
    }

    #[inline]
    fn arg(&self, step: Step) -> Arg<'a> {
        match step {
            Step::Missing => Arg::Missing,
            Step::Word(n, ty) => Arg::Int(ty.narrow(self.record.word(usize::from(n)))),
            Step::Pair(n) => {
                let word = |n: u8| self.record.word(usize::from(n)) & 0xffff_ffff;
                Arg::Int((word(n) | word(n + 1) << 32) as i64)
            }
            Step::Nr => Arg::Int(i64::from(self.record.nr())),
            Step::IfLast(_) | Step::Time { last: true, .. } if !self.is_last() => Arg::Missing,
            Step::Number(n) | Step::IfLast(n) => number(self.record.word(usize::from(n))),
            Step::Time { from, user, .. } => number(self.time_used(usize::from(from), user)),
            Step::Either(n, item) => match number(self.record.word(usize::from(n))) {
                Arg::Missing => {
                    self.item(item).and_then(|b| field(b, 0, 8, ParamType::Uint)).map_or(Arg::Missing, Arg::Int)
                }
                known => known,
            },
            Step::Process => Arg::Int(i64::from(self.record.pid())),
            Step::RingFd => ring_fd(self.record.word(0), self.record.word(1), self.record.word(3)),
            Step::ExitPart(part) => Arg::Int(exit_part(part, self.record.ret())),
            Step::BootTime(n) => Arg::Int(self.clock.utc_of(self.record.word(usize::from(n))) as i64),
            Step::Status => Arg::Int(self.record.ret()),
            Step::Last => Arg::Int(i64::from(self.is_last())),
            Step::Delta => Arg::Int(self.delta as i64),
            Step::Item(i) => bytes(self.item(i)),
            Step::Text { item, offset, len } => {
                let text = self.item(item).and_then(|b| b.get(usize::from(offset)..));
                bytes(text.map(|b| split_first(&b[..b.len().min(usize::from(len))]).0))
            }
            Step::Field { item, offset, width, ty } => {
                self.item(item).and_then(|b| field(b, usize::from(offset), width, ty)).map_or(Arg::Missing, Arg::Int)
            }
            Step::Halves { item, low, high } => self
                .item(item)
                .and_then(|b| halves(b, usize::from(low), usize::from(high)))
                .map_or(Arg::Missing, Arg::Int),
            Step::Exec(part, instead) => match self.exec {
                Some(exec) => exec.arg(part),
                None => bytes(instead.and_then(|i| self.item(i)).and_then(|item| attempted(part, item))),
            },
        }
    }

    fn is_last(&self) -> bool {
        self.record.flags() & LAST != 0
    }

    /// Time (ns) that a thread or process spent in its program or in the kernel. What the kernel counts by ticks is only
    /// right in proportion; what ran in all is exact (`cputime_adjust`, kernel/sched/cputime.c).
    fn time_used(&self, from: usize, user: bool) -> u64 {
        let [own, system, all] = [0, 1, 6].map(|i| self.record.word(from + i));
        if [own, system, all].contains(&UNKNOWN) {
            return UNKNOWN;
        }
        let share = match (own, system) {
            (_, 0) => 0,
            (0, _) => all,
            _ => (u128::from(all) * u128::from(system) / (u128::from(own) + u128::from(system))) as u64,
        };
        if user { all - share } else { share }
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

/// Out of a failed exec's path or arguments.
fn attempted(part: Part, item: &[u8]) -> Option<&[u8]> {
    match part {
        Part::Exe => (!item.is_empty()).then(|| split_first(item).0),
        Part::Args => (!item.is_empty()).then(|| split_first(item).1),
        _ => Some(item),
    }
}

/// Out of the status of a process that ended, as `wait` gives it.
fn exit_part(part: ExitPart, status: i64) -> i64 {
    match part {
        ExitPart::Code => status >> 8 & 0xff,
        ExitPart::Signal => status & 0x7f,
        ExitPart::Core => status >> 7 & 1,
    }
}

/// A request's flag that says that its descriptor is the index of a registered file (`REQ_F_FIXED_FILE`).
const FIXED_FILE: u64 = 1;
/// Requests whose field for a descriptor means nothing (`enum io_uring_op`, `linux/io_uring.h`).
const NO_FD: &[u64] =
    &[0, 7, 11, 12, 14, 15, 18, 20, 21, 25, 28, 31, 32, 35, 36, 37, 38, 39, 42, 44, 45, 50, 51, 52, 53, 62];

fn ring_fd<'a>(opcode: u64, fd: u64, flags: u64) -> Arg<'a> {
    let none = flags & FIXED_FILE != 0 || fd == UNKNOWN || NO_FD.contains(&opcode);
    if none { Arg::Missing } else { Arg::Int(i64::from(fd as i32)) }
}

fn number<'a>(value: u64) -> Arg<'a> {
    if value == UNKNOWN { Arg::Missing } else { Arg::Int(value as i64) }
}

fn bytes(item: Option<&[u8]>) -> Arg<'_> {
    item.map_or(Arg::Missing, Arg::Bytes)
}

/// The integer of `width` bytes at an offset. Width 16 is a `struct timespec`, given as nanoseconds.
fn field(bytes: &[u8], offset: usize, width: u8, ty: ParamType) -> Option<i64> {
    use ParamType as T;
    let rest = bytes.get(offset..)?;
    let wide = |at: usize| rest.get(at..).and_then(<[u8]>::first_chunk).map(|b| i64::from_le_bytes(*b));
    match width {
        1 => rest.first().map(|b| i64::from(b.cast_signed())),
        2 => rest.first_chunk().map(|b| i64::from(i16::from_le_bytes(*b))),
        4 => {
            let value = rest.first_chunk().map(|b| i32::from_le_bytes(*b))?;
            if ty == T::Bool && value == i32::MIN {
                return None; // as UNKNOWN, in an item
            }
            let unsigned = matches!(ty, T::Uid | T::Gid | T::Flags | T::Mode | T::Oct | T::Uint | T::Hex | T::Bool);
            Some(if unsigned { i64::from(value.cast_unsigned()) } else { i64::from(value) })
        }
        8 => wide(0),
        TIMESPEC32 => {
            let narrow =
                |at: usize| rest.get(at..).and_then(<[u8]>::first_chunk).map(|b| i64::from(i32::from_le_bytes(*b)));
            Some(narrow(0)?.saturating_mul(1_000_000_000).saturating_add(narrow(4)?))
        }
        // UTIME_NOW and UTIME_OMIT stand in the nanoseconds of a time that is none (include/linux/stat.h).
        16 if ty == T::Time && !(0..1_000_000_000).contains(&wide(8)?) => None,
        16 => Some(wide(0)?.saturating_mul(1_000_000_000).saturating_add(wide(8)?)),
        _ => None,
    }
}

/// 64 bits of which the halves stand at two offsets; a structure that ends before the high one has only the low.
fn halves(bytes: &[u8], low: usize, high: usize) -> Option<i64> {
    let half = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).map(|b| u32::from_le_bytes(*b));
    Some((u64::from(half(low)?) | u64::from(half(high).unwrap_or(0)) << 32) as i64)
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
        Some(Exec { record, items: items(texts, 4) })
    }

    fn truncated(self) -> bool {
        self.record.flags() & TRUNCATED != 0
    }

    fn arg(self, part: Part) -> Arg<'a> {
        let [filename, interp, argv, env, ..] = self.items;
        match part {
            Part::Number(n) => number(self.record.word(usize::from(n))),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::kind_by_name;

    const CLOCK: ClockPair = ClockPair { boot: 1_000, utc: 1_000_000 };

    /// A record of thread 20 of process 10 on processor 3, at 5,000 on the boot clock, entered at 4,000.
    fn record(kind: u8, flags: u8, nr: u16, ret: i64, words: &[u64], rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, flags];
        bytes.extend(nr.to_le_bytes());
        bytes.extend(3_u16.to_le_bytes());
        bytes.extend(20_u32.to_le_bytes());
        bytes.extend(10_u32.to_le_bytes());
        bytes.extend(5_000_u64.to_le_bytes());
        bytes.extend(4_000_u64.to_le_bytes());
        bytes.extend(ret.to_le_bytes());
        bytes.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        bytes.extend(rest);
        bytes
    }

    fn item(bytes: &[u8]) -> Vec<u8> {
        let mut item = vec![bytes.len() as u8, 0, 0, 0];
        item.extend(bytes);
        item.resize(item.len().next_multiple_of(4), 0);
        item
    }

    fn exec_record() -> Vec<u8> {
        let mut words = [0; EXEC_NUMBERS];
        words[0] = 1_000;
        let mut rest = b"newname\0\0\0\0\0\0\0\0\0".to_vec();
        for text in [&b"./x"[..], b"/bin/x", b"x\0a b\0", b"A=1\0"] {
            rest.extend(item(text));
        }
        record(4, 0, 0, 0, &words, &rest)
    }

    fn decoder() -> Decoder {
        Decoder::new(Arc::new(Plans::new()), CLOCK)
    }

    fn nr(name: &str) -> u16 {
        kind_by_name(name).unwrap().spec().x86_64.unwrap()
    }

    /// The event that a record tells.
    fn event<'a>(decoder: &'a mut Decoder, record: &'a [u8]) -> Event<'a> {
        let mut event = Event::default();
        assert_eq!(decoder.decode(record, &mut event), Some(Incoming::Event));
        event
    }

    /// Reads a record that tells none.
    fn told(decoder: &mut Decoder, record: &[u8]) -> Option<Incoming> {
        decoder.decode(record, &mut Event::default())
    }

    fn arg<'a>(event: &Event<'a>, name: &str) -> Arg<'a> {
        event.args[event.kind.spec().params.iter().position(|p| p.name == name).unwrap()]
    }

    #[test]
    fn a_call_has_its_times_its_arguments_and_its_data() {
        let bytes = record(
            1,
            TRUNCATED,
            nr("openat"),
            7,
            &[u64::MAX << 32 | 0xffff_ff9c, 1, 0o2000, 0o644],
            &item(b"/etc/hosts"),
        );
        let mut decoder = decoder();
        let e = event(&mut decoder, &bytes);
        assert_eq!((e.kind.spec().name, e.ret, e.tid, e.pid, e.cpu), ("openat", 7, 20, 10, 3));
        assert_eq!((e.time, e.duration), (1_004_000, Some(1_000)));
        assert_eq!(arg(&e, "dirfd"), Arg::Int(-100), "only the low half of the register is the number");
        assert_eq!(arg(&e, "name"), Arg::Bytes(b"/etc/hosts"));
        assert!(e.flags.has(Flags::TRUNCATED));
    }

    #[test]
    fn an_entered_call_has_the_time_of_its_entry_and_no_data() {
        let bytes = record(2, 0, nr("execve"), 0, &[1, 2, 3], &[]);
        let mut decoder = decoder();
        let mut e = Event::default();
        assert_eq!(decoder.decode(&bytes, &mut e), Some(Incoming::Enter));
        assert_eq!((e.time, e.duration), (1_003_000, None));
        assert_eq!(arg(&e, "filename"), Arg::Missing);
    }

    #[test]
    fn an_exec_record_completes_the_call_that_returns_next() {
        let mut decoder = decoder();
        assert_eq!(told(&mut decoder, &exec_record()), None);
        let returned = record(1, 0, nr("execve"), 0, &[], &[0xff, 0xff, 0, 0]);
        let e = event(&mut decoder, &returned);
        for (name, expected) in [
            ("filename", Arg::Bytes(&b"./x"[..])),
            ("exe", Arg::Bytes(b"x")),
            ("exepath", Arg::Bytes(b"/bin/x")),
            ("args", Arg::Bytes(b"a b\0")),
            ("env", Arg::Bytes(b"A=1\0")),
            ("comm", Arg::Bytes(b"newname")),
            ("uid", Arg::Int(1_000)),
        ] {
            assert_eq!(arg(&e, name), expected, "{name}");
        }
        drop(e);
        let again = event(&mut decoder, &returned);
        assert_eq!(arg(&again, "exe"), Arg::Missing, "a record completes one call only");
    }

    #[test]
    fn a_failed_exec_shows_the_path_it_was_given() {
        let mut decoder = decoder();
        let failed = record(1, 0, nr("execve"), -2, &[], &item(b"/no"));
        let e = event(&mut decoder, &failed);
        assert_eq!(
            (arg(&e, "filename"), arg(&e, "exe"), arg(&e, "uid")),
            (Arg::Bytes(b"/no"), Arg::Missing, Arg::Missing)
        );
    }

    #[test]
    fn time_on_the_processor_is_counted_from_what_is_known() {
        let spent = |total: u64, flags| record(6, flags, 0, 0, &[total], &[]);
        for (known, totals, deltas) in [
            (Some(100), &[150_u64, 250][..], &[50_i64, 100][..]),
            (None, &[150, 250], &[0, 100]),
            (Some(0), &[70], &[70]),
        ] {
            let mut decoder = decoder();
            if let Some(total) = known {
                decoder.note_cputime(20, total);
            }
            for (total, delta) in totals.iter().zip(deltas) {
                assert_eq!(arg(&event(&mut decoder, &spent(*total, 0)), "delta"), Arg::Int(*delta), "{known:?}");
            }
        }
        let mut decoder = decoder();
        let fork = record(3, 0, 0, 0, &[20, 10, 2, 1, 5, 2_000, 0x100], &[]);
        assert_eq!(arg(&event(&mut decoder, &fork), "start"), Arg::Int(1_001_000));
        let last = spent(30, LAST);
        let e = event(&mut decoder, &last);
        assert_eq!((arg(&e, "delta"), arg(&e, "gone")), (Arg::Int(30), Arg::Int(1)), "a new thread begins at nothing");
        drop(e);
        assert!(decoder.totals.is_empty(), "an ended thread is forgotten");
    }

    #[test]
    fn fields_have_their_own_width_and_sign() {
        let mut bytes = [0xff_u8; 16];
        bytes[..8].copy_from_slice(&2_u64.to_le_bytes());
        bytes[8..].copy_from_slice(&7_u64.to_le_bytes());
        for (offset, width, ty, expected) in [
            (0, 16, ParamType::Duration, Some(2_000_000_007)),
            (0, 4, ParamType::Int, Some(2)),
            (8, 1, ParamType::Int, Some(7)),
            (8, 2, ParamType::Int, Some(7)),
            (8, 16, ParamType::Duration, None),
            (13, 4, ParamType::Int, None),
            (0, 3, ParamType::Int, None),
        ] {
            assert_eq!(field(&bytes, offset, width, ty), expected, "{offset} {width}");
        }
        assert_eq!(field(&[0xff; 4], 0, 4, ParamType::Int), Some(-1));
        assert_eq!(field(&[0xff; 4], 0, 4, ParamType::Uid), Some(0xffff_ffff));
    }

    #[test]
    fn the_directory_that_the_kernel_adds_is_taken_off() {
        for (path, expected) in [
            ("/dev/fd/5/bin/x", "bin/x"),
            ("/dev/fd/5", ""),
            ("/dev/fd/x", "/dev/fd/x"),
            ("/dev/fd/5x", "/dev/fd/5x"),
            ("/bin/x", "/bin/x"),
        ] {
            assert_eq!(without_directory(path.as_bytes()), expected.as_bytes());
        }
    }

    #[test]
    fn what_is_no_record_is_nothing() {
        let mut decoder = decoder();
        for bytes in [vec![], vec![0; 39], record(200, 0, 0, 0, &[], &[])] {
            assert_eq!(told(&mut decoder, &bytes), None);
        }
        // Cut anywhere, a record makes no panic.
        let whole = exec_record();
        for len in 0..whole.len() {
            let _ = told(&mut decoder, &whole[..len]);
            let _ = told(&mut decoder, &record(1, 0, nr("execve"), 0, &[], &[]));
        }
    }
}
