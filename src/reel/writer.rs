//! [`Writer`]: appends whole frames to a file or a pipe.

use super::body::{self, ClockPair, Close, Header, Loss, Note, SegmentStart};
use super::dictionary;
use super::error::Error;
use super::frame::{FrameHeader, FrameKind, HEADER_BYTES, VERSION};
use super::index::Gather;
use super::parts::Aside;
use crate::batch::codec::limits::MAX_BODY;
use crate::batch::{Encoded, Schema};
use crate::world::{Delta, LateFact};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Frames of a small reel that stand in it without an Index.
const FEW: usize = 16;

/// What a finished reel holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Frames.
    pub frames: u32,
    /// Bytes.
    pub bytes: u64,
    /// Hash of the last frame; the chain makes it stand for the whole reel.
    pub hash: [u8; 32],
}

/// What stands behind the name of a reel that has no header yet.
pub const PART: &str = ".part";

/// The name that a reel has until it takes its place.
pub fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(PART);
    part.into()
}

/// Tells readers that the reel is being written, where the file system has locks.
fn lock(file: &File) {
    let _ = crate::sys::lock_for_writing(file);
}

enum Target {
    File(File),
    Stream(Box<dyn Write + Send>),
}

/// Writes a reel, one write call per frame. Dropping it without [`Writer::finish`] leaves what a killed recorder
/// leaves: a reel whose last segment is open.
pub struct Writer {
    path: PathBuf,
    target: Target,
    buffer: Vec<u8>,
    totals: Totals,
    reel: [u8; 8],
    segment: u32,
    schema: u16,
    snaplen: u32,
    open: Option<Close>,
    /// Place of the segment's next text apart.
    next_apart: u32,
    gather: Gather,
    level: i32,
}

impl Writer {
    /// A reel in a new file (an old one of the name is replaced), or on standard output for `-`.
    pub fn create(path: &Path, header: &Header) -> Result<Writer, Error> {
        if path == Path::new("-") {
            return Writer::start(path.to_owned(), Target::Stream(Box::new(io::stdout())), header);
        }
        let file = File::create(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        lock(&file);
        Writer::start(path.to_owned(), Target::File(file), header)
    }

    /// A reel in a new file beside the one of its name ([`part_of`]), which it is to replace once it is worth it.
    pub fn beside(path: &Path, header: &Header) -> Result<Writer, Error> {
        let part = part_of(path);
        // What a killed recorder left here: a recording that never began.
        let _ = std::fs::remove_file(&part);
        let file = File::create_new(&part).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        lock(&file);
        let begun = Writer::start(path.to_owned(), Target::File(file), header);
        if begun.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        begun
    }

    /// A reel in a new file that takes the place of an old one of the name in one step: whoever reads the old one keeps
    /// it, and nobody finds a file without a header.
    pub fn replace(path: &Path, header: &Header) -> Result<Writer, Error> {
        let failed = |source| Error::Io { path: path.to_owned(), source };
        let part = part_of(path);
        let renamed = Writer::beside(path, header)
            .and_then(|writer| std::fs::rename(&part, path).map(|()| writer).map_err(failed));
        if renamed.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        renamed
    }

    /// A reel on anything that takes bytes.
    pub fn new(out: impl Write + Send + 'static, header: &Header) -> Result<Writer, Error> {
        Writer::start(PathBuf::from("-"), Target::Stream(Box::new(out)), header)
    }

    fn start(path: PathBuf, target: Target, header: &Header) -> Result<Writer, Error> {
        let header = Header { format_version: u32::from(VERSION), footed: true, ..header.clone() };
        let body = body::store(&header)?;
        let mut reel = [0; 8];
        reel.copy_from_slice(&blake3::hash(&body).as_bytes()[..8]);
        let mut writer = Writer {
            path,
            target,
            buffer: Vec::new(),
            totals: Totals::default(),
            reel,
            segment: 0,
            schema: 0,
            snaplen: header.snaplen,
            open: None,
            next_apart: 0,
            gather: Gather::default(),
            level: body::QUICK,
        };
        writer.frame(FrameKind::Header, 0, &body)?;
        Ok(writer)
    }

    /// From here on compresses schemas and dictionaries with less effort: for what is being recorded.
    pub fn hurry(&mut self) {
        self.level = body::HASTY;
    }

    /// From here on compresses schemas and dictionaries with more effort: for what is small and is not being recorded.
    pub fn take_pains(&mut self) {
        self.level = body::THOROUGH;
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.totals.bytes
    }

    /// What the reel holds so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Keeps the file's lock after the writer is gone, until what is returned is dropped: a reader that follows a row
    /// of files finds the next one before this one looks abandoned.
    pub fn hold(&self) -> Option<File> {
        match &self.target {
            Target::File(file) => file.try_clone().ok(),
            Target::Stream(_) => None,
        }
    }

    /// The file that is written; `None` for a pipe.
    pub fn file(&self) -> Option<&File> {
        if let Target::File(file) = &self.target { Some(file) } else { None }
    }

    /// Sums of the open segment.
    pub fn segment(&self) -> Option<&Close> {
        self.open.as_ref()
    }

    /// Starts a segment, whose dictionary is empty; closes the one before.
    pub fn begin_segment(&mut self, schema: &Schema, clocks: &[ClockPair]) -> Result<(), Error> {
        self.close_segment()?;
        self.schema = SegmentStart::schema_id(schema)?;
        let start = SegmentStart {
            number: self.segment + 1,
            snaplen: self.snaplen,
            clocks: clocks.to_vec(),
            schema: schema.clone(),
        };
        let body = body::store_at(&start, self.level)?;
        // Whoever could not write may try again, so a failure changes nothing.
        self.segment += 1;
        self.frame(FrameKind::Segment, 0, &body).inspect_err(|_| self.segment -= 1)?;
        self.gather.roll.begin(self.segment);
        self.open = Some(Close::default());
        self.next_apart = 0;
        Ok(())
    }

    /// Appends to the segment's dictionary; must come before the first batch that refers to it. Nothing for an empty
    /// delta.
    pub fn dictionary(&mut self, delta: &Delta) -> Result<(), Error> {
        self.sums("a dictionary")?;
        if delta.is_empty() {
            return Ok(());
        }
        // Where the second frame did not fit on the disk, whoever tries again must not write the first twice.
        if !delta.apart_lengths.is_empty() && delta.first_apart >= self.next_apart {
            self.frame(FrameKind::Texts, 0, &dictionary::store_texts(delta, self.level)?)?;
            self.next_apart = delta.first_apart + delta.apart_lengths.len() as u32;
        }
        if delta.is_apart_only() { Ok(()) } else { self.rows(delta, &dictionary::store(delta, self.level)?) }
    }

    /// Appends a frame of another reel's dictionary with the bytes that it has there; `delta` is what it says.
    pub fn dictionary_as_it_is(&mut self, delta: &Delta, body: &[u8]) -> Result<(), Error> {
        self.sums("a dictionary")?;
        if !delta.is_apart_only() {
            return self.rows(delta, body);
        }
        self.frame(FrameKind::Texts, 0, body)?;
        self.next_apart = delta.first_apart + delta.apart_lengths.len() as u32;
        Ok(())
    }

    fn rows(&mut self, delta: &Delta, body: &[u8]) -> Result<(), Error> {
        self.frame(FrameKind::Dictionary, 0, body)?;
        self.gather.roll.add(delta, body.len());
        self.sums("a dictionary")?.dictionaries += 1;
        Ok(())
    }

    /// Appends a batch of rows of the initial state.
    pub fn snapshot(&mut self, batch: &Encoded) -> Result<(), Error> {
        self.sums("a snapshot")?;
        self.frame(FrameKind::Snapshot, batch.head.rows, &batch.body)?;
        self.gathered(FrameKind::Snapshot, batch)
    }

    /// Appends a batch of events.
    pub fn batch(&mut self, batch: &Encoded) -> Result<(), Error> {
        self.sums("a batch")?;
        self.frame(FrameKind::Batch, batch.head.rows, &batch.body)?;
        let sums = self.sums("a batch")?;
        sums.batches += 1;
        sums.rows += u64::from(batch.head.rows);
        self.gather.sums.add(&batch.durations);
        self.gathered(FrameKind::Batch, batch)
    }

    /// Records that events were lost.
    pub fn loss(&mut self, loss: &Loss) -> Result<(), Error> {
        self.frame(FrameKind::Loss, 0, &body::store(loss)?)?;
        if let Some(sums) = &mut self.open {
            sums.losses = sums.losses.saturating_add(loss.count);
        }
        Ok(())
    }

    /// Appends what became known of rows that were written already, here or in segments before this one.
    pub fn late(&mut self, facts: &[LateFact]) -> Result<(), Error> {
        self.sums("late facts")?;
        self.frame(FrameKind::Late, facts.len() as u32, &body::store(&facts)?)
    }

    /// Adds a remark.
    pub fn note(&mut self, note: &Note) -> Result<(), Error> {
        self.frame(FrameKind::Note, 0, &body::store(note)?)
    }

    /// Appends what stands beside batches.
    pub fn aside(&mut self, aside: &Aside) -> Result<(), Error> {
        match aside {
            Aside::Late(facts) => self.late(facts),
            Aside::Loss(loss) => self.loss(loss),
            Aside::Note(note) => self.note(note),
        }
    }

    /// Ends the open segment, if there is one, indexes it, and waits until the disk has it.
    pub fn close_segment(&mut self) -> Result<(), Error> {
        if let Some(sums) = self.open {
            self.frame(FrameKind::Close, 0, &body::store(&sums)?)?;
            self.open = None;
            if self.needs_index() {
                self.index()?;
            }
            self.sync()?;
        }
        Ok(())
    }

    /// Waits until the disk has everything that was written.
    pub fn sync(&mut self) -> Result<(), Error> {
        let done = match &mut self.target {
            Target::File(file) => match file.sync_data() {
                // Pipes and devices opened by name cannot be synced, and need not be.
                Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(()),
                done => done,
            },
            Target::Stream(out) => out.flush(),
        };
        done.map_err(|source| Error::Io { path: self.path.clone(), source })
    }

    /// Ends the open segment and the reel.
    pub fn finish(mut self) -> Result<Totals, Error> {
        self.close_segment()?;
        if self.gather.is_pending() && self.needs_index() {
            self.index()?;
        }
        let footer = self.gather.footer(self.totals.bytes)?;
        self.frame(FrameKind::Footer, 0, &footer)?;
        self.sync()?;
        Ok(self.totals)
    }

    fn gathered(&mut self, kind: FrameKind, batch: &Encoded) -> Result<(), Error> {
        self.gather.head(kind, &batch.head)?;
        if self.gather.is_full() {
            // The batch is written, and must not be again; what could not be indexed is with the next one.
            let _ = self.index();
        }
        Ok(())
    }

    /// Whether there is more to find than a look at every frame finds as soon; what is to be small has no more than that.
    /// Where there is one Index, all frames have one.
    fn needs_index(&self) -> bool {
        self.level != body::THOROUGH || self.gather.has_indices() || self.gather.frames() > FEW
    }

    /// Writes an Index of the frames since the last one.
    fn index(&mut self) -> Result<(), Error> {
        let body = self.gather.index()?;
        let (number, offset) = (self.totals.frames, self.totals.bytes);
        self.frame(FrameKind::Index, 0, &body)?;
        self.gather.indexed(number, offset);
        Ok(())
    }

    fn sums(&mut self, found: &'static str) -> Result<&mut Close, Error> {
        self.open.as_mut().ok_or(Error::Order { expected: "a segment's start", found })
    }

    fn frame(&mut self, kind: FrameKind, rows: u32, body: &[u8]) -> Result<(), Error> {
        if body.len() > MAX_BODY {
            let what = format!("expected a frame of at most {MAX_BODY} bytes, found {}", body.len());
            return Err(Error::Encode(what));
        }
        let mut header = FrameHeader {
            kind,
            version: VERSION,
            length: body.len() as u32,
            rows,
            number: self.totals.frames,
            segment: self.segment,
            schema: self.schema,
            reel: self.reel,
            previous: self.totals.hash,
            hash: [0; 32],
        };
        let bytes = header.seal(body);
        self.buffer.clear();
        self.buffer.reserve(HEADER_BYTES + body.len());
        self.buffer.extend_from_slice(&bytes);
        self.buffer.extend_from_slice(body);
        self.write()?;
        if !matches!(kind, FrameKind::Index | FrameKind::Footer) {
            self.gather.frame(&header, self.totals.bytes);
        }
        self.totals.frames += 1;
        self.totals.bytes += self.buffer.len() as u64;
        self.totals.hash = header.hash;
        Ok(())
    }

    /// Writes the buffer; what a full disk took of it is cut off again, so that the file ends with a whole frame.
    fn write(&mut self) -> Result<(), Error> {
        let written = match &mut self.target {
            Target::File(file) => file.write_all(&self.buffer),
            Target::Stream(out) => out.write_all(&self.buffer),
        };
        let Err(source) = written else { return Ok(()) };
        let offset = self.totals.bytes;
        if let Target::File(file) = &mut self.target {
            // If this fails too, the reader finds the cut frame and says so.
            let _ = file.set_len(offset);
            let _ = io::Seek::seek(file, io::SeekFrom::Start(offset));
        }
        let path = self.path.clone();
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::WriteZero];
        if full.contains(&source.kind()) {
            return Err(Error::Full { path, offset, bytes: self.buffer.len() });
        }
        Err(Error::Io { path, source })
    }
}
