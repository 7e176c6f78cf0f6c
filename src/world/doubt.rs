//! Doubt after a loss: what was lost may have changed anything, until a rescan of the machine says how it is.
//!
//! A rescan shows each process as it was at one moment. By the time it is looked at, events after that moment have been
//! applied too, so for each thing both times count: the journal notes when an event changed it, and whatever is younger
//! wins. What a rescan finds to be otherwise comes back as snapshot rows, which go the way of all events.

use super::action::{int, named};
use super::dict::{DescKind, DescRow, ImageRow, StrId, ThreadRow};
use super::engine::{Effect, World};
use super::snapshot::{fill_desc, fill_thread, head};
use super::wants::TICK;
use crate::event::{Event, KindFlags, OwnedArg, OwnedEvent, ParamType, kinds};
use std::collections::{BTreeMap, BTreeSet};

/// Changes that are noted at most; past it the rescan that waits for them is no use, and another one follows.
const MOST_NOTED: usize = 1 << 18;

/// When things changed, ns UTC, while somebody has to know.
#[derive(Debug, Default)]
struct Journal {
    /// Descriptors, by table and number.
    descriptors: BTreeMap<(u32, i64), u64>,
    /// Ranges of descriptors: table, first and last number.
    ranges: Vec<(u32, i64, i64, u64)>,
    /// Execs, by table: what is closed then is not told one by one.
    execs: BTreeMap<u32, u64>,
    /// Processes whose own facts changed.
    changed: BTreeMap<u32, u64>,
    /// Threads that were forked, or ran another program.
    begun: BTreeMap<u32, u64>,
    ended: BTreeMap<u32, u64>,
    is_full: bool,
}

impl Journal {
    fn touched(&self, table: u32, fd: i64) -> u64 {
        let one = self.descriptors.get(&(table, fd)).copied().unwrap_or(0);
        let ranges = self.ranges.iter().filter(|r| r.0 == table && (r.1..=r.2).contains(&fd)).map(|r| r.3);
        ranges.fold(one, u64::max)
    }

    fn len(&self) -> usize {
        self.descriptors.len() + self.ranges.len() + self.changed.len() + self.begun.len() + self.ended.len()
    }
}

fn after(times: &BTreeMap<u32, u64>, id: u32, time: u64) -> bool {
    times.get(&id).is_some_and(|at| *at > time)
}

/// Since when the state is in doubt, and what changed since.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// When the last loss was noticed, ns UTC; 0 none.
    lost: u64,
    /// The last rescan that was taken in began at this time, ns UTC.
    confirmed: u64,
    journal: Option<Box<Journal>>,
}

/// What a rescan found.
#[derive(Default)]
struct Scan<'a> {
    threads: BTreeMap<u32, Event<'a>>,
    descriptors: BTreeMap<u32, BTreeMap<i64, Event<'a>>>,
}

impl<'a> Scan<'a> {
    fn of(found: &'a [OwnedEvent]) -> Scan<'a> {
        let mut scan = Scan::default();
        for event in found.iter().map(OwnedEvent::event) {
            match event.kind {
                kinds::SNAP_THREAD => {
                    scan.threads.insert(event.tid, event);
                }
                kinds::SNAP_FD => {
                    scan.descriptors.entry(event.pid).or_default().insert(int(&event, 0), event);
                }
                _ => {}
            }
        }
        scan
    }
}

impl World {
    /// Events were lost; noticed at a time (ns UTC). From now on changes are noted.
    pub fn lost(&mut self, time: u64) {
        self.doubt.lost = self.doubt.lost.max(time);
        self.doubt.journal.get_or_insert_default();
    }

    /// Whether events were lost since the last rescan began.
    pub fn is_in_doubt(&self) -> bool {
        self.doubt.lost > self.doubt.confirmed
    }

    /// Whether an event's thread or descriptor has been neither seen to begin nor confirmed since the last loss.
    pub fn is_doubtful(&self, event: &Event<'_>, effect: Effect) -> bool {
        let Some(journal) = self.doubt.journal.as_ref().filter(|_| self.is_in_doubt()) else { return false };
        let flags = event.kind.spec().flags;
        // What the recorder says itself is about no thread that could be another one.
        if event.tid == 0 || flags.has(KindFlags::INTERNAL) || flags.has(KindFlags::SNAPSHOT) {
            return false;
        }
        let is_new = after(&journal.begun, event.tid, self.doubt.lost);
        let fd = event.kind.spec().fd.map(|fd| int(event, fd)).filter(|_| effect.desc != 0);
        let is_opened = match (fd, self.find(event.tid)) {
            (Some(fd), Some(index)) => journal.touched(self.threads[index].files, fd) > self.doubt.lost,
            _ => true,
        };
        !(is_new && is_opened)
    }

    /// Notes what an event that was applied has changed.
    #[cold]
    pub(super) fn note_change(&mut self, event: &Event<'_>) {
        let spec = event.kind.spec();
        let Some(index) = self.find(event.tid) else { return };
        let (table, pid) = (self.threads[index].files, self.threads[index].row.pid);
        let Some(journal) = self.doubt.journal.as_mut() else { return };
        if journal.len() >= MOST_NOTED {
            **journal = Journal { is_full: true, ..Journal::default() };
        }
        if journal.is_full || !spec.flags.has(KindFlags::STATE) {
            return;
        }
        let time = event.time;
        match event.kind {
            kinds::PROCFORK => {
                let (tid, pid) = (named(event, "child_tid") as u32, named(event, "child_pid") as u32);
                journal.begun.insert(tid, time);
                journal.ended.remove(&tid);
                journal.changed.insert(pid, time);
            }
            kinds::PROCEXIT => {
                journal.ended.insert(event.tid, time);
                // Its children have another parent from now on.
                journal.changed.insert(pid, time);
            }
            kinds::EXECVE | kinds::EXECVEAT if event.ret == 0 => {
                journal.execs.insert(table, time);
                journal.begun.insert(event.tid, time);
                journal.changed.insert(pid, time);
            }
            kinds::CLOSE_RANGE => {
                let (first, last) = (named(event, "first") as u32, named(event, "last") as u32);
                journal.ranges.push((table, i64::from(first), i64::from(last), time));
            }
            _ if spec.flags.has(KindFlags::CREATES_FD) || spec.fd.is_some() => {
                let fds = spec.params.iter().zip(&event.args).filter(|(p, _)| p.ty == ParamType::Fd);
                let all = fds.filter_map(|(_, arg)| arg.int()).chain([event.ret]).filter(|fd| *fd >= 0);
                journal.descriptors.extend(all.map(|fd| ((table, fd), time)));
            }
            _ => {
                journal.changed.insert(pid, time);
            }
        }
    }

    /// Whether changes are being noted.
    pub(super) fn is_noting(&self) -> bool {
        self.doubt.journal.is_some()
    }

    /// Notes a thread that turned up without having been announced.
    pub(super) fn note_found(&mut self, tid: u32) {
        let now = self.now;
        if let Some(journal) = &mut self.doubt.journal {
            journal.begun.entry(tid).or_insert(now);
        }
    }

    /// Compares the state with a rescan that began at a time (ns UTC): its snapshot rows, each with the time at which it
    /// was seen. Returns the rows that put right what is otherwise; they are to be applied as events. To be called when
    /// all events up to the end of the rescan have been applied.
    pub fn rescanned(&mut self, found: &[OwnedEvent], begun: u64) -> Vec<OwnedEvent> {
        let Some(journal) = self.doubt.journal.take() else { return Vec::new() };
        if journal.is_full {
            self.doubt.journal = Some(Box::default());
            return Vec::new();
        }
        let scan = Scan::of(found);
        let mut rows = self.vanished(&journal, &scan, begun);
        let gone: BTreeSet<u32> = rows.iter().map(|e| e.event().tid).collect();
        for first in [true, false] {
            for (tid, event) in scan.threads.iter().filter(|(tid, e)| (**tid == e.pid) == first) {
                if !after(&journal.ended, *tid, event.time) {
                    rows.extend(self.differing_thread(&journal, event, gone.contains(tid)));
                }
            }
        }
        for (pid, fds) in &scan.descriptors {
            if scan.threads.get(pid).is_some_and(|e| !after(&journal.ended, *pid, e.time)) {
                self.differing_descriptors(&journal, *pid, fds, &mut rows);
            }
        }
        for (pid, event) in
            scan.threads.iter().filter(|(tid, e)| **tid == e.pid && !scan.descriptors.contains_key(*tid))
        {
            if !after(&journal.ended, *pid, event.time) {
                self.differing_descriptors(&journal, *pid, &BTreeMap::new(), &mut rows);
            }
        }
        self.doubt.confirmed = self.doubt.confirmed.max(begun);
        if self.is_in_doubt() {
            self.doubt.journal = Some(journal);
        }
        rows
    }

    /// Threads that a rescan should have found.
    fn vanished(&self, journal: &Journal, scan: &Scan<'_>, begun: u64) -> Vec<OwnedEvent> {
        let known = self.live_threads().into_iter().filter(|(tid, pid)| *tid != 0 && *pid != 0);
        let missing = known.filter(|(tid, _)| !scan.threads.contains_key(tid) && !after(&journal.begun, *tid, begun));
        missing.map(|(tid, pid)| self.gone_row(tid, pid)).collect()
    }

    fn gone_row(&self, tid: u32, pid: u32) -> OwnedEvent {
        let args = vec![OwnedArg::Int(i64::from(tid)), OwnedArg::Int(i64::from(pid))];
        OwnedEvent::new(&head(kinds::SNAP_GONE, self.now, tid, pid), args)
    }

    fn differing_thread(&mut self, journal: &Journal, event: &Event<'_>, is_gone: bool) -> Vec<OwnedEvent> {
        let Some(index) = self.find(event.tid).filter(|_| !is_gone) else { return vec![OwnedEvent::of(event)] };
        let thread = &self.threads[index].row;
        let start = named(event, "start") as u64;
        if !thread.placeholder && thread.start != 0 && thread.start.abs_diff(start) > TICK {
            if after(&journal.begun, event.tid, event.time) {
                return Vec::new();
            }
            return vec![self.gone_row(event.tid, thread.pid), OwnedEvent::of(event)];
        }
        if after(&journal.changed, thread.pid, event.time) {
            return Vec::new();
        }
        let known = thread.clone();
        let mut image = ImageRow::default();
        let mut row = known.clone();
        fill_thread(&mut row, &mut image, event, &mut |text| self.interner.text(text));
        if self.is_same_thread(&known, &row, &image) { Vec::new() } else { vec![OwnedEvent::of(event)] }
    }

    /// Paths of executables are as they were named in one, and without links in the other: the arguments tell.
    fn is_same_thread(&self, known: &ThreadRow, found: &ThreadRow, image: &ImageRow) -> bool {
        let running = self.dict().image(known.image);
        let slash = |id: StrId| self.dict().text(id) == b"/" || id == StrId::NONE;
        let roots = known.root == found.root || slash(known.root) && slash(found.root);
        let normal = |row: &ThreadRow| ThreadRow {
            root: StrId::NONE,
            start: 0,
            image: 0,
            fdlimit: 0,
            caps: None,
            ..row.clone()
        };
        !known.placeholder
            && roots
            && (running.exe, running.args) == (image.exe, image.args)
            && normal(known) == normal(found)
    }

    fn differing_descriptors(
        &mut self,
        journal: &Journal,
        pid: u32,
        fds: &BTreeMap<i64, Event<'_>>,
        rows: &mut Vec<OwnedEvent>,
    ) {
        let Some(index) = self.find(pid) else {
            rows.extend(fds.values().map(OwnedEvent::of));
            return;
        };
        let table = self.threads[index].files;
        let time = fds.values().next().map_or(self.doubt.lost, |e| e.time);
        let is_younger = |fd: i64| journal.touched(table, fd) > time || after(&journal.execs, table, time);
        let open: BTreeMap<i64, u32> = self.tables.get(table).open().map(|(fd, slot)| (fd, slot.desc)).collect();
        for (fd, event) in fds.iter().filter(|(fd, _)| !is_younger(**fd)) {
            let mut found = DescRow::default();
            fill_desc(&mut found, event, &mut |text| self.interner.text(text));
            let known = open.get(fd).map(|row| self.dict().desc(*row));
            if !known.is_some_and(|known| is_same(known, &found, |id| self.dict().text(id))) {
                rows.push(OwnedEvent::of(event));
            }
        }
        for fd in open.keys().filter(|fd| !fds.contains_key(fd) && !is_younger(**fd)) {
            let args = vec![OwnedArg::Int(*fd)];
            rows.push(OwnedEvent::new(&head(kinds::SNAP_CLOSED, self.now, pid, pid), args));
        }
    }
}

/// Whether a descriptor that is known and one that was found are one file: each source knows some facts only.
fn is_same<'a>(known: &DescRow, found: &DescRow, text: impl Fn(StrId) -> &'a [u8]) -> bool {
    use DescKind::{Directory, File, Ipv4, Ipv6, Pipe, Socket, Unix, Unknown};
    let is_path = |kind| matches!(kind, File | Directory);
    let is_socket = |kind| matches!(kind, Ipv4 | Ipv6 | Unix | Socket | DescKind::Netlink);
    if is_path(known.kind) && is_path(found.kind) {
        return text(known.name) == text(found.name);
    }
    if is_socket(known.kind) && is_socket(found.kind) {
        let both = |a: u64, b: u64| a != 0 && b != 0;
        if both(known.ino, found.ino) {
            return known.ino == found.ino;
        }
        let is_general = known.kind == Socket || found.kind == Socket;
        return is_general || known.kind == found.kind && is_same_socket(known, found, text);
    }
    match known.kind {
        Unknown => found.kind == Unknown && !known.is_unknown(),
        Pipe => found.kind == Pipe && (known.ino == found.ino || known.ino == 0),
        kind => kind == found.kind,
    }
}

fn is_same_socket<'a>(known: &DescRow, found: &DescRow, text: impl Fn(StrId) -> &'a [u8]) -> bool {
    if known.kind == DescKind::Unix {
        let names = (text(known.name), text(found.name));
        return names.0 == names.1 || names.0.is_empty() || names.1.is_empty();
    }
    let ports = |row: &DescRow| {
        let mut ports = [row.client, row.server].map(|end| end.map_or(0, |end| end.port));
        ports.sort_unstable();
        ports
    };
    ports(known) == ports(found)
}
