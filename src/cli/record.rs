//! `-w`: record.

use super::args::Options;
use super::exit::Failure;
use super::question::{filter, recorded, without};
use crate::engine::{Record, Rotation, Source};
use crate::filter::Filter;
use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

/// Bytes kept of each buffer without `-s`, as sysdig.
const SNAPLEN: u32 = 80;

/// Records into a file. How the command ended is told, and does not change our exit code.
#[cfg(feature = "linux")]
pub(super) fn record(options: &Options, path: &Path, words: &[OsString]) -> Result<(), Failure> {
    use super::exit::say;
    if !options.chisels.is_empty() {
        return Err(Failure::new("expected no chisel with -w, found one", "record first, then ask with -r and -c"));
    }
    check(options, path)?;
    let request = request(options, path, words)?;
    if options.compress && options.verbose {
        say("note: -z changes nothing: reels are always compressed");
    }
    if let Some((filter, _)) = request.filter.as_ref().filter(|_| options.verbose && request.push) {
        say(format_args!("note: {}", super::plan::summary(filter)));
    }
    let done = crate::engine::record(&request, &|text| say(text)).map_err(|error| match error {
        crate::engine::Error::Write { error: crate::reel::Error::Io { source, .. }, .. }
            if path == Path::new("-") && source.kind() == std::io::ErrorKind::BrokenPipe =>
        {
            Failure::silent()
        }
        error => Failure::of(error),
    })?;
    told(options, &done.live);
    if !options.quiet {
        let files = if done.written.files > 1 { format!("{} files like ", done.written.files) } else { String::new() };
        say(format_args!("{} events, {} bytes in {files}{}", done.kept, done.written.bytes, path.display()));
    }
    if options.verbose {
        costs(&done);
    }
    Ok(())
}

/// What the recorder itself used, for `-v`.
#[cfg(feature = "linux")]
fn costs(done: &crate::engine::RecordSummary) {
    use super::exit::say;
    if let Some(lacks) = &done.live.lacks {
        say(format_args!("note: {lacks}"));
    }
    let per = |n: u64| n as f64 / done.live.events.max(1) as f64;
    let ([drain, build], [encode, write]) = (done.live.cpu, done.cpu);
    say(format_args!(
        "note: {} events seen, {} of them late; {:.2} bytes per event kept",
        done.live.events,
        done.live.late,
        done.written.bytes as f64 / done.kept.max(1) as f64
    ));
    say(format_args!(
        "note: {:.0} ns of processor time per event (drain {:.0}, build {:.0}, encode {:.0}, write {:.0})",
        per(drain + build + encode + write),
        per(drain),
        per(build),
        per(encode),
        per(write)
    ));
}

/// Says how a capture went: the command's end unless `-q`, losses always.
#[cfg(feature = "linux")]
pub(super) fn told(options: &Options, live: &crate::engine::LiveSummary) {
    use super::exit::say;
    use crate::sys::Exit;
    match live.command {
        _ if options.quiet => {}
        Some(Exit::Code(0)) | None => {}
        Some(Exit::Code(code)) => say(format_args!("note: the command ended with exit code {code}")),
        Some(Exit::Signal(signal)) => say(format_args!("note: the command was ended by signal {signal}")),
    }
    if live.dropped > 0 {
        say(format_args!("warning: {} events were lost, {} were seen", live.dropped, live.events));
        if live.doubtful > 0 {
            say(format_args!("note: of {} events it is doubtful whose or on what they were", live.doubtful));
        }
        say("help: give the events on their way more memory with --ring, such as --ring 128M");
    }
}

/// Without the live half there is nothing to record with.
#[cfg(not(feature = "linux"))]
pub(super) fn record(options: &Options, path: &Path, words: &[OsString]) -> Result<(), Failure> {
    check(options, path)?;
    let _request = request(options, path, words)?;
    Err(super::watch::no_live())
}

/// What is to be recorded.
pub(super) fn request(options: &Options, path: &Path, words: &[OsString]) -> Result<Record, Failure> {
    let text = options.words.join(" ");
    let words_of_filter: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let filter = without(filter(&words_of_filter)?, &options.suppress)?;
    let written = |f: &Filter| if options.suppress.is_empty() { text } else { f.expr().to_string() };
    recorded(filter.as_ref())?;
    let filter = filter.map(|f| (f.clone(), written(&f)));
    Ok(Record { filter, ..live(options, path, words)? })
}

/// The part of a recording that has nothing to do with its filter.
pub(super) fn live(options: &Options, path: &Path, words: &[OsString]) -> Result<Record, Failure> {
    let is_file = options.write.is_some() && !is_stream(path);
    let audit = super::audit::audit(options, options.write.as_deref())?;
    Ok(Record {
        path: path.to_owned(),
        filter: None,
        command: options.command.clone(),
        snaplen: options.snaplen.unwrap_or(SNAPLEN),
        ring: options.ring,
        flush: options.flush,
        limit: options.count.map(NonZeroU64::get),
        duration: options.seconds.map(|s| Duration::from_secs(s.get())),
        push: !options.no_push,
        command_line: words.iter().map(|w| w.to_string_lossy().into_owned()).collect(),
        rotation: Rotation { goes_on: audit.is_some() && is_file, ..rotation(options) },
        sync: options.sync,
        switches: options.switches,
        source: match (options.ebpf, options.ptrace) {
            (true, _) => Source::Ebpf,
            (_, true) => Source::Ptrace,
            _ => Source::Auto,
        },
        tell: |text| super::exit::say(text),
        audit,
    })
}

fn rotation(options: &Options) -> Rotation {
    let number = |n: Option<NonZeroU64>| n.map(NonZeroU64::get);
    Rotation {
        size: number(options.file_size).map(|megabytes| megabytes.saturating_mul(1_000_000)),
        seconds: number(options.slice.map(|slice| slice.seconds)),
        aligned: options.slice.is_some_and(|slice| slice.aligned),
        events: number(options.file_events),
        files: number(options.files),
        start_over: options.start_over,
        goes_on: false,
        // What cannot be understood was told before.
        keep: super::prune::keep(options).ok().flatten().unwrap_or_default(),
    }
}

/// What the flags of rotation need from each other.
fn check(options: &Options, path: &Path) -> Result<(), Failure> {
    super::prune::keep(options)?;
    let rotation = rotation(options);
    let extra =
        [("-W", rotation.files.is_some()), ("--start-over", rotation.start_over), ("--keep", !options.keep.is_empty())];
    if let Some((flag, _)) = extra.iter().find(|(_, given)| *given && !rotation.is_on()) {
        return Err(Failure::new(
            format!("expected -C, -G or -e with {flag}, found none"),
            "they say when the next file begins: -C MB, -G SEC, -e N",
        ));
    }
    let is_audit = options.audit_log.is_some() || options.audit_webhook.is_some();
    if !options.keep.is_empty() && !is_audit {
        return Err(Failure::new(
            "expected --audit-log or --audit-webhook with --keep, found neither",
            "it says how long audit events are kept; -W N bounds the files of a recording of system calls",
        ));
    }
    if rotation.is_on() && is_stream(path) {
        return Err(Failure::new(
            format!("expected a file name with -C, -G or -e, found `{}`", path.display()),
            "several files need names: -w NAME",
        ));
    }
    Ok(())
}

fn is_stream(path: &Path) -> bool {
    path == Path::new("-") || std::fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}
