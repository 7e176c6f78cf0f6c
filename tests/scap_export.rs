//! What `-w FILE.scap` writes, read by sysdig 0.29.3: named skips where that is not installed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{able, sysreel};
use common::skip;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use sysreel::format::scap::write::known_to_029;
use sysreel::format::scap::{TYPES, event_type};

/// Whether the sysdig that answers are compared with is here.
fn has_sysdig(test: &str) -> bool {
    let version = Command::new("sysdig").arg("--version").output();
    let found = version.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("0.29.3"));
    if !found {
        skip(test, "needs sysdig 0.29.3");
    }
    found
}

/// What sysdig says of a file. It must not fail.
fn sysdig(file: &Path, words: &[&str]) -> Vec<String> {
    let out = Command::new("sysdig").arg("-r").arg(file).args(words).env("TZ", "UTC").output().unwrap();
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect()
}

/// What we say of a file.
fn ours(file: &Path, words: &[&str]) -> Vec<String> {
    let out = sysreel(&[&["-r", file.to_str().unwrap()], words].concat());
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect()
}

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(format!("{name}.reel"))
}

/// Exports a reel, and returns the file and what was said.
fn export(reel: &Path, folder: &Path, words: &[&str]) -> (PathBuf, String) {
    let file = folder.join("test.scap");
    let out = sysreel(&[&["-r", reel.to_str().unwrap(), "-w", file.to_str().unwrap()], words].concat());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{said}");
    (file, said)
}

const CAPTURES: &[&str] = &["shell", "web", "login", "build"];

const FIELDS: &[&str] = &[
    "proc.name",
    "proc.exe",
    "proc.args",
    "proc.pname",
    "proc.pid",
    "proc.cwd",
    "proc.vpid",
    "fd.num",
    "fd.name",
    "evt.latency",
    "container.id",
    "user.uid",
    "user.name",
    "proc.loginshellid",
    "evt.cpu",
];

/// Where the answers differ, and why: (field, kinds, reason).
const EXPLAINED: &[(&str, &str, &str)] = &[
    ("fd.num", "mmap", "sysdig 0.29 does not take the descriptor of mmap"),
    ("fd.name", "mmap", "sysdig 0.29 does not take the descriptor of mmap"),
    (
        "fd.num",
        "fcntl dup2 dup3 dup pipe2 pipe socketpair",
        "sysdig takes what the call returned, we what it was called on",
    ),
    ("fd.num", "openat", "a failed open has no descriptor: sysdig says -1"),
    ("fd.num fd.name", "copy_file_range", "sysdig takes the other one of the two"),
    ("fd.num fd.name", "setsockopt getsockopt getsockname getpeername", "sysdig 0.29 does not take their descriptor"),
    (
        "fd.num fd.name",
        "fadvise64 fstatfs statx faccessat2 fchmodat unlinkat newfstatat epoll_create1",
        "generic events have no descriptor, and sysdig 0.29 does not take that of a folder",
    ),
    ("fd.name", "connect close", "after a failed connect sysdig names the socket by where it was to lead"),
    ("fd.name", "bind listen", "sysdig has the port that was asked for, we the one that was given"),
    ("fd.name", "close", "a descriptor that sysdig 0.29 has no event for"),
];

/// Fields of each event by time and thread; of sysdig only ends of calls.
fn facts(lines: &[String]) -> BTreeMap<(String, String), (String, Vec<String>)> {
    let mut facts = BTreeMap::new();
    for line in lines {
        let mut parts = line.split('|');
        let head: Vec<&str> = parts.next().unwrap_or_default().split(' ').collect();
        let [time, thread, kind] = head.as_slice() else { continue };
        let values = parts.map(|value| if value == "<NA>" { String::new() } else { value.to_owned() }).collect();
        facts.insert(((*time).to_owned(), (*thread).to_owned()), ((*kind).to_owned(), values));
    }
    facts
}

/// Compares every event that both show; returns how many those are.
fn compare(reel: &Path, scap: &Path) -> usize {
    let fields: Vec<String> = FIELDS.iter().map(|field| format!("%{field}")).collect();
    let format = format!("*%evt.rawtime %thread.tid %evt.type|{}", fields.join("|"));
    let own = facts(&ours(reel, &["-p", &format]));
    let theirs = facts(&sysdig(scap, &["-p", &format, "evt.dir=<"]));
    let mut wrong = BTreeSet::new();
    let mut both = 0;
    for (key, (kind, values)) in &own {
        let Some((_, found)) = theirs.get(key) else { continue };
        both += 1;
        // sysdig takes who made a thread for its parent
        let is_thread = values.get(4) != Some(&key.1);
        for (field, (value, found)) in FIELDS.iter().zip(values.iter().zip(found)) {
            let explained = EXPLAINED.iter().any(|(fields, kinds, _)| {
                fields.split(' ').any(|f| f == *field) && kinds.split(' ').any(|k| k == kind)
            });
            if value != found && !explained && !(is_thread && *field == "proc.pname") {
                wrong.insert(format!("{field} of {kind}: {value:?}, sysdig says {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}: {wrong:#?}", reel.display());
    both
}

#[test]
fn sysdig_says_of_our_captures_what_we_say() {
    if !has_sysdig("sysdig_says_of_our_captures_what_we_say") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in CAPTURES {
        let reel = capture(name);
        let (scap, _) = export(&reel, folder.path(), &[]);
        let calls = ours(&reel, &["-p", "%evt.num", "evt.latency exists"]).len();
        let both = compare(&reel, &scap);
        assert!(both * 10 > calls * 8, "{name}: {both} of {calls} calls are shown");
        // what 0.29.3 has no type for becomes a generic event for it alone
        let (scap, _) = export(&reel, folder.path(), &["--for", "0.29"]);
        assert_eq!(compare(&reel, &scap), calls, "{name}: all calls are shown");
    }
}

/// The words of the rows of a table, without its head.
fn rows(lines: &[String], head: &str) -> Vec<Vec<String>> {
    let start = lines.iter().position(|line| line.trim_start().starts_with(head)).map_or(0, |at| at + 1);
    let words = |line: &String| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    lines[start..].iter().filter(|line| !line.starts_with("---") && !line.starts_with("note:")).map(words).collect()
}

/// A size as chisels write it, rounded to what both show alike.
fn rounded(size: &str) -> String {
    let digits = size.trim_end_matches(char::is_alphabetic);
    let value: f64 = digits.parse().unwrap_or_default();
    format!("{:.1}{}", value - 0.001, size.trim_start_matches(digits))
}

#[test]
fn chisels_agree() {
    if !has_sysdig("chisels_agree") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["shell", "web", "build"] {
        let reel = capture(name);
        let (scap, _) = export(&reel, folder.path(), &[]);
        for (chisel, head) in [("topprocs_file", "Bytes"), ("topfiles_bytes", "Bytes")] {
            let table = |lines: Vec<String>| -> BTreeSet<Vec<String>> {
                let mut rows = rows(&lines, head);
                for row in &mut rows {
                    row[0] = rounded(&row[0]);
                }
                // the last ones may be others of the same size
                let last = rows.last().map(|row| row[0].clone());
                rows.into_iter().filter(|row| Some(&row[0]) != last.as_ref()).collect()
            };
            let (own, theirs) = (table(ours(&reel, &["-c", chisel])), table(sysdig(&scap, &["-c", chisel])));
            assert_eq!(own, theirs, "{name}: {chisel}");
        }
        let commands = |lines: Vec<String>| -> BTreeSet<String> {
            lines.iter().filter(|line| line.contains(") ")).map(|line| line.trim().to_owned()).collect()
        };
        let (own, theirs) =
            (commands(ours(&reel, &["-c", "spy_users"])), commands(sysdig(&scap, &["-c", "spy_users"])));
        // sysdig does not show what a subshell in the background runs, of which there is one command
        let more = own.difference(&theirs).count();
        assert!(theirs.is_subset(&own) && theirs.len() > 5 && more <= 1, "{name}: {own:#?} {theirs:#?}");
        // sysdig shows the state before the first event, which is an exec that closes some: descriptor and name of each
        let open = |lines: Vec<String>| -> BTreeSet<(String, String, String)> {
            let pick = |row: Vec<String>| (row[2].clone(), row[4].clone(), row.last().unwrap().clone());
            rows(&lines, "COMMAND").into_iter().map(pick).collect()
        };
        let (own, theirs) = (ours(&reel, &["-c", "lsof", "--at", "+0s"]), sysdig(&scap, &["-c", "lsof"]));
        let (own, theirs) = (open(own), open(theirs));
        assert!(own.len() >= 4 && own.is_subset(&theirs), "{name}: {own:?} {theirs:?}");
        let threads = |lines: Vec<String>| -> BTreeSet<Vec<String>> {
            rows(&lines, "TID").into_iter().map(|row| row[..2].to_vec()).collect()
        };
        let (own, theirs) = (ours(&reel, &["-c", "ps", "--at", "+0s"]), sysdig(&scap, &["-c", "ps"]));
        assert_eq!(threads(own), threads(theirs), "{name}: ps");
    }
}

#[test]
fn what_0_29_knows_is_what_it_says_it_knows() {
    let test = "what_0_29_knows_is_what_it_says_it_knows";
    if !has_sysdig(test) {
        return;
    }
    let out = Command::new("sysdig").arg("-L").output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut theirs: BTreeMap<(&str, bool), Vec<usize>> = BTreeMap::new();
    for line in text.lines() {
        let (Some((side, rest)), Some(end)) = (line.split_once(' '), line.find(')')) else { continue };
        let Some((name, _)) = rest.split_once('(') else { continue };
        let params = &line[line.find('(').unwrap() + 1..end];
        let count = if params.is_empty() { 0 } else { params.split(", ").count() };
        theirs.entry((name, side == "<")).or_default().push(count);
    }
    let mut checked = 0;
    for number in 0..TYPES.len() as u16 {
        let Some(known) = known_to_029(number) else { continue };
        // several types have one name, and old ones are not listed
        let key = (event_type(number).unwrap().name, number & 1 == 1);
        let Some(counts) = theirs.get(&key).filter(|_| !event_type(number).unwrap().is_old() || number & 1 == 0) else {
            continue;
        };
        if counts.len() == 1 && number == last_of_name(number) {
            assert_eq!(known, counts[0], "{number} {key:?}");
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}");
}

/// The last type of a name and side that sysdig 0.29.3 knows.
fn last_of_name(number: u16) -> u16 {
    let name = event_type(number).unwrap().name;
    (number..TYPES.len() as u16)
        .rfind(|&n| n & 1 == number & 1 && known_to_029(n).is_some() && event_type(n).unwrap().name == name)
        .unwrap()
}

#[test]
fn without_enter_events_only_ends_are_there() {
    if !has_sysdig("without_enter_events_only_ends_are_there") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (both, _) = export(&capture("shell"), folder.path(), &[]);
    let sides = |file: &Path| {
        let lines = sysdig(file, &["-p", "%evt.dir"]);
        (lines.iter().filter(|side| *side == ">").count(), lines.iter().filter(|side| *side == "<").count())
    };
    let (enters, exits) = sides(&both);
    let (only, _) = export(&capture("shell"), folder.path(), &["--exit-only"]);
    // what has no end: exits of threads, and calls that never return
    let (left, ends) = sides(&only);
    assert!(enters > 1000 && exits > 1000 && left < 40 && ends <= exits, "{enters} {exits} {left} {ends}");
}

#[test]
fn a_filter_leaves_the_state_whole() {
    if !has_sysdig("a_filter_leaves_the_state_whole") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let filter = "evt.type = read and proc.name = dd";
    let (scap, said) = export(&capture("shell"), folder.path(), &[filter]);
    assert!(said.contains("only change the state"), "{said}");
    let format = "%evt.rawtime %proc.name %fd.name";
    let shown = sysdig(&scap, &["-p", format, "evt.dir=<"]);
    assert_eq!(shown, ours(&capture("shell"), &["-p", format, filter]));
    assert!(shown.len() > 5, "{shown:?}");
    let (scap, _) = export(&capture("shell"), folder.path(), &["--for", "0.29", "-n", "7"]);
    assert_eq!(sysdig(&scap, &["-p", "%evt.num", "evt.dir=<"]).len(), 7);
}

#[test]
fn compressed_files_hold_the_same() {
    if !has_sysdig("compressed_files_hold_the_same") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (plain, _) = export(&capture("login"), folder.path(), &[]);
    let zipped = folder.path().join("test.scap.gz");
    let reel = capture("login");
    let out = sysreel(&["-q", "-r", reel.to_str().unwrap(), "-w", zipped.to_str().unwrap()]);
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    let size = |file: &Path| std::fs::metadata(file).unwrap().len();
    assert!(size(&zipped) * 3 < size(&plain), "{} {}", size(&zipped), size(&plain));
    assert_eq!(sysdig(&zipped, &[]), sysdig(&plain, &[]));
}

#[test]
fn what_cannot_be_written_is_said() {
    let reel = capture("shell");
    let reel = reel.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (scap, web) = (folder.path().join("x.scap"), capture("web"));
    let scap = scap.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["-r", reel, "-w", scap, "--for", "7"], "expected a reader with --for, found `7`\nhelp: known are 0.29, all"),
        (&["-r", reel, "--exit-only"], "expected -w FILE.scap with --exit-only, found none"),
        (&["-r", reel, "-w", scap, "-C", "1"], "expected no -C with -w FILE.scap, found one"),
        (&["-r", reel, "-w", scap, "--for", "0.29", "--exit-only"], "expected --exit-only or --for 0.29, found both"),
        (&["-r", reel, "-r", web.to_str().unwrap(), "-w", scap], "expected one recording to export"),
    ];
    for (words, expected) in cases {
        let out = sysreel(words);
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(2) && said.contains(expected), "{words:?}: {said}");
        assert!(!Path::new(scap).exists(), "{words:?}");
    }
    let copy = folder.path().join("copy.scap");
    std::fs::copy(reel, &copy).unwrap();
    let copy = copy.to_str().unwrap();
    let out = sysreel(&["-r", copy, "-w", copy]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("expected another file to write"), "{out:?}");
    assert_eq!(std::fs::read(copy).unwrap(), std::fs::read(reel).unwrap());
}

/// Calls that scap has no type for: what they returned and were called on is not in it. Of `bind` and what follows it the port that
/// the kernel gave is not in it.
const GENERIC: &[&str] =
    &["fadvise64", "statx", "fstatfs", "getsockname", "getpeername", "faccessat2", "bind", "listen"];

#[test]
fn we_read_what_we_write() {
    let folder = tempfile::tempdir().unwrap();
    let fields = "proc.name proc.exe proc.exepath proc.args proc.pname proc.pid proc.cwd proc.vpid fd.num fd.name \
        fd.type evt.latency container.id user.uid user.name evt.cpu";
    let format = fields.split_whitespace().map(|field| format!("%{field}")).collect::<Vec<_>>().join("|");
    let format = format!("*%evt.rawtime %thread.tid %evt.type|{format}");
    for name in CAPTURES {
        let reel = capture(name);
        let (scap, _) = export(&reel, folder.path(), &[]);
        let (before, after) = (facts(&ours(&reel, &["-p", &format])), facts(&ours(&scap, &["-p", &format])));
        let mut calls = 0;
        for (key, (kind, values)) in &before {
            // The samples are of a version in which a connect that failed was about nothing.
            if matches!(kind.as_str(), "procfork" | "connect") || GENERIC.contains(&kind.as_str()) {
                continue;
            }
            let Some((_, found)) = after.get(key) else { panic!("{name}: {kind} at {key:?} is gone") };
            assert_eq!(found, values, "{name}: {kind} at {key:?}");
            calls += 1;
        }
        assert!(calls > 800, "{name}: {calls}");
    }
}

/// The samples of other people's captures, where they are.
fn samples(test: &str) -> Vec<PathBuf> {
    let root = std::env::var_os("SYSREEL_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let Ok(folder) = std::fs::read_dir(root.join("data/scap")) else {
        skip(test, "no shared folder");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "scap"));
    files.sort();
    files
}

/// What does not come back as it was: (kind, parameters, reason).
const CHANGED: &[(&str, &[&str], &str)] = &[
    ("clone", &["fdlimit", "pgft_maj", "pgft_min"], "not kept: a thread's row does not have them"),
    ("clone execve", &["cwd"], "a folder that the capture does not tell is that of the thread"),
];

/// The parameters of an event: names begin behind a blank and end at `=`.
fn params(text: &str) -> BTreeMap<&str, &str> {
    let mut params = BTreeMap::new();
    let starts: Vec<usize> = text
        .match_indices('=')
        .filter_map(|(at, _)| {
            let start = text[..at].rfind(' ').map_or(0, |blank| blank + 1);
            let name = &text[start..at];
            (!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
                .then_some(start)
        })
        .collect();
    for (i, &start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).copied().unwrap_or(text.len());
        if let Some((name, value)) = text[start..end].split_once('=') {
            params.entry(name).or_insert(value.trim_end());
        }
    }
    params
}

#[test]
fn samples_come_back_as_they_were() {
    let test = "samples_come_back_as_they_were";
    if !has_sysdig(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ends = |file: &Path| {
        let mut ends: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for line in
            sysdig(file, &["-p", "*%evt.rawtime %evt.cpu %thread.tid %evt.type|%proc.name|%evt.args", "evt.dir=<"])
        {
            let mut parts = line.splitn(3, '|').map(str::to_owned);
            let (Some(key), Some(name), Some(args)) = (parts.next(), parts.next(), parts.next()) else { continue };
            ends.entry(key).or_default().push((name, args));
        }
        ends
    };
    let mut seen = 0;
    for sample in samples(test) {
        let (scap, _) = export(&sample, folder.path(), &[]);
        let (before, mut after) = (ends(&sample), ends(&scap));
        let mut wrong = BTreeSet::new();
        for (key, events) in before {
            let kind = key.rsplit(' ').next().unwrap_or_default().to_owned();
            let mut found = after.remove(&key).unwrap_or_default().into_iter();
            for (name, args) in events {
                seen += 1;
                let Some((name_found, args_found)) = found.next() else {
                    wrong.insert(format!("{kind} is missing"));
                    continue;
                };
                let found = params(&args_found);
                let is_changed = |param: &str| {
                    CHANGED
                        .iter()
                        .any(|(kinds, params, _)| kinds.split(' ').any(|k| k == kind) && params.contains(&param))
                };
                for (param, value) in params(&args) {
                    if found.get(param) != Some(&value) && !is_changed(param) {
                        wrong.insert(format!("{kind}.{param}: was {value}, is {:?}", found.get(param)));
                    }
                }
                if name != name_found {
                    wrong.insert(format!("{kind} of {name}, is of {name_found}"));
                }
            }
            if found.next().is_some() {
                wrong.insert(format!("{kind} is there too often"));
            }
        }
        wrong.extend(after.keys().map(|key| format!("was not there: {key}")));
        assert!(wrong.is_empty(), "{}: {wrong:#?}", sample.display());
    }
    assert!(seen > 1500 || samples(test).is_empty(), "{seen}");
}

const STORY: &str = "echo one > a; cat a > b; wc -c < b; ls -l a missing; (exit 3); true";

#[test]
fn a_command_is_recorded_as_scap() {
    let test = "a_command_is_recorded_as_scap";
    if !able(test) || !has_sysdig(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let scap = folder.path().join("live.scap");
    let story = format!("cd {} && {STORY}", folder.path().display());
    let out =
        sysreel(&["-q", "-w", scap.to_str().unwrap(), "--", "env", "-i", "PATH=/usr/bin:/bin", "sh", "-c", &story]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let a = folder.path().join("a");
    let io = sysdig(
        &scap,
        &["-p", "%evt.type %fd.name %evt.rawres", "proc.name=cat and fd.name startswith", "/", "and evt.dir=<"],
    );
    // A newer `cat` lets the kernel copy.
    let copied = ["read", "copy_file_range"].map(|call| format!("{call} {} 4", a.display()));
    assert!(copied.iter().any(|line| io.contains(line)), "{io:#?}");
    let written =
        sysdig(&scap, &["-p", "%evt.type %fd.name %user.uid", "proc.name=sh and evt.type=write and evt.dir=<"]);
    assert!(written.iter().any(|line| line.starts_with(&format!("write {} ", a.display()))), "{written:#?}");
    let latencies = sysdig(&scap, &["-p", "%evt.latency", "evt.dir=< and evt.type=openat"]);
    assert!(latencies.len() > 10 && latencies.iter().all(|l| l.parse::<u64>().unwrap() > 0), "{latencies:?}");
    let execs: BTreeSet<String> =
        sysdig(&scap, &["-p", "%proc.pname %proc.cmdline", "evt.type=execve and evt.dir=< and evt.failed=false"])
            .into_iter()
            .collect();
    assert!(execs.contains("sh ls -l a missing") && execs.contains("sh cat a"), "{execs:?}");
}
