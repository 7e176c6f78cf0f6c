//! Reels of every version of the format stay readable: `captures/compat/*.reel` and what a replay said of them when they
//! were kept. These files must never be recorded again: each stands for the program that wrote it. A change of the format
//! adds one. `BLESS=1 cargo test --test compat` writes what is said, for a change of fields or words that is meant.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails, and says so")]

use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files, the first bytes of their BLAKE3 hashes, and what they are asked: a format and a filter.
const KEPT: &[(&str, &str, [&str; 2])] = &[
    ("v1", "03a4d806d5dadb1c", [FORMAT, FILTER]),
    ("v1_without_index", "7218984498af67f9", [FORMAT, FILTER]),
    ("v1_texts_apart", "98a856f11289e43d", [AUDIT_FORMAT, "evt.num <= 100"]),
];

/// What is asked: fields of all levels, about events of all families.
const FORMAT: &str = "*%evt.num %evt.time %evt.type %evt.rawres %proc.name %proc.ppid %fd.name";
const FILTER: &str = "evt.type in (execve, procfork, procexit, openat, connect, accept4, bind, sendto, recvfrom, kill, \
                      renameat2, unlinkat, fchmodat, pipe2, dup2, mkdir, write, cgroup, chdir) and not fd.name contains /lib/";

/// Fields whose texts stand in the dictionary of all and apart.
const AUDIT_FORMAT: &str =
    "*%evt.num %evt.rawtime %ka.verb %ka.user.name %ka.uri %ka.target.name %ka.response.code %ka.auth.reason";

fn reel(name: &str) -> PathBuf {
    Path::new(ROOT).join("captures/compat").join(name).with_extension("reel")
}

#[test]
fn kept_reels_are_the_bytes_that_were_kept() {
    for (name, hash, _) in KEPT {
        let found = blake3::hash(&std::fs::read(reel(name)).unwrap()).to_hex();
        assert_eq!(&found[..16], *hash, "{name}.reel must never be changed nor recorded again; add another one");
    }
    let files = std::fs::read_dir(Path::new(ROOT).join("captures/compat")).unwrap();
    let count = files.filter(|f| f.as_ref().unwrap().path().extension().is_some_and(|e| e == "reel")).count();
    assert_eq!(count, KEPT.len(), "every kept reel stands in the list");
}

#[test]
fn kept_reels_say_what_they_said() {
    for (name, _, [format, filter]) in KEPT {
        let done = Command::new(env!("CARGO_BIN_EXE_sysreel"))
            .args(["-r", reel(name).to_str().unwrap(), "-j", "-p", format, filter])
            .current_dir(ROOT)
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && err.is_empty(), "{name}: {err}");
        let golden = Path::new(ROOT).join("tests/golden/compat").join(name).with_extension("jsonl");
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
            std::fs::write(&golden, &done.stdout).unwrap();
        }
        let said = String::from_utf8(done.stdout).unwrap();
        let kept = std::fs::read_to_string(&golden).unwrap();
        assert!(kept.lines().count() > 50, "{name}: {} lines", kept.lines().count());
        for (said, kept) in said.lines().zip(kept.lines()) {
            assert_eq!(said, kept, "{name}");
        }
        assert_eq!(said.lines().count(), kept.lines().count(), "{name}");
    }
}
