//! `evt.*` and `syscall.*`: of the event itself.

use super::moment::{self, written};
use super::render;
use super::{ArgRule, Column, Context, Extract, Field, FieldArg};
use crate::batch::{KindInfo, Known, Row};
use crate::event::{Arg, Category, Flags, KindFlags, errno_name};
use crate::value::{Type, Value};
use crate::world::DescKind;

pub(super) static FIELDS: &[Field] = &[
    Field {
        name: "evt.num",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Ordinal of the event in its reel.",
        example: "evt.num = 1000",
        extract: Extract::Number(Column::Num),
    },
    Field {
        name: "evt.time",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Local time of day with nanoseconds.",
        example: "evt.time startswith 17:35",
        extract: Extract::Column(Column::Time, moment::time),
    },
    Field {
        name: "evt.time.s",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Local time of day without fraction.",
        example: "evt.time.s = 17:35:48",
        extract: Extract::Column(Column::Time, moment::time_s),
    },
    Field {
        name: "evt.time.iso8601",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "UTC date and time with nanoseconds, as in ISO 8601.",
        example: "evt.time.iso8601 startswith 2024-02-29T",
        extract: Extract::Column(Column::Time, moment::iso8601),
    },
    Field {
        name: "evt.datetime",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Local date and time with nanoseconds.",
        example: "evt.datetime startswith '2024-02-29 17'",
        extract: Extract::Column(Column::Time, moment::datetime),
    },
    Field {
        name: "evt.datetime.s",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Local date and time without fraction.",
        example: "evt.datetime.s = '2024-02-29 17:35:48'",
        extract: Extract::Column(Column::Time, moment::datetime_s),
    },
    Field {
        name: "evt.rawtime",
        ty: Type::Time,
        arg: ArgRule::No,
        doc: "Nanoseconds since 1970 UTC.",
        example: "evt.rawtime >= 1709224548000000000",
        extract: Extract::Number(Column::Time),
    },
    Field {
        name: "evt.rawtime.s",
        ty: Type::Time,
        arg: ArgRule::No,
        doc: "Whole seconds since 1970 UTC.",
        example: "evt.rawtime.s = 1709224548",
        extract: Extract::Column(Column::Time, moment::rawtime_s),
    },
    Field {
        name: "evt.rawtime.ns",
        ty: Type::Time,
        arg: ArgRule::No,
        doc: "Nanoseconds past the whole second.",
        example: "evt.rawtime.ns < 1000",
        extract: Extract::Column(Column::Time, moment::rawtime_ns),
    },
    Field {
        name: "evt.reltime",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "Time since the first event of the capture.",
        example: "evt.reltime > 10s",
        extract: Extract::Column(Column::Time, moment::reltime),
    },
    Field {
        name: "evt.reltime.s",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "Whole seconds since the first event of the capture.",
        example: "evt.reltime.s = 10",
        extract: Extract::Column(Column::Time, moment::reltime_s),
    },
    Field {
        name: "evt.reltime.ns",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "Nanoseconds past the whole second since the first event of the capture.",
        example: "evt.reltime.ns < 1000",
        extract: Extract::Column(Column::Time, moment::reltime_ns),
    },
    Field {
        name: "evt.outputtime",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Time in the form chosen with -t.",
        example: "evt.outputtime exists",
        extract: Extract::Event(moment::outputtime),
    },
    Field {
        name: "evt.latency",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "How long the call took.",
        example: "evt.latency > 10ms",
        extract: Extract::Number(Column::Duration),
    },
    Field {
        name: "evt.latency.s",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "Whole seconds the call took.",
        example: "evt.latency.s > 1",
        extract: Extract::Column(Column::Duration, moment::latency_s),
    },
    Field {
        name: "evt.latency.ns",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "Nanoseconds the call took past the whole second.",
        example: "evt.latency.ns > 1000",
        extract: Extract::Column(Column::Duration, moment::latency_ns),
    },
    Field {
        name: "evt.latency.human",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "How long the call took, with a unit.",
        example: "evt.latency.human endswith ms",
        extract: Extract::Column(Column::Duration, moment::latency_human),
    },
    Field {
        name: "evt.dir",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Direction: < for what is complete, > for a call still in flight when the recording ended.",
        example: "evt.dir = <",
        extract: Extract::Column(Column::Flags, dir),
    },
    Field {
        name: "evt.is_doubtful",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether events were lost before it, and what is said of its thread or descriptor was not confirmed since.",
        example: "evt.is_doubtful = true",
        extract: Extract::Column(Column::Flags, is_doubtful),
    },
    Field {
        name: "evt.type",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Kind of event: the name of the system call, or of what happened.",
        example: "evt.type = openat",
        extract: Extract::Kind(type_name),
    },
    Field {
        name: "syscall.type",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of the system call; only calls have one.",
        example: "syscall.type = openat",
        extract: Extract::Kind(syscall_type),
    },
    Field {
        name: "evt.category",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Category: file, net, ipc, memory, process, ...; that of input and output is told by the descriptor.",
        example: "evt.category = net",
        extract: Extract::Event(category),
    },
    Field {
        name: "evt.cpu",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Processor on which the event was complete.",
        example: "evt.cpu = 0",
        extract: Extract::Number(Column::Cpu),
    },
    Field {
        name: "evt.host",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Host that the event happened on.",
        example: "evt.host = node-1",
        extract: Extract::Event(host),
    },
    Field {
        name: "evt.reel",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Reel that the event stands in, as it was named.",
        example: "evt.reel endswith node-1.reel",
        extract: Extract::Event(reel),
    },
    Field {
        name: "evt.args",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "All parameters, name=value.",
        example: "evt.args contains passwd",
        extract: Extract::Event(info),
    },
    Field {
        name: "evt.info",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "All parameters, name=value.",
        example: "evt.info contains passwd",
        extract: Extract::Event(info),
    },
    Field {
        name: "evt.arg",
        ty: Type::Text,
        arg: ArgRule::Required,
        doc: "One parameter as it is shown, by name or position.",
        example: "evt.arg.flags contains O_CREAT",
        extract: Extract::Event(arg),
    },
    Field {
        name: "evt.rawarg",
        ty: Type::Int,
        arg: ArgRule::Required,
        doc: "One parameter as it was recorded, by name or position.",
        example: "evt.rawarg.size > 4096",
        extract: Extract::Event(rawarg),
    },
    Field {
        name: "evt.buffer",
        ty: Type::Bytes,
        arg: ArgRule::No,
        doc: "Data that was read or written, as much as was kept.",
        example: "evt.buffer contains HTTP",
        extract: Extract::Event(buffer),
    },
    Field {
        name: "evt.buflen",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Bytes that a reading or writing call moved.",
        example: "evt.buflen > 1000000",
        extract: Extract::Column(Column::Return, buflen),
    },
    Field {
        name: "evt.res",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "SUCCESS or the name of the error.",
        example: "evt.res = ENOENT",
        extract: Extract::Column(Column::Return, res),
    },
    Field {
        name: "evt.rawres",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Return value.",
        example: "evt.rawres < 0",
        extract: Extract::Number(Column::Return),
    },
    Field {
        name: "evt.failed",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether the call returned an error.",
        example: "evt.failed = true",
        extract: Extract::Column(Column::Return, failed),
    },
    Field {
        name: "evt.is_io",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether events of this kind read or write a descriptor.",
        example: "evt.is_io = true",
        extract: Extract::Kind(is_io),
    },
    Field {
        name: "evt.is_io_read",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether events of this kind read a descriptor.",
        example: "evt.is_io_read = true",
        extract: Extract::Kind(is_io_read),
    },
    Field {
        name: "evt.is_io_write",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether events of this kind write a descriptor.",
        example: "evt.is_io_write = true",
        extract: Extract::Kind(is_io_write),
    },
    Field {
        name: "evt.io_dir",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "read or write, for kinds that do either.",
        example: "evt.io_dir = write",
        extract: Extract::Kind(io_dir),
    },
    Field {
        name: "evt.is_wait",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether events of this kind wait for something.",
        example: "evt.is_wait = true",
        extract: Extract::Kind(is_wait),
    },
    Field {
        name: "evt.count",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "1 for every event, to be summed.",
        example: "evt.count = 1",
        extract: Extract::Kind(count),
    },
];

fn dir(_: &KindInfo, flags: i64, _: &Context) -> Value<'static> {
    Value::text(if Flags(flags as u8).has(Flags::IN_FLIGHT) { b">" } else { b"<" })
}

fn is_doubtful(_: &KindInfo, flags: i64, _: &Context) -> Value<'static> {
    Value::Bool(Flags(flags as u8).has(Flags::DOUBTFUL))
}

fn type_name<'a>(kind: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    Value::text(kind.name.as_bytes())
}

fn syscall_type<'a>(kind: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    if kind.flags.has(KindFlags::CALL) { Value::text(kind.name.as_bytes()) } else { Value::Missing }
}

fn category<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let word = match row.info().category {
        Category::IoRead | Category::IoWrite | Category::IoOther => match row.desc().map(|d| d.kind) {
            Some(DescKind::File | DescKind::Directory) => "file",
            Some(DescKind::Ipv4 | DescKind::Ipv6 | DescKind::Socket | DescKind::Netlink) => "net",
            Some(DescKind::Unix | DescKind::Pipe | DescKind::Event | DescKind::Signal | DescKind::Inotify) => "ipc",
            _ => "other",
        },
        category => category.word(),
    };
    Value::text(word.as_bytes())
}

fn host<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    named(row.batch.origin().map(|origin| origin.host.as_str()))
}

fn reel<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    named(row.batch.origin().map(|origin| origin.reel.as_str()))
}

fn named(name: Option<&str>) -> Value<'_> {
    name.filter(|name| !name.is_empty()).map_or(Value::Missing, |name| Value::Text(name.as_bytes().into()))
}

fn info<'a>(row: &Row<'a>, _: &'a FieldArg, ctx: &Context) -> Value<'a> {
    written(|out| render::write_info(row, ctx, out))
}

/// Which of a kind's shown parameters an argument names; the return value stands before the others.
pub(super) fn slot(info: &KindInfo, arg: &FieldArg) -> Option<render::Slot> {
    match arg {
        FieldArg::Name(name) if info.ret.as_ref().is_some_and(|r| r.0 == *name) => Some(render::Slot::Return),
        FieldArg::Name(name) => info.params.iter().position(|p| p.name == *name).map(render::Slot::Param),
        FieldArg::Index(0) if info.ret.is_some() => Some(render::Slot::Return),
        FieldArg::Index(n) => {
            let n = *n as usize - usize::from(info.ret.is_some());
            (n < info.params.len()).then_some(render::Slot::Param(n))
        }
        FieldArg::None => None,
    }
}

fn arg<'a>(row: &Row<'a>, arg: &'a FieldArg, ctx: &Context) -> Value<'a> {
    let Some(slot) = slot(row.info(), arg) else { return Value::Missing };
    render::resolved(row, slot, ctx)
}

fn rawarg<'a>(row: &Row<'a>, arg: &'a FieldArg, _: &Context) -> Value<'a> {
    match slot(row.info(), arg) {
        Some(render::Slot::Return) => row.ret().map_or(Value::Missing, Value::Int),
        Some(render::Slot::Param(n)) => match row.arg(n) {
            Arg::Int(v) => Value::Int(v),
            Arg::Bytes(b) => Value::text(b),
            Arg::Missing => Value::Missing,
        },
        None => Value::Missing,
    }
}

/// Data that an event moved.
pub(super) fn data<'a>(row: &Row<'a>) -> Option<&'a [u8]> {
    row.known(Known::Data).bytes()
}

fn buffer<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    data(row).map_or(Value::Missing, Value::text)
}

fn is_reading_or_writing(kind: &KindInfo) -> bool {
    kind.flags.has(KindFlags::READS) || kind.flags.has(KindFlags::WRITES)
}

fn buflen(kind: &KindInfo, ret: i64, _: &Context) -> Value<'static> {
    if ret >= 0 && is_reading_or_writing(kind) { Value::Uint(ret as u64) } else { Value::Missing }
}

fn res(_: &KindInfo, ret: i64, _: &Context) -> Value<'static> {
    if ret >= 0 {
        return Value::text(b"SUCCESS");
    }
    errno_name(ret).map_or_else(|| Value::owned(ret.to_string()), |name| Value::text(name.as_bytes()))
}

fn failed(_: &KindInfo, ret: i64, _: &Context) -> Value<'static> {
    Value::Bool(ret < 0)
}

fn is_io<'a>(kind: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    Value::Bool(is_reading_or_writing(kind))
}

fn is_io_read<'a>(kind: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    Value::Bool(kind.flags.has(KindFlags::READS))
}

fn is_io_write<'a>(kind: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    Value::Bool(kind.flags.has(KindFlags::WRITES))
}

fn io_dir<'a>(kind: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    if kind.flags.has(KindFlags::READS) {
        Value::text(b"read")
    } else if kind.flags.has(KindFlags::WRITES) {
        Value::text(b"write")
    } else {
        Value::Missing
    }
}

fn is_wait<'a>(kind: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    Value::Bool(kind.flags.has(KindFlags::WAITS))
}

fn count<'a>(_: &'a KindInfo, _: &'a FieldArg) -> Value<'a> {
    Value::Uint(1)
}
