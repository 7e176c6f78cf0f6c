//! Which change each kind of event makes: one entry per kind that does more than use a descriptor.

use super::dict::DescKind;
use super::engine::World;
use super::open::O_CLOEXEC;
use crate::event::{Event, KindFlags, SPECS, Spec, kinds};

/// What an event does to the world. Numbers are indices of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing.
    None,
    /// Uses the descriptor in a parameter.
    Uses(u8),
    /// Opens a path: descriptor of the directory, path, open flags.
    Open {
        dirfd: Option<u8>,
        path: u8,
        flags: Option<u8>,
        file: FileParams,
    },
    /// Makes a descriptor without a path.
    Anon {
        kind: DescKind,
        name: &'static str,
        /// What is added to the name.
        label: Option<u8>,
        file: FileParams,
        cloexec: Cloexec,
    },
    /// `bpf(2)`: some of its commands make a descriptor.
    Bpf {
        cmd: u8,
    },
    /// `signalfd(2)`: makes a descriptor, or changes what an old one waits for.
    Signalfd {
        fd: u8,
        flags: Option<u8>,
    },
    PidfdOpen {
        pid: u8,
    },
    PidfdGetfd {
        pidfd: u8,
        target: u8,
        file: FileParams,
    },
    Close(u8),
    CloseRange {
        first: u8,
        last: u8,
        flags: u8,
    },
    Dup {
        old: u8,
        new: Option<u8>,
        flags: Option<u8>,
    },
    Fcntl {
        fd: u8,
        cmd: u8,
        arg: u8,
    },
    Pipe {
        first: u8,
        flags: Option<u8>,
        file: FileParams,
    },
    /// Writes data to a descriptor.
    Write {
        fd: u8,
        data: u8,
    },
    /// A request to a ring.
    Submit,
    /// Its result.
    Complete,
    Socket(SocketParams),
    Socketpair(SocketParams),
    Bind(Ends),
    Listen,
    Connect(Ends),
    Accept {
        listener: u8,
        tuple: u8,
        flags: Option<u8>,
        file: FileParams,
    },
    /// Sends or receives, perhaps with the peer's address, perhaps with descriptors.
    Message {
        addr: u8,
        /// Both ends, which imported calls tell.
        tuple: Option<u8>,
        files: Option<u8>,
        flags: Option<u8>,
        receives: bool,
    },
    Chdir(u8),
    Fchdir(u8),
    Chroot(u8),
    Getcwd(u8),
    PivotRoot {
        new: u8,
        old: u8,
    },
    Umount(u8),
    Fork(ForkParams),
    Clone {
        flags: u8,
    },
    Exec,
    Exit {
        last: u8,
        reaper: Option<u8>,
    },
    CpuTime,
    Cgroup,
    /// A container's description in a parameter.
    Container(u8),
    Prctl,
    Capset,
    Limit,
    Setuid,
    Setgid,
    Setreuid,
    Setregid,
    Setresuid,
    Setresgid,
    Setsid,
    Setpgid,
    Unshare(u8),
    Setns {
        fd: u8,
        flags: u8,
    },
}

/// Whether what a call makes is closed on exec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cloexec {
    Always,
    Never,
    /// If a parameter has these bits.
    If(u8, i64),
}

/// Where a source tells which file a descriptor refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileParams {
    dev: Option<u8>,
    ino: Option<u8>,
}

impl FileParams {
    fn of(spec: &Spec) -> FileParams {
        FileParams { dev: param(spec, "dev"), ino: param(spec, "ino") }
    }

    /// Device and inode number; 0 not known.
    pub(super) fn read(self, event: &Event<'_>) -> (u32, u64) {
        (self.dev.map_or(0, |dev| int(event, dev) as u32), self.ino.map_or(0, |ino| int(event, ino) as u64))
    }
}

/// Parameters of `socket` and `socketpair`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SocketParams {
    pub(super) domain: u8,
    pub(super) ty: u8,
    pub(super) protocol: u8,
    /// The first of the two descriptors of a pair.
    pub(super) first: u8,
    /// Inode of the socket.
    pub(super) file: FileParams,
    /// Inode of the other end of a pair.
    pub(super) peer_ino: Option<u8>,
}

/// Parameters of `bind` and `connect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) addr: u8,
    pub(super) tuple: u8,
    pub(super) file: FileParams,
}

/// Parameters of `procfork`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ForkParams {
    pub(super) tid: u8,
    pub(super) pid: u8,
    pub(super) vtid: u8,
    pub(super) vpid: u8,
    pub(super) ppid: u8,
    pub(super) flags: u8,
    pub(super) start: u8,
}

/// Whether a call of a kind may change what is known of its own thread: name, program, user, directory, session.
/// Calls that only concern descriptors do not; what [tells](tells) is another matter.
pub fn changes_thread(kind: crate::event::Kind) -> bool {
    !matches!(
        action(kind, kind.spec()),
        Action::None
            | Action::Uses(_)
            | Action::Open { .. }
            | Action::Anon { .. }
            | Action::Bpf { .. }
            | Action::Signalfd { .. }
            | Action::PidfdOpen { .. }
            | Action::PidfdGetfd { .. }
            | Action::Close(_)
            | Action::CloseRange { .. }
            | Action::Dup { .. }
            | Action::Fcntl { .. }
            | Action::Pipe { .. }
            | Action::Write { .. }
            | Action::Submit
            | Action::Complete
            | Action::Socket(_)
            | Action::Socketpair(_)
            | Action::Bind(_)
            | Action::Listen
            | Action::Connect(_)
            | Action::Accept { .. }
            | Action::Message { .. }
            | Action::Clone { .. }
    )
}

/// Whether calls of a kind tell something about threads if they are about a file of procfs (a name written to `comm`).
pub fn tells(kind: crate::event::Kind) -> bool {
    matches!(action(kind, kind.spec()), Action::Write { .. })
}

fn param(spec: &Spec, name: &str) -> Option<u8> {
    spec.params.iter().position(|p| p.name == name).map(|i| i as u8)
}

fn first_of(spec: &Spec, names: &[&str]) -> Option<u8> {
    names.iter().find_map(|name| param(spec, name))
}

/// Flags and action of every kind, by its number: side by side, because both are asked for with each event.
pub(super) fn actions() -> Vec<(KindFlags, Action)> {
    SPECS.iter().enumerate().map(|(i, spec)| (spec.flags, action(crate::event::Kind(i as u16), spec))).collect()
}

fn action(kind: crate::event::Kind, spec: &Spec) -> Action {
    let uses = spec.fd.map_or(Action::None, Action::Uses);
    if matches!(kind, kinds::WRITE | kinds::PWRITE)
        && let (Some(fd), Some(data)) = (spec.fd, param(spec, "data"))
    {
        return Action::Write { fd, data };
    }
    if !spec.flags.has(KindFlags::STATE) {
        return uses;
    }
    file_action(kind, spec)
        .or_else(|| anon_action(kind, spec))
        .or_else(|| socket_action(kind, spec))
        .or_else(|| process_action(kind, spec))
        .unwrap_or(uses)
}

fn file_action(kind: crate::event::Kind, spec: &Spec) -> Option<Action> {
    let path = first_of(spec, &["name", "path", "pathname"]).unwrap_or(0);
    let flags = param(spec, "flags");
    let file = FileParams::of(spec);
    Some(match kind {
        kinds::OPEN | kinds::CREAT => Action::Open { dirfd: None, path, flags, file },
        kinds::OPENAT | kinds::OPENAT2 | kinds::OPEN_TREE | kinds::OPEN_TREE_ATTR => {
            Action::Open { dirfd: param(spec, "dirfd"), path, flags, file }
        }
        kinds::CLOSE => Action::Close(0),
        kinds::IO_URING_SUBMIT => Action::Submit,
        kinds::IO_URING_COMPLETE => Action::Complete,
        kinds::CLOSE_RANGE => {
            Action::CloseRange { first: param(spec, "first")?, last: param(spec, "last")?, flags: flags? }
        }
        kinds::DUP => Action::Dup { old: 0, new: None, flags: None },
        kinds::DUP2 => Action::Dup { old: 0, new: Some(1), flags: None },
        kinds::DUP3 => Action::Dup { old: 0, new: Some(1), flags },
        kinds::FCNTL => Action::Fcntl { fd: spec.fd?, cmd: param(spec, "cmd")?, arg: param(spec, "arg")? },
        kinds::PIPE | kinds::PIPE2 => Action::Pipe { first: param(spec, "fd1")?, flags, file },
        kinds::CHDIR => Action::Chdir(path),
        kinds::FCHDIR => Action::Fchdir(0),
        kinds::CHROOT => Action::Chroot(path),
        kinds::GETCWD => Action::Getcwd(path),
        kinds::UMOUNT2 => Action::Umount(path),
        kinds::PIVOT_ROOT => Action::PivotRoot { new: param(spec, "new_root")?, old: param(spec, "put_old")? },
        _ => return None,
    })
}

fn anon_action(kind: crate::event::Kind, spec: &Spec) -> Option<Action> {
    let flags = param(spec, "flags");
    let bit = |bits| flags.map_or(Cloexec::Never, |f| Cloexec::If(f, bits));
    let o_cloexec = bit(O_CLOEXEC);
    let (desc, name, cloexec) = match kind {
        kinds::EVENTFD | kinds::EVENTFD2 => (DescKind::Event, "[eventfd]", o_cloexec),
        kinds::EPOLL_CREATE | kinds::EPOLL_CREATE1 => (DescKind::Eventpoll, "[eventpoll]", o_cloexec),
        kinds::INOTIFY_INIT | kinds::INOTIFY_INIT1 => (DescKind::Inotify, "[inotify]", o_cloexec),
        kinds::TIMERFD_CREATE => (DescKind::Timer, "[timerfd]", o_cloexec),
        kinds::USERFAULTFD => (DescKind::Userfault, "[userfaultfd]", o_cloexec),
        // MFD_CLOEXEC, FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC, FSPICK_CLOEXEC and FAN_CLOEXEC are 1, PERF_FLAG_FD_CLOEXEC is 8
        kinds::MEMFD_CREATE => (DescKind::Memfd, "memfd:", bit(1)),
        kinds::MEMFD_SECRET => (DescKind::Memfd, "secretmem", o_cloexec),
        kinds::PERF_EVENT_OPEN => (DescKind::Unknown, "[perf_event]", bit(8)),
        kinds::FANOTIFY_INIT => (DescKind::Unknown, "[fanotify]", bit(1)),
        kinds::FSOPEN | kinds::FSPICK => (DescKind::Unknown, "[fscontext]", bit(1)),
        kinds::FSMOUNT => (DescKind::Unknown, "[fsmount]", bit(1)),
        kinds::OPEN_BY_HANDLE_AT => (DescKind::Unknown, "", o_cloexec),
        // `ipc/mqueue.c`, `security/landlock/syscalls.c`, `io_uring/io_uring.c`
        kinds::MQ_OPEN => (DescKind::Unknown, "mqueue:", Cloexec::Always),
        kinds::LANDLOCK_CREATE_RULESET => (DescKind::Unknown, "[landlock-ruleset]", Cloexec::Always),
        kinds::IO_URING_SETUP => (DescKind::IoUring, "[io_uring]", Cloexec::Always),
        kinds::BPF => return Some(Action::Bpf { cmd: param(spec, "cmd")? }),
        kinds::SIGNALFD | kinds::SIGNALFD4 => return Some(Action::Signalfd { fd: param(spec, "fd")?, flags }),
        kinds::PIDFD_OPEN => return Some(Action::PidfdOpen { pid: param(spec, "pid")? }),
        kinds::PIDFD_GETFD => {
            let file = FileParams::of(spec);
            return Some(Action::PidfdGetfd { pidfd: param(spec, "pid_fd")?, target: param(spec, "target_fd")?, file });
        }
        _ => return None,
    };
    let named = matches!(kind, kinds::MEMFD_CREATE | kinds::MQ_OPEN);
    let label = if named { param(spec, "name") } else { None };
    Some(Action::Anon { kind: desc, name, label, file: FileParams::of(spec), cloexec })
}

fn socket_action(kind: crate::event::Kind, spec: &Spec) -> Option<Action> {
    let file = FileParams::of(spec);
    let ends = || Some(Ends { addr: param(spec, "addr")?, tuple: param(spec, "tuple")?, file });
    let message = |receives| {
        let (files, flags) = (param(spec, "files"), param(spec, "flags"));
        Some(Action::Message { addr: param(spec, "addr")?, tuple: param(spec, "tuple"), files, flags, receives })
    };
    let made = |first| {
        let (domain, ty, protocol) = (param(spec, "domain")?, param(spec, "type")?, param(spec, "proto")?);
        Some(SocketParams { domain, ty, protocol, first, file, peer_ino: param(spec, "peer_ino") })
    };
    Some(match kind {
        kinds::SOCKET => Action::Socket(made(0)?),
        kinds::SOCKETPAIR => Action::Socketpair(made(param(spec, "fd1")?)?),
        kinds::BIND => Action::Bind(ends()?),
        kinds::LISTEN => Action::Listen,
        kinds::CONNECT => Action::Connect(ends()?),
        kinds::ACCEPT | kinds::ACCEPT4 => Action::Accept {
            listener: param(spec, "sockfd")?,
            tuple: param(spec, "tuple")?,
            flags: param(spec, "flags"),
            file,
        },
        kinds::SENDTO | kinds::SENDMSG | kinds::SENDMMSG => message(false)?,
        kinds::RECVFROM | kinds::RECVMSG | kinds::RECVMMSG => message(true)?,
        _ => return None,
    })
}

fn process_action(kind: crate::event::Kind, spec: &Spec) -> Option<Action> {
    Some(match kind {
        kinds::PROCFORK | kinds::SNAP_FORK => Action::Fork(ForkParams {
            tid: param(spec, "child_tid")?,
            pid: param(spec, "child_pid")?,
            vtid: param(spec, "child_vtid")?,
            vpid: param(spec, "child_vpid")?,
            ppid: param(spec, "ppid")?,
            flags: param(spec, "flags")?,
            start: param(spec, "start")?,
        }),
        kinds::CLONE | kinds::CLONE3 => Action::Clone { flags: param(spec, "flags")? },
        kinds::EXECVE | kinds::EXECVEAT => Action::Exec,
        kinds::PROCEXIT => Action::Exit { last: param(spec, "last")?, reaper: param(spec, "reaper") },
        kinds::CPUTIME => Action::CpuTime,
        kinds::CGROUP => Action::Cgroup,
        kinds::CONTAINER => Action::Container(param(spec, "json")?),
        kinds::PRCTL => Action::Prctl,
        kinds::CAPSET => Action::Capset,
        kinds::SETRLIMIT | kinds::PRLIMIT => Action::Limit,
        kinds::SETUID => Action::Setuid,
        kinds::SETGID => Action::Setgid,
        kinds::SETREUID => Action::Setreuid,
        kinds::SETREGID => Action::Setregid,
        kinds::SETRESUID => Action::Setresuid,
        kinds::SETRESGID => Action::Setresgid,
        kinds::SETSID => Action::Setsid,
        kinds::SETPGID => Action::Setpgid,
        kinds::UNSHARE => Action::Unshare(param(spec, "flags")?),
        kinds::SETNS => Action::Setns { fd: param(spec, "fd")?, flags: param(spec, "nstype")? },
        _ => return None,
    })
}

/// An integer parameter; 0 where it is missing.
pub(super) fn int(event: &Event<'_>, param: u8) -> i64 {
    event.args.get(usize::from(param)).and_then(|a| a.int()).unwrap_or(0)
}

/// The descriptor in a parameter; none where it is missing.
pub(super) fn number(event: &Event<'_>, param: u8) -> i64 {
    event.args.get(usize::from(param)).and_then(|a| a.int()).unwrap_or(-1)
}

/// A parameter's bytes.
pub(super) fn bytes<'a>(event: &Event<'a>, param: u8) -> Option<&'a [u8]> {
    event.args.get(usize::from(param)).and_then(|a| a.bytes())
}

/// An integer parameter by its name; 0 where there is none.
pub(super) fn named(event: &Event<'_>, name: &str) -> i64 {
    param(event.kind.spec(), name).map_or(0, |p| int(event, p))
}

/// An integer parameter by its name; `None` where there is none, or it is missing.
pub(super) fn named_int(event: &Event<'_>, name: &str) -> Option<i64> {
    event.args.get(usize::from(param(event.kind.spec(), name)?)).and_then(|a| a.int())
}

/// A parameter's bytes by its name.
pub(super) fn named_bytes<'a>(event: &Event<'a>, name: &str) -> Option<&'a [u8]> {
    bytes(event, param(event.kind.spec(), name)?)
}

impl World {
    /// Makes the change of an event, and returns the row of the descriptor it is about.
    pub(super) fn act(&mut self, index: usize, event: &Event<'_>) -> u32 {
        let (_, action) = self.actions[usize::from(event.kind.0)];
        match action {
            Action::None => 0,
            Action::Uses(fd) => self.uses(index, number(event, fd)),
            Action::Container(json) => {
                self.describe_container(bytes(event, json).unwrap_or_default());
                0
            }
            Action::Write { fd, data } => self.write(index, event, fd, data),
            Action::Submit => self.submitted(index, event),
            Action::Complete => self.completed(index, event),
            _ => self.change(action, index, event),
        }
    }

    fn change(&mut self, action: Action, index: usize, event: &Event<'_>) -> u32 {
        // What happened before the process was scanned is in the scan: only what the call was about is looked up.
        let scanned = event.time <= self.threads[index].stamp;
        if scanned && !matches!(action, Action::Fork(_) | Action::CpuTime | Action::Open { .. }) {
            return event.kind.spec().fd.map_or(0, |fd| self.uses(index, number(event, fd)));
        }
        match action {
            Action::Open { .. }
            | Action::Close(_)
            | Action::CloseRange { .. }
            | Action::Dup { .. }
            | Action::Fcntl { .. }
            | Action::Pipe { .. } => self.change_files(action, index, event, scanned),
            Action::Anon { .. }
            | Action::Bpf { .. }
            | Action::Signalfd { .. }
            | Action::PidfdOpen { .. }
            | Action::PidfdGetfd { .. } => self.change_anonymous(action, index, event),
            Action::Socket(_)
            | Action::Socketpair(_)
            | Action::Bind(_)
            | Action::Listen
            | Action::Connect(_)
            | Action::Accept { .. }
            | Action::Message { .. } => self.change_sockets(action, index, event),
            Action::Chdir(_)
            | Action::Fchdir(_)
            | Action::Chroot(_)
            | Action::Getcwd(_)
            | Action::PivotRoot { .. }
            | Action::Umount(_) => self.change_directory(action, index, event),
            Action::Setns { fd, flags } => self.setns(index, event, fd, flags),
            _ => {
                self.change_process_state(action, index, event);
                0
            }
        }
    }

    /// Row of the descriptor with a number.
    pub(super) fn uses(&self, index: usize, fd: i64) -> u32 {
        self.tables.get(self.threads[index].files).get(fd)
    }
}
