//! [`SnapshotQuery`]: rows of the world at a moment, a column for each field.

use crate::batch::{Batch, Error, Row};
use crate::event::{Kind, kinds};
use crate::field::{Context, FieldRef};
use crate::filter::{Bits, KindSelection, Selection};
use crate::query::{Order, part::cell};
use crate::report::{Align, Cell, Column, Report, Table, Unit};
use crate::value::{Type, Value};
use std::collections::BTreeSet;

/// What the rows of a state are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Every thread.
    Threads,
    /// Every process, by its first thread.
    Processes,
    /// Every open descriptor of every process.
    Descriptors,
    /// Every address of every network interface.
    Interfaces,
    /// Every mount of every mount namespace.
    Mounts,
}

impl Rows {
    /// Names in chisel files.
    pub const NAMES: &[(&'static str, Rows)] = &[
        ("threads", Rows::Threads),
        ("processes", Rows::Processes),
        ("descriptors", Rows::Descriptors),
        ("interfaces", Rows::Interfaces),
        ("mounts", Rows::Mounts),
    ];

    /// The kind of snapshot row that has them.
    fn kind(self) -> Kind {
        match self {
            Rows::Threads | Rows::Processes => kinds::SNAP_THREAD,
            Rows::Descriptors => kinds::SNAP_FD,
            Rows::Interfaces => kinds::SNAP_INTERFACE,
            Rows::Mounts => kinds::SNAP_MOUNT,
        }
    }

    /// Whether each row is about a thread, and not about the machine.
    pub fn have_threads(self) -> bool {
        !matches!(self, Rows::Interfaces | Rows::Mounts)
    }

    /// The rows of this name in a chisel file.
    pub fn of_name(name: &str) -> Option<Rows> {
        Rows::NAMES.iter().find(|(n, _)| *n == name).map(|(_, rows)| *rows)
    }

    /// The rows of a batch of state.
    pub fn select(self, batch: &Batch) -> Result<Selection, Error> {
        let wanted = self.kind();
        let kind =
            |k: &crate::batch::KindRows| if k.kind == wanted.0 { KindSelection::All } else { KindSelection::None };
        let mut selection = Selection { kinds: batch.head().kinds.iter().map(kind).collect(), rows: None };
        if self == Rows::Processes {
            let mut rows = Bits::new(batch.rows());
            let mut seen = BTreeSet::new();
            selection.for_each_row(batch, |row| {
                let thread = row.thread();
                // The first thread stands before the others; it may be gone.
                if (thread.tid == thread.pid || thread.leader == 0) && seen.insert(thread.pid) {
                    rows.set(row.index);
                }
            })?;
            selection.rows = Some(rows);
        }
        Ok(selection)
    }
}

/// A column of a [`SnapshotQuery`].
#[derive(Clone)]
pub struct StateColumn {
    /// Heading.
    pub name: String,
    /// What its numbers mean.
    pub unit: Unit,
    /// The field.
    pub field: FieldRef,
    /// The field that answers where that one has no value.
    pub or: Option<FieldRef>,
    /// Of text, only what stands from the first place with this on.
    pub from: Option<Vec<u8>>,
}

/// Rows of the world at a moment, a column for each field.
#[derive(Clone)]
pub struct SnapshotQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// Columns, left to right.
    pub columns: Vec<StateColumn>,
    /// Order of rows; `None`, and among equals: by process, thread and descriptor.
    pub order: Option<Order>,
    /// The most rows shown.
    pub top: Option<usize>,
}

/// Process, thread and descriptor: where a row stands unless something else is asked for.
type Place = (u32, u32, i64);

/// Rows that one worker has seen.
#[derive(Default)]
pub struct SnapshotWorker {
    rows: Vec<(Place, Vec<Cell>)>,
}

impl SnapshotQuery {
    /// Takes the selected rows of a batch of state; on an error nothing of it.
    pub(super) fn add(
        &self,
        worker: &mut SnapshotWorker,
        batch: &Batch,
        selection: &Selection,
        ctx: &Context,
    ) -> Result<(), Error> {
        let mut rows = Vec::new();
        selection.for_each_row(batch, |row| {
            let number = row.info().fd.and_then(|param| row.arg(usize::from(param)).int()).unwrap_or(-1);
            let place = (row.thread().pid, row.thread().tid, number);
            rows.push((place, self.columns.iter().map(|c| c.cell(&row, ctx)).collect()));
        })?;
        if let Some(error) = batch.damage() {
            return Err(error.clone());
        }
        worker.rows.append(&mut rows);
        Ok(())
    }

    /// The report of all workers, in any order.
    pub(super) fn finish(&self, workers: Vec<SnapshotWorker>, notes: Vec<String>) -> Report {
        let mut rows: Vec<(Place, Vec<Cell>)> = workers.into_iter().flat_map(|w| w.rows).collect();
        rows.sort_unstable_by(|a, b| {
            let by_column = self.order.map_or(std::cmp::Ordering::Equal, |order| {
                let ordering = a.1.get(order.column).cmp(&b.1.get(order.column));
                if order.descending { ordering.reverse() } else { ordering }
            });
            by_column.then_with(|| a.cmp(b))
        });
        rows.truncate(self.top.unwrap_or(usize::MAX));
        let columns = self.columns.iter().map(StateColumn::heading).collect();
        let table = Table { title: String::new(), columns, rows: rows.into_iter().map(|(_, row)| row).collect() };
        Report {
            title: self.title.clone(),
            about: self.about.clone(),
            tables: vec![table],
            pictures: Vec::new(),
            notes,
        }
    }
}

impl StateColumn {
    pub(super) fn cell(&self, row: &Row<'_>, ctx: &Context) -> Cell {
        if let (Some(from), Value::Text(text)) = (&self.from, self.field.value(row, ctx)) {
            let at = memchr::memmem::find(&text, from);
            return at.map_or(Cell::Missing, |at| Cell::Text(text[at..].to_vec()));
        }
        match of_field(&self.field, row, ctx) {
            Cell::Missing => self.or.as_ref().map_or(Cell::Missing, |or| of_field(or, row, ctx)),
            found => found,
        }
    }

    pub(super) fn heading(&self) -> Column {
        let (name, unit) = (self.name.clone(), self.unit);
        match self.field.ty {
            Type::Duration if unit == Unit::None => Column::number(name, Unit::Duration),
            // Names stand left even where a number fills in for one.
            Type::Int | Type::Uint | Type::Port | Type::Duration | Type::Real => Column::number(name, unit),
            _ => Column { name, unit, align: Align::Left },
        }
    }
}

/// A field's value as a cell; a moment as local date and time of day, unless the field is named for the raw number.
fn of_field(field: &FieldRef, row: &Row<'_>, ctx: &Context) -> Cell {
    match field.value(row, ctx) {
        Value::Uint(time) if field.ty == Type::Time && !field.field.name.starts_with("evt.rawtime") => {
            super::part::moment(time, ctx)
        }
        value => cell(value),
    }
}
