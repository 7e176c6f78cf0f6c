//! Recordings that go on in another file: nothing is lost or twice at a seam, names and counts are what was asked for,
//! and a ring goes on where it was left. The real recorder on the real kernel; named skips where it may not run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{able, sysreel_in};
use common::skip;
use std::path::{Path, PathBuf};
use std::process::Command;
use sysreel::reel::{Reader, header_of};

fn ok(folder: &Path, words: &[&str]) -> String {
    let out = sysreel_in(folder, words);
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Names of the files in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The reels of a folder in the order in which they were written.
fn reels(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = names(folder).iter().map(|name| folder.join(name)).collect();
    files.retain(|file| header_of(file).is_ok());
    files.sort_by_key(|file| header_of(file).unwrap().link.sequence);
    files
}

/// Events of a reel.
fn events(file: &Path) -> u64 {
    Reader::open(file).unwrap().segments().iter().map(sysreel::reel::SegmentInfo::rows).sum()
}

/// What one question says of each file, in order.
fn each(files: &[PathBuf], words: &[&str]) -> Vec<String> {
    let ask = |file: &PathBuf| ok(file.parent().unwrap(), &[&["-r", file.to_str().unwrap()], words].concat());
    files.iter().map(ask).collect()
}

/// Each file is linked to the one before, with nothing between them.
fn assert_linked(files: &[PathBuf]) {
    for pair in files.windows(2) {
        let (before, link) = (Reader::open(&pair[0]).unwrap(), header_of(&pair[1]).unwrap().link);
        assert_eq!(link.sequence, before.header().link.sequence + 1, "{pair:?}");
        assert_eq!(link.hash, before.last_hash(), "{pair:?}");
        assert_eq!(link.previous, pair[0].file_name().unwrap().to_string_lossy(), "{pair:?}");
    }
}

/// A program of this test: writes the numbers 0, 1, 2 … with `pwrite` at that offset, so that each call says which it is.
const STORM: &str = r"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
    int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    long calls = atol(argv[2]);
    for (long n = 0; n < calls; n++)
        if (pwrite(file, &n, 1, n) != 1) return 1;
    return 0;
}";

/// The storm's program, where there is a C compiler.
fn storm(test: &str, folder: &Path) -> Option<PathBuf> {
    let (source, program) = (folder.join("storm.c"), folder.join("storm"));
    std::fs::write(&source, STORM).unwrap();
    let built = Command::new("cc").arg("-O1").arg("-o").arg(&program).arg(&source).status();
    if !built.is_ok_and(|status| status.success()) {
        skip(test, "needs cc");
        return None;
    }
    Some(program)
}

#[test]
fn no_event_is_lost_or_twice_at_any_seam() {
    let test = "no_event_is_lost_or_twice_at_any_seam";
    let scratch = tempfile::tempdir().unwrap();
    if !able(test) {
        return;
    }
    let Some(program) = storm(test, scratch.path()) else { return };
    let folder = scratch.path().join("reels");
    std::fs::create_dir(&folder).unwrap();
    let calls = 300_000u64;
    let (file, count) = (scratch.path().join("out"), calls.to_string());
    let command = ["--", program.to_str().unwrap(), file.to_str().unwrap(), &count];
    ok(&folder, &[&["-q", "-w", "x", "-e", "10000", "--ring", "64M"], &command[..]].concat());
    let files = reels(&folder);
    assert!(files.len() > 20, "{} files", files.len());
    assert_linked(&files);
    for file in &files[..files.len() - 1] {
        assert_eq!(events(file), 10_000, "{}", file.display());
    }
    // Each call says by its offset which it is, so their own count is independent of ours.
    let said = each(&files, &["-p", "%evt.arg.pos", "evt.type = pwrite and proc.name = storm"]);
    let found = said.iter().flat_map(|text| text.lines()).map(|n| n.parse::<u64>().unwrap());
    let losses: String = each(&files, &["-p", "%evt.args", "evt.type = loss"]).concat();
    assert_eq!(losses, "", "the machine was too slow for this test's rings");
    let mut next = 0;
    for number in found {
        assert_eq!(number, next);
        next += 1;
    }
    assert_eq!(next, calls);
    // Numbers begin anew in each file, and every file has the state that its events need.
    for text in each(&files, &["-n", "1", "-p", "%evt.num %proc.name %proc.exeline"]) {
        assert!(text.starts_with("1 storm ") || text.starts_with("1 sysreel "), "{text}");
    }
}

#[test]
fn files_do_not_exceed_their_size() {
    let test = "files_do_not_exceed_their_size";
    let scratch = tempfile::tempdir().unwrap();
    if !able(test) {
        return;
    }
    let folder = scratch.path();
    let script = "i=0; while [ $i -lt 40 ]; do head -c 60000 /dev/urandom | cat > out; i=$((i+1)); done";
    ok(folder, &["-q", "-w", "x", "-C", "1", "-s", "60000", "--", "sh", "-c", script]);
    let files = reels(folder);
    assert!(files.len() > 2, "{files:?}");
    assert_linked(&files);
    let sizes: Vec<u64> = files.iter().map(|file| std::fs::metadata(file).unwrap().len()).collect();
    assert!(sizes.iter().all(|&size| size <= 1_000_000 + sysreel::engine::OVERSHOOT), "{sizes:?}");
    assert!(sizes[..sizes.len() - 1].iter().all(|&size| size > 700_000), "{sizes:?}");
}

#[test]
fn a_filter_counts_what_it_keeps_and_a_limit_ends_it_all() {
    let test = "a_filter_counts_what_it_keeps_and_a_limit_ends_it_all";
    let scratch = tempfile::tempdir().unwrap();
    if !able(test) {
        return;
    }
    let folder = scratch.path();
    let script = "i=0; while [ $i -lt 200 ]; do : < /dev/null; i=$((i+1)); done";
    let filter = "evt.type = openat and fd.name = /dev/null";
    ok(folder, &["-q", "-w", "x", "-e", "30", filter, "--", "sh", "-c", script]);
    let counts: Vec<u64> = reels(folder).iter().map(|file| events(file)).collect();
    assert_eq!(counts, [30, 30, 30, 30, 30, 30, 20]);
    let numbers = each(&reels(folder), &["-p", "%evt.num"]);
    let ascending: Vec<String> = (1..=30).map(|n| n.to_string()).collect();
    assert_eq!(numbers[3].lines().collect::<Vec<_>>(), ascending);
    ok(folder, &["-q", "-w", "y", "-e", "30", "-n", "70", filter, "--", "sh", "-c", script]);
    let counts: Vec<u64> = (0..3).map(|n| events(&folder.join(format!("y{n}")))).collect();
    assert_eq!(counts, [30, 30, 10]);
    assert!(!folder.join("y3").exists());
}

#[test]
fn a_ring_goes_on_where_it_was_left_or_starts_over() {
    let test = "a_ring_goes_on_where_it_was_left_or_starts_over";
    let scratch = tempfile::tempdir().unwrap();
    if !able(test) {
        return;
    }
    let folder = scratch.path();
    let record = |most: &str, more: &[&str]| {
        let words = ["-q", "-w", "sub/x.reel", "-e", "20", "-W", most];
        ok(folder, &[&words[..], more, &["--", "sh", "-c", ": < /dev/null; : < /dev/null"]].concat());
    };
    std::fs::create_dir(folder.join("sub")).unwrap();
    record("90", &[]);
    let sub = folder.join("sub");
    let first = reels(&sub);
    assert_eq!(names(&sub)[0], "x.reel00");
    // As a killed recorder leaves it: the last segment open, a frame cut.
    let last = first.last().unwrap();
    let bytes = std::fs::read(last).unwrap();
    std::fs::write(last, &bytes[..bytes.len() - 30]).unwrap();
    std::fs::write(sub.join("x.reel99.part"), "rest").unwrap();
    record("90", &[]);
    let second = reels(&sub);
    assert!(second.len() > first.len(), "{second:?}");
    assert_eq!(second[..first.len()], first[..]);
    assert_linked(&second);
    // The older half goes.
    record("10", &[]);
    record("10", &[]);
    let all = reels(&sub);
    assert_eq!(all.len(), 10, "{:?}", names(&sub));
    assert_linked(&all);
    assert!(names(&sub).iter().all(|name| name.len() == 8 || name == "x.reel99.part"), "{:?}", names(&sub));
    record("10", &["--start-over"]);
    let link = header_of(&sub.join("x.reel00")).unwrap().link;
    assert_eq!((link.sequence, link.previous.as_str()), (1, ""));
    assert!(reels(&sub).len() <= 10);
}

#[test]
fn slices_of_time_follow_the_events() {
    let test = "slices_of_time_follow_the_events";
    let scratch = tempfile::tempdir().unwrap();
    if !able(test) {
        return;
    }
    let folder = scratch.path();
    // The command itself sees to the time: it looks at the clock until three seconds have begun.
    let script =
        "n=0; last=; while [ $n -lt 4 ]; do now=$(date +%s); [ \"$now\" = \"$last\" ] || n=$((n+1)); last=$now; done";
    ok(folder, &["-q", "-w", "t-%s.reel", "-G", "1", "-W", "3", "--", "sh", "-c", script]);
    let files = reels(folder);
    assert_eq!(files.len(), 3, "{:?}", names(folder));
    assert_linked(&files);
    for (file, times) in files.iter().zip(each(&files, &["-p", "%evt.rawtime.s %evt.type"])) {
        let second = file.file_name().unwrap().to_string_lossy()[2..12].to_owned();
        let late = times.lines().filter(|line| !line.starts_with(&second)).count();
        assert!(late * 100 <= times.lines().count(), "{late} of {second}:\n{times}");
    }
}
