//! Reading `/proc`'s files.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// The most that is read of a process's arguments or environment; the kernel allows megabytes.
pub(super) const TEXT_LIMIT: usize = 32 << 10;
/// The most that is read of a table such as `/proc/net/tcp`.
pub(super) const TABLE_LIMIT: usize = 64 << 20;

/// Files of which less is wanted are one record: one call brings all of it.
const ONE_RECORD: usize = 16 << 10;

/// At most `limit` bytes of a file; `None` if it cannot be read, which for `/proc` mostly means that the process is gone.
pub(super) fn read(path: &Path, limit: usize) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    if limit <= ONE_RECORD {
        bytes.resize(limit, 0);
        let length = file.read(&mut bytes).ok()?;
        bytes.truncate(length);
    } else {
        file.take(limit as u64).read_to_end(&mut bytes).ok()?;
    }
    Some(bytes)
}

/// The same as text, with what is no UTF-8 replaced.
pub(super) fn text(path: &Path, limit: usize) -> Option<String> {
    read(path, limit).map(|b| String::from_utf8_lossy(&b).into_owned())
}

/// Where a link leads, as bytes.
pub(super) fn link(path: &Path) -> Option<Vec<u8>> {
    std::fs::read_link(path).ok().map(|p| OsString::from(p).into_vec())
}

/// The entries of a directory whose names are numbers, in rising order.
pub(super) fn numbers(path: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let mut numbers: Vec<u32> = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}
