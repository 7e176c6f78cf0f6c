//! Several reels as one timeline, and a reel that is followed while it is written.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::event;
use common::live::{SYSREEL, able, sysreel_in, until};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use sysreel::batch::{Encoder, Schema};
use sysreel::engine::{Assembler, Piece, SegmentLimits};
use sysreel::event::Event;
use sysreel::reel::{ClockPair, Error, Header, Link, Writer};

fn said(folder: &Path, words: &[&str]) -> (String, String) {
    let out = sysreel_in(folder, words);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(out.status.success(), "{words:?}: {}", text(&out.stderr));
    (text(&out.stdout), text(&out.stderr))
}

/// A writer that takes pieces: one call of `write` each.
struct Recorder {
    writer: Writer,
    encoder: Encoder,
    schema: Schema,
}

impl Recorder {
    fn piece(&mut self, piece: &Piece) -> Result<(), Error> {
        match piece {
            Piece::Begin(time) => self.writer.begin_segment(&self.schema, &[ClockPair { boot: *time, utc: *time }]),
            Piece::Rows(delta) => self.writer.dictionary(delta),
            Piece::Batch(columns) => {
                let encoded = self.encoder.encode(columns, &self.schema).unwrap();
                if columns.snapshot { self.writer.snapshot(&encoded) } else { self.writer.batch(&encoded) }
            }
            Piece::Lost(lost) => self.writer.loss(&lost.clone().into()),
            Piece::End => self.writer.close_segment(),
            Piece::Late(facts) => self.writer.late(facts),
            other => panic!("expected one file without remarks, found {other:?}"),
        }
    }
}

/// An assembler that writes a reel; a batch ends where it is flushed.
fn recorder(path: &Path, header: &Header) -> (Assembler<Error>, std::sync::Arc<std::sync::Mutex<Recorder>>) {
    let writer = Writer::create(path, header).unwrap();
    let recorder = Recorder { writer, encoder: Encoder::new(), schema: Schema::current() };
    let recorder = std::sync::Arc::new(std::sync::Mutex::new(recorder));
    let sink = std::sync::Arc::clone(&recorder);
    let assembler = Assembler::new(SegmentLimits::default(), Box::new(move |piece| sink.lock().unwrap().piece(&piece)));
    (assembler, recorder)
}

fn finish(assembler: Assembler<Error>, recorder: std::sync::Arc<std::sync::Mutex<Recorder>>) {
    drop(assembler);
    let recorder = std::sync::Arc::into_inner(recorder).unwrap().into_inner().unwrap();
    recorder.writer.finish().unwrap();
}

/// A reel of `getppid` calls whose return values are their times, in batches of `batch` rows.
fn reel(path: &Path, header: &Header, times: &[u64], batch: usize) {
    let (mut assembler, recorder) = recorder(path, header);
    for (n, &time) in times.iter().enumerate() {
        assembler.event(&event("getppid", time, (7, 7), time as i64, &[]).event()).unwrap();
        if (n + 1) % batch == 0 {
            assembler.flush().unwrap();
        }
    }
    assembler.finish(*times.last().unwrap()).unwrap();
    finish(assembler, recorder);
}

fn header(host: &str) -> Header {
    Header { host: host.to_owned(), snaplen: 80, ..Header::default() }
}

/// Times of a stream that differ from those of others and sometimes step back.
fn times(seed: u64, count: u64) -> Vec<u64> {
    let mut at = 1_000_000 + seed;
    let mut state = seed + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        at += state >> 60;
        if state >> 59 == 0 { at - 40 } else { at }
    };
    (0..count).map(|_| next()).collect()
}

/// What a timeline is: a stable merge by the latest time so far, done one row after the other.
fn merged(streams: &[(&str, Vec<u64>)]) -> Vec<String> {
    let mut rows = Vec::new();
    for (order, (name, times)) in streams.iter().enumerate() {
        let mut latest = 0;
        for (n, &time) in times.iter().enumerate() {
            latest = latest.max(time);
            rows.push((latest, order, n, format!("{name} {} {time}", n + 1)));
        }
    }
    rows.sort();
    rows.into_iter().map(|(.., text)| text).collect()
}

#[test]
fn rows_of_many_hosts_stand_in_one_order_of_time_on_any_number_of_cores() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    std::fs::create_dir(folder.join("reels")).unwrap();
    let streams: Vec<(&str, Vec<u64>)> =
        ["a", "b", "c", "d"].iter().enumerate().map(|(n, name)| (*name, times(n as u64, 2_000))).collect();
    for (n, (name, times)) in streams.iter().enumerate() {
        reel(&folder.join(format!("reels/{name}.reel")), &header(name), times, 40 + 17 * n);
    }
    std::fs::write(folder.join("reels/notes.txt"), "not a reel").unwrap();
    let expected = merged(&streams);
    let format = ["-p", "%evt.host %evt.num %evt.rawtime"];
    for threads in ["1", "2", "7"] {
        let (text, errors) = said(folder, &[&["-r", "reels", "--threads", threads], &format[..]].concat());
        assert!(text.lines().eq(expected.iter().map(String::as_str)), "{threads} threads");
        assert_eq!(errors, "warning: reels: passed over what is no reel: notes.txt\n");
    }
    // Named one by one, and one of them twice, it is the same.
    let files = ["-r", "reels/a.reel", "-r", "reels/b.reel", "-r", "reels/a.reel", "-r", "reels/c.reel"];
    let (text, errors) = said(folder, &[&files[..], &["-r", "reels/d.reel"], &format].concat());
    assert!(text.lines().eq(expected.iter().map(String::as_str)));
    assert_eq!(errors, "");
    let (text, _) = said(folder, &["-r", "reels", "-n", "100", "-p", "%evt.host %evt.num %evt.rawtime"]);
    assert!(text.lines().eq(expected[..100].iter().map(String::as_str)));
}

#[test]
fn beginnings_of_calls_of_many_hosts_stand_at_their_own_times() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let mut expected = Vec::new();
    for (number, host) in ["a", "b", "c"].into_iter().enumerate() {
        let (mut assembler, recorder) = recorder(&folder.join(format!("{host}.reel")), &header(host));
        for row in 1..=700u64 {
            // Some calls last longer than a batch, and than a turn of the timeline.
            let (time, lasted) = (1_000_000 + row * 10 + number as u64, row * 37 % 1_500);
            let owned = event("getppid", time, (row as u32, 7), 0, &[]);
            let call = Event { duration: Some(lasted), ..owned.event() };
            assembler.event(&call).unwrap();
            expected.push((time - lasted, format!("{host} {row} >")));
            expected.push((time, format!("{host} {row} <")));
            if row % (40 + 17 * number as u64) == 0 {
                assembler.flush().unwrap();
            }
        }
        assembler.finish(2_000_000).unwrap();
        finish(assembler, recorder);
    }
    expected.sort();
    let ask =
        ["-r", "a.reel", "-r", "b.reel", "-r", "c.reel", "--enter", "-p", "%evt.rawtime %evt.host %evt.num %evt.dir"];
    let mut first = None;
    for threads in ["1", "2", "7"] {
        let (text, errors) = said(folder, &[&ask[..], &["--threads", threads]].concat());
        let time = |line: &str| line.split_once(' ').unwrap().0.parse::<u64>().unwrap();
        assert!(text.lines().map(time).is_sorted(), "{threads} threads");
        let mut lines: Vec<(u64, String)> =
            text.lines().map(|line| (time(line), line.split_once(' ').unwrap().1.to_owned())).collect();
        lines.sort();
        assert_eq!(lines, expected);
        assert_eq!(errors, "");
        assert_eq!(first.get_or_insert_with(|| text.clone()), &text);
    }
    let (few, _) = said(folder, &[&ask[..], &["-n", "100"]].concat());
    assert!(few.lines().eq(first.unwrap_or_default().lines().take(100)));
    // As they come a call is known when it is over, and its beginning tells when that was.
    let (followed, _) =
        said(folder, &["-r", "b.reel", "--follow", "--enter", "-p", "%evt.rawtime %evt.host %evt.num %evt.dir"]);
    let mut followed: Vec<&str> = followed.lines().collect();
    let mut alone: Vec<String> = expected
        .iter()
        .filter(|(_, text)| text.starts_with('b'))
        .map(|(time, text)| format!("{time} {text}"))
        .collect();
    followed.sort_unstable();
    alone.sort_unstable();
    assert_eq!(followed, alone);
    // With another question beside the lines none of them is missing.
    let (both, _) = said(folder, &[&ask[..], &["-S"]].concat());
    assert_eq!(both.lines().filter(|line| line.ends_with([' ', '>', '<'])).count(), expected.len());
}

#[test]
fn tables_and_limits_cover_the_same_events_as_lines() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let streams: Vec<(&str, Vec<u64>)> = vec![("a", times(3, 900)), ("b", times(9, 700))];
    for (name, times) in &streams {
        reel(&folder.join(format!("{name}.reel")), &header(name), times, 64);
    }
    let files = ["-r", "a.reel", "-r", "b.reel"];
    let (all, _) = said(folder, &[&files[..], &["-c", "topscalls", "-j"]].concat());
    assert!(all.contains("1600"), "{all}");
    let (first, _) = said(folder, &[&files[..], &["-q", "-S", "-j", "-n", "333"]].concat());
    assert!(first.contains("333"), "{first}");
    // The time since the line before is that of another host's line, too.
    let (lines, _) = said(folder, &[&files[..], &["-t", "D", "-p", "%evt.rawtime %evt.outputtime"]].concat());
    let mut before: Option<i64> = None;
    for line in lines.lines() {
        let (time, delta) = line.split_once(' ').unwrap();
        let time: i64 = time.parse().unwrap();
        let (seconds, nanos) = delta.trim_start_matches('-').split_once('.').unwrap();
        let delta = seconds.parse::<i64>().unwrap() * 1_000_000_000 + nanos.parse::<i64>().unwrap();
        let step = before.map_or(0, |before| (time - before).abs());
        assert!(delta == step || delta == 0 && before.is_some_and(|b| b > time), "{line} after {before:?}");
        before = Some(time);
    }
}

#[test]
fn files_of_a_row_are_in_its_order_and_a_missing_one_is_told() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let mut link = Link { row: 5, naming: "x".to_owned(), ..Link::default() };
    // The names are against the order.
    for (n, name) in ["d", "c", "b", "a"].iter().enumerate() {
        link.sequence += 1;
        let path = folder.join(name);
        let header = Header { link: link.clone(), ..header("h") };
        let start = 1_000 * (n as u64 + 1);
        reel(&path, &header, &[start, start + 1, start + 2], 2);
        link.hash = sysreel::reel::Reader::open(&path).unwrap().last_hash();
        (*name).clone_into(&mut link.previous);
    }
    let (text, errors) = said(folder, &["-r", ".", "-p", "%evt.reel %evt.rawtime"]);
    let names: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names[..4], ["./d", "./d", "./d", "./c"]);
    assert_eq!(errors, "");
    std::fs::remove_file(folder.join("c")).unwrap();
    let (_, errors) = said(folder, &["-r", ".", "-q"]);
    assert_eq!(errors, "warning: 1 file is missing between ./d and ./b\n");
}

#[test]
fn a_thousand_reels_are_one_timeline() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let mut expected = Vec::new();
    for n in 0..1_000u64 {
        let times: Vec<u64> = (0..20).map(|row| 10_000 + row * 1_000 + n).collect();
        reel(&folder.join(format!("{n:04}.reel")), &header("h"), &times, 10);
        expected.extend(times);
    }
    expected.sort_unstable();
    let command = format!("ulimit -n 64; exec {SYSREEL} -r . -p %evt.rawtime");
    let out = Command::new("sh").args(["-c", &command]).current_dir(folder).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let found = String::from_utf8(out.stdout).unwrap();
    assert!(found.lines().map(|line| line.parse::<u64>().unwrap()).eq(expected.iter().copied()));
}

/// Reads lines of a follower until one is as wanted; a deadline ends a wait that would not.
struct Lines(std::sync::mpsc::Receiver<String>);

impl Lines {
    fn of(output: impl std::io::Read + Send + 'static) -> Lines {
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| send.send(line)).ok()
        });
        Lines(receive)
    }

    fn next(&self) -> String {
        self.0.recv_timeout(Duration::from_secs(30)).expect("a line comes")
    }
}

#[test]
fn a_reel_that_grows_is_followed_to_its_end() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("x.reel");
    let (mut assembler, recorder) = recorder(&path, &header("h"));
    let mut push = |time: u64| {
        assembler.event(&event("getppid", time, (7, 7), 1, &[]).event()).unwrap();
        assembler.flush().unwrap();
    };
    push(1);
    let mut follower = Command::new(SYSREEL)
        .args(["-r", path.to_str().unwrap(), "--follow", "-p", "%evt.rawtime", "-c", "topscalls"])
        .args(["-j"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines_only = Command::new(SYSREEL)
        .args(["-r", path.to_str().unwrap(), "--follow", "-p", "%evt.rawtime"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Lines::of(lines_only.stdout.take().unwrap());
    assert_eq!(lines.next(), "1");
    for time in 2..6 {
        push(time);
        assert_eq!(lines.next(), time.to_string());
    }
    assert!(lines_only.try_wait().unwrap().is_none());
    assembler.finish(6).unwrap();
    finish(assembler, recorder);
    let done = lines_only.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut report = String::new();
    std::io::Read::read_to_string(&mut follower.stdout.take().unwrap(), &mut report).unwrap();
    assert!(follower.wait().unwrap().success());
    assert!(report.contains("getppid") && report.contains('5'), "{report}");
}

#[test]
fn a_recorder_that_was_killed_is_told_from_one_that_ended() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("x.reel");
    let (mut assembler, recorder) = recorder(&path, &header("h"));
    assembler.event(&event("getppid", 5, (7, 7), 1, &[]).event()).unwrap();
    assembler.flush().unwrap();
    let words = ["-r", path.to_str().unwrap(), "-p", "%evt.rawtime"];
    let (text, errors) = said(scratch.path(), &words);
    assert_eq!(text, "5\n");
    assert!(errors.contains("is still being recorded"), "{errors}");
    drop(assembler);
    drop(recorder);
    let (text, errors) = said(scratch.path(), &[&words[..], &["--follow"]].concat());
    assert_eq!(text, "5\n");
    assert!(errors.contains("its recorder is gone and has not ended it"), "{errors}");
    let (_, errors) = said(scratch.path(), &words);
    assert!(errors.contains("its recorder was killed, or the file was cut"), "{errors}");
}

#[test]
fn a_ring_is_followed_over_its_seams() {
    let test = "a_ring_is_followed_over_its_seams";
    if !able(test) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    // The command waits for the follower's word, so that all of it is written while it is followed.
    let script = "while [ ! -e go ]; do :; done; i=0; while [ $i -lt 100 ]; do : < /dev/null; i=$((i+1)); done";
    let mut recorder = Command::new(SYSREEL)
        .args(["-q", "-w", "x", "-e", "40", "--flush", "0.05"])
        .args(["evt.type = openat and fd.name = /dev/null or evt.type = execve", "--", "sh", "-c", script])
        .current_dir(folder)
        .spawn()
        .unwrap();
    until("what is waited for", || folder.join("x0").metadata().is_ok_and(|about| about.len() > 0));
    let mut follower = Command::new(SYSREEL)
        .args(["-r", "x0", "--follow", "-p", "%evt.num %evt.type"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Lines::of(follower.stdout.take().unwrap());
    assert_eq!(lines.next(), "1 execve");
    std::fs::write(folder.join("go"), "").unwrap();
    let numbers: Vec<String> = (0..100).map(|_| lines.next()).collect();
    assert_eq!(numbers[38..41], ["40 openat", "1 openat", "2 openat"]);
    assert!(recorder.wait().unwrap().success());
    let done = follower.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(lines.0.recv_timeout(Duration::from_secs(30)).is_err(), "nothing comes behind the last event");
}
