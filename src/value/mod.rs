//! Values of fields: their types, and how they are written for people.

mod value;

pub use value::{Type, Value};
