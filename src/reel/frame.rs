//! A frame's header: 100 bytes before every body, so that a reader can walk a reel without touching the bodies.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 4 | magic `f5 53 52 4c` |
//! | 4 | 1 | kind |
//! | 5 | 1 | version of the format |
//! | 6 | 2 | in a segment: id of its schema, the low half of the CRC-32 of its postcard; otherwise zero |
//! | 8 | 4 | body length |
//! | 12 | 4 | rows |
//! | 16 | 4 | number of the frame in the reel |
//! | 20 | 4 | number of the segment, 0 before the first |
//! | 24 | 8 | id of the reel: the first bytes of the BLAKE3 hash of the header frame's body |
//! | 32 | 32 | hash of the previous frame, zero in the first |
//! | 64 | 32 | BLAKE3 of bytes 0–63 and the body |
//! | 96 | 4 | CRC-32 (IEEE) of bytes 0–95 |
//!
//! All numbers are little-endian.

/// First bytes of every frame, and so of every reel; not valid UTF-8, so no text has them.
pub const MAGIC: [u8; 4] = [0xf5, b'S', b'R', b'L'];

/// Version of the format that this program writes.
pub const VERSION: u8 = 1;

/// Bytes of a frame's header.
pub const HEADER_BYTES: usize = 100;

const HASHED: usize = 64;
const CHECKED: usize = 96;

/// What a frame's body is. Readers skip kinds they do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// Where the reel comes from; the first frame.
    Header,
    /// The start of a segment: clocks and schema.
    Segment,
    /// What was appended to the segment's dictionary.
    Dictionary,
    /// Texts apart of the segment's dictionary.
    Texts,
    /// A batch of rows of the initial state.
    Snapshot,
    /// A batch of events.
    Batch,
    /// Events that were lost.
    Loss,
    /// A remark.
    Note,
    /// The end of a segment and its sums.
    Close,
    /// Where the frames since the last one stand, and the heads of their batches.
    Index,
    /// The end of a reel: where its Index frames stand.
    Footer,
    /// What became known of rows after they were written.
    Late,
    /// One of a later version.
    Unknown(u8),
}

impl FrameKind {
    /// The byte that stands for it.
    pub fn code(self) -> u8 {
        match self {
            FrameKind::Header => b'H',
            FrameKind::Segment => b'S',
            FrameKind::Dictionary => b'D',
            FrameKind::Texts => b'T',
            FrameKind::Snapshot => b'W',
            FrameKind::Batch => b'B',
            FrameKind::Loss => b'L',
            FrameKind::Note => b'N',
            FrameKind::Close => b'C',
            FrameKind::Index => b'I',
            FrameKind::Footer => b'F',
            FrameKind::Late => b'K',
            FrameKind::Unknown(code) => code,
        }
    }

    /// The kind that a byte stands for.
    pub(super) fn of(code: u8) -> FrameKind {
        match code {
            b'H' => FrameKind::Header,
            b'S' => FrameKind::Segment,
            b'D' => FrameKind::Dictionary,
            b'T' => FrameKind::Texts,
            b'W' => FrameKind::Snapshot,
            b'B' => FrameKind::Batch,
            b'L' => FrameKind::Loss,
            b'N' => FrameKind::Note,
            b'C' => FrameKind::Close,
            b'I' => FrameKind::Index,
            b'F' => FrameKind::Footer,
            b'K' => FrameKind::Late,
            other => FrameKind::Unknown(other),
        }
    }
}

/// A frame's header without magic and checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) kind: FrameKind,
    pub(super) version: u8,
    /// Bytes of the body.
    pub(super) length: u32,
    pub(super) rows: u32,
    /// Ordinal of the frame in its reel.
    pub(super) number: u32,
    pub(super) segment: u32,
    /// Tells whether another segment's schema can stand in for a lost one.
    pub(super) schema: u16,
    pub(super) reel: [u8; 8],
    pub(super) previous: [u8; 32],
    pub(super) hash: [u8; 32],
}

impl FrameHeader {
    /// The header's bytes, its hash made for `body`.
    pub(super) fn seal(&mut self, body: &[u8]) -> [u8; HEADER_BYTES] {
        let mut bytes = self.unsealed();
        self.hash = hash(&bytes, body);
        bytes[HASHED..CHECKED].copy_from_slice(&self.hash);
        let crc = crc32fast::hash(&bytes[..CHECKED]);
        bytes[CHECKED..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn unsealed(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = self.kind.code();
        bytes[5] = self.version;
        bytes[6..8].copy_from_slice(&self.schema.to_le_bytes());
        for (i, number) in [self.length, self.rows, self.number, self.segment].into_iter().enumerate() {
            bytes[8 + 4 * i..12 + 4 * i].copy_from_slice(&number.to_le_bytes());
        }
        bytes[24..32].copy_from_slice(&self.reel);
        bytes[32..64].copy_from_slice(&self.previous);
        bytes
    }

    /// The header at the front of `bytes`; `None` where there is none or its checksum is wrong.
    pub(super) fn parse(bytes: &[u8]) -> Option<FrameHeader> {
        let (header, _) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let crc = crc32fast::hash(&header[..CHECKED]).to_le_bytes();
        if header[..4] == MAGIC && header[CHECKED..] == crc { FrameHeader::read(bytes) } else { None }
    }

    /// What the bytes say, right or wrong; `None` where there are too few.
    pub(super) fn read(bytes: &[u8]) -> Option<FrameHeader> {
        let (bytes, _) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Some(FrameHeader {
            kind: FrameKind::of(bytes[4]),
            version: bytes[5],
            length: number(8),
            rows: number(12),
            number: number(16),
            segment: number(20),
            schema: u16::from_le_bytes([bytes[6], bytes[7]]),
            reel: array(&bytes[24..32]),
            previous: array(&bytes[32..64]),
            hash: array(&bytes[64..96]),
        })
    }

    /// Whether this is the header that was written with `body`.
    pub(super) fn matches(&self, body: &[u8]) -> bool {
        hash(&self.unsealed(), body) == self.hash
    }
}

fn hash(header: &[u8; HEADER_BYTES], body: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(&header[..HASHED]).update(body).finalize().as_bytes()
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|i| bytes[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> FrameHeader {
        FrameHeader {
            kind: FrameKind::Batch,
            version: VERSION,
            length: 4,
            rows: 7,
            number: 2,
            segment: 1,
            schema: 5,
            reel: *b"reel-id.",
            previous: [9; 32],
            hash: [0; 32],
        }
    }

    #[test]
    fn a_header_comes_back() {
        let mut header = header();
        let bytes = header.seal(b"body");
        assert_eq!(FrameHeader::parse(&bytes), Some(header));
        assert!(header.matches(b"body"));
        assert!(!header.matches(b"bodY"));
    }

    #[test]
    fn a_flipped_bit_anywhere_unmakes_a_header() {
        let bytes = header().seal(b"body");
        for bit in 0..HEADER_BYTES * 8 {
            let mut bad = bytes;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::parse(&bad), None, "bit {bit}");
        }
    }

    #[test]
    fn kinds_are_their_codes() {
        for code in 0..=255 {
            assert_eq!(FrameKind::of(code).code(), code);
        }
    }
}
