//! [`TableQuery`]: group by fields, aggregate, sort, keep the top.

use super::aggregate::{Aggregate, Slots};
use super::group::{Grouper, Ids, KindIds, walk};
use super::part::NONE;
use super::values::{Source, Values, number};
use crate::batch::{Batch, Error, Row};
use crate::field::{Context, FieldRef};
use crate::filter::{Filter, Selection};

/// One field to group by.
#[derive(Clone)]
pub struct Key {
    /// Heading.
    pub name: String,
    /// The field.
    pub field: FieldRef,
}

/// Which column rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Index into the value columns, then the keys.
    pub column: usize,
    /// Largest first.
    pub descending: bool,
}

/// Group by fields, aggregate, sort, keep the top. Value columns are shown first, then the keys, as sysdig does.
/// Groups whose sorted value is 0 or missing are left out.
#[derive(Clone)]
pub struct TableQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// Fields to group by.
    pub keys: Vec<Key>,
    /// Value columns; at least one.
    pub values: Vec<Aggregate>,
    /// Order of rows; equal ones are ordered by their keys.
    pub order: Order,
    /// The most rows shown.
    pub top: Option<usize>,
}

/// What one worker has aggregated so far.
pub struct TableWorker {
    pub(super) grouper: Grouper,
    pub(super) slots: Vec<Slots>,
}

impl TableQuery {
    /// Calls `each` for every field that it names.
    pub(super) fn for_each_field(&self, each: &mut dyn FnMut(&FieldRef)) {
        self.keys.iter().for_each(|key| each(&key.field));
        self.values.iter().for_each(|value| value.for_each_field(each));
    }

    /// Whether a group or a number is found in a dictionary.
    pub(super) fn needs_dict(&self) -> bool {
        let of_value = |value: &Aggregate| {
            let in_columns = !matches!(Source::of(value), Source::Field(_) | Source::Ids);
            let mut fields = value.field.iter().filter(|_| !in_columns).chain(&value.and);
            fields.any(FieldRef::needs_dict) || value.only.iter().flat_map(Filter::fields).any(FieldRef::needs_dict)
        };
        self.keys.iter().any(|key| key.field.needs_dict()) || self.values.iter().any(of_value)
    }

    /// A worker that has seen nothing.
    pub fn worker(&self) -> TableWorker {
        let fields: Vec<FieldRef> = self.keys.iter().map(|k| k.field.clone()).collect();
        TableWorker { grouper: Grouper::new(&fields), slots: self.values.iter().map(Slots::new).collect() }
    }
}

impl TableWorker {
    /// Adds the selected rows of a batch, or on an error nothing of it. Calls in flight count only where
    /// their completion cannot be part of the question, which `in_flight` says.
    pub fn add(&mut self, batch: &Batch, selection: &Selection, in_flight: bool, ctx: &Context) -> Result<(), Error> {
        if self.grouper.enter(batch) {
            self.slots.iter_mut().for_each(|slots| slots.values.new_segment());
        }
        let ids = self.grouper.ids(batch, selection, in_flight, ctx)?;
        add_all(&mut self.slots, batch, &ids, self.grouper.len(), ctx)
    }
}

/// Adds what every column takes of a batch to the groups of its rows, of which there are `groups`; or on an error
/// nothing.
pub(super) fn add_all(
    slots: &mut [Slots],
    batch: &Batch,
    ids: &Ids,
    groups: usize,
    ctx: &Context,
) -> Result<(), Error> {
    let mut columns = Vec::with_capacity(slots.len());
    for slots in slots.iter_mut() {
        let own = slots.masked(batch, ids, ctx)?;
        let values = numbers(slots, batch, own.as_ref().unwrap_or(ids), ctx)?;
        columns.push((own, values));
    }
    if let Some(error) = batch.damage() {
        return Err(error.clone());
    }
    // From here nothing fails, so that a damaged batch counts with none of its rows.
    for (slots, (own, values)) in slots.iter_mut().zip(&columns) {
        slots.grow(groups);
        for (ids, values) in own.as_ref().unwrap_or(ids).iter().zip(values) {
            slots.add(ids, values);
        }
    }
    Ok(())
}

/// What an aggregate adds, by local kind.
fn numbers<'a>(slots: &mut Slots, batch: &'a Batch, ids: &Ids, ctx: &Context) -> Result<Vec<Values<'a>>, Error> {
    let mut values = Vec::with_capacity(ids.len());
    let mut by_row = Vec::with_capacity(ids.len());
    for (kind, ids) in ids.iter().enumerate() {
        let column = match (ids, slots.summed(batch, kind)) {
            _ if ids.is_empty() => Some(Values::Absent),
            (KindIds::All { .. }, Some(sum)) => Some(Values::Summed(sum)),
            _ => of_columns(slots, batch, kind, ids)?,
        };
        by_row.push(column.is_none());
        values.push(column.unwrap_or_else(|| slots.source.empty(batch.head().kinds[kind].rows as usize)));
    }
    if by_row.contains(&true) {
        add_rows(slots, batch, (ids, &by_row), ctx, &mut values)?;
    }
    Ok(values)
}

/// What the columns of a kind tell of an aggregate; `None`: only an extractor can.
fn of_columns<'a>(
    slots: &mut Slots,
    batch: &'a Batch,
    kind: usize,
    ids: &KindIds,
) -> Result<Option<Values<'a>>, Error> {
    if !matches!(slots.source, Source::Ids) {
        return slots.source.columns(batch, kind);
    }
    let mut own = ids.clone();
    let is_known = slots.values.of_columns(batch, kind, own.each())?;
    Ok(if let (KindIds::Each(own), true) = (own, is_known) { Some(Values::Ids(own)) } else { None })
}

/// Values that only an extractor can tell, of the kinds that are asked `by_row`.
fn add_rows(
    slots: &mut Slots,
    batch: &Batch,
    (ids, by_row): (&Ids, &[bool]),
    ctx: &Context,
    values: &mut [Values],
) -> Result<(), Error> {
    let field = if let Source::Field(field) = &slots.source { Some(field.clone()) } else { None };
    walk(
        batch,
        true,
        |kind| by_row.get(kind).is_some_and(|by_row| *by_row),
        |index, thread, kind, position| {
            if ids.get(kind).is_none_or(|ids| ids.get(position) == NONE) {
                return;
            }
            let row = Row { batch, index, kind, position, thread };
            match (&mut values[kind], &field) {
                (Values::Made(numbers), Some(field)) => numbers[position] = number(field, &row, ctx),
                (Values::Ids(ids), _) => ids[position] = slots.values.of_row(&row, ctx),
                _ => {}
            }
        },
    )
}
