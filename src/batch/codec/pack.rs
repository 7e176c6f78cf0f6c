//! A column of integers as bytes: a tag chosen on a sample of the values, then what the tag says.

use super::distinct::{Distinct, MOST};
use super::planes;
use super::varint::{put, size, unzigzag, zigzag};

/// How a column's integers are stored; the first byte of every integer column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tag {
    /// One varint, the value of every row.
    Constant = 0,
    /// A count less one, a byte for each row, then as many varints as counted.
    Dictionary = 1,
    /// A varint for each row.
    Varint = 2,
    /// A varint for each row: the zigzag difference to the row before.
    Delta = 3,
    /// Width, base as a varint, then byte planes of the distance from the base.
    Planes = 4,
    /// As [`Tag::Planes`], but the lowest plane stands in the raw frame beside this one.
    SplitPlanes = 5,
    /// A varint for each row: 0 for 0, else the place relative to the largest value so far ([`distance`]).
    Distance = 6,
}

/// What the values of a column are, which decides the tags that are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Zigzag codes of signed numbers.
    Signed,
    /// Unsigned numbers.
    Unsigned,
    /// Row numbers of a dictionary, mostly near the newest.
    Rows,
}

/// Columns of at most this many rows are varints without a look at the values.
const SMALL: usize = 12;
/// Values looked at before choosing a tag.
const SAMPLE: usize = 256;
/// In blocks of this many neighbours.
const BLOCK: usize = 64;

/// What a sample says of a way to write a column.
struct Measure {
    bytes: usize,
    distinct: usize,
}

/// Scratch space of the packer, kept between columns.
#[derive(Default)]
pub(super) struct Packer {
    distances: Vec<u64>,
    sample: Vec<u64>,
    distinct: Distinct,
}

/// The code of a dictionary row against the newest row so far: 0 none, odd newer, even older.
#[inline]
pub(super) fn distance(newest: &mut u64, row: u64) -> u64 {
    if row == 0 {
        0
    } else if row > *newest {
        let code = (row - *newest) << 1 | 1;
        *newest = row;
        code
    } else {
        ((*newest - row) << 1) + 2
    }
}

impl Packer {
    /// Appends a column of codes; nothing for an empty one.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, codes: &[u64], nature: Nature) {
        let Some(&first) = codes.first() else { return };
        if codes.iter().all(|&c| c == first) {
            out.push(Tag::Constant as u8);
            put(out, first);
            return;
        }
        if codes.len() <= SMALL {
            return varints(out, Tag::Varint, codes);
        }
        let plain = self.measure(codes);
        let rows = plain.bytes.max(1);
        let looked_at = self.sample.len();
        if nature == Nature::Signed {
            let deltas = self.measure_deltas();
            if deltas.bytes * 5 < rows * 3 || deltas.bytes < rows && deltas.distinct * 4 < plain.distinct {
                return put_deltas(out, codes);
            }
        }
        if nature == Nature::Rows {
            self.fill_distances(codes);
            let distances = std::mem::take(&mut self.distances);
            let near = self.measure(&distances);
            if near.bytes + 2 * near.distinct < plain.bytes + 2 * plain.distinct {
                varints(out, Tag::Distance, &distances);
                self.distances = distances;
                return;
            }
            self.distances = distances;
        }
        if plain.bytes * 10 > looked_at * 13 && plain.distinct <= SAMPLE / 3 && self.put_dictionary(out, codes) {
            return;
        }
        if plain.bytes >= looked_at * 3 && plain.distinct * 4 > looked_at * 3 {
            return self.put_noise(out, None, codes);
        }
        varints(out, Tag::Varint, codes);
    }

    /// Appends a column whose low bytes are noise, as byte planes; a lowest plane that will not shrink goes to `low`.
    pub(super) fn put_noise(&mut self, out: &mut Vec<u8>, low: Option<&mut Vec<u8>>, codes: &[u64]) {
        let (Some(&base), Some(&max)) = (codes.iter().min(), codes.iter().max()) else { return };
        if base == max {
            out.push(Tag::Constant as u8);
            return put(out, base);
        }
        let width = planes::width(max - base);
        let split = low.filter(|_| self.lowest_plane_is_noise(codes));
        out.push(if split.is_some() { Tag::SplitPlanes } else { Tag::Planes } as u8);
        out.push(width as u8);
        put(out, base);
        let first = usize::from(split.is_some());
        if let Some(low) = split {
            planes::put(low, codes, base, 0);
        }
        (first..width).for_each(|plane| planes::put(out, codes, base, plane));
    }

    fn lowest_plane_is_noise(&mut self, codes: &[u64]) -> bool {
        self.take_sample(codes);
        let mut seen = [false; 256];
        self.sample.iter().for_each(|&c| seen[c as u8 as usize] = true);
        // 256 uniform bytes hit 162 values on average; half of that is less than a bit to win per byte.
        seen.iter().filter(|&&s| s).count() > 110
    }

    fn take_sample(&mut self, codes: &[u64]) {
        self.sample.clear();
        if codes.len() <= SAMPLE {
            self.sample.extend_from_slice(codes);
            return;
        }
        let blocks = SAMPLE / BLOCK;
        for b in 0..blocks {
            let start = (codes.len() - BLOCK) * b / (blocks - 1);
            self.sample.extend_from_slice(&codes[start..start + BLOCK]);
        }
    }

    fn measure(&mut self, codes: &[u64]) -> Measure {
        self.take_sample(codes);
        measure_of(&mut self.distinct, self.sample.iter().copied())
    }

    fn measure_deltas(&mut self) -> Measure {
        let values = self.sample.iter().map(|&c| unzigzag(c));
        let before = std::iter::once(0).chain(values.clone());
        measure_of(&mut self.distinct, values.zip(before).map(|(v, b)| zigzag(v.wrapping_sub(b))))
    }

    fn fill_distances(&mut self, codes: &[u64]) {
        let mut newest = 0;
        self.distances.clear();
        self.distances.extend(codes.iter().map(|&row| distance(&mut newest, row)));
    }

    /// Appends the column as a dictionary of at most 256 values; leaves `out` as it was and says so if there are more.
    fn put_dictionary(&mut self, out: &mut Vec<u8>, codes: &[u64]) -> bool {
        let start = out.len();
        let mut values: arrayvec::ArrayVec<u64, MOST> = arrayvec::ArrayVec::new();
        self.distinct.clear();
        out.extend_from_slice(&[Tag::Dictionary as u8, 0]);
        out.reserve(codes.len() + 64);
        let mut last = (codes.first().map_or(0, |c| !c), 0u8);
        for &code in codes {
            if code != last.0 {
                let Some((number, is_new)) = self.distinct.number(code) else {
                    out.truncate(start);
                    return false;
                };
                if is_new {
                    values.push(code);
                }
                last = (code, number);
            }
            out.push(last.1);
        }
        out[start + 1] = (values.len() - 1) as u8;
        // The values stand after the rows: they are known only then, and nothing has to be moved.
        values.iter().for_each(|&v| put(out, v));
        true
    }
}

/// Of at most [`SAMPLE`] codes.
fn measure_of(distinct: &mut Distinct, codes: impl Iterator<Item = u64>) -> Measure {
    let mut bytes = 0;
    distinct.clear();
    for code in codes {
        bytes += size(code);
        distinct.number(code);
    }
    Measure { bytes, distinct: distinct.count() }
}

fn varints(out: &mut Vec<u8>, tag: Tag, codes: &[u64]) {
    out.push(tag as u8);
    // Most columns have small values alone.
    if codes.iter().all(|&code| code < 0x80) {
        out.extend(codes.iter().map(|&code| code as u8));
        return;
    }
    out.reserve(codes.len() * 2);
    for &code in codes {
        put(out, code);
    }
}

fn put_deltas(out: &mut Vec<u8>, codes: &[u64]) {
    out.push(Tag::Delta as u8);
    let mut before = 0;
    for &code in codes {
        let value = unzigzag(code);
        put(out, zigzag(value.wrapping_sub(before)));
        before = value;
    }
}
