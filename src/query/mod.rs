//! Queries: the operators over batches. Each worker makes partial results of the batches it is given; lines are
//! put in order by their batch, tables are merged at the end. Sums are integers, so that any number of workers
//! gives the same bytes.

mod aggregate;
mod by_column;
pub mod choose;
mod decode;
mod exchange;
mod first_seen;
mod flame;
mod group;
mod histogram;
mod history;
mod lines;
mod list;
#[cfg(test)]
pub(crate) mod made;
mod operator;
mod part;
mod quantile;
mod rank;
mod sequence;
mod series;
mod snapshot;
mod table;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_others;
mod threshold;
mod tree;
mod values;

pub use aggregate::{Aggregate, How};
pub use decode::Protocol;
pub use exchange::{ExchangeQuery, Sum};
pub use first_seen::FirstSeenQuery;
pub use flame::FlameQuery;
pub use histogram::{Buckets, HistogramQuery};
pub use history::{Hidden, HistoryQuery};
pub use lines::{LineData, Lines, LinesQuery};
pub use list::ListQuery;
pub use operator::{AnyOperator, Operator, Query, View, Worker};
pub use rank::Span;
pub use sequence::{SequenceQuery, Step};
pub use series::SeriesQuery;
pub use snapshot::{Rows, SnapshotQuery, SnapshotWorker, StateColumn};
pub use table::{Key, Order, TableQuery, TableWorker};
pub use tables::{TablePart, TablesQuery};
pub use threshold::ThresholdQuery;
pub use tree::{TreeQuery, TreeWorker};
