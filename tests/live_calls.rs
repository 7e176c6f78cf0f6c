//! What the probe tells of calls, signals, ends and rings, against programs that say themselves what is true.

#![cfg(feature = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "common/seen.rs"]
mod seen;

use seen::{Kept, Seen, Story, layered, program, record, record_with, skip};
use std::collections::BTreeMap;
use sysreel::event::Flags;
use sysreel::source::ebpf::Options;
use sysreel::sys::Exit;

/// A program's story, and what it said: `key=number` lines. `None`: there is no compiler, or no such thing in this kernel.
fn told(name: &str, arguments: &[&str]) -> Option<(Story, BTreeMap<String, i64>)> {
    let dir = tempfile::tempdir().unwrap();
    let program = program(dir.path(), name)?;
    let out = dir.path().join("said");
    let scratch = dir.path().to_str().unwrap();
    let line = format!("exec {} {} >{}", program.display(), arguments.join(" ").replace("DIR", scratch), out.display());
    let story = record(&["sh", "-c", &line]);
    if story.exit == Exit::Code(77) {
        println!("skipped: {name}: this kernel does not let us");
        return None;
    }
    let said = std::fs::read_to_string(&out).unwrap();
    let number = |line: &str| line.split_once('=').map(|(key, v)| (key.to_owned(), v.parse().unwrap()));
    Some((story, said.lines().filter_map(number).collect()))
}

fn wide(bytes: &Kept, at: usize, len: usize) -> u64 {
    let Kept::Bytes(bytes) = bytes else { panic!("{bytes:?}") };
    bytes[at..at + len].iter().rev().fold(0, |v, b| v << 8 | u64::from(*b))
}

fn bytes(text: &str) -> Kept {
    Kept::Bytes(text.as_bytes().to_vec())
}

/// The last one: the program's own, behind those of what started it.
fn last<'a>(story: &'a Story, name: &'a str) -> &'a Seen {
    story.all(name).last().unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn calls_tell_what_stands_in_memory_and_in_the_kernel() {
    if skip() {
        return;
    }
    let Some((story, said)) = told("calls", &["DIR"]) else { return };
    assert_eq!((story.exit, story.drops), (Exit::Code(0), 0));
    let made = story.all("openat").find(|o| o.text("name") == "made").unwrap();
    assert_eq!(made.ret, said["made"]);
    if !layered(&std::env::temp_dir()) {
        assert_eq!((made.int("dev"), made.int("ino")), (said["open.dev"], said["open.ino"]));
    }
    let again = story.all("openat").filter(|o| o.text("name") == "made").last().unwrap();
    assert_eq!((made.int("created"), again.int("created")), (1, 0));
    let pair = last(&story, "socketpair");
    assert_eq!((pair.int("ino"), pair.int("peer_ino")), (said["pair.ino"], said["pair.peer"]));
    assert_ne!(pair.int("source"), pair.int("peer"));
    assert_eq!(last(&story, "pipe2").int("ino"), said["pipe.ino"]);
    let written = story.all("writev").find(|w| w.ret == 8).unwrap();
    assert_eq!((written.arg("data"), written.int("size")), (&bytes("onethree"), 8));
    let accepted = last(&story, "accept");
    assert_eq!((accepted.int("queuelen"), accepted.int("queuemax"), accepted.int("queuepct")), (2, 7, 28));
    let option = |name: &str, level: i64| story.all(name).find(|o| o.int("level") == level).unwrap().arg("val").clone();
    assert_eq!((wide(&option("setsockopt", 1), 0, 4), wide(&option("getsockopt", 1), 0, 4)), (1, 1));
    let operation = last(&story, "semop");
    let numbers: Vec<i64> = ["nsops", "sem_num_0", "sem_op_0", "sem_flg_0", "sem_num_1", "sem_op_1", "sem_flg_1"]
        .map(|name| operation.int(name))
        .into();
    assert_eq!(numbers, [2, 0, 1, 0o10000, 0, -1, 0o4000]);
    assert_eq!(last(&story, "ppoll").int("timeout"), 2_000_000, "the kernel writes what is left over it");
    let (mapped, unmapped) = (last(&story, "mmap"), last(&story, "munmap"));
    assert_eq!(mapped.int("vm_size") - unmapped.int("vm_size"), 1024, "KiB");
    assert!(mapped.int("vm_rss") > 0 && mapped.int("vm_rss") < mapped.int("vm_size"));
    let unknown = last(&story, "syscall");
    assert_eq!((unknown.int("nativeid"), unknown.ret), (777, -38));
    assert_eq!((unknown.int("a0"), unknown.int("a2")), (1, 3));
    let failed = last(&story, "execve");
    assert_eq!(
        (failed.ret, failed.text("exe"), failed.text("args")),
        (-2, "none".into(), "first\0second one\0".into())
    );
}

#[test]
fn messages_tell_the_files_they_pass() {
    if skip() {
        return;
    }
    let Some((story, said)) = told("calls", &["DIR"]) else { return };
    let (sent, got) = (last(&story, "sendmsg"), last(&story, "recvmsg"));
    assert_eq!((sent.arg("data"), sent.int("size")), (&bytes("abcdef"), 6));
    assert_eq!((got.arg("data"), got.int("size")), (&bytes("abcdef"), 10));
    let files = got.arg("files");
    assert_eq!((wide(files, 0, 4), wide(files, 16, 4)), (said["got.first"] as u64, said["got.second"] as u64));
    if !layered(&std::env::temp_dir()) {
        assert_eq!((wide(files, 4, 4), wide(files, 8, 8)), (said["got.dev"] as u64, said["got.ino"] as u64));
    }
    assert_eq!(wide(sent.arg("files"), 8, 8), wide(files, 8, 8), "the sender's own descriptor is the same file");
    assert_eq!(wide(got.arg("msgcontrol"), 16, 4), said["got.first"] as u64);
}

#[test]
fn signals_tell_who_sent_them() {
    if skip() {
        return;
    }
    let Some((story, said)) = told("signals", &[]) else { return };
    let of = |sig: i64| story.all("signaldeliver").find(|s| s.int("sig") == sig).unwrap_or_else(|| panic!("no {sig}"));
    let own = said["self"];
    for (sig, to, code) in [(10, own, 0), (12, own, -1), (9, said["killed"], 0)] {
        let signal = of(sig);
        let parts = ["spid", "dpid", "uid", "code"].map(|name| signal.int(name));
        assert_eq!(parts, [own, to, 0, code], "{sig}");
    }
    assert_ne!(of(10).int("handler"), 0);
    let fault = of(11);
    let parts = ["spid", "dpid", "code", "addr"].map(|name| fault.int(name));
    assert_eq!(parts, [0, said["faulted"], 1, 0x1234], "SEGV_MAPERR");
    for (child, sig) in [("killed", 9), ("faulted", 11)] {
        let exit = story.all("procexit").find(|e| i64::from(e.pid) == said[child]).unwrap();
        assert_eq!((exit.int("sig"), exit.int("ret")), (sig, 0));
        assert_eq!(exit.int("status"), said[&format!("{child}.status")], "what waitpid gave");
    }
}

#[test]
fn switches_are_told_on_request_and_as_often_as_the_kernel_counts_them() {
    if skip() {
        return;
    }
    let command = ["sh", "-c", "sleep 0.01; sleep 0.01; true"];
    assert_eq!(record(&command).all("switch").count(), 0);
    let story = record_with(&command, Options { switches: true, ..Options::default() });
    let exits: Vec<&Seen> = story.all("procexit").filter(|e| e.pid != story.pid).collect();
    assert_eq!(exits.len(), 2);
    for exit in exits {
        let own: Vec<&Seen> = story.all("switch").filter(|s| s.tid == exit.tid).collect();
        let before = own.iter().filter(|s| s.time <= exit.time).count();
        assert_eq!(before as i64, exit.int("nvcsw") + exit.int("nivcsw"));
        assert!(own.len() > before, "the last one is of the dead thread");
        let asleep = own.iter().find(|s| s.int("vm_size") > 0).unwrap();
        assert!(asleep.int("vm_rss") <= asleep.int("vm_size"));
        let faults: Vec<i64> = own.iter().map(|s| s.int("pgft_min")).collect();
        assert!(faults.is_sorted() && faults[before - 1] <= exit.int("minflt"), "{faults:?}");
        assert!(own.iter().all(|s| s.int("next") != i64::from(s.tid)));
    }
}

#[test]
fn the_last_thread_of_a_process_tells_what_all_used() {
    if skip() {
        return;
    }
    let Some((story, said)) = told("exits", &[]) else { return };
    let exits: Vec<&Seen> = story.all("procexit").filter(|e| i64::from(e.pid) == said["child"]).collect();
    let [thread, process] = exits[..] else { panic!("{exits:?}") };
    assert_eq!((thread.int("last"), process.int("last")), (0, 1));
    assert_eq!(thread.arg("maxrss"), &Kept::Missing);
    assert_eq!((process.int("status"), process.int("ret"), process.int("sig")), (said["status"], 7, 0));
    assert_eq!(process.int("maxrss"), said["maxrss"], "KiB");
    let faults = thread.int("minflt");
    assert!(faults > 0 && faults <= process.int("group_minflt"), "{faults}");
    // The end itself takes time, faults and a switch away more, which wait4 counts.
    for (ours, theirs) in [("group_minflt", "minflt"), ("group_majflt", "majflt"), ("group_nvcsw", "nvcsw")] {
        let (ours, theirs) = (process.int(ours), said[theirs]);
        assert!(ours <= theirs && theirs - ours <= 2, "{ours} {theirs}");
    }
    let used = process.int("group_utime") + process.int("group_stime");
    assert!(used > 0 && used / 1000 <= said["utime"] + said["stime"], "{used}");
    assert!(thread.int("utime") + thread.int("stime") <= used);
}

#[test]
fn requests_to_a_ring_and_their_results_are_told() {
    if skip() {
        return;
    }
    for polled in [&[][..], &["polled"]] {
        let Some((story, said)) = told("ring", polled) else { return };
        let requests: Vec<&Seen> = story.all("io_uring_submit").collect();
        let ids: Vec<i64> = requests.iter().map(|r| r.int("user_data")).collect();
        assert_eq!(ids, [0x1111, 0x2222, 0x3333], "{polled:?}");
        let opcodes: Vec<i64> = requests.iter().map(|r| r.int("opcode")).collect();
        assert_eq!(opcodes, [0, 22, 22]);
        assert_eq!((requests[0].arg("fd"), requests[1].int("fd")), (&Kept::Missing, said["zero"]));
        for done in story.all("io_uring_complete") {
            assert_eq!(done.int("res"), said[&format!("{:x}", done.int("user_data"))], "{polled:?}");
        }
        assert_eq!(story.all("io_uring_complete").count(), 3);
        let own = requests.iter().all(|r| r.pid == story.pid);
        assert!(own, "a thread of the kernel that polls is one of the ring's process");
    }
}

#[test]
fn requests_to_a_ring_tell_what_they_are_about() {
    if skip() {
        return;
    }
    let Some((story, said)) = told("ring_calls", &["DIR"]) else { return };
    assert_eq!((story.exit, story.drops), (Exit::Code(0), 0));
    let requests = |opcode: i64| story.all("io_uring_submit").filter(move |r| r.int("opcode") == opcode);
    let request = |opcode: i64| requests(opcode).next().unwrap_or_else(|| panic!("no request {opcode}"));
    let result = |of: &Seen| {
        let same = |r: &&Seen| r.int("request") == of.int("request") && r.time >= of.time;
        story.all("io_uring_complete").find(same).unwrap().clone()
    };
    let open = request(18);
    assert_eq!((open.int("dirfd"), open.text("name"), open.arg("fd")), (said["dir"], "made".into(), &Kept::Missing));
    assert_eq!((open.int("open_flags") & 0o103, open.int("mode") & 0o777), (0o102, 0o640));
    let opened = result(open);
    assert_eq!((opened.int("res"), opened.int("fd")), (said["open"], said["open"]));
    if !layered(&std::env::temp_dir()) {
        assert_eq!(opened.int("ino"), said["open.ino"]);
    }
    let (write, read) = (request(23), request(22));
    let numbers = ["fd", "size", "pos"].map(|name| write.int(name));
    assert_eq!((numbers, write.arg("data")), ([said["open"], 9, 0], &bytes("by a ring")));
    assert_eq!((read.int("size"), read.int("pos"), read.arg("data")), (16, 3, &Kept::Missing));
    assert_eq!(result(read).arg("data"), &bytes("a ring"));
    let missing = requests(18).nth(1).unwrap();
    assert_eq!((missing.text("name"), missing.int("dirfd")), ("/no/such".into(), -100));
    assert_eq!((result(missing).int("res"), result(missing).arg("fd")), (said["missing"], &Kept::Missing));
    assert_eq!((request(37).text("name"), request(37).int("mode") & 0o777), ("folder".into(), 0o700));
    let moved = request(35);
    assert_eq!((moved.text("name"), moved.text("newname")), ("made".into(), "folder/moved".into()));
    assert_eq!((moved.int("dirfd"), moved.int("newdirfd")), (said["dir"], said["dir"]));
    let removed: Vec<(String, i64)> = requests(36).map(|r| (r.text("name"), r.int("op_flags"))).collect();
    assert_eq!(removed, [("folder/moved".into(), 0), ("folder".into(), 0x200)]);
    assert_eq!(request(19).int("fd"), said["open"]);
    let socket = request(45);
    assert_eq!(["domain", "type", "proto"].map(|name| socket.int(name)), [2, 0o2_000_001, 0]);
    let ends = |local: i64, remote: i64| {
        let end = |port: i64| [&[127, 0, 0, 1][..], &(port as u16).to_le_bytes()].concat();
        Kept::Bytes([vec![2], end(local), end(remote)].concat())
    };
    let connect = request(16);
    assert_eq!(connect.int("fd"), said["socket"]);
    let Kept::Bytes(addr) = connect.arg("addr") else { panic!("no address") };
    assert_eq!(addr[..4], [&[2, 0][..], &(said["port"] as u16).to_be_bytes()].concat());
    assert_eq!(result(connect).arg("tuple"), &ends(said["own"], said["port"]));
    let accepted = result(request(13));
    assert_eq!((accepted.int("fd"), accepted.arg("tuple")), (said["accept"], &ends(said["port"], said["own"])));
    assert_eq!((request(9).arg("data"), request(9).int("size")), (&bytes("by message"), 10));
}

#[test]
fn structures_and_buffers_of_calls_are_told_as_what_they_mean() {
    if skip() {
        return;
    }
    let Some((story, said)) = told("contents", &["DIR"]) else { return };
    assert_eq!((story.exit, story.drops), (Exit::Code(0), 0));
    let ints = |of: &Seen, names: &[&str]| names.iter().map(|name| of.int(name)).collect::<Vec<i64>>();
    let members = |of: &Kept| {
        let Kept::Bytes(set) = of else { panic!("{of:?}") };
        (0..set.len() as i64 * 8).filter(|fd| set[*fd as usize / 8] >> (fd % 8) & 1 == 1).collect::<Vec<i64>>()
    };
    for call in ["select", "pselect6"] {
        let selected = last(&story, call);
        assert_eq!((selected.ret, selected.int("nfds")), (2, said["out"] + 1), "{call}");
        assert_eq!(members(selected.arg("asked")), [said["full"], said["empty"]], "{call}");
        assert_eq!(members(selected.arg("readfds")), [said["full"]], "{call}");
        assert_eq!(members(selected.arg("writefds")), [said["out"]], "{call}");
        assert_eq!(selected.arg("exceptfds"), &Kept::Missing, "{call}");
    }
    assert_eq!(ints(last(&story, "epoll_ctl"), &["events", "user_data"]), [0x8000_0001, 0x11_2233_4455]);
    let waited: Vec<&Seen> = story.all("epoll_wait").collect();
    assert_eq!(
        ints(waited[0], &["epfd", "timeout", "events_0", "user_data_0"]),
        [said["epoll"], 1000, 1, 0x11_2233_4455]
    );
    assert_eq!((waited[1].ret, waited[1].arg("events_0")), (0, &Kept::Missing));
    let times = last(&story, "utimensat");
    assert_eq!((times.int("atime"), times.arg("mtime")), (1_000_000_000_000_000_005, &Kept::Missing));
    let attribute = last(&story, "setxattr");
    assert_eq!(
        (attribute.text("name"), attribute.arg("value"), attribute.int("flags")),
        ("user.secret".into(), &bytes("value"), 1)
    );
    assert_eq!(last(&story, "inotify_add_watch").int("mask"), 0x300);
    assert_eq!(last(&story, "sethostname").text("name"), "somewhere");
    let command = |cmd: i64| story.all("bpf").find(|b| b.int("cmd") == cmd).unwrap();
    if said["map"] >= 0 {
        let (map, load) = (command(0), command(5));
        assert_eq!((map.text("map_name"), ints(map, &["map_type", "max_entries"])), ("evidence".into(), vec![2, 3]));
        assert_eq!((load.text("prog_name"), ints(load, &["prog_type", "insn_cnt"])), ("watcher".into(), vec![1, 2]));
        assert_eq!((map.arg("prog_name"), load.arg("map_name")), (&Kept::Missing, &Kept::Missing));
    }
    if said["perf"] >= 0 {
        assert_eq!(ints(last(&story, "perf_event_open"), &["type", "config"]), [1, 1]);
    }
    let operation = last(&story, "semtimedop");
    assert_eq!(ints(operation, &["nsops", "sem_num_0", "sem_op_0", "timeout"]), [1, 0, 1, 2_000_000_007]);
    assert_eq!(ints(last(&story, "msgsnd"), &["size", "type"]), [4, 7]);
    assert_eq!(last(&story, "add_key").arg("payload"), &bytes("payload"));
    assert_eq!(last(&story, "wait4").int("wstatus"), 0x300);
    let action = story.all("rt_sigaction").find(|a| a.int("sig") == 10).unwrap();
    assert_eq!((action.int("flags") & 0x5000_0000, action.int("handler")), (0x5000_0000, 0));
    assert_eq!(ints(last(&story, "timerfd_settime"), &["interval", "expires"]), [3_000_000_001, 4_000_000_002]);
    assert_eq!(ints(last(&story, "clock_nanosleep"), &["clockid", "request"]), [7, 1000]);
    let read = last(&story, "process_vm_readv");
    assert_eq!(ints(read, &["remote_addr", "remote_len", "riovcnt"]), [said["remote"], 5, 1]);
    assert_eq!(last(&story, "madvise").int("advice"), 10);
    assert_eq!(last(&story, "sched_setaffinity").int("mask"), said["mask"]);
    assert_eq!(ints(last(&story, "setgroups"), &["size", "gid_0", "gid_1"]), [2, 11, 12]);
}

#[test]
fn multiplexed_32_bit_calls_are_taken_apart() {
    if skip() {
        return;
    }
    let Some((story, said)) = told("narrow", &[]) else { return };
    let narrow: Vec<&Seen> = story.rows.iter().filter(|r| r.flags.has(Flags::COMPAT)).collect();
    let names: Vec<&str> = narrow.iter().map(|r| r.name).collect();
    assert_eq!(names, ["getpid", "socketpair", "send", "semget", "semop", "semctl", "pread", "nanosleep"]);
    assert_eq!((narrow[1].int("fd1"), narrow[1].int("domain")), (said["pair"], 1));
    assert_eq!((narrow[2].ret, narrow[2].arg("data")), (5, &bytes("hello")));
    assert_eq!((narrow[3].ret, narrow[3].int("nsems")), (said["set"], 1));
    assert_eq!((narrow[4].int("semid"), narrow[4].int("nsops"), narrow[4].int("sem_op_0")), (said["set"], 1, 3));
    assert_eq!(narrow[6].int("pos"), 7 + (1 << 32));
    assert_eq!(narrow[7].int("interval"), 1000);
}

#[test]
fn a_thread_that_becomes_a_program_takes_its_process_over() {
    if skip() {
        return;
    }
    let Some((story, _)) = told("thread_exec", &[]) else { return };
    let exec = last(&story, "execve");
    assert_eq!((exec.ret, exec.tid, exec.pid), (0, story.pid, story.pid));
    assert_eq!((exec.text("args"), exec.text("env")), ("by a thread\0".into(), "A=1\0".into()));
    assert_eq!(story.all("procexit").filter(|e| e.int("last") == 1).count(), 1);
    assert!(story.enters.iter().any(|e| e.name == "read" && e.tid != story.pid), "the third one was in its call");
}

#[test]
fn long_arguments_are_whole_and_longer_ones_say_that_they_were_cut() {
    if skip() {
        return;
    }
    let (long, longer) = ("x".repeat(30_000), "y".repeat(50_000));
    let exec = record(&["/bin/true", &long]).all("execve").next().unwrap().clone();
    assert_eq!(exec.text("args"), format!("{long}\0"));
    assert!(!exec.flags.has(Flags::TRUNCATED) || exec.text("env").len() > 16_000);
    let exec = record(&["env", "-i", &format!("A={}", "z".repeat(12_000)), "/bin/true", &longer]);
    let exec = last(&exec, "execve");
    assert!(exec.flags.has(Flags::TRUNCATED));
    assert_eq!((exec.text("args").len(), exec.text("env").len()), (32_767 - "/bin/true\0".len(), 12_003));
}

#[test]
fn an_exec_tells_about_its_file_and_its_user() {
    use std::os::unix::fs::MetadataExt as _;
    if skip() {
        return;
    }
    let file = std::fs::metadata("/bin/true").unwrap();
    let story = record(&["/bin/true"]);
    let exec = last(&story, "execve");
    if layered("/bin/true".as_ref()) {
        println!("skipped: an_exec_tells_about_its_file_and_its_user: on an overlay");
        return;
    }
    assert_eq!((exec.int("exe_ino") as u64, exec.int("exe_dev") as u64), (file.ino(), file.dev()));
    let time = |seconds: i64, rest: i64| seconds * 1_000_000_000 + rest;
    assert_eq!(exec.int("exe_ino_ctime"), time(file.ctime(), file.ctime_nsec()));
    assert_eq!(exec.int("exe_ino_mtime"), time(file.mtime(), file.mtime_nsec()));
    assert_eq!(exec.int("flags") & 1, 1, "root may write to it");
    assert!(exec.int("vm_size") > exec.int("vm_rss"));
}
