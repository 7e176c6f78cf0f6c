//! How every block is put together.

use crate::format::scap::block::{BYTE_ORDER, Block, FRAMING, MAJOR, MINOR, SECTION};

/// Appends a block whose body `body` writes; a block without a code of its own is not written.
pub(super) fn block(out: &mut Vec<u8>, kind: Block, body: impl FnOnce(&mut Vec<u8>)) {
    let Some(code) = kind.code() else { return };
    let start = out.len();
    out.extend(code.to_le_bytes());
    out.extend([0; 4]);
    body(out);
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
    let length = (out.len() - start + 4) as u32;
    patch(out, start + 4, length);
    out.extend(length.to_le_bytes());
}

/// Sets four bytes that were left for a length.
pub(super) fn patch(out: &mut [u8], at: usize, value: u32) {
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

/// Appends the section header that begins a file, 28 bytes: the length of the section is not known.
pub fn section(out: &mut Vec<u8>) {
    let length = (FRAMING + 16) as u32;
    out.extend(SECTION.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(BYTE_ORDER.to_le_bytes());
    out.extend(MAJOR.to_le_bytes());
    out.extend(MINOR.to_le_bytes());
    out.extend(u64::MAX.to_le_bytes());
    out.extend(length.to_le_bytes());
}

/// Appends a text or a list with its length before it, cut to the most that readers take.
pub(super) fn counted(out: &mut Vec<u8>, bytes: &[u8], most: usize) {
    let bytes = bytes.get(..most).unwrap_or(bytes);
    out.extend((bytes.len() as u16).to_le_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_header_has_28_bytes() {
        let mut out = Vec::new();
        section(&mut out);
        let expected =
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\x02\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0";
        assert_eq!(out, expected);
    }

    #[test]
    fn a_block_is_padded_and_says_its_length_twice() {
        let mut out = Vec::new();
        block(&mut out, Block::Users(2), |out| out.extend(b"abcde"));
        assert_eq!(out, b"\x20\x02\0\0\x14\0\0\0abcde\0\0\0\x14\0\0\0");
    }

    #[test]
    fn texts_are_cut_where_readers_would_refuse_them() {
        let mut out = Vec::new();
        counted(&mut out, b"abc", 2);
        counted(&mut out, b"", 2);
        assert_eq!(out, b"\x02\0ab\0\0");
    }
}
