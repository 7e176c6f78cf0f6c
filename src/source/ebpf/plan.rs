//! [`Plans`]: the event table made into what the probe needs (which data to copy for each call) and what the decoder
//! needs (where in a record each parameter stands).

use super::record::MAX_ITEMS;
use crate::event::{From, Kind, KindFlags, Param, ParamType, SPECS, Spec, kind_by_name};
use arrayvec::ArrayVec;

/// Rows of the probe's table: 512 native calls, then 512 of 32-bit programs.
pub(super) const ROWS: usize = 1024;
/// Native calls.
const NATIVE: usize = 512;
/// The most data operations that a call may have (`MAX_OPS` in the probe).
const MAX_OPS: usize = 3;

/// `enum desc_flags` in the probe.
const SKIP: u8 = 1;
const ENTER_TOO: u8 = 2;
const EXECS: u8 = 4;

/// `struct op` in the probe: kind, argument, second argument or 0, size or number.
type Op = [u8; 4];

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nowhere.
    Missing,
    /// Register argument, narrowed to its type.
    Word(u8, ParamType),
    /// 8 bytes as they stand.
    Number(u8),
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
    /// An integer inside an item.
    Field { item: u8, offset: u8, width: u8, ty: ParamType },
    /// The thread's pending exec record; the item is what stands there without one (a failed exec).
    Exec(Part, Option<u8>),
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
pub(super) const EXEC_NUMBERS: usize = 21;
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
];

/// How records of one kind are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    /// 8-byte arguments in the record.
    pub(super) words: u8,
    ops: ArrayVec<Op, MAX_OPS>,
    flags: u8,
    pub(super) steps: Vec<Step>,
}

impl Plan {
    /// Items in the record.
    pub(super) fn items(&self) -> usize {
        self.ops.len().min(MAX_ITEMS)
    }

    /// Whether it is an exec, which its thread's exec record completes.
    pub(super) fn execs(&self) -> bool {
        self.flags & EXECS != 0
    }

    /// The row of the probe's table.
    fn row(&self) -> [u8; 16] {
        let mut row = [0; 16];
        row[0] = self.words;
        row[1] = self.ops.len() as u8;
        row[2] = self.flags;
        for (to, op) in row[4..].chunks_exact_mut(4).zip(&self.ops) {
            to.copy_from_slice(op);
        }
        row
    }

    fn call(kind: Kind, spec: &Spec, compat: bool) -> Plan {
        let execs = matches!(spec.name, "execve" | "execveat");
        let mut flags = if spec.flags.has(KindFlags::ENTER) { ENTER_TOO } else { 0 };
        flags |= if execs { EXECS } else { 0 };
        let mut plan = Plan { kind, words: 0, ops: ArrayVec::new(), flags, steps: Vec::new() };
        for param in spec.params {
            let step = if execs { plan.exec_step(param) } else { plan.step(param, compat) };
            plan.steps.push(step);
        }
        plan
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
            name => match EXEC_NAMES.iter().position(|n| *n == name) {
                Some(i) => Part::Number(i as u8),
                None => return self.step(param, false),
            },
        };
        let instead = match self.step(param, false) {
            Step::Item(i) => Some(i),
            _ => None,
        };
        Step::Exec(part, instead)
    }

    fn step(&mut self, param: &Param, compat: bool) -> Step {
        // Structures with pointers and longs look different to 32-bit programs.
        let wide = |op: Op| if compat { [0; 4] } else { op };
        let op = match param.from {
            From::None | From::Source => return Step::Missing,
            From::Arg(n) => {
                self.words = self.words.max(n + 1).min(6);
                return Step::Word(n, param.ty);
            }
            From::Str(n) => [1, n, 0, 0],
            From::StrIf(n, value) => [2, n, 0, value],
            From::BufRet(n) => [3, n, 0, 0],
            From::BufLen(n, len) => [4, n, len, 0],
            From::SockIn(n, len) => [5, n, len, 0],
            From::SockOut(n, len) => [6, n, len, 0],
            From::Iov(n) => wide([7, n, 0, 0]),
            From::MsgData(n) => wide([8, n, 0, 0]),
            From::MsgName(n) => wide([9, n, 0, 0]),
            From::Field { arg, size, .. } => wide([10, arg, 0, size]),
            From::Array8(n, len) => [11, n, len, 0],
            From::Tuple(n) => [12, n, 0, 0],
        };
        let Some(item) = self.item(op) else { return Step::Missing };
        match param.from {
            From::Field { offset, width, .. } => Step::Field { item, offset, width, ty: param.ty },
            _ => Step::Item(item),
        }
    }

    /// The item that an operation makes; operations that are the same share one. `None` when there is no room for another.
    fn item(&mut self, op: Op) -> Option<u8> {
        let found = self.ops.iter().position(|o| *o == op);
        if found.is_none() {
            self.ops.try_push(op).ok()?;
        }
        Some(found.unwrap_or(self.ops.len() - 1) as u8)
    }

    /// For a kind that is no call: parameters by name.
    fn made(name: &str, step: impl Fn(&str) -> Step) -> Option<Plan> {
        let kind = kind_by_name(name)?;
        let steps = SPECS.get(usize::from(kind.0))?.params.iter().map(|p| step(p.name)).collect();
        Some(Plan { kind, words: 0, ops: ArrayVec::new(), flags: 0, steps })
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

fn exit_step(name: &str) -> Step {
    match name {
        "status" => Step::Status,
        "last" => Step::Last,
        _ => Step::Missing,
    }
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
}

impl Default for Plans {
    fn default() -> Self {
        Plans::new()
    }
}

impl Plans {
    /// The plans of the event table.
    pub fn new() -> Plans {
        let mut calls = vec![None; ROWS];
        for (i, spec) in SPECS.iter().enumerate() {
            let kind = Kind(i as u16);
            let row = spec.x86_64.map(usize::from).filter(|nr| *nr < NATIVE);
            if let Some(slot) = row.and_then(|nr| calls.get_mut(nr)) {
                *slot = Some(Plan::call(kind, spec, false));
            }
            for nr in super::compat::numbers(spec.name) {
                if let Some(slot) = calls.get_mut(NATIVE + usize::from(nr)) {
                    *slot = Some(Plan::call(kind, spec, true));
                }
            }
        }
        Plans {
            calls,
            fork: Plan::made("procfork", fork_step),
            exit: Plan::made("procexit", exit_step),
            cputime: Plan::made("cputime", cputime_step),
        }
    }

    /// The plan of a call.
    pub(super) fn call(&self, nr: u16, compat: bool) -> Option<&Plan> {
        let row = if compat { NATIVE + (usize::from(nr) & (NATIVE - 1)) } else { usize::from(nr) };
        self.calls.get(row)?.as_ref()
    }

    /// The probe's table: which data to copy for each call. Calls that the event table does not know are not recorded.
    pub(in crate::source) fn rows(&self) -> impl Iterator<Item = [u8; 16]> {
        const UNKNOWN: [u8; 16] = [0, 0, SKIP, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        self.calls.iter().map(|p| p.as_ref().map_or(UNKNOWN, Plan::row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str) -> Plan {
        let kind = kind_by_name(name).unwrap();
        Plan::call(kind, kind.spec(), false)
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
        let plan = plan("pipe");
        assert_eq!(plan.items(), 1);
        assert!(matches!(
            plan.steps[..],
            [Step::Field { item: 0, offset: 0, .. }, Step::Field { item: 0, offset: 4, .. }, ..]
        ));
    }

    #[test]
    fn only_arguments_that_are_shown_are_recorded() {
        assert_eq!(plan("getppid").words, 0);
        assert_eq!(plan("getppid").row(), [0; 16]);
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
    fn unknown_calls_are_skipped_in_the_kernel() {
        let rows: Vec<[u8; 16]> = Plans::new().rows().collect();
        assert_eq!(rows.len(), ROWS);
        assert_eq!(rows[511][2], SKIP);
    }
}
