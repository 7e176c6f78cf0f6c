//! What is done with the reports of chisels that write files.

use super::args::Options;
use super::exit::{Failure, say};
use super::question::asked;
use crate::chisel::{After, Library, NoteDef, SaveDef};
use crate::engine::{Played, Reels};
use crate::report::{Cell, Report, Table};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The most stretches of time that one filter holds.
const MAX_STRETCHES: usize = 2_000;

/// Adds to the reports what their chisels say beside their rows.
pub(super) fn notes(options: &Options, library: &Library, reels: &Reels, played: &mut Played) -> Result<(), Failure> {
    // One of several recordings is enough: the report is about all of them.
    let is_from = |source: &str| reels.files().any(|(_, reader)| reader.header().probe.starts_with(source));
    for (chisel, _) in asked(options, library)?.0 {
        for report in played.reports.iter_mut().filter(|report| report.title == chisel.name) {
            let is_empty = report.tables.iter().all(|table| table.rows.is_empty());
            let holds = |note: &&NoteDef| note.empty == is_empty && note.source.as_deref().is_none_or(is_from);
            for note in chisel.notes.iter().filter(holds) {
                if !report.notes.contains(&note.text) {
                    report.notes.push(note.text.clone());
                }
            }
        }
    }
    Ok(())
}

/// Writes what the chisels of a command line are to write, and takes out the reports that are nothing but that.
pub(super) fn after(options: &Options, library: &Library, played: &mut Played) -> Result<(), Failure> {
    for (chisel, args) in asked(options, library)?.0 {
        let Some(after) = chisel.after(&args).map_err(Failure::of)? else { continue };
        let Some(at) = played.reports.iter().position(|report| report.title == chisel.name) else { continue };
        match after {
            After::Around(file, around) => {
                export(options, &played.reports[at], &file, around)?;
                if chisel.lines.is_some() {
                    // It said where the lines stand.
                    played.reports.remove(at);
                }
            }
            After::Save(def) => save(&played.reports.remove(at), &def)?,
        }
    }
    Ok(())
}

fn column(table: &Table, name: &str) -> Option<usize> {
    table.columns.iter().position(|column| column.name == name)
}

/// Writes the events of the same threads so many ns before and after each row.
fn export(options: &Options, report: &Report, file: &Path, around: u64) -> Result<(), Failure> {
    let mut stretches: BTreeMap<i64, Vec<(u64, u64)>> = BTreeMap::new();
    for table in &report.tables {
        let (Some(time), Some(tid)) = (column(table, "evt.rawtime"), column(table, "thread.tid")) else { continue };
        for row in &table.rows {
            let tid = match row.get(tid) {
                Some(Cell::Int(tid)) => *tid,
                Some(Cell::Uint(tid)) => i64::try_from(*tid).unwrap_or(i64::MAX),
                _ => continue,
            };
            if let Some(Cell::Uint(time)) = row.get(time) {
                let stretch = (time.saturating_sub(around), time.saturating_add(around));
                stretches.entry(tid).or_default().push(stretch);
            }
        }
    }
    let mut conditions = Vec::new();
    for (tid, mut all) in stretches {
        all.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (from, to) in all {
            match joined.last_mut().filter(|last| last.1 >= from) {
                Some(last) => last.1 = last.1.max(to),
                None => joined.push((from, to)),
            }
        }
        let condition =
            |(from, to): &(u64, u64)| format!("(thread.tid = {tid} and evt.rawtime >= {from} and evt.rawtime <= {to})");
        conditions.extend(joined.iter().map(condition));
    }
    if conditions.is_empty() {
        say("note: nothing matched, so that no file was written");
        return Ok(());
    }
    if conditions.len() > MAX_STRETCHES {
        return Err(Failure::new(
            format!("expected at most {MAX_STRETCHES} stretches of time, found {}", conditions.len()),
            "give a filter that matches less, or a longer time around, so that stretches meet",
        ));
    }
    if !super::export::is_scap(file) {
        return Err(Failure::new(
            format!("{}: not supported yet: a part of a capture as a reel", file.display()),
            "give the file a name that ends in .scap",
        ));
    }
    let part = Options {
        chisels: Vec::new(),
        words: vec![conditions.join(" or ")],
        write: Some(file.to_owned()),
        count: None,
        ..options.clone()
    };
    super::export::export(&part, file)
}

/// Writes the data of each row to the file that the row names.
fn save(report: &Report, def: &SaveDef) -> Result<(), Failure> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for table in &report.tables {
        let (Some(name), Some(data)) = (column(table, &def.name), column(table, &def.data)) else { continue };
        for row in &table.rows {
            if let (Some(Cell::Text(name)), Some(Cell::Text(data))) = (row.get(name), row.get(data)) {
                files.entry(file_name(name)).or_default().extend_from_slice(data);
            }
        }
    }
    let folder = Path::new(&def.folder);
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::new(format!("{}: {error}", path.display()), "run it where files can be made")
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for (name, bytes) in &files {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| failed(&path, &error))?;
        say(format_args!("{}: {} bytes", path.display(), bytes.len()));
    }
    if files.is_empty() {
        say("note: there was no data, so that no file was written");
    }
    Ok(())
}

/// A name from a capture as the name of a file: letters, digits, dots and dashes, and never a way out of the folder.
fn file_name(name: &[u8]) -> String {
    let plain = |&b: &u8| match b {
        b'>' => '-',
        b if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') => char::from(b),
        _ => '_',
    };
    let text: String = name.iter().map(plain).take(200).collect();
    if text.bytes().all(|b| b == b'.') { "unnamed".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_from_a_capture_stay_in_the_folder() {
        for (name, want) in [
            ("127.0.0.1:53->10.0.0.1:99", "127.0.0.1_53--10.0.0.1_99"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("..", "unnamed"),
            ("", "unnamed"),
        ] {
            assert_eq!(super::file_name(name.as_bytes()), want);
        }
    }
}
