//! [`Compact`]: numbers anew those rows of a segment's dictionary that something refers to; the others are not written.
//!
//! A dictionary holds the arguments and environments of all processes. A recording with a filter must not carry those
//! of processes that it is not about.

use crate::batch::{Columns, Schema};
use crate::event::{Class, ParamType};
use crate::world::{Delta, DescRow, Dict, ImageRow, StrId, ThreadRow};
use std::collections::{BTreeMap, BTreeSet};

/// New numbers of one table's rows; 0: not written.
#[derive(Debug, Default)]
struct Numbers {
    new: Vec<u32>,
    written: u32,
}

impl Numbers {
    fn get(&self, old: u32) -> u32 {
        self.new.get(old as usize).copied().unwrap_or(0)
    }

    fn give(&mut self, old: u32) -> u32 {
        if self.new.len() <= old as usize {
            self.new.resize(old as usize + 1, 0);
        }
        self.written += 1;
        self.new[old as usize] = self.written;
        self.written
    }
}

/// The written part of a segment's dictionary.
#[derive(Debug, Default)]
pub(super) struct Compact {
    strings: Numbers,
    images: Numbers,
    threads: Numbers,
    descs: Numbers,
    /// Users and groups that written rows and parameters name.
    ids: [BTreeSet<u32>; 2],
    /// Their names as they were written last, by their old ids.
    names: [BTreeMap<u32, StrId>; 2],
    delta: Delta,
}

impl Compact {
    /// Replaces references in a batch by those to written rows.
    pub(super) fn columns(&mut self, dict: &Dict, schema: &Schema, columns: &mut Columns) {
        self.need_threads(dict, columns.thread.iter().copied());
        for row in &mut columns.thread {
            *row = self.threads.get(*row);
        }
        for table in &mut columns.tables {
            for row in &mut table.desc {
                *row = self.desc(dict, *row);
            }
            for id in table.texts.iter_mut().flatten() {
                *id = self.text(dict, StrId(*id)).0;
            }
            let Some(info) = schema.kinds.get(usize::from(table.kind)) else { continue };
            let ints = info.params.iter().filter(|p| p.class == Class::Int).zip(&table.ints);
            for (param, values) in ints {
                let ids = values.iter().map(|&v| v as u32);
                match param.ty {
                    ParamType::Uid => self.ids[0].extend(ids),
                    ParamType::Gid => self.ids[1].extend(ids),
                    _ => {}
                }
            }
        }
    }

    /// What is to be written before what was renumbered since the last time.
    pub(super) fn take_delta(&mut self, dict: &Dict) -> Delta {
        for (which, names) in [&dict.users, &dict.groups].into_iter().enumerate() {
            for (&id, &name) in names {
                if self.ids[which].contains(&id) && self.names[which].insert(id, name) != Some(name) {
                    let name = self.text(dict, name);
                    let list = if which == 0 { &mut self.delta.users } else { &mut self.delta.groups };
                    list.push((id, name));
                }
            }
        }
        let mut delta = std::mem::take(&mut self.delta);
        let first = |numbers: &Numbers, count: usize| numbers.written + 1 - count as u32;
        delta.first_string = first(&self.strings, delta.string_lengths.len());
        delta.first_image = first(&self.images, delta.images.len());
        delta.first_thread = first(&self.threads, delta.threads.len());
        delta.first_desc = first(&self.descs, delta.descs.len());
        delta
    }

    /// New number of a thread's row; 0: it was not written.
    pub(super) fn number_of_thread(&self, old: u32) -> u32 {
        self.threads.get(old)
    }

    /// New number of a descriptor's row; 0: it was not written.
    pub(super) fn number_of_desc(&self, old: u32) -> u32 {
        self.descs.get(old)
    }

    fn text(&mut self, dict: &Dict, id: StrId) -> StrId {
        let known = self.strings.get(id.0);
        match dict.strings.get(id) {
            Some(text) if known == 0 => {
                self.delta.string_lengths.push(text.len() as u32);
                self.delta.string_bytes.extend_from_slice(text);
                StrId(self.strings.give(id.0))
            }
            _ => StrId(known),
        }
    }

    fn desc(&mut self, dict: &Dict, row: u32) -> u32 {
        if row == 0 || self.descs.get(row) != 0 {
            return self.descs.get(row);
        }
        let old = dict.desc(row);
        let name = self.text(dict, old.name);
        self.delta.descs.push(DescRow { name, ..old.clone() });
        self.descs.give(row)
    }

    fn image(&mut self, dict: &Dict, row: u32) -> u32 {
        if row == 0 || self.images.get(row) != 0 {
            return self.images.get(row);
        }
        let old = dict.image(row);
        let env = old.env.iter().map(|&id| self.text(dict, id)).collect();
        let (exe, exepath) = (self.text(dict, old.exe), self.text(dict, old.exepath));
        let args = self.text(dict, old.args);
        self.delta.images.push(ImageRow { exe, exepath, args, env });
        self.images.give(row)
    }

    /// Writes rows and all that they refer to; those stand before them, here as there.
    fn need_threads(&mut self, dict: &Dict, rows: impl Iterator<Item = u32>) {
        let needed = closure(dict, rows, &|row| self.threads.get(row) == 0);
        for row in needed {
            let thread = self.thread(dict, dict.thread(row));
            self.delta.threads.push(thread);
            self.threads.give(row);
        }
    }

    fn thread(&mut self, dict: &Dict, old: &ThreadRow) -> ThreadRow {
        self.ids[0].extend([old.uid, old.euid, old.loginuid]);
        self.ids[1].extend([old.gid, old.egid]);
        ThreadRow {
            comm: self.text(dict, old.comm),
            image: self.image(dict, old.image),
            cwd: self.text(dict, old.cwd),
            root: self.text(dict, old.root),
            cgroup: self.text(dict, old.cgroup),
            parent: self.threads.get(old.parent),
            creator: self.threads.get(old.creator),
            leader: self.threads.get(old.leader),
            session: self.threads.get(old.session),
            ..old.clone()
        }
    }
}

/// Thread rows and all that they refer to, ascending; those that are not `wanted`, and what only they refer to, left out.
pub(super) fn closure(dict: &Dict, rows: impl Iterator<Item = u32>, wanted: &dyn Fn(u32) -> bool) -> BTreeSet<u32> {
    let mut all = BTreeSet::new();
    let mut last = 0;
    for row in rows {
        // Events of one thread come in bursts.
        if row == last {
            continue;
        }
        last = row;
        let mut pending = vec![row];
        while let Some(row) = pending.pop() {
            if row != 0 && wanted(row) && all.insert(row) {
                let thread = dict.thread(row);
                let refers = [thread.parent, thread.creator, thread.leader, thread.session];
                pending.extend(refers.into_iter().filter(|&other| other < row));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Table;
    use crate::event::kinds;

    fn dict() -> Dict {
        let mut dict = Dict::new();
        let mut text = |t: &str| dict.strings.push(t.as_bytes());
        let (sh, secret, cat, path, other) = (text("sh"), text("SECRET=1"), text("cat"), text("/a"), text("/b"));
        let (root, alice) = (text("root"), text("alice"));
        dict.images.push(ImageRow { exe: other, env: vec![secret], ..ImageRow::default() });
        dict.images.push(ImageRow { exe: cat, ..ImageRow::default() });
        let row = |tid, comm, image| ThreadRow { tid, pid: tid, comm, image, ..ThreadRow::default() };
        dict.threads.push(row(1, sh, 0));
        dict.threads.push(row(2, other, 1));
        dict.threads.push(ThreadRow { parent: 1, creator: 1, ..row(3, cat, 2) });
        dict.descs.extend([other, path].map(|name| DescRow { name, ..DescRow::default() }));
        dict.users.extend([(0, root), (1000, alice)]);
        dict
    }

    #[test]
    fn only_what_is_referred_to_is_written_and_reads_as_before() {
        let (dict, schema, mut compact) = (dict(), Schema::current(), Compact::default());
        let table = Table { kind: kinds::CLOSE.0, desc: vec![2], ..Table::default() };
        let mut columns = Columns { thread: vec![3], kind: vec![0], tables: vec![table], ..Columns::default() };
        compact.columns(&dict, &schema, &mut columns);
        let delta = compact.take_delta(&dict);
        let mut new = Dict::new();
        new.apply(&delta).unwrap();
        assert_eq!((columns.thread[0], columns.tables[0].desc[0]), (2, 1));
        let thread = new.thread(2);
        assert_eq!((thread.tid, new.text(thread.comm)), (3, &b"cat"[..]));
        assert_eq!(new.text(new.thread(thread.parent).comm), b"sh");
        assert_eq!(new.text(new.image(thread.image).exe), b"cat");
        assert_eq!(new.text(new.desc(1).name), b"/a");
        assert_eq!(new.users.keys().copied().collect::<Vec<_>>(), [0]);
        assert!(memchr::memmem::find(&delta.string_bytes, b"SECRET").is_none());
        assert!(memchr::memmem::find(&delta.string_bytes, b"alice").is_none());
        // What was written once is not written again, and numbers go on.
        columns.thread = vec![3, 2];
        columns.kind = vec![0, 0];
        columns.tables.clear();
        compact.columns(&dict, &schema, &mut columns);
        let second = compact.take_delta(&dict);
        assert_eq!((columns.thread, second.first_thread, second.threads.len()), (vec![2, 3], 3, 1));
        new.apply(&second).unwrap();
        assert_eq!(new.text(new.image(new.thread(3).image).env[0]), b"SECRET=1");
    }

    #[test]
    fn a_long_chain_of_creators_is_followed_without_recursion() {
        let mut dict = Dict::new();
        for row in 1..200_000 {
            dict.threads.push(ThreadRow { tid: row, creator: row - 1, ..ThreadRow::default() });
        }
        assert_eq!(closure(&dict, [199_999].into_iter(), &|_| true).len(), 199_999);
    }
}
