//! [`Early`]: lines of the beginning of calls, which stand before those of other batches.
//!
//! A row is written when its call returns, so a batch holds calls that began while rows of earlier batches were complete.
//! They are found by a look at all batches beforehand, and are few: a thread is in one call at a time, so a batch has one
//! for each thread at most. Everything else is put in order within its batch.

use super::Batches;
use super::play::{Asker, Options, Question};
use crate::query::{Lines, Query};
use std::io;

/// Lines of beginnings by the time that they tell, and how many of them were written.
#[derive(Default)]
pub(super) struct Early {
    lines: Lines,
    written: usize,
}

impl Early {
    /// Looks for them, if beginnings are asked for. Batches that cannot be read are left to whoever reads them next.
    pub(super) fn of(batches: &dyn Batches, questions: &[Question], options: &Options) -> io::Result<Early> {
        let mut early = Early::default();
        let [Question { query: Query::Lines(query), .. }] = questions else { return Ok(early) };
        if !options.ctx.entries {
            return Ok(early);
        }
        let mut asker = Asker::new(questions, options);
        let mut all = Lines::default();
        // What began before the recording did is told, if all of it is asked for.
        let (from, start) = (options.span.start, options.ctx.start);
        let is_asked = |time: u64| time >= from || from <= start;
        for turn in 0..batches.turns() {
            let [slice] = &batches.turn(turn)[..] else {
                let text = "the beginnings of calls cannot be told of reels that overlap\nhelp: read one at a time";
                return Err(io::Error::other(text));
            };
            if asker.passes_over(batches, slice.batch).unwrap_or(false) {
                continue;
            }
            let Ok(batch) = batches.batch(slice.batch) else { continue };
            if asker.is_past(&batch) || batch.head().snapshot {
                continue;
            }
            let Ok(Some(selection)) = asker.select(&batch, 0) else { continue };
            let Ok(found) = query.begun_before(&batch, &selection, &options.ctx) else { continue };
            for n in (0..found.ends.len()).filter(|&n| is_asked(found.times[n])) {
                all.push(&found, n);
            }
        }
        let mut order: Vec<usize> = (0..all.ends.len()).collect();
        order.sort_by_key(|&n| all.times[n]);
        for n in order {
            early.lines.push(&all, n);
        }
        Ok(early)
    }

    /// The lines of a batch with those before each.
    pub(super) fn before(&mut self, lines: Lines) -> Lines {
        if self.written == self.lines.ends.len() || lines.times.len() != lines.ends.len() {
            return lines;
        }
        let mut merged = Lines::default();
        for n in 0..lines.ends.len() {
            while self.lines.times.get(self.written).is_some_and(|&time| time <= lines.times[n]) {
                merged.push(&self.lines, self.written);
                self.written += 1;
            }
            merged.push(&lines, n);
        }
        merged
    }

    /// Those behind the last line: of calls that did not return.
    pub(super) fn rest(&mut self) -> Lines {
        let mut rest = Lines::default();
        for n in self.written..self.lines.ends.len() {
            rest.push(&self.lines, n);
        }
        self.written = self.lines.ends.len();
        rest
    }
}
