//! [`HistogramQuery`]: how many events fell into each bucket of time and value.

use super::group::{Grouper, KindIds, walk};
use super::part::NONE;
use super::values::Source;
use super::{Aggregate, How, Operator, Span, View};
use crate::batch::{Batch, Error, Row};
use crate::field::FieldRef;
use crate::filter::Selection;
use crate::report::{Heat, Picture, Report, Unit};
use std::collections::BTreeMap;

/// Buckets of a decade of a logarithmic axis.
const PER_DECADE: usize = 6;

/// Buckets of a linear axis, and how many a name on it stands for.
const LINEAR: (usize, usize) = (60, 6);
/// The same of the hours of a day.
const HOURS: (usize, usize) = (48, 8);
const DAY: u64 = 86_400_000_000_000;

/// The most rows that are drawn.
const MAX_ROWS: u64 = 20_000;

/// How the values are cut into buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buckets {
    /// Six to each power of ten, up to 10 to the power of this; what is larger goes into the last.
    Decades(u32),
    /// Equal parts of one interval of time: the value is the time since the row's interval began.
    Offset,
}

/// How many events fell into each bucket of time and value.
#[derive(Clone)]
pub struct HistogramQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// What the value is called.
    pub name: String,
    /// The value: a number.
    pub field: FieldRef,
    /// What it means.
    pub unit: Unit,
    /// Length of a row's interval, ns; at least 1.
    pub step: u64,
    /// How values are cut.
    pub buckets: Buckets,
}

/// Counts of one worker.
#[derive(Default)]
pub struct HistogramPartial {
    rows: BTreeMap<u64, Vec<u64>>,
    tz_offset_s: Option<i32>,
}

impl HistogramQuery {
    /// Where buckets begin, and where the last ends.
    fn bounds(&self) -> Vec<u64> {
        match self.buckets {
            Buckets::Decades(decades) => {
                let count = decades as usize * PER_DECADE;
                (0..=count).map(|n| 10f64.powf(n as f64 / PER_DECADE as f64).round() as u64).collect()
            }
            Buckets::Offset => {
                let count = self.linear().0 as u64;
                (0..=count).map(|n| (u128::from(self.step) * u128::from(n) / u128::from(count)) as u64).collect()
            }
        }
    }

    fn linear(&self) -> (usize, usize) {
        if self.step == DAY { HOURS } else { LINEAR }
    }

    fn marks(&self) -> Vec<usize> {
        let (count, every) = match self.buckets {
            Buckets::Decades(decades) => (decades as usize * PER_DECADE, PER_DECADE),
            Buckets::Offset => self.linear(),
        };
        (0..count).step_by(every).collect()
    }
}

impl Operator for HistogramQuery {
    type Partial = HistogramPartial;

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        each(&self.field);
    }

    fn add(
        &self,
        partial: &mut HistogramPartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        let bounds = self.bounds();
        let last = bounds.len().saturating_sub(2);
        let mut grouper = Grouper::new(&[]);
        grouper.enter(batch);
        let mut ids = grouper.ids(batch, selection, view.in_flight, view.ctx)?;
        let time = batch.time()?;
        let is_offset = self.buckets == Buckets::Offset;
        // Days begin at midnight where the events were recorded.
        let local = i64::from(view.ctx.tz_offset_s) * 1_000_000_000;
        let source = Source::of(&Aggregate {
            name: String::new(),
            unit: Unit::None,
            how: How::Sum,
            field: Some(self.field.clone()),
            and: Vec::new(),
            only: None,
        });
        // What can be read from columns is put into buckets at once; what only an extractor tells, in the walk.
        let mut by_row = vec![false; ids.len()];
        for (kind, ids) in ids.iter_mut().enumerate().filter(|(_, ids)| !ids.is_empty() && !is_offset) {
            let Some(values) = source.columns(batch, kind)? else {
                by_row[kind] = true;
                continue;
            };
            let ids = ids.each();
            let chosen = ids.to_vec();
            ids.fill(NONE);
            values.each(&KindIds::Each((0..chosen.len() as u32).collect()), |at, value| {
                if chosen[at] != NONE {
                    ids[at] = bucket(&bounds, last, value);
                }
            });
        }
        let used: Vec<bool> = ids.iter().map(|ids| !ids.is_empty()).collect();
        let mut rows: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        walk(
            batch,
            is_offset || by_row.contains(&true),
            |kind| used.get(kind).copied().unwrap_or(false),
            |index, thread, kind, position| {
                let mut id = ids[kind].get(position);
                let mut moment = time.get(index).copied().unwrap_or(0).saturating_add_signed(local);
                if id != NONE && is_offset {
                    // When it began: the row has the time of its end.
                    let row = Row { batch, index, kind, position, thread };
                    moment = moment.saturating_sub(row.duration().unwrap_or(0));
                    id = bucket(&bounds, last, (moment % self.step.max(1)) as i64);
                } else if id != NONE && by_row[kind] {
                    let row = Row { batch, index, kind, position, thread };
                    id = super::values::number(&self.field, &row, view.ctx).map_or(NONE, |v| bucket(&bounds, last, v));
                }
                if id != NONE {
                    let row = rows.entry(moment / self.step.max(1)).or_insert_with(|| vec![0; last + 1]);
                    row[id as usize - 1] += 1;
                }
            },
        )?;
        if let Some(error) = batch.damage() {
            return Err(error.clone());
        }
        partial.tz_offset_s = Some(view.ctx.tz_offset_s);
        for (slot, row) in rows {
            add(&mut partial.rows, slot, &row);
        }
        Ok(())
    }

    fn finish(&self, partials: Vec<HistogramPartial>, span: Span, mut notes: Vec<String>) -> Report {
        let tz_offset_s = partials.iter().find_map(|p| p.tz_offset_s).unwrap_or(0);
        let mut all: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (slot, row) in partials.into_iter().flat_map(|p| p.rows) {
            add(&mut all, slot, &row);
        }
        let bounds = self.bounds();
        let step = self.step.max(1);
        let first = all
            .keys()
            .next()
            .copied()
            .unwrap_or(span.start.saturating_add_signed(i64::from(tz_offset_s) * 1_000_000_000) / step);
        let end = all.keys().next_back().map_or(first, |last| last + 1);
        let shown = end.min(first.saturating_add(MAX_ROWS));
        if shown < end {
            notes.push(format!("the first {MAX_ROWS} of {} intervals are shown", end - first));
        }
        let rows = (first..shown).map(|slot| all.remove(&slot).unwrap_or_else(|| vec![0; bounds.len() - 1])).collect();
        let heat = Heat {
            title: String::new(),
            start: first.saturating_mul(step).saturating_add_signed(-i64::from(tz_offset_s) * 1_000_000_000),
            step,
            tz_offset_s,
            value: self.name.clone(),
            bounds,
            unit: self.unit,
            marks: self.marks(),
            rows,
        };
        Report {
            title: self.title.clone(),
            about: self.about.clone(),
            pictures: vec![Picture::Heat(heat)],
            notes,
            ..Report::default()
        }
    }
}

/// The bucket of a value, from 1; [`NONE`] below the first.
fn bucket(bounds: &[u64], last: usize, value: i64) -> u32 {
    match u64::try_from(value) {
        Ok(value) if bounds.first().is_some_and(|first| value >= *first) => {
            bounds.partition_point(|bound| *bound <= value).saturating_sub(1).min(last) as u32 + 1
        }
        _ => NONE,
    }
}

fn add(rows: &mut BTreeMap<u64, Vec<u64>>, slot: u64, row: &[u64]) {
    let into = rows.entry(slot).or_insert_with(|| vec![0; row.len()]);
    into.iter_mut().zip(row).for_each(|(into, count)| *into += count);
}
