//! [`SeriesQuery`]: aggregates for each interval of event time.

use super::aggregate::{Groups, Slots, Total};
use super::group::{Grouper, KindIds, walk};
use super::part::NONE;
use super::table::add_all;
use super::{Aggregate, Key, Operator, Order, Span, TableQuery, View};
use crate::batch::{Batch, Error};
use crate::field::FieldRef;
use crate::filter::Selection;
use crate::report::{Align, Cell, Column, Line, Picture, Report, Series, Table, Unit};
use crate::value::{Type, write_date, write_time_of_day};
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};

/// The most intervals that are shown without an event in them; beyond that only those with events are.
const MAX_INTERVALS: u64 = 100_000;

/// Aggregates for each interval of event time, of all events or of each value of some fields. Intervals begin at whole
/// multiples of their length, UTC, so that it is of no matter where a recording begins.
#[derive(Clone)]
pub struct SeriesQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// Length of an interval, ns; at least 1.
    pub step: u64,
    /// Fields that tell series apart; none: one series of all events.
    pub keys: Vec<Key>,
    /// Whether text shows each column as a line of characters, too.
    pub sparklines: bool,
    /// Value columns; at least one.
    pub values: Vec<Aggregate>,
}

/// What one worker has counted.
#[derive(Default)]
pub struct SeriesPartial {
    tables: Option<Tables>,
    tz_offset_s: Option<i32>,
}

struct Tables {
    grouper: Grouper,
    slots: Vec<Slots>,
    /// Group by the grouper's id and the interval's number; and the other way round, from 1.
    ids: HashMap<(u32, u64), u32, FixedState>,
    groups: Vec<(u32, u64)>,
}

impl Operator for SeriesQuery {
    type Partial = SeriesPartial;

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        self.keys.iter().for_each(|key| each(&key.field));
        self.values.iter().for_each(|value| value.for_each_field(each));
    }

    fn as_table(&self) -> Option<TableQuery> {
        Some(TableQuery {
            title: self.title.clone(),
            about: self.about.clone(),
            keys: self.keys.clone(),
            values: self.values.clone(),
            order: Order { column: 0, descending: true },
            top: None,
        })
    }

    fn begin(&self) -> SeriesPartial {
        let fields: Vec<FieldRef> = self.keys.iter().map(|k| k.field.clone()).collect();
        let tables = Tables {
            grouper: Grouper::new(&fields),
            slots: self.values.iter().map(Slots::new).collect(),
            ids: HashMap::with_hasher(FixedState::default()),
            groups: vec![(NONE, 0)],
        };
        SeriesPartial { tables: Some(tables), tz_offset_s: None }
    }

    fn add(
        &self,
        partial: &mut SeriesPartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        let Some(tables) = &mut partial.tables else { return Ok(()) };
        if tables.grouper.enter(batch) {
            tables.slots.iter_mut().for_each(|slots| slots.values.new_segment());
        }
        let mut ids = tables.grouper.ids(batch, selection, view.in_flight, view.ctx)?;
        let time = batch.time()?;
        let used: Vec<bool> = ids.iter().map(|ids| !ids.is_empty()).collect();
        let (known, groups) = (&mut tables.ids, &mut tables.groups);
        let mut slots: Vec<&mut [u32]> = ids.iter_mut().map(KindIds::each).collect();
        walk(
            batch,
            false,
            |kind| used.get(kind).copied().unwrap_or(false),
            |index, _, kind, position| {
                let Some(id) = slots[kind].get_mut(position).filter(|id| **id != NONE) else { return };
                let key = (*id, time.get(index).copied().unwrap_or(0) / self.step.max(1));
                *id = *known.entry(key).or_insert_with(|| {
                    groups.push(key);
                    groups.len() as u32 - 1
                });
            },
        )?;
        partial.tz_offset_s = Some(view.ctx.tz_offset_s);
        add_all(&mut tables.slots, batch, &ids, tables.groups.len(), view.ctx)
    }

    fn finish(&self, partials: Vec<SeriesPartial>, span: Span, notes: Vec<String>) -> Report {
        let tz_offset_s = partials.iter().find_map(|p| p.tz_offset_s).unwrap_or(0);
        let mut groups = Groups::default();
        let mut totals: Vec<Total> = self.values.iter().map(|_| Total::default()).collect();
        for tables in partials.into_iter().filter_map(|p| p.tables) {
            let of = |&(group, slot): &(u32, u64)| {
                let mut key = tables.grouper.key(group);
                key.push(Cell::Uint(slot));
                key
            };
            let group_of: Vec<Option<usize>> = (0..tables.groups.len())
                .map(|id| (id != NONE as usize).then(|| groups.id(of(&tables.groups[id]))))
                .collect();
            for (total, slots) in totals.iter_mut().zip(&tables.slots) {
                total.merge(slots, &group_of, groups.keys.len());
            }
        }
        let mut by_key: BTreeMap<Vec<Cell>, BTreeMap<u64, usize>> = BTreeMap::new();
        for (group, key) in groups.keys.iter().enumerate() {
            if let [key @ .., Cell::Uint(slot)] = key.as_slice() {
                by_key.entry(key.to_vec()).or_default().insert(*slot, group);
            }
        }
        let said = Said { query: self, totals: &totals, tz_offset_s };
        said.report(&by_key, span, notes)
    }
}

/// What was counted, on its way to a report.
struct Said<'a> {
    query: &'a SeriesQuery,
    totals: &'a [Total],
    tz_offset_s: i32,
}

impl Said<'_> {
    fn report(&self, by_key: &BTreeMap<Vec<Cell>, BTreeMap<u64, usize>>, span: Span, notes: Vec<String>) -> Report {
        let step = self.query.step.max(1);
        let found = || by_key.values().flat_map(BTreeMap::keys).copied();
        // A question about nothing covers no time.
        let (start, end) = if span.end == 0 { (u64::MAX, 0) } else { (span.start / step, span.end / step) };
        let first = found().min().unwrap_or(u64::MAX).min(start);
        let last = found().max().unwrap_or(0).max(end);
        let is_long = last.saturating_sub(first) > MAX_INTERVALS;
        let every: Vec<u64> = if is_long {
            found().collect::<std::collections::BTreeSet<u64>>().into_iter().collect()
        } else {
            (first..=last).collect()
        };
        let empty = BTreeMap::new();
        let mut rows = Vec::new();
        let mut lines = Vec::new();
        if self.query.keys.is_empty() {
            let slots = by_key.get(&Vec::new()).unwrap_or(&empty);
            rows.extend(every.iter().map(|slot| self.row(*slot, slots.get(slot).copied(), &[])));
            lines.extend(self.lines(&every, slots, &[]));
        } else {
            // Interval by interval, and only those with events: a table of every key in every interval would be long.
            for (key, slots) in by_key {
                rows.extend(slots.iter().map(|(slot, group)| self.row(*slot, Some(*group), key)));
                lines.extend(self.lines(&every, slots, key));
            }
            rows.sort_by_key(|(slot, _)| *slot);
        }
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        let table = Table { title: String::new(), columns: self.columns(), rows };
        let start = every.first().copied().unwrap_or(0).saturating_mul(step);
        let series = Series {
            title: String::new(),
            start,
            step,
            tz_offset_s: self.tz_offset_s,
            sparklines: self.query.sparklines,
            lines,
        };
        // A picture has a place for every interval.
        let pictures = if is_long { Vec::new() } else { vec![Picture::Series(series)] };
        let query = self.query;
        Report { title: query.title.clone(), about: query.about.clone(), tables: vec![table], pictures, notes }
    }

    fn row(&self, slot: u64, group: Option<usize>, key: &[Cell]) -> (u64, Vec<Cell>) {
        let mut row = vec![Cell::Text(self.time(slot))];
        row.extend_from_slice(key);
        row.extend(self.values(group));
        (slot, row)
    }

    fn values(&self, group: Option<usize>) -> impl Iterator<Item = Cell> {
        let value = move |(total, value): (&Total, &Aggregate)| match group {
            Some(group) => total.cell(value.how, group, self.query.step),
            None => Cell::Int(0),
        };
        self.totals.iter().zip(&self.query.values).map(value)
    }

    /// One line for each value column.
    fn lines(&self, every: &[u64], slots: &BTreeMap<u64, usize>, key: &[Cell]) -> Vec<Line> {
        let whole = |slot: &u64| -> Vec<i64> { self.values(slots.get(slot).copied()).map(|c| number(&c)).collect() };
        let points: Vec<Vec<i64>> = every.iter().map(whole).collect();
        let plain = Column::text(String::new());
        let key = key.iter().map(|cell| cell.show(&plain, true)).collect::<Vec<_>>().join(" ");
        let line = |(n, value): (usize, &Aggregate)| {
            let name = if key.is_empty() { value.name.clone() } else { format!("{key} {}", value.name) };
            let points = points.iter().map(|values| values.get(n).copied().unwrap_or(0)).collect();
            Line { name, unit: value.unit, points }
        };
        self.query.values.iter().enumerate().map(line).collect()
    }

    fn columns(&self) -> Vec<Column> {
        let key = |k: &Key| match k.field.ty {
            Type::Int | Type::Uint | Type::Port | Type::Real => Column::number(&k.name, Unit::None),
            _ => Column { name: k.name.clone(), unit: Unit::None, align: Align::Left },
        };
        let values = self.query.values.iter().map(Aggregate::heading);
        [Column::text("TIME")].into_iter().chain(self.query.keys.iter().map(key)).chain(values).collect()
    }

    /// When an interval begins, local; with the part of the second where intervals are shorter.
    fn time(&self, slot: u64) -> Vec<u8> {
        let time = slot.saturating_mul(self.query.step.max(1));
        let mut text = Vec::with_capacity(32);
        write_date(&mut text, time, self.tz_offset_s);
        text.push(b' ');
        write_time_of_day(&mut text, time, self.tz_offset_s, !self.query.step.is_multiple_of(1_000_000_000));
        text
    }
}

fn number(cell: &Cell) -> i64 {
    match cell {
        Cell::Int(n) => *n,
        Cell::Uint(n) => i64::try_from(*n).unwrap_or(i64::MAX),
        Cell::Ratio { sum, of } if *of > 0 => sum / i64::try_from(*of).unwrap_or(i64::MAX),
        _ => 0,
    }
}
