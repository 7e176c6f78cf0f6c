//! How fast lines are printed, beside sysdig on the same events: `cargo bench --bench print`.
//!
//! The load is that of `replay` (see there); sysdig, where it is installed, reads the same reel exported as a scap file and
//! prints its first [`PEER_LINES`] lines (a call has two there, one of its beginning). Both write to nowhere, and all files
//! are in the page cache.
//!
//! A figure is lines by processor time of the process, reading the file included, with one thread at work; beside it how
//! much faster two threads are by wall time. Medians of [`ROUNDS`]; sysdig runs once. `SYSREEL_BENCH_ONLY=start of a name`
//! prints some of the forms, for a profiler, and asks no peer; `SYSREEL_BENCH_REEL=file` keeps the reel, or takes one that is
//! there.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

mod load;

use load::beside::{Beside, cpu, timed};
use std::fs::OpenOptions;
use std::num::NonZeroUsize;
use std::time::Instant;
use sysreel::engine::{Batches, Options, Question, Reels, play};
use sysreel::query::{LinesQuery, Query};
use sysreel::template::{DEFAULT, Form, Template};

const EVENTS: u64 = 6_000_000;
const ROUNDS: usize = 5;
/// As many lines as sysdig prints in some seconds.
const PEER_LINES: u64 = 1_500_000;
/// What people type behind `-p`.
const USUAL: &str = "*%evt.time %proc.name %proc.pid %user.name %evt.type %fd.name %evt.res";

/// A form of lines: its template, whether it is JSON, and what says the same to sysdig 0.29, if anything does.
struct Case {
    name: &'static str,
    template: Template,
    json: bool,
    theirs: Option<&'static [&'static str]>,
}

fn cases() -> Vec<Case> {
    let case = |name, text, json, theirs| Case { name, template: Template::parse(text).unwrap(), json, theirs };
    let csv = Template::parse(DEFAULT).unwrap().with_form(Form::Csv);
    vec![
        case("default lines", DEFAULT, false, Some(&[])),
        case("-p, a usual format", USUAL, false, Some(&["-p", USUAL])),
        case("JSON lines", DEFAULT, true, Some(&["-j"])),
        case("JSON of the usual format", USUAL, true, Some(&["-j", "-p", USUAL])),
        Case { name: "CSV", template: csv, json: false, theirs: None },
    ]
}

fn question(case: &Case) -> [Question; 1] {
    let lines = LinesQuery { json: case.json, ..LinesQuery::of(case.template.clone()) };
    [Question { filter: None, query: Query::Lines(lines) }]
}

/// Million lines per second by processor time and by wall time.
fn measure(reels: &Reels, case: &Case, threads: usize) -> (f64, f64) {
    let options = Options { threads: NonZeroUsize::new(threads), span: reels.span(), ..Options::default() };
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| {
            let mut nowhere = OpenOptions::new().write(true).open("/dev/null").unwrap();
            let (start, before) = (Instant::now(), cpu());
            let played = play(reels, &question(case), &options, &mut nowhere).unwrap();
            let rate = |seconds: f64| played.lines as f64 / seconds / 1e6;
            let rates = (rate((cpu() - before) as f64 / 1e9), rate(start.elapsed().as_secs_f64()));
            assert!(played.damaged.is_empty(), "{:?}", played.damaged.first());
            rates
        })
        .collect();
    let mut median = |pick: fn(&(f64, f64)) -> f64| {
        rounds.sort_by(|a, b| pick(a).total_cmp(&pick(b)));
        pick(&rounds[ROUNDS / 2])
    };
    (median(|r| r.0), median(|r| r.1))
}

/// Million lines per second of sysdig's processor time; `None` where it is not installed or refuses.
fn peer(beside: &Beside, words: &[&str]) -> Option<f64> {
    let few = PEER_LINES.to_string();
    let all = [&["-r", beside.scap.to_str()?, "-n", &few], words].concat();
    let (seconds, lines) = timed("sysdig", &all, beside.folder.path())?;
    (lines > 0).then_some(lines as f64 / seconds / 1e6)
}

fn main() {
    let beside = Beside::open(EVENTS);
    let Beside { reels, rows, .. } = &beside;
    println!("{rows} calls in {} batches; million lines/s by processor time", reels.len());
    println!("{:26} {:>8} {:>10} {:>8} {:>6}", "form", "sysreel", "2 threads", "sysdig", "ratio");
    for case in cases().iter().filter(|case| beside.wants(case.name)) {
        let (ours, wall) = measure(reels, case, 1);
        if beside.only.is_some() {
            println!("{:26} {ours:8.2}", case.name);
            continue;
        }
        let two = measure(reels, case, 2).1 / wall;
        let theirs = case.theirs.and_then(|words| peer(&beside, words));
        let (theirs, ratio) = theirs
            .map_or_else(|| ("-".to_owned(), "-".to_owned()), |t| (format!("{t:.3}"), format!("{:.1}", ours / t)));
        println!("{:26} {ours:8.2} {two:8.2} x {theirs:>8} {ratio:>6}", case.name);
    }
}
