//! The pipelines: record, watch, play.

mod assembler;

pub use assembler::{Assembler, Lost, Piece, SegmentLimits};
