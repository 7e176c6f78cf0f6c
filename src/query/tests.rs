//! Tables against a naive reckoning, row by row, on made-up batches.

use super::part::cell;
use super::values::number;
use super::*;
use crate::batch::{Batch, Columns, Row, Schema, Table};
use crate::event::{Class, Flags, kind_by_name};
use crate::field::{Context, lookup};
use crate::filter::{Bits, KindSelection, Selection};
use crate::report::{Cell, Unit};
use crate::world::{DescKind, DescRow, Dict, ThreadRow};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A generator that is the same everywhere (a linear congruential one, Knuth's constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn dict() -> Arc<Dict> {
    let mut dict = Dict::new();
    for name in ["bash", "cat", "cat", "nginx"] {
        let comm = dict.strings.push(name.as_bytes());
        let pid = dict.threads.len() as u32 + 100;
        dict.threads.push(ThreadRow { tid: pid, pid: pid / 2, comm, ..ThreadRow::default() });
    }
    for name in ["/a", "/b", "/a", "/c d"] {
        let name = dict.strings.push(name.as_bytes());
        let ino = dict.descs.len() as u64;
        dict.descs.push(DescRow { kind: DescKind::File, name, ino, ..DescRow::default() });
    }
    Arc::new(dict)
}

fn batch(dice: &mut Dice, rows: usize, schema: &Arc<Schema>, dict: &Arc<Dict>) -> Batch {
    let kinds = ["read", "write", "openat", "cputime"].map(|n| kind_by_name(n).unwrap().0);
    let mut columns = Columns::default();
    for kind in kinds {
        let info = &schema.kinds[usize::from(kind)];
        columns.tables.push(Table {
            kind,
            ints: vec![Vec::new(); info.count(Class::Int)],
            texts: vec![Vec::new(); info.count(Class::Text)],
            data: vec![crate::batch::DataColumn::default(); info.count(Class::Data)],
            ..Table::default()
        });
    }
    for i in 0..rows {
        let local = dice.roll(4) as usize;
        columns.time.push(1_000 + i as u64 * 10);
        columns.cpu.push(dice.roll(2) as u16);
        columns.thread.push(dice.roll(5) as u32);
        columns.kind.push(local as u8);
        let table = &mut columns.tables[local];
        table.duration.push(dice.roll(50));
        table.flags.push(if dice.roll(10) == 0 { Flags::IN_FLIGHT.0 } else { 0 });
        table.missing.push(u32::from(dice.roll(4) == 0));
        if local < 3 {
            table.ret.push(dice.roll(300) as i64 - 50);
            table.desc.push(dice.roll(5) as u32);
        }
        table.ints.iter_mut().for_each(|c| c.push(dice.roll(1000) as i64));
        table.texts.iter_mut().for_each(|c| c.push(0));
        table.data.iter_mut().for_each(|c| c.lengths.push(0));
    }
    Batch::of_columns(columns, Arc::clone(schema), Arc::clone(dict))
}

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
    group::walk(batch, true, |index, thread, kind, position| {
        let row = Row { batch, index, kind, position, thread };
        let by_kind = match &selection.kinds[kind] {
            KindSelection::None => false,
            KindSelection::All => true,
            KindSelection::Some(bits) => bits.get(position),
        };
        let by_row = selection.rows.as_ref().is_none_or(|r| r.get(index));
        let key: Vec<Cell> = query.keys.iter().map(|k| cell(k.field.value(&row, &ctx))).collect();
        if !by_kind || !by_row || key.contains(&Cell::Missing) || (!in_flight && row.flags().has(Flags::IN_FLIGHT)) {
            return;
        }
        let group = into.entry(key).or_insert_with(|| vec![Default::default(); query.values.len()]);
        for (value, (numbers, distinct)) in query.values.iter().zip(group) {
            match &value.field {
                None => numbers.push(1),
                Some(f) if value.how == How::Distinct => drop(distinct.insert(cell(f.value(&row, &ctx)))),
                Some(f) => numbers.extend(number(f, &row, &ctx).filter(|n| f.field.name != "evt.rawres" || *n >= 0)),
            }
        }
    })
    .unwrap();
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
    ];
    for (seed, keys) in (1..=40).flat_map(|seed| keys.iter().map(move |k| (seed, *k))) {
        let mut dice = Dice(seed);
        let query = query(keys, EVERY_HOW);
        let dicts = [dict(), dict()];
        let batches: Vec<Batch> = (0..5).map(|i| batch(&mut dice, 1 + i * 60, &schema, &dicts[i / 3])).collect();
        let selections: Vec<Selection> = batches.iter().map(|b| selection(&mut dice, b)).collect();
        let in_flight = |i: usize| i >= 3;
        let mut want = Naive::new();
        batches.iter().zip(&selections).enumerate().for_each(|(i, (b, s))| naive(&query, b, s, in_flight(i), &mut want));
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
    let all = Selection { kinds: vec![KindSelection::All; 4], rows: None };
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
