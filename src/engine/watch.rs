//! Watching live: the same questions as for a file, asked of batches that are at most 50 ms old.

use super::assembler::Piece;
use super::error::Error;
use super::live::{LiveRequest, LiveSummary, capture};
use super::play::Asker;
use super::replay::Replay;
use super::request::Watch;
use crate::batch::{Batch, Schema};
use crate::query::Span;
use crate::report::Report;
use crate::world::Dict;
use crossbeam_channel::bounded;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How old the batch that a live question sees may be.
const FRESH: Duration = Duration::from_millis(50);

/// What happens with what a live question says.
pub trait Screen: Send {
    /// Lines, ready to be shown.
    fn lines(&mut self, bytes: &[u8]) -> std::io::Result<()>;

    /// The reports of an interval that is over, one for each question that makes one.
    fn reports(&mut self, reports: &[Report]) -> std::io::Result<()>;
}

/// Watches until the command ends, the time is over, enough was shown or a signal asks to stop.
pub fn watch(request: &Watch, screen: &mut dyn Screen) -> Result<LiveSummary, Error> {
    let enough = AtomicBool::new(false);
    let live = LiveRequest { flush: FRESH, ..LiveRequest::of(&request.record) };
    let (pieces, from_build) = bounded(64);
    let (_, recycle) = bounded(0);
    let consume = Box::new(move |piece| pieces.send(piece).map_err(|_| Error::Thread("watch")));
    std::thread::scope(|threads| {
        let enough = &enough;
        let asking = threads.spawn(move || {
            let mut watcher = Watcher::new(request, screen);
            let result = from_build.iter().try_for_each(|piece| watcher.piece(piece, enough));
            enough.store(true, Ordering::Relaxed);
            let shown = result.and_then(|()| watcher.finish());
            // What still comes is taken and dropped, so that nobody waits for us.
            from_build.iter().for_each(drop);
            shown
        });
        let captured = capture(&live, recycle, enough, consume);
        asking.join().map_err(|_| Error::Thread("watch"))?.map_err(Error::Screen)?;
        captured
    })
}

/// Asks the questions of each batch.
struct Watcher<'a> {
    request: &'a Watch,
    screen: &'a mut dyn Screen,
    asker: Asker<'a>,
    schema: Arc<Schema>,
    dict: Arc<Dict>,
    /// The interval being counted, ns UTC.
    begun: u64,
    latest: u64,
    /// Events lost in it.
    lost: u64,
    /// The state, where a question is about it.
    replay: Option<Replay>,
}

impl<'a> Watcher<'a> {
    fn new(request: &'a Watch, screen: &'a mut dyn Screen) -> Self {
        Watcher {
            request,
            screen,
            asker: Asker::new(&request.questions, &request.options),
            schema: Arc::new(Schema::current()),
            dict: Arc::new(Dict::new()),
            begun: 0,
            latest: 0,
            lost: 0,
            replay: request.questions.iter().any(|q| q.query.of_state().is_some()).then(Replay::new),
        }
    }

    fn piece(&mut self, piece: Piece, enough: &AtomicBool) -> std::io::Result<()> {
        match piece {
            Piece::Begin(time) => {
                self.dict = Arc::new(Dict::new());
                if let Some(replay) = &mut self.replay {
                    *replay = Replay::new();
                }
                if self.begun == 0 {
                    self.begun = time;
                    self.asker.begin(time);
                }
            }
            Piece::Rows(delta) => {
                // Our own deltas follow each other without a gap, so there is nothing to report.
                Arc::make_mut(&mut self.dict).apply(&delta).ok();
            }
            Piece::Batch(columns) if columns.snapshot && self.replay.is_none() => {}
            Piece::Batch(columns) => {
                let batch = Batch::of_columns(columns, Arc::clone(&self.schema), Arc::clone(&self.dict));
                self.batch(&batch, enough)?;
            }
            Piece::Lost(lost) => self.lost += lost.count,
            Piece::End => {}
        }
        Ok(())
    }

    fn batch(&mut self, batch: &Batch, enough: &AtomicBool) -> std::io::Result<()> {
        let snapshot = batch.head().snapshot;
        if let Some(replay) = &mut self.replay {
            let fed = if snapshot { replay.seed(batch) } else { replay.feed(batch, u64::MAX) };
            fed.map_err(std::io::Error::other)?;
        }
        if snapshot {
            return Ok(());
        }
        self.latest = self.latest.max(batch.head().max_time);
        let interval = u64::try_from(self.request.interval.as_nanos()).unwrap_or(u64::MAX);
        if batch.head().min_time >= self.begun.saturating_add(interval) {
            self.report(batch.head().min_time)?;
        }
        for lines in self.asker.ask_batch(batch, true).map_err(std::io::Error::other)? {
            self.screen.lines(&lines.bytes)?;
        }
        if self.asker.is_done() {
            enough.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Shows the interval that ends at a time, and begins the next.
    fn report(&mut self, now: u64) -> std::io::Result<()> {
        let span = Span { start: self.begun, end: now };
        self.begun = now;
        let lost = std::mem::take(&mut self.lost);
        let notes = if lost > 0 { vec![format!("{lost} events were lost in this time")] } else { Vec::new() };
        if let Some(replay) = &mut self.replay {
            let state = replay.state(now);
            for batch in state.batches() {
                self.asker.ask_batch(&batch, true).map_err(std::io::Error::other)?;
            }
        }
        let reports = self.asker.reports(span, &notes);
        if reports.is_empty() { Ok(()) } else { self.screen.reports(&reports) }
    }

    fn finish(mut self) -> std::io::Result<()> {
        // A capture that could not begin says why, and has nothing to report.
        if self.begun == 0 { Ok(()) } else { self.report(self.latest.max(self.begun)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Lost, Options, Question, Record};
    use super::*;
    use crate::chisel::{Library, Style};
    use crate::field::Context;
    use std::num::NonZeroUsize;

    #[derive(Default)]
    struct Kept(Vec<Report>);

    impl Screen for Kept {
        fn lines(&mut self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }

        fn reports(&mut self, reports: &[Report]) -> std::io::Result<()> {
            self.0.extend_from_slice(reports);
            Ok(())
        }
    }

    fn request() -> Watch {
        let chisel = Library::default().find("topscalls").unwrap().prepare(&[], Style::default()).unwrap();
        let record = Record {
            path: "-".into(),
            filter: None,
            command: Vec::new(),
            snaplen: 80,
            ring: None,
            flush: None,
            limit: None,
            duration: None,
            command_line: Vec::new(),
            source: crate::engine::Source::Auto,
            tell: |_| {},
        };
        let options = Options {
            threads: NonZeroUsize::new(1),
            limit: None,
            until: None,
            ctx: Context::default(),
            span: Span::default(),
            notes: Vec::new(),
        };
        let questions = vec![Question { filter: chisel.filter, query: chisel.query }];
        Watch { questions, record, options, interval: Duration::from_secs(1) }
    }

    #[test]
    fn a_report_over_a_loss_says_so_and_the_next_does_not() {
        let (request, mut screen) = (request(), Kept::default());
        let mut watcher = Watcher::new(&request, &mut screen);
        let lost = Lost { time: 5, cpu: 0, count: 7, stage: "ring", reason: String::new() };
        let enough = AtomicBool::new(false);
        for piece in [Piece::Begin(1), Piece::Lost(lost)] {
            watcher.piece(piece, &enough).unwrap();
        }
        watcher.report(10).unwrap();
        watcher.report(20).unwrap();
        let notes: Vec<&[String]> = screen.0.iter().map(|report| report.notes.as_slice()).collect();
        assert_eq!(notes, [&["7 events were lost in this time".to_owned()][..], &[]]);
    }
}
