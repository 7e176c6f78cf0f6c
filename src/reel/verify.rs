//! Checks every byte of a reel against its hashes.

use super::error::{Damage, DamageKind};
use super::frame::FrameKind;
use super::layout::{Found, Layout};
use super::reader::Reader;
use super::walk::walk;
use super::{index, locate, sums};
use crate::batch::DurationSum;
use crate::event::Flags;
use crate::world::Dict;
use std::sync::Arc;

/// What a check of every byte found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Frames whose header could be read.
    pub frames: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// Hash of the last frame.
    pub hash: [u8; 32],
    /// Whether the last segment was closed by its recorder.
    pub closed: bool,
    /// Everything that is not as it was written, by offset.
    pub damages: Vec<Damage>,
}

impl Verdict {
    /// Whether every byte is as it was written, up to the last frame's end.
    pub fn is_intact(&self) -> bool {
        self.damages.is_empty()
    }
}

/// Hashes all bodies and follows the chain.
pub(super) fn verify(reader: &Reader) -> Verdict {
    let walked;
    let layout = if reader.layout.is_indexed {
        walked = walk(reader.data());
        &walked
    } else {
        &reader.layout
    };
    let mut damages = layout.damages.clone();
    let mut previous = Some([0; 32]);
    let mut next = (0, 0);
    for frame in &layout.frames {
        let Some(header) = reader.header_at(frame) else { continue };
        let body = reader.data().get(frame.body()).unwrap_or_default();
        let of = |kind, lost| Damage { part: frame.part, ..Damage::new(frame.offset, kind, lost) };
        let is_told = |d: &Damage| d.is_body_of(frame);
        if !header.matches(body) && !layout.damages.iter().any(is_told) {
            let what = "expected the hash in its header, found another".to_owned();
            damages.push(of(DamageKind::Body(header.kind, what), body.len()));
        }
        if next.0 != frame.part {
            (previous, next) = (Some([0; 32]), (frame.part, 0));
        }
        // Behind a gap the frame before is not known, and the gap itself has been reported.
        if frame.number == next.1 && previous != Some(header.previous) {
            damages.push(of(DamageKind::Chain, 0));
        }
        previous = Some(header.hash);
        next.1 = frame.number.wrapping_add(1);
    }
    if damages.is_empty() {
        contents(reader, layout, &mut damages);
    }
    damages.sort_by_key(|d| d.offset);
    locate::hits(reader, &mut damages);
    Verdict {
        frames: layout.frames.len(),
        bytes: reader.size(),
        hash: previous.unwrap_or_default(),
        closed: reader.is_closed(),
        damages,
    }
}

/// Whether whole frames say the same of each other.
fn contents(reader: &Reader, layout: &Layout, damages: &mut Vec<Damage>) {
    let mut say = |frame: &Found, what: String| {
        let kind = DamageKind::Contents(frame.kind, what);
        damages.push(Damage { part: frame.part, ..Damage::new(frame.offset, kind, 0) });
    };
    let footers = || layout.frames.iter().filter(|f| f.kind == FrameKind::Footer);
    // A small reel needs no indices, and a file with one in it is read frame by frame.
    let needs_none = |footer: &Found| reader.body(footer).is_ok_and(index::lists_nothing);
    if let Some(footer) = footers().next()
        && index::layout(reader.data()).is_none()
        && !footers().any(needs_none)
    {
        say(footer, "expected indices that cover the reel up to here, found others".to_owned());
    }
    for frame in layout.frames.iter().filter(|f| f.kind == FrameKind::Index) {
        let of_reel = |f: &&Found| f.part == frame.part;
        let start = layout.frames.iter().find(of_reel).map_or(0, |f| f.offset);
        match reader.body(frame).and_then(|body| index::told(body, start)) {
            Ok(told) => {
                let other = told.iter().find(|t| !is_true(reader, layout, frame.part, t));
                if let Some(told) = other {
                    say(frame, format!("expected what it tells of frame {}, found another", told.frame.number));
                }
            }
            Err(what) => say(frame, what),
        }
    }
    for segment in reader.segment_list() {
        let Some(close) = segment.info.close else { continue };
        let place = (segment.info.part, segment.info.number);
        let found = [segment.info.batches.len() as u64, segment.info.rows(), segment.dictionaries.len() as u64];
        let wanted = [u64::from(close.batches), close.rows, u64::from(close.dictionaries)];
        let frame = layout.frames.iter().find(|f| f.kind == FrameKind::Close && (f.part, f.segment) == place);
        if let Some(frame) = frame.filter(|_| found != wanted) {
            say(frame, format!("expected {}, found {}", counts(wanted), counts(found)));
        }
    }
    rosters(reader, layout, &mut say);
    durations(reader, layout, &mut say);
    numbers(reader, layout, say);
}

/// Whether indices tell of the threads that the dictionaries have.
fn rosters(reader: &Reader, layout: &Layout, say: &mut impl FnMut(&Found, String)) {
    for (index, segment) in reader.segment_list().iter().enumerate() {
        let (Some(roster), Ok(dict)) = (reader.roster(index), reader.dict(index)) else { continue };
        let place = (segment.info.part, segment.info.number);
        let frame = layout.frames.iter().rfind(|f| f.kind == FrameKind::Index && (f.part, f.segment) == place);
        if let Some(frame) = frame.filter(|_| !roster.agrees_with(&dict)) {
            say(frame, "expected the threads of the segment's dictionary, found others".to_owned());
        }
    }
}

fn counts([batches, rows, dictionaries]: [u64; 3]) -> String {
    format!("{batches} batches, {rows} rows and {dictionaries} dictionaries")
}

/// Whether a frame and its head are as an index tells.
fn is_true(reader: &Reader, layout: &Layout, part: u32, told: &index::Told) -> bool {
    let wanted = Found { part, ..told.frame };
    let found = layout.position(part, wanted.number);
    let Some(found) = found.map(|i| &layout.frames[i]).filter(|f| **f == wanted) else { return false };
    let Some(head) = reader.head_of(found) else { return told.head.is_none() };
    let schema = reader.segment_list().iter().find(|s| (s.info.part, s.info.number) == (part, found.segment));
    schema.and_then(|s| s.info.schema.as_deref()).is_none_or(|schema| told.head(schema) == Some(head))
}

/// Whether indices tell what the durations of batches come to.
fn durations(reader: &Reader, layout: &Layout, say: &mut impl FnMut(&Found, String)) {
    for frame in layout.frames.iter().filter(|f| f.kind == FrameKind::Index) {
        let is_other = |(number, list): &(u32, Vec<u8>)| !are_true(reader, layout, (frame.part, *number), list);
        match reader.body(frame).and_then(index::durations).map(|told| told.into_iter().find(is_other)) {
            Ok(None) => {}
            Ok(Some((number, _))) => say(frame, format!("expected the durations of frame {number}, found others")),
            Err(what) => say(frame, what),
        }
    }
}

/// Whether the durations of a batch are as an index tells; `(part, number)` of its frame.
fn are_true(reader: &Reader, layout: &Layout, (part, number): (u32, u32), list: &[u8]) -> bool {
    let batch = || {
        let (segment, at) = reader.batch_at(layout.frames.get(layout.position(part, number)?)?)?;
        reader.batch(segment, at, Arc::new(Dict::new())).ok()
    };
    // A batch whose schema or directory is lost has been told of.
    let Some(batch) = batch() else { return true };
    let is = |kind, told| batch.duration(kind).is_ok_and(|rows| DurationSum::of(rows) == Some(told));
    let has_returned = |kind| batch.flags(kind).is_ok_and(|all| !all.iter().any(|&f| Flags(f).has(Flags::IN_FLIGHT)));
    let told = sums::sums(list, &batch.head().kinds);
    told.is_some_and(|told| told.into_iter().enumerate().all(|(kind, told)| is(kind, told) && has_returned(kind)))
}

/// Whether rows are numbered one after the other; where events were taken out, numbers may be left out, too.
fn numbers(reader: &Reader, layout: &Layout, mut say: impl FnMut(&Found, String)) {
    let mut next = (0, None);
    for frame in layout.frames.iter().filter(|f| f.kind == FrameKind::Batch) {
        let Some(head) = reader.head_of(frame) else { continue };
        if next.0 != frame.part {
            next = (frame.part, None);
        }
        let header = reader.headers().get(frame.part as usize);
        let is_pruned = header.and_then(|header| header.pruned.as_ref()).is_some_and(|pruned| pruned.events > 0);
        let follows = |next: u64| next == head.first_num || is_pruned && next < head.first_num;
        if let Some(expected) = next.1.filter(|&next| !follows(next)) {
            say(frame, format!("expected row {expected}, found row {}", head.first_num));
        }
        next.1 = Some(head.first_num.saturating_add(u64::from(head.rows)));
    }
}
