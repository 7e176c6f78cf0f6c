//! A plan over a batch → [`Selection`].
//!
//! Each node is asked only about a scope: the rows that are still in question. Whatever it answers about rows
//! outside of the scope is ignored, so later conjuncts never touch the tables that earlier ones ruled out.

use super::memo::Memo;
use super::plan::{Leaf, Node, Over};
use super::selection::{Bits, KindSelection, Selection};
use crate::batch::{Batch, Error, KindInfo, Row};
use crate::event::{Flags, Kind};
use crate::field::{Column, Context, Extract, FieldRef, OfKind};
use crate::value::Value;

pub(super) struct Eval<'e> {
    pub batch: &'e Batch,
    pub ctx: &'e Context,
    pub memo: &'e mut Memo,
}

fn all_or_none(yes: bool) -> KindSelection {
    if yes { KindSelection::All } else { KindSelection::None }
}

impl Eval<'_> {
    pub(super) fn node(&mut self, node: &Node, scope: &Selection) -> Result<Selection, Error> {
        match node {
            Node::And(parts) => {
                let mut narrowed = scope.clone();
                for part in parts {
                    if narrowed.is_none() {
                        break;
                    }
                    let answer = self.node(part, &narrowed)?;
                    narrowed.intersect(answer);
                }
                Ok(narrowed)
            }
            Node::Or(parts) => {
                let mut any = Selection::none(scope.kinds.len());
                for part in parts {
                    let answer = self.node(part, scope)?;
                    any = any.union(answer, scope, self.batch)?;
                }
                Ok(any)
            }
            Node::Not(part) => self.node(part, scope)?.complement(scope, self.batch),
            Node::Leaf(leaf) => self.leaf(leaf, scope),
        }
    }

    fn leaf(&mut self, leaf: &Leaf, scope: &Selection) -> Result<Selection, Error> {
        match leaf.over {
            Over::Kind => {
                let head = self.batch.head();
                Ok(scope.by_kind(|k| all_or_none(self.memo.kind(leaf, self.batch.schema(), Kind(head.kinds[k].kind)))))
            }
            Over::Thread => self.threads(leaf, scope),
            Over::Descriptor => self.descs(leaf, scope),
            Over::Column(order) if order.column().is_by_kind() => self.kind_column(leaf, order.column(), scope),
            Over::Column(order) => self.row_column(leaf, order.column(), scope),
            Over::Event => self.events(leaf, scope),
        }
    }

    fn threads(&mut self, leaf: &Leaf, scope: &Selection) -> Result<Selection, Error> {
        let dict = self.batch.dict();
        let answers: Vec<bool> =
            self.batch.head().threads.iter().map(|&row| self.memo.thread(leaf, dict, row)).collect();
        if answers.iter().all(|&a| a == answers[0]) {
            return Ok(scope.by_kind(|_| all_or_none(answers.first() == Some(&true))));
        }
        let answer = |(local, length)| (answers.get(usize::from(local)) == Some(&true), length);
        let rows = Bits::of_runs(self.batch.rows(), self.batch.thread()?.iter().map(answer));
        Ok(Selection { kinds: scope.by_kind(|_| KindSelection::All).kinds, rows: Some(rows) })
    }

    fn descs(&mut self, leaf: &Leaf, scope: &Selection) -> Result<Selection, Error> {
        let (batch, dict) = (self.batch, self.batch.dict());
        let without = self.memo.desc(leaf, dict, 0);
        // The head names all descriptors of the batch: if they agree, no column need be read.
        // All are asked, so that those in columns are known.
        let others = batch.head().descs.iter().filter(|&&row| self.memo.desc(leaf, dict, row) != without).count();
        if others == 0 {
            return Ok(scope.by_kind(|_| all_or_none(without)));
        }
        scope.try_by_kind(|k| {
            let column = batch.desc(k)?;
            if column.is_empty() {
                return Ok(all_or_none(without));
            }
            Ok(KindSelection::Some(self.memo.descs(leaf, dict, column)).simplified())
        })
    }

    fn kind_column(&mut self, leaf: &Leaf, column: Column, scope: &Selection) -> Result<Selection, Error> {
        let (batch, ctx) = (self.batch, self.ctx);
        scope.try_by_kind(|k| {
            let info = batch.kind_info(k);
            let mut test = Repeated::new(|raw| holds(leaf, info, raw, ctx));
            let rows = batch.head().kinds[k].rows as usize;
            let flags = batch.flags(k)?;
            if let (Some(intervals), Column::Return, true) =
                (&leaf.intervals, column, flags.is_empty() && info.ret.is_some())
            {
                return Ok(fitted(rows, intervals.select(batch.ret(k)?, |r| r)));
            }
            if let (Some(intervals), Column::Duration) = (&leaf.intervals, column) {
                let without = holds(leaf, info, None, ctx);
                return Ok(fitted(
                    rows,
                    intervals.select_but(batch.duration(k)?, 0, without, |d| d.wrapping_sub(1) as i64),
                ));
            }
            Ok(match column {
                Column::Flags if flags.is_empty() => all_or_none(test.ask(Some(0))),
                Column::Flags => some(rows, flags.iter().map(|&f| test.ask(Some(i64::from(f))))),
                Column::Return if info.ret.is_none() => all_or_none(test.ask(None)),
                Column::Return if flags.is_empty() => some(rows, batch.ret(k)?.iter().map(|&r| test.ask(Some(r)))),
                Column::Return => some(
                    rows,
                    batch
                        .ret(k)?
                        .iter()
                        .zip(flags)
                        .map(|(&r, &f)| test.ask(Some(r).filter(|_| !Flags(f).has(Flags::IN_FLIGHT)))),
                ),
                _ => some(rows, batch.duration(k)?.iter().map(|&d| test.ask(d.checked_sub(1).map(|d| d as i64)))),
            })
        })
    }

    fn row_column(&mut self, leaf: &Leaf, column: Column, scope: &Selection) -> Result<Selection, Error> {
        let batch = self.batch;
        let kinds = scope.by_kind(|_| KindSelection::All).kinds;
        let Some(any) = kinds.iter().position(|k| *k == KindSelection::All) else {
            return Ok(Selection { kinds, rows: None });
        };
        if let Some(answer) = self.of_head(leaf, column) {
            return Ok(scope.by_kind(|_| all_or_none(answer)));
        }
        let info = batch.kind_info(any);
        if let Some(intervals) = &leaf.intervals {
            let rows = match column {
                Column::Time => intervals.select(batch.time()?, |t| t as i64),
                Column::Cpu => intervals.select(batch.cpu()?, i64::from),
                _ if !batch.nums()?.is_empty() => intervals.select(batch.nums()?, |n| n as i64),
                _ => {
                    let first = batch.head().first_num;
                    Bits::of((0..batch.rows() as u64).map(|i| intervals.holds(first.wrapping_add(i) as i64)))
                }
            };
            return Ok(Selection { kinds, rows: Some(rows) });
        }
        let mut test = Repeated::new(|raw| holds(leaf, info, raw, self.ctx));
        let rows = match column {
            Column::Time => Bits::of(batch.time()?.iter().map(|&t| test.ask(Some(t as i64)))),
            Column::Cpu => Bits::of(batch.cpu()?.iter().map(|&c| test.ask(Some(i64::from(c))))),
            _ if !batch.nums()?.is_empty() => Bits::of(batch.nums()?.iter().map(|&n| test.ask(Some(n as i64)))),
            _ => {
                let first = batch.head().first_num;
                Bits::of((0..batch.rows() as u64).map(|i| test.ask(Some(first.wrapping_add(i) as i64))))
            }
        };
        Ok(Selection { kinds, rows: Some(rows) })
    }

    /// The answer for every row, if the head's range of times or numbers settles it.
    fn of_head(&self, leaf: &Leaf, column: Column) -> Option<bool> {
        let intervals = leaf.intervals.as_ref()?;
        let head = self.batch.head();
        let (some, not_all) = match column {
            Column::Time => intervals.bounds(head.min_time, head.max_time),
            Column::Num if self.batch.nums().is_ok_and(<[u64]>::is_empty) => {
                let last = head.first_num.checked_add(u64::from(head.rows).saturating_sub(1))?;
                intervals.bounds(head.first_num, last)
            }
            _ => return None,
        };
        (some != not_all).then_some(some)
    }

    fn events(&mut self, leaf: &Leaf, scope: &Selection) -> Result<Selection, Error> {
        let (batch, ctx) = (self.batch, self.ctx);
        let kinds: Vec<OfKinds> = (0..batch.head().kinds.len())
            .map(|k| {
                if scope.kinds[k] == KindSelection::None {
                    OfKinds::default()
                } else {
                    OfKinds::of(leaf, batch.kind_info(k))
                }
            })
            .collect();
        let mut answer = scope.by_kind(|k| match kinds[k].common(leaf) {
            Some(all) => all_or_none(all),
            None => KindSelection::Some(Bits::new(batch.head().kinds[k].rows as usize)),
        });
        let mut asked = scope.clone();
        for (asked, answer) in asked.kinds.iter_mut().zip(&answer.kinds) {
            if !matches!(answer, KindSelection::Some(_)) {
                *asked = KindSelection::None;
            }
        }
        for (k, asked) in asked.kinds.iter_mut().enumerate().filter(|(_, asked)| **asked != KindSelection::None) {
            if let Some(bits) = super::data::select(leaf, batch, k, asked, ctx)? {
                answer.kinds[k] = KindSelection::Some(bits).simplified();
                *asked = KindSelection::None;
            } else if let Some(told) = super::column::select(leaf, batch, k)? {
                if told.is_all {
                    answer.kinds[k] = KindSelection::Some(told.may_hold).simplified();
                    *asked = KindSelection::None;
                } else {
                    asked.intersect(KindSelection::Some(told.may_hold));
                }
            }
        }
        asked.for_each_row(batch, |row| {
            if let KindSelection::Some(bits) = &mut answer.kinds[row.kind]
                && leaf.expr.eval(&mut |field| kinds[row.kind].value(field, &row, ctx))
            {
                bits.set(row.position);
            }
        })?;
        match batch.damage() {
            Some(damage) => Err(damage.clone()),
            None => Ok(answer),
        }
    }
}

/// A leaf's fields as they are asked of rows of one kind.
#[derive(Default)]
struct OfKinds<'e>(Vec<(&'e FieldRef, OfKind)>);

impl<'e> OfKinds<'e> {
    fn of(leaf: &'e Leaf, info: &KindInfo) -> OfKinds<'e> {
        let mut fields = Vec::new();
        leaf.expr.for_each_field(&mut |field| fields.push((field, field.of_kind(info))));
        OfKinds(fields)
    }

    /// The answer for all rows, if it depends on nothing else.
    fn common(&self, leaf: &Leaf) -> Option<bool> {
        let is_value = |(_, of): &(&FieldRef, OfKind)| matches!(of, OfKind::Value(_));
        let value = |field: &FieldRef| match self.find(field) {
            Some(OfKind::Value(value)) => value.clone(),
            _ => Value::Missing,
        };
        self.0.iter().all(is_value).then(|| leaf.expr.eval(&mut |field| value(field)))
    }

    /// Fields are told apart by where they stand: one may be named twice.
    #[inline]
    fn find(&self, field: &FieldRef) -> Option<&OfKind> {
        self.0.iter().find(|(known, _)| std::ptr::eq(*known, field)).map(|(_, of)| of)
    }

    #[inline]
    fn value<'v>(&'v self, field: &'v FieldRef, row: &Row<'v>, ctx: &Context) -> Value<'v> {
        match self.find(field) {
            Some(OfKind::Value(value)) => value.clone(),
            Some(OfKind::Field(field)) => field.value(row, ctx),
            None => field.value(row, ctx),
        }
    }
}

/// The answer of a leaf for events that have none of its fields.
pub(super) fn without_any(leaf: &Leaf) -> bool {
    leaf.expr.eval(&mut |_| Value::Missing)
}

/// Whether events of a kind can have one of a leaf's fields.
pub(super) fn applies(leaf: &Leaf, info: &KindInfo) -> bool {
    let mut any = false;
    leaf.expr.for_each_field(&mut |field| any |= field.applies(info));
    any
}

fn holds(leaf: &Leaf, info: &KindInfo, raw: Option<i64>, ctx: &Context) -> bool {
    if let (Some(intervals), Some(raw)) = (&leaf.intervals, raw) {
        return intervals.holds(raw);
    }
    leaf.expr.eval(&mut |field| match (field.field.extract, raw) {
        (Extract::Number(column), Some(raw)) => column.number(raw),
        (Extract::Column(_, f), Some(raw)) => f(info, raw, ctx),
        _ => Value::Missing,
    })
}

fn some(rows: usize, answers: impl Iterator<Item = bool>) -> KindSelection {
    fitted(rows, Bits::of(answers.take(rows)))
}

/// A damaged column may be shorter or longer than its table.
fn fitted(rows: usize, mut bits: Bits) -> KindSelection {
    bits.resize(rows);
    KindSelection::Some(bits).simplified()
}

/// A test that remembers its last answer: neighbours in a column are often equal.
struct Repeated<F> {
    test: F,
    last: Option<(Option<i64>, bool)>,
}

impl<F: Fn(Option<i64>) -> bool> Repeated<F> {
    fn new(test: F) -> Self {
        Repeated { test, last: None }
    }

    fn ask(&mut self, raw: Option<i64>) -> bool {
        match self.last {
            Some((value, answer)) if value == raw => answer,
            _ => {
                let answer = (self.test)(raw);
                self.last = Some((raw, answer));
                answer
            }
        }
    }
}
