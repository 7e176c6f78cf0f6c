//! Speed of the batch codec on columns shaped like those of a busy node: `cargo bench --bench codec`.
//!
//! Prints nanoseconds per row to encode, bytes per row, and million rows per second to decode each column.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::sync::Arc;
use std::time::Instant;
use sysreel::batch::{Columns, DataColumn, Encoder, KindInfo, MAX_ROWS, ParamInfo, Schema, Store, StoredBatch, Table};
use sysreel::event::{Category, Class, KindFlags, ParamType};

/// Rounds of each measurement; the median counts.
const ROUNDS: usize = 15;

/// A kind: its share of the rows in thousandths, integers, texts, whether it has data, and a descriptor.
type Shape = (u64, usize, usize, bool, bool);

/// The commonest kinds of a real capture; 60 rare ones follow.
const SHAPES: [Shape; 12] = [
    (138, 3, 0, false, false),
    (116, 2, 0, true, true),
    (91, 2, 1, false, false),
    (69, 1, 0, false, true),
    (68, 3, 1, false, true),
    (57, 6, 0, false, true),
    (49, 2, 0, true, true),
    (49, 3, 0, false, false),
    (29, 0, 0, false, false),
    (24, 3, 0, false, true),
    (200, 2, 0, false, false),
    (50, 2, 1, false, false),
];

/// Where the integers of a kind look like: descriptors, sizes, addresses, flags.
const DESCRIPTOR: usize = 0;

struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    /// Many small values, few large ones.
    fn skewed(&mut self, n: u64) -> u64 {
        let span = self.below(64).min(self.below(64)).min(self.below(64)) + 1;
        self.below(n) * span / 64 % n
    }
}

fn kind(number: usize, shape: Shape) -> KindInfo {
    let classes = [(Class::Int, shape.1), (Class::Text, shape.2), (Class::Data, usize::from(shape.3))];
    let classes = classes.iter().flat_map(|&(class, n)| std::iter::repeat_n(class, n));
    let params = classes.map(|class| ParamInfo { name: String::new(), ty: ParamType::Int, table: None, class });
    KindInfo {
        name: format!("kind{number}"),
        category: Category::Other,
        flags: KindFlags::CALL,
        ret: Some(("res".to_owned(), ParamType::Errno)),
        fd: shape.4.then_some(DESCRIPTOR as u8),
        size: shape.3.then_some(1),
        params: params.collect(),
    }
}

fn shapes() -> Vec<Shape> {
    SHAPES.into_iter().chain((0..60).map(|i| (1, i % 4, i % 2, false, i % 3 == 0))).collect()
}

fn row_kinds(dice: &mut Dice, shapes: &[Shape]) -> Vec<u8> {
    let lots: Vec<u8> =
        shapes.iter().enumerate().flat_map(|(k, s)| std::iter::repeat_n(k as u8, s.0 as usize)).collect();
    // Programs do the same few calls over and over: half of the rows repeat a sequence of eight.
    let mut kinds: Vec<u8> = Vec::with_capacity(MAX_ROWS);
    while kinds.len() < MAX_ROWS {
        let back = 8 * (1 + dice.below(50) as usize);
        if dice.below(4) > 0 && kinds.len() > back {
            let start = kinds.len() - back;
            kinds.extend_from_within(start..start + 8);
        } else {
            kinds.push(lots[dice.below(lots.len() as u64) as usize]);
        }
    }
    kinds.truncate(MAX_ROWS);
    kinds
}

fn table(dice: &mut Dice, number: u16, rows: usize, shape: Shape) -> Table {
    let sizes: Vec<i64> = (0..rows).map(|_| [1, 4096, 512, 1024, 80][dice.skewed(5) as usize]).collect();
    let ints: Vec<Vec<i64>> = (0..shape.1)
        .map(|slot| match slot {
            0 => (0..rows).map(|_| dice.skewed(60) as i64).collect(),
            1 => sizes.clone(),
            2 => (0..rows).map(|_| 0x7f00_0000_0000 + (dice.skewed(4_000) << 12) as i64).collect(),
            _ => vec![slot as i64; rows],
        })
        .collect();
    let ret: Vec<i64> = sizes.iter().map(|&s| if dice.below(3) == 0 { dice.below(200) as i64 } else { s }).collect();
    let lengths: Vec<u32> = ret.iter().map(|&r| r.clamp(0, 80) as u32).collect();
    let words: [&[u8]; 4] = [b"GET /index.html HTTP/1.1\r\n", b"error: ", b"0123456789", b"\0\0\0\x01\0\0"];
    let mut bytes = Vec::new();
    let total = lengths.iter().sum::<u32>() as usize;
    while bytes.len() < total {
        bytes.extend_from_slice(words[dice.below(4) as usize]);
        bytes.push(dice.roll() as u8);
    }
    bytes.truncate(total);
    let data = if shape.3 { vec![DataColumn { lengths, bytes, ..DataColumn::default() }] } else { Vec::new() };
    let mut newest = 20;
    let mut near = |dice: &mut Dice| {
        newest += u64::from(dice.below(12) == 0);
        (newest - dice.skewed(20)) as u32
    };
    let duration = (0..rows).map(|_| (200 << dice.below(6)) + dice.below(800)).collect();
    Table {
        kind: number,
        ret,
        duration,
        desc: if shape.4 { (0..rows).map(|_| near(dice)).collect() } else { Vec::new() },
        texts: (0..shape.2).map(|_| (0..rows).map(|_| near(dice)).collect()).collect(),
        ints,
        data,
        ..Table::default()
    }
}

fn columns() -> (Columns, Arc<Schema>) {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let shapes = shapes();
    let kind_of_row = row_kinds(&mut dice, &shapes);
    let mut counts = vec![0usize; shapes.len()];
    for &kind in &kind_of_row {
        counts[usize::from(kind)] += 1;
    }
    let (mut now, mut thread, mut cpu) = (1_700_000_000_000_000_000u64, 1u32, 0u16);
    let mut columns = Columns::default();
    for _ in 0..MAX_ROWS {
        now += 300 + dice.below(4_000) + if dice.below(200) == 0 { dice.below(3_000_000) } else { 0 };
        if dice.below(5) == 0 {
            thread = 1 + dice.skewed(900) as u32;
            cpu = dice.below(2) as u16;
        }
        columns.time.push(now);
        columns.thread.push(thread);
        columns.cpu.push(cpu);
    }
    columns.tables =
        shapes.iter().zip(&counts).enumerate().map(|(k, (&s, &n))| table(&mut dice, k as u16, n, s)).collect();
    columns.kind = kind_of_row;
    let schema = Schema { kinds: shapes.iter().enumerate().map(|(k, &s)| kind(k, s)).collect() };
    (columns, Arc::new(schema))
}

/// Median nanoseconds of a run.
fn median(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn main() {
    let (columns, schema) = columns();
    let rows = columns.rows() as f64;
    let mut encoder = Encoder::new();
    let mut body = Vec::new();
    let encode = median(|| body = encoder.encode(&columns, &schema).unwrap().body);
    println!("encode: {:.1} ns/row, {:.2} B/row", encode / rows, body.len() as f64 / rows);

    let length = body.len();
    let bytes: sysreel::batch::codec::Bytes = Arc::new(body);
    let open = || StoredBatch::open(Arc::clone(&bytes), 0..length, Arc::clone(&schema)).unwrap().1;
    println!("open: {:.1} us/batch", median(|| drop(open())) / 1e3);
    let kinds = columns.tables.len();
    let report = |name: &str, rows: f64, run: &dyn Fn(&StoredBatch)| {
        // A batch keeps inflated frames, so each round opens its own.
        let mut times: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let store = open();
                let start = Instant::now();
                run(&store);
                start.elapsed().as_nanos() as f64
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{name}: {:.0} M rows/s", rows / times[ROUNDS / 2] * 1e3);
    };
    report("kind", rows, &|s| drop(s.kind().unwrap()));
    report("thread", rows, &|s| drop(s.thread().unwrap()));
    report("time", rows, &|s| drop(s.time().unwrap()));
    report("cpu", rows, &|s| drop(s.cpu().unwrap()));
    report("ret, all kinds", rows, &|s| (0..kinds).for_each(|k| drop(s.ret(k).unwrap())));
    report("duration, all kinds", rows, &|s| (0..kinds).for_each(|k| drop(s.duration(k).unwrap())));
    let with_desc: usize = columns.tables.iter().map(|t| t.desc.len()).sum();
    report("desc, rows that have one", with_desc as f64, &|s| {
        (0..kinds).for_each(|k| drop(s.desc(k).unwrap()));
    });
    report("ret of one I/O kind", columns.tables[1].ret.len() as f64, &|s| drop(s.ret(1).unwrap()));
    report("data, per row of the batch", rows, &|s| [1, 6].iter().for_each(|&k| drop(s.data(k, 0).unwrap())));
}
