//! `-r`: replay.

use super::args::Options;
use super::exit::{Failure, say};
use super::question::{context, headers, questions};
use crate::chisel::Library;
use crate::engine::{self, Played, Reels};
use crate::report::Report;
use std::env;
use std::io::{self, IsTerminal, Write};

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
    let played = engine::play(&reels, &questions, &play, out)?;
    write_reports(options, &played, out)?;
    warn(&played);
    Ok(())
}

fn write_reports(options: &Options, played: &Played, out: &mut dyn Write) -> Result<(), Failure> {
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
fn warn(played: &Played) {
    for damaged in played.damaged.iter().take(5) {
        let what = damaged.error.split("\nhelp:").next().unwrap_or_default();
        say(format_args!("warning: {}: {what}", damaged.place));
    }
    if !played.damaged.is_empty() {
        say(format_args!("warning: {}", engine::left_out(played.damaged.len())));
        say("help: everything else was read; the counts above do not cover what was left out");
    }
}
