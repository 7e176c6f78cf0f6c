//! Lengths of data: mostly the return value, cut at the snap length, so only the exceptions are stored.
//!
//! Mode 2: how many shares, each as varints (rows since the one before, own bytes before it, zigzag distance of its start from the end
//! of the one before, length), then as mode 0. Mode 0: a packed column of the lengths. Mode 1: cap, number of exceptions, and for each the distance to the one
//! before and its length, all varints.

use super::Fault;
use super::pack::{Nature, Packer};
use super::varint::{put, take, unzigzag, zigzag};
use crate::batch::{DataColumn, Share};

#[inline]
fn predicted(ret: i64, cap: u32) -> u32 {
    ret.clamp(0, i64::from(cap)) as u32
}

/// Appends the lengths and shares of a column; `ret` is empty or has as many rows.
pub(super) fn put_lengths(
    out: &mut Vec<u8>,
    packer: &mut Packer,
    codes: &mut Vec<u64>,
    column: &DataColumn,
    ret: &[i64],
) {
    let lengths = &column.lengths;
    let cap = lengths.iter().copied().max().unwrap_or(0);
    let wrong = |&(&length, &ret): &(&u32, &i64)| length != predicted(ret, cap);
    let exceptions = lengths.iter().zip(ret).filter(wrong).count();
    if lengths.is_empty() {
        return;
    }
    let is_shared = !column.shares.is_empty();
    if is_shared || ret.len() != lengths.len() || exceptions > lengths.len() / 4 {
        out.push(if is_shared { 2 } else { 0 });
        if is_shared {
            put_shares(out, &column.shares);
        }
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

fn put_shares(out: &mut Vec<u8>, shares: &[Share]) {
    put(out, shares.len() as u64);
    let (mut row, mut end) = (0, 0);
    for share in shares {
        put(out, u64::from(share.row - row));
        put(out, u64::from(share.before));
        put(out, zigzag(i64::from(share.start) - end));
        put(out, u64::from(share.length));
        (row, end) = (share.row, i64::from(share.start) + i64::from(share.length));
    }
}

fn take_shares(rest: &mut &[u8]) -> Result<Vec<Share>, Fault> {
    let count = next(rest)? as usize;
    // Each takes four bytes at least.
    if count > rest.len() / 4 {
        return Err(Fault::new(format!("at most {} shares", rest.len() / 4), format!("{count}")));
    }
    let mut shares = Vec::with_capacity(count);
    let (mut row, mut end) = (0u32, 0i64);
    for _ in 0..count {
        row = row.saturating_add(next(rest)?);
        let before = next(rest)?;
        let step = take(rest).ok_or_else(|| Fault::new("a varint", "none"))?;
        let start = u32::try_from(end.saturating_add(unzigzag(step)));
        let start = start.map_err(|_| Fault::new("a place of 32 bits", "another"))?;
        let length = next(rest)?;
        end = i64::from(start) + i64::from(length);
        shares.push(Share { row, before, start, length });
    }
    Ok(shares)
}

/// The lengths and shares of `rows` rows; `ret` is called where they were predicted by return values.
pub(super) fn take_lengths<E: From<Fault>>(
    bytes: &[u8],
    rows: usize,
    ret: impl FnOnce() -> Result<Vec<i64>, E>,
) -> Result<(Vec<u32>, Vec<Share>), E> {
    let Some((&mode, mut rest)) = bytes.split_first() else {
        return Err(Fault::new("lengths", "nothing").into());
    };
    match mode {
        0 => Ok((super::unpack::unpack(rest, &[], rows)?, Vec::new())),
        2 => {
            let shares = take_shares(&mut rest)?;
            Ok((super::unpack::unpack(rest, &[], rows)?, shares))
        }
        1 => {
            let cap = next(&mut rest)?;
            let mut lengths: Vec<u32> = ret()?.iter().map(|&r| predicted(r, cap)).collect();
            if lengths.len() != rows {
                return Err(Fault::new(format!("{rows} return values"), format!("{}", lengths.len())).into());
            }
            except(&mut lengths, &mut rest)?;
            Ok((lengths, Vec::new()))
        }
        other => Err(Fault::new("lengths of mode 0, 1 or 2", format!("mode {other}")).into()),
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
