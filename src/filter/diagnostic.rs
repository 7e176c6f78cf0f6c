//! [`Diagnostics`]: everything that is wrong with a filter, each with a caret under the place.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where: bytes of the filter's text.
    pub span: Range<usize>,
    /// What, as a lowercase fragment.
    pub message: String,
    /// What to do about it, if there is something to say.
    pub help: Option<String>,
}

/// Everything that is wrong with a filter, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    /// The filter.
    pub source: String,
    /// At least one.
    pub errors: Vec<Diagnostic>,
}

impl std::error::Error for Diagnostics {}

impl Display for Diagnostics {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (n, error) in self.errors.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            error.render("error", &self.source, f)?;
        }
        Ok(())
    }
}

/// A diagnostic that stops nothing.
struct Warning<'d> {
    about: &'d Diagnostic,
    source: &'d str,
}

impl Display for Warning<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.about.render("warning", self.source, f)
    }
}

/// The most characters of a line of the filter that are shown on either side of the place.
const CONTEXT: usize = 60;

/// Columns in which a terminal shows a text: control characters are shown as one blank.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Diagnostic {
    /// The same as a warning about a filter's text.
    pub fn as_warning<'d>(&'d self, source: &'d str) -> impl Display + 'd {
        Warning { about: self, source }
    }

    fn render(&self, what: &str, source: &str, f: &mut Formatter<'_>) -> fmt::Result {
        let start = floor_char(source, self.span.start);
        let end = floor_char(source, self.span.end).max(start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let end = end.min(line_end);
        let (before, cut) = tail(&source[line_start..start], CONTEXT);
        let (after, cut_after) = head(&source[end..line_end], CONTEXT);
        let place = head(&source[start..end], CONTEXT).0;
        let (left, right) = (if cut { "..." } else { "" }, if cut_after { "..." } else { "" });
        writeln!(f, "{what}: {}", self.message)?;
        writeln!(f, "  | {left}{}{}{}{right}", shown(before), shown(place), shown(after))?;
        let indent = left.len() + before.chars().count();
        let carets = place.chars().count().max(1);
        write!(f, "  | {:indent$}{}", "", "^".repeat(carets))?;
        if let Some(help) = &self.help {
            write!(f, " {help}")?;
        }
        Ok(())
    }
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
