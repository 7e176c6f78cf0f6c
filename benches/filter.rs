//! How fast filters are, beside a row-by-row interpreter and sysdig on the same events: `cargo bench --bench filter`.
//!
//! The load is that of `replay` (see there); sysdig, where it is installed, reads the same reel exported as a scap file,
//! with `(FILTER) and evt.num=0`, so that it prints nothing. `rg`, where it is installed, searches all bytes of data of the
//! reel, put one behind the other in a file. All files are in the page cache.
//!
//! What was learnt: a finder that was made anew for each row cost an eighth of a search, and making rows most of the rest: one
//! search through all bytes of a column, whose hits are mapped to rows by its ends, is three times as fast. Descriptors are
//! asked once per batch, so a column of them is a look-up in bytes and no call. Words of 64 answers are made without a
//! branch; a column behind an index of a byte is collected, not pushed. What is left of a condition on threads is zstd and the
//! runs of threads; of one on descriptors, zstd and varints.
//!
//! A figure is calls by processor time of one process that has one thread at work: sysdig's is user and system time;
//! what it needs to read the file is *not* taken off, as ours is not.
//! Medians of [`ROUNDS`]; sysdig and the interpreter run once. `SYSREEL_BENCH_ONLY=start of a name` asks some of the
//! questions, for a profiler, and no peer; `SYSREEL_BENCH_REEL=file` keeps the reel, or takes one that is there.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

mod load;

use load::beside::{Beside, cpu, timed};
use std::io::{self, Write};
use std::path::Path;
use sysreel::engine::{Batches, Reels};
use sysreel::field::{Context, lookup};
use sysreel::filter::{Filter, Memo};
use sysreel::value::Value;

const EVENTS: u64 = 6_000_000;
const ROUNDS: usize = 5;
/// What is searched in data; some of the load's web pages have it.
const NEEDLE: &str = "Server: SimpleHTTP";

/// A filter of ours, and what says the same to sysdig 0.29, if anything does.
struct Case {
    name: &'static str,
    ours: String,
    theirs: Option<String>,
}

fn case(name: &'static str, ours: &str) -> Case {
    Case { name, ours: ours.to_owned(), theirs: Some(ours.to_owned()) }
}

/// The questions; `moment` is a time in the middle, ns UTC.
fn cases(moment: u64) -> Vec<Case> {
    let list: Vec<String> =
        (0..200).map(|n| format!("/usr/include/none/{n}.h")).chain(["/etc/passwd".to_owned()]).collect();
    vec![
        case("thread level", "proc.name=cc1 and evt.type=openat"),
        case("thread level, not by kind", "proc.name=cc1"),
        case("descriptor level", "fd.name contains /usr/include"),
        Case { theirs: Some("evt.latency>1000000".to_owned()), ..case("event level", "evt.latency > 1ms") },
        case("search in data", &format!("evt.buffer contains \"{NEEDLE}\"")),
        case("search in one parameter", &format!("evt.arg.data contains \"{NEEDLE}\"")),
        Case { theirs: None, ..case("regex on names", "fd.name regex '/usr/(include|lib)/.*[.](h|so)'") },
        case("in, 201 values", &format!("fd.name in ({})", list.join(", "))),
        case("ancestors", "proc.aname=make"),
        case(
            "compound",
            "(proc.name=cc1 or proc.name=as) and fd.type=file and evt.type in (read, openat, close) and not fd.name startswith /tmp",
        ),
        case(
            "pruned by the index",
            &format!("evt.rawtime>={moment} and evt.rawtime<{} and evt.type=openat", moment + 1_000_000),
        ),
        case("everything", "evt.num>0"),
    ]
}

/// Processor seconds of a filter, median, and how many events match. Batches are passed over as a replay does.
fn measure(reels: &Reels, filter: &Filter) -> (f64, u64) {
    let mut rounds: Vec<(u64, u64)> = (0..ROUNDS)
        .map(|_| {
            let before = cpu();
            let found = selected(reels, filter);
            (cpu() - before, found)
        })
        .collect();
    rounds.sort_unstable();
    (rounds[ROUNDS / 2].0 as f64 / 1e9, rounds[ROUNDS / 2].1)
}

/// Processor seconds of the plain meaning, event by event, and how many events match.
fn interpreted(reels: &Reels, filter: &Filter) -> (f64, u64) {
    let (before, ctx, mut found) = (cpu(), Context::default(), 0);
    for batch in (0..reels.len()).map(|i| reels.batch(i).unwrap()) {
        batch.for_each_row(|row| found += u64::from(filter.matches(&row, &ctx))).unwrap();
    }
    ((cpu() - before) as f64 / 1e9, found)
}

/// How many events match, found batch by batch.
fn selected(reels: &Reels, filter: &Filter) -> u64 {
    let (ctx, mut memo, mut found) = (Context::default(), Memo::default(), 0);
    for index in 0..reels.len() {
        if let Some(glance) = reels.glance(index)
            && let Some(head) = glance.head()
            && (!filter.may_match_head(head, &glance.schema)
                || !filter.may_match(&mut memo, head, &glance.schema, &reels.dict(index).unwrap()))
        {
            continue;
        }
        let batch = reels.batch(index).unwrap();
        found += filter.select(&mut memo, &batch, &ctx).unwrap().count(&batch).unwrap() as u64;
    }
    found
}

/// A time in the middle, ns UTC.
fn moment(reels: &Reels) -> u64 {
    let head = reels.batch(reels.len() / 2).unwrap().head().clone();
    head.min_time / 2 + head.max_time / 2
}

/// Writes all data one behind the other; its size.
fn dump(reels: &Reels, path: &Path) -> u64 {
    let field = lookup("evt.buffer").unwrap();
    let mut out = io::BufWriter::new(std::fs::File::create(path).unwrap());
    let (ctx, mut size) = (Context::default(), 0);
    for batch in (0..reels.len()).map(|i| reels.batch(i).unwrap()) {
        let each = |row: sysreel::batch::Row<'_>| {
            if let Value::Text(text) = field.value(&row, &ctx) {
                size += text.len() as u64;
                out.write_all(&text).unwrap();
            }
        };
        batch.for_each_row(each).unwrap();
    }
    out.flush().unwrap();
    size
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{v:.digits$}"))
}

fn main() {
    let beside = Beside::open(EVENTS);
    let Beside { reels, rows, .. } = &beside;
    println!("{rows} calls in {} batches; million calls/s by processor time", reels.len());
    println!("{:26} {:>9} {:>8} {:>9} {:>7} {:>6}", "filter", "matching", "sysreel", "by row", "sysdig", "ratio");
    for case in cases(moment(reels)).into_iter().filter(|case| beside.wants(case.name)) {
        let filter = Filter::parse(&case.ours).unwrap();
        let rate = |seconds: f64| *rows as f64 / seconds / 1e6;
        let (seconds, matching) = measure(reels, &filter);
        let ours = rate(seconds);
        if beside.only.is_some() {
            println!("{:26} {ours:18.1}", case.name);
            continue;
        }
        let (by_row, found) = interpreted(reels, &filter);
        assert_eq!(matching, found, "{}", case.name);
        let peer = |filter: &str| {
            let words = ["-r", beside.scap.to_str()?, &format!("({filter}) and evt.num=0")];
            timed("sysdig", &words, beside.folder.path()).map(|(seconds, _)| seconds)
        };
        let theirs = case.theirs.as_deref().and_then(peer).map(rate);
        println!(
            "{:26} {found:9} {ours:8.1} {:9.2} {:>7} {:>6}",
            case.name,
            rate(by_row),
            shown(theirs, 2),
            shown(theirs.map(|t| ours / t), 0)
        );
    }
    if beside.wants("data") {
        data(reels, *rows, beside.folder.path());
    }
}

/// The rate of a search in bytes, beside `rg`.
fn data(reels: &Reels, rows: u64, dir: &Path) {
    let path = dir.join("data");
    let size = dump(reels, &path) as f64 / 1e9;
    let (seconds, _) = measure(reels, &Filter::parse(&format!("evt.buffer contains \"{NEEDLE}\"")).unwrap());
    let rg = timed("rg", &["-a", "-c", "-j1", "-F", NEEDLE, path.to_str().unwrap()], dir).map(|(seconds, _)| seconds);
    println!(
        "{size:.2} GB of data in {rows} calls: sysreel {:.2} GB/s, rg {} GB/s",
        size / seconds,
        shown(rg.map(|s| size / s), 2)
    );
}
