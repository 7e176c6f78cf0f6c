//! [`Error`]: why a file is not read at all.

use std::path::PathBuf;

/// Why a file is not read at all. Damage behind its start is none of these: what is whole is read, and the rest told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system did not give it.
    #[error("{path}: {source}\nhelp: check that the file exists and may be read")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It begins with something else.
    #[error("expected a section header (0a 0d 0d 0a) at 0x0, found {0}\nhelp: a scap file is what `sysdig -w` writes")]
    NotScap(String),
    /// A later version wrote it.
    #[error("expected scap of version 1, found version {0}.{1}\nhelp: a newer sysreel may read it")]
    Version(u16, u16),
}
