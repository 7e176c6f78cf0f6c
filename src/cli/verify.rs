//! `verify`: whether reels are as they were written.

use super::args::Options;
use super::exit::Failure;
use super::info::{failed, files, state, text};
use super::replay::render;
use crate::reel::{Reader, Verdict};
use crate::report::{Cell, Column, Report, Table, Unit};
use std::io::Write;
use std::path::Path;

/// What hashes without a signature can say.
const PROOF: &str = "checksums and the chain of hashes find damage and careless edits; whoever rewrites the whole chain is \
                     not found out, unless the hash of the last frame was kept elsewhere";

/// What checking came to.
struct Checked {
    reels: Table,
    damages: Table,
    notes: Vec<String>,
    /// Whether a reel is not as it was written.
    is_bad: bool,
    /// Why the first file that could not be read could not.
    unread: Option<Failure>,
}

impl Checked {
    fn new() -> Checked {
        let number = |name: &str| Column::number(name, Unit::None);
        let reels = vec![
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
        let damages = vec![
            Column::text("FILE"),
            Column::text("OFFSET"),
            number("BYTES"),
            number("FIRST ROW"),
            number("LAST ROW"),
            Column::text("WHAT"),
        ];
        let table = |title: &str, columns| Table { title: title.to_owned(), columns, rows: Vec::new() };
        Checked {
            reels: table("reels", reels),
            damages: table("damages", damages),
            notes: Vec::new(),
            is_bad: false,
            unread: None,
        }
    }

    fn check(&mut self, path: &Path) {
        match open(path) {
            Ok(reader) => self.told(&path.display().to_string(), &reader, &reader.verify()),
            Err(failure) => {
                self.unread.get_or_insert(failure);
            }
        }
    }

    fn told(&mut self, name: &str, reader: &Reader, verdict: &Verdict) {
        self.is_bad |= !verdict.is_intact();
        self.reels.rows.push(row(name, reader, verdict));
        for damage in &verdict.damages {
            let row = |row: Option<u64>| row.map_or(Cell::Missing, Cell::Uint);
            self.damages.rows.push(vec![
                text(name),
                text(format!("{:#x}", damage.offset)),
                Cell::Uint(damage.lost),
                row(damage.hit.rows.map(|r| r.0)),
                row(damage.hit.rows.map(|r| r.1).filter(|_| !damage.hit.is_open)),
                text(damage.kind.what()),
            ]);
        }
        if verdict.is_intact() && !reader.is_closed() {
            self.notes.push(format!(
                "{name}: every byte is as it was written, but there is no end: the recording still runs or was killed, or the \
                 file was cut between two frames; what followed is not known"
            ));
        }
        if !reader.header().footed {
            self.notes.push(format!(
                "{name}: written without a footer, so that a cut behind a closed segment cannot be told"
            ));
        }
    }

    fn report(self) -> Report {
        let about = "Whether reels are as they were written".to_owned();
        let tables = [self.reels, self.damages].into_iter().filter(|table| !table.rows.is_empty()).collect();
        let notes = self.notes.into_iter().chain([PROOF.to_owned()]).collect();
        Report { title: "verify".to_owned(), about, tables, pictures: Vec::new(), notes }
    }
}

fn open(path: &Path) -> Result<Reader, Failure> {
    if crate::source::scap::is_scap(path) {
        return Err(Failure::new(
            format!("{}: expected a reel, found a scap file, which has no checksums", path.display()),
            "`sysreel -r FILE -w x.reel` converts it, and says what of it is damaged",
        ));
    }
    Reader::open(path).map_err(|error| failed(path, &error))
}

/// Checks every byte of each file. Fails with code 1 if one is not as it was written, with code 2
/// (behind the report on the others) if one cannot be read.
pub(super) fn verify(options: &Options, paths: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let mut checked = Checked::new();
    for path in files(paths)? {
        checked.check(&path);
    }
    let (is_bad, unread) = (checked.is_bad, checked.unread.take());
    let report = checked.report();
    if !report.tables.is_empty() {
        out.write_all(render(options, &report).as_bytes())?;
    }
    match unread {
        Some(failure) => Err(failure),
        None if is_bad => Err(Failure::verdict()),
        None => Ok(()),
    }
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
