//! All fields, and finding them by what somebody wrote.

use super::absent::{absent_field, absent_fields};
use super::alias::{ALIASES, Alias};
use super::{
    ArgRule, Field, FieldArg, FieldRef, about, amounts, audit, carried, container, engine, evt, fd, fspath, joined,
    lineage, place, pod, proc, rights, service, syslog, user,
};
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
    /// sysdig or Falco has this field, and no reel can answer it.
    #[error("field `{name}`: {reason}")]
    Absent {
        /// What was written.
        name: String,
        /// Why.
        reason: &'static str,
        /// A field that says something of the kind.
        instead: Option<String>,
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
            Error::Absent { instead, .. } => instead.as_deref(),
        }
    }

    /// What to do about it, as a sentence.
    pub fn help(&self) -> String {
        match (self, self.suggestion()) {
            (Error::Absent { .. }, Some(name)) => format!("`{name}` says something of the kind"),
            (_, Some(name)) => format!("did you mean `{name}`?"),
            _ => "`sysreel -l` lists all fields".to_owned(),
        }
    }
}

/// Every field, class by class, in the order of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Field> {
    let classes =
        [evt::FIELDS, amounts::FIELDS, about::FIELDS, proc::FIELDS, lineage::FIELDS, fd::FIELDS, fspath::FIELDS];
    let audit = [audit::EVENT_FIELDS, audit::OBJECT_FIELDS, audit::BODY_FIELDS];
    classes
        .into_iter()
        .chain([
            user::FIELDS,
            container::FIELDS,
            engine::FIELDS,
            rights::FIELDS,
            carried::FIELDS,
            joined::FIELDS,
            pod::FIELDS,
            syslog::FIELDS,
            service::FIELDS,
            place::FIELDS,
        ])
        .chain(audit)
        .flatten()
}

/// The field that all of `text` names.
pub fn lookup(text: &str) -> Result<FieldRef, Error> {
    match lookup_prefix(text) {
        Some((field, used)) if used == text.len() => Ok(field),
        _ => Err(explain(text)),
    }
}

/// The field with the longest name that `text` starts with, and how many bytes name it and its argument. None where it
/// starts with the longer name of a field that no reel can answer.
pub fn lookup_prefix(text: &str) -> Option<(FieldRef, usize)> {
    let named = all().map(|field| (field.name, field, None));
    let called = ALIASES.iter().filter_map(|alias| Some((alias.name, own(alias)?, Some(alias))));
    let (found, used) = named
        .chain(called)
        .filter(|(name, ..)| text.starts_with(name))
        .filter_map(|(name, field, alias)| {
            let (arg, used) = argument(field, &text[name.len()..])?;
            let ty = type_of(field, &arg);
            Some((FieldRef { field, arg, ty, alias }, name.len() + used))
        })
        .max_by_key(|(_, used)| *used)?;
    let is_absent = |name: &str| !name.ends_with('.') && name.len() > used && text.starts_with(name);
    (!absent_fields().any(|absent| is_absent(absent.name))).then_some((found, used))
}

/// The field that another name stands for.
pub(super) fn own(alias: &Alias) -> Option<&'static Field> {
    all().find(|field| field.name == alias.field)
}

/// The argument that `rest` starts with and its length; `None` if the field needs one and there is none.
fn argument(field: &Field, rest: &str) -> Option<(FieldArg, usize)> {
    let bracketed = || {
        let inner = rest.strip_prefix('[')?;
        let end = inner.find(']')?;
        Some((inner[..end].trim_matches(['"', '\'']), end + 2))
    };
    let number = |text: &str| text.parse().ok().map(FieldArg::Index);
    let name = |text: &str| (!text.is_empty()).then(|| FieldArg::Name(text.to_owned()));
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
        ArgRule::Key => {
            if let Some((text, used)) = bracketed() {
                return Some((name(text)?, used));
            }
            let key = rest.strip_prefix('.')?;
            let end = key.find(|c: char| !c.is_ascii_alphanumeric() && !"_-./".contains(c)).unwrap_or(key.len());
            Some((name(&key[..end])?, end + 1))
        }
        ArgRule::Item => bracketed().and_then(|(text, used)| Some((number(text).or_else(|| name(text))?, used))),
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
        Some(ParamType::Text | ParamType::TextList | ParamType::Json) => Type::Text,
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
    if let Some(absent) = absent_field(text) {
        let instead = Some(absent.instead.to_owned()).filter(|name| !name.is_empty());
        return Error::Absent { name: text[..name_end].to_owned(), reason: absent.reason, instead };
    }
    let known = all().filter(|f| text[..name_end].starts_with(f.name)).max_by_key(|f| f.name.len());
    if let Some(field) = known {
        let rest = &text[field.name.len()..];
        let expected = match field.arg {
            ArgRule::No => "no argument",
            ArgRule::OptionalIndex => "nothing or a number in brackets",
            ArgRule::OptionalName => "nothing or a name in brackets",
            ArgRule::Required => "a name after a dot or a number in brackets",
            ArgRule::Key => "a name in brackets or after a dot",
            ArgRule::Item => "a number or a name in brackets",
        };
        let is_dotted = matches!(field.arg, ArgRule::Required | ArgRule::Key);
        if rest.is_empty() || rest.starts_with('[') || (rest.starts_with('.') && is_dotted) {
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
