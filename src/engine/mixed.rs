//! Turns in which rows of several batches stand among each other: several reels that were recorded at the same time.
//!
//! One batch is open at a time, however many there are: lines are made of it and kept with their keys, and put in order
//! when all are there. What depends on that order (the time since the line before, the first rows of a table) is made in
//! a second look.

use super::play::{Asker, Batches, Outcome};
use super::timeline::{self, Slice};
use crate::batch::{Batch, Error};
use crate::field::TimeFormat;
use crate::filter::Selection;
use crate::query::{Lines, Query, View, choose};
use std::ops::Range;

/// A batch of a turn.
struct Part {
    number: usize,
    batch: Batch,
    in_flight: bool,
    /// The key of each row, and those of this turn.
    keys: Vec<u64>,
    range: Range<u64>,
    is_first: bool,
}

/// What a question found in one part.
struct Found {
    /// The part's place in the turn.
    place: usize,
    /// Of each line or row.
    keys: Vec<u64>,
    /// Of each line, ns UTC.
    times: Vec<u64>,
    lines: Lines,
}

impl Part {
    fn open(batches: &dyn Batches, slice: &Slice) -> Result<Part, String> {
        let batch = batches.batch(slice.batch)?;
        let floor = slice.mixed.as_ref().map_or(0, |mixed| mixed.floor);
        let keys = timeline::keys(&batch, floor).map_err(|e| e.to_string())?;
        let range = slice.mixed.as_ref().map_or(0..u64::MAX, |mixed| mixed.keys.clone());
        let in_flight = batches.counts_in_flight(slice.batch);
        Ok(Part { number: slice.batch, batch, in_flight, keys, range, is_first: slice.is_first })
    }
}

impl Asker<'_> {
    /// All questions about the rows of a turn.
    pub(super) fn ask_mixed(&mut self, batches: &dyn Batches, slices: &[Slice]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut found: Vec<Vec<Found>> = self.questions.iter().map(|_| Vec::new()).collect();
        for (place, slice) in slices.iter().enumerate() {
            let part = match Part::open(batches, slice) {
                Ok(part) => part,
                Err(error) => {
                    outcome.damaged.push((slice.batch, error));
                    continue;
                }
            };
            for (number, found) in found.iter_mut().enumerate() {
                match self.part(&part, place, number) {
                    Ok(some) => found.extend(some),
                    Err(error) => outcome.damaged.push((part.number, error.to_string())),
                }
            }
        }
        for (number, found) in found.into_iter().enumerate() {
            let lines = self.put_in_order(batches, slices, number, found, &mut outcome);
            outcome.lines.push(lines);
        }
        outcome
    }

    /// The batch of a slice and its rows that a question is about; `None` if there are none, or they cannot be read.
    pub(super) fn asked_of(
        &mut self,
        batches: &dyn Batches,
        slice: &Slice,
        number: usize,
    ) -> Option<(Batch, Selection)> {
        let (batch, selection) = if slice.mixed.is_some() {
            let part = Part::open(batches, slice).ok()?;
            let selection = self.rows(&part, number).ok()?;
            (part.batch, selection)
        } else {
            let batch = batches.batch(slice.batch).ok()?;
            let selection = if self.is_past(&batch) { None } else { self.select(&batch, number).ok()? };
            (batch, selection)
        };
        selection.filter(|_| !batch.head().snapshot).map(|selection| (batch, selection))
    }

    /// A question about a part. Tables that want all rows need no order: each batch is asked once, as a whole.
    fn part(&mut self, part: &Part, place: usize, number: usize) -> Result<Option<Found>, Error> {
        let question = &self.questions[number];
        if question.query.of_state().is_some() {
            return Ok(None);
        }
        if !matches!(question.query, Query::Lines(_)) && self.options.limit.is_none() {
            if part.is_first && !self.is_past(&part.batch) {
                self.one(&part.batch, number, part.in_flight)?;
            }
            return Ok(None);
        }
        let Some(selection) = self.rows(part, number)? else { return Ok(None) };
        let Query::Lines(query) = &question.query else {
            let rows = selection.to_rows(&part.batch)?;
            let keys = part.keys.iter().enumerate().filter(|(row, _)| rows.get(*row)).map(|(_, &key)| key).collect();
            return Ok(Some(Found { place, keys, times: Vec::new(), lines: Lines::default() }));
        };
        let lines = query.lines(&part.batch, &selection, &self.ctx, self.left[number])?;
        if self.ctx.entries {
            // A beginning stands at its own time, and so does what is between it and the return.
            let (keys, times) = (lines.times.clone(), lines.times.clone());
            return Ok(Some(Found { place, keys, times, lines }));
        }
        let keys = lines.rows.iter().map(|&row| part.keys[row as usize]).collect();
        let time = part.batch.time()?;
        let times = lines.rows.iter().map(|&row| time[row as usize]).collect();
        Ok(Some(Found { place, keys, times, lines }))
    }

    /// The rows of a part that a question is about.
    fn rows(&mut self, part: &Part, number: usize) -> Result<Option<Selection>, Error> {
        if self.is_past(&part.batch) || self.left[number] == 0 {
            return Ok(None);
        }
        let selection = self.select(&part.batch, number)?;
        let selection = selection.map(|s| timeline::within(&part.batch, s, &part.keys, &part.range));
        Ok(selection.filter(|s| !s.is_none()))
    }

    /// Puts what was found in the order of the timeline: lines come back, and tables take the first rows.
    fn put_in_order(
        &mut self,
        batches: &dyn Batches,
        slices: &[Slice],
        number: usize,
        mut found: Vec<Found>,
        outcome: &mut Outcome,
    ) -> Lines {
        let keys: Vec<Vec<u64>> = found.iter_mut().map(|found| std::mem::take(&mut found.keys)).collect();
        let mut order = timeline::merged(&keys);
        order.truncate(usize::try_from(self.left[number]).unwrap_or(usize::MAX));
        let is_lines = matches!(self.questions[number].query, Query::Lines(_));
        let mut before: Vec<Vec<u64>> = found.iter().map(|found| vec![0; found.times.len()]).collect();
        let mut counts = vec![0; found.len()];
        for &(_, part, n) in &order {
            counts[part] += 1;
            if let (Some(slot), Some(&time)) = (before[part].get_mut(n), found[part].times.get(n)) {
                *slot = std::mem::replace(&mut self.ctx.prev_time, time);
            }
        }
        let is_timed = is_lines && self.ctx.time_format == TimeFormat::DeltaPrinted;
        for (found, (count, before)) in found.iter_mut().zip(counts.into_iter().zip(&before)) {
            if count == 0 || is_lines && !is_timed {
                continue;
            }
            let slice = &slices[found.place];
            let again = Part::open(batches, slice);
            match again.and_then(|part| self.again(&part, number, count, before).map_err(|e| e.to_string())) {
                Ok(lines) => found.lines = lines,
                Err(error) => outcome.damaged.push((slice.batch, error)),
            }
        }
        self.left[number] = self.left[number].saturating_sub(order.len() as u64);
        let mut merged = Lines::default();
        for (_, part, line) in order.into_iter().filter(|_| is_lines) {
            let lines = &found[part].lines;
            let start = if line == 0 { Some(&0) } else { lines.ends.get(line - 1) };
            let text = start.zip(lines.ends.get(line)).and_then(|(&start, &end)| lines.bytes.get(start..end));
            merged.bytes.extend_from_slice(text.unwrap_or_default());
            merged.ends.push(merged.bytes.len());
            merged.rows.extend(lines.rows.get(line));
            merged.times.extend(lines.times.get(line));
        }
        merged
    }

    /// The second look at a part: lines that tell the time since the line before, or the first rows for a table.
    fn again(&mut self, part: &Part, number: usize, count: u64, before: &[u64]) -> Result<Lines, Error> {
        let Some(selection) = self.rows(part, number)? else { return Ok(Lines::default()) };
        match &self.questions[number].query {
            Query::Lines(query) => query.lines_after(&part.batch, &selection, &self.ctx, before),
            query => {
                let (selection, _) = choose::first(&part.batch, selection, count)?;
                let view = View { ctx: &self.ctx, in_flight: part.in_flight, limit: 0 };
                query.partial(&mut self.workers[number], &part.batch, &selection, view)
            }
        }
    }
}
