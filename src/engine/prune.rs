//! Retention: audit events of a reel that are older than they are to be kept go, or lose their bodies. All else that is
//! recorded beside them stays.

use super::error::Error;
use super::import::temporary;
use super::lessen::{Lessen, audit_kind};
use crate::batch::{Batch, Row};
use crate::event::{Arg, AuditPart, kinds};
use crate::policy::{Fate, Keep};
use crate::reel::{self, Header, Pruned, Reader, Totals, Writer, is_recorded, part_of};
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
    /// Whether something else was recorded beside them: system calls, the state at the start.
    pub others: bool,
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
/// Somebody records into it; it is damaged; it cannot be read or written.
pub fn prune(path: &Path, keep: &Keep, now: u64, dry_run: bool) -> Result<PruneCounts, Error> {
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if is_recorded(path) {
        return Err(Error::Busy(path.clone()));
    }
    let reader = Reader::open(path).map_err(|error| Error::Read { path: path.clone(), error })?;
    let old = Old { path, reader: &reader, keep, now };
    old.is_whole()?;
    let mut counts = old.survey()?;
    if counts.is_nothing() {
        return Ok(counts);
    }
    let header = old.header(&counts);
    if counts.gone == counts.events && !counts.others {
        counts.bytes[1] = 0;
        if !dry_run {
            std::fs::remove_file(path).map_err(|source| io(path, source))?;
        }
        return Ok(counts);
    }
    counts.bytes[1] = if dry_run {
        let nameless = temporary().map_err(|source| io(path, source))?;
        let writer = Writer::new(nameless, &header).map_err(|error| Error::Write { path: path.clone(), error })?;
        old.lessen(writer)?.bytes
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
    fn is_whole(&self) -> Result<(), Error> {
        match self.reader.damages().first() {
            Some(damage) => Err(self.damaged(&damage)),
            None if self.reader.headers().len() > 1 => Err(self.damaged(&"several reels in one file")),
            None => Ok(()),
        }
    }

    fn damaged(&self, what: &dyn std::fmt::Display) -> Error {
        Error::Damaged { path: self.path.clone(), what: what.to_string() }
    }

    /// What becomes of its events.
    fn survey(&self) -> Result<PruneCounts, Error> {
        let size = self.reader.size();
        let mut counts = PruneCounts { bytes: [size, size], ..PruneCounts::default() };
        for (index, segment) in self.reader.segments().iter().enumerate() {
            counts.others |= !segment.snapshots.is_empty();
            if let Some(schema) = &segment.schema {
                let others = |kind: u16| {
                    let info = schema.kinds.get(usize::from(kind));
                    ![kinds::K8SAUDIT, kinds::LOSS].iter().any(|own| info.is_some_and(|i| i.name == own.spec().name))
                };
                let heads = self.reader.heads(index).map_err(|error| self.damaged(&error))?;
                counts.others |= heads.iter().flatten().flat_map(|head| &head.kinds).any(|kind| others(kind.kind));
            }
            for fate in self.fates(index)?.iter().flatten().flatten() {
                match fate {
                    Fate::Gone => counts.gone += 1,
                    Fate::NoResponse => counts.bodies[0] += 1,
                    Fate::NoBodies => counts.bodies[1] += 1,
                    Fate::Whole => {}
                }
                counts.events += 1;
            }
        }
        Ok(counts)
    }

    /// What becomes of the events of each batch of a segment, by position in their table; `None` where it has none.
    fn fates(&self, segment: usize) -> Result<Vec<Option<Vec<Fate>>>, Error> {
        let damaged = |error: &dyn std::fmt::Display| self.damaged(error);
        let info = self.reader.segment(segment).map_err(|error| damaged(&error))?;
        let heads = self.reader.heads(segment).map_err(|error| damaged(&error))?;
        let mut dict = None;
        let mut fates = Vec::with_capacity(info.batches.len());
        for (at, head) in info.batches.iter().zip(heads.iter()) {
            if head.as_ref().is_some_and(|head| audit_kind(info, head).is_none()) {
                fates.push(None);
                continue;
            }
            let batch = self.reader.batch_with(segment, at, &mut dict).map_err(|error| damaged(&error))?;
            fates.push(audit_kind(info, batch.head()).map(|kind| self.fates_in(&batch, kind)).transpose()?);
        }
        Ok(fates)
    }

    fn fates_in(&self, batch: &Batch, kind: usize) -> Result<Vec<Fate>, Error> {
        let info = batch.kind_info(kind);
        let places: Vec<Option<usize>> =
            AuditPart::all().map(|part| info.params.iter().position(|param| param.name == part.name())).collect();
        let mut fates = Vec::new();
        let each = |row: Row<'_>| {
            if row.kind != kind {
                return;
            }
            // Whether there is a body is all that counts of it.
            let part = |part: AuditPart| match (part, places[part.place()]) {
                (_, None) => Arg::Missing,
                (AuditPart::Request | AuditPart::Response, Some(place)) if !row.is_missing(place) => Arg::Bytes(&[]),
                (_, Some(place)) => row.arg(place),
            };
            fates.push(self.keep.fate(part, self.now.saturating_sub(row.time())));
        };
        batch.for_each_row(each).map_err(|error| self.damaged(&error))?;
        batch.damage().map_or(Ok(fates), |error| Err(self.damaged(error)))
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
        let replaced = self.lessen(writer).and_then(|totals| {
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

    fn lessen(&self, writer: Writer) -> Result<Totals, Error> {
        let mut lessen = Lessen::new(self.path, self.reader, writer);
        for segment in 0..self.reader.segments().len() {
            lessen.segment(segment, self.fates(segment)?)?;
        }
        lessen.finish()
    }
}
