//! Descriptors without a path: events, timers, kernel objects, other processes; and what writes to some files of `/proc` tell.

use super::action::{Action, Cloexec, bytes, int};
use super::dict::{DescKind, DescRow, StrId};
use super::engine::World;
use super::files::Slot;
use super::open::O_CLOEXEC;
use crate::event::Event;

/// Commands of `bpf(2)` that return a descriptor (include/uapi/linux/bpf.h), and what `/proc` calls it.
const BPF_MADE: [(i64, &str); 13] = [
    (0, "[bpf-map]"),
    (5, "[bpf-prog]"),
    (7, "[bpf]"),
    (13, "[bpf-prog]"),
    (14, "[bpf-map]"),
    (17, "[bpf-link]"),
    (18, "[btf]"),
    (19, "[btf]"),
    (28, "[bpf-link]"),
    (30, "[bpf-link]"),
    (32, "[bpf-stats]"),
    (33, "[bpf-iter]"),
    (36, "[bpf-token]"),
];
/// A pidfd's name: this, the process's id on the host, `]`.
const PIDFD: &str = "[pidfd:";

impl World {
    pub(super) fn change_anonymous(&mut self, action: Action, index: usize, event: &Event<'_>) -> u32 {
        if event.ret < 0 {
            return 0;
        }
        match action {
            Action::Anon { kind, name, label, file, cloexec } => {
                let label = label.and_then(|l| bytes(event, l)).unwrap_or_default();
                let closes = match cloexec {
                    Cloexec::Always => true,
                    Cloexec::Never => false,
                    Cloexec::If(flags, bits) => int(event, flags) & bits != 0,
                };
                let text = [name.as_bytes(), label].concat();
                let name = if text.is_empty() { StrId::NONE } else { self.interner.text(&text) };
                let (dev, ino) = file.read(event);
                self.install(index, event.ret, &DescRow { kind, name, dev, ino, ..DescRow::default() }, closes)
            }
            Action::Bpf { cmd } => match BPF_MADE.iter().find(|(number, _)| *number == int(event, cmd)) {
                Some((_, name)) => self.object(index, event.ret, DescKind::Bpf, name.as_bytes(), true),
                None => 0,
            },
            // -1 makes one; else an old one waits for other signals from now on
            Action::Signalfd { fd, .. } if int(event, fd) >= 0 => self.uses(index, int(event, fd)),
            Action::Signalfd { flags, .. } => {
                let closes = flags.is_some_and(|f| int(event, f) & O_CLOEXEC != 0);
                self.object(index, event.ret, DescKind::Signal, b"[signalfd]", closes)
            }
            Action::PidfdOpen { pid } => {
                let pid = self.host_pid(index, int(event, pid) as u32);
                let name = pid.map_or("[pidfd]".to_owned(), |pid| format!("{PIDFD}{pid}]"));
                self.object(index, event.ret, DescKind::Pidfd, name.as_bytes(), true)
            }
            Action::PidfdGetfd { pidfd, target, file } => {
                let slot = self.of_other(index, int(event, pidfd), int(event, target));
                self.receive(index, event.ret, slot, file.read(event), true)
            }
            _ => 0,
        }
    }

    fn object(&mut self, index: usize, fd: i64, kind: DescKind, name: &[u8], cloexec: bool) -> u32 {
        let name = self.interner.text(name);
        self.install(index, fd, &DescRow { kind, name, ..DescRow::default() }, cloexec)
    }

    /// Another process's descriptor, where that is known.
    fn of_other(&mut self, index: usize, pidfd: i64, target: i64) -> Slot {
        let name = self.dict().text(self.dict().desc(self.uses(index, pidfd)).name);
        let digits = name.strip_prefix(PIDFD.as_bytes()).and_then(|n| n.strip_suffix(b"]"));
        let pid = digits.and_then(|d| std::str::from_utf8(d).ok()?.parse().ok());
        let Some(files) = pid.and_then(|pid| self.find(pid)).map(|i| self.threads[i].files) else {
            return Slot::default();
        };
        self.share_slot(files, target)
    }

    /// Whether what is written to a file changes the world.
    pub(super) fn tells(&self, name: StrId) -> bool {
        let name = self.dict().text(name);
        name.starts_with(b"/proc/") && (name.ends_with(b"/comm") || name.ends_with(b"/loginuid"))
    }

    pub(super) fn write(&mut self, index: usize, event: &Event<'_>, fd: u8, data: u8) -> u32 {
        let slot = self.tables.get(self.threads[index].files).slot(int(event, fd));
        if slot.tells
            && event.ret > 0
            && let Some(data) = bytes(event, data)
        {
            self.told(index, slot.desc, data);
        }
        slot.desc
    }

    /// A thread was given a name, or said who logged in (`proc_pid_comm(5)`, `proc_pid_loginuid(5)`).
    fn told(&mut self, index: usize, desc: u32, data: &[u8]) {
        let name = self.dict().text(self.dict().desc(desc).name).to_vec();
        let mut parts = name.split(|&b| b == b'/').skip(2);
        let (Some(process), Some(then)) = (parts.next(), parts.next()) else { return };
        let row = &self.threads[index].row;
        let number = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|t| t.parse::<u32>().ok());
        // Only threads of its own process can be named so, by the numbers that it sees itself.
        let own = |text: &[u8]| text == b"self" || number(text) == Some(row.vpid);
        let pid = row.pid;
        let target = match (process, then) {
            (b"thread-self", _) => Some(index),
            (process, b"task") if own(process) => parts.next().and_then(number).and_then(|n| self.sibling(pid, n)),
            (process, b"comm") if own(process) => self.find(pid),
            (process, b"loginuid") if own(process) => Some(index),
            _ => None,
        };
        let Some(target) = target else { return };
        if name.ends_with(b"/comm") {
            self.rename(target, data.split(|&b| b == 0).next().unwrap_or_default());
        } else if let Some(uid) = number(data.trim_ascii()) {
            let thread = &mut self.threads[target];
            (thread.row.loginuid, thread.id) = (uid, 0);
            self.want_names(target);
        }
    }

    /// A thread of a process by the number that it has in its own pid namespace.
    fn sibling(&self, pid: u32, vtid: u32) -> Option<usize> {
        let tids = &self.processes.get(&pid)?.tids;
        tids.iter().filter_map(|&tid| self.find(tid)).find(|&i| self.threads[i].row.vtid == vtid)
    }
}
