//! Text of a capture on its way to a terminal or into JSON: nothing that could steer a terminal passes raw.

/// Whether eight bytes are printable ASCII.
#[inline]
fn is_plain_word(word: [u8; 8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(word);
    let low = word & !HIGH;
    // No byte carries into its neighbour: from 0x20 on the first sum has the high bit, of 0x7f the second has it, too.
    (low + 0x6060_6060_6060_6060) & !(low + 0x0101_0101_0101_0101) & !word & HIGH == HIGH
}

/// Whether all bytes are printable ASCII, so that nothing needs escaping.
#[inline]
pub fn is_plain(bytes: &[u8]) -> bool {
    let Some(&last) = bytes.last_chunk::<8>() else { return bytes.iter().all(|b| (0x20..0x7f).contains(b)) };
    // The last eight are looked at twice, so that there is no rest.
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().all(|&word| is_plain_word(word)) && is_plain_word(last)
}

/// Control characters of both sets, line separators, and those that reorder or hide their neighbours.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

/// Appends text; control characters, invisible characters and invalid UTF-8 become `\xNN`, a group for each byte.
pub fn write_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
        return;
    }
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let mut utf8 = [0; 4];
            let c_bytes = c.encode_utf8(&mut utf8).as_bytes();
            if is_hostile(c) {
                write_bytes(out, c_bytes);
            } else {
                out.extend_from_slice(c_bytes);
            }
        }
        write_bytes(out, chunk.invalid());
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    for &b in bytes {
        write_byte(out, b);
    }
}

fn write_byte(out: &mut Vec<u8>, b: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(&[b'\\', b'x', HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
}

/// Appends bytes of data, a dot for each that is not printable ASCII.
pub fn write_dots(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.extend_from_slice(bytes);
    for b in &mut out[start..] {
        *b = if (0x20..0x7f).contains(b) { *b } else { b'.' };
    }
}

/// Appends text as a JSON string with its quotes; invalid UTF-8 becomes the text `\xNN`, hostile characters `\uNNNN`.
pub fn write_json_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    if is_plain(bytes) {
        let mut rest = bytes;
        while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(&[b'\\', rest[at]]);
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
        out.push(b'"');
        return;
    }
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
                '\n' => out.extend_from_slice(b"\\n"),
                '\t' => out.extend_from_slice(b"\\t"),
                '\r' => out.extend_from_slice(b"\\r"),
                c if is_hostile(c) => {
                    let code = format!("\\u{:04x}", c as u32);
                    out.extend_from_slice(code.as_bytes());
                }
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        for &b in chunk.invalid() {
            out.push(b'\\');
            write_byte(out, b);
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_passes() {
        for (input, want) in [
            (&b"plain"[..], "plain"),
            (b"\x1b[31mred", "\\x1b[31mred"),
            (b"a\nb", "a\\x0ab"),
            ("gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
            ("\u{9b}31m".as_bytes(), "\\xc2\\x9b31m"),
            ("\u{202e}exe".as_bytes(), "\\xe2\\x80\\xaeexe"),
            (b"\xff\xfe", "\\xff\\xfe"),
        ] {
            let mut out = Vec::new();
            write_escaped(&mut out, input);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }

    #[test]
    fn json_strings_are_valid_json_whatever_the_bytes() {
        for (input, want) in [
            (&b"a b"[..], "a b"),
            (b"\"", "\""),
            (b"a\"b\\c", "a\"b\\c"),
            (b"\x1b[0m", "\u{1b}[0m"),
            (b"\xff", "\\xff"),
            ("\u{9b}".as_bytes(), "\u{9b}"),
        ] {
            let mut out = Vec::new();
            write_json_string(&mut out, input);
            assert!(is_plain(&out));
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), want);
        }
    }

    #[test]
    fn every_byte_at_every_place_is_told_to_be_plain_or_not() {
        for length in 1..20 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    assert_eq!(is_plain(&text), (0x20..0x7f).contains(&byte), "{byte} at {at} of {length}");
                }
            }
        }
        assert!(is_plain(b""));
    }

    #[test]
    fn buffers_show_dots() {
        let mut out = Vec::new();
        write_dots(&mut out, b"GET /\r\n\xff");
        assert_eq!(out, b"GET /...");
    }
}
