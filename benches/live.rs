//! What recording costs the recorded: nanoseconds added to each call, in loops that do nothing else.
//!
//! `cargo bench --bench live` as root. Each figure is the tenth percentile of 200 batches of 5,000 calls, the median
//! of five rounds in which every recorder takes its turn, so that a drift of the machine hits all alike.
//! `SYSREEL_PEER="NAME=COMMAND"` (the loop's command line is appended) adds a peer to the round, `;` between several.
//!
//! The floor of any tracer that stamps both ends of a call here is about 125 ns (two tracepoints 56, two clocks 67).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a bench that cannot go on stops, and its figures go to standard output"
)]

use std::process::{Command, Stdio};
use std::time::Instant;

const BATCHES: usize = 200;
const CALLS: usize = 5_000;
const ROUNDS: usize = 5;
const LOOPS: [&str; 5] = ["getppid", "read1", "write1", "dd1", "open"];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == "--loop") {
        say(&format!("{}\n", run_loop(&arguments[at + 1])));
        return;
    }
    let own = arguments[0].clone();
    let scratch = tempfile::tempdir().expect("scratch directory");
    let reel = scratch.path().join("bench.reel");
    let mut recorders = vec![
        ("untraced".to_owned(), Vec::new()),
        (
            "sysreel".to_owned(),
            vec![
                env!("CARGO_BIN_EXE_sysreel").to_owned(),
                "-q".into(),
                "-w".into(),
                reel.to_string_lossy().into_owned(),
                "--".into(),
            ],
        ),
    ];
    for peer in std::env::var("SYSREEL_PEER").unwrap_or_default().split(';').filter(|p| !p.is_empty()) {
        let (name, command) = peer.split_once('=').expect("SYSREEL_PEER is NAME=COMMAND");
        recorders.push((name.to_owned(), command.split_whitespace().map(str::to_owned).collect()));
    }
    for mode in LOOPS {
        let mut figures = vec![Vec::new(); recorders.len()];
        for _ in 0..ROUNDS {
            for (i, (_, command)) in recorders.iter().enumerate() {
                figures[i].push(measure(command, &own, mode));
            }
        }
        let medians: Vec<f64> = figures.iter_mut().map(|f| median(f)).collect();
        let mut line = format!("{mode:8} untraced {:6.1} ns", medians[0]);
        for (i, (name, _)) in recorders.iter().enumerate().skip(1) {
            line += &format!("   {name} +{:.1}", medians[i] - medians[0]);
            if i > 1 {
                line += &format!(" (sysreel/{name} {:.2})", (medians[1] - medians[0]) / (medians[i] - medians[0]));
            }
        }
        say(&format!("{line}\n"));
    }
}

fn say(text: &str) {
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).expect("standard output");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds per call of a loop, run as the child of a recorder.
fn measure(recorder: &[String], own: &str, mode: &str) -> f64 {
    let words: Vec<&str> = recorder.iter().map(String::as_str).chain([own, "--loop", mode]).collect();
    let out = Command::new(words[0]).args(&words[1..]).stderr(Stdio::inherit()).output().expect("the command starts");
    let text = String::from_utf8_lossy(&out.stdout);
    text.lines()
        .find_map(|line| line.trim().parse().ok())
        .unwrap_or_else(|| panic!("{words:?} printed no figure: {text}"))
}

/// Tenth percentile of the batches, nanoseconds per call.
fn run_loop(mode: &str) -> f64 {
    use std::io::{Read, Write};
    use std::os::unix::process::parent_id;
    let mut zero = std::fs::File::open("/dev/zero").expect("/dev/zero");
    let mut null = std::fs::File::create("/dev/null").expect("/dev/null");
    let mut byte = [0u8; 1];
    let mut figures: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let begun = Instant::now();
            let mut calls = CALLS;
            for _ in 0..CALLS {
                match mode {
                    "getppid" => drop(std::hint::black_box(parent_id())),
                    "read1" => drop(zero.read(&mut byte).expect("read")),
                    "write1" => drop(null.write(&byte).expect("write")),
                    "dd1" => {
                        zero.read_exact(&mut byte).expect("read");
                        null.write_all(&byte).expect("write");
                    }
                    _ => drop(std::fs::File::open("/etc/passwd").expect("open")),
                }
            }
            if matches!(mode, "dd1" | "open") {
                calls *= 2;
            }
            begun.elapsed().as_nanos() as f64 / calls as f64
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    figures[BATCHES / 10]
}
