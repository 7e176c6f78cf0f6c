//! The load as a reel and as a scap file, so that a peer answers about the same calls.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use sysreel::engine::Reels;
use sysreel::sys::process_usage;

/// A capture in both forms; all files are in the page cache.
pub(crate) struct Beside {
    pub(crate) reels: Reels,
    /// Calls in it.
    pub(crate) rows: u64,
    /// What names of cases begin with that are measured, and no peer then: `SYSREEL_BENCH_ONLY`.
    pub(crate) only: Option<String>,
    pub(crate) scap: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

impl Beside {
    /// So many events of the load, or the reel that `SYSREEL_BENCH_REEL` names, where it is kept, too.
    pub(crate) fn open(events: u64) -> Beside {
        let folder = tempfile::tempdir().unwrap();
        let kept = std::env::var_os("SYSREEL_BENCH_REEL").map(PathBuf::from);
        let path = kept.unwrap_or_else(|| folder.path().join("load.reel"));
        if !path.exists() {
            super::write(&path, events);
        }
        let reels = Reels::open(std::slice::from_ref(&path)).unwrap();
        let rows = reels.files().flat_map(|(_, reader)| reader.segments()).map(|s| s.rows()).sum();
        let only = std::env::var("SYSREEL_BENCH_ONLY").ok();
        let scap = path.with_extension("scap");
        if only.is_none() && !scap.exists() {
            let program = env!("CARGO_BIN_EXE_sysreel");
            Command::new(program).arg("-r").arg(&path).arg("-w").arg(&scap).arg("--for=0.29").status().unwrap();
        }
        lines(File::open(&path).unwrap());
        File::open(&scap).map(lines).ok();
        Beside { reels, rows, only, scap, folder }
    }

    /// Whether a case is measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.starts_with(&**only))
    }
}

/// Processor time of this process, ns.
pub(crate) fn cpu() -> u64 {
    process_usage().user_ns + process_usage().system_ns
}

/// Processor seconds of a program and the lines that it prints; `None` where it is not installed or refuses. `folder` is scratch.
pub(crate) fn timed(program: &str, words: &[&str], folder: &Path) -> Option<(f64, u64)> {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    let times = folder.join("times");
    let script = "TIMEFORMAT='%U %S'; exec 3>\"$1\"; shift; { time \"$@\" 2> /dev/null; } 2>&3";
    let mut child = Command::new("bash")
        .args(["-c", script, "time"])
        .arg(&times)
        .arg(program)
        .args(words)
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let printed = lines(child.stdout.take()?);
    child.wait().ok()?;
    let told = std::fs::read_to_string(times).ok()?;
    let parts: Vec<f64> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let both = parts.iter().sum::<f64>();
    (parts.len() == 2 && both > 0.0).then_some((both, printed))
}

/// How many lines there are.
fn lines(mut from: impl Read) -> u64 {
    let (mut part, mut lines) = (vec![0; 1 << 16], 0);
    while let Ok(length @ 1..) = from.read(&mut part) {
        lines += memchr::memchr_iter(b'\n', &part[..length]).count() as u64;
    }
    lines
}
