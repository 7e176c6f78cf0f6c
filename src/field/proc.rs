//! `proc.*` and `thread.*`: of the thread that an event belongs to, and of its ancestors.

use super::ancestry::{ancestors, nth, process};
use super::{ArgRule, Context, Extract, Field, FieldArg};
use crate::batch::Row;
use crate::value::{Type, Value};
use crate::world::{Dict, ImageRow, StrId, ThreadRow};

pub(super) static FIELDS: &[Field] = &[
    Field {
        name: "proc.name",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of the thread (its comm, at most 15 characters).",
        example: "proc.name = nginx",
        extract: Extract::Thread(name),
    },
    Field {
        name: "proc.exe",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "First argument of the command line, as the process was started.",
        example: "proc.exe contains python",
        extract: Extract::Thread(exe),
    },
    Field {
        name: "proc.exepath",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Full path of the executable, as the kernel knows it.",
        example: "proc.exepath startswith /tmp",
        extract: Extract::Thread(exepath),
    },
    Field {
        name: "proc.args",
        ty: Type::Text,
        arg: ArgRule::OptionalIndex,
        doc: "Arguments after the first joined by blanks, or one of them.",
        example: "proc.args contains '-l'",
        extract: Extract::Thread(args),
    },
    Field {
        name: "proc.cmdnargs",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Number of arguments after the first.",
        example: "proc.cmdnargs > 10",
        extract: Extract::Thread(nargs),
    },
    Field {
        name: "proc.cmdline",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name and arguments.",
        example: "proc.cmdline contains '-c'",
        extract: Extract::Thread(cmdline),
    },
    Field {
        name: "proc.exeline",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "First argument and the others.",
        example: "proc.exeline startswith /bin/sh",
        extract: Extract::Thread(exeline),
    },
    Field {
        name: "proc.env",
        ty: Type::Text,
        arg: ArgRule::OptionalName,
        doc: "Environment joined by blanks, or the value of one variable.",
        example: "proc.env[HOME] = /root",
        extract: Extract::Thread(env),
    },
    Field {
        name: "proc.cwd",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Current working directory, with a slash at its end.",
        example: "proc.cwd = /tmp/",
        extract: Extract::Thread(cwd),
    },
    Field {
        name: "proc.pid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Process id on the host.",
        example: "proc.pid = 4242",
        extract: Extract::Thread(pid),
    },
    Field {
        name: "proc.vpid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Process id in its own pid namespace.",
        example: "proc.vpid = 1",
        extract: Extract::Thread(vpid),
    },
    Field {
        name: "proc.ppid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Process id of the parent.",
        example: "proc.ppid = 1",
        extract: Extract::Thread(ppid),
    },
    Field {
        name: "proc.pname",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of the parent.",
        example: "proc.pname = sshd",
        extract: Extract::Thread(pname),
    },
    Field {
        name: "proc.pexe",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "First argument of the parent's command line.",
        example: "proc.pexe endswith sh",
        extract: Extract::Thread(pexe),
    },
    Field {
        name: "proc.pexepath",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Full path of the parent's executable.",
        example: "proc.pexepath = /usr/sbin/sshd",
        extract: Extract::Thread(pexepath),
    },
    Field {
        name: "proc.pcmdline",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name and arguments of the parent.",
        example: "proc.pcmdline contains cron",
        extract: Extract::Thread(pcmdline),
    },
    Field {
        name: "proc.aname",
        ty: Type::Text,
        arg: ArgRule::OptionalIndex,
        doc: "Name of the n-th ancestor (0 itself, 1 the parent), or of any.",
        example: "proc.aname = sshd",
        extract: Extract::Thread(aname),
    },
    Field {
        name: "proc.apid",
        ty: Type::Int,
        arg: ArgRule::OptionalIndex,
        doc: "Process id of the n-th ancestor (0 itself, 1 the parent), or of any.",
        example: "proc.apid = 4242",
        extract: Extract::Thread(apid),
    },
    Field {
        name: "proc.sid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Session id.",
        example: "proc.sid = 4242",
        extract: Extract::Thread(sid),
    },
    Field {
        name: "proc.sname",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of the session's leader, or of the oldest known ancestor in the session.",
        example: "proc.sname = bash",
        extract: Extract::Thread(sname),
    },
    Field {
        name: "proc.pgid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Process group id.",
        example: "proc.pgid = 4242",
        extract: Extract::Thread(pgid),
    },
    Field {
        name: "proc.tty",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Device number of the controlling terminal, 0 for none.",
        example: "proc.tty != 0",
        extract: Extract::Thread(tty),
    },
    Field {
        name: "proc.tty.name",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of the controlling terminal, such as pts/0; `?` for none.",
        example: "proc.tty.name startswith pts/",
        extract: Extract::Thread(tty_name),
    },
    Field {
        name: "proc.loginshellid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Process id of the oldest ancestor (or itself) whose name ends in sh.",
        example: "proc.loginshellid = 4242",
        extract: Extract::Thread(loginshellid),
    },
    Field {
        name: "proc.shelldepth",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "How deep below what was typed at the login shell: 0 for a program started there and for the shell's own calls.",
        example: "proc.shelldepth = 0",
        extract: Extract::Event(shelldepth),
    },
    Field {
        name: "proc.typed",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "What was typed: the first argument and the others of an exec, `cd DIR` of a chdir.",
        example: "proc.typed contains sudo",
        extract: Extract::Event(typed),
    },
    Field {
        name: "proc.pid.ts",
        ty: Type::Time,
        arg: ArgRule::No,
        doc: "When the process started, ns UTC.",
        example: "proc.pid.ts exists",
        extract: Extract::Thread(started),
    },
    Field {
        name: "proc.duration",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "How long the process had been running.",
        example: "proc.duration < 1s",
        extract: Extract::Event(duration),
    },
    Field {
        name: "thread.tid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Thread id on the host.",
        example: "thread.tid = 4242",
        extract: Extract::Thread(tid),
    },
    Field {
        name: "thread.vtid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Thread id in its own pid namespace.",
        example: "thread.vtid = 1",
        extract: Extract::Thread(vtid),
    },
    Field {
        name: "thread.cputime",
        ty: Type::Duration,
        arg: ArgRule::No,
        doc: "Processor time of the thread since it started, as far as it was reported; known to chisels about state only.",
        example: "thread.cputime > 1s",
        extract: Extract::Event(cputime),
    },
    Field {
        name: "thread.ismain",
        ty: Type::Bool,
        arg: ArgRule::No,
        doc: "Whether it is its process's first thread.",
        example: "thread.ismain = true",
        extract: Extract::Thread(ismain),
    },
];

fn text(dict: &Dict, id: StrId) -> Value<'_> {
    dict.strings.get(id).map_or(Value::Missing, Value::text)
}

fn image<'a>(dict: &'a Dict, t: &ThreadRow) -> Option<&'a ImageRow> {
    (t.image != 0).then(|| dict.image(t.image))
}

/// Ids that a placeholder does not have are missing, not 0.
pub(super) fn id(t: &ThreadRow, id: u32) -> Value<'static> {
    if t.placeholder { Value::Missing } else { Value::Int(i64::from(id)) }
}

pub(super) fn name<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    text(dict, t.comm)
}

pub(super) fn exe<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    image(dict, t).map_or(Value::Missing, |i| text(dict, i.exe))
}

pub(super) fn exepath<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    image(dict, t).map_or(Value::Missing, |i| text(dict, i.exepath))
}

/// The arguments after the first.
fn split(args: &[u8]) -> impl Iterator<Item = &[u8]> {
    let args = args.strip_suffix(&[0]).unwrap_or(args);
    args.split(|&b| b == 0).filter(move |_| !args.is_empty())
}

pub(super) fn args<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    let Some(image) = image(dict, t) else { return Value::Missing };
    let args = dict.text(image.args);
    match arg {
        FieldArg::Index(n) => split(args).nth(*n as usize).map_or(Value::Missing, Value::text),
        _ => Value::owned(joined(&[], args)),
    }
}

/// A first word and the arguments, joined by blanks.
fn joined(first: &[u8], args: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(first.len() + args.len() + 1);
    line.extend_from_slice(first);
    for arg in split(args) {
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend_from_slice(arg);
    }
    line
}

fn nargs<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    image(dict, t).map_or(Value::Missing, |i| Value::Uint(split(dict.text(i.args)).count() as u64))
}

pub(super) fn cmdline<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    let Some(comm) = dict.strings.get(t.comm) else { return Value::Missing };
    match image(dict, t).map(|i| dict.text(i.args)) {
        Some(args) if !args.is_empty() => Value::owned(joined(comm, args)),
        _ => Value::text(comm),
    }
}

fn exeline<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    let Some(image) = image(dict, t) else { return Value::Missing };
    dict.strings.get(image.exe).map_or(Value::Missing, |exe| Value::owned(joined(exe, dict.text(image.args))))
}

pub(super) fn env<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    let Some(image) = image(dict, t) else { return Value::Missing };
    let mut variables = image.env.iter().map(|&id| dict.text(id));
    if let FieldArg::Name(name) = arg {
        let value = variables.find_map(|v| v.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        return value.map_or(Value::Missing, Value::text);
    }
    Value::owned(variables.collect::<Vec<_>>().join(&b' '))
}

fn cwd<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    match dict.strings.get(t.cwd) {
        None => Value::Missing,
        Some(path) if path.ends_with(b"/") => Value::text(path),
        Some(path) => Value::owned([path, b"/"].concat()),
    }
}

fn pid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    // Row 0 stands for events that belong to no thread.
    if t.tid == 0 && t.comm == StrId::NONE { Value::Missing } else { Value::Int(i64::from(t.pid)) }
}

fn tid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.tid == 0 && t.comm == StrId::NONE { Value::Missing } else { Value::Int(i64::from(t.tid)) }
}

fn vpid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    id(t, t.vpid)
}

fn vtid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    id(t, t.vtid)
}

fn ppid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    id(t, t.ppid)
}

fn sid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    group_id(t, t.sid)
}

fn pgid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    group_id(t, t.pgid)
}

fn group_id(t: &ThreadRow, group: u32) -> Value<'static> {
    if group == ThreadRow::NO_GROUP { Value::Missing } else { id(t, group) }
}

fn tty<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.placeholder { Value::Missing } else { Value::Uint(u64::from(t.tty)) }
}

/// The kernel's list of device numbers (`Documentation/admin-guide/devices.txt`), in the encoding of `stat`.
fn tty_name<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    let (major, minor) = ((t.tty & 0xf_ff00) >> 8, (t.tty & 0xff) | ((t.tty >> 12) & 0xf_ff00));
    match (major, minor) {
        _ if t.placeholder => Value::Missing,
        (0, 0) => Value::text(b"?"),
        (4, 0..64) => Value::owned(format!("tty{minor}")),
        (4, _) => Value::owned(format!("ttyS{}", minor - 64)),
        (5, 1) => Value::text(b"console"),
        (136..144, _) => Value::owned(format!("pts/{}", minor + (major - 136) * 256)),
        _ => Value::owned(format!("{major}:{minor}")),
    }
}

fn ismain<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    Value::Bool(t.tid == t.pid)
}

/// A field of the parent.
fn of_parent<'a>(
    dict: &'a Dict,
    t: &'a ThreadRow,
    arg: &'a FieldArg,
    field: for<'b> fn(&'b Dict, &'b ThreadRow, &'b FieldArg) -> Value<'b>,
) -> Value<'a> {
    nth(dict, t, 1).map_or(Value::Missing, |parent| field(dict, parent, arg))
}

fn pname<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_parent(dict, t, arg, name)
}

fn pexe<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_parent(dict, t, arg, exe)
}

fn pexepath<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_parent(dict, t, arg, exepath)
}

fn pcmdline<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    of_parent(dict, t, arg, cmdline)
}

fn aname<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    match arg {
        FieldArg::Index(n) => nth(dict, t, *n).map_or(Value::Missing, |a| text(dict, a.comm)),
        _ => list(ancestors(dict, t).map(|a| text(dict, a.comm)).collect()),
    }
}

fn apid<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    match arg {
        FieldArg::Index(n) => nth(dict, t, *n).map_or(Value::Missing, |a| Value::Int(i64::from(a.pid))),
        _ => list(ancestors(dict, t).map(|a| Value::Int(i64::from(a.pid))).collect()),
    }
}

pub(super) fn list(values: Vec<Value<'_>>) -> Value<'_> {
    if values.is_empty() { Value::Missing } else { Value::List(values) }
}

fn sname<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    session(dict, t).map_or(Value::Missing, |leader| text(dict, leader.comm))
}

/// The leader of the thread's session: its row, or the oldest ancestor in the session.
pub(super) fn session<'a>(dict: &'a Dict, t: &'a ThreadRow) -> Option<&'a ThreadRow> {
    if t.placeholder {
        return None;
    }
    if t.session != 0 {
        return Some(dict.thread(t.session));
    }
    Some(ancestors(dict, t).take_while(|a| a.sid == t.sid).last().unwrap_or_else(|| process(dict, t)))
}

fn loginshellid<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    let is_shell = |t: &&ThreadRow| dict.text(t.comm).ends_with(b"sh");
    let oldest = std::iter::once(t).chain(ancestors(dict, t)).filter(is_shell).last();
    oldest.map_or(Value::Missing, |shell| Value::Int(i64::from(shell.pid)))
}

pub(super) fn started<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    match process(dict, t).start {
        0 => Value::Missing,
        start => Value::Uint(start),
    }
}

fn is_exec(row: &Row<'_>) -> bool {
    matches!(row.info().name.as_str(), "execve" | "execveat")
}

fn shelldepth<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let (dict, thread) = (row.dict(), row.thread());
    let is_shell = |t: &ThreadRow| dict.text(t.comm).ends_with(b"sh");
    let line = std::iter::once(thread).chain(ancestors(dict, thread));
    match line.enumerate().filter(|(_, t)| is_shell(t)).last() {
        // An exec belongs to whoever typed it: the login shell itself was started by none.
        Some((generations, _)) if is_exec(row) => {
            generations.checked_sub(1).map_or(Value::Missing, |depth| Value::Uint(depth as u64))
        }
        Some((generations, _)) => Value::Uint(generations as u64),
        None => Value::Missing,
    }
}

fn typed<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let path = || row.info().params.iter().position(|p| p.name == "path").and_then(|p| row.arg(p).bytes());
    match row.info().name.as_str() {
        "execve" | "execveat" => exeline(row.dict(), row.thread(), &FieldArg::None),
        "chdir" => path().map_or(Value::Missing, |path| Value::owned([b"cd ", path].concat())),
        _ => Value::Missing,
    }
}

fn duration<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let start = process(row.dict(), row.thread()).start;
    if start == 0 { Value::Missing } else { Value::Uint(row.time().saturating_sub(start)) }
}

/// The parameter of that name, which rows of state have.
fn cputime<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let param = row.info().params.iter().position(|p| p.name == "cputime");
    param.and_then(|p| row.arg(p).int()).map_or(Value::Missing, |ns| Value::Uint(ns as u64))
}
