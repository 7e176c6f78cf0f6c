//! Integers as text without `format!`: a line of output holds a dozen of them.

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// Decimal digits of a number.
#[inline]
fn digits(n: u64) -> usize {
    n.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Appends a number in decimal.
#[inline]
pub fn write_u64(out: &mut Vec<u8>, mut n: u64) {
    if n < 10 {
        return out.push(b'0' + n as u8);
    }
    // The digits begin at the front, and so many bytes as a number can have are copied: that is no call.
    let mut text = [0u8; 24];
    let (length, end) = (digits(n), out.len());
    let mut at = length;
    while n >= 100 {
        let pair = (n % 100) as usize * 2;
        n /= 100;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if n >= 10 {
        text[..2].copy_from_slice(&PAIRS[n as usize * 2..n as usize * 2 + 2]);
    } else {
        text[0] = b'0' + n as u8;
    }
    out.extend_from_slice(&text);
    out.truncate(end + length);
}

/// Appends a signed number in decimal.
pub fn write_i64(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    write_u64(out, n.unsigned_abs());
}

/// Appends a number in decimal with leading zeros up to `width` digits (at most 20).
pub fn write_padded(out: &mut Vec<u8>, mut n: u64, width: usize) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    while n > 0 && at >= 2 {
        let pair = (n % 100) as usize * 2;
        n /= 100;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    out.extend_from_slice(&text[text.len() - width.min(text.len())..]);
}

fn write_radix(out: &mut Vec<u8>, mut n: u64, bits: u32) {
    let length = (u64::BITS - n.leading_zeros()).div_ceil(bits).max(1) as usize;
    let (mut text, end) = ([0u8; 24], out.len());
    for at in (0..length).rev() {
        text[at] = b"0123456789ABCDEF"[(n & ((1 << bits) - 1)) as usize];
        n >>= bits;
    }
    out.extend_from_slice(&text);
    out.truncate(end + length);
}

/// The nine digits of a number below 10⁹ with leading zeros.
#[inline]
pub(super) fn nine_digits(n: u32) -> [u8; 9] {
    let (high, low) = (n / 10_000, n % 10_000);
    let mut text = [b'0' + (high / 10_000) as u8; 9];
    for (at, pair) in [(1, high / 100 % 100), (3, high % 100), (5, low / 100), (7, low % 100)] {
        let pair = pair as usize * 2;
        text[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    text
}

/// Appends a number in upper-case hexadecimal without a prefix.
pub fn write_hex(out: &mut Vec<u8>, n: u64) {
    write_radix(out, n, 4);
}

/// Appends a number in octal: a leading 0, and 0 itself as one digit.
pub fn write_oct(out: &mut Vec<u8>, n: u64) {
    if n != 0 {
        out.push(b'0');
    }
    write_radix(out, n, 3);
}

/// Appends a quotient with all digits that it has as a double, as JSON has numbers.
pub fn write_ratio(out: &mut Vec<u8>, sum: i64, of: u64) {
    use std::io::Write;
    // Writing into a vector cannot fail.
    let _ = write!(out, "{}", sum as f64 / of.max(1) as f64);
}

/// Appends a quotient with one digit behind the point, rounded, as lines have it.
pub fn write_ratio_short(out: &mut Vec<u8>, sum: i64, of: u64) {
    let of = u128::from(of.max(1));
    let tenths = (u128::from(sum.unsigned_abs()) * 10 + of / 2) / of;
    if sum < 0 && tenths > 0 {
        out.push(b'-');
    }
    write_u64(out, u64::try_from(tenths / 10).unwrap_or(u64::MAX));
    out.extend_from_slice(&[b'.', b'0' + (tenths % 10) as u8]);
}

/// Appends an address.
pub fn write_ip(out: &mut Vec<u8>, ip: std::net::IpAddr) {
    match ip {
        std::net::IpAddr::V4(ip) => {
            for (n, octet) in ip.octets().into_iter().enumerate() {
                if n > 0 {
                    out.push(b'.');
                }
                write_u64(out, u64::from(octet));
            }
        }
        std::net::IpAddr::V6(ip) => {
            use std::io::Write;
            // Writing into a vector cannot fail.
            let _ = write!(out, "{ip}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(f: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        f(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        for n in [0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 123_456_789, u64::MAX] {
            assert_eq!(text(|o| write_u64(o, n)), n.to_string());
            assert_eq!(text(|o| write_hex(o, n)), format!("{n:X}"));
        }
        for n in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(text(|o| write_i64(o, n)), n.to_string());
        }
        for (sum, of, short, long) in [
            (0, 7, "0.0", "0"),
            (300, 1024, "0.3", "0.29296875"),
            (-1, 2, "-0.5", "-0.5"),
            (-1, 100, "0.0", "-0.01"),
            (1999, 20, "100.0", "99.95"),
            (5, 1, "5.0", "5"),
        ] {
            assert_eq!(
                (text(|o| write_ratio_short(o, sum, of)), text(|o| write_ratio(o, sum, of))),
                (short.into(), long.into())
            );
        }
        assert_eq!(text(|o| write_oct(o, 0)), "0");
        assert_eq!(text(|o| write_oct(o, 0o644)), "0644");
        for (n, width, want) in [
            (42, 9, "000000042"),
            (0, 2, "00"),
            (7, 1, "7"),
            (u64::MAX, 20, "18446744073709551615"),
            (12_345, 3, "345"),
        ] {
            assert_eq!(text(|o| write_padded(o, n, width)), want);
        }
        for n in [0, 1, 42, 99_999, 100_000, 123_456_789, 999_999_999] {
            assert_eq!(nine_digits(n).to_vec(), format!("{n:09}").into_bytes());
        }
        for n in (0..64).map(|bit| 1u64 << bit) {
            assert_eq!(text(|o| write_u64(o, n)), n.to_string());
            assert_eq!(text(|o| write_hex(o, n)), format!("{n:X}"));
            assert_eq!(text(|o| write_oct(o, n)), format!("0{n:o}"));
        }
    }
}
