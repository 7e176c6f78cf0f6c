//! What sysdig 0.29.3's chisels say of real captures (`../shared/data/scap/golden/*/chisel.*.txt`) against what ours say of
//! the same files: the numbers, not the layout. Where they differ, `tests/scap/chisels.tsv` has the reason; a line of it
//! that explains nothing any more fails the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::differences::Differences;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Captures, and where they stand.
const SAMPLES: &[(&str, &str)] = &[
    ("cat_write", "data/falco/captures/cat_write.scap"),
    ("falco_privileged", "data/scap/falco_privileged.scap"),
    ("falco_run_as_user_0_container", "data/scap/falco_run_as_user_0_container.scap"),
    ("falco_syscall", "data/scap/falco_syscall.scap"),
    ("libs_curl_google", "data/scap/libs_curl_google.scap"),
    ("libs_test_ipv6_client", "data/scap/libs_test_ipv6_client.scap"),
];

/// How sysdig lays out what a chisel says.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    /// A line of column names, which begin where their columns do, and a line of dashes below it.
    Padded,
    /// A line of column names and one of as many runs of dashes.
    Ruled,
    /// `COMMAND PID TID USER FD TYPE NAME`; the first may hold blanks, the last is the rest.
    Lsof,
    /// `TID PID USER VIRT RES FDLIMIT CMD`.
    Ps,
    /// `Proto Server Client State TID/PID/Program`.
    Netstat,
    /// `17:35:49 in:43676 out:10906 tot:54582`; intervals begin with the first event, ours with a whole second, so that
    /// sums are compared.
    Bytes,
    /// `1337) 0.037479817 curl (17497) < poll …`.
    Slowest,
    /// `------ Read 832B from  NAME (process)`, and the data below.
    Echo,
    /// `file 45`, with a tab.
    Counted,
    /// `TIME > method=GET url=… response_code=200 latency=37ms size=0B`.
    Http,
    /// `3200 17:35:48 user) command`.
    Users,
    /// A line, and shells' ids.
    Shells,
    /// Data alone: its letters and digits, as one row.
    Data,
}

/// One chisel of both: columns that say what a row is about, and the one with its number.
struct Pair {
    golden: &'static str,
    ours: &'static [&'static str],
    layout: Layout,
    /// Theirs and ours.
    keys: &'static [(&'static str, &'static str)],
    value: Option<(&'static str, &'static str)>,
}

const fn top(
    golden: &'static str,
    ours: &'static [&'static str],
    keys: &'static [(&'static str, &'static str)],
    value: &'static str,
) -> Pair {
    Pair { golden, ours, layout: Layout::Padded, keys, value: Some((value, value)) }
}

const FILE: &[(&str, &str)] = &[("Filename", "Filename")];
const PROCESS: &[(&str, &str)] = &[("Process", "Process"), ("PID", "PID")];
const SYSCALL: &[(&str, &str)] = &[("Syscall", "Syscall")];
const FD_NAME: &[(&str, &str)] = &[("fd.name", "fd.name")];
const FD_TYPE: &[(&str, &str)] = &[("fd.type", "fd.type")];
const SLOW: &[(&str, &str)] = &[("evt.datetime", "evt.datetime"), ("proc.name", "proc.name"), ("evt.type", "evt.type")];

#[rustfmt::skip] // a table: one chisel, one line
const PAIRS: &[Pair] = &[
    top("topfiles_bytes", &["topfiles_bytes"], FILE, "Bytes"),
    top("topfiles_time", &["topfiles_time"], FILE, "Time"),
    top("topfiles_errors", &["topfiles_errors"], FILE, "#Errors"),
    top("topprocs_cpu", &["topprocs_cpu"], PROCESS, "CPU%"),
    top("topprocs_errors", &["topprocs_errors"], PROCESS, "#Errors"),
    top("topprocs_file", &["topprocs_file"], PROCESS, "Bytes"),
    top("topprocs_net", &["topprocs_net"], PROCESS, "Bytes"),
    top("topscalls", &["topscalls"], SYSCALL, "# Calls"),
    top("topscalls_time", &["topscalls_time"], SYSCALL, "Time"),
    top("topconns", &["topconns"], &[("Proto", "Proto"), ("Conn", "Conn")], "Bytes"),
    top("topports_server", &["topports_server"], &[("Srv Port", "Srv Port")], "Bytes"),
    top("fdbytes_by-fd.name", &["fdbytes_by", "fd.name"], FD_NAME, "Bytes"),
    top("fdbytes_by-fd.type", &["fdbytes_by", "fd.type"], FD_TYPE, "Bytes"),
    top("fdtime_by-fd.name", &["fdtime_by", "fd.name"], FD_NAME, "Time"),
    Pair { golden: "fileslower-0", ours: &["fileslower", "0"], layout: Layout::Ruled, keys: &[("evt.datetime", "evt.datetime"), ("proc.name", "proc.name"), ("evt.type", "evt.type"), ("fd.name", "fd.name")], value: Some(("LATENCY(ms)", "evt.latency.human")) },
    Pair { golden: "scallslower-1", ours: &["scallslower", "1"], layout: Layout::Ruled, keys: SLOW, value: Some(("LATENCY(ms)", "evt.latency.human")) },
    Pair { golden: "proc_exec_time", ours: &["proc_exec_time"], layout: Layout::Ruled, keys: &[("proc.name", "proc.name"), ("proc.args", "proc.args")], value: Some(("proc.duration", "proc.duration")) },
    Pair { golden: "lscontainers", ours: &["lscontainers"], layout: Layout::Ruled, keys: &[("container.id", "Container")], value: None },
    Pair { golden: "netstat", ours: &["netstat"], layout: Layout::Netstat, keys: &[("ends", "ends"), ("State", "State"), ("PID", "PID"), ("Program", "Program")], value: None },
    Pair { golden: "netlower-0", ours: &["netlower", "0"], layout: Layout::Ruled, keys: &[("evt.datetime", "evt.datetime"), ("proc.name", "proc.name"), ("evt.type", "evt.type"), ("fd.name", "fd.name")], value: Some(("LATENCY(ms)", "evt.latency.human")) },
    Pair { golden: "iobytes", ours: &["iobytes"], layout: Layout::Bytes, keys: &[("what", "what")], value: Some(("bytes", "bytes")) },
    Pair { golden: "iobytes_file", ours: &["iobytes_file"], layout: Layout::Bytes, keys: &[("what", "what")], value: Some(("bytes", "bytes")) },
    Pair { golden: "bottlenecks", ours: &["bottlenecks"], layout: Layout::Slowest, keys: &[("Process", "Process"), ("TID", "TID"), ("Syscall", "Syscall")], value: Some(("Time", "Time")) },
    Pair { golden: "echo_fds", ours: &["echo_fds"], layout: Layout::Echo, keys: &[("fd.name", "fd.name"), ("proc.name", "proc.name")], value: Some(("bytes", "evt.rawres")) },
    Pair { golden: "fdcount_by-fd.type", ours: &["fdcount_by", "fd.type"], layout: Layout::Counted, keys: &[("key", "fd.type")], value: Some(("Count", "Count")) },
    Pair { golden: "httptop", ours: &["httptop"], layout: Layout::Padded, keys: &[("method", "method"), ("url", "url")], value: Some(("ncalls", "ncalls")) },
    Pair { golden: "httplog", ours: &["httplog"], layout: Layout::Http, keys: &[("TIME", "TIME"), ("DIR", "DIR"), ("METHOD", "METHOD"), ("URL", "URL"), ("RESULT", "RESULT")], value: Some(("LATENCY", "LATENCY")) },
    Pair { golden: "spy_users", ours: &["spy_users"], layout: Layout::Users, keys: &[("shell", "proc.loginshellid"), ("time", "evt.time.s"), ("user", "user.name"), ("command", "proc.typed")], value: None },
    Pair { golden: "list_login_shells", ours: &["list_login_shells"], layout: Layout::Shells, keys: &[("shell", "Shell")], value: None },
    Pair { golden: "stdout", ours: &["stdout"], layout: Layout::Data, keys: &[("data", "data")], value: None },
    Pair { golden: "lsof", ours: &["lsof"], layout: Layout::Lsof, keys: &[("PID", "PID"), ("USER", "USER"), ("FD", "FD"), ("TYPE", "TYPE"), ("NAME", "NAME")], value: None },
    Pair { golden: "ps", ours: &["ps"], layout: Layout::Ps, keys: &[("TID", "TID"), ("PID", "PID"), ("USER", "USER"), ("CMD", "CMD")], value: None },
];

type Record = BTreeMap<String, String>;

/// Text without colours.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += part.split_once('m').map_or(part, |(_, rest)| rest);
    }
    out
}

/// Words of a line cut at the columns where the names begin.
fn cut<'a>(line: &'a str, starts: &[usize]) -> Vec<&'a str> {
    let chars: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
    let at = |n: usize| chars[n.min(chars.len() - 1)];
    let ends = starts.iter().skip(1).copied().chain([usize::MAX >> 1]);
    starts.iter().zip(ends).map(|(&start, end)| line[at(start)..at(end)].trim()).collect()
}

/// Where columns begin: names are two blanks or more apart (or one, where `names` says so).
fn starts(header: &str, names: &[&str]) -> Vec<usize> {
    let mut from = 0;
    names
        .iter()
        .map(|name| {
            let at = from + header[from..].find(name).unwrap_or_else(|| panic!("no `{name}` in `{header}`"));
            from = at + name.len();
            at
        })
        .collect()
}

fn record(names: &[&str], words: &[&str]) -> Record {
    names.iter().zip(words).map(|(n, w)| ((*n).to_owned(), (*w).to_owned())).collect()
}

/// The names in a header whose columns are at least two blanks apart.
fn names_of(header: &str) -> Vec<&str> {
    header.split("  ").map(str::trim).filter(|n| !n.is_empty()).collect()
}

fn padded(text: &str) -> Vec<Record> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let names = names_of(header);
    let starts = starts(header, &names);
    lines.filter(|l| !l.starts_with("---")).map(|l| record(&names, &cut(l, &starts))).collect()
}

fn ruled(text: &str) -> Vec<Record> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let names: Vec<&str> = header.split_whitespace().collect();
    let starts = starts(header, &names);
    lines.filter(|l| !l.starts_with("---") && !l.is_empty()).map(|l| record(&names, &cut(l, &starts))).collect()
}

fn lsof(text: &str) -> Vec<Record> {
    let names = ["COMMAND", "PID", "TID", "USER", "FD", "TYPE", "NAME"];
    let one = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |w: &&str| w.parse::<u64>().is_ok();
        let pid = (1..words.len() - 1).find(|&i| number(&words[i]) && number(&words[i + 1])).unwrap();
        let command = words[..pid].join(" ");
        let name = words.get(pid + 5..).map_or(String::new(), |rest| rest.join(" "));
        let fixed = &words[pid..(pid + 5).min(words.len())];
        let all: Vec<&str> =
            [command.as_str()].into_iter().chain(fixed.iter().copied()).chain([name.as_str()]).collect();
        record(&names, &all)
    };
    text.lines().skip(1).filter(|l| !l.is_empty()).map(one).collect()
}

fn ps(text: &str) -> Vec<Record> {
    let names = ["TID", "PID", "USER", "VIRT", "RES", "FDLIMIT", "CMD"];
    let one = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let command = words[6..].join(" ");
        record(&names, &[&words[..6], &[command.as_str()]].concat())
    };
    text.lines().skip(1).filter(|l| !l.is_empty()).map(one).collect()
}

/// Both ends in one order, because theirs are server and client, ours local and foreign.
fn ends(a: &str, b: &str) -> String {
    let any = |end: &str| if end.ends_with(":*") { "*".to_owned() } else { end.to_owned() };
    let mut both = [any(a), any(b)];
    both.sort();
    both.join(" ")
}

fn netstat(text: &str) -> Vec<Record> {
    let one = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (state, who) = (words[3], words[4..].join(" "));
        let who: Vec<&str> = who.splitn(3, '/').collect();
        record(
            &["Proto", "ends", "State", "TID", "PID", "Program"],
            &[words[0], &ends(words[1], words[2]), state, who[0], who[1], who[2]],
        )
    };
    text.lines().skip(1).filter(|l| !l.is_empty()).map(one).collect()
}

/// Bytes by what they are of, summed over all intervals.
fn summed(all: impl Iterator<Item = (String, u64)>) -> Vec<Record> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    all.for_each(|(what, bytes)| *sums.entry(what).or_default() += bytes);
    sums.iter().map(|(what, bytes)| record(&["what", "bytes"], &[what, &bytes.to_string()])).collect()
}

/// The line of a call's end; `proc.name` may hold blanks.
fn slowest(line: &str) -> Option<Record> {
    let (start, call) = line.split_once(") < ")?;
    let (_, start) = start.split_once(") ")?;
    let (seconds, process) = start.split_once(' ')?;
    let (process, tid) = process.rsplit_once(" (")?;
    let ns = (seconds.parse::<f64>().ok()? * 1e9).round();
    let name = call.split(' ').next()?;
    let process = if process == "<NA>" { "" } else { process };
    Some(record(&["Process", "TID", "Syscall", "Time"], &[process, tid, name, &format!("{ns}ns")]))
}

fn echoed(line: &str) -> Option<Record> {
    let rest = line.strip_prefix("------ ")?;
    let (bytes, rest) = rest.split_once(' ')?.1.split_once(' ')?;
    let rest = rest.strip_prefix("from ").or_else(|| rest.strip_prefix("to "))?;
    let (name, process) = rest.rsplit_once('(')?;
    Some(record(&["bytes", "fd.name", "proc.name"], &[bytes, name.trim(), process.trim_end_matches(')')]))
}

fn exchange(line: &str) -> Record {
    let words: Vec<&str> = line.split(' ').collect();
    let value = |n: usize| words.get(n).and_then(|w| w.split_once('=')).map_or("", |(_, value)| value);
    let time = format!("{} {}", words[0], words[1]);
    record(
        &["TIME", "DIR", "METHOD", "URL", "RESULT", "LATENCY"],
        &[&time, words[2], value(3), value(4), value(5), value(6)],
    )
}

fn typed(line: &str) -> Option<Record> {
    let (start, command) = line.trim_start().split_once(") ")?;
    let mut words = start.splitn(3, ' ');
    let (shell, time, user) = (words.next()?, words.next()?, words.next()?);
    let user = if user == "<NA>" { "" } else { user };
    Some(record(&["shell", "time", "user", "command"], &[shell, time, user, command.trim_end()]))
}

/// What is left of data where all that is shown in different ways is left out.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn theirs(layout: Layout, text: &str) -> Vec<Record> {
    match layout {
        Layout::Padded => padded(text),
        Layout::Ruled => ruled(text),
        Layout::Lsof => lsof(text),
        Layout::Ps => ps(text),
        Layout::Netstat => netstat(text),
        Layout::Bytes => summed(text.lines().flat_map(|line| {
            line.split_whitespace().skip(1).filter_map(|word| {
                let (what, bytes) = word.split_once(':')?;
                Some((what.to_owned(), bytes.parse().unwrap()))
            })
        })),
        Layout::Slowest => text.lines().filter_map(slowest).collect(),
        Layout::Echo => text.lines().filter_map(echoed).collect(),
        Layout::Counted => {
            text.lines().map(|l| record(&["key", "Count"], &l.split('\t').collect::<Vec<_>>())).collect()
        }
        Layout::Http => text.lines().map(exchange).collect(),
        Layout::Users => text.lines().filter_map(typed).collect(),
        Layout::Shells => text.lines().filter(|l| l.parse::<u64>().is_ok()).map(|l| record(&["shell"], &[l])).collect(),
        Layout::Data => vec![record(&["data"], &[&letters(text)])],
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Rows of ours: of the report's first table, or lines.
fn ours(capture: &Path, words: &[&str]) -> Vec<Record> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sysreel"));
    command.env("TZ", "UTC").arg("-r").arg(capture).arg("-c").args(words).arg("-j");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    let mut rows = Vec::new();
    for line in output.stdout.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
        let value: Value = serde_json::from_slice(line).unwrap();
        match value["tables"][0]["rows"].as_array() {
            Some(table) => rows.extend(table.iter().cloned()),
            None => rows.push(value),
        }
    }
    match words {
        ["iobytes" | "iobytes_file"] => {
            let number = |row: &Value, what: &str| (what.to_owned(), row[what].as_u64().unwrap());
            return summed(rows.iter().flat_map(|row| ["in", "out", "tot"].map(|what| number(row, what))));
        }
        ["stdout"] => {
            let data: String = rows.iter().map(|row| letters(&text_of(&row["evt.buffer"]))).collect();
            return vec![record(&["data"], &[&data])];
        }
        _ => {}
    }
    let one = |row: &Value| {
        let mut row: Record =
            row.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text_of(value))).collect();
        if let (Some(a), Some(b)) = (row.get("Local Address"), row.get("Foreign Address")) {
            let both = ends(a, b);
            row.insert("ends".to_owned(), both);
        }
        row
    };
    rows.iter().map(one).collect()
}

/// A number with sysdig's or our unit: its value in bytes, nanoseconds, or as it is, and half of what its last digit is worth.
fn number(text: &str, milliseconds: bool) -> Option<(f64, f64)> {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let unit = match &text[digits.len()..] {
        "" | "%" | "B" | "ns" if !milliseconds => 1.0,
        "ns" => 1.0,
        "us" => 1e3,
        "" | "ms" => 1e6,
        "s" => 1e9,
        "KB" | "K" => 1024.0,
        "MB" | "M" => 1024.0 * 1024.0,
        "GB" | "G" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let places = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i32);
    let half = if places == 0 && unit <= 1.0 { 0.0 } else { 0.5 * 10_f64.powi(-places) };
    Some((digits.parse::<f64>().ok()? * unit, half * unit))
}

/// Whether ours is the number that theirs shows: they cut digits off or round.
fn same_number(theirs: &str, ours: &str, milliseconds: bool) -> bool {
    match (number(theirs, milliseconds), number(ours, false)) {
        (Some((a, half)), Some((b, half_of_ours))) => (a - b).abs() <= 2.0 * (half + half_of_ours) + 1e-9 * a.abs(),
        _ => theirs == ours,
    }
}

/// Whether a list of `rows` was cut at its tenth row, which has at least this value: what is not in it may be less.
fn is_cut(rows: &[Record], column: &str, value: &str) -> bool {
    let values = || rows.iter().filter_map(|row| number(row.get(column)?, false));
    let least = values().map(|(v, half)| v + 2.0 * half).fold(f64::INFINITY, f64::min);
    rows.len() >= 10 && number(value, false).is_some_and(|(v, _)| v <= least)
}

/// They count the beginning and the end of each call, where both are in the capture.
fn is_of_halves(theirs: &str, ours: &str) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    matches!((number(theirs), number(ours)), (Some(a), Some(b)) if (b..=2 * b + 1).contains(&a))
}

/// What they have counted so, as we count.
fn half(theirs: &str) -> String {
    theirs.parse::<i64>().map_or_else(|_| theirs.to_owned(), |n| (n / 2).to_string())
}

fn key(row: &Record, columns: impl Iterator<Item = &'static str>) -> String {
    let words: Vec<String> = columns
        .map(|column| {
            let value = row.get(column).cloned().unwrap_or_default();
            match column {
                // They show milliseconds, we nanoseconds.
                "evt.datetime" => value.chars().take(23).collect(),
                // They cut names of users in `lsof`.
                "USER" => value.chars().take(7).collect(),
                "proc.name" => value.chars().take(12).collect(),
                // They say so of every socket that is bound, also where nothing can connect to it.
                "State" if value == "UNCONN" => "LISTEN".to_owned(),
                _ => value,
            }
        })
        .collect();
    words.join(" | ")
}

/// Rows by what they are about; those about the same thing in order.
fn keyed<'r>(rows: &'r [Record], columns: &[&'static str]) -> BTreeMap<String, Vec<&'r Record>> {
    let mut by: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for row in rows {
        by.entry(key(row, columns.iter().copied())).or_default().push(row);
    }
    by
}

fn compare(pair: &Pair, their: &[Record], our: &[Record], found: &mut Differences<'_>) {
    let their_rows = keyed(their, &pair.keys.iter().map(|k| k.0).collect::<Vec<_>>());
    let our_rows = keyed(our, &pair.keys.iter().map(|k| k.1).collect::<Vec<_>>());
    let value = |row: Option<&&Record>, column: &str| row.and_then(|r| r.get(column)).cloned();
    let keys: std::collections::BTreeSet<&String> = their_rows.keys().chain(our_rows.keys()).collect();
    let empty = Vec::new();
    for key in keys {
        let (a, b) = (their_rows.get(key).unwrap_or(&empty), our_rows.get(key).unwrap_or(&empty));
        let Some((theirs, ours)) = pair.value else {
            // They list the descriptors of a process once for each of its threads, by the threads' names.
            let there = |rows: &[&Record]| if rows.is_empty() { "none" } else { "there" };
            found.compare(pair.golden, key, there(a), there(b));
            continue;
        };
        for n in 0..a.len().max(b.len()) {
            let (x, y) = (value(a.get(n), theirs), value(b.get(n), ours));
            let milliseconds = theirs.ends_with("(ms)");
            let same = match (&x, &y) {
                (Some(x), Some(y)) => {
                    same_number(x, y, milliseconds) || pair.golden == "topscalls" && is_of_halves(x, y)
                }
                (Some(x), None) if pair.golden == "topscalls" => is_cut(our, ours, &half(x)),
                (Some(x), None) => is_cut(our, ours, x),
                (None, Some(y)) => is_cut(their, theirs, y),
                (None, None) => false,
            };
            if same {
                found.equal();
                continue;
            }
            let shown = |v: Option<String>| v.unwrap_or_else(|| "none".to_owned());
            found.compare(pair.golden, key, &shown(x), &shown(y));
        }
    }
}

fn golden(shared: &Path, sample: &str, name: &str) -> Option<String> {
    let path: PathBuf = shared.join("data/scap/golden").join(sample).join(format!("chisel.{name}.txt"));
    std::fs::read_to_string(path).ok().map(|text| plain(&text))
}

#[test]
fn chisels_say_what_those_of_sysdig_say() {
    let Some(shared) = common::shared() else {
        common::skip("chisels_say_what_those_of_sysdig_say", "no shared folder");
        return;
    };
    let mut differences = common::differences::Table::read("tests/scap/chisels.tsv");
    for (sample, path) in SAMPLES {
        let mut found = differences.of(sample);
        for pair in PAIRS {
            let Some(text) = golden(&shared, sample, pair.golden) else { continue };
            let our = ours(&shared.join(path), pair.ours);
            compare(pair, &theirs(pair.layout, &text), &our, &mut found);
        }
        println!("{sample}: {} numbers compared", found.compared());
        found.done();
    }
    differences.done();
}
