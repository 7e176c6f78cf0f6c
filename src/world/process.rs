//! Process life cycle, credentials, sessions.

use super::action::{Action, ForkParams, int, named, named_bytes, named_int};
use super::dict::{ImageRow, StrId, ThreadRow};
use super::directory::AT_FDCWD;
use super::engine::{Want, World};
use super::facts::ExeFacts;
use super::namespaces::Namespaces;
use crate::event::{Event, kinds};

const PR_SET_NAME: i64 = 15;
const PR_SET_CHILD_SUBREAPER: i64 = 36;
/// include/uapi/linux/sched.h
pub(super) const CLONE_FS: i64 = 0x200;
pub(super) const CLONE_FILES: i64 = 0x400;
pub(super) const CLONE_NEWNS: i64 = 0x2_0000;
const CLONE_NEWPID: i64 = 0x2000_0000;
pub(super) const CLONE_NEWUSER: i64 = 0x1000_0000;
/// Bytes of a thread's name, without its NUL (`TASK_COMM_LEN`).
const COMM: usize = 15;
/// The most users and groups whose names were asked for: whoever is recorded chooses the ids.
const MAX_ASKED: usize = 1 << 16;

/// The flag for a new pid namespace where a child is in another one than its parent, who made or entered that before.
fn pid_namespace(parent: &ThreadRow, child: &ThreadRow) -> i64 {
    let is_first = child.vpid == 1 && child.pid != 1;
    let is_inward = parent.vpid == parent.pid && child.vpid != child.pid;
    if is_first || is_inward { CLONE_NEWPID } else { 0 }
}

impl World {
    pub(super) fn change_process_state(&mut self, action: Action, index: usize, event: &Event<'_>) {
        let pid = self.threads[index].row.pid;
        let done = event.ret >= 0;
        match action {
            Action::Fork(at) => self.fork(index, event, at),
            Action::Clone { flags } if event.ret > 0 => self.cloned(index, event, int(event, flags)),
            Action::Exec if event.ret == 0 => self.exec(index, event),
            Action::Exit { last, reaper } => self.exit(index, event, last, reaper),
            Action::CpuTime => self.cputime(index, event),
            Action::Cgroup => {
                let path = named_bytes(event, "path").map_or(StrId::NONE, |p| self.interner.text(p));
                self.change_process(pid, |row| row.cgroup = path);
                // Its children were forked into the same group, some before it was known.
                for pid in self.group_told(event, named(event, "id") as u64) {
                    self.change_process(pid, |row| row.cgroup = path);
                }
            }
            Action::Capset if done => self.capset(index, event),
            Action::Limit if done => self.limit(index, event),
            Action::Prctl if done => self.prctl(index, event),
            Action::Setsid if event.ret > 0 => self.change_process(pid, |row| {
                (row.sid, row.pgid, row.tty, row.session) = (pid, pid, 0, 0);
            }),
            Action::Setpgid if done => {
                let target = if int(event, 0) == 0 { Some(pid) } else { self.host_pid(index, int(event, 0) as u32) };
                let group = if int(event, 1) == 0 { target } else { self.host_pid(index, int(event, 1) as u32) };
                if let (Some(target), Some(group)) = (target, group) {
                    self.change_process(target, |row| row.pgid = group);
                }
            }
            Action::Setuid
            | Action::Setgid
            | Action::Setreuid
            | Action::Setregid
            | Action::Setresuid
            | Action::Setresgid
                if done =>
            {
                self.credentials(action, index, event);
            }
            Action::Unshare(flags) if done => self.unshare(index, int(event, flags)),
            _ => {}
        }
    }

    fn fork(&mut self, index: usize, event: &Event<'_>, at: ForkParams) {
        let (tid, pid) = (int(event, at.tid) as u32, int(event, at.pid) as u32);
        let creator = self.row(index);
        let start = int(event, at.start) as u64;
        // Scanned already, alive: the scan is newer than this fork.
        let scanned = self.processes.get(&pid).is_some_and(|p| event.time <= p.stamp);
        if let (true, Some(child)) = (scanned, self.find(tid)) {
            let child = &mut self.threads[child];
            (child.row.creator, child.row.start, child.id) = (creator, start, 0);
            return;
        }
        if self.processes.contains_key(&tid) {
            self.replace_process(tid);
        }
        let parent = &self.threads[index];
        let parent_pid = parent.row.pid;
        let row = ThreadRow {
            tid,
            pid,
            vtid: int(event, at.vtid) as u32,
            vpid: int(event, at.vpid) as u32,
            ppid: int(event, at.ppid) as u32,
            creator,
            start,
            placeholder: false,
            ..parent.row.clone()
        };
        let (files, fs) = (parent.files, parent.fs);
        let (saved, users, mounts) = (parent.saved, parent.users, parent.mounts);
        let flags = int(event, at.flags);
        let namespaces = parent.namespaces.without(flags | pid_namespace(&parent.row, &row));
        let files = if flags & CLONE_FILES != 0 {
            self.share(files)
        } else {
            let copy = self.tables.get_mut(files).fork();
            self.tables.add(copy)
        };
        let fs = if flags & CLONE_FS != 0 { self.directories.share(fs) } else { self.directories.add() };
        let group = self.processes.get(&self.threads[index].row.pid).map_or(0, |p| p.cgroup_id);
        let child = self.insert(row, files, fs);
        let thread = &mut self.threads[child];
        (thread.saved, thread.users, thread.mounts) = (saved, users, mounts);
        thread.namespaces = namespaces;
        if flags & CLONE_NEWUSER != 0 {
            self.own_users(child);
        }
        if let Some(process) = self.processes.get_mut(&pid) {
            process.cgroup_id = group;
        }
        self.note_group_of(pid, parent_pid);
    }

    /// What a clone's flags say of its child beyond `procfork`, which came before.
    fn cloned(&mut self, index: usize, event: &Event<'_>, flags: i64) {
        if !Namespaces::are_made(flags) {
            return;
        }
        let Some(child) = self.host_pid(index, event.ret as u32).and_then(|pid| self.find(pid)) else { return };
        let namespaces = self.threads[child].namespaces.without(flags);
        self.threads[child].namespaces = namespaces;
        if flags & CLONE_NEWNS != 0 && self.threads[child].mounts == self.threads[index].mounts {
            self.own_mounts(child);
        }
        if flags & CLONE_NEWUSER != 0 {
            self.own_users(child);
        }
    }

    /// The process that another one calls by a number: by the host's, unless it lives in a pid namespace of its own.
    pub(super) fn host_pid(&self, index: usize, number: u32) -> Option<u32> {
        let row = &self.threads[index].row;
        if row.vpid == row.pid || number == 0 {
            return Some(number);
        }
        if number == row.vpid {
            return Some(row.pid);
        }
        // One that is in the same namespace: itself aside, only its family can be told.
        let family = |t: &&super::thread::Thread| {
            t.alive
                && t.row.vpid == number
                && t.row.tid == t.row.pid
                && (t.row.ppid == row.pid || t.row.pid == row.ppid)
        };
        self.threads.iter().find(family).map(|t| t.row.pid)
    }

    fn exec(&mut self, index: usize, event: &Event<'_>) {
        let pid = self.threads[index].row.pid;
        let exepath = self.executable(index, event);
        let mut text = |name| named_bytes(event, name).map_or(StrId::NONE, |b| self.interner.text(b));
        let (exe, args) = (text("exe"), text("args"));
        let comm = self.new_name(event);
        let env = named_bytes(event, "env").unwrap_or_default();
        let env = split_list(env).map(|variable| self.interner.text(variable)).collect();
        // `execveat` has flags of its own.
        let facts = ExeFacts::of(event, if event.kind == kinds::EXECVEAT { "exe_flags" } else { "flags" });
        let image = self.interner.image(&ImageRow { exe, exepath, args, env, facts });
        let index = self.takes_over(index, event, pid);
        let files = self.tables.unshare(self.threads[index].files);
        self.tables.get_mut(files).exec();
        let thread = &mut self.threads[index];
        (thread.files, thread.id, thread.row.image, thread.row.comm) = (files, 0, image, comm);
        (thread.exited, thread.gone) = (0, false);
        let row = &mut thread.row;
        for (name, id) in [
            ("uid", &mut row.uid),
            ("euid", &mut row.euid),
            ("gid", &mut row.gid),
            ("egid", &mut row.egid),
            ("sid", &mut row.sid),
            ("pgid", &mut row.pgid),
            ("tty", &mut row.tty),
            ("loginuid", &mut row.loginuid),
        ] {
            if let Some(value) = named_int(event, name) {
                *id = value as u32;
            }
        }
        super::facts::fill(row, event);
        // exec makes the effective ids the saved ones (`execve(2)`).
        thread.saved = named_int(event, "euid").map(|_| (thread.row.euid, thread.row.egid));
        self.want_names(index);
        self.want_cgroup(pid, named(event, "cgroup_id") as u64);
        self.mark_descendants(pid);
    }

    /// Path of the program in memory: what the kernel opened, against the working directory. For a program given as a descriptor the
    /// kernel says `/dev/fd/N` (`fs/exec.c`, `alloc_bprm`): then it is what that descriptor refers to.
    fn executable(&mut self, index: usize, event: &Event<'_>) -> StrId {
        let name = named_bytes(event, "exepath").or_else(|| named_bytes(event, "filename"));
        let Some(name) = name else { return StrId::NONE };
        let by_number = name.strip_prefix(b"/dev/fd/").and_then(|rest| {
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            let fd: i64 = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
            Some((fd, rest[digits..].strip_prefix(b"/").unwrap_or(&rest[digits..])))
        });
        match by_number {
            Some((fd, b"")) => match self.dict().desc(self.uses(index, fd)).name {
                StrId::NONE => self.interner.text(name),
                known => known,
            },
            Some((fd, path)) => self.resolve(index, fd, path),
            None => self.resolve(index, AT_FDCWD, name),
        }
    }

    /// The name that exec gives: that of the file, if the source does not tell. Not known where neither is.
    fn new_name(&mut self, event: &Event<'_>) -> StrId {
        let file = || named_bytes(event, "filename").or_else(|| named_bytes(event, "pathname"));
        let base = |path: &[u8]| path.rsplit(|&b| b == b'/').next().map(<[u8]>::to_vec);
        let name = named_bytes(event, "comm").map(<[u8]>::to_vec).or_else(|| base(file()?));
        name.map_or(StrId::NONE, |name| self.interner.text(&name[..name.len().min(COMM)]))
    }

    /// The thread that execs is the process's first one from then on, and the only one. What it had of its own before goes with it.
    fn takes_over(&mut self, index: usize, event: &Event<'_>, pid: u32) -> usize {
        let old = named_int(event, "old_tid").map_or(event.tid, |tid| tid as u32);
        if let Some(caller) = self.find(old).filter(|&i| i != index && self.threads[i].row.pid == pid) {
            let (a, b) = (self.threads[index].files, self.threads[caller].files);
            (self.threads[index].files, self.threads[caller].files) = (b, a);
            let (a, b) = (self.threads[index].fs, self.threads[caller].fs);
            (self.threads[index].fs, self.threads[caller].fs) = (b, a);
            let from = &self.threads[caller];
            let (cwd, root, users, mounts) = (from.row.cwd, from.row.root, from.users, from.mounts);
            let namespaces = from.namespaces;
            let thread = &mut self.threads[index];
            thread.namespaces = namespaces;
            (thread.row.cwd, thread.row.root, thread.users, thread.mounts) = (cwd, root, users, mounts);
        }
        self.only_thread(event.tid, pid);
        self.thread(event.tid, pid)
    }

    /// Exec ends all other threads of the process.
    fn only_thread(&mut self, tid: u32, pid: u32) {
        let others: Vec<u32> = self
            .processes
            .get(&pid)
            .map(|p| p.tids.iter().copied().filter(|&t| t != tid).collect())
            .unwrap_or_default();
        for other in others {
            self.remove(other);
        }
    }

    /// Asks for the names of a thread's user and group, once each.
    pub(super) fn want_names(&mut self, index: usize) {
        let row = &self.threads[index].row;
        for (is_group, id) in
            [(false, row.uid), (false, row.euid), (false, row.loginuid), (true, row.gid), (true, row.egid)]
        {
            if id != u32::MAX && self.asked.len() < MAX_ASKED && self.asked.insert((is_group, id)) {
                self.wants.push(if is_group { Want::Group(id) } else { Want::User(id) });
            }
        }
    }

    fn want_cgroup(&mut self, pid: u32, id: u64) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        if id != 0 && process.cgroup_id != id {
            process.cgroup_id = id;
            self.wants.push(Want::Cgroup { pid, id });
            self.note_group(pid, id);
        }
    }

    fn exit(&mut self, index: usize, event: &Event<'_>, last: u8, reaper: Option<u8>) {
        let pid = self.threads[index].row.pid;
        self.exits(event.tid, event.time);
        if int(event, last) == 0 {
            return;
        }
        // The last one: whoever else is still here exited too, and its record was lost or comes a moment later.
        let tids = self.processes.get(&pid).map(|p| p.tids.clone()).unwrap_or_default();
        for tid in tids {
            if self.find(tid).is_some_and(|i| self.threads[i].exited == 0) {
                self.exits(tid, event.time);
            }
        }
        let Some(index) = self.find(event.tid) else { return };
        if self.processes.get(&pid).is_some_and(|p| p.children > 0) {
            let told = reaper.map(|r| int(event, r) as u32).filter(|&r| r != 0);
            let reaper = told.unwrap_or_else(|| self.reaper(index));
            self.reparent(pid, reaper);
        }
    }

    /// Who gets the orphans: the nearest ancestor that asked for them, else the first process of the pid namespace (`prctl(2)`,
    /// `pid_namespaces(7)`). 0 where that one is not among the ancestors.
    pub(super) fn reaper(&self, index: usize) -> u32 {
        let row = &self.threads[index].row;
        let inner = row.vpid != row.pid;
        let mut ppid = row.ppid;
        for _ in 0..64 {
            let Some(parent) = self.find(ppid).map(|i| &self.threads[i].row) else { break };
            let same = (parent.vpid != parent.pid) == inner;
            let subreaper = self.processes.get(&ppid).is_some_and(|p| p.subreaper && self.runs(p));
            if same && (subreaper || (inner && parent.vpid == 1)) {
                return ppid;
            }
            ppid = parent.ppid;
        }
        u32::from(!inner)
    }

    /// Whether a thread is the only one of its process that did not exit; so is one that nobody announced.
    pub fn is_last_thread(&self, tid: u32) -> bool {
        let process = self.facts(tid).and_then(|row| self.processes.get(&row.pid));
        let runs = |other: u32| self.find(other).is_some_and(|i| self.threads[i].exited == 0);
        process.is_none_or(|process| !process.tids.iter().any(|&other| other != tid && runs(other)))
    }

    /// Whether a process has a thread that did not exit.
    fn runs(&self, process: &super::thread::Process) -> bool {
        process.tids.iter().any(|&tid| self.find(tid).is_some_and(|i| self.threads[i].exited == 0))
    }

    fn cputime(&mut self, index: usize, event: &Event<'_>) {
        self.threads[index].cputime = int(event, 1) as u64;
        if int(event, 2) != 0 {
            self.gone = Some(event.tid);
        }
    }

    fn prctl(&mut self, index: usize, event: &Event<'_>) {
        let pid = self.threads[index].row.pid;
        match int(event, 0) {
            PR_SET_NAME => {
                if let Some(name) = named_bytes(event, "arg2_str") {
                    self.rename(index, name);
                }
            }
            PR_SET_CHILD_SUBREAPER => {
                self.processes.entry(pid).or_default().subreaper = named(event, "arg2_int") != 0;
            }
            _ => {}
        }
    }

    /// Gives a thread a new name.
    pub(super) fn rename(&mut self, index: usize, name: &[u8]) {
        let comm = self.interner.text(&name[..name.len().min(COMM)]);
        let thread = &mut self.threads[index];
        (thread.row.comm, thread.id) = (comm, 0);
        let (tid, pid) = (thread.row.tid, thread.row.pid);
        if tid == pid {
            self.mark_descendants(pid);
        }
    }
}

/// The items of a list in which each ends with a NUL.
pub(super) fn split_list(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.strip_suffix(b"\0").unwrap_or(list).split(|&b| b == 0).filter(move |_| !list.is_empty())
}
