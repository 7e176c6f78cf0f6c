//! Rows per second of tables over batches in memory: `cargo bench --bench query`.
//!
//! Columns are decoded once before the clock starts, so that the figure is that of filter and table alone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a bench that cannot go on stops, and its figures go to standard output"
)]

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;
use sysreel::batch::{Batch, Columns, DataColumn, MAX_ROWS, Schema, Table};
use sysreel::chisel::{Library, Style};
use sysreel::event::{Class, kind_by_name};
use sysreel::field::Context;
use sysreel::filter::Memo;
use sysreel::query::{Query, View};
use sysreel::world::{DescKind, DescRow, Dict, ThreadRow};

/// Kinds and their share of rows, in hundredths: the mix of a busy node.
const MIX: &[(&str, u64)] =
    &[("read", 25), ("write", 20), ("newfstatat", 20), ("openat", 15), ("close", 12), ("futex", 8)];

fn dict() -> Arc<Dict> {
    let mut dict = Dict::new();
    for i in 0..200u32 {
        let comm = dict.strings.push(format!("proc{}", i % 40).as_bytes());
        dict.threads.push(ThreadRow { tid: 1000 + i, pid: 1000 + i / 2, comm, ..ThreadRow::default() });
    }
    for i in 0..2000u64 {
        let name = dict.strings.push(format!("/var/lib/app/{i}.dat").as_bytes());
        let kind = if i % 8 == 0 { DescKind::Pipe } else { DescKind::File };
        dict.descs.push(DescRow { kind, name, ino: i, ..DescRow::default() });
    }
    Arc::new(dict)
}

fn batch(seed: u64, schema: &Arc<Schema>, dict: &Arc<Dict>) -> Option<Batch> {
    let mut state = seed;
    let mut roll = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut columns = Columns::default();
    for (name, _) in MIX {
        let kind = kind_by_name(name)?.0;
        let info = &schema.kinds[usize::from(kind)];
        let (ints, texts) = (vec![Vec::new(); info.count(Class::Int)], vec![Vec::new(); info.count(Class::Text)]);
        let data = vec![DataColumn::default(); info.count(Class::Data)];
        columns.tables.push(Table { kind, ints, texts, data, ..Table::default() });
    }
    let mut thread = 1;
    for row in 0..MAX_ROWS {
        let mut at = roll(100);
        let local = MIX
            .iter()
            .position(|(_, share)| {
                at < *share || {
                    at -= share;
                    false
                }
            })
            .unwrap_or(0);
        // Runs of about four rows, as on a real node.
        if roll(4) == 0 {
            thread = 1 + roll(200) as u32;
        }
        columns.time.push(row as u64 * 3_000);
        columns.cpu.push(0);
        columns.thread.push(thread);
        columns.kind.push(local as u8);
        let table = &mut columns.tables[local];
        table.ret.push(roll(8192) as i64 - 10);
        table.duration.push(roll(100_000));
        table.desc.push(1 + roll(2000) as u32);
        table.ints.iter_mut().for_each(|c| c.push(0));
        table.texts.iter_mut().for_each(|c| c.push(0));
        table.data.iter_mut().for_each(|c| c.lengths.push(0));
    }
    Some(Batch::of_columns(columns, Arc::clone(schema), Arc::clone(dict)))
}

/// Seconds of the best of several rounds over all batches.
fn best(batches: &[Batch], mut round: impl FnMut(&Batch)) -> f64 {
    let once = |round: &mut dyn FnMut(&Batch)| {
        let start = Instant::now();
        batches.iter().for_each(round);
        start.elapsed().as_secs_f64()
    };
    (0..8).map(|_| once(&mut round)).fold(f64::MAX, f64::min)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (schema, dict) = (Arc::new(Schema::current()), dict());
    let batches: Vec<Batch> = (0..16).filter_map(|i| batch(i, &schema, &dict)).collect();
    let rows: usize = batches.iter().map(Batch::rows).sum();
    let ctx = Context::default();
    let chisels: &[(&str, &[&str])] = &[
        ("fdbytes_by", &["fd.name"]),
        ("topfiles_bytes", &[]),
        ("topprocs_file", &[]),
        ("topscalls", &[]),
        ("topscalls_time", &[]),
    ];
    for (name, args) in chisels {
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        let prepared = Library::default().find(name)?.prepare(&args, Style::default())?;
        let (Some(filter), Query::Table(_)) = (&prepared.filter, &prepared.query) else { continue };
        let mut memo = Memo::default();
        let mut worker = prepared.query.worker();
        let seconds = best(&batches, |batch| {
            let view = View { ctx: &ctx, in_flight: false, limit: u64::MAX };
            let done = filter
                .select(&mut memo, batch, &ctx)
                .and_then(|s| prepared.query.partial(&mut worker, batch, &s, view));
            std::hint::black_box(done.is_ok());
        });
        writeln!(std::io::stdout(), "{name:<16} {:>6.1} M rows/s", rows as f64 / seconds / 1e6)?;
    }
    Ok(())
}
