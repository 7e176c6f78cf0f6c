//! [`ThresholdQuery`]: so many events of a key, or so many different values, within a time.

use super::aggregate::Groups;
use super::part::cell;
use super::{Key, Operator, Span, View};
use crate::batch::{Batch, Error};
use crate::event::Flags;
use crate::field::FieldRef;
use crate::filter::Selection;
use crate::report::{Cell, Column, Report, Table, Unit};
use crate::value::{write_date, write_time_of_day};
use std::collections::{BTreeMap, HashMap};

/// Stretches of time in which there were so many events of a key, or so many different values, within a time. Stretches
/// that overlap are one.
#[derive(Clone)]
pub struct ThresholdQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// Fields to tell keys by; events without a value are left out.
    pub keys: Vec<Key>,
    /// Count the different values of this field, and not events.
    pub distinct: Option<Key>,
    /// How many, at least.
    pub count: usize,
    /// Within which time, ns.
    pub within: u64,
    /// The most rows shown.
    pub top: Option<usize>,
}

/// What is kept of an event: its time and number, and its value.
type Seen = (u64, u64, usize);

/// Events of one worker.
#[derive(Default)]
pub struct ThresholdPartial {
    keys: Groups,
    values: Groups,
    events: Vec<(usize, Seen)>,
    tz_offset_s: Option<i32>,
}

/// A stretch: from one event to another, both in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    from: usize,
    to: usize,
}

impl ThresholdQuery {
    /// The stretches of a key's events, which stand in order.
    fn stretches(&self, events: &[Seen]) -> Vec<Stretch> {
        let mut found: Vec<Stretch> = Vec::new();
        // How often each value is among the events from `from` on.
        let mut values: HashMap<usize, usize> = HashMap::new();
        let mut from = 0;
        for (to, &(time, _, value)) in events.iter().enumerate() {
            *values.entry(value).or_default() += 1;
            while let Some(&(.., gone)) = events.get(from).filter(|first| first.0 < time.saturating_sub(self.within)) {
                from += 1;
                if let Some(count) = values.get_mut(&gone) {
                    *count -= 1;
                    if *count == 0 {
                        values.remove(&gone);
                    }
                }
            }
            let count = if self.distinct.is_some() { values.len() } else { to + 1 - from };
            if count < self.count.max(1) {
                continue;
            }
            match found.last_mut() {
                Some(last) if last.to >= from => last.to = to,
                _ => found.push(Stretch { from, to }),
            }
        }
        found
    }

    fn columns(&self) -> Vec<Column> {
        let mut columns = vec![Column::text("FROM"), Column::number("LASTS", Unit::Duration)];
        columns.push(Column::number("EVENTS", Unit::None));
        columns.extend(self.distinct.as_ref().map(|key| Column::number(&key.name, Unit::None)));
        columns.extend(self.keys.iter().map(|key| Column::text(&key.name)));
        columns
    }
}

impl Operator for ThresholdQuery {
    type Partial = ThresholdPartial;

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        self.keys.iter().chain(&self.distinct).for_each(|key| each(&key.field));
    }

    fn add(
        &self,
        partial: &mut ThresholdPartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        let mut found: Vec<(Vec<Cell>, (u64, u64), Cell)> = Vec::new();
        selection.for_each_row(batch, |row| {
            if !view.in_flight && row.flags().has(Flags::IN_FLIGHT) {
                return;
            }
            let of = |key: &Key| cell(key.field.value(&row, view.ctx));
            let (keys, value) = (self.keys.iter().map(of).collect::<Vec<_>>(), self.distinct.as_ref().map(of));
            if !keys.contains(&Cell::Missing) && value != Some(Cell::Missing) {
                found.push((keys, (row.time(), row.num()), value.unwrap_or(Cell::Missing)));
            }
        })?;
        if let Some(error) = batch.damage() {
            return Err(error.clone());
        }
        for (key, (time, num), value) in found {
            let seen = (time, num, partial.values.id(vec![value]));
            partial.events.push((partial.keys.id(key), seen));
        }
        partial.tz_offset_s = Some(view.ctx.tz_offset_s);
        Ok(())
    }

    fn finish(&self, partials: Vec<ThresholdPartial>, _: Span, notes: Vec<String>) -> Report {
        let tz_offset_s = partials.iter().find_map(|partial| partial.tz_offset_s).unwrap_or(0);
        let mut values = Groups::default();
        let mut by_key: BTreeMap<Vec<Cell>, Vec<Seen>> = BTreeMap::new();
        for partial in partials {
            let of_value: Vec<usize> = partial.values.keys.into_iter().map(|value| values.id(value)).collect();
            let mut of_key: Vec<Vec<Seen>> = partial.keys.keys.iter().map(|_| Vec::new()).collect();
            for (key, (time, num, value)) in partial.events {
                of_key[key].push((time, num, of_value[value]));
            }
            for (key, mut events) in partial.keys.keys.into_iter().zip(of_key) {
                by_key.entry(key).or_default().append(&mut events);
            }
        }
        let mut rows: Vec<((u64, u64), Vec<Cell>)> = Vec::new();
        for (key, mut events) in by_key {
            events.sort_unstable_by_key(|&(time, num, _)| (time, num));
            for Stretch { from, to } in self.stretches(&events) {
                let stretch = &events[from..=to];
                let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
                let mut row = vec![Cell::Text(moment(first.0, tz_offset_s))];
                row.push(Cell::Uint(last.0.saturating_sub(first.0)));
                row.push(Cell::Uint(stretch.len() as u64));
                if self.distinct.is_some() {
                    let mut different: Vec<usize> = stretch.iter().map(|seen| seen.2).collect();
                    different.sort_unstable();
                    different.dedup();
                    row.push(Cell::Uint(different.len() as u64));
                }
                row.extend_from_slice(&key);
                rows.push(((first.0, first.1), row));
            }
        }
        rows.sort();
        rows.truncate(self.top.unwrap_or(usize::MAX));
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        let table = Table { title: String::new(), columns: self.columns(), rows };
        let (title, about) = (self.title.clone(), self.about.clone());
        Report { title, about, tables: vec![table], pictures: Vec::new(), notes }
    }
}

/// Local date and time.
fn moment(time: u64, tz_offset_s: i32) -> Vec<u8> {
    let mut text = Vec::with_capacity(32);
    write_date(&mut text, time, tz_offset_s);
    text.push(b' ');
    write_time_of_day(&mut text, time, tz_offset_s, true);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::lookup;

    fn query(count: usize, within: u64, distinct: bool) -> ThresholdQuery {
        let distinct = distinct.then(|| Key { name: "N".into(), field: lookup("fd.name").unwrap() });
        let (title, about) = (String::new(), String::new());
        ThresholdQuery { title, about, keys: Vec::new(), distinct, count, within, top: None }
    }

    /// Events at these times, each with a value.
    fn events(of: &[(u64, usize)]) -> Vec<Seen> {
        of.iter().enumerate().map(|(num, &(time, value))| (time, num as u64, value)).collect()
    }

    #[test]
    fn enough_events_within_the_time_are_a_stretch_and_overlapping_ones_are_one() {
        let times = events(&[(0, 0), (10, 0), (20, 0), (100, 0), (200, 0), (205, 0), (209, 0), (214, 0)]);
        let found = query(3, 20, false).stretches(&times);
        assert_eq!(found, [Stretch { from: 0, to: 2 }, Stretch { from: 4, to: 7 }]);
        assert_eq!(query(3, 19, false).stretches(&times)[0].from, 4);
        assert!(query(5, 20, false).stretches(&times).is_empty());
        assert_eq!(query(1, 0, false).stretches(&times).len(), 8);
    }

    #[test]
    fn the_same_value_over_and_over_is_one_value() {
        let same = events(&[(0, 7), (1, 7), (2, 7), (3, 7)]);
        assert!(query(2, 10, true).stretches(&same).is_empty());
        let others = events(&[(0, 7), (1, 8), (2, 7), (30, 9), (31, 7), (32, 8)]);
        let found = query(3, 10, true).stretches(&others);
        assert_eq!(found, [Stretch { from: 3, to: 5 }]);
    }
}
