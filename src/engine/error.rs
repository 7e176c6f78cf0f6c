//! [`Error`]: why a pipeline stopped.

use std::path::PathBuf;

/// Why a pipeline stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The live source could not be opened.
    #[cfg(feature = "linux")]
    #[error(transparent)]
    Probe(#[from] crate::source::ebpf::Error),
    /// The same of the whole machine, for which there is no other way.
    #[cfg(feature = "linux")]
    #[error("{0}\nhelp: without these a command can be recorded: sysreel -w FILE -- CMD")]
    WholeMachine(crate::source::ebpf::Error),
    /// A command cannot be traced.
    #[cfg(feature = "linux")]
    #[error(transparent)]
    Trace(#[from] crate::source::ptrace::Error),
    /// Only a command can be traced.
    #[error(
        "expected a command for --ptrace, found none\nhelp: it follows what it starts itself: sysreel --ptrace -w FILE -- CMD"
    )]
    NothingToTrace,
    /// The command could not be started.
    #[cfg(feature = "linux")]
    #[error(transparent)]
    Command(#[from] crate::sys::StartError),
    /// The state of the machine could not be read.
    #[cfg(feature = "linux")]
    #[error(transparent)]
    Snapshot(#[from] crate::source::proc::Error),
    /// Signal handlers could not be set.
    #[error("setting the handlers of SIGINT and SIGTERM: {0}")]
    Signals(std::io::Error),
    /// The command could not be waited for.
    #[error("waiting for the command: {0}")]
    Wait(std::io::Error),
    /// A thread ended in a way it must not.
    #[error("the {0} thread ended early\nhelp: this is a fault in sysreel; please report it with the command line")]
    Thread(&'static str),
    /// The recording could not be written.
    #[error("{}", of_file(path, error))]
    Write {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: crate::reel::Error,
    },
    /// The folder of a ring of files cannot be looked into.
    #[error("{path}: {error}\nhelp: check that the folder exists and may be read")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The first file of a ring would take the place of something else.
    #[error("{0}: expected a reel or nothing, found another file\nhelp: give -w another name, or move the file away")]
    Occupied(PathBuf),
    /// Somebody records into the file.
    #[error(
        "{0}: expected a file that nobody writes, found one that is being recorded\nhelp: give -w another name, or end the other recorder"
    )]
    Busy(PathBuf),
    /// A part that cannot be read would be lost when the reel is written anew.
    #[error(
        "{path}: expected a whole reel, found a damaged one: {what}\nhelp: `sysreel verify` says what is damaged; it stays as it is"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What cannot be read.
        what: String,
    },
    /// A reel that is followed cannot be read.
    #[error("{}", of_file(path, error))]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: crate::reel::Error,
    },
    /// Several recordings cannot be one scap: their threads have the same numbers.
    #[error(
        "expected one recording to export, found several\nhelp: their threads have the same numbers: export each into a file of its own"
    )]
    SeveralRecordings,
    /// What is read would be written over.
    #[error("{0}: expected another file to write, found one that is read\nhelp: give -w another name")]
    SameFile(PathBuf),
    /// What was to be shown could not be.
    #[error("{0}")]
    Screen(std::io::Error),
    /// A log cannot be followed.
    #[cfg(feature = "linux")]
    #[error("{path}: {source}\nhelp: check that the log is a file, and that its folder exists and may be read")]
    Log {
        /// The log.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The position in a log cannot be read.
    #[cfg(feature = "linux")]
    #[error(transparent)]
    Position(#[from] crate::source::audit::PositionError),
    /// The webhook cannot be served.
    #[cfg(feature = "linux")]
    #[error(transparent)]
    Webhook(#[from] crate::source::audit::WebhookError),
    /// A capture of another program cannot be read.
    #[error(transparent)]
    Scap(#[from] crate::source::scap::Error),
    /// A batch could not be encoded.
    #[error(transparent)]
    Encode(#[from] crate::batch::Error),
}

/// An error with the name of its file; those of the system have it already.
fn of_file(path: &std::path::Path, error: &crate::reel::Error) -> String {
    use crate::reel::Error::{Full, Io};
    match error {
        Io { .. } | Full { .. } => error.to_string(),
        _ => format!("{}: {error}", path.display()),
    }
}
