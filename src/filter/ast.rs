//! [`Expr`]: a filter as a tree. Printing it and parsing the result gives the same tree.

use super::Literal;
use super::operator::{Operands, Operator, Several};
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
    /// A comparison.
    Check(Check),
}

/// A comparison of a field with constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The field.
    pub field: FieldRef,
    /// The operator.
    pub op: &'static Operator,
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

    /// Evaluates it with whatever says what a check says.
    pub(super) fn eval(&self, check: &mut dyn FnMut(&Check) -> bool) -> bool {
        match self {
            Expr::And(parts) => parts.iter().all(|p| p.eval(check)),
            Expr::Or(parts) => parts.iter().any(|p| p.eval(check)),
            Expr::Not(part) => !part.eval(check),
            Expr::Check(c) => check(c),
        }
    }

    /// Whether the event matches: the plain meaning of a filter, which the vectorised evaluation must equal.
    pub fn matches(&self, row: &Row<'_>, ctx: &Context) -> bool {
        self.eval(&mut |check| check.test(&check.field.value(row, ctx)))
    }

    /// Calls `f` for every check, left to right.
    pub fn for_each_check<'e>(&'e self, f: &mut dyn FnMut(&'e Check)) {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| p.for_each_check(f)),
            Expr::Not(part) => part.for_each_check(f),
            Expr::Check(check) => f(check),
        }
    }
}

impl Check {
    /// Whether a value passes. A missing value passes no check.
    pub fn test(&self, value: &Value<'_>) -> bool {
        let Some(test) = self.op.test else { return false };
        let single = |v: &Value<'_>| !v.is_missing() && test(v, &self.constants);
        match value {
            Value::Missing => false,
            Value::Either(ends) if self.op.several == Several::BothEnds => {
                ends.iter().all(|v| v.is_missing() || single(v)) && ends.iter().any(|v| !v.is_missing())
            }
            Value::Either(ends) => ends.iter().any(single),
            Value::List(values) => values.iter().any(single),
            value => test(value, &self.constants),
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::And(parts) => join(f, parts, " and ", |p| matches!(p, Expr::Or(_))),
            Expr::Or(parts) => join(f, parts, " or ", |_| false),
            Expr::Not(part) if matches!(**part, Expr::Check(_)) => write!(f, "not {part}"),
            Expr::Not(part) => write!(f, "not ({part})"),
            Expr::Check(check) => check.fmt(f),
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
        match self.op.operands {
            Operands::None => Ok(()),
            Operands::One => {
                f.write_str(" ")?;
                self.written.iter().try_for_each(|text| quoted(f, text))
            }
            Operands::List => {
                f.write_str(" (")?;
                for (n, text) in self.written.iter().enumerate() {
                    if n > 0 {
                        f.write_str(", ")?;
                    }
                    quoted(f, text)?;
                }
                f.write_str(")")
            }
        }
    }
}

/// A constant as the parser reads it back: bare where that is plain, quoted otherwise.
fn quoted(f: &mut Formatter<'_>, text: &[u8]) -> fmt::Result {
    let is_bare = |b: &u8| b.is_ascii_alphanumeric() || b"_-./:+@%*<>[]{}".contains(b);
    if !text.is_empty() && text.iter().all(is_bare) {
        return text.iter().try_for_each(|&b| write!(f, "{}", char::from(b)));
    }
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
