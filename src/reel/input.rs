//! The bytes of a reel: a mapped file, or what came through a pipe.

use super::error::Error;
use crate::batch::codec::Bytes;
use crate::batch::codec::limits::MAX_PIPE;
use std::fs::File;
use std::io::Read;
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
    // An empty file cannot be mapped, and a pipe has no length.
    if about.is_file() && about.len() > 0 {
        return Ok(Arc::new(crate::sys::map_file(&file).map_err(failed)?));
    }
    whole(file).map_err(failed)
}

fn whole(input: impl Read) -> std::io::Result<Bytes> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_PIPE + 1).read_to_end(&mut bytes)?;
    if read as u64 > MAX_PIPE {
        return Err(std::io::Error::other(format!("expected at most {MAX_PIPE} bytes from a pipe, found more")));
    }
    Ok(Arc::new(bytes))
}
