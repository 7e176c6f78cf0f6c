//! [`Intake`]: audit events that come from elsewhere, a log or the API server, among what is recorded.
//!
//! They are taken in groups: those of a group leave in order of time, in batches of their own, and then whoever sent them
//! hears when the disk has them.

use super::assembler::Assembler;
use super::durable::{Durable, Waiting};
use super::error::Error;
use crate::event::{AuditPart, Event, kinds};
use crate::reel;
use crate::source::audit::{self, Answer, Body, Lines, PositionFile, Sink};
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Groups that may wait to be taken in.
pub(super) const QUEUE: usize = 4;

/// Shortest time between two waits for the disk, unless a recorder is to be less far behind.
const COMMIT: Duration = Duration::from_millis(100);

/// Events of earlier files that are remembered.
const KNOWN: u64 = 1 << 20;

/// What comes from elsewhere.
pub(super) enum Incoming {
    /// Of a log.
    Lines(Lines),
    /// From the API server.
    Body(Body),
}

/// Audit events that come from elsewhere.
pub(super) struct Intake {
    feed: Receiver<Incoming>,
    reader: audit::Reader,
    waiting: Vec<Waiting>,
    /// When events were handed on last, and how long those of a log may wait.
    committed: Instant,
    flush: Duration,
    state: Option<Arc<PositionFile>>,
    remarks: Vec<String>,
    tell: fn(&str),
    is_over: bool,
}

impl Intake {
    pub(super) fn new(
        feed: Receiver<Incoming>,
        flush: Duration,
        state: Option<Arc<PositionFile>>,
        known: &[PathBuf],
        tell: fn(&str),
    ) -> Intake {
        let mut reader = audit::Reader::live();
        know(known, &mut reader);
        let (waiting, remarks) = (Vec::new(), Vec::new());
        Intake { feed, reader, waiting, committed: Instant::now(), flush, state, remarks, tell, is_over: false }
    }

    /// Whether nothing will come any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes in what is there.
    pub(super) fn pull(&mut self) {
        while !self.reader.is_full() && !self.is_over {
            match self.feed.try_recv() {
                Ok(incoming) => self.take(incoming),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.is_over = true,
            }
        }
    }

    /// Waits so long for something, and takes in what is there then.
    pub(super) fn wait(&mut self, longest: Duration) {
        match self.feed.recv_timeout(longest) {
            Ok(incoming) => self.take(incoming),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.is_over = true,
        }
        self.pull();
    }

    fn take(&mut self, incoming: Incoming) {
        let before = self.reader.counts().clone();
        match incoming {
            Incoming::Lines(lines) => {
                self.reader.take(&lines.place, &lines.text);
                self.remarks.extend(lines.remark);
                self.waiting.push(Waiting::Log(lines.position));
            }
            Incoming::Body(mut body) => {
                let text = body.take_text();
                self.reader.take(body.place(), &text);
                drop(text);
                let now = self.reader.counts();
                let has_events = now.events + now.repeated > before.events + before.repeated;
                if now.faults > before.faults && !has_events {
                    body.answer(Answer::Refused("expected an EventList with audit events, found none".to_owned()));
                } else {
                    self.waiting.push(Waiting::Body(body));
                }
            }
        }
        self.remarks.extend(self.reader.take_told());
    }

    /// How long until what waits should be handed on; `None`: nothing waits.
    pub(super) fn due(&self) -> Option<Duration> {
        if self.reader.is_full() {
            return Some(Duration::ZERO);
        }
        if self.waiting.is_empty() && self.remarks.is_empty() {
            return None;
        }
        let asks = self.waiting.iter().any(|waiting| matches!(waiting, Waiting::Body(_)));
        let after = if asks { COMMIT.min(self.flush) } else { self.flush };
        Some(after.saturating_sub(self.committed.elapsed()))
    }

    /// Hands on what waits. `beside`: rows of another clock are recorded too.
    pub(super) fn commit(&mut self, assembler: &mut Assembler<Error>, beside: bool) -> Result<(), Error> {
        if !self.reader.is_empty() {
            // In a batch of their own, which is in order of time in itself.
            assembler.flush()?;
            self.reader.finish(&mut Into { assembler, beside })?;
            assembler.flush()?;
        }
        for remark in self.remarks.drain(..) {
            (self.tell)(&format!("warning: {remark}"));
            assembler.note(&remark)?;
        }
        self.committed = Instant::now();
        if self.waiting.is_empty() {
            return Ok(());
        }
        assembler.durable(Durable { waiting: std::mem::take(&mut self.waiting), state: self.state.clone() })
    }

    /// Takes in everything that still comes, until nobody sends any more.
    pub(super) fn finish(&mut self, assembler: &mut Assembler<Error>, beside: bool) -> Result<(), Error> {
        while !self.is_over {
            self.wait(COMMIT / 10);
            if self.due().is_some() {
                self.commit(assembler, beside)?;
            }
        }
        self.commit(assembler, beside)?;
        let counts = self.reader.counts();
        let told = [
            (counts.faults, "lines or values are no audit events and were passed over"),
            (counts.repeated, "audit events came again and count once"),
            (counts.reused, "requests have the audit id of another one"),
        ];
        for (count, what) in told.into_iter().filter(|(count, _)| *count > 0) {
            assembler.note(&format!("{count} {what}"))?;
        }
        Ok(())
    }
}

/// Events into an assembler.
struct Into<'a> {
    assembler: &'a mut Assembler<Error>,
    beside: bool,
}

impl Sink for Into<'_> {
    type Error = Error;

    fn event(&mut self, event: &Event<'_>) -> Result<(), Error> {
        if self.beside { self.assembler.aside(event) } else { self.assembler.event(event) }
    }
}

/// Remembers the last events of files, given oldest first, so that they are not taken again. What cannot be read is as if
/// it were not there: its events are kept twice rather than lost.
fn know(files: &[PathBuf], reader: &mut audit::Reader) {
    let mut left = KNOWN;
    for path in files.iter().rev() {
        let Ok(reel) = reel::Reader::open(path) else { continue };
        for segment in (0..reel.segments().len()).rev() {
            let batches: Vec<_> = reel.batches(segment).flatten().collect();
            for batch in batches.iter().rev() {
                if left == 0 {
                    return;
                }
                left = left.saturating_sub(know_batch(batch, reader).unwrap_or(0));
            }
        }
    }
}

/// The same of a batch; returns how many events these were.
fn know_batch(batch: &crate::batch::Batch, reader: &mut audit::Reader) -> Result<u64, crate::batch::Error> {
    let name = kinds::K8SAUDIT.spec().name;
    let Some(local) = (0..batch.head().kinds.len()).find(|&local| batch.kind_info(local).name == name) else {
        return Ok(0);
    };
    let params = &batch.kind_info(local).params;
    let place = |part: AuditPart| params.iter().position(|param| param.name == part.name());
    let parts = [AuditPart::Id, AuditPart::Stage, AuditPart::Uri].map(place);
    let (times, durations) = (batch.time()?, batch.duration(local)?);
    let mut count = 0;
    batch.for_each_row(|row| {
        if row.kind != local {
            return;
        }
        let args = parts.map(|place| place.map_or(crate::event::Arg::Missing, |place| row.arg(place)));
        let [id, stage, uri] = args.each_ref().map(|arg| arg.bytes().unwrap_or_default());
        let time = times.get(row.index).copied().unwrap_or(0);
        let duration = durations.get(row.position).copied().unwrap_or(0).saturating_sub(1);
        reader.know(id, stage, time - duration.min(time), uri);
        count += 1;
    })?;
    Ok(count)
}
