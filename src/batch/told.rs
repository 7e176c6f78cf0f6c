//! What a snapshot row's thread and descriptor say of it, for files that do not say it twice.

use super::Row;
use crate::event::{Arg, Kind, kinds};
use crate::world::{DescRow, Dict, ImageRow, StrId, ThreadRow};

/// What a row of a thread tells of a parameter.
enum OfThread {
    Id(fn(&ThreadRow) -> u32),
    /// [`ThreadRow::NO_GROUP`] is unknown.
    Group(fn(&ThreadRow) -> u32),
    Time(fn(&ThreadRow) -> u64),
    Text(fn(&ThreadRow) -> StrId),
    OfImage(fn(&ImageRow) -> StrId),
    /// What is not known is missing.
    Known(fn(&ThreadRow) -> Option<u64>),
    KnownOfImage(fn(&ImageRow) -> Option<u64>),
}

/// What a row of a descriptor tells of a parameter.
enum OfDesc {
    Number(fn(&DescRow) -> i64),
    Text(fn(&DescRow) -> StrId),
}

/// Parameters of `snap_thread` that its thread's row tells.
const THREAD: &[(&str, OfThread)] = &[
    ("tid", OfThread::Id(|t| t.tid)),
    ("pid", OfThread::Id(|t| t.pid)),
    ("vtid", OfThread::Id(|t| t.vtid)),
    ("vpid", OfThread::Id(|t| t.vpid)),
    ("ppid", OfThread::Id(|t| t.ppid)),
    ("sid", OfThread::Group(|t| t.sid)),
    ("pgid", OfThread::Group(|t| t.pgid)),
    ("tty", OfThread::Id(|t| t.tty)),
    ("uid", OfThread::Id(|t| t.uid)),
    ("euid", OfThread::Id(|t| t.euid)),
    ("gid", OfThread::Id(|t| t.gid)),
    ("egid", OfThread::Id(|t| t.egid)),
    ("loginuid", OfThread::Id(|t| t.loginuid)),
    ("start", OfThread::Time(|t| t.start)),
    ("comm", OfThread::Text(|t| t.comm)),
    ("exe", OfThread::OfImage(|i| i.exe)),
    ("exepath", OfThread::OfImage(|i| i.exepath)),
    ("args", OfThread::OfImage(|i| i.args)),
    ("cwd", OfThread::Text(|t| t.cwd)),
    ("root", OfThread::Text(|t| t.root)),
    ("cgroup", OfThread::Text(|t| t.cgroup)),
    ("fdlimit", OfThread::Known(|t| unless_0(t.fdlimit))),
    ("cap_inheritable", OfThread::Known(|t| t.caps.as_ref().map(|caps| caps.inheritable))),
    ("cap_permitted", OfThread::Known(|t| t.caps.as_ref().map(|caps| caps.permitted))),
    ("cap_effective", OfThread::Known(|t| t.caps.as_ref().map(|caps| caps.effective))),
    ("exe_flags", OfThread::KnownOfImage(|i| i.facts.flags.map(u64::from))),
    ("exe_ino", OfThread::KnownOfImage(|i| unless_0(i.facts.ino))),
    ("exe_ino_ctime", OfThread::KnownOfImage(|i| unless_0(i.facts.ctime))),
    ("exe_ino_mtime", OfThread::KnownOfImage(|i| unless_0(i.facts.mtime))),
];

/// Parameters of `snap_fd` that its descriptor's row tells.
const DESC: &[(&str, OfDesc)] = &[
    ("kind", OfDesc::Number(|d| d.kind as i64)),
    ("name", OfDesc::Text(|d| d.name)),
    ("l4", OfDesc::Number(|d| d.l4 as i64)),
    ("role", OfDesc::Number(|d| d.role as i64)),
    ("dev", OfDesc::Number(|d| i64::from(d.dev))),
    ("ino", OfDesc::Number(|d| d.ino as i64)),
    ("flags", OfDesc::Number(|d| i64::from(d.flags))),
];

/// The first parameter of users and groups, by which the dictionary knows them.
const ID: &str = "id";

/// Whether a parameter need not be stored with the rows of a kind, because the dictionary's rows that they refer to tell it.
pub fn is_told_by_rows(kind: Kind, param: &str) -> bool {
    match kind {
        kinds::SNAP_THREAD => THREAD.iter().any(|(name, _)| *name == param),
        kinds::SNAP_FD => DESC.iter().any(|(name, _)| *name == param),
        kinds::SNAP_USER | kinds::SNAP_GROUP => param != ID,
        _ => false,
    }
}

/// A parameter of a snapshot row that its file does not have; `first` is the first one, the id of a user or group.
pub(super) fn told_by_rows<'a>(row: &Row<'a>, kind: Kind, first: Arg<'_>, param: &str) -> Arg<'a> {
    let dict = row.dict();
    match kind {
        kinds::SNAP_THREAD => of_thread(dict, row.thread(), param),
        kinds::SNAP_FD => of_desc(dict, row.desc_row(), param),
        kinds::SNAP_USER | kinds::SNAP_GROUP => of_account(dict, kind, first, param),
        _ => Arg::Missing,
    }
}

fn of_thread<'a>(dict: &'a Dict, thread: &'a ThreadRow, param: &str) -> Arg<'a> {
    let Some((_, told)) = THREAD.iter().find(|(name, _)| *name == param) else { return Arg::Missing };
    match told {
        OfThread::Id(id) => Arg::Int(i64::from(id(thread))),
        OfThread::Group(id) if id(thread) == ThreadRow::NO_GROUP => Arg::Missing,
        OfThread::Group(id) => Arg::Int(i64::from(id(thread))),
        OfThread::Time(time) => Arg::Int(time(thread) as i64),
        OfThread::Text(id) => text(dict, id(thread)),
        OfThread::OfImage(id) => text(dict, id(dict.image(thread.image))),
        OfThread::Known(known) => number(known(thread)),
        OfThread::KnownOfImage(known) => number(known(dict.image(thread.image))),
    }
}

fn of_desc<'a>(dict: &'a Dict, desc: Option<u32>, param: &str) -> Arg<'a> {
    let (Some((_, told)), Some(desc)) = (DESC.iter().find(|(name, _)| *name == param), desc) else {
        return Arg::Missing;
    };
    match told {
        OfDesc::Number(number) => Arg::Int(number(dict.desc(desc))),
        OfDesc::Text(id) => text(dict, id(dict.desc(desc))),
    }
}

fn of_account<'a>(dict: &'a Dict, kind: Kind, id: Arg<'_>, param: &str) -> Arg<'a> {
    let Arg::Int(id) = id else { return Arg::Missing };
    let id = id as u32;
    let account = || dict.accounts.get(&id).copied();
    let told = match param {
        "home" => account().map(|account| account.home),
        "shell" => account().map(|account| account.shell),
        _ if kind == kinds::SNAP_USER => dict.users.get(&id).copied(),
        _ => dict.groups.get(&id).copied(),
    };
    told.map_or(Arg::Missing, |id| text(dict, id))
}

fn unless_0(number: u64) -> Option<u64> {
    (number != 0).then_some(number)
}

fn number(known: Option<u64>) -> Arg<'static> {
    known.map_or(Arg::Missing, |number| Arg::Int(number as i64))
}

fn text(dict: &Dict, id: StrId) -> Arg<'_> {
    dict.strings.get(id).map_or(Arg::Missing, Arg::Bytes)
}
