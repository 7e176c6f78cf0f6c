//! [`Plans`]: the event table made into what the probe needs (which data to copy for each call) and what the decoder
//! needs (where in a record each parameter stands).

use super::compat::{self, Layout, NOWHERE, PAIR};
use super::record::MAX_ITEMS;
use crate::event::{Facts, From, Kind, KindFlags, MessagePart, Param, ParamType, SPECS, Spec, kind_by_name};
use arrayvec::ArrayVec;

/// Rows of the probe's table: 512 native calls, then 512 of 32-bit programs.
pub(super) const ROWS: usize = 1024;
/// Native calls.
const NATIVE: usize = 512;
/// The most data operations that a call may have (`MAX_OPS` in the probe).
const MAX_OPS: usize = 7;
/// Bytes of a row of the probe's table.
pub(in crate::source) const ROW: usize = 8 + 8 * MAX_OPS;

/// `enum desc_flags` in the probe.
const SKIP: u8 = 1;
const ENTER_TOO: u8 = 2;
const EXECS: u8 = 4;
const ALWAYS: u8 = 8;
const CHANGES: u8 = 16;
const TELLS: u8 = 32;

/// `struct op` in the probe: kind, argument, second argument or 0, size or number; then its condition.
type Op = [u8; 8];

/// `enum op_kind` in the probe: those that make more than one item.
const IOV: u8 = 7;
const MSG: u8 = 8;

/// Items that an operation makes (`items_of` in the probe).
const fn items_of(op: Op) -> u8 {
    match op[0] {
        IOV => 2,
        MSG => 5,
        _ => 1,
    }
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nowhere.
    Missing,
    /// Register argument, narrowed to its type.
    Word(u8, ParamType),
    /// The same of 64 bits that stand in this register and the next.
    Pair(u8),
    /// The call's number.
    Nr,
    /// 8 bytes as they stand.
    Number(u8),
    /// The same, or, if it is not known, the 8 bytes that an item is.
    Either(u8, u8),
    /// 8 bytes as they stand, if the record is the last of its process.
    IfLast(u8),
    /// Processor time of its own or of the kernel for it, out of what a thread used (`put_used` in the probe).
    Time { from: u8, user: bool, last: bool },
    /// The record's process.
    Process,
    /// Number of the descriptor of a request to a ring, if it has one.
    RingFd,
    /// Exit code, signal or core flag out of the record's return value.
    ExitPart(ExitPart),
    /// 8 bytes, a moment on the boot clock.
    BootTime(u8),
    /// The record's return value.
    Status,
    /// The record's "last" flag.
    Last,
    /// What the decoder counts.
    Delta,
    /// An item's bytes.
    Item(u8),
    /// Text inside an item, up to its NUL.
    Text { item: u8, offset: u8, len: u8 },
    /// An integer inside an item.
    Field { item: u8, offset: u8, width: u8, ty: ParamType },
    /// 64 bits inside an item, of which the halves stand apart.
    Halves { item: u8, low: u8, high: u8 },
    /// The thread's pending exec record; the item is what stands there without one (a failed exec).
    Exec(Part, Option<u8>),
}

/// Parts of the status that `wait` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExitPart {
    /// What the program gave to `exit`.
    Code,
    /// The signal that ended it, or 0.
    Signal,
    /// Whether it left a core.
    Core,
}

/// What an exec record tells (`put_exec_numbers` and `on_exec` in the probe).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// One of its numbers.
    Number(u8),
    /// The path that was to be executed.
    Filename,
    /// The same for execveat: without what the kernel puts before it for the directory.
    Pathname,
    /// First argument.
    Exe,
    /// Path of the program in memory.
    Exepath,
    /// Arguments after the first.
    Args,
    /// The thread's new name.
    Comm,
    /// Environment.
    Env,
}

/// 8-byte numbers in an exec record before its comm (`EXEC_NUMBERS` in the probe).
pub(super) const EXEC_NUMBERS: usize = 26;
/// Their names in the event table, in the probe's order.
const EXEC_NAMES: [&str; EXEC_NUMBERS] = [
    "uid",
    "euid",
    "gid",
    "egid",
    "cgroup_id",
    "ptid",
    "old_tid",
    "pgid",
    "sid",
    "tty",
    "loginuid",
    "cap_inheritable",
    "cap_permitted",
    "cap_effective",
    "exe_ino",
    "exe_dev",
    "fdlimit",
    "pgft_maj",
    "pgft_min",
    "vm_size",
    "vpgid",
    "exe_flags",
    "exe_ino_ctime",
    "exe_ino_mtime",
    "vm_rss",
    "vm_swap",
];

/// How records of one kind are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    /// 8-byte arguments in the record.
    pub(super) words: u8,
    ops: ArrayVec<Op, MAX_OPS>,
    /// Argument and bytes of what is read when the call is entered.
    early: [u8; 2],
    flags: u8,
    pub(super) steps: Vec<Step>,
}

impl Plan {
    /// Items in the record.
    pub(super) fn items(&self) -> usize {
        // A failed exec's arguments are behind the others.
        (self.op_items() + usize::from(self.execs())).min(MAX_ITEMS)
    }

    fn op_items(&self) -> usize {
        self.ops.iter().map(|op| usize::from(items_of(*op))).sum()
    }

    /// Whether it is an exec, which its thread's exec record completes.
    pub(super) fn execs(&self) -> bool {
        self.flags & EXECS != 0
    }

    /// The row of the probe's table.
    fn row(&self) -> [u8; ROW] {
        let mut row = [0; ROW];
        row[0] = self.words;
        row[1] = self.ops.len() as u8;
        row[2] = self.flags;
        row[3..5].copy_from_slice(&self.early);
        for (to, op) in row[8..].chunks_exact_mut(8).zip(&self.ops) {
            to.copy_from_slice(op);
        }
        row
    }

    fn call(kind: Kind, spec: &Spec, layout: Layout) -> Plan {
        let execs = matches!(spec.name, "execve" | "execveat");
        let mut flags = if spec.flags.has(KindFlags::ENTER) { ENTER_TOO } else { 0 };
        flags |= if execs { EXECS } else { 0 };
        flags |= if spec.flags.has(KindFlags::STATE) { ALWAYS } else { 0 };
        flags |= if crate::world::changes_thread(kind) { CHANGES } else { 0 };
        flags |= if crate::world::tells(kind) { TELLS } else { 0 };
        let mut plan = Plan { kind, words: 0, ops: ArrayVec::new(), early: [0; 2], flags, steps: Vec::new() };
        for param in spec.params {
            let step = if execs { plan.exec_step(param) } else { plan.step(param, layout) };
            plan.steps.push(step);
        }
        let argv = plan.op_items() as u8;
        for step in &mut plan.steps {
            if let Step::Exec(Part::Exe | Part::Args, instead) = step {
                *instead = Some(argv);
            }
        }
        plan
    }

    /// Calls that the table does not know: their number and registers.
    fn unknown() -> Option<Plan> {
        let mut plan = Plan::made("syscall", |name| match name.strip_prefix('a').and_then(|n| n.parse().ok()) {
            Some(n) => Step::Word(n, ParamType::Hex),
            None => Step::Nr,
        })?;
        plan.words = 6;
        Some(plan)
    }

    fn exec_step(&mut self, param: &Param) -> Step {
        let part = match param.name {
            "filename" => Part::Filename,
            "pathname" => Part::Pathname,
            "exe" => Part::Exe,
            "exepath" | "trusted_exepath" => Part::Exepath,
            "args" => Part::Args,
            "comm" => Part::Comm,
            "env" => Part::Env,
            "flags" if param.from == From::Source => Part::Number(EXE_FLAGS),
            name => match EXEC_NAMES.iter().position(|n| *n == name) {
                Some(i) => Part::Number(i as u8),
                None => return self.step(param, compat::NATIVE),
            },
        };
        let instead = match self.step(param, compat::NATIVE) {
            Step::Item(i) => Some(i),
            _ => None,
        };
        Step::Exec(part, instead)
    }

    fn step(&mut self, param: &Param, layout: Layout) -> Step {
        let at = |n: u8| layout.places.get(usize::from(n)).copied().unwrap_or(NOWHERE);
        if let From::Arg(n) = param.from {
            return match at(n) {
                NOWHERE => Step::Missing,
                place => {
                    let two = u8::from(place >= PAIR);
                    self.words = self.words.max(place % PAIR + 1 + two).min(6);
                    if two == 1 { Step::Pair(place - PAIR) } else { Step::Word(place, param.ty) }
                }
            };
        }
        let (from, narrow) = (param.from, layout.narrow);
        let Some(mut op) = op(from, narrow, at) else { return Step::Missing };
        if let Some(when) = param.when {
            op[4..].copy_from_slice(&[at(when.arg) + 1, when.shift, when.low, when.high]);
        }
        if let From::Early { arg, size, .. } = from {
            self.early = [at(arg), if narrow { size / 2 } else { size }.min(16)];
        }
        let Some(item) = self.item(op) else { return Step::Missing };
        match from {
            From::Early { width: 0, .. } => Step::Item(item),
            From::Field { offset, width, .. } | From::Early { offset, width, .. } if narrow => Step::Field {
                item,
                offset: offset / 2,
                width: if width == 16 { TIMESPEC32 } else { width / 2 },
                ty: param.ty,
            },
            From::Field { offset, width, .. }
            | From::Early { offset, width, .. }
            | From::Elements { offset, width, .. }
            | From::Returned { offset, width, .. }
            | From::Part { offset, width, .. }
            | From::Facts { offset, width, .. } => Step::Field { item, offset, width, ty: param.ty },
            From::Inside { offset, len, .. } => Step::Text { item, offset, len },
            From::Halves { low, high, .. } => Step::Halves { item, low, high },
            From::IovSize(_) => Step::Field { item: item + 1, offset: 0, width: 8, ty: param.ty },
            From::Message { part: MessagePart::Size, .. } => {
                Step::Field { item: item + 1, offset: 0, width: 8, ty: param.ty }
            }
            From::Message { part, .. } => Step::Item(item + place(part)),
            _ => Step::Item(item),
        }
    }

    /// The first item that an operation makes; operations that are the same share theirs. `None` when there is no room for another.
    fn item(&mut self, op: Op) -> Option<u8> {
        let found = self.ops.iter().position(|o| *o == op);
        if found.is_none() {
            self.ops.try_push(op).ok()?;
        }
        let before = found.unwrap_or(self.ops.len() - 1);
        let first: u8 = self.ops[..before].iter().map(|op| items_of(*op)).sum();
        (usize::from(first + items_of(op)) <= MAX_ITEMS).then_some(first)
    }

    /// For a kind that is no call: parameters by name.
    fn made(name: &str, step: impl Fn(&str) -> Step) -> Option<Plan> {
        let kind = kind_by_name(name)?;
        let steps = SPECS.get(usize::from(kind.0))?.params.iter().map(|p| step(p.name)).collect();
        Some(Plan { kind, words: 0, ops: ArrayVec::new(), early: [0; 2], flags: 0, steps })
    }
}

/// Place of an executable's flags among an exec record's numbers.
const EXE_FLAGS: u8 = 21;

/// A width that stands for a `struct timespec` with two 4-byte fields.
pub(super) const TIMESPEC32: u8 = 0x88;

/// The operation that reads a parameter, with its arguments at their places; `None`: there is none.
fn op(from: From, narrow: bool, at: impl Fn(u8) -> u8) -> Option<Op> {
    let half = |size: u8| if narrow { size / 2 } else { size };
    // A descriptor may be the one returned, or behind a pointer.
    let place = |fd: u8| if fd < 128 || fd == 255 { fd } else { 128 + at(fd - 128) };
    let [kind, arg, len, max] = match from {
        From::None | From::Source | From::Arg(_) => return None,
        From::Str(n) => [1, at(n), 0, 0],
        From::Early { .. } => [2, 0, 0, 0],
        From::BufRet(n) => [3, at(n), 0, 0],
        From::BufLen(n, len) => [4, at(n), at(len), 0],
        From::SockIn(n, len) => [5, at(n), at(len), 0],
        From::SockOut(n, len) => [6, at(n), at(len), 0],
        From::Iov(n) | From::IovSize(n) => [IOV, at(n), at(n + 1), 0],
        From::Message { arg, many, .. } => [MSG, at(arg), 0, u8::from(many)],
        From::Field { arg, size, .. } => [9, at(arg), 0, half(size)],
        From::Halves { arg, size, .. } => [9, at(arg), 0, size],
        From::Array8(n, len) => [10, at(n), at(len), 0],
        From::Tuple(n) => [11, n, 0, 0],
        From::Facts { of, fd, .. } => match of {
            Facts::File => [12, place(fd), 0, 0],
            Facts::Memory => [13, 0, 0, 0],
            Facts::Backlog => [14, place(fd), 0, 0],
            Facts::Ends => [15, place(fd), 0, 0],
        },
        From::Elements { arg, count, size, .. } => [16, at(arg), at(count), size],
        From::Returned { arg, size, .. } => [3, at(arg), 0, size],
        From::Inside { arg, count, size, .. } | From::Part { arg, count, size, .. } => [4, at(arg), at(count), size],
        From::Bits(n, count) => [17, at(n), at(count), 0],
    };
    Some([kind, arg, len, max, 0, 0, 0, 0])
}

/// Which of a message's items a part is.
const fn place(part: MessagePart) -> u8 {
    match part {
        MessagePart::Data => 0,
        MessagePart::Size => 1,
        MessagePart::Name => 2,
        MessagePart::Control => 3,
        MessagePart::Files => 4,
    }
}

/// A fork record's numbers, in the probe's order.
fn fork_step(name: &str) -> Step {
    match name {
        "child_tid" => Step::Number(0),
        "child_pid" => Step::Number(1),
        "child_vtid" => Step::Number(2),
        "child_vpid" => Step::Number(3),
        "ppid" => Step::Number(4),
        "start" => Step::BootTime(5),
        "flags" => Step::Number(6),
        _ => Step::Missing,
    }
}

/// An exit record's numbers, in the probe's order: what the thread used, then, if it is the last, what its process did.
fn exit_step(name: &str) -> Step {
    match name {
        "status" => Step::Status,
        "last" => Step::Last,
        "ret" => Step::ExitPart(ExitPart::Code),
        "sig" => Step::ExitPart(ExitPart::Signal),
        "core" => Step::ExitPart(ExitPart::Core),
        "utime" => Step::Time { from: 0, user: true, last: false },
        "stime" => Step::Time { from: 0, user: false, last: false },
        "minflt" => Step::Number(2),
        "majflt" => Step::Number(3),
        "nvcsw" => Step::Number(4),
        "nivcsw" => Step::Number(5),
        "reaper_tid" => Step::Number(7),
        "group_utime" => Step::Time { from: 8, user: true, last: true },
        "group_stime" => Step::Time { from: 8, user: false, last: true },
        "group_minflt" => Step::IfLast(10),
        "group_majflt" => Step::IfLast(11),
        "group_nvcsw" => Step::IfLast(12),
        "group_nivcsw" => Step::IfLast(13),
        "maxrss" => Step::IfLast(15),
        _ => Step::Missing,
    }
}

fn signal_step(name: &str) -> Step {
    match name {
        "spid" => Step::Number(0),
        "dpid" => Step::Process,
        "sig" => Step::Number(2),
        "uid" => Step::Number(1),
        "code" => Step::Number(3),
        "addr" => Step::Number(4),
        "handler" => Step::Number(5),
        _ => Step::Missing,
    }
}

/// Numbers and items of a request to a ring (`probe/uring.h`).
pub(super) const REQUEST: (usize, usize) = (16, 7);

fn request_step(name: &str) -> Step {
    let number = |n| Step::Number(n);
    match name {
        "opcode" => number(0),
        "fd" => Step::RingFd,
        "user_data" => number(2),
        "flags" => number(3),
        "request" => number(4),
        "dirfd" => number(5),
        "newdirfd" => number(6),
        "open_flags" => number(7),
        "mode" => number(8),
        "pos" => number(9),
        "domain" => number(11),
        "type" => number(12),
        "proto" => number(13),
        "direct" => number(14),
        "op_flags" => number(15),
        "name" => Step::Item(0),
        "newname" => Step::Item(1),
        "data" => Step::Item(2),
        // of vectors and messages the sum is an item
        "size" => Step::Either(10, 3),
        "addr" => Step::Item(4),
        "files" => Step::Item(6),
        _ => Step::Missing,
    }
}

/// Numbers and items of a request's completion.
pub(super) const RESULT: (usize, usize) = (6, 7);

fn result_step(name: &str) -> Step {
    let fact = |offset, width, ty| Step::Field { item: 1, offset, width, ty };
    match name {
        "opcode" => Step::Number(0),
        "res" => Step::Number(1),
        "user_data" => Step::Number(2),
        "flags" => Step::Number(3),
        "request" => Step::Number(4),
        "fd" => Step::Number(5),
        "tuple" => Step::Item(0),
        "dev" => fact(0, 4, ParamType::Hex),
        "ino" => fact(8, 8, ParamType::Uint),
        "data" => Step::Item(2),
        "addr" => Step::Item(4),
        "files" => Step::Item(6),
        _ => Step::Missing,
    }
}

/// A switch's numbers, in the probe's order.
fn switch_step(name: &str) -> Step {
    ["next", "pgft_maj", "pgft_min", "vm_size", "vm_rss", "vm_swap"]
        .iter()
        .position(|n| *n == name)
        .map_or(Step::Missing, |n| Step::Number(n as u8))
}

fn cputime_step(name: &str) -> Step {
    match name {
        "delta" => Step::Delta,
        "total" => Step::Number(0),
        "gone" => Step::Last,
        _ => Step::Missing,
    }
}

/// The plans of all kinds that the probe can report.
#[derive(Debug)]
pub struct Plans {
    calls: Vec<Option<Plan>>,
    pub(super) fork: Option<Plan>,
    pub(super) exit: Option<Plan>,
    pub(super) cputime: Option<Plan>,
    pub(super) signal: Option<Plan>,
    pub(super) submit: Option<Plan>,
    pub(super) complete: Option<Plan>,
    pub(super) switch: Option<Plan>,
}

impl Default for Plans {
    fn default() -> Self {
        Plans::new()
    }
}

impl Plans {
    /// The plans of the event table.
    pub fn new() -> Plans {
        let mut calls = vec![Plan::unknown(); ROWS];
        for (i, spec) in SPECS.iter().enumerate() {
            let kind = Kind(i as u16);
            let row = spec.x86_64.map(usize::from).filter(|nr| *nr < NATIVE);
            if let Some(slot) = row.and_then(|nr| calls.get_mut(nr)) {
                *slot = Some(Plan::call(kind, spec, compat::NATIVE));
            }
            for nr in compat::numbers(spec) {
                if let Some(slot) = calls.get_mut(NATIVE + usize::from(nr)) {
                    *slot = Some(Plan::call(kind, spec, compat::layout(nr)));
                }
            }
        }
        Plans {
            calls,
            fork: Plan::made("procfork", fork_step),
            exit: Plan::made("procexit", exit_step),
            cputime: Plan::made("cputime", cputime_step),
            signal: Plan::made("signaldeliver", signal_step),
            submit: Plan::made("io_uring_submit", request_step),
            complete: Plan::made("io_uring_complete", result_step),
            switch: Plan::made("switch", switch_step),
        }
    }

    /// The plan of a call; that of the kind `syscall` where the table does not know it.
    pub(super) fn call(&self, nr: u16, compat: bool) -> Option<&Plan> {
        let row = if compat { NATIVE + (usize::from(nr) & (NATIVE - 1)) } else { usize::from(nr).min(NATIVE - 1) };
        self.calls.get(row)?.as_ref()
    }

    /// The probe's table, without calls of kinds that `calls` (by kind; `None`: all) leaves out.
    pub(in crate::source) fn rows(&self, calls: Option<&[bool]>) -> impl Iterator<Item = [u8; ROW]> {
        let mut unknown = [0; ROW];
        unknown[2] = SKIP;
        let row = move |plan: &Plan| {
            let asked = calls.is_none_or(|calls| calls.get(usize::from(plan.kind.0)).copied().unwrap_or(true));
            let mut row = plan.row();
            row[2] |= if asked || plan.flags & ALWAYS != 0 { 0 } else { SKIP };
            row
        };
        self.calls.iter().map(move |p| p.as_ref().map_or(unknown, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str) -> Plan {
        let kind = kind_by_name(name).unwrap();
        Plan::call(kind, kind.spec(), compat::NATIVE)
    }

    #[test]
    fn every_parameter_of_every_call_finds_room_for_its_operation() {
        let plans = Plans::new();
        for spec in SPECS {
            let Some(plan) = spec.x86_64.and_then(|nr| plans.call(nr, false)) else { continue };
            for (param, step) in spec.params.iter().zip(&plan.steps) {
                let captured = !matches!(param.from, From::None | From::Source);
                assert!(!captured || *step != Step::Missing, "{}.{} is lost", spec.name, param.name);
            }
        }
    }

    #[test]
    fn fields_of_one_structure_share_one_operation() {
        let plan = plan("getrlimit");
        assert_eq!(plan.items(), 1);
        assert!(matches!(
            plan.steps[..],
            [Step::Field { item: 0, offset: 0, .. }, Step::Field { item: 0, offset: 8, .. }, ..]
        ));
    }

    #[test]
    fn only_arguments_that_are_shown_are_recorded() {
        assert_eq!(plan("getppid").words, 0);
        assert_eq!(plan("getppid").row(), [0; ROW]);
        assert_eq!(plan("close").words, 1);
    }

    #[test]
    fn the_source_fills_every_parameter_of_an_exec_and_of_a_fork() {
        for (plan, name) in [(plan("execve"), "execve"), (Plans::new().fork.unwrap(), "procfork")] {
            let spec = plan.kind.spec();
            let lost: Vec<&str> = spec
                .params
                .iter()
                .zip(&plan.steps)
                .filter(|(_, s)| **s == Step::Missing)
                .map(|(p, _)| p.name)
                .collect();
            assert_eq!(lost, [""; 0], "{name}");
        }
    }

    #[test]
    fn unknown_calls_are_recorded_with_their_number_and_registers() {
        let plans = Plans::new();
        assert_eq!(plans.rows(None).count(), ROWS);
        for (nr, compat) in [(511, false), (60_000, false), (400 - 60, false), (17, true), (90, true)] {
            let plan = plans.call(nr, compat).unwrap();
            assert_eq!((plan.kind.spec().name, plan.words), ("syscall", 6), "{nr}");
        }
    }

    #[test]
    fn arguments_of_32_bit_calls_are_where_those_have_them() {
        let plans = Plans::new();
        let steps = |nr| plans.call(nr, true).unwrap();
        assert_eq!(steps(180).steps[3], Step::Pair(3), "pread's offset is in two registers");
        assert_eq!(steps(180).words, 5);
        assert!(matches!(steps(500).steps[0], Step::Word(2, _)), "semop's count is ipc's second number");
        assert_eq!(steps(500).ops[0][1..3], [4, 2], "and its operations are at ipc's pointer");
        assert!(matches!(steps(162).steps[0], Step::Field { offset: 0, width: TIMESPEC32, .. }));
        assert!(matches!(steps(76).steps[1], Step::Field { offset: 4, width: 4, .. }));
        assert!(matches!(steps(340).steps[1], Step::Field { offset: 8, width: 8, .. }), "prlimit64 is as everywhere");
    }

    #[test]
    fn calls_that_nobody_asks_about_are_skipped_unless_they_change_the_state() {
        let rows: Vec<[u8; ROW]> = Plans::new().rows(Some(&vec![false; SPECS.len()])).collect();
        for spec in SPECS {
            let Some(row) = spec.x86_64.and_then(|nr| rows.get(usize::from(nr))) else { continue };
            assert_eq!(row[2] & SKIP != 0, !spec.flags.has(KindFlags::STATE), "{}", spec.name);
        }
    }
}
