//! Which dictionary rows a batch uses, without hashing them: an array by row number, stamped per batch.

use std::collections::BTreeMap;

/// Rows above this are kept in a map, so that a wild number costs no gigabytes.
const DENSE: usize = 1 << 21;

/// Local numbers of dictionary rows in order of first occurrence.
#[derive(Default)]
pub(super) struct Numbering {
    stamp: u32,
    dense: Vec<(u32, u16)>,
    sparse: BTreeMap<u32, u16>,
    rows: Vec<u32>,
    /// The row asked for last: a thread's events, and those on a descriptor, come in runs.
    last: Option<(u32, u16)>,
}

impl Numbering {
    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.sparse.clear();
        self.last = None;
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp <= 1 {
            self.dense.clear();
            self.stamp = 1;
        }
    }

    /// The local number of a row, a new one if it was not met before; modulo 65,536.
    #[inline]
    pub(super) fn number(&mut self, row: u32) -> u16 {
        match self.last {
            Some((last, number)) if last == row => number,
            _ => {
                let number = self.find(row);
                self.last = Some((row, number));
                number
            }
        }
    }

    fn find(&mut self, row: u32) -> u16 {
        let next = self.rows.len() as u16;
        let index = row as usize;
        if index >= DENSE {
            return *self.sparse.entry(row).or_insert_with(|| {
                self.rows.push(row);
                next
            });
        }
        if index >= self.dense.len() {
            self.dense.resize((index + 1).next_power_of_two(), (0, 0));
        }
        let slot = &mut self.dense[index];
        if slot.0 != self.stamp {
            *slot = (self.stamp, next);
            self.rows.push(row);
        }
        slot.1
    }

    /// The rows met, in order of first occurrence.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }
}
