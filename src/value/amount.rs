//! Amounts with units: `10ms`, `64KiB`.

/// Units of time in nanoseconds.
const TIMES: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Units of data in bytes; those of 1,024 have an `i`.
const SIZES: &[(&str, i128)] = &[
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Nanoseconds of `1.5s`, `10ms`, `3us`, `2m` (or `2min`), `1h` or `7d`, counted exactly; `None` where it is none.
pub fn parse_duration(text: &str) -> Option<i128> {
    scaled(text, TIMES)
}

/// Bytes of `64KiB`, `1.5MiB` or `2GB` (of 1,000 each, as the letters say); `None` where it is none.
pub fn parse_size(text: &str) -> Option<i128> {
    scaled(text, SIZES)
}

/// A decimal number with one of some units; what is left of a fraction is cut.
fn scaled(text: &str, units: &[(&str, i128)]) -> Option<i128> {
    let (number, unit) = units.iter().find_map(|(name, worth)| Some((text.strip_suffix(name)?, *worth)))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |t: &str| t.len() <= 18 && t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || number.ends_with('.') {
        return None;
    }
    let part = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<i128>().ok()? * unit / 10_i128.pow(fraction.len() as u32)
    };
    Some(whole.parse::<i128>().ok()?.checked_mul(unit)? + part)
}
