//! Captures of other programs as reels: events → world → batches → file, with a bounded memory.

use super::assembler::{Assembler, Piece, SegmentLimits};
use super::error::Error;
use super::slim::{drop_columns, slim};
use crate::batch::codec::limits::MAX_PIPE;
use crate::batch::{Columns, DataColumn, Encoder, Schema};
use crate::event::Event;
use crate::format::scap::stream::Damage;
use crate::reel::{self, Header, Note, Reader, Totals, Writer};
use crate::source::audit;
use crate::source::scap::{self, Input, Sink, Summary};
use crate::world::{Delta, World};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Pieces that may wait between the two threads; a batch of audit events may have 30 MiB.
const QUEUE: usize = 1;
/// Events between two looks at how far it is.
const TOLD_EVERY: u64 = 1 << 16;
/// Bytes of a column of data whose buffer is used again.
const MOST_SPARE: usize = 2 << 20;
/// Batches of a segment that wait for its end.
const HELD: usize = 3;
/// Level of zstd for a capture that is so small that all of it waited.
const SMALL: i32 = 19;
/// Bytes of data in them.
const HELD_BYTES: usize = 16 << 20;
/// Damages that are told one by one.
const MAX_NOTES: usize = 10;

/// What an import came to.
#[derive(Debug, Clone)]
pub struct Imported {
    /// What was read.
    pub summary: Summary,
    /// What was written.
    pub written: Totals,
}

/// Hears how far an import is: bytes of the file read, and all it has (0: not known).
pub(super) type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Reads a capture and writes it as a reel, whose file `create` makes of its header.
///
/// # Errors
/// The capture's start is not one, or the reel cannot be written. Damage behind the start is none: see [`Summary`].
pub fn import(
    input: Input,
    create: impl FnOnce(&Header) -> Result<Writer, Error>,
    progress: Progress<'_>,
) -> Result<Imported, Error> {
    let mut reader = scap::Reader::new(input)?;
    let header = header(&reader);
    let writer = create(&header)?;
    let ((), written) = beside_a_writer(writer, |assembler, recycle| {
        read_all(&mut reader, &mut Into { assembler, recycle }, &header, progress)
    })?;
    Ok(Imported { summary: reader.summary(), written })
}

/// Reads on this thread what another encodes and writes: `read` has the assembler that hands pieces on, and where spent columns come back.
pub(super) fn beside_a_writer<T>(
    writer: Writer,
    read: impl FnOnce(Assembler<Error>, Receiver<Columns>) -> Result<T, Error>,
) -> Result<(T, Totals), Error> {
    let (pieces, from_build) = bounded(QUEUE);
    let (spare, recycle) = bounded(QUEUE);
    std::thread::scope(|threads| {
        let write = std::thread::Builder::new()
            .name("write".to_owned())
            .spawn_scoped(threads, move || write_loop(writer, &from_build, &spare));
        let write = write.map_err(|_| Error::Thread("write"))?;
        let hand_on = Box::new(move |piece| pieces.send(piece).map_err(|_| Error::Thread("write")));
        // The assembler goes with the reading, and the write thread ends when nobody hands on any more.
        let read = read(Assembler::new(SegmentLimits::default(), hand_on), recycle);
        let written = write.join().map_err(|_| Error::Thread("write"))??;
        Ok((read?, written))
    })
}

fn read_all(
    reader: &mut scap::Reader<Input>,
    into: &mut Into,
    header: &Header,
    progress: Progress<'_>,
) -> Result<(), Error> {
    let mut count = 0u64;
    while reader.step(into)? {
        count += 1;
        if count.is_multiple_of(TOLD_EVERY) {
            let (read, all) = reader.input().progress();
            progress(read, all);
        }
    }
    into.assembler.begin(header.started)?;
    for note in remarks(&reader.summary()) {
        into.assembler.note(&note)?;
    }
    into.assembler.finish(into.assembler.latest())
}

/// What whoever reads the reel should know.
fn remarks(summary: &Summary) -> Vec<String> {
    let damages = &summary.damages;
    let one = |damage: &Damage| {
        format!("import: damage at {:#x}, {} bytes passed over: {}", damage.offset, damage.skipped, damage.what)
    };
    let mut notes: Vec<String> = damages.told.iter().take(MAX_NOTES).map(one).collect();
    if damages.count > notes.len() as u64 {
        notes.push(format!(
            "import: {} places are damaged, {} bytes in all were passed over",
            damages.count, damages.skipped
        ));
    }
    if summary.counts.unknown > 0 {
        notes.push(format!(
            "import: {} events of types that this version does not know are left out",
            summary.counts.unknown
        ));
    }
    notes
}

fn header(reader: &scap::Reader<Input>) -> Header {
    let (major, minor) = reader.version();
    // Kernel, architecture, time zone, command line and filter are not in a scap.
    Header {
        host: reader.machine().host.clone(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        probe: format!("scap {major}.{minor}"),
        started: reader.first_time(),
        ..Header::default()
    }
}

/// Events into an assembler.
struct Into {
    assembler: Assembler<Error>,
    recycle: Receiver<Columns>,
}

impl Sink for Into {
    type Error = Error;

    fn world(&self) -> &World {
        self.assembler.world()
    }

    fn event(&mut self, event: &Event<'_>, num: u64) -> Result<(), Error> {
        self.assembler.numbered(event, num)?;
        if self.assembler.open_rows() == 0 {
            // Nobody can be asked: what is not in the capture stays unknown.
            self.assembler.take_wants();
            while let Ok(columns) = self.recycle.try_recv() {
                self.assembler.recycle(columns);
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Event<'_>, num: u64) -> Result<(), Error> {
        self.event(row, num)
    }

    fn state(&mut self, event: &Event<'_>) -> Result<(), Error> {
        self.assembler.apply(event);
        Ok(())
    }

    fn initial(&mut self, row: &Event<'_>) -> Result<(), Error> {
        self.assembler.initial(row);
        Ok(())
    }

    fn section(&mut self) -> Result<(), Error> {
        self.assembler.forget()
    }
}

/// Writes pieces. The first of a segment wait: if it is over by then, its schema names only the kinds that it has, which
/// is half of a small reel.
struct Out<'a> {
    writer: Writer,
    encoder: Encoder,
    schema: Schema,
    /// Number in the schema of each kind that it has; `None`: it has all, with their own numbers.
    numbers: Option<Vec<u16>>,
    held: Vec<Piece>,
    holds: bool,
    time: u64,
    spare: &'a Sender<Columns>,
}

fn write_loop(writer: Writer, pieces: &Receiver<Piece>, spare: &Sender<Columns>) -> Result<Totals, Error> {
    let (encoder, schema) = (Encoder::new(), Schema::current());
    let mut out = Out { writer, encoder, schema, numbers: None, held: Vec::new(), holds: false, time: 0, spare };
    for piece in pieces {
        out.take(piece)?;
    }
    out.release(false)?;
    out.writer.finish().map_err(failed)
}

fn failed(error: reel::Error) -> Error {
    Error::Write { path: PathBuf::from("reel"), error }
}

impl Out<'_> {
    fn take(&mut self, piece: Piece) -> Result<(), Error> {
        self.holds |= matches!(piece, Piece::Begin(_));
        if !self.holds {
            return self.write(piece);
        }
        let is_over = matches!(piece, Piece::End);
        self.held.push(piece);
        let batches = self.held.iter().filter(|piece| matches!(piece, Piece::Batch(_))).count();
        let data = |piece: &Piece| match piece {
            Piece::Batch(columns) => columns.tables.iter().flat_map(|t| &t.data).map(|d| d.bytes.len()).sum(),
            _ => 0,
        };
        let bytes: usize = self.held.iter().map(data).sum();
        if is_over || batches > HELD || bytes > HELD_BYTES { self.release(is_over) } else { Ok(()) }
    }

    /// Writes what waits. `is_all`: nothing more comes of its segment.
    fn release(&mut self, is_all: bool) -> Result<(), Error> {
        self.holds = false;
        (self.schema, self.numbers) = (Schema::current(), None);
        if is_all {
            let mut used = vec![u16::MAX; self.schema.kinds.len()];
            let tables = self
                .held
                .iter()
                .filter_map(|piece| if let Piece::Batch(columns) = piece { Some(&columns.tables) } else { None });
            for table in tables.flatten() {
                used[usize::from(table.kind)] = 0;
            }
            let kinds: Vec<usize> = (0..used.len()).filter(|&kind| used[kind] == 0).collect();
            for (number, &kind) in kinds.iter().enumerate() {
                used[kind] = number as u16;
            }
            let (slims, kept): (Vec<_>, Vec<_>) = self.schema.kinds.iter().map(slim).unzip();
            let columns = self.held.iter_mut();
            let columns =
                columns.filter_map(|piece| if let Piece::Batch(columns) = piece { Some(columns) } else { None });
            columns.for_each(|columns| drop_columns(columns, &self.schema.kinds, &kept));
            self.schema = Schema { kinds: kinds.iter().map(|&kind| slims[kind].clone()).collect() };
            self.numbers = Some(used);
            self.encoder = Encoder::with_level(SMALL);
            self.writer.take_pains();
            self.join_rows();
        }
        for piece in std::mem::take(&mut self.held) {
            self.write(piece)?;
        }
        Ok(())
    }

    /// Moves all rows of a segment that waits as a whole to the first of them: one frame has them all.
    fn join_rows(&mut self) {
        let mut all: Option<(usize, Delta)> = None;
        for (at, piece) in self.held.iter_mut().enumerate() {
            let Piece::Rows(delta) = piece else { continue };
            let delta = std::mem::take(delta);
            match &mut all {
                Some((_, before)) => before.extend(delta),
                none => *none = Some((at, delta)),
            }
        }
        if let Some((at, delta)) = all {
            self.held[at] = Piece::Rows(delta);
        }
    }

    fn write(&mut self, piece: Piece) -> Result<(), Error> {
        let writer = &mut self.writer;
        match piece {
            Piece::Begin(begun) => {
                self.time = begun;
                writer.begin_segment(&self.schema, &[])
            }
            Piece::Rows(delta) => writer.dictionary(&delta),
            Piece::Batch(mut columns) => {
                if let Some(numbers) = &self.numbers {
                    columns.tables.iter_mut().for_each(|table| table.kind = numbers[usize::from(table.kind)]);
                }
                let encoded = self.encoder.encode(&columns, &self.schema)?;
                if self.numbers.is_none() {
                    // What is large is let go at once, and not when it is taken back.
                    let data = columns.tables.iter_mut().flat_map(|table| &mut table.data);
                    data.filter(|column| column.bytes.capacity() > MOST_SPARE)
                        .for_each(|column| *column = DataColumn::default());
                    self.spare.try_send(columns).ok();
                }
                if encoded.head.snapshot { writer.snapshot(&encoded) } else { writer.batch(&encoded) }
            }
            Piece::Lost(lost) => writer.loss(&lost.into()),
            Piece::Late(facts) => writer.late(&facts),
            Piece::Note(text) => writer.note(&Note { time: self.time, text }),
            Piece::End => writer.close_segment(),
            Piece::Rotate(_) => Ok(()),
            #[cfg(feature = "linux")]
            Piece::Durable(_) => Ok(()),
        }
        .map_err(failed)
    }
}

/// Opens a reel, or a capture of another program as a temporary reel that nobody sees; what that lacks goes to `told`, and
/// `progress` hears how far it is.
///
/// # Errors
/// The file cannot be read, or is neither.
pub fn open_capture(path: &Path, told: &mut Vec<String>, progress: Progress<'_>) -> Result<Reader, reel::Error> {
    let failed = |source| reel::Error::Io { path: path.to_owned(), source };
    let input = if path == Path::new("-") {
        match standard_input().map_err(failed)? {
            Piped::Reel(mut start) => {
                std::io::stdin().take(MAX_PIPE).read_to_end(&mut start).map_err(failed)?;
                return Reader::of_bytes(Arc::new(start));
            }
            Piped::Log(log) => return open_log(path, vec![log], told, progress),
            Piped::Scap(input) => input,
        }
    } else if scap::is_scap(path) {
        scap::open(path).map_err(|error| failed(std::io::Error::other(error.to_string())))?
    } else if audit::is_log(path) {
        return open_logs(&[path.to_owned()], told, progress);
    } else {
        return Reader::open(path);
    };
    let file = temporary().map_err(failed)?;
    let copy = file.try_clone().map_err(failed)?;
    let create = |header: &Header| {
        let wrong = |error| Error::Write { path: path.to_owned(), error };
        Writer::new(BufWriter::with_capacity(1 << 20, copy), header).map_err(wrong)
    };
    let imported = import(input, create, progress);
    let imported = imported.map_err(|error| failed(std::io::Error::other(error.to_string())))?;
    if imported.summary.counts.events == 0 {
        told.push(format!("{}: no events in it", path.display()));
    }
    Reader::of_file(&file)
}

/// What standard input is.
pub enum Piped {
    /// A reel, or nothing at all; these bytes of it were read.
    Reel(Vec<u8>),
    /// An audit log, with its name.
    Log((String, Input)),
    /// What can only be a scap file.
    Scap(Input),
}

/// Looks at what comes on standard input, packed or not; nothing of it is lost.
///
/// # Errors
/// It cannot be read.
pub fn standard_input() -> std::io::Result<Piped> {
    let (mut start, mut stdin) = (Vec::new(), std::io::stdin());
    (&mut stdin).take(reel::MAGIC.len() as u64).read_to_end(&mut start)?;
    if start == reel::MAGIC || start.is_empty() {
        return Ok(Piped::Reel(start));
    }
    let mut input = Input::of_pipe(start, stdin);
    let is_log = audit::looks_like_json(&input.peek(64));
    Ok(if is_log { Piped::Log(("standard input".to_owned(), input)) } else { Piped::Scap(input) })
}

/// Opens the files of a Kubernetes audit log, in the order in which they were written, as a temporary reel; what they lack
/// goes to `told`.
///
/// # Errors
/// A file cannot be read, or the reel cannot be written.
pub fn open_logs(paths: &[PathBuf], told: &mut Vec<String>, progress: Progress<'_>) -> Result<Reader, reel::Error> {
    let first = paths.first().cloned().unwrap_or_default();
    let logs = open_all(paths).map_err(|(path, error)| {
        let source = std::io::Error::other(error.to_string());
        reel::Error::Io { path, source }
    })?;
    open_log(&first, logs, told, progress)
}

/// Opens files, packed or not, each with its name.
///
/// # Errors
/// One of them cannot be read.
pub fn open_all(paths: &[PathBuf]) -> Result<Vec<(String, Input)>, (PathBuf, scap::Error)> {
    let open = |path: &PathBuf| match scap::open(path) {
        Ok(input) => Ok((path.display().to_string(), input)),
        Err(error) => Err((path.clone(), error)),
    };
    paths.iter().map(open).collect()
}

fn open_log(
    path: &Path,
    logs: Vec<(String, Input)>,
    told: &mut Vec<String>,
    progress: Progress<'_>,
) -> Result<Reader, reel::Error> {
    let failed = |source| reel::Error::Io { path: path.to_owned(), source };
    let file = temporary().map_err(failed)?;
    let copy = file.try_clone().map_err(failed)?;
    let create = |header: &Header| {
        let wrong = |error| Error::Write { path: path.to_owned(), error };
        Writer::new(BufWriter::with_capacity(1 << 20, copy), header).map_err(wrong)
    };
    let imported = super::import_audit(vec![logs], create, progress);
    let imported = imported.map_err(|error| failed(std::io::Error::other(error.to_string())))?;
    let counts = &imported.counts;
    if counts.events == 0 && counts.faults > 0 {
        let first = counts.told.first().map(String::as_str).unwrap_or_default();
        return Err(reel::Error::NotAReel { found: format!("no audit event either: {first}"), known: false });
    }
    if counts.events == 0 {
        told.push(format!("{}: expected Kubernetes audit events, found none", path.display()));
    }
    Reader::of_file(&file)
}

/// A file without a name, in the folder for such (`TMPDIR`).
pub(super) fn temporary() -> std::io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!(".sysreel-{}-{number}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
