//! A file as bytes, paged in as they are looked at.

use std::fs::File;
use std::io;

/// Maps a whole file for reading. Bytes of a file that shrinks meanwhile must not be read: the kernel ends the
/// process with SIGBUS. Reels are append-only; what cuts them (a full disk) cuts what was never a whole frame.
#[expect(unsafe_code, reason = "a mapped file is the only way not to read columns that no question names")]
pub fn map_file(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: the mapping is private and only read. The bytes may change under us if somebody writes to the
    // file; every byte read from it is checked by value after it was copied or inflated, never trusted as a type.
    unsafe { memmap2::Mmap::map(file) }
}
