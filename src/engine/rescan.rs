//! [`Rescans`]: looking at the machine again after a loss, on a thread of its own: one at a time, not all the time, and
//! one after the last loss.

use crate::event::OwnedEvent;
use crate::source::proc;
use crate::sys::{self, ClockPair};
use crossbeam_channel::{Receiver, bounded};
use std::time::{Duration, Instant};

/// From the beginning of a rescan to that of the next at least.
const APART: Duration = Duration::from_secs(1);
/// A rescan may take this part of the time: where one takes long, the next waits longer.
const SHARE: u32 = 10;

/// How the machine was.
#[derive(Debug, Default)]
pub(super) struct Rescan {
    /// When it began, ns UTC.
    pub(super) begun: u64,
    /// When it was complete, ns UTC.
    pub(super) ended: u64,
    /// What was found, as snapshot rows.
    pub(super) found: Vec<OwnedEvent>,
}

/// Rescans that are due, that run, and that wait to be taken in.
#[derive(Debug, Default)]
pub(super) struct Rescans {
    is_due: bool,
    last: Option<Instant>,
    took: Duration,
    running: Option<Receiver<Rescan>>,
    done: Option<Rescan>,
}

impl Rescans {
    /// Events were lost: what is known must be looked at again.
    pub(super) fn lost(&mut self) {
        self.is_due = true;
    }

    /// Whether one is to begin, runs, or waits to be taken in.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_due || self.running.is_some() || self.done.is_some()
    }

    /// Starts a rescan if one is due and may begin. `known`: the processes that are known to be recorded, where not the
    /// whole machine is.
    pub(super) fn start(&mut self, clock: ClockPair, known: impl FnOnce() -> Option<Vec<u32>>) {
        let wait = APART.max(self.took * SHARE);
        let is_early = self.last.is_some_and(|last| last.elapsed() < wait);
        if !self.is_due || is_early || self.running.is_some() || self.done.is_some() {
            return;
        }
        self.last = Some(Instant::now());
        let (sender, receiver) = bounded(1);
        let known = known();
        let look = move || {
            // Whoever is recorded comes first.
            sys::set_thread_nice(10).ok();
            sender.send(rescan(known.as_deref(), clock)).ok();
        };
        if std::thread::Builder::new().name("rescan".to_owned()).spawn(look).is_ok() {
            (self.running, self.is_due) = (Some(receiver), false);
        }
    }

    /// The rescan that is complete, if all events up to its end have been seen: up to `settled`, ns UTC.
    pub(super) fn take(&mut self, settled: u64) -> Option<Rescan> {
        if let Some(done) = self.running.as_ref().and_then(|running| running.try_recv().ok()) {
            self.running = None;
            self.took = self.last.map_or(Duration::ZERO, |last| last.elapsed());
            self.done = Some(done);
        }
        self.done.take_if(|done| done.ended <= settled)
    }

    /// Waits for the one that runs.
    pub(super) fn finish(&mut self) -> Option<Rescan> {
        let running = self.running.take().and_then(|running| running.recv().ok());
        running.or_else(|| self.done.take())
    }
}

/// Looks at the machine, or at some processes and what descends from them.
pub(super) fn rescan(known: Option<&[u32]>, clock: ClockPair) -> Rescan {
    let begun = clock.utc_of(sys::boot_ns());
    let snapshot = match known {
        None => proc::snapshot(proc::Scope::All, clock).unwrap_or_default(),
        Some(known) => proc::family(known, clock),
    };
    let mut found = Vec::new();
    snapshot.for_each(&mut |event| found.push(OwnedEvent::of(&event)));
    Rescan { begun, ended: clock.utc_of(sys::boot_ns()), found }
}
