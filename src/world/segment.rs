//! A new segment: the live state moves into a new dictionary, and what only the past refers to stays behind.

use super::dict::{Account, DescRow, Dict, ImageRow, StrId, ThreadRow};
use super::engine::World;
use super::intern::Interner;
use crate::event::OwnedEvent;
use std::collections::HashMap;

/// How far chains of creators are carried over; older ones are in the segments before.
const MAX_CREATORS: usize = 16;

/// Copies rows from the dictionary of the last segment to the one of the next.
struct Carrier<'a> {
    old: &'a Dict,
    new: &'a mut Interner,
    threads: HashMap<u32, u32>,
}

impl Carrier<'_> {
    fn text(&mut self, id: StrId) -> StrId {
        self.old.strings.get(id).map_or(StrId::NONE, |text| self.new.text(text))
    }

    fn image(&mut self, row: u32) -> u32 {
        if row == 0 {
            return 0;
        }
        let image = self.old.image(row);
        let env = image.env.iter().map(|&id| self.text(id)).collect();
        let (exe, exepath, args) = (self.text(image.exe), self.text(image.exepath), self.text(image.args));
        self.new.image(&ImageRow { exe, exepath, args, env, facts: image.facts })
    }

    fn desc(&mut self, row: u32) -> u32 {
        let desc = self.old.desc(row);
        let name = self.text(desc.name);
        self.new.desc(&DescRow { name, ..desc.clone() })
    }

    /// A thread's own facts; rows of others are left out.
    fn thread(&mut self, row: &ThreadRow) -> ThreadRow {
        ThreadRow {
            comm: self.text(row.comm),
            image: self.image(row.image),
            cwd: self.text(row.cwd),
            root: self.text(row.root),
            cgroup: self.text(row.cgroup),
            parent: 0,
            creator: 0,
            leader: 0,
            session: 0,
            ..row.clone()
        }
    }

    /// A row of the past that a live thread still refers to.
    fn past(&mut self, row: u32, depth: usize) -> u32 {
        if row == 0 || depth > MAX_CREATORS {
            return 0;
        }
        if let Some(&done) = self.threads.get(&row) {
            return done;
        }
        let old = self.old.thread(row);
        let creator = self.past(old.creator, depth + 1);
        let thread = ThreadRow { creator, ..self.thread(old) };
        let new = self.new.push_thread(thread);
        self.threads.insert(row, new);
        new
    }
}

impl World {
    /// The clock that events are stamped with was set forward by `step` ns (back: negative): moments that are held to
    /// compare later events with move along.
    pub fn clock_set(&mut self, step: i64) {
        let moved = |moment: &mut u64| {
            if *moment > 0 {
                *moment = moment.saturating_add_signed(step).max(1);
            }
        };
        for thread in &mut self.threads {
            moved(&mut thread.stamp);
            moved(&mut thread.exited);
            if let Some(entered) = &mut thread.in_flight {
                let later = {
                    let mut event = entered.event();
                    moved(&mut event.time);
                    OwnedEvent::of(&event)
                };
                **entered = later;
            }
        }
        self.processes.values_mut().for_each(|process| moved(&mut process.stamp));
    }

    /// Begins a new dictionary that holds the live state only. Rows that events refer to are numbered anew.
    pub fn begin_segment(&mut self) {
        let waiting = self.waiting_descriptors();
        let old = std::mem::take(&mut self.interner);
        let mut new = Interner::new();
        let mut carrier = Carrier { old: old.dict(), new: &mut new, threads: HashMap::new() };
        for (id, name) in &old.dict().users {
            let name = carrier.text(*name);
            carrier.new.name_user(*id, name);
        }
        for (id, account) in &old.dict().accounts {
            let account = Account { home: carrier.text(account.home), shell: carrier.text(account.shell) };
            carrier.new.describe_user(*id, account);
        }
        for (id, name) in &old.dict().groups {
            let name = carrier.text(*name);
            carrier.new.name_group(*id, name);
        }
        for thread in self.threads.iter_mut().filter(|t| t.alive) {
            let creator = carrier.past(thread.row.creator, 0);
            let session = carrier.past(thread.row.session, 0);
            thread.row = ThreadRow { creator, session, ..carrier.thread(&thread.row) };
            thread.id = 0;
            thread.measured = None;
        }
        for table in self.tables.iter_mut() {
            table.renumber(|row| carrier.desc(row));
        }
        for passed in &mut self.passed {
            passed.renumber(|row| carrier.desc(row));
        }
        self.interner = new;
        self.renew_waiting(waiting);
    }
}
