//! [`TablesQuery`]: several tables of the same events, each of some of them: what belongs to one story stands in one report.

use super::{Operator, Span, TableQuery, TableWorker, View};
use crate::batch::{Batch, Error};
use crate::field::{Context, FieldRef};
use crate::filter::{Filter, Memo, Selection};
use crate::report::{Cell, Column, Report, Table};
use crate::value::Type;

/// One of the tables.
#[derive(Clone)]
pub struct TablePart {
    /// Heading over it.
    pub title: String,
    /// Only of events for which this holds.
    pub filter: Option<Filter>,
    /// What it says of them.
    pub table: TableQuery,
}

impl TablePart {
    /// Moments are grouped by as numbers, and shown as people read them.
    fn show_times(&self, table: &mut Table, ctx: &Context) {
        let first = self.table.values.len();
        for (place, key) in self.table.keys.iter().enumerate().filter(|(_, key)| key.field.ty == Type::Time) {
            if let Some(column) = table.columns.get_mut(first + place) {
                *column = Column::text(&key.name);
            }
            for cell in table.rows.iter_mut().filter_map(|row| row.get_mut(first + place)) {
                if let Cell::Uint(time) = *cell {
                    *cell = super::part::moment(time, ctx);
                }
            }
        }
    }
}

/// Partial results of each table.
#[derive(Default)]
pub struct TablesPartial {
    workers: Vec<(Memo, TableWorker)>,
    ctx: Option<Context>,
}

/// Several tables of the same events.
#[derive(Clone)]
pub struct TablesQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// The tables, in order.
    pub parts: Vec<TablePart>,
}

impl Operator for TablesQuery {
    type Partial = TablesPartial;

    fn begin(&self) -> Self::Partial {
        let workers = self.parts.iter().map(|part| (Memo::default(), part.table.worker())).collect();
        TablesPartial { workers, ctx: None }
    }

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        for part in &self.parts {
            part.filter.iter().flat_map(Filter::fields).for_each(&mut *each);
            part.table.for_each_field(each);
        }
    }

    fn add(
        &self,
        partial: &mut Self::Partial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        for (part, (memo, worker)) in self.parts.iter().zip(&mut partial.workers) {
            let mut selection = selection.clone();
            if let Some(filter) = &part.filter {
                if !filter.may_match(memo, batch.head(), batch.schema(), batch.dict()) {
                    continue;
                }
                selection.intersect(filter.select(memo, batch, view.ctx)?);
            }
            worker.add(batch, &selection, view.in_flight, view.ctx)?;
        }
        partial.ctx = Some(*view.ctx);
        Ok(())
    }

    fn finish(&self, partials: Vec<Self::Partial>, span: Span, notes: Vec<String>) -> Report {
        let ctx = partials.iter().find_map(|partial| partial.ctx).unwrap_or_default();
        let mut workers: Vec<Vec<TableWorker>> = self.parts.iter().map(|_| Vec::new()).collect();
        for partial in partials {
            workers.iter_mut().zip(partial.workers).for_each(|(all, (_, worker))| all.push(worker));
        }
        let mut report =
            Report { title: self.title.clone(), about: self.about.clone(), notes: notes.clone(), ..Report::default() };
        for (part, workers) in self.parts.iter().zip(&workers) {
            let mut said = part.table.finish(workers, span, notes.clone());
            for table in &mut said.tables {
                part.title.clone_into(&mut table.title);
                part.show_times(table, &ctx);
            }
            report.tables.append(&mut said.tables);
            let more: Vec<String> = said.notes.into_iter().filter(|note| !report.notes.contains(note)).collect();
            report.notes.extend(more);
        }
        report
    }
}
