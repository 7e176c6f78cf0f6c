//! `-w FILE.scap`: write what sysdig, Falco and Stratoshark read, from a recording or from what happens now.

use super::args::Options;
use super::exit::{Failure, say};
use super::progress::Imports;
use super::question::{context, filter, recorded};
use crate::engine::{self, Export, Exported, Reels};
use crate::field::Context;
use crate::format::scap::write::{LeftOut, Target};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Whether a name asks for a scap file.
pub(super) fn is_scap(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    [".scap", ".scap.gz"].iter().any(|end| name.len() > end.len() && name.ends_with(end))
}

/// What the flags about scap need.
pub(super) fn check(options: &Options) -> Result<(), Failure> {
    let is_scap = options.write.as_deref().is_some_and(is_scap);
    let given = [("--for", options.reader.is_some()), ("--exit-only", options.exit_only)];
    if let Some((flag, _)) = given.iter().find(|(_, given)| *given && !is_scap) {
        return Err(Failure::new(
            format!("expected -w FILE.scap with {flag}, found none"),
            "it says who is to read the scap that is written",
        ));
    }
    let several = [
        ("-C", options.file_size),
        ("-G", options.slice.map(|slice| slice.seconds)),
        ("-e", options.file_events),
        ("-W", options.files),
    ];
    if let Some((flag, _)) = several.iter().find(|(_, given)| is_scap && given.is_some()) {
        return Err(Failure::new(
            format!("expected no {flag} with -w FILE.scap, found one"),
            "record into a reel, which can be a row of files: each can be exported with -r and -w",
        ));
    }
    target(options).map(|_| ())
}

/// Who is to read what is written.
fn target(options: &Options) -> Result<Target, Failure> {
    let known = || Target::NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let target = match options.reader.as_deref() {
        None => Target::default(),
        Some(name) => Target::NAMES.iter().find(|n| n.0 == name).map(|n| n.1).ok_or_else(|| {
            Failure::new(format!("expected a reader with --for, found `{name}`"), format!("known are {}", known()))
        })?,
    };
    match (options.exit_only, target) {
        (false, target) => Ok(target),
        (true, Target::Old) => Err(Failure::new(
            "expected --exit-only or --for 0.29, found both",
            "sysdig 0.29 takes descriptors and latencies from enter events",
        )),
        (true, _) => Ok(Target::Current),
    }
}

fn request(options: &Options, path: &Path, ctx: Context, until: Option<u64>) -> Result<Export, Failure> {
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let filter = filter(&words)?;
    recorded(filter.as_ref())?;
    Ok(Export {
        path: path.to_owned(),
        target: target(options)?,
        gzip: options.compress || path.extension().is_some_and(|end| end == "gz"),
        filter,
        limit: options.count.map(std::num::NonZeroU64::get),
        until,
        ctx,
    })
}

/// Writes what is recorded as scap.
pub(super) fn export(options: &Options, path: &Path) -> Result<(), Failure> {
    if !options.chisels.is_empty() || !options.command.is_empty() {
        return Err(Failure::new("expected only a filter with -r and -w, found more", "ask the file that was written"));
    }
    let mut imports = Imports::new(options);
    let opened = Reels::open_telling(&options.read, &mut |path, read, all| imports.tell(path, read, all));
    imports.end();
    let reels = opened.map_err(|(path, error)| {
        let (path, text) = (path.display().to_string(), error.to_string());
        // Errors of the file system name the file themselves.
        Failure::of(if text.starts_with(&path) { text } else { format!("{path}: {text}") })
    })?;
    let span = reels.span();
    let mut ctx = context(options)?;
    ctx.start = span.start;
    ctx.tz_offset_s = reels.files().next().map_or(0, |(_, reader)| reader.header().tz_offset_s);
    for note in reels.notes() {
        say(format_args!("warning: {note}"));
    }
    let until = options.seconds.map(|s| span.start.saturating_add(s.get().saturating_mul(1_000_000_000)));
    let done = engine::export(&reels, &request(options, path, ctx, until)?).map_err(failed)?;
    told(options, path, &done);
    Ok(())
}

/// Records into a scap file.
#[cfg(feature = "linux")]
pub(super) fn record(options: &Options, path: &Path, words: &[OsString]) -> Result<(), Failure> {
    if !options.chisels.is_empty() {
        return Err(Failure::new("expected no chisel with -w, found one", "record first, then ask with -r and -c"));
    }
    let record = super::record::live(options, path, words)?;
    let export = request(options, path, context(options)?, None)?;
    let (live, done) = engine::record_scap(&record, &export).map_err(failed)?;
    super::record::told(options, &live);
    told(options, path, &done);
    Ok(())
}

/// Without the live half there is nothing to record with.
#[cfg(not(feature = "linux"))]
pub(super) fn record(_: &Options, _: &Path, _: &[OsString]) -> Result<(), Failure> {
    Err(super::watch::no_live())
}

fn failed(error: engine::Error) -> Failure {
    match error {
        engine::Error::Write { error: crate::reel::Error::Io { source, .. }, .. }
            if source.kind() == std::io::ErrorKind::BrokenPipe =>
        {
            Failure::silent()
        }
        error => Failure::of(error),
    }
}

/// Says what was written, and what could not be.
fn told(options: &Options, path: &Path, done: &Exported) {
    if options.quiet {
        return;
    }
    for damaged in done.damaged.iter().take(5) {
        let what = damaged.error.split("\nhelp:").next().unwrap_or_default();
        say(format_args!("warning: {}: {what}", damaged.place));
    }
    if !done.damaged.is_empty() {
        say(format_args!("warning: {}", engine::left_out(done.damaged.len())));
    }
    say(format_args!("{} events of {} rows in {}", done.events, done.rows, path.display()));
    if done.hidden > 0 {
        say(format_args!("note: {} more events only change the state and are not shown", done.hidden));
    }
    if done.late > 0 {
        say(format_args!(
            "note: {} calls that lasted long begin in the file behind events that came later, with their own time",
            done.late
        ));
    }
    left_out(&done.left_out, target(options).unwrap_or_default());
}

fn left_out(what: &LeftOut, target: Target) {
    let note = |what: &str, kinds: &BTreeMap<&'static str, u64>| {
        let count: u64 = kinds.values().sum();
        if count > 0 {
            let mut names: Vec<(&str, u64)> = kinds.iter().map(|(name, count)| (*name, *count)).collect();
            names.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
            let more = if names.len() > 5 { format!(" and {} more", names.len() - 5) } else { String::new() };
            let names: Vec<&str> = names.iter().take(5).map(|n| n.0).collect();
            say(format_args!("note: {count} {what}: {}{more}", names.join(", ")));
        }
    };
    note("events were left out that scap has no type for", &what.kinds);
    note("calls have no type of their own in scap, and so no parameters", &what.generic);
    if target == Target::All {
        note("calls are of types that sysdig 0.29 passes over (--for 0.29 makes it show them)", &what.passed_over);
    }
    let counts = [
        (what.entries, "calls have no enter event: when they began is not known"),
        (what.flags, "sets of flags have bits that scap has no name for"),
        (what.values, "parameters do not fit an event of scap whole"),
        (what.doubtful, "events are doubtful, which scap cannot say"),
    ];
    for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
        say(format_args!("note: {count} {what}"));
    }
}
