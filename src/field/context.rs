//! [`Context`]: what an answer depends on besides the event.

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
}

/// How bytes of data are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BufferFormat {
    /// A dot for each byte that is not printable ASCII.
    #[default]
    Dots,
    /// Two digits a byte.
    Hex,
    /// Base64 with padding.
    Base64,
    /// As they are; only if the user asked for it.
    Raw,
}

/// What an answer depends on besides the event: facts of the capture and of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Time of the capture's first event, ns UTC (`evt.reltime`).
    pub start: u64,
    /// What is added to UTC for local time, seconds.
    pub tz_offset_s: i32,
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
}

impl Default for Context {
    fn default() -> Self {
        Context {
            start: 0,
            tz_offset_s: 0,
            time_format: TimeFormat::default(),
            buffer: BufferFormat::default(),
            buffer_limit: 80,
            raw_text: false,
            prev_time: 0,
        }
    }
}
