//! Index and Footer frames: where every frame of a reel stands and the heads of its batches, gathered, so that opening
//! a reel touches no batch and a filter passes over batches by their heads alone.
//!
//! An Index frame lists the frames since the one before it, so its writer keeps no more than a segment's heads. The
//! Footer lists the Index frames. Together they cover a reel without a gap from its first byte to the Footer, which is
//! what a reader checks before it believes them: anything else, and it walks the frames.

use super::body::{put_part, skip_part, take_part};
use super::error::Error;
use super::frame::{FrameHeader, FrameKind, HEADER_BYTES};
use super::layout::{Found, Layout};
use super::roll::Roll;
use super::sums::{self, Sums};
use crate::batch::codec::PackedHead;
use crate::batch::codec::limits::{MAX_BODY, MAX_FOOTER, MAX_FRAME_TABLE, MAX_HEADS, MAX_ROSTER};
use crate::batch::{Head, Schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Frames after which an Index frame is written inside a segment; their table takes at most 18 bytes a frame.
const MOST_FRAMES: usize = 100_000;

/// Bytes of heads after which an Index frame is written inside a segment; one more head has less than 1 MiB.
const MOST_HEADS: usize = MAX_HEADS - (1 << 20);

/// Bytes behind the Footer's table: the length of its body.
const TAIL: usize = 4;

/// The frames that an Index frame covers, column by column.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct FrameTable {
    /// Number of the first.
    first: u32,
    /// Where it stands, from the start of the reel.
    offset: u64,
    kinds: Vec<u8>,
    /// Bytes of the bodies.
    lengths: Vec<u32>,
    rows: Vec<u32>,
    segments: Vec<u32>,
    schemas: Vec<u16>,
}

/// What the Footer holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct FooterTable {
    /// Where the Footer stands, from the start of the reel.
    offset: u64,
    entries: Vec<Entry>,
}

/// What the Footer says of an Index frame and of the batches of events that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Entry {
    /// Number of the Index frame.
    number: u32,
    /// Where it stands, from the start of the reel.
    offset: u64,
    span: Covered,
}

/// What batches of events hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Covered {
    pub(super) batches: u32,
    pub(super) rows: u64,
    /// ns UTC.
    pub(super) min_time: u64,
    /// ns UTC.
    pub(super) max_time: u64,
}

impl Covered {
    /// Both together.
    pub(super) fn and(self, other: Covered) -> Covered {
        match (self.batches, other.batches) {
            (_, 0) => self,
            (0, _) => other,
            (a, b) => Covered {
                batches: a.saturating_add(b),
                rows: self.rows.saturating_add(other.rows),
                min_time: self.min_time.min(other.min_time),
                max_time: self.max_time.max(other.max_time),
            },
        }
    }
}

/// Gathers what an Index and the Footer will say while a reel is written.
#[derive(Debug, Default)]
pub(super) struct Gather {
    table: FrameTable,
    heads: Vec<u8>,
    span: Covered,
    entries: Vec<Entry>,
    pub(super) roll: Roll,
    pub(super) sums: Sums,
}

impl Gather {
    /// Notes a frame that was written.
    pub(super) fn frame(&mut self, header: &FrameHeader, offset: u64) {
        let table = &mut self.table;
        if table.kinds.is_empty() {
            (table.first, table.offset) = (header.number, offset);
        }
        table.kinds.push(header.kind.code());
        table.lengths.push(header.length);
        table.rows.push(header.rows);
        table.segments.push(header.segment);
        table.schemas.push(header.schema);
    }

    /// Notes the head of a batch or snapshot that was written.
    pub(super) fn head(&mut self, kind: FrameKind, head: &Head) -> Result<(), Error> {
        let heads = std::mem::take(&mut self.heads);
        self.heads = postcard::to_extend(&PackedHead::of(head), heads).map_err(|e| Error::Encode(e.to_string()))?;
        if kind == FrameKind::Batch && head.rows > 0 {
            let Covered { batches, rows, min_time, max_time } = self.span;
            self.span = Covered {
                batches: batches + 1,
                rows: rows + u64::from(head.rows),
                min_time: if batches == 0 { head.min_time } else { min_time.min(head.min_time) },
                max_time: max_time.max(head.max_time),
            };
        }
        Ok(())
    }

    /// Whether an Index frame must be written before more is gathered.
    pub(super) fn is_full(&self) -> bool {
        self.table.kinds.len() >= MOST_FRAMES || self.heads.len().max(self.sums.len()) >= MOST_HEADS
    }

    /// Frames that no Index covers.
    pub(super) fn frames(&self) -> usize {
        self.table.kinds.len()
    }

    /// Whether there is an Index.
    pub(super) fn has_indices(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether there are frames that no Index covers.
    pub(super) fn is_pending(&self) -> bool {
        !self.table.kinds.is_empty()
    }

    /// The body of the Index frame that is to be written.
    pub(super) fn index(&self) -> Result<Vec<u8>, Error> {
        let table = postcard::to_stdvec(&self.table).map_err(|e| Error::Encode(e.to_string()))?;
        let mut body = Vec::new();
        put_part(&mut body, &table);
        put_part(&mut body, &self.heads);
        let (roster, sums) = (self.roll.part(), self.sums.part());
        if roster.is_some() || sums.is_some() {
            put_part(&mut body, &roster.unwrap_or_default());
        }
        if let Some(sums) = sums {
            put_part(&mut body, sums);
        }
        Ok(body)
    }

    /// The Index frame was written at a place with a number: gathering begins anew.
    pub(super) fn indexed(&mut self, number: u32, offset: u64) {
        self.roll.written();
        self.sums.written();
        self.entries.push(Entry { number, offset, span: self.span });
        (self.table, self.span) = (FrameTable::default(), Covered::default());
        self.heads.clear();
    }

    /// The body of the Footer frame that is to be written at a place.
    pub(super) fn footer(&mut self, offset: u64) -> Result<Vec<u8>, Error> {
        let table = FooterTable { offset, entries: std::mem::take(&mut self.entries) };
        let table = postcard::to_stdvec(&table).map_err(|e| Error::Encode(e.to_string()))?;
        let mut body = Vec::new();
        put_part(&mut body, &table);
        let length = (body.len() + TAIL) as u32;
        body.extend_from_slice(&length.to_le_bytes());
        Ok(body)
    }
}

/// The frames of a file that ends with a Footer, which with its indices covers every byte; `None` for any other, and
/// where something does not fit together. Touches the first frame, the Index frames and the Footer. Reels that stand
/// one behind the other are found from the last to the first.
pub(super) fn layout(bytes: &[u8]) -> Option<Layout> {
    let mut reels = Vec::new();
    let mut end = bytes.len();
    while end > 0 {
        let cover = reel(bytes, end)?;
        // The same reel twice is one whose frames are repeated.
        if reels.iter().any(|r: &Cover| r.footer.reel == cover.footer.reel) {
            return None;
        }
        end = cover.start;
        reels.push(cover);
    }
    let mut layout = Layout { is_indexed: true, ..Layout::default() };
    for (part, cover) in reels.into_iter().rev().enumerate() {
        let before = layout.frames.len();
        layout.ids.push(cover.footer.reel);
        layout.spans.extend(cover.spans.into_iter().map(|(at, span)| (before + at, span)));
        layout.frames.extend(cover.frames.into_iter().map(|f| Found { part: part as u32, ..f }));
    }
    (!layout.frames.is_empty()).then_some(layout)
}

/// The reel that ends at `end`.
fn reel(bytes: &[u8], end: usize) -> Option<Cover<'_>> {
    let tail = bytes.get(end.checked_sub(TAIL)?..end)?;
    let length = u32::from_le_bytes(tail.try_into().ok()?) as usize;
    let at = end.checked_sub(length.checked_add(HEADER_BYTES)?)?;
    let footer = FrameHeader::parse(&bytes[at..end])?;
    let body = &bytes[at + HEADER_BYTES..end];
    if footer.kind != FrameKind::Footer || footer.length as usize != length || !footer.matches(body) {
        return None;
    }
    let (plain, _) = take_part(body, MAX_FOOTER).ok()?;
    let table: FooterTable = postcard::from_bytes(&plain).ok()?;
    let start = at.checked_sub(usize::try_from(table.offset).ok()?)?;
    let mut cover = Cover { bytes, start, footer, frames: Vec::new(), spans: BTreeMap::new() };
    for entry in &table.entries {
        cover.index(entry)?;
    }
    (cover.end()? == at && cover.frames.len() == footer.number as usize).then_some(())?;
    cover.frames.push(Found::of(&footer, at, 0));
    (cover.frames.first()?.kind == FrameKind::Header).then_some(cover)
}

/// Frames of a reel as its indices tell them, each of which must begin where the one before ends.
struct Cover<'a> {
    bytes: &'a [u8],
    start: usize,
    footer: FrameHeader,
    frames: Vec<Found>,
    /// What each Index frame covers, by its index in `frames`.
    spans: BTreeMap<usize, Covered>,
}

impl Cover<'_> {
    /// Where the frames so far end.
    fn end(&self) -> Option<usize> {
        match self.frames.last() {
            Some(last) => last.end(),
            None => Some(self.start),
        }
    }

    fn index(&mut self, entry: &Entry) -> Option<()> {
        let at = self.start.checked_add(usize::try_from(entry.offset).ok()?)?;
        let header = FrameHeader::parse(self.bytes.get(at..)?)?;
        let fits = header.kind == FrameKind::Index && header.reel == self.footer.reel && header.number == entry.number;
        let body = self.bytes.get(at + HEADER_BYTES..)?.get(..header.length as usize).filter(|_| fits)?;
        let table = FrameTable::take(body)?;
        let offset = (self.start as u64).checked_add(table.offset)?;
        if (table.first as usize, offset) != (self.frames.len(), self.end()? as u64) {
            return None;
        }
        for found in table.found(self.start)? {
            self.frames.push(found);
        }
        (self.end()? == at && self.frames.len() == header.number as usize).then_some(())?;
        self.spans.insert(self.frames.len(), entry.span);
        self.frames.push(Found::of(&header, at, 0));
        Some(())
    }
}

impl FrameTable {
    /// The table of an Index frame, whose checksum it checks.
    fn take(body: &[u8]) -> Option<FrameTable> {
        let (plain, _) = take_part(body, MAX_FRAME_TABLE).ok()?;
        let table: FrameTable = postcard::from_bytes(&plain).ok()?;
        let count = table.kinds.len();
        let lengths = [table.lengths.len(), table.rows.len(), table.segments.len(), table.schemas.len()];
        let numbered = u32::try_from(count).ok().and_then(|count| table.first.checked_add(count));
        (lengths == [count; 4] && numbered.is_some()).then_some(table)
    }

    /// Its frames in a reel that starts at `start`; `None` where one would end past all files.
    fn found(&self, start: usize) -> Option<Vec<Found>> {
        let mut offset = start.checked_add(usize::try_from(self.offset).ok()?)?;
        let mut frames = Vec::with_capacity(self.kinds.len());
        for (i, &kind) in self.kinds.iter().enumerate() {
            let found = Found {
                kind: FrameKind::of(kind),
                length: self.lengths[i],
                rows: self.rows[i],
                number: self.first + i as u32,
                segment: self.segments[i],
                schema: self.schemas[i],
                offset,
                part: 0,
            };
            offset = found.end().filter(|_| found.length as usize <= MAX_BODY)?;
            frames.push(found);
        }
        Some(frames)
    }
}

/// A frame that an Index tells of, and the head of it if it is a batch or a snapshot.
pub(super) struct Told {
    pub(super) frame: Found,
    pub(super) head: Option<PackedHead>,
}

/// Whether the body of a Footer says that its reel has no Index frames.
pub(super) fn lists_nothing(body: &[u8]) -> bool {
    let table =
        take_part(body, MAX_FOOTER).ok().and_then(|(plain, _)| postcard::from_bytes::<FooterTable>(&plain).ok());
    table.is_some_and(|table| table.entries.is_empty())
}

/// Everything that the body of an Index frame tells of the frames before it, in a reel that starts at `start`.
pub(super) fn told(body: &[u8], start: usize) -> Result<Vec<Told>, String> {
    let table = FrameTable::take(body).ok_or("expected a table of frames, found none that can be read")?;
    let frames = table.found(start).ok_or("expected frames within the file, found one outside")?;
    let (_, rest) = take_part(body, MAX_FRAME_TABLE)?;
    let (heads, _) = take_part(rest, MAX_HEADS)?;
    let mut rest = heads.as_slice();
    let mut all = Vec::with_capacity(frames.len());
    for frame in frames {
        let mut head = None;
        if matches!(frame.kind, FrameKind::Batch | FrameKind::Snapshot) {
            let (packed, after) = postcard::take_from_bytes::<PackedHead>(rest).map_err(|e| e.to_string())?;
            (head, rest) = (Some(packed), after);
        }
        all.push(Told { frame, head });
    }
    Ok(all)
}

/// The part of the body of an Index frame that tells of its segment's threads; `None` where there is none.
pub(super) fn roster_part(body: &[u8]) -> Option<Vec<u8>> {
    let rest = skip_part(body).and_then(skip_part).filter(|rest| !rest.is_empty())?;
    // One that is empty only keeps the place before the next part.
    take_part(rest, MAX_ROSTER).ok().map(|(plain, _)| plain).filter(|plain| !plain.is_empty())
}

/// What the body of an Index frame tells of the durations of batches: the numbers of their frames, and a list for each (see
/// [`sums::sums`]).
pub(super) fn durations(body: &[u8]) -> Result<Vec<(u32, Vec<u8>)>, String> {
    let behind = skip_part(body).and_then(skip_part).and_then(skip_part);
    let Some(rest) = behind.filter(|rest| !rest.is_empty()) else { return Ok(Vec::new()) };
    let (part, _) = take_part(rest, MAX_HEADS)?;
    let table = FrameTable::take(body).ok_or("expected a table of frames, found none that can be read")?;
    let is_batch = |(kind, _): &(&u8, u32)| FrameKind::of(**kind) == FrameKind::Batch;
    let numbers: Vec<u32> = table.kinds.iter().zip(table.first..).filter(is_batch).map(|(_, number)| number).collect();
    let lists = sums::lists(&part, numbers.len());
    let lists = lists.ok_or_else(|| format!("expected durations of {} batches, found others", numbers.len()))?;
    Ok(numbers.into_iter().zip(lists).filter(|(_, list)| !list.is_empty()).collect())
}

impl Told {
    /// The head, if it is one that a batch of this schema and this many rows can have.
    pub(super) fn head(&self, schema: &Schema) -> Option<Head> {
        let head = self.head.as_ref()?.open(schema).ok()?;
        (head.rows == self.frame.rows).then_some(head)
    }
}
