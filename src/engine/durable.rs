//! [`Durable`]: who hears that what was handed on before is on the disk.

use crate::source::audit::{Answer, Body, Position, PositionFile};
use std::sync::Arc;

/// Who waits until something is on the disk.
pub(super) enum Waiting {
    /// A log: it is taken over up to here.
    Log(Position),
    /// Somebody who sent events, and waits for an answer.
    Body(Body),
}

/// Who hears that what was handed on before is on the disk.
#[derive(Default)]
pub struct Durable {
    pub(super) waiting: Vec<Waiting>,
    /// Where positions in logs are kept.
    pub(super) state: Option<Arc<PositionFile>>,
}

impl Durable {
    /// Everything is on the disk. Returns why a position could not be kept: the events behind it are read again then, and
    /// found to be there.
    pub fn tell(self) -> Option<String> {
        let mut last = None;
        for waiting in self.waiting {
            match waiting {
                Waiting::Log(position) => last = Some(position),
                Waiting::Body(body) => body.answer(Answer::Kept),
            }
        }
        let kept = last.zip(self.state).map(|(position, file)| file.keep(&position));
        kept?.err().map(|error| format!("warning: {error}"))
    }
}

impl std::fmt::Debug for Durable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Durable({} wait)", self.waiting.len())
    }
}
