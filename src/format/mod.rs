//! Foreign formats, one folder each: pure codecs, bytes ↔ what a format says in its own terms.

pub mod scap;
