//! `-w`: record.

use super::args::Options;
use super::exit::Failure;
use super::question::filter;
use crate::engine::{Record, Source};
use std::ffi::OsString;
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
    let request = request(options, path, words)?;
    if options.compress && options.verbose {
        say("note: -z changes nothing: reels are always compressed");
    }
    let done = crate::engine::record(&request).map_err(|error| match error {
        crate::engine::Error::Write { error: crate::reel::Error::Io { source, .. }, .. }
            if path == Path::new("-") && source.kind() == std::io::ErrorKind::BrokenPipe =>
        {
            Failure::silent()
        }
        error => Failure::of(error),
    })?;
    told(options, &done.live);
    if !options.quiet {
        say(format_args!("{} events, {} bytes in {}", done.kept, done.totals.bytes, path.display()));
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
    let per = |n: u64| n as f64 / done.live.events.max(1) as f64;
    let ([drain, build], [encode, write]) = (done.live.cpu, done.cpu);
    say(format_args!(
        "note: {} events seen, {} of them late; {:.2} bytes per event kept",
        done.live.events,
        done.live.late,
        done.totals.bytes as f64 / done.kept.max(1) as f64
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
        say("help: give the events on their way more memory with --ring, such as --ring 128M");
    }
}

/// Without the live half there is nothing to record with.
#[cfg(not(feature = "linux"))]
pub(super) fn record(options: &Options, path: &Path, words: &[OsString]) -> Result<(), Failure> {
    let _request = request(options, path, words)?;
    Err(super::watch::no_live())
}

/// What is to be recorded.
pub(super) fn request(options: &Options, path: &Path, words: &[OsString]) -> Result<Record, Failure> {
    let text = options.words.join(" ");
    let words_of_filter: Vec<&str> = options.words.iter().map(String::as_str).collect();
    Ok(Record { filter: filter(&words_of_filter)?.map(|f| (f, text)), ..live(options, path, words) })
}

/// The part of a recording that has nothing to do with its filter.
pub(super) fn live(options: &Options, path: &Path, words: &[OsString]) -> Record {
    Record {
        path: path.to_owned(),
        filter: None,
        command: options.command.clone(),
        snaplen: options.snaplen.unwrap_or(SNAPLEN),
        ring: options.ring,
        flush: options.flush,
        limit: options.count.map(std::num::NonZeroU64::get),
        duration: options.seconds.map(|s| Duration::from_secs(s.get())),
        command_line: words.iter().map(|w| w.to_string_lossy().into_owned()).collect(),
        source: match (options.ebpf, options.ptrace) {
            (true, _) => Source::Ebpf,
            (_, true) => Source::Ptrace,
            _ => Source::Auto,
        },
        tell: |text| super::exit::say(text),
    }
}
