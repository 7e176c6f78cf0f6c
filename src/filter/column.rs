//! Conditions on values that are one column of a kind: a text is looked at once for each id that a batch has, and numbers are
//! compared as they stand in their column. No row is made for any of them.

use super::ast::{Check, Expr};
use super::interval::Intervals;
use super::plan::Leaf;
use super::selection::Bits;
use crate::batch::{Batch, Error};
use crate::field::{ById, MOST_IDS, Stored};
use crate::value::Value;

const UNKNOWN: u8 = 2;

/// What columns say of the rows of a kind.
pub(super) struct Told {
    /// Rows for which the expression may hold; for all others it does not.
    pub may_hold: Bits,
    /// Whether it holds for all of them.
    pub is_all: bool,
}

/// What columns say of a leaf for a kind; `None`: nothing.
pub(super) fn select(leaf: &Leaf, batch: &Batch, kind: usize) -> Result<Option<Told>, Error> {
    Scan { batch, kind, rows: batch.head().kinds[kind].rows as usize }.tree(&leaf.expr)
}

struct Scan<'a> {
    batch: &'a Batch,
    kind: usize,
    rows: usize,
}

impl Scan<'_> {
    fn tree(&self, expr: &Expr) -> Result<Option<Told>, Error> {
        match expr {
            Expr::And(parts) => self.all_of(parts),
            Expr::Or(parts) => self.any_of(parts),
            Expr::Not(part) => Ok(self.tree(part)?.filter(|told| told.is_all).map(|mut told| {
                told.may_hold.invert();
                told
            })),
            Expr::Check(check) => self.check(check),
            Expr::Relation(_) => Ok(None),
        }
    }

    fn all_of(&self, parts: &[Expr]) -> Result<Option<Told>, Error> {
        let (mut sum, mut is_all): (Option<Bits>, bool) = (None, true);
        for part in parts {
            let Some(told) = self.tree(part)? else {
                is_all = false;
                continue;
            };
            is_all &= told.is_all;
            let bits = match sum.take() {
                Some(mut bits) => {
                    bits.and(&told.may_hold);
                    bits
                }
                None => told.may_hold,
            };
            if bits.count() == 0 {
                return Ok(Some(Told { may_hold: bits, is_all: true }));
            }
            sum = Some(bits);
        }
        Ok(sum.map(|may_hold| Told { may_hold, is_all }))
    }

    fn any_of(&self, parts: &[Expr]) -> Result<Option<Told>, Error> {
        let mut sum = Told { may_hold: Bits::new(self.rows), is_all: true };
        for part in parts {
            let Some(told) = self.tree(part)? else { return Ok(None) };
            sum.may_hold.or(&told.may_hold);
            sum.is_all &= told.is_all;
        }
        Ok(Some(sum))
    }

    fn check(&self, check: &Check) -> Result<Option<Told>, Error> {
        let bits = match &check.field.stored(self.batch, self.kind)? {
            Some(column @ Stored::Texts(ids, _)) => self.texts(check, column, ids),
            Some(Stored::Numbers { values, missing, bit }) => Some(numbers(check, values, missing, *bit)),
            Some(Stored::Durations(durations)) => duration(check, durations),
            None => None,
        };
        Ok(bits.map(|bits| Told { may_hold: self.fitted(bits), is_all: true }))
    }

    /// A damaged column may be shorter or longer than its table.
    fn fitted(&self, mut bits: Bits) -> Bits {
        bits.resize(self.rows);
        bits
    }

    /// A parameter that an event lacks has the id 0, which no dictionary has a text for.
    fn texts(&self, check: &Check, column: &Stored<'_>, ids: &[u32]) -> Option<Bits> {
        let ask = |id: u32| check.test(&column.value(id.into(), self.batch.dict()));
        let mut answers = ById::of(ids.iter().map(|&id| id.into()), MOST_IDS, UNKNOWN)?;
        for &id in ids {
            let answer = answers.get(id.into());
            if *answer == UNKNOWN {
                *answer = u8::from(ask(id));
            }
        }
        Some(Bits::of_values(ids, |id| *answers.get(id.into()) == 1))
    }
}

fn numbers(check: &Check, values: &[i64], missing: &[u64], bit: u64) -> Bits {
    let mut bits = match Intervals::of_column(check, true) {
        Some(intervals) => intervals.select(values, |value| value),
        None => Bits::of(values.iter().map(|&value| check.test(&Value::Int(value)))),
    };
    if !missing.is_empty() {
        let mut there = Bits::of_values(missing, |missing| missing & bit != 0);
        there.resize(values.len());
        there.invert();
        bits.and(&there);
    }
    bits
}

fn duration(check: &Check, durations: &[u64]) -> Option<Bits> {
    let intervals = Intervals::of_column(check, false)?;
    Some(intervals.select_but(durations, 0, check.test(&Value::Missing), |stored| stored.wrapping_sub(1) as i64))
}
