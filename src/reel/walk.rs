//! Finds the frames of a reel by their headers; steps over damage to the next header that is whole.

use super::error::{Damage, DamageKind};
use super::frame::{FrameHeader, FrameKind, HEADER_BYTES, MAGIC};
use super::layout::{Found, Layout};
use super::mend::header_between;
use crate::batch::codec::limits::{MAX_BODY, MAX_SMALL_BODY};
use std::collections::BTreeMap;

/// Where a first frame is looked for at most, so that a large file of another kind is refused at once. Behind it
/// stands the second frame of a reel whose first one is damaged.
const FIRST_WITHIN: usize = 2 * MAX_SMALL_BODY;

/// How a frame continues what was found before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It comes after all others.
    Next,
    /// It was missing.
    Behind,
    /// It was there before.
    Again,
    /// It begins another reel, behind one that has ended.
    NewReel,
}

/// Walks all frames. Touches bodies only to search for the next frame behind damage, and of frames out of their order.
pub(super) fn walk(bytes: &[u8]) -> Layout {
    let mut walk = Walk {
        bytes,
        layout: Layout::default(),
        greatest: None,
        missing: BTreeMap::new(),
        part_start: (0, 0),
        last: None,
        clean: true,
        in_order: true,
        budget: bytes.len().saturating_mul(2),
        guesses: bytes.len().saturating_mul(8),
    };
    let mut offset = 0;
    loop {
        if offset < bytes.len() {
            offset = walk.step(offset);
        } else if let Some((at, header, place)) = walk.covered(offset) {
            offset = walk.take(at, header, place);
        } else {
            break;
        }
    }
    walk.end_reel();
    walk.layout.damages.sort_by_key(|d| d.offset);
    walk.layout
}

struct Walk<'a> {
    bytes: &'a [u8],
    layout: Layout,
    /// Greatest frame number of this reel so far.
    greatest: Option<u32>,
    /// Numbers below it that were not met: start and end of each run.
    missing: BTreeMap<u32, u32>,
    /// Index of this reel's first frame, and where the reel begins.
    part_start: (usize, usize),
    /// The frame that was taken last, if nothing has been looked for in its body.
    last: Option<(usize, FrameHeader)>,
    /// Whether a frame ends where the next is looked for.
    clean: bool,
    in_order: bool,
    /// Bytes that may still be hashed to tell frames of this reel from copies in its data.
    budget: usize,
    /// Bytes that may still be hashed to make out damaged headers.
    guesses: usize,
}

impl Walk<'_> {
    /// Takes the frame at `offset`, or else the next one behind it; returns where that ends.
    fn step(&mut self, offset: usize) -> usize {
        let here = self.place(offset);
        let before = self.last.map(|(_, header)| header);
        let whole = here.filter(|(h, _)| self.fits(offset, h));
        if !whole.is_some_and(|(h, place)| self.follows(&h, place))
            && let Some((at, header, place)) = self.covered(offset)
        {
            return self.take(at, header, place);
        }
        if let Some((header, place)) = whole {
            return self.take(offset, header, place);
        }
        let next = self.resync(offset + 1, self.bytes.len());
        let end = next.map_or(self.bytes.len(), |n| n.0);
        if let (Some((at, behind, _)), Some(before)) = (next, before)
            && self.greatest == Some(before.number)
            && let Some(header) = header_between(&self.bytes[offset..at], &before, &behind, &mut self.guesses)
        {
            self.damage(offset, DamageKind::Mended(header.kind), 0);
            self.layout.mended.insert(offset, header);
            return self.take(offset, header, Place::Next);
        }
        let is_cut = next.is_none() && (here.is_some() || end - offset < HEADER_BYTES);
        let kind = if is_cut { DamageKind::CutTail } else { DamageKind::Garbage };
        self.damage(offset, kind, end - offset);
        match next {
            Some((at, header, place)) => self.take(at, header, place),
            None => end,
        }
    }

    /// Whether a frame is the one that was written behind the last one.
    fn follows(&self, header: &FrameHeader, place: Place) -> bool {
        let is_next = |(_, last): &(usize, FrameHeader)| header.number == last.number.wrapping_add(1);
        place == Place::NewReel || self.last.as_ref().is_none_or(is_next)
    }

    /// The first frame that begins before the last one's `end`, if that one's body is not what was written: where bytes
    /// were taken out of it, its length reaches over the frames behind it.
    fn covered(&mut self, end: usize) -> Option<(usize, FrameHeader, Place)> {
        let (offset, header) = self.last.take().filter(|(_, h)| h.kind != FrameKind::Footer)?;
        if self.is_genuine(offset, &header) {
            return None;
        }
        let body = offset + HEADER_BYTES;
        let found = self.resync(offset + 1, end);
        self.clean = found.is_none();
        let (at, ..) = found.as_ref()?;
        let (length, left) = (header.length, at.saturating_sub(body));
        let what = format!("expected {length} bytes, found the next frame behind {left}");
        self.damage(offset, DamageKind::Body(header.kind, what), left);
        found
    }

    fn damage(&mut self, offset: usize, kind: DamageKind, lost: usize) {
        self.layout.damages.push(Damage { part: self.part(), ..Damage::new(offset, kind, lost) });
    }

    fn part(&self) -> u32 {
        self.layout.ids.len().saturating_sub(1) as u32
    }

    fn fits(&self, offset: usize, header: &FrameHeader) -> bool {
        HEADER_BYTES + header.length as usize <= self.bytes.len() - offset
    }

    /// The header at `offset` and how its frame continues the others, if it is one of this reel. A reel in the data of
    /// another one's events must not be taken for a part of it, and a copy of this one in its own data not for it.
    fn place(&mut self, offset: usize) -> Option<(FrameHeader, Place)> {
        let header = FrameHeader::parse(&self.bytes[offset..]).filter(|h| h.length as usize <= MAX_BODY)?;
        let Some(id) = self.layout.ids.last() else { return Some((header, Place::Next)) };
        if header.reel != *id {
            let begins = header.kind == FrameKind::Header && header.number == 0;
            return (begins && self.clean && self.has_ended()).then_some((header, Place::NewReel));
        }
        if self.greatest.is_none_or(|greatest| header.number > greatest) {
            return Some((header, Place::Next));
        }
        let was_missing = self.missing_run(header.number).is_some();
        if (was_missing || !self.clean) && !self.is_genuine(offset, &header) {
            return None;
        }
        Some((header, if was_missing { Place::Behind } else { Place::Again }))
    }

    /// Whether the last frame is one that a reel may end with.
    fn has_ended(&self) -> bool {
        let ends = [FrameKind::Footer, FrameKind::Close, FrameKind::Index, FrameKind::Note];
        self.layout.frames.last().is_some_and(|f| ends.contains(&f.kind))
    }

    fn missing_run(&self, number: u32) -> Option<(u32, u32)> {
        let (&start, &end) = self.missing.range(..=number).next_back()?;
        (number < end).then_some((start, end))
    }

    fn is_genuine(&mut self, offset: usize, header: &FrameHeader) -> bool {
        let start = offset + HEADER_BYTES;
        let Some(body) = self.bytes.get(start..start + header.length as usize) else { return false };
        if body.len() > self.budget {
            return false;
        }
        self.budget -= body.len();
        header.matches(body)
    }

    /// Notes a frame that is whole as far as its header tells; returns where it ends.
    fn take(&mut self, offset: usize, header: FrameHeader, place: Place) -> usize {
        let end = offset + HEADER_BYTES + header.length as usize;
        self.clean = true;
        self.last = Some((offset, header));
        if place == Place::NewReel {
            self.end_reel();
            self.part_start = (self.layout.frames.len(), offset);
        }
        if self.layout.ids.is_empty() || place == Place::NewReel {
            self.layout.ids.push(header.reel);
        }
        match place {
            Place::Next | Place::NewReel => {
                let expected = self.greatest.map_or(0, |greatest| greatest + 1);
                if header.number > expected {
                    self.missing.insert(expected, header.number);
                }
                self.greatest = Some(header.number);
            }
            Place::Behind => {
                self.found(header.number);
                self.in_order = false;
                // A run of frames was moved as one.
                if self.layout.frames.last().is_none_or(|last| last.number.wrapping_add(1) != header.number) {
                    self.damage(offset, DamageKind::Moved, 0);
                }
            }
            Place::Again => {
                self.damage(offset, DamageKind::Repeated, end - offset);
                return end;
            }
        }
        let part = self.part();
        self.layout.frames.push(Found::of(&header, offset, part));
        end
    }

    /// Takes a number out of those that are missing.
    fn found(&mut self, number: u32) {
        if let Some((start, end)) = self.missing_run(number) {
            self.missing.remove(&start);
            if start < number {
                self.missing.insert(start, number);
            }
            if number + 1 < end {
                self.missing.insert(number + 1, end);
            }
        }
    }

    /// The next whole frame that begins at or after `from` and before `end`, if there is one.
    fn resync(&mut self, from: usize, end: usize) -> Option<(usize, FrameHeader, Place)> {
        self.clean = false;
        let bytes = self.bytes;
        let end = bytes.len().min(end.saturating_add(MAGIC.len() - 1));
        let end = if self.layout.ids.is_empty() { end.min(FIRST_WITHIN) } else { end };
        let rest = bytes.get(from..end).unwrap_or_default();
        let mut candidates = memchr::memmem::find_iter(rest, &MAGIC).map(|at| from + at);
        candidates.find_map(|at| {
            let (header, place) = self.place(at)?;
            self.fits(at, &header).then_some((at, header, place))
        })
    }

    /// Says which frames of the reel are missing, with the damage that stands in their place.
    fn end_reel(&mut self) {
        let (first, start) = self.part_start;
        let part = self.part();
        if !self.in_order {
            self.layout.frames[first..].sort_by_key(|f| f.number);
        }
        let frames = &self.layout.frames[first..];
        let damages = &mut self.layout.damages;
        let mut lost: BTreeMap<usize, usize> = BTreeMap::new();
        for (i, damage) in damages.iter().enumerate().filter(|(_, d)| d.part == part) {
            if matches!(damage.kind, DamageKind::Garbage | DamageKind::CutTail) {
                lost.insert(damage.offset as usize, i);
            }
        }
        for (&from, &to) in &self.missing {
            let before = frames.partition_point(|f| f.number < from).checked_sub(1);
            let here = before.and_then(|i| frames[i].end()).unwrap_or(start);
            let next = frames.get(before.map_or(0, |i| i + 1)).map_or(here, |f| f.offset);
            let between = if here <= next { lost.range(here..=next).next() } else { None };
            if let Some((_, &i)) = between {
                damages[i].missing = from..to;
            } else {
                let damage = Damage::new(next, DamageKind::Missing, 0);
                damages.push(Damage { part, missing: from..to, ..damage });
            }
        }
        // Nothing tells how many frames stood behind the last one.
        if let (Some(greatest), Some((&at, &i))) = (self.greatest, lost.last_key_value())
            && frames.iter().all(|f| f.offset < at)
        {
            damages[i].missing = greatest.saturating_add(1)..u32::MAX;
        }
        (self.greatest, self.in_order) = (None, true);
        self.missing.clear();
    }
}
