//! Process life cycle, credentials, sessions.

use super::action::{Action, int, named, named_bytes};
use super::dict::{ImageRow, StrId, ThreadRow};
use super::engine::{Want, World};
use crate::event::Event;

const PR_SET_NAME: i64 = 15;
const PR_SET_CHILD_SUBREAPER: i64 = 36;
const CLONE_FILES: i64 = 0x400;
/// `setresuid(2)` and its kin: keep this one.
const KEEP: u32 = u32::MAX;

impl World {
    pub(super) fn change_process_state(&mut self, action: Action, index: usize, event: &Event<'_>) {
        let pid = self.threads[index].row.pid;
        let done = event.ret >= 0;
        match action {
            Action::Fork => self.fork(index, event),
            Action::Exec if event.ret == 0 => self.exec(index, event),
            Action::Exit => self.exit(index, event),
            Action::CpuTime => self.cputime(index, event),
            Action::Cgroup => {
                let path = named_bytes(event, "path").map_or(StrId::NONE, |p| self.interner.text(p));
                self.change_process(pid, |row| row.cgroup = path);
            }
            Action::Prctl if done => self.prctl(index, event),
            Action::Setsid if event.ret > 0 => self.change_process(pid, |row| {
                (row.sid, row.pgid, row.tty, row.session) = (pid, pid, 0, 0);
            }),
            Action::Setpgid if done => {
                let target = if int(event, 0) == 0 { pid } else { int(event, 0) as u32 };
                let group = if int(event, 1) == 0 { target } else { int(event, 1) as u32 };
                self.change_process(target, |row| row.pgid = group);
            }
            Action::Setuid | Action::Setgid | Action::Setreuid | Action::Setregid if done => {
                self.credentials(action, index, event);
            }
            _ => {}
        }
    }

    fn fork(&mut self, index: usize, event: &Event<'_>) {
        let tid = named(event, "child_tid") as u32;
        let pid = named(event, "child_pid") as u32;
        let creator = self.row(index);
        let start = named(event, "start") as u64;
        // Scanned already, alive: the scan is newer than this fork.
        let scanned = self.processes.get(&pid).is_some_and(|p| event.time <= p.stamp);
        if let (true, Some(child)) = (scanned, self.find(tid)) {
            let child = &mut self.threads[child];
            (child.row.creator, child.row.start, child.id) = (creator, start, 0);
            return;
        }
        let parent = &self.threads[index];
        let row = ThreadRow {
            tid,
            pid,
            vtid: named(event, "child_vtid") as u32,
            vpid: named(event, "child_vpid") as u32,
            ppid: named(event, "ppid") as u32,
            creator,
            start,
            placeholder: false,
            ..parent.row.clone()
        };
        let files = parent.files;
        let files = if named(event, "flags") & CLONE_FILES != 0 {
            self.share(files)
        } else {
            let copy = self.tables.get(files).clone();
            self.tables.add(copy)
        };
        let group = self.processes.get(&self.threads[index].row.pid).map_or(0, |p| p.cgroup_id);
        self.insert(row, files);
        if let Some(process) = self.processes.get_mut(&pid) {
            process.cgroup_id = group;
        }
    }

    fn exec(&mut self, index: usize, event: &Event<'_>) {
        let pid = self.threads[index].row.pid;
        let exepath = self.executable(index, event);
        let mut text = |name| named_bytes(event, name).map_or(StrId::NONE, |b| self.interner.text(b));
        let (exe, args, comm) = (text("exe"), text("args"), text("comm"));
        let env = named_bytes(event, "env").unwrap_or_default();
        let env = split_list(env).map(|variable| self.interner.text(variable)).collect();
        let image = self.interner.image(&ImageRow { exe, exepath, args, env });
        self.only_thread(event.tid, pid);
        let index = self.thread(event.tid, pid);
        let files = self.tables.unshare(self.threads[index].files);
        self.tables.get_mut(files).exec();
        let thread = &mut self.threads[index];
        (thread.files, thread.id, thread.row.image) = (files, 0, image);
        if comm != StrId::NONE {
            thread.row.comm = comm;
        }
        let row = &mut thread.row;
        for (name, id) in
            [("uid", &mut row.uid), ("euid", &mut row.euid), ("gid", &mut row.gid), ("egid", &mut row.egid)]
        {
            let known = crate::event::Kind::spec(event.kind).params.iter().position(|p| p.name == name);
            if let Some(value) = known.and_then(|p| event.args.get(p)).and_then(|a| a.int()) {
                *id = value as u32;
            }
        }
        self.want_names(index);
        self.want_cgroup(pid, named(event, "cgroup_id") as u64);
        self.mark_descendants(pid);
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
            if id != u32::MAX && self.asked.insert((is_group, id)) {
                self.wants.push(if is_group { Want::Group(id) } else { Want::User(id) });
            }
        }
    }

    fn want_cgroup(&mut self, pid: u32, id: u64) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        if id != 0 && process.cgroup_id != id {
            process.cgroup_id = id;
            self.wants.push(Want::Cgroup { pid, id });
        }
    }

    fn exit(&mut self, index: usize, event: &Event<'_>) {
        if int(event, 1) == 0 {
            return;
        }
        let pid = self.threads[index].row.pid;
        if self.processes.get(&pid).is_some_and(|p| p.children > 0) {
            let reaper = self.reaper(index);
            self.reparent(pid, reaper);
        }
    }

    /// Who gets the orphans: the nearest ancestor that asked for them, else init (`prctl(2)`).
    fn reaper(&self, index: usize) -> u32 {
        let mut ppid = self.threads[index].row.ppid;
        for _ in 0..64 {
            match self.processes.get(&ppid) {
                Some(process) if process.subreaper => return ppid,
                _ => match self.find(ppid) {
                    Some(parent) => ppid = self.threads[parent].row.ppid,
                    None => break,
                },
            }
        }
        1
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
                    let comm = self.interner.text(&name[..name.len().min(15)]);
                    let thread = &mut self.threads[index];
                    (thread.row.comm, thread.id) = (comm, 0);
                    if thread.row.tid == pid {
                        self.mark_descendants(pid);
                    }
                }
            }
            PR_SET_CHILD_SUBREAPER => {
                self.processes.entry(pid).or_default().subreaper = named(event, "arg2_int") != 0;
            }
            _ => {}
        }
    }

    fn credentials(&mut self, action: Action, index: usize, event: &Event<'_>) {
        let (first, second) = (int(event, 0) as u32, int(event, 1) as u32);
        let row = &mut self.threads[index].row;
        let privileged = row.euid == 0;
        let ids = match action {
            Action::Setuid | Action::Setreuid => (&mut row.uid, &mut row.euid),
            _ => (&mut row.gid, &mut row.egid),
        };
        match action {
            Action::Setuid | Action::Setgid => {
                if privileged {
                    *ids.0 = first;
                }
                *ids.1 = first;
            }
            _ => {
                for (id, new) in [(ids.0, first), (ids.1, second)] {
                    if new != KEEP {
                        *id = new;
                    }
                }
            }
        }
        self.threads[index].id = 0;
        self.want_names(index);
    }
}

/// The items of a list in which each ends with a NUL.
pub(super) fn split_list(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.strip_suffix(b"\0").unwrap_or(list).split(|&b| b == 0).filter(move |_| !list.is_empty())
}
