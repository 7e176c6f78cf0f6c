//! `info`: what a reel is and holds, from its headers, indices and dictionaries; no column is decoded.

use super::args::Options;
use super::exit::Failure;
use super::replay::render;
use crate::engine::open_capture;
use crate::field::{FieldArg, lookup};
use crate::reel::{Error, Header, Reader};
use crate::report::{Cell, Column, Report, Table, Unit};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Kinds of events that are listed for people unless they ask for more (`-v`); the others are one row.
const KINDS: usize = 15;

/// Segments and losses that are listed.
const ROWS: usize = 50;

/// Describes each file; several are one line each, with their sum.
pub(super) fn info(options: &Options, paths: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let files = files(paths)?;
    let report = match files.as_slice() {
        [path] => {
            let listed = if options.json || options.csv || options.verbose { usize::MAX } else { KINDS };
            one(path, &open_capture(path, &mut Vec::new(), &mut |_, _| {}).map_err(|e| failed(path, &e))?, listed)
        }
        _ => many(&files)?,
    };
    Ok(out.write_all(render(options, &report).as_bytes())?)
}

/// The files that paths name: a directory stands for its files, in order of their names.
pub(super) fn files(paths: &[String]) -> Result<Vec<PathBuf>, Failure> {
    if paths.is_empty() {
        return Err(Failure::new(
            "expected a reel, found nothing",
            "name one or more, such as `sysreel info out.reel`",
        ));
    }
    let mut files = Vec::new();
    for path in paths.iter().map(PathBuf::from) {
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        let failed = |e| Failure::new(format!("{}: {e}", path.display()), "check that it may be read");
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            inside.push(entry.map_err(failed)?.path());
        }
        inside.retain(|p| p.is_file());
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

/// An error with the name of its file.
pub(super) fn failed(path: &Path, error: &Error) -> Failure {
    let (path, text) = (path.display().to_string(), error.to_string());
    // Errors of the file system name the file themselves.
    Failure::of(if text.starts_with(&path) { text } else { format!("{path}: {text}") })
}

/// A moment with its date, at an offset from UTC.
pub(super) fn moment(time: u64, offset_s: i32) -> String {
    let mut text = Vec::new();
    crate::value::write_date(&mut text, time, offset_s);
    text.push(b' ');
    crate::value::write_time_of_day(&mut text, time, offset_s, true);
    let zone = match offset_s {
        0 => " UTC".to_owned(),
        s => format!(" {}{:02}:{:02}", if s < 0 { '-' } else { '+' }, s.abs() / 3600, s.abs() / 60 % 60),
    };
    String::from_utf8_lossy(&text).into_owned() + &zone
}

pub(super) fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into().into_bytes())
}

/// Whether a reel is whole, in a word or two.
pub(super) fn state(reader: &Reader) -> &'static str {
    if !reader.damages().is_empty() {
        "damaged"
    } else if reader.is_closed() {
        "whole"
    } else {
        "no end"
    }
}

/// Sums that take no column.
struct Sums {
    segments: u64,
    batches: u64,
    events: u64,
    lost: u64,
    span: Option<(u64, u64)>,
}

impl Sums {
    fn of(reader: &Reader) -> Sums {
        let segments = reader.segments();
        Sums {
            segments: segments.len() as u64,
            batches: segments.iter().map(|s| s.batches.len() as u64).sum(),
            events: segments.iter().map(crate::reel::SegmentInfo::rows).sum(),
            lost: reader.losses().iter().map(|l| l.count).fold(0, u64::saturating_add),
            span: reader.span(),
        }
    }
}

/// `listed`: the most kinds of events, each with its count.
fn one(path: &Path, reader: &Reader, listed: usize) -> Report {
    let mut tables = vec![about(path, reader)];
    tables.extend((1..reader.headers().len()).map(|part| {
        let mut table = pairs("reel behind it");
        provenance(&mut table, &reader.headers()[part]);
        table
    }));
    tables.push(segments(reader));
    tables.push(kinds(reader, listed));
    if !reader.losses().is_empty() {
        tables.push(losses(reader));
    }
    tables.retain(|t| !t.rows.is_empty());
    Report {
        title: "info".to_owned(),
        about: "What a reel is and holds".to_owned(),
        tables,
        pictures: Vec::new(),
        notes: notes(reader),
    }
}

fn pairs(title: &str) -> Table {
    let columns = vec![Column::text("WHAT"), Column::text("VALUE")];
    Table { title: title.to_owned(), columns, rows: Vec::new() }
}

fn provenance(table: &mut Table, header: &Header) {
    let or_missing = |t: &str| if t.is_empty() { Cell::Missing } else { text(t) };
    let scope = if header.scope.is_empty() { "the whole host" } else { &header.scope };
    let rows = [
        ("host", or_missing(&header.host)),
        ("boot id", or_missing(&header.boot_id)),
        ("kernel", or_missing(&header.kernel)),
        ("architecture", or_missing(&header.arch)),
        ("written by", text(format!("sysreel {}, format {}", header.tool_version, header.format_version))),
        ("command line", or_missing(&header.command_line.join(" "))),
        ("recording filter", header.filter.as_deref().map_or(Cell::Missing, text)),
        ("recorded", text(scope)),
        ("snap length (bytes)", Cell::Uint(u64::from(header.snaplen))),
        ("probe", or_missing(&header.probe)),
        ("operator", or_missing(&header.operator)),
        ("started", or_missing(&if header.started == 0 { String::new() } else { moment(header.started, 0) })),
    ];
    table.rows.extend(rows.map(|(what, value)| vec![text(what), value]));
}

/// What was taken out of a reel.
fn pruned_text(pruned: &crate::reel::Pruned) -> String {
    let (crate::reel::Pruned { time, keep, events, bodies: [response, both], .. }, zone) = (pruned, 0);
    let when = moment(*time, zone);
    format!(
        "{events} audit events went, {response} lost their response, {both} both bodies; last at {when}, kept: {keep}"
    )
}

/// Who recorded what, when, and how much.
fn about(path: &Path, reader: &Reader) -> Table {
    let (sums, header) = (Sums::of(reader), reader.header());
    let mut table = pairs("reel");
    table.rows.push(vec![text("file"), text(path.display().to_string())]);
    provenance(&mut table, header);
    if let Some(pruned) = header.pruned.as_ref().filter(|pruned| pruned.time > 0) {
        table.rows.push(vec![text("pruned"), text(pruned_text(pruned))]);
    }
    if let Some((start, end)) = sums.span {
        table.rows.push(vec![text("first event"), text(moment(start, 0))]);
        table.rows.push(vec![text("last event"), text(moment(end, 0))]);
        if header.tz_offset_s != 0 {
            let local = format!("{} to {}", moment(start, header.tz_offset_s), moment(end, header.tz_offset_s));
            table.rows.push(vec![text("local time"), text(local)]);
        }
        table.rows.push(vec![text("duration (ns)"), Cell::Uint(end.saturating_sub(start))]);
    }
    let seen = Seen::of(reader);
    let per_event = if sums.events == 0 {
        Cell::Missing
    } else {
        text(format!("{:.2}", reader.size() as f64 / sums.events as f64))
    };
    let rows = [
        ("segments", Cell::Uint(sums.segments)),
        ("batches", Cell::Uint(sums.batches)),
        ("events", Cell::Uint(sums.events)),
        ("threads", Cell::Uint(seen.threads.len() as u64)),
        ("processes", Cell::Uint(seen.processes.len() as u64)),
        ("containers", Cell::Uint(seen.containers.len() as u64)),
        ("size (bytes)", Cell::Uint(reader.size())),
        ("bytes per event", per_event),
        ("compression ratio", ratio(reader)),
        ("events lost", Cell::Uint(sums.lost)),
        ("doubtful events", Cell::Uint(reader.doubtful())),
        ("rows completed later", Cell::Uint(reader.late_facts()[0])),
        ("names told later", Cell::Uint(reader.late_facts()[1])),
        ("state", text(state(reader))),
        ("indexed", Cell::Bool(reader.is_indexed())),
    ];
    table.rows.extend(rows.map(|(what, value)| vec![text(what), value]));
    table
}

/// What the columns of all batches had been before they were compressed, to what they are.
fn ratio(reader: &Reader) -> Cell {
    let stored: u64 = reader.segments().iter().flat_map(|s| &s.batches).map(|b| b.bytes).sum();
    let inflated: u64 = (0..reader.segments().len()).map(|segment| reader.inflated_bytes(segment)).sum();
    if stored == 0 { Cell::Missing } else { text(format!("{:.2}", inflated as f64 / stored as f64)) }
}

/// Who occurs in the dictionaries; ids that were used twice count once.
#[derive(Default)]
struct Seen {
    threads: BTreeSet<u32>,
    processes: BTreeSet<u32>,
    containers: BTreeSet<Vec<u8>>,
}

impl Seen {
    fn of(reader: &Reader) -> Seen {
        let mut seen = Seen::default();
        let id = lookup("container.full_id").ok();
        for segment in 0..reader.segments().len() {
            let Ok(dict) = reader.dict(segment) else { continue };
            for thread in dict.threads.iter().filter(|t| t.tid != 0) {
                seen.threads.insert(thread.tid);
                seen.processes.insert(thread.pid);
                let Some(crate::field::Extract::Thread(container)) = id.as_ref().map(|f| f.field.extract) else {
                    continue;
                };
                if let crate::value::Value::Text(id) = container(&dict, thread, &FieldArg::None)
                    && *id != *b"host"
                {
                    seen.containers.insert(id.into_owned());
                }
            }
        }
        seen
    }
}

fn segments(reader: &Reader) -> Table {
    let number = |name: &str| Column::number(name, Unit::None);
    let columns = vec![
        number("SEGMENT"),
        Column::text("START"),
        Column::number("DURATION", Unit::Duration),
        number("BATCHES"),
        number("EVENTS"),
        Column::number("BYTES", Unit::Bytes),
        Column::text("CLOSED"),
    ];
    let all = reader.segments();
    let row = |(index, segment): (usize, &crate::reel::SegmentInfo)| {
        let span = reader.segment_span(index);
        let bytes: u64 = segment.batches.iter().map(|b| b.bytes).sum();
        vec![
            Cell::Uint(u64::from(segment.number)),
            span.map_or(Cell::Missing, |s| text(moment(s.0, 0))),
            span.map_or(Cell::Missing, |s| Cell::Uint(s.1.saturating_sub(s.0))),
            Cell::Uint(segment.batches.len() as u64),
            Cell::Uint(segment.rows()),
            Cell::Uint(bytes),
            Cell::Bool(segment.close.is_some()),
        ]
    };
    Table { title: "segments".to_owned(), columns, rows: all.iter().enumerate().take(ROWS).map(row).collect() }
}

/// How often each kind occurs, by the heads.
fn kinds(reader: &Reader, listed: usize) -> Table {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (index, segment) in reader.segments().iter().enumerate() {
        let (Some(schema), Ok(heads)) = (&segment.schema, reader.heads(index)) else { continue };
        for kind in heads.iter().flatten().flat_map(|h| &h.kinds) {
            let Some(info) = schema.kinds.get(usize::from(kind.kind)) else { continue };
            *counts.entry(info.name.clone()).or_default() += u64::from(kind.rows);
        }
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let others: u64 = counts.iter().skip(listed).map(|c| c.1).sum();
    let total: u64 = counts.iter().map(|c| c.1).sum();
    if others > 0 {
        let name = format!("{} others", counts.len() - listed);
        counts.truncate(listed);
        counts.push((name, others));
    }
    let columns =
        vec![Column::text("EVENT"), Column::number("COUNT", Unit::None), Column::number("SHARE", Unit::Percent)];
    let row = |(name, count): (String, u64)| {
        vec![text(name), Cell::Uint(count), Cell::Ratio { sum: count.saturating_mul(100) as i64, of: total }]
    };
    Table { title: "events".to_owned(), columns, rows: counts.into_iter().map(row).collect() }
}

/// Losses by place.
fn losses(reader: &Reader) -> Table {
    let mut places: BTreeMap<&str, (u64, u64, u64, u64)> = BTreeMap::new();
    for loss in reader.losses() {
        let (gaps, count, from, to) = places.entry(&loss.place).or_insert((0, 0, u64::MAX, 0));
        *gaps += 1;
        *count = count.saturating_add(loss.count);
        (*from, *to) = ((*from).min(loss.from), (*to).max(loss.to));
    }
    let columns = vec![
        Column::text("LOST AT"),
        Column::number("GAPS", Unit::None),
        Column::number("EVENTS", Unit::None),
        Column::text("FROM"),
        Column::text("TO"),
    ];
    let row = |(place, (gaps, count, from, to)): (&str, (u64, u64, u64, u64))| {
        vec![text(place), Cell::Uint(gaps), Cell::Uint(count), text(moment(from, 0)), text(moment(to, 0))]
    };
    Table { title: "losses".to_owned(), columns, rows: places.into_iter().take(ROWS).map(row).collect() }
}

fn notes(reader: &Reader) -> Vec<String> {
    let remark = |n: &crate::reel::Note| format!("{}: {}", moment(n.time, 0), n.text);
    let mut notes: Vec<String> = reader.notes().iter().map(remark).collect();
    notes.extend(reader.damages().iter().map(ToString::to_string));
    if state(reader) == "no end" {
        notes.push(
            "expected the end of a recording, found none: it still runs, was killed, or the file was cut; what followed is not known"
                .to_owned(),
        );
    }
    if reader.segments().len() > ROWS {
        notes.push(format!("{} more segments are not listed", reader.segments().len() - ROWS));
    }
    notes
}

/// A line for each file, and their sum.
fn many(files: &[PathBuf]) -> Result<Report, Failure> {
    let number = |name: &str, unit| Column::number(name, unit);
    let columns = vec![
        Column::text("FILE"),
        Column::text("HOST"),
        Column::text("START"),
        number("DURATION", Unit::Duration),
        number("SEGMENTS", Unit::None),
        number("EVENTS", Unit::None),
        number("BYTES", Unit::Bytes),
        number("LOST", Unit::None),
        Column::text("STATE"),
    ];
    let mut table = Table { title: String::new(), columns, rows: Vec::new() };
    let (mut notes, mut total, mut span) = (Vec::new(), [0u64; 4], None::<(u64, u64)>);
    let row = |name: String, host: Cell, span: Option<(u64, u64)>, [segments, events, bytes, lost]: [u64; 4], state| {
        vec![
            text(name),
            host,
            span.map_or(Cell::Missing, |s| text(moment(s.0, 0))),
            span.map_or(Cell::Missing, |s| Cell::Uint(s.1.saturating_sub(s.0))),
            Cell::Uint(segments),
            Cell::Uint(events),
            Cell::Uint(bytes),
            Cell::Uint(lost),
            state,
        ]
    };
    for path in files {
        let reader = match open_capture(path, &mut Vec::new(), &mut |_, _| {}) {
            Ok(reader) => reader,
            Err(error) => {
                let first = error.to_string();
                let path = path.display().to_string();
                let what = first.lines().next().unwrap_or_default().trim_start_matches(&format!("{path}: ")).to_owned();
                notes.push(format!("{path}: not counted: {what}"));
                continue;
            }
        };
        let sums = Sums::of(&reader);
        let counts = [sums.segments, sums.events, reader.size(), sums.lost];
        total.iter_mut().zip(counts).for_each(|(a, b)| *a = a.saturating_add(b));
        span = [span, sums.span].into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let host = text(reader.header().host.clone());
        table.rows.push(row(path.display().to_string(), host, sums.span, counts, text(state(&reader))));
    }
    if table.rows.is_empty() {
        let help = "a reel is what `sysreel -w` writes";
        return Err(Failure::new(format!("expected reels, found none in {} files", files.len()), help));
    }
    table.rows.push(row(format!("{} reels", table.rows.len()), Cell::Missing, span, total, Cell::Missing));
    let about = "What reels hold, and their sum".to_owned();
    Ok(Report { title: "info".to_owned(), about, tables: vec![table], pictures: Vec::new(), notes })
}
