//! A batch: up to 65,536 events as columns beside the dictionary rows they refer to.
//!
//! [`Columns`] is a batch being built or taken apart, [`Batch`] is one being asked: its columns are decoded
//! when a question first names them, so that a reel's other columns are never paged in.

mod asked;
mod builder;
mod carried;
mod change;
pub mod codec;
mod columns;
mod events;
mod head;
mod known;
mod retain;
mod row;
mod schema;
mod share;
mod sums;
mod told;
mod whole;

pub use asked::{Batch, DataRun, Origin, Store};
pub use builder::Builder;
pub use carried::{Carried, NOT_CARRIED};
pub use change::{Change, NewValue};
pub use codec::{Encoded, Encoder, StoredBatch};
pub use columns::{Columns, DataColumn, MAX_KINDS, MAX_ROWS, Table};
pub use head::{Head, KindRows, RowOrder, Runs};
pub use known::Known;
pub use row::Row;
pub use schema::{KindInfo, ParamInfo, Schema};
pub use share::Share;
pub use sums::DurationSum;
pub use told::is_told_by_rows;

/// Why a column could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{column}: expected {expected}, found {found}")]
pub struct Error {
    /// Which column.
    pub column: &'static str,
    /// What the encoding calls for.
    pub expected: String,
    /// What stands there.
    pub found: String,
}
