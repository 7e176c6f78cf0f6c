//! [`SegmentInfo`], and how frames become segments.

use super::body::{self, ClockPair, Close, Header, Loss, Note};
use super::frame::FrameKind;
use super::index::Covered;
use super::late::LateFacts;
use super::layout::Found;
use crate::batch::{Head, Schema};
use crate::event::MAX_ARGS;
use crate::world::{Dict, LateFact, Roster};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, Weak};

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
    pub(super) frame: usize,
}

/// What is known of a segment without reading its batches.
#[derive(Debug, Clone)]
pub struct SegmentInfo {
    /// Number in the reel, from 1.
    pub number: u32,
    /// Which of the reels in the file, from 0; files of one reel have only that.
    pub part: u32,
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

/// The heads of a segment's batches of events, in their order; `None` where one cannot be read.
pub type Heads = Vec<Option<Head>>;

/// A segment of a reader.
pub(super) struct Segment {
    pub(super) info: SegmentInfo,
    /// Indices of its dictionary frames.
    pub(super) dictionaries: Vec<usize>,
    /// Indices of its frames of texts apart.
    pub(super) texts: Vec<usize>,
    /// Indices of its Index frames.
    pub(super) indices: Vec<usize>,
    /// What its batches of events hold, if the Footer says so.
    pub(super) span: Option<Covered>,
    /// Id of its schema, from its frames' headers.
    schema: u16,
    pub(super) dict: Mutex<Weak<Dict>>,
    pub(super) heads: Mutex<Weak<Heads>>,
    pub(super) roster: Mutex<Weak<Roster>>,
    /// Set when its indices were found to tell of no roster.
    pub(super) no_roster: OnceLock<()>,
}

impl Segment {
    fn new(frame: &Found) -> Segment {
        let info = SegmentInfo {
            number: frame.segment,
            part: frame.part,
            offset: frame.offset as u64,
            snaplen: 0,
            clocks: Vec::new(),
            schema: None,
            snapshots: Vec::new(),
            batches: Vec::new(),
            close: None,
        };
        Segment {
            info,
            dictionaries: Vec::new(),
            texts: Vec::new(),
            indices: Vec::new(),
            span: None,
            schema: frame.schema,
            dict: Mutex::new(Weak::new()),
            heads: Mutex::new(Weak::new()),
            roster: Mutex::new(Weak::new()),
            no_roster: OnceLock::new(),
        }
    }
}

/// The body of a frame that is read when a reel is opened.
pub(super) enum Small {
    Header(Box<Header>),
    Start(Start),
    Close(Close),
    Loss(Loss),
    Note(Note),
    Late(Vec<LateFact>),
}

/// What the frames of a reel come to.
#[derive(Default)]
pub(super) struct Contents {
    /// Of each reel in the file.
    pub(super) headers: Vec<Header>,
    pub(super) segments: Vec<Segment>,
    /// Index of each segment by reel and number.
    numbers: BTreeMap<(u32, u32), usize>,
    pub(super) losses: Vec<Loss>,
    pub(super) notes: Vec<Note>,
    pub(super) late: LateFacts,
}

impl Contents {
    /// Takes a frame in, with its body if that was read and is whole.
    pub(super) fn take(&mut self, index: usize, frame: &Found, small: Option<Small>) {
        match small {
            Some(Small::Header(header)) => {
                self.headers.resize_with(frame.part as usize + 1, Header::default);
                self.headers[frame.part as usize] = *header;
            }
            Some(Small::Loss(loss)) => self.losses.push(loss),
            Some(Small::Note(note)) => self.notes.push(note),
            Some(Small::Late(facts)) => self.late.add((frame.part, frame.segment), facts),
            Some(Small::Start(start)) => {
                let info = &mut self.segment_of(frame).info;
                info.snaplen = start.snaplen;
                info.clocks = start.clocks;
                info.schema = Some(start.schema);
            }
            Some(Small::Close(close)) => self.segment_of(frame).info.close = Some(close),
            None => self.place(index, frame),
        }
    }

    fn place(&mut self, index: usize, frame: &Found) {
        let (offset, bytes) = (frame.offset as u64, u64::from(frame.length));
        let at = BatchRef { offset, bytes, rows: frame.rows, frame: index };
        match frame.kind {
            FrameKind::Dictionary => self.segment_of(frame).dictionaries.push(index),
            FrameKind::Texts => self.segment_of(frame).texts.push(index),
            FrameKind::Snapshot => self.segment_of(frame).info.snapshots.push(at),
            FrameKind::Batch => self.segment_of(frame).info.batches.push(at),
            FrameKind::Index if frame.segment > 0 => self.segment_of(frame).indices.push(index),
            FrameKind::Segment | FrameKind::Close => {
                self.segment_of(frame);
            }
            _ => {}
        }
    }

    /// Index of the segment that a frame belongs to.
    pub(super) fn index_of(&self, frame: &Found) -> Option<usize> {
        self.numbers.get(&(frame.part, frame.segment)).copied()
    }

    /// The segment that a frame belongs to; begun here if its first frame is lost.
    pub(super) fn segment_of(&mut self, frame: &Found) -> &mut Segment {
        let index = *self.numbers.entry((frame.part, frame.segment)).or_insert(self.segments.len());
        if index == self.segments.len() {
            self.segments.push(Segment::new(frame));
        }
        &mut self.segments[index]
    }

    /// Segments whose schema is lost take that of another one, if their frames say that it was the same.
    pub(super) fn replace_lost_schemas(&mut self) {
        if self.segments.iter().all(|s| s.info.schema.is_some()) {
            return;
        }
        let known: BTreeMap<u16, Arc<Schema>> =
            self.segments.iter().filter_map(|s| s.info.schema.clone().map(|schema| (s.schema, schema))).collect();
        for segment in self.segments.iter_mut().filter(|s| s.info.schema.is_none()) {
            segment.info.schema = known.get(&segment.schema).cloned();
        }
    }
}

/// A segment frame as a reader keeps it.
pub(super) struct Start {
    snaplen: u32,
    clocks: Vec<ClockPair>,
    schema: Arc<Schema>,
}

/// What a segment frame says before its schema, see [`SegmentStart`](super::SegmentStart).
#[derive(Deserialize)]
struct Before {
    #[expect(dead_code, reason = "stands before what is wanted; the frame's header has it, too")]
    number: u32,
    snaplen: u32,
    clocks: Vec<ClockPair>,
}

/// The schema that was read last, and its bytes: the segments of a reel mostly have the same, a thousand names of which are
/// then read once.
#[derive(Default)]
pub(super) struct LastSchema(Option<(Vec<u8>, Arc<Schema>)>);

impl LastSchema {
    /// What the body of a segment frame says.
    pub(super) fn start(&mut self, body: &[u8]) -> Result<Start, String> {
        let plain = body::plain(body)?;
        let (Before { snaplen, clocks, .. }, rest) = postcard::take_from_bytes(&plain).map_err(|e| e.to_string())?;
        if let Some((_, schema)) = self.0.as_ref().filter(|(bytes, _)| bytes == rest) {
            return Ok(Start { snaplen, clocks, schema: Arc::clone(schema) });
        }
        let schema: Schema = postcard::take_from_bytes(rest).map(|(schema, _)| schema).map_err(|e| e.to_string())?;
        if let Some(fault) = fault_of(&schema) {
            return Err(fault);
        }
        let schema = Arc::new(schema);
        self.0 = Some((rest.to_vec(), Arc::clone(&schema)));
        Ok(Start { snaplen, clocks, schema })
    }
}

/// Why batches cannot be read with a schema; `None` if they can.
pub(super) fn fault_of(schema: &Schema) -> Option<String> {
    let bad = schema.kinds.iter().find(|kind| {
        let outside = |param: Option<u8>| param.is_some_and(|p| usize::from(p) >= kind.params.len());
        kind.params.len() > MAX_ARGS || outside(kind.fd) || outside(kind.size)
    });
    bad.map(|kind| format!("expected parameters within a kind's list, found others in `{}`", kind.name))
}
