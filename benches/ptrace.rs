//! What recording with ptrace costs the recorded, beside strace: nanoseconds of each call, in loops that do nothing else.
//!
//! `cargo bench --bench ptrace`, as any user; needs strace. Each figure is the tenth percentile of 20 batches of 1,000
//! calls, the median of five rounds in which everybody takes a turn, so that a drift of the machine hits all alike.
//! `strace --seccomp-bpf` is asked for a call that the loops do not make: what a filter lets pass costs nothing, and
//! what becomes of it when the tracer dies is in `docs/ptrace.md`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot go on stops, and its figures go to standard output"
)]

use std::process::{Command, Stdio};
use std::time::Instant;

const BATCHES: usize = 20;
const CALLS: usize = 1_000;
const ROUNDS: usize = 5;
const LOOPS: [&str; 3] = ["getppid", "read64", "open"];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == "--loop") {
        say(&format!("{}\n", run_loop(&arguments[at + 1])));
        return;
    }
    let scratch = tempfile::tempdir().expect("scratch directory");
    let path = |name: &str| scratch.path().join(name).to_string_lossy().into_owned();
    let (reel, trace) = (path("bench.reel"), path("trace"));
    let words = |line: &[&str]| line.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let tracers = [
        ("untraced", Vec::new()),
        ("sysreel --ptrace", words(&[env!("CARGO_BIN_EXE_sysreel"), "-q", "--ptrace", "-w", &reel, "--"])),
        ("strace -f", words(&["strace", "-f", "-o", &trace])),
        ("strace --seccomp-bpf", words(&["strace", "-f", "--seccomp-bpf", "-e", "trace=reboot", "-o", &trace])),
    ];
    for mode in LOOPS {
        let mut figures = vec![Vec::new(); tracers.len()];
        for _ in 0..ROUNDS {
            for ((_, command), figures) in tracers.iter().zip(&mut figures) {
                figures.push(measure(command, &arguments[0], mode));
            }
        }
        let medians: Vec<f64> = figures.iter_mut().map(|f| median(f)).collect();
        let shown: Vec<String> =
            tracers.iter().zip(&medians).map(|((name, _), ns)| format!("{name} {ns:.0} ns")).collect();
        let ratio = (medians[1] - medians[0]) / (medians[2] - medians[0]);
        say(&format!("{mode:8} {}; sysreel/strace {ratio:.2}\n", shown.join("   ")));
    }
}

fn say(text: &str) {
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).expect("standard output");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds per call of a loop, run as the child of a tracer.
fn measure(tracer: &[String], own: &str, mode: &str) -> f64 {
    let words: Vec<&str> = tracer.iter().map(String::as_str).chain([own, "--loop", mode]).collect();
    let out = Command::new(words[0]).args(&words[1..]).stderr(Stdio::inherit()).output().expect("the command starts");
    let text = String::from_utf8_lossy(&out.stdout);
    text.lines()
        .find_map(|line| line.trim().parse().ok())
        .unwrap_or_else(|| panic!("{words:?} printed no figure: {text}"))
}

/// Tenth percentile of the batches, nanoseconds per call.
fn run_loop(mode: &str) -> f64 {
    use std::io::Read;
    let mut zero = std::fs::File::open("/dev/zero").expect("/dev/zero");
    let mut bytes = [0u8; 64];
    let mut figures: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let begun = Instant::now();
            for _ in 0..CALLS {
                match mode {
                    "getppid" => drop(std::hint::black_box(std::os::unix::process::parent_id())),
                    "read64" => drop(zero.read(&mut bytes).expect("read")),
                    _ => drop(std::fs::File::open("/etc/passwd").expect("open")),
                }
            }
            let calls = if mode == "open" { 2 * CALLS } else { CALLS };
            begun.elapsed().as_nanos() as f64 / calls as f64
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    figures[BATCHES / 10]
}
