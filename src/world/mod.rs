//! The state at one moment (threads, descriptors, users), and the dictionaries of rows that events refer to.

pub mod dict;

pub use dict::{Delta, DescKind, DescRow, Dict, ImageRow, L4, Role, StrId, ThreadRow};
