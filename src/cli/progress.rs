//! `-P`: how far a replay is. How far an import is, on a terminal.

use super::args::Options;
use crate::engine::{Batches, Layer};
use crate::report::escape;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
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

impl Layer for Progress<'_> {
    fn inner(&self) -> &dyn Batches {
        self.batches
    }

    fn begins(&self, _turn: usize) {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        self.tell(seen * 1000 / self.batches.turns().max(1));
    }
}
