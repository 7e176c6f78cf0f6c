//! Live capture by the eBPF probe (`probe/probe.bpf.c`).
//!
//! [`Probe`] loads and attaches it, [`Drain`] copies its records out of the kernel's rings in time order, and
//! [`Decoder`] turns them into events. The last two do not touch each other, so they can run on two threads with
//! [`Block`]s passed between them.

mod block;
mod compat;
mod decoder;
mod drain;
mod error;
mod object;
mod plan;
mod preflight;
mod probe;
mod record;

pub use block::{BLOCK_BYTES, Block};
pub use decoder::{Decoder, Incoming};
pub use drain::{Drain, Round};
pub use error::Error;
pub use plan::Plans;
pub(super) use plan::ROW;
pub use preflight::preflight;
pub use probe::{Options, Probe, Verdicts};
pub(super) use record::UNKNOWN;
