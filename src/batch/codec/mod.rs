//! How a batch's columns become bytes: [`Encoder`] writes them, [`StoredBatch`] decodes each when it is asked for.
//!
//! A batch body is a directory (the [`Head`](super::Head), the frames, where each column stands in them) and
//! the frames. Integers that are noise (time, duration) are byte planes; everything else is repetition and is kept
//! in whole bytes side by side, so that zstd finds it. `docs/format.md` holds the byte-exact layout.

mod directory;
mod distinct;
mod encoder;
mod lengths;
pub mod limits;
mod numbering;
mod pack;
mod planes;
mod runs;
mod stage;
mod stored;
mod unpack;
mod varint;

#[cfg(test)]
pub(crate) mod tests;

pub use directory::PackedHead;
pub(crate) use directory::{compress, decompress};
pub use encoder::{Encoded, Encoder};
pub use stored::{Bytes, Shared, StoredBatch};
pub use varint::{put as put_varint, take as take_varint, unzigzag, zigzag};

/// What is wrong with the bytes of a column; its place is added by who knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    expected: String,
    found: String,
}

impl Fault {
    pub(crate) fn new(expected: impl Into<String>, found: impl Into<String>) -> Fault {
        Fault { expected: expected.into(), found: found.into() }
    }

    fn of_column(self, column: &'static str) -> super::Error {
        super::Error { column, expected: self.expected, found: self.found }
    }
}
