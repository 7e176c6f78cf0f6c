//! Checks every byte of a reel against its hashes.

use super::error::{Damage, DamageKind};
use super::walk::Walk;

/// What a check of every byte found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Frames whose header could be read.
    pub frames: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// Hash of the last frame.
    pub hash: [u8; 32],
    /// Whether the last segment was closed by its recorder.
    pub closed: bool,
    /// Everything that is not as it was written, by offset.
    pub damages: Vec<Damage>,
}

impl Verdict {
    /// Whether every byte is as it was written, up to the last frame's end.
    pub fn is_intact(&self) -> bool {
        self.damages.is_empty()
    }
}

/// Hashes all bodies and follows the chain.
pub(super) fn verify(bytes: &[u8], walk: &Walk, closed: bool) -> Verdict {
    let mut damages = walk.damages.clone();
    let mut previous = Some([0; 32]);
    let mut next = 0;
    for frame in &walk.frames {
        let (header, offset) = (&frame.header, frame.offset as u64);
        let body = bytes.get(frame.body()).unwrap_or_default();
        if !header.matches(body) {
            let what = "expected the hash in its header, found another".to_owned();
            let kind = DamageKind::Body(header.kind, what);
            damages.push(Damage { offset, kind, lost: body.len() as u64 });
        }
        // Behind a gap the frame before is not known, and the gap itself has been reported.
        if header.number == next && previous != Some(header.previous) {
            damages.push(Damage { offset, kind: DamageKind::Chain, lost: 0 });
        }
        previous = Some(header.hash);
        next = header.number.wrapping_add(1);
    }
    damages.sort_by_key(|d| d.offset);
    let hash = previous.unwrap_or_default();
    Verdict { frames: walk.frames.len(), bytes: bytes.len() as u64, hash, closed, damages }
}
