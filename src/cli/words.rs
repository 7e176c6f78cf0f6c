//! Where in a command line a word stands, for completion: behind an option, in a filter, in a format.

use super::args;
use crate::chisel::{ArgType, Library};
use crate::field;
use crate::filter::OPERATORS;
use crate::value::{TRANSFORMERS, Type};

/// What a place takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A file, or something that cannot be listed.
    Nothing,
    Options,
    Chisels,
    /// Classes of fields.
    Classes,
    /// Categories of events.
    Categories,
    /// Some words, with what each is.
    Words(&'static [(&'static str, &'static str)]),
    Format,
    /// A field and nothing else.
    Fields,
    /// The first word of all: a filter or a subcommand.
    Start,
    /// Where a condition begins.
    Field,
    Operators(Option<Type>),
    /// Values of a field.
    Values(String),
    Connectives,
}

/// A place: what it takes, what of the word stands before it, and what is there already.
pub(super) struct Place {
    pub(super) wanted: Wanted,
    pub(super) prefix: String,
    pub(super) token: String,
}

const TIMES: &[(&str, &str)] = &[
    ("h", "time of day"),
    ("a", "seconds since 1970"),
    ("r", "seconds since the start"),
    ("d", "how long the call took"),
    ("D", "seconds since the line before"),
    ("u", "UTC, ISO 8601"),
];
const COLOURS: &[(&str, &str)] = &[("auto", "on a terminal"), ("always", ""), ("never", "")];
const SHELLS: &[(&str, &str)] = &[("bash", ""), ("zsh", ""), ("fish", "")];
/// What `help` knows.
pub(super) const TOPICS: &[(&str, &str)] = &[
    ("all", "every option"),
    ("filter", "the language of filters"),
    ("format", "the language of -p"),
    ("time", "moments and forms of time"),
    ("fields", "what can be asked of an event"),
    ("events", "what can happen"),
    ("chisels", "analyses that are there"),
];

/// The place of `current` behind other words, the program's name left out.
pub(super) fn place(current: &str, before: &[String], library: &Library) -> Place {
    let whole = |wanted| Place { wanted, prefix: String::new(), token: current.to_owned() };
    if before.iter().any(|word| word == "--") {
        return whole(Wanted::Nothing);
    }
    let (words, pending) = split(before);
    if let Some(id) = pending {
        return match id.as_str() {
            "chisel" | "info" => whole(Wanted::Chisels),
            "list" => whole(Wanted::Classes),
            "list_events" => whole(Wanted::Categories),
            "time" => whole(Wanted::Words(TIMES)),
            "color" => whole(Wanted::Words(COLOURS)),
            "print" => format(current),
            _ => whole(Wanted::Nothing),
        };
    }
    if current.starts_with('-') {
        return whole(Wanted::Options);
    }
    let is_alone = before.len() == words.len();
    match words.first().map(|word| word.text.as_str()) {
        None if before.is_empty() && current.is_empty() => return whole(Wanted::Nothing),
        Some("completions") if is_alone => return whole(Wanted::Words(SHELLS)),
        Some("help") if is_alone => return whole(Wanted::Words(TOPICS)),
        Some("info" | "verify" | "diff" | "chisel") if is_alone => return whole(Wanted::Nothing),
        _ => {}
    }
    if let Some(wanted) = argument(before, library) {
        return whole(wanted);
    }
    let text: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let mut place = condition(&text.join(" "), current);
    if is_alone && words.is_empty() && place.prefix.is_empty() && place.wanted == Wanted::Field {
        place.wanted = Wanted::Start;
    }
    place
}

/// A word of a filter.
struct Word {
    text: String,
}

/// The words that are no options and no values of options, and the option that waits for its value.
fn split(before: &[String]) -> (Vec<Word>, Option<String>) {
    let command = args::command();
    let takes = |name: &dyn Fn(&clap::Arg) -> bool| {
        let arg = command.get_arguments().find(|arg| !arg.is_positional() && name(arg))?;
        arg.get_action().takes_values().then(|| arg.get_id().to_string())
    };
    let (mut words, mut pending) = (Vec::new(), None);
    for word in before {
        if pending.take().is_some() {
            continue;
        }
        if let Some(long) = word.strip_prefix("--") {
            pending = takes(&|arg| arg.get_long() == Some(long));
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            // Of several letters the first with a value takes the rest; it waits only if nothing is left.
            let mut rest = letters.chars();
            while let Some(letter) = rest.next() {
                if let Some(id) = takes(&|arg| arg.get_short() == Some(letter)) {
                    pending = rest.as_str().is_empty().then_some(id);
                    break;
                }
            }
        } else {
            words.push(Word { text: word.clone() });
        }
    }
    (words, pending)
}

/// What the argument of the chisel right before the word may be.
fn argument(before: &[String], library: &Library) -> Option<Wanted> {
    let [.., option, name] = before else { return None };
    let is_chisel = option == "-c" || option == "--chisel";
    let chisel = library.find(name).ok().filter(|_| is_chisel)?;
    chisel.args.first().map(|arg| of_argument(arg.ty))
}

/// What a chisel's argument may be.
fn of_argument(ty: ArgType) -> Wanted {
    match ty {
        ArgType::Field | ArgType::Fields => Wanted::Fields,
        ArgType::Filter => Wanted::Field,
        _ => Wanted::Nothing,
    }
}

/// In `-p`: what stands behind the last `%`.
fn format(current: &str) -> Place {
    let current = current.strip_prefix(['\'', '"']).unwrap_or(current);
    let Some(at) = current.rfind('%') else {
        let wanted =
            Wanted::Words(&[("c", "with containers"), ("k", "with pods"), ("p", "show the default"), ("%", "a field")]);
        return Place { wanted, prefix: String::new(), token: current.to_owned() };
    };
    let digits = current[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
    let inside = current[at..].rfind(['(', ',', ' ']).map_or(0, |in_call| in_call + at + 1);
    let start = inside.max(at + 1 + digits);
    Place { wanted: Wanted::Format, prefix: current[..start].to_owned(), token: current[start..].to_owned() }
}

/// In a filter: `before` are its words so far, `current` the word, which may hold many in quotes.
fn condition(before: &str, current: &str) -> Place {
    let current = current.strip_prefix(['\'', '"']).unwrap_or(current);
    let at = current.rfind([' ', '(', ',', '=', '<', '>', '!', '"', '\'']).map_or(0, |at| at + 1);
    let (prefix, token) = (current[..at].to_owned(), current[at..].to_owned());
    let wanted = after(&format!("{before} {prefix}"));
    Place { wanted, prefix, token }
}

/// What may follow a piece of a filter.
fn after(text: &str) -> Wanted {
    let mut wanted = Wanted::Field;
    let mut field = String::new();
    let (mut in_list, mut in_call) = (false, false);
    for token in tokens(text) {
        wanted = match (&wanted, token.as_str()) {
            (Wanted::Values(_), "(") => {
                in_list = true;
                Wanted::Values(field.clone())
            }
            (_, ",") if in_list => Wanted::Values(field.clone()),
            (_, ")") if in_call => {
                in_call = false;
                Wanted::Operators(None)
            }
            (_, ")") => {
                in_list = false;
                Wanted::Connectives
            }
            (_, "and" | "or" | "not" | "(") => Wanted::Field,
            (Wanted::Field, name) if TRANSFORMERS.iter().any(|t| t.name == name) => {
                in_call = true;
                Wanted::Field
            }
            (Wanted::Field, name) => {
                name.clone_into(&mut field);
                Wanted::Operators(field::lookup(name).ok().map(|field| field.ty))
            }
            (Wanted::Operators(_), "exists") => Wanted::Connectives,
            (Wanted::Operators(_), operator) if OPERATORS.iter().any(|o| o.name == operator) => {
                Wanted::Values(field.clone())
            }
            (Wanted::Values(_), _) if in_list => Wanted::Nothing,
            (Wanted::Values(_), _) => Wanted::Connectives,
            (other, _) => other.clone(),
        };
    }
    wanted
}

/// Words, operators, parentheses and commas; texts in quotes are one each.
fn tokens(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' | ',' => 1,
            '=' | '<' | '>' | '!' => rest.bytes().take_while(|b| b"=<>!".contains(b)).count(),
            '"' | '\'' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ => rest.find([' ', '\t', '(', ')', ',', '=', '<', '>', '!', '"', '\'']).unwrap_or(rest.len()),
        };
        let length = length.max(first.len_utf8());
        all.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    all
}
