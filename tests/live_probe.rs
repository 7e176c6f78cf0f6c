//! The live capture against real programs. Each test says why it skips where the probe cannot be loaded.

#![cfg(feature = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "common/seen.rs"]
mod seen;

use seen::{Kept, Seen, Story, record, record_with, skip, take, words};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use sysreel::event::Flags;
use sysreel::source::ebpf::{Block, Decoder, Options, Probe, preflight};
use sysreel::sys::{Exit, StoppedChild, WakeOn, clock_pair};

#[test]
fn a_command_tells_its_story_from_its_exec_to_its_end() {
    if skip() {
        return;
    }
    let story = record(&["sh", "-c", "ls / >/dev/null; (exit 3)"]);
    assert_eq!((story.exit, story.drops), (Exit::Code(3), 0));
    // The kernel may take its processor away before; that is nothing it does.
    let first = story.rows.iter().find(|row| row.name != "cputime").unwrap();
    assert_eq!((first.name, first.pid), ("execve", story.pid), "the first thing a command does is its execve");
    assert!(story.rows.is_sorted_by_key(|r| r.time), "records are in time order");
    let forks: Vec<(u32, u32)> =
        story.all("procfork").map(|f| (f.int("child_pid") as u32, f.int("ppid") as u32)).collect();
    let [(ls, a), (subshell, b)] = forks[..] else { panic!("forks: {forks:?}") };
    assert_eq!((a, b), (story.pid, story.pid));
    let exits: Vec<(u32, i64)> = story.all("procexit").map(|e| (e.pid, e.int("status"))).collect();
    assert_eq!(exits, [(ls, 0), (subshell, 3 << 8), (story.pid, 3 << 8)]);
    let execs: Vec<(u32, String)> = story.all("execve").map(|e| (e.pid, e.text("comm"))).collect();
    assert_eq!(execs, [(story.pid, "sh".to_owned()), (ls, "ls".to_owned())]);
    for pid in [ls, subshell, story.pid] {
        let last = story.all("cputime").filter(|c| c.pid == pid).last().unwrap();
        assert_eq!(last.int("gone"), 1, "the time of {pid} is final");
        assert!(last.int("total") > 0);
    }
    let made: Vec<i64> =
        story.rows.iter().filter(|r| ["clone", "vfork", "fork", "clone3"].contains(&r.name)).map(|r| r.ret).collect();
    assert_eq!(made, [i64::from(ls), i64::from(subshell)], "a child's own return from the fork is no row");
}

#[test]
fn an_exec_shows_what_it_became() {
    if skip() {
        return;
    }
    let story = record(&["env", "-i", "SYSREEL_TEST=some value", "/bin/echo", "two words", ""]);
    let exec = story.all("execve").filter(|e| e.ret == 0).last().unwrap();
    assert_eq!(
        (exec.text("filename"), exec.text("exe"), exec.text("exepath")),
        ("/bin/echo".into(), "/bin/echo".into(), "/bin/echo".into())
    );
    assert_eq!(exec.text("args"), "two words\0\0");
    assert_eq!(exec.text("env"), "SYSREEL_TEST=some value\0");
    assert_eq!(exec.text("comm"), "echo");
    assert_eq!((exec.int("uid"), exec.int("euid")), (0, 0));
    assert!(exec.duration.is_some_and(|d| d > 0));
    let written = story.all("write").find(|w| w.ret == 11).unwrap();
    assert!(written.args.contains(&Kept::Bytes(b"two words \n".to_vec())));
}

#[test]
fn a_failed_exec_keeps_its_path_and_has_no_image() {
    if skip() {
        return;
    }
    let story = record(&["env", "/no/such/program", "a", "b c"]);
    let failed = story.all("execve").last().unwrap();
    assert_eq!((failed.ret, failed.text("filename")), (-2, "/no/such/program".into()));
    assert_eq!((failed.text("exe"), failed.text("args")), ("/no/such/program".into(), "a\0b c\0".into()));
    assert_eq!(failed.arg("comm"), &Kept::Missing);
}

/// Calls by name as strace counts them, in our names.
fn strace_counts(command: &[&str]) -> BTreeMap<String, usize> {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let status =
        Command::new("strace").args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(&log).args(command).status().unwrap();
    assert!(status.code().is_some());
    let mut counts = BTreeMap::new();
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        let call = line.split_once(' ').unwrap().1.trim_start();
        if call.starts_with("<...") || !call.contains('(') {
            continue;
        }
        let name = call.split('(').next().unwrap();
        let ours = match name {
            "prlimit64" => "prlimit",
            "pread64" => "pread",
            other => other,
        };
        *counts.entry(ours.to_owned()).or_insert(0) += 1;
    }
    counts
}

#[test]
fn every_call_is_counted_as_often_as_strace_counts_it() {
    if skip() {
        return;
    }
    if !Path::new("/usr/bin/strace").exists() {
        println!("skipped: no strace");
        return;
    }
    let command = ["sh", "-c", "ls / >/dev/null; cat /etc/passwd >/dev/null; (exit 3)"];
    let story = record(&command);
    let mut counts = BTreeMap::new();
    // These never return, so they are entered and no rows.
    let ends = story.enters.iter().filter(|e| e.name == "exit_group");
    let calls = story.rows.iter().filter(|r| r.duration.is_some());
    for call in calls.chain(ends) {
        *counts.entry(call.name.to_owned()).or_insert(0) += 1;
    }
    assert_eq!(counts, strace_counts(&command));
}

#[test]
fn what_a_full_ring_cannot_take_is_counted() {
    if skip() {
        return;
    }
    let command = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=20000", "status=none"];
    let whole = record(&command);
    assert_eq!(whole.drops, 0);
    let stopped = StoppedChild::new(&words(&command)).unwrap();
    let mut probe = Probe::open(&Options { root: Some(stopped.pid()), ring_total: 0, ..Options::default() }).unwrap();
    let mut drain = probe.drain().unwrap();
    probe.attach().unwrap();
    stopped.start().unwrap().wait().unwrap();
    probe.detach();
    let (mut block, mut taken) = (Block::default(), 0);
    loop {
        block.clear();
        let round = drain.finish(&mut block);
        taken += u64::from(round.records);
        if !round.more {
            break;
        }
    }
    let counters: Vec<_> = (0..drain.processors()).map(|c| drain.counters(c)).collect();
    let drops: u64 = counters.iter().map(|c| c.drops).sum();
    assert_eq!(taken, counters.iter().map(|c| c.events).sum::<u64>());
    assert_eq!(counters.iter().map(|c| c.nested).sum::<u64>(), 0);
    assert!(drops > 10_000, "{drops}");
    // An exec record is no row; late enters and times depend on the scheduler.
    let made = whole.rows.len() + whole.enters.len();
    assert!((taken + drops).abs_diff(made as u64) < 50, "{taken} + {drops} of {made}");
}

#[test]
fn a_reader_that_sleeps_is_woken_by_a_ring_that_fills_and_if_it_wants_by_a_new_program() {
    if skip() {
        return;
    }
    // Longer than any test may take.
    let long = Duration::from_secs(60);
    let dd = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=20000", "status=none"];
    for (command, wake_on) in [(&dd[..], WakeOn::Filling), (&["true"], WakeOn::Programs), (&["true"], WakeOn::Filling)]
    {
        let stopped = StoppedChild::new(&words(command)).unwrap();
        let options = Options { root: Some(stopped.pid()), ring_total: 0, ..Options::default() };
        let mut probe = Probe::open(&options).unwrap();
        let mut drain = probe.drain().unwrap();
        probe.attach().unwrap();
        drain.falls_asleep(wake_on);
        stopped.start().unwrap().wait().unwrap();
        assert!(drain.sleep(long, wake_on), "{command:?}");
    }
}

#[test]
fn a_program_in_a_control_group_that_was_seen_wakes_only_a_reader_that_wants_all_programs() {
    if skip() {
        return;
    }
    // On one processor, because each remembers groups of its own.
    let command = ["taskset", "-c", "0", "sh", "-c", "/bin/true; kill -STOP $$; /bin/true"];
    for (wake_on, wakes) in [(WakeOn::Filling, false), (WakeOn::Programs, true)] {
        let stopped = StoppedChild::new(&words(&command)).unwrap();
        let options = Options { root: Some(stopped.pid()), ring_total: 0, ..Options::default() };
        let mut probe = Probe::open(&options).unwrap();
        let mut drain = probe.drain().unwrap();
        probe.attach().unwrap();
        drain.falls_asleep(wake_on);
        let mut child = stopped.start().unwrap();
        let (pid, state) = (child.pid(), format!("/proc/{}/stat", child.pid()));
        while !std::fs::read_to_string(&state).unwrap().contains("(sh) T") {
            std::thread::yield_now();
        }
        assert!(drain.sleep(Duration::from_secs(60), wake_on), "the first programs are new");
        let mut block = Block::default();
        while drain.finish(&mut block).more {
            block.clear();
        }
        drain.falls_asleep(wake_on);
        assert!(Command::new("kill").args(["-CONT", &pid.to_string()]).status().unwrap().success());
        child.wait().unwrap();
        let time = if wakes { Duration::from_secs(60) } else { Duration::from_millis(1) };
        assert_eq!(drain.sleep(time, wake_on), wakes, "{wake_on:?}");
    }
}

#[test]
fn a_connection_has_both_its_ends() {
    if skip() {
        return;
    }
    if !Path::new("/bin/bash").exists() {
        println!("skipped: no bash");
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let story = record(&["bash", "-c", &format!("exec 3<>/dev/tcp/127.0.0.1/{port}")]);
    let local = listener.accept().unwrap().1.port();
    // Where a name service runs, the shell asks it over a Unix socket first.
    let internet = |addr: &Kept| matches!(addr, Kept::Bytes(b) if b.starts_with(&[2, 0]));
    let connect = story.all("connect").find(|c| internet(c.arg("addr"))).expect("a connection to the listener");
    let ends = |local: u16, remote: u16| {
        let end = |port: u16| [&[127, 0, 0, 1][..], &port.to_le_bytes()].concat();
        [vec![2], end(local), end(remote)].concat()
    };
    assert_eq!(connect.arg("tuple"), &Kept::Bytes(ends(local, port)));
    let Kept::Bytes(addr) = connect.arg("addr") else { panic!("no address") };
    assert_eq!(addr[..4], [&[2, 0][..], &port.to_be_bytes()].concat());
}

#[test]
fn a_call_that_blocks_is_seen_while_it_lasts() {
    if skip() {
        return;
    }
    let story = record(&["sleep", "0.02"]);
    let sleep = story.all("clock_nanosleep").next().or_else(|| story.all("nanosleep").next()).unwrap();
    let enter = story.enters.iter().find(|e| e.name == sleep.name).expect("a late enter");
    assert_eq!(enter.tid, sleep.tid);
    assert_eq!(enter.time, sleep.time - sleep.duration.unwrap());
    assert!(sleep.duration.unwrap() >= 20_000_000);
}

#[test]
fn calls_of_32_bit_programs_are_known_by_their_own_numbers() {
    if skip() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (source, program) = (dir.path().join("x.c"), dir.path().join("x"));
    // 64 is getppid there, and semget on x86-64.
    let code =
        r#"int main(void) { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(64) : "memory"); return r <= 0; }"#;
    std::fs::write(&source, code).unwrap();
    if !Command::new("cc").arg("-w").arg("-o").args([&program, &source]).status().is_ok_and(|s| s.success()) {
        println!("skipped: no C compiler");
        return;
    }
    let story = record(&[program.to_str().unwrap()]);
    if story.exit != Exit::Code(0) {
        println!("skipped: the kernel makes no 32-bit calls");
        return;
    }
    let compat: Vec<&str> = story.rows.iter().filter(|r| r.flags.has(Flags::COMPAT)).map(|r| r.name).collect();
    assert_eq!(compat, ["getppid"]);
}

#[test]
fn long_texts_are_cut_and_say_so_and_data_is_cut_to_the_snap_length() {
    if skip() {
        return;
    }
    let options = Options { text_max: 8, snap_len: 5, ..Options::default() };
    let story = record_with(&["sh", "-c", "exec cat /etc/passwd >/dev/null"], options);
    let open = story.all("openat").last().unwrap();
    assert_eq!(open.text("name"), "/etc/pa");
    assert!(open.flags.has(Flags::TRUNCATED));
    let read = story.all("read").filter(|r| r.ret > 100).last().unwrap();
    assert_eq!(read.text("data"), "root:");
    assert!(!read.flags.has(Flags::TRUNCATED));
}

#[test]
fn the_whole_machine_is_recorded_but_not_the_recorder() {
    if skip() {
        return;
    }
    let stopped = StoppedChild::new(&words(&["true"])).unwrap();
    let pid = stopped.pid();
    let mut probe = Probe::open(&Options::default()).unwrap();
    let mut drain = probe.drain().unwrap();
    let mut decoder = Decoder::new(probe.plans(), clock_pair());
    probe.attach().unwrap();
    stopped.start().unwrap().wait().unwrap();
    probe.detach();
    let mut story = Story::new(pid);
    take(&mut drain, &mut decoder, &mut story, true);
    assert!(story.rows.iter().any(|r| r.pid == pid && r.name == "execve"));
    assert!(story.rows.iter().any(|r| r.pid == pid && r.name == "procexit"));
    // Other tests of this program make processes meanwhile. Each of those is recorded, and so is that it was made.
    let own = std::process::id();
    let is_child = |r: &&Seen| r.name == "procfork" && r.int("child_pid") != i64::from(own);
    let of_own: Vec<&Seen> = story.rows.iter().filter(|r| r.pid == own).filter(|r| !is_child(r)).collect();
    assert!(of_own.is_empty(), "{of_own:?}");
}

/// Run by the next test without privileges.
#[test]
#[ignore = "run by missing_privileges_are_named"]
fn preflight_of_this_process() {
    println!("{}", preflight().map_or_else(|e| e.to_string(), |()| "fine".to_owned()));
}

#[test]
fn missing_privileges_are_named() {
    if skip() {
        return;
    }
    if !Path::new("/usr/bin/setpriv").exists() {
        println!("skipped: no setpriv");
        return;
    }
    for (dropped, expected) in [
        ("-all", "missing: CAP_BPF and CAP_PERFMON\nhelp: "),
        ("-bpf,-sys_admin", "missing: CAP_BPF\nhelp: "),
        ("-sys_admin", "fine\n"),
    ] {
        let output = Command::new("setpriv")
            .arg(format!("--bounding-set={dropped}"))
            .arg(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "preflight_of_this_process", "--nocapture"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(expected), "{dropped}: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
}
