//! What happened: [`Event`], and THE event table ([`SPECS`]), one literal per kind of event.

mod event;
mod owned;
mod flags;
pub mod kinds;
mod spec;
mod table;

pub use event::{Arg, Args, Event, Flags, MAX_ARGS};
pub use owned::{OwnedArg, OwnedEvent};
pub use flags::{errno_name, errno_text, flag_table, signal_name};
pub use spec::{Category, Class, FlagTable, From, Kind, KindFlags, Param, ParamType, Ret, Spec};
pub use table::{SPECS, kind_by_name, kind_by_nr};
