//! Recording into reels: pieces → encode thread (filter, zstd) → write thread.

use super::assembler::Piece;
use super::error::Error;
use super::live::{LiveRequest, LiveSummary, capture, spawn};
use super::request::Record;
use super::ring::Ring;
use super::rotate::{Gauge, Pace};
use super::sieve::Sieve;
use super::spool::{Spool, Tell, Written};
use super::traced::Chosen;
use crate::batch::{Columns, Encoded, Encoder, Origin, Schema};
use crate::filter::Push;
use crate::reel::{ClockPair, Header, Loss, Note, is_recorded, part_of};
use crate::sys;
use crate::world::{Delta, LateFact};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Pieces that may wait between two threads: none, so that there is one batch that is built, one that is encoded and one
/// that is written. What else there is waits as records, in the rings and behind them.
const QUEUE: usize = 0;

/// What a recording holds.
#[derive(Debug, Clone)]
pub struct RecordSummary {
    /// What the capture did.
    pub live: LiveSummary,
    /// What was written.
    pub written: Written,
    /// Events kept.
    pub kept: u64,
    /// Processor time of the encode thread and of the write thread, nanoseconds.
    pub cpu: [u64; 2],
}

/// What the encode thread hands to the write thread.
enum Frame {
    Begin,
    Rows(Delta),
    Batch(Encoded),
    /// All frames of a batch that was handed on have been told: so many of its events were seen, and kept.
    Taken {
        seen: u64,
        kept: u64,
    },
    Lost(Loss),
    Late(Vec<LateFact>),
    Note(String),
    Durable(super::Durable),
    End,
    Rotate(u64),
}

/// Records until the command ends, the time is over or a signal asks to stop. `tell` hears what happens meanwhile.
pub fn record(request: &Record, tell: Tell<'_>) -> Result<RecordSummary, Error> {
    let push = Push::of([request.filter.as_ref().map(|(filter, _)| filter)]).filter(|_| request.push).map(Arc::new);
    let (live, path) = (LiveRequest { push, ..LiveRequest::of(request) }, request.path.clone());
    let header = header(request);
    let ring = Ring::open(&path, &request.rotation, header.started)?;
    let live = LiveRequest { known: ring.files(), ..live };
    let first = ring.name(header.started);
    if request.rotation.goes_on && first != path {
        tell(&format!("note: {} is there: going on in {}", path.display(), first.display()));
    }
    let is_new = claim(&first)?;
    let origin = Origin { host: header.host.clone(), reel: path.display().to_string() };
    let sieve = request
        .filter
        .as_ref()
        .map(|(filter, _)| Sieve::new(filter.clone(), header.started, header.tz_offset_s, origin));
    let (pieces, from_build) = bounded(QUEUE);
    let (frames, from_encode) = bounded(QUEUE);
    let (spare, recycle) = bounded(1);
    let stop = AtomicBool::new(false);
    let gauge = Arc::new(Gauge::default());
    let pace = pace(request, &gauge);
    std::thread::scope(|threads| {
        let quota = Quota { left: request.limit.unwrap_or(u64::MAX), enough: &stop };
        let encoder = spawn(threads, "encode", move || encode_loop(sieve, quota, &from_build, &frames, &spare))?;
        let spool = Spool::new(header, ring, &live.place, request.rotation.is_on(), &gauge, &stop, tell);
        let (gauge, chosen) = (&gauge, &*live.chosen);
        let audited = request.audit.as_ref().is_some_and(|audit| !audit.is_alone);
        // The receiver must go with the thread, or nobody would hear that it ended.
        let write = spawn(threads, "write", move || {
            let done = write_loop(spool, request.sync, &from_encode, gauge, chosen, audited);
            gauge.gone();
            done
        })?;
        let consume = Box::new(move |piece| pieces.send(piece).map_err(|_| Error::Thread("encode")));
        let captured = capture(&live, recycle, &stop, pace, consume);
        let encoded = encoder.join().map_err(|_| Error::Thread("encode"))?;
        // What stopped the writer stopped the others too, so it is the error to tell.
        let (written, write_cpu) = write.join().map_err(|_| Error::Thread("write"))??;
        let (kept, encode_cpu) = encoded?;
        live.place.abandon();
        let begun = written.frames > 0 && !matches!(captured, Err(Error::Command(_)));
        if captured.is_err() && is_new && !begun {
            // A file with nothing in it would only puzzle whoever finds it.
            std::fs::remove_file(&first).ok();
        }
        Ok(RecordSummary { live: captured?, written, kept, cpu: [encode_cpu, write_cpu] })
    })
}

/// When files end; `None` for what is no file, such as a pipe.
fn pace(request: &Record, gauge: &Arc<Gauge>) -> Option<Pace> {
    let (path, rotates) = (request.path.clone(), request.rotation.is_on());
    if is_stream(&path) {
        return None;
    }
    // A lone file that was moved away (logrotate) has a successor; otherwise a hang-up ends the recording.
    let hangup = move || rotates || std::fs::metadata(&path).map_or(true, |about| about.len() == 0);
    // A limit on events may cut batches behind us, and a filter leaves events out.
    let keeps_all = request.filter.is_none();
    Some(Pace::new(request.rotation.clone(), Arc::clone(gauge), keeps_all, Box::new(hangup)))
}

/// Whether a path is standard output, a pipe or a device: such hold nothing, and are not opened twice.
pub(super) fn is_stream(path: &Path) -> bool {
    path == Path::new("-") || std::fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}

/// Finds out whether the file can be written, without touching what an older recording of the name holds: that one goes
/// when there is something to put in its place. Returns whether the file is new.
fn claim(path: &Path) -> Result<bool, Error> {
    if is_stream(path) {
        return Ok(false);
    }
    if is_recorded(path) || is_recorded(&part_of(path)) {
        return Err(Error::Busy(path.to_owned()));
    }
    let is_new = std::fs::metadata(path).is_err();
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path);
    let failed = |source| crate::reel::Error::Io { path: path.to_owned(), source };
    opened.map_err(|source| Error::Write { path: path.to_owned(), error: failed(source) })?;
    if is_new {
        // A recorder that is killed before it has something to write leaves no file, rather than an empty one.
        std::fs::remove_file(path).ok();
    }
    Ok(is_new)
}

fn header(request: &Record) -> Header {
    let started = sys::realtime_ns();
    Header {
        host: sys::hostname(),
        boot_id: sys::boot_id(),
        kernel: sys::kernel_release(),
        arch: sys::machine(),
        tz_offset_s: sys::local_offset(started).unwrap_or(0),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        command_line: request.command_line.clone(),
        filter: request.filter.as_ref().map(|(_, text)| text.clone()),
        snaplen: request.snaplen,
        operator: crate::source::proc::users().remove(&sys::user_id()).map(|user| user.name).unwrap_or_default(),
        started,
        scope: request.command.join(" "),
        ..Header::default()
    }
}

/// How many events are still wanted (`-n`).
struct Quota<'a> {
    left: u64,
    enough: &'a AtomicBool,
}

impl Quota<'_> {
    /// Cuts a batch to what is wanted, and says when that was the last.
    fn cut(&mut self, columns: &mut Columns) {
        let rows = columns.rows() as u64;
        if rows > self.left {
            let keep: Vec<bool> = (0..rows).map(|row| row < self.left).collect();
            columns.retain(&keep);
        }
        self.left = self.left.saturating_sub(rows);
        if self.left == 0 {
            self.enough.store(true, Ordering::Relaxed);
        }
    }
}

fn encode_loop(
    mut sieve: Option<Sieve>,
    mut quota: Quota<'_>,
    pieces: &Receiver<Piece>,
    frames: &Sender<Frame>,
    spare: &Sender<Columns>,
) -> Result<(u64, u64), Error> {
    let schema = Schema::current();
    let mut encoder = Encoder::new();
    let mut kept = 0;
    for piece in pieces {
        if quota.left == 0 && matches!(piece, Piece::Rotate(_) | Piece::Begin(_) | Piece::Rows(_)) {
            // What follows the last event that is wanted would only make empty files.
            continue;
        }
        let taken = match &piece {
            Piece::Batch(columns) if columns.snapshot => Some(0),
            Piece::Batch(columns) => Some(columns.rows() as u64),
            _ => None,
        };
        let kept_before = kept;
        let (whole, passed) = match &mut sieve {
            Some(sieve) => (None, sieve.pass(piece)?),
            None => (Some(piece), Vec::new()),
        };
        for piece in whole.into_iter().chain(passed) {
            let frame = match piece {
                Piece::Begin(_) => Frame::Begin,
                Piece::Rows(delta) => Frame::Rows(delta),
                Piece::Batch(mut columns) => {
                    if !columns.snapshot {
                        quota.cut(&mut columns);
                        kept += columns.rows() as u64;
                    }
                    if columns.rows() == 0 {
                        continue;
                    }
                    let encoded = encoder.encode(&columns, &schema)?;
                    spare.try_send(columns).ok();
                    Frame::Batch(encoded)
                }
                Piece::Lost(lost) => Frame::Lost(lost.into()),
                Piece::Late(facts) => Frame::Late(facts),
                Piece::Note(text) => Frame::Note(text),
                Piece::Durable(durable) => Frame::Durable(durable),
                Piece::End => Frame::End,
                Piece::Rotate(time) => Frame::Rotate(time),
            };
            if frames.send(frame).is_err() {
                return Ok((kept, sys::thread_cpu_ns()));
            }
        }
        // However little was kept of it, the batch is no longer on its way.
        let done = taken.map(|seen| Frame::Taken { seen, kept: kept - kept_before });
        if done.is_some_and(|done| frames.send(done).is_err()) {
            break;
        }
    }
    Ok((kept, sys::thread_cpu_ns()))
}

fn write_loop(
    mut spool: Spool<'_>,
    sync: bool,
    frames: &Receiver<Frame>,
    gauge: &Gauge,
    chosen: &OnceLock<Chosen>,
    audited: bool,
) -> Result<(Written, u64), Error> {
    let schema = Schema::current();
    let mut remark = None;
    for (number, frame) in frames.iter().enumerate() {
        if number == 0 {
            // Known by now: it is what made the first frame.
            let chosen = chosen.get().cloned().unwrap_or_default();
            spool.seen_by(&if audited { format!("{}, audit", chosen.probe) } else { chosen.probe.to_owned() });
            remark = chosen.note;
        }
        match frame {
            Frame::Begin => {
                let now = sys::clock_pair();
                let clocks = [ClockPair { boot: now.boot, utc: now.utc }];
                spool.write(|writer| writer.begin_segment(&schema, &clocks))?;
                if let Some(text) = remark.take() {
                    let note = Note { time: now.utc, text };
                    spool.write(|writer| writer.note(&note))?;
                }
            }
            Frame::Rows(delta) => spool.write(|writer| writer.dictionary(&delta))?,
            Frame::Batch(encoded) => {
                spool.write(
                    |writer| {
                        if encoded.head.snapshot { writer.snapshot(&encoded) } else { writer.batch(&encoded) }
                    },
                )?;
                if sync {
                    spool.write(crate::reel::Writer::sync)?;
                }
            }
            Frame::Taken { seen, kept } => gauge.batch(seen, kept, spool.bytes()),
            Frame::Lost(loss) => spool.write(|writer| writer.loss(&loss))?,
            Frame::Late(facts) => spool.write(|writer| writer.late(&facts))?,
            Frame::Note(text) => {
                let note = Note { time: sys::realtime_ns(), text };
                spool.write(|writer| writer.note(&note))?;
            }
            Frame::Durable(durable) => {
                spool.write(crate::reel::Writer::sync)?;
                if let Some(remark) = durable.tell() {
                    spool.say(&remark);
                }
            }
            Frame::End => spool.write(crate::reel::Writer::close_segment)?,
            Frame::Rotate(time) => spool.rotate(time)?,
        }
    }
    Ok((spool.finish()?, sys::thread_cpu_ns()))
}
