//! Calls that open, close and copy descriptors, and those that change directories.

use super::action::{Action, bytes, int, named, named_bytes};
use super::dict::{DescKind, DescRow, StrId};
use super::engine::World;
use super::files::Slot;
use super::path;
use crate::event::Event;

/// `O_CLOEXEC` (x86-64 and arm64: include/uapi/asm-generic/fcntl.h).
pub(super) const O_CLOEXEC: i64 = 0o2_000_000;
const O_DIRECTORY: i64 = 0o200_000;
const AT_FDCWD: i64 = -100;
const F_DUPFD: i64 = 0;
const F_SETFD: i64 = 2;
const F_DUPFD_CLOEXEC: i64 = 1030;
const CLOSE_RANGE_CLOEXEC: i64 = 4;
const CLONE_FILES: i64 = 0x400;

impl World {
    /// The absolute path that a call named, as far as directories are known.
    pub(super) fn resolve(&mut self, index: usize, dirfd: i64, name: &[u8]) -> StrId {
        if path::is_normal(name) {
            return self.interner.text(name);
        }
        let base = if dirfd == AT_FDCWD { self.cwd(index) } else { self.dict().desc(self.uses(index, dirfd)).name };
        if base == StrId::NONE && name.first() != Some(&b'/') {
            return self.interner.text(name);
        }
        let mut out = std::mem::take(&mut self.scratch);
        path::join(self.dict().text(base), name, &mut out);
        let id = self.interner.text(&out);
        self.scratch = out;
        id
    }

    pub(super) fn change_files(&mut self, action: Action, index: usize, event: &Event<'_>, scanned: bool) -> u32 {
        match action {
            Action::Open { dirfd, path, flags } => self.open(index, event, dirfd, path, flags, scanned),
            Action::Anon { kind, name, flags, label } => self.anon(index, event, kind, name, flags, label),
            Action::Close(fd) => {
                let desc = self.uses(index, int(event, fd));
                // The number is free again even where close reports an error (close(2)); EBADF changes nothing.
                self.files(index).close(int(event, fd));
                desc
            }
            Action::CloseRange if event.ret == 0 => {
                let (first, last) = (named(event, "first") as u32, named(event, "last") as u32);
                if named(event, "flags") & CLOSE_RANGE_CLOEXEC != 0 {
                    self.files(index).mark_range(first, last);
                } else {
                    self.files(index).close_range(first, last);
                }
                0
            }
            Action::Dup { old, new, flags } => self.dup(index, event, old, new, flags),
            Action::Fcntl => self.fcntl(index, event),
            Action::Pipe { first, flags } => self.pipe(index, event, first, flags),
            Action::Unshare if event.ret == 0 && named(event, "flags") & CLONE_FILES != 0 => {
                let files = self.tables.unshare(self.threads[index].files);
                self.threads[index].files = files;
                0
            }
            _ => 0,
        }
    }

    /// The descriptor table of a thread.
    pub(super) fn files(&mut self, index: usize) -> &mut super::files::Table {
        self.tables.get_mut(self.threads[index].files)
    }

    /// Installs a descriptor and returns its row.
    pub(super) fn install(&mut self, index: usize, fd: i64, row: &DescRow, cloexec: bool) -> u32 {
        let desc = self.interner.desc(row);
        self.files(index).set(fd, Slot { desc, cloexec });
        desc
    }

    /// A failed open is about its path too, so that `fd.name` names what could not be opened.
    fn open(
        &mut self,
        index: usize,
        event: &Event<'_>,
        dirfd: Option<u8>,
        path: u8,
        flags: Option<u8>,
        scanned: bool,
    ) -> u32 {
        let Some(name) = bytes(event, path) else { return 0 };
        let dirfd = dirfd.map_or(AT_FDCWD, |d| int(event, d));
        let flags = flags.map_or(0, |f| int(event, f));
        let name = self.resolve(index, dirfd, name);
        let kind = if flags & O_DIRECTORY != 0 { DescKind::Directory } else { DescKind::File };
        let row = DescRow { kind, name, flags: (flags & !O_CLOEXEC) as u32, ..DescRow::default() };
        if event.ret < 0 || scanned {
            return self.interner.desc(&row);
        }
        self.install(index, event.ret, &row, flags & O_CLOEXEC != 0)
    }

    fn anon(
        &mut self,
        index: usize,
        event: &Event<'_>,
        kind: DescKind,
        name: &str,
        flags: Option<u8>,
        label: Option<u8>,
    ) -> u32 {
        if event.ret < 0 {
            return 0;
        }
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(label.and_then(|l| bytes(event, l)).unwrap_or_default());
        let name = self.interner.text(&text);
        self.scratch = text;
        // memfd_create(2) has MFD_CLOEXEC = 1; bpf and pidfd descriptors are always close-on-exec.
        let cloexec = match kind {
            DescKind::Memfd => flags.is_some_and(|f| int(event, f) & 1 != 0),
            DescKind::Bpf | DescKind::Pidfd | DescKind::IoUring => true,
            _ => flags.is_some_and(|f| int(event, f) & O_CLOEXEC != 0),
        };
        self.install(index, event.ret, &DescRow { kind, name, ..DescRow::default() }, cloexec)
    }

    fn dup(&mut self, index: usize, event: &Event<'_>, old: u8, new: Option<u8>, flags: Option<u8>) -> u32 {
        let (old, desc) = (int(event, old), self.uses(index, int(event, old)));
        let target = new.map_or(event.ret, |n| int(event, n));
        if event.ret >= 0 && target != old {
            let cloexec = flags.is_some_and(|f| int(event, f) & O_CLOEXEC != 0);
            self.files(index).set(target, Slot { desc, cloexec });
        }
        desc
    }

    fn fcntl(&mut self, index: usize, event: &Event<'_>) -> u32 {
        let (fd, command) = (named(event, "fd"), named(event, "cmd"));
        let mut slot = self.files(index).slot(fd);
        if event.ret >= 0 {
            match command {
                F_DUPFD | F_DUPFD_CLOEXEC => {
                    let cloexec = command == F_DUPFD_CLOEXEC;
                    self.files(index).set(event.ret, Slot { desc: slot.desc, cloexec });
                }
                F_SETFD if slot.desc != 0 => {
                    slot.cloexec = named(event, "arg") & 1 != 0;
                    self.files(index).set(fd, slot);
                }
                _ => {}
            }
        }
        slot.desc
    }

    fn pipe(&mut self, index: usize, event: &Event<'_>, first: u8, flags: Option<u8>) -> u32 {
        if event.ret != 0 {
            return 0;
        }
        let cloexec = flags.is_some_and(|f| int(event, f) & O_CLOEXEC != 0);
        let row = DescRow { kind: DescKind::Pipe, ino: named(event, "ino") as u64, ..DescRow::default() };
        self.install(index, int(event, first), &row, cloexec);
        self.install(index, int(event, first + 1), &row, cloexec)
    }

    pub(super) fn change_directory(&mut self, action: Action, index: usize, event: &Event<'_>) -> u32 {
        let pid = self.threads[index].row.pid;
        match action {
            Action::Fchdir(fd) => {
                let desc = self.uses(index, int(event, fd));
                let cwd = self.dict().desc(desc).name;
                if event.ret == 0 {
                    self.change_process(pid, |row| row.cwd = cwd);
                }
                return desc;
            }
            Action::Chdir(path) if event.ret == 0 => {
                if let Some(name) = bytes(event, path) {
                    let cwd = self.resolve(index, AT_FDCWD, name);
                    self.change_process(pid, |row| row.cwd = cwd);
                }
            }
            Action::Chroot(path) if event.ret == 0 => {
                if let Some(name) = bytes(event, path) {
                    let root = self.resolve(index, AT_FDCWD, name);
                    self.change_process(pid, |row| row.root = root);
                }
            }
            _ => {}
        }
        0
    }

    /// Path of an executable: what the kernel opened, against the working directory.
    pub(super) fn executable(&mut self, index: usize, event: &Event<'_>) -> StrId {
        let name = named_bytes(event, "exepath").or_else(|| named_bytes(event, "filename"));
        name.map_or(StrId::NONE, |name| self.resolve(index, AT_FDCWD, name))
    }
}
