//! `diff`: any table of two recordings, or of two times of one, and how they differ.

use super::args::Options;
use super::every::since;
use super::exit::Failure;
use super::question::{context, questions};
use super::replay::write_reports;
use crate::chisel::Library;
use crate::engine::{self, Played, Question, Reels, WithStates};
use crate::query::{Query, Span};
use crate::report::{Report, Table, Unit};
use crate::value::Moment;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is compared unless a chisel is named.
const USUAL: &[&str] = &["topprocs_cpu", "topfiles_bytes", "topports_server", "topscalls", "topfiles_errors"];

/// Rows of a table that are shown for people unless they ask for more (`-v`).
const ROWS: usize = 30;

/// Keys that no two recordings have in common: rows of them would all appear and vanish.
const IDS: &[&str] =
    &["proc.pid", "proc.ppid", "proc.vpid", "thread.tid", "thread.vtid", "proc.pid.ts", "fd.num", "fd.ino"];

/// One side of a comparison.
struct Side {
    path: PathBuf,
    window: Option<String>,
}

/// The subcommand: files and windows, then what any question has.
pub(super) fn diff(options: &Options, library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    let (paths, rest) = inputs(options);
    let sides = sides(&paths, &options.window)?;
    let mut asked = questions(&rest, library)?;
    let is_one = sides[0].path == sides[1].path;
    let mut dropped = Vec::new();
    for question in &mut asked {
        let mut of_this = Vec::new();
        prepare(&mut question.query, is_one, &mut of_this)?;
        dropped.push(of_this);
    }
    let before = side(&rest, &sides[0], &asked)?;
    let after = side(&rest, &sides[1], &asked)?;
    let mut played = Played::default();
    let pairs = before.0.iter().zip(&after.0);
    for ((question, dropped), (before_report, after_report)) in asked.iter().zip(&dropped).zip(pairs) {
        let mut report = compared(options, &question.query, before_report, after_report);
        report.notes.push(format!("before: {}", before.1));
        report.notes.push(format!("after: {}", after.1));
        if !dropped.is_empty() {
            report.notes.push(format!("not compared, because no two recordings share them: {}", dropped.join(", ")));
        }
        played.reports.push(report);
    }
    // One below the other they need their names; in a file of one table the columns say it.
    if played.reports.len() > 1 {
        for report in &mut played.reports {
            report.tables.iter_mut().for_each(|table| table.title.clone_from(&report.title));
        }
    }
    write_reports(options, &played, out)
}

/// The recordings that are named, and the options without them: behind `diff` or with `-r`.
fn inputs(options: &Options) -> (Vec<PathBuf>, Options) {
    let mut paths = options.read.clone();
    let free = options.chisels.iter().map(|(_, range)| range.start).min().unwrap_or(options.words.len());
    let words = options.words.get(1..free).unwrap_or_default();
    let named = words.iter().take(2usize.saturating_sub(paths.len())).take_while(|word| Path::new(word).exists());
    let named: Vec<PathBuf> = named.map(PathBuf::from).collect();
    let skip = 1 + named.len();
    paths.extend(named);
    let mut rest = options.clone();
    rest.words.drain(..skip.min(rest.words.len()));
    for (_, range) in &mut rest.chisels {
        *range = range.start.saturating_sub(skip)..range.end.saturating_sub(skip);
    }
    if rest.chisels.is_empty() {
        rest.chisels = USUAL.iter().map(|name| ((*name).to_owned(), 0..0)).collect();
    }
    (paths, rest)
}

/// What is held against what.
fn sides(paths: &[PathBuf], windows: &[String]) -> Result<[Side; 2], Failure> {
    let usage = "`sysreel diff A B [-c CHISEL]`, or `sysreel diff A --window FROM..TO --window FROM..TO [-c CHISEL]`";
    let fail =
        |found: String| Failure::new(format!("expected two recordings, or one and two windows, found {found}"), usage);
    let (one, other) = match (paths, windows.len()) {
        ([], _) => return Err(fail("no recording".to_owned())),
        ([one, other], 0 | 2) => (one, other),
        ([one], 2) => (one, one),
        (_, n) => return Err(fail(format!("{} and {n}", paths.len()))),
    };
    let side = |path: &PathBuf, n: usize| Side { path: path.clone(), window: windows.get(n).cloned() };
    Ok([side(one, 0), side(other, 1)])
}

/// Makes a question comparable: all rows, and of two recordings no ids.
fn prepare(query: &mut Query, is_one: bool, dropped: &mut Vec<String>) -> Result<(), Failure> {
    match query {
        Query::Table(table) => {
            table.top = None;
            let is_id = |key: &crate::query::Key| IDS.contains(&key.field.field.name);
            if is_one || table.keys.iter().all(is_id) {
                return Ok(());
            }
            let sorted = table.order.column.checked_sub(table.values.len()).map(|key| table.keys[key].name.clone());
            for key in table.keys.iter().filter(|key| is_id(key)) {
                if !dropped.contains(&key.name) {
                    dropped.push(key.name.clone());
                }
            }
            table.keys.retain(|key| !is_id(key));
            if let Some(name) = sorted {
                let key = table.keys.iter().position(|key| key.name == name);
                table.order.column = key.map_or(0, |key| table.values.len() + key);
            }
            Ok(())
        }
        Query::Snapshot(snapshot) => {
            snapshot.top = None;
            if !is_one {
                let is_id = |name: &str| IDS.contains(&name);
                snapshot.order = None;
                dropped.extend(snapshot.columns.iter().filter(|c| is_id(c.field.field.name)).map(|c| c.name.clone()));
                dropped.dedup();
                snapshot.columns.retain(|column| !is_id(column.field.field.name));
            }
            Ok(())
        }
        Query::State(_, query) => prepare(query, is_one, dropped),
        _ => match query.as_table() {
            Some(table) => {
                *query = Query::Table(table);
                prepare(query, is_one, dropped)
            }
            None => Err(Failure::new(
                "expected a chisel that tells amounts with diff, found another",
                "such as -c topfiles_bytes, -c topscalls, -c timeline or -c lsof",
            )),
        },
    }
}

/// The reports of one side, and what it is in words.
fn side(options: &Options, side: &Side, asked: &[Question]) -> Result<(Vec<Report>, String), Failure> {
    let reels = Reels::open(std::slice::from_ref(&side.path)).map_err(|(path, error)| {
        let (path, text) = (path.display().to_string(), error.to_string());
        Failure::of(if text.starts_with(&path) { text } else { format!("{path}: {text}") })
    })?;
    let whole = reels.span();
    let mut ctx = context(options)?;
    ctx.start = whole.start;
    ctx.tz_offset_s = reels.files().next().map_or(0, |(_, reader)| reader.header().tz_offset_s);
    let span = match &side.window {
        None => whole,
        Some(window) => cut(window, whole, ctx.tz_offset_s)?,
    };
    let windows = asked.iter().map(|question| since(question, span.start)).collect::<Result<Vec<_>, Failure>>()?;
    let play = engine::Options {
        threads: options.threads,
        limit: options.count.map(std::num::NonZeroU64::get),
        // The last event of a recording belongs to it; that at the end of a window does not.
        until: side.window.as_ref().map(|_| span.end),
        ctx,
        span,
        notes: reels.notes(),
    };
    let has_states = asked.iter().any(|q| q.query.of_state().is_some());
    let states = if has_states { engine::states_at(&reels, Some(span.end)) } else { Vec::new() };
    let played = engine::play(&WithStates::new(Some(&reels), &states), &windows, &play, &mut std::io::sink())?;
    super::replay::warn(&played);
    let local = |time| engine::moment(time, ctx.tz_offset_s);
    let length = span.length() as f64 / 1e9;
    let words = format!("{}, {} - {}, {length:.3} s", side.path.display(), local(span.start), local(span.end));
    Ok((played.reports, words))
}

/// The part of a recording that a window names: `FROM..TO`, either of which may be left out.
fn cut(window: &str, whole: Span, tz_offset_s: i32) -> Result<Span, Failure> {
    let fail = |found: &str| {
        let forms = format!("FROM and TO are {}; either may be left out", Moment::FORMS);
        Failure::new(format!("expected FROM..TO with --window, found `{found}`"), forms)
    };
    let (from, to) = window.split_once("..").ok_or_else(|| fail(window))?;
    let moment = |text: &str, default: u64| match text {
        "" => Ok(default),
        text => match Moment::parse(text) {
            Some(moment) => Ok(moment.in_recording(whole.start, whole.end, tz_offset_s)),
            None => Err(fail(text)),
        },
    };
    let (start, end) = (moment(from, whole.start)?, moment(to, whole.end.saturating_add(1))?);
    if start >= end || end < whole.start || start > whole.end {
        let local = |time| engine::moment(time, tz_offset_s);
        return Err(Failure::new(
            format!("window `{window}` holds nothing of the recording"),
            format!("it lasts from {} to {}", local(whole.start), local(whole.end)),
        ));
    }
    Ok(Span { start, end })
}

/// How two reports of a question differ.
fn compared(options: &Options, query: &Query, before: &Report, after: &Report) -> Report {
    let inner = if let Query::State(_, inner) = query { inner } else { query };
    let empty = Table::default();
    let mut report = Report { title: before.title.clone(), about: before.about.clone(), ..Report::default() };
    for (n, table) in before.tables.iter().enumerate() {
        let later = after.tables.get(n).unwrap_or(&empty);
        let (values, by) = match inner {
            Query::Table(table) => {
                let values: Vec<usize> = (0..table.values.len()).collect();
                (values, Some(table.order.column).filter(|at| *at < table.values.len()).or(Some(0)))
            }
            // What a state says beside amounts is what it is.
            _ => ((0..table.columns.len()).filter(|n| table.columns[*n].unit != Unit::None).collect(), None),
        };
        let (mut table, same) = table.compare(later, &values, by);
        let more = table.rows.len().saturating_sub(ROWS);
        if more > 0 && !(options.verbose || options.json || options.csv) {
            table.rows.truncate(ROWS);
            report.notes.push(format!("{more} more rows differ; -v shows them"));
        }
        report.notes.push(match same {
            1 => "1 row is the same".to_owned(),
            n => format!("{n} rows are the same"),
        });
        report.tables.push(table);
    }
    for (side, report_of) in [("before", before), ("after", after)] {
        report.notes.extend(report_of.notes.iter().map(|note| format!("{side}: {note}")));
    }
    report
}
