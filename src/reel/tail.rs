//! [`Tail`]: a reel that is still being written, read as it grows.
//!
//! Frames are taken in order and only when they are whole; what stands behind the last whole one is not damage but what
//! comes next. The file is read, not mapped: its writer may cut it (a full disk).

use super::body::{self, Header, Loss, SegmentStart};
use super::dictionary;
use super::error::Error;
use super::frame::{FrameHeader, FrameKind, HEADER_BYTES, MAGIC};
use super::input::not_a_reel;
use super::segment::fault_of;
use crate::batch::codec::Bytes;
use crate::batch::codec::limits::{MAX_BODY, MAX_SEGMENT_DICTIONARY};
use crate::batch::{Batch, Schema, StoredBatch};
use crate::world::Dict;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes looked at for the next frame behind damage, at a time.
const SEARCH: usize = 1 << 20;

/// What came.
pub enum Tailed {
    /// A batch of events.
    Batch(Box<Batch>),
    /// Events were lost.
    Loss(Loss),
    /// Something that is no whole frame, or not what was written; it was stepped over.
    Damage {
        /// Where it stands.
        offset: u64,
        /// What was expected and what was found.
        what: String,
    },
}

/// A reel that is still being written.
pub struct Tail {
    path: PathBuf,
    file: File,
    header: Header,
    reel: [u8; 8],
    offset: u64,
    schema: Option<Arc<Schema>>,
    dict: Arc<Dict>,
    dictionary_left: usize,
    is_closed: bool,
}

impl Tail {
    /// Opens a reel; nothing of it has been read but its header.
    ///
    /// # Errors
    /// The file cannot be read, or does not begin with the header of a reel.
    pub fn open(path: &Path) -> Result<Tail, Error> {
        let failed = |source| Error::Io { path: path.to_owned(), source };
        let header = super::input::header_of(path)?;
        let file = File::open(path).map_err(failed)?;
        let mut start = [0; HEADER_BYTES];
        file.read_exact_at(&mut start, 0).map_err(failed)?;
        let frame = FrameHeader::parse(&start).ok_or_else(|| not_a_reel(&start))?;
        Ok(Tail {
            path: path.to_owned(),
            file,
            header,
            reel: frame.reel,
            offset: (HEADER_BYTES + frame.length as usize) as u64,
            schema: None,
            dict: Arc::new(Dict::new()),
            dictionary_left: MAX_SEGMENT_DICTIONARY,
            is_closed: false,
        })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it comes from.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether somebody writes it. Where the file system has no locks, nobody is seen to.
    pub fn is_recorded(&self) -> bool {
        crate::sys::is_being_written(&self.file).unwrap_or(false)
    }

    /// Whether the last frame so far ends a segment, as the last frame of a whole reel does.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Bytes behind the last whole frame.
    ///
    /// # Errors
    /// The system's.
    pub fn left(&self) -> Result<u64, Error> {
        let about = self.file.metadata().map_err(|source| self.failed(source))?;
        Ok(about.len().saturating_sub(self.offset))
    }

    /// The next thing that is whole; `None` if there is none yet.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_next(&mut self) -> Result<Option<Tailed>, Error> {
        loop {
            let left = self.left()?;
            if left < HEADER_BYTES as u64 {
                return Ok(None);
            }
            let mut bytes = [0; HEADER_BYTES];
            self.read(&mut bytes, self.offset)?;
            let Some(frame) = self.frame(&bytes) else {
                return self.step_over();
            };
            if left < HEADER_BYTES as u64 + u64::from(frame.length) {
                return Ok(None);
            }
            let mut body = vec![0; frame.length as usize];
            self.read(&mut body, self.offset + HEADER_BYTES as u64)?;
            let offset = self.offset;
            self.offset += (HEADER_BYTES + body.len()) as u64;
            let taken = if frame.matches(&body) {
                self.take(frame.kind, offset, body)
            } else {
                Err("expected the hash in its header, found another".to_owned())
            };
            match taken {
                Ok(None) => {}
                Ok(some) => return Ok(some),
                Err(what) => {
                    return Ok(Some(Tailed::Damage { offset, what: format!("{:?} frame: {what}", frame.kind) }));
                }
            }
        }
    }

    fn frame(&self, bytes: &[u8]) -> Option<FrameHeader> {
        FrameHeader::parse(bytes).filter(|frame| frame.reel == self.reel && frame.length as usize <= MAX_BODY)
    }

    fn take(&mut self, kind: FrameKind, offset: u64, body: Vec<u8>) -> Result<Option<Tailed>, String> {
        match kind {
            FrameKind::Segment => {
                self.is_closed = false;
                self.dict = Arc::new(Dict::new());
                self.dictionary_left = MAX_SEGMENT_DICTIONARY;
                self.schema = None;
                let start = body::load::<SegmentStart>(&body)?;
                if let Some(fault) = fault_of(&start.schema) {
                    return Err(fault);
                }
                self.schema = Some(Arc::new(start.schema));
            }
            FrameKind::Dictionary => {
                dictionary::append(&body, &mut self.dictionary_left, Arc::make_mut(&mut self.dict))?;
            }
            FrameKind::Texts => {
                let told = dictionary::texts(&body, &mut self.dictionary_left)?;
                let range = 0..body.len();
                let texts = told.unopened(Arc::new(body), range);
                Arc::make_mut(&mut self.dict).strings.add_unopened(texts).map_err(|e| e.to_string())?;
            }
            FrameKind::Batch => {
                let schema = self.schema.clone().ok_or("expected the segment's schema, found it lost")?;
                let range = 0..body.len();
                let bytes: Bytes = Arc::new(body);
                let opened = StoredBatch::open(bytes, range, Arc::clone(&schema));
                let (head, store) = opened.map_err(|e| format!("batch at offset {offset:#x}: {e}"))?;
                let batch = Batch::new(head, schema, Arc::clone(&self.dict), Box::new(store));
                return Ok(Some(Tailed::Batch(Box::new(batch))));
            }
            FrameKind::Loss => return Ok(Some(Tailed::Loss(body::load(&body)?))),
            FrameKind::Close => self.is_closed = !self.header.footed,
            FrameKind::Footer => self.is_closed = true,
            _ => {}
        }
        Ok(None)
    }

    /// Steps over bytes that are no frame, if one follows.
    fn step_over(&mut self) -> Result<Option<Tailed>, Error> {
        let (start, left) = (self.offset, self.left()?);
        let mut bytes = vec![0; SEARCH.min(left as usize)];
        self.read(&mut bytes, start)?;
        let fits = |&at: &usize| self.frame(&bytes[at..]).is_some();
        let found = memchr::memmem::find_iter(&bytes[1..], &MAGIC).map(|at| at + 1).find(fits);
        match found {
            Some(at) => self.offset += at as u64,
            // All of it was looked at but what may begin a header.
            None if bytes.len() == SEARCH => self.offset += (SEARCH - HEADER_BYTES) as u64,
            None => return Ok(None),
        }
        let what = format!("expected a frame, found {} bytes of something else", self.offset - start);
        Ok(Some(Tailed::Damage { offset: start, what }))
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        self.file.read_exact_at(bytes, offset).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }
}
