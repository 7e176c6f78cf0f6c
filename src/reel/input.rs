//! The bytes of a reel: a mapped file, or what came through a pipe.

use super::body::{self, Header};
use super::error::Error;
use super::frame::{FrameHeader, FrameKind, HEADER_BYTES, MAGIC};
use crate::batch::codec::limits::{MAX_PIPE, MAX_SMALL_BODY};
use crate::batch::codec::{Bytes, Shared};
use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// All bytes of a file; of standard input for `-`. What cannot be mapped (pipes) is read into memory.
pub(super) fn bytes(path: &Path) -> Result<Bytes, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    if path == Path::new("-") {
        return whole(std::io::stdin().lock()).map_err(failed);
    }
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_dir() {
        return Err(Error::Directory { path: path.to_owned() });
    }
    // An empty file cannot be mapped, and a pipe has no length.
    if about.is_file() && about.len() > 0 {
        return mapped(file).map_err(failed);
    }
    whole(file).map_err(failed)
}

/// The bytes of a file that is open.
pub(super) fn mapped(file: File) -> std::io::Result<Bytes> {
    let map = crate::sys::map_file(&file)?;
    Ok(Arc::new(Mapped { map, file }))
}

/// A file of which frames that are looked at once are read: to page one in costs more than to copy it, unmapping takes page
/// by page, and threads wait for each other with both.
struct Mapped {
    map: memmap2::Mmap,
    file: File,
}

/// The most bytes that a thread keeps to read into.
const KEPT: usize = 4 << 20;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

impl Shared for Mapped {
    fn show(&self, range: Range<usize>, look: &mut dyn FnMut(&[u8])) -> bool {
        let Some(here) = self.map.get(range.clone()) else { return false };
        let mut buffer = BUFFER.take();
        if buffer.len() < here.len() {
            buffer.resize(here.len(), 0);
        }
        let bytes = &mut buffer[..here.len()];
        let is_read = self.file.read_exact_at(bytes, range.start as u64).is_ok();
        if is_read {
            look(bytes);
        }
        if buffer.len() <= KEPT {
            BUFFER.set(buffer);
        }
        is_read
    }
}

/// Whether somebody still writes a reel. `false` where that cannot be known: the file cannot be opened, or its file
/// system has no locks.
pub fn is_recorded(path: &Path) -> bool {
    File::open(path).and_then(|file| crate::sys::is_being_written(&file)).unwrap_or(false)
}

/// The header of a reel, and nothing else of it.
///
/// # Errors
/// The file cannot be read, is no reel, or its first frame is damaged.
pub fn header_of(path: &Path) -> Result<Header, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::Directory { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    file.take((HEADER_BYTES + MAX_SMALL_BODY) as u64).read_to_end(&mut bytes).map_err(failed)?;
    let frame = FrameHeader::parse(&bytes).filter(|frame| frame.kind == FrameKind::Header);
    let found = frame.and_then(|frame| {
        let body = bytes.get(HEADER_BYTES..HEADER_BYTES + frame.length as usize)?;
        if frame.matches(body) { body::load(body).ok() } else { None }
    });
    found.ok_or_else(|| not_a_reel(&bytes))
}

fn whole(input: impl Read) -> std::io::Result<Bytes> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_PIPE + 1).read_to_end(&mut bytes)?;
    if read as u64 > MAX_PIPE {
        return Err(std::io::Error::other(format!("expected at most {MAX_PIPE} bytes from a pipe, found more")));
    }
    Ok(Arc::new(bytes))
}

/// First bytes of other files that people have.
const FORMS: &[(&[u8], &str, bool)] = &[
    // The block type of a section header, as in pcapng.
    (&[0x0a, 0x0d, 0x0d, 0x0a], "a scap file", true),
    (&[0x1f, 0x8b], "a gzip file", true),
    (&[0x28, 0xb5, 0x2f, 0xfd], "a zstd file", true),
    (b"{", "JSON", true),
];

/// Why bytes without a frame in them are no reel: by their start, with the name of its form if we know it.
pub(super) fn not_a_reel(bytes: &[u8]) -> Error {
    let start: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
    let start = start.join(" ");
    if bytes.is_empty() {
        return Error::NotAReel { found: "an empty file".to_owned(), known: false };
    }
    if bytes.starts_with(&MAGIC) {
        return Error::NotAReel {
            found: format!("only the start of one, cut or damaged, in {} bytes", bytes.len()),
            known: false,
        };
    }
    match FORMS.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        Some((_, name, known)) => Error::NotAReel { found: format!("{name} ({start})"), known: *known },
        None => Error::NotAReel { found: start, known: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_reel_is_named_if_it_is_known() {
        for (bytes, want) in [
            (
                &b""[..],
                "expected a reel (f5 53 52 4c), found an empty file\nhelp: a reel is what `sysreel -w` writes; check the file's name",
            ),
            (
                b"\xf5SRLH",
                "expected a reel (f5 53 52 4c), found only the start of one, cut or damaged, in 5 bytes\nhelp: a reel is what `sysreel -w` writes; check the file's name",
            ),
            (
                b"hi\n",
                "expected a reel (f5 53 52 4c), found 68 69 0a\nhelp: a reel is what `sysreel -w` writes; check the file's name",
            ),
            (
                b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c",
                "expected a reel (f5 53 52 4c), found a scap file (0a 0d 0d 0a 1c 00 00 00)\nhelp: `-r` reads captures of sysdig and Kubernetes audit logs too, packed or not: this is neither, or only reels are taken here",
            ),
        ] {
            assert_eq!(not_a_reel(bytes).to_string(), want);
        }
    }
}
