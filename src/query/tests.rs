//! Tables against a naive reckoning, row by row, on made-up batches.

use super::made::{Dice, batch, dict};
use super::part::cell;
use super::quantile;
use super::values::number;
use super::*;
use crate::batch::{Batch, Schema};
use crate::event::Flags;
use crate::field::{Context, lookup};
use crate::filter::{Bits, KindSelection, Selection};
use crate::report::{Cell, Column, Unit};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn selection(dice: &mut Dice, batch: &Batch) -> Selection {
    let bits = |dice: &mut Dice, len: usize| {
        let mut bits = Bits::new(len);
        (0..len).filter(|_| dice.roll(3) > 0).collect::<Vec<_>>().into_iter().for_each(|i| bits.set(i));
        bits
    };
    let kind = |dice: &mut Dice, rows: u32| match dice.roll(3) {
        0 => KindSelection::None,
        1 => KindSelection::All,
        _ => KindSelection::Some(bits(dice, rows as usize)),
    };
    let kinds = batch.head().kinds.iter().map(|k| kind(dice, k.rows)).collect();
    let rows = (dice.roll(2) == 0).then(|| bits(dice, batch.rows()));
    Selection { kinds, rows }
}

fn query(keys: &[&str], values: &[(How, Option<&str>)]) -> TableQuery {
    let value = |(how, field): &(How, Option<&str>)| Aggregate {
        name: format!("{how:?}"),
        unit: Unit::None,
        how: *how,
        field: field.map(|f| lookup(f).unwrap()),
        and: Vec::new(),
        only: None,
    };
    TableQuery {
        title: "test".into(),
        about: String::new(),
        keys: keys.iter().map(|k| Key { name: (*k).into(), field: lookup(k).unwrap() }).collect(),
        values: values.iter().map(value).collect(),
        order: Order { column: 0, descending: true },
        top: None,
    }
}

/// Groups by key, each with its numbers and distinct values per value column.
type Naive = BTreeMap<Vec<Cell>, Vec<(Vec<i64>, BTreeSet<Cell>)>>;

fn naive(query: &TableQuery, batch: &Batch, selection: &Selection, in_flight: bool, into: &mut Naive) {
    let ctx = Context::default();
    let each = batch.for_each_row(|row| {
        let by_kind = match &selection.kinds[row.kind] {
            KindSelection::None => false,
            KindSelection::All => true,
            KindSelection::Some(bits) => bits.get(row.position),
        };
        let by_row = selection.rows.as_ref().is_none_or(|r| r.get(row.index));
        let key: Vec<Cell> = query.keys.iter().map(|k| cell(k.field.value(&row, &ctx))).collect();
        if !by_kind || !by_row || key.contains(&Cell::Missing) || (!in_flight && row.flags().has(Flags::IN_FLIGHT)) {
            return;
        }
        let group = into.entry(key).or_insert_with(|| vec![Default::default(); query.values.len()]);
        for (value, (numbers, distinct)) in query.values.iter().zip(group) {
            match &value.field {
                None => numbers.push(1),
                Some(f) if matches!(value.how, How::Distinct | How::Values) => {
                    distinct.insert(cell(f.value(&row, &ctx)));
                }
                Some(f) => numbers.extend(number(f, &row, &ctx).filter(|n| f.field.name != "evt.rawres" || *n >= 0)),
            }
        }
    });
    each.unwrap();
}

/// What so many of a hundred do not exceed, in the buckets that tables have.
fn nth(mut numbers: Vec<i64>, percent: u8) -> Cell {
    numbers.sort_unstable();
    let rank = (numbers.len() * usize::from(percent)).div_ceil(100).max(1);
    let middle =
        |n: &i64| Cell::Int(quantile::middle(quantile::bucket(*n)).min(numbers.last().copied().unwrap_or(0).max(0)));
    numbers.get(rank - 1).map_or(Cell::Missing, middle)
}

fn rows_of(query: &TableQuery, naive: Naive, span: Span) -> BTreeSet<Vec<Cell>> {
    let cell = |how: How, (numbers, mut distinct): (Vec<i64>, BTreeSet<Cell>)| {
        let (sum, count) = (numbers.iter().sum::<i64>(), numbers.len() as u64);
        distinct.remove(&Cell::Missing);
        match how {
            How::Count => Cell::Uint(count),
            How::Distinct => Cell::Uint(distinct.len() as u64),
            How::Sum => Cell::Int(sum),
            How::Min => numbers.iter().min().map_or(Cell::Missing, |n| Cell::Int(*n)),
            How::Max => numbers.iter().max().map_or(Cell::Missing, |n| Cell::Int(*n)),
            How::Avg => Cell::Ratio { sum, of: count },
            How::Share => Cell::Ratio { sum: sum * 100, of: span.length() },
            How::Rate => Cell::Ratio { sum: sum * 1000, of: span.length() / 1_000_000 },
            How::Quantile(percent) => nth(numbers, percent),
            How::Values if distinct.is_empty() => Cell::Missing,
            How::Values => {
                let shown: Vec<String> = distinct.iter().take(4).map(|c| c.show(&Column::text(""), true)).collect();
                let more = distinct.len().saturating_sub(4);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                Cell::Text((shown.join(", ") + &more).into_bytes())
            }
        }
    };
    let row = |(key, values): (Vec<Cell>, Vec<_>)| -> Vec<Cell> {
        query.values.iter().zip(values).map(|(v, kept)| cell(v.how, kept)).chain(key).collect()
    };
    naive.into_iter().map(row).filter(|r| r[0] != Cell::Uint(0)).collect()
}

const EVERY_HOW: &[(How, Option<&str>)] = &[
    (How::Count, None),
    (How::Sum, Some("evt.rawres")),
    (How::Sum, Some("evt.latency")),
    (How::Share, Some("evt.rawarg.delta")),
    (How::Min, Some("evt.latency")),
    (How::Max, Some("evt.rawarg.delta")),
    (How::Avg, Some("evt.rawres")),
    (How::Sum, Some("evt.cpu")),
    (How::Distinct, Some("fd.name")),
    (How::Distinct, Some("evt.cpu")),
    (How::Sum, Some("evt.buflen")),
    (How::Rate, Some("evt.rawres")),
    (How::Quantile(50), Some("evt.latency")),
    (How::Quantile(99), Some("evt.rawarg.delta")),
    (How::Values, Some("fd.name")),
    (How::Distinct, Some("ka.user.name")),
    (How::Values, Some("ka.action")),
    (How::Distinct, Some("ka.sourceip")),
    (How::Max, Some("ka.response.code")),
    (How::Avg, Some("ka.latency")),
];

#[test]
fn tables_agree_with_a_naive_reckoning_for_any_selection_and_number_of_workers() {
    let schema = Arc::new(Schema::current());
    let span = Span { start: 5, end: 105 };
    let ctx = Context::default();
    let keys: &[&[&str]] = &[
        &["fd.name"],
        &["proc.name"],
        &["evt.type"],
        &["proc.name", "proc.pid"],
        &["evt.type", "fd.name"],
        &["fd.name", "proc.name"],
        &["evt.cpu"],
        &["evt.cpu", "proc.name", "evt.type", "fd.name"],
        &["ka.user.name"],
        &["ka.action"],
        &["ka.response.code"],
        &["ka.latency", "evt.type"],
        &["ka.target.namespace", "ka.verb", "ka.response.code"],
        &["ka.verb", "proc.name", "ka.action", "fd.type"],
        &["ka.verb", "ka.user.name", "ka.uri", "ka.level", "ka.stage"],
        &["ka.verb", "evt.cpu"],
        &["ka.sourceip"],
        &["ka.sourceip.claimed", "ka.verb"],
        &["ka.sourceips"],
    ];
    for (seed, keys) in (1..=40).flat_map(|seed| keys.iter().map(move |k| (seed, *k))) {
        let mut dice = Dice(seed);
        let query = query(keys, EVERY_HOW);
        let dicts = [dict(), dict()];
        let batches: Vec<Batch> = (0..5).map(|i| batch(&mut dice, 1 + i * 60, &schema, &dicts[i / 3])).collect();
        let selections: Vec<Selection> = batches.iter().map(|b| selection(&mut dice, b)).collect();
        let in_flight = |i: usize| i >= 3;
        let mut want = Naive::new();
        batches
            .iter()
            .zip(&selections)
            .enumerate()
            .for_each(|(i, (b, s))| naive(&query, b, s, in_flight(i), &mut want));
        let want = rows_of(&query, want, span);
        let mut reports = Vec::new();
        for count in 1..=3 {
            let mut workers: Vec<TableWorker> = (0..count).map(|_| query.worker()).collect();
            for (i, (b, s)) in batches.iter().zip(&selections).enumerate() {
                workers[(i * 7 + seed as usize) % count].add(b, s, in_flight(i), &ctx).unwrap();
            }
            reports.push(query.finish(&workers, span, Vec::new()));
        }
        let got: BTreeSet<Vec<Cell>> = reports[0].tables[0].rows.iter().cloned().collect();
        assert_eq!(got, want, "keys {keys:?}, seed {seed}");
        assert!(reports.iter().all(|r| *r == reports[0]), "keys {keys:?}, seed {seed}");
    }
}

#[test]
fn rows_are_sorted_by_the_column_then_by_key_and_cut() {
    let schema = Arc::new(Schema::current());
    let mut dice = Dice(7);
    let batch = batch(&mut dice, 500, &schema, &dict());
    let all = Selection { kinds: vec![KindSelection::All; 5], rows: None };
    let mut query = query(&["evt.type", "proc.pid"], &[(How::Count, None)]);
    query.top = Some(5);
    for descending in [true, false] {
        query.order.descending = descending;
        let mut worker = query.worker();
        worker.add(&batch, &all, true, &Context::default()).unwrap();
        let rows = query.finish(&[worker], Span::default(), Vec::new()).tables.remove(0).rows;
        assert_eq!(rows.len(), 5);
        for pair in rows.windows(2) {
            let by_count = pair[0][0].cmp(&pair[1][0]);
            let ordered = if descending { by_count.reverse() } else { by_count }.then(pair[0][1..].cmp(&pair[1][1..]));
            assert!(ordered.is_lt(), "{pair:?}");
        }
    }
}
