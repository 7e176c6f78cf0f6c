//! [`Query`]: any operator, with its partial results.

use super::{Lines, LinesQuery, Span, TableQuery, TableWorker};
use crate::batch::{Batch, Error};
use crate::field::Context;
use crate::filter::Selection;
use crate::report::Report;

/// An operator.
#[derive(Clone)]
pub enum Query {
    /// Nothing is asked; events are only counted by who reads them.
    Nothing,
    /// Each matching event, formatted.
    Lines(LinesQuery),
    /// Group by, aggregate, sort, top.
    Table(TableQuery),
}

/// What one worker keeps between batches.
pub enum Worker {
    /// Nothing.
    Stateless,
    /// Groups so far.
    Table(Box<TableWorker>),
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
    /// A worker that has seen nothing.
    pub fn worker(&self) -> Worker {
        match self {
            Query::Nothing | Query::Lines(_) => Worker::Stateless,
            Query::Table(table) => Worker::Table(Box::new(table.worker())),
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
            _ => Ok(Lines::default()),
        }
    }

    /// The report of all workers; `None` for operators that say everything in lines.
    pub fn finish(&self, workers: Vec<Worker>, span: Span, notes: Vec<String>) -> Option<Report> {
        let Query::Table(table) = self else { return None };
        let tables: Vec<TableWorker> = workers
            .into_iter()
            .filter_map(|w| if let Worker::Table(table) = w { Some(*table) } else { None })
            .collect();
        Some(table.finish(&tables, span, notes))
    }
}
