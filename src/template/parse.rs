//! Template text → pieces.

use super::call;
use super::line::Piece;
use crate::field::{ArgRule, FieldArg, FieldRef, lookup_prefix};
use crate::value::Excerpt;

/// Widths beyond this are a slip of the finger.
const MAX_WIDTH: usize = 4096;

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A `%` names nothing.
    Field {
        /// Where the `%` stands, bytes from the start.
        at: usize,
        /// What is wrong.
        cause: crate::field::Error,
        /// What to write instead.
        help: String,
    },
    /// What a transformer is given is wrong.
    Call {
        /// Where the `%` stands, bytes from the start.
        at: usize,
        /// What was expected and found.
        what: String,
    },
    /// A `%` with no name behind it.
    Unfinished {
        /// Where the `%` stands, bytes from the start.
        at: usize,
    },
    /// A width that no line has.
    Width {
        /// Where the `%` stands, bytes from the start.
        at: usize,
        /// What stands there.
        found: String,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (at, what, help) = self.told();
        write!(f, "{what} at byte {at} of the format\nhelp: {help}")
    }
}

impl std::error::Error for Error {}

impl Error {
    /// Where it is, what was expected and found, and what to do.
    fn told(&self) -> (usize, String, &str) {
        match self {
            Error::Field { at, cause, help } => (*at, cause.to_string(), help),
            Error::Call { at, what } => {
                (*at, what.clone(), "write `%toupper(proc.name)` or `%join(\", \", proc.aname)`")
            }
            Error::Unfinished { at } => {
                (*at, "expected a field name after `%`, found none".to_owned(), "write `%evt.num`, or drop the `%`")
            }
            Error::Width { at, found } => {
                let what = format!("expected a width of at most {MAX_WIDTH}, found `{found}`");
                (*at, what, "write a smaller number")
            }
        }
    }

    /// The same about the text that it was found in, with carets under the place.
    pub fn drawn(&self, source: &str) -> String {
        let (at, what, help) = self.told();
        let is_named = |b: &u8| b.is_ascii_alphanumeric() || b"._[]()".contains(b);
        let behind = source.as_bytes().get(at + 1..).unwrap_or_default();
        let span = at..at + 1 + behind.iter().take_while(|b| is_named(b)).count();
        format!("{what}\n{}", Excerpt { source, span, help: Some(help) })
    }

    /// A name at `at` that names no field.
    pub(super) fn field(at: usize, cause: crate::field::Error) -> Error {
        let help = match (&cause, cause.suggestion()) {
            (crate::field::Error::Absent { .. }, _) | (_, None) => cause.help(),
            (_, Some(name)) => format!("did you mean `%{name}`?"),
        };
        Error::Field { at, cause, help }
    }
}

/// The pieces, and whether lines with missing fields are kept (a leading `*`).
pub(super) fn parse(text: &str) -> Result<(Vec<Piece>, bool), Error> {
    let (keeps, mut rest) = text.strip_prefix('*').map_or((false, text), |rest| (true, rest));
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        match c {
            '%' => {
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                let (piece, left) = field(tail, text.len() - rest.len())?;
                pieces.push(piece);
                rest = left;
            }
            '\\' => rest = escape(tail, &mut literal),
            c => {
                literal.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = tail;
            }
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok((pieces, keeps))
}

/// What a backslash and the text behind it stand for; unknown escapes stand for themselves.
fn escape<'t>(tail: &'t str, literal: &mut Vec<u8>) -> &'t str {
    let byte = match tail.as_bytes().first() {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'e') => 0x1b,
        Some(b'\\') => b'\\',
        _ => {
            literal.push(b'\\');
            return tail;
        }
    };
    literal.push(byte);
    &tail[1..]
}

/// Whether brackets stand behind a field that takes an argument, and what is in them is none.
fn has_bad_argument(field: &FieldRef, rest: &str) -> bool {
    let inner = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')).map(|(inner, _)| inner);
    field.field.arg != ArgRule::No && field.arg == FieldArg::None && inner.is_some_and(|inner| !inner.contains('%'))
}

fn field(text: &str, at: usize) -> Result<(Piece, &str), Error> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let width = match &text[..digits] {
        "" => None,
        found => {
            Some(found.parse().ok().filter(|&w| w <= MAX_WIDTH).ok_or(Error::Width { at, found: found.to_owned() })?)
        }
    };
    let text = &text[digits..];
    if !text.starts_with(|c: char| c.is_alphanumeric()) {
        return Err(Error::Unfinished { at });
    }
    if let Some(call) = call::call(text, at, 0) {
        let (call, rest) = call?;
        return Ok((Piece::Made(call, text[..text.len() - rest.len()].to_owned(), width), rest));
    }
    if let Some((field, used)) = lookup_prefix(text).filter(|(field, used)| !has_bad_argument(field, &text[*used..])) {
        return Ok((Piece::field(field, width), &text[used..]));
    }
    let stop = |(_, c): &(usize, char)| !c.is_ascii_alphanumeric() && !"._[]".contains(*c);
    let ended = text.char_indices().find(stop).map_or(text.len(), |(at, _)| at);
    let end = text[..ended].find(']').map_or(ended, |at| at + 1);
    let Err(cause) = crate::field::lookup(&text[..end]) else { return Err(Error::Unfinished { at }) };
    Err(Error::field(at, cause))
}
