//! [`Query`]: any operator, with its partial results.

use super::{
    Lines, LinesQuery, Rows, SnapshotQuery, SnapshotWorker, Span, TableQuery, TableWorker, TreeQuery, TreeWorker,
};
use crate::batch::{Batch, Error};
use crate::field::{Context, FieldRef};
use crate::filter::Selection;
use crate::report::Report;
use std::any::Any;
use std::sync::Arc;

/// An operator.
#[derive(Clone)]
pub enum Query {
    /// Nothing is asked; events are only counted by who reads them.
    Nothing,
    /// Each matching event, formatted.
    Lines(LinesQuery),
    /// Group by, aggregate, sort, top.
    Table(TableQuery),
    /// The processes of the recording below each other.
    Tree(TreeQuery),
    /// Rows of a state, a column for each field; only within [`Query::State`].
    Snapshot(SnapshotQuery),
    /// Any operator over the rows of the world at a moment instead of events.
    State(Rows, Box<Query>),
    /// One that stands in a file of its own and says everything at the end.
    Other(Arc<dyn AnyOperator>),
}

/// An operator that keeps something of each batch and says everything at the end.
///
/// Batches come to workers in any order, and to any number of them: what [`Operator::finish`] makes of the partial
/// results must not depend on that.
pub trait Operator: Send + Sync + 'static {
    /// What one worker keeps between batches.
    type Partial: Default + Send + 'static;

    /// A worker that has seen nothing.
    fn begin(&self) -> Self::Partial {
        Self::Partial::default()
    }

    /// Calls `each` for every field that it names.
    fn fields(&self, each: &mut dyn FnMut(&FieldRef));

    /// The amounts that it tells as a table without times and numbers of events, so that they can be held against those of
    /// another recording; `None`: it has none.
    fn as_table(&self) -> Option<TableQuery> {
        None
    }

    /// Takes the selected rows of a batch; on an error nothing of it.
    fn add(
        &self,
        partial: &mut Self::Partial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error>;

    /// The report of all workers.
    fn finish(&self, partials: Vec<Self::Partial>, span: Span, notes: Vec<String>) -> Report;
}

/// An [`Operator`] whatever it keeps.
pub trait AnyOperator: Send + Sync {
    /// See [`Operator::begin`].
    fn begin_any(&self) -> Box<dyn Any + Send>;

    /// See [`Operator::fields`].
    fn fields_any(&self, each: &mut dyn FnMut(&FieldRef));

    /// See [`Operator::as_table`].
    fn table_any(&self) -> Option<TableQuery>;

    /// See [`Operator::add`].
    fn add_any(&self, partial: &mut dyn Any, batch: &Batch, selection: &Selection, view: View<'_>)
    -> Result<(), Error>;

    /// See [`Operator::finish`].
    fn finish_any(&self, partials: Vec<Box<dyn Any + Send>>, span: Span, notes: Vec<String>) -> Report;
}

impl<T: Operator> AnyOperator for T {
    fn begin_any(&self) -> Box<dyn Any + Send> {
        Box::new(self.begin())
    }

    fn fields_any(&self, each: &mut dyn FnMut(&FieldRef)) {
        self.fields(each);
    }

    fn table_any(&self) -> Option<TableQuery> {
        self.as_table()
    }

    fn add_any(
        &self,
        partial: &mut dyn Any,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        // Whoever asks keeps each operator's partial results beside it.
        partial.downcast_mut::<T::Partial>().map_or(Ok(()), |partial| self.add(partial, batch, selection, view))
    }

    fn finish_any(&self, partials: Vec<Box<dyn Any + Send>>, span: Span, notes: Vec<String>) -> Report {
        let own = |partial: Box<dyn Any + Send>| partial.downcast::<T::Partial>().ok().map(|partial| *partial);
        self.finish(partials.into_iter().filter_map(own).collect(), span, notes)
    }
}

/// What one worker keeps between batches.
pub enum Worker {
    /// Nothing.
    Stateless,
    /// Groups so far.
    Table(Box<TableWorker>),
    /// Rows so far.
    Snapshot(SnapshotWorker),
    /// Processes so far.
    Tree(Box<TreeWorker>),
    /// Whatever the operator keeps.
    Other(Box<dyn Any + Send>),
}

/// How one batch is to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Facts of the capture and of the question.
    pub ctx: &'a Context,
    /// Whether calls in flight count in tables: only where their completion cannot be part of the question.
    pub in_flight: bool,
    /// The most lines made of this batch.
    pub limit: u64,
}

impl Query {
    /// The rows it is about, if it asks about a state and not about events.
    pub fn of_state(&self) -> Option<Rows> {
        if let Query::State(rows, _) = self { Some(*rows) } else { None }
    }

    /// Calls `each` for every field that it names.
    pub fn for_each_field(&self, each: &mut dyn FnMut(&FieldRef)) {
        match self {
            Query::Nothing => {}
            Query::Lines(lines) => {
                lines.template.fields().for_each(&mut *each);
                lines.indent.iter().for_each(&mut *each);
                lines.data.iter().for_each(|data| each(&data.field));
                for (condition, template) in &lines.cases {
                    condition.fields().into_iter().for_each(&mut *each);
                    template.fields().for_each(&mut *each);
                }
            }
            Query::Table(table) => table.for_each_field(each),
            Query::Tree(tree) => {
                each(&tree.label);
                tree.table.for_each_field(each);
            }
            Query::Snapshot(snapshot) => snapshot.columns.iter().for_each(|column| {
                each(&column.field);
                column.or.iter().for_each(&mut *each);
            }),
            Query::State(_, query) => query.for_each_field(each),
            Query::Other(operator) => operator.fields_any(each),
        }
    }

    /// What it says as a table of amounts, see [`Operator::as_table`]; `None`: it cannot be said so.
    pub fn as_table(&self) -> Option<TableQuery> {
        match self {
            Query::Table(table) => Some(table.clone()),
            Query::Tree(tree) => Some(tree.as_table()),
            Query::Other(operator) => operator.table_any(),
            Query::Nothing | Query::Lines(_) | Query::Snapshot(_) | Query::State(..) => None,
        }
    }

    /// Whether an answer looks into dictionaries.
    pub fn needs_dict(&self) -> bool {
        match self {
            Query::Nothing => false,
            Query::Table(table) => table.needs_dict(),
            _ => true,
        }
    }

    /// A worker that has seen nothing.
    pub fn worker(&self) -> Worker {
        match self {
            Query::Nothing | Query::Lines(_) => Worker::Stateless,
            Query::Table(table) => Worker::Table(Box::new(table.worker())),
            Query::Snapshot(_) => Worker::Snapshot(SnapshotWorker::default()),
            Query::State(_, query) => query.worker(),
            Query::Tree(tree) => Worker::Tree(Box::new(tree.worker())),
            Query::Other(operator) => Worker::Other(operator.begin_any()),
        }
    }

    /// Takes the selected rows of a batch: lines come back, to be put in the order of batches; tables stay with the
    /// worker. On an error nothing of the batch was taken.
    pub fn partial(
        &self,
        worker: &mut Worker,
        batch: &Batch,
        selection: &Selection,
        view: View,
    ) -> Result<Lines, Error> {
        match (self, worker) {
            (Query::Lines(lines), _) => lines.lines(batch, selection, view.ctx, view.limit),
            (Query::Table(_), Worker::Table(table)) => {
                table.add(batch, selection, view.in_flight, view.ctx).map(|()| Lines::default())
            }
            (Query::Snapshot(query), Worker::Snapshot(rows)) => {
                query.add(rows, batch, selection, view.ctx).map(|()| Lines::default())
            }
            (Query::Tree(query), Worker::Tree(tree)) => {
                query.add(tree, batch, selection, view.in_flight, view.ctx).map(|()| Lines::default())
            }
            (Query::Other(operator), Worker::Other(partial)) => {
                operator.add_any(partial.as_mut(), batch, selection, view).map(|()| Lines::default())
            }
            (Query::State(_, query), worker) => query.partial(worker, batch, selection, view),
            _ => Ok(Lines::default()),
        }
    }

    /// The report of all workers; `None` for operators that say everything in lines.
    pub fn finish(&self, workers: Vec<Worker>, span: Span, notes: Vec<String>) -> Option<Report> {
        match self {
            Query::Nothing | Query::Lines(_) => None,
            Query::Table(table) => {
                let of_table = |w| if let Worker::Table(table) = w { Some(*table) } else { None };
                let workers: Vec<TableWorker> = workers.into_iter().filter_map(of_table).collect();
                Some(table.finish(&workers, span, notes))
            }
            Query::Snapshot(query) => {
                let of_snapshot = |w| if let Worker::Snapshot(rows) = w { Some(rows) } else { None };
                Some(query.finish(workers.into_iter().filter_map(of_snapshot).collect(), notes))
            }
            Query::Tree(query) => {
                let of_tree = |w| if let Worker::Tree(tree) = w { Some(*tree) } else { None };
                Some(query.finish(workers.into_iter().filter_map(of_tree).collect(), span, notes))
            }
            Query::Other(operator) => {
                let of_other = |w| if let Worker::Other(partial) = w { Some(partial) } else { None };
                Some(operator.finish_any(workers.into_iter().filter_map(of_other).collect(), span, notes))
            }
            Query::State(_, query) => query.finish(workers, span, notes),
        }
    }
}
