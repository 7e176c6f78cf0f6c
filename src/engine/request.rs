//! What the command line asks of a recording, as data.

use crate::filter::Filter;
use std::path::PathBuf;
use std::time::Duration;

/// What sees the events of a live capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// The eBPF probe; where it cannot be, and there is a command, ptrace.
    #[default]
    Auto,
    /// The eBPF probe.
    Ebpf,
    /// ptrace: a command only.
    Ptrace,
}

/// Kubernetes audit events that are to be taken in live.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// The API server's log, followed as it is written.
    pub log: Option<PathBuf>,
    /// Where the position in it is kept.
    pub state: Option<PathBuf>,
    /// Where the API server sends events to.
    #[cfg(feature = "linux")]
    pub webhook: Option<crate::source::audit::Listen>,
    /// Most bytes of a line, and of what is sent at once.
    pub limit: usize,
    /// Nothing else is recorded.
    pub is_alone: bool,
}

/// A recording (`-w`).
#[derive(Clone)]
pub struct Record {
    /// The reel to write; `-` is standard output.
    pub path: PathBuf,
    /// Which events to keep, with its text for the header.
    pub filter: Option<(Filter, String)>,
    /// The command to record, and nothing else; empty: the whole machine.
    pub command: Vec<String>,
    /// Most bytes kept of each buffer.
    pub snaplen: u32,
    /// Memory for events on their way, bytes, all processors together; `None`: the recorder's own choice.
    pub ring: Option<u64>,
    /// Longest time between two writes; `None`: the recorder's own choice.
    pub flush: Option<Duration>,
    /// Stop after this many events.
    pub limit: Option<u64>,
    /// Stop after this time.
    pub duration: Option<Duration>,
    /// Tell the probe what the filter can never match, so that it is not recorded in the first place.
    pub push: bool,
    /// The command line, for the header.
    pub command_line: Vec<String>,
    /// When to go on in another file.
    pub rotation: super::Rotation,
    /// Wait for the disk after each batch.
    pub sync: bool,
    /// Record each switch of a processor from one thread to another, too.
    pub switches: bool,
    /// What is to see the events.
    pub source: Source,
    /// Hears what is to be said before the recording begins: that it sees less than asked for, and why.
    pub tell: fn(&str),
    /// Audit events that come from elsewhere, beside it or alone.
    pub audit: Option<Audit>,
}

/// Questions about what happens now (no file).
pub struct Watch {
    /// What to ask.
    pub questions: Vec<super::Question>,
    /// What to record for it; its path and filter are not used.
    pub record: Record,
    /// How to ask; `threads` and `span` are not used.
    pub options: super::Options,
    /// A report every so often, in event time.
    pub interval: Duration,
}
