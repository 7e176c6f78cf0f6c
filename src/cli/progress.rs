//! `-P`: how far a replay is. How far an import is, on a terminal.

use super::args::Options;
use crate::batch::Batch;
use crate::engine::{Batches, Glance, Slice};
use crate::report::escape;
use crate::world::Dict;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The line on a terminal that says how far an import is.
pub(super) struct Imports {
    shows: bool,
    /// There is a line.
    told: bool,
}

impl Imports {
    pub(super) fn new(options: &Options) -> Imports {
        Imports { shows: io::stderr().is_terminal() && !options.quiet, told: false }
    }

    /// So many bytes of a file were read, of so many.
    pub(super) fn tell(&mut self, path: &Path, read: u64, all: u64) {
        if let Some(percent) = (read * 100).checked_div(all).filter(|_| self.shows) {
            self.told = true;
            // There is nobody to tell if that fails.
            let _ = write!(io::stderr(), "\r{}: {percent} %", escape(path.as_os_str().as_encoded_bytes()));
        }
    }

    /// Takes the line away.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.told) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// Batches that tell on standard error how many of them were asked for.
pub(super) struct Progress<'a> {
    batches: &'a dyn Batches,
    /// Tenths of a percent that were told.
    told: AtomicUsize,
    seen: AtomicUsize,
}

impl<'a> Progress<'a> {
    pub(super) fn new(batches: &'a dyn Batches) -> Progress<'a> {
        Progress { batches, told: AtomicUsize::new(0), seen: AtomicUsize::new(0) }
    }

    /// Leaves the line.
    pub(super) fn end(&self) {
        self.tell(1000);
        // There is nobody to tell if that fails.
        let _ = io::stderr().write_all(b"\n");
    }

    fn tell(&self, tenths: usize) {
        if self.told.fetch_max(tenths, Ordering::Relaxed) < tenths {
            let text = format!("\r{}.{} %", tenths / 10, tenths % 10);
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}

impl Batches for Progress<'_> {
    fn len(&self) -> usize {
        self.batches.len()
    }

    fn batch(&self, index: usize) -> Result<Batch, String> {
        self.batches.batch(index)
    }

    fn bare(&self, index: usize) -> Result<Batch, String> {
        self.batches.bare(index)
    }

    fn place(&self, index: usize) -> String {
        self.batches.place(index)
    }

    fn turns(&self) -> usize {
        self.batches.turns()
    }

    fn turn(&self, index: usize) -> Vec<Slice> {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        self.tell(seen * 1000 / self.turns().max(1));
        self.batches.turn(index)
    }

    fn glance(&self, index: usize) -> Option<Glance> {
        self.batches.glance(index)
    }

    fn dict(&self, index: usize) -> Result<Arc<Dict>, String> {
        self.batches.dict(index)
    }

    fn counts_in_flight(&self, index: usize) -> bool {
        self.batches.counts_in_flight(index)
    }

    fn state_notes(&self) -> Vec<String> {
        self.batches.state_notes()
    }
}
