//! Exports: the rows of a recording as a scap file.
//!
//! A row of ours is a whole call; scap has an event where it begins and one where it returns. What is filtered out but
//! changes the state is written as an event that readers apply and do not show.

use super::order::{AHEAD, Early, Order, Places, Queue};
use super::{Batches, Damaged, Error, Reels};
use crate::batch::{Batch, Row};
use crate::event::{Kind, KindFlags, kinds};
use crate::field::Context;
use crate::filter::{Bits, Filter, Memo};
use crate::format::scap::write::{Encoder, Entry, LeftOut, MachineFacts, Seed, Seen, Target, Told, section};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What is to be exported, and how.
#[derive(Clone)]
pub struct Export {
    /// The file to write; `-` is standard output.
    pub path: PathBuf,
    /// Who is to read it.
    pub target: Target,
    /// As gzip.
    pub gzip: bool,
    /// Which events; `None`: all.
    pub filter: Option<Filter>,
    /// Stop after so many events.
    pub limit: Option<u64>,
    /// Stop at this time, ns UTC.
    pub until: Option<u64>,
    /// Facts of the capture, for the filter.
    pub ctx: Context,
}

/// What was exported.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    /// Rows that are shown, of calls both halves together.
    pub rows: u64,
    /// Events of scap that are shown.
    pub events: u64,
    /// Events of scap that only change the state.
    pub hidden: u64,
    /// Bytes before they were compressed.
    pub bytes: u64,
    /// Calls whose beginning stands behind events that came later.
    pub late: u64,
    /// What could not be written.
    pub left_out: LeftOut,
    /// Batches that could not be read.
    pub damaged: Vec<Damaged>,
}

/// Exports what one recording holds.
///
/// # Errors
/// The reels are of several recordings, or the file cannot be written.
pub fn export(reels: &Reels, request: &Export) -> Result<Exported, Error> {
    if !reels.is_one_recording() {
        return Err(Error::SeveralRecordings);
    }
    let (early, processors, damaged) = survey(reels, request);
    let mut seed = Seed::new(request.target);
    let mut facts = MachineFacts { processors, ..MachineFacts::default() };
    if let Some((_, reader)) = reels.files().next() {
        facts.host.clone_from(&reader.header().host);
        let clock = reader.segments().first().and_then(|segment| segment.clocks.first().copied());
        facts.booted = clock.map_or(0, |pair| pair.utc.saturating_sub(pair.boot));
        for batch in reader.snapshots(0).flatten() {
            seed_of(&mut seed, &batch);
        }
    }
    for (_, reader) in reels.files() {
        // names were looked up when somebody acted: all that the recording knows stand at the start
        for dict in (0..reader.segments().len()).filter_map(|segment| reader.dict(segment).ok()) {
            seed.names(&dict);
        }
    }
    let out = Out::create(&request.path, request.gzip, |path| is_read(reels, path))?;
    let mut exporter = Exporter::new(request, Order::new(AHEAD, u64::MAX), Some(early), out);
    exporter.begin(seed, &facts)?;
    for index in 0..reels.len() {
        if let Ok(batch) = reels.batch(index)
            && !exporter.batch(&batch)?
        {
            break;
        }
    }
    Ok(Exported { damaged, ..exporter.finish()? })
}

/// Whether a file is one of those that are read.
fn is_read(reels: &Reels, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| std::fs::metadata(path).ok().map(|about| (about.dev(), about.ino()));
    let own = id(path);
    own.is_some() && reels.files().any(|(read, _)| id(read) == own)
}

/// Takes the rows of a snapshot in.
pub(super) fn seed_of(seed: &mut Seed, batch: &Batch) {
    let mut env = Vec::new();
    batch.for_each_row(|row| seed.row(&row.event(&mut env))).ok();
}

/// Beginnings of calls that would come too late otherwise, the number of processors, and what could not be read.
type Surveyed = (Vec<Early>, u32, Vec<Damaged>);

/// Looks at the whole recording, for what must be known before anything is written.
fn survey(reels: &Reels, request: &Export) -> Surveyed {
    let mut chooser = Chooser::new(request);
    let (mut order, mut encoder) = (Order::new(AHEAD, u64::MAX), Encoder::new(request.target));
    let (mut early, mut damaged, mut last_cpu, mut env) = (Vec::new(), Vec::new(), 0, Vec::new());
    for index in 0..reels.len() {
        let batch = match reels.batch(index) {
            Ok(batch) => batch,
            Err(error) => {
                damaged.push(Damaged { place: reels.place(index), error });
                continue;
            }
        };
        let (chosen, kinds) = (chooser.choose(&batch), kinds_of(&batch));
        let mut each = |row: Row<'_>| {
            last_cpu = last_cpu.max(row.cpu());
            let kind = kinds[row.kind];
            let places = place(&mut order, &row, kind);
            let Some(how) = chosen.as_ref().and_then(|chosen| chosen.how(&row, kind)).filter(|_| places.is_early)
            else {
                return;
            };
            let mut bytes = Vec::new();
            if let Some((_, at)) = encode(&mut encoder, &row, how, &mut env, &mut bytes).enter {
                early.push((places.enter, bytes.get(at).unwrap_or_default().to_vec()));
            }
        };
        batch.for_each_row(&mut each).ok();
        if let Some(error) = batch.damage() {
            damaged.push(Damaged { place: reels.place(index), error: error.to_string() });
        }
        order.end_batch();
        if chooser.is_over {
            break;
        }
    }
    (early, u32::from(last_cpu) + 1, damaged)
}

/// This version's kind of each local kind of a batch.
fn kinds_of(batch: &Batch) -> Vec<Kind> {
    let kind = |k| crate::event::kind_by_name(&batch.kind_info(k).name).unwrap_or(kinds::UNKNOWN);
    (0..batch.head().kinds.len()).map(kind).collect()
}

/// The places of a row of a kind. All rows must be asked for in order, whether or not they are written.
fn place(order: &mut Order, row: &Row<'_>, kind: Kind) -> Places {
    let ended = row.time();
    let began = row.duration().map(|duration| ended.saturating_sub(duration));
    let thread = row.thread().tid;
    let is_call = row.info().flags.has(KindFlags::CALL);
    let places = order.next(is_call.then_some(thread), began, ended);
    if kind == kinds::PROCEXIT {
        order.forget(thread);
    }
    places
}

fn encode(encoder: &mut Encoder, row: &Row<'_>, how: Entry, env: &mut Vec<u8>, out: &mut Vec<u8>) -> Told {
    let event = row.event(env);
    let seen = Seen { event: &event, thread: row.thread(), desc: row.desc(), dict: row.dict() };
    encoder.encode(&seen, how, out)
}

/// Decides which rows are shown, and which only change the state.
struct Chooser {
    filter: Option<(Filter, Memo, Context)>,
    left: u64,
    until: u64,
    /// All that was asked for has been seen.
    is_over: bool,
}

/// What is to become of the rows of a batch.
struct Chosen {
    shown: Option<Bits>,
    /// Rows behind this one are not asked for.
    end: usize,
    until: u64,
}

impl Chooser {
    fn new(request: &Export) -> Chooser {
        let filter = request.filter.clone().map(|filter| (filter, Memo::default(), request.ctx));
        let (left, until) = (request.limit.unwrap_or(u64::MAX), request.until.unwrap_or(u64::MAX));
        Chooser { filter, left, until, is_over: false }
    }

    /// `None` if the batch is damaged where the filter looks.
    fn choose(&mut self, batch: &Batch) -> Option<Chosen> {
        let shown = match &mut self.filter {
            Some((filter, memo, ctx)) => Some(filter.select(memo, batch, ctx).ok()?.to_rows(batch).ok()?),
            None => None,
        };
        let rows = batch.rows();
        let matching = shown.as_ref().map_or(rows, Bits::count) as u64;
        let end = if matching < self.left {
            self.left -= matching;
            rows
        } else {
            let last = usize::try_from(self.left).unwrap_or(usize::MAX);
            (self.left, self.is_over) = (0, true);
            shown.as_ref().map_or(last, |bits| bits.iter().nth(last.saturating_sub(1)).map_or(0, |row| row + 1))
        };
        self.is_over |= batch.head().min_time >= self.until;
        Some(Chosen { shown, end, until: self.until })
    }
}

impl Chosen {
    /// How a row is written; `None`: not at all.
    fn how(&self, row: &Row<'_>, kind: Kind) -> Option<Entry> {
        if row.index >= self.end || row.time() >= self.until {
            return None;
        }
        let hidden = self.shown.as_ref().is_some_and(|shown| !shown.get(row.index));
        let changes = || kind.spec().flags.has(KindFlags::STATE);
        (!hidden || changes()).then_some(Entry { hidden })
    }
}

/// Writes batches as they come.
pub(super) struct Exporter {
    chooser: Chooser,
    encoder: Encoder,
    order: Order,
    queue: Queue,
    looked: bool,
    out: Out,
    done: Exported,
    env: Vec<u8>,
}

impl Exporter {
    /// An exporter with the beginnings that were found beforehand, if somebody looked.
    pub(super) fn new(request: &Export, order: Order, early: Option<Vec<Early>>, out: Out) -> Exporter {
        Exporter {
            chooser: Chooser::new(request),
            encoder: Encoder::new(request.target),
            order,
            looked: early.is_some(),
            queue: Queue::new(early.unwrap_or_default()),
            out,
            done: Exported::default(),
            env: Vec::new(),
        }
    }

    /// Writes what stands before the first event.
    pub(super) fn begin(&mut self, seed: Seed, machine: &MachineFacts) -> Result<(), Error> {
        let mut bytes = Vec::new();
        section(&mut bytes);
        seed.finish(machine, &mut bytes);
        self.out.write(&bytes)
    }

    /// Takes a batch in, and writes what nothing can come before any more. Says whether more is wanted.
    pub(super) fn batch(&mut self, batch: &Batch) -> Result<bool, Error> {
        let (chosen, kinds) = (self.chooser.choose(batch), kinds_of(batch));
        let mut bytes = self.queue.buffer();
        let mut rows = Vec::with_capacity(batch.rows());
        let (order, encoder, done, env) = (&mut self.order, &mut self.encoder, &mut self.done, &mut self.env);
        let each = |row: Row<'_>| {
            let kind = kinds[row.kind];
            let places = place(order, &row, kind);
            let Some(how) = chosen.as_ref().and_then(|chosen| chosen.how(&row, kind)) else { return };
            let told = encode(encoder, &row, how, env, &mut bytes);
            let events = u64::from(told.enter.is_some()) + u64::from(told.exit.is_some());
            if how.hidden {
                done.hidden += events;
            } else {
                done.events += events;
                done.rows += u64::from(events > 0);
            }
            if events > 0 {
                rows.push((places, told));
            }
        };
        batch.for_each_row(each).ok();
        self.done.late += self.queue.batch(bytes, rows, self.looked);
        let until = self.order.end_batch();
        self.write(until)?;
        Ok(!self.chooser.is_over)
    }

    fn write(&mut self, until: u64) -> Result<(), Error> {
        let out = &mut self.out;
        self.queue.write(until, |bytes| out.write(bytes))
    }

    /// Makes what was written visible to whoever reads the file.
    #[cfg(feature = "linux")]
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        self.out.flush()
    }

    /// Writes what still waits.
    pub(super) fn finish(mut self) -> Result<Exported, Error> {
        self.write(u64::MAX)?;
        let bytes = self.out.finish()?;
        Ok(Exported { bytes, left_out: self.encoder.left_out().clone(), ..self.done })
    }
}

/// Where the blocks go.
pub(super) struct Out {
    path: PathBuf,
    stream: Stream,
    bytes: u64,
}

enum Stream {
    Plain(BufWriter<Box<dyn Write + Send>>),
    Gzip(Box<GzEncoder<BufWriter<Box<dyn Write + Send>>>>),
}

impl Out {
    /// Creates the file; `is_taken` says whether it is one that must stay.
    pub(super) fn create(path: &Path, gzip: bool, is_taken: impl Fn(&Path) -> bool) -> Result<Out, Error> {
        let file: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else if is_taken(path) {
            return Err(Error::SameFile(path.to_owned()));
        } else {
            Box::new(File::create(path).map_err(|error| failed(path, error))?)
        };
        let file = BufWriter::with_capacity(1 << 18, file);
        let stream = if gzip {
            Stream::Gzip(Box::new(GzEncoder::new(file, Compression::default())))
        } else {
            Stream::Plain(file)
        };
        Ok(Out { path: path.to_owned(), stream, bytes: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        let written = match &mut self.stream {
            Stream::Plain(out) => out.write_all(bytes),
            Stream::Gzip(out) => out.write_all(bytes),
        };
        written.map_err(|error| failed(&self.path, error))
    }

    #[cfg(feature = "linux")]
    fn flush(&mut self) -> Result<(), Error> {
        let flushed = match &mut self.stream {
            Stream::Plain(out) => out.flush(),
            // a flush of gzip costs bytes, and the file is whole only at its end anyway
            Stream::Gzip(_) => Ok(()),
        };
        flushed.map_err(|error| failed(&self.path, error))
    }

    fn finish(self) -> Result<u64, Error> {
        let finished = match self.stream {
            Stream::Plain(mut out) => out.flush(),
            Stream::Gzip(out) => out.finish().and_then(|mut out| out.flush()),
        };
        finished.map_err(|error| failed(&self.path, error))?;
        Ok(self.bytes)
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    let error = crate::reel::Error::Io { path: path.to_owned(), source };
    Error::Write { path: path.to_owned(), error }
}
