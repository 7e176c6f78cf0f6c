//! A reel that is cut or flipped anywhere: no panic, no line that the whole reel does not have, and a word about it
//! whenever a line is missing.
//!
//! The sample is recorded anew in small batches and three segments, so that damage has something to spare. One damaged
//! byte costs at most the lines of its batch, and names in the lines of its segment if it stands in the dictionary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use std::path::{Path, PathBuf};
use sysreel::engine::{self, Question, Reels, SegmentLimits};
use sysreel::field::Context;
use sysreel::query::{LinesQuery, Query, Span};
use sysreel::reel::{FrameKind, MAGIC, Reader};
use sysreel::template::Template;

const FORMAT: &str = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info";

/// Events of a batch and of a segment.
const BATCH: usize = 40;
const SEGMENT: u64 = 800;

/// Cuts and flips that are tried, spread over the file.
const CUTS: usize = 200;
const FLIPS: usize = 400;

/// A sample's events through the recorder's own pipeline again, in small batches.
fn small_batches(sample: &str) -> Vec<u8> {
    let source = Reader::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(sample)).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let limits = SegmentLimits { events: SEGMENT, ..SegmentLimits::default() };
    common::write_reel(file.path(), limits, |assembler| {
        let (mut env, mut last) = (Vec::new(), 0);
        for batch in source.snapshots(0) {
            batch.unwrap().for_each_row(|row| assembler.initial(&row.event(&mut env))).unwrap();
        }
        let mut count = 0;
        for batch in source.batches(0) {
            let mut take = |row: sysreel::batch::Row<'_>| {
                last = row.time();
                assembler.event(&row.event(&mut env)).unwrap();
                count += 1;
                if count % BATCH == 0 {
                    assembler.flush().unwrap();
                }
            };
            batch.unwrap().for_each_row(&mut take).unwrap();
        }
        assembler.finish(last).unwrap();
    });
    std::fs::read(file.path()).unwrap()
}

/// What a replay of a file said.
struct Said {
    lines: Vec<String>,
    /// Whether anything was said about damage, or the file was refused.
    told: bool,
}

fn replay(path: &Path) -> Said {
    let reels = match Reels::open(&[PathBuf::from(path)]) {
        Ok(reels) => reels,
        Err((_, error)) => {
            assert!(error.to_string().contains("help:"), "{error}");
            return Said { lines: Vec::new(), told: true };
        }
    };
    let template = Template::parse(FORMAT).unwrap();
    let lines = LinesQuery { template, json: false, header: None, internal: true, indent: None };
    let question = Question { filter: None, query: Query::Lines(lines) };
    let options = engine::Options {
        threads: std::num::NonZeroUsize::new(1),
        limit: None,
        until: None,
        ctx: Context::default(),
        span: Span::default(),
        notes: Vec::new(),
    };
    let mut out = Vec::new();
    let played = engine::play(&reels, &[question], &options, &mut out).unwrap();
    let lines = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
    Said { lines, told: !reels.notes().is_empty() || !played.damaged.is_empty() }
}

/// A damaged copy of a reel, replayed.
struct Bench {
    whole: Vec<u8>,
    lines: Vec<String>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let mut bench =
            Bench { whole: small_batches("shell.reel"), lines: Vec::new(), folder: tempfile::tempdir().unwrap() };
        let said = bench.replay(&bench.whole);
        assert!(!said.told && said.lines.len() > 1000, "the sample itself is whole");
        bench.lines = said.lines;
        bench
    }

    fn replay(&self, bytes: &[u8]) -> Said {
        let path = self.folder.path().join("damaged.reel");
        std::fs::write(&path, bytes).unwrap();
        replay(&path)
    }

    /// Checks what came out against the whole reel.
    fn check(&self, said: &Said, what: &str) -> Cost {
        let mut whole = self.lines.iter();
        let mut unknown = 0;
        for line in &said.lines {
            let number = |line: &str| line.split(' ').next().map(str::to_owned);
            let other = whole.find(|w| number(w) == number(line));
            let other = other.unwrap_or_else(|| panic!("{what}: not in the whole reel, or out of order:\n{line}"));
            unknown += usize::from(line != other);
            assert!(
                line == other || is_left_of(line, other),
                "{what}: expected what is left of\n{other}\nfound\n{line}"
            );
        }
        let cost = Cost { missing: self.lines.len() - said.lines.len(), unknown };
        assert!(cost == Cost::default() || said.told, "{what}: {cost:?}, and nothing is said about it");
        cost
    }
}

/// Lines that are gone, and lines that name something that is lost.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Cost {
    missing: usize,
    unknown: usize,
}

/// Whether a line says the same as another one, but for values whose rows of the dictionary are lost.
fn is_left_of(line: &str, whole: &str) -> bool {
    // A value that is lost, a descriptor that is, or its name, or what stood in parentheses.
    let is_left = |(word, whole): (&str, &str)| {
        let nameless = word.strip_suffix(')').is_some_and(|w| w.ends_with('>') && whole.starts_with(w));
        let unresolved = whole.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('('));
        word.contains("<NA>") || word.ends_with("(<?>)") || nameless || unresolved
    };
    line.split(' ').count() == whole.split(' ').count() && line.split(' ').zip(whole.split(' ')).all(is_left)
}

#[test]
fn a_reel_cut_anywhere_gives_the_lines_before_the_cut() {
    let bench = Bench::new();
    let mut least = 0;
    for n in 0..CUTS {
        let at = bench.whole.len() * n / CUTS;
        let said = bench.replay(&bench.whole[..at]);
        bench.check(&said, &format!("cut at {at:#x}"));
        assert!(said.lines.len() >= least, "cut at {at:#x}: fewer lines than a shorter file has");
        least = said.lines.len();
    }
    assert!(least + 2 * BATCH > bench.lines.len(), "the last cut costs the last batch");
}

#[test]
fn a_reel_cut_between_two_frames_says_that_its_end_is_missing() {
    let bench = Bench::new();
    let starts: Vec<usize> = memchr::memmem::find_iter(&bench.whole, &MAGIC).collect();
    assert!(starts.len() > 2 * bench.lines.len() / BATCH);
    for &at in &starts[1..] {
        // A segment that is closed is whole; that another one followed it can only be known from elsewhere.
        if bench.whole[at + 4] != FrameKind::Segment.code() || at == starts[1] {
            let said = bench.replay(&bench.whole[..at]);
            bench.check(&said, &format!("cut at {at:#x}"));
            assert!(said.told, "cut at {at:#x}");
        }
    }
}

#[test]
fn a_flipped_byte_costs_little_and_is_told() {
    let bench = Bench::new();
    let (mut costs, mut bytes) = (Vec::new(), bench.whole.clone());
    for n in 0..FLIPS {
        let at = bytes.len() * n / FLIPS + n % 7;
        let flip = [0x01, 0x80, 0xff, 0x20][n % 4];
        bytes[at] ^= flip;
        let said = bench.replay(&bytes);
        bytes[at] ^= flip;
        costs.push(bench.check(&said, &format!("byte {at:#x} flipped by {flip:#x}")));
    }
    let most = costs.iter().map(|c| c.missing).max();
    let mean = costs.iter().map(|c| c.missing).sum::<usize>() / costs.len();
    assert!(most <= Some(BATCH), "a flip costs {most:?} lines of {}, expected a batch at most", bench.lines.len());
    assert!(mean < BATCH, "a flip costs {mean} lines on average");
    let unknown = costs.iter().map(|c| c.unknown).max();
    assert!(unknown <= Some(SEGMENT as usize), "a flip costs names in {unknown:?} lines, expected a segment at most");
}

#[test]
fn losses_of_a_file_are_summed_up_in_one_note() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lossy.reel");
    common::write_reel(&file, SegmentLimits::default(), |assembler| {
        assembler.event(&common::event("getppid", 1_000, (10, 10), 1, &[]).event()).unwrap();
        for i in 0..300 {
            let reason = "the ring was full".to_owned();
            let lost = engine::Lost { time: 2_000 + i, cpu: (i % 2) as u16, count: 5, stage: "ring", reason };
            assembler.lost(&lost).unwrap();
        }
        assembler.finish(9_000).unwrap();
    });
    let notes = Reels::open(&[file]).unwrap().notes();
    let want = "1500 events were lost in 300 gaps between 1970-01-01 00:00:00.000002000 UTC and \
                1970-01-01 00:00:00.000002299 UTC (ring of cpu 0, ring of cpu 1)";
    assert_eq!(notes, [want]);
}
