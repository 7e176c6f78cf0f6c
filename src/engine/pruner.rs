//! [`Pruner`]: takes what is too old out of the older files of a recording, beside the recording.

use super::prune::prune;
use crate::policy::Keep;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Prunes one file after the other on a thread of its own. The recording waits for one file at most, however many there are: where
/// this was stopped, it goes on the next time.
#[derive(Default)]
pub(super) struct Pruner {
    at_work: Option<(JoinHandle<Round>, Arc<AtomicBool>)>,
    last: Option<PathBuf>,
}

/// What was done at a time.
#[derive(Default)]
struct Round {
    told: Vec<String>,
    /// The last file.
    last: Option<PathBuf>,
}

impl Pruner {
    /// Begins with the file behind that which was looked at last; the first comes behind the last.
    pub(super) fn begin(&mut self, mut files: Vec<PathBuf>, keep: &Keep) {
        if keep.is_empty() || files.is_empty() {
            return;
        }
        let begin = files.iter().position(|file| Some(file) == self.last.as_ref()).map_or(0, |at| at + 1);
        let length = files.len();
        files.rotate_left(begin % length);
        let (keep, is_stopped) = (keep.clone(), Arc::new(AtomicBool::new(false)));
        let stop = Arc::clone(&is_stopped);
        let work = move || {
            let mut round = Round::default();
            for file in files {
                round.told.extend(pruned(&file, &keep));
                round.last = Some(file);
                // Not before the first file: there is an end to it, however often this is stopped.
                if is_stopped.load(Ordering::Relaxed) {
                    break;
                }
            }
            round
        };
        let thread = std::thread::Builder::new().name("prune".to_owned()).spawn(work);
        self.at_work = thread.ok().map(|thread| (thread, stop));
    }

    /// Waits until the file at hand is done; what happened.
    pub(super) fn stop(&mut self) -> Vec<String> {
        if let Some((_, stop)) = &self.at_work {
            stop.store(true, Ordering::Relaxed);
        }
        self.finish()
    }

    /// Waits until all files are done; what happened.
    pub(super) fn finish(&mut self) -> Vec<String> {
        let Some(round) = self.at_work.take().and_then(|(thread, _)| thread.join().ok()) else { return Vec::new() };
        self.last = round.last.or(self.last.take());
        round.told
    }
}

/// Prunes a file; says something if there is something to say.
fn pruned(file: &Path, keep: &Keep) -> Option<String> {
    match prune(file, keep, crate::sys::realtime_ns(), false) {
        Ok(counts) if counts.is_nothing() => None,
        Ok(counts) => Some(format!("note: {}: {counts}", file.display())),
        Err(error) => Some(format!("warning: {}", error.to_string().lines().next().unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_stopped_goes_on_with_the_next_file() {
        let folder = tempfile::tempdir().unwrap();
        // None of them is there, and each is told of for that.
        let names = ["a", "b", "c", "d"];
        let files: Vec<PathBuf> = names.iter().map(|name| folder.path().join(name)).collect();
        let keep = Keep::parse(["Request=1d"]).unwrap();
        let (mut pruner, mut told) = (Pruner::default(), Vec::new());
        while told.len() < 3 * files.len() {
            pruner.begin(files.clone(), &keep);
            told.extend(if told.len() < 2 * files.len() { pruner.stop() } else { pruner.finish() });
        }
        for (file, told) in files.iter().cycle().zip(&told) {
            assert!(told.contains(&file.display().to_string()), "{told}, expected {}", file.display());
        }
        assert!(pruner.finish().is_empty());
    }
}
