//! Kubernetes audit logs: JSON lines, arrays, `EventList`s and the old one-line form, packed or not, rotated or not.
//!
//! Whatever cannot be read is told with its line and offset, and the rest is read.

mod files;
mod held;
mod pieces;
mod reader;
mod seen;

pub use files::{groups, is_log, looks_like_json};
pub use pieces::MAX_VALUE;
pub use reader::{Counts, Reader, Sink};
