//! Fields of a thread's ancestors, of its session and of its process group.

use super::ancestry::{ancestors, nth, process};
use super::proc::{args, cmdline, env, exe, exepath, id, list, name, session, started};
use super::{ArgRule, Context, Extract, Field, FieldArg};
use crate::batch::Row;
use crate::value::{Type, Value, write_u64};
use crate::world::{Dict, ThreadRow};

pub(super) static FIELDS: &[Field] = &[
    Field {
        name: "proc.aexe",
        ty: Type::Text,
        arg: ArgRule::OptionalIndex,
        doc: "First argument of an ancestor's command line; without a number, of any.",
        example: "proc.aexe[1] = bash",
        extract: Extract::Thread(aexe),
    },
    Field {
        name: "proc.aexepath",
        ty: Type::Path,
        arg: ArgRule::OptionalIndex,
        doc: "Path of an ancestor's executable; without a number, of any.",
        example: "proc.aexepath[1] = /usr/bin/bash",
        extract: Extract::Thread(aexepath),
    },
    Field {
        name: "proc.aargs",
        ty: Type::Text,
        arg: ArgRule::OptionalIndex,
        doc: "Arguments of an ancestor after the first; without a number, of any.",
        example: "proc.aargs[1] contains -c",
        extract: Extract::Thread(aargs),
    },
    Field {
        name: "proc.acmdline",
        ty: Type::Text,
        arg: ArgRule::OptionalIndex,
        doc: "Name and arguments of an ancestor; without a number, of any.",
        example: "proc.acmdline[1] contains ssh",
        extract: Extract::Thread(acmdline),
    },
    Field {
        name: "proc.aenv",
        ty: Type::Text,
        arg: ArgRule::OptionalIndex,
        doc: "Environment of an ancestor; without a number, of any.",
        example: "proc.aenv[1] contains LD_PRELOAD",
        extract: Extract::Thread(aenv),
    },
    Field {
        name: "proc.pvpid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Id of the parent process in its own pid namespace.",
        example: "proc.pvpid = 1",
        extract: Extract::Thread(pvpid),
    },
    Field {
        name: "proc.ppid.ts",
        ty: Type::Time,
        arg: ArgRule::No,
        doc: "When the parent process started.",
        example: "proc.ppid.ts > 0",
        extract: Extract::Thread(parent_started),
    },
    Field {
        name: "proc.ppid.duration",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "How long the parent process had been running.",
        example: "proc.ppid.duration > 1h",
        extract: Extract::Event(parent_duration),
    },
    Field {
        name: "proc.sid.exe",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "First argument of the session leader's command line.",
        example: "proc.sid.exe = bash",
        extract: Extract::Thread(session_exe),
    },
    Field {
        name: "proc.sid.exepath",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Path of the session leader's executable.",
        example: "proc.sid.exepath = /usr/bin/bash",
        extract: Extract::Thread(session_exepath),
    },
    Field {
        name: "proc.pgid.name",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of the process group's leader: of the oldest ancestor in the group.",
        example: "proc.pgid.name = make",
        extract: Extract::Thread(group_name),
    },
    Field {
        name: "proc.pgid.exe",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "First argument of the group leader's command line.",
        example: "proc.pgid.exe = make",
        extract: Extract::Thread(group_exe),
    },
    Field {
        name: "proc.pgid.exepath",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Path of the group leader's executable.",
        example: "proc.pgid.exepath = /usr/bin/make",
        extract: Extract::Thread(group_exepath),
    },
    Field {
        name: "proc.is_sid_leader",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether the process leads its session.",
        example: "proc.is_sid_leader = true",
        extract: Extract::Thread(is_session_leader),
    },
    Field {
        name: "proc.is_pgid_leader",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether the process leads its process group.",
        example: "proc.is_pgid_leader = true",
        extract: Extract::Thread(is_group_leader),
    },
    Field {
        name: "thread.nametid",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name and id of the thread, together one text.",
        example: "thread.nametid startswith nginx",
        extract: Extract::Thread(nametid),
    },
    Field {
        name: "thread.cgroups",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Control groups of the thread.",
        example: "thread.cgroups contains docker",
        extract: Extract::Thread(cgroups),
    },
    Field::new(
        "thread.cgroup",
        Type::Text,
        ArgRule::Key,
        "Path of the thread's control group for one subsystem; where there is one hierarchy for all, its path.",
        "thread.cgroup.cpuacct contains docker",
        Extract::Thread(cgroup),
    ),
    Field::new(
        "proc.cmdlenargs",
        Type::Uint,
        ArgRule::No,
        "Number of bytes of all arguments after the first.",
        "proc.cmdlenargs > 1000",
        Extract::Thread(cmdlenargs),
    ),
];

type Of = for<'b> fn(&'b Dict, &'b ThreadRow, &'b FieldArg) -> Value<'b>;

/// A field of the n-th ancestor, or of all of them.
fn of_ancestors<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg, field: Of) -> Value<'a> {
    match arg {
        FieldArg::Index(n) => nth(dict, t, *n).map_or(Value::Missing, |a| field(dict, a, &FieldArg::None)),
        _ => list(ancestors(dict, t).map(|a| field(dict, a, &FieldArg::None)).filter(|v| !v.is_missing()).collect()),
    }
}

fn aexe<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_ancestors(dict, t, arg, exe)
}

fn aexepath<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_ancestors(dict, t, arg, exepath)
}

fn aargs<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_ancestors(dict, t, arg, args)
}

fn acmdline<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_ancestors(dict, t, arg, cmdline)
}

fn aenv<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_ancestors(dict, t, arg, env)
}

fn pvpid<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    nth(dict, t, 1).map_or(Value::Missing, |parent| id(parent, parent.vpid))
}

fn parent_started<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    nth(dict, t, 1).map_or(Value::Missing, |parent| started(dict, parent, arg))
}

fn parent_duration<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let dict = row.dict();
    match nth(dict, row.thread(), 1).map_or(0, |parent| process(dict, parent).start) {
        0 => Value::Missing,
        start => Value::Uint(row.time().saturating_sub(start)),
    }
}

fn session_exe<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    session(dict, t).map_or(Value::Missing, |leader| exe(dict, leader, arg))
}

fn session_exepath<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    session(dict, t).map_or(Value::Missing, |leader| exepath(dict, leader, arg))
}

/// The oldest ancestor in the thread's process group, or itself.
fn group<'a>(dict: &'a Dict, t: &'a ThreadRow) -> Option<&'a ThreadRow> {
    if t.placeholder {
        return None;
    }
    Some(ancestors(dict, t).take_while(|a| a.pgid == t.pgid).last().unwrap_or(t))
}

pub(super) fn group_name<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    group(dict, t).map_or(Value::Missing, |leader| name(dict, leader, arg))
}

pub(super) fn group_exe<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    group(dict, t).map_or(Value::Missing, |leader| exe(dict, leader, arg))
}

pub(super) fn group_exepath<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    group(dict, t).map_or(Value::Missing, |leader| exepath(dict, leader, arg))
}

fn is_session_leader<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.placeholder { Value::Missing } else { Value::Bool(t.sid == t.pid) }
}

fn is_group_leader<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.placeholder { Value::Missing } else { Value::Bool(t.pgid == t.pid) }
}

fn nametid<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    let Some(name) = dict.strings.get(t.comm) else { return Value::Missing };
    let mut text = name.to_vec();
    write_u64(&mut text, u64::from(t.tid));
    Value::owned(text)
}

fn cgroups<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    let Some(groups) = dict.strings.get(t.cgroup) else { return Value::Missing };
    let mut text = Vec::with_capacity(groups.len());
    for group in groups.split(|&b| b == 0).filter(|group| !group.is_empty()) {
        if !text.is_empty() {
            text.push(b' ');
        }
        let end = group.iter().position(|&b| b == b'=').unwrap_or(0);
        text.extend_from_slice(hierarchy(&group[..end]));
        text.extend_from_slice(&group[end..]);
    }
    Value::owned(text)
}

fn cgroup<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    let (Some(groups), FieldArg::Name(wanted)) = (dict.strings.get(t.cgroup), arg) else { return Value::Missing };
    let found = groups.split(|&b| b == 0).filter(|group| !group.is_empty()).find_map(|group| {
        let Some(end) = group.iter().position(|&b| b == b'=').filter(|_| !group.starts_with(b"/")) else {
            return Some(group);
        };
        (hierarchy(&group[..end]) == wanted.as_bytes()).then(|| &group[end + 1..])
    });
    found.map_or(Value::Missing, Value::text)
}

fn cmdlenargs<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.image == 0 {
        return Value::Missing;
    }
    let args = dict.text(dict.image(t.image).args);
    Value::Uint(args.iter().filter(|&&b| b != 0).count() as u64)
}

/// The name of a hierarchy of version 1 as sysdig shows it: in captures they have those of the kernel's sources.
fn hierarchy(name: &[u8]) -> &[u8] {
    match name.strip_suffix(b"_cgroup").unwrap_or(name) {
        b"perf" => b"perf_event",
        b"mem" => b"memory",
        b"io" => b"blkio",
        other => other,
    }
}
