//! [`Diagnostics`]: everything that is wrong with a filter, each with a caret under the place.

use crate::value::Excerpt;
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

impl Diagnostic {
    /// The same as a warning about a filter's text.
    pub fn as_warning<'d>(&'d self, source: &'d str) -> impl Display + 'd {
        Warning { about: self, source }
    }

    fn render(&self, what: &str, source: &str, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{what}: {}", self.message)?;
        Excerpt { source, span: self.span.clone(), help: self.help.as_deref() }.fmt(f)
    }
}
