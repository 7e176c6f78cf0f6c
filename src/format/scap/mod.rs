//! scap, the capture format of sysdig and Falco: what its files consist of, and how its terms and ours correspond.
//!
//! `docs/scap.md` says what is kept of a file and what is not.

pub mod block;
mod calls;
pub mod event;
mod kinds;
pub mod meta;
mod plugin;
mod ppm;
pub mod stream;
mod types;
pub mod values;
pub mod write;

pub use calls::{call_code, kind_of_call, name_of_call};
pub use event::RawEvent;
pub use kinds::{Side, enter_type, exit_type, kind_of, our_name, same_family, their_name};
pub use plugin::{AUDIT_PLUGIN, is_audit_plugin};
pub use ppm::{Conversion, VALUES, kept_bits};
pub use types::{EventType, Param, TYPES, Wire, event_type};
