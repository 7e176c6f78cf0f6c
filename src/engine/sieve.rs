//! [`Sieve`]: keeps of each batch what a recording filter wants. The world has seen every event by then, so a filter
//! changes what is kept, never what is true (invariant 12).

use crate::batch::{Batch, Columns, Error, Schema};
use crate::event::KindFlags;
use crate::field::Context;
use crate::filter::{Filter, Memo};
use crate::world::{Delta, Dict};
use std::sync::Arc;

/// Keeps what a recording filter wants.
pub(super) struct Sieve {
    filter: Filter,
    memo: Memo,
    context: Context,
    schema: Arc<Schema>,
    dict: Arc<Dict>,
    /// Kinds that are kept whatever the filter wants: losses, and what puts the state right.
    always: Vec<u16>,
}

impl Sieve {
    /// A sieve for a recording that began at `start` (ns UTC) at an offset from UTC.
    pub(super) fn new(filter: Filter, start: u64, tz_offset_s: i32) -> Sieve {
        let is_kept = |spec: &crate::event::Spec| spec.name == "loss" || spec.flags.has(KindFlags::SNAPSHOT);
        let kinds = crate::event::SPECS.iter().enumerate().filter(|(_, spec)| is_kept(spec));
        let always = kinds.map(|(kind, _)| kind as u16).collect();
        let context = Context { start, tz_offset_s, ..Context::default() };
        let (schema, dict) = (Arc::new(Schema::current()), Arc::new(Dict::new()));
        Sieve { filter, memo: Memo::default(), context, schema, dict, always }
    }

    /// A segment begins: its dictionary is empty.
    pub(super) fn begin(&mut self) {
        self.dict = Arc::new(Dict::new());
    }

    /// Rows that the next batch needs.
    pub(super) fn rows(&mut self, delta: &Delta) {
        // Our own deltas follow each other without a gap, so there is nothing to report.
        Arc::make_mut(&mut self.dict).apply(delta).ok();
    }

    /// The matching rows of a batch, numbered from `first_num`. Losses are always kept.
    pub(super) fn keep(&mut self, columns: Columns, first_num: u64) -> Result<Columns, Error> {
        let columns = Arc::new(columns);
        let batch = Batch::of_columns(Arc::clone(&columns), Arc::clone(&self.schema), Arc::clone(&self.dict));
        let wanted = self.filter.select(&mut self.memo, &batch, &self.context)?.to_rows(&batch)?;
        drop(batch);
        let mut columns = Arc::unwrap_or_clone(columns);
        let is_kept: Vec<bool> = columns.tables.iter().map(|t| self.always.contains(&t.kind)).collect();
        let keep: Vec<bool> = columns
            .kind
            .iter()
            .enumerate()
            .map(|(i, &kind)| wanted.get(i) || is_kept.get(usize::from(kind)).copied().unwrap_or(false))
            .collect();
        columns.retain(&keep);
        columns.first_num = first_num;
        Ok(columns)
    }
}
