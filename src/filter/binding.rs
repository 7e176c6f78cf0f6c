//! [`Binding`]: what `$name` stands for in a filter with parameters (a chisel's). It takes its place in the tree, so
//! nothing that is given can end the constant it stands in.

use super::Filter;
use crate::field::FieldRef;
use std::collections::BTreeMap;

/// What a parameter stands for.
#[derive(Debug, Clone)]
pub enum Binding {
    /// A value, read by the type of the field that it is compared with.
    Constant(Vec<u8>),
    /// A field, in place of its name.
    Field(FieldRef),
    /// A whole condition.
    Filter(Box<Filter>),
}

/// Parameters by name, without the `$`.
pub type Bindings = BTreeMap<String, Binding>;
