//! [`Layout`]: where the frames of a reel stand, as its indices tell or as a walk finds them.

use super::error::Damage;
use super::frame::{FrameHeader, FrameKind, HEADER_BYTES};
use super::index::Covered;
use std::collections::BTreeMap;
use std::ops::Range;

/// A frame and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: FrameKind,
    /// Bytes of the body.
    pub(super) length: u32,
    pub(super) rows: u32,
    /// Ordinal of the frame in its reel.
    pub(super) number: u32,
    pub(super) segment: u32,
    /// Id of the segment's schema.
    pub(super) schema: u16,
    /// Of the header, in the file.
    pub(super) offset: usize,
    /// Which of the reels that stand in the file one behind the other, from 0.
    pub(super) part: u32,
}

impl Found {
    /// A frame by its header.
    pub(super) fn of(header: &FrameHeader, offset: usize, part: u32) -> Found {
        let FrameHeader { kind, length, rows, number, segment, schema, .. } = *header;
        Found { kind, length, rows, number, segment, schema, offset, part }
    }

    /// Where the body stands.
    pub(super) fn body(&self) -> Range<usize> {
        let start = self.offset + HEADER_BYTES;
        start..start + self.length as usize
    }

    /// Where the frame ends; `None` where no file can reach.
    pub(super) fn end(&self) -> Option<usize> {
        self.offset.checked_add(HEADER_BYTES)?.checked_add(self.length as usize)
    }

    /// Whether a header is this frame's.
    pub(super) fn is(&self, header: &FrameHeader) -> bool {
        *self == Found::of(header, self.offset, self.part)
    }
}

/// Where the frames of a file stand.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// By reel in the file, then by number.
    pub(super) frames: Vec<Found>,
    /// Id of each reel in the file.
    pub(super) ids: Vec<[u8; 8]>,
    /// What the walk met, by offset.
    pub(super) damages: Vec<Damage>,
    /// Whether indices told them, so that their headers have not been looked at.
    pub(super) is_indexed: bool,
    /// Headers that are damaged and were made out, by offset.
    pub(super) mended: BTreeMap<usize, FrameHeader>,
    /// What Index frames cover, by index in `frames`, as the Footer says.
    pub(super) spans: BTreeMap<usize, Covered>,
}

impl Layout {
    /// Index of the frame with a number in a reel of the file.
    pub(super) fn position(&self, part: u32, number: u32) -> Option<usize> {
        self.frames.binary_search_by_key(&(part, number), |f| (f.part, f.number)).ok()
    }
}
