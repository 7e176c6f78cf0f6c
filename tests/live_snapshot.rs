//! What a recording knows of programs that ran before it began, and what it learns when it has lost events.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{SYS_ADMIN, SYSREEL, able_with, has, replay, sysreel, until};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Whether live capture of other namespaces can work here, and the programs are there; says why not.
fn able(test: &str, programs: &[&str]) -> bool {
    able_with(test, &[SYS_ADMIN]) && programs.iter().all(|program| has(test, program))
}

/// A program that says what it holds, waits for a line, goes on and ends.
struct Holder {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Holder {
    fn start(words: &[&str]) -> Holder {
        let mut child =
            Command::new(words[0]).args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Holder { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn go_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A recorder of the whole machine that keeps what a filter wants.
struct Recorder {
    child: Child,
    file: PathBuf,
}

impl Recorder {
    /// Starts it, and waits until it has seen the state of the machine: it records only from then on.
    fn start(folder: &tempfile::TempDir, words: &[&str]) -> Recorder {
        let file = folder.path().join("live.reel");
        let child = Command::new(SYSREEL).args(["-q", "-w", file.to_str().unwrap()]).args(words).spawn().unwrap();
        let recorder = Recorder { child, file };
        until("the recording began", || std::fs::metadata(&recorder.file).is_ok_and(|m| m.len() > 0));
        recorder
    }

    fn stop(mut self) -> PathBuf {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.file.clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Holds one of each, says `PID`, then `number name` for each; writes a byte to each when it may go on.
const HOLDS: &str = r#"
import os, socket, sys
folder = sys.argv[1]
held = []
def hold(thing, name):
    held.append(thing)
    print(thing.fileno() if hasattr(thing, "fileno") else thing, name, flush=True)
print(os.getpid(), flush=True)
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
name = "%s:%d->%s:%d" % (client.getsockname() + server.getsockname())
hold(client, name)
hold(server, name)
six = socket.create_server(("::1", 0), family=socket.AF_INET6)
client6 = socket.create_connection(six.getsockname()[:2])
server6, _ = six.accept()
hold(server6, "::1:%d->::1:%d" % (client6.getsockname()[1], six.getsockname()[1]))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(("127.0.0.1", 9))
hold(udp, "%s:%d->127.0.0.1:9" % udp.getsockname())
path = folder + "/socket"
unix = socket.socket(socket.AF_UNIX)
unix.bind(path)
unix.listen()
near = socket.socket(socket.AF_UNIX)
near.connect(path)
far, _ = unix.accept()
hold(near, path)
hold(far, path)
file = open(folder + "/kept", "wb", buffering=0)
hold(file, folder + "/kept")
gone = open(folder + "/gone", "wb", buffering=0)
os.unlink(folder + "/gone")
hold(gone, folder + "/gone")
reader, writer = os.pipe()
hold(writer, "pipe:[%d]" % os.fstat(writer).st_ino)
print("ready", flush=True)
sys.stdin.readline()
for thing in held:
    try:
        os.write(thing.fileno() if hasattr(thing, "fileno") else thing, b"x")
    except OSError:
        pass
"#;

#[test]
fn what_a_program_held_before_the_recording_has_its_names_also_in_another_network_namespace() {
    let test = "what_a_program_held_before_the_recording_has_its_names_also_in_another_network_namespace";
    if !able(test, &["python3", "unshare", "ip"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("holds.py");
    std::fs::write(&script, HOLDS).unwrap();
    let inside = format!("ip link set lo up; exec python3 {} {}", script.display(), folder.path().display());
    let mut holder = Holder::start(&["unshare", "-n", "sh", "-c", &inside]);
    let pid = holder.line();
    let mut held = BTreeMap::new();
    loop {
        let line = holder.line();
        let Some((fd, name)) = line.split_once(' ') else { break };
        held.insert(fd.to_owned(), name.to_owned());
    }
    assert_eq!(held.len(), 9, "{held:?}");
    let recorder = Recorder::start(&folder, &[&format!("proc.pid={pid}")]);
    holder.go_on();
    assert!(holder.child.wait().unwrap().success());
    let reel = recorder.stop();
    let text = replay(&reel, &["-p", "%fd.num %fd.name", "evt.type in (write, sendto) and fd.num > 2"]);
    let seen: BTreeMap<String, String> =
        text.lines().filter_map(|l| l.split_once(' ')).map(|(fd, name)| (fd.to_owned(), name.to_owned())).collect();
    assert_eq!(seen, held);
    let story = replay(&reel, &["-n", "1", "-p", "%proc.name %proc.pid %proc.exeline", "evt.type=write"]);
    assert!(story.starts_with(&format!("python3 {pid} ")) && story.contains("holds.py"), "{story}");
}

#[test]
fn interfaces_mounts_and_namespaces_are_those_of_whoever_is_recorded() {
    let test = "interfaces_mounts_and_namespaces_are_those_of_whoever_is_recorded";
    if !able(test, &["unshare", "ip"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a place");
    std::fs::create_dir(&place).unwrap();
    let inside = format!(
        "ip address add 10.9.8.7/20 dev lo; mount -t tmpfs -o size=64k,noexec probe '{}'; echo $$; read line",
        place.display()
    );
    let mut holder = Holder::start(&["unshare", "-n", "-m", "sh", "-c", &inside]);
    let pid = holder.line();
    let namespace = |kind: &str| {
        let link = std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
        link.to_str().unwrap().trim_start_matches(&format!("{kind}:[")).trim_end_matches(']').to_owned()
    };
    let (net, mnt) = (namespace("net"), namespace("mnt"));
    let recorder = Recorder::start(&folder, &[&format!("proc.pid={pid}")]);
    holder.go_on();
    assert!(holder.child.wait().unwrap().success());
    let reel = recorder.stop();
    // Without its header; interfaces of others are none of this recording.
    let rows = |chisel: &str| -> Vec<String> {
        replay(&reel, &["--csv", "-c", chisel]).lines().skip(1).map(str::to_owned).collect()
    };
    assert_eq!(rows("interfaces"), [format!("{net},1,lo,10.9.8.7,255.255.240.0,,00:00:00:00:00:00")]);
    let mounts = rows("mounts");
    assert!(mounts.iter().all(|row| row.starts_with(&format!("{mnt},"))), "{mounts:?}");
    let ours = format!("{mnt},{},tmpfs,probe,", place.display());
    assert!(mounts.iter().any(|row| row.starts_with(&ours) && row.contains("noexec")), "{mounts:?}");
}

/// Makes more events than a small ring takes, while it opens, closes, forks and lets go; then stays, with some of each.
const STORMS: &str = r#"
import os, subprocess, sys
folder = sys.argv[1]
storms = [subprocess.Popen(["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=700000"], stderr=subprocess.DEVNULL) for _ in range(3)]
held, children, n = [], [], 0
while any(storm.poll() is None for storm in storms):
    held.append(os.open("%s/%d" % (folder, n), os.O_CREAT | os.O_RDWR))
    n += 1
    if len(held) > 20:
        os.close(held.pop(0))
    if n % 20 == 0 and len(children) < 5:
        children.append(subprocess.Popen(["sleep", "1000"]))
    subprocess.run(["true"])
print(os.getpid(), flush=True)
sys.stdin.readline()
for child in children:
    child.kill()
"#;

/// What `/proc` says of a process's files: number and name.
fn open_files(pid: &str) -> BTreeMap<String, String> {
    let folder = PathBuf::from(format!("/proc/{pid}/fd"));
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let name = |entry: &std::fs::DirEntry| std::fs::read_link(entry.path()).unwrap().to_string_lossy().into_owned();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), name(&entry))).collect()
}

/// The live processes below one, itself included.
fn family(pid: &str) -> Vec<String> {
    let tasks = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let mut family: Vec<String> = tasks.split_whitespace().map(str::to_owned).chain([pid.to_owned()]).collect();
    family.sort();
    family
}

#[test]
fn after_losses_the_state_at_the_end_is_that_of_proc() {
    let test = "after_losses_the_state_at_the_end_is_that_of_proc";
    if !able(test, &["python3", "dd"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (script, file) = (folder.path().join("storms.py"), folder.path().join("storms.reel"));
    std::fs::write(&script, STORMS).unwrap();
    let words = ["-q", "--ring", "64K", "-w", file.to_str().unwrap(), "--", "python3", script.to_str().unwrap()];
    let mut holder = Holder::start(&[&[SYSREEL], &words[..], &[folder.path().to_str().unwrap()]].concat());
    let pid = holder.line();
    let (files, processes) = (open_files(&pid), family(&pid));
    assert!(files.len() > 20 && processes.len() > 1, "{files:?} {processes:?}");
    let recorder = holder.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &recorder]).status().unwrap().success());
    // Not by `wait`, which would close what the program waits for.
    until("the recorder ended", || holder.child.try_wait().unwrap().is_some());
    let lost = replay(&file, &["-p", "%evt.arg.count", "evt.type=loss"]);
    assert!(lost.lines().count() > 0, "the ring was to overflow");
    let doubtful = replay(&file, &["-n", "1", "-p", "%evt.type", "evt.is_doubtful=true"]);
    assert!(!doubtful.is_empty(), "what stands behind a loss is doubtful");
    let column = |text: &str, n: usize| -> Vec<String> {
        text.lines().skip(1).filter_map(|line| line.split(',').nth(n)).map(str::to_owned).collect()
    };
    let rows = replay(&file, &["--csv", "-c", "lsof", &format!("proc.pid={pid}")]);
    let told: BTreeMap<String, String> = column(&rows, 4).into_iter().zip(column(&rows, 6)).collect();
    assert_eq!(told, files);
    let mut told = column(&replay(&file, &["--csv", "-c", "ps"]), 1);
    told.sort();
    assert_eq!(told, processes);
}

/// Calls so much that a small ring overflows if nobody takes records out, starts a program meanwhile that reads its file
/// over and over, and ends that when it is told to.
const UNSEEN: &str = r#"
import os, subprocess, sys
folder = sys.argv[1]
print("ready", flush=True)
sys.stdin.readline()
# Each processor has a ring of its own.
for cpu in sorted(os.sched_getaffinity(0)):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    for _ in range(20000):
        os.getppid()
    os.sched_setaffinity(0, before)
child = subprocess.Popen(["python3", folder + "/reads.py", folder + "/kept"], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.readline()
child.kill()
child.wait()
"#;

/// Reads its file over and over.
const READS: &str = r#"
import os, sys, time
file = os.open(sys.argv[1], os.O_RDONLY)
print("reads", flush=True)
while True:
    os.pread(file, 1, 0)
    time.sleep(0.001)
"#;

#[test]
fn a_program_whose_start_was_lost_is_asked_for_and_known_from_its_first_event_on() {
    let test = "a_program_whose_start_was_lost_is_asked_for_and_known_from_its_first_event_on";
    if !able(test, &["python3"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("unseen.py"), UNSEEN).unwrap();
    std::fs::write(path("reads.py"), READS).unwrap();
    std::fs::write(path("kept"), "x").unwrap();
    let (script, file, place) = (path("unseen.py"), path("unseen.reel"), folder.path().display().to_string());
    let words = ["-q", "--ring", "64K", "--flush", "0.05", "-w", &file, "--", "python3", &script, &place];
    let mut holder = Holder::start(&[&[SYSREEL], &words[..]].concat());
    assert_eq!(holder.line(), "ready");
    let recorder = holder.child.id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &recorder]).status().unwrap().success());
    // What happens now does not fit into the ring, the start of the program among it.
    signal("-STOP");
    holder.go_on();
    let pid = holder.line();
    signal("-CONT");
    let of_child = format!("proc.pid={pid} and evt.type=pread");
    let file = Path::new(&file);
    let seen = |words: &[&str]| {
        let out = sysreel(&[&["-r", file.to_str().unwrap()], words].concat());
        String::from_utf8(out.stdout).unwrap()
    };
    until("its reads were recorded", || seen(&["-p", "%evt.num", &of_child]).lines().count() > 20);
    holder.go_on();
    until("the recorder ended", || holder.child.try_wait().unwrap().is_some());
    assert!(!replay(file, &["-p", "%evt.num", "evt.type=loss"]).is_empty(), "the ring was to overflow");
    let forks = replay(file, &["-p", "%evt.num", &format!("evt.type=procfork and evt.rawarg.child_tid={pid}")]);
    assert_eq!(forks, "", "its start was to be lost");
    let rows = replay(file, &["-p", "%proc.name|%proc.ppid|%proc.args|%fd.name", &of_child]);
    let parent = replay(file, &["-n", "1", "-p", "%proc.pid", "proc.args contains unseen.py"]);
    let expected = format!("python3|{}|{} {}|{}", parent.trim(), path("reads.py"), path("kept"), path("kept"));
    assert!(rows.lines().all(|row| row == expected), "{expected}: {rows}");
    let about = sysreel(&["info", "--csv", file.to_str().unwrap()]);
    let about = String::from_utf8(about.stdout).unwrap();
    let completed = about.lines().find_map(|line| line.strip_prefix("rows completed later,")).unwrap();
    assert!(completed.parse::<u64>().unwrap() > 0, "{about}");
}
