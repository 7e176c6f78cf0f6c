//! Where a thread stands in the file system: working directory, root, mount namespace, and the paths that it names.
//!
//! Paths are those of the host as long as a thread lives in the mount namespace that it was found in: in a `chroot`
//! they begin with the new root. In a mount namespace of its own they are relative to the root of that namespace.

use super::action::{Action, bytes, int};
use super::dict::StrId;
use super::engine::World;
use super::path;
use crate::event::{Event, Flags};

/// `AT_FDCWD` (include/uapi/linux/fcntl.h): the working directory.
pub(super) const AT_FDCWD: i64 = -100;
/// Stands behind a path that the source cut.
const CUT: &[u8] = b"...";

impl World {
    /// The absolute path that a call named, as far as directories are known: else the path as it was given.
    pub(super) fn resolve(&mut self, index: usize, dirfd: i64, name: &[u8]) -> StrId {
        let root = self.threads[index].row.root;
        if root == StrId::NONE && path::is_normal(name) {
            return self.interner.text(name);
        }
        let absolute = name.first() == Some(&b'/');
        let base = match dirfd {
            _ if absolute => StrId::NONE,
            AT_FDCWD => self.threads[index].row.cwd,
            _ => self.dict().desc(self.uses(index, dirfd)).name,
        };
        // A socket's or a pipe's name is no directory.
        if !absolute && self.dict().text(base).first() != Some(&b'/') {
            return self.interner.text(name);
        }
        let mut out = std::mem::take(&mut self.scratch);
        let dict = self.interner.dict();
        path::join(dict.text(root), dict.text(base), name, &mut out);
        let id = self.interner.text(&out);
        self.scratch = out;
        id
    }

    /// The path that an event named; one that the source cut says so at its end.
    pub(super) fn path_of(&mut self, index: usize, event: &Event<'_>, dirfd: i64, name: &[u8]) -> StrId {
        if event.flags.has(Flags::TRUNCATED) {
            self.resolve(index, dirfd, &[name, CUT].concat())
        } else {
            self.resolve(index, dirfd, name)
        }
    }

    pub(super) fn change_directory(&mut self, action: Action, index: usize, event: &Event<'_>) -> u32 {
        let done = event.ret >= 0;
        match action {
            Action::Fchdir(fd) => {
                let desc = self.uses(index, int(event, fd));
                let name = self.dict().desc(desc).name;
                let cwd = if self.dict().text(name).first() == Some(&b'/') { name } else { StrId::NONE };
                if done {
                    self.change_directories(index, |row| row.cwd = cwd);
                }
                return desc;
            }
            Action::Chdir(path) if done => {
                let cwd = bytes(event, path).map_or(StrId::NONE, |name| self.path_of(index, event, AT_FDCWD, name));
                self.change_directories(index, |row| row.cwd = cwd);
            }
            Action::Chroot(path) if done => {
                let root = bytes(event, path).map_or(StrId::NONE, |name| self.path_of(index, event, AT_FDCWD, name));
                let root = self.unless_slash(root);
                self.change_directories(index, |row| row.root = root);
            }
            Action::Getcwd(path) if done => self.getcwd(index, event, path),
            Action::PivotRoot { new, old } if done => self.pivot_root(index, event, new, old),
            Action::Umount(path) if done => self.umount(index, event, path),
            _ => {}
        }
        0
    }

    /// The root of the host is no root worth a name.
    pub(super) fn unless_slash(&self, root: StrId) -> StrId {
        if self.dict().text(root) == b"/" { StrId::NONE } else { root }
    }

    /// What the kernel calls the working directory, links resolved: truer than what `chdir` was given.
    fn getcwd(&mut self, index: usize, event: &Event<'_>, path: u8) {
        let Some(path) = bytes(event, path) else { return };
        // The result counts the NUL; shorter, and the source cut it.
        if path.first() != Some(&b'/') || path.len() as i64 + 1 < event.ret {
            return;
        }
        let path = path.strip_suffix(b"\0").unwrap_or(path);
        let cwd = self.resolve(index, AT_FDCWD, path);
        if self.threads[index].row.cwd != cwd {
            self.change_directories(index, |row| row.cwd = cwd);
        }
    }

    /// `pivot_root(2)`: all that stood at the old root of the namespace stand at the new one now, and paths begin there.
    fn pivot_root(&mut self, index: usize, event: &Event<'_>, new: u8, old: u8) {
        let (Some(new), Some(old)) = (bytes(event, new), bytes(event, old)) else { return };
        let (new, old) = (self.resolve(index, AT_FDCWD, new), self.resolve(index, AT_FDCWD, old));
        let (mounts, root) = (self.threads[index].mounts, self.threads[index].row.root);
        let moved: Vec<usize> = self
            .threads
            .iter()
            .enumerate()
            .filter(|(i, t)| *i == index || (t.alive && mounts != 0 && t.mounts == mounts && t.row.root == root))
            .map(|(i, _)| i)
            .collect();
        for i in moved {
            let cwd = self.pivoted(self.threads[i].row.cwd, new, old);
            let thread = &mut self.threads[i];
            (thread.row.root, thread.row.cwd, thread.id) = (StrId::NONE, cwd, 0);
        }
        let (cwd, pid) = (self.threads[index].row.cwd, self.threads[index].row.pid);
        self.change_directories(index, |row| (row.root, row.cwd) = (StrId::NONE, cwd));
        self.mark_descendants(pid);
    }

    /// Whoever stands in a tree that was taken out of the namespace (`MNT_DETACH`) has no path any more.
    fn umount(&mut self, index: usize, event: &Event<'_>, path: u8) {
        let mounts = self.threads[index].mounts;
        let Some(name) = bytes(event, path).filter(|_| mounts != 0) else { return };
        let tree = self.resolve(index, AT_FDCWD, name);
        let dict = self.interner.dict();
        for thread in self.threads.iter_mut().filter(|t| t.alive && t.mounts == mounts) {
            if path::below(dict.text(tree), dict.text(thread.row.cwd)).is_some() {
                (thread.row.cwd, thread.id) = (StrId::NONE, 0);
            }
        }
    }

    /// A path of before a pivot as it is named after it.
    fn pivoted(&mut self, path: StrId, new: StrId, old: StrId) -> StrId {
        if path == StrId::NONE {
            return path;
        }
        let dict = self.interner.dict();
        let (path, new, old) = (dict.text(path), dict.text(new), dict.text(old));
        let within = |path: &[u8]| path::below(new, path).map(<[u8]>::to_vec);
        let moved = match (within(path), within(old)) {
            (Some(rest), _) if rest.is_empty() => b"/".to_vec(),
            (Some(rest), _) => rest,
            (None, _) if path == b"/" => b"/".to_vec(),
            (None, Some(old)) => [old.as_slice(), path].concat(),
            (None, None) => return StrId::NONE,
        };
        self.interner.text(&moved)
    }

    /// A thread left the mount namespace of its process: what its paths begin with is another root now.
    pub(super) fn own_mounts(&mut self, index: usize) {
        self.namespaces += 1;
        self.threads[index].mounts = self.namespaces;
    }

    /// A thread has directories of its own from now on.
    pub(super) fn own_directories(&mut self, index: usize) {
        self.threads[index].fs = self.directories.unshare(self.threads[index].fs);
    }
}
