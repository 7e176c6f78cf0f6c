//! The command line: sysdig's letters and meanings.

use super::refused;
use crate::value::{Moment, Zone};
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser};
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// Records what a Linux node did and answers questions about it later.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "sysreel", disable_version_flag = true, args_override_self = false, override_usage = USAGE, after_help = AFTER)]
#[allow(clippy::struct_excessive_bools, reason = "one flag of the command line each")]
pub struct Options {
    /// Record into FILE (`-`: standard output); with -r: write FILE.scap, as sysdig reads it
    #[arg(short = 'w', long = "write", value_name = "FILE", help_heading = "What to do")]
    pub write: Option<PathBuf>,
    /// Replay FILE (`-`: standard input) or the reels of a folder; can be repeated: one timeline
    #[arg(short = 'r', long = "read", value_name = "FILE", help_heading = "What to do")]
    pub read: Vec<PathBuf>,
    /// With -r: go on with what is written, into the next file too
    #[arg(long, help_heading = "What to do")]
    pub follow: bool,
    /// Run a chisel; its arguments are the next word; `-cl` lists them
    #[arg(short = 'c', long = "chisel", value_name = "CHISEL", help_heading = "What to do")]
    pub chisel: Vec<String>,
    /// Folder with chisels of your own, looked in first; can be repeated
    #[arg(long, value_name = "DIR", help_heading = "What to do")]
    pub chisel_dir: Vec<PathBuf>,
    /// List the chisels; `-cl -v`: those of the interactive screen, too
    #[arg(long = "list-chisels", help_heading = "What can be named")]
    pub list_chisels: bool,
    /// Describe a chisel
    #[arg(short = 'i', long = "chisel-info", value_name = "CHISEL", help_heading = "What can be named")]
    pub info: Option<String>,
    /// List the fields, or those of a class; `-lv` with examples
    #[arg(short = 'l', long = "list", value_name = "CLASS", num_args = 0..=1, default_missing_value = "", help_heading = "What can be named")]
    pub list: Option<String>,
    /// List the events with their parameters; a category or a word chooses
    #[arg(short = 'L', long = "list-events", value_name = "WORD", num_args = 0..=1, default_missing_value = "", help_heading = "What can be named")]
    pub list_events: Option<String>,

    /// How lines are written, such as `%evt.num %proc.name`; `c`, `k`: with containers, pods; `p`: show the default
    #[arg(short = 'p', long = "print", value_name = "FORMAT", help_heading = "Output")]
    pub print: Option<String>,
    /// JSON
    #[arg(short = 'j', long = "json", help_heading = "Output")]
    pub json: bool,
    /// CSV: of tables, or of lines a column for each field of -p
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    pub csv: bool,
    /// Markdown (tables)
    #[arg(long, visible_alias = "md", conflicts_with_all = ["json", "csv"], help_heading = "Output")]
    pub markdown: bool,
    /// Draw the tables, series and heat maps into FILE (`-`: standard output)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub svg: Option<PathBuf>,
    /// Write a page with tables and pictures into FILE (`-`: standard output)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// Plain numbers in tables, without units
    #[arg(long, help_heading = "Output")]
    pub raw: bool,
    /// Do not cut tables to the width of the terminal
    #[arg(long, help_heading = "Output")]
    pub wide: bool,
    /// Live tables are drawn anew every SEC seconds [default: 1]
    #[arg(long, value_name = "SEC", value_parser = seconds, allow_negative_numbers = true, help_heading = "Output")]
    pub interval: Option<Duration>,
    /// A report for each piece of event time, such as 10s, 1m or 500ms
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "interval", allow_negative_numbers = true, help_heading = "Output")]
    pub every: Option<Duration>,
    /// With `chisel test`: keep what the examples say now
    #[arg(long, hide = true)]
    pub bless: bool,
    /// Print no events
    #[arg(short = 'q', long = "quiet", help_heading = "Output")]
    pub quiet: bool,
    /// Time of lines: h of day, a since 1970, r since the start, d of the call, D since the line before, u UTC
    #[arg(
        short = 't',
        long = "timetype",
        value_name = "h|a|r|d|D|u",
        default_value = "h",
        hide_default_value = true,
        help_heading = "Output"
    )]
    pub time: String,
    /// Zone of local times: Europe/Berlin, +02:00, UTC, local [default: that of the recording]
    #[arg(long, value_name = "ZONE", value_parser = zone, allow_hyphen_values = true, help_heading = "Output")]
    pub tz: Option<&'static Zone>,
    /// A line for the beginning of each call, too, at its own time; live it comes when the call is over
    #[arg(long, help_heading = "Output")]
    pub enter: bool,
    /// Names of services instead of ports
    #[arg(short = 'R', long = "resolve-ports", help_heading = "Output")]
    pub resolve_ports: bool,
    /// Colour: failed calls, names of programs, heat maps; auto is on a terminal, and `NO_COLOR` and `CLICOLOR_FORCE` count
    #[arg(long, value_name = "WHEN", value_parser = ["auto", "always", "never"], default_value = "auto", hide_default_value = true, hide_possible_values = true, help_heading = "Output")]
    pub color: String,
    /// With -r: how far it is, on standard error
    #[arg(short = 'P', long = "progress", help_heading = "Output")]
    pub progress: bool,
    /// Write out each line at once
    #[arg(long, help_heading = "Output")]
    pub unbuffered: bool,
    /// Data as text
    #[arg(short = 'A', long = "print-ascii", group = "data", help_heading = "Output")]
    pub ascii: bool,
    /// Data as base64
    #[arg(short = 'b', long = "print-base64", group = "data", help_heading = "Output")]
    pub base64: bool,
    /// Data as hex
    #[arg(short = 'x', long = "print-hex", group = "data", help_heading = "Output")]
    pub hex: bool,
    /// Data as hex and text
    #[arg(short = 'X', long = "print-hex-ascii", group = "data", help_heading = "Output")]
    pub hex_ascii: bool,
    /// Show the recorder's own events, too
    #[arg(short = 'D', long = "debug", help_heading = "Output")]
    pub internal: bool,
    /// How often each event occurred, at the end
    #[arg(short = 'S', long = "summary", help_heading = "Output")]
    pub summary: bool,
    /// Do not cut data to 80 bytes, tell what was not recorded from what is not there, and say more on standard error
    #[arg(short = 'v', long = "verbose", help_heading = "Output")]
    pub verbose: bool,

    /// Go on in another file before this one has more than MB million bytes
    #[arg(short = 'C', long = "file-size", value_name = "MB", value_parser = above_zero, allow_negative_numbers = true, help_heading = "Several files")]
    pub file_size: Option<NonZeroU64>,
    /// Go on in another file every SEC seconds; `%` in FILE is the local time at its start, as in date(1); `day` and `hour`: by UTC
    #[arg(short = 'G', long = "seconds", value_name = "SEC", value_parser = slice, allow_negative_numbers = true, help_heading = "Several files")]
    pub slice: Option<Slice>,
    /// Go on in another file after N events
    #[arg(short = 'e', long = "event-limit", value_name = "N", value_parser = above_zero, allow_negative_numbers = true, help_heading = "Several files")]
    pub file_events: Option<NonZeroU64>,
    /// Keep the last N files
    #[arg(short = 'W', long = "limit", value_name = "N", value_parser = above_zero, allow_negative_numbers = true, help_heading = "Several files")]
    pub files: Option<NonZeroU64>,
    /// Keep audit events and their bodies so long: Metadata=90d,Request=30d,RequestResponse=7d,verb=delete=1y
    #[arg(long, value_name = "WHAT=AGE", help_heading = "Several files")]
    pub keep: Vec<String>,
    /// prune: only say what would go
    #[arg(long, help_heading = "Several files")]
    pub dry_run: bool,
    /// Begin with the first name, not behind the files that are there
    #[arg(long, help_heading = "Several files")]
    pub start_over: bool,

    /// Stop after N events
    #[arg(short = 'n', long = "numevents", value_name = "N", value_parser = above_zero, allow_negative_numbers = true, help_heading = "Limits")]
    pub count: Option<NonZeroU64>,
    /// Stop after SEC seconds of event time
    #[arg(id = "stop-after", short = 'M', value_name = "SEC", value_parser = above_zero, allow_negative_numbers = true, help_heading = "Limits")]
    pub seconds: Option<NonZeroU64>,
    /// The moment that ps, lsof, netstat show: 2026-11-22T01:58:03Z, 01:58:03, +30s, -30s [default: the end]
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true, help_heading = "Limits")]
    pub at: Option<Moment>,
    /// With `diff`: a part of the recording, as two moments; given twice
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true, help_heading = "Limits")]
    pub window: Vec<String>,
    /// With -r: nothing before TIME, in the forms of --at; what the index rules out is not read
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true, help_heading = "Limits")]
    pub from: Option<Moment>,
    /// With -r: nothing from TIME on; with `convert FILE…`: the form, `jsonl` (Kubernetes audit events as they came)
    #[arg(long, value_name = "TIME|FORM", allow_hyphen_values = true, help_heading = "Limits")]
    pub to: Option<String>,
    /// With `convert FILE TO`: writes a reel again, as small as it gets
    #[arg(long, help_heading = "Limits")]
    pub compact: bool,
    /// With -w: the filter is for the display alone, and everything is recorded
    #[arg(short = 'd', long = "displayflt", help_heading = "Limits")]
    pub display_filter: bool,
    /// Bytes of data kept of each call
    #[arg(short = 's', long = "snaplen", value_name = "BYTES", value_parser = bytes, allow_negative_numbers = true, help_heading = "Limits")]
    pub snaplen: Option<u32>,
    /// Memory for events on their way, all processors together, such as 32M
    #[arg(long, value_name = "SIZE", value_parser = size, allow_negative_numbers = true, help_heading = "Limits")]
    pub ring: Option<u64>,
    /// Write at least every SEC seconds
    #[arg(long, value_name = "SEC", value_parser = seconds, allow_negative_numbers = true, help_heading = "Limits")]
    pub flush: Option<Duration>,
    /// Leave out programs of this name and all that descend from them
    #[arg(short = 'U', long = "suppress-comm", value_name = "NAME", help_heading = "Limits")]
    pub suppress: Vec<String>,
    /// Record everything and filter afterwards: the same result at a higher cost
    #[arg(long, help_heading = "Limits")]
    pub no_push: bool,
    /// Wait for the disk after each write
    #[arg(long, help_heading = "Limits")]
    pub sync: bool,
    /// Record with the eBPF probe, or not at all
    #[arg(long, help_heading = "What sees the events")]
    pub ebpf: bool,
    /// Record a command with ptrace, which needs no privileges and slows it down
    #[arg(long, conflicts_with = "ebpf", help_heading = "What sees the events")]
    pub ptrace: bool,
    /// Record each switch of a processor to another thread, too (`switch`): 0.3 µs and 2 bytes each
    #[arg(long, conflicts_with = "ptrace", help_heading = "What sees the events")]
    pub switches: bool,
    /// Take in the API server's audit log as it is written, through rotation; alone, or beside a command or --ebpf
    #[arg(long, value_name = "LOG", help_heading = "Kubernetes audit")]
    pub audit_log: Option<PathBuf>,
    /// Keep how far the log was taken over in FILE [default: beside the recording]
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes audit")]
    pub audit_state: Option<PathBuf>,
    /// Take in what the API server sends to ADDRESS (its audit webhook), such as 127.0.0.1:9099
    #[arg(long, value_name = "ADDRESS", help_heading = "Kubernetes audit")]
    pub audit_webhook: Option<String>,
    /// Most bytes of a line of the log, and of what is sent at once [default: 32M]
    #[arg(long, value_name = "SIZE", value_parser = size, allow_negative_numbers = true, help_heading = "Kubernetes audit")]
    pub audit_limit: Option<u64>,
    /// Certificate chain of the webhook (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes audit")]
    pub tls_cert: Option<PathBuf>,
    /// Key of that certificate (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes audit")]
    pub tls_key: Option<PathBuf>,
    /// Let in only clients with a certificate that one of these has signed (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes audit")]
    pub client_ca: Option<PathBuf>,
    /// With `audit kubeconfig`: who signed the webhook's certificate (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes audit")]
    pub ca: Option<PathBuf>,
    /// With `audit kubeconfig`: certificate of the API server (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes audit")]
    pub client_cert: Option<PathBuf>,
    /// With `audit kubeconfig`: key of that certificate (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes audit")]
    pub client_key: Option<PathBuf>,
    /// What databases say of addresses (.mmdb): `ka.sourceip.country`, `fd.rip.asn` and their kin; several may be given
    #[arg(long, value_name = "FILE.mmdb", help_heading = "Output")]
    pub geoip: Vec<PathBuf>,
    /// Threads for replay [default: one per processor]
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true, help_heading = "Limits")]
    pub threads: Option<NonZeroUsize>,
    /// Who is to read the scap that is written: all (sysdig 0.29 and newer readers) or 0.29 alone [default: all]
    #[arg(long = "for", value_name = "READER", help_heading = "With -w FILE.scap")]
    pub reader: Option<String>,
    /// No enter events: only for readers since libs 0.23
    #[arg(long, help_heading = "With -w FILE.scap")]
    pub exit_only: bool,
    /// Compress it (gzip), as a name that ends in .scap.gz does; reels are always compressed
    #[arg(short = 'z', long = "compress", help_heading = "With -w FILE.scap")]
    pub compress: bool,
    /// Print the version
    #[arg(short = 'V', long = "version", action = ArgAction::SetTrue)]
    pub version: bool,

    /// Filter: all words are joined by blanks
    #[arg(value_name = "FILTER")]
    pub words: Vec<String>,
    /// Command to record
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<String>,
    /// Chisels, each with the range of `words` that stand right behind it; filled in after parsing.
    #[arg(skip)]
    pub chisels: Vec<(String, Range<usize>)>,
}

const USAGE: &str = "\
sysreel -w FILE [options] [FILTER] [-- CMD ARG…]      record
       sysreel -r FILE|DIR [options] [FILTER]                replay
       sysreel [-r FILE] -c CHISEL [ARGS] [FILTER]           analyse
       sysreel -l | -L | -cl | -i CHISEL                     what can be named";

const AFTER: &str = "\
Examples:
  sysreel -w out.reel -- make            record what `make` does
  sysreel -r out.reel 'evt.type = execve'
  sysreel -r out.reel -p '%evt.time %proc.name %fd.name' --from +10s fd.type = file
  sysreel -r out.reel -c topprocs_file

`sysreel help all` lists every option.";

fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let shift = match unit.to_ascii_lowercase().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return Err(format!("expected a number with K, M or G, found `{text}`")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("expected a number with K, M or G, found `{text}`"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is too large"))
}

/// A slice of time, each in a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// How long it is.
    pub seconds: NonZeroU64,
    /// It ends where days and hours do in UTC.
    pub aligned: bool,
}

/// Reads a moment.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse(text).ok_or_else(|| format!("expected {}, found `{text}`", Moment::FORMS))
}

fn above_zero(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| format!("expected a whole number above 0, found `{text}`"))
}

/// Reads what `-G` was given.
fn slice(text: &str) -> Result<Slice, String> {
    let aligned = |seconds: u64| NonZeroU64::new(seconds).map(|seconds| Slice { seconds, aligned: true });
    let named = match text {
        "day" => aligned(86_400),
        "hour" => aligned(3600),
        _ => None,
    };
    named.map_or_else(|| above_zero(text).map(|seconds| Slice { seconds, aligned: false }), Ok)
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| format!("expected a whole number above 0, found `{text}`"))
}

fn bytes(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("expected a number of bytes, found `{text}`"))
}

fn span(text: &str) -> Result<Duration, String> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => 0.0,
    };
    let duration = number.parse().ok().and_then(|n: f64| Duration::try_from_secs_f64(n * seconds).ok());
    duration
        .filter(|d| *d >= Duration::from_millis(1))
        .ok_or_else(|| format!("expected a time such as 10s, 1m or 500ms, found `{text}`"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let duration = text.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
    duration.filter(|d| !d.is_zero()).ok_or_else(|| format!("expected seconds above 0, found `{text}`"))
}

fn zone(text: &str) -> Result<&'static Zone, String> {
    Zone::find(text).map_err(|error| error.to_string())
}

/// The options with those of sysdig that are refused, hidden.
pub(super) fn command() -> clap::Command {
    refused::add(Options::command())
}

/// Parses a command line, the program's name first. The words right behind each `-c` are kept with it as candidates
/// for its arguments; which of them it takes is decided when the chisel is known.
pub fn parse<I: IntoIterator<Item = std::ffi::OsString>>(words: I) -> Result<Options, clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    refused::check(&matches)?;
    let mut options = Options::from_arg_matches(&matches)?;
    options.chisels = chisels(&matches, &options);
    Ok(options)
}

/// Each `-c` with the range of words that stand right behind it.
fn chisels(matches: &clap::ArgMatches, options: &Options) -> Vec<(String, Range<usize>)> {
    let places = |id: &str| matches.indices_of(id).map(Iterator::collect::<Vec<usize>>).unwrap_or_default();
    let words = places("words");
    let chisel = |(place, name): (usize, &String)| {
        let start = words.iter().position(|&w| w > place).unwrap_or(words.len());
        let length = words[start..].iter().enumerate().take_while(|(n, w)| **w == place + 1 + n).count();
        (name.clone(), start..start + length)
    };
    places("chisel").into_iter().zip(&options.chisel).map(chisel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Options {
        parse(line.split_whitespace().map(Into::into)).unwrap()
    }

    #[test]
    fn letters_are_sysdigs() {
        let o = options("sysreel -r a.reel -r b.reel -n 5 -pc -t a evt.type = open");
        assert_eq!(o.read, [PathBuf::from("a.reel"), PathBuf::from("b.reel")]);
        assert_eq!((o.count.map(NonZeroU64::get), o.print.as_deref(), o.time.as_str()), (Some(5), Some("c"), "a"));
        assert_eq!(o.words, ["evt.type", "=", "open"]);
        let o = options("sysreel -w x.reel -s 200 proc.name=ls -- ls -l");
        assert_eq!((o.words.len(), o.command.len(), o.snaplen), (1, 2, Some(200)));
        assert_eq!(options("sysreel -lv").list.as_deref(), Some("v"));
        assert_eq!(options("sysreel -l").list.as_deref(), Some(""));
        assert_eq!(options("sysreel -cl").chisel, ["l"]);
    }

    #[test]
    fn words_behind_a_chisel_are_candidates_for_its_arguments() {
        let o = options("sysreel -c fdbytes_by fd.name proc.name=ls -c topconns -r a.reel x=y");
        assert_eq!(o.chisels, [("fdbytes_by".into(), 0..2), ("topconns".into(), 2..2)]);
    }

    #[test]
    fn sizes_have_units() {
        for (text, want) in
            [("4096", Some(4096)), ("32M", Some(32 << 20)), ("1GiB", Some(1 << 30)), ("x", None), ("5T", None)]
        {
            assert_eq!(size(text).ok(), want, "{text}");
        }
    }
}
