//! The pipelines: record, watch, play.

mod assembler;
mod play;
#[cfg(test)]
mod play_tests;
mod reels;
mod request;

pub use assembler::{Assembler, Lost, Piece, SegmentLimits};
pub use play::{Batches, Damaged, Options, Played, Question, play};
pub use reels::Reels;
pub use request::{Record, Watch};
