//! [`Place`]: the name of a recording in one file.
//!
//! What has the name already stays whole until there is something to put in its place: the recording is begun beside it and
//! takes the name in one step when the state at the start is known and the command's program, if there is one, runs. So a command that cannot
//! be run costs nothing, and whoever reads the older file keeps it.

use super::record::is_stream;
use crate::reel::{self, Header, Writer};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is to be done yet.
#[derive(Debug, Default)]
struct Todo {
    /// What is recorded counts from now on.
    started: bool,
    /// A file that waits for that: the name that it has and the name that it is to have.
    waiting: Option<(PathBuf, PathBuf)>,
    /// Why it could not take its name.
    failed: Option<String>,
}

/// The name of a recording in one file.
#[derive(Debug, Default)]
pub struct Place {
    todo: Mutex<Todo>,
    stuck: AtomicBool,
}

/// The file that a name stands for: links are followed, as writing to it would.
fn target(path: &Path) -> PathBuf {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    let followed = if is_link { std::fs::canonicalize(path).ok() } else { None };
    followed.unwrap_or_else(|| path.to_owned())
}

/// Whether a folder takes no new file; one that is there may be written nevertheless.
fn is_refused(error: &reel::Error) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error, reel::Error::Io { source, .. } if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem))
}

impl Place {
    fn todo(&self) -> std::sync::MutexGuard<'_, Todo> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state at the start is known, and the command runs, if there is one.
    pub(super) fn started(&self) {
        let mut todo = self.todo();
        todo.started = true;
        if let Some((part, path)) = todo.waiting.take()
            && let Err(error) = std::fs::rename(&part, &path)
        {
            let (part, path) = (part.display(), path.display());
            todo.failed = Some(format!("warning: {path} could not be replaced: {error}: the recording is {part}"));
        }
    }

    /// Says whether nothing can be written for now.
    pub(super) fn set_stuck(&self, stuck: bool) {
        self.stuck.store(stuck, Ordering::Relaxed);
    }

    /// Whether nothing can be written for now: the disk is full.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }

    /// Why the recording could not take its name, once.
    pub(super) fn failure(&self) -> Option<String> {
        self.todo().failed.take()
    }

    /// Whether a file waits for the command to run.
    pub(super) fn is_waiting(&self) -> bool {
        self.todo().waiting.is_some()
    }

    /// Nothing will run: what was begun for it goes.
    pub(super) fn abandon(&self) {
        if let Some((part, _)) = self.todo().waiting.take() {
            std::fs::remove_file(part).ok();
        }
    }

    /// Begins a reel that has, or will have, a name. Where a new file cannot be put in place of an older one (a folder
    /// that takes none, a file that is mounted), that one is written over.
    pub(super) fn begin(&self, path: &Path, header: &Header) -> Result<Writer, reel::Error> {
        if is_stream(path) {
            return Writer::create(path, header);
        }
        let target = target(path);
        let older = std::fs::metadata(&target).ok();
        let writer = match Writer::beside(&target, header) {
            Err(error) if older.is_some() && is_refused(&error) => return Writer::create(path, header),
            begun => begun?,
        };
        let part = reel::part_of(&target);
        if let Some(older) = &older {
            // Who may read it stays the same.
            std::fs::set_permissions(&part, older.permissions()).ok();
        }
        let mut todo = self.todo();
        if !todo.started && older.is_some_and(|older| older.len() > 0) {
            todo.waiting = Some((part, target));
            return Ok(writer);
        }
        drop(todo);
        std::fs::rename(&part, &target).map(|()| writer).or_else(|_| {
            std::fs::remove_file(&part).ok();
            Writer::create(path, header)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with an older file, and its name.
    fn older() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.reel");
        std::fs::write(&path, "older").unwrap();
        (folder, path)
    }

    fn begin(place: &Place, path: &Path) -> Writer {
        place.begin(path, &Header::default()).unwrap()
    }

    fn files(folder: &tempfile::TempDir) -> usize {
        std::fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn an_older_file_stays_until_the_command_runs_and_for_good_if_it_never_does() {
        let (folder, path) = older();
        let place = Place::default();
        drop(begin(&place, &path));
        assert!(place.is_waiting() && std::fs::read(&path).unwrap() == b"older");
        place.abandon();
        assert_eq!((files(&folder), std::fs::read(&path).unwrap()), (1, b"older".to_vec()));
        let writer = begin(&place, &path);
        place.started();
        assert!(!place.is_waiting() && place.failure().is_none());
        writer.finish().unwrap();
        assert_eq!(files(&folder), 1);
        assert!(reel::header_of(&path).is_ok());
    }

    #[test]
    fn whoever_reads_the_older_file_keeps_it_and_a_link_is_followed() {
        let (folder, path) = older();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let reader = std::fs::File::open(&path).unwrap();
        let place = Place::default();
        place.started();
        begin(&place, &link).finish().unwrap();
        assert_eq!(std::io::read_to_string(reader).unwrap(), "older");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink() && reel::header_of(&path).is_ok());
    }

    #[test]
    fn what_is_new_has_its_name_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (place, path) = (Place::default(), folder.path().join("new.reel"));
        let _writer = begin(&place, &path);
        assert!(!place.is_waiting() && reel::header_of(&path).is_ok() && files(&folder) == 1);
    }
}
