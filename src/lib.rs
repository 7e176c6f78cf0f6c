//! `sysreel` records what a Linux node did into one compressed file, a *reel*, and answers questions about it later.
//!
//! `ARCHITECTURE.md` holds the design; its layer list is enforced by `tests/architecture.rs`.

pub mod sys;
pub mod value;

pub mod event;
pub mod report;

pub mod world;

pub mod batch;

pub mod field;
pub mod reel;

pub mod filter;
pub mod template;

pub mod policy;
pub mod query;

pub mod format;

pub mod chisel;
pub mod source;

pub mod engine;

pub mod cli;
