//! [`Zone`]: what local time is, where that changes over a year.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Rules are written out up to this year; behind it the last offset holds.
const LAST_YEAR_S: i64 = 4_102_444_800; // 2100-01-01

/// Why a text names no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown time zone `{name}`\nhelp: a name of the system's time zone database (Europe/Berlin), an offset (+02:00), UTC or local"
)]
pub struct ZoneError {
    /// What was written.
    pub name: String,
}

/// The offsets of a place from 1970 to 2100.
#[derive(Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    /// From which second since 1970 UTC on which offset holds, seconds; ascending.
    steps: Vec<(i64, i32)>,
}

impl Zone {
    /// The zone of a name: of the IANA database as the system has it, `local` as the system is set, an offset such as
    /// `+02:00`, or `UTC`. Kept for the life of the program, once for each name.
    ///
    /// # Errors
    /// No zone has this name here.
    pub fn find(name: &str) -> Result<&'static Zone, ZoneError> {
        static KNOWN: LazyLock<Mutex<Vec<&'static Zone>>> = LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = known.iter().find(|zone| zone.name == name) {
            return Ok(zone);
        }
        let zone = Zone::read(name).ok_or_else(|| ZoneError { name: name.to_owned() })?;
        let zone: &'static Zone = Box::leak(Box::new(zone));
        known.push(zone);
        Ok(zone)
    }

    fn read(name: &str) -> Option<Zone> {
        let of = match name {
            "UTC" | "utc" | "Z" | "z" => TimeZone::UTC,
            "local" => TimeZone::try_system().ok()?,
            name if name.starts_with(['+', '-']) => TimeZone::fixed(Offset::from_seconds(fixed(name)?).ok()?),
            name => TimeZone::get(name).ok()?,
        };
        let mut steps = vec![(i64::MIN, of.to_offset(Timestamp::UNIX_EPOCH).seconds())];
        let later = of.following(Timestamp::UNIX_EPOCH).take_while(|t| t.timestamp().as_second() < LAST_YEAR_S);
        steps.extend(later.map(|t| (t.timestamp().as_second(), t.offset().seconds())));
        Some(Zone { name: name.to_owned(), steps })
    }

    /// What is added to UTC at a moment (ns UTC), seconds.
    pub fn offset_s(&self, time: u64) -> i32 {
        let second = (time / 1_000_000_000) as i64;
        let after = self.steps.partition_point(|&(from, _)| from <= second);
        self.steps.get(after.wrapping_sub(1)).map_or(0, |&(_, offset)| offset)
    }
}

/// Seconds of `+02`, `+02:00` or `-0330`.
fn fixed(text: &str) -> Option<i32> {
    let digits: String = text[1..].chars().filter(|&c| c != ':').collect();
    let is_number = digits.bytes().all(|b| b.is_ascii_digit());
    let (hours, minutes): (i32, i32) = match digits.len() {
        1 | 2 if is_number => (digits.parse().ok()?, 0),
        4 if is_number => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    let seconds = hours * 3600 + minutes * 60;
    (hours <= 14 && minutes < 60).then_some(if text.starts_with('-') { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_as_they_are_written() {
        for (name, want) in [("UTC", 0), ("+02:00", 7200), ("-0330", -12_600), ("+5", 18_000)] {
            assert_eq!(Zone::find(name).unwrap().offset_s(1_534_507_200_000_000_000), want, "{name}");
        }
        for name in ["+99:00", "+1x", "-", "Nowhere/Atall", "", "+02:99"] {
            assert!(Zone::find(name).is_err(), "{name}");
        }
        assert!(std::ptr::eq(Zone::find("UTC").unwrap(), Zone::find("UTC").unwrap()));
    }

    #[test]
    fn a_place_has_summers_and_winters_in_the_past_and_the_future() {
        let Ok(berlin) = Zone::find("Europe/Berlin") else {
            assert!(!std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists());
            return;
        };
        for (second, want) in [
            (1_529_064_000, 7200), // 2018-06-15
            (1_544_875_200, 3600), // 2018-12-15
            (1_711_846_799, 3600), // 2024-03-31 00:59:59 UTC
            (1_711_846_800, 7200), // 2024-03-31 01:00:00 UTC
            (2_065_521_600, 7200), // 2035-06-15
        ] {
            assert_eq!(berlin.offset_s(second * 1_000_000_000), want, "{second}");
        }
    }
}
