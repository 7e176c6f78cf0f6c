//! How fast audit logs become reels, and how large those are: `cargo bench --bench audit -- FILE…` (JSON lines; several are one log).
//!
//! Without files: run2-full of the shared data, as it is and without its bodies (needs `jq`).

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints figures and may fail")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use sysreel::engine::{import_audit, open_all};
use sysreel::reel::Writer;

fn main() {
    let named: Vec<PathBuf> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).map(Into::into).collect();
    let folder = tempfile::tempdir().unwrap();
    if !named.is_empty() {
        return one("as named", &named, folder.path());
    }
    let shared = std::env::var_os("SYSREEL_SHARED").map_or_else(|| PathBuf::from("../shared"), Into::into);
    let Ok(entries) = std::fs::read_dir(shared.join("data/k8s/run2-full/log")) else {
        return println!("skipped: audit: no shared data");
    };
    let mut logs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    logs.sort();
    let (whole, meta) = (folder.path().join("whole.log"), folder.path().join("meta.log"));
    let mut out = std::fs::File::create(&whole).unwrap();
    for (_, mut input) in open_all(&logs).unwrap() {
        std::io::copy(&mut input, &mut out).unwrap();
    }
    out.flush().unwrap();
    one("run2-full", std::slice::from_ref(&whole), folder.path());
    let lines = std::fs::File::create(&meta).unwrap();
    let bare = "del(.requestObject, .responseObject) | .level = \"Metadata\"";
    match Command::new("jq").args(["-c", bare]).arg(&whole).stdout(lines).status() {
        Ok(status) if status.success() => {}
        _ => return println!("skipped: Metadata level: no jq"),
    }
    one("Metadata level", std::slice::from_ref(&meta), folder.path());
    let begun = Instant::now();
    let query = "select(.verb == \"delete\") | .user.username";
    let counted = Command::new("jq").args(["-c", query]).arg(&meta).output().unwrap();
    let users = String::from_utf8_lossy(&counted.stdout).lines().count();
    println!("jq, the same file: {users} deletes in {:.2} s", begun.elapsed().as_secs_f64());
}

/// Makes a reel of a log three times, and says what the fastest took.
fn one(name: &str, log: &[PathBuf], folder: &Path) {
    let reel = folder.join("bench.reel");
    let (mut best, mut events) = (f64::MAX, 0);
    for _ in 0..3 {
        let begun = Instant::now();
        let create = |header: &_| Ok(Writer::create(&reel, header).unwrap());
        events = import_audit(open_all(log).unwrap(), create, &mut |_, _| {}).unwrap().counts.events;
        best = best.min(begun.elapsed().as_secs_f64());
    }
    let plain: u64 = log.iter().map(|path| std::fs::metadata(path).unwrap().len()).sum();
    let stored = std::fs::metadata(&reel).unwrap().len();
    println!(
        "{name}: {events} events, {plain} bytes in {best:.2} s: {:.0} events/s, {:.1} bytes per event",
        events as f64 / best,
        stored as f64 / events as f64
    );
}
