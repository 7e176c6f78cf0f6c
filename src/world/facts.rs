//! What the kernel tells of a program's file and of a process's rights and limits, beside names and numbers.

use super::action::named_int;
use super::dict::{ImageRow, ThreadRow};
use super::engine::World;
use crate::event::Event;
use std::sync::Arc;

/// The file of a program when it was started. What was not told is 0 or `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ExeFacts {
    /// Inode number.
    pub ino: u64,
    /// When the inode was changed last, ns since 1970 UTC.
    pub ctime: u64,
    /// When its content was modified last, ns since 1970 UTC.
    pub mtime: u64,
    /// Bits of the table `execve_flags`.
    pub flags: Option<u32>,
}

/// Capabilities of a thread, bits by their numbers in `linux/capability.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Caps {
    /// What programs that it starts may keep.
    pub inheritable: u64,
    /// What it may make effective.
    pub permitted: u64,
    /// What counts when the kernel asks.
    pub effective: u64,
}

/// `RLIMIT_NOFILE` of `asm-generic/resource.h`.
const NOFILE: i64 = 7;

impl ExeFacts {
    /// As far as an exec or a snapshot row tells.
    pub(super) fn of(event: &Event<'_>, flags: &str) -> ExeFacts {
        let number = |name| named_int(event, name).unwrap_or(0) as u64;
        ExeFacts {
            ino: number("exe_ino"),
            ctime: number("exe_ino_ctime"),
            mtime: number("exe_ino_mtime"),
            flags: named_int(event, flags).map(|flags| flags as u32),
        }
    }
}

impl Caps {
    /// As far as an event tells; `None` where it does not.
    pub(super) fn of(event: &Event<'_>) -> Option<Arc<Caps>> {
        let set = |name| named_int(event, name).map(|set| set as u64);
        let permitted = set("cap_permitted")?;
        let (inheritable, effective) = (set("cap_inheritable")?, set("cap_effective")?);
        Some(Arc::new(Caps { inheritable, permitted, effective }))
    }

    /// What a change of user ids (real, effective, saved) leaves, as `capabilities(7)` says. A thread that kept what it has by
    /// `prctl(2)` says by `capset(2)` what it then takes.
    fn after(self, before: [u32; 3], now: [u32; 3]) -> Caps {
        let mut caps = self;
        if before.contains(&0) && !now.contains(&0) {
            (caps.permitted, caps.effective) = (0, 0);
        }
        match (before[1], now[1]) {
            (0, 1..) => caps.effective = 0,
            (1.., 0) => caps.effective = caps.permitted,
            _ => {}
        }
        caps
    }
}

/// Sets what an exec or a snapshot row tells of limits and rights; what it does not tell stays.
pub(super) fn fill(row: &mut ThreadRow, event: &Event<'_>) {
    if let Some(limit) = named_int(event, "fdlimit") {
        row.fdlimit = limit as u64;
    }
    if let Some(caps) = Caps::of(event)
        && row.caps.as_ref() != Some(&caps)
    {
        row.caps = Some(caps);
    }
}

/// Memory and faults that a snapshot row tells.
pub(super) fn measured(event: &Event<'_>) -> Option<Box<[Option<i64>; 5]>> {
    let names = ["vm_size", "vm_rss", "vm_swap", "pgft_maj", "pgft_min"];
    let told = names.map(|name| named_int(event, name));
    told.iter().any(Option::is_some).then(|| Box::new(told))
}

/// Sets what a snapshot row tells of a program's file; what it does not tell stays.
pub(super) fn fill_image(image: &mut ImageRow, event: &Event<'_>) {
    let told = ExeFacts::of(event, "exe_flags");
    if told != ExeFacts::default() {
        image.facts = told;
    }
}

impl World {
    /// `capset(2)`.
    pub(super) fn capset(&mut self, index: usize, event: &Event<'_>) {
        let thread = &mut self.threads[index];
        let caps = Caps::of(event);
        if caps.is_some() && thread.row.caps != caps {
            (thread.row.caps, thread.id) = (caps, 0);
        }
    }

    /// User ids (real, effective, saved) of a thread were others before.
    pub(super) fn caps_follow(&mut self, index: usize, before: [u32; 3]) {
        let thread = &mut self.threads[index];
        let row = &mut thread.row;
        let Some(caps) = &row.caps else { return };
        let now = [row.uid, row.euid, thread.saved.map_or(row.euid, |saved| saved.0)];
        let after = caps.after(before, now);
        if after != **caps {
            (row.caps, thread.id) = (Some(Arc::new(after)), 0);
        }
    }

    /// `setrlimit(2)` and `prlimit(2)`: of all limits, that of descriptors is kept.
    pub(super) fn limit(&mut self, index: usize, event: &Event<'_>) {
        let new = named_int(event, "newcur").or_else(|| named_int(event, "cur"));
        let Some(new) = new.filter(|_| named_int(event, "resource") == Some(NOFILE)) else { return };
        let own = self.threads[index].row.pid;
        let pid = match named_int(event, "pid").unwrap_or(0) {
            0 => Some(own),
            pid => self.host_pid(index, pid as u32),
        };
        if let Some(pid) = pid {
            self.change_process(pid, |row| row.fdlimit = new as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_go_with_the_last_id_of_root() {
        let all = Caps { inheritable: 1, permitted: 7, effective: 7 };
        for (before, now, permitted, effective) in [
            ([0, 0, 0], [5, 5, 5], 0, 0),
            ([0, 0, 0], [0, 5, 0], 7, 0),
            ([5, 5, 5], [6, 6, 6], 7, 7),
            ([0, 0, 0], [0, 0, 0], 7, 7),
        ] {
            let caps = all.after(before, now);
            assert_eq!((caps.inheritable, caps.permitted, caps.effective), (1, permitted, effective), "{before:?}");
        }
        assert_eq!(Caps { effective: 0, ..all }.after([0, 5, 0], [0, 0, 0]), all);
    }
}
