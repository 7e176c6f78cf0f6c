//! [`Pattern`]: what `glob`, `iglob` and `regex` compare a text with; [`PathPrefix`]: what `pmatch` does.

use regex::bytes::{Regex, RegexBuilder};
use std::cmp::Ordering;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

/// The most memory that one compiled pattern may take, bytes.
const MAX_COMPILED: usize = 1 << 20;

/// A compiled pattern; equal to another if it was written alike.
#[derive(Debug, Clone)]
pub struct Pattern {
    written: Vec<u8>,
    compiled: Regex,
}

impl Pattern {
    /// A shell pattern as `fnmatch(3)` reads it without flags: `*` and `?` also stand for `/`, `[…]` for one of a set.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn glob(written: &[u8], ignores_case: bool) -> Result<Pattern, String> {
        let flags = if ignores_case { "(?is-u)" } else { "(?s-u)" };
        Pattern::compile(written, &format!("{flags}\\A{}\\z", translated(written)))
    }

    /// A regular expression that must match the whole text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn regex(written: &[u8]) -> Result<Pattern, String> {
        let text = std::str::from_utf8(written).map_err(|_| "it is not UTF-8".to_owned())?;
        // Alone first, so that a parenthesis too many is told as such.
        Pattern::compile(written, text)?;
        Pattern::compile(written, &format!("\\A(?:{text})\\z"))
    }

    fn compile(written: &[u8], text: &str) -> Result<Pattern, String> {
        let compiled = RegexBuilder::new(text).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build();
        let compiled = compiled.map_err(|error| match error {
            // The message quotes the whole pattern; its last line says what is wrong.
            regex::Error::Syntax(told) => told.lines().last().unwrap_or_default().replace("error: ", ""),
            _ => format!("it needs more than {MAX_COMPILED} bytes compiled"),
        })?;
        Ok(Pattern { written: written.to_vec(), compiled })
    }

    /// Whether a text is what the pattern says. Text that is no UTF-8 is compared with its wrong bytes replaced.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        if self.compiled.as_str().starts_with("(?") || std::str::from_utf8(text).is_ok() {
            return self.compiled.is_match(text);
        }
        self.compiled.is_match(String::from_utf8_lossy(text).as_bytes())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.compiled.as_str() == other.compiled.as_str()
    }
}

impl Eq for Pattern {}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compiled.as_str().cmp(other.compiled.as_str())
    }
}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.written.hash(state);
    }
}

/// One byte that stands for itself.
fn byte(out: &mut String, b: u8) {
    let _ = write!(out, "\\x{b:02x}");
}

fn translated(glob: &[u8]) -> String {
    let mut out = String::with_capacity(4 * glob.len());
    let mut at = 0;
    while let Some(&b) = glob.get(at) {
        at += 1;
        match b {
            b'*' => out += ".*",
            b'?' => out += ".",
            b'\\' if at < glob.len() => {
                byte(&mut out, glob[at]);
                at += 1;
            }
            b'[' => match set(&glob[at..]) {
                Some((class, length)) => {
                    out += &class;
                    at += length;
                }
                None => byte(&mut out, b),
            },
            b => byte(&mut out, b),
        }
    }
    out
}

/// The class of `…]` behind a `[`, and its length; `None`: it is never closed, and the bracket stands for itself.
fn set(text: &[u8]) -> Option<(String, usize)> {
    let negated = matches!(text.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    let mut at = start;
    let mut class = String::new();
    loop {
        let b = *text.get(at)?;
        if b == b']' && at > start {
            break;
        }
        if let Some((name, length)) = named(&text[at..]) {
            class += name;
            at += length;
            continue;
        }
        let (from, length) = one(&text[at..])?;
        at += length;
        let is_range = text.get(at) == Some(&b'-') && text.get(at + 1).is_some_and(|&b| b != b']');
        let mut to = from;
        if is_range {
            let (end, length) = one(&text[at + 1..])?;
            to = end;
            at += 1 + length;
        }
        if from <= to {
            byte(&mut class, from);
            class.push('-');
            byte(&mut class, to);
        }
    }
    let class = match (class.is_empty(), negated) {
        (true, true) => ".".to_owned(),
        // Nothing is in it: no byte at all is outside of all of them.
        (true, false) => "[^\\x00-\\xff]".to_owned(),
        (false, true) => format!("[^{class}]"),
        (false, false) => format!("[{class}]"),
    };
    Some((class, at + 1))
}

fn one(text: &[u8]) -> Option<(u8, usize)> {
    match *text.first()? {
        b'\\' => Some((*text.get(1)?, 2)),
        b => Some((b, 1)),
    }
}

/// `[:alpha:]` and its kin.
fn named(text: &[u8]) -> Option<(&'static str, usize)> {
    const NAMES: &[&str] = &[
        "[:alnum:]",
        "[:alpha:]",
        "[:blank:]",
        "[:cntrl:]",
        "[:digit:]",
        "[:graph:]",
        "[:lower:]",
        "[:print:]",
        "[:punct:]",
        "[:space:]",
        "[:upper:]",
        "[:xdigit:]",
    ];
    NAMES.iter().find(|name| text.starts_with(name.as_bytes())).map(|name| (*name, name.len()))
}

/// A path of which others may be below; its components may be shell patterns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPrefix {
    components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Component {
    Plain(Vec<u8>),
    Glob(Pattern),
}

/// Names between slashes; those of an absolute path begin with an empty one.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&b| b == b'/').enumerate().filter(|(n, name)| *n == 0 || !name.is_empty()).map(|(_, name)| name)
}

impl PathPrefix {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with one of its patterns, in words.
    pub(super) fn parse(written: &[u8]) -> Result<PathPrefix, String> {
        let one = |name: &[u8]| {
            let is_glob = name.iter().any(|b| b"*?[\\".contains(b));
            if is_glob { Pattern::glob(name, false).map(Component::Glob) } else { Ok(Component::Plain(name.to_vec())) }
        };
        Ok(PathPrefix { components: components(written).map(one).collect::<Result<_, _>>()? })
    }

    /// Whether a path is this one or below it.
    pub(super) fn holds(&self, path: &[u8]) -> bool {
        let mut names = components(path);
        self.components.iter().all(|component| {
            names.next().is_some_and(|name| match component {
                Component::Plain(plain) => plain == name,
                Component::Glob(glob) => glob.matches(name),
            })
        })
    }
}

/// The operator for a text with anything before it, behind it, or neither.
fn affix(before: bool, behind: bool) -> &'static str {
    match (before, behind) {
        (false, false) => "=",
        (false, true) => "startswith",
        (true, false) => "endswith",
        (true, true) => "contains",
    }
}

/// A cheaper operator that says the same as a regular expression, and its constant.
pub(super) fn cheaper(regex: &str) -> Option<(&'static str, &str)> {
    let (rest, opens) = regex.strip_prefix(".*").map_or((regex, false), |rest| (rest, true));
    let (text, ends) = rest.strip_suffix(".*").map_or((rest, false), |rest| (rest, true));
    let is_plain = !text.is_empty() && !text.contains(|c: char| "\\.+*?()|[]{}^$".contains(c));
    is_plain.then_some((affix(opens, ends), text))
}

/// The same of a shell pattern.
pub(super) fn cheaper_than_glob(glob: &str) -> Option<(&'static str, &str)> {
    let (rest, opens) = glob.strip_prefix('*').map_or((glob, false), |rest| (rest, true));
    let (text, ends) = rest.strip_suffix('*').map_or((rest, false), |rest| (rest, true));
    let is_plain = !text.is_empty() && !text.contains(|c: char| "*?[]\\".contains(c));
    is_plain.then_some((affix(opens, ends), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_those_of_the_shell_but_for_slashes() {
        for (glob, text, want) in [
            ("/etc/*", "/etc/ssl/openssl.cnf", true),
            ("*.cnf", "/etc/ssl/openssl.cnf", true),
            ("/etc/?", "/etc/ab", false),
            ("a?c", "a\nc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]a]", "]", true),
            ("[[:digit:]_]", "7", true),
            ("[[:digit:]_]", "x", false),
            ("[z-a]", "m", false),
            ("[!z-a]", "m", true),
            ("[abc", "[abc", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("a.c", "abc", false),
            ("", "", true),
            ("x\\", "x\\", true),
            ("é?", "é\u{7f}", true),
        ] {
            let pattern = Pattern::glob(glob.as_bytes(), false).unwrap();
            assert_eq!(pattern.matches(text.as_bytes()), want, "{glob} {text}");
        }
        let any_case = Pattern::glob(b"/ETC/[a-b]*", true).unwrap();
        assert!(any_case.matches(b"/etc/Bash\xff"));
        assert!(!any_case.matches(b"/etc/cash"));
    }

    #[test]
    fn regular_expressions_match_the_whole_text() {
        let matches = |regex: &str, text: &[u8]| Pattern::regex(regex.as_bytes()).unwrap().matches(text);
        assert!(matches("ba|bash", b"bash"));
        assert!(!matches("bas", b"bash"));
        assert!(matches("ba[a-z]+", b"bash"));
        assert!(matches("x.y", b"x\xffy"), "a wrong byte is one character");
        assert!(matches("(?i)BASH", b"bash"));
        for wrong in ["(", ")", "a{2,1}", "[b-a]", "*"] {
            let told = Pattern::regex(wrong.as_bytes()).unwrap_err();
            assert!(!told.is_empty() && !told.contains('\n'), "{wrong}: {told}");
        }
        assert!(Pattern::regex(b"(a{1000}){1000}").unwrap_err().contains("bytes"));
        assert!(Pattern::regex(b"\xff").is_err());
    }

    #[test]
    fn a_path_holds_itself_and_what_is_below() {
        for (prefix, path, want) in [
            ("/etc", "/etc", true),
            ("/etc", "/etc/passwd", true),
            ("/etc", "/etcetera", false),
            ("/etc/", "/etc", true),
            ("/", "/anything", true),
            ("/", "relative", false),
            ("/home/*/.ssh", "/home/ann/.ssh/id_rsa", true),
            ("/home/*/.ssh", "/home/ann/docs/.ssh", false),
            ("/usr/lib*", "/usr/lib64/x", true),
            ("etc", "/etc", false),
            ("a/b", "a/b/c", true),
        ] {
            let prefix_read = PathPrefix::parse(prefix.as_bytes()).unwrap();
            assert_eq!(prefix_read.holds(path.as_bytes()), want, "{prefix} {path}");
        }
    }

    #[test]
    fn cheaper_operators_are_found() {
        let cases = [
            ("bash", Some(("=", "bash"))),
            (".*bash.*", Some(("contains", "bash"))),
            ("/etc/.*", Some(("startswith", "/etc/"))),
            (".*sh", Some(("endswith", "sh"))),
            ("a.c", None),
            (".*", None),
            ("a|b", None),
        ];
        for (regex, want) in cases {
            assert_eq!(cheaper(regex), want, "{regex}");
        }
    }
}
