//! Arguments of chisels: their types, and the check of what was given.

use super::Error;
use super::error::nearest;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArgType {
    /// Any text.
    String,
    /// A whole number.
    Int,
    /// A number of milliseconds, whole or with a fraction.
    Milliseconds,
    /// The name of a field.
    Field,
    /// A filter.
    Filter,
    /// An IPv4 address.
    Ipv4,
    /// An IPv4 or IPv6 address.
    Ip,
    /// Names of fields, with commas between them.
    Fields,
}

impl ArgType {
    /// Its name in chisel files.
    pub fn name(self) -> &'static str {
        match self {
            ArgType::String => "string",
            ArgType::Int => "int",
            ArgType::Milliseconds => "milliseconds",
            ArgType::Field => "field",
            ArgType::Filter => "filter",
            ArgType::Ipv4 => "ipv4",
            ArgType::Ip => "ip",
            ArgType::Fields => "fields",
        }
    }

    /// Whether a text is one. Fields and filters are checked where they are used, with better messages.
    fn admits(self, text: &str) -> bool {
        match self {
            ArgType::String => true,
            ArgType::Field | ArgType::Fields | ArgType::Filter => !text.trim().is_empty(),
            ArgType::Int => text.parse::<i64>().is_ok(),
            ArgType::Milliseconds => text.parse::<f64>().is_ok_and(|ms| ms.is_finite() && (0.0..=1e12).contains(&ms)),
            ArgType::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
            ArgType::Ip => text.parse::<std::net::IpAddr>().is_ok(),
        }
    }
}

/// An argument that a chisel takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArgDef {
    /// Its name, used as `$name`.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// What it must be.
    #[serde(rename = "type")]
    pub ty: ArgType,
    /// Whether it may be left out; one with a default may be, too.
    #[serde(default)]
    pub optional: bool,
    /// What it is when left out.
    pub default: Option<String>,
    /// The only texts that it may be, and what each stands for.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

impl ArgDef {
    /// Whether it must be given.
    pub fn required(&self) -> bool {
        !self.optional && self.default.is_none()
    }
}

/// Checked arguments by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Args {
    values: BTreeMap<String, (ArgType, String)>,
    /// Names of those that were given.
    given: Vec<String>,
}

impl Args {
    /// Pairs texts with a chisel's arguments, in order.
    pub fn check(chisel: &str, defs: &[ArgDef], given: &[String]) -> Result<Args, Error> {
        let fail = |message: String, help: String| Error::Argument { chisel: chisel.to_owned(), message, help };
        let usage = || {
            let words: Vec<String> = defs
                .iter()
                .map(|d| if d.required() { d.name.to_uppercase() } else { format!("[{}]", d.name.to_uppercase()) })
                .collect();
            format!("usage: -c {}", [chisel.to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" "))
        };
        if given.len() > defs.len() {
            let noun = if defs.len() == 1 { "argument" } else { "arguments" };
            return Err(fail(format!("expected at most {} {noun}, found {}", defs.len(), given.len()), usage()));
        }
        let mut args = BTreeMap::new();
        for (i, def) in defs.iter().enumerate() {
            let Some(text) = given.get(i).or(def.default.as_ref()) else {
                if def.optional {
                    continue;
                }
                return Err(fail(format!("missing argument `{}` ({})", def.name, def.about), usage()));
            };
            if !def.ty.admits(text) {
                return Err(fail(
                    format!("expected {} as argument `{}`, found `{text}`", def.ty.name(), def.name),
                    usage(),
                ));
            }
            let Some(text) = def.values.get(text).or(def.values.is_empty().then_some(text)) else {
                let known: Vec<&str> = def.values.keys().map(String::as_str).collect();
                let known = known.join(", ");
                let message = format!("expected one of {known} as argument `{}`, found `{text}`", def.name);
                return Err(fail(message, usage()));
            };
            args.insert(def.name.clone(), (def.ty, text.clone()));
        }
        let given = defs.iter().take(given.len()).map(|def| def.name.clone()).collect();
        Ok(Args { values: args, given })
    }

    /// An argument's type and text.
    pub fn get(&self, name: &str) -> Option<(ArgType, &str)> {
        self.values.get(name).map(|(ty, text)| (*ty, text.as_str()))
    }

    /// The text of the argument that `$name` names; any other text is itself.
    pub fn resolve<'a>(&'a self, text: &'a str) -> &'a str {
        text.strip_prefix('$').and_then(|name| self.get(name)).map_or(text, |(_, text)| text)
    }

    /// Whether an argument was given, and is not its default.
    pub fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|given| given == name)
    }

    /// Names, types and texts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ArgType, &str)> {
        self.values.iter().map(|(name, (ty, text))| (name.as_str(), *ty, text.as_str()))
    }

    /// The argument with a name like this one.
    pub(super) fn near(&self, name: &str) -> Option<&str> {
        nearest(name, self.values.keys().map(String::as_str))
    }
}

/// Takes one word of a command line apart, as sysdig does: at blanks, except between `'` or backquotes.
pub fn split(word: &str) -> Vec<String> {
    let (mut words, mut current, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    for c in word.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '`') => (quote, any) = (Some(c), true),
            (None, ' ') => {
                if any || !current.is_empty() {
                    words.push(std::mem::take(&mut current));
                }
                any = false;
            }
            (_, c) => current.push(c),
        }
    }
    if any || !current.is_empty() {
        words.push(current);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn def(name: &str, ty: ArgType, optional: bool, default: Option<&str>) -> ArgDef {
        ArgDef {
            name: name.into(),
            about: "x".into(),
            ty,
            optional,
            default: default.map(Into::into),
            values: BTreeMap::new(),
        }
    }

    #[test]
    fn a_word_is_split_at_blanks_outside_of_quotes() {
        for (word, want) in [
            ("", vec![]),
            ("fd.name", vec!["fd.name"]),
            ("a  b", vec!["a", "b"]),
            ("R '/etc/my file' ''", vec!["R", "/etc/my file", ""]),
            ("`a b`c", vec!["a bc"]),
        ] {
            assert_eq!(split(word), want, "{word}");
        }
    }

    #[test]
    fn arguments_are_checked_by_type_and_number() {
        let defs = [def("key", ArgType::Field, false, None), def("ms", ArgType::Milliseconds, true, Some("10"))];
        let check =
            |given: &[&str]| Args::check("demo", &defs, &given.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(check(&["fd.name"]).unwrap().get("ms"), Some((ArgType::Milliseconds, "10")));
        for (given, want) in [
            (&[][..], "missing argument `key` (x) for chisel `demo`\nhelp: usage: -c demo KEY [MS]"),
            (
                &["a", "soon"],
                "expected milliseconds as argument `ms`, found `soon` for chisel `demo`\nhelp: usage: -c demo KEY [MS]",
            ),
            (
                &["a", "-1"],
                "expected milliseconds as argument `ms`, found `-1` for chisel `demo`\nhelp: usage: -c demo KEY [MS]",
            ),
            (
                &["a", "1", "b"],
                "expected at most 2 arguments, found 3 for chisel `demo`\nhelp: usage: -c demo KEY [MS]",
            ),
        ] {
            assert_eq!(check(given).unwrap_err().to_string(), want);
        }
    }
}
