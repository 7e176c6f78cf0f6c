//! How fast questions about a reel in the page cache are answered: `cargo bench --bench replay`.
//!
//! The load is the committed samples, played again and again by several lanes at once (process ids shifted, steps of
//! time and durations stretched by chance), so that kinds, names, parameters and data are those of real builds, shells
//! and a web server. Processes are short in them (a few hundred calls), which makes more thread rows per batch than
//! most nodes have; a batch holds the same sample several times, which makes its columns smaller than most.
//!
//! What was learnt: a filter or table costs what zstd and the kind and thread columns cost (3–9 ns a row), as long as
//! rows of kinds that nobody asked about are passed over with one look at a table, and runs of threads are caught up
//! with only at wanted rows. An allocator that never gives memory back changes nothing, nor does one codegen unit. A
//! line costs 300 ns: an eighth of it is waiting for columns that no longer are in the second-level cache when rows
//! come to them, an eighth copying short texts; asking a decoded column must not be a call.
//!
//! A figure is rows by processor time of the whole process, so that it says what one core does even on a busy
//! machine; beside it stand rows by wall time. Medians of [`ROUNDS`]. `SYSREEL_BENCH_ONLY=start of a name` asks some of
//! the questions, for a profiler; `SYSREEL_BENCH_REEL=file` keeps the reel, or takes one that is there.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

mod load;

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;
use sysreel::chisel::{Library, Style};
use sysreel::engine::{Batches, Options, Question, Reels, play};
use sysreel::field::lookup;
use sysreel::filter::Filter;
use sysreel::query::{Aggregate, How, Key, LinesQuery, Order, Query, TableQuery};
use sysreel::report::Unit;
use sysreel::sys::process_usage;
use sysreel::template::Template;

const EVENTS: u64 = 6_000_000;
const ROUNDS: usize = 5;
const LINE: &str = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info";

fn chisel(name: &str, args: &[&str]) -> Question {
    let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
    let prepared = Library::default().find(name).unwrap().prepare(&args, Style::default()).unwrap();
    Question { filter: prepared.filter, query: prepared.query }
}

fn count(filter: &str) -> Question {
    let query = Query::Table(TableQuery {
        title: String::new(),
        about: String::new(),
        keys: vec![Key { name: "Event".to_owned(), field: lookup("evt.type").unwrap() }],
        values: vec![Aggregate {
            name: "Calls".to_owned(),
            unit: Unit::None,
            how: How::Count,
            field: None,
            and: Vec::new(),
            only: None,
        }],
        order: Order { column: 0, descending: true },
        top: None,
    });
    Question { filter: Some(Filter::parse(filter).unwrap()), query }
}

fn lines(json: bool) -> Question {
    let template = Template::parse(LINE).unwrap();
    Question { filter: None, query: Query::Lines(LinesQuery { json, ..LinesQuery::of(template) }) }
}

/// Million rows per second: by processor time, and by wall time.
fn measure(reels: &Reels, rows: u64, question: &[Question], threads: usize) -> (f64, f64) {
    let options = Options { threads: NonZeroUsize::new(threads), span: reels.span(), ..Options::default() };
    let cpu = || process_usage().user_ns + process_usage().system_ns;
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| {
            let (start, before) = (Instant::now(), cpu());
            let played = play(reels, question, &options, &mut io::sink()).unwrap();
            assert!(played.damaged.is_empty(), "{:?}", played.damaged.first());
            let rate = |seconds: f64| rows as f64 / seconds / 1e6;
            (rate((cpu() - before) as f64 / 1e9), rate(start.elapsed().as_secs_f64()))
        })
        .collect();
    let mut median = |pick: fn(&(f64, f64)) -> f64| {
        rounds.sort_by(|a, b| pick(a).total_cmp(&pick(b)));
        pick(&rounds[ROUNDS / 2])
    };
    (median(|r| r.0), median(|r| r.1))
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("SYSREEL_BENCH_REEL").map(PathBuf::from);
    let path = kept.unwrap_or_else(|| dir.path().join("replay.reel"));
    if !path.exists() {
        load::write(&path, EVENTS);
    }
    let begun = Instant::now();
    let reels = Reels::open(&[path]).unwrap();
    // The first batch of a segment loads its dictionary.
    let loaded = (0..reels.len()).filter(|&i| reels.batch(i).is_ok()).count();
    let opening = begun.elapsed().as_secs_f64() * 1e3;
    let rows: u64 = reels.files().flat_map(|(_, reader)| reader.segments()).map(|s| s.rows()).sum();
    let size: u64 = reels.files().map(|(_, reader)| reader.size()).sum();
    let each = size as f64 / rows as f64;
    println!("{rows} rows, {each:.2} bytes each; {loaded} batches and their dictionaries opened in {opening:.1} ms");
    let only = std::env::var("SYSREEL_BENCH_ONLY").unwrap_or_default();
    let questions = [
        ("proc.name=cc1 and evt.type=openat", count("proc.name=cc1 and evt.type=openat"), false),
        ("fdbytes_by fd.name", chisel("fdbytes_by", &["fd.name"]), true),
        ("topprocs_file", chisel("topprocs_file", &[]), false),
        ("topprocs_cpu", chisel("topprocs_cpu", &[]), false),
        ("topscalls_time", chisel("topscalls_time", &[]), false),
        ("lines", lines(false), true),
        ("JSON lines", lines(true), false),
    ];
    println!("{:36} {:>8} {:>8} {:>10}", "million rows/s", "by cpu", "by wall", "2 threads");
    for (name, question, twice) in questions.into_iter().filter(|q| q.0.starts_with(&only)) {
        let question = [question];
        let (cpu, wall) = measure(&reels, rows, &question, 1);
        let two = if twice { format!("{:.2} x", measure(&reels, rows, &question, 2).1 / wall) } else { String::new() };
        println!("{name:36} {cpu:8.1} {wall:8.1} {two:>10}");
    }
}
