//! What an exec and a fork made, from `/proc`: the numbers and texts of the probe's records (`put_exec_numbers`,
//! `on_exec` and `on_fork` in `probe/probe.bpf.c`). The thread stands still meanwhile.

use super::draft::Draft;
use super::items::read_text;
use crate::sys::page_size;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most that is read of a small file of `/proc`.
const SMALL: usize = 16 << 10;
/// `AT_FDCWD`, include/uapi/linux/fcntl.h.
const AT_FDCWD: i32 = -100;
/// The most of a script's first line that the kernel looks at (`BINPRM_BUF_SIZE`, include/uapi/linux/binfmts.h).
const FIRST_LINE: usize = 256;
/// How often a script's interpreter may be a script (fs/exec.c, `exec_binprm`).
const DEPTH: usize = 5;
/// Bytes of a thread's name.
const COMM: usize = 16;

fn read(path: &Path, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limit as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&read(path, SMALL).unwrap_or_default()).into_owned()
}

fn dir(tid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{tid}"))
}

/// A `status` file.
struct Status(String);

impl Status {
    fn of(tid: u32) -> Status {
        Status(text(&dir(tid).join("status")))
    }

    fn words(&self, key: &str) -> impl Iterator<Item = &str> {
        let line = self.0.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap_or_default().split_ascii_whitespace()
    }

    /// The n-th number of a line.
    fn number(&self, key: &str, n: usize) -> Option<u64> {
        self.words(key).nth(n)?.parse().ok()
    }

    /// The last number of a line: what the innermost namespace calls it.
    fn inner(&self, key: &str) -> Option<u64> {
        self.words(key).last()?.parse().ok()
    }

    fn hex(&self, key: &str) -> u64 {
        self.words(key).next().and_then(|t| u64::from_str_radix(t, 16).ok()).unwrap_or(0)
    }
}

/// Who made a thread, and as whose: for one whose maker was killed before it could say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Born {
    pub(super) pid: u32,
    pub(super) ppid: u32,
}

/// The process of a thread, and that one's parent.
pub(super) fn born(tid: u32) -> Option<Born> {
    let status = Status::of(tid);
    Some(Born { pid: status.number("Tgid", 0)? as u32, ppid: status.number("PPid", 0)? as u32 })
}

/// `CLONE_THREAD`, include/uapi/linux/sched.h.
const CLONE_THREAD: u64 = 0x10000;

/// A fork record's numbers, and the new thread's process. `pid` is its maker's process.
pub(super) fn put_fork(draft: &mut Draft<'_>, tid: u32, pid: u32, flags: u64, now: u64) -> u32 {
    // CLONE_VM, FS, FILES, SIGHAND, PARENT, THREAD: what the probe can tell, too.
    const TOLD: u64 = 0x100 | 0x200 | 0x400 | 0x800 | 0x8000 | CLONE_THREAD;
    let status = Status::of(tid);
    let guess = if flags & CLONE_THREAD != 0 { pid } else { tid };
    let process = status.number("Tgid", 0).unwrap_or(u64::from(guess));
    let or = |value: Option<u64>, instead: u64| value.unwrap_or(instead);
    draft.words(&[
        u64::from(tid),
        process,
        or(status.inner("NSpid"), u64::from(tid)),
        or(status.inner("NStgid"), process),
        or(status.number("PPid", 0), u64::from(pid)),
        now,
        flags & TOLD,
    ]);
    process as u32
}

/// The columns of a `stat` line from the third on, those that hold numbers.
fn columns(stat: &str) -> impl Fn(usize) -> u64 {
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let columns: Vec<i64> = rest.split_ascii_whitespace().map(|t| t.parse().unwrap_or(0)).collect();
    move |n| columns.get(n - 3).copied().unwrap_or(0).cast_unsigned()
}

/// The number of a process's group in the unified hierarchy, which is its directory's inode; elsewhere a number that
/// stands for the groups' names.
fn cgroup_id(tid: u32) -> u64 {
    let groups = text(&dir(tid).join("cgroup"));
    let unified = groups.lines().find_map(|l| l.strip_prefix("0::"));
    let found = unified.and_then(|path| {
        let mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
        let there = |mount: &&str| Path::new(mount).join("cgroup.controllers").exists();
        let mount = mounts.iter().find(|mount| there(mount))?;
        Some(std::fs::metadata(format!("{mount}{path}")).ok()?.ino())
    });
    // FNV-1a
    found.unwrap_or_else(|| {
        groups.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
    })
}

fn numbers(tid: u32, old: u32) -> [u64; 21] {
    let (dir, status) = (dir(tid), Status::of(tid));
    let stat = text(&dir.join("task").join(tid.to_string()).join("stat"));
    let column = columns(&stat);
    let exe = std::fs::metadata(dir.join("exe")).ok();
    let device = exe.as_ref().map_or(0, |m| kernel_device(m.dev()));
    let limits = text(&dir.join("limits"));
    let files = limits.lines().find_map(|l| l.strip_prefix("Max open files")?.split_ascii_whitespace().next());
    let id = |key, n| status.number(key, n).unwrap_or(0);
    let login = text(&dir.join("loginuid"));
    [
        id("Uid", 0),
        id("Uid", 1),
        id("Gid", 0),
        id("Gid", 1),
        cgroup_id(tid),
        id("PPid", 0),
        u64::from(old),
        column(5),
        column(6),
        u64::from(column(7) as u32),
        login.trim().parse().unwrap_or(u64::from(u32::MAX)),
        status.hex("CapInh"),
        status.hex("CapPrm"),
        status.hex("CapEff"),
        exe.as_ref().map_or(0, MetadataExt::ino),
        device,
        files.map_or(0, |n| n.parse().unwrap_or(u64::MAX)),
        column(12),
        column(10),
        status.number("VmSize", 0).unwrap_or(column(23) / page_size() as u64 * 4),
        status.inner("NSpgid").unwrap_or(column(5)),
    ]
}

/// A device number as the kernel keeps it (`MKDEV`, `include/linux/kdev_t.h`), of one as programs see it.
fn kernel_device(dev: u64) -> u64 {
    u64::from(libc::major(dev)) << 20 | u64::from(libc::minor(dev))
}

/// The rest of an exec record: its numbers, name, and texts. `program` is what was to be executed.
pub(super) fn put_exec(draft: &mut Draft<'_>, tid: u32, old: u32, program: &[u8], text_max: usize) {
    draft.words(&numbers(tid, old));
    let dir = dir(tid);
    let mut comm = read(&dir.join("comm"), COMM).unwrap_or_default();
    while comm.last() == Some(&b'\n') {
        comm.pop();
    }
    comm.resize(COMM, 0);
    draft.plain(&comm);
    put_path(draft, program, text_max);
    put_path(draft, &interpreter(&dir, program), text_max);
    for file in ["cmdline", "environ"] {
        let found = read(&dir.join(file), super::draft::MAX_ITEM + 1);
        draft.maybe(found.as_deref());
    }
}

fn put_path(draft: &mut Draft<'_>, path: &[u8], max: usize) {
    let kept = path.len().min(max.saturating_sub(1));
    draft.item(&path[..kept]);
    if path.len() + 1 >= max {
        draft.truncated();
    }
}

/// The program that is in memory in the end, as it was named: of a script that in its first line.
fn interpreter(dir: &Path, program: &[u8]) -> Vec<u8> {
    let same = |path: &[u8]| {
        let (a, b) = (std::fs::metadata(dir.join("exe")), std::fs::metadata(seen_by(dir, path)));
        matches!((a, b), (Ok(a), Ok(b)) if (a.dev(), a.ino()) == (b.dev(), b.ino()))
    };
    let mut path = program.to_vec();
    for _ in 0..DEPTH {
        if same(&path) {
            return path;
        }
        match read(&seen_by(dir, &path), FIRST_LINE).and_then(|head| first_word(&head)) {
            Some(next) => path = next,
            None => break,
        }
    }
    let link = std::fs::read_link(dir.join("exe"));
    link.map_or_else(|_| program.to_vec(), |p| p.into_os_string().into_vec())
}

/// What `#!` names, if this is a script's beginning.
fn first_word(head: &[u8]) -> Option<Vec<u8>> {
    let line = head.strip_prefix(b"#!")?.split(|b| *b == b'\n' || *b == 0).next()?;
    let word = line.split(|b| matches!(b, b' ' | b'\t')).find(|word| !word.is_empty())?;
    Some(word.to_vec())
}

/// A path of the process, as we reach it.
fn seen_by(dir: &Path, path: &[u8]) -> PathBuf {
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    match path.strip_prefix("/dev/fd") {
        Ok(rest) => dir.join("fd").join(rest),
        Err(_) => match path.strip_prefix("/") {
            Ok(rest) => dir.join("root").join(rest),
            Err(_) => dir.join("cwd").join(path),
        },
    }
}

/// What an execve or execveat is about to execute, as the kernel names it: what stands relative to a descriptor begins
/// with `/dev/fd/N` (fs/exec.c, `alloc_bprm`).
pub(super) fn program(tid: u32, at: bool, args: &[u64; 6], text_max: usize) -> Vec<u8> {
    let path = |i: usize| read_text(tid, args[i], text_max).map(|(text, _)| text).unwrap_or_default();
    if !at {
        return path(0);
    }
    let (path, fd) = (path(1), args[0] as i32);
    if path.first() == Some(&b'/') || fd == AT_FDCWD {
        return path;
    }
    let prefix = format!("/dev/fd/{fd}").into_bytes();
    if path.is_empty() { prefix } else { [&prefix[..], b"/", &path].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_names_its_interpreter_in_its_first_line() {
        for (head, expected) in [
            (&b"#!/bin/sh\necho"[..], Some(&b"/bin/sh"[..])),
            (b"#! \t/usr/bin/env  python\n", Some(b"/usr/bin/env")),
            (b"#!\n", None),
            (b"\x7fELF", None),
            (b"", None),
        ] {
            assert_eq!(first_word(head).as_deref(), expected);
        }
    }

    #[test]
    fn devices_are_packed_as_the_kernel_does() {
        assert_eq!(kernel_device(libc::makedev(254, 3)), 254 << 20 | 3);
        assert_eq!(kernel_device(libc::makedev(0, 0x12345)), 0x12345);
    }

    #[test]
    fn our_own_state_is_read_from_proc() {
        let own = std::process::id();
        let n = numbers(own, own);
        assert_eq!(n[0], u64::from(crate::sys::user_id()));
        assert_eq!(n[5], u64::from(std::os::unix::process::parent_id()));
        let exe = std::fs::metadata("/proc/self/exe").unwrap();
        assert_eq!((n[14], n[15]), (exe.ino(), kernel_device(exe.dev())));
        assert!(n[16] > 2 && n[19] > 100, "{n:?}");
        assert_eq!(born(own).unwrap().pid, own);
        assert_eq!(born(u32::MAX), None);
        let name = std::env::current_exe().unwrap();
        assert_eq!(interpreter(&dir(own), name.as_os_str().as_bytes()), name.as_os_str().as_bytes());
    }

    #[test]
    fn what_stands_relative_to_a_descriptor_is_named_as_the_kernel_does() {
        let path = *b"bin/x\0";
        let at = path.as_ptr().addr() as u64;
        let own = std::process::id();
        let named = |fd: i32| String::from_utf8(program(own, true, &[fd as u64, at, 0, 0, 0, 0], 100)).unwrap();
        assert_eq!((named(5), named(AT_FDCWD)), ("/dev/fd/5/bin/x".to_owned(), "bin/x".to_owned()));
        assert_eq!(program(own, false, &[at, 0, 0, 0, 0, 0], 100), b"bin/x");
        assert_eq!(program(own, false, &[0; 6], 100), b"");
    }
}
