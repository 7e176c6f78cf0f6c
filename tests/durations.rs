//! Durations that indices tell: tables by kind are the same to the nanosecond as by rows.

#![expect(clippy::unwrap_used, reason = "a test says what it expected")]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use sysreel::batch::{Builder, Columns, DurationSum, Encoded, Encoder, Schema};
use sysreel::engine::{Batches, Options, Question, Reels, play};
use sysreel::event::{Arg, Args, Event, Flags, kind_by_name};
use sysreel::field::{Context, lookup};
use sysreel::filter::Filter;
use sysreel::query::{Aggregate, How, Key, Order, Query, Span, TableQuery};
use sysreel::reel::{HEADER_BYTES, Header, MAGIC, Reader, Writer};
use sysreel::report::{Report, Unit};
use sysreel::world::{Delta, Effect, Interner, StrId, ThreadRow};

/// A filter, and the fields that tables group by.
type Asked = (Option<&'static str>, &'static [&'static str]);

/// Numbers by chance (xorshift, Marsaglia's constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % sides
    }
}

/// Calls by chance: durations of any size, unknown ones, and, with `in_flight`, calls that did not return.
fn columns(first: u64, rows: u64, in_flight: bool, dice: &mut Dice) -> Columns {
    let (mut builder, mut interner) = (Builder::new(first), Interner::new());
    let kinds = ["getppid", "close", "sched_yield"].map(|name| kind_by_name(name).unwrap());
    for n in 0..rows {
        let kind = kinds[dice.roll(3) as usize];
        let args: Args<'_> = kind.spec().params.iter().map(|_| Arg::Int(3)).collect();
        let bits = dice.roll(50);
        let duration = (dice.roll(10) > 0).then(|| dice.roll(1 << bits));
        let flags = if in_flight && dice.roll(20) == 0 { Flags::IN_FLIGHT } else { Flags::default() };
        let event = Event { kind, time: 1_000 * (first + n), duration, cpu: 0, tid: 0, pid: 0, ret: 0, flags, args };
        builder.push(&event, Effect { thread: 1, desc: 0 }, &mut interner);
    }
    builder.take(false)
}

/// A reel of some segments, some of whose batches are small, and one in each may have calls in flight; and the same without its
/// Footer, so that its frames are walked and nothing is known of a batch but itself.
fn reels(folder: &Path, seed: u64, segments: usize, in_flight: bool) -> [PathBuf; 2] {
    let paths = ["with.reel", "without.reel"].map(|name| folder.join(name));
    let (mut encoder, mut dice) = (Encoder::new(), Dice(88_172_645_463_325_252 + seed));
    let mut first = 1;
    let batches = [(2_000, false), (30, false), (1_500, false), (1_000, in_flight)].repeat(segments).into_iter();
    let batches = batches.map(|(rows, in_flight)| {
        let columns = columns(first, rows, in_flight, &mut dice);
        first += rows;
        encoder.encode(&columns, &Schema::current()).unwrap()
    });
    write(&paths[0], &batches.collect::<Vec<_>>());
    without_footer(&paths[0], &paths[1]);
    paths
}

/// A reel of segments of four batches.
fn write(path: &Path, batches: &[Encoded]) {
    let mut writer = Writer::create(path, &Header::default()).unwrap();
    for batches in batches.chunks(4) {
        writer.begin_segment(&Schema::current(), &[]).unwrap();
        let threads = vec![ThreadRow { tid: 7, pid: 7, comm: StrId(1), ..ThreadRow::default() }];
        let text =
            Delta { first_string: 1, string_lengths: vec![3], string_bytes: b"cat".to_vec(), ..Delta::default() };
        writer.dictionary(&Delta { first_thread: 1, threads, ..text }).unwrap();
        for batch in batches {
            writer.batch(batch).unwrap();
        }
    }
    writer.finish().unwrap();
}

fn without_footer(from: &Path, to: &Path) {
    let bytes = std::fs::read(from).unwrap();
    let footer = bytes.windows(MAGIC.len()).rposition(|window| window == MAGIC).unwrap();
    std::fs::write(to, &bytes[..footer]).unwrap();
}

fn table(keys: &[&str]) -> Query {
    let value = |name: &str, how, field: Option<&str>| Aggregate {
        name: name.to_owned(),
        unit: Unit::None,
        how,
        field: field.map(|name| lookup(name).unwrap()),
        and: Vec::new(),
        only: None,
    };
    let latency = |how| value("of latency", how, Some("evt.latency"));
    let only = Aggregate { only: Some(Filter::parse("evt.num < 2500").unwrap()), ..latency(How::Sum) };
    Query::Table(TableQuery {
        title: "by kind".to_owned(),
        about: String::new(),
        keys: keys.iter().map(|&key| Key { name: key.to_owned(), field: lookup(key).unwrap() }).collect(),
        values: vec![
            value("calls", How::Count, None),
            latency(How::Sum),
            latency(How::Min),
            latency(How::Max),
            latency(How::Avg),
            latency(How::Rate),
            latency(How::Share),
            latency(How::Quantile(90)),
            value("results", How::Max, Some("evt.rawres")),
            only,
        ],
        order: Order { column: 0, descending: true },
        top: None,
    })
}

/// The answer about a reel, and how many batches it had to leave out.
fn ask(path: &Path, asked: Asked, [from, until]: [u64; 2], threads: usize) -> (Report, usize) {
    let (filter, keys) = asked;
    let reels = Reels::open(&[path.to_owned()]).unwrap();
    let question = Question { filter: filter.map(|filter| Filter::parse(filter).unwrap()), query: table(keys) };
    let options = Options {
        threads: NonZeroUsize::new(threads),
        limit: None,
        until: Some(until),
        ctx: Context::default(),
        span: Span { start: from, end: 9_000_000 },
        notes: Vec::new(),
    };
    let mut played = play(&reels, &[question], &options, &mut std::io::sink()).unwrap();
    let damaged = played.damaged.len();
    let mut report = played.reports.remove(0);
    // Where a damaged batch stands is told by file.
    report.notes.clear();
    (report, damaged)
}

/// How many batches have durations that an index tells.
fn told(path: &Path) -> usize {
    let reels = Reels::open(&[path.to_owned()]).unwrap();
    (0..reels.len()).filter(|&index| reels.bare(index).unwrap().duration_sum(0).is_some()).count()
}

/// All calls, by their names.
const ALL: Asked = ASKED[0];

/// What a filter decides for whole kinds, and what it decides for rows; by kinds, by rows, and all together.
const ASKED: [Asked; 8] = [
    (None, &["evt.type"]),
    (None, &[]),
    (None, &["evt.num"]),
    (Some("evt.type != close"), &["evt.category", "evt.type"]),
    (Some("evt.category = process"), &["evt.type"]),
    (Some("syscall.type exists"), &["evt.type"]),
    (Some("evt.latency > 1us"), &["evt.type"]),
    (Some("evt.num > 2000"), &["evt.category"]),
];

#[track_caller]
fn same(with: &Path, without: &Path) {
    let all = [0, u64::MAX];
    for span in [all, [0, 3_333_000], [1_111_000, u64::MAX], [700_000, 6_000_001]] {
        for asked in ASKED {
            let by_rows = ask(without, asked, span, 1);
            assert!(!by_rows.0.tables[0].rows.is_empty(), "{asked:?} {span:?}");
            for threads in [1, 4] {
                assert_eq!(ask(with, asked, span, threads), by_rows, "{asked:?} {span:?}");
            }
        }
    }
}

#[test]
fn what_indices_tell_is_what_the_rows_come_to() {
    for seed in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let [with, without] = reels(folder.path(), seed, 2, true);
        assert!(Reader::open(&with).unwrap().verify().is_intact());
        // Of the four batches of each segment one is small and one has calls in flight.
        assert_eq!((told(&with), told(&without)), (4, 0));
        same(&with, &without);
    }
}

#[test]
fn a_reel_that_is_written_again_gives_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    // A compact reel of few frames has no indices, and its first one stands in the segment in which there are enough.
    let [with, _] = reels(folder.path(), 7, 5, false);
    let [compact, walked] = ["compact.reel", "walked.reel"].map(|name| folder.path().join(name));
    let done = Command::new(env!("CARGO_BIN_EXE_sysreel"))
        .args(["convert", "--compact"])
        .args([&with, &compact])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    without_footer(&compact, &walked);
    same(&compact, &walked);
    assert!(told(&compact) > 0);
    assert_eq!(ask(&compact, ALL, [0, u64::MAX], 1), ask(&with, ALL, [0, u64::MAX], 1));
}

#[test]
fn a_batch_that_cannot_be_read_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let [with, without] = reels(folder.path(), 9, 2, true);
    let at = Reader::open(&with).unwrap().segments()[0].batches[2].offset as usize;
    let whole = ask(&with, ALL, [0, u64::MAX], 1);
    for path in [&with, &without] {
        // In its directory.
        let mut bytes = std::fs::read(path).unwrap();
        bytes[at + HEADER_BYTES + 20] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    let found = ask(&with, ALL, [0, u64::MAX], 1);
    assert_eq!(found, ask(&without, ALL, [0, u64::MAX], 1));
    assert_eq!((found.1, found.0.tables[0].rows == whole.0.tables[0].rows), (1, false));
}

#[test]
fn what_an_index_tells_wrongly_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lies.reel");
    let schema = Schema::current();
    let mut dice = Dice(1);
    let mut encode = |in_flight| Encoder::new().encode(&columns(1, 2_000, in_flight, &mut dice), &schema).unwrap();
    let (true_one, in_flight) = (encode(false), encode(true));
    assert_eq!((true_one.durations.len(), in_flight.durations.len()), (3, 0));
    write(&path, std::slice::from_ref(&true_one));
    assert!(Reader::open(&path).unwrap().verify().is_intact());
    let lie = |change: &dyn Fn(&mut Vec<DurationSum>)| {
        let mut durations = true_one.durations.clone();
        change(&mut durations);
        Encoded { durations, ..true_one.clone() }
    };
    let lies = [
        (lie(&|sums| sums[1].sum ^= 1), 1),
        (lie(&|sums| sums[0].max += 1), 1),
        (lie(&|sums| sums[2].count -= 1), 1),
        // What no such batch can have is not believed.
        (lie(&|sums| sums[0].count = 2_001), 0),
        (lie(&|sums| sums[0].max = u64::MAX), 0),
        (lie(&|sums| sums.truncate(2)), 0),
        (lie(&|sums| sums.push(sums[0])), 0),
        // Whether calls are in flight only their flags tell.
        (Encoded { durations: true_one.durations.clone(), ..in_flight }, 1),
    ];
    for (n, (batch, believed)) in lies.into_iter().enumerate() {
        write(&path, &[batch]);
        let verdict = Reader::open(&path).unwrap().verify();
        assert!(verdict.damages.iter().any(|d| d.to_string().contains("durations of frame")), "{n}: {verdict:?}");
        assert_eq!(told(&path), believed, "{n}");
    }
}
