//! [`World`]: the state engine. Events go in, in order; out come the rows that each refers to.

use super::Delta;
use super::dict::Dict;
use super::doubt::Doubt;
use super::files::Tables;
use super::intern::Interner;
use super::sharers::Sharers;
use super::thread::{Process, Thread};
use super::wants::Unknown;
use crate::event::{Event, KindFlags, OwnedEvent};
use foldhash::fast::FixedState;
use std::collections::{HashMap, VecDeque};

/// What an event refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effect {
    /// Row of its thread.
    pub thread: u32,
    /// Row of the descriptor it is about; 0 none.
    pub desc: u32,
}

/// A question to the machine that is being recorded: the world itself never looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The control group path of a process that moved to another group.
    Cgroup {
        /// The process.
        pid: u32,
        /// The group as the probe named it.
        id: u64,
    },
    /// The name of a user.
    User(u32),
    /// The name of a group.
    Group(u32),
    /// Who a thread is that nobody announced.
    Thread {
        /// The thread.
        tid: u32,
        /// Its process.
        pid: u32,
    },
    /// What a descriptor refers to that nobody opened.
    Descriptor {
        /// The process.
        pid: u32,
        /// The number.
        fd: u32,
    },
}

/// The state of a node at one moment.
#[derive(Debug)]
pub struct World {
    pub(super) interner: Interner,
    pub(super) threads: Vec<Thread>,
    pub(super) free: Vec<u32>,
    pub(super) by_tid: HashMap<u32, u32, FixedState>,
    pub(super) processes: HashMap<u32, Process, FixedState>,
    pub(super) tables: Tables,
    /// The thread looked up last: events of one thread come in bursts.
    pub(super) last: Option<(u32, usize)>,
    pub(super) directories: Sharers,
    /// How many namespaces were made, counted so that each has a number.
    pub(super) namespaces: u32,
    /// Messages with descriptors, the oldest first.
    pub(super) passed: VecDeque<super::passing::Passed>,
    pub(super) requests: super::ring::Requests,
    /// Threads that exited, the earliest first: (ns UTC, tid).
    pub(super) exits: VecDeque<(u64, u32)>,
    /// The thread whose last event is being applied.
    pub(super) gone: Option<u32>,
    pub(super) wants: Vec<Want>,
    pub(super) asked: std::collections::BTreeSet<(bool, u32)>,
    pub(super) unknown: Unknown,
    pub(super) doubt: Doubt,
    pub(super) machine: super::machine::Machine,
    /// What was told of containers, JSON by id.
    pub(super) containers: std::collections::BTreeMap<String, Vec<u8>>,
    /// Time of the event that is being applied, ns UTC.
    pub(super) now: u64,
    /// An event was applied: the initial state is complete.
    pub(super) is_running: bool,
    pub(super) scratch: Vec<u8>,
    pub(super) actions: Vec<(KindFlags, super::action::Action)>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world in which nothing is known yet.
    pub fn new() -> Self {
        World {
            interner: Interner::new(),
            threads: Vec::new(),
            free: Vec::new(),
            by_tid: HashMap::default(),
            processes: HashMap::default(),
            tables: Tables::default(),
            directories: Sharers::default(),
            namespaces: 0,
            passed: VecDeque::new(),
            requests: super::ring::Requests::default(),
            exits: VecDeque::new(),
            last: None,
            gone: None,
            wants: Vec::new(),
            asked: std::collections::BTreeSet::new(),
            unknown: Unknown::default(),
            doubt: Doubt::default(),
            machine: super::machine::Machine::default(),
            containers: std::collections::BTreeMap::new(),
            now: 0,
            is_running: false,
            scratch: Vec::new(),
            actions: super::action::actions(),
        }
    }

    /// Applies an event and says which rows it refers to.
    ///
    /// The thread row is the one after the change (an exec shows its new program), the descriptor row the one the
    /// call was about (a close shows what it closed).
    pub fn apply(&mut self, event: &Event<'_>) -> Effect {
        let (flags, _) = self.actions[usize::from(event.kind.0)];
        self.now = event.time;
        if flags.has(KindFlags::SNAPSHOT) {
            return self.apply_snapshot(event);
        }
        self.is_running = true;
        let index = self.thread(event.tid, event.pid);
        if self.threads[index].in_flight.is_some() && flags.has(KindFlags::CALL) {
            self.threads[index].in_flight = None;
        }
        let mut desc = self.act(index, event);
        // The action may have replaced the thread's entry (an exec, a reused id).
        let index = self.thread(event.tid, event.pid);
        if desc == 0 && flags.has(KindFlags::USES_FD) {
            desc = self.want_used(index, event);
        }
        let effect = Effect { thread: self.row(index), desc };
        if self.is_noting() {
            self.note_change(event);
        }
        if let Some(tid) = self.gone.take() {
            self.retire(tid);
        }
        effect
    }

    /// What an event refers to, without making its change: a call in flight has not changed anything yet.
    pub fn look(&mut self, event: &Event<'_>) -> Effect {
        let index = self.thread(event.tid, event.pid);
        let fd = event.kind.spec().fd.map_or(-1, |fd| super::action::number(event, fd));
        let desc = self.uses(index, fd);
        Effect { thread: self.row(index), desc }
    }

    /// Notes a call that was entered and has not returned yet.
    pub fn enter(&mut self, event: &Event<'_>) {
        let index = self.thread(event.tid, event.pid);
        self.threads[index].in_flight = Some(Box::new(OwnedEvent::of(event)));
    }

    /// The rows so far.
    pub fn dict(&self) -> &Dict {
        self.interner.dict()
    }

    /// The dictionary being written.
    pub fn interner(&mut self) -> &mut Interner {
        &mut self.interner
    }

    /// The rows made since the last call.
    pub fn take_delta(&mut self) -> Delta {
        self.interner.take_delta()
    }

    /// Approximate bytes of the segment's dictionary.
    pub fn dict_size(&self) -> usize {
        self.interner.size()
    }

    /// Questions that came up since the last call.
    pub fn take_wants(&mut self) -> Vec<Want> {
        let mut wants = std::mem::take(&mut self.wants);
        wants.extend(self.unknown.take(self.now));
        wants
    }

    /// (tid, pid) of every thread that has not ended, ascending.
    pub fn live_threads(&self) -> Vec<(u32, u32)> {
        let mut threads: Vec<_> =
            self.threads.iter().filter(|t| t.alive && !t.gone).map(|t| (t.row.tid, t.row.pid)).collect();
        threads.sort_unstable();
        threads
    }

    /// Number of threads known.
    pub fn threads(&self) -> usize {
        self.by_tid.len()
    }
}
