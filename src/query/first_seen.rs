//! [`FirstSeenQuery`]: values that a key has for the first time, such as an address from which a token was never used before.

use super::{Operator, Span, StateColumn, View};
use crate::batch::{Batch, Error, Row};
use crate::event::Flags;
use crate::field::Context;
use crate::field::FieldRef;
use crate::filter::Selection;
use crate::report::{Cell, Column, Report, Table, Unit};
use crate::value::Value;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};

/// Different values that a worker remembers at most, of all keys together, and events whose times it remembers.
const MOST_VALUES: usize = 1 << 18;
const MOST_EVENTS: usize = 8 << 20;

/// Events by which a key has a value for the first time. The first value of a key is no news, because a recording has a beginning.
#[derive(Clone)]
pub struct FirstSeenQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// What tells keys apart; events without it are left out.
    pub key: StateColumn,
    /// What is new of a key: each has its own values.
    pub of: Vec<StateColumn>,
    /// Columns that are told of the event.
    pub columns: Vec<StateColumn>,
    /// What comes so early in the time of the question only tells what is usual, ns.
    pub learning: u64,
}

/// Time and number of an event.
type At = (u64, u64);

/// The first event of a value, with its cells.
type First = (At, Vec<Cell>);

/// What one worker has seen.
#[derive(Default)]
pub struct FirstSeenPartial {
    keys: HashMap<Cell, Of, FixedState>,
    values: usize,
    events: usize,
    left_out: u64,
}

/// What was seen of a key.
#[derive(Default)]
struct Of {
    /// By the place of the sort of value in the query, and the value.
    firsts: BTreeMap<(usize, Cell), First>,
    /// When it had events, ns UTC.
    times: Vec<u64>,
}

impl FirstSeenPartial {
    fn add(&mut self, key: Cell, at: At, values: Vec<(usize, Cell)>, cells: impl Fn() -> Vec<Cell>) {
        let of = self.keys.entry(key).or_default();
        if self.events < MOST_EVENTS {
            self.events += 1;
            of.times.push(at.0);
        }
        for value in values {
            if let Some(first) = of.firsts.get_mut(&value) {
                if at < first.0 {
                    *first = (at, cells());
                }
            } else if self.values < MOST_VALUES {
                self.values += 1;
                of.firsts.insert(value, (at, cells()));
            } else {
                self.left_out += 1;
            }
        }
    }
}

impl Of {
    fn join(&mut self, other: Of) {
        self.times.extend(other.times);
        for (value, first) in other.firsts {
            match self.firsts.get_mut(&value) {
                Some(known) if known.0 <= first.0 => {}
                Some(known) => *known = first,
                None => drop(self.firsts.insert(value, first)),
            }
        }
    }
}

impl FirstSeenQuery {
    /// The values of an event; each of a list is one.
    fn values(&self, row: &Row<'_>, ctx: &Context) -> Vec<(usize, Cell)> {
        let mut found = Vec::new();
        for (sort, column) in self.of.iter().enumerate() {
            match column.field.value(row, ctx) {
                Value::Missing => {}
                Value::List(all) => found.extend(all.into_iter().map(|value| (sort, super::part::cell(value)))),
                _ => found.push((sort, column.cell(row, ctx))),
            }
        }
        found
    }

    /// What is new of a key, with the event's time: in the order of events.
    fn news(&self, key: &Cell, mut of: Of, since: u64) -> Vec<(At, Vec<Cell>)> {
        of.times.sort_unstable();
        let mut firsts: Vec<_> = of.firsts.into_iter().map(|((sort, value), first)| (first, sort, value)).collect();
        firsts.sort_unstable();
        let mut known = vec![0u64; self.of.len()];
        let mut rows = Vec::new();
        for ((at, cells), sort, value) in firsts {
            known[sort] += 1;
            if known[sort] == 1 || at.0 < since {
                continue;
            }
            let before = of.times.partition_point(|&time| time < at.0) as u64;
            let sort_name = Cell::Text(self.of[sort].name.clone().into_bytes());
            let mut row = cells;
            row.extend([key.clone(), Cell::Uint(before), sort_name, Cell::Uint(known[sort] - 1), value]);
            rows.push((at, row));
        }
        rows
    }
}

impl Operator for FirstSeenQuery {
    type Partial = FirstSeenPartial;

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        for column in std::iter::once(&self.key).chain(&self.of).chain(&self.columns) {
            each(&column.field);
            column.or.iter().for_each(&mut *each);
        }
    }

    fn add(
        &self,
        partial: &mut FirstSeenPartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        // Told to the partial result only when the whole batch could be read.
        let mut found = Vec::new();
        selection.for_each_row(batch, |row| {
            let key = self.key.cell(&row, view.ctx);
            if key == Cell::Missing || (!view.in_flight && row.flags().has(Flags::IN_FLIGHT)) {
                return;
            }
            let cells: Vec<Cell> = self.columns.iter().map(|column| column.cell(&row, view.ctx)).collect();
            found.push((key, (row.time(), row.num()), self.values(&row, view.ctx), cells));
        })?;
        if let Some(error) = batch.damage() {
            return Err(error.clone());
        }
        for (key, at, values, cells) in found {
            partial.add(key, at, values, || cells.clone());
        }
        Ok(())
    }

    fn finish(&self, partials: Vec<FirstSeenPartial>, span: Span, mut notes: Vec<String>) -> Report {
        let left_out: u64 = partials.iter().map(|partial| partial.left_out).sum();
        if left_out > 0 {
            notes.push(format!("{left_out} events were left out: they have more than {MOST_VALUES} different values"));
        }
        if partials.iter().any(|partial| partial.events >= MOST_EVENTS) {
            notes.push(format!("BEFORE counts {MOST_EVENTS} events or more, and not all"));
        }
        let mut keys: BTreeMap<Cell, Of> = BTreeMap::new();
        for (key, of) in partials.into_iter().flat_map(sorted) {
            keys.entry(key).or_default().join(of);
        }
        let since = if self.learning == 0 { 0 } else { span.start.saturating_add(self.learning) };
        let mut rows: Vec<_> = keys.into_iter().flat_map(|(key, of)| self.news(&key, of, since)).collect();
        rows.sort_unstable();
        let mut columns: Vec<Column> = self.columns.iter().map(StateColumn::heading).collect();
        columns.push(self.key.heading());
        columns.push(Column::number("Before", Unit::None));
        columns.push(Column::text("New"));
        columns.push(Column::number("Others", Unit::None));
        columns.push(Column::text("Value"));
        let table = Table { title: String::new(), columns, rows: rows.into_iter().map(|(_, row)| row).collect() };
        Report { title: self.title.clone(), about: self.about.clone(), tables: vec![table], notes, ..Report::default() }
    }
}

/// The keys of a worker, in an order that does not depend on their hashes.
fn sorted(partial: FirstSeenPartial) -> Vec<(Cell, Of)> {
    let mut keys: Vec<(Cell, Of)> = partial.keys.into_iter().collect();
    keys.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::lookup;

    fn column(field: &str) -> StateColumn {
        StateColumn { name: field.to_owned(), unit: Unit::None, field: lookup(field).unwrap(), or: None, from: None }
    }

    fn query(learning: u64) -> FirstSeenQuery {
        let (title, about) = (String::new(), String::new());
        let of = vec![column("fd.sip"), column("proc.name")];
        FirstSeenQuery { title, about, key: column("user.name"), of, columns: Vec::new(), learning }
    }

    /// Times, sorts and values of news, where two workers have seen events of one key.
    fn news(learning: u64, workers: [&[(u64, usize, u64)]; 2]) -> Vec<(u64, u64, u64, u64)> {
        let partial = |events: &[(u64, usize, u64)]| {
            let mut partial = FirstSeenPartial::default();
            for &(time, sort, value) in events {
                partial.add(Cell::Uint(1), (time, time), vec![(sort, Cell::Uint(value))], Vec::new);
            }
            partial
        };
        let span = Span { start: 0, end: 1000 };
        let report = query(learning).finish(workers.map(partial).into(), span, Vec::new());
        let number = |cell: &Cell| if let Cell::Uint(n) = cell { *n } else { panic!("{cell:?}") };
        let row = |row: &Vec<Cell>| {
            let sort = u64::from(row[2] == Cell::Text(b"proc.name".to_vec()));
            (number(&row[1]), sort, number(&row[3]), number(&row[4]))
        };
        report.tables[0].rows.iter().map(row).collect()
    }

    #[test]
    fn the_first_value_is_no_news_and_each_other_one_is_told_once() {
        let early: &[_] = &[(1, 0, 7), (2, 1, 5), (5, 0, 7), (9, 0, 8)];
        // The other worker has events from before and behind.
        let late: &[_] = &[(4, 0, 9), (20, 0, 8), (30, 1, 6), (40, 0, 7)];
        let want = [(2, 0, 1, 9), (4, 0, 2, 8), (6, 1, 1, 6)];
        assert_eq!(news(0, [early, late]), want);
        assert_eq!(news(0, [late, early]), want);
        // What is usual is learnt first.
        assert_eq!(news(10, [early, late]), want[2..]);
    }
}
