//! Run lengths as bytes: width of a value (1 or 2), number of runs (u32), the values, the lengths less one.

use super::Fault;
use crate::batch::Runs;

/// Appends `runs`; values take a byte each if all fit one.
pub(super) fn put(out: &mut Vec<u8>, runs: &Runs) {
    let wide = runs.values.iter().any(|&v| v > 0xff);
    out.push(1 + u8::from(wide));
    out.extend_from_slice(&(runs.values.len() as u32).to_le_bytes());
    if wide {
        out.extend(runs.values.iter().flat_map(|v| v.to_le_bytes()));
    } else {
        out.extend(runs.values.iter().map(|&v| v as u8));
    }
    out.extend_from_slice(&runs.lengths);
}

/// The runs, which must cover exactly `rows` rows.
pub(super) fn take(bytes: &[u8], rows: usize) -> Result<Runs, Fault> {
    let Some((&[width, a, b, c, d], rest)) = bytes.split_first_chunk::<5>() else {
        return Err(Fault::new("5 bytes of run header", format!("{}", bytes.len())));
    };
    let count = u32::from_le_bytes([a, b, c, d]) as usize;
    if !(1..=2).contains(&width) || count > rows || rest.len() != count * (usize::from(width) + 1) {
        let found = format!("{count} runs of width {width} in {} bytes", rest.len());
        return Err(Fault::new(format!("at most {rows} runs of width 1 or 2"), found));
    }
    let (values, lengths) = rest.split_at(count * usize::from(width));
    let values = if width == 1 {
        values.iter().map(|&v| u16::from(v)).collect()
    } else {
        values.chunks_exact(2).map(|v| u16::from_le_bytes([v[0], v[1]])).collect()
    };
    let runs = Runs { values, lengths: lengths.to_vec() };
    let total: usize = runs.lengths.iter().map(|&l| usize::from(l) + 1).sum();
    if total == rows { Ok(runs) } else { Err(Fault::new(format!("runs of {rows} rows"), format!("{total} rows"))) }
}
