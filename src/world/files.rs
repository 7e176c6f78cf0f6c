//! Descriptor tables: which row each descriptor number of a process refers to.

/// Numbers past this are not kept: the kernel's own default limit (`fs.nr_open`).
const MAX_FD: i64 = 1 << 20;

/// One open descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Slot {
    /// Row in the dictionary; 0 not open.
    pub(super) desc: u32,
    /// Closed on exec.
    pub(super) cloexec: bool,
}

/// The descriptors of one `files_struct`.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    /// How many processes share it.
    pub(super) sharers: u32,
}

impl Table {
    /// The row that a number refers to; 0 none.
    pub(super) fn get(&self, fd: i64) -> u32 {
        self.slot(fd).desc
    }

    /// The slot of a number.
    pub(super) fn slot(&self, fd: i64) -> Slot {
        usize::try_from(fd).ok().and_then(|fd| self.slots.get(fd)).copied().unwrap_or_default()
    }

    /// Opens a number, or replaces what it refers to.
    pub(super) fn set(&mut self, fd: i64, slot: Slot) {
        if !(0..MAX_FD).contains(&fd) {
            return;
        }
        let fd = fd as usize;
        if fd >= self.slots.len() {
            self.slots.resize(fd + 1, Slot::default());
        }
        self.slots[fd] = slot;
    }

    /// Closes a number.
    pub(super) fn close(&mut self, fd: i64) {
        if let Some(slot) = usize::try_from(fd).ok().and_then(|fd| self.slots.get_mut(fd)) {
            *slot = Slot::default();
        }
    }

    /// Closes all numbers from `first` to `last`.
    pub(super) fn close_range(&mut self, first: u32, last: u32) {
        for slot in self.slots.iter_mut().take(last as usize + 1).skip(first as usize) {
            *slot = Slot::default();
        }
    }

    /// Marks all numbers from `first` to `last` close-on-exec.
    pub(super) fn mark_range(&mut self, first: u32, last: u32) {
        for slot in self.slots.iter_mut().take(last as usize + 1).skip(first as usize) {
            slot.cloexec = slot.desc != 0;
        }
    }

    /// Closes what exec closes.
    pub(super) fn exec(&mut self) {
        for slot in &mut self.slots {
            if slot.cloexec {
                *slot = Slot::default();
            }
        }
    }

    /// The open descriptors in order of their numbers.
    pub(super) fn open(&self) -> impl Iterator<Item = (i64, Slot)> + '_ {
        self.slots.iter().enumerate().filter(|(_, s)| s.desc != 0).map(|(fd, &s)| (fd as i64, s))
    }

    /// Replaces every row number, when a new segment begins.
    pub(super) fn renumber(&mut self, mut row: impl FnMut(u32) -> u32) {
        for slot in &mut self.slots {
            if slot.desc != 0 {
                slot.desc = row(slot.desc);
            }
        }
    }
}

/// All tables, by index.
#[derive(Debug, Default)]
pub(super) struct Tables {
    tables: Vec<Table>,
    free: Vec<u32>,
}

impl Tables {
    /// Adds a table with one user.
    pub(super) fn add(&mut self, mut table: Table) -> u32 {
        table.sharers = 1;
        if let Some(id) = self.free.pop() {
            self.tables[id as usize] = table;
            return id;
        }
        self.tables.push(table);
        (self.tables.len() - 1) as u32
    }

    /// One user less; the table goes with the last.
    pub(super) fn release(&mut self, id: u32) {
        let table = &mut self.tables[id as usize];
        table.sharers = table.sharers.saturating_sub(1);
        if table.sharers == 0 {
            *table = Table::default();
            self.free.push(id);
        }
    }

    /// A copy for one user of a shared table; the table itself where it is not shared.
    pub(super) fn unshare(&mut self, id: u32) -> u32 {
        if self.tables[id as usize].sharers <= 1 {
            return id;
        }
        let copy = self.tables[id as usize].clone();
        self.release(id);
        self.add(copy)
    }

    /// A table.
    pub(super) fn get(&self, id: u32) -> &Table {
        &self.tables[id as usize]
    }

    /// A table, to change.
    pub(super) fn get_mut(&mut self, id: u32) -> &mut Table {
        &mut self.tables[id as usize]
    }

    /// All tables, to renumber.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Table> {
        self.tables.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(desc: u32) -> Slot {
        Slot { desc, cloexec: false }
    }

    #[test]
    fn descriptors_open_close_and_survive_exec_unless_marked() {
        let mut table = Table::default();
        table.set(3, slot(7));
        table.set(5, Slot { desc: 8, cloexec: true });
        table.set(-1, slot(1));
        table.set(MAX_FD, slot(1));
        assert_eq!((table.get(3), table.get(4), table.get(5), table.get(-1)), (7, 0, 8, 0));
        table.exec();
        assert_eq!(table.open().map(|(fd, s)| (fd, s.desc)).collect::<Vec<_>>(), [(3, 7)]);
        table.close_range(0, u32::MAX);
        assert_eq!(table.open().count(), 0);
    }

    #[test]
    fn a_shared_table_is_copied_when_one_user_leaves_it() {
        let mut tables = Tables::default();
        let id = tables.add(Table::default());
        tables.get_mut(id).sharers += 1;
        tables.get_mut(id).set(0, slot(1));
        let own = tables.unshare(id);
        assert_ne!(own, id);
        tables.get_mut(own).close(0);
        assert_eq!(tables.get(id).get(0), 1);
        assert_eq!(tables.unshare(id), id, "the last user keeps it");
    }
}
