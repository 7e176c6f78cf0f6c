//! Recordings that are killed, starved and drowned: the file opens, and what is missing is told.
//!
//! `SYSREEL_LONG=1` runs each storm and each series of kills at its full size; see CONTRIBUTING.

#![cfg(feature = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{able, program, sysreel, until};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");

/// Workers of the mixed load.
const WORKERS: usize = 2;

/// Whether the long forms were asked for.
fn long() -> bool {
    std::env::var_os("SYSREEL_LONG").is_some()
}

/// A generator whose numbers are the same in every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What a file holds, by the frame headers alone (docs/format.md §1): rows of whole batches, and bytes behind them.
fn whole_rows(bytes: &[u8]) -> (u64, usize) {
    let (mut at, mut rows) = (0, 0);
    while bytes.len() >= at + 100 {
        assert_eq!(bytes[at..at + 4], [0xf5, b'S', b'R', b'L'], "no frame at {at:#x}");
        let word = |offset: usize| u32::from_le_bytes(bytes[at + offset..][..4].try_into().unwrap());
        let end = at + 100 + word(8) as usize;
        if end > bytes.len() {
            break;
        }
        if bytes[at + 4] == b'B' {
            rows += u64::from(word(12));
        }
        at = end;
    }
    (rows, bytes.len() - at)
}

/// The rounds of each worker that a recording holds, in its order.
fn rounds(text: &str) -> BTreeMap<u32, Vec<u64>> {
    let mut rounds: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for line in text.lines() {
        let (tid, round) = line.split_once(' ').unwrap();
        rounds.entry(tid.parse().unwrap()).or_default().push(round.parse().unwrap());
    }
    rounds
}

/// Rounds that are missing between the first and the last of a worker. What is there must ascend.
fn gaps(rounds: &[u64]) -> u64 {
    let mut missing = rounds.first().map_or(0, |first| first - 1);
    for pair in rounds.windows(2) {
        assert!(pair[0] < pair[1], "round {} stands before round {}", pair[0], pair[1]);
        missing += pair[1] - pair[0] - 1;
    }
    missing
}

/// What replaying a file prints; it must open.
fn replay(file: &Path, words: &[&str]) -> String {
    let out = sysreel(&[&["-r", file.to_str().unwrap()], words].concat());
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{}: {said}", file.display());
    String::from_utf8(out.stdout).unwrap()
}

/// A recorder of the mixed load in a scratch folder.
struct Scene {
    folder: tempfile::TempDir,
    recorder: Child,
}

impl Scene {
    fn start(load: &Path, options: &[&str]) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Command::new(SYSREEL)
            .args(["-q", "-w", folder.path().join("x.reel").to_str().unwrap()])
            .args(options)
            .arg("--")
            .args([load, folder.path()])
            .arg(WORKERS.to_string())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Scene { folder, recorder }
    }

    fn size(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("x.reel")).map_or(0, |m| m.len())
    }

    fn kill(&mut self) -> SystemTime {
        self.recorder.kill().unwrap();
        let now = SystemTime::now();
        self.recorder.wait().unwrap();
        now
    }

    /// Ends the load, and returns the rounds that each worker made by its own count. A recorder that dies before the
    /// load was let go takes it along.
    fn finish(&self) -> BTreeMap<u32, u64> {
        let started = (0..WORKERS).any(|w| self.folder.path().join(format!("w.{w}")).exists());
        std::fs::write(self.folder.path().join("stop"), "").unwrap();
        let result = || std::fs::read_to_string(self.folder.path().join("result")).unwrap_or_default();
        if started {
            until("the load ended", || result().lines().count() == WORKERS);
        }
        let counts = result();
        let count = |line: &str| line.split_once(' ').map(|(tid, n)| (tid.parse().unwrap(), n.parse().unwrap()));
        counts.lines().filter_map(count).collect()
    }
}

/// What a killed recording showed.
#[derive(Default)]
struct Killed {
    files: u32,
    empty: u32,
    rows: u64,
    lost: u64,
    tails: Vec<Duration>,
}

impl Killed {
    /// Compares a file with what the load counted itself and with its own frame headers.
    fn check(&mut self, scene: &Scene, at: SystemTime, made: &BTreeMap<u32, u64>) {
        let file = scene.folder.path().join("x.reel");
        let bytes = std::fs::read(&file).unwrap_or_default();
        if bytes.is_empty() {
            self.empty += 1;
            return;
        }
        let (rows, _) = whole_rows(&bytes);
        let times = replay(&file, &["-D", "-p", "%evt.rawtime"]);
        assert_eq!(times.lines().count() as u64, rows, "rows of the whole batches of {}", file.display());
        let lost: u64 = replay(&file, &["-p", "%evt.rawarg.count", "evt.type=loss"])
            .lines()
            .map(|l| l.parse::<u64>().unwrap())
            .sum();
        for (tid, seen) in rounds(&replay(&file, &["-p", "%thread.tid %evt.buffer", "evt.type=pwrite"])) {
            let missing = gaps(&seen);
            assert!(missing <= lost, "worker {tid}: {missing} rounds are missing, and {lost} losses told");
            let made = made.get(&tid).copied().unwrap_or(u64::MAX);
            assert!(seen.last().is_none_or(|last| *last <= made), "worker {tid} made {made} rounds: {:?}", seen.last());
        }
        if let Some(last) = times.lines().next_back() {
            let at = at.duration_since(UNIX_EPOCH).unwrap();
            self.tails.push(at.saturating_sub(Duration::from_nanos(last.parse().unwrap())));
        }
        self.files += 1;
        self.rows += rows;
        self.lost += lost;
    }

    fn say(&mut self) {
        self.tails.sort_unstable();
        let part = |share: usize| self.tails.get(self.tails.len() * share / 100).copied().unwrap_or_default();
        println!(
            "{} files, {} with nothing in them yet, {} rows, {} lost; between the last row and the kill: {:?} (median), {:?} (99 %)",
            self.files,
            self.empty,
            self.rows,
            self.lost,
            part(50),
            part(99)
        );
    }
}

#[test]
fn a_recorder_killed_at_any_moment_leaves_every_whole_batch() {
    let test = "a_recorder_killed_at_any_moment_leaves_every_whole_batch";
    let folder = tempfile::tempdir().unwrap();
    let Some(load) = able(test).then(|| program(test, "load", folder.path())).flatten() else { return };
    let (mut dice, mut killed) = (Dice(20_261_122), Killed::default());
    for kill in 0..if long() { 1000 } else { 20 } {
        let mut scene = Scene::start(&load, &["--flush", "0.05"]);
        let wait = Duration::from_micros(dice.below(700_000));
        if kill % 10 > 0 {
            until("the recording began", || scene.size() > 0);
        }
        let begun = Instant::now();
        while begun.elapsed() < wait {
            std::thread::yield_now();
        }
        let at = scene.kill();
        let made = scene.finish();
        killed.check(&scene, at, &made);
    }
    killed.say();
    assert!(killed.files > 0 && killed.rows > 0);
}

/// A storm: its name and size, the size of its long form, and what of it a recording holds: filter, rows per count.
struct Storm {
    name: &'static str,
    count: u64,
    long: u64,
    holds: &'static [(&'static str, u64)],
}

const STORMS: [Storm; 9] = [
    Storm {
        name: "forks",
        count: 1500,
        long: 30_000,
        holds: &[("evt.type=procfork", 1), ("evt.type=procexit and proc.name=storm", 1)],
    },
    Storm {
        name: "execs",
        count: 300,
        long: 10_000,
        holds: &[("evt.type=execve and evt.failed=false and proc.name=true", 1)],
    },
    Storm {
        name: "opens",
        count: 160_000,
        long: 1_600_000,
        holds: &[("evt.type in (open, openat) and evt.failed=false and fd.name=/dev/null", 0)],
    },
    Storm {
        name: "connections",
        count: 5000,
        long: 100_000,
        holds: &[("evt.type=connect and evt.failed=false", 1), ("evt.type=accept", 1)],
    },
    Storm { name: "peers", count: 2000, long: 10_000, holds: &[("evt.type=sendto", 2), ("evt.type=recvfrom", 2)] },
    Storm { name: "descriptors", count: 2000, long: 10_000, holds: &[("evt.type=unlink", 1)] },
    Storm {
        name: "threads",
        count: 500,
        long: 5000,
        holds: &[("evt.type=procfork", 1), ("evt.type=procexit and thread.ismain=false", 1)],
    },
    Storm { name: "deep", count: 300, long: 1000, holds: &[("evt.type=mkdir", 1), ("evt.type=rmdir", 1)] },
    Storm { name: "writes", count: 500_000, long: 10_000_000, holds: &[("evt.type=write and fd.name=/dev/null", 1)] },
];

/// Most memory that a recorder may take, beside its rings (the issue's bound, and invariant 7).
const MEMORY_MB: u64 = 70;

/// Runs a storm under the recorder; returns the most memory it had, MB.
fn record_storm(storm: &Path, folder: &Path, name: &str, count: u64, ring: &str) -> u64 {
    let mut recorder = Command::new(SYSREEL)
        .args(["-q", "--ring", ring, "-w", folder.join("x.reel").to_str().unwrap(), "--"])
        .args([storm, Path::new(name)])
        .arg(count.to_string())
        .current_dir(folder)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", recorder.id());
    let mut most = 0;
    let done = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        if let Some(done) = recorder.try_wait().unwrap() {
            break done;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(done.success(), "{name}: {done}");
    most / 1024
}

/// Checks that what a recording holds and what it says it lost come to what was made.
fn check_storm(file: &Path, storm: &Storm, count: u64) -> (u64, u64) {
    let losses = replay(file, &["-p", "%evt.rawarg.count", "evt.type=loss"]);
    let lost: u64 = losses.lines().map(|l| l.parse::<u64>().unwrap()).sum();
    let mut kept_all = 0;
    for (filter, per) in storm.holds {
        let kept = replay(file, &["-D", "-p", "%evt.num", filter]).lines().count() as u64;
        let made = if *per == 0 { count.div_ceil(16) } else { count * per };
        assert!(kept <= made + 8, "{}: {kept} rows of {made} for {filter}", storm.name);
        assert!(kept + lost >= made, "{}: {kept} rows and {lost} lost of {made} for {filter}", storm.name);
        kept_all += kept;
    }
    (kept_all, lost)
}

#[test]
fn storms_are_recorded_inside_the_memory_bound() {
    let test = "storms_are_recorded_inside_the_memory_bound";
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = able(test).then(|| program(test, "storm", folder.path())).flatten() else { return };
    for storm in &STORMS {
        let count = if long() { storm.long } else { storm.count };
        let scratch = tempfile::tempdir().unwrap();
        let memory = record_storm(&program, scratch.path(), storm.name, count, "32MiB");
        let (kept, lost) = check_storm(&scratch.path().join("x.reel"), storm, count);
        println!("{} {count}: {kept} rows, {lost} lost, {memory} MB with 32 MiB of rings", storm.name);
        assert!(memory <= MEMORY_MB + 34, "{}: {memory} MB", storm.name);
    }
}
