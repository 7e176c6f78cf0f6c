//! Retention: audit events of a reel that are older than they are to be kept go, or lose their bodies.

use super::assembler::Assembler;
use super::error::Error;
use super::import::{beside_a_writer, temporary};
use crate::batch::{Columns, Row};
use crate::event::{Arg, AuditPart, Event, Splitter, join_audit, kinds};
use crate::policy::{Fate, Keep, without_bodies};
use crate::reel::{self, Header, Pruned, Reader, Totals, Writer, is_recorded, part_of};
use crossbeam_channel::Receiver;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What retention makes of a reel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PruneCounts {
    /// Audit events that it has.
    pub events: u64,
    /// Of them, those that go.
    pub gone: u64,
    /// Of them, those that lose their response, and those that lose both bodies.
    pub bodies: [u64; 2],
    /// Bytes of the file before, and after; 0: the file goes.
    pub bytes: [u64; 2],
}

impl PruneCounts {
    /// Whether the reel stays as it is.
    pub fn is_nothing(&self) -> bool {
        self.gone == 0 && self.bodies == [0, 0]
    }
}

impl std::fmt::Display for PruneCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [before, after] = self.bytes;
        let saved = before.saturating_sub(after);
        write!(
            f,
            "of {} audit events {} went, {} lost their response and {} both bodies: {saved} of {before} bytes",
            self.events, self.gone, self.bodies[0], self.bodies[1]
        )
    }
}

/// Takes out of a reel what is older than `keep` says, as of `now` (ns UTC): the reel is written anew beside itself, reaches the
/// disk, and takes its own place in one step; a reel of which nothing is left is removed. `dry_run`: only says what that would
/// come to.
///
/// # Errors
/// Somebody records into it; it is damaged, or has system calls too; it cannot be read or written.
pub fn prune(path: &Path, keep: &Keep, now: u64, dry_run: bool) -> Result<PruneCounts, Error> {
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if is_recorded(path) {
        return Err(Error::Busy(path.clone()));
    }
    let reader = Reader::open(path).map_err(|error| Error::Read { path: path.clone(), error })?;
    let old = Old { path, reader: &reader, keep, now };
    let mut counts = old.survey()?;
    if counts.is_nothing() {
        return Ok(counts);
    }
    let header = old.header(&counts);
    if counts.gone == counts.events {
        if !dry_run {
            std::fs::remove_file(path).map_err(|source| io(path, source))?;
        }
        return Ok(counts);
    }
    counts.bytes[1] = if dry_run {
        let nameless = temporary().map_err(|source| io(path, source))?;
        let writer = Writer::new(nameless, &header).map_err(|error| Error::Write { path: path.clone(), error })?;
        old.rewrite(writer)?.bytes
    } else {
        old.replace(&header)?
    };
    Ok(counts)
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Write { path: path.to_owned(), error: reel::Error::Io { path: path.to_owned(), source } }
}

/// A reel that something is taken out of.
struct Old<'a> {
    path: &'a PathBuf,
    reader: &'a Reader,
    keep: &'a Keep,
    now: u64,
}

impl Old<'_> {
    /// What becomes of its events.
    fn survey(&self) -> Result<PruneCounts, Error> {
        let damaged = |what: String| Error::Damaged { path: self.path.clone(), what };
        if let Some(damage) = self.reader.damages().first() {
            return Err(damaged(damage.to_string()));
        }
        if self.reader.headers().len() > 1 {
            return Err(damaged("several reels in one file".to_owned()));
        }
        let size = self.reader.size();
        let mut counts = PruneCounts { bytes: [size, size], ..PruneCounts::default() };
        let (mut others, mut env) = (false, Vec::new());
        for segment in 0..self.reader.segments().len() {
            others |= self.reader.snapshots(segment).next().is_some();
            if others {
                break;
            }
            for batch in self.reader.batches(segment) {
                let batch = batch.map_err(|error| damaged(error.to_string()))?;
                let each = |row: Row<'_>| {
                    let event = row.event(&mut env);
                    if event.kind != kinds::K8SAUDIT {
                        others |= event.kind != kinds::LOSS;
                        return;
                    }
                    counts.events += 1;
                    match self.fate(&event) {
                        Fate::Gone => counts.gone += 1,
                        Fate::NoResponse => counts.bodies[0] += 1,
                        Fate::NoBodies => counts.bodies[1] += 1,
                        Fate::Whole => {}
                    }
                };
                batch.for_each_row(each).map_err(|error| damaged(error.to_string()))?;
                if let Some(error) = batch.damage() {
                    return Err(damaged(error.to_string()));
                }
                if others {
                    break;
                }
            }
        }
        if others {
            return Err(Error::Mixed(self.path.clone()));
        }
        if counts.gone == counts.events && counts.events > 0 {
            counts.bytes[1] = 0;
        }
        Ok(counts)
    }

    fn fate(&self, event: &Event<'_>) -> Fate {
        let part = |part: AuditPart| event.args.get(part.place()).copied().unwrap_or(Arg::Missing);
        self.keep.fate(part, self.now.saturating_sub(event.time))
    }

    fn header(&self, counts: &PruneCounts) -> Header {
        let old = self.reader.header();
        let before =
            old.pruned.clone().unwrap_or_else(|| Pruned { hash: self.reader.last_hash(), ..Pruned::default() });
        let pruned = Pruned {
            time: self.now,
            keep: self.keep.text().to_owned(),
            events: before.events + counts.gone,
            bodies: [before.bodies[0] + counts.bodies[0], before.bodies[1] + counts.bodies[1]],
            ..before
        };
        Header { pruned: Some(pruned), ..old.clone() }
    }

    /// Puts what is left in its place; returns its bytes.
    fn replace(&self, header: &Header) -> Result<u64, Error> {
        let part = part_of(self.path);
        let failed = |error| Error::Write { path: self.path.clone(), error };
        let before = std::fs::metadata(self.path).map_err(|source| io(self.path, source))?;
        let writer = Writer::beside(self.path, header).map_err(failed)?;
        let held = writer.hold();
        let replaced = self.rewrite(writer).and_then(|totals| {
            if let Some(file) = &held {
                file.set_permissions(before.permissions()).map_err(|source| io(self.path, source))?;
                // Whoever may not give files away keeps it as their own.
                std::os::unix::fs::chown(&part, Some(before.uid()), Some(before.gid())).ok();
                file.sync_all().map_err(|source| io(self.path, source))?;
            }
            let is_same = |now: &std::fs::Metadata| (now.dev(), now.ino()) == (before.dev(), before.ino());
            if !std::fs::metadata(self.path).is_ok_and(|now| is_same(&now)) {
                // A ring took it away meanwhile, or put another in its place.
                return Err(Error::Busy(self.path.clone()));
            }
            std::fs::rename(&part, self.path).map_err(|source| io(self.path, source))?;
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).ok();
            Ok(totals.bytes)
        });
        if replaced.is_err() {
            std::fs::remove_file(&part).ok();
        }
        replaced
    }

    fn rewrite(&self, writer: Writer) -> Result<Totals, Error> {
        let read = |assembler, recycle| self.read_all(Into { assembler, recycle, splitter: Splitter::default() });
        Ok(beside_a_writer(writer, read)?.1)
    }

    fn read_all(&self, mut into: Into) -> Result<(), Error> {
        let damaged = |what: String| Error::Damaged { path: self.path.clone(), what };
        let mut env = Vec::new();
        for segment in 0..self.reader.segments().len() {
            for batch in self.reader.batches(segment) {
                let batch = batch.map_err(|error| damaged(error.to_string()))?;
                let mut taken = Ok(());
                let each = |row: Row<'_>| {
                    let event = row.event(&mut env);
                    let fate = if event.kind == kinds::K8SAUDIT { self.fate(&event) } else { Fate::Whole };
                    if taken.is_ok() {
                        taken = into.take(&event, row.num(), fate);
                    }
                };
                batch.for_each_row(each).map_err(|error| damaged(error.to_string()))?;
                taken?;
            }
        }
        into.assembler.begin(self.reader.header().started)?;
        for note in self.reader.notes() {
            into.assembler.note(&note.text)?;
        }
        into.assembler.finish(into.assembler.latest())
    }
}

/// Events into an assembler.
struct Into {
    assembler: Assembler<Error>,
    recycle: Receiver<Columns>,
    splitter: Splitter,
}

impl Into {
    fn take(&mut self, event: &Event<'_>, num: u64, fate: Fate) -> Result<(), Error> {
        match fate {
            Fate::Gone => return Ok(()),
            Fate::Whole => self.assembler.numbered(event, num)?,
            Fate::NoResponse | Fate::NoBodies => {
                let part = |part: AuditPart| event.args.get(part.place()).copied().unwrap_or(Arg::Missing);
                let mut text = Vec::new();
                join_audit(part, event.time, event.duration, &mut text);
                let less = without_bodies(&text, fate == Fate::NoBodies);
                match less.as_deref().map(|text| self.splitter.split_at(text, event.time)) {
                    Some(Ok(less)) => self.assembler.numbered(&Event { flags: event.flags, ..less }, num)?,
                    _ => self.assembler.numbered(event, num)?,
                }
            }
        }
        if self.assembler.open_rows() == 0 {
            self.assembler.take_wants();
            while let Ok(columns) = self.recycle.try_recv() {
                self.assembler.recycle(columns);
            }
        }
        Ok(())
    }
}
