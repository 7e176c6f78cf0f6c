//! What rosters rule out: answers are the same as without them, and the dictionaries of segments that a process is not in
//! are not read.

#![expect(clippy::unwrap_used, reason = "a test says what it expected")]

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use sysreel::batch::{Batch, Builder, Columns, Encoder, Schema};
use sysreel::engine::{Batches, Glance, Options, Question, Reels, SegmentGlance, play};
use sysreel::event::{Arg, Args, Event, Flags, kind_by_name};
use sysreel::filter::Filter;
use sysreel::query::{LinesQuery, Query};
use sysreel::reel::{Header, MAGIC, Reader, Writer};
use sysreel::template::Template;
use sysreel::world::{Delta, Dict, Effect, Interner, LateFact, LateValue, StrId, ThreadRow};

const SEGMENTS: u32 = 5;
/// Threads of a segment: so many that its dictionary is worth passing over.
const THREADS: u32 = 4_000;
/// Rows that events are of.
const SEEN: u32 = 300;
/// The thread whose name came late, in the third segment.
const LATE: u32 = 77;

/// Numbers by chance (xorshift, Marsaglia's constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32 % sides
    }
}

/// The threads of a segment, in two frames, of which the second has names of the first: three in a process, called
/// `app-SEGMENT` or `common`, or by a name that nobody else has.
fn deltas(segment: u32, dice: &mut Dice) -> [Delta; 2] {
    let unique = |n: u32| format!("u{segment}-{n:x}");
    let mut texts =
        vec![format!("app-{segment}"), "common".to_owned(), "/usr/bin/a-program-with-a-long-name".to_owned()];
    texts.extend((0..THREADS / 2).map(unique));
    let thread = |n: u32, dice: &mut Dice| {
        let comm = match dice.roll(4) {
            0 => 1,
            1 => 2,
            2 => 0,
            _ => 4 + dice.roll(THREADS / 2),
        };
        let pid = segment * 100_000 + 1 + n / 3 * 3;
        let (uid, start) = (dice.roll(u32::MAX), u64::from(dice.roll(u32::MAX)));
        ThreadRow { tid: pid + n % 3, pid, comm: StrId(comm), uid, start, ..ThreadRow::default() }
    };
    let first = Delta {
        first_string: 1,
        string_lengths: texts.iter().map(|t| t.len() as u32).collect(),
        string_bytes: texts.concat().into_bytes(),
        first_thread: 1,
        threads: (0..THREADS / 2).map(|n| thread(n, dice)).collect(),
        ..Delta::default()
    };
    let threads = (THREADS / 2..THREADS).map(|n| thread(n, dice)).collect();
    let second = Delta { first_thread: 1 + THREADS / 2, threads, ..Delta::default() };
    [first, second]
}

/// A batch of calls of threads by chance.
fn columns(first: u64, rows: u64, dice: &mut Dice) -> Columns {
    let (mut builder, mut interner) = (Builder::new(first), Interner::new());
    let kinds = ["getppid", "close", "sched_yield"].map(|name| kind_by_name(name).unwrap());
    for n in 0..rows {
        let kind = kinds[dice.roll(3) as usize];
        let args: Args<'_> = kind.spec().params.iter().map(|_| Arg::Int(3)).collect();
        let (time, flags) = (1_000 * (first + n), Flags::default());
        let event = Event { kind, time, duration: Some(10), cpu: 0, tid: 0, pid: 0, ret: 0, flags, args };
        builder.push(&event, Effect { thread: dice.roll(SEEN), desc: 0 }, &mut interner);
    }
    builder.take(false)
}

/// A reel of segments without a process in common, and the same one without its Footer, so that its frames are walked and
/// no roster is asked.
fn reels() -> &'static [PathBuf; 2] {
    static MADE: LazyLock<(tempfile::TempDir, [PathBuf; 2])> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["with.reel", "without.reel"].map(|name| folder.path().join(name));
        let (schema, mut encoder, mut dice) = (Schema::current(), Encoder::new(), Dice(88_172_645_463_325_252));
        let mut writer = Writer::create(&paths[0], &Header::default()).unwrap();
        for segment in 1..=SEGMENTS {
            writer.begin_segment(&schema, &[]).unwrap();
            for delta in deltas(segment, &mut dice) {
                writer.dictionary(&delta).unwrap();
            }
            for batch in 0..3u64 {
                let first = 1 + 500 * (3 * u64::from(segment - 1) + batch);
                writer.batch(&encoder.encode(&columns(first, 500, &mut dice), &schema).unwrap()).unwrap();
            }
        }
        let values = vec![("comm".to_owned(), LateValue::Bytes(b"came-late".to_vec()))];
        writer.late(&[LateFact { kind: "snap_thread".to_owned(), back: SEGMENTS - 3, id: LATE, values }]).unwrap();
        writer.finish().unwrap();
        let bytes = std::fs::read(&paths[0]).unwrap();
        let footer = bytes.windows(MAGIC.len()).rposition(|window| window == MAGIC).unwrap();
        std::fs::write(&paths[1], &bytes[..footer]).unwrap();
        (folder, paths)
    });
    &MADE.1
}

/// Reels of which it is noted of which segments (by first batch) the dictionary is read.
struct Noted {
    reels: Reels,
    read: Mutex<BTreeSet<usize>>,
}

impl Noted {
    fn note(&self, index: usize) {
        self.read.lock().unwrap().insert(index / 3);
    }
}

impl Batches for Noted {
    fn len(&self) -> usize {
        self.reels.len()
    }

    fn batch(&self, index: usize) -> Result<Batch, String> {
        self.note(index);
        self.reels.batch(index)
    }

    fn place(&self, index: usize) -> String {
        self.reels.place(index)
    }

    fn glance(&self, index: usize) -> Option<Glance> {
        self.reels.glance(index)
    }

    fn glance_segment(&self, index: usize) -> Option<SegmentGlance> {
        self.reels.glance_segment(index)
    }

    fn dict(&self, index: usize) -> Result<Arc<Dict>, String> {
        self.note(index);
        Batches::dict(&self.reels, index)
    }

    fn counts_in_flight(&self, index: usize) -> bool {
        self.reels.counts_in_flight(index)
    }
}

/// Numbers of the events that match, and the segments whose dictionaries were read, from 1.
fn ask(path: &Path, filter: &str, threads: usize) -> (String, Vec<usize>) {
    let noted = Noted { reels: Reels::open(&[path.to_owned()]).unwrap(), read: Mutex::default() };
    let lines = LinesQuery { internal: true, ..LinesQuery::of(Template::parse("%evt.num %proc.name").unwrap()) };
    let question = Question { filter: Some(Filter::parse(filter).unwrap()), query: Query::Lines(lines) };
    let options = Options { threads: NonZeroUsize::new(threads), ..Options::default() };
    let mut out = Vec::new();
    play(&noted, &[question], &options, &mut out).unwrap();
    let read = noted.read.into_inner().unwrap().into_iter().map(|segment| segment + 1).collect();
    (String::from_utf8(out).unwrap(), read)
}

#[test]
fn only_dictionaries_of_segments_that_may_have_the_process_are_read() {
    let [with, without] = reels();
    assert!(Reader::open(with).unwrap().verify().is_intact());
    for (filter, segments) in [
        ("proc.name = app-2", &[2][..]),
        ("proc.name in (app-1, app-4, nobody)", &[1, 4]),
        ("proc.name startswith app-", &[1, 2, 3, 4, 5]),
        ("proc.name = nobody", &[]),
        ("proc.name = came-late", &[3]),
        ("proc.pid = 300004", &[3]),
        ("thread.tid in (100002, 500003)", &[1, 5]),
        ("proc.pid > 400000 and proc.name = common", &[4, 5]),
        ("proc.pid = 300004 and proc.name = nobody", &[]),
        ("proc.pid = 300004 and proc.exe = nothing", &[3]),
        ("proc.pid = 300004 and evt.type = close", &[3]),
        ("proc.pid = 300004 and evt.type = openat", &[]),
        ("proc.pid = 300004 or proc.name = app-1", &[1, 3]),
        ("not proc.pid > 200000", &[1, 2, 3, 4, 5]),
        ("not proc.pid > 200000 and proc.pid exists", &[1]),
        ("proc.pid = 300004 and evt.rawtime < 1000", &[]),
        ("toupper(proc.name) = APP-5", &[5]),
        ("proc.vpid = 1", &[1, 2, 3, 4, 5]),
        ("evt.type = close", &[1, 2, 3, 4, 5]),
    ] {
        let (found, read) = ask(with, filter, 1);
        let (all, _) = ask(without, filter, 1);
        assert_eq!((found, read), (all, segments.to_vec()), "{filter}");
    }
    assert!(!ask(with, "proc.name = came-late or proc.pid = 300004", 1).0.is_empty());
}

/// A condition on one field.
fn check() -> impl Strategy<Value = String> {
    let name = (1..=SEGMENTS + 1, 0..THREADS).prop_flat_map(|(segment, n)| {
        prop_oneof![
            Just(format!("app-{segment}")),
            Just(format!("u{segment}-{n:x}")),
            Just("common".to_owned()),
            Just("came-late".to_owned())
        ]
    });
    let by_name = (name.clone(), name, 0usize..6).prop_map(|(a, b, form)| match form {
        0 => format!("proc.name = {a}"),
        1 => format!("proc.name != {a}"),
        2 => format!("proc.name in ({a}, {b})"),
        3 => format!("proc.name startswith {}", &a[..3]),
        4 => format!("proc.name contains {}", &b[1..]),
        _ => "proc.name exists".to_owned(),
    });
    let by_id = (1..=SEGMENTS, 0..SEEN + 10, 0usize..6).prop_map(|(segment, n, form)| {
        let field = ["proc.pid", "thread.tid"][form % 2];
        let op = ["=", "<", ">="][form / 2];
        format!("{field} {op} {}", segment * 100_000 + n)
    });
    let other =
        prop_oneof![Just("evt.type = close"), Just("user.uid > 1000"), Just("fd.num = 3"), Just("evt.num < 2000")];
    prop_oneof![3 => by_name, 3 => by_id, 1 => other.prop_map(str::to_owned)]
}

fn filter() -> impl Strategy<Value = String> {
    check().prop_recursive(3, 8, 3, |part| {
        prop_oneof![
            prop::collection::vec(part.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(part.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            part.prop_map(|part| format!("not ({part})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_roster_changes_no_answer(filter in filter(), threads in 1usize..3) {
        let [with, without] = reels();
        let (found, _) = ask(with, &filter, threads);
        prop_assert_eq!(found, ask(without, &filter, 1).0, "{}", filter);
    }
}

#[test]
fn a_roster_that_tells_of_other_threads_is_no_intact_reel() {
    let [with, _] = reels();
    let reader = Reader::open(with).unwrap();
    for segment in 0..SEGMENTS as usize {
        let (roster, dict) = (reader.roster(segment).unwrap(), reader.dict(segment).unwrap());
        assert!(roster.agrees_with(&dict));
        assert!(!roster.agrees_with(&reader.dict((segment + 1) % SEGMENTS as usize).unwrap()));
    }
}
