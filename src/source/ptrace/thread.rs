//! What is known of the threads that are traced.

use std::collections::{BTreeMap, BTreeSet};

/// The most killed new threads that are kept in mind: who made them mostly says so at once, or was killed with them.
const STILLBORN: usize = 4096;

/// A call that a thread is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Boot clock, ns.
    pub(super) enter: u64,
    pub(super) nr: u16,
    pub(super) compat: bool,
    pub(super) args: [u64; 6],
    /// What the call writes over, as it was at the entry.
    pub(super) early: Option<[u8; 16]>,
    /// A record of the entry was written.
    pub(super) told: bool,
}

/// A thread that is traced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Thread {
    pub(super) pid: u32,
    pub(super) slot: Option<Slot>,
    /// The program that an exec names, as the kernel keeps it.
    pub(super) program: Vec<u8>,
    /// Processor time that was told last, ns.
    pub(super) cputime: u64,
    /// The most memory that its process had at once before the present program, KiB; `None`: nobody knows.
    pub(super) most: Option<u64>,
    /// Its end was told.
    pub(super) ended: bool,
}

/// The end of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) pid: u32,
    /// It was its process's last.
    pub(super) last: bool,
    /// It was the last and its process's only one ever.
    pub(super) alone: bool,
    /// As [`Thread::most`].
    pub(super) most: Option<u64>,
}

/// All threads that are traced.
#[derive(Debug, Default)]
pub(super) struct Threads {
    all: BTreeMap<u32, Thread>,
    /// Threads of each process whose end was not told.
    alive: BTreeMap<u32, u32>,
    /// Processes that have had more than one thread.
    crowded: BTreeSet<u32>,
    /// New ones that have stopped before whoever made them said so. They wait, so that nothing of them is told before
    /// their birth; with the time since when, ns.
    early: BTreeMap<u32, u64>,
    /// New ones that were killed before anybody said who made them.
    stillborn: BTreeSet<u32>,
}

impl Threads {
    pub(super) fn get(&mut self, tid: u32) -> Option<&mut Thread> {
        self.all.get_mut(&tid)
    }

    /// In rising order.
    pub(super) fn iter(&mut self) -> impl Iterator<Item = (u32, &mut Thread)> {
        self.all.iter_mut().map(|(tid, thread)| (*tid, thread))
    }

    pub(super) fn insert(&mut self, tid: u32, pid: u32) {
        let old = self.all.insert(tid, Thread { pid, most: Some(0), ..Thread::default() });
        if old.is_none_or(|thread| thread.ended) {
            let alive = self.alive.entry(pid).or_default();
            *alive += 1;
            if *alive > 1 {
                self.crowded.insert(pid);
            }
        }
    }

    /// Notes that the end of a thread is told. `None`: it was already, or nobody knows it.
    pub(super) fn end(&mut self, tid: u32) -> Option<End> {
        let thread = self.all.get_mut(&tid).filter(|thread| !thread.ended)?;
        thread.ended = true;
        let (pid, mut alone) = (thread.pid, false);
        let left = self.alive.get_mut(&pid)?;
        *left = left.saturating_sub(1);
        let last = *left == 0;
        if last {
            self.alive.remove(&pid);
            alone = !self.crowded.remove(&pid);
        }
        Some(End { pid, last, alone, most: thread.most })
    }

    /// Forgets a thread that is gone.
    pub(super) fn remove(&mut self, tid: u32) {
        self.early.remove(&tid);
        if self.all.remove(&tid).is_none() {
            if self.stillborn.len() >= STILLBORN {
                self.stillborn.clear();
            }
            self.stillborn.insert(tid);
        }
    }

    /// A thread took over its process's number, because it runs another program: the others are gone.
    pub(super) fn take_over(&mut self, old: u32, tid: u32) {
        let moved = self.all.remove(&old).unwrap_or_default();
        self.all.retain(|_, thread| thread.pid != tid);
        self.all.insert(tid, Thread { pid: tid, ..moved });
        self.alive.insert(tid, 1);
    }

    /// A new thread has stopped that nobody has told of.
    pub(super) fn wait_for_birth(&mut self, tid: u32, now: u64) {
        self.early.insert(tid, now);
    }

    /// Whether a new thread already waits (`true`) to be let go.
    pub(super) fn waited(&mut self, tid: u32) -> bool {
        self.early.remove(&tid).is_some()
    }

    /// Whether a new thread is already gone.
    pub(super) fn was_stillborn(&mut self, tid: u32) -> bool {
        self.stillborn.remove(&tid)
    }

    /// Those that have waited since before a time.
    pub(super) fn waiting(&self, before: u64) -> Vec<u32> {
        self.early.iter().filter(|(_, since)| **since < before).map(|(tid, _)| *tid).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thread_of_a_process_is_known_as_such() {
        let mut threads = Threads::default();
        threads.insert(10, 10);
        threads.insert(11, 10);
        threads.insert(20, 20);
        let end = |pid, last, alone| Some(End { pid, last, alone, most: Some(0) });
        assert_eq!(threads.end(11), end(10, false, false));
        assert_eq!(threads.end(11), None, "told once");
        assert_eq!(threads.end(10), end(10, true, false));
        assert_eq!(threads.end(20), end(20, true, true));
        assert_eq!(threads.end(99), None);
    }

    #[test]
    fn who_execs_takes_the_number_of_its_process_and_is_alone() {
        let mut threads = Threads::default();
        for tid in [10, 11, 12, 20] {
            threads.insert(tid, if tid < 20 { 10 } else { 20 });
        }
        threads.get(12).unwrap().program = b"/bin/x".to_vec();
        threads.end(10);
        threads.take_over(12, 10);
        let left: Vec<u32> = threads.iter().map(|(tid, _)| tid).collect();
        assert_eq!(left, [10, 20]);
        assert_eq!(threads.get(10).unwrap().program, b"/bin/x");
        assert!(threads.end(10).is_some_and(|end| end.pid == 10 && end.last));
    }

    #[test]
    fn who_comes_too_early_waits_or_is_stillborn() {
        let mut threads = Threads::default();
        threads.wait_for_birth(5, 100);
        threads.wait_for_birth(6, 200);
        assert_eq!((threads.waiting(201), threads.waiting(150)), (vec![5, 6], vec![5]));
        threads.remove(6);
        assert!(threads.waited(5) && !threads.waited(5));
        assert!(threads.was_stillborn(6) && !threads.was_stillborn(5));
    }
}
