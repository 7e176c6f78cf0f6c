//! Data of calls in the forms of `-A`, `-b`, `-x` and `-X`.

use super::BufferFormat;
use crate::value::{write_base64, write_dots};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Bytes in a row of a dump.
const ROW: usize = 16;

/// Columns that a row of a dump takes: its offset, and five for each two bytes.
const ROW_WIDTH: usize = 7 + ROW / 2 * 5;

/// Appends data in a form.
pub(super) fn write_buffer(out: &mut Vec<u8>, bytes: &[u8], format: BufferFormat) {
    match format {
        BufferFormat::Dots => write_dots(out, bytes),
        BufferFormat::Raw => out.extend_from_slice(bytes),
        BufferFormat::Hex => out.extend(bytes.iter().flat_map(|b| digits(*b))),
        BufferFormat::Base64 => write_base64(out, bytes),
        BufferFormat::HexDump => write_dump(out, bytes, false),
        BufferFormat::HexAsciiDump => write_dump(out, bytes, true),
        BufferFormat::Ascii => write_ascii(out, bytes),
    }
}

fn digits(byte: u8) -> [u8; 2] {
    [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]
}

/// A line break and what is printable: CR and CR LF are line breaks.
fn write_ascii(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'\n');
    let mut last = 0;
    for &b in bytes {
        match b {
            b'\r' => out.push(b'\n'),
            b'\n' if last != b'\r' => out.push(b'\n'),
            0x20..0x7f => out.push(b),
            _ => {}
        }
        last = b;
    }
}

/// Rows on lines of their own, each behind a tab: offset, groups of two bytes, and the characters if asked for.
fn write_dump(out: &mut Vec<u8>, bytes: &[u8], with_text: bool) {
    for (n, row) in bytes.chunks(ROW).enumerate() {
        out.extend_from_slice(b"\n\t");
        let start = out.len();
        let at = (n * ROW) as u32;
        out.extend_from_slice(b"0x");
        let wide = at.to_be_bytes();
        let shown = if at > 0xffff { &wide[..] } else { &wide[2..] };
        out.extend(shown.iter().flat_map(|b| digits(*b)));
        out.push(b':');
        for pair in row.chunks(2) {
            out.push(b' ');
            out.extend(pair.iter().flat_map(|b| digits(*b)));
        }
        if with_text {
            let width = out.len() - start;
            out.resize(start + ROW_WIDTH.max(width) + 2, b' ');
            write_dots(out, row);
        }
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_written_in_every_form() {
        let bytes = b"GET / HTTP/1.1\r\nHost: x\n\x00\xff";
        for (format, want) in [
            (BufferFormat::Dots, "GET / HTTP/1.1..Host: x..."),
            (BufferFormat::Ascii, "\nGET / HTTP/1.1\nHost: x\n"),
            (BufferFormat::Base64, "R0VUIC8gSFRUUC8xLjENCkhvc3Q6IHgKAP8="),
            (
                BufferFormat::HexDump,
                "\n\t0x0000: 4745 5420 2f20 4854 5450 2f31 2e31 0d0a\n\t0x0010: 486f 7374 3a20 780a 00ff\n",
            ),
            (
                BufferFormat::HexAsciiDump,
                "\n\t0x0000: 4745 5420 2f20 4854 5450 2f31 2e31 0d0a  GET / HTTP/1.1..\n\t0x0010: 486f 7374 3a20 780a 00ff                 Host: x...\n",
            ),
            (BufferFormat::Hex, "474554202f20485454502f312e310d0a486f73743a20780a00ff"),
        ] {
            let mut out = Vec::new();
            write_buffer(&mut out, bytes, format);
            assert_eq!(String::from_utf8(out).unwrap(), want, "{format:?}");
        }
        let mut out = Vec::new();
        write_dump(&mut out, &vec![0; 65_540], false);
        assert!(out.ends_with(b"\n\t0x00010000: 0000 0000\n"));
    }
}
