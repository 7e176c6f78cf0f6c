//! The reel: frames of bytes in a file, chained by hashes, and back to batches; it knows no filter.
//!
//! A reel only ever grows by whole frames, and each segment can be read alone. So a reader needs no history, and damage
//! costs what it hits. An index makes opening fast, and is believed only where it fits. `docs/format.md` holds the byte-exact layout.

mod body;
mod columns;
mod dictionary;
mod error;
mod frame;
mod images;
mod index;
mod input;
mod late;
mod layout;
mod locate;
mod mend;
mod parts;
mod reader;
mod roll;
mod segment;
mod sums;
mod tail;
mod verify;
mod walk;
mod writer;

#[cfg(test)]
mod tests;

pub use body::{ClockPair, Close, Header, Link, Loss, Note, Pruned, SegmentStart};
pub use error::{Damage, DamageKind, Error, Hit};
pub use frame::{FrameKind, HEADER_BYTES, MAGIC, VERSION};
pub use input::{header_of, is_recorded};
pub use parts::{Aside, Part};
pub use reader::Reader;
pub use segment::{BatchRef, Heads, SegmentInfo};
pub use sums::Durations;
pub use tail::{Tail, Tailed};
pub use verify::Verdict;
pub use writer::{PART, Totals, Writer, part_of};
