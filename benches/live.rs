//! What recording costs the recorded: nanoseconds added to each call, in loops that do nothing else.
//!
//! `cargo bench --bench live` as root. Each figure is the tenth percentile of 200 batches of 5,000 calls, the median
//! of five rounds in which every recorder takes its turn, so that a drift of the machine hits all alike.
//! `SYSREEL_PEER="NAME=COMMAND"` (the loop's command line is appended) adds a peer to the round, `;` between several.
//!
//! The floor of any tracer that stamps both ends of a call here is about 125 ns (two tracepoints 56, two clocks 67).

#![allow(clippy::print_stdout, reason = "its figures go to standard output")]

#[path = "load/calls.rs"]
mod calls;

const ROUNDS: usize = 5;
const LOOPS: [&str; 5] = ["getppid", "read1", "write1", "dd1", "open"];

fn main() {
    if calls::is_loop() {
        return;
    }
    let scratch = tempfile::tempdir().expect("scratch directory");
    let recorders = calls::recorders(&scratch.path().join("bench.reel"));
    for mode in LOOPS {
        let medians = calls::each(&recorders, mode, ROUNDS);
        let mut line = format!("{mode:8} untraced {:6.1} ns", medians[0]);
        for (i, (name, _)) in recorders.iter().enumerate().skip(1) {
            line += &format!("   {name} +{:.1}", medians[i] - medians[0]);
            if i > 1 {
                line += &format!(" (sysreel/{name} {:.2})", (medians[1] - medians[0]) / (medians[i] - medians[0]));
            }
        }
        println!("{line}");
    }
}
