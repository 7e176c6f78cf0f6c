//! Recordings of known programs by the real recorder, on the real kernel; named skips where it may not run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{able, has, sysreel, until};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");

/// Standard output of a replay that must succeed.
fn replay(file: &Path, words: &[&str]) -> String {
    let out = sysreel(&[&["-r", file.to_str().unwrap()], words].concat());
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn record(folder: &tempfile::TempDir, command: &[&str]) -> PathBuf {
    let file = folder.path().join("test.reel");
    let out = sysreel(&[&["-q", "-w", file.to_str().unwrap(), "--"], command].concat());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    file
}

fn count(words: impl Iterator<Item = String>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

const STORY: &str = "echo one > a; cat a a > c; wc -c < c; ls -l a missing; mkdir d; mv a d/b; rm -r d; (exit 3); true";

#[test]
fn every_call_that_returns_is_recorded_as_often_as_strace_sees_it() {
    let test = "every_call_that_returns_is_recorded_as_often_as_strace_sees_it";
    if !able(test) || !has(test, "strace") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let story = format!("cd {} && {STORY}", folder.path().display());
    let reel = record(&folder, &["sh", "-c", &story]);
    let ours = count(replay(&reel, &["-p", "%evt.type", "evt.latency exists"]).lines().map(str::to_owned));
    let trace = folder.path().join("trace");
    let status =
        Command::new("strace").args(["-f", "-o", trace.to_str().unwrap(), "sh", "-c", &story]).output().unwrap();
    assert!(status.status.success());
    let text = std::fs::read_to_string(&trace).unwrap();
    // "PID name(args) = result" or "PID <... name resumed>…"; a call that never returns ends in "= ?".
    let returned = text.lines().filter(|l| l.contains(" = ") && !l.ends_with("= ?")).filter_map(|line| {
        let rest = line.split_once(' ')?.1.trim_start();
        let name = rest.strip_prefix("<... ").map_or_else(|| rest.split('('), |r| r.split(' ')).next()?;
        // sysdig's names, which are ours.
        Some(match name {
            "pread64" => "pread".to_owned(),
            "pwrite64" => "pwrite".to_owned(),
            "prlimit64" => "prlimit".to_owned(),
            other => other.to_owned(),
        })
    });
    let theirs = count(returned);
    assert!(theirs.values().sum::<u32>() > 300, "strace saw too little: {theirs:?}");
    assert_eq!(ours, theirs);
}

#[test]
fn a_command_ignores_the_signals_that_its_recorder_was_told_to_ignore() {
    if !able("a_command_ignores_the_signals_that_its_recorder_was_told_to_ignore") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("x.reel");
    let script = "trap '' INT TERM; grep SigIgn /proc/self/status; exec \"$@\"";
    let recorder = [env!("CARGO_BIN_EXE_sysreel"), "-q", "-w", reel.to_str().unwrap(), "--"];
    let mut done = Command::new("sh");
    done.args(["-c", script, "sh"]).args(recorder).args(["grep", "SigIgn", "/proc/self/status"]);
    let output = done.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let ignored = |line: &str| u64::from_str_radix(line.trim_start_matches("SigIgn:").trim(), 16).unwrap();
    // SIGINT and SIGTERM; those that threads use among themselves are the C library's.
    let told: Vec<u64> = said.lines().map(|line| ignored(line) & 0x4002).collect();
    assert_eq!(told, [0x4002; 2], "{said}");
}

#[test]
fn a_story_is_told_with_names() {
    if !able("a_story_is_told_with_names") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let story = format!("cd {} && {STORY}", folder.path().display());
    let reel = record(&folder, &["sh", "-c", &story]);
    let opened = replay(&reel, &["-p", "%proc.name %fd.name %evt.res", "evt.type=openat and fd.name endswith /a"]);
    let file = folder.path().join("a");
    assert!(opened.contains(&format!("sh {} SUCCESS", file.display())), "{opened}");
    assert!(opened.contains(&format!("cat {} SUCCESS", file.display())), "{opened}");
    let execs = replay(
        &reel,
        &["-p", "%proc.pname %proc.exepath %proc.args", "evt.type=execve and evt.failed=false and proc.name=ls"],
    );
    assert!(execs.starts_with("sh /") && execs.contains("/ls -l a missing"), "{execs}");
    let exits = replay(&reel, &["-p", "%evt.arg.status", "evt.type=procexit"]);
    assert!(exits.lines().any(|l| l == "768"), "an exit with 3 is 3 << 8: {exits}");
}

#[test]
fn cputime_agrees_with_what_the_kernel_charged() {
    let test = "cputime_agrees_with_what_the_kernel_charged";
    if !able(test) || !has(test, "bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let burn = "i=0; while [ $i -lt 800000 ]; do i=$((i+1)); done";
    let script = format!("TIMEFORMAT='%3U %3S'; {{ time sh -c '{burn}'; }} 2> {}/times", folder.path().display());
    let reel = record(&folder, &["bash", "-c", &script]);
    let times = std::fs::read_to_string(folder.path().join("times")).unwrap();
    let charged: f64 = times.split_whitespace().map(|t| t.parse::<f64>().unwrap()).sum();
    let rows = replay(&reel, &["-D", "-p", "%evt.rawarg.delta", "evt.type=cputime and proc.name=sh"]);
    let recorded: f64 = rows.lines().map(|l| l.parse::<f64>().unwrap() / 1e9).sum();
    assert!(charged > 0.3, "the program ran too short: {charged}");
    // The shell's own report is rounded to milliseconds, and leaves out its fork.
    assert!((recorded - charged).abs() <= 0.02 * charged + 0.003, "recorded {recorded} s, charged {charged} s");
}

#[test]
fn topprocs_cpu_says_live_what_the_kernel_charged() {
    let test = "topprocs_cpu_says_live_what_the_kernel_charged";
    if !able(test) || !has(test, "bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Busy until it was charged for five seconds of the processor: so long as that takes beside others.
    let burn = "while read -r _ _ _ _ _ _ _ _ _ _ _ _ _ u s _ < /proc/self/stat && [ $((u+s)) -lt 500 ]; do \
                i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; done";
    let times = folder.path().join("times");
    let script = format!("TIMEFORMAT='%3U %3S'; {{ time bash -c '{burn}'; }} 2> {}", times.display());
    let out = sysreel(&["-q", "-j", "-c", "topprocs_cpu", "--", "bash", "-c", &script]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = std::fs::read_to_string(&times).unwrap();
    let charged: f64 = text.split_whitespace().map(|t| t.parse::<f64>().unwrap()).sum();
    assert!(charged > 4.9, "the program ran too short: {text}");
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let used = report["tables"][0]["rows"][0]["Time"].as_f64().unwrap() / 1e9;
    assert!((used - charged).abs() <= 0.02 * charged, "the chisel says {used} s, the kernel charged {charged} s");
}

#[test]
fn a_killed_recorder_leaves_a_reel_that_opens() {
    if !able("a_killed_recorder_leaves_a_reel_that_opens") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("killed.reel");
    let busy = "i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); echo x > /dev/null; done";
    let mut recorder = Command::new(SYSREEL)
        .args(["-q", "--flush", "0.1", "-w", file.to_str().unwrap(), "--", "sh", "-c", busy])
        .spawn()
        .unwrap();
    until("the file grew", || std::fs::metadata(&file).is_ok_and(|m| m.len() > 60_000));
    recorder.kill().unwrap();
    recorder.wait().unwrap();
    let out = sysreel(&["-r", file.to_str().unwrap(), "-p", "%evt.num", "evt.type=write"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.lines().count() > 1000, "{} lines; {}", text.lines().count(), String::from_utf8_lossy(&out.stderr));
    let shell = replay(&file, &["-n", "1", "-p", "%proc.pid", "evt.type=write"]);
    assert!(Command::new("kill").arg(shell.trim()).status().is_ok());
}

#[test]
fn without_the_capability_the_error_names_it() {
    let test = "without_the_capability_the_error_names_it";
    if !able(test) || !has(test, "setpriv") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let file = folder.path().join("no.reel");
    let drop = [
        "--bounding-set=-bpf,-sys_admin,-perfmon",
        "--inh-caps=-bpf,-sys_admin,-perfmon",
        "--reuid=65534",
        "--clear-groups",
    ];
    let out = Command::new("setpriv")
        .args(drop)
        .args([SYSREEL, "-w", file.to_str().unwrap(), "--ebpf", "--", "true"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("CAP_BPF") && text.contains("help:"), "{text}");
    assert!(!file.exists(), "nothing is left behind");
}

#[test]
fn a_container_without_the_nodes_process_ids_is_told_what_to_ask_for() {
    let test = "a_container_without_the_nodes_process_ids_is_told_what_to_ask_for";
    if !able(test) || !has(test, "unshare") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("x.reel");
    let mut inside = Command::new("unshare");
    inside.args(["--pid", "--fork", "--mount-proc", SYSREEL, "--ebpf", "-w"]).arg(&reel).args(["--", "true"]);
    let out = inside.output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(errors.contains("found one of a container") && errors.contains("hostPID: true"), "{errors}");
    assert!(!reel.exists());
}

#[test]
fn a_command_that_is_not_there_is_an_error_and_leaves_no_file() {
    if !able("a_command_that_is_not_there_is_an_error_and_leaves_no_file") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("no.reel");
    let out = sysreel(&["-w", file.to_str().unwrap(), "--", "no-such-program-xyz"]);
    let text = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("no-such-program-xyz"), "{text}");
    assert!(!file.exists(), "nothing is left behind");
}

#[test]
fn watching_shows_lines_and_tables_without_a_file() {
    if !able("watching_shows_lines_and_tables_without_a_file") {
        return;
    }
    let lines = sysreel(&["-p", "%proc.name %evt.type", "evt.type=openat", "--", "cat", "/etc/hostname"]);
    let text = String::from_utf8_lossy(&lines.stdout);
    assert!(
        text.lines().filter(|l| *l == "cat openat").count() >= 2,
        "{text}{}",
        String::from_utf8_lossy(&lines.stderr)
    );
    let table = sysreel(&["-c", "fdbytes_by", "fd.name", "--", "head", "-c", "5", "/etc/passwd"]);
    let text = String::from_utf8_lossy(&table.stdout);
    assert!(text.contains("/etc/passwd"), "{text}{}", String::from_utf8_lossy(&table.stderr));
}

#[test]
fn a_call_that_is_watched_has_a_line_for_its_beginning_at_its_own_time() {
    if !able("a_call_that_is_watched_has_a_line_for_its_beginning_at_its_own_time") {
        return;
    }
    let words = ["--enter", "-p", "%evt.dir %evt.rawtime", "evt.type=clock_nanosleep", "--", "sleep", "0.02"];
    let out = sysreel(&words);
    let text = String::from_utf8_lossy(&out.stdout);
    let lines: Vec<(&str, u64)> = text
        .lines()
        .map(|line| line.split_once(' ').map(|(dir, time)| (dir, time.parse().unwrap())).unwrap())
        .collect();
    let [(">", begun), ("<", over)] = lines[..] else {
        panic!("{text}{}", String::from_utf8_lossy(&out.stderr));
    };
    assert!(over - begun >= 20_000_000, "{text}");
}

#[test]
fn the_home_and_the_shell_of_a_user_are_those_of_passwd() {
    if !able("the_home_and_the_shell_of_a_user_are_those_of_passwd") {
        return;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let id = std::fs::metadata("/proc/self").unwrap().uid().to_string();
    let user = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|parts| parts[2] == id).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = record(&folder, &["cat", "/etc/hostname"]);
    let format = "%user.name %user.homedir %user.shell";
    let filtered = folder.path().join("filtered.reel");
    let out = sysreel(&["-q", "-w", filtered.to_str().unwrap(), "evt.type=read", "--", "cat", "/etc/hostname"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    for file in [&file, &filtered] {
        let text = replay(file, &["-p", format, "evt.type=read"]);
        assert_eq!(text.lines().next(), Some([user[0], user[5], user[6]].join(" ").as_str()), "{text}");
    }
}

#[test]
fn what_is_carried_along_the_rows_is_told_live_as_it_is_of_the_recording() {
    if !able("what_is_carried_along_the_rows_is_told_live_as_it_is_of_the_recording") {
        return;
    }
    // Each `exec` opens a descriptor more.
    let script = "exec 7< /etc/passwd; exec 8< /etc/passwd; exec 9< /etc/passwd";
    let format = "%proc.fdopencount %proc.nthreads %fd.name";
    let filter = "evt.type in (open, openat) and fd.name = /etc/passwd and proc.name = sh and proc.fdopencount > 0";
    let folder = tempfile::tempdir().unwrap();
    let recorded = replay(&record(&folder, &["sh", "-c", script]), &["-p", format, filter]);
    let live = sysreel(&["-p", format, filter, "--", "sh", "-c", script]);
    for text in [recorded.as_str(), &String::from_utf8_lossy(&live.stdout)] {
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        assert_eq!(rows.len(), 3, "{text}{}", String::from_utf8_lossy(&live.stderr));
        let open: Vec<u32> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
        // A shell may open the file under another number first and move it: while it is opened there is one more.
        assert!(open.windows(2).all(|pair| pair[1] == pair[0] + 1), "{text}");
        assert!(rows.iter().all(|row| row[1..] == ["1", "/etc/passwd"]), "{text}");
    }
}

#[test]
fn a_recording_ends_with_its_last_wanted_event() {
    if !able("a_recording_ends_with_its_last_wanted_event") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("few.reel");
    let out = sysreel(&["-q", "-n", "20", "-w", file.to_str().unwrap(), "--", "cat", "/etc/hostname"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let numbers: Vec<String> = replay(&file, &["-D", "-p", "%evt.num"]).lines().map(str::to_owned).collect();
    assert_eq!(numbers, (1..=20).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_recording_filter_keeps_what_matches_and_names_stay_true() {
    if !able("a_recording_filter_keeps_what_matches_and_names_stay_true") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("some.reel");
    let out = sysreel(&["-q", "-w", file.to_str().unwrap(), "evt.type=read", "--", "cat", "/etc/hostname"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = replay(&file, &["-p", "%evt.num %evt.type %fd.name"]);
    assert!(text.lines().all(|l| l.contains(" read ")), "{text}");
    assert!(text.lines().any(|l| l.ends_with("/etc/hostname")), "{text}");
    assert!(text.starts_with("1 "), "numbers are those of the reel: {text}");
}

#[test]
fn watching_stops_after_as_many_lines_as_were_asked_for() {
    if !able("watching_stops_after_as_many_lines_as_were_asked_for") {
        return;
    }
    for count in ["1", "7", "40"] {
        let out = sysreel(&["-n", count, "-p", "%evt.num", "--", "sh", "-c", "true & true & true & wait"]);
        assert!(out.status.success());
        assert_eq!(String::from_utf8(out.stdout).unwrap().lines().count().to_string(), count);
    }
}

#[test]
fn a_recording_that_cannot_begin_leaves_an_older_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.reel");
    std::fs::write(&file, "kept").unwrap();
    let out = sysreel(&["-w", file.to_str().unwrap(), "--", "surely-no-such-program"]);
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
}

#[test]
fn a_recording_into_a_place_that_refuses_it_ends_with_the_reason() {
    if !able("a_recording_into_a_place_that_refuses_it_ends_with_the_reason") {
        return;
    }
    let marker = tempfile::tempdir().unwrap().path().join("ran");
    for (place, reason) in
        [("/dev/full", "found a full disk"), ("/proc", "Is a directory"), ("/nonexistent/x.reel", "No such file")]
    {
        let out = sysreel(&["-w", place, "--", "touch", marker.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert!(said.contains(reason) && said.contains("help:"), "{said}");
        assert!(!marker.exists(), "{place}: the command ran, and nobody recorded it");
    }
}

#[test]
fn whoever_reads_a_recording_from_a_pipe_may_leave() {
    if !able("whoever_reads_a_recording_from_a_pipe_may_leave") {
        return;
    }
    let mut recorder = Command::new(SYSREEL);
    recorder.args(["-w", "-", "--", "true"]);
    let mut recorder = recorder.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(recorder.stdout.take());
    let out = recorder.wait_with_output().unwrap();
    assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stderr).as_ref()), (Some(0), ""));
}
