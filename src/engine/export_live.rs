//! Recording into a scap file: what is exported is what happens now.

use super::assembler::Piece;
use super::error::Error;
use super::export::{Export, Exported, Exporter, Out, seed_of};
use super::live::{LiveRequest, LiveSummary, capture, spawn};
use super::order::{AHEAD, Order};
use super::request::Record;
use crate::batch::{Batch, Schema};
use crate::format::scap::write::{MachineFacts, Seed};
use crate::source::proc;
use crate::sys;
use crate::world::Dict;
use crossbeam_channel::bounded;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How long events wait for calls that began before them, ns: what lasts longer begins late in the file.
const PATIENCE: u64 = 10_000_000_000;

/// Records into a scap file until the command ends, the time is over, enough was written or a signal asks to stop.
///
/// # Errors
/// As those of a recording into a reel.
pub fn record_scap(request: &Record, export: &Export) -> Result<(LiveSummary, Exported), Error> {
    let enough = AtomicBool::new(false);
    let live = LiveRequest::of(request);
    let out = Out::create(&export.path, export.gzip, |_| false)?;
    let (pieces, from_build) = bounded(1);
    let (_, recycle) = bounded(0);
    let consume = Box::new(move |piece| pieces.send(piece).map_err(|_| Error::Thread("export")));
    std::thread::scope(|threads| {
        let stop = &enough;
        let exporting = spawn(threads, "export", move || {
            let mut writer = Pieces::new(export, out);
            let result = from_build.iter().try_for_each(|piece| writer.piece(piece, stop));
            stop.store(true, Ordering::Relaxed);
            let done = result.and_then(|()| writer.finish());
            // What still comes is taken and dropped, so that nobody waits for us.
            from_build.iter().for_each(drop);
            done
        })?;
        let captured = capture(&live, recycle, &enough, None, consume);
        let exported = exporting.join().map_err(|_| Error::Thread("export"))?;
        if matches!(captured, Err(Error::Command(_) | Error::Probe(_) | Error::WholeMachine(_))) {
            // A file with nothing in it would only puzzle whoever finds it.
            std::fs::remove_file(&export.path).ok();
        }
        let captured = captured?;
        Ok((captured, exported?))
    })
}

/// Makes batches of what is recorded.
struct Pieces {
    exporter: Exporter,
    schema: Arc<Schema>,
    dict: Arc<Dict>,
    /// The state at the start, until the first event.
    seed: Option<Seed>,
    booted: u64,
}

impl Pieces {
    fn new(export: &Export, out: Out) -> Pieces {
        let clock = sys::clock_pair();
        Pieces {
            exporter: Exporter::new(export, Order::new(AHEAD, PATIENCE), None, out),
            schema: Arc::new(Schema::current()),
            dict: Arc::new(Dict::new()),
            seed: Some(Seed::new(export.target)),
            booted: clock.utc.saturating_sub(clock.boot),
        }
    }

    fn piece(&mut self, piece: Piece, enough: &AtomicBool) -> Result<(), Error> {
        match piece {
            Piece::Begin(_) => self.dict = Arc::new(Dict::new()),
            Piece::Rows(delta) => {
                // Our own deltas follow each other without a gap, so there is nothing to report.
                Arc::make_mut(&mut self.dict).apply(&delta).ok();
            }
            Piece::Batch(columns) => {
                let snapshot = columns.snapshot;
                let batch = Batch::of_columns(columns, Arc::clone(&self.schema), Arc::clone(&self.dict));
                if snapshot {
                    // Those of later segments say again what the events did.
                    if let Some(seed) = &mut self.seed {
                        seed_of(seed, &batch);
                    }
                } else {
                    self.begin()?;
                    if !self.exporter.batch(&batch)? {
                        enough.store(true, Ordering::Relaxed);
                    }
                    self.exporter.flush()?;
                }
            }
            // Losses are rows, too; scap has no place for remarks.
            Piece::Lost(_) | Piece::Note(_) | Piece::Late(_) | Piece::End | Piece::Rotate(_) | Piece::Durable(_) => {}
        }
        Ok(())
    }

    /// Writes what stands before the first event, once.
    fn begin(&mut self) -> Result<(), Error> {
        let Some(mut seed) = self.seed.take() else { return Ok(()) };
        // readers look names up here only, and it is not known yet who will act
        for (is_group, accounts) in [(false, proc::users()), (true, proc::groups())] {
            for (id, account) in accounts {
                seed.name(is_group, id, account.name.as_bytes());
            }
        }
        let facts = MachineFacts {
            processors: sys::processors() as u32,
            host: sys::hostname(),
            booted: self.booted,
            ..MachineFacts::default()
        };
        self.exporter.begin(seed, &facts)
    }

    fn finish(mut self) -> Result<Exported, Error> {
        self.begin()?;
        self.exporter.finish()
    }
}
