//! [`Made`]: parameters of scap that no parameter of ours has, because the rows of the event's thread and descriptor do.

use super::call::Seen;
use super::value::{dynamic, ends, number, option_name, option_value, text};
use crate::event::{Arg, Kind, join_audit, kinds};
use crate::format::scap::{AUDIT_PLUGIN, Wire};
use crate::world::address::{Address, sockaddr};
use crate::world::{DescRow, Endpoint, L4, Role, StrId, ThreadRow};

/// Subsystems whose groups scap tells. The unified hierarchy has one group for all.
const SUBSYSTEMS: [&str; 5] = ["cpuset", "cpu", "cpuacct", "io", "memory"];

/// Nanoseconds of a tick, in which scap counts processor time.
const TICK: i64 = 10_000_000;

/// Where a parameter comes from that is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// A fact about the event's thread, or the child that it made.
    Thread(Of),
    /// The code of the call.
    Code(u16),
    /// The number of the call on the machine.
    Native,
    /// Both ends of the descriptor, as data goes; of TCP they are known from its connection.
    Ends {
        /// From here to there.
        sent: bool,
    },
    /// Both ends of what was accepted, the client first.
    Accepted,
    /// Both ends of what was connected, and where a Unix socket leads.
    Connected,
    /// The name of the descriptor.
    Name,
    /// The number of a socket option.
    Option,
    /// Its value.
    OptionValue,
    /// What `bpf` returned.
    Bpf,
    /// A number with what it is chosen by.
    Number(usize),
    /// Processor time in ticks.
    Ticks,
    /// The text of an audit event.
    AuditText,
    /// A constant.
    Fixed(i64),
}

/// A fact about a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Tid,
    Pid,
    Parent,
    VTid,
    VPid,
    Comm,
    Exe,
    Args,
    Cwd,
    Groups,
    User,
    Group,
    Login,
    Terminal,
    ProcessGroup,
}

/// Which parameters are facts about the thread, by name.
const OF_THREAD: &[(&str, Of)] = &[
    ("tid", Of::Tid),
    ("pid", Of::Pid),
    ("ptid", Of::Parent),
    ("vtid", Of::VTid),
    ("vpid", Of::VPid),
    ("comm", Of::Comm),
    ("exe", Of::Exe),
    ("args", Of::Args),
    ("cwd", Of::Cwd),
    ("cgroups", Of::Groups),
    ("uid", Of::User),
    ("gid", Of::Group),
    ("loginuid", Of::Login),
    ("tty", Of::Terminal),
    ("vpgid", Of::ProcessGroup),
    ("pgid", Of::ProcessGroup),
];

/// The flag of `clone` that `vfork` stands for and scap has, in its values: `CLONE_VM`.
const VFORK: i64 = 0x8000;

impl Made {
    /// Where a parameter of a type comes from, apart from our parameters of the same meaning; `code` is that of the call.
    pub(super) fn of(kind: Kind, number: u16, theirs: &str, code: u16) -> Option<Made> {
        let name = kind.spec().name;
        let makes = matches!(name, "clone" | "clone3" | "fork" | "vfork" | "execve" | "execveat" | "procfork");
        Some(match (name, theirs) {
            (_, "ID") if number <= 1 => Made::Code(code),
            (_, "nativeID") if number <= 1 => Made::Native,
            ("vfork", "flags") => Made::Fixed(VFORK),
            // a fork shares nothing, the child's half of it returns 0, and older forms of calls have no flags
            ("fork" | "procfork" | "eventfd" | "inotify_init" | "signalfd" | "umount", "flags")
            | ("procfork", "res")
            | ("cputime", "cpu_sys") => Made::Fixed(0),
            ("clone" | "clone3" | "fork" | "vfork" | "procfork" | "execve" | "execveat", "fdlimit") => Made::Fixed(-1),
            (_, theirs) if makes => return OF_THREAD.iter().find(|f| f.0 == theirs).map(|f| Made::Thread(f.1)),
            ("accept" | "accept4", "tuple") => Made::Accepted,
            ("connect", "tuple") => Made::Connected,
            ("sendto" | "sendmsg" | "sendmmsg" | "send", "tuple") => Made::Ends { sent: true },
            ("recvfrom" | "recvmsg" | "recvmmsg" | "recv", "tuple") => Made::Ends { sent: false },
            ("open_by_handle_at", "path") => Made::Name,
            ("setsockopt" | "getsockopt", "optname") => Made::Option,
            ("setsockopt" | "getsockopt", "val") => Made::OptionValue,
            ("bpf", "res_or_fd") => Made::Bpf,
            ("ptrace", "addr" | "data") | ("keyctl", _) => {
                Made::Number(kind.spec().params.iter().position(|p| p.name == theirs)?)
            }
            ("cputime", "cpu_usr") => Made::Ticks,
            ("k8saudit", "plugin_id") => Made::Fixed(i64::from(AUDIT_PLUGIN)),
            ("k8saudit", "event_data") => Made::AuditText,
            _ => return None,
        })
    }

    /// Whether it says more than our parameter of the same name does.
    pub(super) fn comes_first(self) -> bool {
        matches!(
            self,
            Made::Accepted | Made::Option | Made::OptionValue | Made::Number(_) | Made::Bpf | Made::Connected
        )
    }

    /// Appends the value; nothing if it is not known.
    pub(super) fn put(self, out: &mut Vec<u8>, wire: Wire, seen: &Seen<'_>) {
        let width = wire.number().map_or(0, |n| n.0);
        match self {
            Made::Thread(fact) => thread(out, fact, width, seen),
            Made::Code(code) => number(out, i64::from(code), width),
            Made::Native => native(out, width, seen),
            Made::Ends { sent } => {
                let desc = seen.desc.filter(|desc| desc.l4 != L4::Tcp);
                if let Some((local, remote)) = desc.and_then(local_and_remote) {
                    let (from, to) = if sent { (local, remote) } else { (remote, local) };
                    ends(out, from, to);
                }
            }
            Made::AuditText => {
                let (event, args) = (seen.event, &seen.event.args);
                let part = |part: crate::event::AuditPart| args.get(part.place()).copied().unwrap_or(Arg::Missing);
                join_audit(part, event.time, event.duration, out);
            }
            Made::Accepted => accepted(out, seen),
            Made::Connected => connected(out, seen),
            Made::Name => {
                if let Some(name) = seen.desc.and_then(|desc| seen.dict.strings.get(desc.name)) {
                    text(out, name);
                }
            }
            Made::Option => {
                if let Some(option) = seen.int("optname") {
                    number(out, option_name(seen.int("level"), option), width);
                }
            }
            Made::OptionValue => {
                if let (Some(option), Some(value)) = (seen.int("optname"), seen.bytes("val")) {
                    option_value(out, seen.int("level"), option, value);
                }
            }
            Made::Bpf => {
                let makes = matches!(seen.int("cmd"), Some(0 | 5)) && seen.event.ret >= 0;
                dynamic(out, u8::from(!makes), seen.event.ret, 8);
            }
            Made::Number(place) => {
                if let Some(Arg::Int(value)) = seen.event.args.get(place) {
                    if wire == Wire::Dyn { dynamic(out, 0, *value, 8) } else { number(out, *value, width) }
                }
            }
            Made::Ticks => number(out, seen.int("total").unwrap_or(0) / TICK, width),
            Made::Fixed(value) => number(out, value, width),
        }
    }
}

fn native(out: &mut Vec<u8>, width: usize, seen: &Seen<'_>) {
    let of_kind = seen.event.kind.spec().x86_64.map(i64::from);
    if let Some(nr) = of_kind.or_else(|| seen.int("nativeid")) {
        number(out, nr, width);
    }
}

fn thread(out: &mut Vec<u8>, fact: Of, width: usize, seen: &Seen<'_>) {
    let row = seen.thread;
    let put_text = |out: &mut Vec<u8>, id: StrId| {
        if let Some(found) = seen.dict.strings.get(id) {
            text(out, found);
        }
    };
    let image = seen.dict.image(row.image);
    let child = Child::of(seen);
    let id = match fact {
        Of::Tid => child.map_or(row.tid, |c| c.tid),
        Of::Pid => child.map_or(row.pid, |c| c.pid),
        Of::Parent => child.map_or(row.ppid, |c| c.parent),
        Of::VTid => child.map_or(row.vtid, |c| c.vtid),
        Of::VPid => child.map_or(row.vpid, |c| c.vpid),
        // an imported row may have one of the two only
        Of::User => {
            if row.euid == u32::MAX {
                row.uid
            } else {
                row.euid
            }
        }
        Of::Group => {
            if row.egid == u32::MAX {
                row.gid
            } else {
                row.egid
            }
        }
        Of::Login => row.loginuid,
        Of::Terminal => row.tty,
        Of::ProcessGroup if row.pgid == ThreadRow::NO_GROUP => 0,
        Of::ProcessGroup => row.pgid,
        Of::Comm => return put_text(out, row.comm),
        Of::Exe => return put_text(out, image.exe),
        Of::Cwd => return put_text(out, row.cwd),
        Of::Args => return out.extend_from_slice(seen.dict.text(image.args)),
        Of::Groups => return groups(out, seen.dict.text(row.cgroup)),
    };
    // those of a thread of which nothing is known are not 0
    if !row.placeholder || matches!(fact, Of::Tid | Of::Pid) {
        let signed = if id == u32::MAX { -1 } else { i64::from(id) };
        number(out, signed, width);
    }
}

/// Appends control groups, from the path that all subsystems share or from a list of them.
pub(super) fn groups(out: &mut Vec<u8>, group: &[u8]) {
    if group.is_empty() {
        return;
    }
    let is_list = group.first() != Some(&b'/');
    if is_list {
        out.extend_from_slice(group);
        if group.last() != Some(&0) {
            out.push(0);
        }
        return;
    }
    for subsystem in SUBSYSTEMS {
        out.extend(subsystem.as_bytes());
        out.push(b'=');
        out.extend_from_slice(group);
        out.push(0);
    }
}

/// The ids of a thread that was made.
#[derive(Clone, Copy)]
struct Child {
    tid: u32,
    pid: u32,
    vtid: u32,
    vpid: u32,
    parent: u32,
}

impl Child {
    fn of(seen: &Seen<'_>) -> Option<Child> {
        if seen.event.kind != kinds::PROCFORK {
            return None;
        }
        let id = |name| seen.int(name).map(|v| v as u32);
        let (tid, pid) = (id("child_tid")?, id("child_pid")?);
        let parent = id("ppid").filter(|&p| p != 0);
        Some(Child {
            tid,
            pid,
            vtid: id("child_vtid").unwrap_or(tid),
            vpid: id("child_vpid").unwrap_or(pid),
            parent: parent.unwrap_or(if tid == pid { seen.thread.pid } else { seen.thread.ppid }),
        })
    }
}

/// Both ends of a connected IP socket: here and there.
fn local_and_remote(desc: &DescRow) -> Option<(Endpoint, Endpoint)> {
    let (client, server) = (desc.client?, desc.server?);
    Some(if desc.role == Role::Server { (server, client) } else { (client, server) })
}

/// scap names the client first, the kernel what is here.
fn accepted(out: &mut Vec<u8>, seen: &Seen<'_>) {
    let tuple = seen.bytes("tuple").unwrap_or_default();
    let Some(half) = (match tuple.first() {
        Some(2) => Some(6),
        Some(10) => Some(18),
        _ => None,
    }) else {
        return unix(out, tuple, seen);
    };
    if let (Some(here), Some(there)) = (tuple.get(1..=half), tuple.get(1 + half..=2 * half)) {
        out.push(tuple[0]);
        out.extend_from_slice(there);
        out.extend_from_slice(here);
    }
}

fn connected(out: &mut Vec<u8>, seen: &Seen<'_>) {
    let tuple = seen.bytes("tuple").unwrap_or_default();
    match tuple.first() {
        Some(2 | 10) => out.extend_from_slice(tuple),
        _ => unix(out, tuple, seen),
    }
}

/// Both ends of a Unix socket, with the path that it leads to.
fn unix(out: &mut Vec<u8>, tuple: &[u8], seen: &Seen<'_>) {
    let (Some(ends), Some(1)) = (tuple.get(1..17), tuple.first()) else { return };
    out.push(1);
    out.extend_from_slice(ends);
    let own = tuple.get(17..).filter(|path| !path.is_empty());
    let name = seen.desc.and_then(|desc| seen.dict.strings.get(desc.name));
    let asked = || match sockaddr(seen.bytes("addr")?)? {
        Address::Unix(path) => Some(path),
        _ => None,
    };
    text(out, own.or(name).or_else(asked).unwrap_or_default());
}
