//! What an export into scap costs, and how the sizes compare: `cargo bench --bench export`.
//!
//! Ten seconds of a mixed load beside storms of calls are recorded, exported with enter events, and compressed as sysdig's
//! `-z` does. Bound: the reel takes at most half of what the compressed scap does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops when it cannot go on"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::live::{able, program};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");

const LOAD: &str = "./load . 2 & end=$(($(date +%s) + 10)); while [ $(date +%s) -lt $end ]; do \
    for storm in 'forks 1000' 'execs 300' 'opens 100000' 'connections 5000' 'peers 10000' 'descriptors 10000' \
    'threads 2000' 'writes 200000'; do ./storm $storm; done; done; touch stop; wait";

/// Runs sysreel to its end; returns what it said, its seconds and its processor seconds.
fn run(folder: &Path, words: &[&str]) -> (String, f64, f64) {
    let begun = Instant::now();
    let before = processor();
    let out = Command::new(SYSREEL).args(words).current_dir(folder).stdout(Stdio::null()).output().unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{said}");
    (said, seconds, processor() - before)
}

/// Processor seconds of all children that have ended (`proc_pid_stat(5)`: fields 16 and 17, in hundredths).
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    [13, 14].iter().map(|&i| fields[i].parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn main() {
    if !able("export") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (Some(_), Some(_)) = (program("export", "load", folder.path()), program("export", "storm", folder.path()))
    else {
        return;
    };
    let record = ["-q", "-w", "x.reel", "--ring", "256M", "--", "sh", "-c", LOAD];
    run(folder.path(), &record);
    let size = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len() as f64 / 1e6;
    for (name, flags) in [("x.scap", &[][..]), ("x.exit.scap", &["--exit-only"]), ("x.scap.gz", &[])] {
        let (said, seconds, cpu) = run(folder.path(), &[&["-r", "x.reel", "-w", name], flags].concat());
        let events: f64 = said.split(' ').next().unwrap().parse().unwrap();
        println!(
            "{name}: {:.2} M events, {:.1} MB in {seconds:.2} s, {:.2} M events/s of processor time",
            events / 1e6,
            size(name),
            events / cpu.max(0.01) / 1e6
        );
    }
    let (reel, gz) = (size("x.reel"), size("x.scap.gz"));
    println!("the reel takes {reel:.1} MB, {:.0} % of the compressed scap", reel / gz * 100.0);
}
