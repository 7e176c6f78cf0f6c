//! Times as the API server writes them: RFC 3339, UTC, microseconds.

use crate::value::{Moment, write_date, write_padded, write_time_of_day};

/// Length of `2026-11-21T21:22:15.278764Z`.
pub(super) const LENGTH: usize = 27;

/// Reads times; the day that was read last is remembered.
#[derive(Debug, Default)]
pub(super) struct Clock {
    day: [u8; 10],
    start: u64,
}

impl Clock {
    /// Nanoseconds since 1970 UTC, and whether [`write_stamp`] writes the same text.
    pub(super) fn read(&mut self, text: &[u8]) -> Option<(u64, bool)> {
        if text.len() != LENGTH || text[10] != b'T' || text[19] != b'.' || text[26] != b'Z' {
            return other(text).map(|time| (time, false));
        }
        if text[..10] != self.day {
            let date = std::str::from_utf8(&text[..10]).ok()?;
            let Some(Moment::Utc(start)) = Moment::parse(&format!("{date}T00:00:00Z")) else { return None };
            self.day.copy_from_slice(&text[..10]);
            self.start = start;
        }
        let (hour, minute, second) = (two(text, 11)?, two(text, 14)?, two(text, 17)?);
        if text[13] != b':' || text[16] != b':' || hour > 23 || minute > 59 || second > 59 {
            return other(text).map(|time| (time, false));
        }
        let micros = two(text, 20)? * 10_000 + two(text, 22)? * 100 + two(text, 24)?;
        let ns = ((hour * 60 + minute) * 60 + second) * 1_000_000_000 + micros * 1000;
        self.start.checked_add(ns).map(|time| (time, true))
    }
}

fn other(text: &[u8]) -> Option<u64> {
    match Moment::parse(std::str::from_utf8(text).ok()?)? {
        Moment::Utc(time) => Some(time),
        _ => None,
    }
}

fn two(text: &[u8], at: usize) -> Option<u64> {
    let digit = |b: u8| b.is_ascii_digit().then(|| u64::from(b - b'0'));
    Some(digit(text[at])? * 10 + digit(text[at + 1])?)
}

/// Appends a time (ns UTC).
pub(super) fn write_stamp(out: &mut Vec<u8>, time: u64) {
    write_date(out, time, 0);
    out.push(b'T');
    write_time_of_day(out, time, 0, false);
    out.push(b'.');
    write_padded(out, time / 1000 % 1_000_000, 6);
    out.push(b'Z');
}
