//! THE field catalogue: every field that filters, formats and chisels can name, one literal each.
//!
//! A field's extractor sees no more than its level offers, so whatever is asked of a thread or a descriptor can be
//! answered once per row of a dictionary and reused for all events that refer to it.

mod about;
mod absent;
mod address;
mod alias;
mod amounts;
mod ancestry;
mod audit;
mod buffer;
mod carried;
mod catalogue;
mod container;
mod context;
mod ends;
mod engine;
mod entered;
mod entry;
mod evt;
mod fd;
mod fspath;
mod info;
mod joined;
mod lineage;
mod moment;
mod path;
mod place;
mod pod;
mod proc;
mod recorded;
mod render;
mod rights;
#[cfg(test)]
pub(crate) mod sample;
mod service;
mod stored;
mod syslog;
#[cfg(test)]
mod tests;
mod user;

pub use absent::{Absent, absent_field, absent_fields};
pub use alias::{Alias, aliases};
pub use carried::{Carry, carries};
pub use catalogue::{Error, all, lookup, lookup_prefix};
pub use context::{BufferFormat, Context, TimeFormat};
pub use entry::{ArgRule, Column, DataForm, Extract, Field, FieldArg, FieldRef, Level, OfKind, OfText};
pub use fd::{desc_name, type_word};
pub use info::InfoPlan;
pub use joined::{Join, joins};
pub use render::{write_fd_name, write_info, write_outputtime, write_value};
pub use stored::{ById, MOST_IDS, Stored};
