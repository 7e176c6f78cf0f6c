//! [`Growing`]: the whole lines of a file that is still written.

use super::position::{HEAD, Place, head_of};
use crate::source::scap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Bytes read at a time.
const STEP: usize = 1 << 20;

/// Bytes in which the time of the first event is looked for.
const LOOKED_AT: usize = 64 << 10;

/// What a file's bytes come from.
enum From {
    /// At any offset.
    Plain(File),
    /// One behind the other.
    Packed(Box<dyn Read + Send>),
}

/// A file whose lines are taken over as they come.
pub(super) struct Growing {
    pub(super) path: PathBuf,
    from: From,
    /// Device and inode.
    pub(super) id: (u64, u64),
    /// Its first bytes, as far as they were read.
    head: Vec<u8>,
    /// Time of its first event, ns UTC; the last of all while that is not known.
    pub(super) first: u64,
    /// Offset behind the last whole line, and what was read behind it.
    offset: u64,
    buffer: Vec<u8>,
    /// How much of the buffer is known to have no end of a line.
    scanned: usize,
    /// Bytes of a line that is too long, so far.
    skipped: u64,
}

/// What came of a look at a file.
pub(super) enum Look {
    /// Whole lines, and the offset of the first.
    Lines(Vec<u8>, u64),
    /// A line of so many bytes that is too long, which began at an offset.
    TooLong(u64, u64),
    /// Nothing more for now.
    Nothing,
}

impl Growing {
    /// A file from its start.
    pub(super) fn open(path: &Path) -> io::Result<Growing> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::other("expected a file, found something else"));
        }
        let mut start = [0; 4];
        let read = file.read_at(&mut start, 0)?;
        let from = match &start[..read] {
            [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd] | [0x04, 0x22, 0x4d, 0x18] => {
                From::Packed(Box::new(scap::open(path).map_err(|error| io::Error::other(error.to_string()))?))
            }
            _ => From::Plain(file),
        };
        let id = (about.dev(), about.ino());
        let (head, buffer, first) = (Vec::new(), Vec::new(), u64::MAX);
        Ok(Growing { path: path.to_owned(), from, id, head, first, offset: 0, buffer, scanned: 0, skipped: 0 })
    }

    /// The same file, behind what was taken over of it; `None` if it is another.
    pub(super) fn resume(path: &Path, place: &Place) -> io::Result<Option<Growing>> {
        let mut file = Growing::open(path)?;
        if place.head_bytes == 0 {
            return Ok(None);
        }
        let mut head = vec![0; place.head_bytes.min(HEAD)];
        let mut left = place.offset;
        match &mut file.from {
            From::Plain(plain) => {
                if plain.metadata()?.len() < left || plain.read_exact_at(&mut head, 0).is_err() {
                    return Ok(None);
                }
            }
            From::Packed(packed) => {
                if packed.read_exact(&mut head).is_err() {
                    return Ok(None);
                }
                left = left.saturating_sub(head.len() as u64);
            }
        }
        if head_of(&head) != place.head {
            return Ok(None);
        }
        if let From::Packed(packed) = &mut file.from
            && io::copy(&mut packed.take(left), &mut io::sink())? < left
        {
            return Ok(None);
        }
        (file.head, file.offset, file.first) = (head, place.offset, place.first);
        Ok(Some(file))
    }

    /// How far it was taken over.
    pub(super) fn place(&self) -> Place {
        let whole = usize::try_from(self.offset).unwrap_or(HEAD).min(self.head.len());
        let head = &self.head[..whole];
        Place { head: head_of(head), head_bytes: whole, offset: self.offset, first: self.first }
    }

    /// The lines that came, at most a few MiB of them; lines of more than `limit` bytes are passed over.
    pub(super) fn look(&mut self, limit: usize) -> io::Result<Look> {
        loop {
            if let Some(end) = memchr::memrchr(b'\n', &self.buffer[self.scanned..]) {
                return Ok(self.taken(self.scanned + end + 1));
            }
            self.scanned = self.buffer.len();
            if self.skipped > 0 || self.buffer.len() > limit {
                // Nobody wants it any more, so it need not be held.
                self.skipped += self.buffer.len() as u64;
                self.offset += self.buffer.len() as u64;
                (self.buffer, self.scanned) = (Vec::new(), 0);
            }
            if self.read()? == 0 {
                return Ok(Look::Nothing);
            }
        }
    }

    /// Takes whole lines from the buffer.
    fn taken(&mut self, end: usize) -> Look {
        if self.skipped > 0 {
            let rest = memchr::memchr(b'\n', &self.buffer).map_or(end, |first| first + 1);
            let length = std::mem::take(&mut self.skipped) + rest as u64;
            self.buffer.drain(..rest);
            self.offset += rest as u64;
            self.scanned = 0;
            return Look::TooLong(length - 1, self.offset - length);
        }
        let rest = self.buffer.split_off(end);
        let lines = std::mem::replace(&mut self.buffer, rest);
        let at = self.offset;
        if self.first == u64::MAX {
            self.first = super::files::time_in(&lines[..lines.len().min(LOOKED_AT)]);
        }
        self.offset += lines.len() as u64;
        self.scanned = 0;
        Look::Lines(lines, at)
    }

    /// What stands behind the last whole line: nobody will write its end.
    pub(super) fn rest(&mut self) -> Option<(Vec<u8>, u64)> {
        let (rest, at) = (std::mem::take(&mut self.buffer), self.offset);
        self.offset += rest.len() as u64;
        self.scanned = 0;
        (!rest.is_empty()).then_some((rest, at))
    }

    fn read(&mut self) -> io::Result<usize> {
        let at = self.offset + self.buffer.len() as u64;
        let start = self.buffer.len();
        self.buffer.resize(start + STEP, 0);
        let into = &mut self.buffer[start..];
        let read = loop {
            let read = match &mut self.from {
                From::Plain(file) => file.read_at(into, at),
                From::Packed(packed) => packed.read(into),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => break done,
            }
        };
        self.buffer.truncate(start + *read.as_ref().unwrap_or(&0));
        let read = read?;
        if at == self.head.len() as u64 && at < HEAD as u64 {
            let more = (HEAD - self.head.len()).min(read);
            self.head.extend_from_slice(&self.buffer[start..start + more]);
        }
        // Zeros before a line are what a writer leaves that goes on at its old offset in a file that was cut.
        if start == 0 && self.skipped == 0 {
            let zeros = self.buffer.iter().take_while(|b| **b == 0).count();
            self.buffer.drain(..zeros);
            self.offset += zeros as u64;
        }
        Ok(read)
    }

    /// Whether the file was cut or written anew since it was read: it is shorter, or does not begin as it did.
    pub(super) fn is_cut(&self) -> io::Result<bool> {
        let From::Plain(file) = &self.from else { return Ok(false) };
        if file.metadata()?.len() < self.offset + self.buffer.len() as u64 {
            return Ok(true);
        }
        let mut now = vec![0; self.head.len()];
        match file.read_exact_at(&mut now, 0) {
            Ok(()) => Ok(now != self.head),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether somebody may still write to it.
    pub(super) fn may_grow(&self) -> bool {
        matches!(self.from, From::Plain(_))
    }
}
