//! [`Excerpt`]: the line of a text in which something is wrong, with carets under the place.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

/// The most characters of a line that are shown on either side of the place.
const CONTEXT: usize = 60;

/// The line of a text in which something is wrong, and below it carets under the place and what to do about it.
pub struct Excerpt<'t> {
    /// The text.
    pub source: &'t str,
    /// Where: bytes of the text.
    pub span: Range<usize>,
    /// What to do about it, if there is something to say.
    pub help: Option<&'t str>,
}

impl Display for Excerpt<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let source = self.source;
        let start = floor_char(source, self.span.start);
        let end = floor_char(source, self.span.end).max(start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let end = end.min(line_end);
        let (before, cut) = tail(&source[line_start..start], CONTEXT);
        let (after, cut_after) = head(&source[end..line_end], CONTEXT);
        let place = head(&source[start..end], CONTEXT).0;
        let (left, right) = (if cut { "..." } else { "" }, if cut_after { "..." } else { "" });
        writeln!(f, "  | {left}{}{}{}{right}", shown(before), shown(place), shown(after))?;
        let indent = left.len() + before.chars().count();
        let carets = place.chars().count().max(1);
        write!(f, "  | {:indent$}{}", "", "^".repeat(carets))?;
        self.help.map_or(Ok(()), |help| write!(f, " {help}"))
    }
}

/// Columns in which a terminal shows a text: control characters are shown as one blank.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn floor_char(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

fn tail(text: &str, chars: usize) -> (&str, bool) {
    match text.char_indices().rev().nth(chars) {
        Some((at, c)) => (&text[at + c.len_utf8()..], true),
        None => (text, false),
    }
}

fn head(text: &str, chars: usize) -> (&str, bool) {
    match text.char_indices().nth(chars) {
        Some((at, _)) => (&text[..at], true),
        None => (text, false),
    }
}
