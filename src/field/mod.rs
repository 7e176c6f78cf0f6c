//! THE field catalogue: every field that filters, formats and chisels can name, one literal each.

mod field;

pub use field::{ArgRule, Extract, Field, FieldArg, FieldRef, Level};
