//! [`Reels`]: the batches of one or more files, in the order in which the files were named.

use super::{Batches, Glance};
use crate::batch::Batch;
use crate::query::Span;
use crate::reel::{BatchRef, DamageKind, Error, Heads, Loss, Reader};
use crate::world::Dict;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Dictionaries kept: workers are never more than a few segments apart.
const DICTIONARIES: usize = 4;

/// A segment: file and index in it.
type Place = (usize, usize);

/// The batches of one or more reels.
pub struct Reels {
    files: Vec<(PathBuf, Reader)>,
    /// Each with its index in its segment.
    batches: Vec<(Place, BatchRef, usize)>,
    /// Heads of the segments used last, oldest first; of indexed files only.
    heads: Mutex<VecDeque<(Place, Arc<Heads>)>>,
    /// Dictionaries used last, oldest first.
    dicts: Mutex<VecDeque<(Place, Arc<Dict>)>>,
}

impl Reels {
    /// Opens files; `-` is standard input.
    pub fn open(paths: &[PathBuf]) -> Result<Reels, (PathBuf, Error)> {
        let open = |path: &PathBuf| Reader::open(path).map(|r| (path.clone(), r)).map_err(|e| (path.clone(), e));
        let files = paths.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let mut batches = Vec::new();
        for (file, (_, reader)) in files.iter().enumerate() {
            for (segment, info) in reader.segments().into_iter().enumerate() {
                batches.extend(info.batches.into_iter().enumerate().map(|(i, b)| ((file, segment), b, i)));
            }
        }
        Ok(Reels { files, batches, heads: Mutex::default(), dicts: Mutex::default() })
    }

    /// Files and their readers.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &Reader)> {
        self.files.iter().map(|(path, reader)| (path.as_path(), reader))
    }

    /// Earliest and latest time, ns UTC; touches no batch of indexed files.
    pub fn span(&self) -> Span {
        let spans = self.files.iter().filter_map(|(_, reader)| reader.span());
        spans
            .map(|(start, end)| Span { start, end })
            .reduce(|a, b| Span { start: a.start.min(b.start), end: a.end.max(b.end) })
            .unwrap_or_default()
    }

    /// What reports must say: losses of the recordings and damage of the files, in order.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (path, reader) in self.files() {
            notes.extend(lost(reader.losses()));
            notes.extend(reader.notes().iter().map(|n| format!("{}: {}: {}", path.display(), moment(n.time), n.text)));
            let damages = reader.damages();
            notes.extend(damages.iter().map(|d| format!("{}: {d}", path.display())));
            let is_cut = damages.iter().any(|d| d.kind == DamageKind::CutTail);
            if !is_cut && !reader.is_closed() {
                notes.push(format!(
                    "{}: expected the end of a recording, found none: it still runs, was killed, or the file was cut",
                    path.display()
                ));
            }
        }
        notes
    }

    fn dict(&self, place: Place) -> Result<Arc<Dict>, Error> {
        let mut dicts = self.dicts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, dict)) = dicts.iter().find(|(p, _)| *p == place) {
            return Ok(Arc::clone(dict));
        }
        // Read under the lock: the others would only read the same bytes again.
        let dict = self.files[place.0].1.dict(place.1)?;
        if dicts.len() == DICTIONARIES {
            dicts.pop_front();
        }
        dicts.push_back((place, Arc::clone(&dict)));
        Ok(dict)
    }

    fn heads(&self, place: Place) -> Option<Arc<Heads>> {
        let mut kept = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, heads)) = kept.iter().find(|(p, _)| *p == place) {
            return Some(Arc::clone(heads));
        }
        let heads = self.files[place.0].1.heads(place.1).ok()?;
        if kept.len() == DICTIONARIES {
            kept.pop_front();
        }
        kept.push_back((place, Arc::clone(&heads)));
        Some(heads)
    }
}

impl Batches for Reels {
    fn len(&self) -> usize {
        self.batches.len()
    }

    fn batch(&self, index: usize) -> Result<Batch, String> {
        let (place, at, _) = &self.batches[index];
        let dict = self.dict(*place).map_err(|e| e.to_string())?;
        self.files[place.0].1.batch(place.1, at, dict).map_err(|e| e.to_string())
    }

    fn place(&self, index: usize) -> String {
        let ((file, _), at, _) = &self.batches[index];
        format!("{}, batch at {:#x}", self.files[*file].0.display(), at.offset)
    }

    fn glance(&self, index: usize) -> Option<Glance> {
        let (place, _, at) = self.batches[index];
        let reader = &self.files[place.0].1;
        let schema = reader.segment(place.1).ok()?.schema.clone()?;
        let heads = reader.is_indexed().then(|| self.heads(place))??;
        Some(Glance { heads, at, schema })
    }

    fn dict(&self, index: usize) -> Result<Arc<Dict>, String> {
        Reels::dict(self, self.batches[index].0).map_err(|e| e.to_string())
    }

    fn counts_in_flight(&self, index: usize) -> bool {
        let (file, segment) = self.batches[index].0;
        self.batches.iter().rev().find(|((f, _), ..)| *f == file).is_some_and(|((_, last), ..)| *last == segment)
    }
}

/// What a file's losses come to: an overload that lasts makes hundreds of them, and `evt.type = loss` shows each.
fn lost(losses: &[Loss]) -> Option<String> {
    let from = losses.iter().map(|l| l.from).min()?;
    let to = losses.iter().map(|l| l.to).max()?;
    let count: u64 = losses.iter().map(|l| l.count).fold(0, u64::saturating_add);
    let mut places: Vec<&str> = losses.iter().map(|l| l.place.as_str()).collect();
    places.sort_unstable();
    places.dedup();
    let (gaps, places) = (losses.len(), places.join(", "));
    Some(format!("{count} events were lost in {gaps} gaps between {} and {} ({places})", moment(from), moment(to)))
}

/// A moment in UTC, for notes.
fn moment(time: u64) -> String {
    let mut text = Vec::new();
    crate::value::write_date(&mut text, time, 0);
    text.push(b' ');
    crate::value::write_time_of_day(&mut text, time, 0, true);
    String::from_utf8_lossy(&text).into_owned() + " UTC"
}
