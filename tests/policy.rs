//! Policies of real API servers, held against the logs that those servers wrote under them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::{shared, skip};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use sysreel::source::scap;

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap()
}

fn sysreel(words: &[&str]) -> (String, String) {
    let output = run(words);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words:?}: {said}");
    (String::from_utf8(output.stdout).unwrap(), said)
}

/// Rows of a table of a report, by the first column.
fn table(words: &[&str], place: usize) -> Vec<Value> {
    let (report, _) = sysreel(&[words, &["-j"]].concat());
    let report: Value = serde_json::from_str(&report).unwrap();
    report["tables"][place]["rows"].as_array().unwrap().clone()
}

fn data(test: &str) -> Option<PathBuf> {
    let data = shared().map(|shared| shared.join("data/k8s"));
    if data.is_none() {
        skip(test, "no shared data");
    }
    data
}

/// A log, unpacked.
fn log(path: &Path, folder: &Path) -> (PathBuf, String) {
    let mut text = String::new();
    scap::open(path).unwrap().read_to_string(&mut text).unwrap();
    let plain = folder.join("audit.log");
    std::fs::write(&plain, &text).unwrap();
    (plain, text)
}

fn count(row: &Value, column: &str) -> u64 {
    row[column].as_u64().unwrap()
}

#[test]
fn real_policies_are_taken_and_say_what_they_log() {
    let Some(data) = data("real_policies_are_taken_and_say_what_they_log") else { return };
    let mut exec = BTreeMap::new();
    for (run, name) in ["run2-full", "run3-seed003", "run4-seed000-trunc", "run6-legacy"].map(|run| (run, run)) {
        let path = data.join(run).join("policy.yaml");
        let (report, _) = sysreel(&["audit", "policy", "check", path.to_str().unwrap(), "-j"]);
        let report: Value = serde_json::from_str(&report).unwrap();
        let text = report.to_string();
        assert!(text.contains("the API server takes it"), "{run}: {text}");
        assert!(!text.contains("\"warning\"") && !text.contains("\"error\""), "{run}: {text}");
        let tables = report["tables"].as_array().unwrap();
        let logged = tables.iter().find(|table| table["title"] == "what is logged").unwrap();
        let row = logged["rows"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["REQUEST"] == "exec into a pod (kubectl since 1.30)");
        exec.insert(name, row.unwrap()["LEVEL"].as_str().unwrap().to_owned());
    }
    let want = [
        ("run2-full", "RequestResponse"),
        ("run3-seed003", "Request"),
        ("run4-seed000-trunc", "None"),
        ("run6-legacy", "RequestResponse"),
    ];
    assert_eq!(exec, want.map(|(run, level)| (run, level.to_owned())).into());
}

#[test]
fn what_two_articles_policies_can_never_find_is_said() {
    let Some(data) = data("what_two_articles_policies_can_never_find_is_said") else { return };
    let coverage = |run: &str, chisel: &str| {
        let policy = data.join(run).join("policy.yaml");
        let rows = table(&["audit", "policy", "coverage", policy.to_str().unwrap()], 0);
        rows.into_iter().find(|row| row["CHISEL"] == chisel).unwrap()
    };
    // Deployments and deleted secrets alone: no exec, no roles and bindings.
    assert_eq!(coverage("run4-seed000-trunc", "audit_streams")["ANSWERS"], "never");
    assert_eq!(coverage("run4-seed000-trunc", "audit_secrets")["ANSWERS"], "never");
    let missing = |run: &str, how: &str| {
        let policy = data.join(run).join("policy.yaml");
        let mut rows = table(&["audit", "policy", "coverage", policy.to_str().unwrap()], 1);
        rows.retain(|row| row["CHISEL"] == "audit_escalation" && row["MISSING"] == how);
        rows.iter().map(|row| row["WHAT"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // A row for each, so that it can be read.
    let dead = missing("run4-seed000-trunc", "never found");
    let roles = "ka.target.resource in (roles, clusterroles, rolebindings, clusterrolebindings)";
    assert!(dead.len() > 1 && dead.iter().any(|what| what == roles), "{dead:?}");
    // Everything at Metadata but the core group: there is a binding, and to which role is not known.
    assert_eq!(coverage("run3-seed003", "audit_streams")["ANSWERS"], "yes");
    let escalation = coverage("run3-seed003", "audit_escalation");
    assert_eq!(escalation["ANSWERS"], "in part", "{escalation}");
    assert!(missing("run3-seed003", "always empty").iter().any(|what| what == "ka.req.binding.role"));
    assert_eq!(coverage("run2-full", "audit_escalation")["ANSWERS"], "yes");
}

#[test]
fn a_policy_logs_exactly_what_its_own_server_logged() {
    let Some(data) = data("a_policy_logs_exactly_what_its_own_server_logged") else { return };
    let folder = tempfile::tempdir().unwrap();
    for run in ["run3-seed003", "run4-seed000-trunc"] {
        let (log, text) = log(&data.join(run).join("k8s_audit.log.zst"), folder.path());
        let policy = data.join(run).join("policy.yaml");
        let words = ["audit", "policy", "test", policy.to_str().unwrap(), log.to_str().unwrap()];
        let rows = table(&words, 0);
        let sum = rows.last().unwrap();
        assert_eq!(count(sum, "EVENTS"), text.lines().count() as u64, "{run}");
        assert_eq!(count(sum, "BYTES"), text.len() as u64, "{run}");
        for row in &rows {
            assert_eq!((count(row, "LOGGED"), count(row, "SAVED")), (count(row, "EVENTS"), 0), "{run}: {row}");
            assert_eq!(count(row, "OTHERWISE"), 0, "{run}: {row}");
        }
    }
}

#[test]
fn a_change_of_a_policy_says_what_it_saves_and_what_is_not_known() {
    let Some(data) = data("a_change_of_a_policy_says_what_it_saves_and_what_is_not_known") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (log, text) = log(&data.join("run3-seed003/k8s_audit.log.zst"), folder.path());
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let policy = folder.path().join("policy.yaml");
    let sum = |rules: &str| {
        std::fs::write(&policy, format!("apiVersion: audit.k8s.io/v1\nkind: Policy\n{rules}")).unwrap();
        let words = ["audit", "policy", "test", policy.to_str().unwrap(), log.to_str().unwrap()];
        let (report, _) = sysreel(&[&words[..], &["-j"]].concat());
        let rows = table(&words, 0);
        (rows.last().unwrap().clone(), report)
    };
    let (none, _) = sum("rules:\n- level: None\n");
    assert_eq!((count(&none, "LOGGED"), count(&none, "SAVED")), (0, text.len() as u64));
    let (done, _) = sum("omitStages: [ResponseStarted]\nrules:\n- level: RequestResponse\n");
    let started = events.iter().filter(|event| event["stage"] == "ResponseStarted").count() as u64;
    assert!(started > 0);
    assert_eq!(count(&done, "LOGGED"), events.len() as u64 - started);
    let (less, report) = sum("rules:\n- level: Metadata\n");
    // Independently: the text without its bodies.
    let bodies: u64 = events
        .iter()
        .flat_map(|event| ["requestObject", "responseObject"].map(|key| event.get(key).map(|body| (key, body.clone()))))
        .flatten()
        .count() as u64;
    assert!(bodies > 1000, "{bodies}");
    let plain = events.iter().filter(|event| event["level"] == "Metadata").count() as u64;
    assert_eq!(count(&less, "OTHERWISE"), events.len() as u64 - plain);
    assert!(count(&less, "BYTES THEN") * 2 < count(&less, "BYTES"), "{less}");
    assert!(!report.contains("not known"), "{report}");
    let (_, report) = sum("rules:\n- level: RequestResponse\n");
    assert!(report.contains("events would be logged with bodies that the log does not have"), "{report}");
}

#[test]
fn what_the_server_does_not_take_fails_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    // As an article printed it: without indentation.
    std::fs::write(
        &policy,
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\nresources:\n- group: \"\"\nresources: [secrets]\nverbs: [delete]\n",
    )
    .unwrap();
    let path = policy.to_str().unwrap();
    let (report, _) = sysreel(&["audit", "policy", "check", path]);
    assert!(report.contains("unknown key `resources` in a policy"), "{report}");
    // What is left is a rule about everything.
    let rows = table(&["audit", "policy", "check", path], 1);
    assert!(rows.iter().all(|row| row["LEVEL"] == "Metadata"), "{rows:?}");
    std::fs::write(&policy, "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n").unwrap();
    let output = run(&["audit", "policy", "check", path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("expected at least one rule"));
    let output = run(&["audit", "policy", "coverage", path]);
    assert_eq!(output.status.code(), Some(2));
    let output = run(&["audit", "policy", "teach"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected check, test or coverage"));
}

#[test]
fn chisels_that_can_find_nothing_under_a_policy_are_named_with_why() {
    let test = "chisels_that_can_find_nothing_under_a_policy_are_named_with_why";
    let Some(data) = data(test) else { return };
    let covered = |run: &str| -> BTreeMap<String, Value> {
        let policy = data.join(run).join("policy.yaml");
        let rows = table(&["audit", "policy", "coverage", policy.to_str().unwrap()], 0);
        rows.into_iter().map(|row| (row["CHISEL"].as_str().unwrap().to_owned(), row)).collect()
    };
    let full = covered("run2-full");
    assert!(full.len() >= 10 && !full.contains_key("ps"), "{full:?}");
    assert_eq!(full["audit_streams"]["ANSWERS"], "yes", "{full:?}");
    // Under the first article's policy neither of its own two scenarios is recorded.
    let article = covered("run4-seed000-trunc");
    // (a failed login is, where it asked for one of the two resources that have a rule.)
    for (chisel, answers) in [("audit_streams", "never"), ("audit_logins", "in part"), ("audit_share", "in part")] {
        assert_eq!(article[chisel]["ANSWERS"], answers, "{article:?}");
        assert!(article[chisel]["WHY NOT"].as_str().unwrap().contains("no rule is about it"), "{article:?}");
    }
    // Under the second's, pods are logged with their bodies and bindings are not.
    let second = covered("run3-seed003");
    assert_eq!(second["audit_streams"]["ANSWERS"], "yes", "{second:?}");
}

#[test]
fn a_question_about_bodies_that_were_not_logged_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let event = |level: &str| {
        format!(
            "{{\"level\":\"{level}\",\"auditID\":\"{level}\",\"stage\":\"ResponseComplete\",\"verb\":\"create\",\"stageTimestamp\":\"2026-11-21T12:00:00.000000Z\"}}\n"
        )
    };
    std::fs::write(&log, event("Metadata")).unwrap();
    let path = log.to_str().unwrap();
    let ask = |words: &[&str]| sysreel(&[&["-r", path], words].concat()).1;
    let filter = "ka.req.container.privileged = true";
    let said = ask(&[filter]);
    assert!(
        said.contains("`ka.req.container.privileged` needs audit events at level Request, found Metadata at most"),
        "{said}"
    );
    assert!(ask(&["-p", "%ka.resp.name"]).contains("needs audit events at level RequestResponse"));
    assert_eq!(ask(&["ka.verb = create"]), "");
    std::fs::write(&log, event("Metadata") + &event("Request")).unwrap();
    assert_eq!(ask(&[filter]), "");
}
