//! JSON texts without a tree: where values stand, and what strings say. Nothing is allocated for walking, and nesting is limited.

use std::borrow::Cow;

/// The deepest nesting that is followed; Kubernetes objects stay far below.
const MAX_DEPTH: usize = 512;

/// Why a text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonFault {
    /// Offset of the byte that does not fit.
    pub at: usize,
    /// What would have.
    pub expected: &'static str,
}

/// The offset behind blanks.
pub fn json_blank(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// The offset behind the string whose quote stands at `start`.
fn string_end(text: &[u8], start: usize) -> Result<usize, JsonFault> {
    let mut at = start + 1;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
            let control = rest.iter().position(|&b| b < 0x20).unwrap_or(rest.len());
            return Err(JsonFault { at: at + control, expected: "the end of a string" });
        };
        // A fold and no search, so that it runs on whole registers.
        if rest[..found].iter().fold(0, |any, &b| any | u8::from(b < 0x20)) > 0 {
            let control = rest.iter().position(|&b| b < 0x20).unwrap_or(found);
            return Err(JsonFault { at: at + control, expected: "the end of a string" });
        }
        if rest[found] == b'"' {
            return Ok(at + found + 1);
        }
        if rest.get(found + 1).is_none_or(|&b| b < 0x20) {
            return Err(JsonFault { at: at + found + 1, expected: "an escaped character" });
        }
        at += found + 2;
    }
}

/// The offset behind the key at `at` and its colon, blanks before and after allowed.
fn key_end(text: &[u8], at: usize) -> Result<usize, JsonFault> {
    let at = json_blank(text, at);
    if text.get(at) != Some(&b'"') {
        return Err(JsonFault { at, expected: "a key" });
    }
    let at = json_blank(text, string_end(text, at)?);
    if text.get(at) != Some(&b':') {
        return Err(JsonFault { at, expected: "a colon" });
    }
    Ok(at + 1)
}

/// The offset behind a number or word.
fn atom_end(text: &[u8], start: usize) -> Result<usize, JsonFault> {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.iter().position(|b| !is_part(b)).unwrap_or(rest.len());
    let atom = &rest[..length];
    let is_number = || {
        let digits = atom.strip_prefix(b"-").unwrap_or(atom);
        digits.first().is_some_and(u8::is_ascii_digit)
            && (digits.iter().all(u8::is_ascii_digit)
                || std::str::from_utf8(atom).is_ok_and(|text| text.parse::<f64>().is_ok()))
    };
    if matches!(atom, b"true" | b"false" | b"null") || is_number() {
        Ok(start + length)
    } else {
        Err(JsonFault { at: start, expected: "a value" })
    }
}

/// Open objects (bit set) and arrays.
struct Nest {
    bits: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Nest {
    fn push(&mut self, is_object: bool, at: usize) -> Result<(), JsonFault> {
        if self.depth == MAX_DEPTH {
            return Err(JsonFault { at, expected: "at most 512 values in each other" });
        }
        let (word, bit) = (self.depth / 64, 1 << (self.depth % 64));
        if is_object {
            self.bits[word] |= bit;
        } else {
            self.bits[word] &= !bit;
        }
        self.depth += 1;
        Ok(())
    }

    fn top(&self) -> Option<bool> {
        let last = self.depth.checked_sub(1)?;
        Some(self.bits[last / 64] >> (last % 64) & 1 == 1)
    }
}

/// The offset behind the value that begins at `start`, blanks before it allowed.
///
/// # Errors
/// It is no JSON, is cut, or is nested deeper than 512 values.
pub fn json_end(text: &[u8], start: usize) -> Result<usize, JsonFault> {
    let mut nest = Nest { bits: [0; MAX_DEPTH / 64], depth: 0 };
    let mut at = start;
    loop {
        at = json_blank(text, at);
        match text.get(at) {
            Some(b'"') => at = string_end(text, at)?,
            Some(open @ (b'{' | b'[')) => {
                let is_object = *open == b'{';
                let inside = json_blank(text, at + 1);
                if text.get(inside) == Some(if is_object { &b'}' } else { &b']' }) {
                    at = inside + 1;
                } else {
                    nest.push(is_object, at)?;
                    at = if is_object { key_end(text, inside)? } else { inside };
                    continue;
                }
            }
            _ => at = atom_end(text, at)?,
        }
        loop {
            let Some(is_object) = nest.top() else { return Ok(at) };
            at = json_blank(text, at);
            match (text.get(at), is_object) {
                (Some(b','), true) => {
                    at = key_end(text, at + 1)?;
                    break;
                }
                (Some(b','), false) => {
                    at += 1;
                    break;
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    nest.depth -= 1;
                    at += 1;
                }
                _ => return Err(JsonFault { at, expected: "a comma or the end" }),
            }
        }
    }
}

/// Members of an object or elements of an array, in order.
pub struct JsonItems<'a> {
    text: &'a [u8],
    at: usize,
    is_object: bool,
    is_first: bool,
    fault: Option<JsonFault>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonItem<'a> {
    /// What stands between the quotes of its key; empty in an array.
    pub key: &'a [u8],
    /// Its value as it stands.
    pub value: &'a [u8],
    /// Where the value begins in the text.
    pub start: usize,
}

impl<'a> JsonItems<'a> {
    /// Of the value that begins at `start` of a text; none where that is neither an object nor an array.
    pub fn of(text: &'a [u8], start: usize) -> JsonItems<'a> {
        let at = json_blank(text, start);
        let is_object = text.get(at) == Some(&b'{');
        let fault =
            (!is_object && text.get(at) != Some(&b'[')).then_some(JsonFault { at, expected: "an object or an array" });
        JsonItems { text, at: at + 1, is_object, is_first: true, fault }
    }

    /// Why there are no more, if that was not the end.
    pub fn fault(&self) -> Option<JsonFault> {
        self.fault
    }

    /// The offset behind the whole, once all items were taken.
    pub fn end(&self) -> usize {
        self.at
    }

    fn step(&mut self) -> Result<Option<JsonItem<'a>>, JsonFault> {
        self.at = json_blank(self.text, self.at);
        let close = if self.is_object { b'}' } else { b']' };
        match self.text.get(self.at) {
            Some(&b) if b == close => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !self.is_first => self.at += 1,
            _ if self.is_first => {}
            _ => return Err(JsonFault { at: self.at, expected: "a comma or the end" }),
        }
        self.is_first = false;
        let mut key: &[u8] = &[];
        if self.is_object {
            let start = json_blank(self.text, self.at);
            let end = key_end(self.text, start)?;
            let quote = memchr::memrchr(b'"', &self.text[..end]).unwrap_or(start);
            key = &self.text[start + 1..quote];
            self.at = end;
        }
        let start = json_blank(self.text, self.at);
        self.at = json_end(self.text, start)?;
        Ok(Some(JsonItem { key, value: &self.text[start..self.at], start }))
    }
}

impl<'a> Iterator for JsonItems<'a> {
    type Item = JsonItem<'a>;

    fn next(&mut self) -> Option<JsonItem<'a>> {
        if self.fault.is_some() {
            return None;
        }
        let item = self.step().unwrap_or_else(|fault| {
            self.fault = Some(fault);
            None
        });
        if item.is_none() && self.fault.is_none() {
            // Asked again it must not go on behind the end.
            self.fault = Some(JsonFault { at: self.at, expected: "" });
        }
        item
    }
}

/// The items of a value; none where it is neither an object nor an array.
pub fn json_items(value: &[u8]) -> JsonItems<'_> {
    JsonItems::of(value, 0)
}

/// The member of an object with a key, the last one if there are several (as Go reads it).
pub fn json_member<'a>(value: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let is_object = value.get(json_blank(value, 0)) == Some(&b'{');
    let is_key = |found: &[u8]| found == key || (found.contains(&b'\\') && json_unescape(found).as_ref() == key);
    json_items(value).filter(|item| is_object && is_key(item.key)).last().map(|item| item.value)
}

/// The element of an array at a place.
pub fn json_element(value: &[u8], place: usize) -> Option<&[u8]> {
    let is_array = value.get(json_blank(value, 0)) == Some(&b'[');
    json_items(value).nth(place).filter(|_| is_array).map(|item| item.value)
}

/// The value at a JSON pointer (RFC 6901); the leading slash may be missing.
pub fn json_pointer<'a>(value: &'a [u8], pointer: &str) -> Option<&'a [u8]> {
    let pointer = pointer.strip_prefix('/').unwrap_or(pointer);
    if pointer.is_empty() {
        return Some(value);
    }
    pointer.split('/').try_fold(value, |value, part| {
        if value.get(json_blank(value, 0)) == Some(&b'[') {
            return json_element(value, part.parse().ok()?);
        }
        let key = part.replace("~1", "/").replace("~0", "~");
        json_member(value, key.as_bytes())
    })
}

/// What a string says, if a value is one.
pub fn json_string(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    value.strip_prefix(b"\"")?.strip_suffix(b"\"").map(json_unescape)
}

/// A value as people read it: what a string says, anything else as it stands.
pub fn json_text(value: &[u8]) -> Cow<'_, [u8]> {
    json_string(value).unwrap_or(Cow::Borrowed(value))
}

/// What stands between the quotes of a string, without its escapes. Escapes that mean nothing stay as they are.
pub fn json_unescape(content: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', content).is_none() {
        return Cow::Borrowed(content);
    }
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let used = match rest.get(1) {
            Some(&b @ (b'"' | b'\\' | b'/')) => plain(&mut out, b),
            Some(b'b') => plain(&mut out, 8),
            Some(b'f') => plain(&mut out, 12),
            Some(b'n') => plain(&mut out, b'\n'),
            Some(b'r') => plain(&mut out, b'\r'),
            Some(b't') => plain(&mut out, b'\t'),
            Some(b'u') => unicode(&mut out, rest),
            _ => plain(&mut out, b'\\') - 1,
        };
        rest = &rest[used..];
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Appends what a two-byte escape says.
fn plain(out: &mut Vec<u8>, byte: u8) -> usize {
    out.push(byte);
    2
}

/// Appends the character of `\uXXXX` (two of them for a pair of surrogates), and says how many bytes it took.
fn unicode(out: &mut Vec<u8>, rest: &[u8]) -> usize {
    let unit = |at: usize| {
        let digits = rest.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok().filter(|d| !d.starts_with('+'))?, 16).ok()
    };
    let Some(first) = unit(0) else { return plain(out, b'\\') - 1 };
    let (text, used) = match char::decode_utf16([first].into_iter().chain(unit(6))).next() {
        Some(Ok(c)) => (c, if c.len_utf16() == 2 { 12 } else { 6 }),
        _ => (char::REPLACEMENT_CHARACTER, 6),
    };
    out.extend_from_slice(text.encode_utf8(&mut [0; 4]).as_bytes());
    used
}

/// Appends what stands between the quotes of a string that says `text`, as Go's `encoding/json` writes it; `html`: with
/// `<`, `>` and `&` as escapes, which is its default. Bytes that are no UTF-8 stay as they are.
pub fn write_go_json(out: &mut Vec<u8>, text: &[u8], html: bool) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut done = 0;
    for (at, &b) in text.iter().enumerate() {
        let short = match b {
            b'"' | b'\\' => b,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            8 => b'b',
            12 => b'f',
            b'<' | b'>' | b'&' if html => 0,
            0..0x20 => 0,
            // U+2028 and U+2029
            0xe2 if matches!(text.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9])) => 0,
            _ => continue,
        };
        out.extend_from_slice(&text[done..at]);
        done = at + 1;
        if short > 0 {
            out.extend_from_slice(&[b'\\', short]);
        } else if b == 0xe2 {
            out.extend_from_slice(if text[at + 2] == 0xa8 { b"\\u2028" } else { b"\\u2029" });
            done = at + 3;
        } else {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
        }
    }
    out.extend_from_slice(&text[done..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_they_end_and_faults_have_a_place() {
        for (text, end) in [
            ("{}", Ok(2)),
            (" [1, -2.5e3, true, null] x", Ok(24)),
            (r#"{"a":{"b":["\"}"]}}"#, Ok(19)),
            (r#"{"a":1,}"#, Err((7, "a key"))),
            (r#"{"a" 1}"#, Err((5, "a colon"))),
            (r#"{"a":tru}"#, Err((5, "a value"))),
            ("[1 2]", Err((3, "a comma or the end"))),
            ("[1", Err((2, "a comma or the end"))),
            ("\"a\nb\"", Err((2, "the end of a string"))),
            ("\"abc", Err((4, "the end of a string"))),
            ("01x", Err((0, "a value"))),
        ] {
            let found = json_end(text.as_bytes(), 0).map_err(|fault| (fault.at, fault.expected));
            assert_eq!(found, end, "{text}");
        }
        let deep = "[".repeat(1 << 20);
        assert_eq!(json_end(deep.as_bytes(), 0).map_err(|f| f.at), Err(512));
    }

    #[test]
    fn values_are_found_by_pointer() {
        let text = br#"{"a/b":[{"c~d":"x"},2],"e":"\u0041","e":"\ud83d\ude00\n"}"#;
        for (pointer, value) in [
            ("/a~1b/0/c~0d", Some(&b"\"x\""[..])),
            ("a~1b/1", Some(b"2")),
            ("/a~1b/2", None),
            ("/e", Some(br#""\ud83d\ude00\n""#)),
            ("/f", None),
            ("/a~1b/x", None),
        ] {
            assert_eq!(json_pointer(text, pointer), value, "{pointer}");
        }
        assert_eq!(json_string(br#""\ud83d\ude00\n\q\ud83d""#).unwrap(), "😀\n\\q\u{fffd}".as_bytes());
        assert_eq!(json_string(b"12"), None);
    }

    #[test]
    fn what_go_writes_is_written_again() {
        for (text, html, plain) in [
            ("a&<>\"\\", r#"a\u0026\u003c\u003e\"\\"#, r#"a&<>\"\\"#),
            ("\u{1}\t\u{2028}é", "\\u0001\\t\\u2028é", "\\u0001\\t\\u2028é"),
        ] {
            for (is_html, want) in [(true, html), (false, plain)] {
                let mut out = Vec::new();
                write_go_json(&mut out, text.as_bytes(), is_html);
                assert_eq!(String::from_utf8(out.clone()).unwrap(), want);
                assert_eq!(json_unescape(&out), text.as_bytes());
            }
        }
    }
}
