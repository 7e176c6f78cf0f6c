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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use sysreel::batch::Batch;
use sysreel::engine::{self, Question, Reels, SegmentLimits};
use sysreel::event::Class;
use sysreel::query::{LinesQuery, Query};
use sysreel::reel::{FrameKind, HEADER_BYTES, MAGIC, Reader};
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
    let lines = LinesQuery { internal: true, ..LinesQuery::of(template) };
    let question = Question { filter: None, query: Query::Lines(lines) };
    let options = engine::Options { threads: std::num::NonZeroUsize::new(1), ..engine::Options::default() };
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
    // Parameters at the end that are lost are not shown at all.
    let (words, all) = (line.split(' ').count(), whole.split(' '));
    let rest_is_parameters = all.clone().skip(words).all(|word| word.contains('='));
    words <= all.clone().count() && rest_is_parameters && line.split(' ').zip(all).all(is_left)
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

/// Damages that are tried: ten thousand with `SYSREEL_LONG=1`.
const DAMAGES: u64 = 400;

/// Random numbers that are the same in every run (xorshift64*, Vigna 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end.max(1)
    }
}

/// A frame of the undamaged file, by its header alone: kind and place.
type Frame = (u8, std::ops::Range<usize>);

fn frames_of(reel: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < reel.len() {
        let length = u32::from_le_bytes(reel[at + 8..at + 12].try_into().unwrap()) as usize;
        frames.push((reel[at + 4], at..at + 100 + length));
        at += 100 + length;
    }
    frames
}

/// What was done to a file: its bytes, which frames are as they were, and where it was touched.
struct Damaged {
    what: String,
    bytes: Vec<u8>,
    intact: Vec<bool>,
    touched: Vec<std::ops::Range<usize>>,
}

fn outside(frames: &[Frame], hit: &std::ops::Range<usize>) -> Vec<bool> {
    frames.iter().map(|(_, place)| place.end <= hit.start || place.start >= hit.end).collect()
}

/// Cuts, flips, zeroes, removes, inserts, swaps or repeats something.
fn damage(whole: &[u8], frames: &[Frame], chance: &mut Chance) -> Damaged {
    let at = chance.below(whole.len());
    let length = 1 + chance.below(9_000);
    let end = (at + length).min(whole.len());
    let (one, two) = (chance.below(frames.len()), chance.below(frames.len()));
    let pieces = |order: &[usize]| order.iter().flat_map(|&i| whole[frames[i].1.clone()].to_vec()).collect::<Vec<u8>>();
    let mut order: Vec<usize> = (0..frames.len()).collect();
    let (what, bytes, intact, touched) = match chance.below(8) {
        0 => (
            format!("cut at {at:#x}"),
            whole[..at].to_vec(),
            outside(frames, &(at..whole.len())),
            std::iter::once(at..at).collect(),
        ),
        1..=3 => {
            let mut bytes = whole.to_vec();
            let mut intact = vec![true; frames.len()];
            let places: Vec<usize> = (0..=chance.below(4)).map(|_| chance.below(whole.len())).collect();
            for &place in &places {
                bytes[place] ^= 1 << chance.below(8);
            }
            for (i, (_, place)) in frames.iter().enumerate() {
                intact[i] = bytes[place.clone()] == whole[place.clone()];
            }
            let touched = places.iter().filter(|&&p| bytes[p] != whole[p]).map(|&p| p..p).collect();
            (format!("bits flipped at {places:x?}"), bytes, intact, touched)
        }
        4 => {
            let block = at / 4096 * 4096..(at / 4096 * 4096 + 4096).min(whole.len());
            let mut bytes = whole.to_vec();
            bytes[block.clone()].fill(0);
            (format!("zeros at {block:x?}"), bytes, outside(frames, &block), std::iter::once(block).collect())
        }
        5 => {
            // Where the bytes behind are like those removed, the copy differs only further on.
            let same = whole[at..].iter().zip(&whole[end..]).take_while(|(a, b)| a == b).count();
            let (at, end) = (at + same, end + same);
            let bytes = [&whole[..at], &whole[end..]].concat();
            (
                format!("{at:#x}..{end:#x} removed"),
                bytes,
                outside(frames, &(at..end)),
                std::iter::once(at..at).collect(),
            )
        }
        6 => {
            order.swap(one, two);
            let start = frames[one.min(two)].1.start;
            let touched = start..start + frames[one.max(two)].1.len();
            (format!("frames {one} and {two} swapped"), pieces(&order), vec![true; frames.len()], vec![touched])
        }
        _ => {
            order.insert(two, one);
            let touched = frames[two].1.start..frames[two].1.start + frames[one].1.len();
            (format!("frame {one} again before {two}"), pieces(&order), vec![true; frames.len()], vec![touched])
        }
    };
    Damaged { what, bytes, intact, touched }
}

/// What a batch says: its head and every value of every column.
fn values_of(batch: &Batch) -> Result<String, sysreel::batch::Error> {
    let head = batch.head();
    let mut said = format!("{head:?} {:?} {:?} {:?}", batch.time()?, batch.kind()?, batch.cpu()?);
    for (kind, rows) in head.kinds.iter().enumerate() {
        said += &format!("{:?} {:?} {:?}", batch.ret(kind)?, batch.duration(kind)?, batch.desc(kind)?);
        let count = |class| 0..batch.kind_info(kind).count(class);
        for slot in count(Class::Int) {
            said += &format!("{:?}", batch.int(kind, slot)?);
        }
        for slot in count(Class::Text) {
            said += &format!("{:?}", batch.text(kind, slot)?);
        }
        for (slot, row) in count(Class::Data).flat_map(|slot| (0..rows.rows as usize).map(move |row| (slot, row))) {
            said += &format!("{:?}", batch.data(kind, slot, row)?);
        }
    }
    Ok(said)
}

/// The batches of events and of the initial state whose every value can be read, and where their frames stand.
fn batches_of(reader: &Reader) -> Vec<(u64, String)> {
    let mut all = Vec::new();
    for (n, segment) in reader.segments().iter().enumerate() {
        let places = segment.batches.iter().chain(&segment.snapshots).map(|at| at.offset);
        let batches = reader.batches(n).chain(reader.snapshots(n));
        let values = batches.map(|batch| batch.ok().and_then(|batch| values_of(&batch).ok()));
        all.extend(places.zip(values).filter_map(|(at, said)| said.map(|said| (at, said))));
    }
    all
}

/// How often each is said.
fn counted<'a>(said: impl Iterator<Item = &'a String>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    said.for_each(|said| *counts.entry(said.as_str()).or_default() += 1);
    counts
}

/// The undamaged file, and what each frame of a batch says, by its place among the frames.
struct Original {
    whole: Vec<u8>,
    frames: Vec<Frame>,
    said: BTreeMap<usize, String>,
}

/// What all rounds came to.
#[derive(Debug, Default)]
struct Sums {
    rounds: u64,
    refused: usize,
    intact: usize,
    read: usize,
    /// Batches whose frame is damaged, but every column is as it was written.
    more: usize,
    damages: usize,
    located: usize,
}

fn read(bytes: Vec<u8>) -> Result<Reader, sysreel::reel::Error> {
    Reader::of_bytes(std::sync::Arc::new(bytes))
}

impl Original {
    fn new() -> Original {
        let whole = small_batches("shell.reel");
        let frames = frames_of(&whole);
        let mut said = BTreeMap::new();
        for (at, values) in batches_of(&read(whole.clone()).unwrap()) {
            said.insert(frames.iter().position(|(_, place)| place.start as u64 == at).unwrap(), values);
        }
        let is_batch = |(kind, _): &&Frame| [FrameKind::Batch, FrameKind::Snapshot].iter().any(|k| k.code() == *kind);
        assert_eq!(said.len(), frames.iter().filter(is_batch).count(), "every batch of the whole reel is read");
        let kinds = |kind: FrameKind| frames.iter().filter(|(k, _)| *k == kind.code()).count();
        assert!(kinds(FrameKind::Segment) > 2 && kinds(FrameKind::Index) > 2 && kinds(FrameKind::Footer) == 1);
        Original { whole, frames, said }
    }

    /// Reads a damaged copy; tells what is not as it must be.
    fn check(&self, done: Damaged, sums: &mut Sums) -> Result<(), String> {
        let intact = |n: &usize| done.intact[*n];
        let mut expected: Vec<&String> = self.said.iter().filter(|(n, _)| intact(n)).map(|(_, said)| said).collect();
        // Without any segment's start nothing tells what columns a batch has.
        let is_start = |(n, frame): (usize, &Frame)| frame.0 == FrameKind::Segment.code() && intact(&n);
        if !self.frames.iter().enumerate().any(is_start) {
            expected.clear();
        }
        sums.rounds += 1;
        sums.intact += expected.len();
        let (length, is_changed) = (done.bytes.len(), done.bytes != self.whole);
        let Ok(reader) = read(done.bytes) else {
            sums.refused += 1;
            return expected.is_empty().then_some(()).ok_or(format!("refused with {} batches", expected.len()));
        };
        let found = batches_of(&reader);
        let (found, all) = (counted(found.iter().map(|(_, said)| said)), counted(self.said.values()));
        if let Some((said, count)) = found.iter().find(|(said, count)| all.get(*said) < Some(count)) {
            return Err(format!("{count} times something that was not written: {said:.120}"));
        }
        let expected = counted(expected.into_iter());
        if let Some((said, _)) = expected.iter().find(|(said, count)| found.get(*said) < Some(count)) {
            return Err(format!("a whole batch was not read: {said:.120}"));
        }
        sums.read += expected.values().sum::<usize>();
        sums.more += found.values().sum::<usize>() - expected.values().sum::<usize>();
        let verdict = reader.verify();
        if !is_changed {
            return verdict.is_intact().then_some(()).ok_or(format!("nothing is damaged, told {:?}", verdict.damages));
        }
        sums.damages += done.touched.len();
        for touched in &done.touched {
            let near = |d: &sysreel::reel::Damage| {
                d.offset <= touched.end as u64 && touched.start as u64 <= d.offset + d.lost + HEADER_BYTES as u64
            };
            // Behind a cut between two frames there is nothing that could be damaged; but the reel lacks its end.
            let is_known = touched.start == length && !verdict.closed;
            if !is_known && !verdict.damages.iter().any(near) {
                return Err(format!("not located: {touched:x?} of {:?}", verdict.damages));
            }
            sums.located += 1;
        }
        Ok(())
    }
}

#[test]
fn every_whole_batch_is_read_whatever_is_damaged() {
    let original = Original::new();
    let rounds = if std::env::var_os("SYSREEL_LONG").is_some() { 10_000 } else { DAMAGES };
    let (mut sums, mut wrong) = (Sums::default(), Vec::new());
    let mut chance = Chance(0x5eed);
    for round in 0..rounds {
        let done = damage(&original.whole, &original.frames, &mut chance);
        let what = format!("round {round}: {}", done.what);
        wrong.extend(original.check(done, &mut sums).err().map(|error| format!("{what}: {error}")));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).map(|l| l.trim().trim_end_matches(" kB"));
    let peak: Option<u64> = peak.and_then(|kb| kb.parse().ok());
    println!("{} bytes, {} batches; {sums:?}; peak {peak:?} KiB", original.whole.len(), original.said.len());
    let first = &wrong[..wrong.len().min(20)];
    assert!(wrong.is_empty(), "{} of {rounds}:\n{}", wrong.len(), first.join("\n"));
    assert!(peak.is_none_or(|kb| kb < 256 << 10), "{peak:?} KiB");
}
