//! A realistic load, recorded live: what it costs, and a generator of reels of any size.
//!
//! `cargo bench --bench mixed` (root) records the load of `load/mixed.sh` (a build, a web server with clients, shell loops,
//! databases, processes in namespaces; nothing leaves the loopback) and the storms, and prints what the recorder needed:
//! processor time per event, bytes per event, memory. `cargo bench --bench mixed -- keep FILE N` writes a reel of N events:
//! the recording, again and again, with other process ids each time. `cargo bench --bench mixed -- stages FILE` times what
//! comes after the rings on the events of such a reel, without the cold caches of a busy machine. `SYSREEL_BENCH_ROUNDS=n`
//! makes the load longer (2: about 1.1 M events).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops when it cannot go on"
)]

#[path = "../tests/common/mod.rs"]
mod common;
mod load;
#[path = "load/record.rs"]
mod record;

use common::live::{able, program};
use record::{RINGS_MB, Recording, STORMS};
use std::path::Path;
use std::sync::{Arc, Mutex};
use sysreel::batch::{Columns, Encoder, Schema};
use sysreel::engine::{Assembler, Batches, Piece, Reels, SegmentLimits};
use sysreel::sys::process_usage;

fn rounds() -> u32 {
    std::env::var("SYSREEL_BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2)
}

fn told(name: &str, recording: &Recording) {
    let [all, drain, build, encode, write] = recording.cpu;
    println!(
        "{name:30} {:>10} {:>6} {:>6.2} {all:>6.0} {drain:>6.0} {build:>6.0} {encode:>6.0} {write:>6.0} {:>8.1}",
        recording.events,
        recording.lost,
        recording.bytes / recording.events,
        recording.peak - RINGS_MB,
    );
}

/// Kinds and processes of a reel.
fn variety(path: &Path) -> (usize, usize) {
    let reels = Reels::open(&[path.to_owned()]).unwrap();
    let (mut kinds, mut pids) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for batch in (0..reels.len()).map(|n| reels.batch(n).unwrap()) {
        batch
            .for_each_row(|row| {
                kinds.insert(row.info().name.clone());
                pids.insert(row.thread().pid);
            })
            .unwrap();
    }
    (kinds.len(), pids.len())
}

fn live() {
    let folder = tempfile::tempdir().unwrap();
    println!(
        "{:30} {:>10} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>8}",
        "load", "events", "lost", "B each", "ns all", "drain", "build", "encode", "write", "MB+rings"
    );
    let mixed = record::mixed(folder.path(), rounds());
    told("mixed", &mixed);
    let (kinds, processes) = variety(&mixed.reel);
    println!("{:30} {kinds} kinds of events, {processes} processes", "");
    stages(&mixed.reel);
    if program("mixed", "storm", folder.path()).is_none() {
        return;
    }
    for (name, [kind, count]) in STORMS {
        told(name, &record::record(folder.path(), "storm", &["./storm", kind, count]));
    }
}

/// A recording of the load, again and again, until it has so many events.
fn keep(path: &Path, events: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mixed = record::mixed(folder.path(), rounds());
    told("mixed", &mixed);
    load::repeat(&mixed.reel, path, events);
    println!("{}: {events} events, {} bytes", path.display(), std::fs::metadata(path).unwrap().len());
}

/// Processor time of this process, ns.
fn cpu() -> u64 {
    process_usage().user_ns + process_usage().system_ns
}

#[derive(Default)]
struct Handed {
    columns: Vec<Columns>,
    /// Processor time, ns.
    encoding: u64,
    bytes: u64,
}

/// Times world and columns, and encoding, of the events of a reel that lie in memory. Medians of five rounds.
fn stages(path: &Path) {
    let (initial, events) = load::events(path);
    let mut rounds: Vec<[f64; 3]> = (0..5)
        .map(|_| {
            let handed: Arc<Mutex<Handed>> = Arc::default();
            let (sink, schema, mut encoder) = (Arc::clone(&handed), Schema::current(), Encoder::new());
            let hand_on = Box::new(move |piece| {
                if let Piece::Batch(columns) = piece {
                    let begun = cpu();
                    let encoded = encoder.encode(&columns, &schema).map_err(|e| e.to_string())?;
                    let mut handed = sink.lock().map_err(|e| e.to_string())?;
                    handed.encoding += cpu() - begun;
                    handed.bytes += encoded.body.len() as u64;
                    handed.columns.push(columns);
                }
                Ok::<(), String>(())
            });
            let mut assembler = Assembler::new(SegmentLimits::default(), hand_on);
            for row in &initial {
                assembler.initial(&row.event());
            }
            let begun = cpu();
            for (n, event) in events.iter().enumerate() {
                assembler.event(&event.event()).unwrap();
                if n % 4_096 == 0 {
                    drop(assembler.take_wants());
                    if let Some(columns) = handed.lock().unwrap().columns.pop() {
                        assembler.recycle(columns);
                    }
                }
            }
            assembler.finish(u64::MAX).unwrap();
            let all = cpu() - begun;
            let handed = handed.lock().unwrap();
            let per = |ns: u64| ns as f64 / events.len() as f64;
            [per(all.saturating_sub(handed.encoding)), per(handed.encoding), handed.bytes as f64 / events.len() as f64]
        })
        .collect();
    rounds.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let [build, encode, bytes] = rounds[2];
    println!(
        "{:30} {} events in memory: world and columns {build:.1} ns, encode {encode:.1} ns, {bytes:.2} B each",
        "",
        events.len()
    );
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["stages", path] => stages(Path::new(path)),
        ["keep", path, events] if able("mixed") => keep(Path::new(path), events.parse().unwrap()),
        [] if able("mixed") => live(),
        [] | ["keep", ..] => {}
        _ => panic!("expected nothing, `keep FILE N` or `stages FILE`, found {words:?}"),
    }
}
