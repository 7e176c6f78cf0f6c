//! Watching live: the same questions as for a file, asked of batches that are at most 50 ms old.

use super::assembler::Piece;
use super::error::Error;
use super::live::{LiveRequest, LiveSummary, capture};
use super::request::Watch;
use super::watcher::{Screen, Watcher};
use crate::batch::{Batch, Origin, Schema};
use crate::filter::Push;
use crate::sys;
use crate::world::Dict;
use crossbeam_channel::bounded;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How old the batch that a live question sees may be.
const FRESH: Duration = Duration::from_millis(50);

/// Pieces that may wait for the questions; a batch is a few MiB at most.
const WAITING: usize = 4;

/// Watches until the command ends, the time is over, enough was shown or a signal asks to stop.
pub fn watch(request: &Watch, screen: &mut dyn Screen) -> Result<LiveSummary, Error> {
    let enough = AtomicBool::new(false);
    let push = Push::of(request.questions.iter().map(|q| q.filter.as_ref())).filter(|_| request.record.push);
    let live = LiveRequest { flush: FRESH, push: push.map(Arc::new), ..LiveRequest::of(&request.record) };
    let (pieces, from_build) = bounded(WAITING);
    let (_, recycle) = bounded(0);
    let consume = Box::new(move |piece| pieces.send(piece).map_err(|_| Error::Thread("watch")));
    std::thread::scope(|threads| {
        let enough = &enough;
        let asking = threads.spawn(move || {
            let mut watcher = Pieces::new(request, screen);
            let result = from_build.iter().try_for_each(|piece| watcher.piece(piece, enough));
            enough.store(true, Ordering::Relaxed);
            let shown = result.and_then(|()| watcher.watcher.finish());
            // What still comes is taken and dropped, so that nobody waits for us.
            from_build.iter().for_each(drop);
            shown
        });
        let captured = capture(&live, recycle, enough, None, consume);
        asking.join().map_err(|_| Error::Thread("watch"))?.map_err(Error::Screen)?;
        captured
    })
}

/// Makes batches of what is recorded.
struct Pieces<'a> {
    watcher: Watcher<'a>,
    schema: Arc<Schema>,
    dict: Arc<Dict>,
    origin: Arc<Origin>,
}

impl<'a> Pieces<'a> {
    fn new(request: &'a Watch, screen: &'a mut dyn Screen) -> Self {
        Pieces {
            watcher: Watcher::new(&request.questions, &request.options, request.interval, screen),
            schema: Arc::new(Schema::current()),
            dict: Arc::new(Dict::new()),
            origin: Arc::new(Origin { host: sys::hostname(), reel: String::new() }),
        }
    }

    fn piece(&mut self, piece: Piece, enough: &AtomicBool) -> std::io::Result<()> {
        match piece {
            Piece::Begin(time) => {
                self.dict = Arc::new(Dict::after(&self.dict));
                self.watcher.begin_segment();
                if !self.watcher.has_begun() {
                    self.watcher.begin(time, None);
                }
            }
            Piece::Rows(delta) => {
                // Our own deltas follow each other without a gap, so there is nothing to report.
                Arc::make_mut(&mut self.dict).append(delta).ok();
            }
            Piece::Batch(columns) if columns.snapshot && !self.watcher.wants_state() => {}
            Piece::Batch(columns) => {
                let batch = Batch::of_columns(columns, Arc::clone(&self.schema), Arc::clone(&self.dict));
                if self.watcher.batch(&batch.with_origin(Arc::clone(&self.origin)))? {
                    enough.store(true, Ordering::Relaxed);
                }
            }
            Piece::Lost(lost) => self.watcher.lost(lost.count),
            Piece::Note(text) => self.watcher.note(text),
            // What was shown is shown; rows from now on refer to what is known, but for containers, which rows do not hold.
            Piece::Late(facts) => facts.iter().for_each(|fact| Arc::make_mut(&mut self.dict).tell_container(fact)),
            // Nothing is written, so nothing is waited for.
            Piece::Durable(durable) => durable.tell().into_iter().for_each(|remark| self.watcher.note(remark)),
            Piece::End | Piece::Rotate(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Interval, Lost, Options, Question, Record};
    use super::*;
    use crate::chisel::{Library, Style};
    use crate::field::Context;
    use crate::query::Span;
    use crate::report::Report;
    use std::num::NonZeroUsize;

    #[derive(Default)]
    struct Kept(Vec<Report>);

    impl Screen for Kept {
        fn lines(&mut self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }

        fn reports(&mut self, reports: &[Report], _: Interval) -> std::io::Result<()> {
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
            push: true,
            command_line: Vec::new(),
            rotation: super::super::Rotation::default(),
            sync: false,
            switches: false,
            source: crate::engine::Source::Auto,
            tell: |_| {},
            audit: None,
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
        let mut watcher = Pieces::new(&request, &mut screen);
        let lost = Lost { time: 5, cpu: 0, count: 7, stage: "ring", reason: String::new() };
        let enough = AtomicBool::new(false);
        for piece in [Piece::Begin(1), Piece::Lost(lost)] {
            watcher.piece(piece, &enough).unwrap();
        }
        watcher.watcher.report(10, false).unwrap();
        watcher.watcher.report(20, true).unwrap();
        let notes: Vec<&[String]> = screen.0.iter().map(|report| report.notes.as_slice()).collect();
        assert_eq!(notes, [&["7 events were lost in this time".to_owned()][..], &[]]);
    }
}
