//! What an index saves: opening a reel of thousands of batches, and questions that few of them answer:
//! `cargo bench --bench open`.
//!
//! The reel is a committed sample, its batches written again and again with new numbers and times, 60 to a segment; one
//! batch in the middle belongs to a thread named `rare`. Beside it stands the same reel without its Footer, which readers
//! walk. Medians of [`ROUNDS`]; cold figures drop the file from the page cache before each round.
//! `SYSREEL_BENCH_BATCHES=n` makes another number of batches.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use sysreel::batch::{Columns, Encoder, Schema};
use sysreel::engine::{Assembler, Options, Piece, Question, Reels, SegmentLimits, play};
use sysreel::event::OwnedEvent;
use sysreel::filter::Filter;
use sysreel::query::{LinesQuery, Query};
use sysreel::reel::{Error, Header, Reader, Writer};
use sysreel::template::Template;
use sysreel::world::{Delta, StrId, ThreadRow};

const ROUNDS: usize = 5;
const PER_SEGMENT: usize = 60;

/// The pieces of a sample as one segment.
fn pieces() -> Vec<Piece> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/build.reel");
    let reader = Reader::open(&path).unwrap();
    let all = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&all);
    let keep = move |piece: Piece| -> Result<(), Error> {
        sink.lock().unwrap().push(piece);
        Ok(())
    };
    let mut assembler = Assembler::new(SegmentLimits::default(), Box::new(keep));
    let (mut env, mut last) = (Vec::new(), 0);
    for batch in reader.snapshots(0) {
        batch.unwrap().for_each_row(|row| assembler.initial(&row.event(&mut env))).unwrap();
    }
    for batch in reader.batches(0) {
        let mut take = |row: sysreel::batch::Row<'_>| {
            last = row.time();
            assembler.event(&OwnedEvent::of(&row.event(&mut env)).event()).unwrap();
        };
        batch.unwrap().for_each_row(&mut take).unwrap();
    }
    assembler.finish(last).unwrap();
    drop(assembler);
    Arc::into_inner(all).unwrap().into_inner().unwrap()
}

/// Writes the batches of a sample again and again; returns the time of the one that is rare.
fn write(path: &Path, wanted: usize) -> u64 {
    let schema = Schema::current();
    let (mut deltas, mut batches) = (Vec::new(), Vec::<Columns>::new());
    for piece in pieces() {
        match piece {
            Piece::Rows(delta) => deltas.push(delta),
            Piece::Batch(columns) if !columns.snapshot => batches.push(columns),
            _ => {}
        }
    }
    let strings = 1 + deltas.iter().map(|d| d.string_lengths.len() as u32).sum::<u32>();
    let threads = 1 + deltas.iter().map(|d| d.threads.len() as u32).sum::<u32>();
    let row = ThreadRow { tid: 7, pid: 7, comm: StrId(strings), ..ThreadRow::default() };
    deltas.push(Delta {
        first_string: strings,
        string_lengths: vec![4],
        string_bytes: b"rare".to_vec(),
        first_thread: threads,
        threads: vec![row],
        ..Delta::default()
    });
    let span = batches.last().unwrap().time.iter().max().unwrap() - batches[0].time[0] + 1;
    let mut writer = Writer::create(path, &Header { host: "bench".to_owned(), ..Header::default() }).unwrap();
    let mut encoder = Encoder::new();
    let (mut next, mut rare) = (1, 0);
    for n in 0..wanted {
        if n % PER_SEGMENT == 0 {
            writer.begin_segment(&schema, &[]).unwrap();
            for delta in &deltas {
                writer.dictionary(delta).unwrap();
            }
        }
        let mut columns = batches[n % batches.len()].clone();
        columns.first_num = next;
        next += columns.rows() as u64;
        columns.time.iter_mut().for_each(|t| *t += span * (n / batches.len()) as u64);
        if n == wanted / 2 {
            columns.thread.fill(threads);
            rare = columns.time[0];
        }
        writer.batch(&encoder.encode(&columns, &schema).unwrap()).unwrap();
    }
    writer.finish().unwrap();
    rare
}

/// Drops a file from the page cache.
fn forget(path: &Path) {
    let of = format!("of={}", path.display());
    let done =
        Command::new("dd").args([&of, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"]).status();
    assert!(done.unwrap().success());
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn measure(path: &Path, cold: bool, mut run: impl FnMut()) -> Duration {
    let mut round = || {
        if cold {
            forget(path);
        }
        let start = Instant::now();
        run();
        start.elapsed()
    };
    round();
    median((0..ROUNDS).map(|_| round()).collect())
}

/// Opens a reel and asks for lines; returns how many there were.
fn ask(paths: &[PathBuf], filter: &str) -> u64 {
    let reels = Reels::open(paths).map_err(|(_, e)| e).unwrap();
    let lines = LinesQuery { internal: true, ..LinesQuery::of(Template::parse("%evt.num").unwrap()) };
    let question = Question { filter: Some(Filter::parse(filter).unwrap()), query: Query::Lines(lines) };
    let options = Options { threads: NonZeroUsize::new(1), span: reels.span(), ..Options::default() };
    play(&reels, &[question], &options, &mut std::io::sink()).unwrap().lines
}

fn main() {
    let wanted = std::env::var("SYSREEL_BENCH_BATCHES").ok().and_then(|n| n.parse().ok()).unwrap_or(6_000);
    let folder = tempfile::tempdir().unwrap();
    let (indexed, walked) = (folder.path().join("indexed.reel"), folder.path().join("walked.reel"));
    let rare = write(&indexed, wanted);
    std::fs::copy(&indexed, &walked).unwrap();
    let file = std::fs::File::options().write(true).open(&walked).unwrap();
    let bytes = std::fs::read(&indexed).unwrap();
    let footer = memchr::memmem::rfind(&bytes, &sysreel::reel::MAGIC).unwrap();
    file.set_len(footer as u64).unwrap();
    drop(bytes);
    let reader = Reader::open(&indexed).unwrap();
    assert!(reader.is_indexed() && !Reader::open(&walked).unwrap().is_indexed());
    let rows: u64 = reader.segments().iter().map(sysreel::reel::SegmentInfo::rows).sum();
    println!("{wanted} batches, {rows} rows, {} MB", reader.size() / 1_000_000);
    drop(reader);
    let [indexed_is, walked_is, ratio] = ["indexed", "walked", "ratio"];
    println!("{:34} {indexed_is:>12} {walked_is:>12} {ratio:>8}", String::new());
    let window = format!("evt.rawtime >= {rare} and evt.rawtime < {}", rare + 1_000_000);
    for cold in [false, true] {
        let state = if cold { "cold" } else { "warm" };
        let report = |what: &str, run: &dyn Fn(&PathBuf)| {
            let [a, b] = [&indexed, &walked].map(|path| measure(path, cold, || run(path)));
            let name = format!("{what}, {state}");
            println!("{name:34} {a:>12.2?} {b:>12.2?} {:>8.1}", b.as_secs_f64() / a.as_secs_f64());
        };
        report("open", &|path| drop(Reader::open(path).unwrap()));
        report("a millisecond of evt.rawtime", &|path| assert!(ask(std::slice::from_ref(path), &window) > 0));
        report("proc.name = rare", &|path| assert!(ask(std::slice::from_ref(path), "proc.name = rare") > 0));
    }
}
