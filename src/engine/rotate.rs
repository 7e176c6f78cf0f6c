//! [`Rotation`]: when a recording goes on in another file. [`Pace`] decides it on the build thread, where the world
//! stands at the seam; [`Gauge`] tells it what the write thread has done so far.

use super::assembler::Cost;
use crate::policy::Keep;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Bytes by which a batch may be larger than the room that is left in its file. A file exceeds `-C` by no more.
pub const OVERSHOOT: u64 = 48 << 10;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// When a recording goes on in another file, and how many of them there are; all `None`: never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// After this many bytes.
    pub size: Option<u64>,
    /// After this many seconds of event time.
    pub seconds: Option<u64>,
    /// Slices of time end where they do in UTC (at midnight), not so long after their first event, and are named by UTC.
    pub aligned: bool,
    /// After this many events.
    pub events: Option<u64>,
    /// The most files: the oldest makes room for the next.
    pub files: Option<u64>,
    /// Begin anew instead of behind the files that are there.
    pub start_over: bool,
    /// Files do not end by themselves, but nothing that is there is written over: a recording goes on in the next file.
    pub goes_on: bool,
    /// How long audit events are kept: older files of the row are pruned each time that one begins.
    pub keep: Keep,
}

impl Rotation {
    /// Whether there is more than one file.
    pub fn is_on(&self) -> bool {
        self.size.is_some() || self.seconds.is_some() || self.events.is_some() || self.goes_on
    }
}

/// What the write thread has done.
#[derive(Debug, Clone, Copy, Default)]
struct Done {
    /// Files begun.
    file: u64,
    /// Batches of the recording, those included of which nothing was kept.
    batches: u64,
    /// Events of the file that came to be written, and those of them that were kept.
    seen: u64,
    kept: u64,
    /// Bytes of the file.
    bytes: u64,
    /// The write thread has ended: nothing more will be done.
    gone: bool,
}

/// What the write thread has done, for the build thread.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    done: Mutex<Done>,
    changed: Condvar,
}

#[cfg(feature = "linux")]
impl Gauge {
    /// The next file has begun; so much is in it.
    pub(super) fn file(&self, bytes: u64) {
        self.change(|done| *done = Done { file: done.file + 1, batches: done.batches, bytes, ..Done::default() });
    }

    /// A batch was taken care of: so many of its events were seen and kept; the file has so many bytes.
    pub(super) fn batch(&self, seen: u64, kept: u64, bytes: u64) {
        self.change(|done| {
            done.batches += 1;
            done.seen += seen;
            done.kept += kept;
            done.bytes = bytes;
        });
    }

    /// Nobody waits for the write thread any more.
    pub(super) fn gone(&self) {
        self.change(|done| done.gone = true);
    }

    fn change(&self, how: impl FnOnce(&mut Done)) {
        how(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

impl Gauge {
    fn look(&self) -> Done {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many batches are done.
    fn wait(&self, batches: u64) -> Done {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |done: &mut Done| done.batches < batches && !done.gone;
        *self.changed.wait_while(done, waiting).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decides where a file ends and how large the next batch may be.
///
/// Sizes are sure, not guessed: what is on its way to the file counts with its raw size, which compression never
/// exceeds, until the write thread says what it came to.
pub struct Pace {
    rotation: Rotation,
    gauge: Arc<Gauge>,
    /// Every event is kept, so the build thread's own count is the file's.
    keeps_all: bool,
    hangup: Box<dyn Fn() -> bool + Send>,
    /// The file at hand, from 1; its batches; where its time ends, ns UTC.
    file: u64,
    file_batches: u64,
    until: u64,
    /// Batches handed on, and the raw sizes of those that are still on their way.
    handed: u64,
    way: VecDeque<u64>,
    /// Events of the file.
    events: u64,
    /// The open batch and the rows that go with it: its raw size, and what both may come to.
    open: u64,
    most_bytes: u64,
    most_rows: u64,
    over: bool,
}

impl Pace {
    /// `hangup` says whether the next file begins when the recorder is told to hang up; otherwise it ends.
    #[cfg(feature = "linux")]
    pub(super) fn new(
        rotation: Rotation,
        gauge: Arc<Gauge>,
        keeps_all: bool,
        hangup: Box<dyn Fn() -> bool + Send>,
    ) -> Pace {
        Pace {
            rotation,
            gauge,
            keeps_all,
            hangup,
            file: 0,
            file_batches: 0,
            until: u64::MAX,
            handed: 0,
            way: VecDeque::new(),
            events: 0,
            open: 0,
            most_bytes: u64::MAX,
            most_rows: u64::MAX,
            over: false,
        }
    }

    /// Whether the next file begins when the recorder is told to hang up.
    pub(super) fn hangup(&self) -> bool {
        (self.hangup)()
    }

    /// A file begins with an event of a time, ns UTC. Slices of time begin with the second of their first event.
    pub(super) fn begin(&mut self, time: u64) {
        let slice = self.rotation.seconds.map(|s| s.saturating_mul(SECOND));
        let begun = |slice: u64| time - time % if self.rotation.aligned { slice.max(1) } else { SECOND };
        self.until = slice.map_or(u64::MAX, |slice| begun(slice).saturating_add(slice));
        self.file += 1;
        (self.file_batches, self.events, self.over) = (0, 0, false);
        (self.most_rows, self.most_bytes) = (u64::MAX, u64::MAX);
        self.limit();
    }

    /// Whether the file ends before an event of a time.
    #[inline]
    pub(super) fn is_over(&self, time: u64) -> bool {
        self.over || time >= self.until
    }

    /// Counts an event in; says whether the open batch, which has so many rows, must be handed on.
    #[inline]
    pub(super) fn push(&mut self, rows: usize, cost: impl FnOnce() -> Cost) -> bool {
        if self.rotation.size.is_some() {
            self.open += cost().0;
        }
        rows as u64 >= self.most_rows || self.open >= self.most_bytes
    }

    /// Counts rows of the dictionary that are handed on.
    pub(super) fn rows(&mut self, cost: Cost) {
        self.open += cost.0;
    }

    /// A batch was handed on: events, or rows of the initial state.
    pub(super) fn handed(&mut self, rows: usize, snapshot: bool) {
        self.handed += 1;
        self.way.push_back(std::mem::take(&mut self.open));
        if !snapshot {
            self.file_batches += 1;
            self.events += rows as u64;
        }
        self.limit();
    }

    /// Sets what the next batch may come to, waiting for the write thread where that depends on it.
    fn limit(&mut self) {
        if let Some(events) = self.rotation.events {
            let kept = if self.keeps_all { self.events } else { self.kept(events) };
            self.most_rows = events.saturating_sub(kept);
            self.over |= self.most_rows == 0;
        }
        if let Some(size) = self.rotation.size {
            let mut room = size.saturating_sub(self.bytes(size));
            if self.file_batches > 0 && room < near(size) {
                self.over = true;
            }
            // A state that fills the file alone still gets a batch of events behind it.
            room = room.max(1);
            self.most_bytes = room.saturating_add(OVERSHOOT);
        }
    }

    /// The most events that can have been kept of those that were handed on: exactly, where that could be enough.
    fn kept(&self, enough: u64) -> u64 {
        let bound = |done: Done| {
            let (seen, kept) = if done.file == self.file { (done.seen, done.kept) } else { (0, 0) };
            kept + self.events.saturating_sub(seen)
        };
        let kept = bound(self.gauge.look());
        if kept < enough { kept } else { bound(self.gauge.wait(self.handed)) }
    }

    /// The most bytes that the file can come to with all that was handed on: exactly, where it could be full.
    fn bytes(&mut self, full: u64) -> u64 {
        let bytes = self.bound(self.gauge.look());
        if bytes < full.saturating_sub(near(full)) {
            return bytes;
        }
        let done = self.gauge.wait(self.handed);
        self.bound(done)
    }

    fn bound(&mut self, done: Done) -> u64 {
        let waiting = self.handed.saturating_sub(done.batches) as usize;
        while self.way.len() > waiting {
            self.way.pop_front();
        }
        let bytes = if done.file == self.file { done.bytes + closing(self.file_batches) } else { 0 };
        bytes.saturating_add(self.way.iter().sum())
    }
}

/// A file with less room than this is full: a few per cent, so that its end is not made of tiny batches.
fn near(size: u64) -> u64 {
    size / 64
}

/// Bytes of what closes a file: the segment's sums and the index.
fn closing(batches: u64) -> u64 {
    2048 + 512 * batches
}

#[cfg(all(test, feature = "linux"))]
mod tests {
    use super::*;

    fn pace(rotation: Rotation, keeps_all: bool) -> (Pace, Arc<Gauge>) {
        let gauge = Arc::new(Gauge::default());
        (Pace::new(rotation, Arc::clone(&gauge), keeps_all, Box::new(|| true)), gauge)
    }

    #[test]
    fn slices_begin_with_the_second_of_their_first_event() {
        let (mut pace, _) = pace(Rotation { seconds: Some(5), ..Rotation::default() }, true);
        pace.begin(100 * SECOND + 700);
        assert!(!pace.is_over(105 * SECOND - 1));
        assert!(pace.is_over(105 * SECOND));
        pace.begin(112 * SECOND + 5);
        assert!(!pace.is_over(117 * SECOND - 1));
        assert!(pace.is_over(117 * SECOND));
    }

    #[test]
    fn days_end_at_midnight() {
        let day = 86_400;
        let (mut pace, _) = pace(Rotation { seconds: Some(day), aligned: true, ..Rotation::default() }, true);
        pace.begin((3 * day + 5) * SECOND + 700);
        assert!(!pace.is_over(4 * day * SECOND - 1));
        assert!(pace.is_over(4 * day * SECOND));
    }

    #[test]
    fn events_are_counted_exactly() {
        let (mut pace, _) = pace(Rotation { events: Some(10), ..Rotation::default() }, true);
        pace.begin(0);
        assert!(!pace.push(9, || Cost(1)));
        assert!(pace.push(10, || Cost(1)));
        pace.handed(7, false);
        assert!(!pace.is_over(0));
        assert!(!pace.push(2, || Cost(1)));
        assert!(pace.push(3, || Cost(1)));
        pace.handed(3, false);
        assert!(pace.is_over(0));
    }

    #[test]
    fn with_a_filter_only_kept_events_count() {
        let (mut pace, gauge) = pace(Rotation { events: Some(10), ..Rotation::default() }, false);
        pace.begin(0);
        gauge.file(100);
        gauge.batch(10, 4, 200);
        pace.handed(10, false);
        assert!(!pace.is_over(0));
        assert!(!pace.push(5, || Cost(1)));
        assert!(pace.push(6, || Cost(1)));
        gauge.batch(6, 6, 300);
        pace.handed(6, false);
        assert!(pace.is_over(0));
    }

    #[test]
    fn batches_fit_into_what_is_left_of_a_file() {
        let (mut pace, gauge) = pace(Rotation { size: Some(1_000_000), ..Rotation::default() }, true);
        pace.begin(0);
        gauge.file(1_000);
        assert!(!pace.push(1, || Cost(900_000)));
        assert!(pace.push(2, || Cost(200_000)));
        // On its way it counts with its raw size, so it is waited for; it came to less.
        gauge.batch(2, 2, 700_000);
        pace.handed(2, false);
        assert!(!pace.is_over(0));
        assert!(!pace.push(1, || Cost(200_000)));
        assert!(pace.push(2, || Cost(200_000)));
        gauge.batch(2, 2, 999_000);
        pace.handed(2, false);
        assert!(pace.is_over(0));
    }
}
