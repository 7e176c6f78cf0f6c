//! THE operator table: one entry per filter operator.

use super::Literal;
use super::literal::Reads;
use crate::value::{Type, Value};
use std::cmp::Ordering;

/// What stands to the right of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operands {
    /// Nothing.
    None,
    /// One constant.
    One,
    /// A list in parentheses.
    List,
}

/// How a value that is several (either end, any ancestor) is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Several {
    /// One that passes is enough.
    Any,
    /// All must pass, for pairs of ends; one is enough for lists.
    BothEnds,
}

/// One operator.
pub struct Operator {
    /// How it is written.
    pub name: &'static str,
    /// What stands to its right.
    pub operands: Operands,
    /// What it says, in a sentence.
    pub doc: &'static str,
    allows: fn(Type) -> bool,
    /// How its constants are read.
    pub(super) reads: Reads,
    pub(super) several: Several,
    /// Tests a single value against constants in ascending order.
    pub(super) test: fn(&Value<'_>, &[Literal]) -> bool,
}

impl Operator {
    /// Whether fields of a type can be compared with it.
    pub fn allows(&self, ty: Type) -> bool {
        (self.allows)(ty)
    }

    /// Whether it works on lists that a transformer made.
    pub(super) fn takes_lists(&self) -> bool {
        matches!(self.name, "in" | "intersects" | "exists")
    }

    /// Whether it is made of letters, and so needs a blank behind it.
    pub(super) fn is_word(&self) -> bool {
        self.name.as_bytes()[0].is_ascii_alphabetic()
    }
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Operator {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Operator {}

fn any_type(_: Type) -> bool {
    true
}

fn ordered(ty: Type) -> bool {
    !matches!(ty, Type::Bool | Type::Ip | Type::Net)
}

fn textual(ty: Type) -> bool {
    matches!(ty, Type::Text | Type::Path | Type::Bytes)
}

fn equal(value: &Value<'_>, to: &[Literal]) -> bool {
    to.iter().any(|l| l.equals(value))
}

fn compare(value: &Value<'_>, to: &[Literal], pass: fn(Ordering) -> bool) -> bool {
    to.iter().any(|l| l.order(value).is_some_and(pass))
}

/// Membership by binary search, except for networks, which overlap.
fn is_in(value: &Value<'_>, list: &[Literal]) -> bool {
    match (value, list.first()) {
        (Value::Text(text), Some(Literal::Text(_))) => list.binary_search_by(|l| l.text().cmp(text)).is_ok(),
        (Value::Int(n), Some(Literal::Number(_))) => list.binary_search(&Literal::Number(i128::from(*n))).is_ok(),
        (Value::Uint(n), Some(Literal::Number(_))) => list.binary_search(&Literal::Number(i128::from(*n))).is_ok(),
        _ => equal(value, list),
    }
}

fn text_test(value: &Value<'_>, to: &[Literal], test: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    if let Value::Text(text) = value { to.iter().any(|l| test(text, l.text())) } else { false }
}

/// Whether a text is what one of the patterns says.
fn is_like(value: &Value<'_>, to: &[Literal]) -> bool {
    if let Value::Text(text) = value { to.iter().any(|pattern| pattern.is_like(text)) } else { false }
}

/// ASCII letters of both cases are the same.
fn contains_ignoring_case(text: &[u8], part: &[u8]) -> bool {
    super::data::find_any_case(text, part, super::data::rarest(part)).is_some()
}

const fn entry(
    name: &'static str,
    operands: Operands,
    allows: fn(Type) -> bool,
    test: fn(&Value<'_>, &[Literal]) -> bool,
    doc: &'static str,
) -> Operator {
    Operator { name, operands, doc, allows, reads: Reads::Typed, several: Several::Any, test }
}

/// An operator on texts whose constants are read in a way of their own.
const fn on_text(
    name: &'static str,
    reads: Reads,
    test: fn(&Value<'_>, &[Literal]) -> bool,
    doc: &'static str,
) -> Operator {
    Operator { reads, ..entry(name, Operands::One, textual, test, doc) }
}

/// All operators; of two that start alike, the longer one stands first.
pub static OPERATORS: &[Operator] = &[
    entry("==", Operands::One, any_type, equal, "The same as `=`."),
    Operator {
        several: Several::BothEnds,
        ..entry("!=", Operands::One, any_type, |v, to| !equal(v, to), "The values differ; missing values never do.")
    },
    entry("<=", Operands::One, ordered, |v, to| compare(v, to, Ordering::is_le), "At most; texts by their bytes."),
    entry(">=", Operands::One, ordered, |v, to| compare(v, to, Ordering::is_ge), "At least; texts by their bytes."),
    entry("=", Operands::One, any_type, equal, "The values are equal; networks hold the address."),
    entry("<", Operands::One, ordered, |v, to| compare(v, to, Ordering::is_lt), "Less; texts by their bytes."),
    entry(">", Operands::One, ordered, |v, to| compare(v, to, Ordering::is_gt), "More; texts by their bytes."),
    entry("exists", Operands::None, any_type, |_, _| true, "The event has such a value."),
    entry(
        "contains",
        Operands::One,
        textual,
        |v, to| text_test(v, to, |text, part| memchr::memmem::find(text, part).is_some()),
        "The text has this part.",
    ),
    entry(
        "icontains",
        Operands::One,
        textual,
        |v, to| text_test(v, to, contains_ignoring_case),
        "The text has this part; upper and lower case (ASCII) are the same.",
    ),
    entry(
        "startswith",
        Operands::One,
        textual,
        |v, to| text_test(v, to, <[u8]>::starts_with),
        "The text starts with this.",
    ),
    entry("endswith", Operands::One, textual, |v, to| text_test(v, to, <[u8]>::ends_with), "The text ends with this."),
    entry("in", Operands::List, any_type, is_in, "The value is one of the list."),
    Operator {
        reads: Reads::Typed,
        ..entry("intersects", Operands::List, any_type, is_in, "One of the values is one of the list.")
    },
    on_text("glob", Reads::Glob, is_like, "The whole text is like the shell pattern; `*` also stands for `/`."),
    on_text("iglob", Reads::GlobOfAnyCase, is_like, "The same; upper and lower case (ASCII) are the same."),
    on_text("regex", Reads::Regex, is_like, "The regular expression matches the whole text."),
    on_text(
        "bcontains",
        Reads::Hex,
        |v, to| text_test(v, to, |text, part| memchr::memmem::find(text, part).is_some()),
        "The data has these bytes, given in hexadecimal.",
    ),
    on_text(
        "bstartswith",
        Reads::Hex,
        |v, to| text_test(v, to, <[u8]>::starts_with),
        "The data starts with these bytes, given in hexadecimal.",
    ),
    Operator {
        operands: Operands::List,
        ..on_text(
            "pmatch",
            Reads::PathPrefix,
            is_like,
            "The path is one of the list or below one; names may be shell patterns.",
        )
    },
];
