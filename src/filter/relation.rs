//! [`Relation`]: a comparison of more than a field with constants: of a field with a field, or of what a transformer
//! makes of one.

use super::Literal;
use super::ast::{Quantifier, passes, write_constants};
use super::operator::Operator;
use crate::field::{ArgRule, FieldArg, FieldRef};
use crate::value::{Takes, Transformer, Type, Value, option_of as option};
use std::fmt::{self, Display, Formatter};

/// What stands on a side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A field.
    Field(FieldRef),
    /// A text that a transformer takes.
    Text(Vec<u8>),
    /// A list that a transformer takes.
    List(Vec<Operand>),
    /// What a transformer makes of something.
    Made {
        /// The transformer.
        by: &'static Transformer,
        /// What it is given.
        of: Vec<Operand>,
        /// Which of its values, where it gives several.
        key: Option<Vec<u8>>,
    },
}

/// What something is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// Constants, as they were written and as they were read.
    Constants(Vec<Vec<u8>>, Vec<Literal>),
    /// A field, or what a transformer makes of one.
    Operand(Operand),
}

/// A comparison with a transformer or a field on its right side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// What is compared.
    pub left: Operand,
    /// How.
    pub op: &'static Operator,
    /// How many of the constants must pass.
    pub quantifier: Option<Quantifier>,
    /// With what.
    pub right: Right,
}

impl Operand {
    /// Type of its values; of the elements, if it is a list.
    pub fn ty(&self) -> Type {
        match self {
            Operand::Field(field) => field.ty,
            Operand::Text(_) | Operand::List(_) => Type::Text,
            Operand::Made { by, .. } => by.gives,
        }
    }

    /// Whether its value may be a list.
    pub fn is_list(&self) -> bool {
        match self {
            Operand::Field(field) => is_several(field),
            Operand::Text(_) => false,
            Operand::List(_) => true,
            Operand::Made { by, key, .. } => by.gives_list && key.is_none(),
        }
    }

    /// Whether it is a list that a transformer made.
    pub(super) fn is_made_list(&self) -> bool {
        self.is_list() && !matches!(self, Operand::Field(_))
    }

    /// Whether a transformer can take it.
    pub(super) fn fits(&self, takes: Takes) -> bool {
        let is_text = matches!(self.ty(), Type::Text | Type::Path);
        match takes {
            Takes::Text => is_text && !matches!(self, Operand::List(_)),
            Takes::Bytes => is_text || self.ty() == Type::Bytes,
            Takes::Any => is_text || self.ty() == Type::Bytes || self.is_list(),
            Takes::List => self.is_list(),
        }
    }

    /// Its value, by those of its fields.
    fn value<'a>(&'a self, get: &mut dyn FnMut(&'a FieldRef) -> Value<'a>) -> Value<'a> {
        match self {
            Operand::Field(field) => get(field),
            Operand::Text(text) => Value::text(text),
            Operand::List(list) => Value::List(list.iter().map(|part| part.value(get)).collect()),
            Operand::Made { by, of, key } => {
                let values: Vec<Value<'a>> = of.iter().map(|part| part.value(get)).collect();
                let made = (by.apply)(&values);
                match key {
                    Some(key) => option(made, key),
                    None => made,
                }
            }
        }
    }

    fn for_each_field<'e>(&'e self, f: &mut dyn FnMut(&'e FieldRef)) {
        match self {
            Operand::Field(field) => f(field),
            Operand::Text(_) => {}
            Operand::List(parts) | Operand::Made { of: parts, .. } => {
                for part in parts {
                    part.for_each_field(f);
                }
            }
        }
    }
}

/// Whether a field's value is of several: ancestors without an index.
fn is_several(field: &FieldRef) -> bool {
    field.field.arg == ArgRule::OptionalIndex && field.arg == FieldArg::None
}

impl Relation {
    /// Whether it holds, by the values of its fields. What is missing on either side passes nothing.
    pub(super) fn test<'a>(&'a self, get: &mut dyn FnMut(&'a FieldRef) -> Value<'a>) -> bool {
        let value = self.left.value(get);
        let made;
        let constants = match &self.right {
            Right::Constants(_, constants) => constants,
            Right::Operand(operand) => {
                made = Literal::of(&operand.value(get));
                if made.is_empty() {
                    return false;
                }
                &made
            }
        };
        match &value {
            // A list that somebody asked for is in another if all of it is.
            Value::List(list) if self.op.name == "in" && !matches!(self.left, Operand::Field(_)) => {
                list.iter().all(|v| passes(self.op, None, v, constants))
            }
            value => passes(self.op, self.quantifier, value, constants),
        }
    }

    /// Calls `f` for every field, left to right.
    pub(super) fn for_each_field<'e>(&'e self, f: &mut dyn FnMut(&'e FieldRef)) {
        self.left.for_each_field(f);
        if let Right::Operand(operand) = &self.right {
            operand.for_each_field(f);
        }
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let list = |f: &mut Formatter<'_>, parts: &[Operand]| {
            parts.iter().enumerate().try_for_each(|(n, part)| {
                f.write_str(if n > 0 { ", " } else { "" })?;
                part.fmt(f)
            })
        };
        match self {
            Operand::Field(field) => field.fmt(f),
            Operand::Text(text) => super::ast::in_quotes(f, text),
            Operand::List(parts) => {
                f.write_str("(")?;
                list(f, parts)?;
                f.write_str(")")
            }
            Operand::Made { by, of, key } => {
                write!(f, "{}(", by.name)?;
                list(f, of)?;
                f.write_str(")")?;
                match key {
                    Some(key) => {
                        f.write_str("[")?;
                        super::ast::in_quotes(f, key)?;
                        f.write_str("]")
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.left, self.op.name)?;
        match &self.right {
            Right::Constants(written, _) => write_constants(f, self.op, self.quantifier, written),
            Right::Operand(Operand::Field(field)) => write!(f, " val({field})"),
            Right::Operand(operand) => write!(f, " {operand}"),
        }
    }
}
