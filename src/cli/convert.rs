//! `-r FILE -w REEL`: captures of other programs become reels.

use super::args::Options;
use super::exit::{Failure, say};
use crate::engine::{self, Error, Imported};
use crate::reel::Writer;
use crate::source::scap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Converts each capture that was named, or that is in a folder that was, into a reel; several into a folder.
pub(super) fn convert(options: &Options, to: &Path) -> Result<(), Failure> {
    if !options.words.is_empty() || !options.chisels.is_empty() || options.count.is_some() {
        return Err(Failure::new(
            "not supported yet: a part of a capture with -r and -w",
            "without a filter, -c and -n, -r x.scap -w x.reel converts all of it",
        ));
    }
    let mut captures = Vec::new();
    for path in &options.read {
        if path.is_dir() {
            captures.extend(captures_in(path)?);
        } else if scap::is_scap(path) || path == Path::new("-") {
            captures.push(path.clone());
        } else {
            return Err(Failure::new(
                format!("{}: expected a scap file to convert, found another", path.display()),
                "not supported yet: -r with -w, writing a part of a reel into another",
            ));
        }
    }
    let is_folder = to.is_dir() || options.read.len() > 1 || options.read.iter().any(|path| path.is_dir());
    if is_folder {
        let failed = |error| Failure::new(format!("{}: {error}", to.display()), "give -w a folder that can be made");
        std::fs::create_dir_all(to).map_err(failed)?;
    }
    for capture in &captures {
        let reel = if is_folder { to.join(name_of(capture)) } else { to.to_owned() };
        if captures.iter().any(|other| same(other, &reel)) {
            return Err(Failure::new(
                format!("{}: expected another file than the capture", reel.display()),
                "give -w another name",
            ));
        }
        one(options, capture, &reel)?;
    }
    Ok(())
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// `x.scap` and `x.scap.gz` become `x.reel`.
fn name_of(capture: &Path) -> PathBuf {
    let name = capture.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = [".gz", ".zst", ".lz4"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    let stem = stem.strip_suffix(".scap").unwrap_or(stem);
    PathBuf::from(format!("{stem}.reel"))
}

/// The captures of a folder, by name.
fn captures_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", folder.display()), "check that it may be read");
    let mut captures = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && scap::is_scap(&path) {
            captures.push(path);
        }
    }
    if captures.is_empty() {
        return Err(Failure::new(
            format!("{}: expected scap files, found none", folder.display()),
            "check the folder's name",
        ));
    }
    captures.sort();
    Ok(captures)
}

fn one(options: &Options, capture: &Path, reel: &Path) -> Result<(), Failure> {
    let input = scap::open(capture).map_err(Failure::of)?;
    let shows = std::io::stderr().is_terminal() && !options.quiet;
    let mut progress = |read: u64, all: u64| {
        if let Some(percent) = (read * 100).checked_div(all).filter(|_| shows) {
            let _ = write!(std::io::stderr(), "\r{}: {percent} %", capture.display());
        }
    };
    let create = |header: &crate::reel::Header| {
        let failed = |error| Error::Write { path: reel.to_owned(), error };
        Writer::create(reel, header).map_err(failed)
    };
    let imported = engine::import(input, create, &mut progress);
    if shows {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    let imported = imported.map_err(|error| match error {
        Error::Scap(error) => Failure::of(format!("{}: {error}", capture.display())),
        other => Failure::of(other),
    })?;
    for damage in &imported.summary.damages.told {
        let (offset, skipped) = (damage.offset, damage.skipped);
        say(format_args!(
            "warning: {}: damage at {offset:#x}, {skipped} bytes passed over: {}",
            capture.display(),
            damage.what
        ));
    }
    if !options.quiet {
        say(done(&imported, capture, reel));
    }
    Ok(())
}

fn done(imported: &Imported, capture: &Path, reel: &Path) -> String {
    let counts = imported.summary.counts;
    let mut text = format!(
        "{} -> {}: {} events, {} of them entries of calls that are joined with their returns",
        capture.display(),
        reel.display(),
        counts.events,
        counts.joined
    );
    let others = [
        (counts.open, "calls without a return"),
        (counts.state_only, "that only change the state"),
        (counts.unknown, "of unknown types"),
    ];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {count} {what}"));
    }
    let damages = &imported.summary.damages;
    if damages.count > 0 {
        text.push_str(&format!("; {} places are damaged, {} bytes were passed over", damages.count, damages.skipped));
    }
    text
}
