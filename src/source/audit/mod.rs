//! Kubernetes audit logs: JSON lines, arrays, `EventList`s and the old one-line form, packed or not, rotated or not.
//!
//! Whatever cannot be read is told with its line and offset, and the rest is read.

mod files;
#[cfg(feature = "linux")]
mod growing;
mod held;
#[cfg(feature = "linux")]
mod http;
mod pieces;
#[cfg(feature = "linux")]
mod position;
mod reader;
mod seen;
#[cfg(feature = "linux")]
mod tail;
#[cfg(feature = "linux")]
mod tls;
#[cfg(feature = "linux")]
mod webhook;

pub use files::{groups, is_log, looks_like_json};
pub use pieces::MAX_VALUE;
#[cfg(feature = "linux")]
pub use position::{Place, Position, PositionError, PositionFile};
pub use reader::{Counts, Reader, Sink};
#[cfg(feature = "linux")]
pub use tail::{Lines, Tail, follow};
#[cfg(feature = "linux")]
pub use tls::TlsError;
#[cfg(feature = "linux")]
pub use webhook::{Answer, Body, Listen, Take, Text, Webhook, WebhookError};
