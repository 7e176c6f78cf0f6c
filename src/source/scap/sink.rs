//! [`Sink`]: who takes the events of a capture.

use crate::event::Event;
use crate::world::World;

/// Who takes the events of a capture, in order, and keeps the state that they make.
pub trait Sink {
    /// Why it takes no more.
    type Error;

    /// The state so far.
    fn world(&self) -> &World;

    /// An event, and its number in the capture.
    fn event(&mut self, event: &Event<'_>, num: u64) -> Result<(), Self::Error>;

    /// A row that changes the state, at the event with a number: it is no event.
    fn row(&mut self, row: &Event<'_>, num: u64) -> Result<(), Self::Error>;

    /// An event that changes the state and is not kept.
    fn state(&mut self, event: &Event<'_>) -> Result<(), Self::Error>;

    /// A row of the state at the start of a section, before its first event.
    fn initial(&mut self, row: &Event<'_>) -> Result<(), Self::Error>;

    /// Another section begins: what was known of the state no longer holds.
    fn section(&mut self) -> Result<(), Self::Error>;
}
