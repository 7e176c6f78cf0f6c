//! [`Field`]: one entry of the catalogue, and [`FieldRef`]: a field with its argument as somebody named it.

use crate::batch::{KindInfo, Row};
use crate::value::{Type, Value};
use crate::world::{DescRow, Dict, ThreadRow};

/// Where a field is evaluated, which is what makes replay fast (architecture §5). Ordered from coarse to fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Once per event kind.
    Kind,
    /// Once per thread row.
    Thread,
    /// Once per descriptor row.
    Descriptor,
    /// Per event.
    Event,
}

/// Whether a field takes an argument in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgRule {
    /// None.
    No,
    /// `proc.aname` or `proc.aname[1]`.
    OptionalIndex,
    /// `evt.arg[0]` or `evt.arg.name`.
    Required,
}

/// A field's argument.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FieldArg {
    /// None given.
    None,
    /// A number.
    Index(u32),
    /// A name.
    Name(String),
}

/// How a field's value is found. Kind, Thread and Descriptor extractors are called once per row of their table.
#[derive(Clone, Copy)]
pub enum Extract {
    /// From the kind alone.
    Kind(for<'a> fn(&'a KindInfo, &'a FieldArg) -> Value<'a>),
    /// From the thread's row.
    Thread(for<'a> fn(&'a Dict, &'a ThreadRow, &'a FieldArg) -> Value<'a>),
    /// From the descriptor's row.
    Descriptor(for<'a> fn(&'a Dict, &'a DescRow, &'a FieldArg) -> Value<'a>),
    /// From the event.
    Event(for<'a> fn(&Row<'a>, &'a FieldArg) -> Value<'a>),
}

/// One entry of the catalogue.
pub struct Field {
    /// `proc.name`.
    pub name: &'static str,
    /// Type of its values.
    pub ty: Type,
    /// Argument.
    pub arg: ArgRule,
    /// One sentence.
    pub doc: &'static str,
    /// A filter that uses it.
    pub example: &'static str,
    /// How its value is found, and so its level.
    pub extract: Extract,
}

impl Field {
    /// Where it is evaluated.
    pub fn level(&self) -> Level {
        match self.extract {
            Extract::Kind(_) => Level::Kind,
            Extract::Thread(_) => Level::Thread,
            Extract::Descriptor(_) => Level::Descriptor,
            Extract::Event(_) => Level::Event,
        }
    }
}

/// A field with its argument, as somebody named it.
#[derive(Clone)]
pub struct FieldRef {
    /// The entry.
    pub field: &'static Field,
    /// The argument.
    pub arg: FieldArg,
}

impl FieldRef {
    /// The value for one event, whatever the level.
    pub fn value<'a>(&'a self, row: &Row<'a>) -> Value<'a> {
        match self.field.extract {
            Extract::Kind(f) => f(row.info(), &self.arg),
            Extract::Thread(f) => f(row.dict(), row.thread(), &self.arg),
            Extract::Descriptor(f) => row.desc().map_or(Value::Missing, |d| f(row.dict(), d, &self.arg)),
            Extract::Event(f) => f(row, &self.arg),
        }
    }
}
