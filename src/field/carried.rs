//! Fields whose value depends on events before: memory and faults so far, what is open, time since the event before.
//!
//! Somebody has to carry their values along the rows, which is done only where a question names one (see [`carries`]); on rows of a
//! state some are parameters of the row itself.

use super::{ArgRule, Context, Extract, Field, FieldArg, FieldRef};
use crate::batch::Row;
use crate::value::{Type, Value};

/// A value that is carried along the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Carry {
    /// Time since the row before in its reel, ns.
    Delta,
    /// Memory of the process, KiB: virtual, resident, swapped.
    VmSize,
    /// See [`Carry::VmSize`].
    VmRss,
    /// See [`Carry::VmSize`].
    VmSwap,
    /// Page faults of the thread so far that waited for a disk.
    FaultsMajor,
    /// Page faults of the thread so far that did not.
    FaultsMinor,
    /// Time on a processor that the row tells of, ns.
    ExecTime,
    /// Time on a processor that was told of the thread so far, ns.
    TotalExecTime,
    /// The same in percent of the time since the thread's last such row, hundredths.
    Cpu,
    /// Threads of the process that live.
    Threads,
    /// Open descriptors of the process.
    Descriptors,
    /// 1 where the event gave its descriptor another name, 0 where not.
    NameChanged,
    /// Types of the open descriptors: number, colon, type and a blank for each.
    Types,
    /// Type and name of descriptors 0, 1 and 2.
    StdinType,
    /// See [`Carry::StdinType`].
    StdinName,
    /// See [`Carry::StdinType`].
    StdoutType,
    /// See [`Carry::StdinType`].
    StdoutName,
    /// See [`Carry::StdinType`].
    StderrType,
    /// See [`Carry::StdinType`].
    StderrName,
    /// Names of the descriptors that a poll waits for, and of their ends, a comma between.
    ListNames,
    /// See [`Carry::ListNames`].
    ListClientIps,
    /// See [`Carry::ListNames`].
    ListServerIps,
    /// See [`Carry::ListNames`].
    ListClientPorts,
    /// See [`Carry::ListNames`].
    ListServerPorts,
}

/// What each field is made of.
const NEEDS: &[(&str, Carry)] = &[
    ("evt.deltatime", Carry::Delta),
    ("evt.deltatime.s", Carry::Delta),
    ("evt.deltatime.ns", Carry::Delta),
    ("proc.vmsize", Carry::VmSize),
    ("proc.vmrss", Carry::VmRss),
    ("proc.vmswap", Carry::VmSwap),
    ("thread.vmsize", Carry::VmSize),
    ("thread.vmrss", Carry::VmRss),
    ("thread.vmsize.b", Carry::VmSize),
    ("thread.vmrss.b", Carry::VmRss),
    ("thread.pfmajor", Carry::FaultsMajor),
    ("thread.pfminor", Carry::FaultsMinor),
    ("thread.exectime", Carry::ExecTime),
    ("thread.totexectime", Carry::TotalExecTime),
    ("thread.cpu", Carry::Cpu),
    ("proc.nthreads", Carry::Threads),
    ("proc.nchilds", Carry::Threads),
    ("proc.fdopencount", Carry::Descriptors),
    ("proc.fdusage", Carry::Descriptors),
    ("fd.name_changed", Carry::NameChanged),
    ("fd.types", Carry::Types),
    ("proc.stdin.type", Carry::StdinType),
    ("proc.stdin.name", Carry::StdinName),
    ("proc.stdout.type", Carry::StdoutType),
    ("proc.stdout.name", Carry::StdoutName),
    ("proc.stderr.type", Carry::StderrType),
    ("proc.stderr.name", Carry::StderrName),
    ("fdlist.names", Carry::ListNames),
    ("fdlist.cips", Carry::ListClientIps),
    ("fdlist.sips", Carry::ListServerIps),
    ("fdlist.cports", Carry::ListClientPorts),
    ("fdlist.sports", Carry::ListServerPorts),
];

/// What must be carried for a field.
pub fn carries(field: &Field) -> Option<Carry> {
    NEEDS.iter().find(|(name, _)| *name == field.name).map(|(_, carry)| *carry)
}

impl FieldRef {
    /// What must be carried for it.
    pub fn carries(&self) -> Option<Carry> {
        carries(self.field)
    }
}

const fn field(name: &'static str, ty: Type, doc: &'static str, example: &'static str, extract: Extract) -> Field {
    Field::new(name, ty, ArgRule::No, doc, example, extract)
}

pub(super) static FIELDS: &[Field] = &[
    field(
        "evt.deltatime",
        Type::Duration,
        "Time since the event before in the reel.",
        "evt.deltatime > 1s",
        Extract::Event(delta),
    ),
    field(
        "evt.deltatime.s",
        Type::Duration,
        "Whole seconds since the event before in the reel.",
        "evt.deltatime.s > 1",
        Extract::Event(delta_s),
    ),
    field(
        "evt.deltatime.ns",
        Type::Duration,
        "Nanoseconds past the whole second since the event before in the reel.",
        "evt.deltatime.ns > 1000",
        Extract::Event(delta_ns),
    ),
    field(
        "proc.vmsize",
        Type::Uint,
        "Virtual memory of the process, KiB, as it was told last.",
        "proc.vmsize > 1000000",
        Extract::Event(vmsize),
    ),
    field(
        "proc.vmrss",
        Type::Uint,
        "Resident memory of the process, KiB, as it was told last.",
        "proc.vmrss > 100000",
        Extract::Event(vmrss),
    ),
    field(
        "proc.vmswap",
        Type::Uint,
        "Memory of the process on swap, KiB, as it was told last.",
        "proc.vmswap > 0",
        Extract::Event(vmswap),
    ),
    field(
        "thread.vmsize",
        Type::Uint,
        "The same as proc.vmsize for the first thread of a process, 0 for others: to be summed.",
        "thread.vmsize > 0",
        Extract::Event(thread_vmsize),
    ),
    field(
        "thread.vmrss",
        Type::Uint,
        "The same as proc.vmrss for the first thread of a process, 0 for others: to be summed.",
        "thread.vmrss > 0",
        Extract::Event(thread_vmrss),
    ),
    field(
        "thread.vmsize.b",
        Type::Uint,
        "The same as thread.vmsize in bytes.",
        "thread.vmsize.b > 64MiB",
        Extract::Event(thread_vmsize_b),
    ),
    field(
        "thread.vmrss.b",
        Type::Uint,
        "The same as thread.vmrss in bytes.",
        "thread.vmrss.b > 64MiB",
        Extract::Event(thread_vmrss_b),
    ),
    field(
        "thread.pfmajor",
        Type::Uint,
        "Page faults of the thread so far that waited for a disk, as they were told last.",
        "thread.pfmajor > 100",
        Extract::Event(pfmajor),
    ),
    field(
        "thread.pfminor",
        Type::Uint,
        "Page faults of the thread so far that waited for no disk, as they were told last.",
        "thread.pfminor > 10000",
        Extract::Event(pfminor),
    ),
    field(
        "thread.exectime",
        Type::Duration,
        "Time on a processor that the event tells of (cputime, switch): since the thread's last such event.",
        "thread.exectime > 1ms",
        Extract::Event(exectime),
    ),
    field(
        "thread.totexectime",
        Type::Duration,
        "Time on a processor that was told of the thread so far.",
        "thread.totexectime > 1s",
        Extract::Event(totexectime),
    ),
    field(
        "thread.cpu",
        Type::Real,
        "Percent of a processor that the thread had since its last cputime event, at most 100; on those events alone.",
        "thread.cpu > 50",
        Extract::Event(cpu),
    ),
    field(
        "thread.cpu.user",
        Type::Real,
        "Percent of a processor that the thread had in user mode over its whole life; on procexit events alone, which tell it.",
        "thread.cpu.user > 50",
        Extract::Event(cpu_user),
    ),
    field(
        "thread.cpu.system",
        Type::Real,
        "Percent of a processor that the thread had in the kernel over its whole life; on procexit events alone, which tell it.",
        "thread.cpu.system > 12.5",
        Extract::Event(cpu_system),
    ),
    field(
        "proc.nthreads",
        Type::Uint,
        "Threads of the process that live.",
        "proc.nthreads > 100",
        Extract::Event(nthreads),
    ),
    field(
        "proc.nchilds",
        Type::Uint,
        "Threads of the process that live beside its first (sysdig's word for them).",
        "proc.nchilds > 100",
        Extract::Event(nchilds),
    ),
    field(
        "proc.fdopencount",
        Type::Uint,
        "Open descriptors of the process, as far as they are known.",
        "proc.fdopencount > 1000",
        Extract::Event(fdopencount),
    ),
    field(
        "proc.fdusage",
        Type::Real,
        "Open descriptors of the process in percent of the most it may have.",
        "proc.fdusage > 80",
        Extract::Event(fdusage),
    ),
    field(
        "fd.name_changed",
        Type::Bool,
        "Whether the event gave its descriptor another name.",
        "fd.name_changed = true",
        Extract::Event(name_changed),
    ),
    Field::new(
        "fd.types",
        Type::Text,
        ArgRule::OptionalIndex,
        "Types of the open descriptors of the process, each once; or of the one with a number.",
        "fd.types[0] = ipv4",
        Extract::Event(types),
    ),
    field("proc.stdin.type", Type::Text, "What descriptor 0 is.", "proc.stdin.type = ipv4", Extract::Event(stdin_type)),
    field(
        "proc.stdin.name",
        Type::Path,
        "What descriptor 0 refers to.",
        "proc.stdin.name exists",
        Extract::Event(stdin_name),
    ),
    field(
        "proc.stdout.type",
        Type::Text,
        "What descriptor 1 is.",
        "proc.stdout.type = ipv4",
        Extract::Event(stdout_type),
    ),
    field(
        "proc.stdout.name",
        Type::Path,
        "What descriptor 1 refers to.",
        "proc.stdout.name exists",
        Extract::Event(stdout_name),
    ),
    field(
        "proc.stderr.type",
        Type::Text,
        "What descriptor 2 is.",
        "proc.stderr.type = ipv4",
        Extract::Event(stderr_type),
    ),
    field(
        "proc.stderr.name",
        Type::Path,
        "What descriptor 2 refers to.",
        "proc.stderr.name exists",
        Extract::Event(stderr_name),
    ),
    field(
        "fdlist.names",
        Type::Text,
        "Names of the descriptors that a poll waits for, commas between.",
        "fdlist.names contains /dev/kmsg",
        Extract::Event(list_names),
    ),
    field(
        "fdlist.cips",
        Type::Text,
        "Client addresses of the descriptors that a poll waits for, commas between.",
        "fdlist.cips contains 10.0.0.1",
        Extract::Event(list_cips),
    ),
    field(
        "fdlist.sips",
        Type::Text,
        "Server addresses of the descriptors that a poll waits for, commas between.",
        "fdlist.sips contains 10.0.0.1",
        Extract::Event(list_sips),
    ),
    field(
        "fdlist.cports",
        Type::Text,
        "Client ports of the descriptors that a poll waits for, commas between.",
        "fdlist.cports contains 40000",
        Extract::Event(list_cports),
    ),
    field(
        "fdlist.sports",
        Type::Text,
        "Server ports of the descriptors that a poll waits for, commas between.",
        "fdlist.sports contains 443",
        Extract::Event(list_sports),
    ),
];

fn number(row: &Row<'_>, of: Carry) -> Option<i64> {
    if row.batch.head().snapshot {
        return told(row, of);
    }
    row.batch.carried()?.number(of as u8, row.index)
}

/// Of a row of a state, its own parameter.
fn told(row: &Row<'_>, of: Carry) -> Option<i64> {
    let name = match of {
        Carry::VmSize => "vm_size",
        Carry::VmRss => "vm_rss",
        Carry::VmSwap => "vm_swap",
        Carry::FaultsMajor => "pgft_maj",
        Carry::FaultsMinor => "pgft_min",
        Carry::TotalExecTime => "cputime",
        _ => return None,
    };
    let param = row.info().params.iter().position(|p| p.name == name)?;
    row.arg(param).int()
}

fn uint<'a>(row: &Row<'a>, of: Carry) -> Value<'a> {
    number(row, of).map_or(Value::Missing, |value| Value::Uint(value as u64))
}

fn text<'a>(row: &Row<'a>, of: Carry) -> Value<'a> {
    row.batch.carried().and_then(|carried| carried.text(of as u8, row.index)).map_or(Value::Missing, Value::text)
}

/// Of the first thread of a process times a factor, and 0 of others.
fn of_first<'a>(row: &Row<'a>, of: Carry, factor: u64) -> Value<'a> {
    if row.thread().tid != row.thread().pid {
        return Value::Uint(0);
    }
    number(row, of).map_or(Value::Missing, |value| Value::Uint((value as u64).saturating_mul(factor)))
}

const SECOND: u64 = 1_000_000_000;

fn delta<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::Delta)
}

fn delta_s<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    number(row, Carry::Delta).map_or(Value::Missing, |ns| Value::Uint(ns as u64 / SECOND))
}

fn delta_ns<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    number(row, Carry::Delta).map_or(Value::Missing, |ns| Value::Uint(ns as u64 % SECOND))
}

fn vmsize<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::VmSize)
}

fn vmrss<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::VmRss)
}

fn vmswap<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::VmSwap)
}

fn pfmajor<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::FaultsMajor)
}

fn pfminor<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::FaultsMinor)
}

fn exectime<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::ExecTime)
}

fn totexectime<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::TotalExecTime)
}

fn nthreads<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::Threads)
}

fn fdopencount<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    uint(row, Carry::Descriptors)
}

fn cpu<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    number(row, Carry::Cpu).map_or(Value::Missing, |hundredths| Value::Ratio { sum: hundredths, of: 100 })
}

/// Of the thread's life, the part that a parameter of its end tells, ns, in percent.
fn of_life<'a>(row: &Row<'a>, name: &str) -> Value<'a> {
    let start = row.thread().start;
    if row.info().name != "procexit" || start == 0 || row.time() <= start {
        return Value::Missing;
    }
    let param = row.info().params.iter().position(|p| p.name == name);
    let Some(ns) = param.and_then(|param| row.arg(param).int()) else { return Value::Missing };
    Value::Ratio { sum: ns.saturating_mul(100), of: row.time() - start }
}

fn cpu_user<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    of_life(row, "utime")
}

fn cpu_system<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    of_life(row, "stime")
}

fn nchilds<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    number(row, Carry::Threads).map_or(Value::Missing, |threads| Value::Uint((threads as u64).saturating_sub(1)))
}

fn thread_vmsize<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    of_first(row, Carry::VmSize, 1)
}

fn thread_vmrss<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    of_first(row, Carry::VmRss, 1)
}

fn thread_vmsize_b<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    of_first(row, Carry::VmSize, 1024)
}

fn thread_vmrss_b<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    of_first(row, Carry::VmRss, 1024)
}

fn fdusage<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let (open, most) = (number(row, Carry::Descriptors), row.thread().fdlimit);
    let Some(open) = open.filter(|_| most != 0) else { return Value::Missing };
    Value::Ratio { sum: open.saturating_mul(100), of: most }
}

fn name_changed<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    number(row, Carry::NameChanged).map_or(Value::Missing, |changed| Value::Bool(changed != 0))
}

/// Of `0:file 1:pipe ` the types, or the one of a number.
fn types<'a>(row: &Row<'a>, arg: &'a FieldArg, _: &Context) -> Value<'a> {
    let all = row.batch.carried().and_then(|carried| carried.text(Carry::Types as u8, row.index));
    let each = all.unwrap_or_default().split(|&b| b == b' ').filter_map(|one| {
        let at = one.iter().position(|&b| b == b':')?;
        Some((std::str::from_utf8(&one[..at]).ok()?.parse::<u32>().ok()?, &one[at + 1..]))
    });
    if let FieldArg::Index(wanted) = arg {
        return each.into_iter().find(|(fd, _)| fd == wanted).map_or(Value::Missing, |(_, ty)| Value::text(ty));
    }
    let mut types: Vec<&[u8]> = Vec::new();
    for (_, ty) in each {
        if !types.contains(&ty) {
            types.push(ty);
        }
    }
    super::proc::list(types.into_iter().map(Value::text).collect())
}

fn stdin_type<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::StdinType)
}

fn stdin_name<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::StdinName)
}

fn stdout_type<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::StdoutType)
}

fn stdout_name<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::StdoutName)
}

fn stderr_type<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::StderrType)
}

fn stderr_name<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::StderrName)
}

fn list_names<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::ListNames)
}

fn list_cips<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::ListClientIps)
}

fn list_sips<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::ListServerIps)
}

fn list_cports<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::ListClientPorts)
}

fn list_sports<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    text(row, Carry::ListServerPorts)
}
