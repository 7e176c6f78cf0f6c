//! The state at one moment (threads, descriptors, users), and the dictionaries of rows that events refer to.
//!
//! [`World::apply`] is the only state engine: live events, imported captures and snapshots all pass through it once,
//! while they come in. It reads no clock and never looks at the machine; what it would like to know are [`Want`]s.

mod action;
pub mod address;
mod anonymous;
mod asked;
mod container;
mod credentials;
mod delta;
pub mod dict;
mod directory;
mod doubt;
mod engine;
mod environment;
mod facts;
mod files;
mod intern;
mod late;
mod machine;
mod namespaces;
mod open;
mod passing;
pub mod path;
mod process;
mod ring;
mod roster;
mod segment;
mod sharers;
mod snapshot;
mod socket;
mod texts;
mod thread;
mod used;
mod wants;

pub use action::{changes_thread, tells};
pub use container::{Container, ContainerMount};
pub use delta::DeltaError;
pub use dict::{Account, Delta, DescKind, DescRow, Dict, Endpoint, ImageRow, L4, Role, StrId, ThreadRow};
pub use engine::{Effect, Want, World};
pub use environment::Environment;
pub use facts::{Caps, ExeFacts};
pub use intern::{Interner, LAST_TEXTS};
pub use late::{LateFact, LateValue};
pub use roster::Roster;
pub use texts::{TextSource, Texts, Unopened};
pub use used::Used;
