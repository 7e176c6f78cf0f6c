//! `convert --compact`: the same reel in fewer bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, and says so")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn sysreel(words: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn refused(words: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
    assert_eq!(out.status.code(), Some(2), "{words:?}");
    String::from_utf8_lossy(&out.stderr).into_owned()
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
        // A recorder of audit events goes on in another file each day, so its files know each other.
        if reel.ends_with("pods.reel") {
            assert!(
                refused(&["-q", "convert", "--compact", name, small])
                    .contains("a part of a recording in several files")
            );
            continue;
        }
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
