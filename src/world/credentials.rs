//! User and group ids of a thread, and the namespaces that they are of.

use super::action::{Action, int};
use super::engine::World;
use super::namespaces::OF_CHILDREN;
use super::process::{CLONE_FILES, CLONE_FS, CLONE_NEWNS, CLONE_NEWUSER};
use crate::event::Event;

/// `setresuid(2)` and its kin: keep this one. As an id: not known.
const KEEP: u32 = u32::MAX;

/// Real, effective and saved id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ids {
    real: u32,
    effective: u32,
    saved: Option<u32>,
}

impl Ids {
    /// `setuid(2)`: a privileged thread sets all three. One that has the id already may be unprivileged, and then sets only the effective one.
    fn set(&mut self, id: u32, root: bool) {
        let own = id == self.real || self.saved.is_none_or(|saved| id == saved);
        if root || !own {
            (self.real, self.saved) = (id, Some(id));
        }
        self.effective = id;
    }

    /// `setreuid(2)`: the saved id follows the effective one where the real one is set, or the effective one to another than the real.
    fn set_two(&mut self, real: u32, effective: u32) {
        let follows = real != KEEP || (effective != KEEP && effective != self.real);
        self.set_three(real, effective, KEEP);
        if follows {
            self.saved = Some(self.effective);
        }
    }

    fn set_three(&mut self, real: u32, effective: u32, saved: u32) {
        for (id, new) in [(&mut self.real, real), (&mut self.effective, effective)] {
            if new != KEEP {
                *id = new;
            }
        }
        if saved != KEEP {
            self.saved = Some(saved);
        }
    }
}

impl World {
    pub(super) fn credentials(&mut self, action: Action, index: usize, event: &Event<'_>) {
        let arg = |n| int(event, n) as u32;
        let thread = &mut self.threads[index];
        let row = &thread.row;
        let mut user = Ids { real: row.uid, effective: row.euid, saved: thread.saved.map(|s| s.0) };
        let mut group = Ids { real: row.gid, effective: row.egid, saved: thread.saved.map(|s| s.1) };
        let root = row.euid == 0;
        let before = (user, group);
        let ids = [row.uid, row.euid, thread.saved.map_or(row.euid, |saved| saved.0)];
        match action {
            Action::Setuid => user.set(arg(0), root),
            Action::Setgid => group.set(arg(0), root),
            Action::Setreuid => user.set_two(arg(0), arg(1)),
            Action::Setregid => group.set_two(arg(0), arg(1)),
            Action::Setresuid => user.set_three(arg(0), arg(1), arg(2)),
            Action::Setresgid => group.set_three(arg(0), arg(1), arg(2)),
            _ => {}
        }
        if thread.users != 0 {
            // The call named ids of another namespace: what changed is not known, until an exec tells.
            for (old, new) in [(before.0, &mut user), (before.1, &mut group)] {
                new.real = if new.real == old.real { old.real } else { KEEP };
                new.effective = if new.effective == old.effective { old.effective } else { KEEP };
            }
        }
        let row = &mut thread.row;
        (row.uid, row.euid, row.gid, row.egid) = (user.real, user.effective, group.real, group.effective);
        (thread.saved, thread.id) = (user.saved.zip(group.saved), 0);
        self.caps_follow(index, ids);
        self.want_names(index);
    }

    /// A thread has a user namespace of its own from now on.
    pub(super) fn own_users(&mut self, index: usize) {
        self.namespaces += 1;
        self.threads[index].users = self.namespaces;
    }

    /// `unshare(2)`.
    pub(super) fn unshare(&mut self, index: usize, flags: i64) {
        if flags & CLONE_FILES != 0 {
            self.threads[index].files = self.tables.unshare(self.threads[index].files);
        }
        if flags & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER) != 0 {
            self.own_directories(index);
        }
        if flags & CLONE_NEWNS != 0 {
            self.own_mounts(index);
        }
        if flags & CLONE_NEWUSER != 0 {
            self.own_users(index);
        }
        let thread = &mut self.threads[index];
        thread.namespaces = thread.namespaces.without(flags & !OF_CHILDREN);
    }

    /// `setns(2)`. A mount namespace brings its own root, which is the working directory too.
    pub(super) fn setns(&mut self, index: usize, event: &Event<'_>, fd: u8, flags: u8) -> u32 {
        let desc = self.uses(index, int(event, fd));
        if event.ret != 0 {
            return desc;
        }
        let name = self.dict().text(self.dict().desc(desc).name);
        let (mounts, users) = (
            name.ends_with(b"/ns/mnt") || name.starts_with(b"mnt:["),
            name.ends_with(b"/ns/user") || name.starts_with(b"user:["),
        );
        let flags = int(event, flags);
        self.enter_namespaces(index, desc, flags);
        if flags & CLONE_NEWNS != 0 || (flags == 0 && mounts) {
            let slash = self.interner.text(b"/");
            self.own_directories(index);
            self.own_mounts(index);
            self.change_directories(index, |row| (row.cwd, row.root) = (slash, super::StrId::NONE));
        }
        if flags & CLONE_NEWUSER != 0 || (flags == 0 && users) {
            self.own_users(index);
        }
        desc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(real: u32, effective: u32, saved: u32) -> Ids {
        Ids { real, effective, saved: Some(saved) }
    }

    #[test]
    fn each_call_sets_what_its_manual_page_says() {
        type Case = (&'static str, Ids, fn(&mut Ids), Ids);
        let cases: [Case; 8] = [
            ("setuid by root", ids(0, 0, 0), |i| i.set(5, true), ids(5, 5, 5)),
            ("setuid back to the real one", ids(5, 6, 6), |i| i.set(5, false), ids(5, 5, 6)),
            ("setuid to the saved one", ids(5, 5, 6), |i| i.set(6, false), ids(5, 6, 6)),
            ("setuid with the capability only", ids(5, 5, 5), |i| i.set(7, false), ids(7, 7, 7)),
            ("setreuid swaps", ids(1, 2, 2), |i| i.set_two(2, 1), ids(2, 1, 1)),
            ("seteuid to another", ids(1, 1, 1), |i| i.set_two(KEEP, 2), ids(1, 2, 2)),
            ("seteuid to the real one", ids(1, 2, 2), |i| i.set_two(KEEP, 1), ids(1, 1, 2)),
            ("setresuid keeps", ids(1, 2, 3), |i| i.set_three(KEEP, 4, KEEP), ids(1, 4, 3)),
        ];
        for (what, mut before, change, after) in cases {
            change(&mut before);
            assert_eq!(before, after, "{what}");
        }
    }
}
