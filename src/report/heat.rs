//! A heat map in characters, for where there are no colours.

use super::{Heat, Unit};
use crate::value::write_time_of_day;

/// From one event on, each twice as dense: the last stands for everything above.
const SHADES: &[u8] = b".:-=+*%@#";

/// Characters of a row's time and the blank behind it.
const LABEL: usize = 14;

impl Heat {
    /// The shade of a bucket, from 0 (no event) on; logarithmic, so that few events are seen beside many. The darkest
    /// is for the fullest bucket of the map.
    pub fn shade(&self, count: u64, shades: usize) -> usize {
        let most = self.rows.iter().flatten().copied().max().unwrap_or(0);
        if count == 0 || shades == 0 {
            return 0;
        }
        // The number of bits grows as the logarithm does, and is the same everywhere.
        let bits = |n: u64| (u64::BITS - n.leading_zeros()) as usize;
        if bits(most) <= shades { bits(count) } else { (bits(count) * shades).div_ceil(bits(most)) }
    }

    /// Local time of day at which a row begins.
    pub fn time_of(&self, row: usize) -> String {
        let mut text = Vec::new();
        let time = self.start.saturating_add(self.step.saturating_mul(row as u64));
        write_time_of_day(&mut text, time, self.tz_offset_s, true);
        text.truncate(LABEL - 2);
        String::from_utf8(text).unwrap_or_default()
    }

    /// A bound as it is named on the axis.
    pub fn mark(&self, bound: usize) -> String {
        let value = self.bounds.get(bound).copied().unwrap_or(0);
        match self.unit {
            Unit::Duration if value >= 1_000_000_000 => format!("{}s", value / 1_000_000_000),
            Unit::Duration if value >= 1_000_000 => format!("{}ms", value / 1_000_000),
            Unit::Duration if value >= 1_000 => format!("{}us", value / 1_000),
            Unit::Duration => format!("{value}ns"),
            unit => unit.write(value as f64, Some(i128::from(value))),
        }
    }

    /// Appends a line for each row, and the axis below.
    pub(super) fn to_text(&self, out: &mut String) {
        if !self.title.is_empty() {
            out.push_str(&self.title);
            out.push('\n');
        }
        for (number, row) in self.rows.iter().enumerate() {
            let shade = |&count: &u64| match self.shade(count, SHADES.len()) {
                0 => ' ',
                n => char::from(SHADES[n.min(SHADES.len()) - 1]),
            };
            let drawn: String = row.iter().map(shade).collect();
            out.push_str(format!("{} |{drawn}", self.time_of(number)).trim_end());
            out.push('\n');
        }
        let mut axis = format!("{:<LABEL$}", self.value);
        for &bound in &self.marks {
            // A name that would run into the one before is left out.
            if axis.chars().count() <= LABEL + bound {
                axis = format!("{axis:<width$}|{}", self.mark(bound), width = LABEL + bound);
            }
        }
        out.push_str(axis.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_events_are_darker_and_the_axis_names_the_bounds() {
        let heat = Heat {
            start: 3_600_000_000_000,
            step: 500_000_000,
            value: "latency".to_owned(),
            bounds: vec![1, 10, 100, 1_000, 10_000],
            unit: Unit::Duration,
            marks: vec![0, 3],
            rows: vec![vec![0, 1, 3, 600], vec![0; 4]],
            ..Heat::default()
        };
        let mut text = String::new();
        heat.to_text(&mut text);
        let want = ["01:00:00.000 | .:#", "01:00:00.500 |", "latency       |1ns", ""];
        assert_eq!(text.lines().collect::<Vec<_>>(), want[..3].to_vec());
    }
}
