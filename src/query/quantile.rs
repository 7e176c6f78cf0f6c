//! Buckets for quantiles: fine enough that the middle of each is within 2 % of all numbers in it.

/// Buckets between two powers of two.
const PARTS: u32 = 5;

/// The bucket of a number; numbers below 0 count as 0.
pub(super) fn bucket(number: i64) -> u16 {
    let number = number.max(0) as u64;
    let bits = u64::BITS - number.leading_zeros();
    if bits <= PARTS {
        return number as u16;
    }
    let shift = bits - 1 - PARTS;
    let part = (number >> shift) as u16 & ((1 << PARTS) - 1);
    (((shift + 1) as u16) << PARTS) + part
}

/// The number in the middle of a bucket.
pub(super) fn middle(bucket: u16) -> i64 {
    let (shift, part) = (u32::from(bucket >> PARTS), u64::from(bucket & ((1 << PARTS) - 1)));
    if shift == 0 {
        return part as i64;
    }
    let shift = (shift - 1).min(62 - PARTS);
    let low = ((1 << PARTS) + part) << shift;
    i64::try_from(low + (1u64 << shift) / 2).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{bucket, middle};

    #[test]
    fn the_middle_of_a_bucket_is_near_all_of_its_numbers() {
        let mut last = 0;
        for number in
            (0..2000).chain((11..63).flat_map(|bits| [(1i64 << bits) - 1, 1 << bits, (1 << bits) + (1 << (bits - 2))]))
        {
            let found = middle(bucket(number));
            assert!((found - number).unsigned_abs() as f64 <= number as f64 * 0.02 + 0.5, "{number} {found}");
            assert!(bucket(number) >= last || number < 2000, "{number}");
            last = bucket(number);
        }
        assert_eq!((bucket(-5), middle(bucket(0))), (0, 0));
        assert!(middle(u16::MAX) > 0 && middle(bucket(i64::MAX)) > i64::MAX / 100 * 98);
    }
}
