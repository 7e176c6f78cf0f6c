//! [`Filter`]: a parsed filter, ready to be asked.

use super::ast::Expr;
use super::binding::Bindings;
use super::bounds::{Asker, Referred};
use super::eval::Eval;
use super::plan::Node;
use super::{Diagnostic, Diagnostics, Memo, Selection, parse};
use crate::batch::{Batch, Error, Head, KindRows, Row, Schema};
use crate::field::{BufferFormat, Context, FieldRef};
use crate::world::{Dict, Roster};
use std::sync::Arc;

/// A parsed filter. Shared between threads; each keeps its own [`Memo`].
#[derive(Debug, Clone)]
pub struct Filter {
    expr: Expr,
    plan: Node,
    warnings: Vec<Diagnostic>,
}

impl Filter {
    /// Reads a filter in sysdig's language; every error that can be told is told at once.
    pub fn parse(text: &str) -> Result<Filter, Diagnostics> {
        parse::parse(text, None).map(Filter::warned)
    }

    /// Reads a filter in which `$name` stands for a parameter.
    pub fn parse_with(text: &str, bindings: &Bindings) -> Result<Filter, Diagnostics> {
        parse::parse(text, Some(bindings)).map(Filter::warned)
    }

    /// A filter from a tree.
    pub fn of(expr: Expr) -> Filter {
        let plan = Node::of(&expr, &mut 0);
        Filter { expr, plan, warnings: Vec::new() }
    }

    fn warned((expr, warnings): (Expr, Vec<Diagnostic>)) -> Filter {
        Filter { warnings, ..Filter::of(expr) }
    }

    /// What is legal in the text it was read from, and probably not meant.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The filter that asks for both.
    #[must_use]
    pub fn and(self, other: Filter) -> Filter {
        Filter::of(Expr::and(vec![self.expr, other.expr]))
    }

    /// The tree; its `Display` is a filter with the same meaning.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The fields it names, left to right.
    pub fn fields(&self) -> Vec<&FieldRef> {
        let mut fields = Vec::new();
        self.expr.for_each_field(&mut |field| fields.push(field));
        fields
    }

    /// Which rows of a batch match. Reads no column that the answer does not depend on.
    pub fn select(&self, memo: &mut Memo, batch: &Batch, ctx: &Context) -> Result<Selection, Error> {
        memo.enter(batch.schema(), batch.dict());
        let all = Selection::all(batch.head().kinds.len());
        Eval { batch, ctx: &asked_in(ctx), memo }.node(&self.plan, &all)
    }

    /// Whether a batch can have a matching row, told from its head: `false` is certain.
    pub fn may_match(&self, memo: &mut Memo, head: &Head, schema: &Arc<Schema>, dict: &Arc<Dict>) -> bool {
        memo.enter(schema, dict);
        Asker { head, schema, referred: Referred::Dict(dict), memo }.node(&self.plan).may_hold.contains(&true)
    }

    /// The same without a dictionary: told by kinds and times alone, before it is read.
    pub fn may_match_head(&self, head: &Head, schema: &Schema) -> bool {
        let memo = &mut Memo::default();
        Asker { head, schema, referred: Referred::Nothing, memo }.node(&self.plan).may_hold.contains(&true)
    }

    /// The same of all batches of a segment, which lie in a span of times (ns UTC), by who its threads are.
    pub fn may_match_roster(&self, roster: &Roster, schema: &Schema, (min_time, max_time): (u64, u64)) -> bool {
        let kinds = (0..schema.kinds.len()).map(|kind| KindRows { kind: kind as u16, rows: 1 }).collect();
        let head = Head { min_time, max_time, kinds, ..Head::default() };
        let memo = &mut Memo::default();
        Asker { head: &head, schema, referred: Referred::Roster(roster), memo }
            .node(&self.plan)
            .may_hold
            .contains(&true)
    }

    /// Whether it asks who a thread is, so that [`Filter::may_match_roster`] is worth asking.
    pub fn asks_roster(&self) -> bool {
        self.fields().into_iter().any(FieldRef::is_in_roster)
    }

    /// Whether one event matches: slower than [`Filter::select`], which gives the same answer.
    pub fn matches(&self, row: &Row<'_>, ctx: &Context) -> bool {
        self.expr.matches(row, &asked_in(ctx))
    }
}

/// What a filter sees of data does not depend on how it is printed, nor on how much of it.
fn asked_in(ctx: &Context) -> Context {
    Context { buffer: BufferFormat::Dots, buffer_limit: usize::MAX, ..*ctx }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.expr.fmt(f)
    }
}
