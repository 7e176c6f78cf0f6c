//! The state at one moment (threads, descriptors, users), and the dictionaries of rows that events refer to.

mod delta;
pub mod dict;

pub use delta::DeltaError;
pub use dict::{Delta, DescKind, DescRow, Dict, ImageRow, L4, Role, StrId, ThreadRow};
