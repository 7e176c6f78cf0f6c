//! [`Watcher`]: questions asked of batches as they come, live or from a reel that grows.

use super::carry::Tracker;
use super::joining::Joiner;
use super::play::{Asker, Options, Question};
use super::replay::Replay;
use super::state::moment;
use crate::batch::Batch;
use crate::query::Span;
use crate::report::Report;
use std::time::Duration;

/// What happens with what a live question says.
pub trait Screen: Send {
    /// Lines, ready to be shown.
    fn lines(&mut self, bytes: &[u8]) -> std::io::Result<()>;

    /// The reports of an interval that is over, one for each question that makes one.
    fn reports(&mut self, reports: &[Report], interval: Interval) -> std::io::Result<()>;

    /// Time goes by: called with each batch, so that a window of another size can be filled anew.
    fn tick(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The time that reports are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Its begin, ns UTC.
    pub start: u64,
    /// Its end, ns UTC.
    pub end: u64,
    /// Whether nothing follows: it may be shorter than the others.
    pub is_last: bool,
}

impl Interval {
    /// How long it is, ns.
    pub fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// The shortest interval, ns: a microsecond.
const SHORTEST: u64 = 1_000;

/// The most intervals without an event that are reported one by one; a longer pause is one interval.
const PAUSE: u64 = 1000;

/// Asks the questions of each batch.
pub(super) struct Watcher<'a> {
    screen: &'a mut dyn Screen,
    asker: Asker<'a>,
    interval: u64,
    /// The interval being counted, ns UTC; 0 before the first event.
    begun: u64,
    latest: u64,
    /// Events lost in it.
    lost: u64,
    /// The state, where a question is about it.
    replay: Option<Replay>,
    /// What is carried along the rows, where a question names some of it.
    tracker: Option<Tracker>,
    /// What events of another sort say, where a question names some of it.
    joiner: Option<Joiner>,
    /// Number of the segment, and whether its last batch was of its initial state.
    segment: (u64, bool),
    /// Remarks that every report makes.
    notes: Vec<String>,
    /// What is added to UTC for local time, seconds.
    tz_offset_s: i32,
}

impl<'a> Watcher<'a> {
    /// A report every `interval` of event time.
    pub(super) fn new(
        questions: &'a [Question],
        options: &'a Options,
        interval: Duration,
        screen: &'a mut dyn Screen,
    ) -> Self {
        let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(SHORTEST);
        let replay = questions.iter().any(|q| q.query.of_state().is_some()).then(Replay::new);
        let wanted = super::carrying::wanted(questions);
        let joined = super::joining::wanted(questions);
        let mut asker = Asker::new(questions, options);
        // Lines of before are shown already: what began among them stands before the others of its batch.
        asker.ctx.entries_from = Some(0);
        Watcher {
            screen,
            asker,
            interval,
            begun: 0,
            latest: 0,
            lost: 0,
            replay,
            tracker: (!wanted.is_empty()).then(|| Tracker::new(&wanted)),
            joiner: (!joined.is_empty()).then(|| Joiner::live(&joined)),
            segment: (0, false),
            notes: Vec::new(),
            tz_offset_s: options.ctx.tz_offset_s,
        }
    }

    /// Whether an event or the begin of a recording was seen.
    pub(super) fn has_begun(&self) -> bool {
        self.begun > 0
    }

    /// Whether a question is about the state, so that rows of the initial state are of use.
    #[cfg(feature = "linux")]
    pub(super) fn wants_state(&self) -> bool {
        self.replay.is_some() || self.tracker.is_some() || self.joiner.is_some()
    }

    /// Adds what is carried along the rows, if a question names some of it.
    fn track(&mut self, batch: &Batch) -> Result<(), crate::batch::Error> {
        if let Some(joiner) = &mut self.joiner {
            joiner.follow(batch)?;
        }
        let Some(tracker) = &mut self.tracker else { return Ok(()) };
        let snapshot = batch.head().snapshot;
        if snapshot && !self.segment.1 {
            self.segment.0 += 1;
        }
        self.segment.1 = snapshot;
        tracker.begins(self.segment.0);
        if snapshot {
            return tracker.seed(batch);
        }
        batch.carry(tracker.columns(batch)?);
        Ok(())
    }

    /// A segment begins: the rows of its initial state come next.
    #[cfg(feature = "linux")]
    pub(super) fn begin_segment(&mut self) {
        if let Some(replay) = &mut self.replay {
            *replay = Replay::new();
        }
    }

    /// The first event has this time, ns UTC; and nothing counts from `until` on.
    pub(super) fn begin(&mut self, time: u64, until: Option<u64>) {
        self.begun = time;
        self.asker.begin(time, until);
    }

    /// Sets what is added to UTC for local time, seconds.
    pub(super) fn zone(&mut self, tz_offset_s: i32) {
        self.tz_offset_s = tz_offset_s;
        self.asker.zone(tz_offset_s);
    }

    /// Whoever reads a report should know this.
    #[cfg(feature = "linux")]
    pub(super) fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// Events were lost.
    pub(super) fn lost(&mut self, count: u64) {
        self.lost = self.lost.saturating_add(count);
    }

    /// Asks of a batch; says whether every question has had what it wanted.
    pub(super) fn batch(&mut self, batch: &Batch) -> std::io::Result<bool> {
        let snapshot = batch.head().snapshot;
        if let Some(replay) = &mut self.replay {
            let fed = if snapshot { replay.seed(batch) } else { replay.feed(batch, u64::MAX) };
            fed.map_err(std::io::Error::other)?;
        }
        self.track(batch).map_err(std::io::Error::other)?;
        if snapshot {
            return Ok(false);
        }
        self.latest = self.latest.max(batch.head().max_time);
        self.screen.tick()?;
        self.pause(batch.head().min_time)?;
        // Rows of several intervals: each is asked about its own.
        let mut since = 0;
        while batch.head().max_time >= self.edge() && self.edge() < u64::MAX {
            let edge = self.edge();
            if batch.head().min_time < edge {
                self.ask(batch, (since, edge))?;
            }
            self.report(edge, false)?;
            since = edge;
            let times = batch.time().map_err(std::io::Error::other)?;
            self.pause(times.iter().copied().filter(|time| *time >= edge).min().unwrap_or(edge))?;
        }
        self.ask(batch, (since, u64::MAX))?;
        Ok(self.asker.is_done() || self.asker.is_past(batch))
    }

    /// End of the interval at hand, ns UTC.
    fn edge(&self) -> u64 {
        self.begun.saturating_add(self.interval)
    }

    /// Goes over a pause before an event (ns UTC) that is too long to be told interval by interval.
    fn pause(&mut self, next: u64) -> std::io::Result<()> {
        let intervals = next.saturating_sub(self.begun) / self.interval.max(1);
        if intervals > PAUSE {
            self.report(self.begun.saturating_add(intervals.saturating_mul(self.interval)), false)?;
        }
        Ok(())
    }

    /// Asks about the rows of a batch in a span of time, ns UTC.
    fn ask(&mut self, batch: &Batch, (since, until): (u64, u64)) -> std::io::Result<()> {
        self.asker.within((since, until));
        for lines in self.asker.ask_batch(batch, true).map_err(std::io::Error::other)? {
            self.screen.lines(&lines.bytes)?;
        }
        Ok(())
    }

    /// Shows the interval that ends at a time, and begins the next.
    pub(super) fn report(&mut self, now: u64, is_last: bool) -> std::io::Result<()> {
        let interval = Interval { start: self.begun, end: now, is_last };
        let span = Span { start: self.begun, end: now };
        self.begun = now;
        let lost = std::mem::take(&mut self.lost);
        let mut notes = self.notes.clone();
        if lost > 0 {
            notes.push(format!("{lost} events were lost in this time"));
        }
        let mut of_state = Vec::new();
        if let Some(replay) = &mut self.replay {
            let state = replay.state(now);
            of_state.push(format!("the state at {}", moment(now, self.tz_offset_s)));
            for batch in state.batches() {
                if let Some(joiner) = &self.joiner {
                    joiner.join(0, &batch).map_err(std::io::Error::other)?;
                }
                self.asker.ask_batch(&batch, true).map_err(std::io::Error::other)?;
            }
        }
        let reports = self.asker.reports(span, &notes, &of_state);
        if reports.is_empty() { Ok(()) } else { self.screen.reports(&reports, interval) }
    }

    /// Shows the last interval.
    pub(super) fn finish(mut self) -> std::io::Result<()> {
        // A capture that could not begin says why, and has nothing to report.
        if self.begun == 0 { Ok(()) } else { self.report(self.latest.max(self.begun), true) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Schema;
    use crate::chisel::{Library, Style};
    use crate::field::Context;
    use crate::query::made::{Dice, batch, dict};
    use crate::report::Cell;
    use std::sync::Arc;

    #[derive(Default)]
    struct Kept(Vec<(Interval, i64)>);

    impl Screen for Kept {
        fn lines(&mut self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }

        fn reports(&mut self, reports: &[Report], interval: Interval) -> std::io::Result<()> {
            let count = |row: &Vec<Cell>| if let Some(Cell::Uint(n)) = row.first() { *n as i64 } else { 0 };
            self.0.push((interval, reports[0].tables[0].rows.iter().map(count).sum()));
            Ok(())
        }
    }

    #[test]
    fn each_row_of_a_batch_is_reported_in_its_interval() {
        let chisel = Library::default().find("topscalls").unwrap().prepare(&[], Style::default()).unwrap();
        let questions = [Question { filter: None, query: chisel.query }];
        let options = Options {
            threads: None,
            limit: None,
            until: None,
            ctx: Context::default(),
            span: Span::default(),
            notes: Vec::new(),
        };
        // Rows are 10 ns apart, from 1000 ns on.
        let batch = batch(&mut Dice(3), 2_500, &Arc::new(Schema::current()), &dict());
        let mut screen = Kept::default();
        let mut watcher = Watcher::new(&questions, &options, Duration::from_micros(10), &mut screen);
        watcher.begin(1_000, None);
        watcher.batch(&batch).unwrap();
        watcher.finish().unwrap();
        let found: Vec<(u64, u64, bool, i64)> =
            screen.0.iter().map(|(i, count)| (i.start, i.end, i.is_last, *count)).collect();
        let counts = [1000, 1000, 500];
        let want = [(1_000, 11_000, false), (11_000, 21_000, false), (21_000, 25_990, true)];
        let want: Vec<_> = want.iter().zip(counts).map(|(w, count)| (w.0, w.1, w.2, count)).collect();
        assert_eq!(found, want);
    }

    #[test]
    fn a_pause_of_ages_is_one_interval() {
        let questions: [Question; 0] = [];
        let options = Options {
            threads: None,
            limit: None,
            until: None,
            ctx: Context::default(),
            span: Span::default(),
            notes: Vec::new(),
        };
        let mut screen = Kept::default();
        let mut watcher = Watcher::new(&questions, &options, Duration::from_micros(1), &mut screen);
        watcher.begin(1, None);
        watcher.pause(u64::MAX - 5).unwrap();
        assert!(watcher.begun > u64::MAX - 2_000);
    }
}
