//! The world as snapshot rows, both ways: there is one way into the world.

use super::action::{bytes, int};
use super::dict::{DescKind, DescRow, ImageRow, L4, Role, StrId, ThreadRow};
use super::engine::{Effect, World};
use super::files::Slot;
use super::process::split_list;
use super::thread::Thread;
use super::{address, dict};
use crate::event::{Args, Event, Flags, Kind, OwnedArg, OwnedEvent, kinds};

impl World {
    /// Takes a row of the initial state in.
    pub(super) fn apply_snapshot(&mut self, event: &Event<'_>) -> Effect {
        match event.kind {
            kinds::SNAP_THREAD => self.snap_thread(event),
            kinds::SNAP_FD => self.snap_fd(event),
            kinds::SNAP_USER | kinds::SNAP_GROUP => {
                let name = bytes(event, 1).map_or(StrId::NONE, |b| self.interner.text(b));
                let id = int(event, 0) as u32;
                if event.kind == kinds::SNAP_USER {
                    self.interner.name_user(id, name);
                } else {
                    self.interner.name_group(id, name);
                }
                self.asked.insert((event.kind == kinds::SNAP_GROUP, id));
                Effect::default()
            }
            _ => Effect::default(),
        }
    }

    fn snap_thread(&mut self, event: &Event<'_>) -> Effect {
        let mut text = |param| bytes(event, param).map_or(StrId::NONE, |b| self.interner.text(b));
        let (comm, cwd, root, cgroup) = (text(15), text(20), text(21), text(22));
        let (exe, exepath, args) = (text(16), text(17), text(18));
        let env = split_list(bytes(event, 19).unwrap_or_default()).map(|v| self.interner.text(v)).collect();
        let image = self.interner.image(&ImageRow { exe, exepath, args, env });
        let id = |param| int(event, param) as u32;
        let row = ThreadRow {
            tid: id(0),
            pid: id(1),
            vtid: id(2),
            vpid: id(3),
            ppid: id(4),
            sid: id(5),
            pgid: id(6),
            tty: id(7),
            uid: id(8),
            euid: id(9),
            gid: id(10),
            egid: id(11),
            loginuid: id(12),
            start: int(event, 13) as u64,
            comm,
            image,
            cwd,
            root,
            cgroup,
            ..ThreadRow::default()
        };
        let (tid, pid) = (row.tid, row.pid);
        // The table of the process is filled by the rows that follow; its other threads share it.
        let row = ThreadRow { root: self.unless_slash(row.root), ..row };
        let (files, fs) = self.shared_with_leader(tid, pid);
        let index = self.insert(row, files, fs);
        self.threads[index].cputime = int(event, 14) as u64;
        self.threads[index].stamp = event.time;
        self.processes.entry(pid).or_default().stamp = event.time;
        Effect { thread: 0, desc: 0 }
    }

    fn snap_fd(&mut self, event: &Event<'_>) -> Effect {
        let name = bytes(event, 2).filter(|n| !n.is_empty()).map_or(StrId::NONE, |n| self.interner.text(n));
        let role = role(int(event, 5));
        let (client, server) = match bytes(event, 3).and_then(address::tuple) {
            Some((local, remote)) if remote.port == 0 && remote.ip.is_unspecified() => (None, Some(local)),
            Some((local, remote)) if role == Role::Server => (Some(remote), Some(local)),
            Some((local, remote)) => (Some(local), Some(remote)),
            None => (None, None),
        };
        let row = DescRow {
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
        let index = self.thread(event.tid, event.pid);
        let desc = self.interner.desc(&row);
        self.files(index).set(int(event, 0), Slot::of(desc, int(event, 9) != 0));
        Effect { thread: 0, desc }
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
            let args = vec![OwnedArg::Int(i64::from(*id)), self.text_arg(*name)];
            rows.push((OwnedEvent::new(&head(kind, time, 0, 0), args), Effect::default()));
        }
        for &(_, tid) in &tids {
            let Some(index) = self.find(tid) else { continue };
            let thread = self.row(index);
            rows.push((self.thread_event(index, time), Effect { thread, desc: 0 }));
        }
        for &(_, tid) in tids.iter().filter(|t| !t.0) {
            let Some(index) = self.find(tid) else { continue };
            let thread = self.row(index);
            for (fd, slot) in self.tables.get(self.threads[index].files).open() {
                let event = self.fd_event(tid, fd, slot, time);
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
        args.push(OwnedArg::Int(row.start as i64));
        args.push(OwnedArg::Int(thread.cputime as i64));
        args.extend([row.comm, image.exe, image.exepath, image.args].map(|id| self.text_arg(id)));
        args.push(OwnedArg::Bytes(join_list(self.dict(), &image.env)));
        args.extend([row.cwd, row.root, row.cgroup].map(|id| self.text_arg(id)));
        OwnedEvent::new(&head(kinds::SNAP_THREAD, time, row.tid, row.pid), args)
    }

    fn fd_event(&self, pid: u32, fd: i64, slot: Slot, time: u64) -> OwnedEvent {
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
        OwnedEvent::new(&head(kinds::SNAP_FD, time, pid, pid), args)
    }
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

fn head(kind: Kind, time: u64, tid: u32, pid: u32) -> Event<'static> {
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
