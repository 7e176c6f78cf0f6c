//! Numbers over time as a line of characters each.

use super::{Line, Series};

/// From nothing to the most.
const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Columns where no terminal says how many there are.
const WIDTH: usize = 100;

/// The most columns of names.
const NAME: usize = 24;

/// A line's points as characters, each the sum of some neighbours; the tallest is the largest of them.
pub fn sparkline(points: &[i64], together: usize) -> String {
    let sums: Vec<i128> =
        points.chunks(together.max(1)).map(|points| points.iter().map(|n| i128::from(*n).max(0)).sum()).collect();
    let most = sums.iter().copied().max().unwrap_or(0).max(1);
    let level = |n: i128| if n == 0 { 0 } else { 1 + (n * 7 / most) as usize };
    sums.iter().map(|n| LEVELS[level(*n).min(8)]).collect()
}

impl Series {
    /// Appends a line for each of its lines: name, characters, the largest number.
    pub(super) fn to_text(&self, out: &mut String, width: Option<usize>) {
        let shown = |line: &Line| -> String {
            let name = super::escape(line.name.as_bytes()).into_owned();
            name.chars().take(NAME).collect()
        };
        let names: Vec<String> = self.lines.iter().map(shown).collect();
        let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let room = width.unwrap_or(WIDTH).saturating_sub(wide + 18).max(10);
        let count = self.lines.iter().map(|line| line.points.len()).max().unwrap_or(0);
        let together = count.div_ceil(room).max(1);
        for (name, line) in names.iter().zip(&self.lines) {
            let blanks = wide - name.chars().count();
            let drawn = sparkline(&line.points, together);
            let most = line.points.iter().copied().max().unwrap_or(0);
            let most = line.unit.write(most as f64, Some(i128::from(most)));
            out.push_str(&format!("{name}{:blanks$} |{drawn}| most {most}\n", ""));
        }
        let step = super::Unit::Duration.write(self.step.saturating_mul(together as u64) as f64, None);
        out.push_str(&format!("each character: {step}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn the_tallest_is_the_largest_and_nothing_is_blank() {
        assert_eq!(sparkline(&[0, 1, 50, 100], 1), " ▁▄█");
        assert_eq!(sparkline(&[0, 0, 1, 1, 2, 2, i64::MIN, 0], 2), " ▄█ ");
        assert_eq!(sparkline(&[i64::MAX, i64::MAX], 2), "█");
        assert_eq!(sparkline(&[], 0), "");
    }
}
