//! What `/proc` knows: the initial state of a recording, and answers to single questions.
//!
//! A scan takes a while and the machine does not stand still, so each process carries the time just before it was
//! looked at: what the probe saw of it after that is newer than what the scan says. A process that is gone half way
//! is left out; its end is in the stream.

mod cgroup;
mod descriptor;
mod diag;
mod file;
mod interface;
mod machine;
mod mount;
mod observer;
mod process;
mod snapshot;
mod socket;
mod user;

pub use cgroup::Groups;
pub use observer::{Observer, family};
pub use snapshot::{Error, Scope, Snapshot, cputime_of, snapshot};
pub use user::{Account, Accounts, GROUPS, USERS, groups, users};
