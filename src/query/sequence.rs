//! [`SequenceQuery`]: events that follow others with the same key, such as a program that is run after it was written.

use super::{Operator, Span, StateColumn, View};
use crate::batch::{Batch, Error};
use crate::event::Flags;
use crate::field::FieldRef;
use crate::filter::{Filter, Memo, Selection};
use crate::report::{Cell, Report, Table};
use std::collections::BTreeMap;

/// One of the two sorts of events.
#[derive(Clone)]
pub struct Step {
    /// Which events.
    pub filter: Filter,
    /// What one of each sort have in common; those without it are left out.
    pub key: StateColumn,
    /// Columns that are told of it.
    pub columns: Vec<StateColumn>,
}

/// Every event of the second sort that comes after one of the first with the same key, beside the earliest of those.
#[derive(Clone)]
pub struct SequenceQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// What comes first.
    pub first: Step,
    /// What comes then.
    pub then: Step,
}

/// Time and number of an event, and its cells.
type Kept = (u64, u64, Vec<Cell>);

/// Events of one worker.
#[derive(Default)]
pub struct SequencePartial {
    memos: [Memo; 2],
    first: BTreeMap<Cell, Kept>,
    then: Vec<(Kept, Cell)>,
}

impl Step {
    /// The events of a batch, with their keys.
    fn events(
        &self,
        memo: &mut Memo,
        batch: &Batch,
        of: &Selection,
        view: View<'_>,
    ) -> Result<Vec<(Kept, Cell)>, Error> {
        let mut found = Vec::new();
        if !self.filter.may_match(memo, batch.head(), batch.schema(), batch.dict()) {
            return Ok(found);
        }
        let mut selection = of.clone();
        selection.intersect(self.filter.select(memo, batch, view.ctx)?);
        selection.for_each_row(batch, |row| {
            let key = self.key.cell(&row, view.ctx);
            if key != Cell::Missing && (view.in_flight || !row.flags().has(Flags::IN_FLIGHT)) {
                let cells = self.columns.iter().map(|c| c.cell(&row, view.ctx)).collect();
                found.push(((row.time(), row.num(), cells), key));
            }
        })?;
        batch.damage().map_or(Ok(found), |error| Err(error.clone()))
    }
}

fn keep(all: &mut BTreeMap<Cell, Kept>, key: Cell, event: Kept) {
    match all.get_mut(&key) {
        Some(known) if *known <= event => {}
        Some(known) => *known = event,
        None => drop(all.insert(key, event)),
    }
}

impl Operator for SequenceQuery {
    type Partial = SequencePartial;

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        for step in [&self.first, &self.then] {
            step.filter.fields().into_iter().for_each(&mut *each);
            for column in std::iter::once(&step.key).chain(&step.columns) {
                each(&column.field);
                column.or.iter().for_each(&mut *each);
            }
        }
    }

    fn add(
        &self,
        partial: &mut SequencePartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        let [of_first, of_then] = &mut partial.memos;
        let first = self.first.events(of_first, batch, selection, view)?;
        let mut then = self.then.events(of_then, batch, selection, view)?;
        for (event, key) in first {
            keep(&mut partial.first, key, event);
        }
        partial.then.append(&mut then);
        Ok(())
    }

    fn finish(&self, partials: Vec<SequencePartial>, _: Span, notes: Vec<String>) -> Report {
        let (mut first, mut then) = (BTreeMap::new(), Vec::new());
        for mut partial in partials {
            for (key, event) in partial.first {
                keep(&mut first, key, event);
            }
            then.append(&mut partial.then);
        }
        then.sort_unstable();
        let follows = |(event, key): (Kept, Cell)| {
            let before = first.get(&key).filter(|before| **before < event)?;
            Some(before.2.iter().cloned().chain(event.2).collect())
        };
        let rows = then.into_iter().filter_map(follows).collect();
        let columns = self.first.columns.iter().chain(&self.then.columns).map(StateColumn::heading).collect();
        let table = Table { title: String::new(), columns, rows };
        Report { title: self.title.clone(), about: self.about.clone(), tables: vec![table], notes, ..Report::default() }
    }
}
