//! What a batch's head alone says about a filter: for each kind, whether it may hold and whether it may fail.

use super::ast::Expr;
use super::eval::{applies, without_any};
use super::memo::Memo;
use super::plan::{Leaf, Node, Over};
use crate::batch::{Head, Schema};
use crate::event::Kind;
use crate::field::{Column, Extract};
use crate::value::Value;
use crate::world::{Dict, Roster, ThreadRow};

/// Both by local kind.
pub(super) struct Bounds {
    pub may_hold: Vec<bool>,
    may_fail: Vec<bool>,
}

/// What is known of the threads and descriptors that rows refer to.
#[derive(Clone, Copy)]
pub(super) enum Referred<'a> {
    Nothing,
    /// Who the threads are, of which each may be referred to.
    Roster(&'a Roster),
    Dict(&'a Dict),
}

pub(super) struct Asker<'a> {
    pub head: &'a Head,
    pub schema: &'a Schema,
    pub referred: Referred<'a>,
    pub memo: &'a mut Memo,
}

impl Asker<'_> {
    pub(super) fn node(&mut self, node: &Node) -> Bounds {
        match node {
            Node::And(parts) => self.combined(parts, |a, b| a && b, |a, b| a || b),
            Node::Or(parts) => self.combined(parts, |a, b| a || b, |a, b| a && b),
            Node::Not(part) => {
                let inner = self.node(part);
                Bounds { may_hold: inner.may_fail, may_fail: inner.may_hold }
            }
            Node::Leaf(leaf) => self.leaf(leaf),
        }
    }

    fn combined(&mut self, parts: &[Node], hold: fn(bool, bool) -> bool, fail: fn(bool, bool) -> bool) -> Bounds {
        let mut all = parts.iter().map(|p| self.node(p)).collect::<Vec<_>>().into_iter();
        let Some(mut sum) = all.next() else { return self.each(|_| (true, true)) };
        for part in all {
            for (a, b) in sum.may_hold.iter_mut().zip(part.may_hold) {
                *a = hold(*a, b);
            }
            for (a, b) in sum.may_fail.iter_mut().zip(part.may_fail) {
                *a = fail(*a, b);
            }
        }
        sum
    }

    fn each(&self, f: impl FnMut(usize) -> (bool, bool)) -> Bounds {
        let (may_hold, may_fail) = (0..self.head.kinds.len()).map(f).unzip();
        Bounds { may_hold, may_fail }
    }

    fn leaf(&mut self, leaf: &Leaf) -> Bounds {
        let (head, schema) = (self.head, self.schema);
        match leaf.over {
            Over::Kind => {
                let answers: Vec<_> = head.kinds.iter().map(|k| self.memo.kind(leaf, schema, Kind(k.kind))).collect();
                self.each(|k| (answers[k], !answers[k]))
            }
            Over::Thread => match self.referred {
                Referred::Nothing => self.each(|_| (true, true)),
                Referred::Roster(roster) => {
                    let bounds = of_roster(&leaf.expr, roster);
                    self.each(|_| bounds)
                }
                Referred::Dict(dict) => {
                    let bounds = both(head.threads.iter().map(|&row| self.memo.thread(leaf, dict, row)));
                    self.each(|_| bounds)
                }
            },
            Over::Descriptor => {
                let Referred::Dict(dict) = self.referred else { return self.each(|_| (true, true)) };
                let rows = std::iter::once(&0).chain(&head.descs);
                let bounds = both(rows.map(|&row| self.memo.desc(leaf, dict, row)));
                self.each(|_| bounds)
            }
            Over::Column(order) if order.column() == Column::Time && leaf.intervals.is_some() => {
                let bounds = leaf.intervals.as_ref().map(|i| i.bounds(head.min_time, head.max_time));
                self.each(|_| bounds.unwrap_or((true, true)))
            }
            Over::Column(_) | Over::Event => self.each(|k| {
                let info = schema.kinds.get(usize::from(head.kinds[k].kind));
                if info.is_some_and(|info| applies(leaf, info)) {
                    return (true, true);
                }
                let answer = without_any(leaf);
                (answer, !answer)
            }),
        }
    }
}

/// Whether a tree about threads may hold, and whether it may fail, for some thread of a roster.
fn of_roster(expr: &Expr, roster: &Roster) -> (bool, bool) {
    let (mut may_hold, mut may_fail) = (false, false);
    for thread in roster.threads() {
        let (hold, fail) = thread.map_or((true, true), |thread| of_thread(expr, roster.names(), &thread));
        (may_hold, may_fail) = (may_hold | hold, may_fail | fail);
        if may_hold && may_fail {
            break;
        }
    }
    (may_hold, may_fail)
}

/// The same for one thread, of which only name and ids are known.
fn of_thread(expr: &Expr, names: &Dict, thread: &ThreadRow) -> (bool, bool) {
    let combined = |parts: &[Expr]| {
        let all = parts.iter().map(|part| of_thread(part, names, thread));
        all.fold([(true, false), (false, true)], |[and, or], (hold, fail)| {
            [(and.0 && hold, and.1 || fail), (or.0 || hold, or.1 && fail)]
        })
    };
    match expr {
        Expr::And(parts) => combined(parts)[0],
        Expr::Or(parts) => combined(parts)[1],
        Expr::Not(part) => {
            let (hold, fail) = of_thread(part, names, thread);
            (fail, hold)
        }
        Expr::Check(_) | Expr::Relation(_) => {
            let mut is_known = true;
            expr.for_each_field(&mut |field| is_known &= field.is_in_roster());
            if !is_known {
                return (true, true);
            }
            let holds = expr.eval(&mut |field| match field.field.extract {
                Extract::Thread(f) => f(names, thread, &field.arg),
                _ => Value::Missing,
            });
            (holds, !holds)
        }
    }
}

/// Whether one of the answers is yes, and whether one is no; none is asked for when both are known.
fn both(mut answers: impl Iterator<Item = bool>) -> (bool, bool) {
    let Some(first) = answers.next() else { return (false, false) };
    let differ = answers.any(|answer| answer != first);
    (first || differ, !first || differ)
}
