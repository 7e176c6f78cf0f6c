//! [`EventType`]: the entry of one type, and the words in which the table is written.

use super::high::HIGH;
use super::low::LOW;
use super::wire::Wire;

/// One event type of scap. Even numbers are entries of calls and what is no call; odd ones are exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventType {
    /// `evt.type`; `NA` for numbers that nobody uses.
    pub name: &'static str,
    /// Facts, bits.
    facts: u8,
    /// Parameters in their order. An event may have fewer: later versions of a type have more, at the end.
    pub params: &'static [Param],
}

/// One parameter of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Name.
    pub name: &'static str,
    /// How its value stands in an event.
    pub wire: Wire,
    /// The table of its values ([`VALUES`](crate::format::scap::VALUES), or the kernel's own), or what a [`Wire::Dyn`] chooses from.
    pub names: Option<&'static str>,
}

/// Written by today's recorders.
pub(super) const NOW: u8 = 0;
/// Only in older files.
pub(super) const OLD: u8 = 1;
/// Never written.
pub(super) const UNUSED: u8 = 2;
/// Lengths of parameters have 4 bytes.
pub(super) const LARGE: u8 = 4;

/// A number that nobody uses.
pub(super) const UNUSED_TYPE: EventType = t("NA", UNUSED, &[]);

/// A type.
pub(super) const fn t(name: &'static str, facts: u8, params: &'static [Param]) -> EventType {
    EventType { name, facts, params }
}

/// A parameter.
pub(super) const fn p(name: &'static str, wire: Wire) -> Param {
    Param { name, wire, names: None }
}

/// A parameter whose values have names.
pub(super) const fn n(name: &'static str, wire: Wire, names: &'static str) -> Param {
    Param { name, wire, names: Some(names) }
}

impl EventType {
    /// Whether only older files have it.
    pub const fn is_old(&self) -> bool {
        self.facts & OLD != 0
    }

    /// Whether nothing writes it.
    pub const fn is_unused(&self) -> bool {
        self.facts & UNUSED != 0
    }

    /// Bytes of the length of a parameter: 2, or 4.
    pub const fn length_width(&self) -> usize {
        if self.facts & LARGE == 0 { 2 } else { 4 }
    }

    /// The place of a parameter.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.params.iter().position(|p| p.name == name)
    }
}

/// Number of types that this version knows.
const COUNT: usize = LOW.len() + HIGH.len();

/// All types; the number of one is its index.
pub static TYPES: [EventType; COUNT] = {
    let mut all = [UNUSED_TYPE; COUNT];
    let mut i = 0;
    while i < COUNT {
        all[i] = if i < LOW.len() { LOW[i] } else { HIGH[i - LOW.len()] };
        i += 1;
    }
    all
};

/// The type of a number; `None` for those of later versions.
pub fn event_type(number: u16) -> Option<&'static EventType> {
    TYPES.get(usize::from(number))
}
