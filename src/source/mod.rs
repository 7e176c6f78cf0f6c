//! Where events come from: producers of [`Event`](crate::event::Event)s.

pub mod audit;
#[cfg(feature = "linux")]
pub mod ebpf;
#[cfg(feature = "linux")]
pub mod proc;
#[cfg(feature = "linux")]
pub mod ptrace;
pub mod scap;
