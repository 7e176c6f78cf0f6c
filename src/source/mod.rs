//! Where events come from: producers of [`Event`](crate::event::Event)s.

pub mod ebpf;
pub mod proc;
pub mod ptrace;
