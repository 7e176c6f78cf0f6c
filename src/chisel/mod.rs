//! Chisels: questions kept in files. A chisel is a filter and an operator, with typed arguments; the ones that
//! come with the program are embedded, and files in the user's directories come first.

mod after;
mod arg;
mod check;
mod error;
mod events;
mod exchange;
mod file;
mod first_seen;
mod library;
mod prepare;
mod sequence;
mod snapshot;
mod story;
mod tables;
mod threshold;
mod tree;
mod view;

pub use after::{After, AroundDef, SaveDef};
pub use arg::{ArgDef, ArgType, Args, split};
pub use error::{Error, Located};
pub use events::{HistogramDef, ListDef, SeriesDef};
pub use exchange::{ExchangeDef, FlameDef};
pub use file::{
    AggregateDef, CaseDef, Chisel, Example, KeyDef, LinesDef, NoteDef, SnapshotDef, StateColumnDef, TableDef, TreeDef,
};
pub use first_seen::FirstSeenDef;
pub use library::Library;
pub use prepare::{Prepared, Style};
pub use sequence::{SequenceDef, StepDef};
pub use story::{HideDef, HistoryDef};
pub use tables::TablePartDef;
pub use threshold::ThresholdDef;
pub use view::{ActionDef, ViewDef};
