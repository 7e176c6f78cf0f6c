//! Conditions on values that are one column of a kind: a text is looked at once for each id that a batch has, and numbers are
//! compared as they stand in their column. No row is made for any of them.

use super::ast::{Check, Expr};
use super::interval::Intervals;
use super::plan::Leaf;
use super::selection::Bits;
use crate::batch::{Batch, Error};
use crate::event::Class;
use crate::field::Scanned;
use crate::value::Value;
use crate::world::StrId;

/// Ids that are further apart than those of any dictionary are of a damaged column: it is asked row by row.
const MOST_IDS: usize = 1 << 22;

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
        let (batch, kind) = (self.batch, self.kind);
        let whole = |bits: Option<Bits>| bits.map(|may_hold| Told { may_hold, is_all: true });
        match check.field.scanned(batch.kind_info(kind)) {
            Some(Scanned::Duration) => Ok(whole(duration(check, batch.duration(kind)?).map(|bits| self.fitted(bits)))),
            Some(Scanned::Param(param)) => Ok(whole(self.param(check, param)?)),
            Some(Scanned::OneOf(params)) => {
                let mut may_hold = Bits::new(self.rows);
                for param in params {
                    let Some(bits) = self.param(check, param)? else { return Ok(None) };
                    may_hold.or(&bits);
                }
                Ok(Some(Told { may_hold, is_all: false }))
            }
            None => Ok(None),
        }
    }

    /// Rows whose parameter passes a check.
    fn param(&self, check: &Check, param: usize) -> Result<Option<Bits>, Error> {
        let (batch, kind) = (self.batch, self.kind);
        let bits = match batch.slot(kind, param) {
            Some((Class::Text, slot)) => self.texts(check, batch.text(kind, slot)?),
            Some((Class::Int, slot)) => Some(numbers(check, param, batch.int(kind, slot)?, batch.missing(kind)?)),
            _ => None,
        };
        Ok(bits.map(|bits| self.fitted(bits)))
    }

    /// A damaged column may be shorter or longer than its table.
    fn fitted(&self, mut bits: Bits) -> Bits {
        bits.resize(self.rows);
        bits
    }

    /// A parameter that an event lacks has the id 0, which no dictionary has a text for.
    fn texts(&self, check: &Check, ids: &[u32]) -> Option<Bits> {
        let strings = &self.batch.dict().strings;
        let ask = |id: u32| check.test(&strings.get(StrId(id)).map_or(Value::Missing, Value::text));
        let least = ids.iter().copied().filter(|&id| id != 0).min().unwrap_or(1);
        let span = (ids.iter().copied().max().unwrap_or(0).max(least) - least) as usize + 1;
        if span > MOST_IDS {
            return None;
        }
        // The first answer is that for no text.
        let mut answers = vec![UNKNOWN; span + 1];
        let place = |id: u32| if id == 0 { 0 } else { (id - least) as usize + 1 };
        for &id in ids {
            let answer = &mut answers[place(id)];
            if *answer == UNKNOWN {
                *answer = u8::from(ask(id));
            }
        }
        Some(Bits::of_values(ids, |id| answers[place(id)] == 1))
    }
}

fn numbers(check: &Check, param: usize, values: &[i64], missing: &[u64]) -> Bits {
    let mut bits = match Intervals::of_column(check, true) {
        Some(intervals) => intervals.select(values, |value| value),
        None => Bits::of(values.iter().map(|&value| check.test(&Value::Int(value)))),
    };
    if !missing.is_empty() {
        let bit = 1u64.checked_shl(param as u32).unwrap_or(0);
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
