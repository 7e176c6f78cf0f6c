//! What can be asked of a world beside its rows: counts and descriptors of the moment.

use super::dict::DescRow;
use super::engine::World;

impl World {
    /// Threads of a thread's process that have not exited.
    pub fn thread_count(&self, tid: u32) -> Option<u32> {
        let process = self.processes.get(&self.facts(tid)?.pid)?;
        let runs = |tid: &&u32| self.find(**tid).is_some_and(|index| self.threads[index].exited == 0);
        Some(process.tids.iter().filter(runs).count() as u32)
    }

    /// Open descriptors of a thread, by rising number, with what is known of each.
    pub fn descriptors_of(&self, tid: u32) -> impl Iterator<Item = (i64, &DescRow)> {
        let table = self.find(tid).map(|index| self.tables.get(self.threads[index].files));
        let open = table.into_iter().flat_map(super::files::Table::open);
        open.map(|(fd, slot)| (fd, self.dict().desc(slot.desc)))
    }

    /// What a thread's descriptor refers to; `None` where it is not known.
    pub fn descriptor_of(&self, tid: u32, fd: i64) -> Option<&DescRow> {
        let desc = self.tables.get(self.threads[self.find(tid)?].files).get(fd);
        (desc != 0).then(|| self.dict().desc(desc))
    }
}
