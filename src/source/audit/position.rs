//! [`Position`]: how far a log that is written has been taken over, kept in a file.
//!
//! A file is known again by its first bytes and not by its name or inode: rotation renames it, copies it, packs it.

use crate::sys;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// First bytes by which a file is known again, at most. The id of its first event is among them.
pub(super) const HEAD: usize = 1024;

/// Most bytes of a position that are read.
const MOST: u64 = 1 << 20;

/// How often a file is opened anew that was replaced meanwhile.
const TRIES: u32 = 10;

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
    /// Time of the first event in the newest file behind which nothing was taken over, ns UTC; the last of all: not known.
    #[serde(default = "unknown")]
    pub reached: u64,
}

/// What earlier versions did not write.
fn unknown() -> u64 {
    u64::MAX
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
    /// Somebody else follows a log from it.
    #[error(
        "{path}: expected a position that nobody else keeps, found another recorder that does\nhelp: end that one, or name another file with --audit-state FILE and another recording with -w"
    )]
    Busy {
        /// The file.
        path: PathBuf,
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

/// The file that a position is kept in, held so that nobody else goes on from it.
#[derive(Debug)]
pub struct PositionFile {
    path: PathBuf,
    held: Mutex<File>,
}

impl PositionFile {
    /// Opens it, empty where there is none yet, and reads the position in a log that is in it.
    ///
    /// # Errors
    /// The file cannot be read or written, holds something else, or somebody else has it.
    pub fn open(path: &Path, log: &Path) -> Result<(PositionFile, Option<Position>), PositionError> {
        let failed = |source| PositionError::Io { path: path.to_owned(), source };
        let mut file = held(path).map_err(failed)?.ok_or_else(|| PositionError::Busy { path: path.to_owned() })?;
        let mut text = Vec::new();
        (&mut file).take(MOST).read_to_end(&mut text).map_err(failed)?;
        let opened = PositionFile { path: path.to_owned(), held: Mutex::new(file) };
        if text.is_empty() {
            return Ok((opened, None));
        }
        let found: Position =
            serde_json::from_slice(&text).map_err(|source| PositionError::Other { path: path.to_owned(), source })?;
        if found.log != log {
            return Err(PositionError::Log { path: path.to_owned(), log: log.to_owned(), found: found.log });
        }
        Ok((opened, Some(found)))
    }

    /// Keeps a position: the file has the old one or this one, whatever happens meanwhile.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, position: &Position) -> Result<(), PositionError> {
        let failed = |source| PositionError::Io { path: self.path.clone(), source };
        let mut text = serde_json::to_vec(position).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut part = self.path.as_os_str().to_owned();
        part.push(".part");
        let write = || {
            let mut file = File::create(&part)?;
            // The next is held before the last is let go of. Some network file systems have no locks.
            sys::lock_for_writing(&file).ok();
            file.write_all(&text)?;
            file.sync_data()?;
            std::fs::rename(&part, &self.path)?;
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = file;
            Ok(())
        };
        write().map_err(failed)
    }
}

/// Opens a file and holds it; `None`: somebody else does.
fn held(path: &Path) -> io::Result<Option<File>> {
    let id = |about: std::fs::Metadata| (about.dev(), about.ino());
    for _ in 0..TRIES {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        if !sys::lock_for_writing(&file).unwrap_or(true) {
            return Ok(None);
        }
        // Whoever had it may have put another in its place meanwhile.
        if std::fs::metadata(path).is_ok_and(|named| file.metadata().is_ok_and(|own| id(own) == id(named))) {
            return Ok(Some(file));
        }
    }
    Ok(None)
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
        let (file, found) = PositionFile::open(&path, log).unwrap();
        assert_eq!(found, None);
        let place = Place { head: head_of(b"x"), head_bytes: 1, offset: 77, first: 5 };
        let position = Position { log: log.to_owned(), files: vec![place], reached: 5 };
        file.keep(&position).unwrap();
        // As long as somebody has it, nobody else does; the file is another one by now.
        assert!(matches!(PositionFile::open(&path, log), Err(PositionError::Busy { .. })));
        drop(file);
        assert_eq!(PositionFile::open(&path, log).unwrap().1, Some(position));
        assert!(matches!(PositionFile::open(&path, Path::new("/other")), Err(PositionError::Log { .. })));
        for damaged in
            [&b"{\"log\""[..], b"\0\0\0\0", b"[]", b"{\"log\":\"/var/log/audit.log\",\"files\":[{\"offset\":-1}]}"]
        {
            std::fs::write(&path, damaged).unwrap();
            assert!(matches!(PositionFile::open(&path, log), Err(PositionError::Other { .. })));
        }
        assert!(matches!(PositionFile::open(&folder.path().join("no/p"), log), Err(PositionError::Io { .. })));
    }
}
