//! THE transformer table: functions of values in filters and formats, such as `tolower(proc.name)`.

use super::{Type, Value, read_base64};
use std::borrow::Cow;

/// What a transformer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A text or path.
    Text,
    /// A text, path or data.
    Bytes,
    /// Any of these, or a list.
    Any,
    /// A list.
    List,
}

/// One transformer.
pub struct Transformer {
    /// How it is written.
    pub name: &'static str,
    /// Its parameters; with `repeats` the last may stand any number of times.
    pub takes: &'static [Takes],
    /// Whether the last parameter may stand more than once.
    pub repeats: bool,
    /// Type of what it gives; of the elements, if that is a list.
    pub gives: Type,
    /// Whether it gives a list.
    pub gives_list: bool,
    /// What it says, in a sentence.
    pub doc: &'static str,
    /// What it makes of the values of its parameters.
    pub apply: for<'a> fn(&[Value<'a>]) -> Value<'a>,
}

impl std::fmt::Debug for Transformer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Transformer {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Transformer {}

const fn entry(
    name: &'static str,
    takes: &'static [Takes],
    gives: Type,
    apply: for<'a> fn(&[Value<'a>]) -> Value<'a>,
    doc: &'static str,
) -> Transformer {
    Transformer { name, takes, repeats: false, gives, gives_list: false, doc, apply }
}

/// All transformers.
pub static TRANSFORMERS: &[Transformer] = &[
    entry(
        "tolower",
        &[Takes::Text],
        Type::Text,
        |v| each(v, |t| Some(t.to_ascii_lowercase())),
        "Small letters (ASCII).",
    ),
    entry(
        "toupper",
        &[Takes::Text],
        Type::Text,
        |v| each(v, |t| Some(t.to_ascii_uppercase())),
        "Capital letters (ASCII).",
    ),
    entry(
        "b64",
        &[Takes::Bytes],
        Type::Bytes,
        |v| each(v, read_base64),
        "What a Base64 text stands for; missing if it is none.",
    ),
    entry(
        "basename",
        &[Takes::Text],
        Type::Text,
        |v| each(v, |t| Some(t.rsplit(|&b| b == b'/').next().unwrap_or_default().to_vec())),
        "What stands behind the last `/`.",
    ),
    entry("len", &[Takes::Any], Type::Uint, length, "Bytes of a text, elements of a list."),
    entry("join", &[Takes::Text, Takes::List], Type::Text, join, "The elements of a list with a text between them."),
    Transformer {
        repeats: true,
        ..entry(
            "concat",
            &[Takes::Text, Takes::Text],
            Type::Text,
            concat,
            "Texts one behind the other; missing if one is.",
        )
    },
    Transformer {
        gives_list: true,
        ..entry(
            "getopt",
            &[Takes::Any, Takes::Text],
            Type::Text,
            options,
            "Options of a command line by their letters, each followed by its value; `[x]` behind it: the last value of `-x`.",
        )
    },
];

/// The transformer that a text looks like a call of.
pub fn call_in(text: &str) -> Option<&'static Transformer> {
    let (name, rest) = text.split_once('(')?;
    TRANSFORMERS.iter().find(|t| t.name == name && rest.ends_with(')'))
}

/// Does something to a text, or to each of several.
fn each<'a>(values: &[Value<'a>], f: fn(&[u8]) -> Option<Vec<u8>>) -> Value<'a> {
    let Some(value) = values.first() else { return Value::Missing };
    match value {
        Value::Text(text) => f(text).map_or(Value::Missing, Value::owned),
        Value::Either(ends) => Value::Either(Box::new([each(&ends[..1], f), each(&ends[1..], f)])),
        Value::List(list) => Value::List(list.iter().map(|v| each(std::slice::from_ref(v), f)).collect()),
        _ => Value::Missing,
    }
}

fn length<'a>(values: &[Value<'a>]) -> Value<'a> {
    match values.first() {
        Some(Value::Text(text)) => Value::Uint(text.len() as u64),
        Some(Value::List(list)) => Value::Uint(list.len() as u64),
        _ => Value::Missing,
    }
}

/// Bytes of a text or number; `None` for what is neither.
fn text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, [u8]>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Int(n) => Some(Cow::Owned(n.to_string().into_bytes())),
        Value::Uint(n) => Some(Cow::Owned(n.to_string().into_bytes())),
        _ => None,
    }
}

fn join<'a>(values: &[Value<'a>]) -> Value<'a> {
    let [Value::Text(between), Value::List(list)] = values else { return Value::Missing };
    match list.iter().map(text).collect::<Option<Vec<_>>>() {
        Some(parts) => Value::owned(parts.join(&between[..])),
        None => Value::Missing,
    }
}

fn concat<'a>(values: &[Value<'a>]) -> Value<'a> {
    values.iter().map(text).collect::<Option<Vec<_>>>().map_or(Value::Missing, |parts| Value::owned(parts.concat()))
}

/// The words of a command line: elements of a list, or what stands between blanks or NULs.
fn words<'v>(value: &'v Value<'_>) -> Vec<Cow<'v, [u8]>> {
    match value {
        Value::List(list) => list.iter().filter_map(text).collect(),
        Value::Text(line) => {
            line.split(|&b| b == b' ' || b == 0).filter(|word| !word.is_empty()).map(Cow::Borrowed).collect()
        }
        _ => Vec::new(),
    }
}

/// As `getopt(3)` reads them: `ab:` knows `-a` and `-b VALUE`. Stops at `--` and at the first word that is none; long
/// options are skipped, unknown letters are `?`.
fn options<'a>(values: &[Value<'a>]) -> Value<'a> {
    let [line, Value::Text(known)] = values else { return Value::Missing };
    if line.is_missing() {
        return Value::Missing;
    }
    let mut found = Vec::new();
    let words = words(line);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let letters = match word.strip_prefix(b"-") {
            None | Some(b"" | b"-") => break,
            Some(long) if long.starts_with(b"-") => continue,
            Some(letters) => letters,
        };
        for (at, letter) in letters.iter().enumerate() {
            let place = known.iter().position(|k| k == letter).filter(|_| *letter != b':');
            let takes_value = place.is_some_and(|p| known.get(p + 1) == Some(&b':'));
            found.push(Value::owned(vec![if place.is_some() { *letter } else { b'?' }]));
            if !takes_value {
                found.push(Value::owned(Vec::new()));
                continue;
            }
            let behind = &letters[at + 1..];
            let value = if behind.is_empty() { rest.next().map_or(&[][..], |w| &w[..]) } else { behind };
            found.push(Value::owned(value.to_vec()));
            break;
        }
    }
    Value::List(found)
}

/// What stands for a letter in what `getopt` gave; the last time it was given.
pub fn option<'a>(options: Value<'a>, letter: &[u8]) -> Value<'a> {
    let Value::List(mut list) = options else { return Value::Missing };
    let is_it = |v: &Value<'_>| matches!(v, Value::Text(text) if text[..] == *letter);
    match (0..list.len()).step_by(2).rev().find(|&at| is_it(&list[at])) {
        Some(at) if at + 1 < list.len() => list.swap_remove(at + 1),
        _ => Value::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(name: &str, values: &[Value<'static>]) -> Value<'static> {
        (TRANSFORMERS.iter().find(|t| t.name == name).unwrap().apply)(values)
    }

    fn t(text: &'static str) -> Value<'static> {
        Value::text(text.as_bytes())
    }

    #[test]
    fn texts_are_transformed() {
        assert_eq!(apply("tolower", &[t("BaSh")]), t("bash"));
        assert_eq!(apply("toupper", &[t("é1a")]), t("é1A"));
        assert_eq!(apply("basename", &[t("/usr/bin/")]), t(""));
        assert_eq!(apply("basename", &[t("/usr/bin/id")]), t("id"));
        assert_eq!(apply("len", &[t("abc")]), Value::Uint(3));
        assert_eq!(apply("len", &[Value::List(vec![t("a"), t("b")])]), Value::Uint(2));
        assert_eq!(apply("join", &[t(", "), Value::List(vec![t("a"), t("b")])]), t("a, b"));
        assert_eq!(apply("concat", &[t("a"), Value::Uint(7), t("c")]), t("a7c"));
        assert_eq!(apply("concat", &[t("a"), Value::Missing]), Value::Missing);
        assert_eq!(apply("tolower", &[Value::Missing]), Value::Missing);
    }

    #[test]
    fn base64_is_decoded_or_missing() {
        for (text, want) in [
            ("aGVsbG8=", Some("hello")),
            ("aGVsbG8", Some("hello")),
            ("aGk=", Some("hi")),
            ("", Some("")),
            ("a", None),
            ("a*==", None),
            ("aGVs bG8=", None),
        ] {
            assert_eq!(apply("b64", &[t(text)]), want.map_or(Value::Missing, t), "{text}");
        }
        assert_eq!(apply("b64", &[t("__-_")]), Value::owned(vec![0xff, 0xff, 0xbf]));
    }

    #[test]
    fn options_are_those_of_a_command_line() {
        let found = apply("getopt", &[t("-vo out --long -xin file -z"), t("vo:x:")]);
        let want = ["v", "", "o", "out", "x", "in"];
        assert_eq!(found, Value::List(want.into_iter().map(t).collect()));
        assert_eq!(option(found.clone(), b"o"), t("out"));
        assert_eq!(option(found, b"q"), Value::Missing);
        let unknown = apply("getopt", &[t("-q -- -v"), t("v")]);
        assert_eq!(unknown, Value::List(vec![t("?"), t("")]));
        let twice = apply("getopt", &[t("-o a -o b"), t("o:")]);
        assert_eq!(option(twice, b"o"), t("b"));
    }
}
