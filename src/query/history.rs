//! [`HistoryQuery`]: what became of an object, event by event: what each changed against the body that was seen before.

use super::{Operator, Span, StateColumn, View};
use crate::batch::{Batch, Error};
use crate::field::FieldRef;
use crate::filter::{Filter, Memo, Selection};
use crate::report::{Cell, Column, Report, Table};
use crate::value::{Value, json_leaves};
use std::collections::BTreeMap;

/// Bytes of bodies that a worker keeps at most.
const MOST_BYTES: usize = 256 << 20;
/// Changes of one event that are shown.
const MOST_CHANGES: usize = 200;
/// Characters of a value that are shown.
const SHOWN: usize = 120;

/// What became of objects, event by event.
#[derive(Clone)]
pub struct HistoryQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// Columns before the changes.
    pub columns: Vec<StateColumn>,
    /// Tells objects apart.
    pub key: FieldRef,
    /// The object as it was then, JSON.
    pub body: FieldRef,
    /// What is shown where there is no body: the changes as they were asked for.
    pub patch: FieldRef,
    /// Events that are shown also where nothing changed; the others only tell what the object was.
    pub show: Option<Filter>,
    /// Paths whose changes say nothing: with all that is below them.
    pub ignore: Vec<String>,
}

struct Kept {
    time: u64,
    num: u64,
    key: Cell,
    cells: Vec<Cell>,
    body: Option<Vec<u8>>,
    patch: Vec<String>,
    is_shown: bool,
}

/// Events that one worker has seen.
#[derive(Default)]
pub struct HistoryPartial {
    memo: Memo,
    kept: Vec<Kept>,
    bytes: usize,
    /// Bodies that there was no room for.
    left_out: u64,
}

/// What leads to a value, and the value.
type Leaves = BTreeMap<String, String>;

impl HistoryQuery {
    fn leaves(&self, body: &[u8]) -> Leaves {
        let is_noise = |path: &str| {
            self.ignore.iter().any(|noise| {
                path.strip_prefix(noise.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
        };
        json_leaves(body).into_iter().filter(|(path, _)| !is_noise(path)).collect()
    }
}

/// A value as it is shown.
fn cut(value: &str) -> String {
    if value.chars().count() <= SHOWN {
        return value.to_owned();
    }
    value.chars().take(SHOWN).chain("...".chars()).collect()
}

/// What is different between two bodies, by path.
fn changes(before: &Leaves, now: &Leaves) -> Vec<String> {
    let mut paths: Vec<&String> = before.keys().chain(now.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    let change = |path: &String| match (before.get(path), now.get(path)) {
        (Some(old), Some(new)) if old == new => None,
        (Some(old), Some(new)) => Some(format!("{path}: {} -> {}", cut(old), cut(new))),
        (Some(old), None) => Some(format!("- {path}: {}", cut(old))),
        (None, Some(new)) => Some(format!("+ {path}: {}", cut(new))),
        (None, None) => None,
    };
    paths.into_iter().filter_map(change).collect()
}

impl Operator for HistoryQuery {
    type Partial = HistoryPartial;

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        for column in &self.columns {
            each(&column.field);
            column.or.iter().for_each(&mut *each);
        }
        [&self.key, &self.body, &self.patch].into_iter().for_each(&mut *each);
        self.show.iter().flat_map(Filter::fields).for_each(&mut *each);
    }

    fn add(
        &self,
        partial: &mut HistoryPartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        let mut shown = selection.clone();
        if let Some(show) = &self.show {
            shown.intersect(show.select(&mut partial.memo, batch, view.ctx)?);
        }
        let shown = shown.to_rows(batch)?;
        let (mut kept, mut bytes, mut left_out) = (Vec::new(), partial.bytes, 0);
        selection.for_each_row(batch, |row| {
            let text = |field: &FieldRef| match field.value(&row, view.ctx) {
                Value::Text(text) => Some(text.into_owned()),
                _ => None,
            };
            let lines = |field: &FieldRef| match field.value(&row, view.ctx) {
                Value::List(all) => all.into_iter().map(super::part::cell).collect(),
                Value::Missing => Vec::new(),
                one => vec![super::part::cell(one)],
            };
            let mut body = text(&self.body);
            if bytes + body.as_ref().map_or(0, Vec::len) > MOST_BYTES {
                (body, left_out) = (None, left_out + 1);
            }
            bytes += body.as_ref().map_or(0, Vec::len);
            let words = |cell: Cell| {
                if let Cell::Text(text) = cell { Some(String::from_utf8_lossy(&text).into_owned()) } else { None }
            };
            kept.push(Kept {
                time: row.time(),
                num: row.num(),
                key: super::part::cell(self.key.value(&row, view.ctx)),
                cells: self.columns.iter().map(|column| column.cell(&row, view.ctx)).collect(),
                body,
                patch: lines(&self.patch).into_iter().filter_map(words).collect(),
                is_shown: shown.get(row.index),
            });
        })?;
        if let Some(error) = batch.damage() {
            return Err(error.clone());
        }
        partial.kept.append(&mut kept);
        partial.bytes = bytes;
        partial.left_out += left_out;
        Ok(())
    }

    fn finish(&self, partials: Vec<HistoryPartial>, _: Span, mut notes: Vec<String>) -> Report {
        let left_out: u64 = partials.iter().map(|partial| partial.left_out).sum();
        if left_out > 0 {
            notes.push(format!("{left_out} bodies were left out: they have more than {} MiB", MOST_BYTES >> 20));
        }
        let mut all: Vec<Kept> = partials.into_iter().flat_map(|partial| partial.kept).collect();
        all.sort_by(|a, b| (a.time, a.num, &a.key).cmp(&(b.time, b.num, &b.key)));
        let mut before: BTreeMap<Cell, Leaves> = BTreeMap::new();
        let mut rows = Vec::new();
        for event in all {
            let changes = match &event.body {
                Some(body) => {
                    let now = self.leaves(body);
                    match before.insert(event.key.clone(), now.clone()) {
                        Some(old) => changes(&old, &now),
                        None if event.is_shown => changes(&Leaves::new(), &now),
                        // What it was before the first change is no change.
                        None => Vec::new(),
                    }
                }
                None if event.is_shown => event.patch.iter().map(|line| cut(line)).collect(),
                None => Vec::new(),
            };
            let more = changes.len().saturating_sub(MOST_CHANGES);
            let mut lines: Vec<String> = changes.into_iter().take(MOST_CHANGES).collect();
            if more > 0 {
                lines.push(format!("and {more} more"));
            }
            if lines.is_empty() && event.is_shown {
                lines.push(String::new());
            }
            for (number, line) in lines.into_iter().enumerate() {
                // The event's own columns stand once.
                let own = |cell: &Cell| if number == 0 { cell.clone() } else { Cell::Text(Vec::new()) };
                let mut row: Vec<Cell> = event.cells.iter().map(own).collect();
                row.push(Cell::Text(line.into_bytes()));
                rows.push(row);
            }
        }
        let mut columns: Vec<Column> = self.columns.iter().map(StateColumn::heading).collect();
        columns.push(Column::text("Change"));
        let table = Table { title: String::new(), columns, rows };
        Report { title: self.title.clone(), about: self.about.clone(), tables: vec![table], notes, ..Report::default() }
    }
}
