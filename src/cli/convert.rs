//! `-r FILE -w REEL`: captures of other programs become reels.

use super::args::Options;
use super::exit::{Failure, say};
use super::progress::Imports;
use crate::engine::{self, Error, Imported, Piped};
use crate::reel::Writer;
use crate::source::scap::Input;
use crate::source::{audit, scap};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Converts each capture that was named, or that is in a folder that was, into a reel; several into a folder. Several audit logs
/// become one where a reel is named for them.
pub(super) fn convert(options: &Options, to: &Path) -> Result<(), Failure> {
    if !options.words.is_empty() || !options.chisels.is_empty() || options.count.is_some() {
        return Err(Failure::new(
            "not supported yet: a part of a capture with -r and -w",
            "without a filter, -c and -n, -r x.scap -w x.reel converts all of it",
        ));
    }
    if options.read.iter().any(|path| path == Path::new("-")) {
        return piped(options, to);
    }
    let (captures, logs) = given(options)?;
    let is_reel = !to.is_dir() && to.extension().is_some_and(|ending| ending == "reel");
    if captures.is_empty() && !to.is_dir() && (logs.len() == 1 || is_reel) {
        return self::logs(options, &logs, to);
    }
    if is_reel && captures.len() + logs.len() > 1 {
        return Err(Failure::new(
            format!("{}: expected a folder for several captures, found a name for one", to.display()),
            "give -w a folder: scap files become a reel each; several -r are asked as one timeline",
        ));
    }
    let is_folder = to.is_dir() || logs.len() > 1 || options.read.len() > 1 || options.read[0].is_dir();
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
        one(options, capture, scap::open(capture).map_err(Failure::of)?, &reel)?;
    }
    let mut names = BTreeSet::new();
    for log in &logs {
        let last = log.last().map_or(Path::new(""), PathBuf::as_path);
        // `audit.log` and `audit.json` of one folder are two logs.
        let whole = || format!("{}.reel", last.file_name().unwrap_or_default().to_string_lossy());
        let name = if names.insert(name_of(last)) { name_of(last) } else { whole().into() };
        self::logs(options, std::slice::from_ref(log), &to.join(name))?;
    }
    Ok(())
}

/// The captures and the audit logs, each with its files, that are to be converted.
fn given(options: &Options) -> Result<(Vec<PathBuf>, Vec<Vec<PathBuf>>), Failure> {
    let (mut captures, mut logs) = (Vec::new(), Vec::new());
    for path in &options.read {
        if path.is_dir() {
            let (scaps, others) = captures_in(path)?;
            captures.extend(scaps);
            logs.extend(others);
        } else if scap::is_scap(path) {
            captures.push(path.clone());
        } else if audit::is_log(path) {
            logs.push(path.clone());
        } else {
            return Err(Failure::new(
                format!("{}: expected a scap file or an audit log to convert, found another", path.display()),
                "several reels are asked as one timeline with -r A -r B; `sysreel convert --to jsonl A B | sysreel -r - -w C` makes one of their audit events",
            ));
        }
    }
    Ok((captures, audit::groups(&logs)))
}

/// Converts what comes on standard input.
fn piped(options: &Options, to: &Path) -> Result<(), Failure> {
    if options.read.len() > 1 || to.is_dir() {
        return Err(Failure::new(
            "expected standard input alone and the name of a reel with -r - and -w, found more",
            "name the other captures in another command",
        ));
    }
    let failed = |error| Failure::of(format!("standard input: {error}"));
    match engine::standard_input().map_err(failed)? {
        Piped::Log(log) => read_logs(options, vec![vec![log]], "standard input", to),
        Piped::Scap(input) => one(options, Path::new("-"), input, to),
        Piped::Reel(start) => Err(Failure::new(
            format!(
                "standard input: expected a scap file or an audit log to convert, found {}",
                if start.is_empty() { "nothing" } else { "a reel" }
            ),
            "`sysreel -r - FILTER` asks a reel; a file keeps it as it is",
        )),
    }
}

/// Converts audit logs, each with its files, into one reel.
fn logs(options: &Options, logs: &[Vec<PathBuf>], reel: &Path) -> Result<(), Failure> {
    if logs.iter().flatten().any(|file| same(file, reel)) {
        return Err(Failure::new(
            format!("{}: expected another file than the log", reel.display()),
            "give -w another name",
        ));
    }
    let failed = |(path, error): (PathBuf, scap::Error)| Failure::of(format!("{}: {error}", path.display()));
    let inputs = logs.iter().map(|files| engine::open_all(files).map_err(failed)).collect::<Result<_, Failure>>()?;
    let names: Vec<String> = logs.iter().filter_map(|files| Some(files.last()?.display().to_string())).collect();
    read_logs(options, inputs, &names.join(", "), reel)
}

fn read_logs(options: &Options, logs: Vec<Vec<(String, Input)>>, name: &str, reel: &Path) -> Result<(), Failure> {
    let mut imports = Imports::new(options);
    let create = |header: &crate::reel::Header| {
        let failed = |error| Error::Write { path: reel.to_owned(), error };
        Writer::create(reel, header).map_err(failed)
    };
    let imported = engine::import_audit(logs, create, &mut |read, all| imports.tell(Path::new(name), read, all));
    imports.end();
    let counts = imported.map_err(Failure::of)?.counts;
    for told in &counts.told {
        say(format_args!("warning: {told}"));
    }
    if !options.quiet {
        let mut text = format!("{name} -> {}: {} audit events", reel.display(), counts.events);
        if counts.repeated > 0 {
            text.push_str(&format!(", {} more were there twice", counts.repeated));
        }
        if counts.faults > 0 {
            text.push_str(&format!("; {} lines or values are no events and were passed over", counts.faults));
        }
        say(text);
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
    let stem = [".scap", ".log", ".jsonl", ".json"].iter().find_map(|ending| stem.strip_suffix(ending)).unwrap_or(stem);
    PathBuf::from(format!("{stem}.reel"))
}

/// The captures and the audit logs of a folder, by name.
fn captures_in(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", folder.display()), "check that it may be read");
    let (mut captures, mut logs) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && scap::is_scap(&path) {
            captures.push(path);
        } else if path.is_file() && audit::is_log(&path) {
            logs.push(path);
        }
    }
    if captures.is_empty() && logs.is_empty() {
        return Err(Failure::new(
            format!("{}: expected scap files or audit logs, found none", folder.display()),
            "check the folder's name",
        ));
    }
    captures.sort();
    logs.sort();
    Ok((captures, logs))
}

fn one(options: &Options, capture: &Path, input: Input, reel: &Path) -> Result<(), Failure> {
    let mut imports = Imports::new(options);
    let create = |header: &crate::reel::Header| {
        let failed = |error| Error::Write { path: reel.to_owned(), error };
        Writer::create(reel, header).map_err(failed)
    };
    let imported = engine::import(input, create, &mut |read, all| imports.tell(capture, read, all));
    imports.end();
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
