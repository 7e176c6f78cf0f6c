//! The fourth part of an Index frame: what the durations of each kind come to in each batch, so that a question about whole
//! kinds reads no column of them.

use super::segment::BatchRef;
use crate::batch::codec::{put_varint, take_varint};
use crate::batch::{DurationSum, KindRows};
use std::collections::BTreeMap;

/// Gathers what the next Index tells of batches: of each a list behind its length, which is empty where nothing is told.
#[derive(Debug, Default)]
pub(super) struct Sums {
    lists: Vec<u8>,
    tells: bool,
}

impl Sums {
    /// Takes a batch in, by local kind; `[]`: nothing is told of it.
    pub(super) fn add(&mut self, sums: &[DurationSum]) {
        let mut list = Vec::new();
        for sum in sums {
            put_varint(&mut list, u64::from(sum.count));
            if sum.count > 0 {
                for number in [sum.sum, sum.min, sum.max - sum.min] {
                    put_varint(&mut list, number);
                }
            }
        }
        put_varint(&mut self.lists, list.len() as u64);
        self.lists.extend_from_slice(&list);
        self.tells |= !list.is_empty();
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.lists.len()
    }

    /// What an Index that is written now says.
    pub(super) fn part(&self) -> Option<&[u8]> {
        self.tells.then_some(self.lists.as_slice())
    }

    /// An Index with [`Sums::part`] was written.
    pub(super) fn written(&mut self) {
        self.lists.clear();
        self.tells = false;
    }
}

/// The lists of a part that tells of so many batches; `None` where it tells of others.
pub(super) fn lists(mut part: &[u8], batches: usize) -> Option<Vec<Vec<u8>>> {
    let take = |_| {
        let length = usize::try_from(take_varint(&mut part)?).ok()?;
        let (list, rest) = part.split_at_checked(length)?;
        part = rest;
        Some(list.to_vec())
    };
    let lists = (0..batches).map(take).collect::<Option<Vec<_>>>()?;
    part.is_empty().then_some(lists)
}

/// What a list says of a batch of these kinds; `None` where no such batch can have it.
pub(super) fn sums(mut list: &[u8], kinds: &[KindRows]) -> Option<Vec<DurationSum>> {
    let sums = kinds.iter().map(|kind| take(&mut list, kind.rows)).collect::<Option<Vec<_>>>()?;
    list.is_empty().then_some(sums)
}

fn take(list: &mut &[u8], rows: u32) -> Option<DurationSum> {
    let count = u32::try_from(take_varint(list)?).ok().filter(|&count| count <= rows)?;
    if count == 0 {
        return Some(DurationSum::default());
    }
    let (sum, min, more) = (take_varint(list)?, take_varint(list)?, take_varint(list)?);
    let max = min.checked_add(more).filter(|&max| i64::try_from(max).is_ok())?;
    Some(DurationSum { count, sum, min, max })
}

/// What the indices of a segment tell of its batches.
#[derive(Debug, Default)]
pub struct Durations {
    /// Lists, by index of the batch's frame.
    pub(super) lists: BTreeMap<usize, Vec<u8>>,
}

impl Durations {
    /// What durations come to in a batch of these kinds, by local kind; empty where nothing is told that fits.
    pub fn of(&self, at: &BatchRef, kinds: &[KindRows]) -> Vec<DurationSum> {
        self.lists.get(&at.frame).and_then(|list| sums(list, kinds)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(sums: &[DurationSum]) -> Vec<KindRows> {
        sums.iter().map(|sum| KindRows { kind: 0, rows: sum.count.saturating_add(1) }).collect()
    }

    prop_compose! {
        fn batch()(columns in prop::collection::vec(prop::collection::vec(0..=1u64 << 63, 0..9), 0..5)) -> Vec<DurationSum> {
            columns.iter().map(|column| DurationSum::of(column).unwrap()).collect()
        }
    }

    proptest! {
        #[test]
        fn sums_come_back(batches in prop::collection::vec(batch(), 0..6)) {
            let mut gathered = Sums::default();
            for sums in &batches {
                gathered.add(sums);
            }
            prop_assert_eq!(gathered.part().is_some(), batches.iter().any(|sums| !sums.is_empty()));
            let lists = lists(&gathered.lists, batches.len()).unwrap();
            for (list, wanted) in lists.iter().zip(&batches) {
                prop_assert_eq!(&sums(list, &kinds(wanted)).unwrap(), wanted);
            }
            gathered.written();
            prop_assert_eq!((gathered.part(), gathered.len()), (None, 0));
        }

        #[test]
        fn no_bytes_make_it_fail(part: Vec<u8>, batches in 0usize..9, rows in prop::collection::vec(any::<u32>(), 0..9)) {
            let kinds: Vec<KindRows> = rows.iter().map(|&rows| KindRows { kind: 0, rows }).collect();
            for list in lists(&part, batches).unwrap_or_default().iter().chain([&part]) {
                let told = sums(list, &kinds).unwrap_or_default();
                let can_be = |(sum, kind): (&DurationSum, &KindRows)| {
                    sum.count <= kind.rows && sum.min <= sum.max && i64::try_from(sum.max).is_ok()
                };
                prop_assert!(told.iter().zip(&kinds).all(can_be));
            }
        }
    }

    #[test]
    fn a_list_of_another_batch_tells_nothing() {
        let told: Vec<DurationSum> = [&[1, 5][..], &[0], &[9]].into_iter().filter_map(DurationSum::of).collect();
        let mut gathered = Sums::default();
        gathered.add(&told);
        assert!(lists(&gathered.lists, 2).is_none() && lists(&gathered.lists[1..], 1).is_none());
        let list = &lists(&gathered.lists, 1).unwrap()[0];
        let (fewer, mut smaller) = (kinds(&told[..2]), kinds(&told));
        smaller[0].rows = 1;
        assert!(sums(list, &kinds(&told)).is_some());
        assert!(sums(list, &fewer).is_none() && sums(list, &smaller).is_none());
        // A longest that is no number of nanoseconds.
        let mut list = Vec::new();
        for number in [1, 0, 1, i64::MAX as u64] {
            put_varint(&mut list, number);
        }
        assert_eq!(sums(&list, &kinds(&told[..1])), None);
    }
}
