//! [`Unit`]: what a column's numbers mean, and how sysdig writes them.

/// What a column's numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub enum Unit {
    /// Plain numbers or text.
    #[default]
    None,
    /// Bytes: `832B`, `11.40KB`, `1.23M`.
    Bytes,
    /// Nanoseconds: `7.22us`, `302us`, `1.23s`.
    Duration,
    /// Hundredths: `0.25%`.
    Percent,
}

impl Unit {
    /// The unit of this name in a chisel file.
    pub fn of_name(name: &str) -> Option<Unit> {
        Unit::NAMES.iter().find(|(n, _)| *n == name).map(|(_, u)| *u)
    }

    /// Its name in chisel files and JSON.
    pub fn name(self) -> &'static str {
        Unit::NAMES.iter().find(|(_, u)| *u == self).map_or("none", |(n, _)| n)
    }

    /// Names in chisel files.
    pub const NAMES: &[(&'static str, Unit)] =
        &[("none", Unit::None), ("bytes", Unit::Bytes), ("duration", Unit::Duration), ("percent", Unit::Percent)];

    /// A number for people.
    pub(super) fn write(self, value: f64, whole: Option<i128>) -> String {
        if value < 0.0 && self != Unit::None {
            return format!("-{}", self.write(-value, None));
        }
        match self {
            Unit::None => whole.map_or_else(|| format!("{value:.2}"), |n| n.to_string()),
            Unit::Bytes => bytes(value),
            Unit::Duration => duration(value),
            Unit::Percent => format!("{value:.2}%"),
        }
    }
}

/// Steps of 1024, two decimals, and the next unit only *above* a step, as sysdig does.
fn bytes(value: f64) -> String {
    const STEPS: [(f64, &str); 5] = [
        (1_125_899_906_842_624.0, "P"),
        (1_099_511_627_776.0, "T"),
        (1_073_741_824.0, "G"),
        (1_048_576.0, "M"),
        (1024.0, "KB"),
    ];
    for (step, name) in STEPS {
        if value > step {
            return format!("{:.2}{name}", value / step);
        }
    }
    format!("{value:.0}B")
}

/// Nanoseconds, with two decimals below ten thousand of a unit's thousandths (`7.22us`) and none above (`302us`).
fn duration(value: f64) -> String {
    let (value, name) = match value {
        v if v >= 1e9 => return format!("{:.2}s", v / 1e9),
        v if v >= 1e6 => (v / 1e6, "ms"),
        v if v >= 1e3 => (v / 1e3, "us"),
        v => return format!("{v:.0}ns"),
    };
    // 9.999 would be written as 10.00.
    if value < 9.995 { format!("{value:.2}{name}") } else { format!("{value:.0}{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_up_a_unit_only_above_the_step() {
        for (n, want) in [
            (0.0, "0B"),
            (832.0, "832B"),
            (1024.0, "1024B"),
            (1025.0, "1.00KB"),
            (11_674.0, "11.40KB"),
            (1_289_749.0, "1.23M"),
            (3_221_225_472.0, "3.00G"),
        ] {
            assert_eq!(bytes(n), want);
        }
    }

    #[test]
    fn durations_keep_three_digits() {
        for (n, want) in [
            (0.0, "0ns"),
            (812.0, "812ns"),
            (7_220.0, "7.22us"),
            (302_000.0, "302us"),
            (6_060_000.0, "6.06ms"),
            (80_000_000.0, "80ms"),
            (9_998_000.0, "10ms"),
            (1_230_000_000.0, "1.23s"),
        ] {
            assert_eq!(duration(n), want);
        }
    }
}
