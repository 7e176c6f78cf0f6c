//! [`Aggregate`]: one value column of a table, and the cells that it is kept in while batches are read.

use super::group::{Ids, KindIds};
use super::part::{NONE, Part};
use super::quantile;
use super::values::{Source, Values};
use crate::batch::{Batch, DurationSum, Error};
use crate::field::{Context, FieldRef};
use crate::filter::{Filter, Memo, Selection};
use crate::report::{Cell, Column, Unit};
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    /// Sum by the length of the recording in seconds.
    Rate,
    /// What so many of a hundred numbers do not exceed, to 3 %; numbers below 0 count as 0.
    Quantile(u8),
    /// The different values, as text.
    Values,
}

/// Values that [`How::Values`] names; of more it says how many.
const LISTED: usize = 4;

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
    /// Of [`How::Distinct`]: further fields, of which different combinations are different values.
    pub and: Vec<FieldRef>,
    /// Only of events for which this holds.
    pub only: Option<Filter>,
}

impl Aggregate {
    /// Its column: text stands left.
    pub(super) fn heading(&self) -> Column {
        if self.how == How::Values { Column::text(&self.name) } else { Column::number(&self.name, self.unit) }
    }

    /// Calls `each` for every field that it names.
    pub(super) fn for_each_field(&self, each: &mut dyn FnMut(&FieldRef)) {
        self.field.iter().chain(&self.and).for_each(&mut *each);
        self.only.iter().flat_map(Filter::fields).for_each(each);
    }
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
    /// Numbers by group and bucket, for [`How::Quantile`].
    buckets: HashMap<(u32, u16), u64, FixedState>,
    /// Ids of the values that [`How::Distinct`] counts.
    pub(super) values: Part,
    /// The condition of the column, and what is known of it.
    only: Option<(Filter, Memo)>,
}

impl Slots {
    pub(super) fn new(aggregate: &Aggregate) -> Slots {
        let fields = aggregate
            .field
            .iter()
            .filter(|_| matches!(aggregate.how, How::Distinct | How::Values))
            .chain(&aggregate.and);
        Slots {
            how: aggregate.how,
            source: Source::of(aggregate),
            value: Vec::new(),
            count: Vec::new(),
            seen: HashSet::with_hasher(FixedState::default()),
            pairs: Vec::new(),
            buckets: HashMap::with_hasher(FixedState::default()),
            values: Part::new(fields.cloned().collect()),
            only: aggregate.only.clone().map(|filter| (filter, Memo::default())),
        }
    }

    /// The groups of the rows that the column is about; `None` where it is about all.
    pub(super) fn masked(&mut self, batch: &Batch, ids: &Ids, ctx: &Context) -> Result<Option<Ids>, Error> {
        let Some((filter, memo)) = &mut self.only else { return Ok(None) };
        if !filter.may_match(memo, batch.head(), batch.schema(), batch.dict()) {
            return Ok(Some(vec![KindIds::None; ids.len()]));
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

    /// What the column takes of a whole kind, where an index tells it.
    pub(super) fn summed(&self, batch: &Batch, kind: usize) -> Option<DurationSum> {
        let is_summed = matches!(self.how, How::Sum | How::Share | How::Rate | How::Avg | How::Min | How::Max);
        batch.duration_sum(kind).filter(|_| is_summed && matches!(self.source, Source::Duration))
    }

    /// Adds one kind's values to their groups. Group [`NONE`] collects what is not asked for.
    pub(super) fn add(&mut self, groups: &KindIds, values: &Values) {
        if let (KindIds::All { group, .. }, Values::Summed(sum)) = (groups, values) {
            self.add_summed(*group as usize, *sum);
            return;
        }
        if let KindIds::All { group, rows } = *groups
            && matches!(self.how, How::Count | How::Sum | How::Share | How::Rate | How::Avg)
        {
            self.add_all(group as usize, rows, values);
            return;
        }
        match self.how {
            How::Count => {
                if let KindIds::Each(groups) = groups {
                    for &group in groups {
                        self.count[group as usize] += 1;
                    }
                }
            }
            How::Sum | How::Share | How::Rate => {
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
            How::Quantile(_) => {
                let (buckets, counts, most) = (&mut self.buckets, &mut self.count, &mut self.value);
                values.each(groups, |g, v| {
                    most[g] = most[g].max(v);
                    counts[g] += 1;
                    *buckets.entry((g as u32, quantile::bucket(v))).or_default() += 1;
                });
            }
            How::Distinct | How::Values => {
                if let Values::Ids(ids) = values {
                    ids.iter().enumerate().for_each(|(at, &id)| self.add_distinct(groups.get(at), id));
                }
            }
        }
    }

    /// Adds what the rows of a kind come to together to one group.
    fn add_summed(&mut self, group: usize, all: DurationSum) {
        let value = &mut self.value[group];
        match self.how {
            How::Min if all.count > 0 => *value = (*value).min(all.min as i64),
            How::Max if all.count > 0 => *value = (*value).max(all.max as i64),
            How::Min | How::Max => {}
            _ => *value = value.wrapping_add(all.sum as i64),
        }
        if matches!(self.how, How::Avg | How::Min | How::Max) {
            self.count[group] += u64::from(all.count);
        }
    }

    /// Adds all rows of a kind to one group.
    fn add_all(&mut self, group: usize, rows: usize, values: &Values) {
        if self.how == How::Count {
            self.count[group] += rows as u64;
            return;
        }
        let (sum, count) = values.sum(rows);
        self.value[group] = self.value[group].wrapping_add(sum);
        if self.how == How::Avg {
            self.count[group] += count;
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
    seen: HashSet<(usize, Vec<Cell>), FixedState>,
    /// Numbers by bucket, and values as text.
    buckets: BTreeMap<(usize, u16), u64>,
    lists: BTreeMap<usize, BTreeSet<Cell>>,
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
                How::Quantile(_) | How::Max => self.value[g].max(value),
                _ => self.value[g].wrapping_add(value),
            };
            self.count[g] += count;
        }
        for &(group, id) in &slots.pairs {
            let Some(Some(g)) = group_of.get(group as usize).copied() else { continue };
            let values = slots.values.cells(id);
            if slots.how == How::Values {
                self.lists.entry(g).or_default().insert(values.first().cloned().unwrap_or(Cell::Missing));
            } else if self.seen.insert((g, values.to_vec())) {
                self.count[g] += 1;
            }
        }
        let mut numbers: Vec<(&(u32, u16), &u64)> = slots.buckets.iter().collect();
        numbers.sort_unstable();
        for (&(group, bucket), &count) in numbers {
            if let Some(Some(g)) = group_of.get(group as usize) {
                *self.buckets.entry((*g, bucket)).or_default() += count;
            }
        }
    }

    /// The number that `percent` of a hundred of a group's do not exceed.
    fn quantile(&self, group: usize, percent: u8) -> Cell {
        let rank = (u128::from(self.count[group]) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0u128;
        for (&(_, bucket), &count) in self.buckets.range((group, 0)..=(group, u16::MAX)) {
            seen += u128::from(count);
            if seen >= rank {
                // The middle of the last bucket may be beyond the largest number.
                return Cell::Int(quantile::middle(bucket).min(self.value[group]));
            }
        }
        Cell::Missing
    }

    /// The different values of a group in their order, as one text.
    fn list(&self, group: usize) -> Cell {
        let Some(values) = self.lists.get(&group) else { return Cell::Missing };
        let plain = Column::text(String::new());
        let shown: Vec<String> = values.iter().take(LISTED).map(|cell| cell.show(&plain, true)).collect();
        let more = values.len().saturating_sub(LISTED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Cell::Text((shown.join(", ") + &more).into_bytes())
    }

    /// The value of a group; `span` is the length of the recording, ns.
    pub(super) fn cell(&self, how: How, group: usize, span: u64) -> Cell {
        let (value, count) = (self.value[group], self.count[group]);
        match how {
            How::Count | How::Distinct => Cell::Uint(count),
            How::Min | How::Max if count == 0 => Cell::Missing,
            How::Sum | How::Min | How::Max => Cell::Int(value),
            How::Avg => Cell::Ratio { sum: value, of: count },
            How::Rate => Cell::Ratio { sum: value.saturating_mul(1000), of: span / 1_000_000 },
            How::Quantile(percent) => self.quantile(group, percent),
            How::Values => self.list(group),
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
