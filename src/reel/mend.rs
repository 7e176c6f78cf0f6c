//! A frame whose header was damaged, made out by the frames around it.
//!
//! The frame before tells the number and the reel, the frame behind where the body ends and, by its link, the hash of
//! header and body. So a header that hashes to that is the one that was written, whatever stands in its place now.

use super::frame::{FrameHeader, FrameKind, HEADER_BYTES};
use crate::batch::codec::PackedHead;

/// The kinds that stand between two others, by how many of them a reel has.
const KINDS: [FrameKind; 10] = [
    FrameKind::Batch,
    FrameKind::Dictionary,
    FrameKind::Texts,
    FrameKind::Snapshot,
    FrameKind::Late,
    FrameKind::Segment,
    FrameKind::Close,
    FrameKind::Index,
    FrameKind::Loss,
    FrameKind::Note,
];

/// The header of the frame in `bytes`, which are all that stands between the frames `before` and `behind`; `None` where
/// there was more than one, or its body is damaged too. Hashes the body some dozen times at most, counted in `budget`.
pub(super) fn header_between(
    bytes: &[u8],
    before: &FrameHeader,
    behind: &FrameHeader,
    budget: &mut usize,
) -> Option<FrameHeader> {
    let body = bytes.get(HEADER_BYTES..)?;
    let is_one = behind.reel == before.reel && behind.number == before.number.checked_add(2)?;
    if !is_one {
        return None;
    }
    let found = FrameHeader::read(bytes)?;
    let expected = FrameHeader {
        length: u32::try_from(body.len()).ok()?,
        number: before.number + 1,
        reel: before.reel,
        previous: before.hash,
        hash: behind.previous,
        ..found
    };
    let rows = PackedHead::rows_in(body);
    let like = |frame: &FrameHeader, kind, rows| FrameHeader {
        kind,
        rows,
        version: frame.version,
        segment: frame.segment,
        schema: frame.schema,
        ..expected
    };
    // What was found comes first: most damage is in one field.
    let guesses = [found.kind].into_iter().chain(KINDS).flat_map(|kind| {
        let frames = [&found, before, behind].into_iter();
        frames.flat_map(move |frame| [found.rows, rows.unwrap_or(0), 0].map(|rows| like(frame, kind, rows)))
    });
    let mut tried: Vec<FrameHeader> = Vec::new();
    for guess in guesses {
        if tried.contains(&guess) {
            continue;
        }
        *budget = budget.checked_sub(body.len())?;
        if guess.matches(body) {
            return Some(guess);
        }
        tried.push(guess);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reel::frame::VERSION;

    fn frame(number: u32, kind: FrameKind, previous: [u8; 32], body: &[u8]) -> (FrameHeader, Vec<u8>) {
        let mut header = FrameHeader {
            kind,
            version: VERSION,
            length: body.len() as u32,
            rows: 0,
            number,
            segment: 1,
            schema: 7,
            reel: *b"the reel",
            previous,
            hash: [0; 32],
        };
        let mut bytes = header.seal(body).to_vec();
        bytes.extend_from_slice(body);
        (header, bytes)
    }

    #[test]
    fn one_damaged_byte_of_a_header_is_made_out_wherever_it_is_but_not_in_what_nothing_tells() {
        let (before, _) = frame(3, FrameKind::Batch, [1; 32], b"a");
        let (header, bytes) = frame(4, FrameKind::Dictionary, before.hash, b"the body");
        let (behind, _) = frame(5, FrameKind::Batch, header.hash, b"b");
        for at in 0..HEADER_BYTES {
            let mut bad = bytes.clone();
            bad[at] ^= 0x41;
            let made = header_between(&bad, &before, &behind, &mut 10_000);
            assert_eq!(made, Some(header), "byte {at}");
        }
        let mut bad = bytes.clone();
        bad[HEADER_BYTES] ^= 1;
        assert_eq!(header_between(&bad, &before, &behind, &mut 10_000), None, "a damaged body");
        assert_eq!(header_between(&bytes, &before, &FrameHeader { number: 6, ..behind }, &mut 10_000), None);
        assert_eq!(header_between(&bytes, &before, &behind, &mut 7), None, "no more than may be hashed");
        assert_eq!(header_between(&bytes[..50], &before, &behind, &mut 10_000), None);
    }
}
