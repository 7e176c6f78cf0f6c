//! Kubernetes audit events (`k8saudit`): their JSON taken apart into parameters, and put together again byte for byte.
//!
//! Values that questions are about are parameters of their own; what is left, with a mark where each of them stood, is the
//! *form* (a template: keys, order, punctuation), of which a log has few. See `docs/audit.md`.

mod follow;
mod join;
mod known;
mod legacy;
mod part;
mod shapes;
mod split;
mod stamp;

pub use join::{join_audit, write_audit_id};
pub use part::{AuditPart, STREAMS, is_stream};
pub use split::{AuditFault, Splitter, Taken, audit_head};
