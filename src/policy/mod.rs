//! What is recorded and what is kept of Kubernetes audit events: the policy of an API server (which requests it logs, and
//! how much of them), and retention (how long what was logged is kept).

mod audit;
mod cases;
mod cover;
mod keep;
mod lint;
mod read;
mod samples;

pub use audit::{Policy, PolicyLevel, PolicyRule, Request, Resources, STAGES};
pub use cover::{Coverage, Verdict, cover, level_needed};
pub use keep::{Fate, Keep, KeepError, PRUNED, without_bodies};
pub use read::{Finding, Grade, PolicyFile};
pub use samples::samples;
