//! [`Moment`]: a time that somebody wrote, and which nanosecond of a recording it is.

use super::parse_duration;

const SECOND: u64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// A time as somebody wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nanoseconds since 1970 UTC: `2026-11-22T01:58:03Z`, `2026-11-22 01:58:03.5+01:00`.
    Utc(u64),
    /// The same where the recording was made: a date and time without `Z` or an offset.
    Local(u64),
    /// Nanoseconds since local midnight, `HH:MM[:SS[.n]]`: the first time the recording meets it.
    TimeOfDay(u64),
    /// Nanoseconds after the start: `+30s`.
    AfterStart(u64),
    /// Nanoseconds before the end: `-30s`.
    BeforeEnd(u64),
}

impl Moment {
    /// What can be written, for messages.
    pub const FORMS: &'static str =
        "`2026-11-22T01:58:03Z`, `01:58:03`, `+30s` (after the start) or `-30s` (before the end)";

    /// Reads a moment; `None` where the text is none.
    pub fn parse(text: &str) -> Option<Moment> {
        if let Some(rest) = text.strip_prefix('+') {
            return duration(rest).map(Moment::AfterStart);
        }
        if let Some(rest) = text.strip_prefix('-') {
            return duration(rest).map(Moment::BeforeEnd);
        }
        if text.as_bytes().get(2) == Some(&b':') {
            return time_of_day(text).map(Moment::TimeOfDay);
        }
        let (date, time) = text.split_once(['T', ' '])?;
        let (time, offset) = offset(time)?;
        let seconds = days(date)?.checked_mul(DAY_S)?.checked_sub(offset.unwrap_or(0))?;
        let ns = u64::try_from(seconds).ok()?.checked_mul(SECOND)?.checked_add(time_of_day(time)?)?;
        Some(if offset.is_some() { Moment::Utc(ns) } else { Moment::Local(ns) })
    }

    /// The nanosecond (UTC) of a recording from `start` to `end` (ns UTC), made where `tz_offset_s` is added to UTC.
    pub fn in_recording(self, start: u64, end: u64, tz_offset_s: i32) -> u64 {
        let to_utc = |local: u64| local.saturating_add_signed(-i64::from(tz_offset_s) * SECOND as i64);
        match self {
            Moment::Utc(ns) => ns,
            Moment::Local(ns) => to_utc(ns),
            Moment::AfterStart(ns) => start.saturating_add(ns),
            Moment::BeforeEnd(ns) => end.saturating_sub(ns),
            Moment::TimeOfDay(ns) => {
                let day = DAY_S as u64 * SECOND;
                let local = start.saturating_add_signed(i64::from(tz_offset_s) * SECOND as i64);
                let on_first_day = to_utc(local / day * day + ns);
                if on_first_day < start && on_first_day.saturating_add(day) <= end {
                    on_first_day + day
                } else {
                    on_first_day
                }
            }
        }
    }
}

/// A whole number of digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.fraction`, as nanoseconds.
fn time_of_day(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let hour = number(parts.next()?).filter(|&h| h < 24)?;
    let minute = number(parts.next()?).filter(|&m| m < 60)?;
    let seconds = parts.next().unwrap_or("0");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let second = number(second).filter(|&s| s < 60)?;
    if parts.next().is_some() || fraction.len() > 9 {
        return None;
    }
    let ns = number(fraction)? * 10u64.pow(9 - fraction.len() as u32);
    Some((hour * 3600 + minute * 60 + second) * SECOND + ns)
}

/// A time, and the seconds by which its zone is ahead of UTC if it names one: `Z`, `+01:00`, `-0330`.
fn offset(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, Some(0)));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, None)) };
    let digits: String = time[at + 1..].chars().filter(|&c| c != ':').collect();
    let (hours, minutes) = (number(digits.get(..2)?)?, if digits.len() == 2 { 0 } else { number(digits.get(2..4)?)? });
    if digits.len() > 4 || hours > 14 || minutes > 59 {
        return None;
    }
    let seconds = (hours * 3600 + minutes * 60) as i64;
    Some((&time[..at], Some(if time[at..].starts_with('-') { -seconds } else { seconds })))
}

/// Days from 1970-01-01 to a `YYYY-MM-DD` (proleptic Gregorian calendar).
fn days(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-');
    let mut next = || number(parts.next()?).map(|n| n as i64);
    let (year, month, day) = (next()?, next()?, next()?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=2553).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // Years begin on 1 March here, so that the leap day is a year's last day.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (y / 400, y % 400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * m + 2) / 5 + day - 1;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// `30s`, `1.5s`, `200ms`, `5m`, `2h`, in nanoseconds; a number alone is seconds.
fn duration(text: &str) -> Option<u64> {
    let ns = parse_duration(text).or_else(|| parse_duration(&format!("{text}s")))?;
    u64::try_from(ns).ok().filter(|&ns| ns < 9_000_000_000_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_534_507_200 * SECOND; // 2018-08-17T12:00:00Z

    #[test]
    fn moments_are_read_in_every_form() {
        for (text, want) in [
            ("2018-08-17T12:00:00Z", Some(Moment::Utc(NOON))),
            ("2018-08-17T14:00:00+02:00", Some(Moment::Utc(NOON))),
            ("2018-08-17 08:30:00.5-0330", Some(Moment::Utc(NOON + SECOND / 2))),
            ("2018-08-17 12:00", Some(Moment::Local(NOON))),
            ("1970-01-01T00:00:00.000000001Z", Some(Moment::Utc(1))),
            ("2000-02-29T00:00:00Z", Some(Moment::Utc(951_782_400 * SECOND))),
            ("01:02:03.25", Some(Moment::TimeOfDay(3723 * SECOND + SECOND / 4))),
            ("01:02", Some(Moment::TimeOfDay(3720 * SECOND))),
            ("+30s", Some(Moment::AfterStart(30 * SECOND))),
            ("+1.5", Some(Moment::AfterStart(3 * SECOND / 2))),
            ("-200ms", Some(Moment::BeforeEnd(SECOND / 5))),
            ("+2h", Some(Moment::AfterStart(7200 * SECOND))),
            ("2018-02-30T00:00:00Z", None),
            ("2018-13-01T00:00:00Z", None),
            ("2018-08-17T24:00:00Z", None),
            ("2018-08-17T12:00:00+99:00", None),
            ("12:61", None),
            ("+5x", None),
            ("+", None),
            ("now", None),
            ("", None),
            ("9999-01-01T00:00:00Z", None),
        ] {
            assert_eq!(Moment::parse(text), want, "{text}");
        }
    }

    #[test]
    fn a_time_of_day_is_the_first_that_the_recording_meets() {
        let at = |text: &str, end: u64, offset: i32| Moment::parse(text).unwrap().in_recording(NOON, end, offset);
        let hour = 3600 * SECOND;
        assert_eq!(at("12:30", NOON + hour, 0), NOON + hour / 2);
        assert_eq!(at("14:30", NOON + hour, 7200), NOON + hour / 2);
        assert_eq!(at("01:00", NOON + 20 * hour, 0), NOON + 13 * hour, "the day after");
        assert_eq!(at("01:00", NOON + hour, 0), NOON - 11 * hour, "never met");
        assert_eq!(at("2018-08-17 14:00", NOON, 7200), NOON);
        assert_eq!(at("-1h", NOON + 3 * hour, 0), NOON + 2 * hour);
    }
}
