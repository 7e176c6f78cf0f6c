//! `-r`: replay.

use super::args::Options;
use super::exit::{Failure, say};
use super::plot;
use super::progress::{Imports, Progress};
use super::question::{context, headers, questions};
use crate::chisel::Library;
use crate::engine::{self, Played, Question, Reels, State, WithStates};
use crate::field::{Context, FieldRef};
use crate::policy::{PolicyLevel, level_needed};
use crate::query::{Query, Span};
use crate::report::Report;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::mem::ManuallyDrop;
use std::time::Duration;

/// Answers the questions of a command line about reels.
pub(super) fn replay(options: &Options, library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    if !options.command.is_empty() {
        return Err(Failure::new("expected no command with -r, found one behind `--`", "use -w FILE to record it"));
    }
    let questions = questions(options, library)?;
    let mut ctx = context(options)?;
    let mut imports = Imports::new(options);
    let opened = Reels::open_telling(&options.read, &mut |path, read, all| imports.tell(path, read, all));
    imports.end();
    let reels = opened.map_err(|(path, error)| {
        let (path, text) = (path.display().to_string(), error.to_string());
        // Errors of the file system name the file themselves.
        Failure::of(if text.starts_with(&path) { text } else { format!("{path}: {text}") })
    })?;
    // The process ends with the answer: memory need not be given back piece by piece before.
    let reels: &Reels = &ManuallyDrop::new(reels);
    crate::sys::keep_freed_memory();
    let span = reels.span();
    ctx.start = span.start;
    ctx.tz_offset_s = reels.files().next().map_or(0, |(_, reader)| reader.header().tz_offset_s);
    for note in reels.notes() {
        say(format_args!("warning: {note}"));
    }
    let (from, until) = cut(options, &span, &ctx)?;
    let play = engine::Options {
        threads: options.threads,
        limit: options.count.map(std::num::NonZeroU64::get),
        until,
        ctx,
        span: crate::query::Span { start: from, end: until.map_or(span.end, |u| u.min(span.end)) },
        notes: reels.notes(),
    };
    if !options.quiet {
        told_level(&questions, reels);
    }
    headers(options, &questions, out)?;
    if let Some(time) = options.every {
        return super::every::every(options, time, (reels, &questions), &play, out).map(drop);
    }
    let states = states(options, reels, &questions, &play)?;
    let of_events = questions.iter().any(|q| q.query.of_state().is_none());
    let batches = WithStates::new(Some(reels), &states);
    let batches = if of_events { batches } else { batches.only_states() };
    let progress = Progress::new(&batches);
    let mut played = if options.progress {
        let played = engine::play(&progress, &questions, &play, out);
        progress.end();
        played?
    } else {
        engine::play(&batches, &questions, &play, out)?
    };
    super::after::notes(options, library, reels, &mut played)?;
    super::after::after(options, library, &mut played)?;
    write_reports(options, &played, out)?;
    warn(&played);
    if let Some(damage) = ctx.places.and_then(crate::value::Places::damage) {
        say(format_args!(
            "warning: a place could not be read: {damage}\nhelp: addresses with damaged records have no place; get the database again"
        ));
    }
    Ok(())
}

/// Says so where a question is about what the audit policy did not have logged.
fn told_level(questions: &[Question], reels: &Reels) {
    let mut needs: Option<(PolicyLevel, String)> = None;
    let mut look = |field: &FieldRef| {
        let level = level_needed(field);
        if level > PolicyLevel::Metadata && needs.as_ref().is_none_or(|(most, _)| level > *most) {
            needs = Some((level, field.to_string()));
        }
    };
    for question in questions {
        question.filter.iter().flat_map(crate::filter::Filter::fields).for_each(&mut look);
        question.query.for_each_field(&mut look);
    }
    let Some((needed, field)) = needs else { return };
    if let Some(found) = engine::most_logged(reels, needed).filter(|found| *found < needed) {
        let (needed, found) = (needed.name(), found.name());
        say(format_args!("note: `{field}` needs audit events at level {needed}, found {found} at most"));
        say("help: `sysreel audit policy coverage FILE` says what an audit policy leaves out (docs/policy.md)");
    }
}

/// The time that is asked about: `--from`, and the earlier of `--to` and `-M`, ns UTC.
fn cut(options: &Options, span: &Span, ctx: &Context) -> Result<(u64, Option<u64>), Failure> {
    let zone = |m: &crate::value::Moment| m.in_recording(span.start, span.end, ctx.offset_s(span.start));
    let to = options.to.as_deref().map(super::args::moment).transpose();
    let to = to.map_err(|why| Failure::new(format!("`--to`: {why}"), "`sysreel help time` shows the forms"))?;
    let (from, to) = (options.from.as_ref().map(zone), to.as_ref().map(zone));
    let local = |time: u64| engine::moment(time, ctx.offset_s(time));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Failure::new(
            format!("expected --from before --to, found {} and {}", local(from), local(to)),
            format!("the recording lasts from {} to {}", local(span.start), local(span.end)),
        ));
    }
    if let Some((flag, moment)) = [("--from", from), ("--to", to)]
        .into_iter()
        .find_map(|(flag, m)| m.map(|m| (flag, m)).filter(|&(_, m)| m < span.start || m > span.end))
        && (flag == "--from") == (moment > span.end)
    {
        say(format_args!(
            "warning: nothing to show: {flag} is {}, and the recording lasts from {} to {}",
            local(moment),
            local(span.start),
            local(span.end)
        ));
    }
    let start = from.map_or(span.start, |from| from.max(span.start));
    let last = options.seconds.map(|s| start.saturating_add(s.get().saturating_mul(1_000_000_000)));
    Ok((start, [to, last].into_iter().flatten().min()))
}

/// The states that questions are about, at the moment that was named or at the end.
fn states(
    options: &Options,
    reels: &Reels,
    questions: &[Question],
    play: &engine::Options,
) -> Result<Vec<State>, Failure> {
    let whole = reels.span();
    let moment = options.at.map(|at| at.in_recording(whole.start, whole.end, play.ctx.tz_offset_s));
    if questions.iter().all(|q| q.query.of_state().is_none()) {
        return match moment {
            None => Ok(Vec::new()),
            Some(_) => Err(Failure::new(
                "expected a chisel about state with --at, found none",
                "such as -c ps, -c lsof, -c netstat; to cut events, filter by evt.rawtime",
            )),
        };
    }
    if let Some(moment) = moment
        && (moment < whole.start || moment > whole.end)
    {
        let local = |time| engine::moment(time, play.ctx.tz_offset_s);
        return Err(Failure::new(
            format!("expected a moment of the recording with --at, found {}", local(moment)),
            format!("it lasts from {} to {}", local(whole.start), local(whole.end)),
        ));
    }
    let mut states = engine::states_at(reels, moment.or(play.until.map(|until| until.min(whole.end))));
    for state in &mut states {
        state.notes.insert(0, format!("the state at {}", engine::moment(state.moment, play.ctx.tz_offset_s)));
    }
    Ok(states)
}

/// Shows reels while they are written.
pub(super) fn follow(options: &Options, library: &Library, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    if options.read.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::new(
            "expected a file with --follow, found standard input",
            "name the file that is written",
        ));
    }
    let questions = questions(options, library)?;
    if questions.iter().any(|q| q.query.of_state().is_some()) {
        return Err(Failure::new(
            "expected a chisel about events with --follow, found one about state",
            "ask for the state without --follow: it is that of the last event so far",
        ));
    }
    headers(options, &questions, out)?;
    // On a terminal tables are redrawn as those of what happens now; otherwise there is one, at the end.
    let interval = if io::stdout().is_terminal() { super::watch::INTERVAL } else { Duration::MAX };
    let interval = options.every.or(options.interval).unwrap_or(interval);
    let request = engine::Follow {
        paths: options.read.clone(),
        questions,
        options: engine::Options {
            threads: None,
            limit: options.count.map(std::num::NonZeroU64::get),
            until: None,
            ctx: context(options)?,
            span: crate::query::Span::default(),
            notes: Vec::new(),
        },
        interval,
        duration: options.seconds.map(|s| s.get().saturating_mul(1_000_000_000)),
    };
    let has_lines = request.questions.iter().any(|q| matches!(q.query, Query::Lines(_)));
    let mut screen = super::screen::Terminal::new(options, has_lines, out);
    let followed = engine::follow(&request, &mut screen, &|text| say(text));
    screen.end()?;
    if followed.is_ok() {
        screen.plot()?;
    }
    followed.map_err(|error| match error {
        engine::Error::Screen(error) => error.into(),
        error => Failure::of(error),
    })
}

/// Writes the reports of questions, in the form that was asked for.
pub(super) fn write_reports(options: &Options, played: &Played, out: &mut dyn Write) -> Result<(), Failure> {
    plot::write(options, &played.reports, out)?;
    if plot::is_output(options) {
        return Ok(());
    }
    for (i, report) in played.reports.iter().enumerate() {
        if i > 0 && !options.json {
            writeln!(out)?;
        }
        out.write_all(render(options, report).as_bytes())?;
    }
    Ok(())
}

/// A report in the form that was asked for.
pub(super) fn render(options: &Options, report: &Report) -> String {
    if options.json {
        report.to_json()
    } else if options.csv {
        report.to_csv()
    } else if options.markdown {
        report.to_markdown(options.raw)
    } else if super::question::is_coloured(options) {
        report.to_coloured(width(options), options.raw)
    } else {
        report.to_text(width(options), options.raw)
    }
}

/// Columns of the terminal, if output goes to one.
fn width(options: &Options) -> Option<usize> {
    if options.wide || !io::stdout().is_terminal() {
        return None;
    }
    let told = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = told.or_else(|| terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)));
    columns.filter(|&columns| columns >= 20)
}

/// Says why nothing was found, where that is known. Damaged batches cost what they held, and no more; the exit code stays 0.
pub(super) fn warn(played: &Played) {
    for note in &played.notes {
        say(format_args!("note: {note}"));
    }
    for damaged in played.damaged.iter().take(5) {
        let what = damaged.error.split("\nhelp:").next().unwrap_or_default();
        say(format_args!("warning: {}: {what}", damaged.place));
    }
    if !played.damaged.is_empty() {
        say(format_args!("warning: {}", engine::left_out(played.damaged.len())));
        say("help: everything else was read; the counts above do not cover what was left out");
    }
}
