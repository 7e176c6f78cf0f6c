//! [`Position`]: how far a log that is written has been taken over, kept in a file.
//!
//! A file is known again by its first bytes and not by its name or inode: rotation renames it, copies it, packs it.

use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// First bytes by which a file is known again, at most. The id of its first event is among them.
pub(super) const HEAD: usize = 1024;

/// How far a file has been taken over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// BLAKE3 of the file's first bytes, as hex digits.
    pub head: String,
    /// How many bytes these are; 0: nothing was taken over.
    pub head_bytes: usize,
    /// Offset behind the last whole line that was taken over.
    pub offset: u64,
    /// Time of the file's first event, ns UTC.
    pub first: u64,
}

/// How far a log has been taken over: the file under its name, and before it the one that had the name last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// The log.
    pub log: PathBuf,
    /// Its files, oldest first.
    pub files: Vec<Place>,
}

/// A position that cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum PositionError {
    /// The system refused.
    #[error("{path}: {source}\nhelp: name a file that can be written with --audit-state FILE")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "{path}: expected the position in an audit log, found something else: {source}\nhelp: move it away, and the log is read from its start; what the recording has already is not kept twice"
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// It is of another log.
    #[error(
        "{path}: expected the position in {log}, found one in {found}\nhelp: name another file with --audit-state FILE"
    )]
    Log {
        /// The file.
        path: PathBuf,
        /// The log that is followed.
        log: PathBuf,
        /// The log that it is about.
        found: PathBuf,
    },
}

impl Position {
    /// Reads a position in a log; `None` if there is none yet.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn load(path: &Path, log: &Path) -> Result<Option<Position>, PositionError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(PositionError::Io { path: path.to_owned(), source }),
        };
        let found: Position =
            serde_json::from_slice(&text).map_err(|source| PositionError::Other { path: path.to_owned(), source })?;
        if found.log != log {
            return Err(PositionError::Log { path: path.to_owned(), log: log.to_owned(), found: found.log });
        }
        Ok(Some(found))
    }

    /// Keeps it: the file has the old one or this one, whatever happens meanwhile.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, path: &Path) -> Result<(), PositionError> {
        let failed = |source| PositionError::Io { path: path.to_owned(), source };
        let mut text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let write = || {
            let mut file = std::fs::File::create(&part)?;
            file.write_all(&text)?;
            file.sync_data()?;
            std::fs::rename(&part, path)
        };
        write().map_err(failed)
    }
}

/// What a file is known by.
pub(super) fn head_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_kept_and_one_of_another_log_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, log) = (folder.path().join("p"), Path::new("/var/log/audit.log"));
        assert_eq!(Position::load(&path, log).unwrap(), None);
        let place = Place { head: head_of(b"x"), head_bytes: 1, offset: 77, first: 5 };
        let position = Position { log: log.to_owned(), files: vec![place] };
        position.keep(&path).unwrap();
        assert_eq!(Position::load(&path, log).unwrap(), Some(position));
        assert!(matches!(Position::load(&path, Path::new("/other")), Err(PositionError::Log { .. })));
        std::fs::write(&path, "{\"log\"").unwrap();
        assert!(matches!(Position::load(&path, log), Err(PositionError::Other { .. })));
    }
}
