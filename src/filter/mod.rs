//! Filters: text → AST → plan → [`Selection`].
//!
//! A condition is evaluated once per row of the level that its field belongs to and reaches events as a lookup by
//! index; the plain row-by-row meaning is [`Filter::matches`], and both always agree.

mod alias;
mod ast;
mod binding;
mod bounds;
mod column;
mod compiled;
mod data;
mod diagnostic;
mod enumeration;
mod eval;
mod interval;
mod literal;
mod memo;
mod operand;
mod operator;
mod parse;
mod pattern;
mod plan;
mod push;
mod relation;
mod selection;
#[cfg(test)]
mod tests;

pub use crate::value::{TRANSFORMERS, Takes, Transformer};
pub use ast::{Check, Expr, Quantifier};
pub use binding::{Binding, Bindings};
pub use compiled::Filter;
pub use diagnostic::{Diagnostic, Diagnostics};
pub use enumeration::values_of;
pub use literal::Literal;
pub use memo::Memo;
pub use operator::{OPERATORS, Operands, Operator};
pub use pattern::{PathPrefix, Pattern};
pub use push::{Condition, Obstacle, Place, Push};
pub use relation::{Operand, Relation, Right};
pub use selection::{Bits, KindSelection, Selection};
