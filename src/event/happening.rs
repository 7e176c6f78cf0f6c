//! [`Event`]: one thing that happened, as a source hands it over.

use super::Kind;
use arrayvec::ArrayVec;

/// The most parameters an event kind may have.
pub const MAX_ARGS: usize = 48;

/// Parameters in the order of the kind's [`Spec`](super::Spec).
pub type Args<'a> = ArrayVec<Arg<'a>, MAX_ARGS>;

/// One parameter's raw value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg<'a> {
    /// The source could not read it (page not resident, not captured by this source).
    Missing,
    /// An integer of any width, sign- or zero-extended by its type.
    Int(i64),
    /// Text, address or data, as bytes.
    Bytes(&'a [u8]),
}

impl<'a> Arg<'a> {
    /// The integer, if it is one.
    pub fn int(self) -> Option<i64> {
        if let Arg::Int(v) = self { Some(v) } else { None }
    }

    /// The bytes, if it has any.
    pub fn bytes(self) -> Option<&'a [u8]> {
        if let Arg::Bytes(b) = self { Some(b) } else { None }
    }
}

/// Facts about one event, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// The call had not returned when the recording (or segment) ended; its duration is the time so far.
    pub const IN_FLIGHT: Flags = Flags(1);
    /// It came after the watermark: applied where it arrived.
    pub const LATE: Flags = Flags(2);
    /// A 32-bit call.
    pub const COMPAT: Flags = Flags(4);
    /// A parameter was cut (path or arguments longer than the source keeps).
    pub const TRUNCATED: Flags = Flags(8);
    /// Events were lost before it, and nothing has confirmed since what is said of its thread or descriptor.
    pub const DOUBTFUL: Flags = Flags(16);
    /// A call whose source does not tell what it returned.
    pub const UNTOLD: Flags = Flags(32);

    /// Whether all bits of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    #[must_use]
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// One thing that happened: a call, a process life-cycle event, cputime, a snapshot row, a loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// What kind of thing.
    pub kind: Kind,
    /// When it was complete: nanoseconds since 1970-01-01 UTC.
    pub time: u64,
    /// How long it took, nanoseconds; `None` where that has no meaning or is unknown.
    pub duration: Option<u64>,
    /// The processor it completed on.
    pub cpu: u16,
    /// The thread, in the host's pid namespace.
    pub tid: u32,
    /// The thread's process (thread group), in the host's pid namespace.
    pub pid: u32,
    /// Return value; 0 for kinds without one.
    pub ret: i64,
    /// Facts about it.
    pub flags: Flags,
    /// Parameters, in the order of the kind's table entry.
    pub args: Args<'a>,
}

impl Default for Event<'_> {
    /// One that says nothing yet, to be filled in where it stands: an event is large, and moving one costs more than making it.
    #[inline]
    fn default() -> Self {
        Event {
            kind: Kind(0),
            time: 0,
            duration: None,
            cpu: 0,
            tid: 0,
            pid: 0,
            ret: 0,
            flags: Flags::default(),
            args: Args::new(),
        }
    }
}
