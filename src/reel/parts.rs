//! [`Part`]: what a segment is made of, for whoever writes it again.

use super::body::{Loss, Note};
use super::dictionary;
use super::error::Error;
use super::frame::FrameKind;
use super::layout::Found;
use super::reader::Reader;
use super::segment::BatchRef;
use super::sums::Durations;
use crate::batch::Encoded;
use crate::batch::codec::limits::MAX_SEGMENT_DICTIONARY;
use crate::world::{Delta, LateFact};

/// What stands beside the batches of a segment.
#[derive(Debug, Clone)]
pub enum Aside {
    /// What became known of rows that were written already.
    Late(Vec<LateFact>),
    /// Events were lost.
    Loss(Loss),
    /// A remark.
    Note(Note),
}

/// What stands in a segment behind its dictionary.
#[derive(Debug)]
pub enum Part {
    /// Rows of the initial state.
    Snapshot(BatchRef),
    /// Events.
    Batch(BatchRef),
    /// What stands beside them.
    Aside(Aside),
}

impl Reader {
    /// What stands in a segment behind its dictionary, in the order of the file. A part that is damaged is left out.
    pub fn parts(&self, segment: usize) -> Result<Vec<Part>, Error> {
        let info = &self.slot(segment)?.info;
        let is_its = |frame: &Found| (frame.part, frame.segment) == (info.part, info.number);
        let (mut snapshots, mut batches) = (info.snapshots.iter(), info.batches.iter());
        let part = |frame: &Found| match frame.kind {
            FrameKind::Snapshot => snapshots.next().copied().map(Part::Snapshot),
            FrameKind::Batch => batches.next().copied().map(Part::Batch),
            FrameKind::Late => self.load(frame).map(Aside::Late).map(Part::Aside),
            FrameKind::Loss => self.load(frame).map(Aside::Loss).map(Part::Aside),
            FrameKind::Note => self.load(frame).map(Aside::Note).map(Part::Aside),
            _ => None,
        };
        Ok(self.layout.frames.iter().filter(|frame| is_its(frame)).filter_map(part).collect())
    }

    /// Each frame of a segment's dictionary in the order of the file: what it says, and its bytes; an error where one is damaged.
    pub fn deltas(&self, segment: usize) -> Result<impl Iterator<Item = Result<(Delta, &[u8]), Error>>, Error> {
        let slot = self.slot(segment)?;
        let mut frames: Vec<usize> = slot.dictionaries.iter().chain(&slot.texts).copied().collect();
        frames.sort_unstable();
        let mut left = MAX_SEGMENT_DICTIONARY;
        Ok(frames.into_iter().map(move |index| {
            let frame = self.located(self.frame(index)?);
            let load = if frame.kind == FrameKind::Texts { dictionary::load_texts } else { dictionary::load };
            let loaded = |body| Ok((load(body, &mut left)?, body));
            self.body(&frame).and_then(loaded).map_err(Error::Encode)
        }))
    }

    /// All that a segment's dictionary was made of, as one; an error where a frame of it is damaged.
    pub fn delta(&self, segment: usize) -> Result<Delta, Error> {
        let mut all = Delta::default();
        for next in self.deltas(segment)? {
            all.follow(next?.0).map_err(|e| Error::Encode(e.to_string()))?;
        }
        Ok(all)
    }

    /// A batch as it stands in the file, with what the segment's indices tell of its durations; an error where it is damaged.
    pub fn stored(&self, segment: usize, at: &BatchRef, durations: &Durations) -> Result<Encoded, Error> {
        let (head, _) = self.open_batch(segment, at)?;
        let body = self.body(&self.located(self.frame(at.frame)?)).map_err(Error::Encode)?;
        let durations = durations.of(at, &head.kinds);
        Ok(Encoded { head, body: body.to_vec(), durations })
    }
}
