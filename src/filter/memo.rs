//! [`Memo`]: answers by dictionary row, so that a condition on `proc.name` is evaluated once per thread row.

use super::plan::Leaf;
use super::selection::Bits;
use crate::batch::Schema;
use crate::event::Kind;
use crate::field::Extract;
use crate::value::Value;
use crate::world::Dict;
use std::sync::{Arc, Weak};

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// What a filter has found out about the rows of one segment's dictionary. One per filter and thread of execution;
/// it starts again when it meets another segment.
#[derive(Debug, Default)]
pub struct Memo {
    dict: Weak<Dict>,
    schema: Weak<Schema>,
    answers: Vec<Vec<u8>>,
}

impl Memo {
    /// Forgets everything unless it is about these.
    pub(super) fn enter(&mut self, schema: &Arc<Schema>, dict: &Arc<Dict>) {
        // The weak references keep the addresses from being reused, so comparing addresses is enough.
        if !std::ptr::eq(self.dict.as_ptr(), Arc::as_ptr(dict))
            || !std::ptr::eq(self.schema.as_ptr(), Arc::as_ptr(schema))
        {
            self.dict = Arc::downgrade(dict);
            self.schema = Arc::downgrade(schema);
            self.answers.iter_mut().for_each(Vec::clear);
        }
    }

    /// The answer of a leaf for a row of a table of `rows` rows: known, or asked for.
    #[inline]
    fn answer(&mut self, leaf: usize, row: usize, rows: usize, ask: impl FnOnce() -> bool) -> bool {
        match self.answers.get(leaf).and_then(|known| known.get(row)) {
            Some(&answer) if answer != UNKNOWN => answer == YES,
            _ => self.learn(leaf, row, rows, ask()),
        }
    }

    #[cold]
    fn learn(&mut self, leaf: usize, row: usize, rows: usize, answer: bool) -> bool {
        if self.answers.len() <= leaf {
            self.answers.resize(leaf + 1, Vec::new());
        }
        let known = &mut self.answers[leaf];
        if known.len() < rows {
            known.resize(rows, UNKNOWN);
        }
        if let Some(cell) = known.get_mut(row) {
            *cell = if answer { YES } else { NO };
        }
        answer
    }

    /// Whether a leaf over kinds holds for a kind of the schema.
    pub(super) fn kind(&mut self, leaf: &Leaf, schema: &Schema, kind: Kind) -> bool {
        let row = usize::from(kind.0);
        let Some(info) = schema.kinds.get(row) else { return false };
        self.answer(leaf.id, row, schema.kinds.len(), || {
            leaf.expr.eval(&mut |field| match field.field.extract {
                Extract::Kind(f) => f(info, &field.arg),
                _ => Value::Missing,
            })
        })
    }

    /// Whether a leaf over threads holds for a row of the dictionary.
    pub(super) fn thread(&mut self, leaf: &Leaf, dict: &Dict, row: u32) -> bool {
        // Rows that a damaged dictionary lost are asked as row 0, as `Dict::thread` does.
        let row = if (row as usize) < dict.threads.len() { row } else { 0 };
        self.answer(leaf.id, row as usize, dict.threads.len(), || {
            let thread = dict.thread(row);
            leaf.expr.eval(&mut |field| match field.field.extract {
                Extract::Thread(f) => f(dict, thread, &field.arg),
                _ => Value::Missing,
            })
        })
    }

    /// Which rows of a column of descriptors a leaf holds for. Asks about rows that nobody asked about before.
    pub(super) fn descs(&mut self, leaf: &Leaf, dict: &Dict, column: &[u32]) -> Bits {
        let known = self.answers.get(leaf.id).map_or(&[][..], Vec::as_slice);
        let mut all_known = true;
        let bits = Bits::of_values(column, |row| {
            let answer = known.get(row as usize).copied().unwrap_or(UNKNOWN);
            all_known &= answer != UNKNOWN;
            answer == YES
        });
        if all_known { bits } else { Bits::of(column.iter().map(|&row| self.desc(leaf, dict, row))) }
    }

    /// Whether a leaf over descriptors holds for a row of the dictionary; 0: the event has no descriptor.
    pub(super) fn desc(&mut self, leaf: &Leaf, dict: &Dict, row: u32) -> bool {
        // A row that was lost is a descriptor of which nothing is known; its answer is kept behind the others.
        let at = (row as usize).min(dict.descs.len());
        self.answer(leaf.id, at, dict.descs.len() + 1, || {
            leaf.expr.eval(&mut |field| match field.field.extract {
                Extract::Descriptor(f) if row != 0 => f(dict, dict.desc(row), &field.arg),
                _ => Value::Missing,
            })
        })
    }
}
