//! [`Context`]: what an answer depends on besides the event.

use crate::value::{Places, Services, Zone};
use crate::world::Dict;

/// How a time is written (`-t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// `h`: time of day.
    #[default]
    TimeOfDay,
    /// `a`: seconds since 1970 UTC.
    Absolute,
    /// `r`: seconds since the first event of the capture.
    Relative,
    /// `d`: seconds since the call was entered.
    Delta,
    /// `D`: seconds since the line printed before.
    DeltaPrinted,
    /// `u`: date and time in UTC, ISO 8601.
    Utc,
}

/// How bytes of data are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BufferFormat {
    /// A dot for each byte that is not printable ASCII.
    #[default]
    Dots,
    /// Two digits a byte.
    Hex,
    /// Rows of 16 bytes behind their offset, each on a line of its own, as sysdig's `-x`.
    HexDump,
    /// The same with the printable characters behind each row, as sysdig's `-X`.
    HexAsciiDump,
    /// What is printable, on lines of its own, as sysdig's `-A`: CR LF ends a line, other bytes are left out.
    Ascii,
    /// Base64 with padding.
    Base64,
    /// As they are; only if the user asked for it.
    Raw,
}

/// What an answer depends on besides the event: facts of the capture and of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub struct Context {
    /// Time of the capture's first event, ns UTC (`evt.reltime`).
    pub start: u64,
    /// What is added to UTC for local time, seconds, where no zone is given.
    pub tz_offset_s: i32,
    /// The zone of local times, if it is not that of the recording.
    pub zone: Option<&'static Zone>,
    /// How `evt.outputtime` is written.
    pub time_format: TimeFormat,
    /// How buffers are written.
    pub buffer: BufferFormat,
    /// The most bytes of a buffer in `evt.args`; `usize::MAX` for all.
    pub buffer_limit: usize,
    /// Text goes out as it is; only if the user asked for it.
    pub raw_text: bool,
    /// Time of the line printed before, ns UTC; 0 for the first.
    pub prev_time: u64,
    /// Names of services by their ports, where they are to be shown instead.
    pub ports: Option<&'static Services>,
    /// What is known of addresses, where databases are given.
    pub places: Option<&'static Places>,
    /// Whether each call has a line of its beginning, too.
    pub entries: bool,
    /// Where they have: beginnings before this moment are told elsewhere, ns UTC. `None`: those before all of the batch.
    pub entries_from: Option<u64>,
    /// Whether the line is about the moment at which the call began, not about its return.
    pub at_entry: bool,
    /// Whether a line says of a missing value that it was not recorded, where that is why.
    pub tells_unrecorded: bool,
}

impl Context {
    /// Before rows are asked that refer to a dictionary: lets it tell the places of addresses.
    pub fn enter(&self, dict: &Dict) {
        if let Some(places) = self.places {
            dict.locate(places);
        }
    }

    /// What is added to UTC for local time at a moment (ns UTC), seconds.
    #[inline]
    pub fn offset_s(&self, time: u64) -> i32 {
        self.zone.map_or(self.tz_offset_s, |zone| zone.offset_s(time))
    }

    /// The same for filters, whose answers do not depend on how something is shown.
    #[must_use]
    pub fn of_filter(&self) -> Context {
        let plain = Context::default();
        Context { buffer: plain.buffer, buffer_limit: plain.buffer_limit, ports: None, ..*self }
    }
}

impl Default for Context {
    fn default() -> Self {
        Context {
            start: 0,
            tz_offset_s: 0,
            zone: None,
            time_format: TimeFormat::default(),
            buffer: BufferFormat::default(),
            buffer_limit: 80,
            raw_text: false,
            prev_time: 0,
            ports: None,
            places: None,
            entries: false,
            entries_from: None,
            at_entry: false,
            tells_unrecorded: false,
        }
    }
}
