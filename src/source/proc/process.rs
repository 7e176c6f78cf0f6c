//! One process and its threads.

use super::cgroup;
use super::file::{self, TEXT_LIMIT};
use crate::sys::{ClockPair, ticks_per_second};
use std::path::Path;

/// The files of `/proc/PID/ns`, as `snap_thread` has them.
const NAMESPACES: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
/// Places of the mount and the network namespace among them.
pub(super) const MNT: usize = 2;
pub(super) const NET: usize = 3;

/// The namespaces of a process, by their links such as `net:[4026531840]`; 0 where the kernel has no such kind or does
/// not show it.
fn namespaces(dir: &Path) -> [u64; 8] {
    let dir = dir.join("ns");
    NAMESPACES.map(|name| {
        let link = file::link(&dir.join(name)).unwrap_or_default();
        let digits = link.strip_suffix(b"]").and_then(|l| l.rsplit(|&b| b == b'[').next());
        digits.and_then(|d| std::str::from_utf8(d).ok()?.parse().ok()).unwrap_or(0)
    })
}

/// What a process's threads share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Process {
    /// UTC, ns: just before it was looked at.
    pub(super) time: u64,
    pub(super) pid: u32,
    /// Arguments, each with its NUL.
    pub(super) cmdline: Vec<u8>,
    pub(super) environ: Option<Vec<u8>>,
    pub(super) exepath: Option<Vec<u8>>,
    pub(super) cwd: Option<Vec<u8>>,
    pub(super) root: Option<Vec<u8>>,
    pub(super) cgroup: String,
    pub(super) loginuid: u32,
    /// Inode numbers of its namespaces, in the order of [`NAMESPACES`]; 0 unknown.
    pub(super) namespaces: [u64; 8],
    /// The most descriptors it may have open; 0 unknown, `u64::MAX` no limit.
    pub(super) fdlimit: u64,
    /// Inode of its program, and when that was changed and modified, ns since 1970 UTC; 0 unknown.
    pub(super) exe: [u64; 3],
    /// A thread of the kernel: it runs no file and has no descriptors, only a name.
    pub(super) is_kernel: bool,
    /// The first thread stands first.
    pub(super) threads: Vec<Thread>,
}

/// What a thread has of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Thread {
    pub(super) tid: u32,
    pub(super) vtid: u32,
    pub(super) vpid: u32,
    pub(super) ppid: u32,
    pub(super) sid: u32,
    pub(super) pgid: u32,
    pub(super) tty: u32,
    pub(super) uid: u32,
    pub(super) euid: u32,
    pub(super) gid: u32,
    pub(super) egid: u32,
    /// UTC, ns.
    pub(super) start: u64,
    /// ns.
    pub(super) cputime: u64,
    pub(super) comm: String,
    /// Capabilities: inheritable, permitted, effective.
    pub(super) caps: Option<[u64; 3]>,
    /// Memory of its process, KiB: virtual, resident, swapped.
    pub(super) memory: [u64; 3],
    /// Page faults so far: major, minor.
    pub(super) faults: [u64; 2],
    is_kernel: bool,
}

/// `PF_KTHREAD` (`include/linux/sched.h`).
const KERNEL_THREAD: i64 = 0x0020_0000;

/// The columns of a `stat` line that are used (`Documentation/filesystems/proc.rst`, table 1-4).
fn read_stat(thread: &mut Thread, line: &str, clock: ClockPair) -> Option<()> {
    // The name may hold anything, blanks and parentheses too; nothing behind it does.
    let (head, rest) = line.rsplit_once(')')?;
    head.split_once('(')?.1.clone_into(&mut thread.comm);
    let columns: Vec<&str> = rest.split_ascii_whitespace().collect();
    // `rest` begins with column 3, the state.
    let column = |n: usize| columns.get(n - 3).and_then(|t| t.parse::<i64>().ok());
    thread.ppid = column(4)? as u32;
    thread.pgid = column(5)? as u32;
    thread.sid = column(6)? as u32;
    thread.tty = column(7)? as u32;
    thread.is_kernel = column(9)? & KERNEL_THREAD != 0;
    thread.faults = [column(12)? as u64, column(10)? as u64];
    let ticks = column(22)? as u64;
    let boot = u128::from(ticks) * 1_000_000_000 / u128::from(ticks_per_second());
    thread.start = clock.utc_of(boot as u64);
    Some(())
}

/// The limit of descriptors, of a `limits` file: the line's fourth word.
fn fdlimit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_ascii_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

/// Inode of a process's program, and when it was changed and modified.
fn program(dir: &Path) -> [u64; 3] {
    use std::os::unix::fs::MetadataExt;
    let ns = |seconds: i64, ns: i64| (seconds as u64).saturating_mul(1_000_000_000).saturating_add(ns as u64);
    std::fs::metadata(dir.join("exe"))
        .map_or([0; 3], |exe| [exe.ino(), ns(exe.ctime(), exe.ctime_nsec()), ns(exe.mtime(), exe.mtime_nsec())])
}

/// The ids in a `status` file: ids are real, effective, saved, file system; pids are from the host's namespace inwards.
fn read_status(thread: &mut Thread, status: &str) {
    let mut caps = [None; 3];
    for line in status.lines() {
        let Some((key, values)) = line.split_once(':') else { continue };
        let cap = || u64::from_str_radix(values.trim(), 16).ok();
        let kib = || values.split_ascii_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
        match key {
            "CapInh" => caps[0] = cap(),
            "CapPrm" => caps[1] = cap(),
            "CapEff" => caps[2] = cap(),
            "VmSize" => thread.memory[0] = kib(),
            "VmRSS" => thread.memory[1] = kib(),
            "VmSwap" => thread.memory[2] = kib(),
            _ => {}
        }
        let mut ids = values.split_ascii_whitespace().filter_map(|t| t.parse::<u32>().ok());
        match key {
            "Uid" => (thread.uid, thread.euid) = (ids.next().unwrap_or(0), ids.next().unwrap_or(0)),
            "Gid" => (thread.gid, thread.egid) = (ids.next().unwrap_or(0), ids.next().unwrap_or(0)),
            "NSpid" => thread.vtid = ids.next_back().unwrap_or(thread.tid),
            "NStgid" => thread.vpid = ids.next_back().unwrap_or(0),
            _ => {}
        }
    }
    if let [Some(inheritable), Some(permitted), Some(effective)] = caps {
        thread.caps = Some([inheritable, permitted, effective]);
    }
}

/// Nanoseconds on a processor: the first number of `schedstat`, the scheduler's own sum.
pub(super) fn cputime(thread: &Path) -> Option<u64> {
    let text = file::text(&thread.join("schedstat"), 256)?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

fn thread(dir: &Path, pid: u32, tid: u32, clock: ClockPair) -> Option<Thread> {
    let mut thread = Thread { tid, vtid: tid, vpid: pid, ..Thread::default() };
    read_stat(&mut thread, &file::text(&dir.join("stat"), 4096)?, clock)?;
    read_status(&mut thread, &file::text(&dir.join("status"), 16 << 10)?);
    thread.cputime = cputime(dir).unwrap_or(0);
    Some(thread)
}

/// The threads of a process, the first one first.
fn threads(dir: &Path, pid: u32, clock: ClockPair) -> Vec<Thread> {
    let tasks = dir.join("task");
    let mut tids = file::numbers(&tasks);
    tids.sort_by_key(|tid| *tid != pid);
    tids.into_iter().filter_map(|tid| thread(&tasks.join(tid.to_string()), pid, tid, clock)).collect()
}

/// Looks at a process; `None` if it is gone.
pub(super) fn process(dir: &Path, pid: u32, clock: ClockPair) -> Option<Process> {
    let time = clock.utc_of(crate::sys::boot_ns());
    let threads = threads(dir, pid, clock);
    if threads.is_empty() {
        return None;
    }
    let groups = file::text(&dir.join("cgroup"), TEXT_LIMIT).unwrap_or_default();
    let cgroup = cgroup::choose(&groups).unwrap_or_default().to_owned();
    if threads.iter().any(|t| t.is_kernel) {
        return Some(Process { time, pid, cgroup, loginuid: u32::MAX, is_kernel: true, threads, ..Process::default() });
    }
    let loginuid = file::text(&dir.join("loginuid"), 64).and_then(|t| t.trim().parse().ok());
    Some(Process {
        time,
        pid,
        cmdline: file::read(&dir.join("cmdline"), TEXT_LIMIT).unwrap_or_default(),
        environ: file::read(&dir.join("environ"), TEXT_LIMIT),
        exepath: file::link(&dir.join("exe")),
        cwd: file::link(&dir.join("cwd")),
        root: file::link(&dir.join("root")),
        cgroup,
        namespaces: namespaces(dir),
        fdlimit: file::text(&dir.join("limits"), 4096).and_then(|limits| fdlimit(&limits)).unwrap_or(0),
        exe: program(dir),
        is_kernel: false,
        loginuid: loginuid.unwrap_or(u32::MAX),
        threads,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: ClockPair = ClockPair { boot: 0, utc: 1_000 };

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_columns() {
        let mut thread = Thread::default();
        let line = "7 (a) b (c) S 1 2 3 34816 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0\n";
        read_stat(&mut thread, line, CLOCK).unwrap();
        assert_eq!(
            (thread.comm.as_str(), thread.ppid, thread.pgid, thread.sid, thread.tty),
            ("a) b (c", 1, 2, 3, 34816)
        );
        assert_eq!(thread.start, 1_000 + 500 * 1_000_000_000 / ticks_per_second());
        assert_eq!(read_stat(&mut thread, "7 (cut) S 1 2", CLOCK), None);
    }

    #[test]
    fn the_limit_of_descriptors_is_the_soft_one() {
        let limits = |soft: &str| {
            format!(
                "Limit  Soft Limit  Hard Limit  Units\nMax open files            {soft}                 524288               files     \n"
            )
        };
        assert_eq!(fdlimit(&limits("1024")), Some(1024));
        assert_eq!(fdlimit(&limits("unlimited")), Some(u64::MAX));
        assert_eq!(fdlimit("Limit\n"), None);
    }

    #[test]
    fn our_own_namespaces_have_numbers() {
        use std::os::unix::fs::MetadataExt;
        let found = namespaces(Path::new("/proc/self"));
        assert_eq!(found[NET], std::fs::metadata("/proc/self/ns/net").unwrap().ino());
        assert_eq!(found[MNT], std::fs::metadata("/proc/self/ns/mnt").unwrap().ino());
        assert_eq!(namespaces(Path::new("/")), [0; 8]);
    }

    #[test]
    fn ids_in_the_innermost_namespace_are_the_last_ones() {
        let mut thread = Thread { tid: 900, ..Thread::default() };
        read_status(&mut thread, "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNStgid:\t800\t12\nNSpid:\t900\t13\n");
        assert_eq!((thread.vtid, thread.vpid), (13, 12));
        assert_eq!((thread.uid, thread.euid, thread.gid, thread.egid), (1, 2, 5, 6));
    }
}
