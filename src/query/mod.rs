//! Queries: the operators over batches. Each worker makes partial results of the batches it is given; lines are
//! put in order by their batch, tables are merged at the end. Sums are integers, so that any number of workers
//! gives the same bytes.

mod aggregate;
pub mod choose;
mod group;
mod lines;
#[cfg(test)]
pub(crate) mod made;
mod operator;
mod part;
mod rank;
mod snapshot;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod values;

pub use aggregate::{Aggregate, How};
pub use lines::{Lines, LinesQuery};
pub use operator::{Query, View, Worker};
pub use rank::Span;
pub use snapshot::{Rows, SnapshotQuery, SnapshotWorker, StateColumn};
pub use table::{Key, Order, TableQuery, TableWorker};
pub use tree::{TreeQuery, TreeWorker};
