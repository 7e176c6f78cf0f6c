//! The world as snapshot rows, both ways: there is one way into the world.

use super::action::{bytes, int};
use super::dict::{Account, DescKind, DescRow, ImageRow, L4, Role, StrId, ThreadRow};
use super::engine::{Effect, World};
use super::files::Slot;
use super::namespaces::Namespaces;
use super::process::split_list;
use super::thread::Thread;
use super::wants::TICK;
use super::{address, dict};
use crate::event::{Args, Event, Flags, Kind, OwnedArg, OwnedEvent, kinds};

/// Parameters of a thread's row that may be unknown where others are known.
const SID: usize = 5;
const PGID: usize = 6;
/// Places of parameters of `snap_user`.
const HOME: u8 = 2;
const SHELL: u8 = 3;

impl World {
    /// Takes a row of the initial state in.
    pub(super) fn apply_snapshot(&mut self, event: &Event<'_>) -> Effect {
        match event.kind {
            kinds::SNAP_THREAD => self.snap_thread(event),
            kinds::SNAP_FD => self.snap_fd(event),
            kinds::SNAP_GONE => self.snap_gone(event),
            kinds::SNAP_CLOSED => self.snap_closed(event),
            kinds::SNAP_FORK => {
                self.is_running = true;
                let index = self.thread(event.tid, event.pid);
                self.act(index, event);
                self.seen(index, 0)
            }
            kinds::SNAP_USER | kinds::SNAP_GROUP => {
                let name = bytes(event, 1).map_or(StrId::NONE, |b| self.interner.text(b));
                let id = int(event, 0) as u32;
                if event.kind == kinds::SNAP_USER {
                    self.interner.name_user(id, name);
                    let mut text = |param| bytes(event, param).map_or(StrId::NONE, |b| self.interner.text(b));
                    let account = Account { home: text(HOME), shell: text(SHELL) };
                    self.interner.describe_user(id, account);
                } else {
                    self.interner.name_group(id, name);
                }
                self.asked.insert((event.kind == kinds::SNAP_GROUP, id));
                Effect::default()
            }
            kinds::SNAP_INTERFACE | kinds::SNAP_MOUNT => {
                self.snap_machine(event);
                Effect::default()
            }
            _ => Effect::default(),
        }
    }

    fn snap_thread(&mut self, event: &Event<'_>) -> Effect {
        let (tid, pid) = (int(event, 0) as u32, int(event, 1) as u32);
        if let Some(index) = self.find(tid).filter(|_| self.is_running) {
            return self.correct_thread(index, event);
        }
        let (mut row, mut image) = (ThreadRow::blank(), ImageRow::default());
        fill_thread(&mut row, &mut image, event, &mut |text| self.interner.text(text));
        row.image = self.interner.image(&image);
        // The table of the process is filled by the rows that follow; its other threads share it.
        let row = ThreadRow { root: self.unless_slash(row.root), ..row };
        let (files, fs) = self.shared_with_leader(tid, pid);
        let index = self.insert(row, files, fs);
        self.threads[index].cputime = int(event, 14) as u64;
        self.threads[index].namespaces = Namespaces::of(event);
        self.threads[index].measured = super::facts::measured(event);
        if self.is_running {
            return self.seen(index, 0);
        }
        let scanned = World::scanned(event);
        self.threads[index].stamp = scanned;
        self.processes.entry(pid).or_default().stamp = scanned;
        Effect { thread: 0, desc: 0 }
    }

    /// A thread that is known was found to be otherwise. What is known of one that nobody announced was seen happening,
    /// and stays.
    fn correct_thread(&mut self, index: usize, event: &Event<'_>) -> Effect {
        let known = self.threads[index].row.clone();
        let mut row = known.clone();
        let mut image = self.dict().image(known.image).clone();
        fill_thread(&mut row, &mut image, event, &mut |text| self.interner.text(text));
        row.root = self.unless_slash(row.root);
        row.image = self.interner.image(&image);
        if known.placeholder {
            let seen = |id: StrId, found: StrId| if id == StrId::NONE { found } else { id };
            (row.comm, row.cwd, row.root) =
                (seen(known.comm, row.comm), seen(known.cwd, row.cwd), seen(known.root, row.root));
            row.image = if known.image == 0 { row.image } else { known.image };
        } else if known.start.abs_diff(row.start) <= TICK {
            row.start = known.start;
        }
        if row.sid != known.sid {
            row.session = 0;
        }
        let (pid, ppid) = (row.pid, row.ppid);
        let thread = &mut self.threads[index];
        (thread.row, thread.id) = (ThreadRow { placeholder: false, ppid: known.ppid, ..row }, 0);
        thread.namespaces = Namespaces::of(event).or(thread.namespaces);
        if ppid != known.ppid {
            self.orphaned(known.ppid);
            self.processes.entry(ppid).or_default().children += 1;
            self.change_process(pid, |row| row.ppid = ppid);
        }
        self.mark_descendants(pid);
        self.want_names(index);
        self.seen(index, 0)
    }

    fn snap_fd(&mut self, event: &Event<'_>) -> Effect {
        let mut row = DescRow::default();
        fill_desc(&mut row, event, &mut |text| self.interner.text(text));
        let index = self.thread(event.tid, event.pid);
        if event.tid != event.pid
            && let files = self.threads[index].files
            && self.find(event.pid).is_some_and(|leader| self.threads[leader].files == files)
        {
            self.tables.release(files);
            self.threads[index].files = self.tables.add(super::files::Table::default());
        }
        let desc = self.interner.desc(&row);
        self.files(index).set(int(event, 0), Slot::of(desc, int(event, 9) != 0));
        self.seen(index, desc)
    }

    /// A thread whose end nobody saw.
    fn snap_gone(&mut self, event: &Event<'_>) -> Effect {
        let index = self.thread(event.tid, event.pid);
        let effect = self.seen(index, 0);
        let pid = self.threads[index].row.pid;
        if self.processes.get(&pid).is_some_and(|p| p.tids.len() == 1 && p.children > 0) {
            let reaper = self.reaper(index);
            self.reparent(pid, reaper);
        }
        self.remove(event.tid);
        effect
    }

    fn snap_closed(&mut self, event: &Event<'_>) -> Effect {
        let index = self.thread(event.tid, event.pid);
        let desc = self.uses(index, int(event, 0));
        self.files(index).close(int(event, 0));
        self.seen(index, desc)
    }

    /// What a row among the events refers to. The initial state has no rows yet: they are made when all of it is there,
    /// so that each finds its parent.
    fn seen(&mut self, index: usize, desc: u32) -> Effect {
        let thread = if self.is_running { self.row(index) } else { 0 };
        Effect { thread, desc }
    }

    /// Whether a thread is part of the state: not once it exited, but for a first thread, which stays for the others.
    fn is_there(&self, thread: &Thread) -> bool {
        let stays = || self.processes.get(&thread.row.pid).is_some_and(|process| process.tids.len() > 1);
        thread.alive && (thread.exited == 0 || (thread.row.tid == thread.row.pid && stays()))
    }

    /// The whole state as snapshot rows at a moment (ns UTC), with what each refers to; the way a segment begins.
    pub fn snapshot(&mut self, time: u64) -> Vec<(OwnedEvent, Effect)> {
        let mut tids: Vec<(bool, u32)> =
            self.threads.iter().filter(|t| self.is_there(t)).map(|t| (t.row.tid != t.row.pid, t.row.tid)).collect();
        tids.sort_unstable();
        let mut rows = Vec::new();
        for (is_user, (id, name)) in
            self.dict().users.iter().map(|n| (true, n)).chain(self.dict().groups.iter().map(|n| (false, n)))
        {
            let kind = if is_user { kinds::SNAP_USER } else { kinds::SNAP_GROUP };
            let mut args = vec![OwnedArg::Int(i64::from(*id)), self.text_arg(*name)];
            if is_user {
                let account = self.dict().accounts.get(id).copied().unwrap_or_default();
                args.extend([self.text_arg(account.home), self.text_arg(account.shell)]);
            }
            rows.push((OwnedEvent::new(&head(kind, time, 0, 0), args), Effect::default()));
        }
        rows.extend(self.machine_rows(time).map(|row| (row, Effect::default())));
        for &(_, tid) in &tids {
            let Some(index) = self.find(tid) else { continue };
            let thread = self.row(index);
            rows.push((self.thread_event(index, time), Effect { thread, desc: 0 }));
        }
        for &(other, tid) in &tids {
            let Some(index) = self.find(tid) else { continue };
            let (pid, files) = (self.threads[index].row.pid, self.threads[index].files);
            // A thread that parted from its process has descriptors of its own.
            if other && self.find(pid).is_some_and(|leader| self.threads[leader].files == files) {
                continue;
            }
            let thread = self.row(index);
            let open = self.tables.get(files).open();
            for (fd, slot) in open.filter(|(_, slot)| !self.dict().desc(slot.desc).is_unknown()) {
                let event = self.fd_event((tid, pid), fd, slot, time);
                rows.push((event, Effect { thread, desc: slot.desc }));
            }
        }
        rows
    }

    /// Calls that are in flight, as events that last until `now` (ns UTC).
    pub fn in_flight(&mut self, now: u64) -> Vec<OwnedEvent> {
        let mut entered: Vec<&OwnedEvent> = self.threads.iter().filter_map(|t| t.in_flight.as_deref()).collect();
        entered.sort_by_key(|e| (e.event().time, e.event().tid));
        let until = |entered: &OwnedEvent| {
            let mut event = entered.event();
            event.flags = event.flags.with(Flags::IN_FLIGHT);
            event.duration = Some(now.saturating_sub(event.time));
            event.time = now.max(event.time);
            OwnedEvent::of(&event)
        };
        entered.into_iter().map(until).collect()
    }

    fn text_arg(&self, id: StrId) -> OwnedArg {
        self.dict().strings.get(id).map_or(OwnedArg::Missing, |text| OwnedArg::Bytes(text.to_vec()))
    }

    fn thread_event(&self, index: usize, time: u64) -> OwnedEvent {
        let thread = &self.threads[index];
        let (row, image) = (&thread.row, self.dict().image(thread.row.image));
        let ids = [row.tid, row.pid, row.vtid, row.vpid, row.ppid, row.sid, row.pgid, row.tty];
        let creds = [row.uid, row.euid, row.gid, row.egid, row.loginuid];
        let mut args: Vec<OwnedArg> = ids.iter().chain(&creds).map(|&id| OwnedArg::Int(i64::from(id))).collect();
        for (place, group) in [(SID, row.sid), (PGID, row.pgid)] {
            if group == ThreadRow::NO_GROUP {
                args[place] = OwnedArg::Missing;
            }
        }
        args.push(OwnedArg::Int(row.start as i64));
        args.push(OwnedArg::Int(thread.cputime as i64));
        args.extend([row.comm, image.exe, image.exepath, image.args].map(|id| self.text_arg(id)));
        args.push(OwnedArg::Bytes(join_list(self.dict(), &image.env)));
        args.extend([row.cwd, row.root, row.cgroup].map(|id| self.text_arg(id)));
        args.extend(thread.namespaces.args());
        args.push(OwnedArg::Int(thread.stamp as i64));
        args.extend(rights(row, &image.facts));
        let measured = thread.measured.as_deref();
        args.extend((0..5).map(|at| measured.and_then(|all| all[at]).map_or(OwnedArg::Missing, OwnedArg::Int)));
        OwnedEvent::new(&head(kinds::SNAP_THREAD, time, row.tid, row.pid), args)
    }

    fn fd_event(&self, (tid, pid): (u32, u32), fd: i64, slot: Slot, time: u64) -> OwnedEvent {
        let desc = self.dict().desc(slot.desc);
        let args = vec![
            OwnedArg::Int(fd),
            OwnedArg::Int(desc.kind as i64),
            self.text_arg(desc.name),
            tuple_arg(desc),
            OwnedArg::Int(desc.l4 as i64),
            OwnedArg::Int(desc.role as i64),
            OwnedArg::Int(i64::from(desc.dev)),
            OwnedArg::Int(desc.ino as i64),
            OwnedArg::Int(i64::from(desc.flags)),
            OwnedArg::Int(i64::from(slot.cloexec)),
        ];
        OwnedEvent::new(&head(kinds::SNAP_FD, time, tid, pid), args)
    }
}

/// Limits, capabilities and facts about the program, in the order of `snap_thread`'s parameters.
fn rights(row: &ThreadRow, exe: &super::facts::ExeFacts) -> [OwnedArg; 8] {
    let unless_0 = |number: u64| if number == 0 { OwnedArg::Missing } else { OwnedArg::Int(number as i64) };
    let cap = |of: fn(&super::facts::Caps) -> u64| {
        row.caps.as_ref().map_or(OwnedArg::Missing, |caps| OwnedArg::Int(of(caps) as i64))
    };
    [
        unless_0(row.fdlimit),
        cap(|caps| caps.inheritable),
        cap(|caps| caps.permitted),
        cap(|caps| caps.effective),
        exe.flags.map_or(OwnedArg::Missing, |flags| OwnedArg::Int(i64::from(flags))),
        unless_0(exe.ino),
        unless_0(exe.ctime),
        unless_0(exe.mtime),
    ]
}

/// Local and remote end in the layout of [`ParamType::Tuple`](crate::event::ParamType::Tuple).
fn tuple_arg(desc: &DescRow) -> OwnedArg {
    let unspecified = |like: dict::Endpoint| dict::Endpoint {
        ip: if like.ip.is_ipv4() { [0u8; 4].into() } else { [0u8; 16].into() },
        port: 0,
    };
    let (local, remote) = match (desc.client, desc.server) {
        (None, Some(server)) => (server, unspecified(server)),
        (Some(client), Some(server)) if desc.role == Role::Server => (server, client),
        (Some(client), Some(server)) => (client, server),
        _ => return OwnedArg::Missing,
    };
    let v4 = local.ip.is_ipv4() && remote.ip.is_ipv4();
    let mut bytes = vec![if v4 { 2 } else { 10 }];
    for end in [local, remote] {
        match end.ip {
            std::net::IpAddr::V4(ip) if v4 => bytes.extend(ip.octets()),
            std::net::IpAddr::V4(ip) => bytes.extend(ip.to_ipv6_mapped().octets()),
            std::net::IpAddr::V6(ip) => bytes.extend(ip.octets()),
        }
        bytes.extend(end.port.to_le_bytes());
    }
    OwnedArg::Bytes(bytes)
}

/// A list in which each item ends with a NUL.
pub(super) fn join_list(dict: &dict::Dict, items: &[StrId]) -> Vec<u8> {
    let mut out = Vec::new();
    for &item in items {
        out.extend_from_slice(dict.text(item));
        out.push(0);
    }
    out
}

/// Sets what the parameters of a `snap_thread` row tell; those that are missing change nothing.
pub(super) fn fill_thread(
    row: &mut ThreadRow,
    image: &mut ImageRow,
    event: &Event<'_>,
    text: &mut dyn FnMut(&[u8]) -> StrId,
) {
    let ids: [&mut u32; 13] = [
        &mut row.tid,
        &mut row.pid,
        &mut row.vtid,
        &mut row.vpid,
        &mut row.ppid,
        &mut row.sid,
        &mut row.pgid,
        &mut row.tty,
        &mut row.uid,
        &mut row.euid,
        &mut row.gid,
        &mut row.egid,
        &mut row.loginuid,
    ];
    for (id, arg) in ids.into_iter().zip(&event.args) {
        *id = arg.int().map_or(*id, |value| value as u32);
    }
    if let Some(start) = event.args.get(13).and_then(|a| a.int()) {
        row.start = start as u64;
    }
    let texts: [(u8, &mut StrId); 7] = [
        (15, &mut row.comm),
        (16, &mut image.exe),
        (17, &mut image.exepath),
        (18, &mut image.args),
        (20, &mut row.cwd),
        (21, &mut row.root),
        (22, &mut row.cgroup),
    ];
    for (param, id) in texts {
        *id = bytes(event, param).map_or(*id, &mut *text);
    }
    if let Some(env) = bytes(event, 19) {
        image.env = split_list(env).map(text).collect();
    }
    super::facts::fill(row, event);
    super::facts::fill_image(image, event);
}

/// Sets what a `snap_fd` row tells.
pub(super) fn fill_desc(row: &mut DescRow, event: &Event<'_>, text: &mut dyn FnMut(&[u8]) -> StrId) {
    let name = bytes(event, 2).filter(|n| !n.is_empty()).map_or(StrId::NONE, text);
    let role = role(int(event, 5));
    let (client, server) = match bytes(event, 3).and_then(address::tuple) {
        Some((local, remote)) if remote.port == 0 && remote.ip.is_unspecified() => (None, Some(local)),
        Some((local, remote)) if role == Role::Server => (Some(remote), Some(local)),
        Some((local, remote)) => (Some(local), Some(remote)),
        None => (None, None),
    };
    *row = DescRow {
        kind: kind(int(event, 1)),
        name,
        client,
        server,
        l4: l4(int(event, 4)),
        role,
        dev: int(event, 6) as u32,
        ino: int(event, 7) as u64,
        flags: int(event, 8) as u32,
    };
}

pub(super) fn head(kind: Kind, time: u64, tid: u32, pid: u32) -> Event<'static> {
    Event { kind, time, duration: None, cpu: 0, tid, pid, ret: 0, flags: Flags::default(), args: Args::new() }
}

fn kind(number: i64) -> DescKind {
    use DescKind::{
        Bpf, Directory, Event, Eventpoll, File, Inotify, IoUring, Ipv4, Ipv6, Memfd, Netlink, Pidfd, Pipe, Signal,
        Socket, Timer, Unix, Unknown, Userfault,
    };
    let all = [
        Unknown, File, Directory, Ipv4, Ipv6, Unix, Netlink, Socket, Pipe, Event, Signal, Eventpoll, Inotify, Timer,
        Bpf, Userfault, IoUring, Memfd, Pidfd,
    ];
    usize::try_from(number).ok().and_then(|n| all.get(n)).copied().unwrap_or_default()
}

fn l4(number: i64) -> L4 {
    [L4::None, L4::Tcp, L4::Udp, L4::Icmp, L4::Raw].get(number as usize).copied().unwrap_or_default()
}

fn role(number: i64) -> Role {
    [Role::Unknown, Role::Client, Role::Server].get(number as usize).copied().unwrap_or_default()
}
