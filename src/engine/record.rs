//! Recording into a reel: pieces → encode thread (filter, zstd) → write thread.

use super::assembler::Piece;
use super::error::Error;
use super::live::{LiveRequest, LiveSummary, capture, spawn};
use super::request::Record;
use super::sieve::Sieve;
use super::traced::Chosen;
use crate::batch::{Columns, Encoded, Encoder, Schema};
use crate::reel::{ClockPair, Header, Loss, Note, Totals, Writer};
use crate::sys;
use crate::world::Delta;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Pieces that may wait between two threads. A batch is a few MiB at most, so this bounds the recorder's memory.
const QUEUE: usize = 3;

/// What a recording holds.
#[derive(Debug, Clone)]
pub struct RecordSummary {
    /// What the capture did.
    pub live: LiveSummary,
    /// What the reel holds.
    pub totals: Totals,
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
    Lost(Loss),
    End,
}

/// Records until the command ends, the time is over or a signal asks to stop.
pub fn record(request: &Record) -> Result<RecordSummary, Error> {
    let (live, path) = (LiveRequest::of(request), request.path.clone());
    let header = header(request);
    let failed = |error| Error::Write { path: path.clone(), error };
    let is_new = claim(&path).map_err(failed)?;
    let sieve =
        request.filter.as_ref().map(|(filter, _)| Sieve::new(filter.clone(), header.started, header.tz_offset_s));
    let (pieces, from_build) = bounded(QUEUE);
    let (frames, from_encode) = bounded(QUEUE);
    let (spare, recycle) = bounded(QUEUE);
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let quota = Quota { left: request.limit.unwrap_or(u64::MAX), enough: &stop };
        let encoder = spawn(threads, "encode", move || encode_loop(sieve, quota, &from_build, &frames, &spare))?;
        let (file, about, chosen) = (&path, &header, &*live.chosen);
        // The receiver must go with the thread, or nobody would hear that it ended.
        let write = spawn(threads, "write", move || write_loop(file, about, chosen, &from_encode))?;
        let consume = Box::new(move |piece| pieces.send(piece).map_err(|_| Error::Thread("encode")));
        let captured = capture(&live, recycle, &stop, consume);
        let encoded = encoder.join().map_err(|_| Error::Thread("encode"))?;
        // What stopped the writer stopped the others too, so it is the error to tell.
        let (totals, write_cpu) = write.join().map_err(|_| Error::Thread("write"))?.map_err(failed)?;
        let (kept, encode_cpu) = encoded?;
        let begun = totals.frames > 0 && !matches!(captured, Err(Error::Command(_)));
        if captured.is_err() && is_new && !begun {
            // A file with nothing in it would only puzzle whoever finds it.
            std::fs::remove_file(&path).ok();
        }
        Ok(RecordSummary { live: captured?, totals, kept, cpu: [encode_cpu, write_cpu] })
    })
}

/// Finds out whether the file can be written, without touching what an older recording of the name holds: that one goes
/// when there is something to put in its place. Returns whether the file is new.
fn claim(path: &Path) -> Result<bool, crate::reel::Error> {
    let found = std::fs::metadata(path);
    // Pipes and devices hold nothing, and are not opened twice.
    if path == Path::new("-") || found.as_ref().is_ok_and(|about| !about.is_file() && !about.is_dir()) {
        return Ok(false);
    }
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.map(|_| found.is_err()).map_err(|source| crate::reel::Error::Io { path: path.to_owned(), source })
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
        operator: crate::source::proc::users().get(&sys::user_id()).cloned().unwrap_or_default(),
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
        let frame = match piece {
            Piece::Begin(_) => {
                if let Some(sieve) = &mut sieve {
                    sieve.begin();
                }
                Frame::Begin
            }
            Piece::Rows(delta) => {
                if let Some(sieve) = &mut sieve {
                    sieve.rows(&delta);
                }
                Frame::Rows(delta)
            }
            Piece::Batch(mut columns) => {
                if let (Some(sieve), false) = (&mut sieve, columns.snapshot) {
                    columns = sieve.keep(columns, kept + 1)?;
                }
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
            Piece::End => Frame::End,
        };
        if frames.send(frame).is_err() {
            break;
        }
    }
    Ok((kept, sys::thread_cpu_ns()))
}

fn write_loop(
    path: &Path,
    header: &Header,
    chosen: &OnceLock<Chosen>,
    frames: &Receiver<Frame>,
) -> Result<(Totals, u64), crate::reel::Error> {
    let schema = Schema::current();
    let (mut created, mut note) = (None, None);
    for frame in frames {
        if created.is_none() {
            // Known by now: it is what made the first frame.
            let chosen = chosen.get().cloned().unwrap_or_default();
            note = chosen.note;
            created = Some(Writer::create(path, &Header { probe: chosen.probe.to_owned(), ..header.clone() })?);
        }
        let Some(writer) = &mut created else { break };
        match frame {
            Frame::Begin => {
                let now = sys::clock_pair();
                writer.begin_segment(&schema, &[ClockPair { boot: now.boot, utc: now.utc }])?;
                if let Some(text) = note.take() {
                    writer.note(&Note { time: now.utc, text })?;
                }
            }
            Frame::Rows(delta) => writer.dictionary(&delta)?,
            Frame::Batch(encoded) if encoded.head.snapshot => writer.snapshot(&encoded)?,
            Frame::Batch(encoded) => writer.batch(&encoded)?,
            Frame::Lost(loss) => writer.loss(&loss)?,
            Frame::End => writer.close_segment()?,
        }
    }
    let totals = created.map(Writer::finish).transpose()?.unwrap_or_default();
    Ok((totals, sys::thread_cpu_ns()))
}
