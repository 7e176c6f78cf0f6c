//! Captures of sysdig and Falco as events: the two halves of each call are joined, the tables at their start become snapshot rows.

mod clone;
mod enters;
mod error;
mod input;
mod plan;
mod reader;
mod rows;
mod sink;
mod translate;
mod values;

pub use error::Error;
pub use input::{Input, is_scap, open};
pub use reader::{Reader, Summary};
pub use sink::Sink;
