//! Replay: worker threads claim batches ([`Claims`]); lines are put back in order ([`Handover`]), everything else is merged at the end.

use super::claims::Claims;
use super::early::Early;
use super::handover::Handover;
use super::timeline::{self, Slice};
use crate::batch::{Batch, Head, Schema};
use crate::field::{Context, FieldRef, TimeFormat};
use crate::filter::{Filter, Memo, Selection};
use crate::query::{Lines, Query, Span, View, Worker, choose};
use crate::reel::Heads;
use crate::report::Report;
use crate::world::{Dict, Roster};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::thread;

/// How far a worker may run ahead of what was written, in batches for each worker: bounds the results that wait.
const WINDOW: usize = 4;

/// Batches in the order of their events.
pub trait Batches: Sync {
    /// Number of batches.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A batch, or why it cannot be had.
    fn batch(&self, index: usize) -> Result<Batch, String>;

    /// Where a batch stands, for messages.
    fn place(&self, index: usize) -> String;

    /// Number of turns: pieces of what is shown that can be made apart and put one behind the other.
    fn turns(&self) -> usize {
        self.len()
    }

    /// The batches of a turn: one, unless rows of several stand among each other.
    fn turn(&self, index: usize) -> Vec<Slice> {
        vec![Slice::whole(index)]
    }

    /// What is known of a batch without opening it, where that is cheaper; `None`: open it.
    fn glance(&self, _index: usize) -> Option<Glance> {
        None
    }

    /// Who the threads of a batch's segment are, where that can be had without its dictionary; `None`: read that.
    fn glance_segment(&self, _index: usize) -> Option<SegmentGlance> {
        None
    }

    /// The dictionary of a batch, or why it cannot be had.
    fn dict(&self, index: usize) -> Result<Arc<Dict>, String> {
        self.batch(index).map(|batch| Arc::clone(batch.dict()))
    }

    /// A batch, perhaps without the dictionary of its segment: for questions about nothing but its own columns.
    fn bare(&self, index: usize) -> Result<Batch, String> {
        self.batch(index)
    }

    /// Where a batch of events stands among those of its stream, for what is carried along them; `None` for rows of a state.
    fn standing(&self, _index: usize) -> Option<Standing> {
        None
    }

    /// Number of the first batch of a batch's stream, which tells its processes from those of other machines; that of the stream which
    /// a state is of.
    fn stream(&self, index: usize) -> usize {
        self.standing(index).map_or(0, |standing| standing.first)
    }

    /// The initial state of a batch's segment.
    fn initial(&self, _index: usize) -> Vec<Result<Batch, String>> {
        Vec::new()
    }

    /// Whether calls in flight count here: in the last segment of a recording, where no completion can follow.
    fn counts_in_flight(&self, index: usize) -> bool;

    /// What reports about state must say beside what all reports say.
    fn state_notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Where a batch stands in its stream, whose batches follow each other by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Number of the stream's first batch.
    pub first: usize,
    /// Tells its segments apart.
    pub segment: u64,
}

/// What is known of a batch without opening it.
pub struct Glance {
    /// Heads of the batches of its segment.
    pub heads: Arc<Heads>,
    /// Which of them is its own.
    pub at: usize,
    /// The segment's kinds.
    pub schema: Arc<Schema>,
}

impl Glance {
    /// The batch's head, if it could be read.
    pub fn head(&self) -> Option<&Head> {
        self.heads.get(self.at).and_then(Option::as_ref)
    }
}

/// What is known of a segment without its dictionary nor any batch.
pub struct SegmentGlance {
    /// Who its threads are.
    pub roster: Arc<Roster>,
    /// Its kinds.
    pub schema: Arc<Schema>,
    /// Earliest and latest time of its events, ns UTC.
    pub span: (u64, u64),
}

/// The dictionary of batches of which none is wanted; the same one each time, as what is memoised about it is.
pub(super) fn no_dict() -> Arc<Dict> {
    static EMPTY: LazyLock<Arc<Dict>> = LazyLock::new(|| Arc::new(Dict::new()));
    Arc::clone(&EMPTY)
}

/// One question.
pub struct Question {
    /// Condition; `None`: every event.
    pub filter: Option<Filter>,
    /// The operator.
    pub query: Query,
}

impl Question {
    /// Whether an answer looks into dictionaries; where none does, they are not read.
    fn needs_dict(&self) -> bool {
        let of_filter = self.filter.iter().flat_map(Filter::fields).any(FieldRef::needs_dict);
        of_filter || self.query.needs_dict()
    }
}

/// How to replay; by default all of it, on all processors, with no facts of the capture.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Worker threads; `None`: one per processor.
    pub threads: Option<NonZeroUsize>,
    /// Stop after this many events were shown or counted, for each question.
    pub limit: Option<u64>,
    /// Stop at this time, ns UTC.
    pub until: Option<u64>,
    /// Facts of the capture and of the question.
    pub ctx: Context,
    /// The time that the question covers; what was complete before it does not count.
    pub span: Span,
    /// What reports must say: losses and damage known beforehand.
    pub notes: Vec<String>,
}

/// A batch that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Where it stands.
    pub place: String,
    /// What was expected there and what was found.
    pub error: String,
}

/// What a replay came to.
#[derive(Debug, Default)]
pub struct Played {
    /// A report for each question whose operator makes one, in order.
    pub reports: Vec<Report>,
    /// Batches that could not be read, in order. Nothing of them is in the reports or lines.
    pub damaged: Vec<Damaged>,
    /// Lines written.
    pub lines: u64,
    /// Why questions found nothing, where that is known.
    pub notes: Vec<String>,
}

/// What came of one turn: lines for each question, and the batches that could not be read.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) lines: Vec<Lines>,
    pub(super) damaged: Vec<(usize, String)>,
}

/// A batch that could not be read: the turn in which it was asked, its number, and why.
type Unread = (usize, usize, String);

impl Played {
    /// Tells of batches that could not be read, in the order of turns. One may be in several turns, and is told once.
    fn tell(&mut self, batches: &dyn Batches, mut damaged: Vec<Unread>) {
        damaged.sort_by_key(|&(turn, ..)| turn);
        let mut known = BTreeSet::new();
        let new = damaged.into_iter().filter(|(_, batch, _)| known.insert(*batch));
        self.damaged.extend(new.map(|(_, batch, error)| Damaged { place: batches.place(batch), error }));
    }
}

/// Answers questions about batches; lines go to `out` in the order of events. The result and the bytes are the same
/// for any number of threads. A batch that is damaged is skipped and reported.
pub fn play(
    batches: &dyn Batches,
    questions: &[Question],
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<Played> {
    let joined = super::joining::wanted(questions);
    let joining = (!joined.is_empty()).then(|| super::joining::Joining::new(batches, joined));
    let batches: &dyn Batches = joining.as_ref().map_or(batches, |joining| joining);
    let wanted = super::carrying::wanted(questions);
    let mut played = if wanted.is_empty() {
        answer(batches, questions, options, false, out)
    } else {
        answer(&super::carrying::Carrying::new(batches, wanted), questions, options, true, out)
    }?;
    played.notes.extend(joining.as_ref().and_then(super::joining::Joining::nothing));
    Ok(played)
}

/// With `in_order` batches are best asked for one after the other, whatever the questions are.
fn answer(
    batches: &dyn Batches,
    questions: &[Question],
    options: &Options,
    in_order: bool,
    out: &mut dyn Write,
) -> io::Result<Played> {
    let threads = threads(batches, questions, options);
    let mut early = Early::of(batches, questions, options);
    let at_end = questions.iter().all(|q| !matches!(q.query, Query::Lines(_)));
    let claims =
        if at_end && !in_order { Claims::apart(batches.turns(), threads) } else { Claims::in_order(batches.turns()) };
    let handover = (!at_end).then(|| Handover::new(threads * WINDOW));
    let (result, workers) = thread::scope(|scope| {
        let (claims, handover) = (&claims, handover.as_ref());
        let run = |worker| {
            let next = move || claims.next(worker);
            scope.spawn(move || Asker::new(questions, options).run(batches, next, handover))
        };
        let handles: Vec<_> = (0..threads).map(run).collect();
        let result = handover.map(|handover| {
            let result = write_in_order(batches, questions, options, handover, &mut early, out);
            handover.halt();
            result
        });
        let workers = handles.into_iter().map(|h| h.join().ok()).collect::<Option<Vec<_>>>();
        (result.unwrap_or_else(|| Ok(Played::default())), workers)
    });
    let mut played = result?;
    let Some(workers) = workers else { return Err(io::Error::other("a worker stopped in the middle of a batch")) };
    let (workers, damaged): (Vec<_>, Vec<_>) = workers.into_iter().unzip();
    played.tell(batches, damaged.concat());
    played.reports = reports(questions, options, workers, &played.damaged, &batches.state_notes());
    Ok(played)
}

/// Lines that depend on the line before, and tables cut after some events, are made by one thread.
fn threads(batches: &dyn Batches, questions: &[Question], options: &Options) -> usize {
    let is_table = |q: &Question| !matches!(q.query, Query::Lines(_));
    let in_sequence = options.ctx.time_format == TimeFormat::DeltaPrinted
        || options.limit.is_some() && questions.iter().any(is_table);
    if in_sequence {
        return 1;
    }
    let wanted = options.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    wanted.clamp(1, batches.turns().max(1))
}

/// How many damaged batches an answer does not cover, in words.
pub fn left_out(count: usize) -> String {
    if count == 1 {
        "1 damaged batch was left out".to_owned()
    } else {
        format!("{count} damaged batches were left out")
    }
}

fn reports(
    questions: &[Question],
    options: &Options,
    askers: Vec<Vec<Worker>>,
    damaged: &[Damaged],
    of_state: &[String],
) -> Vec<Report> {
    let mut notes = options.notes.clone();
    if let Some(first) = damaged.first() {
        let what = first.error.split("\nhelp:").next().unwrap_or_default();
        notes.push(format!("{}; the first: {}: {what}", left_out(damaged.len()), first.place));
    }
    let mut by_question: Vec<Vec<Worker>> = questions.iter().map(|_| Vec::new()).collect();
    for workers in askers {
        by_question.iter_mut().zip(workers).for_each(|(all, one)| all.push(one));
    }
    let finish = |(q, workers): (&Question, Vec<Worker>)| {
        let mut notes = notes.clone();
        if q.query.of_state().is_some() {
            notes.extend_from_slice(of_state);
        }
        q.query.finish(workers, options.span, notes)
    };
    questions.iter().zip(by_question).filter_map(finish).collect()
}

/// Takes results in the order of batches, writes lines, and stops when every question has had its number of lines.
fn write_in_order(
    batches: &dyn Batches,
    questions: &[Question],
    options: &Options,
    handover: &Handover<Outcome>,
    early: &mut Early,
    out: &mut dyn Write,
) -> io::Result<Played> {
    let mut played = Played::default();
    let mut left: Vec<u64> = questions.iter().map(|_| options.limit.unwrap_or(u64::MAX)).collect();
    let only_lines = questions.iter().all(|q| matches!(q.query, Query::Lines(_)));
    let mut damaged = Vec::new();
    for index in 0..batches.turns() {
        let Some(outcome) = handover.take(index) else { break };
        for (lines, left) in outcome.lines.into_iter().zip(&mut left) {
            let mut lines = early.before(lines);
            lines.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= lines.ends.len() as u64;
            played.lines += lines.ends.len() as u64;
            out.write_all(&lines.bytes)?;
        }
        damaged.extend(outcome.damaged.into_iter().map(|(batch, error)| (index, batch, error)));
        if only_lines && left.iter().all(|&n| n == 0) {
            played.tell(batches, damaged);
            return Ok(played);
        }
    }
    played.tell(batches, damaged);
    let mut rest = early.rest();
    rest.truncate(left.first().map_or(0, |&left| usize::try_from(left).unwrap_or(usize::MAX)));
    played.lines += rest.ends.len() as u64;
    out.write_all(&rest.bytes)?;
    Ok(played)
}

/// One worker: for each question its memoised conditions and partial result.
pub(super) struct Asker<'a> {
    pub(super) questions: &'a [Question],
    pub(super) options: &'a Options,
    pub(super) ctx: Context,
    memos: Vec<Memo>,
    /// Whether a question is about more than kinds and numbers of events.
    needs_dict: bool,
    /// Whether each question asks who threads are.
    asks_roster: bool,
    /// The roster that was asked last, and whether it rules every question out.
    ruled: Option<(Arc<Roster>, bool)>,
    pub(super) workers: Vec<Worker>,
    /// Events that each question still wants.
    pub(super) left: Vec<u64>,
    /// Nothing counts from this time on, ns UTC.
    until: Option<u64>,
    /// Only rows from the first time on and before the second count, ns UTC; late ones among them count, too.
    within: (u64, u64),
}

impl<'a> Asker<'a> {
    pub(super) fn new(questions: &'a [Question], options: &'a Options) -> Self {
        Asker {
            questions,
            options,
            ctx: options.ctx,
            memos: questions.iter().map(|_| Memo::default()).collect(),
            needs_dict: questions.iter().any(Question::needs_dict),
            asks_roster: questions.iter().all(|q| q.filter.as_ref().is_some_and(Filter::asks_roster)),
            ruled: None,
            workers: questions.iter().map(|q| q.query.worker()).collect(),
            left: questions.iter().map(|_| options.limit.unwrap_or(u64::MAX)).collect(),
            until: options.until,
            within: (0, u64::MAX),
        }
    }

    /// Asks turn after turn. Without anybody to hand lines over to, damaged batches come back, with their turns.
    fn run(
        mut self,
        batches: &dyn Batches,
        next: impl Fn() -> Option<usize>,
        handover: Option<&Handover<Outcome>>,
    ) -> (Vec<Worker>, Vec<Unread>) {
        let _guard = handover.map(Handover::halts_on_panic);
        let mut damaged = Vec::new();
        while let Some(turn) = next() {
            let outcome = self.ask(batches, turn);
            let Some(handover) = handover else {
                damaged.extend(outcome.damaged.into_iter().map(|(batch, error)| (turn, batch, error)));
                continue;
            };
            if !handover.put(turn, outcome) {
                break;
            }
        }
        (self.workers, damaged)
    }

    fn ask(&mut self, batches: &dyn Batches, index: usize) -> Outcome {
        let turn = batches.turn(index);
        self.ctx.entries_from = timeline::start(&turn);
        let [Slice { batch, mixed: None, .. }] = turn.as_slice() else { return self.ask_mixed(batches, &turn) };
        match self.ask_alone(batches, *batch) {
            Ok(lines) => Outcome { lines, damaged: Vec::new() },
            Err(error) => Outcome { lines: Vec::new(), damaged: vec![(*batch, error)] },
        }
    }

    fn ask_alone(&mut self, batches: &dyn Batches, index: usize) -> Result<Vec<Lines>, String> {
        if self.passes_over(batches, index)? {
            return Ok(Vec::new());
        }
        let batch = if self.needs_dict { batches.batch(index)? } else { batches.bare(index)? };
        self.ask_batch(&batch, batches.counts_in_flight(index))
    }

    /// Whether the head of a batch, where it can be had without the batch, says that no question is about it.
    pub(super) fn passes_over(&mut self, batches: &dyn Batches, index: usize) -> Result<bool, String> {
        if self.asks_roster && batches.glance_segment(index).is_some_and(|segment| self.rules_out(segment)) {
            return Ok(true);
        }
        let Some(glance) = batches.glance(index) else { return Ok(false) };
        let Some(head) = glance.head() else { return Ok(false) };
        if self.until.is_some_and(|until| head.min_time >= until) || head.max_time < self.options.span.start {
            return Ok(true);
        }
        let open = |(q, left): (&Question, &u64)| {
            *left > 0 && q.filter.as_ref().is_none_or(|f| f.may_match_head(head, &glance.schema))
        };
        if !self.questions.iter().zip(&self.left).any(open) {
            return Ok(true);
        }
        let dict = if self.needs_dict { batches.dict(index)? } else { no_dict() };
        self.ctx.enter(&dict);
        for (number, question) in self.questions.iter().enumerate().filter(|(n, _)| self.left[*n] > 0) {
            let Some(filter) = &question.filter else { return Ok(false) };
            if filter.may_match(&mut self.memos[number], head, &glance.schema, &dict) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether no question is about any batch of a segment, by who its threads are.
    fn rules_out(&mut self, segment: SegmentGlance) -> bool {
        if let Some((last, answer)) = &self.ruled
            && Arc::ptr_eq(last, &segment.roster)
        {
            return *answer;
        }
        let may = |filter: &Filter| filter.may_match_roster(&segment.roster, &segment.schema, segment.span);
        let answer = !self.questions.iter().filter_map(|q| q.filter.as_ref()).any(may);
        self.ruled = Some((segment.roster, answer));
        answer
    }

    /// Sets what a live question learns late: the time of the first event, and that nothing counts from another on, ns
    /// UTC.
    pub(super) fn begin(&mut self, start: u64, until: Option<u64>) {
        self.ctx.start = start;
        self.until = until.or(self.until);
    }

    /// Sets which rows count: from the first time on and before the second, ns UTC.
    pub(super) fn within(&mut self, span: (u64, u64)) {
        self.within = span;
    }

    /// Sets what is added to UTC for local time, seconds.
    pub(super) fn zone(&mut self, tz_offset_s: i32) {
        self.ctx.tz_offset_s = tz_offset_s;
    }

    /// Whether a batch lies before or behind the time of the question.
    pub(super) fn is_past(&self, batch: &Batch) -> bool {
        let is_behind = self.until.is_some_and(|until| batch.head().min_time >= until);
        !batch.head().snapshot && (is_behind || batch.head().max_time < self.options.span.start)
    }

    /// The reports of what was asked so far, with what they must say; counting begins anew.
    pub(super) fn reports(&mut self, span: Span, notes: &[String], of_state: &[String]) -> Vec<Report> {
        let fresh = self.questions.iter().map(|q| q.query.worker()).collect();
        let workers = std::mem::replace(&mut self.workers, fresh);
        let each = self.questions.iter().zip(workers);
        let finish = |(q, worker): (&Question, Worker)| {
            let own = if q.query.of_state().is_some() { of_state } else { &[] };
            q.query.finish(vec![worker], span, [notes, own].concat())
        };
        each.filter_map(finish).collect()
    }

    /// Whether every question has had the number of events that was asked for.
    pub(super) fn is_done(&self) -> bool {
        self.left.iter().all(|&left| left == 0)
    }

    /// All questions about one batch.
    pub(super) fn ask_batch(&mut self, batch: &Batch, in_flight: bool) -> Result<Vec<Lines>, String> {
        let is_state = batch.head().snapshot;
        let past = self.is_past(batch);
        let mut all = Vec::with_capacity(self.questions.len());
        for number in 0..self.questions.len() {
            let of_state = self.questions[number].query.of_state().is_some();
            let lines = if past || is_state != of_state || self.left[number] == 0 {
                Lines::default()
            } else {
                self.one(batch, number, in_flight).map_err(|e| e.to_string())?
            };
            all.push(lines);
        }
        Ok(all)
    }

    /// One question about one batch.
    pub(super) fn one(&mut self, batch: &Batch, number: usize, in_flight: bool) -> Result<Lines, crate::batch::Error> {
        let question = &self.questions[number];
        let Some(mut selection) = self.select(batch, number)? else { return Ok(Lines::default()) };
        let is_lines = matches!(question.query, Query::Lines(_));
        // So many events, not so many rows of a state.
        if let (Some(_), false, None) = (self.options.limit, is_lines, question.query.of_state()) {
            let (cut, found) = choose::first(batch, selection, self.left[number])?;
            selection = cut;
            self.left[number] -= found;
        }
        let limit = self.left[number];
        let view = View { ctx: &self.ctx, in_flight, limit };
        let lines = question.query.partial(&mut self.workers[number], batch, &selection, view)?;
        if is_lines {
            self.left[number] = self.left[number].saturating_sub(lines.ends.len() as u64);
        }
        if let Some(time) = lines.last_time {
            self.ctx.prev_time = time;
        }
        Ok(lines)
    }

    /// The rows that a question is about; `None` if there are none.
    pub(super) fn select(&mut self, batch: &Batch, number: usize) -> Result<Option<Selection>, crate::batch::Error> {
        self.ctx.enter(batch.dict());
        let question = &self.questions[number];
        let mut selection = match (question.query.of_state(), &question.query) {
            (Some(rows), _) => rows.select(batch)?,
            (None, Query::Lines(lines)) => choose::all(batch, lines.internal),
            (None, _) => choose::countable(batch),
        };
        if let Some(filter) = &question.filter {
            let memo = &mut self.memos[number];
            if !filter.may_match(memo, batch.head(), batch.schema(), batch.dict()) {
                return Ok(None);
            }
            selection.intersect(filter.select(memo, batch, &self.ctx.of_filter())?);
        }
        if question.query.of_state().is_none() {
            let (since, until) = self.within;
            let (since, until) = (since.max(self.options.span.start), until.min(self.until.unwrap_or(u64::MAX)));
            selection = choose::within(batch, selection, since, until)?;
        }
        Ok((!selection.is_none()).then_some(selection))
    }
}
