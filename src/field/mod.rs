//! THE field catalogue: every field that filters, formats and chisels can name, one literal each.
//!
//! A field's extractor sees no more than its level offers, so whatever is asked of a thread or a descriptor can be
//! answered once per row of a dictionary and reused for all events that refer to it.

mod address;
mod amounts;
mod ancestry;
mod catalogue;
mod container;
mod context;
mod ends;
mod entry;
mod evt;
mod fd;
mod fspath;
mod lineage;
mod moment;
mod path;
mod proc;
mod render;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
mod user;

pub use catalogue::{Error, all, lookup, lookup_prefix};
pub use context::{BufferFormat, Context, TimeFormat};
pub use entry::{ArgRule, Column, Extract, Field, FieldArg, FieldRef, Level};
pub use render::{write_info, write_outputtime, write_value};
