//! Threads and processes that are alive, and the dictionary rows they have.

use super::dict::ThreadRow;
use super::engine::World;
use crate::event::OwnedEvent;

/// How far `parent`, `leader`, `session` and `creator` are followed when a row is made. Real trees are far shallower.
const MAX_DEPTH: usize = 64;

/// How long a thread that exited may still be switched away from, ns: closing its files may wait for a slow disk.
const LINGERS: u64 = 60_000_000_000;

/// One live thread.
#[derive(Debug, Default)]
pub(super) struct Thread {
    /// What its next row says; `parent`, `leader` and `session` are filled in when the row is made.
    pub(super) row: ThreadRow,
    /// Its current row; 0: something changed since.
    pub(super) id: u32,
    /// Its descriptor table.
    pub(super) files: u32,
    /// A call that it entered and has not left, once the source said so.
    pub(super) in_flight: Option<Box<OwnedEvent>>,
    /// Nanoseconds it has run, as last reported.
    pub(super) cputime: u64,
    /// Scanned at this moment, ns UTC: events before it are in the scan already. 0: it was not there then.
    pub(super) stamp: u64,
    /// Its directories (`struct fs_struct`): threads with the same number share them.
    pub(super) fs: u32,
    /// Saved user and group id, where they are known.
    pub(super) saved: Option<(u32, u32)>,
    /// Number of its user namespace; 0: the one that it was found in. Ids that calls name in another one are not the host's.
    pub(super) users: u32,
    /// Number of its mount namespace; 0: the one that it was found in.
    pub(super) mounts: u32,
    /// Memory (KiB) and faults as they were when it was looked at, in the order of `snap_thread`; in the first segment alone, because
    /// events tell the rest.
    pub(super) measured: Option<Box<[Option<i64>; 5]>>,
    /// Its namespaces, as far as they are known.
    pub(super) namespaces: super::namespaces::Namespaces,
    /// When it exited, ns UTC; 0: it runs.
    pub(super) exited: u64,
    /// Nothing comes from it any more. The first thread of a process stays nevertheless, until the last one is gone.
    pub(super) gone: bool,
    /// The entry is in use.
    pub(super) alive: bool,
    /// Its row is being made: guards against rows that would refer to themselves.
    building: bool,
}

/// One live process.
#[derive(Debug, Default)]
pub(super) struct Process {
    /// Its threads, in order of their appearance.
    pub(super) tids: Vec<u32>,
    /// Processes whose parent it is.
    pub(super) children: u32,
    /// Orphans below it become its children (`PR_SET_CHILD_SUBREAPER`).
    pub(super) subreaper: bool,
    /// Scanned at this moment, ns UTC; 0: it was not there then.
    pub(super) stamp: u64,
    /// Control group as the probe reported it last; 0 not yet.
    pub(super) cgroup_id: u64,
}

impl World {
    /// Index of a thread; a placeholder is made for one that nobody announced.
    pub(super) fn thread(&mut self, tid: u32, pid: u32) -> usize {
        if let Some((last, index)) = self.last
            && last == tid
        {
            return index;
        }
        let index = match self.by_tid.get(&tid) {
            Some(&index) => index as usize,
            None => self.placeholder(tid, pid),
        };
        self.last = Some((tid, index));
        index
    }

    /// Index of a thread that is known.
    pub(super) fn find(&self, tid: u32) -> Option<usize> {
        self.by_tid.get(&tid).map(|&index| index as usize)
    }

    /// What the next row of a live thread says of itself; its references to other rows may be older.
    pub fn facts(&self, tid: u32) -> Option<&ThreadRow> {
        self.find(tid).map(|index| &self.threads[index].row)
    }

    fn placeholder(&mut self, tid: u32, pid: u32) -> usize {
        let row = ThreadRow { tid, pid, vtid: tid, vpid: pid, loginuid: u32::MAX, ..ThreadRow::lost() };
        let (files, fs) = self.shared_with_leader(tid, pid);
        let index = self.insert(row, files, fs);
        self.want_thread(tid, pid);
        self.note_found(tid);
        index
    }

    /// Descriptors and directories for a thread that was found: those of its process, or new ones.
    pub(super) fn shared_with_leader(&mut self, tid: u32, pid: u32) -> (u32, u32) {
        match self.find(pid).map(|leader| (self.threads[leader].files, self.threads[leader].fs)) {
            Some((files, fs)) if tid != pid => (self.share(files), self.directories.share(fs)),
            _ => (self.tables.add(super::files::Table::default()), self.directories.add()),
        }
    }

    /// One more user of a descriptor table.
    pub(super) fn share(&mut self, files: u32) -> u32 {
        self.tables.get_mut(files).sharers += 1;
        files
    }

    /// Adds a thread, in place of an older one of the same id.
    pub(super) fn insert(&mut self, row: ThreadRow, files: u32, fs: u32) -> usize {
        self.remove(row.tid);
        let (tid, pid, ppid) = (row.tid, row.pid, row.ppid);
        let thread = Thread { row, files, fs, alive: true, ..Thread::default() };
        let index = if let Some(index) = self.free.pop() {
            self.threads[index as usize] = thread;
            index
        } else {
            self.threads.push(thread);
            (self.threads.len() - 1) as u32
        };
        self.by_tid.insert(tid, index);
        let process = self.processes.entry(pid).or_default();
        process.tids.push(tid);
        if process.tids.len() == 1 && ppid != pid {
            self.processes.entry(ppid).or_default().children += 1;
        }
        index as usize
    }

    /// Forgets a thread, and its process with the last one.
    pub(super) fn remove(&mut self, tid: u32) {
        let Some(index) = self.by_tid.remove(&tid) else { return };
        self.last = None;
        let thread = std::mem::take(&mut self.threads[index as usize]);
        self.free.push(index);
        self.tables.release(thread.files);
        self.directories.release(thread.fs);
        let pid = thread.row.pid;
        let Some(process) = self.processes.get_mut(&pid) else { return };
        process.tids.retain(|&t| t != tid);
        if process.tids.is_empty() {
            let children = process.children;
            if children == 0 {
                self.processes.remove(&pid);
            }
            self.orphaned(thread.row.ppid);
        }
    }

    /// A process has one child less; an entry that was kept only for its children goes with the last.
    pub(super) fn orphaned(&mut self, ppid: u32) {
        if let Some(parent) = self.processes.get_mut(&ppid) {
            parent.children = parent.children.saturating_sub(1);
            if parent.children == 0 && parent.tids.is_empty() {
                self.processes.remove(&ppid);
            }
        }
    }

    /// Forgets a thread of which nothing comes any more. The first thread of a process that has others stays: it is a
    /// zombie that the others' rows and their children's still refer to, and it goes with the last of them.
    pub(super) fn retire(&mut self, tid: u32) {
        let Some(index) = self.find(tid) else { return };
        let thread = &mut self.threads[index];
        (thread.gone, thread.in_flight) = (true, None);
        let pid = thread.row.pid;
        let others = |world: &World| world.processes.get(&pid).is_some_and(|p| p.tids.iter().any(|&t| t != pid));
        if tid != pid || !others(self) {
            self.remove(tid);
        }
        if tid != pid && !others(self) && self.find(pid).is_some_and(|leader| self.threads[leader].gone) {
            self.remove(pid);
        }
    }

    /// Notes that a thread exits at a time. Its last switch away, which ends it here, follows at once; where that record was
    /// lost, it goes a while after.
    pub(super) fn exits(&mut self, tid: u32, time: u64) {
        let Some(index) = self.find(tid) else { return };
        self.threads[index].exited = time.max(1);
        self.exits.push_back((time.max(1), tid));
        while let Some(&(then, tid)) = self.exits.front()
            && time.saturating_sub(then) > LINGERS
        {
            self.exits.pop_front();
            if self.find(tid).is_some_and(|i| self.threads[i].exited == then) {
                self.retire(tid);
            }
        }
    }

    /// Forgets a process whose id another one has now: its end was lost.
    pub(super) fn replace_process(&mut self, pid: u32) {
        // A placeholder is the new process itself, seen before its fork.
        let Some(index) = self.find(pid).filter(|&i| !self.threads[i].row.placeholder) else { return };
        let reaper = self.reaper(index);
        self.reparent(pid, reaper);
        let tids = self.processes.get(&pid).map(|p| p.tids.clone()).unwrap_or_default();
        for tid in tids {
            self.remove(tid);
        }
    }

    /// Gives the children of a process to another one.
    pub(super) fn reparent(&mut self, pid: u32, reaper: u32) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        let moved = std::mem::take(&mut process.children);
        if moved == 0 || pid == reaper {
            return;
        }
        self.processes.entry(reaper).or_default().children += moved;
        for thread in self.threads.iter_mut().filter(|t| t.alive && t.row.ppid == pid) {
            thread.row.ppid = reaper;
            thread.id = 0;
        }
        self.mark_descendants(reaper);
    }

    /// All live threads below a process get new rows at their next event, because their ancestors look different now.
    pub(super) fn mark_descendants(&mut self, pid: u32) {
        let mut pending = vec![pid];
        let mut seen = std::collections::BTreeSet::from([pid]);
        while let Some(parent) = pending.pop() {
            if self.processes.get(&parent).is_none_or(|p| p.children == 0) {
                continue;
            }
            for thread in self.threads.iter_mut().filter(|t| t.alive && t.row.ppid == parent) {
                thread.id = 0;
                if seen.insert(thread.row.pid) {
                    pending.push(thread.row.pid);
                }
            }
        }
    }

    /// Changes the rows of all threads of a process.
    pub(super) fn change_process(&mut self, pid: u32, mut change: impl FnMut(&mut ThreadRow)) {
        let Some(process) = self.processes.get(&pid) else { return };
        for tid in &process.tids {
            if let Some(&index) = self.by_tid.get(tid) {
                let thread = &mut self.threads[index as usize];
                change(&mut thread.row);
                thread.id = 0;
            }
        }
    }

    /// Changes the directories of all threads that share them.
    pub(super) fn change_directories(&mut self, index: usize, mut change: impl FnMut(&mut ThreadRow)) {
        let (fs, pid) = (self.threads[index].fs, self.threads[index].row.pid);
        let mut left = self.directories.users(fs);
        let tids = self.processes.get(&pid).map(|p| p.tids.as_slice()).unwrap_or_default();
        for tid in tids {
            if let Some(&index) = self.by_tid.get(tid)
                && let thread = &mut self.threads[index as usize]
                && thread.fs == fs
            {
                change(&mut thread.row);
                (thread.id, left) = (0, left.saturating_sub(1));
            }
        }
        // Sharing across processes (CLONE_FS without CLONE_THREAD) is rare, and found the long way.
        if left > 0 {
            for thread in self.threads.iter_mut().filter(|t| t.alive && t.fs == fs && t.row.pid != pid) {
                change(&mut thread.row);
                thread.id = 0;
            }
        }
    }

    /// The current row of a thread, made if something changed since the last one.
    pub(super) fn row(&mut self, index: usize) -> u32 {
        let id = self.threads[index].id;
        if id != 0 { id } else { self.make_row(index, 0) }
    }

    fn make_row(&mut self, index: usize, depth: usize) -> u32 {
        let thread = &mut self.threads[index];
        if thread.id != 0 {
            return thread.id;
        }
        if thread.building || depth > MAX_DEPTH {
            return 0;
        }
        thread.building = true;
        let (tid, pid, ppid, sid) = (thread.row.tid, thread.row.pid, thread.row.ppid, thread.row.sid);
        let mut row_of = |tid: u32| self.find(tid).map_or(0, |i| self.make_row(i, depth + 1));
        let parent = if ppid == 0 { 0 } else { row_of(ppid) };
        let leader = if tid == pid { 0 } else { row_of(pid) };
        let session = if sid == pid || sid == 0 || sid == ThreadRow::NO_GROUP { 0 } else { row_of(sid) };
        let thread = &mut self.threads[index];
        thread.building = false;
        let row = &mut thread.row;
        (row.parent, row.leader) = (parent, leader);
        // A session leader that is gone stays known by its last row.
        if session != 0 || sid == pid {
            row.session = session;
        }
        let row = row.clone();
        let is_placeholder = row.placeholder;
        let id = self.interner.push_thread(row);
        self.threads[index].id = id;
        if is_placeholder {
            self.note_unknown(index, id);
        }
        self.note_old_group(pid, id);
        id
    }
}
