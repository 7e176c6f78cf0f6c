//! [`Judge`]: tells the probe of which threads nothing but changes of the state need be recorded.
//!
//! The probe counts the changes of each thread, we count those whose records we have seen, and it believes us only
//! while both numbers are equal. So a verdict can be late, and then more is recorded than is kept; it can never leave out
//! what a thread did after a change that we did not know of, whatever was lost on the way.

use crate::event::{Event, KindFlags, kinds};
use crate::filter::Push;
use crate::source::ebpf::Verdicts;
use crate::sys::ClockPair;
use crate::world::{World, changes_thread, tells};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most threads with a verdict; those beyond are recorded. A little less than the probe has room for, because who
/// has ended is forgotten late.
const MOST: usize = 60_000;

/// What we know of a thread.
#[derive(Debug, Clone, Copy)]
struct Known {
    pid: u32,
    generation: u64,
    /// What the probe was told, about which generation.
    told: Option<(u64, bool)>,
}

/// Judges threads.
pub(super) struct Judge {
    push: Arc<Push>,
    verdicts: Verdicts,
    clock: ClockPair,
    threads: BTreeMap<u32, Known>,
    changed: BTreeSet<u32>,
    /// Processes whose group is being looked up: nothing is said about them until then.
    moving: BTreeSet<u32>,
    /// Processes that wrote something: it may have been the name of one of their threads.
    written: BTreeSet<u32>,
    changing: Vec<bool>,
}

impl Judge {
    pub(super) fn new(push: Arc<Push>, verdicts: Verdicts, clock: ClockPair) -> Judge {
        let changing = (0..crate::event::SPECS.len()).map(|k| changes_call(crate::event::Kind(k as u16))).collect();
        let (threads, changed) = (BTreeMap::new(), BTreeSet::new());
        let (moving, written) = (BTreeSet::new(), BTreeSet::new());
        Judge { push, verdicts, clock, threads, changed, moving, written, changing }
    }

    /// A thread that ran before the probe did.
    pub(super) fn found(&mut self, tid: u32, pid: u32) {
        self.threads.entry(tid).or_insert(Known { pid, generation: 0, told: None });
        self.changed.insert(tid);
    }

    /// Times are made from another pair of clocks from now on.
    pub(super) fn set_clock(&mut self, clock: ClockPair) {
        self.clock = clock;
    }

    /// A process is looked up.
    pub(super) fn asked(&mut self, pid: u32) {
        self.moving.insert(pid);
    }

    /// An event that the world has seen.
    #[inline]
    pub(super) fn saw(&mut self, event: &Event<'_>) {
        if self.changing.get(usize::from(event.kind.0)).copied().unwrap_or(false) {
            self.change(event);
        }
    }

    fn change(&mut self, event: &Event<'_>) {
        match event.kind {
            kinds::PROCFORK => {
                let param = |name| event.kind.spec().params.iter().position(|p| p.name == name);
                let int = |name| param(name).and_then(|p| event.args.get(p)?.int());
                let (Some(tid), Some(pid), Some(start)) = (int("child_tid"), int("child_pid"), int("start")) else {
                    return;
                };
                let generation = self.clock.boot_of(start as u64);
                self.threads.insert(tid as u32, Known { pid: pid as u32, generation, told: None });
                self.changed.insert(tid as u32);
            }
            kinds::PROCEXIT => {
                self.changed.remove(&event.tid);
                if self.threads.remove(&event.tid).is_some_and(|known| known.told.is_some()) {
                    self.verdicts.forget(event.tid);
                }
            }
            kinds::CGROUP => {
                self.moving.remove(&event.pid);
                let of_process = self.threads.iter().filter(|(_, known)| known.pid == event.pid);
                self.changed.extend(of_process.map(|(&tid, _)| tid));
            }
            kind if tells(kind) => {
                self.written.insert(event.pid);
            }
            _ => {
                if let Some(known) = self.threads.get_mut(&event.tid) {
                    known.generation = known.generation.wrapping_add(1);
                    self.changed.insert(event.tid);
                }
            }
        }
    }

    /// Tells the probe about all threads that have changed since the last time.
    pub(super) fn tell(&mut self, world: &World) {
        let mut is_new = false;
        let written = std::mem::take(&mut self.written);
        if !written.is_empty() {
            let of_writers = self.threads.iter().filter(|(_, known)| written.contains(&known.pid));
            self.changed.extend(of_writers.map(|(&tid, _)| tid));
        }
        let has_room = self.threads.len() <= MOST;
        for tid in std::mem::take(&mut self.changed) {
            let Some(known) = self.threads.get_mut(&tid) else { continue };
            let Some(thread) = world.facts(tid) else { continue };
            let denied = !self.moving.contains(&known.pid) && !self.push.wants(world.dict(), thread);
            let verdict = (known.generation, denied);
            // Who was never denied is recorded without our saying so, but for the children of a denied parent.
            let is_needed = denied || known.told.is_some() || self.push.inherits();
            if known.told != Some(verdict) && is_needed && has_room {
                if self.verdicts.set(tid, verdict.0, denied) {
                    is_new = true;
                }
                known.told = Some(verdict);
            }
        }
        if is_new {
            self.verdicts.publish();
        }
    }
}

/// Whether an event of a kind tells us of a change: the calls that the probe counts, and what is no call.
fn changes_call(kind: crate::event::Kind) -> bool {
    matches!(kind, kinds::PROCFORK | kinds::PROCEXIT | kinds::CGROUP)
        || kind.spec().flags.has(KindFlags::CALL) && (changes_thread(kind) || tells(kind))
}
