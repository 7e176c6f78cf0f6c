//! `-r`: replay.

use super::args::Options;
use super::exit::{Failure, say};
use super::plot;
use super::question::{context, headers, questions};
use crate::chisel::Library;
use crate::engine::{self, Played, Question, Reels, State, WithStates};
use crate::query::Query;
use crate::report::Report;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// Answers the questions of a command line about reels.
pub(super) fn replay(options: &Options, library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    if !options.command.is_empty() {
        return Err(Failure::new("expected no command with -r, found one behind `--`", "use -w FILE to record it"));
    }
    let questions = questions(options, library)?;
    let mut ctx = context(options)?;
    let reels = Reels::open(&options.read).map_err(|(path, error)| {
        let (path, text) = (path.display().to_string(), error.to_string());
        // Errors of the file system name the file themselves.
        Failure::of(if text.starts_with(&path) { text } else { format!("{path}: {text}") })
    })?;
    let span = reels.span();
    ctx.start = span.start;
    ctx.tz_offset_s = reels.files().next().map_or(0, |(_, reader)| reader.header().tz_offset_s);
    for note in reels.notes() {
        say(format_args!("warning: {note}"));
    }
    let until = options.seconds.map(|s| span.start.saturating_add(s.get().saturating_mul(1_000_000_000)));
    let play = engine::Options {
        threads: options.threads,
        limit: options.count.map(std::num::NonZeroU64::get),
        until,
        ctx,
        span: crate::query::Span { end: until.map_or(span.end, |u| u.min(span.end)), ..span },
        notes: reels.notes(),
    };
    headers(options, &questions, out)?;
    if let Some(time) = options.every {
        return super::every::every(options, time, (&reels, &questions), &play, out).map(drop);
    }
    let states = states(options, &reels, &questions, &play)?;
    let of_events = questions.iter().any(|q| q.query.of_state().is_none());
    let batches = WithStates::new(of_events.then_some(&reels as &dyn engine::Batches), &states);
    let played = engine::play(&batches, &questions, &play, out)?;
    write_reports(options, &played, out)?;
    warn(&played);
    Ok(())
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

/// Damaged batches cost what they held, and no more; the exit code stays 0.
pub(super) fn warn(played: &Played) {
    for damaged in played.damaged.iter().take(5) {
        let what = damaged.error.split("\nhelp:").next().unwrap_or_default();
        say(format_args!("warning: {}: {what}", damaged.place));
    }
    if !played.damaged.is_empty() {
        say(format_args!("warning: {}", engine::left_out(played.damaged.len())));
        say("help: everything else was read; the counts above do not cover what was left out");
    }
}
