//! [`Layer`]: batches that are others with something added. A layer says what it adds, and nothing of what it leaves alone.

use super::play::{Batches, Glance, SegmentGlance, Standing};
use super::timeline::Slice;
use crate::batch::Batch;
use crate::world::Dict;
use std::sync::Arc;

/// Batches that stand on others: there are as many, and they stand in the same places.
pub trait Layer: Sync {
    /// Those that it stands on.
    fn inner(&self) -> &dyn Batches;

    /// A batch with what the layer adds to it, or why it cannot be had. What is asked of nothing but a batch's own columns
    /// ([`Batches::bare`]) has no need of that.
    fn open(&self, index: usize) -> Result<Batch, String> {
        self.inner().batch(index)
    }

    /// A turn is asked for; more than once where several look.
    fn begins(&self, _turn: usize) {}
}

impl<L: Layer> Batches for L {
    fn len(&self) -> usize {
        self.inner().len()
    }

    fn batch(&self, index: usize) -> Result<Batch, String> {
        self.open(index)
    }

    fn place(&self, index: usize) -> String {
        self.inner().place(index)
    }

    fn turns(&self) -> usize {
        self.inner().turns()
    }

    fn turn(&self, index: usize) -> Vec<Slice> {
        self.begins(index);
        self.inner().turn(index)
    }

    fn glance(&self, index: usize) -> Option<Glance> {
        self.inner().glance(index)
    }

    fn glance_segment(&self, index: usize) -> Option<SegmentGlance> {
        self.inner().glance_segment(index)
    }

    fn dict(&self, index: usize) -> Result<Arc<Dict>, String> {
        self.inner().dict(index)
    }

    fn bare(&self, index: usize) -> Result<Batch, String> {
        self.inner().bare(index)
    }

    fn standing(&self, index: usize) -> Option<Standing> {
        self.inner().standing(index)
    }

    fn stream(&self, index: usize) -> usize {
        self.inner().stream(index)
    }

    fn initial(&self, index: usize) -> Vec<Result<Batch, String>> {
        self.inner().initial(index)
    }

    fn counts_in_flight(&self, index: usize) -> bool {
        self.inner().counts_in_flight(index)
    }

    fn state_notes(&self) -> Vec<String> {
        self.inner().state_notes()
    }
}
