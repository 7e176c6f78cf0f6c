//! `proc.exe_ino*`, `proc.is_exe_*`, `thread.cap_*`, `proc.fdlimit`, `proc.vpgid`: the program's file, and what a process may do.

use super::ancestry::{ancestors, process};
use super::lineage::{group_exe, group_exepath, group_name};
use super::{ArgRule, Extract, Field, FieldArg};
use crate::value::{Type, Value};
use crate::world::{Caps, Dict, ExeFacts, ThreadRow};

pub(super) static FIELDS: &[Field] = &[
    Field::new(
        "proc.is_exe_writable",
        Type::Bool,
        ArgRule::No,
        "Whether the user of the process could write its program when it was started.",
        "proc.is_exe_writable = true",
        Extract::Thread(is_writable),
    ),
    Field::new(
        "proc.is_exe_upper_layer",
        Type::Bool,
        ArgRule::No,
        "Whether the program is in the upper layer of an overlay: not part of the container's image.",
        "proc.is_exe_upper_layer = true",
        Extract::Thread(is_upper),
    ),
    Field::new(
        "proc.is_exe_lower_layer",
        Type::Bool,
        ArgRule::No,
        "Whether the program is in a lower layer of an overlay: part of the container's image.",
        "proc.is_exe_lower_layer = true",
        Extract::Thread(is_lower),
    ),
    Field::new(
        "proc.is_exe_from_memfd",
        Type::Bool,
        ArgRule::No,
        "Whether the program is a file that is only in memory.",
        "proc.is_exe_from_memfd = true",
        Extract::Thread(is_memfd),
    ),
    Field::new(
        "proc.exe_ino",
        Type::Uint,
        ArgRule::No,
        "Inode number of the program.",
        "proc.exe_ino = 131090",
        Extract::Thread(ino),
    ),
    Field::new(
        "proc.exe_ino.ctime",
        Type::Time,
        ArgRule::No,
        "When the program's inode was changed last before it was started, ns UTC.",
        "proc.exe_ino.ctime exists",
        Extract::Thread(ctime),
    ),
    Field::new(
        "proc.exe_ino.mtime",
        Type::Time,
        ArgRule::No,
        "When the program was modified last before it was started, ns UTC.",
        "proc.exe_ino.mtime exists",
        Extract::Thread(mtime),
    ),
    Field::new(
        "proc.exe_ino.ctime_duration_proc_start",
        Type::Duration,
        ArgRule::No,
        "Time from the last change of the program's inode to the start of the process: short for what was just dropped.",
        "proc.exe_ino.ctime_duration_proc_start < 60s",
        Extract::Thread(ctime_to_start),
    ),
    Field::new(
        "proc.exe_ino.ctime_duration_pidns_start",
        Type::Duration,
        ArgRule::No,
        "Time from the start of the pid namespace (of the container) to the last change of the program's inode; missing where that was before.",
        "proc.exe_ino.ctime_duration_pidns_start > 0",
        Extract::Thread(pidns_to_ctime),
    ),
    Field::new(
        "proc.pidns_init_start_ts",
        Type::Time,
        ArgRule::No,
        "When the first process of the thread's pid namespace started, ns UTC, where that one is among its ancestors.",
        "proc.pidns_init_start_ts exists",
        Extract::Thread(pidns_start),
    ),
    Field::new(
        "thread.cap_permitted",
        Type::Text,
        ArgRule::No,
        "Capabilities that the thread may use, by name, blanks between.",
        "thread.cap_permitted contains CAP_SYS_ADMIN",
        Extract::Thread(permitted),
    ),
    Field::new(
        "thread.cap_inheritable",
        Type::Text,
        ArgRule::No,
        "Capabilities that programs which the thread starts may keep, by name, blanks between.",
        "thread.cap_inheritable contains CAP_NET_RAW",
        Extract::Thread(inheritable),
    ),
    Field::new(
        "thread.cap_effective",
        Type::Text,
        ArgRule::No,
        "Capabilities that the thread uses, by name, blanks between.",
        "thread.cap_effective contains CAP_SYS_ADMIN",
        Extract::Thread(effective),
    ),
    Field::new(
        "proc.fdlimit",
        Type::Int,
        ArgRule::No,
        "The most descriptors that the process may have open; -1 for no limit.",
        "proc.fdlimit < 1024",
        Extract::Thread(fdlimit),
    ),
    Field::new(
        "proc.vpgid",
        Type::Int,
        ArgRule::No,
        "Process group id in the process's own pid namespace.",
        "proc.vpgid = 1",
        Extract::Thread(vpgid),
    ),
    Field::new(
        "proc.vpgid.name",
        Type::Text,
        ArgRule::No,
        "Name of the process group's leader, or of the oldest known ancestor in the group.",
        "proc.vpgid.name = bash",
        Extract::Thread(group_name),
    ),
    Field::new(
        "proc.vpgid.exe",
        Type::Text,
        ArgRule::No,
        "First argument of the command line of the process group's leader, or of the oldest known ancestor in the group.",
        "proc.vpgid.exe = bash",
        Extract::Thread(group_exe),
    ),
    Field::new(
        "proc.vpgid.exepath",
        Type::Path,
        ArgRule::No,
        "Path of the program of the process group's leader, or of the oldest known ancestor in the group.",
        "proc.vpgid.exepath = /usr/bin/bash",
        Extract::Thread(group_exepath),
    ),
    Field::new(
        "proc.is_vpgid_leader",
        Type::Bool,
        ArgRule::No,
        "Whether the process leads its process group.",
        "proc.is_vpgid_leader = true",
        Extract::Thread(is_vpgid_leader),
    ),
];

fn facts<'a>(dict: &'a Dict, t: &ThreadRow) -> &'a ExeFacts {
    &dict.image(t.image).facts
}

/// A bit of the table `execve_flags`.
fn flag(dict: &Dict, t: &ThreadRow, bit: u32) -> Value<'static> {
    facts(dict, t).flags.map_or(Value::Missing, |flags| Value::Bool(flags & bit != 0))
}

fn is_writable<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    flag(dict, t, 1)
}

fn is_upper<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    flag(dict, t, 2)
}

fn is_memfd<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    match flag(dict, t, 4) {
        // A snapshot tells the path alone, which for those begins so.
        Value::Missing => dict
            .strings
            .get(dict.image(t.image).exepath)
            .map_or(Value::Missing, |path| Value::Bool(path.starts_with(b"/memfd:") || path.starts_with(b"memfd:"))),
        told => told,
    }
}

fn is_lower<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    flag(dict, t, 8)
}

fn unless_0(number: u64) -> Value<'static> {
    if number == 0 { Value::Missing } else { Value::Uint(number) }
}

fn ino<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    unless_0(facts(dict, t).ino)
}

fn ctime<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    unless_0(facts(dict, t).ctime)
}

fn mtime<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    unless_0(facts(dict, t).mtime)
}

/// Time from one moment to another, both ns UTC; none where either is not known or the order is the other.
fn between(from: u64, to: u64) -> Value<'static> {
    if from == 0 || to == 0 { Value::Missing } else { to.checked_sub(from).map_or(Value::Missing, Value::Uint) }
}

fn ctime_to_start<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    between(facts(dict, t).ctime, process(dict, t).start)
}

fn pidns_to_ctime<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    between(namespace_start(dict, t), facts(dict, t).ctime)
}

/// Start of the nearest ancestor, or itself, that is the first process of its pid namespace; 0 unknown.
fn namespace_start(dict: &Dict, t: &ThreadRow) -> u64 {
    let own = process(dict, t);
    std::iter::once(own)
        .chain(ancestors(dict, t))
        .find(|a| a.vpid == 1 && !a.placeholder)
        .map_or(0, |first| first.start)
}

fn pidns_start<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    unless_0(namespace_start(dict, t))
}

/// By number, as `linux/capability.h` has them.
const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

fn caps<'a>(t: &ThreadRow, of: fn(&Caps) -> u64) -> Value<'a> {
    let Some(caps) = &t.caps else { return Value::Missing };
    let set = of(caps);
    let names = CAPABILITIES.iter().enumerate().filter(|(number, _)| set >> number & 1 == 1).map(|(_, name)| *name);
    Value::owned(names.collect::<Vec<_>>().join(" "))
}

fn permitted<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    caps(t, |caps| caps.permitted)
}

fn inheritable<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    caps(t, |caps| caps.inheritable)
}

fn effective<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    caps(t, |caps| caps.effective)
}

fn fdlimit<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.fdlimit == 0 { Value::Missing } else { Value::Int(t.fdlimit as i64) }
}

/// The group is that of a process by its host's number: in the namespace it has that one's number there. Imported captures
/// have either.
fn vpgid<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.placeholder || t.pgid == ThreadRow::NO_GROUP {
        return Value::Missing;
    }
    if t.vpid == t.pid || t.pgid == t.vpid {
        return Value::Int(i64::from(t.pgid));
    }
    let mut line = std::iter::once(process(dict, t)).chain(ancestors(dict, t));
    let leader = line.find(|a| a.pid == t.pgid || a.vpid == t.pgid);
    leader.map_or(Value::Missing, |leader| Value::Int(i64::from(leader.vpid)))
}

fn is_vpgid_leader<'a>(dict: &'a Dict, t: &'a ThreadRow, arg: &'a FieldArg) -> Value<'a> {
    match vpgid(dict, t, arg) {
        Value::Int(group) => Value::Bool(group == i64::from(t.vpid)),
        other => other,
    }
}
