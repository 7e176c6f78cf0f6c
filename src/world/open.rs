//! Calls that open, close and copy descriptors.

use super::action::{Action, bytes, int};
use super::dict::{DescKind, DescRow, StrId};
use super::directory::AT_FDCWD;
use super::engine::World;
use super::files::Slot;
use crate::event::Event;

/// `O_CLOEXEC` (x86-64 and arm64: include/uapi/asm-generic/fcntl.h).
pub(super) const O_CLOEXEC: i64 = 0o2_000_000;
const O_DIRECTORY: i64 = 0o200_000;
/// `__O_TMPFILE`, without the `O_DIRECTORY` that comes with it.
const O_TMPFILE: i64 = 0o20_000_000;
const F_DUPFD: i64 = 0;
const F_SETFD: i64 = 2;
const F_DUPFD_CLOEXEC: i64 = 1030;
const CLOSE_RANGE_UNSHARE: i64 = 2;
const CLOSE_RANGE_CLOEXEC: i64 = 4;

impl World {
    pub(super) fn change_files(&mut self, action: Action, index: usize, event: &Event<'_>, scanned: bool) -> u32 {
        match action {
            Action::Open { dirfd, path, flags, file } => {
                let dirfd = dirfd.map_or(AT_FDCWD, |d| int(event, d));
                let flags = flags.map_or(0, |f| int(event, f));
                self.open(index, event, dirfd, bytes(event, path), flags, file.read(event), scanned)
            }
            Action::Close(fd) => {
                let desc = self.uses(index, int(event, fd));
                // The number is free again even where close reports an error (close(2)); EBADF changes nothing.
                self.files(index).close(int(event, fd));
                desc
            }
            Action::CloseRange { first, last, flags } if event.ret == 0 => {
                self.close_range(index, int(event, first) as u32, int(event, last) as u32, int(event, flags));
                0
            }
            Action::Dup { old, new, flags } => self.dup(index, event, old, new, flags),
            Action::Fcntl { fd, cmd, arg } => {
                self.fcntl(index, event, int(event, fd), int(event, cmd), int(event, arg))
            }
            Action::Pipe { first, flags, file } => self.pipe(index, event, first, flags, file.read(event)),
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
        self.files(index).set(fd, Slot::of(desc, cloexec));
        desc
    }

    fn close_range(&mut self, index: usize, first: u32, last: u32, flags: i64) {
        if flags & CLOSE_RANGE_UNSHARE != 0 {
            self.threads[index].files = self.tables.unshare(self.threads[index].files);
        }
        if flags & CLOSE_RANGE_CLOEXEC != 0 {
            self.files(index).mark_range(first, last);
        } else {
            self.files(index).close_range(first, last);
        }
    }

    /// A failed open is about its path too, so that `fd.name` names what could not be opened.
    #[allow(clippy::too_many_arguments, reason = "what a call says of the file it opens")]
    fn open(
        &mut self,
        index: usize,
        event: &Event<'_>,
        dirfd: i64,
        path: Option<&[u8]>,
        flags: i64,
        (dev, ino): (u32, u64),
        scanned: bool,
    ) -> u32 {
        // A path that could not be read is not known; what was open under that number is not open any more.
        let name = path.map_or(StrId::NONE, |name| self.path_of(index, event, dirfd, name));
        let (kind, name) = match flags & (O_DIRECTORY | O_TMPFILE) {
            O_DIRECTORY => (DescKind::Directory, name),
            0 => (DescKind::File, name),
            _ => (DescKind::File, self.nameless(name, ino)),
        };
        let row = DescRow { kind, name, dev, ino, flags: (flags & !O_CLOEXEC) as u32, ..DescRow::default() };
        let desc = self.interner.desc(&row);
        if event.ret >= 0 && !scanned {
            let tells = self.tells(name);
            self.files(index).set(event.ret, Slot { tells, ..Slot::of(desc, flags & O_CLOEXEC != 0) });
        }
        desc
    }

    /// What a file without a name in a directory is called: as the kernel does, by its inode.
    fn nameless(&mut self, directory: StrId, ino: u64) -> StrId {
        if directory == StrId::NONE {
            return directory;
        }
        let directory = self.dict().text(directory);
        let directory = directory.strip_suffix(b"/").unwrap_or(directory);
        let file = if ino == 0 { "/#tmpfile".to_owned() } else { format!("/#{ino}") };
        let name = [directory, file.as_bytes()].concat();
        self.interner.text(&name)
    }

    fn dup(&mut self, index: usize, event: &Event<'_>, old: u8, new: Option<u8>, flags: Option<u8>) -> u32 {
        let old = int(event, old);
        let slot = self.files(index).slot(old);
        let target = new.map_or(event.ret, |n| int(event, n));
        if event.ret >= 0 && target != old {
            let cloexec = flags.is_some_and(|f| int(event, f) & O_CLOEXEC != 0);
            self.copy(index, old, target, cloexec);
        }
        slot.desc
    }

    /// Another number for what a number refers to.
    fn copy(&mut self, index: usize, old: i64, new: i64, cloexec: bool) {
        let files = self.files(index);
        let slot = Slot { shared: true, ..files.slot(old) };
        if slot.open != 0 {
            files.set(old, slot);
        }
        files.set(new, if slot.desc == 0 { Slot::default() } else { Slot { cloexec, ..slot } });
    }

    fn fcntl(&mut self, index: usize, event: &Event<'_>, fd: i64, command: i64, arg: i64) -> u32 {
        let mut slot = self.files(index).slot(fd);
        if event.ret >= 0 {
            match command {
                F_DUPFD | F_DUPFD_CLOEXEC => self.copy(index, fd, event.ret, command == F_DUPFD_CLOEXEC),
                F_SETFD if slot.desc != 0 => {
                    slot.cloexec = arg & 1 != 0;
                    self.files(index).set(fd, slot);
                }
                _ => {}
            }
        }
        slot.desc
    }

    fn pipe(&mut self, index: usize, event: &Event<'_>, first: u8, flags: Option<u8>, (dev, ino): (u32, u64)) -> u32 {
        if event.ret != 0 {
            return 0;
        }
        let cloexec = flags.is_some_and(|f| int(event, f) & O_CLOEXEC != 0);
        let row = DescRow { kind: DescKind::Pipe, dev, ino, ..DescRow::default() };
        self.install(index, int(event, first), &row, cloexec);
        self.install(index, int(event, first + 1), &row, cloexec)
    }
}
