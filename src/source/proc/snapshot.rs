//! [`Snapshot`]: the machine, or one process, as it is now, as events.

use super::descriptor::{Descriptor, descriptors};
use super::file;
use super::machine::Machine;
use super::process::{Process, Thread, cputime, process};
use super::socket::{Socket, Sockets, sockets};
use super::user::{Accounts, groups, users};
use crate::event::{Arg, Args, Event, Flags, Kind, kind_by_name, kinds};
use crate::sys::ClockPair;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `/proc` cannot be read.
    #[error("expected processes in /proc, found none\nhelp: mount it (`mount -t proc proc /proc`)")]
    NoProc,
    /// The one process asked for is gone.
    #[error("expected a process {0}, found none\nhelp: it has ended; start the recording again")]
    NoProcess(u32),
}

/// What to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All processes but our own.
    All,
    /// One process and nothing else: a recording of a command holds its tree, not whoever started it.
    Process(u32),
}

/// Processes, their threads and descriptors, users and groups, interfaces and mounts.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    processes: Vec<(Process, Vec<Descriptor>)>,
    users: Accounts,
    groups: Accounts,
    machine: Machine,
    time: u64,
    notes: Vec<String>,
}

pub(super) fn dir_of(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

/// The sockets of each network namespace that was looked at, by its link.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    sockets: HashMap<Vec<u8>, Sockets>,
    /// Namespaces that could not be entered.
    closed: usize,
}

impl Namespaces {
    /// Looks at a process; `None` if it is gone. The sockets of each network namespace are read once, and not at all
    /// where no socket is open: the kernel walks its whole table of connections for it.
    pub(super) fn look(&mut self, pid: u32, clock: ClockPair) -> Option<(Process, Vec<Descriptor>)> {
        let dir = dir_of(pid);
        let process = process(&dir, pid, clock)?;
        if process.is_kernel {
            return Some((process, Vec::new()));
        }
        let mut namespace = None;
        let found = descriptors(&dir, &mut |inode| self.socket_in(&dir, &mut namespace, inode));
        Some((process, found))
    }

    /// What a socket of the process whose directory this is is.
    pub(super) fn socket(&mut self, dir: &Path, inode: u64) -> Option<Socket> {
        self.socket_in(dir, &mut None, inode)
    }

    /// The same, with the process's namespace once it is known.
    fn socket_in(&mut self, dir: &Path, namespace: &mut Option<Vec<u8>>, inode: u64) -> Option<Socket> {
        let namespace = namespace.get_or_insert_with(|| file::link(&dir.join("ns/net")).unwrap_or_default());
        if !self.sockets.contains_key(namespace) {
            let (sockets, entered) = sockets(dir);
            self.closed += usize::from(!entered);
            self.sockets.insert(namespace.clone(), sockets);
        }
        self.sockets.get(namespace).and_then(|sockets| sockets.get(&inode)).cloned()
    }

    fn notes(&self) -> Vec<String> {
        let note = format!(
            "{} network namespaces could not be entered: their sockets are as /proc shows them, without the names of Unix peers (entering needs CAP_SYS_ADMIN)",
            self.closed
        );
        if self.closed > 0 { vec![note] } else { Vec::new() }
    }
}

/// Takes a snapshot. `clock` gives the times: the same pair that the decoder has.
///
/// # Errors
/// There is no `/proc`, or not the one process asked for. Whatever else cannot be read is left out.
pub fn snapshot(scope: Scope, clock: ClockPair) -> Result<Snapshot, Error> {
    let time = clock.utc_of(crate::sys::boot_ns());
    let mut namespaces = Namespaces::default();
    let mut processes: Vec<_> = match scope {
        Scope::All => {
            let own = std::process::id();
            let all = file::numbers(Path::new("/proc")).into_iter().filter(|pid| *pid != own);
            all.filter_map(|pid| namespaces.look(pid, clock)).collect()
        }
        Scope::Process(pid) => namespaces.look(pid, clock).into_iter().collect(),
    };
    match scope {
        _ if !processes.is_empty() => {}
        Scope::All => return Err(Error::NoProc),
        Scope::Process(pid) => return Err(Error::NoProcess(pid)),
    }
    // Parents before their children, as far as the clock's ticks tell.
    processes.sort_by_key(|(p, _)| (p.threads.first().map(|t| t.start), p.pid));
    // Of a single tree only the names that it comes to need are asked for, one by one.
    let (users, groups) = if scope == Scope::All { (users(), groups()) } else { Default::default() };
    let machine = Machine::of(processes.iter().map(|(process, _)| process));
    let notes = namespaces.notes().into_iter().chain(machine.notes()).collect();
    Ok(Snapshot { processes, users, groups, machine, time, notes })
}

/// What a thread has used so far, ns; `None` when it has ended.
pub fn cputime_of(tid: u32, pid: u32) -> Option<u64> {
    cputime(&dir_of(pid).join("task").join(tid.to_string()))
}

pub(super) fn int(value: u32) -> Arg<'static> {
    Arg::Int(i64::from(value))
}

pub(super) fn wide(value: u64) -> Arg<'static> {
    Arg::Int(value as i64)
}

pub(super) fn text(value: Option<&Vec<u8>>) -> Arg<'_> {
    value.map_or(Arg::Missing, |b| Arg::Bytes(b))
}

pub(super) fn event<'a>(
    kind: Kind,
    time: u64,
    (tid, pid): (u32, u32),
    args: impl IntoIterator<Item = Arg<'a>>,
) -> Event<'a> {
    let args: Args<'a> = args.into_iter().take(crate::event::MAX_ARGS).collect();
    Event { kind, time, duration: None, cpu: 0, tid, pid, ret: 0, flags: Flags::default(), args }
}

/// In the order of `snap_thread`'s parameters.
fn thread_args<'a>(process: &'a Process, thread: &'a Thread) -> impl Iterator<Item = Arg<'a>> {
    let (exe, args) = match memchr::memchr(0, &process.cmdline) {
        Some(at) => (&process.cmdline[..at], &process.cmdline[at + 1..]),
        None => (process.cmdline.as_slice(), &[][..]),
    };
    let namespaces = process.namespaces.into_iter().map(|ns| if ns == 0 { Arg::Missing } else { wide(ns) });
    let args = [
        int(thread.tid),
        int(process.pid),
        int(thread.vtid),
        int(thread.vpid),
        int(thread.ppid),
        int(thread.sid),
        int(thread.pgid),
        int(thread.tty),
        int(thread.uid),
        int(thread.euid),
        int(thread.gid),
        int(thread.egid),
        int(process.loginuid),
        wide(thread.start),
        wide(thread.cputime),
        Arg::Bytes(thread.comm.as_bytes()),
        Arg::Bytes(exe),
        text(process.exepath.as_ref()),
        Arg::Bytes(args),
        text(process.environ.as_ref()),
        text(process.cwd.as_ref()),
        text(process.root.as_ref()),
        Arg::Bytes(process.cgroup.as_bytes()),
    ];
    args.into_iter().chain(namespaces).chain([wide(process.time)]).chain(rights(process, thread))
}

/// Limits, capabilities, facts about the program, memory and faults. Whether the program could be written, and its layer of an
/// overlay, `/proc` does not tell.
fn rights<'a>(process: &Process, thread: &Thread) -> [Arg<'a>; 13] {
    let unless_0 = |number: u64| if number == 0 { Arg::Missing } else { wide(number) };
    let cap = |which: usize| thread.caps.map_or(Arg::Missing, |caps| wide(caps[which]));
    let told = |number: u64| if process.is_kernel { Arg::Missing } else { wide(number) };
    let ([ino, ctime, mtime], [size, resident, swapped]) = (process.exe, thread.memory);
    [
        unless_0(process.fdlimit),
        cap(0),
        cap(1),
        cap(2),
        Arg::Missing,
        unless_0(ino),
        unless_0(ctime),
        unless_0(mtime),
        told(size),
        told(resident),
        told(swapped),
        told(thread.faults[0]),
        told(thread.faults[1]),
    ]
}

/// In the order of `snap_fd`'s parameters.
fn descriptor_args(descriptor: &Descriptor) -> [Arg<'_>; 10] {
    [
        int(descriptor.fd),
        Arg::Int(descriptor.kind as i64),
        Arg::Bytes(&descriptor.name),
        text(descriptor.tuple.as_ref()),
        Arg::Int(descriptor.l4 as i64),
        Arg::Int(descriptor.role as i64),
        wide(descriptor.dev),
        wide(descriptor.ino),
        int(descriptor.flags),
        Arg::Int(i64::from(descriptor.cloexec)),
    ]
}

/// The row of a descriptor of a process, seen at a time (ns UTC).
pub(super) fn descriptor_event(time: u64, pid: u32, descriptor: &Descriptor) -> Option<Event<'_>> {
    Some(event(kind_by_name("snap_fd")?, time, (pid, pid), descriptor_args(descriptor)))
}

impl Snapshot {
    /// Some processes, without names of users and groups.
    pub(super) fn of(mut processes: Vec<(Process, Vec<Descriptor>)>) -> Snapshot {
        processes.sort_by_key(|(p, _)| (p.threads.first().map(|t| t.start), p.pid));
        Snapshot { processes, ..Snapshot::default() }
    }

    /// Number of threads in it.
    pub fn threads(&self) -> usize {
        self.processes.iter().map(|(p, _)| p.threads.len()).sum()
    }

    /// Number of descriptors in it.
    pub fn descriptors(&self) -> usize {
        self.processes.iter().map(|(_, d)| d.len()).sum()
    }

    /// What could not be seen, and why; nothing where all of it was.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// (tid, ns used so far) of every thread in it, for [`Decoder::note_cputime`](crate::source::ebpf::Decoder::note_cputime).
    pub fn cputimes(&self) -> impl Iterator<Item = (u32, u64)> {
        self.processes.iter().flat_map(|(p, _)| p.threads.iter().map(|t| (t.tid, t.cputime)))
    }

    /// Calls `f` with its events: users, groups, interfaces, mounts, then each process's threads and descriptors, older processes first.
    pub fn for_each(&self, f: &mut impl FnMut(Event<'_>)) {
        for (kind, accounts) in [(kinds::SNAP_USER, &self.users), (kinds::SNAP_GROUP, &self.groups)] {
            for (id, account) in accounts {
                f(account.event(kind, self.time, *id));
            }
        }
        self.machine.for_each(self.time, f);
        let (Some(thread_kind), Some(fd_kind)) = (kind_by_name("snap_thread"), kind_by_name("snap_fd")) else { return };
        for (process, descriptors) in &self.processes {
            for thread in &process.threads {
                f(event(thread_kind, process.time, (thread.tid, process.pid), thread_args(process, thread)));
            }
            for descriptor in descriptors {
                f(event(fd_kind, process.time, (process.pid, process.pid), descriptor_args(descriptor)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::kinds;
    use crate::sys::clock_pair;

    fn names(kind: &str) -> Vec<&'static str> {
        kind_by_name(kind).unwrap().spec().params.iter().map(|p| p.name).collect()
    }

    #[test]
    fn parameters_stand_in_the_order_of_the_event_table() {
        let thread = "tid pid vtid vpid ppid sid pgid tty uid euid gid egid loginuid start cputime comm exe exepath args env cwd root cgroup cgroupns ipcns mntns netns pidns timens userns utsns scanned fdlimit cap_inheritable cap_permitted cap_effective exe_flags exe_ino exe_ino_ctime exe_ino_mtime vm_size vm_rss vm_swap pgft_maj pgft_min";
        assert_eq!(names("snap_thread").join(" "), thread);
        assert_eq!(names("snap_fd").join(" "), "fd kind name tuple l4 role dev ino flags cloexec");
        assert_eq!(names("snap_user"), ["id", "name", "home", "shell"]);
        let interface = "name index family address mask broadcast netns flags hardware";
        assert_eq!(names("snap_interface").join(" "), interface);
        let mount = "id parent dev root path type source options mntns propagation";
        assert_eq!(names("snap_mount").join(" "), mount);
    }

    #[test]
    fn one_process_is_seen_with_its_threads_and_nothing_of_who_started_it() {
        let (stop, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || wait.recv());
        let pid = std::process::id();
        let snapshot = snapshot(Scope::Process(pid), clock_pair()).unwrap();
        let (mut own, mut others) = (0, 0);
        snapshot.for_each(&mut |e| {
            if e.kind.spec().name != "snap_thread" {
                return;
            }
            if e.pid == pid {
                own += 1;
                let exepath = std::env::current_exe().unwrap();
                assert_eq!(e.args[17], Arg::Bytes(exepath.as_os_str().as_encoded_bytes()));
                assert!(e.args[13].int().unwrap() as u64 <= e.time);
            } else {
                others += 1;
            }
        });
        drop(stop);
        assert!(thread.join().unwrap().is_err());
        assert!(own >= 2, "{own} threads");
        assert_eq!(others, 0, "a parent is none of the tree");
    }

    #[test]
    fn the_whole_machine_is_seen_without_ourselves_and_parents_come_first() {
        let snapshot = snapshot(Scope::All, clock_pair()).unwrap();
        assert!(snapshot.processes.iter().all(|(p, _)| p.pid != std::process::id()));
        let starts: Vec<u64> = snapshot.processes.iter().map(|(p, _)| p.threads[0].start).collect();
        assert!(starts.is_sorted());
        assert!(snapshot.threads() >= 1);
    }

    #[test]
    fn the_machine_has_interfaces_and_mounts_in_the_namespaces_of_its_processes() {
        let pid = std::process::id();
        let found = snapshot(Scope::Process(pid), clock_pair()).unwrap();
        let (mut loopback, mut root, mut own) = (None, None, None);
        found.for_each(&mut |e| match e.kind {
            kinds::SNAP_INTERFACE if e.args[0] == Arg::Bytes(b"lo") => loopback = Some(e.args[6].int()),
            kinds::SNAP_MOUNT if e.args[4] == Arg::Bytes(b"/") => root = Some(e.args[8].int()),
            kinds::SNAP_THREAD if e.tid == pid => own = Some((e.args[26].int(), e.args[25].int())),
            _ => {}
        });
        assert!(own.is_some() && loopback.zip(root) == own, "{loopback:?} {root:?} {own:?}");
    }

    #[test]
    fn a_process_that_does_not_exist_is_an_error() {
        assert!(matches!(snapshot(Scope::Process(u32::MAX), clock_pair()), Err(Error::NoProcess(_))));
    }

    #[test]
    fn time_on_the_processor_is_found_while_a_thread_lives() {
        let pid = std::process::id();
        assert!(cputime_of(pid, pid).is_some_and(|total| total > 0));
        assert_eq!(cputime_of(u32::MAX, u32::MAX), None);
    }
}
