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
use std::sync::atomic::{AtomicUsize, Ordering};

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
    let file = Place::take().map(|place| (file, place));
    Ok(Arc::new(Mapped { map, file }))
}

/// A file of which frames that are looked at once are read: to page one in costs more than to copy it, unmapping takes page
/// by page, and threads wait for each other with both.
struct Mapped {
    map: memmap2::Mmap,
    /// `None` where many files are open already: then frames are paged in.
    file: Option<(File, Place)>,
}

/// The most files that are kept open: a row of files may be longer than a process may have open, and some may have few.
const MOST_OPEN: usize = 16;

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// The place of a file that is kept open.
struct Place;

impl Place {
    fn take() -> Option<Place> {
        let before = OPEN.fetch_add(1, Ordering::Relaxed);
        // Dropped where it is one too many.
        Some(Place).filter(|_| before < MOST_OPEN)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The most bytes that are read: a thread keeps the room for them. What is longer is paged in.
const MOST_READ: usize = 4 << 20;

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
        let Some((file, _)) = self.file.as_ref().filter(|_| here.len() <= MOST_READ) else {
            look(here);
            return true;
        };
        let mut buffer = BUFFER.take();
        if buffer.len() < here.len() {
            buffer.resize(here.len(), 0);
        }
        let bytes = &mut buffer[..here.len()];
        let is_read = file.read_exact_at(bytes, range.start as u64).is_ok();
        if is_read {
            look(bytes);
        }
        BUFFER.set(buffer);
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

    /// What is shown of a range, and of one that is shown meanwhile.
    fn shown(bytes: &Bytes, range: Range<usize>) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut all = None;
        let is_there = bytes.show(range.clone(), &mut |outer| {
            let mut inner = Vec::new();
            bytes.show(0..1, &mut |first| inner.extend_from_slice(first));
            all = Some((outer.to_vec(), inner));
        });
        assert_eq!(is_there, all.is_some());
        all
    }

    #[test]
    fn any_number_of_files_shows_what_is_there_and_no_more() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"a reel", 0).unwrap();
        // More than are kept open.
        let many: Vec<Bytes> = (0..=MOST_OPEN).map(|_| mapped(file.try_clone().unwrap()).unwrap()).collect();
        for bytes in &many {
            assert_eq!(shown(bytes, 2..6), Some((b"reel".to_vec(), b"a".to_vec())));
            assert_eq!((shown(bytes, 2..7), shown(bytes, 7..8)), (None, None));
        }
    }

    #[test]
    fn a_file_that_was_cut_is_no_longer_shown() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[1; 8192], 0).unwrap();
        let kept = Mapped { map: crate::sys::map_file(&file).unwrap(), file: Some((file.try_clone().unwrap(), Place)) };
        OPEN.fetch_add(1, Ordering::Relaxed);
        assert!(kept.show(8000..8192, &mut |_| {}));
        file.set_len(4096).unwrap();
        assert!(!kept.show(8000..8192, &mut |_| {}) && kept.show(0..4096, &mut |_| {}));
    }

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
