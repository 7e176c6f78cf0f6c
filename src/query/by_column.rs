//! Keys whose fields each are one column: a value is looked at once for each id or number that a batch has, and rows are told apart by
//! those alone.

use super::part::{NONE, Part, UNKNOWN, cell};
use crate::batch::{Batch, Error};
use crate::field::{ById, Stored};
use crate::report::Cell;
use crate::world::Dict;

/// The most fields of a key that are looked at so.
pub(super) const MOST: usize = 4;

/// Answers for so many rows of a segment are kept by id or number: where there are more, nearly each is another one.
const MOST_KNOWN: usize = 1 << 16;

/// Room for answers by id, and by combination of ids, that a batch of few rows may take, and that each row adds to it.
const LEAST_ROOM: usize = 1 << 16;
const ROOM_FOR_ROW: usize = 4;

impl Part {
    /// Puts the ids of rows in place of all but [`NONE`], by what a kind's columns have for them; `false`, and nothing is changed, where a
    /// field is made otherwise.
    pub(super) fn of_columns(&mut self, batch: &Batch, kind: usize, slots: &mut [u32]) -> Result<bool, Error> {
        let mut columns = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            match field.stored(batch, kind)? {
                Some(column) => columns.push(column),
                None => return Ok(false),
            }
        }
        match &columns[..] {
            [] => return Ok(false),
            [only] => self.of_column(only, batch.dict(), slots),
            _ if columns.len() > MOST => return Ok(false),
            _ => {
                if self.singles.is_empty() {
                    self.singles = self.fields.iter().map(|field| Part::new(vec![field.clone()])).collect();
                }
                let of_each = |(single, column): (&mut Part, &Stored)| {
                    let mut own = slots.to_vec();
                    single.of_column(column, batch.dict(), &mut own);
                    own
                };
                let each: Vec<Vec<u32>> = self.singles.iter_mut().zip(&columns).map(of_each).collect();
                self.combine(&each, slots);
            }
        }
        Ok(true)
    }

    /// The same for one column, of the only field.
    fn of_column(&mut self, column: &Stored, dict: &Dict, slots: &mut [u32]) {
        match column {
            Stored::Texts(ids, _) => self.of_raw(column, ids.iter().map(|&id| id.into()), dict, slots),
            Stored::Durations(durations) => self.of_raw(column, durations.iter().copied(), dict, slots),
            Stored::Numbers { values, missing, bit } => {
                let out = slots.iter_mut().zip(*missing).filter(|(_, missing)| *missing & bit != 0);
                out.for_each(|(slot, _)| *slot = NONE);
                self.of_raw(column, values.iter().map(|&value| value as u64), dict, slots);
            }
        }
    }

    fn of_raw(
        &mut self,
        column: &Stored,
        raws: impl ExactSizeIterator<Item = u64> + Clone,
        dict: &Dict,
        slots: &mut [u32],
    ) {
        // A damaged column may be shorter than its table.
        slots.iter_mut().skip(raws.len()).for_each(|slot| *slot = NONE);
        let most = LEAST_ROOM + ROOM_FOR_ROW * slots.len();
        let asked = slots.iter_mut().zip(raws.clone());
        if let Some(mut told) = ById::of(raws, most, UNKNOWN) {
            for (slot, raw) in asked {
                let id = told.get(raw);
                if *id == UNKNOWN && *slot != NONE {
                    *id = self.known(column, raw, dict);
                }
                *slot = if *slot == NONE { NONE } else { *id };
            }
        } else {
            asked.filter(|(slot, _)| **slot != NONE).for_each(|(slot, raw)| *slot = self.known(column, raw, dict));
        }
    }

    /// Id for what a column has: its value is looked at once for a segment.
    fn known(&mut self, column: &Stored, raw: u64, dict: &Dict) -> u32 {
        if let Some(&id) = self.scanned.get(&raw) {
            return id;
        }
        let id = self.intern(vec![cell(column.value(raw, dict))]);
        if self.scanned.len() < MOST_KNOWN {
            self.scanned.insert(raw, id);
        }
        id
    }

    /// Ids of tuples by the ids of their values.
    fn combine(&mut self, each: &[Vec<u32>], slots: &mut [u32]) {
        let sizes: Vec<usize> = self.singles.iter().map(Part::len).collect();
        let size = sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
        let key = |row: usize| {
            let mut key = [NONE; MOST];
            key.iter_mut().zip(each).for_each(|(id, ids)| *id = ids[row]);
            key
        };
        let Some(size) = size.filter(|size| *size <= LEAST_ROOM + ROOM_FOR_ROW * slots.len()) else {
            let mut last = ([NONE; MOST], NONE);
            for (row, slot) in slots.iter_mut().enumerate() {
                let key = key(row);
                if key != last.0 {
                    last = (key, self.tuple(key));
                }
                *slot = last.1;
            }
            return;
        };
        // A place for each combination that there may be.
        slots.fill(0);
        for (ids, size) in each.iter().zip(&sizes) {
            slots.iter_mut().zip(ids).for_each(|(place, id)| *place = *place * *size as u32 + id);
        }
        let mut told = vec![UNKNOWN; size];
        for (row, slot) in slots.iter_mut().enumerate() {
            let id = &mut told[*slot as usize];
            if *id == UNKNOWN {
                *id = self.tuple(key(row));
            }
            *slot = *id;
        }
    }

    /// Id of a tuple by the ids of its values; [`NONE`] if one is missing.
    fn tuple(&mut self, key: [u32; MOST]) -> u32 {
        if let Some(&id) = self.tuples.get(&key) {
            return id;
        }
        let value = |(single, id): (&Part, &u32)| single.cells(*id).first().cloned().unwrap_or(Cell::Missing);
        let cells = self.singles.iter().zip(&key).map(value).collect();
        let id = self.intern(cells);
        self.tuples.insert(key, id);
        id
    }
}
