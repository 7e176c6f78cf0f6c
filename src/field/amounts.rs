//! `evt.is_open_*`, `evt.count.*`, `evt.buflen.*`: facts about an event that sums and rules ask for.

use super::{ArgRule, Column, Context, Extract, Field, FieldArg};
use crate::batch::{KindInfo, Known, Row};
use crate::event::{Category, Flags, KindFlags};
use crate::value::{Type, Value};
use crate::world::DescKind;

pub(super) static FIELDS: &[Field] = &[
    Field {
        name: "evt.source",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Where the event is from: always syscall here.",
        example: "evt.source = syscall",
        extract: Extract::Kind(source),
    },
    Field {
        name: "evt.is_async",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether a plugin or the recorder added the event: never here.",
        example: "evt.is_async = false",
        extract: Extract::Kind(never),
    },
    Field {
        name: "evt.type.is",
        ty: Type::Uint,
        arg: ArgRule::Required,
        doc: "1 if the event has this type, 0 otherwise.",
        example: "evt.type.is.open = 1",
        extract: Extract::Kind(type_is),
    },
    Field {
        name: "evt.is_open_read",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether a call of the open family asks to read.",
        example: "evt.is_open_read = true",
        extract: Extract::Event(is_open_read),
    },
    Field {
        name: "evt.is_open_write",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether a call of the open family asks to write.",
        example: "evt.is_open_write = true",
        extract: Extract::Event(is_open_write),
    },
    Field {
        name: "evt.is_open_exec",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether a call of the open family may make a file that can be executed.",
        example: "evt.is_open_exec = true",
        extract: Extract::Event(is_open_exec),
    },
    Field {
        name: "evt.is_open_create",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether a call of the open family made a file.",
        example: "evt.is_open_create = true",
        extract: Extract::Event(is_open_create),
    },
    Field {
        name: "evt.is_syslog",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether the event writes to the system log's socket, /dev/log.",
        example: "evt.is_syslog = true",
        extract: Extract::Event(is_syslog),
    },
    Field {
        name: "evt.latency.quantized",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Ten times the decimal logarithm of the latency in nanoseconds, for spectrograms.",
        example: "evt.latency.quantized > 60",
        extract: Extract::Column(Column::Duration, quantized),
    },
    Field {
        name: "evt.wait_latency",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "How long a call that waits took; missing for others.",
        example: "evt.wait_latency > 1s",
        extract: Extract::Column(Column::Duration, wait_latency),
    },
    Field {
        name: "evt.count.exit",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "1 for every event that is complete, to be summed.",
        example: "evt.count.exit = 1",
        extract: Extract::Column(Column::Flags, complete),
    },
    Field {
        name: "evt.count.error",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "1 for every call that failed, 0 for others.",
        example: "evt.count.error = 1",
        extract: Extract::Event(errors),
    },
    Field {
        name: "evt.count.error.file",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "1 for every call on a file that failed, 0 for others.",
        example: "evt.count.error.file = 1",
        extract: Extract::Event(errors_file),
    },
    Field {
        name: "evt.count.error.net",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "1 for every call on a socket that failed, 0 for others.",
        example: "evt.count.error.net = 1",
        extract: Extract::Event(errors_net),
    },
    Field {
        name: "evt.count.error.memory",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "1 for every call on memory that failed, 0 for others.",
        example: "evt.count.error.memory = 1",
        extract: Extract::Event(errors_memory),
    },
    Field {
        name: "evt.count.error.other",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "1 for every other call that failed, 0 for others.",
        example: "evt.count.error.other = 1",
        extract: Extract::Event(errors_other),
    },
    Field::new(
        "evt.count.threadinfo",
        Type::Uint,
        ArgRule::No,
        "1 for every row that tells what a thread ran (cputime), 0 for others.",
        "evt.count.threadinfo = 1",
        Extract::Kind(count_threadinfo),
    ),
    Field::new(
        "evt.count.procinfo",
        Type::Uint,
        ArgRule::No,
        "1 for every row that tells what the first thread of a process ran (cputime), 0 for others.",
        "evt.count.procinfo = 1",
        Extract::Event(count_procinfo),
    ),
    Field {
        name: "evt.buflen.in",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Bytes read.",
        example: "evt.buflen.in > 4096",
        extract: Extract::Event(buflen_in),
    },
    Field {
        name: "evt.buflen.out",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Bytes written.",
        example: "evt.buflen.out > 4096",
        extract: Extract::Event(buflen_out),
    },
    Field {
        name: "evt.buflen.file",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Bytes read from or written to a file.",
        example: "evt.buflen.file > 4096",
        extract: Extract::Event(buflen_file),
    },
    Field {
        name: "evt.buflen.file.in",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Bytes read from a file.",
        example: "evt.buflen.file.in > 4096",
        extract: Extract::Event(buflen_file_in),
    },
    Field {
        name: "evt.buflen.file.out",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Bytes written to a file.",
        example: "evt.buflen.file.out > 4096",
        extract: Extract::Event(buflen_file_out),
    },
    Field {
        name: "evt.buflen.net",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Bytes received from or sent to an internet socket.",
        example: "evt.buflen.net > 4096",
        extract: Extract::Event(buflen_net),
    },
    Field {
        name: "evt.buflen.net.in",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Bytes received from an internet socket.",
        example: "evt.buflen.net.in > 4096",
        extract: Extract::Event(buflen_net_in),
    },
    Field {
        name: "evt.buflen.net.out",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Bytes sent to an internet socket.",
        example: "evt.buflen.net.out > 4096",
        extract: Extract::Event(buflen_net_out),
    },
];

fn source<'a>(_: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    Value::text(b"syscall")
}

fn never<'a>(_: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    Value::Bool(false)
}

fn type_is<'a>(kind: &'a KindInfo, arg: &'a FieldArg) -> Value<'a> {
    Value::Uint(u64::from(matches!(arg, FieldArg::Name(name) if *name == kind.name)))
}

/// Values of `open(2)` on x86-64 and the generic architectures (`asm-generic/fcntl.h`).
const O_ACCMODE: i64 = 3;
const O_WRONLY: i64 = 1;
const O_RDWR: i64 = 2;
const O_CREAT: i64 = 0o100;
const TMPFILE: i64 = 0o20_000_000;

/// Any of the three bits that let somebody execute a file.
const EXECUTABLE: i64 = 0o111;

/// The flags of a call of the open family; `None` for other calls, and where they are not known.
fn open_flags(row: &Row<'_>) -> Option<i64> {
    match row.info().name.as_str() {
        // As `creat(2)` says.
        "creat" => Some(O_CREAT | O_WRONLY),
        _ if opens(row.info()) => row.known(Known::Flags).int(),
        _ => None,
    }
}

/// Whether a kind is a call of the open family.
fn opens(kind: &KindInfo) -> bool {
    matches!(kind.name.as_str(), "open" | "openat" | "openat2" | "open_by_handle_at" | "creat")
}

/// The value of one of these fields for all rows of a kind, where that is the same.
pub(super) fn of_kind(name: &str, kind: &KindInfo) -> Option<Value<'static>> {
    let is_memory = kind.category == Category::Memory;
    let without = |flag: bool, value| (!flag).then_some(value);
    let (reads, writes) = (kind.flags.has(KindFlags::READS), kind.flags.has(KindFlags::WRITES));
    match name {
        "evt.is_open_read" | "evt.is_open_write" | "evt.is_open_exec" | "evt.is_open_create" => {
            without(opens(kind), Value::Bool(false))
        }
        "evt.is_syslog" => without(writes, Value::Bool(false)),
        "evt.count.error" => without(kind.ret.is_some(), Value::Uint(0)),
        "evt.count.error.memory" => without(kind.ret.is_some() && is_memory, Value::Uint(0)),
        "evt.count.error.file" | "evt.count.error.net" | "evt.count.error.other" => {
            without(kind.ret.is_some() && !is_memory, Value::Uint(0))
        }
        "evt.count.procinfo" => without(kind.name == "cputime", Value::Uint(0)),
        "evt.buflen.in" | "evt.buflen.file.in" | "evt.buflen.net.in" => without(reads, Value::Missing),
        "evt.buflen.out" | "evt.buflen.file.out" | "evt.buflen.net.out" => without(writes, Value::Missing),
        "evt.buflen.file" | "evt.buflen.net" => without(reads || writes, Value::Missing),
        _ if name.starts_with("syslog.") => without(writes, Value::Missing),
        _ => None,
    }
}

fn is_open_read<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    Value::Bool(open_flags(row).is_some_and(|flags| flags & O_ACCMODE != O_WRONLY))
}

fn is_open_write<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    Value::Bool(open_flags(row).is_some_and(|flags| matches!(flags & O_ACCMODE, O_WRONLY | O_RDWR)))
}

fn is_open_exec<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let makes = open_flags(row).is_some_and(|flags| flags & (O_CREAT | TMPFILE) != 0);
    Value::Bool(makes && row.known(Known::Mode).int().is_some_and(|mode| mode & EXECUTABLE != 0))
}

fn is_open_create<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let Some(flags) = open_flags(row) else { return Value::Bool(false) };
    let made = row.known(Known::Created).int().is_some_and(|created| created != 0);
    let temporary = flags & TMPFILE != 0 && row.ret().is_some_and(|fd| fd >= 0);
    Value::Bool(made || temporary)
}

/// Whether an event writes to the system log: the socket below `/dev`, or where systemd has it.
pub(super) fn is_to_log(row: &Row<'_>) -> bool {
    let names: [&[u8]; 2] = [b"/dev/log", b"/run/systemd/journal/dev-log"];
    let is_log = |d: &crate::world::DescRow| {
        let name = row.dict().text(d.name);
        d.kind == DescKind::Unix && names.iter().any(|log| name.ends_with(log))
    };
    row.info().flags.has(KindFlags::WRITES) && row.desc().is_some_and(is_log)
}

fn is_syslog<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    Value::Bool(is_to_log(row))
}

fn quantized(_: &KindInfo, ns: i64, _: &Context) -> Value<'static> {
    if ns <= 0 { Value::Missing } else { Value::Uint((10.0 * (ns as f64).log10()) as u64) }
}

fn wait_latency(kind: &KindInfo, ns: i64, _: &Context) -> Value<'static> {
    if kind.flags.has(KindFlags::WAITS) { Value::Uint(ns as u64) } else { Value::Missing }
}

fn complete(_: &KindInfo, flags: i64, _: &Context) -> Value<'static> {
    Value::Uint(u64::from(!Flags(flags as u8).has(Flags::IN_FLIGHT)))
}

/// What a call worked on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    File,
    Net,
    Memory,
    Other,
}

fn on(row: &Row<'_>) -> On {
    match (row.info().category, row.desc().map(|d| d.kind)) {
        (Category::Memory, _) => On::Memory,
        (_, Some(DescKind::File | DescKind::Directory)) | (Category::File, None) => On::File,
        (_, Some(DescKind::Ipv4 | DescKind::Ipv6 | DescKind::Unix | DescKind::Netlink | DescKind::Socket))
        | (Category::Net, None) => On::Net,
        _ => On::Other,
    }
}

fn failed(row: &Row<'_>) -> bool {
    !row.flags().has(Flags::IN_FLIGHT) && row.ret().is_some_and(|ret| ret < 0)
}

fn errors<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    Value::Uint(u64::from(failed(row)))
}

fn errors_on(row: &Row<'_>, what: On) -> Value<'static> {
    Value::Uint(u64::from(failed(row) && on(row) == what))
}

fn errors_file<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    errors_on(row, On::File)
}

fn errors_net<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    errors_on(row, On::Net)
}

fn errors_memory<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    errors_on(row, On::Memory)
}

fn errors_other<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    errors_on(row, On::Other)
}

fn count_threadinfo<'a>(kind: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    Value::Uint(u64::from(kind.name == "cputime"))
}

fn count_procinfo<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let is_main = || row.thread().tid == row.thread().pid;
    Value::Uint(u64::from(row.info().name == "cputime" && is_main()))
}

/// Bytes that a call moved, if it reads or writes as `flags` say, on a descriptor of one of some kinds (any, if none).
fn moved(row: &Row<'_>, flags: &[KindFlags], kinds: &[DescKind]) -> Value<'static> {
    let wanted = flags.iter().any(|f| row.info().flags.has(*f));
    let kind = row.desc().map(|d| d.kind);
    if !wanted || !(kinds.is_empty() || kind.is_some_and(|kind| kinds.contains(&kind))) || failed(row) {
        return Value::Missing;
    }
    row.ret().filter(|_| !row.flags().has(Flags::IN_FLIGHT)).map_or(Value::Missing, |n| Value::Uint(n as u64))
}

const IN: &[KindFlags] = &[KindFlags::READS];
const OUT: &[KindFlags] = &[KindFlags::WRITES];
const BOTH: &[KindFlags] = &[KindFlags::READS, KindFlags::WRITES];
const FILES: &[DescKind] = &[DescKind::File];
const SOCKETS: &[DescKind] = &[DescKind::Ipv4, DescKind::Ipv6];

fn buflen_in<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    moved(row, IN, &[])
}

fn buflen_out<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    moved(row, OUT, &[])
}

fn buflen_file<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    moved(row, BOTH, FILES)
}

fn buflen_file_in<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    moved(row, IN, FILES)
}

fn buflen_file_out<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    moved(row, OUT, FILES)
}

fn buflen_net<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    moved(row, BOTH, SOCKETS)
}

fn buflen_net_in<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    moved(row, IN, SOCKETS)
}

fn buflen_net_out<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    moved(row, OUT, SOCKETS)
}
