//! What happened: [`Event`], and THE event table ([`SPECS`]), one literal per kind of event.

mod audit;
mod flags;
mod happening;
pub mod kinds;
mod owned;
mod spec;
mod table;

pub use audit::{AuditFault, AuditPart, STREAMS, Splitter, Taken, audit_head, is_stream, join_audit, write_audit_id};
pub use flags::{errno_name, errno_names, errno_text, flag_table, signal_name};
pub use happening::{Arg, Args, Event, Flags, MAX_ARGS};
pub use owned::{OwnedArg, OwnedEvent};
pub use spec::{
    Category, Class, Facts, FlagTable, From, Kind, KindFlags, MessagePart, Param, ParamType, Ret, Spec, When,
};
pub use table::{SPECS, kind_by_name, kind_by_nr};
