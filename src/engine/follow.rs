//! Following reels while they are written (`--follow`): what is there, then what comes, over to the next file of a row.
//!
//! A recorder holds a lock on its file as long as it writes it, and on the next one before it lets go of this one. So a
//! reel that nobody has locked is over, and whether its end is there tells a recording that ended from one that was
//! killed.

use super::error::Error;
use super::play::{Options, Question};
use super::reels;
use super::watcher::{Screen, Watcher};
use crate::batch::Origin;
use crate::reel::{self, Header, Tail, Tailed};
use crate::sys;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Time between two looks at files that have not grown.
const LOOK: Duration = Duration::from_millis(100);

/// What to follow.
pub struct Follow {
    /// Reels, and folders of them.
    pub paths: Vec<PathBuf>,
    /// What to ask.
    pub questions: Vec<Question>,
    /// How to ask; `threads`, `span` and `until` are not used.
    pub options: Options,
    /// A report every so often, in event time.
    pub interval: Duration,
    /// Stop after so much event time, ns.
    pub duration: Option<u64>,
}

/// Follows until every recorder has ended, enough was shown or a signal asks to stop. `tell` hears of what is not as it
/// should be: files that are missing or damaged, recorders that were killed.
pub fn follow(request: &Follow, screen: &mut dyn Screen, tell: &dyn Fn(&str)) -> Result<(), Error> {
    sys::stop_on_signals().map_err(Error::Signals)?;
    let watcher = Watcher::new(&request.questions, &request.options, request.interval, screen);
    let mut follower = Follower {
        request,
        watcher,
        tell,
        open: Vec::new(),
        seen: BTreeSet::new(),
        latest: BTreeMap::new(),
        is_enough: false,
    };
    for path in &request.paths {
        let found = if path.is_dir() { follower.folder(path)? } else { vec![path.clone()] };
        follower.open(found, true)?;
    }
    follower.run()?;
    follower.watcher.finish().map_err(Error::Screen)
}

struct Follower<'a> {
    request: &'a Follow,
    watcher: Watcher<'a>,
    tell: &'a dyn Fn(&str),
    /// Files that are not over, in the order in which they were begun.
    open: Vec<(Tail, Arc<Origin>)>,
    seen: BTreeSet<PathBuf>,
    /// The last file of each row: its number and folder.
    latest: BTreeMap<(String, u64), (u64, PathBuf)>,
    is_enough: bool,
}

impl Follower<'_> {
    fn run(&mut self) -> Result<(), Error> {
        while !self.stops() {
            let mut is_quiet = true;
            let mut index = 0;
            while index < self.open.len() && !self.stops() {
                let recorded = self.open[index].0.is_recorded();
                // Read after that look, so that what an ending recorder wrote last is not missed.
                is_quiet &= !self.drain(index)?;
                if recorded {
                    index += 1;
                } else if !self.stops() {
                    self.over(index)?;
                }
            }
            is_quiet &= !self.next_files()?;
            if self.open.is_empty() && is_quiet {
                break;
            }
            if is_quiet {
                std::thread::sleep(LOOK);
            }
        }
        Ok(())
    }

    fn stops(&self) -> bool {
        self.is_enough || sys::stop_flag().load(Ordering::Relaxed)
    }

    /// Shows what came of a file; says whether there was anything.
    fn drain(&mut self, index: usize) -> Result<bool, Error> {
        let mut any = false;
        while !self.stops() {
            let (tail, origin) = &mut self.open[index];
            let path = tail.path().to_owned();
            let next = tail.read_next().map_err(|error| Error::Read { path: path.clone(), error })?;
            match next {
                None => break,
                Some(Tailed::Batch(batch)) => {
                    let batch = batch.with_origin(Arc::clone(origin));
                    if !self.watcher.has_begun() {
                        let start = batch.head().min_time;
                        self.watcher.zone(tail.header().tz_offset_s);
                        self.watcher.begin(start, self.request.duration.map(|ns| start.saturating_add(ns)));
                    }
                    self.is_enough = self.watcher.batch(&batch).map_err(Error::Screen)?;
                }
                Some(Tailed::Loss(loss)) => self.watcher.lost(loss.count),
                Some(Tailed::Damage { offset, what }) => {
                    (self.tell)(&format!("warning: {}: offset {offset:#x}: {what}", path.display()));
                }
            }
            any = true;
        }
        Ok(any)
    }

    /// A file that nobody writes has been read to its end.
    fn over(&mut self, index: usize) -> Result<(), Error> {
        let (tail, _) = self.open.remove(index);
        let left = tail.left().map_err(|error| Error::Read { path: tail.path().to_owned(), error })?;
        if !tail.is_closed() || left > 0 {
            let path = tail.path().display();
            (self.tell)(&format!("warning: {path}: its recorder is gone and has not ended it; it was killed"));
        }
        Ok(())
    }

    /// Opens files that were begun since the last look; says whether there were any.
    fn next_files(&mut self) -> Result<bool, Error> {
        let mut found = Vec::new();
        for path in &self.request.paths {
            if path.is_dir() {
                found.extend(self.folder(path)?);
            }
        }
        if self.open.is_empty() {
            // Of files that were named: the next of their row.
            let folders: BTreeSet<PathBuf> = self.latest.values().map(|(_, folder)| folder.clone()).collect();
            for folder in folders {
                found.extend(self.folder(&folder)?.into_iter().filter(|path| self.follows(path)));
            }
        }
        found.retain(|path| !self.seen.contains(path));
        let any = !found.is_empty();
        self.open(found, false)?;
        Ok(any)
    }

    /// Whether a file comes behind one that was followed.
    fn follows(&self, path: &Path) -> bool {
        let Ok(header) = reel::header_of(path) else { return false };
        self.latest.get(&row(&header)).is_some_and(|(number, _)| header.link.sequence > *number)
    }

    fn folder(&self, path: &Path) -> Result<Vec<PathBuf>, Error> {
        let failed = |error| Error::Folder { path: path.to_owned(), error };
        let mut files = reels::files_of(path).map_err(failed)?;
        files.retain(|file| !self.seen.contains(file));
        Ok(files)
    }

    /// Opens files, first the one that was begun first. What is no reel is an error only if it was named.
    fn open(&mut self, paths: Vec<PathBuf>, named: bool) -> Result<(), Error> {
        let mut tails = Vec::new();
        for path in paths {
            match Tail::open(&path) {
                Ok(tail) => tails.push(tail),
                Err(error) if named && self.request.paths.contains(&path) => return Err(Error::Read { path, error }),
                // It may have just been taken away; what is no reel is looked at once.
                Err(_) => {
                    self.seen.insert(path);
                }
            }
        }
        tails.sort_by_key(|tail| (tail.header().link.row, tail.header().link.sequence, tail.header().started));
        for tail in tails {
            self.seen.insert(tail.path().to_owned());
            self.link(&tail);
            let origin = reels::origin(tail.path(), tail.header());
            self.open.push((tail, origin));
        }
        Ok(())
    }

    /// Notes a file's place in its row, and tells of files that went before they were read.
    fn link(&mut self, tail: &Tail) {
        let link = &tail.header().link;
        if link.sequence == 0 {
            return;
        }
        let folder = tail.path().parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let before = self.latest.insert(row(tail.header()), (link.sequence, folder.to_owned()));
        if let Some((number, _)) = before.filter(|(number, _)| link.sequence > number + 1) {
            let missing = link.sequence - number - 1;
            (self.tell)(&format!(
                "warning: {missing} files before {} went before they were read",
                tail.path().display()
            ));
        }
    }
}

/// What the files of one row have in common.
fn row(header: &Header) -> (String, u64) {
    (header.host.clone(), header.link.row)
}
