//! What a call costs that a recording's filter does not want, nanoseconds added to it.
//!
//! `cargo bench --bench push` as root. One loop of `getppid` under recordings with different filters, in turns; each
//! figure is the tenth percentile of 200 batches of 5,000 calls, the median of five rounds, as in `benches/live.rs`.
//! The floor is what two empty programs cost at the two tracepoints (`benches/floor.py`): nothing that sees calls
//! there can cost less.
//!
//! Tracepoints of single calls (`syscalls:sys_enter_NAME` and its exit) would cost a third of the floor for every other call: 42 ns where
//! the floor was 134 and the call alone 127. They are not used, because the kernel leaves 32-bit calls out of them
//! (`ARCH_TRACE_IGNORE_COMPAT_SYSCALLS`), those of 64-bit programs by `int $0x80` too: files could be opened and programs
//! be run that the state never hears of, and a filter would change what is true.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot go on stops, and its figures go to standard output"
)]

#[path = "load/floor.rs"]
mod floor;

use floor::Floor;
use std::process::{Command, Stdio};
use std::time::Instant;

const BATCHES: usize = 200;
const CALLS: u32 = 5_000;
const ROUNDS: usize = 5;

/// (what is measured, options and filter); the first is not recorded at all.
const FORMS: [(&str, &[&str]); 9] = [
    ("untraced", &[]),
    ("floor", &[]),
    ("recorded", &[""]),
    ("filtered behind the world", &["--no-push", "evt.type = futex"]),
    ("call set", &["evt.type = futex"]),
    ("pid", &["proc.pid = 1"]),
    ("name", &["proc.name = surely-none"]),
    ("container", &["container.id = surely-none"]),
    ("name that matches", &["proc.name = push"]),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|a| a == "--loop") {
        println!("{}", run_loop());
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let reel = scratch.path().join("bench.reel");
    let own = scratch.path().join("push");
    std::fs::copy(&arguments[0], &own).unwrap();
    let mut figures = vec![Vec::new(); FORMS.len()];
    for _ in 0..ROUNDS {
        for ((name, options), figures) in FORMS.iter().zip(&mut figures) {
            let floor = (*name == "floor").then(|| Floor::hold(&[]));
            let is_recorded = !matches!(*name, "untraced" | "floor");
            let mut command =
                Command::new(if is_recorded { env!("CARGO_BIN_EXE_sysreel").as_ref() } else { own.as_os_str() });
            if is_recorded {
                command
                    .args(["-q", "-w"])
                    .arg(&reel)
                    .args(options.iter().filter(|o| !o.is_empty()))
                    .arg("--")
                    .arg(&own);
            }
            let out = command.arg("--loop").stderr(Stdio::inherit()).output().unwrap();
            let text = String::from_utf8_lossy(&out.stdout);
            let figure: f64 = text.trim().parse().unwrap_or_else(|_| panic!("{name} printed no figure: {text}"));
            figures.push(figure);
            drop(floor);
        }
    }
    let medians: Vec<f64> = figures
        .iter_mut()
        .map(|f| {
            f.sort_by(f64::total_cmp);
            f[f.len() / 2]
        })
        .collect();
    println!("getppid untraced {:.1} ns", medians[0]);
    let (floor, whole) = (medians[1] - medians[0], medians[2] - medians[0]);
    for ((name, _), figure) in FORMS.iter().zip(&medians).skip(1) {
        let added = figure - medians[0];
        println!("{name:28} +{added:6.1} ns  {:.2} of recorded  {:.2} of the floor", added / whole, added / floor);
    }
}

/// Tenth percentile of the batches, nanoseconds per call.
fn run_loop() -> f64 {
    let mut figures: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let begun = Instant::now();
            for _ in 0..CALLS {
                std::hint::black_box(std::os::unix::process::parent_id());
            }
            begun.elapsed().as_nanos() as f64 / f64::from(CALLS)
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    figures[BATCHES / 10]
}
