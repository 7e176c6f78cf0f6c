//! [`Reader`]: a reel's segments and batches, whatever of them is whole.

use super::body::{self, ClockPair, Close, Header, Loss, Note, SegmentStart};
use super::error::{Damage, DamageKind, Error};
use super::frame::{FrameKind, VERSION};
use super::verify::{self, Verdict};
use super::walk::{Found, Walk, walk};
use super::{dictionary, input};
use crate::batch::codec::Bytes;
use crate::batch::codec::limits::MAX_SEGMENT_DICTIONARY;
use crate::batch::{Batch, Schema, StoredBatch};
use crate::event::MAX_ARGS;
use crate::world::Dict;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRef {
    /// Offset of its frame in the file.
    pub offset: u64,
    /// Bytes of its body.
    pub bytes: u64,
    /// Rows.
    pub rows: u32,
    /// Index of its frame.
    frame: usize,
}

/// What is known of a segment without reading its batches.
#[derive(Debug, Clone)]
pub struct SegmentInfo {
    /// Number in the reel, from 1.
    pub number: u32,
    /// Offset of its first frame that is whole.
    pub offset: u64,
    /// Most bytes kept of each buffer.
    pub snaplen: u32,
    /// Boot clock and UTC when it began.
    pub clocks: Vec<ClockPair>,
    /// Kinds; `None` where the frame that lists them is lost and no other segment has the same; no batch can be read.
    pub schema: Option<Arc<Schema>>,
    /// Batches of rows of the initial state.
    pub snapshots: Vec<BatchRef>,
    /// Batches of events.
    pub batches: Vec<BatchRef>,
    /// Sums as the recorder wrote them; `None` where it was killed.
    pub close: Option<Close>,
}

impl SegmentInfo {
    /// Rows of all batches of events that are left.
    pub fn rows(&self) -> u64 {
        self.batches.iter().map(|b| u64::from(b.rows)).sum()
    }
}

struct Segment {
    info: SegmentInfo,
    /// Indices of its dictionary frames.
    dictionaries: Vec<usize>,
    /// Id of its schema, from its frames' headers.
    schema: u16,
    dict: Mutex<Weak<Dict>>,
}

/// A reel being read. Shared between threads.
pub struct Reader {
    bytes: Bytes,
    walk: Walk,
    header: Header,
    segments: Vec<Segment>,
    /// Index of each segment by its number.
    numbers: BTreeMap<u32, usize>,
    losses: Vec<Loss>,
    notes: Vec<Note>,
    /// What was found when bodies were read.
    damages: Mutex<Vec<Damage>>,
}

impl Reader {
    /// Opens a file, or standard input for `-`. Damage is stepped over; see [`Reader::damages`].
    pub fn open(path: &Path) -> Result<Reader, Error> {
        Reader::of_bytes(input::bytes(path)?)
    }

    /// A reel in memory.
    pub fn of_bytes(bytes: Bytes) -> Result<Reader, Error> {
        let walk = walk((*bytes).as_ref());
        let Some(first) = walk.frames.first() else {
            return Err(input::not_a_reel((*bytes).as_ref()));
        };
        let (found, offset) = (first.header.version, first.offset as u64);
        if found > VERSION {
            return Err(Error::Version { known: VERSION, found, offset });
        }
        let mut reader = Reader {
            bytes,
            walk,
            header: Header::default(),
            segments: Vec::new(),
            numbers: BTreeMap::new(),
            losses: Vec::new(),
            notes: Vec::new(),
            damages: Mutex::default(),
        };
        for index in 0..reader.walk.frames.len() {
            reader.take(index);
        }
        reader.replace_lost_schemas();
        reader.note_lost_schemas();
        Ok(reader)
    }

    /// Where the reel comes from; empty where its first frame is damaged.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// All segments in the order of the file.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        self.segments.iter().map(|s| s.info.clone()).collect()
    }

    /// A segment by its index in [`Reader::segments`].
    pub fn segment(&self, index: usize) -> Result<&SegmentInfo, Error> {
        self.slot(index).map(|s| &s.info)
    }

    /// Losses that the recorder noted.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Remarks.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Damage met so far, by offset. That of a column stands in the error of whoever asked for it.
    pub fn damages(&self) -> Vec<Damage> {
        let mut all = self.walk.damages.clone();
        all.extend(self.damages.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        all.sort_by_key(|d| d.offset);
        all
    }

    /// Bytes of the reel.
    pub fn size(&self) -> u64 {
        self.data().len() as u64
    }

    /// Reads every byte and compares it with the hashes.
    pub fn verify(&self) -> Verdict {
        verify::verify(self.data(), &self.walk, self.is_closed())
    }

    /// Whether the last segment has its end: its recorder was not killed, nor is it still at work.
    pub fn is_closed(&self) -> bool {
        self.segments.last().is_some_and(|s| s.info.close.is_some())
    }

    /// The batches of events of a segment, in order, each an error where its directory is damaged.
    pub fn batches(&self, segment: usize) -> impl Iterator<Item = Result<Batch, Error>> + '_ {
        let refs = self.segments.get(segment).map(|s| s.info.batches.as_slice()).unwrap_or_default();
        self.each(segment, refs)
    }

    /// The rows of the initial state of a segment.
    pub fn snapshots(&self, segment: usize) -> impl Iterator<Item = Result<Batch, Error>> + '_ {
        let refs = self.segments.get(segment).map(|s| s.info.snapshots.as_slice()).unwrap_or_default();
        self.each(segment, refs)
    }

    fn each<'a>(&'a self, segment: usize, refs: &'a [BatchRef]) -> impl Iterator<Item = Result<Batch, Error>> + 'a {
        let mut dict = None;
        refs.iter().map(move |at| {
            let dict = match &dict {
                Some(dict) => Arc::clone(dict),
                None => dict.insert(self.dict(segment)?).clone(),
            };
            self.batch(segment, at, dict)
        })
    }

    /// One batch, with the dictionary of its segment.
    pub fn batch(&self, segment: usize, at: &BatchRef, dict: Arc<Dict>) -> Result<Batch, Error> {
        let offset = at.offset;
        let schema = self.slot(segment)?.info.schema.clone().ok_or_else(|| Error::Frame {
            kind: FrameKind::Segment,
            offset,
            what: "expected the segment's schema, found it lost".to_owned(),
        })?;
        let frame = self.frame(at.frame)?;
        let (head, store) = StoredBatch::open(Arc::clone(&self.bytes), frame.body(), Arc::clone(&schema))
            .map_err(|source| Error::Batch { offset, source })?;
        Ok(Batch::new(head, schema, dict, Box::new(store)))
    }

    /// A segment's whole dictionary; read when it is first asked for and kept while somebody uses it.
    pub fn dict(&self, segment: usize) -> Result<Arc<Dict>, Error> {
        let slot = self.slot(segment)?;
        let mut kept = slot.dict.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dict) = kept.upgrade() {
            return Ok(dict);
        }
        let mut dict = Dict::new();
        let mut left = MAX_SEGMENT_DICTIONARY;
        for &index in &slot.dictionaries {
            let frame = self.frame(index)?;
            let applied = self.body(frame).and_then(|bytes| dictionary::load(bytes, &mut left));
            if let Err(what) = applied.and_then(|delta| dict.apply(&delta).map_err(|e| e.to_string())) {
                self.damaged(frame, what);
            }
        }
        let dict = Arc::new(dict);
        *kept = Arc::downgrade(&dict);
        Ok(dict)
    }

    fn data(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }

    fn slot(&self, index: usize) -> Result<&Segment, Error> {
        let count = self.segments.len();
        self.segments.get(index).ok_or(Error::Absent { what: "segment", count, found: index })
    }

    fn frame(&self, index: usize) -> Result<&Found, Error> {
        let count = self.walk.frames.len();
        self.walk.frames.get(index).ok_or(Error::Absent { what: "frame", count, found: index })
    }

    /// A frame's body, if it is what was written.
    fn body(&self, frame: &Found) -> Result<&[u8], String> {
        let body = self.data().get(frame.body()).ok_or("expected a body, found the end of the file")?;
        if frame.header.matches(body) {
            Ok(body)
        } else {
            Err("expected the hash in its header, found another".to_owned())
        }
    }

    fn load<T: serde::de::DeserializeOwned>(&self, frame: &Found) -> Option<T> {
        self.body(frame).and_then(body::load).map_err(|what| self.damaged(frame, what)).ok()
    }

    fn damaged(&self, frame: &Found, what: String) {
        let damage = Damage {
            offset: frame.offset as u64,
            kind: DamageKind::Body(frame.header.kind, what),
            lost: u64::from(frame.header.length),
        };
        let mut damages = self.damages.lock().unwrap_or_else(PoisonError::into_inner);
        if !damages.contains(&damage) {
            damages.push(damage);
        }
    }

    /// Notes what a frame is; reads the body of small ones.
    fn take(&mut self, index: usize) {
        let frame = self.walk.frames[index];
        let at = BatchRef {
            offset: frame.offset as u64,
            bytes: u64::from(frame.header.length),
            rows: frame.header.rows,
            frame: index,
        };
        match frame.header.kind {
            FrameKind::Header => self.header = self.load(&frame).unwrap_or_default(),
            FrameKind::Loss => self.losses.extend(self.load::<Loss>(&frame)),
            FrameKind::Note => self.notes.extend(self.load::<Note>(&frame)),
            FrameKind::Segment => {
                let start = self.load::<SegmentStart>(&frame).and_then(|s| self.checked(&frame, s));
                let info = &mut self.segment_of(&frame).info;
                if let Some(start) = start {
                    info.snaplen = start.snaplen;
                    info.clocks = start.clocks;
                    info.schema = Some(Arc::new(start.schema));
                }
            }
            FrameKind::Close => {
                let close = self.load(&frame);
                self.segment_of(&frame).info.close = close;
            }
            FrameKind::Dictionary => self.segment_of(&frame).dictionaries.push(index),
            FrameKind::Snapshot => self.segment_of(&frame).info.snapshots.push(at),
            FrameKind::Batch => self.segment_of(&frame).info.batches.push(at),
            FrameKind::Unknown(_) => {}
        }
    }

    /// The segment start if its schema is one that batches can be read with.
    fn checked(&self, frame: &Found, start: SegmentStart) -> Option<SegmentStart> {
        let bad = start.schema.kinds.iter().find(|kind| {
            let outside = |param: Option<u8>| param.is_some_and(|p| usize::from(p) >= kind.params.len());
            kind.params.len() > MAX_ARGS || outside(kind.fd) || outside(kind.size)
        });
        if let Some(kind) = bad {
            let what = format!("expected parameters within a kind's list, found others in `{}`", kind.name);
            self.damaged(frame, what);
            return None;
        }
        Some(start)
    }

    /// The segment that a frame belongs to; begun here if its first frame is lost.
    fn segment_of(&mut self, frame: &Found) -> &mut Segment {
        let number = frame.header.segment;
        let index = *self.numbers.entry(number).or_insert(self.segments.len());
        if index == self.segments.len() {
            let info = SegmentInfo {
                number,
                offset: frame.offset as u64,
                snaplen: 0,
                clocks: Vec::new(),
                schema: None,
                snapshots: Vec::new(),
                batches: Vec::new(),
                close: None,
            };
            let (schema, dict) = (frame.header.schema, Mutex::new(Weak::new()));
            self.segments.push(Segment { info, dictionaries: Vec::new(), schema, dict });
        }
        &mut self.segments[index]
    }

    /// Segments whose schema is lost take that of another one, if their frames say that it was the same.
    fn replace_lost_schemas(&mut self) {
        if self.segments.iter().all(|s| s.info.schema.is_some()) {
            return;
        }
        let known: BTreeMap<u16, Arc<Schema>> =
            self.segments.iter().filter_map(|s| s.info.schema.clone().map(|schema| (s.schema, schema))).collect();
        for segment in self.segments.iter_mut().filter(|s| s.info.schema.is_none()) {
            segment.info.schema = known.get(&segment.schema).cloned();
        }
    }

    fn note_lost_schemas(&mut self) {
        let lost = self.segments.iter().map(|s| &s.info).filter(|i| i.schema.is_none());
        let damages = lost.map(|info| Damage {
            offset: info.offset,
            kind: DamageKind::Schema,
            lost: info.batches.iter().chain(&info.snapshots).map(|b| b.bytes).sum(),
        });
        let damages: Vec<Damage> = damages.collect();
        self.damages.get_mut().unwrap_or_else(PoisonError::into_inner).extend(damages);
    }
}
