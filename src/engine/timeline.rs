//! The order of rows that come from several reels: by time, without changing the order within any of them.
//!
//! A row's *key* is the latest time of its stream so far. So keys never step back, rows of one stream keep their order,
//! and merging by key (then by stream) has one result, whoever does it. Batches that no other stream overlaps are a turn
//! of their own, as in a single file; where batches overlap, a turn is a window of time with the parts of them that fall
//! into it. So turns can be made on any core, and a worker holds a few batches at most.

use crate::batch::{Batch, Error};
use crate::filter::{Bits, Selection};
use std::ops::Range;

/// A batch in its stream: its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Number of the batch.
    pub(super) batch: usize,
    /// Number of its stream.
    pub(super) stream: usize,
    /// Latest time of the stream before it, ns UTC.
    pub(super) floor: u64,
    /// Keys of its first and last row, or what bounds them.
    pub(super) first: u64,
    pub(super) last: u64,
}

/// A batch, or a part of it, in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Number of the batch.
    pub batch: usize,
    /// Which of its rows, where it is not all of them or they stand between those of other batches.
    pub mixed: Option<Mixed>,
    /// The first slice of the batch: what is asked of whole batches is asked here.
    pub is_first: bool,
}

/// How rows stand between those of other batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixed {
    /// Latest time of the stream before the batch, ns UTC.
    pub floor: u64,
    /// The keys of its rows.
    pub keys: Range<u64>,
}

impl Slice {
    /// A whole batch that nothing overlaps.
    pub fn whole(batch: usize) -> Slice {
        Slice { batch, mixed: None, is_first: true }
    }
}

/// The key at which a turn begins whose rows stand among those of several batches.
pub(super) fn start(turn: &[Slice]) -> Option<u64> {
    turn.iter().filter_map(|slice| slice.mixed.as_ref()).map(|mixed| mixed.keys.start).min()
}

/// The keys of a batch's rows.
pub(super) fn keys(batch: &Batch, floor: u64) -> Result<Vec<u64>, Error> {
    let mut latest = floor;
    let key = |&time: &u64| {
        latest = latest.max(time);
        latest
    };
    Ok(batch.time()?.iter().map(key).collect())
}

/// The rows of a selection whose keys are in a range.
pub(super) fn within(batch: &Batch, mut selection: Selection, keys: &[u64], range: &Range<u64>) -> Selection {
    let rows = Bits::of(keys.iter().map(|key| range.contains(key)));
    selection.intersect(Selection { rows: Some(rows), ..Selection::all(batch.head().kinds.len()) });
    selection
}

/// Places batches of streams, each given by earliest and latest time in the stream's order.
pub(super) fn stretches(streams: &[Vec<(usize, u64, u64)>]) -> Vec<Stretch> {
    let mut all = Vec::new();
    for (stream, batches) in streams.iter().enumerate() {
        let mut floor = 0;
        for &(batch, min, max) in batches {
            let (first, last) = (floor.max(min), floor.max(max));
            all.push(Stretch { batch, stream, floor, first, last });
            floor = last;
        }
    }
    all.sort_by_key(|s| (s.first, s.stream, s.batch));
    all
}

/// Turns in the order of time. `all` is in the order of [`stretches`].
pub(super) fn turns(all: &[Stretch]) -> Vec<Vec<Slice>> {
    let mut turns = Vec::new();
    let mut rest = all;
    while let Some(first) = rest.first() {
        let mut end = first.last;
        let mut length = 1;
        while let Some(next) = rest.get(length).filter(|next| next.first <= end) {
            end = end.max(next.last);
            length += 1;
        }
        let (group, after) = rest.split_at(length);
        rest = after;
        if group.iter().all(|s| s.stream == first.stream) {
            turns.extend(group.iter().map(|s| vec![Slice::whole(s.batch)]));
        } else {
            windows(group, &mut turns);
        }
    }
    turns
}

/// Cuts batches that overlap into windows. Each window ends where as many batches have ended as there are streams, so a
/// batch is looked at twice on average however many streams there are.
fn windows(group: &[Stretch], turns: &mut Vec<Vec<Slice>>) {
    let mut streams: Vec<usize> = group.iter().map(|s| s.stream).collect();
    streams.sort_unstable();
    streams.dedup();
    let mut ends: Vec<u64> = group.iter().map(|s| s.last.saturating_add(1)).collect();
    ends.sort_unstable();
    let last = ends.last().copied().unwrap_or(0);
    let mut ends: Vec<u64> = ends.into_iter().skip(streams.len() - 1).step_by(streams.len()).collect();
    ends.push(last);
    ends.dedup();
    let (mut open, mut coming) = (Vec::<&Stretch>::new(), group.iter().peekable());
    let mut start = group.first().map_or(0, |first| first.first);
    for end in ends {
        while let Some(next) = coming.next_if(|s| s.first < end) {
            open.push(next);
        }
        open.sort_by_key(|s| (s.stream, s.batch));
        turns.push(open.iter().map(|s| slice(s, start..end, open.len() == 1)).collect());
        open.retain(|s| s.last >= end);
        start = end;
    }
}

fn slice(stretch: &Stretch, keys: Range<u64>, is_alone: bool) -> Slice {
    let is_first = stretch.first >= keys.start;
    if is_alone && is_first && stretch.last < keys.end {
        return Slice::whole(stretch.batch);
    }
    Slice { batch: stretch.batch, mixed: Some(Mixed { floor: stretch.floor, keys }), is_first }
}

/// Places `(key, slice, n)` of things in slices in the order of the timeline; `keys` has those of each slice, in order.
pub(super) fn merged(keys: &[Vec<u64>]) -> Vec<(u64, usize, usize)> {
    let mut all: Vec<(u64, usize, usize)> = Vec::with_capacity(keys.iter().map(Vec::len).sum());
    for (slice, keys) in keys.iter().enumerate() {
        all.extend(keys.iter().enumerate().map(|(n, &key)| (key, slice, n)));
    }
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(turn: &[Slice]) -> Vec<usize> {
        turn.iter().map(|s| s.batch).collect()
    }

    #[test]
    fn batches_that_do_not_overlap_are_turns_by_time() {
        let all = stretches(&[vec![(0, 10, 20), (1, 50, 60)], vec![(2, 30, 40)], vec![(3, 1, 2)]]);
        let turns = turns(&all);
        assert!(turns.iter().all(|turn| turn.len() == 1 && turn[0] == Slice::whole(turn[0].batch)));
        assert_eq!(turns.iter().flat_map(|t| batches(t)).collect::<Vec<_>>(), [3, 0, 2, 1]);
    }

    #[test]
    fn a_stream_that_steps_back_keeps_its_order() {
        let all = stretches(&[vec![(0, 10, 50), (1, 20, 60), (2, 60, 70)]]);
        let turns = turns(&all);
        assert_eq!(turns.iter().flat_map(|t| batches(t)).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(turns.iter().all(|turn| turn[0].mixed.is_none()));
    }

    #[test]
    fn every_key_of_a_batch_is_in_exactly_one_of_its_slices() {
        // A dozen streams of batches of many lengths, made from a counter.
        let mut number = 0;
        let streams: Vec<Vec<(usize, u64, u64)>> = (0..12u64)
            .map(|stream| {
                let mut at = stream * 7;
                let batch = |n: u64| {
                    let (min, max) = (at, at + (n * 13 + stream * 5) % 40);
                    at = max + (n * stream) % 9;
                    number += 1;
                    (number - 1, min, max)
                };
                (0..30).map(batch).collect()
            })
            .collect();
        let all = stretches(&streams);
        let turns = turns(&all);
        let mut end = 0;
        for turn in &turns {
            for slice in turn {
                let own = all.iter().find(|s| s.batch == slice.batch).unwrap();
                let range = slice.mixed.as_ref().map_or(own.first..own.last + 1, |m| m.keys.clone());
                assert!(range.start >= end || slice.mixed.is_none() && own.first >= end, "turns step back");
            }
            end = turn.iter().filter_map(|s| s.mixed.as_ref()).map(|m| m.keys.end).max().unwrap_or(end);
        }
        for stretch in &all {
            let slices: Vec<&Slice> = turns.iter().flatten().filter(|s| s.batch == stretch.batch).collect();
            assert_eq!(slices.iter().filter(|s| s.is_first).count(), 1, "{stretch:?}");
            for key in stretch.first..=stretch.last {
                let holds = |s: &&&Slice| s.mixed.as_ref().is_none_or(|m| m.keys.contains(&key));
                assert_eq!(slices.iter().filter(holds).count(), 1, "{stretch:?} {key}");
            }
        }
        let looked = turns.iter().map(Vec::len).sum::<usize>();
        assert!(looked <= 3 * all.len(), "{looked} looks at {} batches", all.len());
    }
}
