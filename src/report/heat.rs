//! A heat map in the characters of a terminal, with colours or without.

use super::{Heat, Unit};
use crate::value::{write_date, write_time_of_day};

/// From one event on, each twice as dense: the last stands for everything above.
const SHADES: &[u8] = b".:-=+*%@#";

/// From one event on, in the 256 colours of xterm: from a dark blue over red to a light yellow, each lighter than the one
/// before, so that they are told apart without seeing hues, too.
const COLOURS: &[u8] = &[17, 18, 54, 90, 126, 162, 198, 203, 209, 215, 221, 228];

/// Back to the terminal's own colours (ECMA-48 SGR).
const PLAIN: &str = "\x1b[0m";

/// Characters of a row's time and the blank behind it.
const LABEL: usize = 14;

/// ns.
const HOUR: u64 = 3_600_000_000_000;

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

    /// Local time of day at which a row begins, or its date if it lasts a day or longer.
    pub fn time_of(&self, row: usize) -> String {
        let mut text = Vec::new();
        let time = self.start.saturating_add(self.step.saturating_mul(row as u64));
        if self.step >= 24 * HOUR {
            write_date(&mut text, time, self.tz_offset_s);
            text.resize(LABEL - 2, b' ');
        } else {
            write_time_of_day(&mut text, time, self.tz_offset_s, true);
        }
        text.truncate(LABEL - 2);
        String::from_utf8(text).unwrap_or_default()
    }

    /// A bound as it is named on the axis.
    pub fn mark(&self, bound: usize) -> String {
        let value = self.bounds.get(bound).copied().unwrap_or(0);
        match self.unit {
            Unit::Duration if value >= HOUR && value % HOUR == 0 => format!("{}h", value / HOUR),
            Unit::Duration if value >= 1_000_000_000 => format!("{}s", value / 1_000_000_000),
            Unit::Duration if value >= 1_000_000 => format!("{}ms", value / 1_000_000),
            Unit::Duration if value >= 1_000 => format!("{}us", value / 1_000),
            Unit::Duration => format!("{value}ns"),
            unit => unit.write(value as f64, Some(i128::from(value))),
        }
    }

    /// Appends the buckets of a row as blanks on a background.
    fn paint(&self, row: &[u64], out: &mut String) {
        let most = self.rows.iter().flatten().copied().max().unwrap_or(0);
        let bits = |n: u64| (u64::BITS - n.leading_zeros()) as usize;
        // The lightest is for the fullest bucket, as the key below says.
        let colour = |&count: &u64| {
            let shade = (bits(count) * COLOURS.len()).div_ceil(bits(most).max(1));
            shade.checked_sub(1).and_then(|shade| COLOURS.get(shade))
        };
        // Neighbours of a colour share its sequence, and nothing stands behind the last event.
        let end = row.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1);
        let mut last = None;
        for count in row.iter().take(end) {
            let next = colour(count);
            if next != last {
                match next {
                    Some(colour) => out.push_str(&format!("\x1b[48;5;{colour}m")),
                    None => out.push_str(PLAIN),
                }
                last = next;
            }
            out.push(' ');
        }
        if last.is_some() {
            out.push_str(PLAIN);
        }
    }

    /// Appends which colour stands for how many events.
    fn key(&self, out: &mut String) {
        let most = self.rows.iter().flatten().copied().max().unwrap_or(0);
        if most == 0 {
            return;
        }
        out.push_str(&format!("{:<LABEL$}1 ", "events"));
        for colour in COLOURS {
            out.push_str(&format!("\x1b[48;5;{colour}m "));
        }
        out.push_str(&format!("{PLAIN} {most}\n"));
    }

    /// Appends a line for each row, and the axis below.
    pub(super) fn to_text(&self, out: &mut String, coloured: bool) {
        if !self.title.is_empty() {
            out.push_str(&self.title);
            out.push('\n');
        }
        for (number, row) in self.rows.iter().enumerate() {
            let shade = |&count: &u64| match self.shade(count, SHADES.len()) {
                0 => ' ',
                n => char::from(SHADES[n.min(SHADES.len()) - 1]),
            };
            if coloured {
                out.push_str(&format!("{} |", self.time_of(number)));
                self.paint(row, out);
            } else {
                let drawn: String = row.iter().map(shade).collect();
                out.push_str(format!("{} |{drawn}", self.time_of(number)).trim_end());
            }
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
        if coloured {
            self.key(out);
        }
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
        heat.to_text(&mut text, false);
        let want = ["01:00:00.000 | .:#", "01:00:00.500 |", "latency       |1ns", ""];
        assert_eq!(text.lines().collect::<Vec<_>>(), want[..3].to_vec());
    }
    #[test]
    fn colours_are_set_where_they_change_and_taken_back_at_the_end() {
        let heat = Heat {
            step: 1_000_000_000,
            value: "latency".to_owned(),
            bounds: vec![1, 10, 100, 1_000, 10_000, 100_000],
            rows: vec![vec![0, 1, 1, 0, 4_000], vec![0; 5]],
            ..Heat::default()
        };
        let mut text = String::new();
        heat.to_text(&mut text, true);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "00:00:00.000 | \x1b[48;5;17m  \x1b[0m \x1b[48;5;228m \x1b[0m");
        assert_eq!(lines[1], "00:00:01.000 |");
        assert!(
            lines[3].starts_with("events        1 \x1b[48;5;17m ") && lines[3].ends_with("\x1b[0m 4000"),
            "{lines:?}"
        );
    }
}
