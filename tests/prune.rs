//! Retention of audit events, on a real log: what is too old goes, the rest stays byte for byte.

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
    let text = sysreel(&["-r", reel.to_str().unwrap(), "-p", "*%evt.num %ka.raw"]);
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

#[test]
fn what_cannot_be_pruned_is_told_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let calls = folder.path().join("calls.reel");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/shell.reel");
    std::fs::copy(sample, &calls).unwrap();
    let before = std::fs::read(&calls).unwrap();
    let path = calls.to_str().unwrap();
    let output = run(&["prune", path, "--keep", "Metadata=1d"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("expected audit events alone, found system calls beside them"), "{said}");
    // In a folder it is passed over.
    let output = run(&["prune", folder.path().to_str().unwrap(), "--keep", "Metadata=1d"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("passed over"));
    assert_eq!(std::fs::read(&calls).unwrap(), before);
    for (words, want) in [
        (&["prune", path][..], "expected --keep, found none"),
        (&["prune", path, "--keep", "Metadata=soon"], "expected an age such as"),
        (&["prune", "--keep", "Metadata=1d"], "expected a reel, found none"),
        // Pruning leaves reels with system calls as they are, so a recorder of them does not promise it.
        (
            &["-w", "x", "-G", "day", "--keep", "Metadata=1d", "--", "true"],
            "expected a recording of audit events alone",
        ),
    ] {
        let output = run(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(want), "{words:?}: {said}");
    }
}
