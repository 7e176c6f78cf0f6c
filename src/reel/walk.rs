//! Finds the frames of a reel by their headers; steps over damage to the next header that is whole.

use super::error::{Damage, DamageKind};
use super::frame::{FrameHeader, HEADER_BYTES, MAGIC};
use crate::batch::codec::limits::{MAX_BODY, MAX_SMALL_BODY};
use std::ops::Range;

/// Where a first frame is looked for at most, so that a large file of another kind is refused at once. Behind it
/// stands the second frame of a reel whose first one is damaged.
const FIRST_WITHIN: usize = 2 * MAX_SMALL_BODY;

/// A frame and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) header: FrameHeader,
    /// Of the header, in the file.
    pub(super) offset: usize,
}

impl Found {
    /// Where the body stands.
    pub(super) fn body(&self) -> Range<usize> {
        let start = self.offset + HEADER_BYTES;
        start..start + self.header.length as usize
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) frames: Vec<Found>,
    pub(super) damages: Vec<Damage>,
}

/// Walks all frames. Does not touch bodies, except to search for the next frame behind damage.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut walk = Walk::default();
    let mut offset = 0;
    while offset < bytes.len() {
        match next(&bytes[offset..], walk.frames.last()) {
            Some(header) if HEADER_BYTES + header.length as usize <= bytes.len() - offset => {
                walk.step(offset, header);
                offset += HEADER_BYTES + header.length as usize;
            }
            header => {
                let end = resync(bytes, offset + 1, walk.frames.last());
                let kind = if end < bytes.len() || header.is_none() && bytes.len() - offset >= HEADER_BYTES {
                    DamageKind::Garbage
                } else {
                    DamageKind::CutTail
                };
                walk.damages.push(Damage { offset: offset as u64, kind, lost: (end - offset) as u64 });
                offset = end;
            }
        }
    }
    walk
}

impl Walk {
    fn step(&mut self, offset: usize, header: FrameHeader) {
        let expected = self.frames.last().map_or(0, |f| f.header.number.wrapping_add(1));
        let damage_stands_here = self.damages.last().is_some_and(|d| d.offset + d.lost == offset as u64);
        if header.number != expected && !damage_stands_here {
            self.damages.push(Damage { offset: offset as u64, kind: DamageKind::Missing, lost: 0 });
        }
        self.frames.push(Found { header, offset });
    }
}

/// The header at the front of `bytes`, if it is one of this reel and comes after the last one. A reel in the data of
/// another one's events must not be taken for a part of it.
fn next(bytes: &[u8], last: Option<&Found>) -> Option<FrameHeader> {
    FrameHeader::parse(bytes).filter(|header| {
        header.length as usize <= MAX_BODY
            && last.is_none_or(|l| header.reel == l.header.reel && header.number > l.header.number)
    })
}

/// Where the next whole frame begins at or after `from`; the end if there is none.
fn resync(bytes: &[u8], from: usize, last: Option<&Found>) -> usize {
    let fits =
        |at: &usize| next(&bytes[*at..], last).is_some_and(|h| HEADER_BYTES + h.length as usize <= bytes.len() - at);
    let end = if last.is_some() { bytes.len() } else { bytes.len().min(FIRST_WITHIN) };
    let rest = bytes.get(from..end).unwrap_or_default();
    memchr::memmem::find_iter(rest, &MAGIC).map(|at| from + at).find(fits).unwrap_or(bytes.len())
}
