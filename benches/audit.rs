//! How fast audit logs become reels, how large those are and how fast they answer, beside `jq`, `duckdb`, `zstd` and `rg`:
//! `cargo bench --bench audit [-- FILE…]` (JSON lines; several are one log).
//!
//! Without files: run2-full of the shared data, as it is and without its bodies (needs `jq`). A figure is events by processor
//! time of all threads of the process, so it is what one core does; a peer's is user and system time. Memory is the most that
//! was resident so far. All files are in the page cache, and both
//! sizes are of the same settings, those of `-w`.
//!
//! What was learnt: an event of a known form is taken apart in one pass, three times as fast as reading its JSON; objects that lists
//! repeat are found while events come in (`batch/share.rs`), so a batch reaches over ten times as many, and each begins anew.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints figures and may fail")]

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use sysreel::engine::{Batches, Reels, import_audit, open_all};
use sysreel::field::{Context, lookup};
use sysreel::filter::{Filter, Memo, Selection};
use sysreel::query::{Aggregate, How, Key, Order, Span, TableQuery};
use sysreel::reel::Writer;
use sysreel::report::Unit;
use sysreel::source::scap::Input;
use sysreel::sys::process_usage;

/// How often something is measured; the fastest counts.
const ROUNDS: usize = 3;
/// How often the log at Metadata level is repeated for questions, each time with ids and minutes of its own.
const COPIES: u32 = 16;
/// A word in values that few events have.
const WORD: &str = "xmrig";

fn main() {
    let named: Vec<PathBuf> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).map(Into::into).collect();
    let folder = tempfile::tempdir().unwrap();
    if !named.is_empty() {
        ingest("as named", &named, folder.path());
        return;
    }
    let shared = std::env::var_os("SYSREEL_SHARED").map_or_else(|| PathBuf::from("../shared"), Into::into);
    let Ok(entries) = std::fs::read_dir(shared.join("data/k8s/run2-full/log")) else {
        return println!("skipped: audit: no shared data");
    };
    let mut logs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    logs.sort();
    let (whole, meta) = (folder.path().join("whole.log"), folder.path().join("meta.log"));
    let mut out = std::fs::File::create(&whole).unwrap();
    for (_, mut input) in open_all(&logs).unwrap() {
        std::io::copy(&mut input, &mut out).unwrap();
    }
    out.flush().unwrap();
    let lines = std::fs::File::create(&meta).unwrap();
    let bare = "del(.requestObject, .responseObject) | .level = \"Metadata\"";
    let made = Command::new("jq").args(["-c", bare]).arg(&whole).stdout(lines).status();
    let has_meta = made.is_ok_and(|status| status.success());
    if has_meta {
        ingest("Metadata level", std::slice::from_ref(&meta), folder.path());
    } else {
        println!("skipped: Metadata level: no jq");
    }
    let reel = ingest("run2-full", std::slice::from_ref(&whole), folder.path());
    if has_meta {
        peers(&meta);
        questions(&meta, folder.path());
    }
    word(&whole, &reel, folder.path());
}

/// Processor time of this process so far, seconds.
fn cpu() -> f64 {
    (process_usage().user_ns + process_usage().system_ns) as f64 / 1e9
}

/// Makes a reel of a log some times, and says what the fastest took; the reel.
fn ingest(name: &str, log: &[PathBuf], folder: &Path) -> PathBuf {
    let reel = folder.join(format!("{}.reel", name.replace(' ', "-")));
    let (mut best, mut events) = (f64::MAX, 0);
    for _ in 0..ROUNDS {
        let begun = cpu();
        let create = |header: &_| Ok(Writer::create(&reel, header).unwrap());
        events = import_audit(vec![open_all(log).unwrap()], create, &mut |_, _| {}).unwrap().counts.events;
        best = best.min(cpu() - begun);
    }
    let resident = process_usage().max_resident >> 20;
    let plain: u64 = log.iter().map(|path| std::fs::metadata(path).unwrap().len()).sum();
    let stored = std::fs::metadata(&reel).unwrap().len();
    println!(
        "{name}: {events} events, {plain} bytes in {best:.2} s: {:.0} events/s, {:.1} bytes per event, at most {resident} MiB resident",
        events as f64 / best,
        stored as f64 / events as f64
    );
    let program = env!("CARGO_BIN_EXE_sysreel");
    let output = Command::new(program).args(["convert", "--to", "jsonl"]).arg(&reel).stdout(Stdio::piped()).spawn();
    let (mut ours, mut theirs) = ([0; 2], [0; 2]);
    sum(std::io::BufReader::new(output.unwrap().stdout.unwrap()), &mut ours);
    for path in log {
        sum(std::io::BufReader::new(std::fs::File::open(path).unwrap()), &mut theirs);
    }
    assert_eq!(ours, theirs, "every line comes back byte for byte");
    println!("  every line comes back byte for byte");
    reel
}

/// Adds the lines' hashes, whatever their order, and their number.
fn sum(mut lines: impl BufRead, into: &mut [u64; 2]) {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).unwrap() > 0 {
        let hash = blake3::hash(&line);
        let word = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        *into = [into[0].wrapping_add(word), into[1] + 1];
        line.clear();
    }
}

/// Processor seconds of a shell line, and its first line of output; `None` where it fails.
fn timed(line: &str) -> Option<(f64, String)> {
    let script = "set -o pipefail; TIMEFORMAT='%U %S'; time eval \"$1\"";
    let output = Command::new("bash").args(["-c", script, "time", line]).output().ok()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let both: f64 = told.lines().last()?.split_whitespace().filter_map(|word| word.parse::<f64>().ok()).sum();
    let first = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
    output.status.success().then_some((both, first))
}

/// What `jq` and `duckdb` take to count the deletes of a log.
fn peers(log: &Path) {
    let log = log.display();
    match timed(&format!("jq -c 'select(.verb == \"delete\") | .user.username' {log} | wc -l")) {
        Some((seconds, count)) => println!("  jq reads it: {count} deletes in {seconds:.2} s"),
        None => println!("  skipped: jq"),
    }
    let script = format!(
        "import duckdb; c = duckdb.connect(); c.execute(\"set threads = 1\"); print(c.execute(\"select count(*) from read_json('{log}', \
         format='newline_delimited', maximum_object_size=4000000, columns={{'verb': 'VARCHAR'}}) where verb = 'delete'\").fetchone()[0])"
    );
    let path = std::env::temp_dir().join(format!("sysreel-duckdb-{}.py", std::process::id()));
    std::fs::write(&path, script).unwrap();
    match timed(&format!("python3 {}", path.display())) {
        Some((seconds, count)) => println!("  DuckDB reads it, one thread: {count} deletes in {seconds:.2} s"),
        None => println!("  skipped: DuckDB (python3 -m pip install duckdb)"),
    }
    std::fs::remove_file(path).unwrap();
}

/// A log some times, each time with other ids and a minute later.
struct Repeated {
    plain: Vec<u8>,
    copy: u32,
    line: Vec<u8>,
    at: usize,
    given: usize,
}

impl Repeated {
    /// Makes the next line; says whether there is one.
    fn next(&mut self) -> bool {
        if self.at == self.plain.len() {
            self.copy += 1;
            self.at = 0;
        }
        let rest = &self.plain[self.at..];
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        (self.at, self.given) = (self.at + length, 0);
        self.line.clear();
        self.line.extend_from_slice(&rest[..length]);
        let copy = format!("{:04x}", self.copy);
        if let Some(id) = memchr::memmem::find(&self.line, b"\"auditID\":\"") {
            self.line[id + 11..id + 15].copy_from_slice(copy.as_bytes());
        }
        // The log has ten minutes of 21 o'clock.
        let hour = format!("{:02}", self.copy % 24);
        while let Some(at) = memchr::memmem::find(&self.line, b"T21:") {
            self.line[at + 1..at + 3].copy_from_slice(hour.as_bytes());
            if self.copy % 24 == 21 {
                break;
            }
        }
        self.copy < COPIES
    }
}

impl Read for Repeated {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.line.len() && !self.next() {
            return Ok(0);
        }
        let length = (self.line.len() - self.given).min(out.len());
        out[..length].copy_from_slice(&self.line[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

/// Questions on columns.
fn questions(meta: &Path, folder: &Path) {
    let reel = folder.join("large.reel");
    let plain = std::fs::read(meta).unwrap();
    let repeated = Repeated { plain, copy: 0, line: Vec::new(), at: 0, given: 0 };
    let input = Input::of_pipe(Vec::new(), repeated);
    let create = |header: &_| Ok(Writer::create(&reel, header).unwrap());
    let begun = cpu();
    let made = import_audit(vec![vec![("repeated".to_owned(), input)]], create, &mut |_, _| {}).unwrap();
    let events = made.counts.events;
    let seconds = cpu() - begun;
    println!("{COPIES} times the same: {events} events, {:.0} events/s with their making", events as f64 / seconds);
    let reels = Reels::open(std::slice::from_ref(&reel)).unwrap();
    for question in [
        "ka.verb = delete",
        "ka.user.name = ops-admin and ka.verb = delete",
        "ka.response.code >= 400",
        "ka.verb = delete and ka.target.resource = secrets and not ka.user.name startswith system:",
        "ka.stage = ResponseComplete",
        "ka.verb = exec",
        "ka.latency > 1s",
    ] {
        let Ok(filter) = Filter::parse(question) else {
            println!("  skipped: {question}: no such field");
            continue;
        };
        let (seconds, found) = measure(&reels, &filter);
        println!("  {:6.1} M events/s  {question} ({found} found)", events as f64 / seconds / 1e6);
    }
    for keys in [&["ka.user.name"][..], &["ka.target.namespace", "ka.verb"], &["ka.response.code"]] {
        let (seconds, groups) = fastest(|| counted(&reels, keys));
        println!(
            "  {:6.1} M events/s  counted by {} ({groups} groups)",
            events as f64 / seconds / 1e6,
            keys.join(", ")
        );
    }
}

/// Counts events by fields; how many groups there are.
fn counted(reels: &Reels, keys: &[&str]) -> u64 {
    let key = |name: &&str| Key { name: (*name).to_owned(), field: lookup(name).unwrap() };
    let count =
        Aggregate { name: String::new(), unit: Unit::None, how: How::Count, field: None, and: Vec::new(), only: None };
    let table = TableQuery {
        title: String::new(),
        about: String::new(),
        keys: keys.iter().map(key).collect(),
        values: vec![count],
        order: Order { column: 0, descending: true },
        top: None,
    };
    let (ctx, mut worker) = (Context::default(), table.worker());
    for index in 0..reels.len() {
        let batch = reels.batch(index).unwrap();
        worker.add(&batch, &Selection::all(batch.head().kinds.len()), false, &ctx).unwrap();
    }
    let report = table.finish(&[worker], Span { start: 0, end: 1 }, Vec::new());
    report.tables.iter().map(|table| table.rows.len() as u64).sum()
}

/// Processor seconds of a filter, and how many events it finds.
fn measure(reels: &Reels, filter: &Filter) -> (f64, u64) {
    fastest(|| found(reels, filter))
}

/// Processor seconds of the fastest of some rounds, and what it gave.
fn fastest(mut round: impl FnMut() -> u64) -> (f64, u64) {
    let rounds = (0..ROUNDS).map(|_| {
        let begun = cpu();
        let given = round();
        (cpu() - begun, given)
    });
    rounds.fold((f64::MAX, 0), |best, round| if round.0 < best.0 { round } else { best })
}

fn found(reels: &Reels, filter: &Filter) -> u64 {
    let (ctx, mut memo, mut found) = (Context::default(), Memo::default(), 0);
    for index in 0..reels.len() {
        let batch = reels.batch(index).unwrap();
        found += filter.select(&mut memo, &batch, &ctx).unwrap().count(&batch).unwrap() as u64;
    }
    found
}

/// A word in the bodies, beside `rg` behind `zstdcat` at three levels.
fn word(log: &Path, reel: &Path, folder: &Path) {
    let reels = Reels::open(&[reel.to_owned()]).unwrap();
    let question = format!("evt.arg.request contains {WORD} or evt.arg.response contains {WORD}");
    let (seconds, found) = measure(&reels, &Filter::parse(&question).unwrap());
    let values = format!("ka.raw contains {WORD}");
    let (raw, in_raw) = measure(&reels, &Filter::parse(&values).unwrap());
    println!(
        "{WORD}: in the bodies of {found} events in {seconds:.2} s; in the text of {in_raw} (as it is put together again) in {raw:.2} s"
    );
    for level in ["-3", "-9", "-19 --long=27"] {
        let packed = folder.join("packed.zst");
        if level.starts_with("-19") && std::env::var_os("SYSREEL_LONG").is_none() {
            println!("  skipped: zstd {level}: packing takes minutes (SYSREEL_LONG=1)");
            continue;
        }
        if timed(&format!("zstd -q -f {level} {} -o {}", log.display(), packed.display())).is_none() {
            return println!("  skipped: zstd");
        }
        let size = std::fs::metadata(&packed).unwrap().len();
        match timed(&format!("zstdcat --long=27 {} | rg -c {WORD}", packed.display())) {
            Some((seconds, lines)) => {
                println!("  zstdcat | rg, zstd {level} ({size} bytes): {lines} lines in {seconds:.2} s");
            }
            None => println!("  skipped: rg"),
        }
    }
}
