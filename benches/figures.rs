//! The figures that the project is held to, in one table: `cargo bench --bench figures`, as root, some ten minutes.
//!
//! A row says what must be reached, what is aimed for, and what was measured here; ratios are of both sides in one run.
//! What is recorded is the mixed load of `load/mixed.sh` and the storms; what is asked is that recording, again and again,
//! until it has `SYSREEL_BENCH_EVENTS` events (50 million unless said). Rates are by processor time of one thread, so that
//! they say what one core does even on a busy machine; two cores and opening are by wall time. Medians of five.
//! Peers are measured where they are there: `sysdig`, the prototype by `SYSREEL_PEER=prototype=COMMAND` (see `live`), the
//! big sample by `SYSREEL_SHARED`. `SYSREEL_BENCH_ONLY=record|ask` measures one half; `SYSREEL_BENCH_REEL=file` keeps the
//! reel, or takes one that is there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops when it cannot go on"
)]

#[path = "load/calls.rs"]
mod calls;
#[path = "../tests/common/mod.rs"]
mod common;
#[path = "load/floor.rs"]
mod floor;
mod load;
#[path = "load/record.rs"]
mod record;

use common::live::{able, program};
use floor::Floor;
use record::{RINGS_MB, Recording, STORMS};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use sysreel::engine::{Batches, Reels};
use sysreel::field::{Context, FieldRef};
use sysreel::filter::{Filter, Memo};
use sysreel::sys::{keep_freed_memory, process_usage};

const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");
const ROUNDS: usize = 5;
/// Events of the reel that is asked for lines.
const FEW: u64 = 3_000_000;

/// Which side of a bound is good.
#[derive(Clone, Copy)]
enum Bound {
    Most(f64, f64),
    Least(f64, f64),
}

use Bound::{Least, Most};

/// Prints a row; `None`: could not be measured here.
fn row(work: &str, unit: &str, bound: Bound, measured: Option<f64>) {
    let (sign, must, aim) = match bound {
        Most(must, aim) => ("≤", must, aim),
        Least(must, aim) => ("≥", must, aim),
    };
    let is_within = |limit: f64, found: f64| if matches!(bound, Most(..)) { found <= limit } else { found >= limit };
    let verdict = match measured {
        None => "not measured",
        Some(found) if is_within(aim, found) => "ok, aim",
        Some(found) if is_within(must, found) => "ok",
        Some(_) => "MISSED",
    };
    let number = |n: f64| if n < 10.0 { format!("{n:.2}") } else { format!("{n:.1}") };
    let found = measured.map_or("-".to_owned(), number);
    println!("{work:56} {sign} {:>6} {:>6} {found:>8} {unit:18} {verdict}", number(must), number(aim));
}

/// The live half: what recording costs.
fn recording(folder: &Path) -> Option<Recording> {
    let recorders = calls::recorders(&folder.join("bench.reel"));
    for (mode, work) in
        [("getppid", "added cost per call: getppid"), ("dd1", "added cost per call: read, write, 1 byte")]
    {
        let medians = calls::each(&recorders, mode, 3);
        let ratio = medians.get(2).map(|peer| (medians[1] - medians[0]) / (peer - medians[0]));
        println!("  {mode}: {:.0} ns untraced, {:.0} added", medians[0], medians[1] - medians[0]);
        row(work, "x the prototype", Most(1.1, 1.0), ratio);
    }
    program("figures", "storm", folder)?;
    slowed(folder);
    let mixed = record::mixed(folder, 2);
    let [all, drain, build, encode, write] = mixed.cpu;
    println!(
        "  mixed: {} events, {} lost; drain {drain}, build {build}, encode {encode}, write {write} ns",
        mixed.events, mixed.lost
    );
    row("recorder's processor time per event", "ns", Most(200.0, 150.0), Some(all));
    row("  of it on the capture (drain) thread", "ns", Most(90.0, 60.0), Some(drain));
    row("bytes per call, durations and data, snap length 80", "B", Most(7.4, 6.0), Some(mixed.bytes / mixed.events));
    row("memory beside the rings, mixed load", "MB", Most(70.0, 40.0), Some(mixed.peak - RINGS_MB));
    for (name, [kind, count]) in STORMS {
        let storm = record::record(folder, "storm", &["./storm", kind, count]);
        row(
            &format!("  {name} ({:.1} M events, {} lost)", storm.events / 1e6, storm.lost),
            "MB",
            Most(70.0, 40.0),
            Some(storm.peak - RINGS_MB),
        );
    }
    Some(mixed)
}

/// How much slower `dd bs=1` is while it is recorded, by its processor time: others on the machine do not count.
/// Beside it what that can be at best: with programs at the tracepoints that do nothing, that only read the clock, and that keep what a record is made of.
fn slowed(folder: &Path) {
    let ratio_to_plain = |held: &dyn Fn() -> Option<Floor>, is_recorded| {
        let mut ratios: Vec<f64> = (0..3)
            .map(|_| {
                let plain = dd(folder, false);
                let _floor = held();
                dd(folder, is_recorded) / plain
            })
            .collect();
        calls::median(&mut ratios)
    };
    for (name, options) in
        [("do nothing", &[][..]), ("read the clock", &["clock"]), ("keep a record in one place", &["record"])]
    {
        let floor = ratio_to_plain(&|| Some(Floor::hold(options)), false);
        println!("  dd bs=1 under two programs that {name}: {floor:.2} x");
    }
    let slowed = ratio_to_plain(&|| None, true);
    row("slow-down of dd bs=1, recorded compressed, none lost", "x", Most(2.4, 2.0), Some(slowed));
}

/// Processor seconds of `dd bs=1`: of the loop alone, the recorder's start is no part of it.
fn dd(folder: &Path, is_recorded: bool) -> f64 {
    let words = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=2000000", "status=none"];
    let script = "TIMEFORMAT='%U %S'; time \"$@\" 2> /dev/null";
    let told = folder.join("dd.time");
    let timed = ["bash", "-c", &format!("{{ {script}; }} 2> {}", told.display()), "time"];
    if is_recorded {
        let all: Vec<&str> = timed.into_iter().chain(words).collect();
        let recording = record::record(folder, "dd", &all);
        assert!(recording.lost == 0.0, "{} events lost", recording.lost);
    } else {
        Command::new(timed[0]).args(&timed[1..]).args(words).status().unwrap();
    }
    let told = std::fs::read_to_string(told).unwrap();
    told.split_whitespace().map(|part| part.parse::<f64>().unwrap()).sum()
}

fn cpu() -> u64 {
    process_usage().user_ns + process_usage().system_ns
}

/// Processor seconds and wall seconds of a command whose output nobody reads; the median of some runs.
fn command(words: &[&str], runs: usize) -> Option<(f64, f64)> {
    let script = "TIMEFORMAT='%U %S %R'; time \"$@\" > /dev/null 2>&1";
    let mut times: Vec<(f64, f64)> = (0..runs)
        .map(|_| {
            let out = Command::new("bash").args(["-c", script, "time"]).args(words).output().unwrap();
            let told = String::from_utf8_lossy(&out.stderr).into_owned();
            let parts: Vec<f64> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            (out.status.success() && parts.len() == 3).then(|| (parts[0] + parts[1], parts[2]))
        })
        .collect::<Option<_>>()?;
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(times[times.len() / 2])
}

/// Rows that match, found batch by batch as a replay does.
fn selected(reels: &Reels, filter: &Filter) -> u64 {
    let (ctx, mut memo, mut found) = (Context::default(), Memo::default(), 0);
    let needs_dict = filter.fields().into_iter().any(FieldRef::needs_dict);
    for index in 0..reels.len() {
        if let Some(glance) = reels.glance(index)
            && let Some(head) = &glance.heads[glance.at]
            && (!filter.may_match_head(head, &glance.schema)
                || needs_dict && !filter.may_match(&mut memo, head, &glance.schema, &reels.dict(index).unwrap()))
        {
            continue;
        }
        let batch = if needs_dict { reels.batch(index) } else { reels.bare(index) }.unwrap();
        found += filter.select(&mut memo, &batch, &ctx).unwrap().count(&batch).unwrap() as u64;
    }
    found
}

fn filters(reels: &Reels, rows: u64) {
    // As a replay does.
    keep_freed_memory();
    let list: Vec<String> = (0..200).map(|n| format!("/usr/include/none/{n}.h")).collect();
    let inside = format!("fd.name in ({}, /etc/passwd)", list.join(", "));
    let questions = [
        (
            "filter: proc.name = postgres and evt.type = recvfrom",
            "proc.name = postgres and evt.type = recvfrom",
            Least(300.0, 400.0),
        ),
        ("filter: fd.name contains /usr/include", "fd.name contains /usr/include", Least(150.0, 300.0)),
        ("filter: fd.name in 201 values", &inside, Least(150.0, 300.0)),
        ("filter: proc.aname = make", "proc.aname = make", Least(150.0, 300.0)),
        ("filter: regex on fd.name", "fd.name regex '/usr/(include|lib)/.*[.](h|so)'", Least(150.0, 300.0)),
        ("search in data: evt.buffer contains", "evt.buffer contains \"Server: SimpleHTTP\"", Least(150.0, 250.0)),
    ];
    for (work, text, bound) in questions {
        let filter = Filter::parse(text).unwrap();
        let mut rates: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let before = cpu();
                std::hint::black_box(selected(reels, &filter));
                rows as f64 / (cpu() - before) as f64 * 1e3
            })
            .collect();
        row(work, "M calls/s", bound, Some(calls::median(&mut rates)));
    }
}

/// The half that asks: a large reel, and a small one for lines.
fn questions(folder: &Path, big: &Path, few: &Path) {
    let begun = Instant::now();
    let reels = Reels::open(&[big.to_owned()]).unwrap();
    let rows: u64 = reels.files().flat_map(|(_, reader)| reader.segments()).map(|s| s.rows()).sum();
    println!("  {rows} rows in {} batches, opened in {:.1} ms", reels.len(), begun.elapsed().as_secs_f64() * 1e3);
    filters(&reels, rows);
    let [big_name, few_name] = [big, few].map(|path| path.to_str().unwrap());
    let rate = |rows: u64, path: &str, more: &[&str]| {
        let words = [&[SYSREEL, "--threads", "1", "-r", path], more].concat();
        command(&words, 3).map(|(seconds, _)| rows as f64 / seconds / 1e6)
    };
    row(
        "bytes by descriptor: -c fdbytes_by fd.name",
        "M calls/s",
        Least(130.0, 200.0),
        rate(rows, big_name, &["-c", "fdbytes_by", "fd.name"]),
    );
    row(
        "duration by call: -c topscalls_time",
        "M calls/s",
        Least(500.0, 600.0),
        rate(rows, big_name, &["-c", "topscalls_time"]),
    );
    row("default lines", "M lines/s", Least(4.0, 6.0), rate(FEW, few_name, &[]));
    row("JSON lines", "M lines/s", Least(2.0, 4.0), rate(FEW, few_name, &["-j"]));
    sysdig(folder, few_name);
    for (work, path, more) in
        [("lines", few_name, &[][..]), ("fdbytes_by", big_name, &["-c", "fdbytes_by", "fd.name"][..])]
    {
        let wall = |threads: &'static str| {
            let words: Vec<&str> =
                [SYSREEL, "--threads", threads, "-r", path].into_iter().chain(more.iter().copied()).collect();
            command(&words, 3).map(|(_, wall)| wall)
        };
        let ratio = wall("1").zip(wall("2")).map(|(one, two)| one / two);
        row(&format!("two cores, by wall time: {work}"), "x one", Least(1.8, 1.95), ratio);
    }
    opening(&reels, big_name);
}

/// Batches that hold rows of a process.
fn holding(reels: &Reels, pid: u32) -> usize {
    let holds = |n: &usize| {
        let batch = reels.batch(*n).unwrap();
        batch.head().threads.iter().any(|&row| batch.dict().threads[row as usize].pid == pid)
    };
    (0..reels.len()).filter(holds).count()
}

/// A question about a process that is in one batch of a hundred at most, from the start of the program on.
fn opening(reels: &Reels, path: &str) {
    let batch = reels.batch(reels.len() / 2).unwrap();
    let pids = batch.head().threads.iter().map(|&row| batch.dict().threads[row as usize].pid);
    let few = pids.map(|pid| (holding(reels, pid), pid)).find(|(held, _)| held * 100 <= reels.len());
    let Some((held, pid)) = few else { return row("open and ask about a process", "ms", Most(50.0, 10.0), None) };
    let filter = format!("proc.pid = {pid}");
    let mut times: Vec<f64> = (0..ROUNDS)
        .filter_map(|_| {
            let begun = Instant::now();
            let done = Command::new(SYSREEL).args(["-r", path, &filter]).stdout(Stdio::null()).status().ok()?;
            done.success().then(|| begun.elapsed().as_secs_f64() * 1e3)
        })
        .collect();
    println!("  process {pid} is in {held} of {} batches", reels.len());
    row("open and print a process of ≤ 1 % of the batches", "ms", Most(50.0, 10.0), Some(calls::median(&mut times)));
}

/// What `sysdig` makes of the same calls.
fn sysdig(folder: &Path, few: &str) {
    let scap = folder.join("few.scap");
    let scap = scap.to_str().unwrap();
    let exported = Command::new(SYSREEL).args(["-q", "-r", few, "-w", scap, "--for=0.29"]).status().unwrap();
    if !exported.success() || Command::new("sysdig").arg("--version").stdout(Stdio::null()).status().is_err() {
        return println!("  sysdig is not installed");
    }
    for (what, words) in [
        ("a filter", &["proc.name=postgres and evt.type=recvfrom and evt.num=0"][..]),
        ("lines", &[][..]),
        ("JSON lines", &["-j"][..]),
    ] {
        let all: Vec<&str> = ["sysdig", "-r", scap].iter().chain(words).copied().collect();
        match command(&all, 1) {
            Some((seconds, _)) => println!("  sysdig, {what}: {:.2} M calls/s", FEW as f64 / seconds / 1e6),
            None => println!("  sysdig, {what}: refused"),
        }
    }
}

/// Import of the big sample, events a second of processor time.
fn import(folder: &Path) {
    let shared = std::env::var_os("SYSREEL_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let packed = shared.join("data/scap/big.scap.zst");
    let measured = packed.is_file().then(|| {
        let (plain, reel) = (folder.join("big.scap"), folder.join("imported.reel"));
        let mut out = std::fs::File::create(&plain).unwrap();
        std::io::copy(&mut sysreel::source::scap::open(&packed).unwrap(), &mut out).unwrap();
        let told = Command::new(SYSREEL).arg("-r").arg(&plain).arg("-w").arg(&reel).output().unwrap();
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        let words: Vec<&str> = told[..told.find(" events").unwrap()].split_whitespace().collect();
        let events: f64 = words.last().unwrap().parse().unwrap();
        let words = [SYSREEL, "-q", "-r", plain.to_str().unwrap(), "-w", reel.to_str().unwrap()];
        command(&words, 3).map(|(seconds, _)| events / seconds / 1e6)
    });
    row("scap import", "M events/s", Least(2.0, 4.0), measured.flatten());
}

fn main() {
    if calls::is_loop() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let only = std::env::var("SYSREEL_BENCH_ONLY").unwrap_or_default();
    let events = std::env::var("SYSREEL_BENCH_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(50_000_000);
    println!("{:56} {:>8} {:>6} {:>8}", "work", "must", "aim", "measured");
    if !able("figures") {
        return;
    }
    let mixed = if only == "ask" { None } else { recording(folder.path()) };
    if only == "record" {
        return;
    }
    import(folder.path());
    let mixed = mixed.unwrap_or_else(|| record::mixed(folder.path(), 2));
    let kept = std::env::var_os("SYSREEL_BENCH_REEL").map(PathBuf::from);
    let (big, few) = (kept.unwrap_or_else(|| folder.path().join("big.reel")), folder.path().join("few.reel"));
    if !big.exists() {
        load::repeat(&mixed.reel, &big, events);
    }
    load::repeat(&mixed.reel, &few, FEW);
    questions(folder.path(), &big, &few);
    println!("audit logs: `cargo bench --bench audit`; a minute of storms and idleness: `cargo bench --bench weather`");
}
