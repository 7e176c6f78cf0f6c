//! [`Carrying`]: batches with what is carried along their rows; each stream is walked through in order, whoever asks first.

use super::carry::{Tracker, Wanted};
use super::play::{Batches, Glance, Question, Standing};
use super::timeline::Slice;
use crate::batch::{Batch, Carried};
use crate::world::Dict;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What the questions want carried.
pub(super) fn wanted(questions: &[Question]) -> Wanted {
    let mut wanted = Wanted::new();
    for question in questions {
        if let Some(filter) = &question.filter {
            wanted.extend(filter.fields().iter().filter_map(|field| field.carries()));
        }
        question.query.for_each_field(&mut |field| wanted.extend(field.carries()));
    }
    wanted
}

/// Batches before the one at hand whose columns are kept for workers that are behind.
const KEPT: usize = 64;

/// A stream: how far it was walked through, and what came of batches that were not asked for yet.
struct Stream {
    tracker: Tracker,
    next: usize,
    made: BTreeMap<usize, Result<Arc<Carried>, String>>,
}

/// Batches with what is carried along their rows.
pub(super) struct Carrying<'a> {
    inner: &'a dyn Batches,
    wanted: Wanted,
    streams: Mutex<BTreeMap<usize, Stream>>,
}

impl<'a> Carrying<'a> {
    pub(super) fn new(inner: &'a dyn Batches, wanted: Wanted) -> Self {
        Carrying { inner, wanted, streams: Mutex::default() }
    }

    /// The columns of a batch. Batches of a stream are asked for about in order, so this waits for few others.
    fn columns(&self, index: usize, first: usize) -> Result<Arc<Carried>, String> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Stream { tracker: Tracker::new(&self.wanted), next: first, made: BTreeMap::new() };
        let stream = streams.entry(first).or_insert_with(new);
        if index < stream.next && !stream.made.contains_key(&index) {
            // It went from the columns that are kept: the walk begins anew.
            *stream = new();
        }
        while stream.next <= index {
            let made = self.step(stream);
            stream.made.insert(stream.next, made);
            stream.next += 1;
        }
        // Windows of overlapping reels come back to a batch; turns that are whole batches go on, each worker a little apart.
        if self.inner.turns() == self.inner.len() {
            stream.made = stream.made.split_off(&index.saturating_sub(KEPT));
        }
        stream.made.get(&index).cloned().unwrap_or_else(|| Err("expected carried values, found none".to_owned()))
    }

    fn step(&self, stream: &mut Stream) -> Result<Arc<Carried>, String> {
        let index = stream.next;
        if let Some(standing) = self.inner.standing(index)
            && stream.tracker.begins(standing.segment)
        {
            for batch in self.inner.initial(index) {
                // What is damaged is told when the file is opened; the rest of the state is of use nevertheless.
                batch.and_then(|batch| stream.tracker.seed(&batch).map_err(|e| e.to_string())).ok();
            }
        }
        stream.tracker.columns(&self.inner.batch(index)?).map_err(|e| e.to_string())
    }
}

impl Batches for Carrying<'_> {
    fn len(&self) -> usize {
        self.inner.len()
    }

    fn batch(&self, index: usize) -> Result<Batch, String> {
        let Some(Standing { first, .. }) = self.inner.standing(index) else { return self.inner.batch(index) };
        let carried = self.columns(index, first)?;
        let batch = self.inner.batch(index)?;
        batch.carry(carried);
        Ok(batch)
    }

    fn place(&self, index: usize) -> String {
        self.inner.place(index)
    }

    fn turns(&self) -> usize {
        self.inner.turns()
    }

    fn turn(&self, index: usize) -> Vec<Slice> {
        self.inner.turn(index)
    }

    fn glance(&self, index: usize) -> Option<Glance> {
        self.inner.glance(index)
    }

    fn dict(&self, index: usize) -> Result<Arc<Dict>, String> {
        self.inner.dict(index)
    }

    fn counts_in_flight(&self, index: usize) -> bool {
        self.inner.counts_in_flight(index)
    }

    fn state_notes(&self) -> Vec<String> {
        self.inner.state_notes()
    }
}
