//! Text from a capture, made safe for a terminal, a log or a spreadsheet (architecture, invariant 9).

use crate::value::write_escaped;
use std::borrow::Cow;

/// The text with what a terminal would obey or hide, and bytes that are not UTF-8, written as `\xNN`.
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    write_escaped(&mut out, bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if out.len() == bytes.len() => Cow::Borrowed(text),
        // Escaping leaves only valid UTF-8.
        _ => Cow::Owned(String::from_utf8_lossy(&out).into_owned()),
    }
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
            (b"a\nb", "a\\x0ab"),
            (b"\xff\xfe", "\\xff\\xfe"),
            ("gpj\u{202e}exe".as_bytes(), "gpj\\xe2\\x80\\xaeexe"),
        ] {
            assert_eq!(escape(raw), want);
        }
    }
}
