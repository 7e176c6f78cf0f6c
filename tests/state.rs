//! `ps`, `lsof` and `netstat` at the end of a recording say what the programs of those names say at that moment.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::{V, event, skip};
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use sysreel::engine::{Assembler, SegmentLimits};
use sysreel::event::OwnedEvent;
use sysreel::reel::Error;

const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");

/// Whether the recorder and the programs it is compared with can run here; says why not.
fn able(test: &str) -> bool {
    if !common::live::able(test) {
        return false;
    }
    for (program, question) in [("python3", "--version"), ("ps", "--version"), ("lsof", "-v"), ("ss", "--version")] {
        let asked = Command::new(program).arg(question).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if asked.is_err() {
            skip(test, &format!("needs {program}"));
            return false;
        }
    }
    true
}

/// Waits for a condition with a deadline.
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::yield_now();
    }
}

fn output(program: &str, words: &[&str]) -> String {
    let out = Command::new(program).args(words).output().unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill {name} {pid}");
}

/// The scene, and whoever must be ended with it.
struct Scene {
    folder: tempfile::TempDir,
    pid: u32,
    child: u32,
    started: Option<Child>,
}

impl Scene {
    fn program() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/scene.py")
    }

    /// Waits until it holds everything.
    fn new(folder: tempfile::TempDir, started: Option<Child>) -> Scene {
        let ready = folder.path().join("ready");
        until("the scene", || ready.exists());
        let ids = std::fs::read_to_string(ready).unwrap();
        let mut ids = ids.split_whitespace().map(|id| id.parse().unwrap());
        Scene { pid: ids.next().unwrap(), child: ids.next().unwrap(), folder, started }
    }

    fn more(&self) {
        signal("-USR1", self.pid);
        let later = self.folder.path().join("later");
        until("the second act", || later.exists());
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for pid in [self.child, self.pid] {
            Command::new("kill").args(["-KILL", &pid.to_string()]).status().ok();
        }
        if let Some(mut started) = self.started.take() {
            started.wait().ok();
        }
    }
}

/// Rows of a chisel over a reel, about the scene's processes, as objects.
fn rows(reel: &Path, chisel: &str, scene: &Scene) -> Vec<Value> {
    let filter = format!("proc.pid in ({}, {})", scene.pid, scene.child);
    let out = Command::new(SYSREEL).args(["-r", reel.to_str().unwrap(), "-j", "-c", chisel, &filter]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    report["tables"][0]["rows"].as_array().unwrap().clone()
}

fn text(row: &Value, column: &str) -> String {
    match &row[column] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

type Lines = BTreeSet<String>;

fn ours(rows: &[Value], columns: &[&str]) -> Lines {
    rows.iter().map(|row| columns.iter().map(|c| text(row, c)).collect::<Vec<_>>().join(" ")).collect()
}

/// Threads as ps shows them: tid pid ppid user tty name.
fn theirs_of_ps(scene: &Scene) -> Lines {
    let pids = format!("{},{}", scene.pid, scene.child);
    let text = output("ps", &["-L", "-p", &pids, "-o", "tid=,pid=,ppid=,user:32=,tty=,comm="]);
    text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// What lsof calls otherwise: its type, how its name begins, our type, and how its name becomes ours.
///
/// - It names what has no path by kind or address; we show no name there, or the kernel's.
/// - It marks deleted files; a reel keeps the name that was opened.
/// - It tells a character device from a regular file; `fd.type` does not.
/// - It tells a FIFO by its inode; a path that was opened is a file until a scan looks at it.
const OTHERWISE: &[(&str, &str, &str, Name)] = &[
    ("REG", "/memfd:", "memfd", Name::No),
    ("REG", "", "file", Name::Path),
    ("CHR", "", "file", Name::Path),
    ("DIR", "", "directory", Name::Path),
    ("FIFO", "/", FIFO, Name::Path),
    ("FIFO", "", "pipe", Name::No),
    ("unix", "", "unix", Name::No),
    ("IPv4", "", "ipv4", Name::Ends),
    ("IPv6", "", "ipv6", Name::Ends),
    ("a_inode", "[eventfd", "event", Name::No),
    ("a_inode", "[eventpoll", "eventpoll", Name::No),
    ("a_inode", "[timerfd", "timerfd", Name::No),
];

/// A pipe with a path.
const FIFO: &str = "fifo";

#[derive(Clone, Copy)]
enum Name {
    /// Not compared.
    No,
    /// A path.
    Path,
    /// Both ends, the local one first; ours have the client first.
    Ends,
}

/// Descriptors as lsof shows them: pid fd type name, in our words.
fn theirs_of_lsof(scene: &Scene) -> Lines {
    let pids = format!("{},{}", scene.pid, scene.child);
    let text = output("lsof", &["-nP", "-a", "-p", &pids, "-d", "0-999999", "-F", "pftn"]);
    let (mut pid, mut fd, mut ty) = (String::new(), String::new(), String::new());
    let mut lines = Lines::new();
    for line in text.lines() {
        let (key, value) = line.split_at(1);
        match key {
            "p" => value.clone_into(&mut pid),
            "f" => value.clone_into(&mut fd),
            "t" => value.clone_into(&mut ty),
            "n" => {
                let known = OTHERWISE.iter().find(|(t, begin, ..)| *t == ty && value.starts_with(begin));
                let (_, _, word, name) = known.unwrap_or_else(|| panic!("lsof shows {ty} {value}"));
                lines.insert(format!("{pid} {fd} {word} {}", in_our_words(*name, value)));
            }
            _ => {}
        }
    }
    lines
}

fn in_our_words(name: Name, value: &str) -> String {
    match name {
        Name::No => String::new(),
        Name::Path => value.trim_end_matches(" (deleted)").to_owned(),
        Name::Ends => {
            let value = value.replace(['[', ']'], "");
            let mut ends: Vec<&str> = value.split(' ').next().unwrap().split("->").collect();
            ends.sort_unstable();
            ends.join("->")
        }
    }
}

fn ours_of_lsof(rows: &[Value]) -> Lines {
    let line = |row: &Value| {
        let (mut ty, name) = (text(row, "TYPE"), text(row, "NAME"));
        if name.starts_with('/') && std::fs::metadata(&name).is_ok_and(|file| file.file_type().is_fifo()) {
            assert!(["file", "pipe"].contains(&ty.as_str()), "{row}");
            FIFO.clone_into(&mut ty);
        }
        let how = OTHERWISE.iter().find(|o| o.2 == ty && !matches!(o.3, Name::No)).map_or(Name::No, |o| o.3);
        format!("{} {} {ty} {}", text(row, "PID"), text(row, "FD"), in_our_words(how, &name))
    };
    rows.iter().map(line).collect()
}

/// IP sockets as ss shows them: proto local remote state pid, in our words: ss says ESTAB, puts IPv6 addresses in
/// brackets, and writes no family where there is no peer.
fn theirs_of_ss(scene: &Scene) -> Vec<String> {
    let text = output("ss", &["-H", "-t", "-u", "-n", "-a", "-p"]);
    let mut lines = Vec::new();
    for line in text.lines() {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let &[proto, state, _, _, local, remote, ..] = columns.as_slice() else { continue };
        let remote = if remote.ends_with(":*") { "*".to_owned() } else { remote.replace(['[', ']'], "") };
        let state = if state == "ESTAB" { "ESTABLISHED" } else { state };
        for pid in [scene.pid, scene.child] {
            for _ in 0..line.matches(&format!("pid={pid},")).count() {
                lines.push(format!("{proto} {} {remote} {state} {pid}", local.replace(['[', ']'], "")));
            }
        }
    }
    lines.sort_unstable();
    lines
}

fn ours_of_netstat(rows: &[Value]) -> Vec<String> {
    let line = |row: &Value| {
        let remote = text(row, "Foreign Address");
        let remote = if remote.ends_with(":*") { "*".to_owned() } else { remote };
        let (local, state) = (text(row, "Local Address"), text(row, "State"));
        format!("{} {local} {remote} {state} {}", text(row, "Proto"), text(row, "PID"))
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.sort_unstable();
    lines
}

/// Ends the recording while the scene stays, and compares.
fn compare(mut recorder: Child, reel: &Path, scene: &Scene) {
    let (ps, lsof, ss) = (theirs_of_ps(scene), theirs_of_lsof(scene), theirs_of_ss(scene));
    signal("-INT", recorder.id());
    assert!(recorder.wait().unwrap().success());
    // Nothing changed while the recorder was ending.
    assert_eq!(theirs_of_lsof(scene), lsof);
    assert_eq!(ours(&rows(reel, "ps", scene), &["TID", "PID", "PPID", "USER", "TTY", "CMD"]), ps);
    assert_eq!(ps.len(), 7, "five named threads, the first one, and a child: {ps:?}");
    assert_eq!(ours_of_lsof(&rows(reel, "lsof", scene)), lsof);
    assert!(lsof.len() > 40, "{lsof:?}");
    assert_eq!(ours_of_netstat(&rows(reel, "netstat", scene)), ss);
    assert!(ss.len() >= 10, "{ss:?}");
}

fn record(reel: &Path, command: &[&str]) -> Child {
    let mut words = vec!["-q", "-w", reel.to_str().unwrap()];
    if !command.is_empty() {
        words.push("--");
        words.extend(command);
    }
    Command::new(SYSREEL).args(words).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn the_state_of_what_was_recorded_from_its_start_is_that_of_ps_lsof_and_ss() {
    if !able("the_state_of_what_was_recorded_from_its_start_is_that_of_ps_lsof_and_ss") {
        return;
    }
    let (folder, reels) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let reel = reels.path().join("test.reel");
    let program = Scene::program();
    let recorder = record(&reel, &["python3", program.to_str().unwrap(), folder.path().to_str().unwrap()]);
    let scene = Scene::new(folder, None);
    scene.more();
    compare(recorder, &reel, &scene);
}

#[test]
fn the_state_of_what_was_there_before_is_that_of_ps_lsof_and_ss() {
    if !able("the_state_of_what_was_there_before_is_that_of_ps_lsof_and_ss") {
        return;
    }
    let (folder, reels) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let reel = reels.path().join("test.reel");
    let command = Command::new("python3").arg(Scene::program()).arg(folder.path()).stdin(Stdio::null()).spawn();
    let scene = Scene::new(folder, Some(command.unwrap()));
    let recorder = record(&reel, &[]);
    // The first rows are written when the scan is done.
    until("the recording", || std::fs::metadata(&reel).is_ok_and(|file| file.len() > 0));
    scene.more();
    compare(recorder, &reel, &scene);
}

#[test]
fn the_state_now_needs_no_recording() {
    if !Path::new("/proc/self/stat").exists() {
        skip("the_state_now_needs_no_recording", "there is no /proc");
        return;
    }
    let pid = std::process::id();
    let out = Command::new(SYSREEL).args(["-c", "ps", &format!("proc.pid = {pid}"), "-j"]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    let rows = report["tables"][0]["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["TID"] == pid), "{report}");
}

/// When the story begins, ns UTC: 2018-08-17T17:35:48Z.
const BEGIN: u64 = 1_534_527_348_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// A story of processes that open, copy and close files, start others, and end; one step a second.
fn story(assembler: &mut Assembler<Error>, steps: u64) {
    let init = (10u32, 10u32);
    let ids = [("tid", 10), ("pid", 10), ("vtid", 10), ("vpid", 10), ("ppid", 1), ("sid", 10), ("pgid", 10)];
    let mut named: Vec<(&str, V<'_>)> = ids.map(|(n, v)| (n, V::I(v))).into();
    named.extend([("comm", "sh".into()), ("exe", "sh".into()), ("cwd", "/home".into()), ("start", V::I(BEGIN as i64))]);
    assembler.initial(&event("snap_thread", BEGIN, init, 0, &named).event());
    let fd = [("fd", V::I(0)), ("kind", V::I(1)), ("name", "/dev/null".into())];
    assembler.initial(&event("snap_fd", BEGIN, init, 0, &fd).event());
    // Knuth's linear congruential generator: the same story everywhere.
    let mut dice = 7u64;
    let mut roll = |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % below
    };
    let mut live = vec![10u32];
    for step in 1..=steps {
        let time = BEGIN + step * SECOND;
        let pid = live[roll(live.len() as u64) as usize];
        let who = (pid, pid);
        let number = V::I(roll(6) as i64);
        let path = format!("/tmp/{step}");
        let mut tell = |what| assembler.event(&OwnedEvent::event(&what)).unwrap();
        match roll(7) {
            0..=2 => {
                let of_file = [("dirfd", V::I(-100)), ("name", V::B(path.as_bytes()))];
                tell(event("openat", time, who, 3 + roll(6) as i64, &of_file));
            }
            3 => tell(event("close", time, who, 0, &[("fd", number)])),
            4 => tell(event("dup2", time, who, 9, &[("oldfd", number), ("newfd", V::I(9))])),
            5 if live.len() < 5 => {
                let child = 100 + step as u32;
                let id = V::I(i64::from(child));
                let ids = [("child_tid", id.clone()), ("child_pid", id.clone()), ("child_vtid", id.clone())];
                let more = [("child_vpid", id), ("ppid", V::I(i64::from(pid))), ("start", V::I(time as i64))];
                tell(event("procfork", time, who, 0, &[&ids[..], &more[..]].concat()));
                live.push(child);
            }
            _ if pid != 10 => {
                tell(event("procexit", time, who, 0, &[("status", V::I(0)), ("last", V::I(1))]));
                // In another segment, some of the time.
                tell(event("cputime", time + 1, who, 0, &[("total", V::I(step as i64)), ("gone", V::I(1))]));
                live.retain(|&other| other != pid);
            }
            _ => tell(event("chdir", time, who, 0, &[("path", V::B(path.as_bytes()))])),
        }
    }
    assembler.finish(BEGIN + (steps + 1) * SECOND).unwrap();
}

#[test]
fn the_state_at_a_moment_depends_on_neither_segments_nor_threads() {
    const STEPS: u64 = 90;
    let folder = tempfile::tempdir().unwrap();
    let reels = [("whole", 1_000_000), ("cut", 3), ("small", 1)].map(|(name, events)| {
        let path = folder.path().join(name);
        let limits = SegmentLimits { events, ..SegmentLimits::default() };
        common::write_reel(&path, limits, |assembler| story(assembler, STEPS));
        path
    });
    let asked = |reel: &Path, chisel: &str, at: u64, threads: &str| {
        let at = format!("+{at}s");
        let words = ["-r", reel.to_str().unwrap(), "-c", chisel, "--at", &at, "--threads", threads];
        let out = Command::new(SYSREEL).args(words).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let mut seen = BTreeSet::new();
    for at in (0..STEPS).step_by(4) {
        for chisel in ["ps", "lsof"] {
            let want = asked(&reels[0], chisel, at, "1");
            for reel in &reels {
                assert_eq!(asked(reel, chisel, at, "3"), want, "{chisel} of {} at {at}", reel.display());
            }
            seen.insert(want);
        }
    }
    assert!(seen.len() > 30, "the story stands still");
}
