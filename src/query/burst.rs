//! [`BurstQuery`]: who did more than so many things within so long, in a window that slides from event to event.

use super::group::{Grouper, walk};
use super::part::NONE;
use super::{Key, Operator, Span, View};
use crate::batch::{Batch, Error};
use crate::field::{Context, FieldRef};
use crate::filter::Selection;
use crate::report::{Cell, Column, Report, Table, Unit};
use std::collections::BTreeMap;

/// Groups with more events than others in some window.
#[derive(Clone)]
pub struct BurstQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// What groups have in common.
    pub keys: Vec<Key>,
    /// How many events make a burst.
    pub count: usize,
    /// Length of the window, ns.
    pub within: u64,
    /// The most rows shown.
    pub top: Option<usize>,
}

/// Times of events by group, of one worker.
pub struct BurstPartial {
    grouper: Grouper,
    times: Vec<Vec<u64>>,
    ctx: Option<Context>,
}

impl Default for BurstPartial {
    fn default() -> Self {
        BurstPartial { grouper: Grouper::new(&[]), times: Vec::new(), ctx: None }
    }
}

/// Events that follow each other so closely that each is in a window that is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Burst {
    from: u64,
    to: u64,
    count: u64,
    /// Events of the fullest window.
    most: u64,
}

/// The bursts among times in order.
fn bursts(times: &[u64], count: usize, within: u64) -> Vec<Burst> {
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    let mut first = 0;
    for (last, &time) in times.iter().enumerate() {
        while time.saturating_sub(times[first]) > within {
            first += 1;
        }
        let held = last + 1 - first;
        if held < count {
            continue;
        }
        match found.last_mut().filter(|burst| burst.1 >= first) {
            Some(burst) => (burst.1, burst.2) = (last, burst.2.max(held)),
            None => found.push((first, last, held)),
        }
    }
    let burst = |(first, last, most): (usize, usize, usize)| Burst {
        from: times[first],
        to: times[last],
        count: (last + 1 - first) as u64,
        most: most as u64,
    };
    found.into_iter().map(burst).collect()
}

impl Operator for BurstQuery {
    type Partial = BurstPartial;

    fn begin(&self) -> BurstPartial {
        let fields: Vec<FieldRef> = self.keys.iter().map(|key| key.field.clone()).collect();
        BurstPartial { grouper: Grouper::new(&fields), times: Vec::new(), ctx: None }
    }

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        self.keys.iter().for_each(|key| each(&key.field));
    }

    fn add(
        &self,
        partial: &mut BurstPartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        partial.grouper.enter(batch);
        let ids = partial.grouper.ids(batch, selection, view.in_flight, view.ctx)?;
        let times = batch.time()?;
        let used: Vec<bool> = ids.iter().map(|ids| !ids.is_empty()).collect();
        let mut found: Vec<(u32, u64)> = Vec::new();
        walk(
            batch,
            false,
            |kind| used.get(kind).copied().unwrap_or(false),
            |index, _, kind, position| {
                let id = ids[kind].get(position);
                if let Some(&time) = times.get(index).filter(|_| id != NONE) {
                    found.push((id, time));
                }
            },
        )?;
        if let Some(error) = batch.damage() {
            return Err(error.clone());
        }
        partial.times.resize(partial.grouper.len().max(partial.times.len()), Vec::new());
        for (id, time) in found {
            if let Some(times) = partial.times.get_mut(id as usize) {
                times.push(time);
            }
        }
        partial.ctx = Some(*view.ctx);
        Ok(())
    }

    fn finish(&self, partials: Vec<BurstPartial>, _: Span, notes: Vec<String>) -> Report {
        let ctx = partials.iter().find_map(|partial| partial.ctx).unwrap_or_default();
        let mut by: BTreeMap<Vec<Cell>, Vec<u64>> = BTreeMap::new();
        for partial in partials {
            for (id, mut times) in partial.times.into_iter().enumerate().filter(|(_, times)| !times.is_empty()) {
                by.entry(partial.grouper.key(id as u32)).or_default().append(&mut times);
            }
        }
        let mut found: Vec<(Burst, Vec<Cell>)> = Vec::new();
        for (key, mut times) in by {
            times.sort_unstable();
            found.extend(bursts(&times, self.count.max(1), self.within).into_iter().map(|burst| (burst, key.clone())));
        }
        found.sort_by(|a, b| b.0.most.cmp(&a.0.most).then(a.0.from.cmp(&b.0.from)).then_with(|| a.1.cmp(&b.1)));
        found.truncate(self.top.unwrap_or(usize::MAX));
        let row = |(burst, key): (Burst, Vec<Cell>)| {
            let own = vec![
                Cell::Uint(burst.most),
                Cell::Uint(burst.count),
                super::part::moment(burst.from, &ctx),
                Cell::Uint(burst.to - burst.from),
            ];
            [own, key].concat()
        };
        let mut columns = vec![
            Column::number("Most", Unit::None),
            Column::number("Events", Unit::None),
            Column::text("From"),
            Column::number("For", Unit::Duration),
        ];
        columns.extend(self.keys.iter().map(|key| Column::text(&key.name)));
        let table = Table { title: String::new(), columns, rows: found.into_iter().map(row).collect() };
        Report { title: self.title.clone(), about: self.about.clone(), tables: vec![table], notes, ..Report::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_from_event_to_event_and_full_ones_that_touch_are_one_burst() {
        // Two halves of a fixed window of 10 would have two each.
        let times = [8, 9, 11, 12, 40, 41, 60, 61, 62, 63, 70];
        let found = bursts(&times, 4, 10);
        let want = [Burst { from: 8, to: 12, count: 4, most: 4 }, Burst { from: 60, to: 70, count: 5, most: 5 }];
        assert_eq!(found, want);
        assert_eq!(bursts(&times, 6, 10), []);
        let want = Burst { from: 8, to: 70, count: 11, most: 7 };
        assert_eq!(bursts(&times, 2, 30), [want]);
        assert_eq!(bursts(&[], 1, 10), []);
    }
}
