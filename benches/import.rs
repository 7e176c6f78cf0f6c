//! Reading captures of sysdig: `cargo bench --bench import` (`SYSREEL_SHARED` names the folder with the sample; without it nothing
//! is measured).
//!
//! The big sample, unpacked, is imported into a reel in memory; medians of [`ROUNDS`]. Where sysdig is installed it reads the same file
//! with `-q`. Peak memory is that of this process.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use sysreel::engine::{Error, import};
use sysreel::reel::Writer;
use sysreel::source::scap;

const ROUNDS: usize = 5;

fn median(mut of: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            of();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[ROUNDS / 2]
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn main() {
    let shared = std::env::var_os("SYSREEL_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let packed = shared.join("data/scap/big.scap.zst");
    if !packed.is_file() {
        println!("skipped: no {}", packed.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("big.scap");
    std::io::copy(&mut scap::open(&packed).unwrap(), &mut std::fs::File::create(&plain).unwrap()).unwrap();
    let size = std::fs::metadata(&plain).unwrap().len();
    let reel = folder.path().join("big.reel");
    let mut events = 0;
    let seconds = median(|| {
        let create = |header: &sysreel::reel::Header| {
            let failed = |error| Error::Write { path: reel.clone(), error };
            Writer::create(&reel, header).map_err(failed)
        };
        let imported = import(scap::open(&plain).unwrap(), create, &mut |_, _| {}).unwrap();
        events = imported.summary.counts.events;
    });
    let written = std::fs::metadata(&reel).unwrap().len();
    println!(
        "import: {:.2} M events/s ({events} events, {:.0} MB, {seconds:.3} s)",
        events as f64 / seconds / 1e6,
        size as f64 / 1e6
    );
    println!(
        "peak memory: {} KiB; reel: {written} bytes, {:.2} % of the plain capture",
        peak_kib(),
        written as f64 * 100.0 / size as f64
    );
    let sysdig = |path: &Path| {
        let mut command = Command::new("sysdig");
        command.args(["-q", "-r"]).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if sysdig(&plain) {
        let theirs = median(|| assert!(sysdig(&plain)));
        println!(
            "sysdig -q -r: {:.2} M events/s; ours is {:.2} times as fast",
            events as f64 / theirs / 1e6,
            theirs / seconds
        );
    }
}
