//! THE table of scap's event types: a type's number is its index.

mod entry;
mod high;
mod low;
#[cfg(test)]
mod tests;
mod wire;

pub use entry::{EventType, Param, TYPES, event_type};
pub use wire::Wire;
