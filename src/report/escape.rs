//! Text from a capture, made safe for a terminal, a log or a spreadsheet (architecture, invariant 9).

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character may stand in output as it is: no control characters, and none of the marks that
/// reverse the direction of text and so make a name look like another one.
fn is_safe(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text with control characters, direction marks and bytes that are not UTF-8 written as `\xNN` or `\u{N}`.
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.chars().all(is_safe)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                c if is_safe(c) => out.push(c),
                c if c.is_ascii() => drop(write!(out, "\\x{:02x}", c as u32)),
                c => drop(write!(out, "\\u{{{:x}}}", c as u32)),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        for (raw, want) in [
            (&b"/etc/passwd"[..], "/etc/passwd"),
            ("/tmp/\u{fc}ber".as_bytes(), "/tmp/\u{fc}ber"),
            (b"a\x1b[31mb", "a\\x1b[31mb"),
            (b"a\nb\tc\rd", "a\\nb\\tc\\rd"),
            (b"\xff\xfe", "\\xff\\xfe"),
            ("gpj\u{202e}exe".as_bytes(), "gpj\\u{202e}exe"),
            ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
        ] {
            assert_eq!(escape(raw), want);
        }
    }
}
