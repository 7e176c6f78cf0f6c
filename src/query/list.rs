//! [`ListQuery`]: matching events as rows of a table, a column for each field, sorted and cut.

use super::{Aggregate, How, Key, Operator, Order, Span, StateColumn, TableQuery, View};
use crate::batch::{Batch, Error};
use crate::event::Flags;
use crate::field::FieldRef;
use crate::filter::Selection;
use crate::report::{Cell, Report, Table, Unit};
use std::cmp::Ordering;

/// Rows that are kept beyond those that will be shown, before the others are thrown away.
const SPARE: usize = 4096;

/// Matching events as rows of a table, a column for each field, sorted and cut.
#[derive(Clone)]
pub struct ListQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// Columns, left to right.
    pub columns: Vec<StateColumn>,
    /// Order of rows; `None`, and among equals: in the order of events.
    pub order: Option<Order>,
    /// The most rows shown.
    pub top: Option<usize>,
}

/// Time of a row, its number, and its cells.
type Kept = (u64, u64, Vec<Cell>);

/// Rows of one worker.
#[derive(Default)]
pub struct ListPartial {
    rows: Vec<Kept>,
}

impl ListQuery {
    fn compare(&self, a: &Kept, b: &Kept) -> Ordering {
        let by_column = self.order.map_or(Ordering::Equal, |order| {
            let ordering = a.2.get(order.column).cmp(&b.2.get(order.column));
            if order.descending { ordering.reverse() } else { ordering }
        });
        by_column.then_with(|| a.cmp(b))
    }

    fn cut(&self, rows: &mut Vec<Kept>) {
        rows.sort_unstable_by(|a, b| self.compare(a, b));
        rows.truncate(self.top.unwrap_or(usize::MAX));
    }
}

impl Operator for ListQuery {
    type Partial = ListPartial;

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        for column in &self.columns {
            each(&column.field);
            column.or.iter().for_each(&mut *each);
        }
    }

    fn as_table(&self) -> Option<TableQuery> {
        // What is of one event alone: its time, its number, its parameters written out.
        let is_single = |field: &str| {
            matches!(field, "evt.num" | "evt.args" | "evt.info" | "evt.buffer")
                || field.starts_with("evt.") && field.contains("time")
        };
        let columns = || self.columns.iter().filter(|column| !is_single(column.field.field.name));
        let aggregate = |name: &str, unit: Unit, how: How, field: Option<FieldRef>| Aggregate {
            name: name.to_owned(),
            unit,
            how,
            field,
            and: Vec::new(),
            only: None,
        };
        let mut values = vec![aggregate("ROWS", Unit::None, How::Count, None)];
        let is_amount = |column: &&StateColumn| column.unit != Unit::None;
        values.extend(columns().filter(is_amount).map(|c| aggregate(&c.name, c.unit, How::Sum, Some(c.field.clone()))));
        let key = |column: &StateColumn| Key { name: column.name.clone(), field: column.field.clone() };
        Some(TableQuery {
            title: self.title.clone(),
            about: self.about.clone(),
            keys: columns().filter(|column| !is_amount(column)).map(key).collect(),
            values,
            order: Order { column: 0, descending: true },
            top: None,
        })
    }

    fn add(
        &self,
        partial: &mut ListPartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        let mut rows = Vec::new();
        selection.for_each_row(batch, |row| {
            if view.in_flight || !row.flags().has(Flags::IN_FLIGHT) {
                let cells = self.columns.iter().map(|c| c.cell(&row, view.ctx)).collect();
                rows.push((row.time(), row.num(), cells));
            }
            if self.top.is_some_and(|top| rows.len() > top.saturating_add(SPARE)) {
                self.cut(&mut rows);
            }
        })?;
        if let Some(error) = batch.damage() {
            return Err(error.clone());
        }
        partial.rows.append(&mut rows);
        if self.top.is_some() {
            self.cut(&mut partial.rows);
        }
        Ok(())
    }

    fn finish(&self, partials: Vec<ListPartial>, _: Span, notes: Vec<String>) -> Report {
        let mut rows: Vec<Kept> = partials.into_iter().flat_map(|p| p.rows).collect();
        self.cut(&mut rows);
        let columns = self.columns.iter().map(StateColumn::heading).collect();
        let table = Table { title: String::new(), columns, rows: rows.into_iter().map(|(_, _, row)| row).collect() };
        let (title, about) = (self.title.clone(), self.about.clone());
        Report { title, about, tables: vec![table], pictures: Vec::new(), notes }
    }
}
