//! Files as people keep them: plain, or under gzip, zstd or lz4.

use super::error::Error;
use crate::format::scap::block::{BYTE_ORDER, SECTION};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The uncompressed bytes of a file.
pub struct Input {
    plain: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
    length: u64,
}

impl Input {
    /// Bytes of the file that have been read, and all that it has; 0 where that is not known (a pipe).
    pub fn progress(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed), self.length)
    }

    /// What a pipe gives, of which some bytes were read already.
    pub fn of_pipe(start: Vec<u8>, rest: impl Read + Send + 'static) -> Input {
        let (plain, read) = unpacked(std::io::Cursor::new(start).chain(rest));
        Input { plain, read, length: 0 }
    }

    /// Says how many bytes of the file have been read, also while it is lent.
    pub fn counter(&self) -> impl Fn() -> u64 + use<> {
        let read = Arc::clone(&self.read);
        move || read.load(Ordering::Relaxed)
    }

    /// Up to so many of the bytes that come next; they are still to be read.
    pub fn peek(&mut self, count: u64) -> Vec<u8> {
        let mut start = Vec::new();
        let rest = std::mem::replace(&mut self.plain, Box::new(std::io::empty()));
        let mut limited = rest.take(count);
        let failed = limited.read_to_end(&mut start).err();
        let rest = limited.into_inner();
        let behind: Box<dyn Read + Send> = failed.map_or(rest, |error| Box::new(Failed(Some(error))));
        self.plain = Box::new(std::io::Cursor::new(start.clone()).chain(behind));
        start
    }

    /// Bytes in memory, as a file would hold them.
    pub fn of_bytes(bytes: Vec<u8>) -> Input {
        let length = bytes.len() as u64;
        let (plain, read) = unpacked(std::io::Cursor::new(bytes));
        Input { plain, read, length }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.plain.read(buffer)
    }
}

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens a file, or standard input for `-`; how it is packed is told by its first bytes.
pub fn open(path: &Path) -> Result<Input, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    if path == Path::new("-") {
        let (plain, read) = unpacked(std::io::stdin());
        return Ok(Input { plain, read, length: 0 });
    }
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    let length = if about.is_file() { about.len() } else { 0 };
    let (plain, read) = unpacked(file);
    Ok(Input { plain, read, length })
}

fn unpacked(file: impl Read + Send + 'static) -> (Box<dyn Read + Send>, Arc<AtomicU64>) {
    let read = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: file, read: Arc::clone(&read) };
    let mut buffered = BufReader::with_capacity(128 << 10, counted);
    let start: Vec<u8> = buffered.fill_buf().unwrap_or_default().iter().take(4).copied().collect();
    let plain: Box<dyn Read + Send> = match start.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(buffered)),
        [0x04, 0x22, 0x4d, 0x18] => Box::new(lz4_flex::frame::FrameDecoder::new(buffered)),
        [0x28, 0xb5, 0x2f, 0xfd] => match zstd::stream::read::Decoder::with_buffer(buffered) {
            Ok(decoder) => Box::new(decoder),
            Err(error) => Box::new(Failed(Some(error))),
        },
        _ => Box::new(buffered),
    };
    (plain, read)
}

/// A decompressor that could not be made.
struct Failed(Option<std::io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Whether a file is a capture of sysdig's, packed or not, told by how it begins. Standard input is not looked at.
pub fn is_scap(path: &Path) -> bool {
    if path == Path::new("-") {
        return false;
    }
    let Ok(mut input) = open(path) else { return false };
    let mut start = [0; 12];
    input.read_exact(&mut start).is_ok() && begins_section(&start)
}

/// Whether bytes begin a section.
pub(super) fn begins_section(start: &[u8]) -> bool {
    start.get(..4) == Some(&SECTION.to_le_bytes()) && start.get(8..12) == Some(&BYTE_ORDER.to_le_bytes())
}
