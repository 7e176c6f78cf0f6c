//! Filters: tokens → AST → checked plan → [`Selection`].

mod selection;

pub use selection::{Bits, KindSelection, Selection};
