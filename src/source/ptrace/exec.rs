//! What an exec and a fork made, from `/proc`: the numbers and texts of the probe's records (`put_exec_numbers`,
//! `on_exec` and `on_fork` in `probe/exec.h` and `probe/fork.h`). The thread stands still meanwhile.

use super::draft::{Draft, MAX_ARGV, MAX_ENV};
use super::items::read_text;
use crate::source::ebpf::UNKNOWN;
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

fn numbers(tid: u32, old: u32) -> [u64; 26] {
    let (dir, status) = (dir(tid), Status::of(tid));
    let stat = text(&dir.join("task").join(tid.to_string()).join("stat"));
    let column = columns(&stat);
    let exe = std::fs::metadata(dir.join("exe")).ok();
    let moment = |s: i64, ns: i64| (s * 1_000_000_000 + ns).cast_unsigned();
    let kib = |key| status.number(key, 0).unwrap_or(UNKNOWN);
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
        exe.as_ref().map_or(UNKNOWN, MetadataExt::ino),
        exe.as_ref().map_or(UNKNOWN, MetadataExt::dev),
        files.map_or(UNKNOWN, |n| n.parse().unwrap_or(u64::MAX)),
        column(12),
        column(10),
        status.number("VmSize", 0).unwrap_or(column(23) / page_size() as u64 * 4),
        status.inner("NSpgid").unwrap_or(column(5)),
        exe.as_ref().map_or(UNKNOWN, |exe| exe_flags(&dir, &status, exe)),
        exe.as_ref().map_or(UNKNOWN, |m| moment(m.ctime(), m.ctime_nsec())),
        exe.as_ref().map_or(UNKNOWN, |m| moment(m.mtime(), m.mtime_nsec())),
        kib("VmRSS"),
        kib("VmSwap"),
    ]
}

/// `enum exe_flags` in the probe. On an overlay only the kernel knows which layer a file is from.
fn exe_flags(dir: &Path, status: &Status, exe: &std::fs::Metadata) -> u64 {
    const WRITABLE: u64 = 1;
    const FROM_MEMFD: u64 = 4;
    const DAC_OVERRIDE: u64 = 1 << 1;
    if text(&dir.join("mountinfo")).contains(" - overlay ") {
        return UNKNOWN;
    }
    let is_own = |key, id: u32| status.number(key, 1) == Some(u64::from(id));
    let mask = match () {
        () if status.hex("CapEff") & DAC_OVERRIDE != 0 => u32::MAX,
        () if is_own("Uid", exe.uid()) => 0o200,
        () if is_own("Gid", exe.gid()) => 0o020,
        () => 0o002,
    };
    let writable = if mask == u32::MAX || exe.mode() & mask != 0 { WRITABLE } else { 0 };
    let link = std::fs::read_link(dir.join("exe")).unwrap_or_default();
    let memfd = exe.nlink() == 0 && link.as_os_str().as_bytes().starts_with(b"/memfd:");
    writable | if memfd { FROM_MEMFD } else { 0 }
}

/// Sizes of a process's memory, KiB: all, resident, swapped out (`read_memory` in the probe).
pub(super) fn memory(pid: u32) -> Option<[u32; 3]> {
    let status = Status::of(pid);
    let kib = |key| status.number(key, 0).map(|n| n as u32);
    Some([kib("VmSize")?, kib("VmRSS")?, kib("VmSwap")?])
}

/// The most memory that a process's present program has had at once, KiB.
pub(super) fn most_memory(pid: u32) -> Option<u64> {
    Status::of(pid).number("VmHWM", 0)
}

/// What a thread does with a signal: it is left out (`None`), or its handler's address (0: what the kernel does of itself).
pub(super) fn handler(tid: u32, signal: i32) -> Option<u64> {
    const IGNORED_OF_ITSELF: [i32; 4] = [libc::SIGCHLD, libc::SIGURG, libc::SIGWINCH, libc::SIGCONT];
    let status = Status::of(tid);
    let is_in = |key| status.hex(key) >> (signal - 1).clamp(0, 63) & 1 != 0;
    match () {
        () if is_in("SigCgt") => Some(UNKNOWN),
        () if is_in("SigIgn") || IGNORED_OF_ITSELF.contains(&signal) => None,
        () => Some(0),
    }
}

/// Numbers of `put_used` in the probe, of the files in a thread's or process's folder.
fn used(folder: &Path, is_alone: bool) -> [u64; 7] {
    let stat = text(&folder.join("stat"));
    if stat.is_empty() {
        return [UNKNOWN; 7];
    }
    let (column, status) = (columns(&stat), Status(text(&folder.join("status"))));
    let tick = 1_000_000_000 / crate::sys::ticks_per_second().max(1);
    let (mut own, mut system) = (column(14) * tick, column(15) * tick);
    let exact = text(&folder.join("schedstat"));
    let exact = exact.split_ascii_whitespace().next().and_then(|n| n.parse().ok()).filter(|_| is_alone);
    if own == 0 && system == 0 {
        // It has run for less than a tick: nobody knows for whom.
        (own, system) = (UNKNOWN, UNKNOWN);
    }
    // Threads that are gone are not in these.
    let switches = |key| if is_alone { status.number(key, 0).unwrap_or(UNKNOWN) } else { UNKNOWN };
    [
        own,
        system,
        column(10),
        column(12),
        switches("voluntary_ctxt_switches"),
        switches("nonvoluntary_ctxt_switches"),
        exact.unwrap_or(own.saturating_add(system)),
    ]
}

/// Numbers of an exit record: what the thread used, who gets its children, and, if it is the last, what its process used.
/// `alone`: it was its process's only thread ever. `most`: what its programs before had of memory at once, KiB.
pub(super) fn put_exit(draft: &mut Draft<'_>, (tid, pid): (u32, u32), last: bool, alone: bool, most: Option<u64>) {
    let process = dir(pid);
    let thread = process.join("task").join(tid.to_string());
    draft.words(&used(&thread, true));
    let children = read(&thread.join("children"), SMALL);
    draft.words(&[match children.as_deref() {
        Some([]) => 0,
        Some(_) if !last => u64::from(pid),
        _ => UNKNOWN,
    }]);
    if last {
        draft.words(&used(&process, alone));
        let most = most_memory(pid).and_then(|now| Some(now.max(most?)));
        draft.words(&[most.unwrap_or(UNKNOWN)]);
    }
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
    for (file, max) in [("cmdline", MAX_ARGV), ("environ", MAX_ENV)] {
        match read(&dir.join(file), max + 1) {
            Some(found) => draft.long_item(&found, max),
            None => draft.missing(),
        }
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
    fn our_own_state_is_read_from_proc() {
        let own = std::process::id();
        let n = numbers(own, own);
        assert_eq!(n[0], u64::from(crate::sys::user_id()));
        assert_eq!(n[5], u64::from(std::os::unix::process::parent_id()));
        let exe = std::fs::metadata("/proc/self/exe").unwrap();
        assert_eq!((n[14], n[15]), (exe.ino(), exe.dev()));
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
