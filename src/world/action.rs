//! Which change each kind of event makes: one entry per kind that does more than use a descriptor.

use super::dict::DescKind;
use super::engine::World;
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
    },
    /// Makes a descriptor without a path.
    Anon {
        kind: DescKind,
        name: &'static str,
        flags: Option<u8>,
        label: Option<u8>,
    },
    Close(u8),
    CloseRange,
    Dup {
        old: u8,
        new: Option<u8>,
        flags: Option<u8>,
    },
    Fcntl,
    Pipe {
        first: u8,
        flags: Option<u8>,
    },
    Socket,
    Socketpair,
    Bind,
    Listen,
    Connect,
    Accept {
        flags: Option<u8>,
    },
    /// Sends or receives, perhaps with the peer's address.
    Message {
        addr: u8,
    },
    Chdir(u8),
    Fchdir(u8),
    Chroot(u8),
    Fork,
    Exec,
    Exit,
    CpuTime,
    Cgroup,
    Prctl,
    Setuid,
    Setgid,
    Setreuid,
    Setregid,
    Setsid,
    Setpgid,
    Unshare,
}

fn param(spec: &Spec, name: &str) -> Option<u8> {
    spec.params.iter().position(|p| p.name == name).map(|i| i as u8)
}

fn first_of(spec: &Spec, names: &[&str]) -> Option<u8> {
    names.iter().find_map(|name| param(spec, name))
}

/// The action of every kind, by its number.
pub(super) fn actions() -> Vec<Action> {
    SPECS.iter().enumerate().map(|(i, spec)| action(crate::event::Kind(i as u16), spec)).collect()
}

fn action(kind: crate::event::Kind, spec: &Spec) -> Action {
    let uses = spec.fd.map_or(Action::None, Action::Uses);
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
    Some(match kind {
        kinds::OPEN | kinds::CREAT => Action::Open { dirfd: None, path, flags },
        kinds::OPENAT | kinds::OPENAT2 => Action::Open { dirfd: param(spec, "dirfd"), path, flags },
        kinds::CLOSE => Action::Close(0),
        kinds::CLOSE_RANGE => Action::CloseRange,
        kinds::DUP => Action::Dup { old: 0, new: None, flags: None },
        kinds::DUP2 => Action::Dup { old: 0, new: Some(1), flags: None },
        kinds::DUP3 => Action::Dup { old: 0, new: Some(1), flags },
        kinds::FCNTL => Action::Fcntl,
        kinds::PIPE | kinds::PIPE2 => Action::Pipe { first: param(spec, "fd1")?, flags },
        kinds::CHDIR => Action::Chdir(path),
        kinds::FCHDIR => Action::Fchdir(0),
        kinds::CHROOT => Action::Chroot(path),
        _ => return None,
    })
}

fn anon_action(kind: crate::event::Kind, spec: &Spec) -> Option<Action> {
    let (desc, name) = match kind {
        kinds::EVENTFD | kinds::EVENTFD2 => (DescKind::Event, "[eventfd]"),
        kinds::EPOLL_CREATE | kinds::EPOLL_CREATE1 => (DescKind::Eventpoll, "[eventpoll]"),
        kinds::INOTIFY_INIT | kinds::INOTIFY_INIT1 => (DescKind::Inotify, "[inotify]"),
        kinds::SIGNALFD | kinds::SIGNALFD4 => (DescKind::Signal, "[signalfd]"),
        kinds::TIMERFD_CREATE => (DescKind::Timer, "[timerfd]"),
        kinds::MEMFD_CREATE => (DescKind::Memfd, "memfd:"),
        kinds::USERFAULTFD => (DescKind::Userfault, "[userfaultfd]"),
        kinds::BPF => (DescKind::Bpf, "[bpf]"),
        kinds::IO_URING_SETUP => (DescKind::IoUring, "[io_uring]"),
        kinds::PIDFD_OPEN => (DescKind::Pidfd, "[pidfd]"),
        kinds::PERF_EVENT_OPEN => (DescKind::Unknown, "[perf_event]"),
        kinds::FANOTIFY_INIT => (DescKind::Unknown, "[fanotify]"),
        kinds::PIDFD_GETFD
        | kinds::OPEN_BY_HANDLE_AT
        | kinds::OPEN_TREE
        | kinds::FSOPEN
        | kinds::FSMOUNT
        | kinds::FSPICK
        | kinds::MQ_OPEN
        | kinds::LANDLOCK_CREATE_RULESET => (DescKind::Unknown, ""),
        _ => return None,
    };
    let label = (kind == kinds::MEMFD_CREATE).then(|| param(spec, "name")).flatten();
    Some(Action::Anon { kind: desc, name, flags: param(spec, "flags"), label })
}

fn socket_action(kind: crate::event::Kind, spec: &Spec) -> Option<Action> {
    Some(match kind {
        kinds::SOCKET => Action::Socket,
        kinds::SOCKETPAIR => Action::Socketpair,
        kinds::BIND => Action::Bind,
        kinds::LISTEN => Action::Listen,
        kinds::CONNECT => Action::Connect,
        kinds::ACCEPT | kinds::ACCEPT4 => Action::Accept { flags: param(spec, "flags") },
        kinds::SENDTO | kinds::RECVFROM | kinds::SENDMSG | kinds::RECVMSG => {
            Action::Message { addr: param(spec, "addr")? }
        }
        _ => return None,
    })
}

fn process_action(kind: crate::event::Kind, spec: &Spec) -> Option<Action> {
    Some(match kind {
        kinds::PROCFORK => Action::Fork,
        kinds::EXECVE | kinds::EXECVEAT => Action::Exec,
        kinds::PROCEXIT => Action::Exit,
        kinds::CPUTIME => Action::CpuTime,
        kinds::CGROUP => Action::Cgroup,
        kinds::PRCTL => Action::Prctl,
        kinds::SETUID => Action::Setuid,
        kinds::SETGID => Action::Setgid,
        kinds::SETREUID | kinds::SETRESUID => Action::Setreuid,
        kinds::SETREGID | kinds::SETRESGID => Action::Setregid,
        kinds::SETSID => Action::Setsid,
        kinds::SETPGID => Action::Setpgid,
        kinds::UNSHARE if param(spec, "flags").is_some() => Action::Unshare,
        _ => return None,
    })
}

/// An integer parameter; 0 where it is missing.
pub(super) fn int(event: &Event<'_>, param: u8) -> i64 {
    event.args.get(usize::from(param)).and_then(|a| a.int()).unwrap_or(0)
}

/// A parameter's bytes.
pub(super) fn bytes<'a>(event: &Event<'a>, param: u8) -> Option<&'a [u8]> {
    event.args.get(usize::from(param)).and_then(|a| a.bytes())
}

/// An integer parameter by its name; 0 where there is none.
pub(super) fn named(event: &Event<'_>, name: &str) -> i64 {
    param(event.kind.spec(), name).map_or(0, |p| int(event, p))
}

/// A parameter's bytes by its name.
pub(super) fn named_bytes<'a>(event: &Event<'a>, name: &str) -> Option<&'a [u8]> {
    bytes(event, param(event.kind.spec(), name)?)
}

impl World {
    /// Makes the change of an event, and returns the row of the descriptor it is about.
    pub(super) fn act(&mut self, index: usize, event: &Event<'_>) -> u32 {
        let action = self.actions[usize::from(event.kind.0)];
        match action {
            Action::None => 0,
            Action::Uses(fd) => self.uses(index, int(event, fd)),
            _ => self.change(action, index, event),
        }
    }

    fn change(&mut self, action: Action, index: usize, event: &Event<'_>) -> u32 {
        // What happened before the process was scanned is in the scan: only what the call was about is looked up.
        let scanned = event.time <= self.threads[index].stamp;
        if scanned && !matches!(action, Action::Fork | Action::CpuTime | Action::Open { .. }) {
            return event.kind.spec().fd.map_or(0, |fd| self.uses(index, int(event, fd)));
        }
        match action {
            Action::None | Action::Uses(_) => 0,
            Action::Open { .. }
            | Action::Anon { .. }
            | Action::Close(_)
            | Action::CloseRange
            | Action::Dup { .. }
            | Action::Fcntl
            | Action::Pipe { .. }
            | Action::Unshare => self.change_files(action, index, event, scanned),
            Action::Socket
            | Action::Socketpair
            | Action::Bind
            | Action::Listen
            | Action::Connect
            | Action::Accept { .. }
            | Action::Message { .. } => self.change_sockets(action, index, event),
            Action::Chdir(_) | Action::Fchdir(_) | Action::Chroot(_) => self.change_directory(action, index, event),
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
