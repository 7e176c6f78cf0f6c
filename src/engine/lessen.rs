//! [`Lessen`]: a reel without some of its audit events, or with less of them.
//!
//! Batches of which nothing goes are copied as they stand. Everything keeps its number: events, segments (late facts count
//! them) and the texts of the dictionary, of which those are emptied that nothing refers to any more.

use super::error::Error;
use super::repack::Open;
use crate::batch::{Batch, Change, Columns, Encoder, Head, NewValue, Row};
use crate::event::{Arg, AuditPart, Class, Event, Splitter, join_audit, kinds};
use crate::policy::{Fate, without_bodies};
use crate::reel::{self, Aside, BatchRef, Part, Reader, SegmentInfo, Totals, Writer};
use crate::world::{Delta, StrId, Used};
use std::collections::HashMap;
use std::path::Path;

/// The number of audit events among the kinds of a batch, if it has such.
pub(super) fn audit_kind(segment: &SegmentInfo, head: &Head) -> Option<usize> {
    let kinds = &segment.schema.as_ref()?.kinds;
    let is_audit = |kind: u16| kinds.get(usize::from(kind)).is_some_and(|k| k.name == kinds::K8SAUDIT.spec().name);
    head.kinds.iter().position(|kind| is_audit(kind.kind))
}

/// What becomes of the audit events of a batch, by their positions; `None`: there are none.
type Fates = Option<Vec<Fate>>;

/// Whether a batch is other than it was.
fn is_changed(fates: &[Fate]) -> bool {
    fates.iter().any(|fate| *fate != Fate::Whole)
}

/// Writes a reel with less in it.
pub(super) struct Lessen<'a> {
    path: &'a Path,
    reader: &'a Reader,
    writer: Writer,
    encoder: Encoder,
    splitter: Splitter,
}

impl<'a> Lessen<'a> {
    /// Nothing of the reel is written yet.
    pub(super) fn new(path: &'a Path, reader: &'a Reader, writer: Writer) -> Lessen<'a> {
        Lessen { path, reader, writer, encoder: Encoder::new(), splitter: Splitter::default() }
    }

    /// Writes the next segment; `fates` has an element for each of its batches of events.
    pub(super) fn segment(&mut self, index: usize, fates: Vec<Fates>) -> Result<(), Error> {
        let wrong = Wrong(self.path);
        let parts = self.reader.parts(index).map_err(|error| wrong.read(&error))?;
        let info = self.reader.segment(index).map_err(|error| wrong.read(&error))?;
        let schema = info.schema.as_ref().ok_or_else(|| wrong.read(&"its kinds are lost"))?;
        if !is_needed(info, &parts, &fates) {
            return asides(parts).try_for_each(|aside| self.writer.aside(&aside)).map_err(|error| wrong.write(error));
        }
        self.writer.begin_segment(schema, &info.clocks).map_err(|error| wrong.write(error))?;
        let mut texts = self.dictionary(index, &fates)?;
        let (reader, mut fates, mut dict) = (self.reader, fates.into_iter(), None);
        let mut open = Open::new(schema, &mut self.writer, &mut self.encoder);
        let durations = reader.durations(index).map_err(|error| wrong.read(&error))?;
        let stored = |at: &BatchRef| reader.stored(index, at, &durations).map_err(|error| wrong.read(&error));
        for part in parts {
            let done = match part {
                Part::Snapshot(at) => open.writer().snapshot(&stored(&at)?),
                Part::Aside(aside) => open.writer().aside(&aside),
                Part::Batch(at) => match fates.next().flatten().filter(|fates| is_changed(fates)) {
                    None => {
                        let stored = stored(&at)?;
                        open.write().and_then(|()| open.writer().batch(&stored))
                    }
                    Some(fates) => {
                        let batch = reader.batch_with(index, &at, &mut dict).map_err(|error| wrong.read(&error))?;
                        let kind = audit_kind(info, batch.head()).unwrap_or(usize::MAX);
                        let mut less = Less { batch: &batch, kind, texts: &mut texts, splitter: &mut self.splitter };
                        let columns = less.columns(&fates).map_err(|what| wrong.read(&what))?;
                        let texts = open.writer().dictionary(&texts.take());
                        if columns.rows() == 0 { texts } else { texts.and_then(|()| open.take(columns)) }
                    }
                },
            };
            done.map_err(|error| wrong.write(error))?;
        }
        open.write().map_err(|error| wrong.write(error))
    }

    /// Ends the reel.
    pub(super) fn finish(self) -> Result<Totals, Error> {
        self.writer.finish().map_err(|error| Wrong(self.path).write(error))
    }

    /// Writes a segment's dictionary without the texts that only what goes refers to. It stands as a whole before the
    /// batches, so that new texts can follow it.
    fn dictionary(&mut self, index: usize, fates: &[Fates]) -> Result<NewTexts, Error> {
        let wrong = Wrong(self.path);
        let used = if fates.iter().flatten().any(|fates| is_changed(fates)) {
            Some(used(self.reader, index, fates).map_err(|error| wrong.read(&error))?)
        } else {
            None
        };
        let is_less = |fate: &Fate| matches!(fate, Fate::NoResponse | Fate::NoBodies);
        let is_stripped = fates.iter().flatten().flatten().any(is_less);
        let mut texts = NewTexts::default();
        for frame in self.reader.deltas(index).map_err(|error| wrong.read(&error))? {
            let (mut delta, body) = frame.map_err(|error| wrong.read(&error))?;
            let is_other = used.as_ref().is_some_and(|used| used.empty_others(&mut delta));
            texts.follow(&delta, is_stripped);
            let writer = &mut self.writer;
            let done = if is_other { writer.dictionary(&delta) } else { writer.dictionary_as_it_is(&delta, body) };
            done.map_err(|error| wrong.write(error))?;
        }
        Ok(texts)
    }
}

/// What fails, of which file.
struct Wrong<'a>(&'a Path);

impl Wrong<'_> {
    fn read(&self, what: &dyn std::fmt::Display) -> Error {
        Error::Damaged { path: self.0.to_owned(), what: what.to_string() }
    }

    fn write(&self, error: reel::Error) -> Error {
        Error::Write { path: self.0.to_owned(), error }
    }
}

/// Whether something is left of a segment that needs one.
fn is_needed(info: &SegmentInfo, parts: &[Part], fates: &[Fates]) -> bool {
    let is_left = |(rows, fates): (u32, &Fates)| {
        let gone = fates.iter().flatten().filter(|fate| **fate == Fate::Gone).count();
        rows as usize > gone
    };
    !info.snapshots.is_empty()
        || info.batches.iter().map(|at| at.rows).zip(fates).any(is_left)
        || parts.iter().any(|part| matches!(part, Part::Aside(Aside::Late(_))))
}

fn asides(parts: Vec<Part>) -> impl Iterator<Item = Aside> {
    parts.into_iter().filter_map(|part| if let Part::Aside(aside) = part { Some(aside) } else { None })
}

/// The texts of a segment that something refers to which stays. Those of an event that only loses bodies count.
fn used(reader: &Reader, segment: usize, fates: &[Fates]) -> Result<Used, reel::Error> {
    let mut used = Used::default();
    for delta in reader.deltas(segment)? {
        used.add_rows(&delta?.0);
    }
    let info = reader.segment(segment)?;
    let batches = reader.snapshots(segment).map(|batch| (batch, &None));
    for (batch, fates) in batches.chain(reader.batches(segment).zip(fates)) {
        let batch = batch?;
        let audit = audit_kind(info, batch.head());
        for kind in 0..batch.head().kinds.len() {
            let fates = fates.as_ref().filter(|_| audit == Some(kind));
            let is_kept = |at: usize| fates.is_none_or(|fates| fates.get(at) != Some(&Fate::Gone));
            for slot in 0..batch.kind_info(kind).count(Class::Text) {
                let ids = batch.text(kind, slot).map_err(|error| reel::Error::Encode(error.to_string()))?;
                ids.iter().enumerate().filter(|(at, _)| is_kept(*at)).for_each(|(_, &id)| used.add(StrId(id)));
            }
        }
    }
    Ok(used)
}

/// Texts that are new in a segment, behind those that it has.
#[derive(Default)]
struct NewTexts {
    /// Those that it has, where one of them may be needed again: one text has one id.
    known: HashMap<Box<[u8]>, StrId>,
    /// Place of the next.
    next: u32,
    new: Delta,
}

impl NewTexts {
    /// Goes on behind a part of the dictionary; `keeps`: its texts may be needed.
    fn follow(&mut self, delta: &Delta, keeps: bool) {
        let mut rest = delta.apart_bytes.as_slice();
        for (place, &length) in (delta.first_apart..).zip(&delta.apart_lengths) {
            let (text, behind) = rest.split_at((length as usize).min(rest.len()));
            if keeps && !text.is_empty() {
                self.known.insert(text.into(), StrId::of_apart(place));
            }
            rest = behind;
        }
        self.next = self.next.max(delta.first_apart + delta.apart_lengths.len() as u32);
    }

    /// The id of a text.
    fn id(&mut self, text: &[u8]) -> StrId {
        if let Some(id) = self.known.get(text) {
            return *id;
        }
        self.next = self.next.max(1);
        if self.new.apart_lengths.is_empty() {
            self.new.first_apart = self.next;
        }
        let id = StrId::of_apart(self.next);
        self.new.apart_lengths.push(text.len() as u32);
        self.new.apart_bytes.extend_from_slice(text);
        self.known.insert(text.into(), id);
        self.next += 1;
        id
    }

    /// What is to be written before what refers to it.
    fn take(&mut self) -> Delta {
        std::mem::take(&mut self.new)
    }
}

/// A batch of which less stays.
struct Less<'a> {
    batch: &'a Batch,
    /// Number of the audit events among its kinds.
    kind: usize,
    texts: &'a mut NewTexts,
    splitter: &'a mut Splitter,
}

impl Less<'_> {
    /// Its columns without what goes; `fates` by position in the table of audit events.
    fn columns(&mut self, fates: &[Fate]) -> Result<Columns, String> {
        let (batch, kind) = (self.batch, self.kind);
        let (mut keep, mut changes) = (vec![true; batch.rows()], Vec::new());
        let mut failed = Ok(());
        let each = |row: Row<'_>| {
            let fate = fates.get(row.position).filter(|_| row.kind == kind).copied().unwrap_or(Fate::Whole);
            match fate {
                Fate::Whole => {}
                Fate::Gone => keep[row.index] = false,
                Fate::NoResponse | Fate::NoBodies => {
                    if let Err(what) = self.strip(&row, fate == Fate::NoBodies, &mut changes) {
                        failed = Err(what);
                    }
                }
            }
        };
        batch.for_each_row(each).map_err(|error| error.to_string())?;
        failed?;
        let mut columns = batch.columns().map_err(|error| error.to_string())?;
        if let Some(table) = columns.tables.get_mut(kind) {
            table.change(batch.kind_info(kind), &changes);
        }
        columns.retain_numbered(&keep);
        Ok(columns)
    }

    /// Takes bodies out of an event: what of its parameters is other then.
    fn strip(&mut self, row: &Row<'_>, both: bool, changes: &mut Vec<Change>) -> Result<(), String> {
        let mut env = Vec::new();
        let event = row.event(&mut env);
        let mut text = Vec::new();
        join_audit(|part| arg(&event, part), event.time, event.duration, &mut text);
        let Some(less) = without_bodies(&text, both) else { return Ok(()) };
        let less = self.splitter.split_at(&less, event.time).map_err(|fault| fault.to_string())?;
        let params = &row.info().params;
        for part in AuditPart::all() {
            let new = arg(&less, part);
            if new == arg(&event, part) {
                continue;
            }
            let Some(param) = params.iter().position(|param| param.name == part.name()) else {
                return Err(format!("its audit events have no parameter `{}`", part.name()));
            };
            let value = match (params[param].class, new) {
                (Class::Int, Arg::Int(number)) => NewValue::Int(number),
                (Class::Text, Arg::Bytes(text)) => NewValue::Text(self.texts.id(text).0),
                (Class::Data, Arg::Bytes(bytes)) => NewValue::Data(bytes.to_vec()),
                _ => NewValue::Missing,
            };
            changes.push(Change { position: row.position, param, value });
        }
        Ok(())
    }
}

fn arg<'e>(event: &Event<'e>, part: AuditPart) -> Arg<'e> {
    event.args.get(part.place()).copied().unwrap_or(Arg::Missing)
}
