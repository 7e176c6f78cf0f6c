//! What taking the probe's records out and reading them costs, nanoseconds per record, without world, columns or file.
//!
//! `cargo bench --bench probe` as root records two loops of this program's own (`getppid`; `openat` and `close`), drains
//! their records while they run, and decodes one full block of each again and again.
//!
//! What was learnt: an `Event` is more than a thousand bytes, so it is made where the caller has it and never moved.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on stops, and its figures go to standard output"
)]

use std::ffi::OsString;
use std::time::Duration;
use sysreel::event::Event;
use sysreel::source::ebpf::{Block, Decoder, Options, Probe};
use sysreel::sys::{StoppedChild, clock_pair, thread_cpu_ns};

/// Calls of each loop.
const CALLS: u32 = 1_000_000;

/// How often the kept block is decoded.
const AGAIN: u32 = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == "--loop") {
        run_loop(&arguments[at + 1]);
        return;
    }
    for mode in ["getppid", "open"] {
        measure(&arguments[0], mode);
    }
}

fn run_loop(mode: &str) {
    for _ in 0..CALLS {
        match mode {
            "getppid" => drop(std::hint::black_box(std::os::unix::process::parent_id())),
            _ => drop(std::fs::File::open("/etc/passwd").unwrap()),
        }
    }
}

fn measure(own: &str, mode: &str) {
    let stopped = StoppedChild::new(&[own, "--loop", mode].map(OsString::from)).unwrap();
    let mut probe = Probe::open(&Options { root: Some(stopped.pid()), ..Options::default() }).unwrap();
    let mut drain = probe.drain().unwrap();
    let mut decoder = Decoder::new(probe.plans(), clock_pair());
    probe.attach().unwrap();
    let mut child = stopped.start().unwrap();
    let (mut records, mut drained, mut full) = (0u64, 0u64, Block::default());
    let mut block = Block::default();
    while child.try_wait().unwrap().is_none() {
        block.clear();
        let begun = thread_cpu_ns();
        let round = drain.round(&mut block);
        drained += thread_cpu_ns() - begun;
        records += u64::from(round.records);
        if block.records > full.records {
            std::mem::swap(&mut block, &mut full);
        }
        if !round.more {
            std::thread::sleep(Duration::from_micros(500));
        }
    }
    let begun = thread_cpu_ns();
    for record in (0..AGAIN).flat_map(|_| &full) {
        let mut event = Event::default();
        decoder.decode(record, &mut event);
        std::hint::black_box(&event);
    }
    let decoded = (thread_cpu_ns() - begun) as f64 / f64::from(AGAIN * full.records);
    let drops: u64 = (0..drain.processors()).map(|cpu| drain.counters(cpu).drops).sum();
    println!(
        "{mode:8} {records} records, {drops} dropped: drain {:.1} ns, decode {decoded:.1} ns",
        drained as f64 / records as f64
    );
}
