//! What live tests share: named skips, programs compiled when they are needed, waiting with a deadline.

use super::skip;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");

/// Capabilities by their numbers (include/uapi/linux/capability.h).
pub const SYS_CHROOT: (u32, &str) = (18, "CAP_SYS_CHROOT");
pub const SYS_ADMIN: (u32, &str) = (21, "CAP_SYS_ADMIN");
const PERFMON: (u32, &str) = (38, "CAP_PERFMON");
const BPF: (u32, &str) = (39, "CAP_BPF");

/// Whether live capture can work here at all; says why not.
pub fn able(test: &str) -> bool {
    able_with(test, &[])
}

/// Whether live capture can work here, and what else needs some capabilities; says why not.
pub fn able_with(test: &str, more: &[(u32, &str)]) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective =
        status.lines().find_map(|l| l.strip_prefix("CapEff:")).and_then(|v| u64::from_str_radix(v.trim(), 16).ok());
    let needed = [&[BPF, PERFMON], more].concat();
    if needed.iter().any(|(number, _)| effective.is_none_or(|caps| caps >> number & 1 == 0)) {
        let names: Vec<&str> = needed.iter().map(|(_, name)| *name).collect();
        skip(test, &format!("needs {}", names.join(" and ")));
        return false;
    }
    if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        skip(test, "this kernel has no BTF");
        return false;
    }
    // The first pid namespace's inode (include/linux/proc_ns.h, PROC_PID_INIT_INO).
    if std::fs::metadata("/proc/self/ns/pid").is_ok_and(|found| found.ino() != 0xefff_fffc) {
        skip(test, "needs the node's pid namespace");
        return false;
    }
    true
}

/// Whether a program is installed; says so if not.
pub fn has(test: &str, program: &str) -> bool {
    has_by(test, program, "--version")
}

/// Whether a program is installed that says its version with this option.
pub fn has_by(test: &str, program: &str, version: &str) -> bool {
    let found = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        skip(test, &format!("needs {program}"));
    }
    found
}

/// Compiles `tests/programs/NAME.c` into a folder; says so where there is no compiler.
pub fn program(test: &str, name: &str, folder: &Path) -> Option<PathBuf> {
    if !has(test, "cc") {
        return None;
    }
    let source = format!("{}/tests/programs/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let out = folder.join(name);
    let done = Command::new("cc").args(["-O1", "-w", "-pthread", "-o"]).arg(&out).arg(source).status().unwrap();
    assert!(done.success(), "{name}.c does not compile");
    Some(out)
}

/// Runs the program under test to its end.
pub fn sysreel(words: &[&str]) -> Output {
    Command::new(SYSREEL).args(words).output().unwrap()
}

/// The same in a folder. Cargo's folders of libraries grow with what is built, and each is a dozen more failed opens of every
/// program that is recorded.
pub fn sysreel_in(folder: &Path, words: &[&str]) -> Output {
    Command::new(SYSREEL).args(words).env_remove("LD_LIBRARY_PATH").current_dir(folder).output().unwrap()
}

/// Standard output of a replay that must succeed.
pub fn replay(file: &Path, words: &[&str]) -> String {
    let out = sysreel(&[&["-r", file.to_str().unwrap()], words].concat());
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Waits for a condition with a deadline.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(180), "{what} did not happen");
        // Spinning would take a processor from whoever is to make it happen.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Where control groups of version 2 are.
pub fn groups() -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    let of_two = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"))?;
    of_two.split(' ').nth(1).map(PathBuf::from)
}

/// A control group that is gone when the test is over.
pub struct Group(pub PathBuf);

impl Group {
    /// That of a container in a pod; its id ends with 56 times the digit.
    pub fn of_pod(root: &Path, uid: &str, digit: char) -> Option<Group> {
        let process = std::process::id();
        let id = format!("{process:08x}{}", digit.to_string().repeat(56));
        let pod = format!("kubepods-sysreel{process}-pod{}.slice", uid.replace('-', "_"));
        let path = root.join(format!("kubepods-sysreel{process}.slice/{pod}/cri-containerd-{id}.scope"));
        std::fs::create_dir_all(&path).is_ok().then_some(Group(path))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Those above it that other tests of this machine use stay.
        for folder in self.0.ancestors().take(3) {
            if std::fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

/// A small file system that goes with its owner.
pub struct Small(pub PathBuf);

impl Small {
    /// Mounts it in a new folder; says so where that may not be.
    pub fn mount(test: &str, at: PathBuf, size: &str) -> Option<Small> {
        std::fs::create_dir(&at).unwrap();
        let size = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output();
        if mounted.is_ok_and(|m| m.status.success()) {
            return Some(Small(at));
        }
        skip(test, "may not mount a file system");
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}
