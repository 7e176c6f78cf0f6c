//! Bytes that stand in a column already: lists repeat whole objects, and are kept as places where those stand.

use super::DataColumn;
use foldhash::fast::FixedState;
use std::hash::BuildHasher;

/// A piece of a row that stands in its column's bytes already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Row of the table.
    pub row: u32,
    /// Bytes of the row's own before it, behind the row's share before.
    pub before: u32,
    /// Where it stands in the column's bytes.
    pub start: u32,
    /// How many bytes it has.
    pub length: u32,
}

/// Shorter values are not looked through.
const LONG: usize = 1024;

/// Shorter pieces are cheaper told again.
const LEAST: usize = 192;

/// Bytes by which a place is known.
const SEED: usize = 64;

/// What begins the objects of Kubernetes, but for their kind.
const ANCHOR: &[u8] = b"\"metadata\":{";

/// Places that are known.
const PLACES: usize = 1 << 16;

/// Finds what stands in a column already.
#[derive(Debug, Clone, Default)]
pub(super) struct Sharer {
    /// By hash of what stands there: a place plus one; 0 none.
    places: Vec<u32>,
}

impl Sharer {
    /// Forgets all places: another column begins.
    pub(super) fn clear(&mut self) {
        self.places.fill(0);
    }

    /// Adds a row to a column; returns how many bytes of its own it has.
    pub(super) fn push(&mut self, column: &mut DataColumn, value: &[u8]) -> usize {
        let (row, first) = (column.lengths.len() as u32, column.bytes.len());
        let mut done = 0;
        let mut next = if value.len() < LONG { None } else { anchor(value, 0) };
        while let Some(at) = next {
            let Some(seed) = value.get(at..at + SEED) else { break };
            if self.places.is_empty() {
                self.places.resize(PLACES, 0);
            }
            let place = &mut self.places[FixedState::default().hash_one(seed) as usize % PLACES];
            let start = *place;
            let there = column.bytes.get((start as usize).wrapping_sub(1)..).unwrap_or_default();
            let length = same(there, &value[at..]);
            if length < LEAST {
                *place = (column.bytes.len() + at - done) as u32 + 1;
                next = anchor(value, at + 1);
                continue;
            }
            column.bytes.extend_from_slice(&value[done..at]);
            let before = (at - done) as u32;
            column.shares.push(Share { row, before, start: start - 1, length: length as u32 });
            done = at + length;
            // Where two differ is a place by which the next one like this is known.
            next = Some(done);
        }
        column.bytes.extend_from_slice(&value[done..]);
        let own = column.bytes.len() - first;
        column.lengths.push(own as u32);
        own
    }
}

fn anchor(value: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(value.get(from..)?, ANCHOR).map(|at| from + at)
}

/// How many bytes two texts have in common at their starts.
fn same(a: &[u8], b: &[u8]) -> usize {
    let mut at = 0;
    while a.get(at..at + 32).is_some_and(|part| b.get(at..at + 32) == Some(part)) {
        at += 32;
    }
    at + a[at..].iter().zip(&b[at..]).take_while(|(a, b)| a == b).count()
}

/// Rows with their shares in them, from their own `bytes`, of which each row has `lengths`. `None`: they do not fit each other, or
/// would take more than `most` bytes.
pub(super) fn spread(lengths: &[u32], bytes: &[u8], shares: &[Share], most: usize) -> Option<DataColumn> {
    let total = shares.iter().map(|share| u64::from(share.length)).sum::<u64>() + bytes.len() as u64;
    let total = usize::try_from(total).ok().filter(|&total| total <= most)?;
    let mut column = DataColumn { bytes: Vec::with_capacity(total), ..DataColumn::default() };
    column.lengths.reserve_exact(lengths.len());
    let (mut left, mut shares) = (bytes, shares.iter().peekable());
    for (row, &length) in lengths.iter().enumerate() {
        let first = column.bytes.len();
        let (mut own, rest) = left.split_at_checked(length as usize)?;
        left = rest;
        while let Some(share) = shares.next_if(|share| share.row as usize == row) {
            let (before, behind) = own.split_at_checked(share.before as usize)?;
            own = behind;
            column.bytes.extend_from_slice(before);
            let start = share.start as usize;
            column.bytes.extend_from_slice(bytes.get(start..start.checked_add(share.length as usize)?)?);
        }
        column.bytes.extend_from_slice(own);
        column.lengths.push(u32::try_from(column.bytes.len() - first).ok()?);
    }
    (left.is_empty() && shares.next().is_none()).then_some(column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn object(name: &str, number: usize) -> String {
        let long = format!("{name} of {number} ").repeat(20);
        format!("{{\"metadata\":{{\"name\":\"{name}\"}},\"spec\":\"{long}\",\"status\":{number}}}")
    }

    #[test]
    fn lists_of_the_same_objects_have_few_bytes_of_their_own() {
        let (mut sharer, mut column) = (Sharer::default(), DataColumn::default());
        let all: Vec<String> = (0..50).map(|n| object(&format!("pod-{n}"), 7)).collect();
        let list = |skipped: usize| {
            let some: Vec<&str> =
                all.iter().enumerate().filter(|(n, _)| *n != skipped).map(|(_, text)| text.as_str()).collect();
            format!("{{\"items\":[{}]}}", some.join(","))
        };
        let values: Vec<String> = (0..50).map(list).collect();
        for value in &values {
            assert!(sharer.push(&mut column, value.as_bytes()) <= value.len());
        }
        let whole: usize = values.iter().map(String::len).sum();
        assert!(column.bytes.len() < whole / 20, "{} of {whole}", column.bytes.len());
        let plain = spread(&column.lengths, &column.bytes, &column.shares, usize::MAX).unwrap();
        assert_eq!(String::from_utf8(plain.bytes).unwrap(), values.concat());
        assert_eq!(plain.lengths, values.iter().map(|value| value.len() as u32).collect::<Vec<_>>());
        assert_eq!(spread(&column.lengths, &column.bytes, &column.shares, whole - 1), None, "a limit is kept");
    }

    proptest! {
        #[test]
        fn rows_come_back(rows in proptest::collection::vec(proptest::collection::vec(0usize..6, 0..9), 0..20)) {
            let (mut sharer, mut column) = (Sharer::default(), DataColumn::default());
            let text = |parts: &Vec<usize>| parts.iter().map(|&n| object(["a", "b", "a", "web", "x", "y"][n], n)).collect::<String>();
            for parts in &rows {
                sharer.push(&mut column, text(parts).as_bytes());
            }
            let plain = spread(&column.lengths, &column.bytes, &column.shares, usize::MAX).unwrap();
            prop_assert_eq!(plain.bytes, rows.iter().map(text).collect::<String>().into_bytes());
        }

        #[test]
        fn shares_that_lie_are_told(
            lengths in proptest::collection::vec(0u32..9, 0..4), bytes in proptest::collection::vec(0u8..9, 0..20),
            shares in proptest::collection::vec((0u32..5, 0u32..9, 0u32..30, proptest::num::u32::ANY), 0..4),
        ) {
            let shares: Vec<Share> =
                shares.into_iter().map(|(row, before, start, length)| Share { row, before, start, length }).collect();
            if let Some(plain) = spread(&lengths, &bytes, &shares, 1000) {
                prop_assert!(plain.bytes.len() <= 1000);
                prop_assert_eq!(plain.lengths.iter().map(|&l| l as usize).sum::<usize>(), plain.bytes.len());
            }
        }
    }
}
