//! What the probe leaves out for a recording filter: the same events are kept as without, and the file holds nothing of
//! processes that the filter is not about. Named skips where the recorder may not run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::able;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");

fn sysreel(words: &[&str]) -> Output {
    let out = Command::new(SYSREEL).args(words).env("PATH", "/usr/bin:/bin").output().unwrap();
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    out
}

fn replay(file: &Path, words: &[&str]) -> String {
    String::from_utf8(sysreel(&[&["-r", file.to_str().unwrap()], words].concat()).stdout).unwrap()
}

/// Files to work on, and what is done with them: with several processes, descriptors that are inherited and doubled, and
/// a program that becomes another.
const STORY: &str = "exec 7< in; cat <&7 > out; exec 8>&1; echo x >&8; (cd sub && wc -c ../in ../out); \
                     sh -c 'exec head -c 2 in'; tail -c 3 in | cat > end; true";

struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("in"), "what is in the file\n").unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        Scene { folder }
    }

    fn record(&self, name: &str, options: &[&str], filter: &str) -> PathBuf {
        let reel = self.folder.path().join(name);
        let story = format!("cd {} && {STORY}", self.folder.path().display());
        let words = ["-q", "-w", reel.to_str().unwrap(), filter, "--", "env", "-i", "sh", "-c", &story];
        sysreel(&[options, &words].concat());
        reel
    }
}

/// What is the same in every run: no ids, times and addresses.
const CONTENT: &str =
    "*%proc.name|%proc.exepath|%proc.args|%proc.aname|%evt.type|%fd.name|%fd.type|%evt.res|%evt.buffer";

/// Lines of a recording by content, sorted: which process comes first is not the same in every run.
fn content(reel: &Path) -> Vec<String> {
    // What the kernel gives by chance is another in every run.
    let chance = |line: &&str| !line.contains("|getrandom|");
    let mut lines: Vec<String> = replay(reel, &["-p", CONTENT]).lines().filter(chance).map(numberless).collect();
    lines.sort();
    lines
}

/// Numbers of pipes are others in every run.
fn numberless(line: &str) -> String {
    let Some((before, rest)) = line.split_once("pipe:[") else { return line.to_owned() };
    format!("{before}pipe:[{}", numberless(rest.trim_start_matches(|c: char| c.is_ascii_digit())))
}

#[test]
fn the_same_events_are_kept_with_and_without_leaving_out() {
    let test = "the_same_events_are_kept_with_and_without_leaving_out";
    if !able(test) {
        return;
    }
    let scene = Scene::new();
    for filter in [
        "evt.type in (read, write) and fd.type = file",
        "evt.is_io = true and fd.name endswith /in",
        "proc.name = cat and evt.type != brk",
        "proc.name != sh and evt.type in (read, write, fstat)",
        "not proc.name in (sh, env) and evt.type != mmap",
        "proc.exepath endswith /head or proc.name = wc and evt.is_io = true",
        "proc.aname = sh and evt.is_io = true and proc.name = cat",
        "user.uid = 0 and evt.buffer contains file",
        "evt.type = openat and fd.name contains in",
    ] {
        let pushed = content(&scene.record("pushed.reel", &[], filter));
        let whole = content(&scene.record("whole.reel", &["--no-push"], filter));
        assert!(!pushed.is_empty(), "{filter} keeps nothing");
        assert_eq!(pushed, whole, "{filter}");
    }
}

#[test]
fn a_program_that_is_suppressed_is_left_out_with_all_that_descends_from_it() {
    use std::os::unix::fs::PermissionsExt;
    let test = "a_program_that_is_suppressed_is_left_out_with_all_that_descends_from_it";
    if !able(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (outer, reel) = (folder.path().join("outer"), folder.path().join("x.reel"));
    std::fs::write(&outer, "#!/bin/sh\n(cat /etc/passwd | head -c 3; true) >/dev/null\ntrue\n").unwrap();
    std::fs::set_permissions(&outer, std::fs::Permissions::from_mode(0o755)).unwrap();
    let story = format!("{}; wc -c /etc/passwd >/dev/null; true", outer.display());
    let names = |options: &[&str]| {
        let words = ["-q", "-w", reel.to_str().unwrap(), "--", "env", "-i", "sh", "-c", &story];
        sysreel(&[options, &words].concat());
        let lines = replay(&reel, &["-p", "%proc.name"]);
        let mut names: Vec<String> = lines.lines().map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    };
    let all = names(&[]);
    assert!(["cat", "head", "outer", "sh", "wc"].iter().all(|name| all.iter().any(|n| n == name)), "{all:?}");
    for options in [&["-U", "outer"][..], &["-U", "outer", "--no-push"]] {
        let left = names(options);
        assert!(left.iter().any(|n| n == "wc"), "{left:?}");
        assert!(!left.iter().any(|n| matches!(n.as_str(), "cat" | "head" | "outer")), "{left:?}");
    }
    // The same of a recording of everything.
    names(&[]);
    let shown = replay(&reel, &["-U", "outer", "-p", "%proc.name"]);
    assert!(shown.contains("wc") && !shown.contains("cat") && !shown.contains("outer"), "{shown}");
}

#[test]
fn fewer_records_are_taken_when_the_kernel_knows_the_filter() {
    let test = "fewer_records_are_taken_when_the_kernel_knows_the_filter";
    if !able(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("few.reel");
    // 100,000 reads of one byte by a program that the filters are not about.
    let copy = "dd if=/dev/zero of=/dev/null bs=1 count=100000 2>/dev/null; true";
    let seen = |options: &[&str], filter: &str| -> u64 {
        let words = ["-v", "-w", reel.to_str().unwrap(), filter, "--", "env", "-i", "sh", "-c", copy];
        let said = String::from_utf8(sysreel(&[options, &words].concat()).stderr).unwrap();
        let at = said.find(" events seen").unwrap_or_else(|| panic!("{said}"));
        said[..at].rsplit(' ').next().unwrap().parse().unwrap()
    };
    for filter in ["evt.type = futex", "evt.type != read and evt.type != write and proc.name != x"] {
        assert!(seen(&["--no-push"], filter) > 200_000, "{filter}");
        assert!(seen(&[], filter) < 20_000, "{filter}");
    }
    // A verdict about a thread comes some moments after it is known, so most of its calls are left out, not all.
    let denied = (0..5).any(|_| seen(&[], "proc.name = surely-none") < 150_000);
    assert!(denied, "dd's calls were recorded in each of five runs");
}

/// All bytes of a reel's frames, decompressed as far as they are.
fn plain(reel: &Path) -> Vec<u8> {
    let bytes = std::fs::read(reel).unwrap();
    let mut all = bytes.clone();
    // Every zstd frame anywhere (RFC 8878: magic 0xFD2FB528, little endian).
    for at in memchr::memmem::find_iter(&bytes, &[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut out = Vec::new();
        if let Ok(decoder) = zstd::stream::read::Decoder::new(&bytes[at..]) {
            let _ = std::io::copy(&mut std::io::Read::take(decoder.single_frame(), 64 << 20), &mut out);
        }
        all.extend(out);
    }
    all
}

#[test]
fn secrets_of_processes_that_the_filter_is_not_about_are_not_in_the_file() {
    let test = "secrets_of_processes_that_the_filter_is_not_about_are_not_in_the_file";
    if !able(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("secret.reel");
    let holds = |what: &str| memchr::memmem::find(&plain(&reel), what.as_bytes()).is_some();
    // Programs of the tree that is recorded, beside the one that is asked about.
    let story = "KEY=hidden-in-env sleep 0.01; sleep 0.011 & printf 'hidden-%s' in-data > /dev/null; \
                 test -f hidden-in-path; expr hidden-in-args : x; ls /; wait; true";
    for (filter, is_there) in [("proc.name = ls", false), ("proc.name in (ls, sleep, expr, sh)", true)] {
        let words = ["-q", "-w", reel.to_str().unwrap(), filter, "--", "env", "-i", "PATH=/usr/bin:/bin", "bash", "-c"];
        let script = folder.path().join("story");
        std::fs::write(&script, story).unwrap();
        sysreel(&[&words[..], &[&format!(". {}", script.display())]].concat());
        assert!(content(&reel).iter().any(|l| l.starts_with("ls|") && l.contains("|getdents64|")), "{filter}");
        for secret in ["hidden-in-env", "hidden-in-args"] {
            assert_eq!(holds(secret), is_there, "{secret} with {filter}");
        }
    }
}

#[test]
fn a_snapshot_of_the_machine_holds_only_what_the_filter_is_about() {
    let test = "a_snapshot_of_the_machine_holds_only_what_the_filter_is_about";
    if !able(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("machine.reel");
    let mut other = Command::new("sleep").arg("1000").env("KEY", "hidden-in-env").spawn().unwrap();
    let own = std::process::id().to_string();
    let filter = format!("proc.pid = {own}");
    let out = Command::new(SYSREEL).args(["-q", "-M", "1", "-w", reel.to_str().unwrap(), &filter]).output();
    other.kill().unwrap();
    other.wait().unwrap();
    let out = out.unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let all = plain(&reel);
    assert!(memchr::memmem::find(&all, b"hidden-in-env").is_none(), "another process's environment is in the file");
    let name = std::fs::read_to_string("/proc/self/comm").unwrap();
    assert!(memchr::memmem::find(&all, name.trim().as_bytes()).is_some(), "the process that is asked about is missing");
}

#[test]
fn live_questions_are_answered_the_same() {
    let test = "live_questions_are_answered_the_same";
    if !able(test) {
        return;
    }
    let scene = Scene::new();
    let story = format!("cd {} && {{ {STORY}; }} > /dev/null", scene.folder.path().display());
    let asked = |options: &[&str]| {
        let filter = "proc.name = cat and evt.type in (read, pread, write, copy_file_range, mmap, newfstatat)";
        let words = ["-p", "*%proc.name|%evt.type|%fd.name|%evt.res", filter];
        let command = ["--", "env", "-i", "sh", "-c", &story];
        let said = String::from_utf8(sysreel(&[options, &words, &command].concat()).stdout).unwrap();
        let mut lines: Vec<String> = said.lines().map(numberless).collect();
        lines.sort();
        lines
    };
    let pushed = asked(&[]);
    assert!(pushed.iter().any(|l| l.starts_with("cat|") && l.contains("/libc")), "{pushed:?}");
    assert_eq!(pushed, asked(&["--no-push"]));
}

#[test]
fn a_recording_is_filtered_by_its_own_host_and_name() {
    let test = "a_recording_is_filtered_by_its_own_host_and_name";
    if !able(test) {
        return;
    }
    let scene = Scene::new();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let reads = |reel: &Path| replay(reel, &["-p", "%evt.num", "evt.type=read"]).lines().count();
    let own = scene.record("own.reel", &[], &format!("evt.host = {} and evt.reel endswith /own.reel", host.trim()));
    assert!(reads(&own) > 0);
    let other = scene.record("other.reel", &[], "evt.host = somewhere-else or evt.reel endswith /own.reel");
    assert_eq!(reads(&other), 0);
}
