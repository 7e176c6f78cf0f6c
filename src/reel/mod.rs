//! The reel: frames of bytes in a file, chained by hashes, and back to batches; it knows no filter.
//!
//! A reel only ever grows by whole frames, and each segment can be read alone. So a reader needs no index and no
//! history, and damage costs what it hits. `docs/format.md` holds the byte-exact layout.

mod body;
mod dictionary;
mod error;
mod frame;
mod input;
mod reader;
mod verify;
mod walk;
mod writer;

#[cfg(test)]
mod tests;

pub use body::{ClockPair, Close, Header, Loss, Note, SegmentStart};
pub use error::{Damage, DamageKind, Error};
pub use frame::{FrameKind, HEADER_BYTES, MAGIC, VERSION};
pub use reader::{BatchRef, Reader, SegmentInfo};
pub use verify::Verdict;
pub use writer::{Totals, Writer};
