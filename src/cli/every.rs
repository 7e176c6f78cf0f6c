//! `--every` with `-r`: a report for each interval of event time.

use super::args::Options;
use super::exit::Failure;
use super::replay;
use super::screen::of_interval;
use crate::engine::{self, Damaged, Interval, Played, Question, Reels, WithStates};
use crate::filter::Filter;
use std::io::Write;
use std::time::Duration;

/// The most intervals of one answer: beyond, the time was mistyped, or a damaged reel tells of a time that never was.
const MOST: u64 = 100_000;

/// Answers the questions once for each interval from the begin of the recording on. The events of one are all that were
/// complete in it; what state was, is told of its end.
pub(super) fn every(
    options: &Options,
    every: Duration,
    (reels, questions): (&Reels, &[Question]),
    play: &engine::Options,
    out: &mut dyn Write,
) -> Result<Played, Failure> {
    let step = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX).max(1);
    let (start, end) = (play.span.start, play.span.end);
    let count = end.saturating_sub(start) / step + 1;
    if count > MOST {
        return Err(Failure::new(
            format!("expected at most {MOST} intervals with --every, found {count}"),
            "give a longer time",
        ));
    }
    let mut all = Played::default();
    for number in 0..count {
        let from = start.saturating_add(number * step);
        let until = from.saturating_add(step);
        let interval = Interval { start: from, end: until.min(end), is_last: number + 1 == count };
        let windows = questions.iter().map(|question| since(question, from)).collect::<Result<Vec<_>, Failure>>()?;
        let play = engine::Options {
            until: Some(play.until.map_or(until, |end| end.min(until))),
            span: crate::query::Span { start: from, end: interval.end },
            ..play.clone()
        };
        let has_states = questions.iter().any(|q| q.query.of_state().is_some());
        let states = if has_states { engine::states_at(reels, Some(interval.end)) } else { Vec::new() };
        let batches = WithStates::new(Some(reels), &states);
        let played = engine::play(&batches, &windows, &play, out)?;
        let local = |time| engine::moment(time, play.ctx.tz_offset_s);
        for mut report in played.reports.clone() {
            report.title = format!("{} {} - {}", report.title, local(from), local(interval.end));
            all.reports.push(report);
        }
        for report in played.reports.iter().filter(|_| !super::plot::is_output(options)) {
            let is_first = number == 0 || played.reports.len() > 1;
            let text = of_interval(options, report, &interval, play.ctx.tz_offset_s, is_first);
            out.write_all(text.as_bytes())?;
            if !(options.json || options.csv) {
                writeln!(out)?;
            }
        }
        take(&mut all.damaged, played.damaged);
        all.notes = played.notes;
    }
    replay::warn(&all);
    super::plot::write(options, &all.reports, out)?;
    Ok(all)
}

/// The question about what was complete at a time (ns UTC) or later.
pub(super) fn since(question: &Question, from: u64) -> Result<Question, Failure> {
    let query = question.query.clone();
    if query.of_state().is_some() {
        return Ok(Question { filter: question.filter.clone(), query });
    }
    let window = Filter::parse(&format!("evt.rawtime >= {from}")).map_err(Failure::of)?;
    let filter = question.filter.clone().map_or(window.clone(), |own| own.and(window));
    Ok(Question { filter: Some(filter), query })
}

/// A damaged batch may be in several intervals, and is told once.
fn take(all: &mut Vec<Damaged>, new: Vec<Damaged>) {
    for damaged in new {
        if !all.contains(&damaged) {
            all.push(damaged);
        }
    }
}
