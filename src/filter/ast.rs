//! [`Expr`]: a filter as a tree. Printing it and parsing the result gives the same tree.

use super::Literal;
use super::operator::{Operands, Operator, Several};
use super::relation::Relation;
use crate::batch::Row;
use crate::field::{Context, FieldRef};
use crate::value::Value;
use std::fmt::{self, Display, Formatter};

/// A filter as a tree. `And` and `Or` have at least two parts, none of their own sort; `Not` holds no `Not`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// All parts hold.
    And(Vec<Expr>),
    /// One part holds.
    Or(Vec<Expr>),
    /// The part does not hold.
    Not(Box<Expr>),
    /// A comparison of a field with constants.
    Check(Check),
    /// A comparison with a transformer, or of two fields.
    Relation(Box<Relation>),
}

/// How many of a list's constants must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// Exactly one.
    OneOf,
    /// At least one.
    AnyOf,
    /// Each; none of an empty list.
    AllOf,
}

impl Quantifier {
    /// All of them, as they are written.
    pub const NAMES: &[(&str, Quantifier)] =
        &[("oneof", Quantifier::OneOf), ("anyof", Quantifier::AnyOf), ("allof", Quantifier::AllOf)];

    /// How it is written.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, q)| *q == self).map_or("", |(name, _)| name)
    }
}

/// A comparison of a field with constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The field.
    pub field: FieldRef,
    /// The operator.
    pub op: &'static Operator,
    /// How many of the constants must pass; `None`: what the operator says.
    pub quantifier: Option<Quantifier>,
    /// The constants as they were written, unquoted and unescaped.
    pub written: Vec<Vec<u8>>,
    /// The same, read by the field's type, ascending, each once.
    pub constants: Vec<Literal>,
}

impl Expr {
    /// Conjunction; parts that are conjunctions are taken apart.
    pub(super) fn and(parts: Vec<Expr>) -> Expr {
        let flat = parts.into_iter().flat_map(|part| if let Expr::And(inner) = part { inner } else { vec![part] });
        Expr::one_or(flat.collect(), Expr::And)
    }

    /// Disjunction; parts that are disjunctions are taken apart.
    pub(super) fn or(parts: Vec<Expr>) -> Expr {
        let flat = parts.into_iter().flat_map(|part| if let Expr::Or(inner) = part { inner } else { vec![part] });
        Expr::one_or(flat.collect(), Expr::Or)
    }

    /// Negation; two cancel.
    pub(super) fn not(part: Expr) -> Expr {
        if let Expr::Not(inner) = part { *inner } else { Expr::Not(Box::new(part)) }
    }

    fn one_or(mut parts: Vec<Expr>, many: fn(Vec<Expr>) -> Expr) -> Expr {
        if parts.len() == 1 { parts.remove(0) } else { many(parts) }
    }

    /// Evaluates it with whatever says what a field's value is.
    pub(super) fn eval<'a>(&'a self, get: &mut dyn FnMut(&'a FieldRef) -> Value<'a>) -> bool {
        match self {
            Expr::And(parts) => parts.iter().all(|p| p.eval(get)),
            Expr::Or(parts) => parts.iter().any(|p| p.eval(get)),
            Expr::Not(part) => !part.eval(get),
            Expr::Check(check) => check.test(&get(&check.field)),
            Expr::Relation(relation) => relation.test(get),
        }
    }

    /// Whether the event matches: the plain meaning of a filter, which the vectorised evaluation must equal.
    pub fn matches(&self, row: &Row<'_>, ctx: &Context) -> bool {
        self.eval(&mut |field| field.value(row, ctx))
    }

    /// Calls `f` for every field, left to right.
    pub fn for_each_field<'e>(&'e self, f: &mut dyn FnMut(&'e FieldRef)) {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| p.for_each_field(f)),
            Expr::Not(part) => part.for_each_field(f),
            Expr::Check(check) => f(&check.field),
            Expr::Relation(relation) => relation.for_each_field(f),
        }
    }

    /// Calls `f` for every comparison (checks and relations), left to right.
    pub(super) fn for_each_comparison<'e>(&'e self, f: &mut dyn FnMut(&'e Expr)) {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| p.for_each_comparison(f)),
            Expr::Not(part) => part.for_each_comparison(f),
            Expr::Check(_) | Expr::Relation(_) => f(self),
        }
    }

    /// Calls `f` for every comparison of a field with constants, left to right.
    pub fn for_each_check<'e>(&'e self, f: &mut dyn FnMut(&'e Check)) {
        self.for_each_comparison(&mut |part| {
            if let Expr::Check(check) = part {
                f(check);
            }
        });
    }

    /// Calls `f` for every other comparison, left to right.
    pub fn for_each_relation<'e>(&'e self, f: &mut dyn FnMut(&'e Relation)) {
        self.for_each_comparison(&mut |part| {
            if let Expr::Relation(relation) = part {
                f(relation);
            }
        });
    }
}

impl Check {
    /// Whether a value passes. A missing value passes no check.
    pub fn test(&self, value: &Value<'_>) -> bool {
        passes(self.op, self.quantifier, value, &self.constants)
    }
}

/// Whether a value passes a comparison with constants.
pub(super) fn passes(op: &Operator, quantifier: Option<Quantifier>, value: &Value<'_>, constants: &[Literal]) -> bool {
    let Some(quantifier) = quantifier else { return passes_some(op, value, constants) };
    let mut each = constants.chunks(1).map(|one| passes_some(op, value, one));
    match quantifier {
        Quantifier::OneOf => each.filter(|&pass| pass).count() == 1,
        Quantifier::AnyOf => each.any(|pass| pass),
        Quantifier::AllOf => !constants.is_empty() && each.all(|pass| pass),
    }
}

fn passes_some(op: &Operator, value: &Value<'_>, constants: &[Literal]) -> bool {
    let single = |v: &Value<'_>| !v.is_missing() && (op.test)(v, constants);
    match value {
        Value::Missing => false,
        Value::Either(ends) if op.several == Several::BothEnds => {
            ends.iter().all(|v| v.is_missing() || single(v)) && ends.iter().any(|v| !v.is_missing())
        }
        Value::Either(ends) => ends.iter().any(single),
        Value::List(values) => values.iter().any(single),
        value => (op.test)(value, constants),
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::And(parts) => join(f, parts, " and ", |p| matches!(p, Expr::Or(_))),
            Expr::Or(parts) => join(f, parts, " or ", |_| false),
            Expr::Not(part) if matches!(**part, Expr::Check(_) | Expr::Relation(_)) => write!(f, "not {part}"),
            Expr::Not(part) => write!(f, "not ({part})"),
            Expr::Check(check) => check.fmt(f),
            Expr::Relation(relation) => relation.fmt(f),
        }
    }
}

fn join(f: &mut Formatter<'_>, parts: &[Expr], word: &str, needs_parens: fn(&Expr) -> bool) -> fmt::Result {
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            f.write_str(word)?;
        }
        if needs_parens(part) { write!(f, "({part})")? } else { write!(f, "{part}")? }
    }
    Ok(())
}

impl Display for Check {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.op.name)?;
        write_constants(f, self.op, self.quantifier, &self.written)
    }
}

/// What stands behind an operator.
pub(super) fn write_constants(
    f: &mut Formatter<'_>,
    op: &Operator,
    quantifier: Option<Quantifier>,
    written: &[Vec<u8>],
) -> fmt::Result {
    if let Some(quantifier) = quantifier {
        write!(f, " {}", quantifier.name())?;
    }
    match op.operands {
        Operands::None => return Ok(()),
        Operands::One if quantifier.is_none() => {
            f.write_str(" ")?;
            return written.iter().try_for_each(|text| quoted(f, text));
        }
        Operands::One | Operands::List => {}
    }
    f.write_str(" (")?;
    for (n, text) in written.iter().enumerate() {
        if n > 0 {
            f.write_str(", ")?;
        }
        quoted(f, text)?;
    }
    f.write_str(")")
}

/// A constant as the parser reads it back.
pub(super) struct Quoted<'t>(pub &'t [u8]);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(f, self.0)
    }
}

/// A constant as the parser reads it back: bare where that is plain, quoted otherwise.
fn quoted(f: &mut Formatter<'_>, text: &[u8]) -> fmt::Result {
    let is_bare = |b: &u8| b.is_ascii_alphanumeric() || b"_-./:+@%*<>[]{}".contains(b);
    // Words that mean something where a constant stands are quoted.
    let is_word = Quantifier::NAMES.iter().any(|(name, _)| name.as_bytes() == text);
    if !text.is_empty() && !is_word && text.iter().all(is_bare) {
        return text.iter().try_for_each(|&b| write!(f, "{}", char::from(b)));
    }
    in_quotes(f, text)
}

/// A text in quotes.
pub(super) fn in_quotes(f: &mut Formatter<'_>, text: &[u8]) -> fmt::Result {
    f.write_str("\"")?;
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                c if c.is_control() => {
                    let mut utf8 = [0; 4];
                    c.encode_utf8(&mut utf8).bytes().try_for_each(|b| write!(f, "\\x{b:02x}"))?;
                }
                c => write!(f, "{c}")?,
            }
        }
        chunk.invalid().iter().try_for_each(|b| write!(f, "\\x{b:02x}"))?;
    }
    f.write_str("\"")
}
