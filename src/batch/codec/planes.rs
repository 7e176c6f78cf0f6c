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

/// Writes what `value` makes of every code, in one pass. `low` holds the lowest plane if the others stand apart from it.
pub(super) fn fill<T: Copy>(
    low: Option<&[u8]>,
    rest: &[u8],
    width: usize,
    base: u64,
    out: &mut [T],
    mut value: impl FnMut(u64) -> T,
) -> Result<(), Fault> {
    let rows = out.len();
    let mut planes: [&[u8]; 8] = [&[]; 8];
    let stored = low.into_iter().chain(rest.chunks_exact(rows.max(1)));
    let total = low.map_or(0, <[u8]>::len) + rest.len();
    if width > 8 || total != width * rows || low.is_some_and(|l| l.len() != rows) {
        return Err(Fault::new(format!("{width} planes of {rows} bytes"), format!("{total} bytes")));
    }
    planes.iter_mut().zip(stored).for_each(|(slot, plane)| *slot = plane);
    match width {
        0 => out.fill_with(|| value(base)),
        1 => join::<1, T>(&planes, base, out, value),
        2 => join::<2, T>(&planes, base, out, value),
        3 => join::<3, T>(&planes, base, out, value),
        4 => join::<4, T>(&planes, base, out, value),
        5 => join::<5, T>(&planes, base, out, value),
        6 => join::<6, T>(&planes, base, out, value),
        7 => join::<7, T>(&planes, base, out, value),
        _ => join::<8, T>(&planes, base, out, value),
    }
    Ok(())
}

#[inline]
fn join<const WIDTH: usize, T>(planes: &[&[u8]; 8], base: u64, out: &mut [T], mut value: impl FnMut(u64) -> T) {
    let rows = out.len();
    let planes: [&[u8]; WIDTH] = std::array::from_fn(|k| &planes[k][..rows]);
    for (i, slot) in out.iter_mut().enumerate() {
        let mut code = 0;
        for (k, plane) in planes.iter().enumerate() {
            code |= u64::from(plane[i]) << (8 * k);
        }
        *slot = value(base.wrapping_add(code));
    }
}
