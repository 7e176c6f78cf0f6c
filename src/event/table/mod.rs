//! THE event table: one literal per kind of event, by family.
//!
//! Numbers are those of the kernel's x86-64 table and of its generic one, which arm64 uses; names and parameters
//! are sysdig's where it has the call.

mod all;
mod descriptor;
mod entry;
mod file;
mod imported;
mod io;
mod ipc;
mod made;
mod memory;
mod net;
mod process;
mod system;
#[cfg(test)]
mod tests;

pub(in crate::event) use all::find;
pub use all::{SPECS, kind_by_name, kind_by_nr};
