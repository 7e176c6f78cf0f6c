//! [`Block`]: records on their way from the rings to the decoder.

use super::record::peek;
use crate::sys::prefetch;

/// How far ahead of the record at hand memory is fetched, bytes.
const AHEAD: usize = 512;

/// The most bytes that a block holds.
pub const BLOCK_BYTES: usize = 256 << 10;

/// Records end to end, in the order of their times. Made once and used again.
#[derive(Debug)]
pub struct Block {
    /// The records.
    pub bytes: Vec<u8>,
    /// How many.
    pub records: u32,
}

impl Default for Block {
    fn default() -> Self {
        Block { bytes: Vec::with_capacity(BLOCK_BYTES), records: 0 }
    }
}

impl Block {
    /// Makes it empty, keeping its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records = 0;
    }

    /// Whether it holds no record.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Room that is left, bytes.
    pub fn room(&self) -> usize {
        BLOCK_BYTES.saturating_sub(self.bytes.len())
    }

    /// Its records, for [`Decoder::decode`](super::Decoder::decode).
    pub fn iter(&self) -> Records<'_> {
        Records { rest: &self.bytes }
    }
}

impl<'a> IntoIterator for &'a Block {
    type Item = &'a [u8];
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.iter()
    }
}

/// The records of a block.
#[derive(Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, _) = peek(self.rest)?;
        // The drain wrote it on another processor: each line costs a trip to that one's cache. As much is fetched ahead as is
        // passed over now.
        for at in (AHEAD..AHEAD + len).step_by(64) {
            prefetch(self.rest, at);
        }
        let (record, rest) = self.rest.split_at(len);
        self.rest = rest;
        Some(record)
    }
}
