//! [`Aggregate`]: one value column of a table, and the cells that it is kept in while batches are read.

use super::group::Ids;
use super::part::{NONE, Part};
use super::values::{Source, Values};
use crate::batch::{Batch, Error};
use crate::field::{Context, FieldRef};
use crate::filter::{Filter, Memo, Selection};
use crate::report::{Cell, Unit};
use foldhash::fast::FixedState;
use std::collections::{HashMap, HashSet};

/// How the values of a group become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Number of events.
    Count,
    /// Sum of a number.
    Sum,
    /// Number of different values.
    Distinct,
    /// Smallest number.
    Min,
    /// Largest number.
    Max,
    /// Sum by number of values.
    Avg,
    /// Sum of nanoseconds by the length of the recording, in hundredths.
    Share,
}

/// One value column of a table.
#[derive(Clone)]
pub struct Aggregate {
    /// Heading.
    pub name: String,
    /// What its numbers mean.
    pub unit: Unit,
    /// How values become one.
    pub how: How,
    /// The field; `None` for [`How::Count`].
    pub field: Option<FieldRef>,
    /// Only of events for which this holds.
    pub only: Option<Filter>,
}

/// What is kept per group for one aggregate; index is the group's id.
///
/// Sums wrap around, because only then is their order of no matter; honest nanoseconds and bytes stay
/// far below (292 years, 9 EB).
pub(super) struct Slots {
    pub(super) how: How,
    pub(super) source: Source,
    /// Sum, minimum or maximum.
    value: Vec<i64>,
    /// Number of values.
    count: Vec<u64>,
    /// Distinct values: pairs of group and value, also in order of arrival.
    seen: HashSet<(u32, u32), FixedState>,
    pairs: Vec<(u32, u32)>,
    /// Ids of the values that [`How::Distinct`] counts.
    pub(super) values: Part,
    /// The condition of the column, and what is known of it.
    only: Option<(Filter, Memo)>,
}

impl Slots {
    pub(super) fn new(aggregate: &Aggregate) -> Slots {
        let fields = aggregate.field.iter().filter(|_| aggregate.how == How::Distinct).cloned().collect();
        Slots {
            how: aggregate.how,
            source: Source::of(aggregate),
            value: Vec::new(),
            count: Vec::new(),
            seen: HashSet::with_hasher(FixedState::default()),
            pairs: Vec::new(),
            values: Part::new(fields),
            only: aggregate.only.clone().map(|filter| (filter, Memo::default())),
        }
    }

    /// The groups of the rows that the column is about; `None` where it is about all.
    pub(super) fn masked(&mut self, batch: &Batch, ids: &Ids, ctx: &Context) -> Result<Option<Ids>, Error> {
        let Some((filter, memo)) = &mut self.only else { return Ok(None) };
        if !filter.may_match(memo, batch.head(), batch.schema(), batch.dict()) {
            return Ok(Some(vec![Vec::new(); ids.len()]));
        }
        let selection: Selection = filter.select(memo, batch, ctx)?;
        super::group::masked(batch, &selection, ids).map(Some)
    }

    /// Makes room for group ids below `groups`.
    pub(super) fn grow(&mut self, groups: usize) {
        let start = match self.how {
            How::Min => i64::MAX,
            How::Max => i64::MIN,
            _ => 0,
        };
        self.value.resize(groups, start);
        self.count.resize(groups, 0);
    }

    /// Adds one kind's values to their groups. Group [`NONE`] collects what is not asked for.
    pub(super) fn add(&mut self, groups: &[u32], values: &Values) {
        match self.how {
            How::Count => groups.iter().for_each(|&g| self.count[g as usize] += 1),
            How::Sum | How::Share => {
                let sums = &mut self.value;
                values.each(groups, |g, v| sums[g] = sums[g].wrapping_add(v));
            }
            How::Avg => {
                let (sums, counts) = (&mut self.value, &mut self.count);
                values.each(groups, |g, v| {
                    sums[g] = sums[g].wrapping_add(v);
                    counts[g] += 1;
                });
            }
            How::Min | How::Max => {
                let (best, counts, low) = (&mut self.value, &mut self.count, self.how == How::Min);
                values.each(groups, |g, v| {
                    best[g] = if low { best[g].min(v) } else { best[g].max(v) };
                    counts[g] += 1;
                });
            }
            How::Distinct => {
                if let Values::Ids(ids) = values {
                    groups.iter().zip(ids).for_each(|(&g, &id)| self.add_distinct(g, id));
                }
            }
        }
    }

    fn add_distinct(&mut self, group: u32, id: u32) {
        if group != NONE && id != NONE && self.seen.insert((group, id)) {
            self.pairs.push((group, id));
        }
    }
}

/// One aggregate of all workers, by final group.
#[derive(Default)]
pub(super) struct Total {
    value: Vec<i64>,
    count: Vec<u64>,
    seen: HashSet<(usize, Cell), FixedState>,
}

impl Total {
    /// Adds a worker's slots; `group_of` gives the final group of each of its ids (`None` for [`NONE`]).
    pub(super) fn merge(&mut self, slots: &Slots, group_of: &[Option<usize>], groups: usize) {
        let old = self.value.len();
        self.value.resize(groups, 0);
        self.count.resize(groups, 0);
        for (id, final_group) in group_of.iter().enumerate() {
            let (Some(g), Some(&value), Some(&count)) = (*final_group, slots.value.get(id), slots.count.get(id)) else {
                continue;
            };
            self.value[g] = match slots.how {
                How::Min | How::Max if count == 0 => self.value[g],
                How::Min | How::Max if self.count[g] == 0 || g >= old => value,
                How::Min => self.value[g].min(value),
                How::Max => self.value[g].max(value),
                _ => self.value[g].wrapping_add(value),
            };
            self.count[g] += count;
        }
        for &(group, id) in &slots.pairs {
            let Some(Some(g)) = group_of.get(group as usize).copied() else { continue };
            let value = slots.values.cells(id).first().cloned().unwrap_or(Cell::Missing);
            if self.seen.insert((g, value)) {
                self.count[g] += 1;
            }
        }
    }

    /// The value of a group; `span` is the length of the recording, ns.
    pub(super) fn cell(&self, how: How, group: usize, span: u64) -> Cell {
        let (value, count) = (self.value[group], self.count[group]);
        match how {
            How::Count | How::Distinct => Cell::Uint(count),
            How::Min | How::Max if count == 0 => Cell::Missing,
            How::Sum | How::Min | How::Max => Cell::Int(value),
            How::Avg => Cell::Ratio { sum: value, of: count },
            How::Share => Cell::Ratio { sum: value.saturating_mul(100), of: span },
        }
    }
}

/// Final ids of key tuples.
#[derive(Default)]
pub(super) struct Groups {
    ids: HashMap<Vec<Cell>, usize, FixedState>,
    pub(super) keys: Vec<Vec<Cell>>,
}

impl Groups {
    pub(super) fn id(&mut self, key: Vec<Cell>) -> usize {
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        self.keys.push(key.clone());
        self.ids.insert(key, self.keys.len() - 1);
        self.keys.len() - 1
    }
}
