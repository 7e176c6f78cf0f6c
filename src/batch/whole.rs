//! Batches as plain columns again, and several as one.

use super::share::Sharer;
use super::{Batch, Columns, DataColumn, Error, KindInfo, MAX_KINDS, MAX_ROWS, Schema, Table};
use crate::event::{Class, ParamType};

/// Bytes of data up to which batches are put together.
const MOST_DATA: usize = 32 << 20;

impl Batch {
    /// All its columns.
    pub fn columns(&self) -> Result<Columns, Error> {
        let head = self.head();
        let row = |local: u16| head.threads.get(usize::from(local)).copied().unwrap_or(0);
        let runs = self.thread()?.iter();
        let thread = runs.flat_map(|(local, length)| std::iter::repeat_n(row(local), length)).collect();
        Ok(Columns {
            first_num: head.first_num,
            nums: self.nums()?.to_vec(),
            snapshot: head.snapshot,
            time: self.time()?.to_vec(),
            cpu: self.cpu()?.to_vec(),
            thread,
            kind: self.kind()?.to_vec(),
            tables: (0..head.kinds.len()).map(|kind| self.table(kind)).collect::<Result<_, _>>()?,
        })
    }

    fn table(&self, kind: usize) -> Result<Table, Error> {
        let info = self.kind_info(kind);
        let slots = |class| 0..info.count(class);
        Ok(Table {
            kind: self.head().kinds[kind].kind,
            ret: self.ret(kind)?.to_vec(),
            duration: self.duration(kind)?.to_vec(),
            desc: self.desc(kind)?.to_vec(),
            flags: self.flags(kind)?.to_vec(),
            missing: self.missing(kind)?.to_vec(),
            ints: slots(Class::Int).map(|slot| self.int(kind, slot).map(<[_]>::to_vec)).collect::<Result<_, _>>()?,
            texts: slots(Class::Text).map(|slot| self.text(kind, slot).map(<[_]>::to_vec)).collect::<Result<_, _>>()?,
            data: slots(Class::Data).map(|slot| self.data_column(kind, slot)).collect::<Result<_, _>>()?,
        })
    }

    fn data_column(&self, kind: usize, slot: usize) -> Result<DataColumn, Error> {
        let run = self.data_run(kind, slot)?;
        let mut start = 0;
        let lengths = run.ends.iter().map(|&end| end - std::mem::replace(&mut start, end)).collect();
        Ok(DataColumn { lengths, bytes: run.bytes.to_vec(), shares: Vec::new() })
    }
}

impl Columns {
    /// The number of each row.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let first = self.first_num;
        if self.nums.is_empty() { (first..).take(self.rows()).collect() } else { self.nums.clone() }
    }

    /// Appends the rows of a batch of the same segment, which come next. Gives it back where both are too large for one, and
    /// where it begins before these rows end: readers put batches in order of time, not the rows of one.
    #[expect(clippy::result_large_err, reason = "what does not fit is the next batch")]
    pub fn append(&mut self, other: Columns) -> Result<(), Columns> {
        let is_new = |table: &&Table| self.tables.iter().all(|own| own.kind != table.kind);
        let kinds = self.tables.len() + other.tables.iter().filter(is_new).count();
        let data =
            |columns: &Columns| -> usize { columns.tables.iter().flat_map(|t| &t.data).map(|d| d.bytes.len()).sum() };
        let is_much = self.rows() + other.rows() > MAX_ROWS || data(self) + data(&other) > MOST_DATA;
        let is_before = !self.snapshot && other.time.iter().min() < self.time.iter().max();
        if is_much || is_before || kinds > MAX_KINDS || self.snapshot != other.snapshot {
            return Err(other);
        }
        let follows = self.nums.is_empty() && other.nums.is_empty();
        if !follows || other.first_num != self.first_num + self.rows() as u64 {
            self.nums = [self.numbers(), other.numbers()].concat();
        }
        let mut local = Vec::with_capacity(other.tables.len());
        for table in other.tables {
            let at = self.tables.iter().position(|own| own.kind == table.kind);
            local.push(at.unwrap_or(self.tables.len()) as u8);
            match at {
                Some(at) => self.tables[at].append(table),
                None => self.tables.push(table),
            }
        }
        self.kind.extend(other.kind.iter().map(|&kind| local[usize::from(kind)]));
        self.time.extend(other.time);
        self.cpu.extend(other.cpu);
        self.thread.extend(other.thread);
        Ok(())
    }
}

impl Columns {
    /// Finds what stands in columns of JSON several times, as a recorder does.
    pub fn share(&mut self, schema: &Schema) {
        for table in &mut self.tables {
            let is_json =
                |info: &KindInfo| info.params.iter().any(|p| p.class == Class::Data && p.ty == ParamType::Json);
            if !schema.kinds.get(usize::from(table.kind)).is_some_and(is_json) {
                continue;
            }
            for column in &mut table.data {
                let plain = std::mem::take(column).spread();
                let (mut sharer, mut rest) = (Sharer::default(), plain.bytes.as_slice());
                for &length in &plain.lengths {
                    let (row, behind) = rest.split_at((length as usize).min(rest.len()));
                    sharer.push(column, row);
                    rest = behind;
                }
            }
        }
    }
}

impl Table {
    fn append(&mut self, other: Table) {
        let rows = (self.duration.len(), other.duration.len());
        join(&mut self.ret, other.ret, rows);
        join(&mut self.duration, other.duration, rows);
        join(&mut self.desc, other.desc, rows);
        join(&mut self.flags, other.flags, rows);
        join(&mut self.missing, other.missing, rows);
        self.ints.iter_mut().zip(other.ints).for_each(|(own, more)| own.extend(more));
        self.texts.iter_mut().zip(other.texts).for_each(|(own, more)| own.extend(more));
        for (own, more) in self.data.iter_mut().zip(other.data) {
            own.lengths.extend(more.lengths);
            own.bytes.extend(more.bytes);
        }
    }
}

/// Appends a column to one of so many rows each; one that is empty stands for zeros.
fn join<T: Copy + Default>(own: &mut Vec<T>, more: Vec<T>, (rows, others): (usize, usize)) {
    if own.is_empty() && more.is_empty() {
        return;
    }
    own.resize(rows, T::default());
    own.extend(more);
    own.resize(rows + others, T::default());
}
