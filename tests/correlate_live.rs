//! Who really ran this, asked while it runs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{Group, SYSREEL, able, groups, has};
use common::skip;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a session in a container of a pod until a line that `is_it` says yes to is shown while it runs; whether one was.
fn watched(group: &Path, words: &[&str], is_it: impl Fn(&str) -> bool) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    std::fs::write(&log, "").unwrap();
    let script = format!("{}/tests/programs/session.sh", env!("CARGO_MANIFEST_DIR"));
    let mut child = Command::new(SYSREEL)
        .arg("--audit-log")
        .arg(&log)
        .args(words)
        .args(["--", "bash", &script])
        .args([group, log.as_path(), folder.path()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let mut is_shown = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
        is_shown |= is_it(&line);
        // The session lasts until it is told to end.
        if is_shown || begun.elapsed() > Duration::from_secs(60) {
            std::fs::write(folder.path().join("stop"), "").unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
    is_shown && !folder.path().join("given-up").exists()
}

#[test]
fn a_session_is_shown_while_it_runs() {
    let test = "a_session_is_shown_while_it_runs";
    if !able(test) || !has(test, "bash") {
        return;
    }
    let Some(root) = groups() else { return skip(test, "needs control groups of version 2") };
    let Some(web) = Group::of_pod(&root, "6f1b2c3d-0000-4abc-9def-0123456789ef", 'c') else {
        return skip(test, "needs to make control groups");
    };
    let format = "%proc.audit.user %proc.audit.action %proc.name %proc.audit.by";
    let lines = ["-p", format, "proc.audit.user = alice and evt.type = execve"];
    assert!(watched(&web.0, &lines, |line| line == "alice exec cat container,command,time"));
    let tables = ["-c", "exec_sessions", "--every", "0.3s", "proc.audit.user = alice"];
    assert!(watched(&web.0, &tables, |line| line.contains("alice") && line.contains("cat ")));
}
