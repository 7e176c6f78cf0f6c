//! What goes in comes out, for columns of every shape; damage is an error with a place.

use super::directory::{Directory, inflate};
use super::{Bytes, Encoder, StoredBatch};
use crate::batch::{
    Batch, Columns, DataColumn, Error, Head, KindInfo, MAX_ROWS, ParamInfo, Runs, Schema, Store, Table,
};
use crate::event::{Category, Class, KindFlags, ParamType};
use crate::world::Dict;
use proptest::prelude::*;
use std::sync::Arc;

fn kind(number: usize) -> KindInfo {
    let classes = [Class::Int, Class::Text, Class::Data, Class::Env, Class::Int];
    let param =
        |(i, &class): (usize, &Class)| ParamInfo { name: format!("p{i}"), ty: ParamType::Int, table: None, class };
    KindInfo {
        name: format!("kind{number}"),
        category: Category::Other,
        flags: KindFlags::NONE,
        ret: Some(("res".to_owned(), ParamType::Errno)),
        fd: None,
        size: number.is_multiple_of(2).then_some(4),
        params: classes.iter().enumerate().map(param).collect(),
    }
}

/// 300 kinds; even ones store their return value against their second integer.
pub(crate) fn schema() -> Arc<Schema> {
    Arc::new(Schema { kinds: (0..300).map(kind).collect() })
}

/// A small generator with a state, so that large columns need no large proptest values.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16 ^ self.0 << 32
    }

    /// A value of one of the shapes that columns have.
    fn value(&mut self, shape: u8, row: u64) -> u64 {
        match shape % 8 {
            0 => 7,
            1 => self.roll() % 3 * 1_000_003,
            2 => self.roll() % 100,
            3 => row * 4096 + 17,
            4 => self.roll(),
            5 => [0, u64::MAX, 1 << 63, (1 << 63) - 1][self.roll() as usize % 4],
            6 => self.roll() % 0xffff_ffff,
            _ => row.saturating_sub(self.roll() % 40),
        }
    }
}

fn table(dice: &mut Dice, kind: u16, rows: usize, shapes: &[u8]) -> Table {
    let mut n = 0usize;
    let mut shape = || {
        n += 1;
        shapes[n % shapes.len()]
    };
    let mut column = |shape| (0..rows).map(|i| dice.value(shape, i as u64)).collect::<Vec<u64>>();
    let narrow = |v: Vec<u64>| v.into_iter().map(|v| v as u32).collect::<Vec<u32>>();
    let signed = |v: Vec<u64>| v.into_iter().map(|v| v as i64).collect::<Vec<i64>>();
    let (plain, sizes) = (signed(column(shape())), signed(column(shape())));
    let noise = column(4);
    let mut ret = signed(column(shape()));
    for ((value, &size), noise) in ret.iter_mut().zip(&sizes).zip(&noise) {
        *value = if noise % 3 == 0 { *value } else { size };
    }
    let lengths: Vec<u32> = match shapes[0] % 3 {
        0 => ret.iter().map(|r| (*r).clamp(0, 20) as u32).collect(),
        1 => noise.iter().map(|n| (n % 5) as u32).collect(),
        _ => vec![0; rows],
    };
    let bytes = (0..lengths.iter().sum::<u32>()).map(|i| (i.wrapping_mul(i) / 7) as u8).collect();
    let optional = |on: bool, values: Vec<u32>| if on { values } else { Vec::new() };
    Table {
        kind,
        duration: column(shape()),
        desc: optional(shapes[0] & 8 != 0, narrow(column(shape()))),
        flags: if shapes[0] & 16 != 0 { column(2).iter().map(|&v| v as u8).collect() } else { Vec::new() },
        missing: if shapes[0] & 32 != 0 { column(shape()) } else { Vec::new() },
        texts: vec![narrow(column(shape()))],
        ret: if shapes[0] & 64 != 0 { Vec::new() } else { ret },
        ints: vec![plain, sizes],
        data: vec![DataColumn { lengths, bytes, ..DataColumn::default() }],
    }
}

/// A batch of `rows` rows over `kinds` kinds.
pub(crate) fn columns(seed: u64, rows: usize, kinds: usize, shapes: &[u8]) -> Columns {
    let mut dice = Dice(seed);
    let row_kinds: Vec<u8> = (0..rows)
        .map(|i| if i < kinds { i as u8 } else { (dice.roll() % kinds as u64 * (dice.roll() % 2)) as u8 })
        .collect();
    let mut counts = vec![0usize; kinds];
    for &kind in &row_kinds {
        counts[usize::from(kind)] += 1;
    }
    let by_row = |dice: &mut Dice, shape| (0..rows).map(|i| dice.value(shape, i as u64)).collect::<Vec<u64>>();
    Columns {
        first_num: seed >> 1,
        nums: if seed.is_multiple_of(3) { by_row(&mut dice, shapes[1]) } else { Vec::new() },
        snapshot: seed.is_multiple_of(5),
        time: by_row(&mut dice, shapes[0]),
        cpu: by_row(&mut dice, shapes[1]).iter().map(|&v| v as u16).collect(),
        thread: by_row(&mut dice, shapes[2]).iter().map(|&v| v as u32).collect(),
        tables: counts.iter().enumerate().map(|(k, &n)| table(&mut dice, k as u16 + 3, n, shapes)).collect(),
        kind: row_kinds,
    }
}

/// Everything that a store says, as columns.
pub(crate) fn gather(head: &Head, store: &dyn Store, schema: &Schema) -> Result<Columns, Error> {
    let runs: Runs = store.thread()?;
    let mut thread = Vec::new();
    for (local, length) in runs.iter() {
        thread.extend(std::iter::repeat_n(head.threads[usize::from(local)], length));
    }
    let mut tables = Vec::new();
    for (k, rows) in head.kinds.iter().enumerate() {
        let info = &schema.kinds[usize::from(rows.kind)];
        tables.push(Table {
            kind: rows.kind,
            ret: store.ret(k)?,
            duration: store.duration(k)?,
            desc: store.desc(k)?,
            flags: store.flags(k)?,
            missing: store.missing(k)?,
            ints: (0..info.count(Class::Int)).map(|s| store.int(k, s)).collect::<Result<_, _>>()?,
            texts: (0..info.count(Class::Text)).map(|s| store.text(k, s)).collect::<Result<_, _>>()?,
            data: (0..info.count(Class::Data)).map(|s| store.data(k, s)).collect::<Result<_, _>>()?,
        });
    }
    Ok(Columns {
        first_num: head.first_num,
        nums: store.nums()?,
        snapshot: head.snapshot,
        time: store.time()?,
        cpu: store.cpu()?,
        thread,
        kind: store.kind()?,
        tables,
    })
}

fn decode(body: Vec<u8>, schema: &Arc<Schema>) -> Result<(Head, Columns), Error> {
    let range = 0..body.len();
    let bytes: Bytes = Arc::new(body);
    let (head, store) = StoredBatch::open(bytes, range, Arc::clone(schema))?;
    let columns = gather(&head, &store, schema)?;
    Ok((head, columns))
}

fn assert_round_trip(encoder: &mut Encoder, columns: &Columns) {
    let schema = schema();
    let encoded = encoder.encode(columns, &schema).unwrap();
    assert_eq!(encoded.head, Head::of(columns).0);
    let (head, back) = decode(encoded.body, &schema).unwrap();
    assert_eq!(head, encoded.head);
    assert!(back == *columns, "columns of {} rows differ", columns.rows());
}

#[test]
fn an_empty_batch_comes_back() {
    assert_round_trip(&mut Encoder::new(), &Columns::default());
}

#[test]
fn one_row_comes_back() {
    assert_round_trip(&mut Encoder::new(), &columns(1, 1, 1, &[4, 5, 6]));
}

#[test]
fn a_full_batch_comes_back_for_every_shape() {
    let mut encoder = Encoder::new();
    for shape in 0..8 {
        assert_round_trip(&mut encoder, &columns(9, MAX_ROWS, 5, &[shape | 8, shape, shape + 1]));
    }
}

#[test]
fn a_full_batch_of_as_many_threads_as_rows_comes_back() {
    assert_round_trip(&mut Encoder::new(), &columns(2, MAX_ROWS, 1, &[3, 3, 3]));
}

#[test]
fn the_most_kinds_come_back() {
    assert_round_trip(&mut Encoder::new(), &columns(3, 40_000, 256, &[0x7f, 1, 2, 3, 4, 5, 6]));
}

/// A column's name and what spoils it.
type Spoil = (&'static str, fn(&mut Columns));

#[test]
fn columns_that_disagree_are_refused() {
    let good = columns(4, 10, 2, &[1, 2, 3]);
    let schema = schema();
    let spoil: [Spoil; 6] = [
        ("time", |c| c.time.truncate(3)),
        ("kind", |c| c.kind[0] = 9),
        ("duration", |c| c.tables[0].duration.push(1)),
        ("kind", |c| c.tables[0].kind = 300),
        ("int", |c| c.tables[0].ints[0].push(1)),
        ("data bytes", |c| c.tables[0].data[0].bytes.push(1)),
    ];
    for (column, spoil) in spoil {
        let mut bad = good.clone();
        spoil(&mut bad);
        let error = Encoder::new().encode(&bad, &schema).unwrap_err();
        assert_eq!(error.column, column);
    }
}

#[test]
fn damage_costs_the_column_it_hits_and_says_where() {
    let schema = schema();
    let columns = columns(5, 5_000, 2, &[4, 1, 2]);
    let mut body = Encoder::new().encode(&columns, &schema).unwrap().body;
    let last = body.len() - 1;
    body[last] ^= 1;
    let bytes: Bytes = Arc::new(body);
    let (head, store) = StoredBatch::open(bytes, 0..last + 1, Arc::clone(&schema)).unwrap();
    let error = gather(&head, &store, &schema).unwrap_err();
    assert!(error.found.contains(" at offset 0x"), "{error}");
    assert_eq!(store.kind().unwrap(), columns.kind);
    assert_eq!(store.time().unwrap(), columns.time);
}

#[test]
fn a_batch_answers_from_its_store() {
    let schema = schema();
    let columns = columns(6, 2_000, 3, &[4, 1, 2]);
    let body = Encoder::new().encode(&columns, &schema).unwrap().body;
    let length = body.len();
    let (head, store) = StoredBatch::open(Arc::new(body), 0..length, Arc::clone(&schema)).unwrap();
    let batch = Batch::new(head, schema, Arc::new(Dict::new()), Box::new(store));
    assert_eq!(batch.ret(0).unwrap(), columns.tables[0].ret);
    assert_eq!(batch.kind().unwrap(), columns.kind);
}

/// The body with its directory and its plain frames changed, and every checksum right again: what a hostile writer
/// can make, and damage cannot.
fn forge(body: &[u8], change: impl FnOnce(&mut Directory, &mut [Vec<u8>])) -> Vec<u8> {
    let (mut directory, length) = Directory::take(body).unwrap();
    let plain = |f: &super::directory::Frame| {
        let start = length + f.offset as usize;
        inflate(&body[start..start + f.stored as usize], f.inflated as usize, 1 << 30).unwrap()
    };
    let mut frames: Vec<Vec<u8>> = directory.frames.iter().map(plain).collect();
    for frame in &mut directory.frames {
        frame.stored = frame.inflated;
    }
    change(&mut directory, &mut frames);
    let mut offset = 0;
    for (frame, bytes) in directory.frames.iter_mut().zip(&frames) {
        frame.offset = offset;
        frame.crc = crc32fast::hash(bytes);
        offset += bytes.len() as u32;
    }
    let mut forged = directory.bytes(1).unwrap();
    forged.extend(frames.concat());
    forged
}

#[test]
fn a_forged_body_without_changes_is_the_batch() {
    let columns = columns(8, 2_500, 2, &[12, 1, 2, 7]);
    let body = Encoder::new().encode(&columns, &schema()).unwrap().body;
    assert!(decode(forge(&body, |_, _| ()), &schema()).unwrap().1 == columns);
}

#[test]
fn forged_heads_are_refused() {
    let columns = columns(8, 2_500, 2, &[12, 1, 2, 7]);
    let body = Encoder::new().encode(&columns, &schema()).unwrap().body;
    let changes: [fn(&mut Directory); 8] = [
        |d| d.head.head.rows += 1,
        |d| d.head.head.rows = u32::MAX,
        |d| d.head.head.first_num = u64::MAX,
        |d| d.head.head.kinds[0].kind = 300,
        |d| d.frames[5].inflated = u32::MAX,
        |d| d.frames.truncate(12),
        |d| d.chunks[1].frame = 999,
        |d| d.head.threads = vec![0x01; 70_000],
    ];
    for (i, change) in changes.into_iter().enumerate() {
        assert!(decode(forge(&body, |d, _| change(d)), &schema()).is_err(), "change {i}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_columns_come_back(
        seed: u64,
        rows in 0usize..3_000,
        kinds in 1usize..40,
        shapes in prop::collection::vec(any::<u8>(), 3..9),
    ) {
        let columns = columns(seed, rows.max(kinds), kinds, &shapes);
        assert_round_trip(&mut Encoder::new(), &columns);
    }

    #[test]
    fn a_flipped_bit_never_changes_a_column_unseen(
        seed: u64,
        shapes in prop::collection::vec(any::<u8>(), 3..9),
        at: prop::sample::Index,
        bit in 0u32..8,
    ) {
        let schema = schema();
        let columns = columns(seed, 1_500, 3, &shapes);
        let mut body = Encoder::new().encode(&columns, &schema).unwrap().body;
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        prop_assert!(decode(body, &schema).is_err());
    }

    #[test]
    fn forged_columns_never_panic(
        seed: u64,
        shapes in prop::collection::vec(any::<u8>(), 3..9),
        frame: prop::sample::Index,
        at: prop::sample::Index,
        value: u8,
        chunk: prop::sample::Index,
        length in 0u32..40,
    ) {
        let schema = schema();
        let columns = columns(seed, 1_500, 3, &shapes);
        let body = Encoder::new().encode(&columns, &schema).unwrap().body;
        let forged = forge(&body, |_, frames| {
            let index = frame.index(frames.len());
            if let Some(bytes) = frames.get_mut(index).filter(|f| !f.is_empty()) {
                let at = at.index(bytes.len().min(40));
                bytes[at] = value;
            }
        });
        let _ = decode(forged, &schema);
        let forged = forge(&body, |directory, _| {
            let index = chunk.index(directory.chunks.len());
            directory.chunks[index].length = length;
        });
        let _ = decode(forged, &schema);
    }

    #[test]
    fn random_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decode(bytes, &schema()).is_err());
    }

    #[test]
    fn a_random_packed_column_never_panics(
        tag in 0u8..8,
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        rows in 0usize..100,
    ) {
        let mut column = vec![tag];
        column.extend(bytes);
        let low = vec![0; rows];
        if let Ok(values) = super::unpack::unpack::<u32>(&column, &low, rows) {
            prop_assert_eq!(values.len(), rows);
        }
        let _ = super::runs::take(&column, rows);
    }
}
