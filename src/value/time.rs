//! Moments as text. Times are nanoseconds since 1970-01-01 UTC, shifted by a fixed offset.

use super::number::nine_digits;
use super::{write_padded, write_u64};

const DAY: i64 = 86_400;
const SECOND: u64 = 1_000_000_000;

/// Year, month and day of a number of days since 1970-01-01 (proleptic Gregorian calendar).
fn civil(days: i64) -> (i64, u64, u64) {
    // Count in 400-year eras that start on 1 March, so that the leap day is a year's last day.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month as u64, day as u64)
}

fn local(time: u64, offset_s: i32) -> (i64, u64, u64) {
    let seconds = (time / 1_000_000_000) as i64 + i64::from(offset_s);
    (seconds.div_euclid(DAY), seconds.rem_euclid(DAY) as u64, time % 1_000_000_000)
}

/// Appends `HH:MM:SS`, with `.nnnnnnnnn` if `nanos`.
pub fn write_time_of_day(out: &mut Vec<u8>, time: u64, offset_s: i32, nanos: bool) {
    let (_, second, ns) = local(time, offset_s);
    write_padded(out, second / 3600, 2);
    out.push(b':');
    write_padded(out, second / 60 % 60, 2);
    out.push(b':');
    write_padded(out, second % 60, 2);
    if nanos {
        out.push(b'.');
        write_padded(out, ns, 9);
    }
}

/// Appends times of day that follow each other: what is the same within a second is made once.
#[derive(Debug, Clone)]
pub struct Clock {
    /// First nanosecond of the second.
    from: u64,
    text: [u8; 18],
}

impl Default for Clock {
    fn default() -> Self {
        // No second begins there.
        Clock { from: 1, text: [b'.'; 18] }
    }
}

impl Clock {
    /// Appends `HH:MM:SS.nnnnnnnnn`; `offset_s` tells what is added to UTC at a moment, seconds.
    #[inline]
    pub fn write(&mut self, out: &mut Vec<u8>, time: u64, offset_s: impl FnOnce(u64) -> i32) {
        if time < self.from || time - self.from >= SECOND || self.from == 1 {
            self.turn(time, offset_s(time));
        }
        self.text[9..].copy_from_slice(&nine_digits((time - self.from) as u32));
        out.extend_from_slice(&self.text);
    }

    #[cold]
    fn turn(&mut self, time: u64, offset_s: i32) {
        let mut text = Vec::with_capacity(8);
        write_time_of_day(&mut text, time, offset_s, false);
        self.text[..8].copy_from_slice(&text);
        self.from = time - time % SECOND;
    }
}

/// Appends `YYYY-MM-DD`.
pub fn write_date(out: &mut Vec<u8>, time: u64, offset_s: i32) {
    let (year, month, day) = civil(local(time, offset_s).0);
    if year < 1000 {
        write_u64(out, year.unsigned_abs());
    } else {
        write_padded(out, year as u64, 4);
    }
    out.push(b'-');
    write_padded(out, month, 2);
    out.push(b'-');
    write_padded(out, day, 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (time, offset, want) in [
            (0, 0, "1970-01-01 00:00:00.000000000"),
            (951_782_399_000_000_001, 0, "2000-02-28 23:59:59.000000001"),
            (951_782_400_000_000_000, 0, "2000-02-29 00:00:00.000000000"),
            (951_868_800_000_000_000, 0, "2000-03-01 00:00:00.000000000"),
            (1_534_527_348_514_632_619, 7200, "2018-08-17 19:35:48.514632619"),
            (0, -3600, "1969-12-31 23:00:00.000000000"),
            (u64::MAX, 0, "2554-07-21 23:34:33.709551615"),
        ] {
            let mut out = Vec::new();
            write_date(&mut out, time, offset);
            out.push(b' ');
            write_time_of_day(&mut out, time, offset, true);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }

    #[test]
    fn a_clock_says_what_single_times_say() {
        let mut clock = Clock::default();
        for time in
            [0, 1, 999_999_999, SECOND, 5 * SECOND + 7, 4 * SECOND + 999_999_999, u64::MAX, 3, u64::MAX - SECOND]
        {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            clock.write(&mut one, time, |_| 3600);
            write_time_of_day(&mut other, time, 3600, true);
            assert_eq!(one, other, "{time}");
        }
    }
}
