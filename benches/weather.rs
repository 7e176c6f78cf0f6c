//! What a recorder takes from its machine: memory through a long mixed load with storms, processor time when nothing
//! happens. `cargo bench --bench weather` runs for a minute, `SYSREEL_LONG=1 cargo bench --bench weather` for a quarter of
//! an hour. Bounds: 70 MB beside the rings, and half a percent of a processor.
//!
//! Seen: 84 MB at most in a quarter of an hour of the mixed load with 33.6 MB of rings, beside compilers; 0.14 % with a sleeping
//! command. Before batches and spare buffers were bounded by bytes it was 146 MB; with threads that polled, 0.6 %.
//!
//! Memory is mostly the segment's dictionary, which storms of distinct paths fill (16 MiB, and the rows that wait to be
//! written), and what the allocator keeps: without `sys::return_freed_memory` a storm of opens took a third more.
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
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");

/// Memory of the rings, MB: the recorder's default.
const RINGS_MB: f64 = 33.6;

fn recorder(folder: &Path, options: &[&str], command: &[&str]) -> Child {
    let mut recorder = Command::new(SYSREEL);
    recorder.args(["-q", "-w"]).arg(folder.join("x.reel")).args(options);
    if !command.is_empty() {
        recorder.arg("--").args(command);
    }
    recorder.current_dir(folder).stdout(Stdio::null()).spawn().unwrap()
}

/// Resident memory of a process, MB.
fn resident(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kb: f64 = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())?;
    Some(kb * 1.024e-3)
}

/// Processor time of a process, seconds (`proc_pid_stat(5)`: fields 14 and 15, in hundredths).
fn processor(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    [11, 12].iter().map(|&i| fields[i].parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// A mixed load beside one storm after the other, for some seconds.
fn mixed(folder: &Path, seconds: u64) {
    let script = format!(
        "./load . 2 & end=$(($(date +%s) + {seconds})); while [ $(date +%s) -lt $end ]; do \
         for storm in 'forks 1000' 'execs 300' 'opens 200000' 'connections 5000' 'peers 10000' 'descriptors 10000' \
         'threads 2000' 'writes 1000000'; do ./storm $storm; done; done; touch stop; wait"
    );
    let begun = Instant::now();
    let mut recorder = recorder(folder, &[], &["bash", "-c", &script]);
    let (mut most, mut told) = (0_f64, 0);
    while recorder.try_wait().unwrap().is_none() {
        let now = resident(recorder.id()).unwrap_or(0.0);
        most = most.max(now);
        if begun.elapsed().as_secs() / 60 > told {
            told = begun.elapsed().as_secs() / 60;
            println!("minute {told}: {now:.0} MB now, {most:.0} MB at most");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let size = std::fs::metadata(folder.join("x.reel")).unwrap().len();
    println!(
        "mixed load: {most:.0} MB at most, {:.0} MB beside the rings; {:.0} s, {:.0} MB of reel",
        most - RINGS_MB,
        begun.elapsed().as_secs_f64(),
        size as f64 / 1e6
    );
    let out = Command::new(SYSREEL).args(["-r", "x.reel", "-q", "-n", "1"]).current_dir(folder).output().unwrap();
    println!("{}", String::from_utf8_lossy(&out.stderr).trim());
}

/// What recording costs while nothing happens: a command that sleeps, then the whole machine.
fn idle(folder: &Path, seconds: u64) {
    let sleep = (seconds + 5).to_string();
    for (what, command) in [("a sleeping command", vec!["sleep", sleep.as_str()]), ("the whole machine", vec![])] {
        let mut recorder = recorder(folder, &["-M", &(seconds + 5).to_string()], &command);
        // Loading the probe is no part of it.
        std::thread::sleep(Duration::from_secs(2));
        let (begun, before) = (Instant::now(), processor(recorder.id()));
        std::thread::sleep(Duration::from_secs(seconds));
        let share = (processor(recorder.id()) - before) / begun.elapsed().as_secs_f64();
        println!("idle, {what}: {:.2} % of a processor, {:.0} MB", share * 100.0, resident(recorder.id()).unwrap());
        recorder.wait().unwrap();
    }
}

fn main() {
    if !able("weather") {
        return;
    }
    let seconds = if std::env::var_os("SYSREEL_LONG").is_some() { 900 } else { 60 };
    let folder = tempfile::tempdir().unwrap();
    for name in ["load", "storm"] {
        if program("weather", name, folder.path()).is_none() {
            return;
        }
    }
    idle(folder.path(), seconds.min(60) / 2);
    mixed(folder.path(), seconds);
}
