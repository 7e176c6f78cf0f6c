//! The inverse of `pack`: a column's bytes as values.

use super::pack::Tag;
use super::varint::{take, take_all, unzigzag, zigzag};
use super::{Fault, planes};

/// A type of value that a column decodes to.
pub(super) trait Element: Copy {
    /// The largest code that is a value.
    const MAX: u64;
    /// The value of a code not above the maximum.
    fn of(code: u64) -> Self;
}

impl Element for u8 {
    const MAX: u64 = u8::MAX as u64;
    #[inline]
    fn of(code: u64) -> u8 {
        code as u8
    }
}

impl Element for u32 {
    const MAX: u64 = u32::MAX as u64;
    #[inline]
    fn of(code: u64) -> u32 {
        code as u32
    }
}

impl Element for u64 {
    const MAX: u64 = u64::MAX;
    #[inline]
    fn of(code: u64) -> u64 {
        code
    }
}

impl Element for i64 {
    const MAX: u64 = u64::MAX;
    #[inline]
    fn of(code: u64) -> i64 {
        unzigzag(code)
    }
}

/// The values of a column of `rows` rows. `low` is its lowest plane if that stands apart.
pub(super) fn unpack<T: Element>(bytes: &[u8], low: &[u8], rows: usize) -> Result<Vec<T>, Fault> {
    if let Some((&tag, rest)) = bytes.split_first()
        && tag == Tag::Dictionary as u8
    {
        return by_index(rest, rows);
    }
    let mut out = vec![T::of(0); rows];
    // All codes or-ed together: one check at the end instead of one per value.
    let mut all = 0;
    fill(bytes, low, &mut out, |code| {
        all |= code;
        T::of(code)
    })?;
    fits::<T>(all)?;
    Ok(out)
}

fn fits<T: Element>(all: u64) -> Result<(), Fault> {
    if all > T::MAX {
        return Err(Fault::new(format!("values up to {}", T::MAX), format!("bits {all:#x}")));
    }
    Ok(())
}

/// Values that stand behind indices of a byte each.
fn by_index<T: Element>(bytes: &[u8], rows: usize) -> Result<Vec<T>, Fault> {
    let (indices, codes) = indices(bytes, rows)?;
    // Which codes rows have is asked only where one of them is no value.
    if codes.iter().any(|&code| code > T::MAX) {
        let mut used = [false; 256];
        for &i in indices {
            used[usize::from(i)] = true;
        }
        fits::<T>(codes.iter().zip(used).fold(0, |all, (code, used)| if used { all | code } else { all }))?;
    }
    let values = codes.map(T::of);
    Ok(indices.iter().map(|&i| values[usize::from(i)]).collect())
}

/// Writes what `value` makes of the code of each row; it is called in the order of the rows.
pub(super) fn fill<T: Copy>(
    bytes: &[u8],
    low: &[u8],
    out: &mut [T],
    mut value: impl FnMut(u64) -> T,
) -> Result<(), Fault> {
    let Some((&tag, mut rest)) = bytes.split_first() else {
        return Err(Fault::new(format!("a column of {} rows", out.len()), "nothing"));
    };
    match tag {
        t if t == Tag::Constant as u8 => {
            let code = one(&mut rest)?;
            nothing_more(rest)?;
            out.fill_with(|| value(code));
            Ok(())
        }
        t if t == Tag::Dictionary as u8 => {
            let (indices, codes) = indices(rest, out.len())?;
            for (slot, &i) in out.iter_mut().zip(indices) {
                *slot = value(codes[usize::from(i)]);
            }
            Ok(())
        }
        t if t == Tag::Varint as u8 => take_all(rest, out, value),
        t if t == Tag::Delta as u8 => {
            let mut sum = 0i64;
            take_all(rest, out, |code| {
                sum = sum.wrapping_add(unzigzag(code));
                value(zigzag(sum))
            })
        }
        t if t == Tag::Distance as u8 => {
            let mut newest = 0u64;
            take_all(rest, out, |code| value(row_at(&mut newest, code)))
        }
        t if t == Tag::Planes as u8 || t == Tag::SplitPlanes as u8 => {
            let (&width, mut rest) = rest.split_first().ok_or_else(|| Fault::new("a width", "the end"))?;
            let base = one(&mut rest)?;
            let low = (t == Tag::SplitPlanes as u8).then_some(low);
            planes::fill(low, rest, usize::from(width), base, out, value)
        }
        other => Err(Fault::new("an encoding known to this version (0–6)", format!("encoding {other}"))),
    }
}

/// The row that a code of [`Tag::Distance`] means; too large a one for codes that mean none.
#[inline]
fn row_at(newest: &mut u64, code: u64) -> u64 {
    if code == 0 {
        0
    } else if code & 1 == 1 {
        *newest = newest.saturating_add(code >> 1);
        *newest
    } else {
        newest.checked_sub((code >> 1) - 1).unwrap_or(u64::MAX)
    }
}

fn one(rest: &mut &[u8]) -> Result<u64, Fault> {
    take(rest).ok_or_else(|| Fault::new("a varint", "no whole one"))
}

fn nothing_more(rest: &[u8]) -> Result<(), Fault> {
    if rest.is_empty() { Ok(()) } else { Err(Fault::new("the column's end", format!("{} bytes more", rest.len()))) }
}

/// The indices of rows, and the codes that they stand for.
fn indices(bytes: &[u8], rows: usize) -> Result<(&[u8], [u64; 256]), Fault> {
    let (&last, rest) = bytes.split_first().ok_or_else(|| Fault::new("a count", "the end"))?;
    let Some((indices, mut rest)) = rest.split_at_checked(rows) else {
        return Err(Fault::new(format!("{rows} indices"), format!("{} bytes", rest.len())));
    };
    let mut values = [0u64; 256];
    for value in values.iter_mut().take(usize::from(last) + 1) {
        *value = one(&mut rest)?;
    }
    nothing_more(rest)?;
    let max = indices.iter().fold(0, |max, &i| i.max(max));
    if max > last {
        return Err(Fault::new(format!("indices up to {last}"), format!("index {max}")));
    }
    Ok((indices, values))
}
