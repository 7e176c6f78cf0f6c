//! A batch without the rows that a recording filter does not want.

use super::{Columns, DataColumn, Table};

impl Columns {
    /// Keeps the rows for which `keep` (one entry per row) is true, in their order and with their numbers.
    pub fn retain_numbered(&mut self, keep: &[bool]) {
        self.nums = self.numbers();
        self.retain(keep);
        self.first_num = self.nums.first().copied().unwrap_or(self.first_num);
        if self.nums.iter().zip(self.first_num..).all(|(&num, next)| num == next) {
            self.nums.clear();
        }
    }

    /// Keeps the rows for which `keep` (one entry per row) is true; their order stays. Numbers are given anew, unless
    /// each row has its own.
    pub fn retain(&mut self, keep: &[bool]) {
        let mut by_table = vec![Vec::new(); self.tables.len()];
        for (&kind, &keep) in self.kind.iter().zip(keep) {
            by_table[usize::from(kind)].push(keep);
        }
        let kept: Vec<bool> = by_table.iter().map(|rows| rows.contains(&true)).collect();
        let mut next = 0u8;
        let local: Vec<u8> = kept
            .iter()
            .map(|&kept| {
                next = next.wrapping_add(u8::from(kept));
                next.wrapping_sub(1)
            })
            .collect();
        for kind in &mut self.kind {
            *kind = local[usize::from(*kind)];
        }
        filter(&mut self.kind, keep);
        filter(&mut self.time, keep);
        filter(&mut self.cpu, keep);
        filter(&mut self.thread, keep);
        filter(&mut self.nums, keep);
        for (table, keep) in self.tables.iter_mut().zip(&by_table) {
            table.retain(keep);
        }
        let mut index = 0;
        self.tables.retain(|_| {
            index += 1;
            kept[index - 1]
        });
    }
}

fn filter<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut index = 0;
    values.retain(|_| {
        index += 1;
        keep.get(index - 1).copied().unwrap_or(false)
    });
}

impl Table {
    fn retain(&mut self, keep: &[bool]) {
        filter(&mut self.ret, keep);
        filter(&mut self.duration, keep);
        filter(&mut self.desc, keep);
        filter(&mut self.flags, keep);
        filter(&mut self.missing, keep);
        self.ints.iter_mut().for_each(|column| filter(column, keep));
        self.texts.iter_mut().for_each(|column| filter(column, keep));
        self.data.iter_mut().for_each(|column| column.retain(keep));
    }
}

impl DataColumn {
    fn retain(&mut self, keep: &[bool]) {
        *self = std::mem::take(self).spread();
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut start = 0;
        for (&length, &keep) in self.lengths.iter().zip(keep) {
            let end = start + length as usize;
            if keep {
                bytes.extend_from_slice(&self.bytes[start..end]);
            }
            start = end;
        }
        self.bytes = bytes;
        filter(&mut self.lengths, keep);
    }
}
