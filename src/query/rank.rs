//! From what workers aggregated to a report: groups by value, sorted, cut.

use super::aggregate::{Groups, How, Total};
use super::table::{TableQuery, TableWorker};
use crate::report::{Align, Cell, Column, Report, Table, Unit};
use crate::value::Type;
use std::cmp::Ordering;

/// The time that a question covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Earliest event, ns UTC.
    pub start: u64,
    /// Latest event, ns UTC.
    pub end: u64,
}

impl Span {
    /// Its length, ns.
    pub fn length(self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

impl TableQuery {
    /// The report of all workers, in any order; `span` is what shares are of.
    pub fn finish(&self, workers: &[TableWorker], span: Span, notes: Vec<String>) -> Report {
        let mut groups = Groups::default();
        let mut totals: Vec<Total> = self.values.iter().map(|_| Total::default()).collect();
        for worker in workers {
            let group_of: Vec<Option<usize>> = (0..worker.grouper.len() as u32)
                .map(|id| (id != super::part::NONE).then(|| groups.id(worker.grouper.key(id))))
                .collect();
            for (total, slots) in totals.iter_mut().zip(&worker.slots) {
                total.merge(slots, &group_of, groups.keys.len());
            }
        }
        let row = |(group, key): (usize, Vec<Cell>)| -> Vec<Cell> {
            let cell = |(total, value): (&Total, &super::Aggregate)| total.cell(value.how, group, span.length());
            totals.iter().zip(&self.values).map(cell).chain(key).collect()
        };
        let rows: Vec<Vec<Cell>> = groups.keys.into_iter().enumerate().map(row).collect();
        let table = Table { title: String::new(), columns: self.columns(), rows: self.rank(rows) };
        Report {
            title: self.title.clone(),
            about: self.about.clone(),
            tables: vec![table],
            pictures: Vec::new(),
            notes,
        }
    }

    fn columns(&self) -> Vec<Column> {
        let key = |k: &super::Key| match k.field.ty {
            Type::Int | Type::Uint | Type::Port | Type::Real => Column::number(&k.name, Unit::None),
            Type::Duration => Column::number(&k.name, Unit::Duration),
            _ => Column { name: k.name.clone(), unit: Unit::None, align: Align::Left },
        };
        let values = self.values.iter().map(super::Aggregate::heading);
        values.chain(self.keys.iter().map(key)).collect()
    }

    fn rank(&self, mut rows: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
        let (column, first_key) = (self.order.column, self.values.len());
        if column < first_key {
            rows.retain(|row| !is_nothing(&row[column], self.values[column].how));
        }
        rows.sort_unstable_by(|a, b| {
            let by_column = compare(&a[column], &b[column]);
            let by_column = if self.order.descending { by_column.reverse() } else { by_column };
            by_column.then_with(|| a[first_key..].cmp(&b[first_key..]))
        });
        rows.truncate(self.top.unwrap_or(usize::MAX));
        rows
    }
}

/// Whether a group has nothing to say: a minimum of 0 is something.
fn is_nothing(cell: &Cell, how: How) -> bool {
    match cell {
        Cell::Missing | Cell::Uint(0) | Cell::Ratio { of: 0, .. } | Cell::Ratio { sum: 0, .. } => true,
        Cell::Int(0) => how == How::Sum,
        _ => false,
    }
}

/// Order of two values of a column; quotients by value, without rounding.
fn compare(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Cell::Ratio { sum: a, of: p }, Cell::Ratio { sum: b, of: q }) => {
            (i128::from(*a) * i128::from(*q)).cmp(&(i128::from(*b) * i128::from(*p)))
        }
        _ => a.cmp(b),
    }
}
