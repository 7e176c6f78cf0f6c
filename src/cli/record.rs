//! `-w`: record.

use super::args::Options;
use super::exit::{Failure, say};
use super::question::filter;
use crate::engine::{self, Record, RecordSummary};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// Bytes kept of each buffer without `-s`, as sysdig.
const SNAPLEN: u32 = 80;

/// Records into a file.
pub(super) fn record(options: &Options, path: &Path, words: &[OsString]) -> Result<(), Failure> {
    if !options.chisels.is_empty() {
        return Err(Failure::new("a chisel with -w", "record first, then ask with -r and -c"));
    }
    let request = request(options, path, words)?;
    let recorded = engine::record(&request).map_err(Failure::of)?;
    told(options, &request, &recorded);
    Ok(())
}

/// What was recorded, on standard error; what was lost is said even with `-q`.
fn told(options: &Options, request: &Record, recorded: &RecordSummary) {
    let live = &recorded.live;
    if live.dropped > 0 {
        say(format_args!("warning: {} events were dropped at the rings; the reel says where", live.dropped));
        say("help: give the rings more memory with --ring (32M unless asked otherwise)");
    }
    if options.quiet {
        return;
    }
    if let Some(exit) = live.command {
        say(format_args!("{}: {exit}", request.command.join(" ")));
    }
    let (events, bytes) = (recorded.kept, recorded.totals.bytes);
    say(format_args!("{events} events, {bytes} bytes in {}", request.path.display()));
    if options.verbose {
        let per = |n: u64| n as f64 / live.events.max(1) as f64;
        let [drain, build] = live.cpu;
        let [encode, write] = recorded.cpu;
        say(format_args!("{:.2} bytes per event; {} late", bytes as f64 / events.max(1) as f64, live.late));
        say(format_args!(
            "recorder: {:.0} ns per event (drain {:.0}, build {:.0}, encode {:.0}, write {:.0})",
            per(drain + build + encode + write),
            per(drain),
            per(build),
            per(encode),
            per(write)
        ));
    }
}

/// What is to be recorded.
pub(super) fn request(options: &Options, path: &Path, words: &[OsString]) -> Result<Record, Failure> {
    let text = options.words.join(" ");
    let words_of_filter: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let flush = match options.flush {
        None => None,
        Some(s) => Some(Duration::try_from_secs_f64(s).ok().filter(|d| !d.is_zero()).ok_or_else(|| {
            Failure::new(format!("expected seconds above 0 after --flush, found `{s}`"), "use --flush 1")
        })?),
    };
    Ok(Record {
        path: path.to_owned(),
        filter: filter(&words_of_filter)?.map(|f| (f, text)),
        command: options.command.clone(),
        snaplen: options.snaplen.unwrap_or(SNAPLEN),
        ring: options.ring,
        flush,
        limit: options.count.map(std::num::NonZeroU64::get),
        duration: options.seconds.map(|s| Duration::from_secs(s.get())),
        command_line: words.iter().map(|w| w.to_string_lossy().into_owned()).collect(),
    })
}
