//! [`Stream`]: the blocks of a stream, whatever of them is whole.

use super::block::{BYTE_ORDER, Block, FRAMING, SECTION, SMALL_EVENT};
use std::io::Read;

/// The most bytes of a block: the list of all threads of a large host is some tens of MiB.
pub const MAX_BLOCK: usize = 128 << 20;
/// The most bytes of an event: container descriptions and events of plugins may be some MiB.
pub const MAX_EVENT: usize = 32 << 20;
/// Places of damage that are told one by one; more are only counted.
const MAX_TOLD: usize = 100;
/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// A place where a stream is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where, in bytes of the uncompressed stream.
    pub offset: u64,
    /// Bytes that were passed over.
    pub skipped: u64,
    /// What was expected and what was found.
    pub what: String,
}

/// Damage so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damages {
    /// The first places.
    pub told: Vec<Damage>,
    /// How many places there are.
    pub count: u64,
    /// Bytes that were passed over in all of them.
    pub skipped: u64,
}

impl Damages {
    /// Notes a place.
    pub fn note(&mut self, offset: u64, skipped: u64, what: impl Into<String>) {
        self.count += 1;
        self.skipped = self.skipped.saturating_add(skipped);
        if self.told.len() < MAX_TOLD {
            self.told.push(Damage { offset, skipped, what: what.into() });
        }
    }
}

/// A block of a stream; see [`Stream::body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Where it begins, in bytes of the uncompressed stream.
    pub offset: u64,
    /// What it is.
    pub block: Block,
    from: usize,
    to: usize,
}

/// The blocks of a stream. What is damaged is passed over up to the next block that is whole.
pub struct Stream<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset of `buffer[start]`.
    offset: u64,
    is_over: bool,
    damages: Damages,
}

impl<R: Read> Stream<R> {
    /// The blocks of what a reader gives.
    pub fn new(input: R) -> Stream<R> {
        let buffer = vec![0; 2 * PIECE];
        Stream { input, buffer, start: 0, end: 0, offset: 0, is_over: false, damages: Damages::default() }
    }

    /// The reader.
    pub fn input(&self) -> &R {
        &self.input
    }

    /// What is wrong with the stream so far.
    pub fn damages(&self) -> &Damages {
        &self.damages
    }

    /// Notes that the content of a block is not as it should be.
    pub fn damaged(&mut self, frame: Frame, what: &str) {
        self.damages.note(frame.offset, 0, format!("{}: {what}", frame.block.name()));
    }

    /// Notes something about the tables as a whole.
    pub fn note(&mut self, what: &str) {
        self.damages.note(self.offset, 0, what);
    }

    /// Up to 12 bytes from here on.
    pub fn start(&mut self) -> &[u8] {
        self.fill(12);
        &self.buffer[self.start..self.end.min(self.start + 12)]
    }

    /// Bytes of a block between its lengths; of the last one that [`Stream::next`] gave.
    pub fn body(&self, frame: Frame) -> &[u8] {
        self.buffer.get(frame.from..frame.to).unwrap_or_default()
    }

    /// The next block that is whole; `None` at the end.
    #[allow(clippy::should_implement_trait, reason = "an iterator's items could not refer to the buffer")]
    pub fn next(&mut self) -> Option<Frame> {
        loop {
            if !self.fill(8) {
                self.rest();
                return None;
            }
            match self.whole(0) {
                Ok(length) => {
                    let block = Block::of(self.word(0));
                    let (from, offset) = (self.start + 8, self.offset);
                    self.advance(length);
                    return Some(Frame { offset, block, from, to: from + length - FRAMING });
                }
                Err(what) => {
                    if !self.resynchronise(&what) {
                        return None;
                    }
                }
            }
        }
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = self.buffer.get(self.start + at..self.start + at + 4);
        bytes.and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b))
    }

    fn available(&self) -> usize {
        self.end - self.start
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Length of the block at a distance from here, if it is whole; else what is wrong.
    fn whole(&mut self, at: usize) -> Result<usize, String> {
        let (code, length) = (self.word(at), self.word(at + 4) as usize);
        let block = Block::of(code);
        let most = match block {
            Block::Event { large: false, .. } => 2 * SMALL_EVENT,
            Block::Event { large: true, .. } => MAX_EVENT,
            Block::Section | Block::Machine | Block::Other => SMALL_EVENT,
            _ => MAX_BLOCK,
        };
        if length < FRAMING || !length.is_multiple_of(4) || length > most {
            return Err(format!("{}: expected a length of {FRAMING} to {most}, found {length}", block.name()));
        }
        if !self.fill(at + length) {
            let found = self.available() - at;
            return Err(format!("{}: expected {length} bytes, found the end after {found}", block.name()));
        }
        let behind = self.word(at + length - 4) as usize;
        if behind != length {
            return Err(format!("{}: expected its length {length} behind it, found {behind}", block.name()));
        }
        if code == SECTION && self.word(at + 8) != BYTE_ORDER {
            let found = self.word(at + 8);
            return Err(format!("section header: expected the byte order {BYTE_ORDER:#x}, found {found:#x}"));
        }
        Ok(length)
    }

    /// Goes on to the next block of a known kind that is whole; `false` if there is none.
    fn resynchronise(&mut self, what: &str) -> bool {
        let (offset, mut skipped) = (self.offset, 0u64);
        loop {
            let mut at = 1;
            while self.fill(at + 8) {
                // Looking at everything in sight would keep it in memory.
                if at > PIECE {
                    break;
                }
                if Block::of(self.word(at)) != Block::Other && self.whole(at).is_ok() {
                    self.advance(at);
                    self.damages.note(offset, skipped + at as u64, what);
                    return true;
                }
                at += 1;
            }
            if at <= PIECE {
                let rest = self.available();
                self.advance(rest);
                self.damages.note(offset, skipped + rest as u64, what);
                return false;
            }
            self.advance(at - 1);
            skipped += at as u64 - 1;
        }
    }

    /// The end: whatever is left is no block.
    fn rest(&mut self) {
        let rest = self.available();
        if rest > 0 {
            self.damages.note(self.offset, rest as u64, format!("expected a block, found the end after {rest} bytes"));
            self.advance(rest);
        }
    }

    /// Makes so many bytes available, if there are.
    fn fill(&mut self, bytes: usize) -> bool {
        while self.available() < bytes && !self.is_over {
            if self.buffer.len() - self.end < PIECE {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            if self.buffer.len() - self.end < PIECE {
                let length = self.buffer.len();
                self.buffer.resize(length + length / 2 + PIECE, 0);
            }
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.is_over = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_over = true;
                    let at = self.offset + self.available() as u64;
                    self.damages.note(at, 0, format!("expected more, found: {error}"));
                }
            }
        }
        self.available() >= bytes
    }
}
