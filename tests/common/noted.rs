//! Reels of which it is noted which batches are opened.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "part of several test binaries")]

use std::sync::Mutex;
use sysreel::batch::Batch;
use sysreel::engine::{Batches, Layer, Reels};

/// Reels of which it is noted which batches are opened.
pub struct Noted<'a> {
    reels: &'a Reels,
    opened: Mutex<Vec<usize>>,
}

impl<'a> Noted<'a> {
    pub fn of(reels: &'a Reels) -> Noted<'a> {
        Noted { reels, opened: Mutex::default() }
    }

    /// The batches that were opened, as often as they were.
    pub fn opened(self) -> Vec<usize> {
        self.opened.into_inner().unwrap()
    }
}

impl Layer for Noted<'_> {
    fn inner(&self) -> &dyn Batches {
        self.reels
    }

    fn open(&self, index: usize) -> Result<Batch, String> {
        self.opened.lock().unwrap().push(index);
        self.reels.batch(index)
    }
}
