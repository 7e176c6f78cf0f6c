//! [`Error`]: what is wrong with a chisel, its arguments, or the directories they are looked for in.

use std::ops::Range;
use std::path::PathBuf;

/// What is wrong with a chisel.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A chisel file does not say what a chisel must.
    #[error(transparent)]
    File(Box<Located>),
    /// A chisel's own filter is wrong, at one or more places of its file.
    #[error("{}", several(.0))]
    Places(Vec<Located>),
    /// No chisel has this name.
    #[error("unknown chisel `{name}`\nhelp: {help}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// A similar name, or where to look.
        help: String,
    },
    /// An argument is not of its type, is missing, or is one too many.
    #[error("{message} for chisel `{chisel}`\nhelp: {help}")]
    Argument {
        /// The chisel.
        chisel: String,
        /// What was expected and found.
        message: String,
        /// What to do.
        help: String,
    },
    /// A chisel's filter, or one given to it, is wrong.
    #[error("the filter of chisel `{chisel}` is not valid\n{diagnostics}")]
    Filter {
        /// The chisel.
        chisel: String,
        /// All that is wrong, each with a caret.
        diagnostics: String,
    },
    /// A chisel file cannot be read.
    #[error("cannot read chisel {path}: {source}\nhelp: check that the file exists and is text", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn several(places: &[Located]) -> String {
    places.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: ")
}

/// What is wrong with a chisel file, and where.
#[derive(Debug, thiserror::Error)]
#[error("{message} in chisel {origin}, line {line}\n  | {source_line}\n  | {marks}\nhelp: {help}")]
pub struct Located {
    /// File, or `NAME (built in)`.
    pub origin: String,
    /// Line, from 1.
    pub line: usize,
    /// What was expected and found.
    pub message: String,
    /// The line's text.
    pub source_line: String,
    /// Carets under what is wrong.
    pub marks: String,
    /// What to do.
    pub help: String,
}

impl Error {
    /// An error at a byte range of a chisel's text.
    pub(super) fn at(
        origin: &str,
        text: &str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Error {
        Error::File(Box::new(Located::at(origin, text, span.unwrap_or(0..0), message.into(), help.into())))
    }

    /// An error of the TOML parser, with a near name where a key is unknown.
    pub(super) fn toml(origin: &str, text: &str, error: &toml::de::Error) -> Error {
        let message = error.message().lines().next().unwrap_or_default();
        let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let near = match names.split_first() {
            Some((name, known)) if message.starts_with("unknown") => nearest(name, known.iter().copied()),
            _ => None,
        };
        let message = if message.starts_with("unknown field") {
            format!("unknown key `{}`", names.first().copied().unwrap_or_default())
        } else {
            message.to_owned()
        };
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.len() > 1 => format!("one of: {}", names[1..].join(", ")),
            None => "`sysreel -i fdbytes_by` describes a chisel that works".to_owned(),
        };
        Error::at(origin, text, error.span(), message, help)
    }
}

impl Located {
    /// What is wrong at a byte range of a chisel's text.
    pub(super) fn at(origin: &str, text: &str, span: Range<usize>, message: String, help: String) -> Located {
        let start = floor(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let end = floor(text, span.end).clamp(start, line_end);
        let blanks = text[line_start..start].chars().count();
        let width = text[start..end].chars().count().max(1);
        Located {
            origin: origin.to_owned(),
            line: text[..line_start].matches('\n').count() + 1,
            message,
            source_line: crate::report::escape(&text.as_bytes()[line_start..line_end]).into_owned(),
            marks: format!("{}{}", " ".repeat(blanks), "^".repeat(width)),
            help,
        }
    }
}

/// The largest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

/// The known name closest to `name`, if one is close.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|k| (strsim::damerau_levenshtein(name, k), k))
        .filter(|(distance, k)| *distance <= 1 + k.len() / 4)
        .min()
        .map(|(_, k)| k)
}
