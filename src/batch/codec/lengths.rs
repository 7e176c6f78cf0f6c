//! Lengths of data: mostly the return value, cut at the snap length, so only the exceptions are stored.
//!
//! Mode 0: a packed column of the lengths. Mode 1: cap, number of exceptions, and for each the distance to the one
//! before and its length, all varints.

use super::Fault;
use super::pack::{Nature, Packer};
use super::varint::{put, take};

#[inline]
fn predicted(ret: i64, cap: u32) -> u32 {
    ret.clamp(0, i64::from(cap)) as u32
}

/// Appends the lengths; `ret` is empty or has as many rows.
pub(super) fn put_lengths(out: &mut Vec<u8>, packer: &mut Packer, codes: &mut Vec<u64>, lengths: &[u32], ret: &[i64]) {
    let cap = lengths.iter().copied().max().unwrap_or(0);
    let wrong = |&(&length, &ret): &(&u32, &i64)| length != predicted(ret, cap);
    let exceptions = lengths.iter().zip(ret).filter(wrong).count();
    if lengths.is_empty() {
        return;
    }
    if ret.len() != lengths.len() || exceptions > lengths.len() / 4 {
        out.push(0);
        codes.clear();
        codes.extend(lengths.iter().map(|&l| u64::from(l)));
        return packer.put(out, codes, Nature::Unsigned);
    }
    out.push(1);
    put(out, u64::from(cap));
    put(out, exceptions as u64);
    let mut next = 0;
    for (i, pair) in lengths.iter().zip(ret).enumerate().filter(|(_, pair)| wrong(pair)) {
        put(out, (i - next) as u64);
        put(out, u64::from(*pair.0));
        next = i + 1;
    }
}

/// The lengths of `rows` rows; `ret` is called where they were predicted by return values.
pub(super) fn take_lengths<E: From<Fault>>(
    bytes: &[u8],
    rows: usize,
    ret: impl FnOnce() -> Result<Vec<i64>, E>,
) -> Result<Vec<u32>, E> {
    let Some((&mode, mut rest)) = bytes.split_first() else {
        return Err(Fault::new("lengths", "nothing").into());
    };
    match mode {
        0 => Ok(super::unpack::unpack(rest, &[], rows)?),
        1 => {
            let cap = next(&mut rest)?;
            let mut lengths: Vec<u32> = ret()?.iter().map(|&r| predicted(r, cap)).collect();
            if lengths.len() != rows {
                return Err(Fault::new(format!("{rows} return values"), format!("{}", lengths.len())).into());
            }
            except(&mut lengths, &mut rest)?;
            Ok(lengths)
        }
        other => Err(Fault::new("lengths of mode 0 or 1", format!("mode {other}")).into()),
    }
}

fn next(rest: &mut &[u8]) -> Result<u32, Fault> {
    take(rest).and_then(|v| u32::try_from(v).ok()).ok_or_else(|| Fault::new("a varint of 32 bits", "none"))
}

fn except(lengths: &mut [u32], rest: &mut &[u8]) -> Result<(), Fault> {
    let count = next(rest)?;
    let mut at = 0usize;
    for _ in 0..count {
        at += next(rest)? as usize;
        let rows = lengths.len();
        let Some(slot) = lengths.get_mut(at) else {
            return Err(Fault::new(format!("an exception below row {rows}"), format!("row {at}")));
        };
        *slot = next(rest)?;
        at += 1;
    }
    if rest.is_empty() { Ok(()) } else { Err(Fault::new("the end", format!("{} bytes more", rest.len()))) }
}
