//! All fields, and finding them by what somebody wrote.

use super::{ArgRule, Field, FieldArg, FieldRef, amounts, container, evt, fd, fspath, lineage, proc, user};
use crate::event::{ParamType, SPECS};
use crate::value::Type;

/// Why a text names no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No field has this name.
    #[error("unknown field `{name}`")]
    Unknown {
        /// What was written.
        name: String,
        /// The field with the most similar name.
        suggestion: Option<String>,
    },
    /// The field exists, its argument does not fit.
    #[error("field `{name}`: expected {expected}, found {found}")]
    Argument {
        /// The field.
        name: &'static str,
        /// What may follow it.
        expected: &'static str,
        /// What follows it.
        found: String,
        /// A complete use of the field.
        suggestion: Option<String>,
    },
}

impl Error {
    /// What the writer probably meant.
    pub fn suggestion(&self) -> Option<&str> {
        match self {
            Error::Unknown { suggestion, .. } | Error::Argument { suggestion, .. } => suggestion.as_deref(),
        }
    }
}

/// Every field, class by class, in the order of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Field> {
    let classes = [evt::FIELDS, amounts::FIELDS, proc::FIELDS, lineage::FIELDS, fd::FIELDS, fspath::FIELDS];
    classes.into_iter().chain([user::FIELDS, container::FIELDS]).flatten()
}

/// The field that all of `text` names.
pub fn lookup(text: &str) -> Result<FieldRef, Error> {
    match lookup_prefix(text) {
        Some((field, used)) if used == text.len() => Ok(field),
        _ => Err(explain(text)),
    }
}

/// The field with the longest name that `text` starts with, and how many bytes name it and its argument.
pub fn lookup_prefix(text: &str) -> Option<(FieldRef, usize)> {
    all()
        .filter(|f| text.starts_with(f.name))
        .filter_map(|field| {
            let (arg, used) = argument(field, &text[field.name.len()..])?;
            let ty = type_of(field, &arg);
            Some((FieldRef { field, arg, ty }, field.name.len() + used))
        })
        .max_by_key(|(_, used)| *used)
}

/// The argument that `rest` starts with and its length; `None` if the field needs one and there is none.
fn argument(field: &Field, rest: &str) -> Option<(FieldArg, usize)> {
    let bracketed = || {
        let inner = rest.strip_prefix('[')?;
        let end = inner.find(']')?;
        Some((inner[..end].trim_matches(['"', '\'']), end + 2))
    };
    let number = |text: &str| text.parse().ok().map(FieldArg::Index);
    match field.arg {
        ArgRule::No => Some((FieldArg::None, 0)),
        ArgRule::OptionalIndex => {
            Some(bracketed().and_then(|(text, used)| Some((number(text)?, used))).unwrap_or((FieldArg::None, 0)))
        }
        ArgRule::OptionalName => Some(
            bracketed()
                .filter(|(text, _)| !text.is_empty())
                .map_or((FieldArg::None, 0), |(text, used)| (FieldArg::Name(text.to_owned()), used)),
        ),
        ArgRule::Required => {
            if let Some((text, used)) = bracketed() {
                return Some((number(text)?, used));
            }
            let name = rest.strip_prefix('.')?;
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
            (end > 0).then(|| (FieldArg::Name(name[..end].to_owned()), end + 1))
        }
    }
}

/// `evt.rawarg.x` has the type of the parameters of that name; the first kind that has one decides.
fn type_of(field: &Field, arg: &FieldArg) -> Type {
    let FieldArg::Name(name) = arg else { return field.ty };
    if field.name != "evt.rawarg" {
        return field.ty;
    }
    let param = SPECS.iter().flat_map(|s| s.params).find(|p| p.name == name.as_str() && p.ty != ParamType::OptionValue);
    match param.map(|p| p.ty) {
        Some(ParamType::Text | ParamType::TextList) => Type::Text,
        Some(ParamType::Path | ParamType::RelPath) => Type::Path,
        Some(
            ParamType::Bytes
            | ParamType::SockAddr
            | ParamType::Tuple
            | ParamType::FdList
            | ParamType::FileList
            | ParamType::FdSet
            | ParamType::OptionValue,
        ) => Type::Bytes,
        _ => Type::Int,
    }
}

fn explain(text: &str) -> Error {
    let name_end = text.find('[').unwrap_or(text.len());
    let known = all().filter(|f| text[..name_end].starts_with(f.name)).max_by_key(|f| f.name.len());
    if let Some(field) = known {
        let rest = &text[field.name.len()..];
        let expected = match field.arg {
            ArgRule::No => "no argument",
            ArgRule::OptionalIndex => "nothing or a number in brackets",
            ArgRule::OptionalName => "nothing or a name in brackets",
            ArgRule::Required => "a name after a dot or a number in brackets",
        };
        if rest.is_empty() || rest.starts_with('[') || (rest.starts_with('.') && field.arg == ArgRule::Required) {
            let found = if rest.is_empty() { "none".to_owned() } else { format!("`{rest}`") };
            let suggestion = (field.arg == ArgRule::No).then(|| field.name.to_owned());
            return Error::Argument { name: field.name, expected, found, suggestion };
        }
    }
    Error::Unknown { name: text.to_owned(), suggestion: nearest(&text[..name_end]) }
}

/// The field whose name is most like `name`, if any is like it.
fn nearest(name: &str) -> Option<String> {
    let scored = all().map(|f| (strsim::damerau_levenshtein(name, f.name), f.name));
    // Of those at the same distance, one that was only not finished.
    let (distance, best) = scored.min_by_key(|(distance, f)| (*distance, !f.starts_with(name)))?;
    (distance <= 1 + name.len() / 4).then(|| best.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_wins() {
        for (text, field, used) in [
            ("evt.time", "evt.time", 8),
            ("evt.time.s", "evt.time.s", 10),
            ("proc.names", "proc.name", 9),
            ("proc.aname[2] x", "proc.aname[2]", 13),
            ("proc.env[HOME]", "proc.env[HOME]", 14),
            ("evt.arg.fd,", "evt.arg.fd", 10),
            ("evt.arg[0]", "evt.arg[0]", 10),
            ("evt.args", "evt.args", 8),
        ] {
            let (found, n) = lookup_prefix(text).unwrap();
            assert_eq!((found.to_string().as_str(), n), (field, used), "{text}");
        }
    }

    #[test]
    fn what_names_no_field_is_told_what_was_probably_meant() {
        for (text, message, suggestion) in [
            ("proc.nam", "unknown field `proc.nam`", Some("proc.name")),
            ("proc.names", "unknown field `proc.names`", Some("proc.name")),
            ("fd.nam", "unknown field `fd.nam`", Some("fd.name")),
            ("zzz.qqqqqqqqq", "unknown field `zzz.qqqqqqqqq`", None),
            ("evt.arg", "field `evt.arg`: expected a name after a dot or a number in brackets, found none", None),
            ("proc.name[1]", "field `proc.name`: expected no argument, found `[1]`", Some("proc.name")),
            ("proc.aname[x]", "field `proc.aname`: expected nothing or a number in brackets, found `[x]`", None),
        ] {
            let error = lookup(text).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(error.suggestion(), suggestion, "{text}");
        }
    }

    #[test]
    fn every_field_has_one_entry_with_a_sentence_and_an_example_that_names_it() {
        let mut names: Vec<_> = all().map(|f| f.name).collect();
        for field in all() {
            assert!(field.doc.ends_with('.'), "{}", field.name);
            assert!(field.example.contains(field.name), "{}", field.name);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
