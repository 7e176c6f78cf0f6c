//! `verify`: whether reels are as they were written.

use super::args::Options;
use super::exit::Failure;
use super::info::{failed, files, state, text};
use super::replay::render;
use crate::reel::{Reader, Verdict};
use crate::report::{Cell, Column, Report, Table, Unit};
use std::io::Write;

/// What hashes without a signature can say.
const PROOF: &str = "checksums and the chain of hashes find damage and careless edits; whoever rewrites the whole chain is \
                     not found out, unless the hash of the last frame was kept elsewhere";

/// Checks every byte of each file. Fails with code 1 if one is not as it was written, with code 2
/// (behind the report on the others) if one cannot be read.
pub(super) fn verify(options: &Options, paths: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let number = |name: &str| Column::number(name, Unit::None);
    let columns = vec![
        Column::text("FILE"),
        Column::text("VERDICT"),
        number("FRAMES"),
        number("SEGMENTS"),
        number("EVENTS"),
        Column::number("BYTES", Unit::Bytes),
        number("DAMAGES"),
        number("LOST"),
        Column::text("LAST HASH"),
    ];
    let mut files_table = Table { title: "reels".to_owned(), columns, rows: Vec::new() };
    let columns = vec![
        Column::text("FILE"),
        Column::text("OFFSET"),
        Column::number("BYTES", Unit::None),
        number("FIRST ROW"),
        number("LAST ROW"),
        Column::text("WHAT"),
    ];
    let mut damages = Table { title: "damages".to_owned(), columns, rows: Vec::new() };
    let mut notes = Vec::new();
    let (mut bad, mut unread) = (0, None);
    for path in files(paths)? {
        if crate::source::scap::is_scap(&path) {
            return Err(Failure::new(
                format!("{}: expected a reel, found a scap file, which has no checksums", path.display()),
                "`sysreel -r FILE -w x.reel` converts it, and says what of it is damaged",
            ));
        }
        let reader = match Reader::open(&path) {
            Ok(reader) => reader,
            Err(error) => {
                unread.get_or_insert(failed(&path, &error));
                continue;
            }
        };
        let verdict = reader.verify();
        let name = path.display().to_string();
        bad += usize::from(!verdict.is_intact());
        files_table.rows.push(row(&name, &reader, &verdict));
        for damage in &verdict.damages {
            let row = |row: Option<u64>| row.map_or(Cell::Missing, Cell::Uint);
            damages.rows.push(vec![
                text(name.clone()),
                text(format!("{:#x}", damage.offset)),
                Cell::Uint(damage.lost),
                row(damage.hit.rows.map(|r| r.0)),
                row(damage.hit.rows.map(|r| r.1).filter(|_| !damage.hit.is_open)),
                text(damage.kind.what()),
            ]);
        }
        if verdict.is_intact() && !reader.is_closed() {
            notes.push(format!(
                "{name}: every byte is as it was written, but there is no end: the recording still runs or was killed, or the \
                 file was cut between two frames; what followed is not known"
            ));
        }
        if !reader.header().footed {
            notes.push(format!(
                "{name}: written without a footer, so that a cut behind a closed segment cannot be told"
            ));
        }
    }
    notes.push(PROOF.to_owned());
    let mut tables = vec![files_table];
    if !damages.rows.is_empty() {
        tables.push(damages);
    }
    let about = "Whether reels are as they were written".to_owned();
    let report = Report { title: "verify".to_owned(), about, tables, pictures: Vec::new(), notes };
    if !report.tables[0].rows.is_empty() {
        out.write_all(render(options, &report).as_bytes())?;
    }
    if let Some(failure) = unread {
        return Err(failure);
    }
    if bad > 0 { Err(Failure::verdict()) } else { Ok(()) }
}

fn row(name: &str, reader: &Reader, verdict: &Verdict) -> Vec<Cell> {
    let said = match (verdict.is_intact(), state(reader)) {
        (true, "no end") => "intact, no end",
        (true, _) => "whole",
        (false, _) => "damaged",
    };
    let segments = reader.segments();
    let hash: Vec<String> = verdict.hash.iter().map(|b| format!("{b:02x}")).collect();
    vec![
        text(name),
        text(said),
        Cell::Uint(verdict.frames as u64),
        Cell::Uint(segments.len() as u64),
        Cell::Uint(segments.iter().map(crate::reel::SegmentInfo::rows).sum()),
        Cell::Uint(verdict.bytes),
        Cell::Uint(verdict.damages.len() as u64),
        Cell::Uint(reader.losses().iter().map(|l| l.count).fold(0, u64::saturating_add)),
        text(hash.concat()),
    ]
}
