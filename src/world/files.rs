//! Descriptor tables: which row each descriptor number of a process refers to.
//!
//! Memory: 12 bytes for each number up to the highest in use, at most 4,096 of them; beyond that, pages of 256
//! numbers, only where one was open. `cargo bench --bench world` measures it.

/// Numbers past this are not kept: the kernel's own default limit (`fs.nr_open`).
const MAX_FD: i64 = 1 << 20;
/// Numbers below this stand in one run, because most processes use only the lowest.
const DENSE: usize = 4096;
/// Numbers in a page of those above.
const PAGE: usize = 256;

/// One open descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Slot {
    /// Row in the dictionary; 0 not open, or open on what is not known.
    pub(super) desc: u32,
    /// Tells open sockets apart, whatever numbers they have; 0 for other files.
    pub(super) open: u32,
    /// Closed on exec.
    pub(super) cloexec: bool,
    /// Perhaps another number, here or in another process, refers to the same open socket.
    pub(super) shared: bool,
    /// What is written to it changes the world: the name of a thread, a login user.
    pub(super) tells: bool,
}

impl Slot {
    /// A descriptor that refers to a row.
    pub(super) fn of(desc: u32, cloexec: bool) -> Slot {
        Slot { desc, cloexec, ..Slot::default() }
    }
}

type Page = Box<[Slot; PAGE]>;

/// The descriptors of one `files_struct`.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    /// Numbers from [`DENSE`] on.
    pages: Vec<Option<Page>>,
    /// How many threads share it.
    pub(super) sharers: u32,
}

impl Table {
    /// The row that a number refers to; 0 none.
    pub(super) fn get(&self, fd: i64) -> u32 {
        self.slot(fd).desc
    }

    /// The slot of a number.
    pub(super) fn slot(&self, fd: i64) -> Slot {
        match usize::try_from(fd) {
            Ok(fd) if fd < self.slots.len() => self.slots[fd],
            Ok(fd) if fd >= DENSE => self.page_slot(fd),
            _ => Slot::default(),
        }
    }

    fn page_slot(&self, fd: usize) -> Slot {
        let (page, at) = ((fd - DENSE) / PAGE, (fd - DENSE) % PAGE);
        self.pages.get(page).and_then(|p| p.as_ref()?.get(at).copied()).unwrap_or_default()
    }

    /// The place of a number, made if there is none; `None` for numbers that no descriptor has.
    fn place(&mut self, fd: i64) -> Option<&mut Slot> {
        if !(0..MAX_FD).contains(&fd) {
            return None;
        }
        let fd = fd as usize;
        if fd < DENSE {
            if fd >= self.slots.len() {
                self.slots.resize(fd + 1, Slot::default());
            }
            return self.slots.get_mut(fd);
        }
        let (page, at) = ((fd - DENSE) / PAGE, (fd - DENSE) % PAGE);
        if page >= self.pages.len() {
            self.pages.resize(page + 1, None);
        }
        self.pages[page].get_or_insert_with(|| Box::new([Slot::default(); PAGE])).get_mut(at)
    }

    /// Opens a number, or replaces what it refers to.
    pub(super) fn set(&mut self, fd: i64, slot: Slot) {
        if let Some(place) = self.place(fd) {
            *place = slot;
        }
    }

    /// Closes a number.
    pub(super) fn close(&mut self, fd: i64) {
        if self.slot(fd) != Slot::default() {
            self.set(fd, Slot::default());
        }
    }

    fn all_mut(&mut self) -> impl Iterator<Item = (usize, &mut Slot)> {
        let pages = self.pages.iter_mut().enumerate().filter_map(|(i, p)| Some((i, p.as_mut()?)));
        let above = pages.flat_map(|(i, p)| p.iter_mut().enumerate().map(move |(at, s)| (DENSE + i * PAGE + at, s)));
        self.slots.iter_mut().enumerate().chain(above)
    }

    /// Changes what is open among the numbers from `first` to `last`.
    fn each(&mut self, first: u32, last: u32, change: impl Fn(&mut Slot)) {
        let range = first as usize..=last as usize;
        self.all_mut().filter(|(fd, s)| range.contains(fd) && s.desc != 0).for_each(|(_, slot)| change(slot));
    }

    /// Closes all numbers from `first` to `last`.
    pub(super) fn close_range(&mut self, first: u32, last: u32) {
        self.each(first, last, |slot| *slot = Slot::default());
    }

    /// Marks all numbers from `first` to `last` close-on-exec.
    pub(super) fn mark_range(&mut self, first: u32, last: u32) {
        self.each(first, last, |slot| slot.cloexec = true);
    }

    /// Closes what exec closes.
    pub(super) fn exec(&mut self) {
        for (_, slot) in self.all_mut().filter(|(_, s)| s.cloexec) {
            *slot = Slot::default();
        }
    }

    /// The table of a child that does not share this one; sockets are the same open ones in both.
    pub(super) fn fork(&mut self) -> Table {
        for (_, slot) in self.all_mut().filter(|(_, s)| s.open != 0) {
            slot.shared = true;
        }
        let used = self.slots.iter().rposition(|s| s.desc != 0).map_or(0, |last| last + 1);
        let kept = |page: &Option<Page>| page.as_ref().filter(|p| p.iter().any(|s| s.desc != 0)).cloned();
        Table { slots: self.slots[..used].to_vec(), pages: self.pages.iter().map(kept).collect(), sharers: 1 }
    }

    /// The open descriptors in order of their numbers.
    pub(super) fn open(&self) -> impl Iterator<Item = (i64, Slot)> + '_ {
        let pages = self.pages.iter().enumerate().filter_map(|(i, p)| Some((i, p.as_ref()?)));
        let above = pages.flat_map(|(i, p)| p.iter().enumerate().map(move |(at, s)| (DENSE + i * PAGE + at, s)));
        self.slots.iter().enumerate().chain(above).filter(|(_, s)| s.desc != 0).map(|(fd, &s)| (fd as i64, s))
    }

    /// Gives every number of an open socket its new row.
    pub(super) fn retell(&mut self, open: u32, desc: u32) {
        for (_, slot) in self.all_mut().filter(|(_, s)| s.shared && s.open == open) {
            slot.desc = desc;
        }
    }

    /// Replaces every row number, when a new segment begins.
    pub(super) fn renumber(&mut self, mut row: impl FnMut(u32) -> u32) {
        for (_, slot) in self.all_mut().filter(|(_, s)| s.desc != 0) {
            slot.desc = row(slot.desc);
        }
    }
}

/// All tables, by index.
#[derive(Debug, Default)]
pub(super) struct Tables {
    all: Vec<Table>,
    free: Vec<u32>,
    /// The number that the last open socket got.
    last_socket: u32,
}

impl Tables {
    /// Adds a table with one user.
    pub(super) fn add(&mut self, mut table: Table) -> u32 {
        table.sharers = 1;
        if let Some(id) = self.free.pop() {
            self.all[id as usize] = table;
            return id;
        }
        self.all.push(table);
        (self.all.len() - 1) as u32
    }

    /// A number for a socket that was opened.
    pub(super) fn socket(&mut self) -> u32 {
        self.last_socket = self.last_socket.checked_add(1).unwrap_or(1);
        self.last_socket
    }

    /// One user less; the table goes with the last.
    pub(super) fn release(&mut self, id: u32) {
        let table = &mut self.all[id as usize];
        table.sharers = table.sharers.saturating_sub(1);
        if table.sharers == 0 {
            *table = Table::default();
            self.free.push(id);
        }
    }

    /// A copy for one user of a shared table; the table itself where it is not shared.
    pub(super) fn unshare(&mut self, id: u32) -> u32 {
        if self.all[id as usize].sharers <= 1 {
            return id;
        }
        let copy = self.all[id as usize].fork();
        self.release(id);
        self.add(copy)
    }

    /// A table.
    pub(super) fn get(&self, id: u32) -> &Table {
        &self.all[id as usize]
    }

    /// A table, to change.
    pub(super) fn get_mut(&mut self, id: u32) -> &mut Table {
        &mut self.all[id as usize]
    }

    /// All tables, to renumber.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Table> {
        self.all.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(desc: u32) -> Slot {
        Slot::of(desc, false)
    }

    #[test]
    fn descriptors_open_close_and_survive_exec_unless_marked() {
        let mut table = Table::default();
        table.set(3, slot(7));
        table.set(5, Slot::of(8, true));
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

    #[test]
    fn high_numbers_cost_only_their_page() {
        let mut table = Table::default();
        for fd in [3, 4096, 70_000, MAX_FD - 1] {
            table.set(fd, slot(9));
        }
        assert_eq!(table.open().map(|(fd, _)| fd).collect::<Vec<_>>(), [3, 4096, 70_000, MAX_FD - 1]);
        assert_eq!((table.get(4097), table.get(1_000_000), table.get(MAX_FD)), (0, 0, 0));
        table.close(500_000);
        assert_eq!(table.pages.iter().flatten().count(), 3);
        table.close_range(4096, u32::MAX);
        let child = table.fork();
        assert_eq!((child.open().count(), child.slots.len(), child.pages.iter().flatten().count()), (1, 4, 0));
        assert_eq!(size_of::<Slot>(), 12, "the figure that this module's page states");
    }

    #[test]
    fn a_range_may_be_marked_instead_of_closed() {
        let mut table = Table::default();
        for fd in [2, 3, 5000] {
            table.set(fd, slot(1));
        }
        table.mark_range(3, u32::MAX);
        assert_eq!(
            table.open().map(|(fd, s)| (fd, s.cloexec)).collect::<Vec<_>>(),
            [(2, false), (3, true), (5000, true)]
        );
        table.exec();
        assert_eq!(table.open().map(|(fd, _)| fd).collect::<Vec<_>>(), [2]);
    }
}
