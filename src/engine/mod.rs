//! The pipelines: record, watch, play.

mod asked;
mod assembler;
#[cfg(feature = "linux")]
mod audited;
mod behind;
#[cfg(test)]
mod behind_tests;
mod carry;
mod carrying;
mod claims;
#[cfg(feature = "linux")]
mod clock;
#[cfg(feature = "linux")]
mod compact;
#[cfg(feature = "linux")]
mod drain;
#[cfg(feature = "linux")]
mod durable;
mod early;
mod error;
mod export;
#[cfg(feature = "linux")]
mod export_live;
#[cfg(feature = "linux")]
mod facts;
mod follow;
mod handover;
mod import;
mod import_audit;
#[cfg(feature = "linux")]
mod intake;
mod joining;
mod layer;
mod lessen;
#[cfg(feature = "linux")]
mod live;
mod mixed;
mod order;
#[cfg(feature = "linux")]
mod place;
mod play;
#[cfg(test)]
mod play_tests;
mod prune;
#[cfg(feature = "linux")]
mod pruner;
#[cfg(feature = "linux")]
mod push;
#[cfg(feature = "linux")]
mod record;
mod reels;
mod repack;
mod replay;
mod request;
#[cfg(feature = "linux")]
mod rescan;
#[cfg(feature = "linux")]
mod ring;
mod rotate;
mod seen;
#[cfg(feature = "linux")]
mod sieve;
mod slim;
#[cfg(feature = "linux")]
mod spool;
mod state;
mod timeline;
#[cfg(feature = "linux")]
mod traced;
mod volumes;
#[cfg(feature = "linux")]
mod watch;
mod watcher;

pub use assembler::{Assembler, Cost, Lost, Piece, SegmentLimits};
#[cfg(feature = "linux")]
pub use durable::Durable;
pub use error::Error;
pub use export::{Export, Exported, export};
#[cfg(feature = "linux")]
pub use export_live::record_scap;
pub use follow::{Follow, follow};
pub use import::{Imported, Piped, import, open_all, open_capture, open_logs, standard_input};
pub use import_audit::{ImportedLogs, import_audit};
pub use layer::Layer;
#[cfg(feature = "linux")]
pub use live::{LiveRequest, LiveSummary, capture};
#[cfg(feature = "linux")]
pub use place::Place;
pub use play::{Batches, Damaged, Glance, Options, Played, Question, SegmentGlance, left_out, play};
pub use prune::{PruneCounts, prune};
#[cfg(feature = "linux")]
pub use record::{RecordSummary, record};
pub use reels::Reels;
pub use repack::repack;
pub use request::{Audit, Record, Source, Watch};
pub use rotate::{OVERSHOOT, Pace, Rotation};
#[cfg(feature = "linux")]
pub use spool::{Tell, Written};
#[cfg(feature = "linux")]
pub use state::state_now;
pub use state::{State, WithStates, moment, states_at};
pub use timeline::{Mixed, Slice};
#[cfg(feature = "linux")]
pub use traced::Chosen;
pub use volumes::{Volume, Volumes, most_logged, volumes};
#[cfg(feature = "linux")]
pub use watch::watch;
pub use watcher::{Interval, Screen};
