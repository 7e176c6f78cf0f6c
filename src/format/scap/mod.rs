//! scap, the capture format of sysdig and Falco: what its files consist of, and how its terms and ours correspond.
//!
//! `docs/scap.md` says what is kept of a file and what is not.

pub mod block;
mod calls;
mod kinds;
mod ppm;
mod types;

pub use calls::{call_code, kind_of_call, name_of_call};
pub use kinds::{Side, enter_type, exit_type, kind_of, our_name, same_family, their_name};
pub use ppm::{Conversion, VALUES};
pub use types::{EventType, Param, TYPES, Wire, event_type};
