//! Descriptors that one process hands to another in a message (`SCM_RIGHTS`, `unix(7)`).
//!
//! The message names the files by device and inode, at both ends, so what the receiver got is what some sender had. Where several
//! messages on their way look alike and are not, nothing is guessed: the row says device and inode and no name.

use super::dict::DescRow;
use super::engine::World;
use super::files::Slot;

/// Messages with descriptors that may be on their way; the oldest is forgotten first.
const MAX_PASSED: usize = 256;
/// Bytes of a file in a message: descriptor, device (4 each), inode (8).
const FILE: usize = 16;

/// A file in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct File {
    fd: i64,
    dev: u32,
    ino: u64,
}

/// A message with descriptors.
#[derive(Debug)]
pub(super) struct Passed {
    files: Vec<(File, Slot)>,
    received: bool,
}

impl Passed {
    /// Replaces every row number, when a new segment begins.
    pub(super) fn renumber(&mut self, mut row: impl FnMut(u32) -> u32) {
        for (_, slot) in self.files.iter_mut().filter(|(_, slot)| slot.desc != 0) {
            slot.desc = row(slot.desc);
        }
    }
}

fn files(list: &[u8]) -> impl Iterator<Item = File> {
    list.chunks_exact(FILE).filter_map(|file| {
        Some(File {
            fd: i64::from(i32::from_le_bytes(*file.first_chunk()?)),
            dev: u32::from_le_bytes(*file.get(4..)?.first_chunk()?),
            ino: u64::from_le_bytes(*file.get(8..)?.first_chunk()?),
        })
    })
}

impl World {
    /// A slot as another number may have it too.
    pub(super) fn share_slot(&mut self, files: u32, fd: i64) -> Slot {
        let slot = Slot { shared: true, ..self.tables.get(files).slot(fd) };
        if slot.open != 0 {
            self.tables.get_mut(files).set(fd, slot);
        }
        slot
    }

    /// A thread sent descriptors.
    pub(super) fn pass(&mut self, index: usize, list: &[u8]) {
        let table = self.threads[index].files;
        let files: Vec<_> = files(list).map(|file| (file, self.share_slot(table, file.fd))).collect();
        if files.is_empty() {
            return;
        }
        if self.passed.len() >= MAX_PASSED {
            self.passed.pop_front();
        }
        self.passed.push_back(Passed { files, received: false });
    }

    /// A thread received descriptors.
    pub(super) fn take_passed(&mut self, index: usize, list: &[u8], cloexec: bool) {
        let received: Vec<File> = files(list).collect();
        let slots = self.sent(&received);
        for (i, file) in received.iter().enumerate() {
            let slot = slots.get(i).copied().unwrap_or_default();
            self.receive(index, file.fd, slot, (file.dev, file.ino), cloexec);
        }
    }

    /// What the senders of these files had: of the messages not received yet, or (looked at twice) of all.
    fn sent(&mut self, received: &[File]) -> Vec<Slot> {
        let alike = |passed: &Passed| {
            passed.files.len() >= received.len()
                && passed.files.iter().zip(received).all(|((sent, _), got)| (sent.dev, sent.ino) == (got.dev, got.ino))
        };
        let rows = |passed: &Passed| passed.files.iter().map(|(_, slot)| slot.desc).collect::<Vec<_>>();
        for again in [false, true] {
            let alike: Vec<usize> = (0..self.passed.len())
                .filter(|&i| self.passed[i].received == again && alike(&self.passed[i]))
                .collect();
            let Some(&first) = alike.first() else { continue };
            let same = rows(&self.passed[first]);
            if alike.iter().any(|&other| rows(&self.passed[other]) != same) {
                return Vec::new();
            }
            self.passed[first].received = true;
            return self.passed[first].files.iter().map(|(_, slot)| *slot).collect();
        }
        Vec::new()
    }

    /// Opens a number on what somebody else had; on a file of which only the identity is known, if that is not known.
    pub(super) fn receive(&mut self, index: usize, fd: i64, slot: Slot, (dev, ino): (u32, u64), cloexec: bool) -> u32 {
        if slot.desc != 0 {
            self.files(index).set(fd, Slot { cloexec, ..slot });
            return slot.desc;
        }
        if ino == 0 {
            self.files(index).close(fd);
            return 0;
        }
        self.install(index, fd, &DescRow { dev, ino, ..DescRow::default() }, cloexec)
    }
}
