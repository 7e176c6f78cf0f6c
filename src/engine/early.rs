//! [`Early`]: lines of the beginning of calls, which stand before those of other batches.
//!
//! A row is written when its call returns, so a batch holds calls that began while rows of earlier batches were complete.
//! They are found by a look at all batches beforehand, and are few: a thread is in one call at a time, so a batch has one
//! for each thread at most. Where rows of several reels stand among each other, a turn takes the batch's place. Everything else is put in order within its batch.

use super::Batches;
use super::play::{Asker, Options, Question};
use super::timeline;
use crate::query::{Lines, Query};

/// Lines of beginnings by the time that they tell, and how many of them were written.
#[derive(Default)]
pub(super) struct Early {
    lines: Lines,
    written: usize,
}

impl Early {
    /// Looks for them, if beginnings are asked for. Batches that cannot be read are left to whoever reads them next.
    pub(super) fn of(batches: &dyn Batches, questions: &[Question], options: &Options) -> Early {
        let mut early = Early::default();
        let is_lines = |question: &Question| matches!(question.query, Query::Lines(_));
        let Some(number) = questions.iter().position(is_lines).filter(|_| options.ctx.entries) else { return early };
        let Query::Lines(query) = &questions[number].query else { return early };
        let mut asker = Asker::new(questions, options);
        let mut all = Lines::default();
        // What began before the recording did is told, if all of it is asked for.
        let (from, start) = (options.span.start, options.ctx.start);
        let is_asked = |time: u64| time >= from || from <= start;
        for turn in (0..batches.turns()).map(|turn| batches.turn(turn)) {
            asker.ctx.entries_from = timeline::start(&turn);
            for slice in &turn {
                if asker.passes_over(batches, slice.batch).unwrap_or(false) {
                    continue;
                }
                let Some((batch, selection)) = asker.asked_of(batches, slice, number) else { continue };
                let Ok(found) = query.begun_before(&batch, &selection, &asker.ctx) else { continue };
                for n in (0..found.ends.len()).filter(|&n| is_asked(found.times[n])) {
                    all.push(&found, n);
                }
            }
        }
        let mut order: Vec<usize> = (0..all.ends.len()).collect();
        order.sort_by_key(|&n| all.times[n]);
        for n in order {
            early.lines.push(&all, n);
        }
        early
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
