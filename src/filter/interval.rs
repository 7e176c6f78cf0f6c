//! Conditions on the numbers of one column as intervals, so that a scan compares two integers per row.

use super::Literal;
use super::ast::{Check, Expr};
use super::selection::Bits;
use crate::field::{Column, Extract};

/// The values of a column that pass, as ascending inclusive intervals of [`Intervals::key`]s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Intervals {
    signed: bool,
    list: Vec<(i64, i64)>,
}

impl Intervals {
    /// The values that pass a tree of checks on one column; `None` if a field is not the column's number itself.
    pub(super) fn of(expr: &Expr) -> Option<Intervals> {
        let mut column = None;
        let mut plain = true;
        expr.for_each_field(&mut |field| match field.field.extract {
            Extract::Number(of) => plain &= *column.get_or_insert(of) == of,
            _ => plain = false,
        });
        let signed = column.filter(|_| plain)? == Column::Return;
        Some(Intervals { signed, list: list(expr, signed)? })
    }

    /// The values of a column that pass a check of it, whatever column its field is made of.
    pub(super) fn of_column(check: &Check, signed: bool) -> Option<Intervals> {
        Some(Intervals { signed, list: of_check(check, signed)? })
    }

    /// Order-preserving form of a raw value: columns other than return values are unsigned.
    fn key(&self, raw: i64) -> i64 {
        key(raw, self.signed)
    }

    /// Whether a value passes.
    pub(super) fn holds(&self, raw: i64) -> bool {
        let key = self.key(raw);
        match self.list[..] {
            [(low, high)] => low <= key && key <= high,
            _ => self.list.iter().any(|&(low, high)| low <= key && key <= high),
        }
    }

    /// Which values of a column pass.
    pub(super) fn select<T: Copy>(&self, values: &[T], raw: impl Fn(T) -> i64) -> Bits {
        match self.list[..] {
            [(low, high)] => Bits::of_values(values, |v| {
                let key = self.key(raw(v));
                low <= key && key <= high
            }),
            _ => Bits::of_values(values, |v| self.holds(raw(v))),
        }
    }

    /// The same; one value stands for none, of which the answer is known.
    pub(super) fn select_but(&self, values: &[u64], none: u64, without: bool, raw: impl Fn(u64) -> i64) -> Bits {
        match self.list[..] {
            [(low, high)] => Bits::of_values(values, |v| {
                let key = self.key(raw(v));
                if v == none { without } else { low <= key && key <= high }
            }),
            _ => Bits::of_values(values, |v| if v == none { without } else { self.holds(raw(v)) }),
        }
    }

    /// Whether some, and whether not all, values between two can pass.
    pub(super) fn bounds(&self, low: u64, high: u64) -> (bool, bool) {
        let (low, high) = (self.key(low as i64), self.key(high as i64));
        let meets = self.list.iter().any(|&(from, to)| from <= high && low <= to);
        (meets, !self.list.iter().any(|&(from, to)| from <= low && high <= to))
    }
}

fn key(raw: i64, signed: bool) -> i64 {
    if signed { raw } else { raw ^ i64::MIN }
}

fn list(expr: &Expr, signed: bool) -> Option<Vec<(i64, i64)>> {
    Some(match expr {
        Expr::Check(check) => of_check(check, signed)?,
        Expr::Relation(_) => return None,
        Expr::Not(part) => complement(&list(part, signed)?),
        Expr::Or(parts) => union(parts.iter().map(|p| list(p, signed)).collect::<Option<Vec<_>>>()?.concat()),
        Expr::And(parts) => {
            let outside: Option<Vec<_>> = parts.iter().map(|p| Some(complement(&list(p, signed)?))).collect();
            complement(&union(outside?.concat()))
        }
    })
}

const ALL: (i64, i64) = (i64::MIN, i64::MAX);

fn of_check(check: &Check, signed: bool) -> Option<Vec<(i64, i64)>> {
    if check.quantifier.is_some() {
        return None;
    }
    if check.op.name == "exists" {
        return Some(vec![ALL]);
    }
    // The column's whole range in numbers, and a number's key; numbers beyond the range are clamped by the caller.
    let (least, most) = if signed { (i128::from(i64::MIN), i128::from(i64::MAX)) } else { (0, i128::from(u64::MAX)) };
    let to_key = |n: i128| key(if signed { n as i64 } else { n as u64 as i64 }, signed);
    let span = |low: i128, high: i128| {
        let (low, high) = (low.max(least), high.min(most));
        if low > high { vec![] } else { vec![(to_key(low), to_key(high))] }
    };
    let mut found = Vec::new();
    for constant in &check.constants {
        let Literal::Number(n) = *constant else { return None };
        found.extend(match check.op.name {
            "=" | "==" | "in" | "!=" => span(n, n),
            "<" => span(least, n - 1),
            "<=" => span(least, n),
            ">" => span(n + 1, most),
            ">=" => span(n, most),
            _ => return None,
        });
    }
    let found = union(found);
    Some(if check.op.name == "!=" { complement(&found) } else { found })
}

/// Sorted, overlaps and neighbours joined.
fn union(mut list: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    list.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::with_capacity(list.len());
    for (low, high) in list {
        match joined.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => joined.push((low, high)),
        }
    }
    joined
}

/// The gaps of a sorted list without overlaps.
fn complement(list: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut gaps = Vec::with_capacity(list.len() + 1);
    let mut next = Some(i64::MIN);
    for &(low, high) in list {
        if let Some(from) = next.filter(|&from| from < low) {
            gaps.push((from, low - 1));
        }
        next = high.checked_add(1);
    }
    gaps.extend(next.map(|from| (from, i64::MAX)));
    gaps
}
