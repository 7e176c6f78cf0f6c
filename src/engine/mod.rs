//! The pipelines: record, watch, play.

mod assembler;
mod error;
#[cfg(feature = "linux")]
mod facts;
#[cfg(feature = "linux")]
mod live;
mod play;
#[cfg(test)]
mod play_tests;
#[cfg(feature = "linux")]
mod record;
mod reels;
mod replay;
mod request;
#[cfg(feature = "linux")]
mod sieve;
mod state;
#[cfg(feature = "linux")]
mod traced;
#[cfg(feature = "linux")]
mod watch;

pub use assembler::{Assembler, Lost, Piece, SegmentLimits};
pub use error::Error;
#[cfg(feature = "linux")]
pub use live::{LiveRequest, LiveSummary, capture};
pub use play::{Batches, Damaged, Glance, Options, Played, Question, left_out, play};
#[cfg(feature = "linux")]
pub use record::{RecordSummary, record};
pub use reels::Reels;
pub use request::{Record, Source, Watch};
#[cfg(feature = "linux")]
pub use state::state_now;
pub use state::{State, WithStates, moment, states_at};
#[cfg(feature = "linux")]
pub use traced::Chosen;
#[cfg(feature = "linux")]
pub use watch::{Screen, watch};
