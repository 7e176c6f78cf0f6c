//! Kubernetes requests and the processes that came from them: who really ran this.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{Group, SYSREEL, able, groups, has};
use common::{V, event, shared, skip, write_reel};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use sysreel::engine::SegmentLimits;
use sysreel::event::Splitter;
use sysreel::source::scap;

fn sysreel(words: &[&str]) -> String {
    let output = Command::new(SYSREEL).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Answers about files that are given together.
fn asked(files: &[&Path], words: &[&str]) -> String {
    let given: Vec<&str> = files.iter().flat_map(|file| ["-r", file.to_str().unwrap()]).collect();
    sysreel(&[&given, words].concat())
}

/// A process that the lab's kubelet started: when (ns UTC), process id, container, namespace/pod and words.
#[derive(Debug)]
struct Ran {
    time: u64,
    pid: u32,
    container: String,
    pod: String,
    argv: Vec<String>,
}

/// Nanoseconds since 1970 of `2026-11-21T21:16:20.338890Z`; all that is asked about is of that day.
fn moment(text: &str) -> u64 {
    let rest = text.strip_prefix("2026-11-21T").unwrap().strip_suffix('Z').unwrap();
    let (clock, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let seconds = clock.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
    // `date -u -d 2026-11-21 +%s`.
    (1_795_219_200 + seconds) * 1_000_000_000 + format!("{fraction:0<9}").parse::<u64>().unwrap()
}

/// What the lab's kubelets wrote down of what they ran.
fn ran(path: &Path) -> Vec<Ran> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let word = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap().to_owned();
    lines
        .filter(|line| line["ev"] == "exec_start")
        .map(|line| Ran {
            time: moment(&word(&line, "ts")),
            pid: u32::try_from(line["pid"].as_u64().unwrap()).unwrap(),
            container: word(&line, "container_id"),
            pod: format!("{}/{}", word(&line, "namespace"), word(&line, "pod")),
            argv: line["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect(),
        })
        .collect()
}

/// A reel with these processes, each in the control group of its container, and below each a child that reads a file.
fn node(path: &Path, all: &[Ran]) {
    node_with(path, all, "");
}

/// The same with the events of a log in the same reel.
fn node_with(path: &Path, all: &[Ran], log: &str) {
    write_reel(path, SegmentLimits::default(), |assembler| {
        let mut splitter = Splitter::default();
        for line in log.lines() {
            assembler.event(&splitter.split(line.as_bytes()).unwrap().event).unwrap();
        }
        let mut tell = |event: sysreel::event::OwnedEvent| assembler.event(&event.event()).unwrap();
        for (number, ran) in all.iter().enumerate() {
            let (pid, group) = (ran.pid, 1000 + number as i64);
            let child = 100_000 + pid;
            let born = |child: u32| -> [(&str, V<'_>); 3] {
                let child = i64::from(child);
                [("child_tid", V::I(child)), ("child_pid", V::I(child)), ("ppid", V::I(1))]
            };
            tell(event("procfork", ran.time - 2_000, (1, 1), 0, &born(pid)));
            let rest: String = ran.argv[1..].iter().fold(String::new(), |mut text, word| {
                let _ = write!(text, "{word}\0");
                text
            });
            let words: [(&str, V<'_>); 4] = [
                ("exe", ran.argv[0].as_str().into()),
                ("args", rest.as_str().into()),
                ("comm", "ran".into()),
                ("cgroup_id", V::I(group)),
            ];
            tell(event("execve", ran.time, (pid, pid), 0, &words));
            let path = format!("/kubepods.slice/cri-containerd-{}.scope", ran.container);
            tell(event("cgroup", ran.time + 1, (pid, pid), 0, &[("id", V::I(group)), ("path", path.as_str().into())]));
            tell(event("procfork", ran.time + 10, (pid, pid), 0, &born(child)));
            tell(event("openat", ran.time + 20, (child, child), 3, &[("name", "/etc/passwd".into())]));
        }
        let last = all.iter().map(|ran| ran.time).max().unwrap_or(0);
        assembler.finish(last + 1_000).unwrap();
    });
}

#[test]
fn every_exec_of_a_real_cluster_finds_its_process() {
    let test = "every_exec_of_a_real_cluster_finds_its_process";
    let Some(shared) = shared() else { return skip(test, "no shared data") };
    let run = shared.join("data/k8s/run2-full");
    let folder = tempfile::tempdir().unwrap();
    let all = ran(&run.join("runtime_events.jsonl"));
    // Nine execs, and an attach for which the lab's kubelet starts a shell.
    assert_eq!(all.len(), 10);
    let reel = folder.path().join("node.reel");
    node(&reel, &all);
    // What the log says of the two pods, of both files in which something was run.
    let log = folder.path().join("audit.log");
    let mut kept = String::new();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(run.join("log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in &files[..2] {
        for line in BufReader::new(scap::open(file).unwrap()).lines().map(Result::unwrap) {
            let head = &line[..line.len().min(2_000)];
            if ["pods/victim", "pods/payments-api"].iter().any(|pod| head.contains(pod)) {
                kept.push_str(&line);
                kept.push('\n');
            }
        }
    }
    std::fs::write(&log, &kept).unwrap();
    let format = "%proc.pid|%proc.audit.user|%proc.audit.action|%proc.audit.pod|%proc.audit.command|%proc.audit.by";
    let found = asked(&[&reel, &log], &["-p", format, "evt.type = execve and proc.audit.id exists"]);
    let want: Vec<String> = all
        .iter()
        .map(|ran| {
            let command = ran.argv.join(" ");
            let user = if command == "whoami" { "alice" } else { "kubernetes-admin" };
            let is_attach = command.contains("attached");
            let (action, command) = if is_attach { ("attach", "<NA>") } else { ("exec", command.as_str()) };
            let by = if is_attach { "container,time" } else { "container,command,time" };
            format!("{}|{user}|{action}|{}|{command}|{by}", ran.pid, ran.pod)
        })
        .collect();
    // An attach names no command.
    let found_all = asked(&[&reel, &log], &["-p", &format!("*{format}"), "evt.type = execve"]);
    assert_eq!(found_all.lines().collect::<Vec<_>>(), want);
    assert_eq!(found.lines().count(), 9);
    // What a child does is of the same request, and each request has its own.
    let children = asked(&[&reel, &log], &["-p", "%proc.audit.id %fd.name", "evt.type = openat"]);
    let ids: std::collections::BTreeSet<&str> = children.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!((children.lines().count(), ids.len()), (10, 10));
    // In one reel it is the same.
    let one = folder.path().join("one.reel");
    node_with(&one, &all, &kept);
    assert_eq!(asked(&[&one], &["-p", &format!("*{format}"), "evt.type = execve"]), found_all);
    let sessions = asked(&[&one], &["-c", "exec_sessions"]);
    let processes = |text: &str| text.lines().filter(|line| line.contains(" alice ")).count();
    // Her session, two processes, a file.
    assert_eq!(processes(&sessions), 4, "{sessions}");
}

#[test]
fn without_a_status_the_pod_is_not_known_and_the_command_decides() {
    let folder = tempfile::tempdir().unwrap();
    let (reel, log) = (folder.path().join("node.reel"), folder.path().join("audit.log"));
    let ran = |pid: u32, time: u64, container: char, argv: &[&str]| Ran {
        time,
        pid,
        container: container.to_string().repeat(64),
        pod: String::new(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
    };
    let start = moment("2026-11-21T21:00:00Z");
    let second = 1_000_000_000;
    let all = [
        ran(10, start + second / 2, 'a', &["id"]),
        // The same command in two containers, and nothing says in which pod they are.
        ran(20, start + 100 * second, 'a', &["date"]),
        ran(21, start + 100 * second + 5_000, 'b', &["date"]),
        // A script, before which the kernel puts its interpreter.
        ran(30, start + 200 * second, 'b', &["/bin/sh", "/opt/run.sh", "x"]),
        // Too late, and refused.
        ran(40, start + 400 * second, 'a', &["late"]),
        ran(50, start + 500 * second, 'a', &["refused"]),
    ];
    node(&reel, &all);
    let asks = |id: u32, at: &str, code: u32, query: &str| {
        let stage = |stage: &str, more: &str| {
            format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"00000000-0000-4000-8000-0000000000{id}","stage":"{stage}","requestURI":"/api/v1/namespaces/x/pods/p/exec?{query}","verb":"get","user":{{"username":"bob"}},"sourceIPs":["203.0.113.9","10.0.0.1"],"objectRef":{{"resource":"pods","namespace":"x","name":"p","apiVersion":"v1","subresource":"exec"}},{more}"requestReceivedTimestamp":"{at}.000000Z","stageTimestamp":"{at}.100000Z"}}"#
            ) + "\n"
        };
        stage("RequestReceived", "") + &stage("ResponseStarted", &format!(r#""responseStatus":{{"code":{code}}},"#))
    };
    let text = asks(10, "2026-11-21T21:00:00", 101, "command=id")
        + &asks(20, "2026-11-21T21:01:40", 101, "command=date")
        + &asks(30, "2026-11-21T21:03:19", 101, "command=.%2Frun.sh&command=x")
        + &asks(40, "2026-11-21T21:04:00", 101, "command=late")
        + &asks(50, "2026-11-21T21:08:20", 403, "command=refused");
    std::fs::write(&log, text).unwrap();
    let format = "%proc.pid %proc.audit.user %proc.audit.address %proc.audit.address.claimed %proc.audit.by";
    let found = asked(&[&reel, &log], &["-p", format, "evt.type = execve and proc.audit.user = bob"]);
    let found: Vec<&str> = found.lines().collect();
    let want = ["10 bob 10.0.0.1 203.0.113.9 command,time", "30 bob 10.0.0.1 203.0.113.9 command,time"];
    assert_eq!(found, want);
}

#[test]
fn who_really_ran_this_is_told_of_a_recorded_session() {
    let test = "who_really_ran_this_is_told_of_a_recorded_session";
    if !able(test) || !has(test, "bash") || !has(test, "unshare") {
        return;
    }
    let Some(root) = groups() else { return skip(test, "needs control groups of version 2") };
    let folder = tempfile::tempdir().unwrap();
    let (Some(web), Some(db)) = (
        Group::of_pod(&root, "6f1b2c3d-0000-4abc-9def-0123456789ab", 'a'),
        Group::of_pod(&root, "6f1b2c3d-0000-4abc-9def-0123456789cd", 'b'),
    ) else {
        return skip(test, "needs to make control groups");
    };
    let (reel, log) = (folder.path().join("node.reel"), folder.path().join("audit.log"));
    let script = format!("{}/tests/programs/kubelet.sh", env!("CARGO_MANIFEST_DIR"));
    let texts = [&web.0, &db.0, &log, folder.path()].map(|path: &Path| path.to_str().unwrap().to_owned());
    let mut words = vec!["-q", "-w", reel.to_str().unwrap(), "--", "bash", &script];
    words.extend(texts.iter().map(String::as_str));
    sysreel(&words);
    let files: [&Path; 2] = [&reel, &log];
    let format = "%proc.audit.user %proc.audit.address %proc.audit.action %proc.audit.pod %proc.name";
    let told = asked(&files, &["-p", format, "evt.type = execve and evt.failed = false and proc.audit.id exists"]);
    let mut told: Vec<&str> = told.lines().collect();
    told.sort_unstable();
    let want = [
        "alice 192.0.2.10 exec prod/web-1 bash",
        "alice 192.0.2.10 exec prod/web-1 cat",
        "alice 192.0.2.10 exec prod/web-1 sh",
        "alice 192.0.2.10 exec prod/web-1 wc",
        "bob 192.0.2.20 exec prod/db-0 bash",
        "bob 192.0.2.20 exec prod/db-0 cat",
        "bob 192.0.2.20 exec prod/db-0 sh",
        "bob 192.0.2.20 exec prod/db-0 wc",
        "carol 192.0.2.30 attach prod/web-1 ls",
    ];
    assert_eq!(told, want);
    let by = asked(&files, &["-p", "%proc.audit.user %proc.audit.by", "evt.type = execve and proc.name in (wc, ls)"]);
    assert!(by.contains("alice container,command,time") && by.contains("carol container,parent,time"), "{by}");
    let files_read = asked(&files, &["-p", "%proc.audit.user", "evt.type = openat and fd.name = /etc/hosts"]);
    assert_eq!(files_read, "", "what the container does itself is nobody's");
    let read =
        asked(&files, &["-p", "%proc.audit.user", "evt.type = openat and fd.name = /etc/passwd and proc.name = cat"]);
    let mut readers: Vec<&str> = read.lines().collect();
    readers.sort_unstable();
    assert_eq!(readers, ["alice", "bob"]);
    let sessions = asked(&files, &["-c", "exec_sessions"]);
    for word in ["alice", "bob", "carol", "/etc/passwd", "127.0.0.1:9", "container,command,time"] {
        assert!(sessions.contains(word), "{word}: {sessions}");
    }
}
