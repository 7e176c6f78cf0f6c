//! What is recorded and what is kept of Kubernetes audit events: the policy of an API server (which requests it logs, and
//! how much of them), and retention (how long what was logged is kept).

mod keep;

pub use keep::{Fate, Keep, KeepError, PRUNED, without_bodies};
