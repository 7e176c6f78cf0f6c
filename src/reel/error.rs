//! What can go wrong with a reel: an [`Error`] ends the request, a [`Damage`] is what was lost and skipped.

use super::frame::FrameKind;
use super::layout::Found;
use crate::batch;
use std::path::PathBuf;

/// Why a reel, or a part of it, cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system said no.
    #[error("{path}: {source}\nhelp: check that the file exists, may be accessed and has room")]
    Io {
        /// The file; `-` is standard input or output.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The disk is full; the file ends at the last whole frame.
    #[error(
        "{path}: expected room for {bytes} bytes at offset {offset:#x}, found a full disk\nhelp: the reel is whole up to there; free some space and record again"
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// Where the frame would have stood.
        offset: u64,
        /// Its size.
        bytes: usize,
    },
    /// There is no frame in it.
    #[error(
        "expected a reel (f5 53 52 4c), found {found}\nhelp: {}",
        if *known { "`-r` reads captures of sysdig and Kubernetes audit logs too, packed or not: this is neither, or only reels are taken here" } else { "a reel is what `sysreel -w` writes; check the file's name" }
    )]
    NotAReel {
        /// What stands at its start.
        found: String,
        /// Whether captures and logs that are imported have this form.
        known: bool,
    },
    /// A directory.
    #[error(
        "{path}: expected reels in the folder, found none\nhelp: name a reel, or a folder with some; folders in it are not looked into"
    )]
    Directory {
        /// Its path.
        path: PathBuf,
    },
    /// Written by a later, incompatible version.
    #[error(
        "expected format version up to {known}, found {found} at offset {offset:#x}\nhelp: read it with the sysreel that wrote it, or a later one"
    )]
    Version {
        /// The newest that this program reads.
        known: u8,
        /// What the frame says.
        found: u8,
        /// Where the frame stands.
        offset: u64,
    },
    /// A frame's body does not hold what its kind calls for.
    #[error("{kind:?} frame at offset {offset:#x}: {what}\nhelp: the rest of the reel can be read")]
    Frame {
        /// Kind of frame.
        kind: FrameKind,
        /// Where it stands.
        offset: u64,
        /// What was expected and what was found.
        what: String,
    },
    /// A batch's directory is damaged.
    #[error("batch at offset {offset:#x}: {source}\nhelp: the rest of the reel can be read")]
    Batch {
        /// Where its frame stands.
        offset: u64,
        /// What is wrong.
        source: batch::Error,
    },
    /// The reel has no such segment or batch.
    #[error("expected a {what} below {count}, found {found}\nhelp: please report this as a bug")]
    Absent {
        /// Segment or batch.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// What was asked for.
        found: usize,
    },
    /// A value cannot be written.
    #[error("{0}\nhelp: this is a limit of the format; record with a shorter snap length or smaller segments")]
    Encode(String),
    /// Frames were written in an order that the format does not have.
    #[error("expected {expected}, found {found}\nhelp: please report this as a bug")]
    Order {
        /// What may stand here.
        expected: &'static str,
        /// What was to be written.
        found: &'static str,
    },
}

/// What kind of damage was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DamageKind {
    /// The file ends inside a frame: its recorder was killed, or the file was cut.
    CutTail,
    /// A frame whose header is damaged; the frames around it tell what it was, and it is read.
    Mended(FrameKind),
    /// Bytes that are no frame; reading went on at the next one.
    Garbage,
    /// Frames are missing: the numbers step.
    Missing,
    /// A frame that stands behind one that was written later; it is read in its place.
    Moved,
    /// A frame that was there before; it is passed over.
    Repeated,
    /// A frame whose body is not what was written.
    Body(FrameKind, String),
    /// The frame before this one is not the one that it was chained to.
    Chain,
    /// A segment's batches cannot be decoded, because the frame that says how is lost.
    Schema,
    /// Frames that are whole, but do not say the same: sums of a Close frame, an index, numbers of rows.
    Contents(FrameKind, String),
}

/// What damage costs, as far as an index or the frames around it tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hit {
    /// First and last segment that it touches.
    pub segments: Option<(u32, u32)>,
    /// First and last row (`evt.num`) that is missing, as far as that is known.
    pub rows: Option<(u64, u64)>,
    /// Whether frames are missing of which nothing tells how many rows they had.
    pub is_open: bool,
}

/// A place where a reel is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Offset in the file.
    pub offset: u64,
    /// What happened.
    pub kind: DamageKind,
    /// Bytes that cannot be used.
    pub lost: u64,
    /// What it costs.
    pub hit: Hit,
    /// Which of the reels in the file.
    pub(super) part: u32,
    /// Numbers of the frames that are missing; to the end where that is not known.
    pub(super) missing: std::ops::Range<u32>,
}

impl Damage {
    /// Damage that no frame is missing for.
    pub(super) fn new(offset: usize, kind: DamageKind, lost: usize) -> Damage {
        Damage { offset: offset as u64, kind, lost: lost as u64, hit: Hit::default(), part: 0, missing: 0..0 }
    }

    /// Whether it says that the body of a frame is not what was written.
    pub(super) fn is_body_of(&self, frame: &Found) -> bool {
        self.offset == frame.offset as u64 && matches!(self.kind, DamageKind::Body(..))
    }
}

impl DamageKind {
    /// What was expected and what was found.
    pub fn what(&self) -> String {
        let what = match self {
            DamageKind::CutTail => "expected a whole frame, found the end of the file",
            DamageKind::Mended(kind) => {
                return format!("{kind:?} frame: its header is damaged; it is read by the frames around it");
            }
            DamageKind::Garbage => "expected a frame, found something else",
            DamageKind::Missing => "expected the next frame, found a later one",
            DamageKind::Moved => "expected the next frame, found one that belongs further ahead",
            DamageKind::Repeated => "expected the next frame, found one for the second time",
            DamageKind::Chain => "expected the hash of the frame before, found another",
            DamageKind::Schema => "expected a segment's schema, found none before its batches",
            DamageKind::Body(kind, what) | DamageKind::Contents(kind, what) => {
                return format!("{kind:?} frame: {what}");
            }
        };
        what.to_owned()
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "offset {:#x}: {} bytes lost: {}", self.offset, self.lost, self.kind.what())?;
        match (&self.kind, self.hit.segments) {
            (DamageKind::Body(FrameKind::Dictionary | FrameKind::Texts, _), Some((segment, _))) => {
                write!(f, " (segment {segment}: no rows are missing, but names and ids that this frame brought are)")
            }
            _ => self.hit.fmt(f),
        }
    }
}

impl std::fmt::Display for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some((first, last)) = self.segments else { return Ok(()) };
        if first == last {
            write!(f, " (segment {first}: ")?;
        } else {
            write!(f, " (segments {first}–{last}: ")?;
        }
        match (self.rows, self.is_open) {
            (None, false) => f.write_str("no rows are missing)"),
            (None, true) => f.write_str("how many rows are missing is not known)"),
            (Some((from, _)), true) => write!(f, "rows from {from} on are missing)"),
            (Some((from, to)), false) if from == to => write!(f, "row {from} is missing)"),
            (Some((from, to)), false) => write!(f, "rows {from}–{to} are missing)"),
        }
    }
}
