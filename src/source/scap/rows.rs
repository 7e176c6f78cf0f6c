//! Rows of the state: from the tables at the start of a section, and from what events say of their thread.

use super::plan::Plan;
use super::sink::Sink;
use super::translate::At;
use crate::event::{Arg, Args, Event, Flags, Kind, OwnedArg, OwnedEvent, flag_table, kinds};
use crate::format::scap::meta::{Account, Descriptor, Interface, Open, Thread};
use crate::format::scap::{Conversion, EventType, RawEvent, values};
use std::collections::BTreeSet;

/// Place of each parameter of `snap_thread` that is filled in here.
mod place {
    pub(super) const TID: usize = 0;
    pub(super) const PID: usize = 1;
    pub(super) const VTID: usize = 2;
    pub(super) const VPID: usize = 3;
    pub(super) const PPID: usize = 4;
    pub(super) const SID: usize = 5;
    pub(super) const PGID: usize = 6;
    pub(super) const TTY: usize = 7;
    pub(super) const UID: usize = 8;
    pub(super) const EUID: usize = 9;
    pub(super) const GID: usize = 10;
    pub(super) const EGID: usize = 11;
    pub(super) const LOGINUID: usize = 12;
    pub(super) const COMM: usize = 15;
    pub(super) const EXE: usize = 16;
    pub(super) const EXEPATH: usize = 17;
    pub(super) const ARGS: usize = 18;
    pub(super) const ENV: usize = 19;
    pub(super) const CWD: usize = 20;
    pub(super) const ROOT: usize = 21;
    pub(super) const CGROUP: usize = 22;
    pub(super) const FDLIMIT: usize = 32;
    pub(super) const CAPS: usize = 33;
    pub(super) const EXE_FLAGS: usize = 36;
    pub(super) const EXE_INO: usize = 37;
    pub(super) const MEMORY: usize = 40;
    pub(super) const FAULTS: usize = 43;
    pub(super) const COUNT: usize = 45;
}

/// "Nobody".
const NO_USER: i64 = u32::MAX as i64;

/// scap's number of a kind of descriptor → ours ([`DescKind`](crate::world::DescKind)).
const KINDS: [i64; 22] = [0, 1, 2, 3, 4, 3, 4, 8, 5, 9, 0, 10, 11, 12, 13, 6, 1, 14, 15, 16, 17, 18];

/// What an event says, by the names of its parameters.
pub(super) struct Told<'a> {
    of: &'static EventType,
    event: RawEvent<'a>,
}

impl<'a> Told<'a> {
    pub(super) fn of(plan: &Plan, event: &RawEvent<'a>) -> Told<'a> {
        Told { of: plan.of, event: *event }
    }

    fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.event.params.get(self.of.place(name)?).filter(|bytes| !bytes.is_empty())
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        values::integer(self.bytes(name)?, true)
    }

    fn id(&self, name: &str) -> Arg<'a> {
        self.number(name).map_or(Arg::Missing, |id| Arg::Int(i64::from(id as u32)))
    }

    fn text(&self, name: &str) -> Arg<'a> {
        self.bytes(name).and_then(values::text).map_or(Arg::Missing, Arg::Bytes)
    }

    /// A list; an empty one is known to be empty.
    fn list(&self, name: &str) -> Arg<'a> {
        let given = self.of.place(name).and_then(|place| self.event.params.get(place));
        given.map_or(Arg::Missing, Arg::Bytes)
    }
}

/// Whether a thread was announced.
pub(super) fn is_known<S: Sink>(sink: &S, tid: u32) -> bool {
    sink.world().facts(tid).is_some_and(|row| !row.placeholder)
}

/// Tells what an event says of its thread, which nobody announced.
pub(super) fn teach<S: Sink>(told: &Told<'_>, at: At, sink: &mut S) -> Result<(), S::Error> {
    let mut args = [Arg::Missing; place::COUNT];
    args[place::TID] = Arg::Int(i64::from(at.tid));
    args[place::PID] = told.number("pid").map_or(Arg::Int(i64::from(at.pid)), |pid| Arg::Int(i64::from(pid as u32)));
    args[place::VTID] = told.number("vtid").map_or(args[place::TID], |_| told.id("vtid"));
    args[place::VPID] = told.number("vpid").map_or(args[place::PID], |_| told.id("vpid"));
    args[place::PPID] = told.id("ptid");
    let who = |name| told.number(name).map_or(Arg::Int(NO_USER), |id| Arg::Int(i64::from(id as u32)));
    (args[place::UID], args[place::EUID]) = (who("uid"), who("uid"));
    (args[place::GID], args[place::EGID]) = (who("gid"), who("gid"));
    args[place::LOGINUID] = told.number("loginuid").map_or(Arg::Int(NO_USER), |_| told.id("loginuid"));
    (args[place::COMM], args[place::EXE]) = (told.text("comm"), told.text("exe"));
    args[place::ARGS] = told.list("args");
    args[place::CWD] = told.bytes("cwd").and_then(values::text).map_or(Arg::Missing, |cwd| Arg::Bytes(directory(cwd)));
    args[place::CGROUP] = told.list("cgroups");
    let pid = args[place::PID].int().map_or(at.pid, |pid| pid as u32);
    let row = Event { args: args.into_iter().collect(), ..At { pid, ..at }.event(kinds::SNAP_THREAD) };
    sink.row(&row, at.num)
}

/// Tells whose a thread is, if nobody said so before and this event does.
pub(super) fn own<S: Sink>(told: &Told<'_>, at: At, sink: &mut S) -> Result<(), S::Error> {
    let Some(row) = sink.world().facts(at.tid).filter(|row| !row.placeholder) else { return Ok(()) };
    if i64::from(row.euid) != NO_USER || told.number("uid").is_none() {
        return Ok(());
    }
    let mut args = [Arg::Missing; place::COUNT];
    (args[place::TID], args[place::PID]) = (Arg::Int(i64::from(at.tid)), Arg::Int(i64::from(at.pid)));
    args[place::PPID] = Arg::Int(i64::from(row.ppid));
    (args[place::UID], args[place::EUID]) = (told.id("uid"), told.id("uid"));
    (args[place::GID], args[place::EGID]) = (told.id("gid"), told.id("gid"));
    let row = Event { args: args.into_iter().collect(), ..at.event(kinds::SNAP_THREAD) };
    sink.row(&row, at.num)
}

/// Tells what an exec says of its thread that the call itself does not change: which it is, and its control groups.
pub(super) fn exec<S: Sink>(plan: &Plan, event: &RawEvent<'_>, at: At, sink: &mut S) -> Result<(), S::Error> {
    let told = Told::of(plan, event);
    let Some(row) = sink.world().facts(at.tid).filter(|row| !row.placeholder) else { return teach(&told, at, sink) };
    let Some(groups) = told.bytes("cgroups") else { return Ok(()) };
    if sink.world().dict().text(row.cgroup) == groups {
        return Ok(());
    }
    let mut args = [Arg::Missing; place::COUNT];
    (args[place::TID], args[place::PID]) = (Arg::Int(i64::from(at.tid)), Arg::Int(i64::from(at.pid)));
    // Named, or it would be taken to have another parent.
    args[place::PPID] = Arg::Int(i64::from(row.ppid));
    args[place::CGROUP] = Arg::Bytes(groups);
    let row = Event { args: args.into_iter().collect(), ..at.event(kinds::SNAP_THREAD) };
    sink.row(&row, at.num)
}

/// The description of a container in its oldest form, in today's.
pub(super) fn container_json(event: &RawEvent<'_>) -> Vec<u8> {
    let mut params = event.params.iter();
    let mut next = || params.next().unwrap_or_default();
    let text = |bytes| String::from_utf8_lossy(values::text(bytes).unwrap_or_default()).into_owned();
    let (id, ty, name, image) = (text(next()), values::integer(next(), false), text(next()), text(next()));
    let container = serde_json::json!({ "id": id, "type": ty, "name": name, "image": image });
    serde_json::json!({ "container": container }).to_string().into_bytes()
}

fn directory(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").filter(|p| !p.is_empty()).unwrap_or(path)
}

fn head(kind: Kind, tid: u32, pid: u32) -> Event<'static> {
    Event { kind, time: 0, duration: None, cpu: 0, tid, pid, ret: 0, flags: Flags::default(), args: Args::new() }
}

fn owned(bytes: &[u8]) -> OwnedArg {
    OwnedArg::Bytes(bytes.to_vec())
}

fn id(id: u64) -> OwnedArg {
    OwnedArg::Int(i64::from(id as u32))
}

/// A thread of the initial state.
pub(super) fn thread(thread: &Thread<'_>) -> OwnedEvent {
    let mut args = vec![OwnedArg::Missing; place::COUNT];
    args[place::TID] = id(thread.tid);
    args[place::PID] = id(thread.pid);
    args[place::VTID] = id(thread.vtid.unwrap_or(thread.tid));
    args[place::VPID] = id(thread.vpid.unwrap_or(thread.pid));
    args[place::PPID] = id(thread.ptid);
    args[place::SID] = thread.sid.map_or(OwnedArg::Missing, id);
    let group = thread.pgid.or(thread.vpgid);
    args[place::PGID] = group.map_or(OwnedArg::Missing, id);
    args[place::TTY] = thread.tty.map_or(OwnedArg::Missing, |tty| id(u64::from(tty)));
    for user in [place::UID, place::EUID] {
        args[user] = id(u64::from(thread.uid));
    }
    for group in [place::GID, place::EGID] {
        args[group] = id(u64::from(thread.gid));
    }
    args[place::LOGINUID] = thread.loginuid.map_or(OwnedArg::Int(NO_USER), |user| id(u64::from(user)));
    args[place::COMM] = owned(thread.comm);
    args[place::EXE] = owned(thread.exe);
    args[place::EXEPATH] = thread.exepath.map_or(OwnedArg::Missing, owned);
    args[place::ARGS] = owned(thread.args);
    args[place::ENV] = thread.env.map_or(OwnedArg::Missing, owned);
    args[place::CWD] = owned(directory(thread.cwd));
    args[place::ROOT] = thread.root.map_or(OwnedArg::Missing, owned);
    args[place::CGROUP] = owned(thread.cgroups);
    rights(&mut args, thread);
    OwnedEvent::new(&head(kinds::SNAP_THREAD, thread.tid as u32, thread.pid as u32), args)
}

/// Limits, capabilities, memory, faults and facts about the program, as far as a version has them.
fn rights(args: &mut [OwnedArg], thread: &Thread<'_>) {
    let number = |number: u64| OwnedArg::Int(number as i64);
    if thread.fdlimit > 0 {
        args[place::FDLIMIT] = OwnedArg::Int(thread.fdlimit);
    }
    for (place, set) in thread.caps.into_iter().flatten().enumerate() {
        args[place::CAPS + place] = number(set);
    }
    if let Some(flags) = thread.exe_flags {
        args[place::EXE_FLAGS] = number(u64::from(flags));
    }
    if let Some(facts) = thread.exe_ino {
        for (place, fact) in facts.into_iter().enumerate() {
            args[place::EXE_INO + place] = number(fact);
        }
    }
    for (place, size) in thread.vm.into_iter().enumerate() {
        args[place::MEMORY + place] = number(u64::from(size));
    }
    for (place, count) in thread.faults.into_iter().enumerate() {
        args[place::FAULTS + place] = number(count);
    }
}

/// A user or group.
pub(super) fn account(account: &Account<'_>) -> OwnedEvent {
    let kind = if account.is_group { kinds::SNAP_GROUP } else { kinds::SNAP_USER };
    let mut args = vec![id(u64::from(account.id)), owned(account.name)];
    if !account.is_group {
        let text = |text: &[u8]| if text.is_empty() { OwnedArg::Missing } else { owned(text) };
        args.extend([text(account.home), text(account.shell)]);
    }
    OwnedEvent::new(&head(kind, 0, 0), args)
}

/// An address of the network interface with a number; scap does not say in which namespace.
pub(super) fn interface(number: usize, of: &Interface<'_>) -> OwnedEvent {
    let address = |ip: std::net::IpAddr| owned(ip.to_string().as_bytes());
    let family = if of.addresses[0].is_ipv4() { 2 } else { 10 };
    let mut args = vec![owned(of.name), id(number as u64), OwnedArg::Int(family)];
    args.extend(of.addresses.map(address));
    OwnedEvent::new(&head(kinds::SNAP_INTERFACE, 0, 0), args)
}

/// A port that somebody listens on, of a descriptor of the initial state.
pub(super) fn served(descriptor: &Descriptor<'_>) -> Option<u16> {
    if let Open::Listening { port, .. } = descriptor.open { Some(port) } else { None }
}

/// A descriptor of the initial state of a process. Whose port is served is the server's end.
pub(super) fn descriptor(pid: u32, of: &Descriptor<'_>, served: &BTreeSet<u16>, flags: &FileFlags) -> OwnedEvent {
    const CLIENT: i64 = 1;
    const SERVER: i64 = 2;
    let kind = KINDS.get(usize::from(of.kind)).copied().unwrap_or(0);
    let (mut name, mut tuple, mut protocol, mut role) = (OwnedArg::Missing, OwnedArg::Missing, 0, 0);
    let (mut opened, mut device) = (0, 0);
    match of.open {
        Open::Named { name: path, flags: bits, dev } => {
            (name, opened, device) = (owned(path), flags.kernel(bits), i64::from(dev));
        }
        Open::Connected { six, local, remote, local_port, remote_port, l4 } => {
            tuple = ends(six, (local, local_port), (remote, remote_port));
            protocol = l4;
            let is_connected = remote_port != 0 || remote.iter().any(|&byte| byte != 0);
            role = match () {
                () if !is_connected => 0,
                () if served.contains(&local_port) => SERVER,
                () => CLIENT,
            };
        }
        Open::Listening { six, address, port, l4 } => {
            tuple = ends(six, (address, port), (&[0; 16][..address.len()], 0));
            (protocol, role) = (l4, SERVER);
        }
        // Recorders that read them line by line kept the end of the line.
        Open::Unix { name: path, .. } => name = owned(path.strip_suffix(b"\n").unwrap_or(path)),
    }
    // scap counts "not known", "none", TCP, UDP, ICMP, raw; we have one word for the first two.
    let protocol = i64::from(protocol.saturating_sub(1));
    let args = vec![
        OwnedArg::Int(of.fd),
        OwnedArg::Int(kind),
        name,
        tuple,
        OwnedArg::Int(protocol),
        OwnedArg::Int(role),
        OwnedArg::Int(device),
        OwnedArg::Int(of.ino as i64),
        OwnedArg::Int(opened),
        OwnedArg::Int(0),
    ];
    OwnedEvent::new(&head(kinds::SNAP_FD, pid, pid), args)
}

fn ends(six: bool, local: (&[u8], u16), remote: (&[u8], u16)) -> OwnedArg {
    let mut bytes = vec![if six { 10 } else { 2 }];
    for (address, port) in [local, remote] {
        bytes.extend_from_slice(address);
        bytes.extend(port.to_le_bytes());
    }
    OwnedArg::Bytes(bytes)
}

/// The kernel's values of how files are opened.
pub(super) struct FileFlags(Option<Conversion>);

impl FileFlags {
    pub(super) fn new() -> FileFlags {
        FileFlags(flag_table("file_flags").map(|table| Conversion::of("file_flags", table, false)))
    }

    fn kernel(&self, bits: u32) -> i64 {
        // 0 is what recorders write that do not know.
        let known = self.0.as_ref().filter(|_| bits != 0);
        known.map_or(0, |table| table.to_kernel(u64::from(bits)) & 0xffff_ffff)
    }
}
