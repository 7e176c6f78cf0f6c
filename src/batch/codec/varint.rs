//! Integers in seven-bit groups, least significant first, the high bit set on all but the last byte (LEB128).

use super::Fault;

/// The most bytes of one varint.
const MAX_BYTES: usize = 10;

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Appends `value`.
#[inline]
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a value from the front of `bytes`; `None` where they end too early or it does not fit 64 bits.
#[inline]
pub fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (i, &byte) in bytes.iter().enumerate().take(MAX_BYTES) {
        let group = u64::from(byte & 0x7f);
        if i == MAX_BYTES - 1 && byte > 1 {
            return None;
        }
        value |= group << (7 * i);
        if byte < 0x80 {
            *bytes = &bytes[i + 1..];
            return Some(value);
        }
    }
    None
}

/// Bytes that `value` takes.
#[inline]
pub(super) fn size(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Signed to unsigned, small magnitudes first.
#[inline]
pub fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// The inverse of [`zigzag`].
#[inline]
pub fn unzigzag(code: u64) -> i64 {
    (code >> 1) as i64 ^ -((code & 1) as i64)
}

/// Squeezes the high bit out of each of eight bytes.
#[inline]
fn squeeze(word: u64) -> u64 {
    let x = word & !HIGH_BITS;
    let x = x & 0x007f_007f_007f_007f | (x & 0x7f00_7f00_7f00_7f00) >> 1;
    let x = x & 0x0000_3fff_0000_3fff | (x & 0x3fff_0000_3fff_0000) >> 2;
    x & 0x0fff_ffff | (x & 0x0fff_ffff_0000_0000) >> 4
}

/// Writes what `value` makes of the values in `bytes`, of which there must be as many as `out` has room for.
#[inline]
pub(super) fn take_all<T>(bytes: &[u8], out: &mut [T], mut value: impl FnMut(u64) -> T) -> Result<(), Fault> {
    let count = out.len();
    let (mut rest, mut left) = (bytes, out);
    while let (Some(head), Some(slots)) = (rest.first_chunk::<8>(), left.first_chunk_mut::<8>()) {
        let word = u64::from_le_bytes(*head);
        let mut stops = !word & HIGH_BITS;
        let (mut ended, mut start) = (8, 64);
        if stops == HIGH_BITS {
            for (slot, &byte) in slots.iter_mut().zip(head) {
                *slot = value(u64::from(byte));
            }
        } else if stops == 0 {
            break;
        } else {
            // As many as end in these eight bytes: what stands behind them is loaded once for all of them.
            (ended, start) = (stops.count_ones() as usize, 0);
            for slot in &mut slots[..ended] {
                let end = stops.trailing_zeros() + 1;
                *slot = value(squeeze((word & (u64::MAX >> (64 - end))) >> start));
                start = end;
                stops &= stops - 1;
            }
        }
        rest = &rest[start as usize / 8..];
        left = &mut std::mem::take(&mut left)[ended..];
    }
    while let Some((slot, behind)) = std::mem::take(&mut left).split_first_mut() {
        let fewer = || Fault::new(format!("{count} varints"), "fewer, or one of more than 64 bits");
        *slot = value(take(&mut rest).ok_or_else(fewer)?);
        left = behind;
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(Fault::new(format!("{count} varints"), format!("{} bytes more", rest.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [u64; 12] =
        [0, 1, 127, 128, 16_383, 16_384, 1 << 28, (1 << 49) - 1, 1 << 55, 1 << 56, 1 << 63, u64::MAX];

    #[test]
    fn values_come_back_and_take_as_many_bytes_as_said() {
        for value in EDGES {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            assert_eq!(bytes.len(), size(value), "{value}");
            assert_eq!(take(&mut bytes.as_slice()), Some(value));
        }
    }

    #[test]
    fn runs_of_mixed_lengths_come_back() {
        for repeat in 1..20 {
            let values: Vec<u64> = EDGES.iter().flat_map(|&v| std::iter::repeat_n(v, repeat)).collect();
            let mut bytes = Vec::new();
            for &value in &values {
                put(&mut bytes, value);
            }
            let mut back = vec![7; values.len()];
            take_all(&bytes, &mut back, |v| v).unwrap();
            assert_eq!(back, values);
            assert!(take_all(&bytes, &mut back[1..], |v| v).is_err());
            back.push(0);
            assert!(take_all(&bytes, &mut back, |v| v).is_err());
        }
    }

    #[test]
    fn a_value_past_64_bits_is_refused() {
        assert_eq!(take(&mut [0xff; 10].as_slice()), None);
        assert!(take_all(&[0xff; 12], &mut [0], |v| v).is_err());
    }

    #[test]
    fn zigzag_is_its_own_way_back() {
        for value in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }
}
