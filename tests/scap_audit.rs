//! Kubernetes audit events in scap files: read as audit events, and written for sysdig and Falco as events of their plugin.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::{shared, skip};
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use sysreel::format::scap::block::NO_THREAD;
use sysreel::format::scap::write::{EventBlock, Stamp, section};
use sysreel::source::scap;

/// `pluginevent`.
const PLUGIN: u16 = 322;

fn sysreel(words: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words:?}: {said}");
    (String::from_utf8(output.stdout).unwrap(), said)
}

fn ask(file: &Path, words: &[&str]) -> String {
    sysreel(&[&["-r", file.to_str().unwrap()], words].concat()).0
}

/// A scap file of plugin events: number of the plugin, time (ns UTC), what it carries.
fn plugin_scap(file: &Path, events: &[(u32, u64, &str)]) {
    let (mut out, mut block) = (Vec::new(), EventBlock::default());
    section(&mut out);
    for &(id, time, text) in events {
        block.begin(PLUGIN);
        block.param(|out| out.extend(id.to_le_bytes()));
        block.param(|out| out.extend(text.as_bytes()));
        block.finish(&mut out, Stamp { cpu: 0, time, tid: NO_THREAD, hidden: false });
    }
    std::fs::write(file, out).unwrap();
}

/// An audit event of 12:00 on 2026-11-21, [`NOON`].
fn event(id: &str, verb: &str) -> String {
    format!(
        "{{\"kind\":\"Event\",\"level\":\"Metadata\",\"auditID\":\"{id}\",\"stage\":\"ResponseComplete\",\"verb\":\"{verb}\",\"new\":{{\"a\":1}},\"stageTimestamp\":\"2026-11-21T12:00:00.000000Z\"}}"
    )
}

const NOON: u64 = 1_795_262_400_000_000_000;

#[test]
fn events_of_every_audit_plugin_are_audit_events_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.scap");
    let texts: Vec<String> = ["a", "b", "c", "d", "e"].iter().map(|id| event(id, "list")).collect();
    // Of the k8saudit, -eks, -gke, -aks and -ovh plugins.
    let mut events: Vec<(u32, u64, &str)> =
        [1, 9, 16, 21, 22].iter().zip(&texts).map(|(&id, text)| (id, NOON, text.as_str())).collect();
    let late = event("f", "watch");
    // cloudtrail; k8saudit without an audit event in it; one whose time is not the one in it; with a blank around it
    events.extend([(2, NOON, texts[0].as_str()), (1, NOON, "{\"a\":1}"), (1, NOON + 5, &late)]);
    plugin_scap(&file, &events);
    let kinds = ask(&file, &["-p", "*%evt.num %evt.type %ka.verb"]);
    let line = |n: usize, kind: &str, verb: &str| format!("{n} {kind} {verb}");
    let found: Vec<&str> = kinds.lines().collect();
    let mut expected: Vec<String> = (1..=5).map(|n| line(n, "k8saudit", "list")).collect();
    expected.extend([line(6, "pluginevent", "<NA>"), line(7, "pluginevent", "<NA>"), line(8, "k8saudit", "watch")]);
    assert_eq!(found, expected);
    let raw = ask(&file, &["-p", "%ka.raw", "evt.type = k8saudit"]);
    assert_eq!(
        raw.lines().collect::<Vec<_>>(),
        texts.iter().map(String::as_str).chain([late.as_str()]).collect::<Vec<_>>()
    );
    assert_eq!(ask(&file, &["-p", "%evt.rawtime", "ka.verb = watch"]).trim(), (NOON + 5).to_string());
    assert_eq!(ask(&file, &["-p", "%evt.arg.plugin_id", "evt.num = 6"]).trim(), "2");
}

/// A real log, unpacked.
fn log(data: &Path, folder: &Path) -> PathBuf {
    let mut text = String::new();
    scap::open(&data.join("k8s/run4-seed000-trunc/k8s_audit.log.zst")).unwrap().read_to_string(&mut text).unwrap();
    let file = folder.join("audit.log");
    std::fs::write(&file, text).unwrap();
    file
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_real_log_goes_into_scap_and_comes_back_byte_for_byte() {
    let Some(data) = shared().map(|shared| shared.join("data")) else {
        return skip("a_real_log_goes_into_scap_and_comes_back_byte_for_byte", "no shared data");
    };
    let folder = tempfile::tempdir().unwrap();
    let (log, file, reel) = (log(&data, folder.path()), folder.path().join("x.scap"), folder.path().join("x.reel"));
    let want = std::fs::read_to_string(&log).unwrap();
    let (_, said) = sysreel(&["-r", log.to_str().unwrap(), "-w", file.to_str().unwrap()]);
    assert_eq!(said.lines().next().map(|line| line.split(" in ").next().unwrap()), Some("858 events of 858 rows"));
    assert!(!said.contains("note:"), "nothing is left out: {said}");
    assert_eq!(sorted(&ask(&file, &["-p", "%ka.raw"])), sorted(&want));
    sysreel(&["-q", "-r", file.to_str().unwrap(), "-w", reel.to_str().unwrap()]);
    assert_eq!(sorted(&ask(&reel, &["-p", "%ka.raw"])), sorted(&want));
    let facts = "%evt.rawtime %ka.verb %ka.user.name %ka.target.resource %ka.target.name %ka.response.code";
    assert_eq!(ask(&file, &["-p", facts]), ask(&log, &["-p", facts]));
    let pods = ask(&file, &["-p", facts, "ka.verb = create and ka.target.resource = pods"]);
    assert_eq!(pods, ask(&log, &["-p", facts, "ka.verb = create and ka.target.resource = pods"]));
}

#[test]
fn sysdig_reads_audit_events_beside_calls() {
    let test = "sysdig_reads_audit_events_beside_calls";
    let Some(data) = shared().map(|shared| shared.join("data")) else { return skip(test, "no shared data") };
    let version = Command::new("sysdig").arg("--version").output();
    if !version.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("0.29.3")) {
        return skip(test, "needs sysdig 0.29.3");
    }
    let folder = tempfile::tempdir().unwrap();
    let (log, audit, both) = (log(&data, folder.path()), folder.path().join("x.scap"), folder.path().join("both.scap"));
    sysreel(&["-q", "-r", log.to_str().unwrap(), "-w", audit.to_str().unwrap()]);
    // Captures that are put one behind the other are one.
    let mut bytes = Vec::new();
    scap::open(&data.join("scap/falco_privileged.scap")).unwrap().read_to_end(&mut bytes).unwrap();
    bytes.extend(std::fs::read(&audit).unwrap());
    std::fs::write(&both, bytes).unwrap();
    let sysdig = |file: &Path, words: &[&str]| {
        let out = Command::new("sysdig").arg("-r").arg(file).args(words).env("TZ", "UTC").output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    // The time stands in a column that is there only where it is asked for.
    let words = ["-p", "%evt.rawtime %evt.type"];
    let theirs = sysdig(&both, &[&words[..], &["evt.type=pluginevent"]].concat());
    let mut want = String::new();
    for time in ask(&log, &["-p", "%evt.rawtime"]).lines() {
        writeln!(want, "{time} pluginevent").unwrap();
    }
    assert_eq!(theirs, want);
    let texts = sysdig(&audit, &["-A", "-p", "%evt.arg.event_data"]);
    let found: Vec<&str> = texts.lines().filter(|line| !line.is_empty()).collect();
    let log = std::fs::read_to_string(&log).unwrap();
    assert_eq!(found.len(), log.lines().count());
    // sysdig 0.29.3 shows so much of a value.
    let starts = |lines: Vec<&str>| {
        let mut starts: Vec<String> = lines.iter().map(|line| line.chars().take(500).collect()).collect();
        starts.sort();
        starts
    };
    assert_eq!(starts(found), starts(log.lines().collect()));
    let (mine, _) = sysreel(&["-r", both.to_str().unwrap(), "-p", "%evt.type"]);
    assert_eq!(mine.lines().filter(|kind| *kind == "k8saudit").count(), 858);
}
