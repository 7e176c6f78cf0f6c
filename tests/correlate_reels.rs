//! Requests and processes in one reel and in two, in either order and by clocks that differ; what is said where nothing is joined, and
//! what is opened for it. The sample `captures/pods.reel` has an exec, an ephemeral container and an attach.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::sysreel;
use common::noted::Noted;
use common::{V, event, write_reel};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use sysreel::engine::{Batches, Options, Question, Reels, SegmentLimits, play};
use sysreel::filter::Filter;
use sysreel::query::{LinesQuery, Query};
use sysreel::template::Template;

const SECOND: u64 = 1_000_000_000;

/// Answers about files that are given together, and what is said beside them.
fn asked(files: &[&Path], words: &[&str]) -> (String, String) {
    let given: Vec<&str> = files.iter().flat_map(|file| ["-r", file.to_str().unwrap()]).collect();
    let done = sysreel(&[&given, words].concat());
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(done.stdout), text(done.stderr))
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/pods.reel")
}

/// The sample's system calls as a reel.
fn node(folder: &Path) -> PathBuf {
    let (scap, reel) = (folder.join("node.scap"), folder.join("node.reel"));
    asked(&[&sample()], &["-q", "-w", scap.to_str().unwrap(), "evt.type != k8saudit"]);
    asked(&[&scap], &["-q", "-w", reel.to_str().unwrap()]);
    reel
}

/// Those of the sample's audit events that a word stands in, with their times moved by so many seconds, as a log and as a reel.
fn audit(folder: &Path, word: &str, seconds: i64) -> [PathBuf; 2] {
    let files = ["log", "reel"].map(|kind| folder.join(format!("audit{}{seconds}.{kind}", word.len())));
    let (events, _) = asked(&[&sample()], &["-p", "*%ka.raw", "evt.type = k8saudit"]);
    assert_eq!(events.lines().count(), 7);
    let events: String = events.lines().filter(|line| line.contains(word)).map(|line| line.to_owned() + "\n").collect();
    std::fs::write(&files[0], moved(&events, seconds)).unwrap();
    asked(&[&files[0]], &["-q", "-w", files[1].to_str().unwrap()]);
    files
}

/// Times of events moved within their day by so many seconds.
fn moved(events: &str, seconds: i64) -> String {
    let mut parts = events.split("Timestamp\":\"");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        // 2026-11-22T14:45:18.123456Z
        let number = |from: usize| part[from..from + 2].parse::<i64>().unwrap();
        let clock = (number(11) * 60 + number(14)) * 60 + number(17) + seconds;
        let clock = format!("{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60);
        let _ = write!(text, "Timestamp\":\"{}{clock}{}", &part[..11], &part[19..]);
    }
    text
}

/// Who ran which program, by what that is known.
fn told(files: &[&Path]) -> (Vec<String>, String) {
    let format = "%proc.audit.user %proc.audit.action %proc.audit.pod %proc.audit.by %proc.name";
    let (out, err) = asked(files, &["-p", format, "evt.type = execve and evt.failed = false"]);
    (out.lines().map(str::to_owned).collect(), err)
}

const SESSIONS: [&str; 6] = [
    "alice exec prod/web-1 container,command,time sh",
    "alice exec prod/web-1 container,command,time wc",
    "alice exec prod/web-1 container,command,time cat",
    "alice exec prod/web-1 container,command,time bash",
    "bob debug prod/web-1 container head",
    "carol attach prod/web-1 container,parent,time ls",
];

#[test]
fn reels_of_both_sorts_are_joined_whichever_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let (node, [log, audit]) = (node(folder.path()), audit(folder.path(), "", 0));
    for files in [vec![&sample()], vec![&node, &audit], vec![&audit, &node], vec![&node, &log], vec![&log, &node]] {
        let files: Vec<&Path> = files.into_iter().map(PathBuf::as_path).collect();
        let (found, said) = told(&files);
        assert_eq!((found, said.as_str()), (SESSIONS.map(str::to_owned).to_vec(), ""), "{files:?}");
    }
}

#[test]
fn clocks_may_differ_by_two_seconds() {
    for seconds in [-2, 2] {
        let folder = tempfile::tempdir().unwrap();
        let (node, [_, audit]) = (node(folder.path()), audit(folder.path(), "", seconds));
        for files in [[&node, &audit], [&audit, &node]] {
            // What an attached process does is told by time alone.
            let (mut found, said) = told(&files.map(PathBuf::as_path));
            found.retain(|line| !line.starts_with("carol attach"));
            let want: Vec<String> = SESSIONS[..5].iter().map(|line| (*line).to_owned()).collect();
            assert_eq!((found, said.as_str()), (want, ""), "{seconds}");
        }
    }
}

#[test]
fn where_nothing_is_joined_it_is_said_why() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(folder.path());
    let audit = |word: &str, seconds: i64| audit(folder.path(), word, seconds)[1].clone();
    let (all, quiet, early) = (audit("", 0), audit("/pods/web-1\"", 0), audit("", -900));
    for (files, why) in [
        (vec![&node], "there are no audit events; add them with -r audit.log"),
        (vec![&node, &quiet], "no audit event asks for an exec, an attach or an ephemeral container"),
    ] {
        let files: Vec<&Path> = files.into_iter().map(PathBuf::as_path).collect();
        let (found, said) = told(&files);
        assert_eq!((found.len(), said), (0, format!("note: no process has a Kubernetes request: {why}\n")));
    }
    let (_, said) = asked(&[&all], &["-c", "exec_sessions"]);
    let why = "no process of a container was recorded; add the node's recording with -r node.reel";
    assert_eq!(said, format!("note: no process has a Kubernetes request: {why}\n"));
    // The container that the log names is the ephemeral one's, whatever the time.
    let (found, said) = told(&[&node, &early]);
    assert_eq!((found, said.as_str()), (vec![SESSIONS[4].to_owned()], ""));
    let execs = audit("/exec?", -900);
    let (found, said) = told(&[&execs, &node]);
    assert!(
        found.is_empty() && said.contains("nothing was run from 2 s before such a request to 60 s after it"),
        "{said}"
    );
}

#[test]
fn a_state_says_whose_each_process_is() {
    let folder = tempfile::tempdir().unwrap();
    let (node, [_, audit]) = (node(folder.path()), audit(folder.path(), "", 0));
    let time = |words: &[&str]| asked(&[&sample()], words).0.trim().parse::<u64>().unwrap();
    let first = time(&["-n", "1", "-p", "%evt.rawtime"]);
    let connects = time(&["-p", "%evt.rawtime", "evt.type = connect and fd.rport = 9"]);
    let at = format!("+{}ns", connects - first);
    for files in [vec![&sample()], vec![&node, &audit], vec![&audit, &node]] {
        let files: Vec<&Path> = files.into_iter().map(PathBuf::as_path).collect();
        let (all, _) = asked(&files, &["--at", &at, "-c", "ps"]);
        let (found, _) = asked(&files, &["--at", &at, "-c", "ps", "proc.audit.user = alice"]);
        // Of the container's own shell, what entered it, the shell of the session and what that runs, the latter two.
        let commands = |text: &str| text.lines().filter(|line| line.contains(" -c ")).count();
        assert_eq!((commands(&all), commands(&found)), (4, 2), "{all}{found}");
        assert!(found.contains("-c exec 3<>/dev/tcp/127.0.0.1/9"), "{found}");
    }
}

#[test]
fn batches_of_other_times_are_not_opened_to_look_for_requests() {
    const SEGMENTS: u64 = 200;
    let folder = tempfile::tempdir().unwrap();
    let (node, log) = (folder.path().join("node.reel"), folder.path().join("audit.log"));
    // 2026-11-21T21:00:00Z.
    let start = 1_795_294_800 * SECOND;
    let limits = SegmentLimits { events: 10, ..SegmentLimits::default() };
    write_reel(&node, limits, |assembler| {
        let mut tell = |event: sysreel::event::OwnedEvent| assembler.event(&event.event()).unwrap();
        for n in 0..SEGMENTS * 5 {
            let (pid, time) = (1000 + n as u32, start + n * SECOND);
            let born = [("child_tid", V::I(i64::from(pid))), ("child_pid", V::I(i64::from(pid))), ("ppid", V::I(1))];
            tell(event("procfork", time, (1, 1), 0, &born));
            let words = [("exe", "id".into()), ("args", "".into()), ("comm", "id".into()), ("cgroup_id", V::I(7))];
            tell(event("execve", time + 1_000, (pid, pid), 0, &words));
            let path = format!("/kubepods.slice/cri-containerd-{}.scope", "a".repeat(64));
            tell(event("cgroup", time + 2_000, (pid, pid), 0, &[("id", V::I(7)), ("path", path.as_str().into())]));
        }
        assembler.finish(start + SEGMENTS * 5 * SECOND).unwrap();
    });
    // In the middle.
    let stage = |stage: &str, at: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"00000000-0000-4000-8000-000000000001","stage":"{stage}","requestURI":"/api/v1/namespaces/x/pods/p/exec?command=id","verb":"get","user":{{"username":"bob"}},"objectRef":{{"resource":"pods","namespace":"x","name":"p","apiVersion":"v1","subresource":"exec"}},"responseStatus":{{"code":101}},"requestReceivedTimestamp":"2026-11-21T21:08:20.000000Z","stageTimestamp":"2026-11-21T21:08:{at}.000000Z"}}"#
        ) + "\n"
    };
    std::fs::write(&log, stage("ResponseStarted", "20") + &stage("ResponseComplete", "21")).unwrap();
    let audit = folder.path().join("audit.reel");
    asked(&[&log], &["-q", "-w", audit.to_str().unwrap()]);
    let reels = Reels::open(&[node, audit]).unwrap();
    let question = |filter: &str| {
        let lines = LinesQuery::of(Template::parse("%proc.pid").unwrap());
        [Question { filter: Some(Filter::parse(filter).unwrap()), query: Query::Lines(lines) }]
    };
    let opened = |filter: &str| {
        let noted = Noted::of(&reels);
        let options = Options { threads: None, span: reels.span(), ..Options::default() };
        let mut out = Vec::new();
        play(&noted, &question(filter), &options, &mut out).unwrap();
        (noted.opened().len(), String::from_utf8(out).unwrap())
    };
    assert!(reels.len() as u64 > SEGMENTS, "{} batches", reels.len());
    let (plain, all) = opened("evt.type = execve and proc.name = id");
    let (joined, found) = opened("evt.type = execve and proc.name = id and proc.audit.user = bob");
    assert_eq!((all.lines().count() as u64, found.as_str()), (SEGMENTS * 5, "1500\n"));
    // The log's one batch, and of the node's those of the five seconds in which the request may have begun something.
    assert!((1..=5).contains(&(joined - plain)), "{plain} and {joined} batches opened");
}
