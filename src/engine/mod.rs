//! The pipelines: what the command line asks for, carried out.

mod play;
mod reels;
mod request;

pub use play::{Batches, Damaged, Options, Played, Question, play};
pub use reels::Reels;
pub use request::{Record, Watch};
