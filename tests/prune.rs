//! Retention of audit events, on a real log and beside real system calls: what is too old goes, the rest stays byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::{shared, skip};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use sysreel::reel::Reader;
use sysreel::source::scap;

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap()
}

fn sysreel(words: &[&str]) -> String {
    let output = run(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A log with all levels, of 2026-11-21 21:2x UTC, as a reel.
fn reel(test: &str, folder: &Path) -> Option<PathBuf> {
    let Some(data) = shared().map(|shared| shared.join("data")) else {
        skip(test, "no shared data");
        return None;
    };
    let mut text = String::new();
    let log = data.join("k8s/run3-seed003/k8s_audit.log.zst");
    scap::open(&log).unwrap().read_to_string(&mut text).unwrap();
    let (plain, reel) = (folder.join("audit.log"), folder.join("audit.reel"));
    std::fs::write(&plain, text).unwrap();
    sysreel(&["-q", "-r", plain.to_str().unwrap(), "-w", reel.to_str().unwrap()]);
    Some(reel)
}

/// Level, whether it has bodies, whether it says that it was pruned, by number.
fn events(reel: &Path) -> BTreeMap<u64, String> {
    let text = sysreel(&["-r", reel.to_str().unwrap(), "-p", "*%evt.num %ka.raw", "evt.type = k8saudit"]);
    text.lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(num, raw)| (num.parse().unwrap(), raw.to_owned()))
        .collect()
}

fn rows(report: &str) -> serde_json::Value {
    serde_json::from_str(report).unwrap()
}

/// So many hours after the log.
const WEEK_LATER: &str = "2026-11-29T22:00:00Z";

#[test]
fn bodies_go_by_level_and_the_rest_comes_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let Some(reel) = reel("bodies_go_by_level_and_the_rest_comes_back_byte_for_byte", folder.path()) else { return };
    let path = reel.to_str().unwrap();
    let before = events(&reel);
    let size = std::fs::metadata(&reel).unwrap().len();
    let keep = ["--keep", "RequestResponse=7d,Request=30d,Metadata=90d", "--at", WEEK_LATER];
    let dry = sysreel(&[&["prune", path, "--dry-run", "-j"], &keep[..]].concat());
    assert_eq!(std::fs::metadata(&reel).unwrap().len(), size, "a dry run changes nothing");
    let done = sysreel(&[&["prune", path, "-j"], &keep[..]].concat());
    let table = |report: &str| rows(report)["tables"][0]["rows"][0].clone();
    let (dry, done) = (table(&dry), table(&done));
    assert_eq!(dry["AFTER"], done["AFTER"], "a dry run says what it comes to: {dry} {done}");
    let after_size = std::fs::metadata(&reel).unwrap().len();
    assert_eq!(done["AFTER"], after_size);
    assert!(after_size < size, "{after_size} {size}");
    let after = events(&reel);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "numbers stay");
    let (mut changed, mut same) = (0u64, 0u64);
    for (num, old) in &before {
        let new = &after[num];
        if old.contains("\"responseObject\":") {
            let (old, new): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(old).unwrap(), serde_json::from_str(new).unwrap());
            let mut want = old.clone();
            want.as_object_mut().unwrap().remove("responseObject");
            want["annotations"]["sysreel/pruned"] = "responseObject".into();
            assert_eq!(new, want, "{num}");
            changed += 1;
        } else {
            assert_eq!(old, new, "{num}");
            same += 1;
        }
    }
    assert!(changed > 100 && same > 100, "{changed} {same}");
    assert_eq!(done["NO RESPONSE"], changed);
    // The result says what it does not contain, and is as it was written.
    let info = sysreel(&["info", path]);
    assert!(info.contains(&format!("0 audit events went, {changed} lost their response, 0 both bodies")), "{info}");
    assert!(run(&["verify", path]).status.success());
    let pruned = sysreel(&["-r", path, "-p", "%ka.pruned", "ka.pruned exists"]);
    assert_eq!(pruned.lines().count() as u64, changed);
    assert!(pruned.lines().all(|line| line == "responseObject"));
    // Nothing more goes at the same time.
    let again = sysreel(&[&["prune", path, "-j"], &keep[..]].concat());
    assert_eq!((&table(&again)["NO RESPONSE"], &table(&again)["SAVED"]), (&0.into(), &0.into()));
}

#[test]
fn selectors_keep_what_they_name_and_a_reel_of_which_nothing_is_left_goes() {
    let test = "selectors_keep_what_they_name_and_a_reel_of_which_nothing_is_left_goes";
    let folder = tempfile::tempdir().unwrap();
    let Some(reel) = reel(test, folder.path()) else { return };
    let path = reel.to_str().unwrap();
    let filter = "ka.verb in (delete, deletecollection) or ka.target.namespace = kube-system";
    let want = sysreel(&["-r", path, "-p", "%evt.num %ka.raw", filter]);
    assert!(want.lines().count() > 20);
    let rules = ["--keep", "Metadata=1d", "--keep", "verb=delete|deletecollection=1y,namespace=kube-system=180d"];
    sysreel(&[&["prune", folder.path().to_str().unwrap(), "--at", WEEK_LATER], &rules[..]].concat());
    assert_eq!(sysreel(&["-r", path, "-p", "%evt.num %ka.raw"]), want);
    sysreel(&["prune", path, "--keep", "Metadata=0s", "--at", WEEK_LATER]);
    assert!(!reel.exists());
}

/// A reel of the system calls of a small cluster and what its API server logged of it, and as of when that is old.
fn mixed(folder: &Path) -> PathBuf {
    let reel = folder.join("node.reel");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/pods.reel"), &reel).unwrap();
    reel
}

const DAY_LATER: &str = "2026-11-23T15:00:00Z";

/// What does not depend on audit events.
fn of_calls(reel: &Path) -> Vec<String> {
    let path = reel.to_str().unwrap();
    let calls = "evt.type != k8saudit";
    let questions = [
        &["-j", calls][..],
        &["-p", "%evt.num %evt.time %proc.name %proc.pname %fd.name %container.id %evt.args", calls],
        &["-c", "ps"],
        &["-c", "lsof"],
        &["-c", "topscalls", calls],
        &["-c", "lscontainers"],
        &["-c", "topprocs_cpu"],
    ];
    questions.iter().map(|words| sysreel(&[&["-r", path], *words].concat())).collect()
}

/// The bodies of the batches without audit events, and of the initial state.
fn bodies_of_calls(reel: &Path) -> Vec<Vec<u8>> {
    let reader = Reader::open(reel).unwrap();
    let mut bodies = Vec::new();
    for (index, segment) in reader.segments().iter().enumerate() {
        for at in segment.snapshots.iter().chain(&segment.batches) {
            let stored = reader.stored(index, at, &reader.durations(index).unwrap()).unwrap();
            let kinds = &segment.schema.as_ref().unwrap().kinds;
            if stored.head.kinds.iter().all(|kind| kinds[usize::from(kind.kind)].name != "k8saudit") {
                bodies.push(stored.body);
            }
        }
    }
    bodies
}

fn texts(reel: &Path) -> Vec<u8> {
    let reader = Reader::open(reel).unwrap();
    let delta = |segment| reader.delta(segment).unwrap();
    (0..reader.segments().len()).flat_map(|s| [delta(s).string_bytes, delta(s).apart_bytes].concat()).collect()
}

#[test]
fn beside_system_calls_only_audit_events_go_and_every_other_answer_stays() {
    let folder = tempfile::tempdir().unwrap();
    let reel = mixed(folder.path());
    let path = reel.to_str().unwrap();
    let (calls, batches, before) = (of_calls(&reel), bodies_of_calls(&reel), events(&reel));
    let sessions = sysreel(&["-r", path, "-p", "%evt.num %proc.audit.user", "proc.audit.user in (bob, carol)"]);
    assert!(
        batches.len() > 1 && sessions.lines().count() > 10 && memchr::memmem::find(&texts(&reel), b"alice").is_some()
    );
    let keep = ["--keep", "user=alice=1h,RequestResponse=1h", "--at", DAY_LATER, "-j"];
    let dry = rows(&sysreel(&[&["prune", path, "--dry-run"], &keep[..]].concat()))["tables"][0]["rows"][0].clone();
    assert_eq!(events(&reel), before, "a dry run changes nothing");
    let done = rows(&sysreel(&[&["prune", path], &keep[..]].concat()))["tables"][0]["rows"][0].clone();
    assert_eq!(dry, done, "a dry run says what it comes to");
    assert_eq!((&done["EVENTS"], &done["GONE"], &done["NO RESPONSE"]), (&7.into(), &4.into(), &1.into()));
    assert_eq!(done["AFTER"], std::fs::metadata(&reel).unwrap().len());
    assert!(run(&["verify", path]).status.success());
    assert!(of_calls(&reel) == calls);
    assert!(bodies_of_calls(&reel) == batches, "what is not touched is copied byte for byte");
    let after = events(&reel);
    assert!(after.values().all(|raw| !raw.contains("alice")));
    assert!(memchr::memmem::find(&texts(&reel), b"alice").is_none(), "the dictionary forgets what goes");
    for (num, raw) in &after {
        let mut want: serde_json::Value = serde_json::from_str(&before[num]).unwrap();
        if want.as_object_mut().unwrap().remove("responseObject").is_some() {
            want["annotations"]["sysreel/pruned"] = "responseObject".into();
        }
        assert_eq!(serde_json::from_str::<serde_json::Value>(raw).unwrap(), want);
    }
    assert_eq!(after.len(), 3);
    // When all of them are gone the calls are still there.
    sysreel(&["prune", path, "--keep", "Metadata=1h", "--at", DAY_LATER]);
    assert!(events(&reel).is_empty() && run(&["verify", path]).status.success());
    assert!(of_calls(&reel) == calls && bodies_of_calls(&reel) == batches);
    let info = sysreel(&["info", path]);
    assert!(info.contains("7 audit events went, 1 lost their response"), "{info}");
}

#[test]
fn a_recorder_of_calls_and_audit_events_prunes_the_files_behind_it() {
    if !common::live::able("retention beside calls") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let event = |n: u32| {
        format!(
            "{{\"auditID\":\"{n}\",\"verb\":\"get\",\"stage\":\"ResponseComplete\",\"stageTimestamp\":\"2026-11-21T12:00:{n:02}.000000Z\"}}\n"
        )
    };
    std::fs::write(&log, (10..30).map(event).collect::<String>()).unwrap();
    let reel = folder.path().join("x.reel");
    // Ends when the log was taken in and the calls behind that fill more files.
    let script = "until test -s \"$1\"; do /bin/true; done; for n in 1 2 3 4 5 6 7 8 9; do /bin/true; done";
    let position = folder.path().join("x.reel.position");
    let words = ["-q", "-w", reel.to_str().unwrap(), "-e", "60", "--keep", "Metadata=1h", "--audit-log"];
    let command = ["--flush", "0.05", "--", "sh", "-c", script, "sh", position.to_str().unwrap()];
    sysreel(&[&words[..], &[log.to_str().unwrap()], &command[..]].concat());
    let files = || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let reels: Vec<PathBuf> =
        files().filter(|path| path.to_string_lossy().contains("x.reel") && *path != position).collect();
    let pruned: Vec<_> = reels.iter().filter_map(|path| Reader::open(path).unwrap().header().pruned.clone()).collect();
    assert!(reels.len() > 3 && !pruned.is_empty(), "{reels:?} {pruned:?}");
    // The last file has no file behind it.
    assert!(pruned.iter().map(|pruned| pruned.events).sum::<u64>() >= 1);
    for path in &reels {
        assert!(run(&["verify", path.to_str().unwrap()]).status.success(), "{}", path.display());
    }
    std::fs::remove_file(position).unwrap();
    let folder = folder.path().to_str().unwrap();
    let execs = sysreel(&["-r", folder, "-p", "%evt.reel %evt.num", "evt.type = execve and proc.name = true"]);
    assert!(execs.lines().count() >= 9, "{execs}");
    let whole = run(&["-r", folder, "-c", "topscalls"]);
    assert!(whole.status.success() && whole.stderr.is_empty(), "{}", String::from_utf8_lossy(&whole.stderr));
}

#[test]
fn who_is_killed_while_pruning_leaves_the_reel_as_it_was() {
    let test = "who_is_killed_while_pruning_leaves_the_reel_as_it_was";
    let folder = tempfile::tempdir().unwrap();
    let Some(reel) = reel(test, folder.path()) else { return };
    let (path, before) = (reel.to_str().unwrap(), std::fs::read(&reel).unwrap());
    let keep = ["--keep", "RequestResponse=7d,Request=7d", "--at", WEEK_LATER];
    let words = [&["prune", path], &keep[..]].concat();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(&words).spawn().unwrap();
    let (part, deadline) = (sysreel::reel::part_of(&reel), Instant::now() + Duration::from_secs(60));
    while !part.exists() && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it never began to write");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    let is_killed = !child.wait().unwrap().success();
    assert!(!is_killed || std::fs::read(&reel).unwrap() == before);
    // What was left does not stand in the way.
    sysreel(&words);
    assert!(!part.exists() && run(&["verify", path]).status.success());
    assert!(sysreel(&["-r", path, "ka.req.obj exists or ka.resp.obj exists"]).is_empty());
}

#[test]
fn what_cannot_be_pruned_is_told_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.reel");
    let sample = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/pods.reel")).unwrap();
    let mut before = sample.clone();
    before[sample.len() / 2] ^= 0xff;
    std::fs::write(&broken, &before).unwrap();
    let path = broken.to_str().unwrap();
    let output = run(&["prune", path, "--keep", "Metadata=1s", "--at", DAY_LATER]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("expected a whole reel, found a damaged one"), "{said}");
    assert_eq!(std::fs::read(&broken).unwrap(), before);
    // Of system calls nothing goes.
    let calls = folder.path().join("calls.reel");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/shell.reel");
    std::fs::copy(&sample, &calls).unwrap();
    let path = calls.to_str().unwrap();
    sysreel(&["prune", path, "--keep", "Metadata=1s", "--at", DAY_LATER]);
    assert_eq!(std::fs::read(&calls).unwrap(), std::fs::read(&sample).unwrap());
    for (words, want) in [
        (&["prune", path][..], "expected --keep, found none"),
        (&["prune", path, "--keep", "Metadata=soon"], "expected an age such as"),
        (&["prune", "--keep", "Metadata=1d"], "expected a reel, found none"),
        (
            &["-w", "x", "-G", "day", "--keep", "Metadata=1d", "--", "true"],
            "expected --audit-log or --audit-webhook with --keep, found neither",
        ),
    ] {
        let output = run(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(want), "{words:?}: {said}");
    }
}
