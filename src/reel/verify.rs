//! Checks every byte of a reel against its hashes.

use super::error::{Damage, DamageKind};
use super::locate;
use super::reader::Reader;
use super::walk::walk;

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
pub(super) fn verify(reader: &Reader) -> Verdict {
    let walked;
    let layout = if reader.layout.is_indexed {
        walked = walk(reader.data());
        &walked
    } else {
        &reader.layout
    };
    let mut damages = layout.damages.clone();
    let mut previous = Some([0; 32]);
    let mut next = (0, 0);
    for frame in &layout.frames {
        let Some(header) = reader.header_at(frame) else { continue };
        let body = reader.data().get(frame.body()).unwrap_or_default();
        let of = |kind, lost| Damage { part: frame.part, ..Damage::new(frame.offset, kind, lost) };
        if !header.matches(body) {
            let what = "expected the hash in its header, found another".to_owned();
            damages.push(of(DamageKind::Body(header.kind, what), body.len()));
        }
        if next.0 != frame.part {
            (previous, next) = (Some([0; 32]), (frame.part, 0));
        }
        // Behind a gap the frame before is not known, and the gap itself has been reported.
        if frame.number == next.1 && previous != Some(header.previous) {
            damages.push(of(DamageKind::Chain, 0));
        }
        previous = Some(header.hash);
        next.1 = frame.number.wrapping_add(1);
    }
    damages.sort_by_key(|d| d.offset);
    locate::hits(reader, &mut damages);
    Verdict {
        frames: layout.frames.len(),
        bytes: reader.size(),
        hash: previous.unwrap_or_default(),
        closed: reader.is_closed(),
        damages,
    }
}
