//! [`Part`]: the fields of a key that share a level, interned by value and memoised by dictionary row.

use super::by_column::MOST;
use crate::batch::{Batch, Row};
use crate::field::{Context, Extract, FieldRef, Level};
use crate::report::Cell;
use crate::value::{Value, write_date, write_time_of_day};
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// Not looked at yet.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Id of "a field of the key has no value": such rows belong to no group.
pub(super) const NONE: u32 = 0;

/// Fields of one level and the value tuples that were met, by id; id 0 is [`NONE`].
pub(super) struct Part {
    pub(super) fields: Vec<FieldRef>,
    ids: HashMap<Vec<Cell>, u32, FixedState>,
    cells: Vec<Vec<Cell>>,
    /// Id by row of the level's table, for the segment at hand.
    memo: Vec<u32>,
    /// Id by what the column of the only field has, for the segment at hand.
    pub(super) scanned: HashMap<u64, u32, FixedState>,
    /// Of several fields that are columns: each of them, and ids by theirs.
    pub(super) singles: Vec<Part>,
    pub(super) tuples: HashMap<[u32; MOST], u32, FixedState>,
}

/// A field's value as a cell of a report.
pub(super) fn cell(value: Value) -> Cell {
    match value {
        Value::Missing => Cell::Missing,
        Value::Bool(b) => Cell::Bool(b),
        Value::Int(n) => Cell::Int(n),
        Value::Uint(n) => Cell::Uint(n),
        Value::Ratio { sum, of } => Cell::Ratio { sum, of },
        Value::Ip(ip) => Cell::Ip(ip),
        Value::Text(text) => Cell::Text(text.into_owned()),
        Value::Either(both) => list((*both).into()),
        Value::List(values) => list(values),
    }
}

/// Several values in one cell; one of them alone keeps its type.
fn list(values: Vec<Value>) -> Cell {
    let mut cells: Vec<Cell> = values.into_iter().map(cell).filter(|c| *c != Cell::Missing).collect();
    if cells.len() <= 1 {
        return cells.pop().unwrap_or(Cell::Missing);
    }
    let mut text = Vec::new();
    for cell in &cells {
        if !text.is_empty() {
            text.push(b',');
        }
        match cell {
            Cell::Text(t) => text.extend_from_slice(t),
            Cell::Int(n) => text.extend_from_slice(n.to_string().as_bytes()),
            Cell::Uint(n) => text.extend_from_slice(n.to_string().as_bytes()),
            Cell::Ip(ip) => text.extend_from_slice(ip.to_string().as_bytes()),
            Cell::Bool(b) => text.extend_from_slice(b.to_string().as_bytes()),
            Cell::Missing | Cell::Ratio { .. } => {}
        }
    }
    Cell::Text(text)
}

/// A moment (ns UTC) as local date and time of day.
pub(super) fn moment(time: u64, ctx: &Context) -> Cell {
    let mut text = Vec::with_capacity(20);
    write_date(&mut text, time, ctx.offset_s(time));
    text.push(b' ');
    write_time_of_day(&mut text, time, ctx.offset_s(time), false);
    Cell::Text(text)
}

impl Part {
    pub(super) fn new(fields: Vec<FieldRef>) -> Part {
        Part {
            fields,
            ids: HashMap::with_hasher(FixedState::default()),
            cells: vec![Vec::new()],
            memo: Vec::new(),
            scanned: HashMap::with_hasher(FixedState::default()),
            singles: Vec::new(),
            tuples: HashMap::with_hasher(FixedState::default()),
        }
    }

    /// Whether no field of the key has this level.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The values behind an id.
    pub(super) fn cells(&self, id: u32) -> &[Cell] {
        self.cells.get(id as usize).map_or(&[], Vec::as_slice)
    }

    /// Number of ids, [`NONE`] included.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Forgets what depends on the segment.
    pub(super) fn new_segment(&mut self) {
        self.memo.clear();
        self.scanned.clear();
        self.singles.iter_mut().for_each(Part::new_segment);
    }

    pub(super) fn intern(&mut self, cells: Vec<Cell>) -> u32 {
        if cells.contains(&Cell::Missing) {
            return NONE;
        }
        if let Some(&id) = self.ids.get(&cells) {
            return id;
        }
        let id = self.cells.len() as u32;
        self.cells.push(cells.clone());
        self.ids.insert(cells, id);
        id
    }

    /// Id for a row of the level's table; `make` is called once per row and segment.
    #[inline]
    fn memoised(&mut self, row: usize, make: impl FnOnce(&[FieldRef]) -> Vec<Cell>) -> u32 {
        if let Some(&id) = self.memo.get(row)
            && id != UNKNOWN
        {
            return id;
        }
        self.fill(row, make)
    }

    #[cold]
    fn fill(&mut self, row: usize, make: impl FnOnce(&[FieldRef]) -> Vec<Cell>) -> u32 {
        let id = {
            let cells = make(&self.fields);
            self.intern(cells)
        };
        if self.memo.len() <= row {
            self.memo.resize(row + 1, UNKNOWN);
        }
        self.memo[row] = id;
        id
    }

    /// Id for a local kind.
    pub(super) fn of_kind(&mut self, batch: &Batch, local: usize) -> u32 {
        let row = batch.head().kinds.get(local).map_or(0, |k| usize::from(k.kind));
        self.memoised(row, |fields| {
            let value = |f: &FieldRef| match f.field.extract {
                Extract::Kind(extract) => cell(extract(batch.kind_info(local), &f.arg)),
                _ => Cell::Missing,
            };
            fields.iter().map(value).collect()
        })
    }

    /// Id for a local thread.
    pub(super) fn of_thread(&mut self, batch: &Batch, local: u16) -> u32 {
        let row = batch.head().threads.get(usize::from(local)).copied().unwrap_or(0) as usize;
        // A row past the dictionary's end is one that damage took: row 0 answers for it, and the memo stays small.
        let row = if row < batch.dict().threads.len() { row } else { 0 };
        self.memoised(row, |fields| {
            let dict = batch.dict();
            let value = |f: &FieldRef| match f.field.extract {
                Extract::Thread(extract) => cell(extract(dict, dict.thread(row as u32), &f.arg)),
                _ => Cell::Missing,
            };
            fields.iter().map(value).collect()
        })
    }

    /// Id for a descriptor row of the dictionary; row 0 has no values.
    #[inline]
    pub(super) fn of_desc(&mut self, batch: &Batch, row: u32) -> u32 {
        if row == 0 {
            // Kept, so that a column with such rows is known as a whole.
            return self.memoised(0, |_| vec![Cell::Missing]);
        }
        if row as usize >= batch.dict().descs.len() {
            return NONE;
        }
        self.memoised(row as usize, |fields| {
            let dict = batch.dict();
            let value = |f: &FieldRef| match f.field.extract {
                Extract::Descriptor(extract) => cell(extract(dict, dict.desc(row), &f.arg)),
                _ => Cell::Missing,
            };
            fields.iter().map(value).collect()
        })
    }

    /// Ids for a column of descriptor rows.
    pub(super) fn of_descs(&mut self, batch: &Batch, rows: &[u32]) -> Vec<u32> {
        let mut unknown = false;
        let known = |&row: &u32| {
            let id = self.memo.get(row as usize).copied().unwrap_or(UNKNOWN);
            unknown |= id == UNKNOWN;
            id
        };
        let ids: Vec<u32> = rows.iter().map(known).collect();
        if unknown { rows.iter().map(|&row| self.of_desc(batch, row)).collect() } else { ids }
    }

    /// Id for an event, whatever the fields' levels.
    pub(super) fn of_row(&mut self, row: &Row, ctx: &Context) -> u32 {
        let cells = self.fields.iter().map(|f| cell(f.value(row, ctx))).collect();
        self.intern(cells)
    }
}

/// Position of a level among a key's parts.
pub(super) fn slot(level: Level) -> usize {
    match level {
        Level::Kind => 0,
        Level::Thread => 1,
        Level::Descriptor => 2,
        Level::Event => 3,
    }
}
