//! Live capture without BPF: the command's threads are traced with `ptrace(2)`, two stops for each call.
//!
//! It writes the same records as the eBPF probe, driven by the same table (which data to copy for each call), so the
//! same [`Decoder`](super::ebpf::Decoder) reads them and nothing behind it knows the difference. What differs is what a
//! tracer can see: `docs/ptrace.md`.
//!
//! There is no seccomp filter. One that sends chosen calls to the tracer would make the others cost nothing, but the
//! kernel fails every chosen call with ENOSYS when the tracer is gone, and a filter cannot be taken off: the command
//! would not outlive its recorder. As it is, a recorder that ends or is killed leaves the command running, unharmed.

mod compat;
mod draft;
mod error;
mod exec;
mod items;
mod thread;
mod tracer;

pub use error::Error;
pub use tracer::{Options, Tracer, preflight};
