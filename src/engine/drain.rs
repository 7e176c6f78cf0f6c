//! The drain thread: rings → blocks for the build thread, with naps between.

use super::assembler::Lost;
use super::live::{Feed, MOMENT, Shared};
use crate::source::ebpf::{Block, Drain};
use crate::sys::{self, WakeOn};
use crossbeam_channel::{Receiver, Sender};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Copies records out of the rings until the end, and counts what was dropped. Returns the thread's processor time, ns.
pub(super) fn drain_loop(
    mut drain: Drain,
    shared: &Shared,
    flush: Duration,
    to_build: &Sender<Feed>,
    spare: &Receiver<Block>,
) -> u64 {
    // Being late here loses events; being nicer to others would not help them.
    sys::set_thread_nice(-10).ok();
    let mut seen = vec![0; drain.processors()];
    let mut naps = Naps::new(flush);
    let send = |feed| {
        let is_sent = to_build.send(feed).is_ok();
        shared.wake();
        is_sent
    };
    let mut block = Block::default();
    loop {
        let stopping = shared.stop.load(Ordering::Acquire);
        let round = if stopping { drain.finish(&mut block) } else { drain.round(&mut block) };
        // Before the block: whatever came behind a gap is counted by now, so no row stands behind a gap that is not told.
        let lost = count_drops(&drain, shared, &mut seen);
        if lost.into_iter().any(|lost| !send(Feed::Lost(lost))) {
            break;
        }
        if !block.is_empty() {
            let mut next = spare.try_recv().unwrap_or_default();
            next.clear();
            if !send(Feed::Block(std::mem::replace(&mut block, next))) {
                break;
            }
        }
        if round.more {
            continue;
        }
        shared.drained.store(shared.clock.pair().utc_of(drain.watermark()), Ordering::Release);
        if stopping {
            break;
        }
        naps.sleep(&mut drain, round.bytes);
    }
    sys::thread_cpu_ns()
}

/// How long the drain thread sleeps between rounds. Each costs some microseconds and cold caches, however little there
/// is: as few of them as the freshness of what is shown allows. The probe wakes it when a ring fills up.
struct Naps {
    longest: Duration,
    /// Rounds in a row that brought little.
    quiet: u32,
    /// The probe woke it before the last round.
    rang: bool,
}

impl Naps {
    /// What was recorded is to be handed on once in `flush`.
    fn new(flush: Duration) -> Naps {
        Naps { longest: (flush / 2).clamp(Duration::from_micros(100), LONGEST), quiet: 0, rang: false }
    }

    /// Sleeps after a round that brought so many bytes.
    fn sleep(&mut self, drain: &mut Drain, bytes: usize) {
        self.quiet = if bytes < LITTLE { self.quiet.saturating_add(1) } else { 0 };
        if std::mem::take(&mut self.rang) && bytes < MUCH {
            // What rang is handed on by the second round.
            return std::thread::sleep(self.longest.min(MOMENT));
        }
        if self.quiet <= QUIET_ROUNDS {
            self.rang = drain.sleep(self.longest, WakeOn::Filling);
        } else if drain.sleep(self.longest, WakeOn::Programs) {
            (self.rang, self.quiet) = (true, 0);
            std::thread::sleep(self.longest.min(MOMENT));
        }
    }
}

/// The longest nap: so much later than its flush a recording is on the disk.
const LONGEST: Duration = Duration::from_millis(500);

/// Bytes of records of a round after which rings were what rang.
const MUCH: usize = 1 << 20;

/// Bytes of records of a round that is called quiet.
const LITTLE: usize = 16 << 10;

/// Quiet rounds before the thread sleeps longer.
const QUIET_ROUNDS: u32 = 8;

fn count_drops(drain: &Drain, shared: &Shared, seen: &mut [u64]) -> Vec<Lost> {
    let mut lost = Vec::new();
    for (cpu, seen) in seen.iter_mut().enumerate() {
        let counters = drain.counters(cpu);
        let now = counters.drops + counters.nested;
        if now > *seen {
            shared.dropped.fetch_add(now - *seen, Ordering::Relaxed);
            lost.push(Lost {
                time: shared.clock.now(),
                cpu: cpu as u16,
                count: now - *seen,
                stage: "ring",
                reason: "the ring was full: events came faster than they were taken out".to_owned(),
            });
            *seen = now;
        }
    }
    lost
}
