//! Loops that do nothing but calls, run as the child of a recorder: what each call costs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on stops")]

use std::process::{Command, Stdio};
use std::time::Instant;

const BATCHES: usize = 200;
const CALLS: usize = 5_000;

/// Recorders by name, each a command that the loop's is appended to: none, ours, and those of `SYSREEL_PEER`.
pub(crate) fn recorders(reel: &std::path::Path) -> Vec<(String, Vec<String>)> {
    let ours = [env!("CARGO_BIN_EXE_sysreel"), "-q", "-w", &reel.to_string_lossy(), "--"].map(str::to_owned);
    let mut recorders = vec![("untraced".to_owned(), Vec::new()), ("sysreel".to_owned(), ours.into())];
    for peer in std::env::var("SYSREEL_PEER").unwrap_or_default().split(';').filter(|p| !p.is_empty()) {
        let (name, command) = peer.split_once('=').expect("SYSREEL_PEER is NAME=COMMAND");
        recorders.push((name.to_owned(), command.split_whitespace().map(str::to_owned).collect()));
    }
    recorders
}

/// Nanoseconds per call of a loop under each recorder: the median of rounds in which each takes its turn.
pub(crate) fn each(recorders: &[(String, Vec<String>)], mode: &str, rounds: usize) -> Vec<f64> {
    let own = std::env::args().next().unwrap();
    let mut figures = vec![Vec::new(); recorders.len()];
    for _ in 0..rounds {
        for (i, (_, command)) in recorders.iter().enumerate() {
            figures[i].push(measure(command, &own, mode));
        }
    }
    figures.iter_mut().map(|f| median(f)).collect()
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs a loop and prints its figure, if the command line asks for one.
pub(crate) fn is_loop() -> bool {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|a| a == "--loop") else { return false };
    let figure = format!("{}\n", run_loop(&arguments[at + 1]));
    std::io::Write::write_all(&mut std::io::stdout(), figure.as_bytes()).expect("standard output");
    true
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
