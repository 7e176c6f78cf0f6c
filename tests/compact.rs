//! `convert --compact`: the same reel in fewer bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, and says so")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn sysreel(words: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn reels(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|ending| ending == "reel")).collect()
}

/// Answers that name every event, every state and what stands beside them.
fn answers(reel: &str) -> Vec<String> {
    let questions = [&["-j"][..], &["-c", "ps"], &["-c", "lsof"], &["-c", "topprocs_cpu"], &["evt.type = openat"]];
    questions.iter().map(|words| sysreel(&[&["-r", reel], *words].concat())).collect()
}

#[test]
fn a_compact_reel_says_the_same_in_fewer_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small.reel");
    let small = small.to_str().unwrap();
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let all = [reels(&captures), reels(&captures.join("compat"))].concat();
    assert!(all.len() > 5, "{all:?}");
    let mut sizes = [0, 0];
    for reel in all {
        let name = reel.to_str().unwrap();
        sysreel(&["-q", "convert", "--compact", name, small]);
        let [before, after] = [name, small].map(|path| std::fs::metadata(path).unwrap().len());
        sizes = [sizes[0] + before, sizes[1] + after];
        let named = |answer: String| answer.replace("small.reel", reel.file_name().unwrap().to_str().unwrap());
        let found: Vec<String> = answers(small).into_iter().map(named).collect();
        assert!(found == answers(name), "{name}");
        sysreel(&["verify", small]);
    }
    assert!(sizes[1] < sizes[0], "{sizes:?}");
}

#[test]
fn a_file_of_a_row_is_made_smaller_and_those_around_it_still_know_it() {
    let folder = tempfile::tempdir().unwrap();
    let row = folder.path().join("row");
    std::fs::create_dir(&row).unwrap();
    let path = |name: &str| row.join(name).to_str().unwrap().to_owned();
    let (row, log_path) = (row.to_str().unwrap(), folder.path().join("audit.log"));
    let event = |n: u32| {
        format!(
            "{{\"auditID\":\"{n}\",\"verb\":\"get\",\"requestURI\":\"/api/v1/{n}\",\"stage\":\"ResponseComplete\",\"stageTimestamp\":\"2026-11-21T12:{:02}:{:02}.000000Z\"}}\n",
            n / 60,
            n % 60
        )
    };
    let mut log = String::new();
    // Events come again, in the file that is made smaller and in the next one.
    let record = |log: &mut String, events: std::ops::Range<u32>, count: &str| {
        log.extend(events.map(event));
        std::fs::write(&log_path, &*log).unwrap();
        let words = ["-q", "-w", &path("x.reel"), "-e", "100", "-n", count, "--flush", "0.05", "--audit-log"];
        sysreel(&[&words[..], &[log_path.to_str().unwrap()]].concat());
        std::fs::remove_file(path("x.reel.position")).unwrap();
    };
    record(&mut log, 0..300, "300");
    let asked = || sysreel(&["-r", row, "-p", "%evt.reel %evt.num %ka.auditid"]);
    let (before, mut sizes) = (asked(), Vec::new());
    assert_eq!(before.lines().count(), 300);
    for name in ["x.reel1", "x.reel2"] {
        let size = || std::fs::metadata(path(name)).unwrap().len();
        sizes.push(size());
        sysreel(&["-q", "convert", "--compact", &path(name), &path(name)]);
        sizes.push(size());
        sysreel(&["verify", &path(name)]);
        assert!(!sysreel(&["info", &path(name)]).contains("audit events went"));
    }
    assert!(sizes[0] > sizes[1] && sizes[2] > sizes[3], "{sizes:?}");
    assert_eq!(asked(), before);
    // Who goes on knows what is in the row, and is its next file.
    record(&mut log, 300..350, "50");
    let out = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(["-r", row, "-p", "%ka.auditid"]).output().unwrap();
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(!told.contains("missing between") && !told.contains("does not end"), "{told}");
    let mut all: Vec<u32> = String::from_utf8_lossy(&out.stdout).lines().map(|id| id.parse().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..350).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_made_compact_says_so_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (broken, to) = (folder.path().join("broken.reel"), folder.path().join("to.reel"));
    let mut bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/shell.reel")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&broken, bytes).unwrap();
    let convert = |words: &[&str]| {
        let out =
            Command::new(env!("CARGO_BIN_EXE_sysreel")).args(["convert", "--compact"]).args(words).output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (code, told) = convert(&[broken.to_str().unwrap(), to.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("expected"), "{told}");
    let (code, told) = convert(&[broken.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(told.contains("expected two files with --compact, found 1"), "{told}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["broken.reel"]);
}
