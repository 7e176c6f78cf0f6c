//! Sessions with the program, as a user has them: `tests/golden/cli/*.txt`.
//!
//! The first line of a file is the command, for `sh`; behind it stand the exit code, what came on standard output, and
//! what came on standard error. Commands run in a folder with the samples and broken copies of them, see [`scene`].
//! A new session is a new file with only the first line; `BLESS=1 cargo test --test cli` writes the rest.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::{V, event};
use std::path::{Path, PathBuf};
use std::process::Command;
use sysreel::engine::SegmentLimits;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The most lines of a session, so that people read them.
const MOST_LINES: usize = 150;

/// Offsets of frames in a reel, by their magic.
fn frames(reel: &[u8]) -> Vec<usize> {
    memchr::memmem::find_iter(reel, &sysreel::reel::MAGIC).collect()
}

/// Fills a folder with what the commands name.
fn scene(folder: &Path) {
    let sample = |name: &str| std::fs::read(Path::new(ROOT).join("captures").join(name)).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    for name in ["shell.reel", "web.reel", "build.reel", "login.reel"] {
        write(name, &sample(name));
    }
    let shell = sample("shell.reel");
    let starts = frames(&shell);
    let batch = starts.iter().copied().find(|&at| shell[at + 4] == b'B').unwrap();
    write("cut.reel", &shell[..batch + 500]);
    write("start.reel", &shell[..50]);
    write("open.reel", &shell[..*starts.last().unwrap()]);
    let mut flipped = shell.clone();
    flipped[batch + 4000] ^= 0x10;
    write("flip.reel", &flipped);
    write("empty.reel", b"");
    write("text.reel", b"root:x:0:0:root:/root:/bin/bash\n");
    write("x.scap", b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a");
    write("list.toml", b"[package]\n");
    write("x.scap.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00");
    std::fs::create_dir(folder.join("chisels")).unwrap();
    write("chisels/bad.toml", b"about = \"x\"\nfilte = \"evt.num = 1\"\n");
    hostile(&folder.join("hostile.reel"));
}

/// A reel with texts that would turn a terminal red, break lines and reorder them.
fn hostile(path: &Path) {
    let name = b"/tmp/evil\x1b[31mname\nnew\x9b\xff\xe2\x80\xaetxt";
    let ids = (7, 7);
    let of_file = [("dirfd", V::I(-100)), ("name", V::B(name))];
    let events = [
        event("openat", 1_000_000_000, ids, 3, &of_file),
        event("read", 1_000_000_100, ids, 5, &[("fd", V::I(3)), ("data", V::B(b"\x1b]0;x\x07"))]),
        event(
            "execve",
            1_000_000_200,
            ids,
            0,
            &[("filename", V::B(name)), ("comm", V::B(b"a\x1b[1m")), ("args", V::B(b"\x1b[2J\0b\0"))],
        ),
    ];
    common::write_reel(path, SegmentLimits::default(), |assembler| {
        for event in &events {
            assembler.event(&event.event()).unwrap();
        }
        assembler.finish(1_000_000_300).unwrap();
    });
}

/// What a command says, as it stands in a golden file.
fn session(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_sysreel")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path).env("HOME", folder);
    for name in ["COLUMNS", "XDG_DATA_HOME", "SYSREEL_CHISEL_DIR", "SYSDIG_CHISEL_DIR", "RUST_BACKTRACE"] {
        shell.env_remove(name);
    }
    let done = shell.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    let (out, err) = (text(&done.stdout), text(&done.stderr));
    for what in [&out, &err] {
        assert!(
            !what.contains(|c: char| c.is_control() && c != '\n'),
            "{command}: a control character reaches the terminal"
        );
    }
    let code = done.status.code().unwrap();
    let err = if err.is_empty() { err } else { format!("-- standard error\n{err}") };
    format!("$ {command}\n-- exit code {code}\n{out}{err}")
}

/// The golden files, by name.
fn goldens() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(Path::new(ROOT).join("tests/golden/cli")).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_session_goes_as_it_is_kept() {
    let scratch = tempfile::tempdir().unwrap();
    scene(scratch.path());
    let files = goldens();
    assert!(files.len() > 50, "sessions are missing");
    let mut wrong = Vec::new();
    for file in files {
        let kept = std::fs::read_to_string(&file).unwrap();
        let command =
            kept.lines().next().and_then(|line| line.strip_prefix("$ ")).expect("the first line is a command");
        let said = session(command, scratch.path());
        assert!(said.lines().count() <= MOST_LINES, "{}: more than {MOST_LINES} lines", file.display());
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, said).unwrap();
        } else if said != kept {
            wrong.push(format!("{}:\n{said}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "sessions went otherwise than they are kept; BLESS=1 writes them:\n{}", wrong.join("\n"));
}
