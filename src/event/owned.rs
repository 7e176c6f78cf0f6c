//! [`OwnedEvent`]: an event that keeps its bytes, for those that wait (calls in flight, snapshots).

use super::{Arg, Event};

/// One parameter with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnedArg {
    /// See [`Arg::Missing`].
    Missing,
    /// See [`Arg::Int`].
    Int(i64),
    /// See [`Arg::Bytes`].
    Bytes(Vec<u8>),
}

impl OwnedArg {
    /// A copy of a parameter.
    pub fn of(arg: &Arg<'_>) -> OwnedArg {
        match *arg {
            Arg::Missing => OwnedArg::Missing,
            Arg::Int(v) => OwnedArg::Int(v),
            Arg::Bytes(b) => OwnedArg::Bytes(b.to_vec()),
        }
    }
}

/// An event that keeps its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedEvent {
    head: Event<'static>,
    args: Vec<OwnedArg>,
}

impl OwnedEvent {
    /// An event of its head (whose `args` are ignored) and parameters.
    pub fn new(head: &Event<'_>, args: Vec<OwnedArg>) -> OwnedEvent {
        OwnedEvent { head: head.bare(), args }
    }

    /// A copy of an event.
    pub fn of(event: &Event<'_>) -> OwnedEvent {
        OwnedEvent::new(event, event.args.iter().map(OwnedArg::of).collect())
    }

    /// The parameters.
    pub fn args(&self) -> &[OwnedArg] {
        &self.args
    }

    /// The event, borrowed.
    pub fn event(&self) -> Event<'_> {
        let mut event = self.head.bare();
        event.args.extend(self.args.iter().map(|arg| match arg {
            OwnedArg::Missing => Arg::Missing,
            OwnedArg::Int(v) => Arg::Int(*v),
            OwnedArg::Bytes(b) => Arg::Bytes(b),
        }));
        event
    }
}

impl Event<'_> {
    /// The event without its parameters.
    pub fn bare<'a>(&self) -> Event<'a> {
        let Event { kind, time, duration, cpu, tid, pid, ret, flags, args: _ } = *self;
        Event { kind, time, duration, cpu, tid, pid, ret, flags, args: super::Args::new() }
    }
}
