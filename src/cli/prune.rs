//! `prune`: audit events that are older than they are to be kept go, or lose their bodies.

use super::args::Options;
use super::exit::{Failure, say};
use super::info::text;
use super::replay::render;
use crate::engine::{self, Error, PruneCounts};
use crate::policy::Keep;
use crate::reel::header_of;
use crate::report::{Cell, Column, Report, Table, Unit};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What `--keep` says; `None`: nothing.
///
/// # Errors
/// It cannot be understood.
pub(super) fn keep(options: &Options) -> Result<Option<Keep>, Failure> {
    let keep = Keep::parse(options.keep.iter().map(String::as_str)).map_err(Failure::of)?;
    Ok((!keep.is_empty()).then_some(keep))
}

/// Takes the audit events out of reels that are older than `--keep` says.
pub(super) fn prune(options: &Options, paths: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let Some(keep) = keep(options)? else {
        return Err(Failure::new(
            "expected --keep, found none",
            "it says how long what is kept, such as --keep Metadata=90d,Request=30d,RequestResponse=7d",
        ));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64);
    let now = options.at.map_or(now, |at| at.in_recording(now, now, 0));
    let mut table = Table { title: "reels".to_owned(), columns: columns(), rows: Vec::new() };
    let mut first_error = None;
    let mut sums = PruneCounts::default();
    for (path, is_named) in reels(paths)? {
        match engine::prune(&path, &keep, now, options.dry_run) {
            Ok(counts) => {
                add(&mut sums, &counts);
                table.rows.push(row(&path, &counts));
            }
            // Of a folder, what cannot be pruned is told and passed over.
            Err(error @ Error::Busy(_)) if !is_named => {
                let text = error.to_string();
                say(format_args!("note: passed over: {}", text.lines().next().unwrap_or_default()));
            }
            Err(error) if first_error.is_none() => first_error = Some(Failure::of(error)),
            Err(error) => say(format_args!("error: {error}")),
        }
    }
    let [before, after] = sums.bytes;
    let what = if options.dry_run { "would be saved" } else { "are saved" };
    let notes = vec![format!("{} of {before} bytes {what}; kept: {}", before.saturating_sub(after), keep.text())];
    let report = Report {
        title: "prune".to_owned(),
        about: "What is older than it is to be kept".to_owned(),
        tables: vec![table],
        pictures: Vec::new(),
        notes,
    };
    out.write_all(render(options, &report).as_bytes())?;
    first_error.map_or(Ok(()), Err)
}

/// The reels that paths name, and whether they were named themselves. In folders, what is no reel is none of our business.
fn reels(paths: &[String]) -> Result<Vec<(PathBuf, bool)>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let is_named = !Path::new(path).is_dir();
        for file in super::info::files(std::slice::from_ref(path))? {
            let is_part = file.extension().is_some_and(|end| end == "part");
            if is_named || !is_part && header_of(&file).is_ok() {
                found.push((file, is_named));
            }
        }
    }
    if found.is_empty() {
        return Err(Failure::new(
            "expected a reel, found none",
            "name reels or folders, such as `sysreel prune DIR --keep Metadata=90d`",
        ));
    }
    Ok(found)
}

fn columns() -> Vec<Column> {
    let number = |name: &str| Column::number(name, Unit::None);
    let bytes = |name: &str| Column::number(name, Unit::Bytes);
    vec![
        Column::text("FILE"),
        number("EVENTS"),
        number("GONE"),
        number("NO RESPONSE"),
        number("NO BODIES"),
        bytes("BYTES"),
        bytes("AFTER"),
        bytes("SAVED"),
    ]
}

fn row(path: &Path, counts: &PruneCounts) -> Vec<Cell> {
    let [before, after] = counts.bytes;
    let numbers = [counts.events, counts.gone, counts.bodies[0], counts.bodies[1], before, after];
    let mut row = vec![text(path.display().to_string())];
    row.extend(numbers.map(Cell::Uint));
    row.push(Cell::Uint(before.saturating_sub(after)));
    row
}

fn add(sums: &mut PruneCounts, counts: &PruneCounts) {
    sums.bytes = [sums.bytes[0] + counts.bytes[0], sums.bytes[1] + counts.bytes[1]];
}
