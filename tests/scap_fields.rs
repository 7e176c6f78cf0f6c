//! What sysdig 0.29.3 says of each event of real captures (`../shared/data/scap/golden`), field by field, against what we
//! say of the same file. Where the two differ, `tests/scap/fields.tsv` has the reason; a line of it that explains nothing
//! any more fails the test.
//!
//! An event of sysdig's that only tells how a call began has no row of its own here: the call's row has its values.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::differences::Table;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use sysreel::event::SPECS;

/// Captures with sysdig's values.
const SAMPLES: &[&str] = &[
    "falco_privileged",
    "falco_run_as_user_0_container",
    "falco_syscall",
    "libs_curl_google",
    "libs_test_ipv6_client",
];

/// `evt.args` is compared parameter by parameter; the second is the same; the third is a number in JSON of sysdig's.
const COMPARED_OTHERWISE: &[&str] = &["evt.args", "evt.info", "evt.datetime"];

type Object = Map<String, Value>;

/// Names of parameters by kind: theirs, which `events.tsv` has, and ours.
fn parameter_names(shared: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in std::fs::read_to_string(shared.join("spec/events.tsv")).unwrap().lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let of = names.entry(columns[2].to_owned()).or_default();
        of.extend(columns[8].split(", ").filter_map(|p| p.split(':').next()).map(str::to_owned));
    }
    for spec in SPECS {
        let of = names.entry(spec.name.to_owned()).or_default();
        of.extend(spec.ret.iter().map(|r| r.name.to_owned()));
        of.extend(spec.params.iter().map(|p| p.name.to_owned()));
    }
    names
}

/// `name=value name=value ` by name; a value may hold blanks, a name is one that the kind has.
fn arguments<'a>(text: &'a str, names: &BTreeSet<String>) -> BTreeMap<&'a str, &'a str> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    for name in names {
        let with = format!("{name}=");
        for (at, _) in text.match_indices(&with) {
            if at == 0 || text.as_bytes()[at - 1] == b' ' {
                starts.push((at, at + with.len()));
            }
        }
    }
    starts.sort_unstable();
    let ends: Vec<usize> = starts.iter().skip(1).map(|s| s.0).chain([text.len()]).collect();
    let mut found = BTreeMap::new();
    for (&(at, value), end) in starts.iter().zip(ends) {
        found.entry(&text[at..value - 1]).or_insert(text[value..end].trim_end());
    }
    found
}

/// Of a bit set with names only the names: its number is sysdig's own there, and the kernel's here.
fn names_of(value: &str) -> &str {
    match value.split_once('(') {
        Some((number, names)) if names.starts_with(|c: char| c.is_ascii_uppercase()) && !number.starts_with('-') => {
            names
        }
        _ => value,
    }
}

/// A value as the table writes it.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "null".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Ours: each row's values by its number.
fn ours(capture: &Path, fields: &[&str]) -> BTreeMap<String, Object> {
    let format: Vec<String> = fields.iter().map(|f| format!("%{f}")).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sysreel"));
    command.env("TZ", "UTC").arg("-r").arg(capture).args(["-j", "-p", &format.join(" ")]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = output.stdout.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let row: Object = serde_json::from_slice(line).unwrap();
            (shown(row.get("evt.num")), row)
        })
        .collect()
}

fn golden(folder: &Path) -> Vec<Object> {
    let packed = std::fs::read(folder.join("fields.json.zst")).unwrap();
    let text = zstd::decode_all(&packed[..]).unwrap();
    text.split(|&b| b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect()
}

/// Fields that both have.
fn common_fields(row: &Object) -> Vec<&str> {
    let known: BTreeSet<&str> = sysreel::field::all().map(|f| f.name).collect();
    let plain = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
    row.keys().map(String::as_str).filter(|name| known.contains(&*plain(name))).collect()
}

#[test]
fn each_event_has_the_values_that_sysdig_gives_it() {
    let name = "each_event_has_the_values_that_sysdig_gives_it";
    let Some(shared) = common::shared() else {
        common::skip(name, "no shared folder");
        return;
    };
    let names = parameter_names(&shared);
    let none = BTreeSet::new();
    let mut differences = Table::read("tests/scap/fields.tsv");
    for file in SAMPLES {
        let theirs = golden(&shared.join("data/scap/golden").join(file));
        let fields = common_fields(&theirs[0]);
        let ours = ours(&shared.join(format!("data/scap/{file}.scap")), &fields);
        let mut found = differences.of(file);
        let mut met = 0;
        for row in &theirs {
            let (num, kind) = (shown(row.get("evt.num")), shown(row.get("evt.type")));
            let Some(our) = ours.get(&num) else {
                // The beginning of a call: the row of its end stands for both.
                found.compare_at(&num, &kind, "evt.dir", &shown(row.get("evt.dir")), ">");
                continue;
            };
            met += 1;
            for &field in fields.iter().filter(|f| !COMPARED_OTHERWISE.contains(f)) {
                let (mut their, our) = (shown(row.get(field)), shown(our.get(field)));
                if field == "fd.dev" {
                    // The JSON of 0.29 has its hexadecimal form as text.
                    their = u64::from_str_radix(&their, 16).map_or(their, |dev| dev.to_string());
                }
                found.compare_at(&num, &kind, field, their.trim_end(), our.trim_end());
            }
            let of = names.get(&kind).unwrap_or(&none);
            let (their, our) = (shown(row.get("evt.args")), shown(our.get("evt.args")));
            let our = arguments(&our, of);
            for (name, value) in arguments(&their, of) {
                let mine = our.get(name).copied().unwrap_or("null");
                found.compare_at(&num, &kind, &format!("evt.arg.{name}"), names_of(value), names_of(mine));
            }
        }
        println!("{file}: {met} of {} events, {} values compared", theirs.len(), found.compared());
        assert!(met > 0, "{file}: no event has a row");
        found.done();
    }
    differences.done();
}
