//! Recordings by ptrace: the same story as the probe's, for any user, and no harm to the command.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{self, SYSREEL, has, replay, sysreel, until};
use common::skip;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use sysreel::event::{ParamType, kind_by_name};

/// What may differ between the two stories, besides addresses and ids: kind, parameter, and why. `docs/ptrace.md` tells
/// of it. A kind without a parameter is left out as a whole; `*` is every kind.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("cputime", "", "the tracer reads it at other moments"),
    ("cgroup", "", "it comes whenever its question is answered"),
    ("rt_sigreturn", "", "when the end of a child interrupts its parent is a matter of time"),
    ("wait4", "", "whether it waits for that end is, too"),
    ("getppid", "res", "the recorder, another one each time"),
    ("getrandom", "res", "not random, but the C library asks again when it gets less"),
    ("connect", "tuple", "the kernel's addresses of Unix sockets"),
    ("*", "vm_size", "read a moment later"),
    ("*", "vm_rss", "the kernel sums it up from its processors now and then, /proc at once"),
    ("*", "vm_swap", "read a moment later"),
    ("*", "pgft_maj", "what is in memory by the second run was not by the first"),
    ("*", "pgft_min", "the same"),
    ("*", "created", "the tracer knows it only where the flags say so"),
    ("signaldeliver", "handler", "that there is one is told to others, not where it stands"),
    ("procexit", "utime", "less than a tick is not told to others"),
    ("procexit", "stime", "the same"),
    ("procexit", "group_utime", "the same, of the process"),
    ("procexit", "group_stime", "the same"),
    ("connect", "ino", "it comes with the kernel's addresses of the socket, which programs are not shown"),
    ("connect", "peer_ino", "the same"),
    ("procexit", "group_nvcsw", "stops are switches"),
    ("procexit", "group_nivcsw", "the same"),
    ("procexit", "group_minflt", "as pgft_min"),
    ("procexit", "group_majflt", "as pgft_maj"),
    ("procfork", "start", "the moment of the run"),
    ("procexit", "nvcsw", "stops are switches"),
    ("procexit", "nivcsw", "the same"),
    ("procexit", "minflt", "as pgft_min"),
    ("procexit", "majflt", "as pgft_maj"),
    ("procexit", "maxrss", "as vm_rss"),
];

/// Whether this process may trace its children; says why not.
fn able(test: &str) -> bool {
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    if scope.trim().parse::<u32>().is_ok_and(|scope| scope > 1) {
        skip(test, "kernel.yama.ptrace_scope forbids tracing");
        return false;
    }
    true
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

fn record(folder: &Path, how: &str, command: &[&str]) -> PathBuf {
    let file = folder.join(format!("{}.reel", how.trim_start_matches('-')));
    let words = [&["-q", how, "-w", file.to_str().unwrap(), "--"], command].concat();
    let out =
        Command::new(SYSREEL).args(words).env_clear().env("PATH", "/usr/bin:/bin").current_dir("/").output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    file
}

fn count<'a>(words: impl Iterator<Item = &'a str>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts
}

/// A word without what differs from run to run: addresses, and ids, of which the ordinal stays.
fn steady(word: &str, ids: &[String]) -> String {
    let (head, tail) = word.split_at(word.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(word.len()));
    let end = tail.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tail.len());
    let (core, rest) = tail.split_at(end);
    if core.is_empty() {
        return head.to_owned();
    }
    // Addresses, and the inodes of pipes.
    let is_address = core.len() >= 6 && core.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    let core = match ids.iter().position(|id| id == core) {
        Some(n) => format!("#{n}"),
        None if is_address => "ADDRESS".to_owned(),
        None => core.to_owned(),
    };
    format!("{head}{core}{}", steady(rest, ids))
}

/// Whether a number under this name is an id of a thread, and not a size that happens to be equal.
fn names_an_id(kind: &str, name: &str) -> bool {
    let Some(spec) = kind_by_name(kind).map(sysreel::event::Kind::spec) else { return true };
    let of_result = spec.ret.as_ref().filter(|ret| ret.name == name).map(|ret| ret.ty);
    let ty = spec.params.iter().find(|param| param.name == name).map(|param| param.ty).or(of_result);
    ty.is_none_or(|ty| !matches!(ty, ParamType::Int | ParamType::Uint | ParamType::Hex))
}

/// A parameter without what differs from run to run.
fn steady_parameter(kind: &str, word: &str, ids: &[String]) -> String {
    match word.split_once('=') {
        Some((name, value)) if value.bytes().all(|b| b.is_ascii_digit()) && !names_an_id(kind, name) => {
            steady(word, &[])
        }
        _ => steady(word, ids),
    }
}

/// The rows of each thread in their order, threads in the order of their births.
fn story(file: &Path) -> Vec<Vec<String>> {
    let format = "*%thread.tid\t%evt.type\t%proc.name %proc.pname %proc.exepath %proc.cwd %fd.name %evt.res\t%evt.args";
    let text = replay(file, &["-D", "-p", format]);
    let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split('\t').collect()).collect();
    let mut ids: Vec<String> = Vec::new();
    for row in &rows {
        if !ids.iter().any(|id| id == row[0]) {
            ids.push(row[0].to_owned());
        }
    }
    let mut stories = vec![Vec::new(); ids.len()];
    for row in rows {
        let (kind, what, args) = (row[1], row[2], row[3]);
        let allowed = |name: &str| DIFFERENCES.iter().any(|(k, n, _)| (*k == kind || *k == "*") && *n == name);
        if allowed("") {
            continue;
        }
        // The second word of a moment, which is of the run.
        let clock = |word: &str| word.len() > 8 && word.as_bytes()[2] == b':' && word.as_bytes()[5] == b':';
        let stays = |word: &&str| !allowed(word.split('=').next().unwrap_or_default()) && !clock(word);
        let args = args.split(' ').filter(stays).map(|word| steady_parameter(kind, word, &ids));
        let line = format!("{kind} {} {}", steady(what, &ids), args.collect::<Vec<String>>().join(" "));
        stories[ids.iter().position(|id| id == row[0]).unwrap()].push(line);
    }
    stories
}

const STORY: &str = "echo one > a; cat a a > c; wc -c < c; ls -l a missing; mkdir d; mv a d/b; rm -r d; (exit 3); \
    printf '#!/bin/sh\\necho hi $1\\n' > s; chmod +x s; ./s you; ./missing; cd /; exit 4";

#[test]
fn both_sources_tell_the_same_story() {
    let test = "both_sources_tell_the_same_story";
    if !live::able(test) || !able(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let story_of = |how: &str| {
        let place = folder.path().join("place");
        std::fs::create_dir(&place).unwrap();
        let script = format!("cd {} && {STORY}", place.display());
        let found = story(&record(folder.path(), how, &["sh", "-c", &script]));
        std::fs::remove_dir_all(&place).unwrap();
        found
    };
    let (probe, tracer) = (story_of("--ebpf"), story_of("--ptrace"));
    assert!(probe.len() >= 9 && probe.iter().map(Vec::len).sum::<usize>() > 400, "the probe saw too little");
    assert_eq!(probe.len(), tracer.len(), "threads");
    let mut found = std::collections::BTreeSet::new();
    for (thread, (probe, tracer)) in probe.iter().zip(&tracer).enumerate() {
        for (n, (probe, tracer)) in probe.iter().zip(tracer).enumerate().filter(|(_, (a, b))| a != b) {
            let words = probe.split(' ').zip(tracer.split(' ')).find(|(a, b)| a != b);
            found.insert(format!("row {n} of thread {thread}, {}: {words:?}", probe.split(' ').next().unwrap()));
        }
        assert_eq!(probe.len(), tracer.len(), "rows of thread {thread}");
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Sysreel as a user without any privilege.
fn as_nobody(words: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]);
    command.arg(SYSREEL).args(words).current_dir("/");
    command
}

/// A folder that everybody may write to, if this is root, who alone can be nobody.
fn open_folder(test: &str) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let is_root = std::os::unix::fs::MetadataExt::uid(&folder.path().metadata().unwrap()) == 0;
    if !is_root {
        skip(test, "needs root, to be somebody else");
        return None;
    }
    Some(folder)
}

#[test]
fn a_user_without_privileges_records_replays_and_asks() {
    let test = "a_user_without_privileges_records_replays_and_asks";
    if !able(test) || !has(test, "setpriv") {
        return;
    }
    let Some(folder) = open_folder(test) else { return };
    let file = folder.path().join("mine.reel");
    let script = format!("cd {} && echo one > a && tr o x < a > c; id -u; exit 5", folder.path().display());
    let out = as_nobody(&["-w", file.to_str().unwrap(), "--", "sh", "-c", &script]).output().unwrap();
    let notes = said(&out);
    assert!(out.status.success(), "{notes}");
    assert_eq!(String::from_utf8_lossy(&out.stdout), "65534\n");
    for expected in ["missing: CAP_BPF and CAP_PERFMON", "recording with ptrace", "set-user-id", "exit code 5"] {
        assert_eq!(notes.matches(expected).count(), 1, "{expected}: {notes}");
    }
    let wrote = replay(&file, &["-p", "%proc.name %fd.name %evt.res", "evt.type=write and fd.name endswith /c"]);
    assert_eq!(wrote, format!("tr {}/c SUCCESS\n", folder.path().display()));
    let table = as_nobody(&["-r", file.to_str().unwrap(), "-c", "topfiles_bytes"]).output().unwrap();
    assert!(String::from_utf8_lossy(&table.stdout).contains("/c"), "{}", said(&table));
    let live =
        as_nobody(&["-q", "-c", "fdbytes_by", "fd.name", "--", "head", "-c", "5", "/etc/passwd"]).output().unwrap();
    assert!(String::from_utf8_lossy(&live.stdout).contains("/etc/passwd"), "{}", said(&live));
}

#[test]
fn the_whole_machine_needs_the_probe_and_the_error_names_the_way_out() {
    let test = "the_whole_machine_needs_the_probe_and_the_error_names_the_way_out";
    if !has(test, "setpriv") {
        return;
    }
    let Some(folder) = open_folder(test) else { return };
    let file = folder.path().join("no.reel");
    let out = as_nobody(&["-w", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("CAP_BPF") && said(&out).contains("-- CMD"), "{}", said(&out));
    let out = sysreel(&["--ptrace", "-w", file.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("expected a command"), "{}", said(&out));
    assert!(!file.exists(), "nothing is left behind");
}

#[test]
fn every_call_that_returns_is_recorded_as_often_as_strace_sees_it() {
    let test = "every_call_that_returns_is_recorded_as_often_as_strace_sees_it";
    if !able(test) || !has(test, "strace") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "cd {} && echo one > a; cat a a > c; wc -c < c; ls -l a missing; (exit 3); true",
        folder.path().display()
    );
    let reel = record(folder.path(), "--ptrace", &["sh", "-c", &script]);
    let ours = replay(&reel, &["-p", "%evt.type", "evt.latency exists"]);
    let trace = folder.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", trace.to_str().unwrap(), "sh", "-c", &script]);
    assert!(strace.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/").output().unwrap().status.success());
    let text = std::fs::read_to_string(&trace).unwrap();
    // "PID name(args) = result" or "PID <... name resumed>…"; a call that never returns ends in "= ?".
    let theirs = text.lines().filter(|l| l.contains(" = ") && !l.ends_with("= ?")).filter_map(|line| {
        let rest = line.split_once(' ')?.1.trim_start();
        let name = rest.strip_prefix("<... ").map_or_else(|| rest.split('('), |r| r.split(' ')).next()?;
        Some(match name {
            "pread64" => "pread",
            "prlimit64" => "prlimit",
            other => other,
        })
    });
    let (mut ours, mut theirs) = (count(ours.lines()), count(theirs));
    // Whether a shell's wait is interrupted by the end of its child is a matter of time.
    for name in ["rt_sigreturn", "wait4"] {
        ours.remove(name);
        theirs.remove(name);
    }
    assert!(theirs.values().sum::<u32>() > 200, "strace saw too little: {theirs:?}");
    assert_eq!(ours, theirs);
}

#[test]
fn signals_stops_and_exit_codes_reach_whom_they_are_meant_for() {
    let test = "signals_stops_and_exit_codes_reach_whom_they_are_meant_for";
    if !able(test) || !has(test, "python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signals.reel");
    // Who stops a child and waits for it sees it stopped, and it goes on when it is told to.
    let script = "trap 'echo usr1' USR1; kill -USR1 $$; python3 -c '\
import os, signal, sys
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(9))
    os.kill(os.getpid(), signal.SIGSTOP)
    while True: signal.pause()
print(os.WSTOPSIG(os.waitpid(child, os.WUNTRACED)[1]), flush=True)
os.kill(child, signal.SIGTERM)
os.kill(child, signal.SIGCONT)
print(os.WEXITSTATUS(os.waitpid(child, 0)[1]), flush=True)
'; sh -c 'kill -SEGV $$'; echo died $?; exit 7";
    let words = ["--ptrace", "-w", file.to_str().unwrap(), "--", "sh", "-c", script];
    let out = sysreel(&words);
    assert_eq!(String::from_utf8_lossy(&out.stdout), "usr1\n19\n9\ndied 139\n", "{}", said(&out));
    assert!(out.status.success() && said(&out).contains("exit code 7"), "{}", said(&out));
    let exits = replay(&file, &["-p", "%evt.arg.status", "evt.type=procexit"]);
    let exits: BTreeSet<i64> = exits.lines().map(|l| l.parse::<i64>().unwrap() & !0x80).collect();
    assert!(exits.is_superset(&[7 << 8, 9 << 8, 11].into()), "{exits:?}");
    let killed = sysreel(&["--ptrace", "-w", file.to_str().unwrap(), "--", "sh", "-c", "kill -9 $$"]);
    assert!(said(&killed).contains("ended by signal 9"), "{}", said(&killed));
}

/// A shell that counts in a file until somebody says that it is enough, and then writes its last word.
fn counter(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "n=0; until [ -e {folder}/enough ]; do n=$((n+1)); echo $n >> {folder}/count; done; echo whole > {folder}/end"
    )
}

#[test]
fn a_recorder_that_is_killed_or_ends_leaves_the_command_running_unharmed() {
    let test = "a_recorder_that_is_killed_or_ends_leaves_the_command_running_unharmed";
    if !able(test) {
        return;
    }
    for end in ["KILL", "INT", "limit"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("killed.reel");
        let limit = if end == "limit" { "300" } else { "100000000" };
        let mut recorder = Command::new(SYSREEL);
        recorder.args(["-q", "--ptrace", "--flush", "0.1", "-n", limit, "-w", file.to_str().unwrap(), "--"]);
        let mut recorder = recorder.args(["sh", "-c", &counter(folder.path())]).spawn().unwrap();
        let lines = || std::fs::read_to_string(folder.path().join("count")).map_or(0, |t| t.lines().count());
        let written = || end == "limit" || file.metadata().is_ok_and(|m| m.len() > 4000);
        until("the command ran", || lines() > 50 && written());
        if end != "limit" {
            let kill = Command::new("kill").args([&format!("-{end}"), &recorder.id().to_string()]).status().unwrap();
            assert!(kill.success());
        }
        let status = recorder.wait().unwrap();
        assert_eq!(status.success(), end != "KILL", "{end}: {status}");
        let seen = lines();
        until("the command went on", || lines() > seen + 200);
        std::fs::write(folder.path().join("enough"), "").unwrap();
        until("the command ended", || folder.path().join("end").metadata().is_ok_and(|m| m.len() == 6));
        let rows = replay(&file, &["-p", "%evt.num", "evt.type=write"]);
        assert!(end == "KILL" || rows.lines().count() >= 5, "{end}: {} rows", rows.lines().count());
    }
}

#[test]
fn a_tree_of_many_processes_is_followed_whole() {
    let test = "a_tree_of_many_processes_is_followed_whole";
    if !able(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "for i in 1 2 3 4 5 6 7 8 9 10; do (for j in 1 2 3 4; do (exit $j) & done; wait) & done; wait";
    let reel = record(folder.path(), "--ptrace", &["sh", "-c", script]);
    let kinds = count(replay(&reel, &["-p", "%evt.type"]).lines());
    assert_eq!((kinds["procfork"], kinds["procexit"]), (50, 51));
    let exits = count(replay(&reel, &["-p", "%evt.arg.status %evt.arg.last", "evt.type=procexit"]).lines());
    let expected = [("0 true", 11), ("256 true", 10), ("512 true", 10), ("768 true", 10), ("1024 true", 10)];
    assert_eq!(exits, expected.map(|(exit, n)| (exit.to_owned(), n)).into());
    // Nothing is told of a thread before its birth, nor after its end.
    let rows = replay(&reel, &["-p", "*%thread.tid %evt.type %evt.arg.child_tid"]);
    let (mut born, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for (n, line) in rows.lines().enumerate() {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(n == 0 || born.contains(words[0]) || born.is_empty(), "{line}");
        assert!(!ended.contains(words[0]), "{line}");
        if n == 0 {
            born.insert(words[0]);
        }
        match words[1] {
            "procfork" => assert!(born.insert(words[2]), "{line}"),
            "procexit" => assert!(ended.insert(words[0]), "{line}"),
            _ => {}
        }
    }
}

#[test]
fn threads_and_an_exec_by_one_of_them_are_followed() {
    let test = "threads_and_an_exec_by_one_of_them_are_followed";
    if !able(test) || !has(test, "gcc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("x.c"), folder.path().join("x"));
    let text = r#"
        #include <pthread.h>
        #include <unistd.h>
        static void *rest(void *unused) { for (;;) pause(); return unused; }
        static void *become(void *unused) { char *argv[] = { "echo", "done", 0 }; execv("/bin/echo", argv); return unused; }
        int main(void) {
            pthread_t t[4];
            for (int i = 0; i < 3; i++) pthread_create(t + i, 0, rest, 0);
            int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(64) : "memory");
            pthread_create(t + 3, 0, become, 0);
            for (;;) pause();
        }"#;
    std::fs::write(&source, text).unwrap();
    let built = Command::new("gcc").args(["-pthread", "-o"]).args([&program, &source]).status().unwrap();
    assert!(built.success());
    let reel = record(folder.path(), "--ptrace", &[program.to_str().unwrap()]);
    let kinds = count(replay(&reel, &["-p", "%evt.type"]).lines());
    assert_eq!((kinds["procfork"], kinds["procexit"]), (4, 5), "{kinds:?}");
    let forks = replay(&reel, &["-p", "%evt.arg.flags", "evt.type=procfork"]);
    assert!(forks.lines().all(|l| l.contains("CLONE_THREAD") && l.contains("CLONE_FILES")), "{forks}");
    // The one that execs takes the number of its process.
    let exec = replay(&reel, &["-p", "%evt.res %thread.ismain %proc.name %proc.args", "evt.type=execve"]);
    assert_eq!(exec, "SUCCESS true x \nSUCCESS true echo done\n");
    let ids = replay(&reel, &["-p", "%proc.pid %thread.tid", "evt.type in (execve,getppid)"]);
    assert_eq!(ids.lines().collect::<BTreeSet<_>>().len(), 1, "a 32-bit call has its own numbers: {ids}");
}

#[test]
fn connections_have_both_ends() {
    let test = "connections_have_both_ends";
    if !able(test) || !has(test, "python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import socket; l = socket.create_server(('127.0.0.1', 0)); \
        c = socket.create_connection(l.getsockname()); s, _ = l.accept(); s.sendall(b'hello'); \
        assert c.recv(10) == b'hello'; print(l.getsockname()[1], c.getsockname()[1], file=open('ports', 'w'))";
    let file = folder.path().join("net.reel");
    let mut recorder = Command::new(SYSREEL);
    recorder.args(["-q", "--ptrace", "-w", file.to_str().unwrap(), "--", "python3", "-c", script]);
    let out = recorder.current_dir(folder.path()).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    let ports = std::fs::read_to_string(folder.path().join("ports")).unwrap();
    let (server, client) = ports.trim().split_once(' ').unwrap();
    let name = format!("127.0.0.1:{client}->127.0.0.1:{server}");
    for filter in
        ["evt.type=connect and fd.l4proto=tcp", "evt.type in (accept,accept4)", "evt.type=sendto and fd.l4proto=tcp"]
    {
        let seen = replay(&file, &["-p", "%fd.name", filter]);
        assert_eq!(seen.trim(), name, "{filter}");
    }
}

#[test]
fn the_reel_says_what_recorded_it_and_what_it_could_not_see() {
    let test = "the_reel_says_what_recorded_it_and_what_it_could_not_see";
    if !able(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let reel = record(folder.path(), "--ptrace", &["true"]);
    let reader = sysreel::reel::Reader::open(&reel).unwrap();
    assert_eq!(reader.header().probe, "ptrace");
    let notes: Vec<&str> = reader.notes().iter().map(|n| n.text.as_str()).collect();
    assert!(notes.len() == 1 && notes[0].contains("not seen"), "{notes:?}");
}
