//! `-w`: record.

use super::args::Options;
use super::exit::Failure;
use super::question::filter;
use crate::engine::Record;
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
    let _request = request(options, path, words)?;
    Err(Failure::new("not supported yet: recording (-w)", "use -r to replay a reel"))
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
