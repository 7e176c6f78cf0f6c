//! [`Compact`]: numbers anew those rows of a segment's dictionary that something refers to; the others are not written.
//!
//! A dictionary holds the arguments and environments of all processes. A recording with a filter must not carry those
//! of processes that it is not about; of who they descend from, names and arguments are kept, and no environment.

use crate::batch::{Columns, Schema};
use crate::event::{Class, ParamType};
use crate::world::{Account, Delta, DescRow, Dict, Environment, ImageRow, StrId, ThreadRow};
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
        self.new[old as usize] = self.next();
        self.written
    }

    /// The number of a text, which is written if it was not; 0 for one that there is not.
    fn keep(&mut self, old: u32, text: Option<&[u8]>, lengths: &mut Vec<u32>, bytes: &mut Vec<u8>) -> u32 {
        let known = self.get(old);
        match text {
            Some(text) if known == 0 => {
                lengths.push(text.len() as u32);
                bytes.extend_from_slice(text);
                self.give(old)
            }
            _ => known,
        }
    }

    /// The number of one more row.
    fn next(&mut self) -> u32 {
        self.written += 1;
        self.written
    }
}

/// The written part of a segment's dictionary.
#[derive(Debug, Default)]
pub(super) struct Compact {
    strings: Numbers,
    /// Of texts apart, by their places.
    apart: Numbers,
    images: Numbers,
    threads: Numbers,
    descs: Numbers,
    /// Images that were written without their environment, and threads that have such.
    bare_images: BTreeMap<u32, u32>,
    bare_threads: BTreeSet<u32>,
    /// Users and groups that written rows and parameters name.
    ids: [BTreeSet<u32>; 2],
    /// Their names as they were written last, by their old ids.
    names: [BTreeMap<u32, StrId>; 2],
    /// What else was written last of users, by its old ids.
    accounts: BTreeMap<u32, Account>,
    delta: Delta,
}

impl Compact {
    /// Replaces references in a batch by those to written rows. The recording is about the threads that it refers to, or
    /// about those of them that are `own`; the others are ancestors.
    pub(super) fn columns(&mut self, dict: &Dict, schema: &Schema, columns: &mut Columns, own: Option<&BTreeSet<u32>>) {
        let mut direct: Vec<u32> = columns.thread.clone();
        direct.dedup();
        let direct: BTreeSet<u32> = direct.into_iter().collect();
        self.need_threads(dict, &direct, own.unwrap_or(&direct));
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
        for (&id, &account) in &dict.accounts {
            if self.ids[0].contains(&id) && self.accounts.insert(id, account) != Some(account) {
                let account = Account { home: self.text(dict, account.home), shell: self.text(dict, account.shell) };
                self.delta.accounts.push((id, account));
            }
        }
        let mut delta = std::mem::take(&mut self.delta);
        let first = |numbers: &Numbers, count: usize| numbers.written + 1 - count as u32;
        delta.first_string = first(&self.strings, delta.string_lengths.len());
        delta.first_apart = first(&self.apart, delta.apart_lengths.len());
        delta.first_image = first(&self.images, delta.images.len());
        delta.first_thread = first(&self.threads, delta.threads.len());
        delta.first_desc = first(&self.descs, delta.descs.len());
        delta
    }

    /// Whether a written row or parameter names a user or a group.
    pub(super) fn names(&self, is_group: bool, id: u32) -> bool {
        self.ids[usize::from(is_group)].contains(&id)
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
        if let Some(place) = id.apart() {
            let delta = &mut self.delta;
            let new = self.apart.keep(place, dict.strings.get(id), &mut delta.apart_lengths, &mut delta.apart_bytes);
            return if new == 0 { StrId::NONE } else { StrId::of_apart(new) };
        }
        let delta = &mut self.delta;
        StrId(self.strings.keep(id.0, dict.strings.get(id), &mut delta.string_lengths, &mut delta.string_bytes))
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

    /// An image; of one that is only an ancestor's the environment is left out.
    fn image(&mut self, dict: &Dict, row: u32, is_own: bool) -> u32 {
        let known = self.images.get(row);
        if row == 0 || known != 0 {
            return known;
        }
        if let (false, Some(&bare)) = (is_own, self.bare_images.get(&row)) {
            return bare;
        }
        let old = dict.image(row);
        let env = if is_own { old.env.iter().map(|&id| self.text(dict, id)).collect() } else { Environment::default() };
        let (exe, exepath) = (self.text(dict, old.exe), self.text(dict, old.exepath));
        let args = self.text(dict, old.args);
        self.delta.images.push(ImageRow { exe, exepath, args, env, facts: old.facts });
        if is_own || old.env.is_empty() {
            return self.images.give(row);
        }
        let bare = self.images.next();
        self.bare_images.insert(row, bare);
        bare
    }

    /// Writes rows and all that they refer to; those stand before them, here as there. A row that was an ancestor's so far
    /// is written anew once it is one of its `own`.
    fn need_threads(&mut self, dict: &Dict, rows: &BTreeSet<u32>, own: &BTreeSet<u32>) {
        let is_missing =
            |row: u32| self.threads.get(row) == 0 || self.bare_threads.contains(&row) && own.contains(&row);
        for row in closure(dict, rows.iter().copied(), &is_missing) {
            let is_own = own.contains(&row);
            let thread = self.thread(dict, dict.thread(row), is_own);
            self.delta.threads.push(thread);
            self.threads.give(row);
            if is_own {
                self.bare_threads.remove(&row);
            } else {
                self.bare_threads.insert(row);
            }
        }
    }

    fn thread(&mut self, dict: &Dict, old: &ThreadRow, is_own: bool) -> ThreadRow {
        self.ids[0].extend([old.uid, old.euid, old.loginuid]);
        self.ids[1].extend([old.gid, old.egid]);
        ThreadRow {
            comm: self.text(dict, old.comm),
            image: self.image(dict, old.image, is_own),
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
        let account = |home| Account { home, shell: sh };
        dict.accounts.extend([(0, account(text("/root"))), (1000, account(text("/home/alice")))]);
        dict.images.push(ImageRow { exe: other, env: [secret].into_iter().collect(), ..ImageRow::default() });
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
        compact.columns(&dict, &schema, &mut columns, None);
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
        let Account { home, shell } = new.accounts[&0];
        assert_eq!((new.accounts.len(), new.text(home), new.text(shell)), (1, &b"/root"[..], &b"sh"[..]));
        assert!(memchr::memmem::find(&delta.string_bytes, b"SECRET").is_none());
        assert!(memchr::memmem::find(&delta.string_bytes, b"alice").is_none());
        // What was written once is not written again, and numbers go on.
        columns.thread = vec![3, 2];
        columns.kind = vec![0, 0];
        columns.tables.clear();
        compact.columns(&dict, &schema, &mut columns, None);
        let second = compact.take_delta(&dict);
        assert_eq!((columns.thread, second.first_thread, second.threads.len()), (vec![2, 3], 3, 1));
        new.apply(&second).unwrap();
        assert_eq!(new.text(new.image(new.thread(3).image).env[0]), b"SECRET=1");
    }

    #[test]
    fn an_ancestors_environment_is_left_out_until_the_recording_is_about_it() {
        let (mut dict, schema, mut compact) = (dict(), Schema::current(), Compact::default());
        dict.threads[3].parent = 2;
        let mut columns = Columns { thread: vec![3], kind: vec![0], ..Columns::default() };
        compact.columns(&dict, &schema, &mut columns, None);
        let mut new = Dict::new();
        let delta = compact.take_delta(&dict);
        assert!(memchr::memmem::find(&delta.string_bytes, b"SECRET").is_none());
        new.apply(&delta).unwrap();
        let parent = new.thread(new.thread(columns.thread[0]).parent);
        assert_eq!((parent.tid, new.text(new.image(parent.image).exe)), (2, &b"/b"[..]), "its name is kept");
        columns.thread = vec![2, 3];
        columns.kind = vec![0, 0];
        // Rows of the initial state of which only one is matched; then an event of the other.
        compact.columns(&dict, &schema, &mut columns, Some(&BTreeSet::from([3])));
        assert!(compact.take_delta(&dict).is_empty());
        columns.thread = vec![2, 3];
        compact.columns(&dict, &schema, &mut columns, None);
        new.apply(&compact.take_delta(&dict)).unwrap();
        let own = new.thread(columns.thread[0]);
        assert_eq!((own.tid, new.text(new.image(own.image).env[0])), (2, &b"SECRET=1"[..]));
        assert_eq!(new.thread(columns.thread[1]).tid, 3);
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
