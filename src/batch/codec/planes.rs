//! Byte planes: all lowest bytes of a column, then all second bytes, … so that noise stands apart from what repeats.

use super::Fault;

/// Bytes that hold `range`.
pub(super) fn width(range: u64) -> usize {
    (64 - range.leading_zeros() as usize).div_ceil(8)
}

/// Appends plane number `plane` of `codes - base`.
pub(super) fn put(out: &mut Vec<u8>, codes: &[u64], base: u64, plane: usize) {
    let shift = 8 * plane as u32;
    out.extend(codes.iter().map(|&code| (code.wrapping_sub(base) >> shift) as u8));
}

/// Calls `each` with every value, in one pass. `low` holds the lowest plane if the others stand apart from it.
pub(super) fn each(
    low: Option<&[u8]>,
    rest: &[u8],
    rows: usize,
    width: usize,
    base: u64,
    each: impl FnMut(u64),
) -> Result<(), Fault> {
    let mut planes: [&[u8]; 8] = [&[]; 8];
    let stored = low.into_iter().chain(rest.chunks_exact(rows.max(1)));
    let total = low.map_or(0, <[u8]>::len) + rest.len();
    if width > 8 || total != width * rows || low.is_some_and(|l| l.len() != rows) {
        return Err(Fault::new(format!("{width} planes of {rows} bytes"), format!("{total} bytes")));
    }
    planes.iter_mut().zip(stored).for_each(|(slot, plane)| *slot = plane);
    match width {
        0 => std::iter::repeat_n(base, rows).for_each(each),
        1 => join::<1>(&planes, rows, base, each),
        2 => join::<2>(&planes, rows, base, each),
        3 => join::<3>(&planes, rows, base, each),
        4 => join::<4>(&planes, rows, base, each),
        5 => join::<5>(&planes, rows, base, each),
        6 => join::<6>(&planes, rows, base, each),
        7 => join::<7>(&planes, rows, base, each),
        _ => join::<8>(&planes, rows, base, each),
    }
    Ok(())
}

#[inline]
fn join<const WIDTH: usize>(planes: &[&[u8]; 8], rows: usize, base: u64, mut each: impl FnMut(u64)) {
    let planes: [&[u8]; WIDTH] = std::array::from_fn(|k| &planes[k][..rows]);
    for i in 0..rows {
        let mut value = 0;
        for (k, plane) in planes.iter().enumerate() {
            value |= u64::from(plane[i]) << (8 * k);
        }
        each(base.wrapping_add(value));
    }
}
