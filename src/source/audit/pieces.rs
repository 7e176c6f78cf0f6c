//! [`Pieces`]: a stream of JSON values, of which most stand on a line of their own.

use crate::value::{json_blank, json_end};
use std::io::Read;
use std::ops::Range;

/// The most bytes of one value: an event, or an `EventList` as the webhook gets it.
pub const MAX_VALUE: usize = 64 << 20;

/// Bytes read at a time.
const STEP: usize = 256 << 10;

/// What comes next in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// A line, from its first byte that says something to its last.
    Line(Range<usize>),
    /// The end.
    End,
}

/// A value that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Where it stands.
    Value(Range<usize>),
    /// There is none; what follows the line is read.
    Fault {
        /// Offset in the stream.
        at: u64,
        /// What was expected there.
        expected: &'static str,
    },
}

/// A stream of JSON values.
pub(super) struct Pieces<R> {
    from: R,
    buffer: Vec<u8>,
    /// What of the buffer is still to be read.
    start: usize,
    end: usize,
    is_over: bool,
    /// Offset of the buffer's first byte in the stream.
    base: u64,
    line: u64,
}

impl<R: Read> Pieces<R> {
    pub(super) fn new(from: R) -> Pieces<R> {
        Pieces { from, buffer: vec![0; STEP], start: 0, end: 0, is_over: false, base: 0, line: 1 }
    }

    /// Number of the line that is read, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Offset in the stream of a place in the buffer.
    pub(super) fn offset(&self, at: usize) -> u64 {
        self.base + at as u64
    }

    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// The line that comes next, without blanks, commas and the brackets of lists around it. Nothing is taken.
    pub(super) fn next(&mut self) -> std::io::Result<Next> {
        loop {
            self.skip();
            if self.start == self.end {
                if !self.fill()? {
                    return Ok(Next::End);
                }
                continue;
            }
            let Some(length) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) else {
                if self.end - self.start < MAX_VALUE && self.fill()? {
                    continue;
                }
                return Ok(Next::Line(self.trimmed(self.end)));
            };
            return Ok(Next::Line(self.trimmed(self.start + length)));
        }
    }

    /// Takes what stands before a place in the buffer.
    pub(super) fn take(&mut self, to: usize) {
        let lines = memchr::memchr_iter(b'\n', &self.buffer[self.start..to]).count();
        self.line += lines as u64;
        self.start = to;
    }

    /// Takes a line, up to a place in it: there is no end of a line before that.
    pub(super) fn take_line(&mut self, to: usize) {
        self.start = to;
    }

    /// The value that begins where the line does, over several lines if need be. What is none is passed over to the end
    /// of its first line.
    pub(super) fn value(&mut self) -> std::io::Result<Found> {
        loop {
            let text = &self.buffer[self.start..self.end];
            let fault = match json_end(text, 0) {
                Ok(length) => return Ok(Found::Value(self.start..self.start + length)),
                Err(fault) => fault,
            };
            let is_cut = fault.at >= text.len();
            if is_cut && text.len() < MAX_VALUE && self.fill()? {
                continue;
            }
            let text = &self.buffer[self.start..self.end];
            let is_long = is_cut && text.len() >= MAX_VALUE;
            let at = self.offset(self.start + fault.at);
            self.pass_line()?;
            let expected = if is_long { "at most 64 MiB in one value" } else { fault.expected };
            return Ok(Found::Fault { at, expected });
        }
    }

    /// Passes over the rest of the line.
    pub(super) fn pass_line(&mut self) -> std::io::Result<()> {
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.take(self.start + length + 1);
                return Ok(());
            }
            self.start = self.end;
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Passes over what stands between values.
    fn skip(&mut self) {
        let text = &self.buffer[..self.end];
        let mut at = self.start;
        loop {
            at = json_blank(text, at);
            match text.get(at) {
                // A byte order mark.
                Some(0xef) if text.get(at..at + 3) == Some(&[0xef, 0xbb, 0xbf]) => at += 3,
                // Zeros are what a machine leaves that lost its power.
                Some(b',' | b'[' | b']' | 0) => at += 1,
                _ => break,
            }
        }
        self.take(at);
    }

    fn trimmed(&self, end: usize) -> Range<usize> {
        let line = &self.buffer[self.start..end];
        let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b',' | b']');
        let length = line.iter().rposition(|b| !blank(b)).map_or(0, |last| last + 1);
        self.start..self.start + length
    }

    /// Reads more; says whether there was any.
    fn fill(&mut self) -> std::io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        if self.start > 0 && (self.start == self.end || self.end == self.buffer.len()) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.base += self.start as u64;
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize((self.end * 2).min(MAX_VALUE + STEP).max(self.end + STEP), 0);
        } else if self.end == 0 && self.buffer.len() > 16 * STEP {
            self.buffer.truncate(STEP);
            self.buffer.shrink_to_fit();
        }
        loop {
            match self.from.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.is_over = true;
                    return Ok(false);
                }
                Ok(read) => {
                    self.end += read;
                    return Ok(true);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
