//! What is not known and can be asked: threads that nobody announced, descriptors that nobody opened.
//!
//! The answer comes a little later. Until then the thread is a placeholder and the descriptor an empty row; the answer
//! completes the state from then on, and as late facts the rows that were handed on meanwhile.

use super::dict::{DescRow, StrId};
use super::engine::{Want, World};
use super::files::Slot;
use super::late::{LateFact, LateValue};
use crate::event::{Event, KindFlags, OwnedEvent, kinds};
use std::collections::{BTreeMap, VecDeque};

/// Questions whose answer may be waited for at a time.
const MOST_ASKED: usize = 4096;
/// Rows that one question is about at most: a thread that changes all the time.
const MOST_ROWS: usize = 256;
/// Questions at once.
const BURST: u64 = 512;
/// Nanoseconds of event time after which one more may be asked: a thousand a second.
const EVERY: u64 = 1_000_000;
/// `EBADF`: there is no such descriptor.
const EBADF: i64 = 9;
/// Start times in `/proc` are in ticks of the clock; a hundred a second, and both ends may be rounded.
pub(super) const TICK: u64 = 20_000_000;

/// A question that was asked.
#[derive(Debug, Default)]
struct Asked {
    /// Time of the event that made it come up, ns UTC.
    since: u64,
    /// (segment, row) that the answer will complete.
    rows: Vec<(u32, u32)>,
    /// It changed its program, its name or its user meanwhile: what it is now says nothing of the rows before.
    changed: bool,
}

/// What was asked, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    threads: BTreeMap<u32, Asked>,
    descriptors: BTreeMap<(u32, i64), Asked>,
    /// Processes in a new control group whose path is being asked for: the group's number, and rows that have the old path.
    groups: BTreeMap<u32, (u64, Vec<(u32, u32)>)>,
    waiting: VecDeque<Want>,
    /// Facts, each with the segment that it is about.
    facts: Vec<(u32, LateFact)>,
    /// How many may be asked, as of a time.
    allowance: (u64, u64),
    /// Number of the segment, from 0.
    segment: u32,
}

impl Unknown {
    fn may_ask(&mut self, now: u64) -> bool {
        let (left, at) = self.allowance;
        if at == 0 {
            self.allowance = (BURST, now);
        } else if now > at {
            let more = (now - at) / EVERY;
            self.allowance = ((left + more).min(BURST), at + more * EVERY);
        }
        let (left, at) = self.allowance;
        self.allowance = (left.saturating_sub(1), at);
        left > 0
    }

    /// Questions that the rate allows by a time, oldest first.
    pub(super) fn take(&mut self, now: u64) -> Vec<Want> {
        let mut wants = Vec::new();
        while !self.waiting.is_empty() && self.may_ask(now) {
            wants.extend(self.waiting.pop_front());
        }
        wants
    }
}

impl World {
    /// Asks who a thread is that nobody announced.
    pub(super) fn want_thread(&mut self, tid: u32, pid: u32) {
        let unknown = &mut self.unknown;
        if tid == 0 || pid == 0 || unknown.threads.len() >= MOST_ASKED {
            return;
        }
        unknown.threads.insert(tid, Asked { since: self.now, ..Asked::default() });
        unknown.waiting.push_back(Want::Thread { tid, pid });
    }

    /// Notes a row that was made of a thread whose answer has not come.
    pub(super) fn note_unknown(&mut self, index: usize, row: u32) {
        let of = &self.threads[index].row;
        let Some(asked) = self.unknown.threads.get_mut(&of.tid) else { return };
        asked.changed |= of.image != 0 || of.comm != StrId::NONE || of.uid != 0 || of.euid != 0 || of.gid != 0;
        if asked.rows.len() < MOST_ROWS {
            asked.rows.push((self.unknown.segment, row));
        }
    }

    /// Notes that the path of a process's control group is being asked for.
    pub(super) fn note_group(&mut self, pid: u32, id: u64) {
        if self.unknown.groups.len() < MOST_ASKED {
            self.unknown.groups.insert(pid, (id, Vec::new()));
        }
    }

    /// Notes a row of a process whose control group is not known yet.
    pub(super) fn note_old_group(&mut self, pid: u32, row: u32) {
        let segment = self.unknown.segment;
        if let Some((_, rows)) = self.unknown.groups.get_mut(&pid)
            && rows.len() < MOST_ROWS
        {
            rows.push((segment, row));
        }
    }

    /// A process was forked: it is in its parent's control group, known or not.
    pub(super) fn note_group_of(&mut self, pid: u32, parent: u32) {
        if pid != parent
            && let Some(&(id, _)) = self.unknown.groups.get(&parent)
        {
            self.note_group(pid, id);
        }
    }

    /// The path of a control group was told: rows that were made since it was asked for have it too. Returns the processes
    /// that were waiting for it.
    pub(super) fn group_told(&mut self, event: &Event<'_>, id: u64) -> Vec<u32> {
        let path = super::action::named_bytes(event, "path").unwrap_or_default();
        let told: Vec<u32> = self.unknown.groups.iter().filter(|(_, of)| of.0 == id).map(|(&pid, _)| pid).collect();
        for pid in &told {
            for (segment, row) in self.unknown.groups.remove(pid).map(|of| of.1).unwrap_or_default() {
                let values = vec![("cgroup".to_owned(), LateValue::Bytes(path.to_vec()))];
                let kind = kinds::SNAP_THREAD.spec().name.to_owned();
                self.unknown.facts.push((segment, LateFact { kind, back: 0, id: row, values }));
            }
        }
        told
    }

    /// A row for the descriptor that a call used and that nobody opened; 0 where the call did not use one, or failed for
    /// want of it. The machine is asked what it is.
    #[cold]
    pub(super) fn want_used(&mut self, index: usize, event: &Event<'_>) -> u32 {
        let spec = event.kind.spec();
        let Some(fd) = spec.fd.and_then(|fd| event.args.get(usize::from(fd))?.int()) else { return 0 };
        let is_gone = spec.flags.has(KindFlags::DESTROYS_FD) || event.ret == -EBADF;
        if is_gone || !spec.flags.has(KindFlags::CALL) { 0 } else { self.want_descriptor(index, fd) }
    }

    /// An empty row for a descriptor that is open and not known, which the answer will complete; 0 where too much is
    /// being asked already.
    pub(super) fn want_descriptor(&mut self, index: usize, fd: i64) -> u32 {
        let (tid, pid) = (self.threads[index].row.tid, self.threads[index].row.pid);
        let known = self.files(index).get(fd);
        if known != 0 || pid == 0 || !(0..1 << 20).contains(&fd) || self.unknown.descriptors.len() >= MOST_ASKED {
            return known;
        }
        // Whoever asks for the thread is told its descriptors too.
        let with_thread = self.unknown.threads.contains_key(&tid) || self.unknown.threads.contains_key(&pid);
        if !with_thread {
            self.unknown.waiting.push_back(Want::Descriptor { pid, fd: fd as u32 });
        }
        let row = self.interner.push_desc(DescRow::default());
        self.files(index).set(fd, Slot::of(row, false));
        let rows = vec![(self.unknown.segment, row)];
        self.unknown.descriptors.insert((pid, fd), Asked { since: self.now, rows, changed: false });
        row
    }

    /// Notes the name of a user or a group (a snapshot row) for rows that were handed on.
    pub fn tell_name(&mut self, event: &Event<'_>) {
        let id = super::action::int(event, 0) as u32;
        self.tell_late(LateFact::of(event, id, |name| name == "name"));
    }

    /// Notes what is known of something that rows which were handed on may be about.
    pub(super) fn tell_late(&mut self, fact: LateFact) {
        self.unknown.facts.push((self.unknown.segment, fact));
    }

    /// Whether anything became known of rows that were handed on already.
    pub fn has_late_facts(&self) -> bool {
        !self.unknown.facts.is_empty()
    }

    /// What became known of rows that were handed on already, since the last call.
    pub fn take_late_facts(&mut self) -> Vec<LateFact> {
        let now = self.unknown.segment;
        let facts = std::mem::take(&mut self.unknown.facts);
        facts.into_iter().map(|(segment, fact)| LateFact { back: now - segment, ..fact }).collect()
    }

    /// Takes the answer to a question in: the snapshot rows of what was found at a time (ns UTC), nothing if nothing was.
    /// Returns the rows to apply, which leave out what is known better. To be called when all events up to that time
    /// have been applied: an answer tells the state then, not before.
    pub fn answer(&mut self, want: Want, found: &[OwnedEvent]) -> Vec<OwnedEvent> {
        match want {
            Want::Thread { tid, pid } => self.answer_thread(tid, pid, found),
            Want::Descriptor { pid, fd } => {
                let found = found.iter().find(|e| e.event().kind == kinds::SNAP_FD);
                self.answer_descriptor(pid, i64::from(fd), found)
            }
            Want::User(_) | Want::Group(_) | Want::Cgroup { .. } => found.to_vec(),
        }
    }

    fn answer_thread(&mut self, tid: u32, pid: u32, found: &[OwnedEvent]) -> Vec<OwnedEvent> {
        let Some(asked) = self.unknown.threads.remove(&tid) else { return Vec::new() };
        let mut rows = Vec::new();
        for event in found.iter().filter(|e| e.event().kind == kinds::SNAP_THREAD) {
            let of = event.event();
            let start = super::action::named(&of, "start") as u64;
            if of.tid == tid && start > asked.since.saturating_add(TICK) {
                // Its id has passed to another one.
                return self.forget_descriptors(pid);
            }
            if of.tid == tid {
                self.tell_rows(&asked, &of);
            }
            if self.find(of.tid).is_some_and(|i| self.threads[i].row.placeholder) {
                rows.push(event.clone());
            }
        }
        let mut fds = BTreeMap::new();
        for event in found.iter().filter(|e| e.event().kind == kinds::SNAP_FD) {
            fds.insert(super::action::named(&event.event(), "fd"), event);
        }
        let waiting: Vec<i64> =
            self.unknown.descriptors.range((pid, 0)..=(pid, i64::MAX)).map(|((_, fd), _)| *fd).collect();
        for fd in waiting {
            rows.extend(self.answer_descriptor(pid, fd, fds.remove(&fd)));
        }
        // What it opened since it was seen first is known; the rest was open before.
        if let Some(index) = self.find(tid) {
            let table = self.tables.get(self.threads[index].files);
            rows.extend(fds.into_iter().filter(|(fd, _)| table.get(*fd) == 0).map(|(_, event)| event.clone()));
        }
        rows
    }

    fn forget_descriptors(&mut self, pid: u32) -> Vec<OwnedEvent> {
        self.unknown.descriptors.retain(|(of, _), _| *of != pid);
        Vec::new()
    }

    /// The facts for rows of a thread that was a placeholder.
    fn tell_rows(&mut self, asked: &Asked, event: &Event<'_>) {
        const LASTING: [&str; 7] = ["vtid", "vpid", "ppid", "sid", "pgid", "loginuid", "start"];
        for &(segment, row) in &asked.rows {
            let tells = |name: &str| match name {
                "tid" | "pid" | "cputime" | "scanned" => false,
                _ if name.starts_with("vm_") || name.starts_with("pgft_") => false,
                _ if name.ends_with("ns") => false,
                _ => !asked.changed || LASTING.contains(&name),
            };
            let fact = LateFact::of(event, row, tells);
            self.unknown.facts.push((segment, fact));
        }
    }

    fn answer_descriptor(&mut self, pid: u32, fd: i64, found: Option<&OwnedEvent>) -> Vec<OwnedEvent> {
        let Some(asked) = self.unknown.descriptors.remove(&(pid, fd)) else { return Vec::new() };
        let (Some(found), Some(&(_, last))) = (found, asked.rows.last()) else { return Vec::new() };
        // A number that was closed or opened anew since then is something else now.
        let is_same = self.find(pid).is_some_and(|i| self.tables.get(self.threads[i].files).get(fd) == last);
        if !is_same {
            return Vec::new();
        }
        let event = found.event();
        for &(segment, row) in &asked.rows {
            let fact = LateFact::of(&event, row, |name| !matches!(name, "fd" | "cloexec"));
            self.unknown.facts.push((segment, fact));
        }
        self.copies(last).into_iter().map(|(pid, fd)| renumbered(&event, pid, fd)).collect()
    }

    /// Every descriptor that refers to a row, as (process, number): copies were made of it meanwhile.
    fn copies(&self, row: u32) -> Vec<(u32, i64)> {
        let mut copies = Vec::new();
        for thread in self.threads.iter().filter(|t| t.alive && t.row.tid == t.row.pid) {
            let open = self.tables.get(thread.files).open();
            copies.extend(open.filter(|(_, slot)| slot.desc == row).map(|(fd, _)| (thread.row.pid, fd)));
        }
        copies.sort_unstable();
        copies
    }

    /// Descriptors that still wait for their answer, to be given new rows in the next segment.
    pub(super) fn waiting_descriptors(&self) -> Vec<(u32, i64)> {
        let waits = |(&(pid, fd), asked): (&(u32, i64), &Asked)| {
            let index = self.find(pid)?;
            let row = self.tables.get(self.threads[index].files).get(fd);
            asked.rows.last().is_some_and(|last| last.1 == row).then_some((pid, fd))
        };
        self.unknown.descriptors.iter().filter_map(waits).collect()
    }

    /// A new segment has begun: each descriptor that waits has an empty row of its own in it.
    pub(super) fn renew_waiting(&mut self, waiting: Vec<(u32, i64)>) {
        self.unknown.segment += 1;
        for (pid, fd) in waiting {
            let Some(index) = self.find(pid) else { continue };
            let row = self.interner.push_desc(DescRow::default());
            let slot = self.files(index).slot(fd);
            self.files(index).set(fd, Slot { desc: row, ..slot });
            if let Some(asked) = self.unknown.descriptors.get_mut(&(pid, fd))
                && asked.rows.len() < MOST_ROWS
            {
                asked.rows.push((self.unknown.segment, row));
            }
        }
    }
}

/// A row about a descriptor, of another process or under another number.
fn renumbered(event: &Event<'_>, pid: u32, fd: i64) -> OwnedEvent {
    let mut event = Event { args: event.args.clone(), tid: pid, pid, ..*event };
    if let Some(number) = event.args.first_mut() {
        *number = crate::event::Arg::Int(fd);
    }
    OwnedEvent::of(&event)
}
