//! [`Builder`]: events into columns, grouped by kind as they come (regrouping afterwards costs half as much again).

use super::share::Sharer;
use super::{Columns, DataColumn, MAX_KINDS, MAX_ROWS, Share, Table};
use crate::event::{Arg, Class, Event, ParamType, SPECS};
use crate::world::{Effect, Interner, LAST_TEXTS, StrId};

/// No table yet.
const NONE: u16 = u16::MAX;

/// Bytes of columns from which on a batch is full: 65,536 calls without parameters take less, and as many with paths or
/// data would take ten times as much. Two or three batches are on their way at a time, which bounds a recorder's memory.
const FULL: usize = 3 << 20;

/// JSON repeats whole objects far apart: its batches may have ten times the bytes, so that they are found.
const JSON_SHARE: usize = 10;

/// And many times as many where most of them stand in the batch already: 192 MiB, which whoever reads them needs room for.
const SHARED_SHARE: usize = 64;

/// Bytes of a row in the four columns that all kinds share: time, processor, thread, kind.
const ROW_BYTES: usize = 8 + 2 + 4 + 1;

/// Bytes of buffers that are kept for kinds that come again: about what a full batch takes. Each storm is of other kinds,
/// and what all of them took at their largest would add up.
const MOST_SPARE: usize = 2 * FULL;

/// How one kind's parameters are stored.
#[derive(Debug, Clone)]
struct Plan {
    has_ret: bool,
    /// Class of each parameter, and its column among those of the class.
    slots: Vec<(Class, u8)>,
    counts: [u8; 3],
    /// A bit for each parameter whose texts are kept apart.
    apart: u64,
    /// Bytes that a row takes in all columns, data aside.
    bytes: usize,
    /// What finds repeated objects, for each column of data; empty where they are not looked for.
    sharers: Vec<Sharer>,
    /// The last texts of each column of them; empty for kinds whose texts are mostly paths, of which few come again at once.
    last: Vec<[StrId; LAST_TEXTS]>,
    /// Rows of the last batch that had the kind: new buffers have room for as many.
    rows: usize,
}

/// Events into columns. The buffers of a batch that was taken can be given back.
#[derive(Debug)]
pub struct Builder {
    columns: Columns,
    /// Table of each kind in the batch being built.
    local: Vec<u16>,
    plans: Vec<Plan>,
    next_num: u64,
    /// Bytes of the rows so far.
    bytes: usize,
    /// Empty tables with their buffers, the one that was used last at the end.
    spare: Vec<Table>,
}

impl Builder {
    /// A builder whose first event gets the number `first_num`.
    pub fn new(first_num: u64) -> Builder {
        Builder {
            columns: Columns { first_num, ..Columns::default() },
            local: vec![NONE; SPECS.len()],
            plans: SPECS.iter().map(Plan::of).collect(),
            next_num: first_num,
            bytes: 0,
            spare: Vec::new(),
        }
    }

    /// Number of rows so far.
    pub fn rows(&self) -> usize {
        self.columns.kind.len()
    }

    /// Whether the batch must be taken before the next event.
    pub fn is_full(&self) -> bool {
        self.rows() >= MAX_ROWS || self.columns.tables.len() >= MAX_KINDS || self.bytes >= FULL
    }

    /// Adds an event; texts go to `interner`.
    pub fn push(&mut self, event: &Event<'_>, effect: Effect, interner: &mut Interner) {
        let kind = usize::from(event.kind.0);
        let columns = &mut self.columns;
        columns.time.push(event.time);
        columns.cpu.push(event.cpu);
        columns.thread.push(effect.thread);
        let plan = &mut self.plans[kind];
        let mut local = self.local[kind];
        if local == NONE {
            local = columns.tables.len() as u16;
            self.local[kind] = local;
            let spare = self.spare.iter().rposition(|t| usize::from(t.kind) == kind).map(|i| self.spare.remove(i));
            columns.tables.push(spare.unwrap_or_else(|| plan.table(event.kind.0)));
        }
        columns.kind.push(local as u8);
        self.bytes += plan.bytes + plan.push(&mut columns.tables[usize::from(local)], event, effect.desc, interner);
    }

    /// Gives the row that is pushed next a number of its own; those that get none follow the one before them.
    pub fn number(&mut self, num: u64) {
        self.number_rows(self.rows());
        self.columns.nums.push(num);
    }

    /// Makes numbers for as many rows, if they have none.
    fn number_rows(&mut self, rows: usize) {
        let next = self.next_num;
        let nums = &mut self.columns.nums;
        while nums.len() < rows {
            nums.push(nums.last().map_or(next, |last| last.wrapping_add(1)));
        }
    }

    /// The batch so far, and a new one begins. Snapshot rows have no numbers.
    pub fn take(&mut self, snapshot: bool) -> Columns {
        for table in &self.columns.tables {
            self.local[usize::from(table.kind)] = NONE;
            let plan = &mut self.plans[usize::from(table.kind)];
            plan.sharers.iter_mut().for_each(Sharer::clear);
            plan.rows = table.duration.len();
        }
        if !self.columns.nums.is_empty() {
            self.number_rows(self.rows());
        }
        let mut columns = std::mem::take(&mut self.columns);
        self.bytes = 0;
        columns.snapshot = snapshot;
        if snapshot || columns.nums.iter().zip(self.next_num..).all(|(&num, next)| num == next) {
            columns.nums.clear();
        }
        columns.first_num = if snapshot { 0 } else { self.next_num };
        if !snapshot {
            self.next_num += columns.rows() as u64;
        }
        columns
    }

    /// Gives the buffers of a taken batch back, so that steady recording allocates nothing.
    pub fn recycle(&mut self, mut columns: Columns) {
        for mut table in columns.tables.drain(..) {
            table.clear();
            self.spare.push(table);
        }
        if self.rows() == 0 {
            columns.time.clear();
            columns.cpu.clear();
            columns.thread.clear();
            columns.kind.clear();
            columns.nums.clear();
            self.columns = columns;
        }
        self.let_go();
    }

    /// Kinds come and go; the buffers of those that were not used for long are freed.
    fn let_go(&mut self) {
        let mut kept = 0;
        let mut fits = |table: &&Table| {
            kept += table.capacity();
            kept <= MOST_SPARE
        };
        let count = self.spare.iter().rev().take(2 * MAX_KINDS).take_while(&mut fits).count();
        self.spare.drain(..self.spare.len() - count);
    }

    /// Numbers events from here on anew, as the next file does. Only where the batch is empty.
    pub fn number_from(&mut self, first_num: u64) {
        self.next_num = first_num;
    }

    /// Number of the next event.
    pub fn next_num(&self) -> u64 {
        self.next_num + self.rows() as u64
    }
}

impl Plan {
    fn of(spec: &crate::event::Spec) -> Plan {
        let mut counts = [0u8; 3];
        let slots = spec
            .params
            .iter()
            .map(|param| {
                let counter = match param.class {
                    Class::Int => &mut counts[0],
                    Class::Text => &mut counts[1],
                    Class::Data => &mut counts[2],
                    Class::Env => return (Class::Env, 0),
                };
                *counter += 1;
                (param.class, *counter - 1)
            })
            .collect();
        let has_ret = spec.ret.is_some();
        let [ints, texts, data] = counts.map(usize::from);
        let per_row = 8 * usize::from(has_ret) + size_of::<u64>() + 2 * size_of::<u32>() + 1;
        let bytes = ROW_BYTES + per_row + 8 * ints + 4 * texts + 4 * data;
        let is_json = spec.params.iter().any(|param| param.class == Class::Data && param.ty == ParamType::Json);
        let apart = spec.params.iter().enumerate().fold(0, |bits, (i, param)| bits | u64::from(param.is_apart) << i);
        let sharers = vec![Sharer::default(); if is_json { data } else { 0 }];
        let last = vec![[StrId::NONE; LAST_TEXTS]; if is_json { texts } else { 0 }];
        Plan { has_ret, slots, counts, apart, bytes, sharers, last, rows: 0 }
    }

    /// An empty table.
    fn table(&self, kind: u16) -> Table {
        let [ints, texts, data] = self.counts.map(usize::from);
        Table {
            kind,
            ret: Vec::with_capacity(if self.has_ret { self.rows } else { 0 }),
            duration: Vec::with_capacity(self.rows),
            ints: (0..ints).map(|_| Vec::with_capacity(self.rows)).collect(),
            texts: (0..texts).map(|_| Vec::with_capacity(self.rows)).collect(),
            data: vec![DataColumn::default(); data],
            ..Table::default()
        }
    }

    /// Adds a row; returns the bytes of its data.
    fn push(&mut self, table: &mut Table, event: &Event<'_>, desc: u32, interner: &mut Interner) -> usize {
        let (mut bytes, mut own, mut raw) = (0, 0, 0);
        if self.has_ret {
            table.ret.push(event.ret);
        }
        let before = table.duration.len();
        table.duration.push(event.duration.map_or(0, |d| d.saturating_add(1)));
        push_rare(&mut table.desc, before, desc);
        push_rare(&mut table.flags, before, event.flags.0);
        let mut missing = 0u64;
        let mut args = event.args.iter();
        for (i, &(class, slot)) in self.slots.iter().enumerate() {
            let slot = usize::from(slot);
            match (class, args.next()) {
                (Class::Int, Some(&Arg::Int(value))) => table.ints[slot].push(value),
                (Class::Text, Some(&Arg::Bytes(text))) => {
                    let is_apart = self.apart >> i & 1 != 0;
                    let id = match self.last.get_mut(slot) {
                        _ if is_apart => interner.text_apart(text),
                        Some(last) => interner.text_again(text, last),
                        None => interner.text(text),
                    };
                    table.texts[slot].push(id.0);
                }
                (Class::Data, Some(&Arg::Bytes(data))) => {
                    if let Some(sharer) = self.sharers.get_mut(slot) {
                        own += sharer.push(&mut table.data[slot], data);
                        raw += data.len();
                    } else {
                        table.data[slot].push(data);
                        bytes += data.len();
                    }
                }
                (Class::Env, Some(Arg::Bytes(_))) => {}
                (class, _) => {
                    missing |= 1 << i;
                    table.push_missing(class, slot);
                }
            }
        }
        push_rare(&mut table.missing, before, missing);
        bytes + own / JSON_SHARE + raw / SHARED_SHARE
    }
}

/// Appends to a column that is empty as long as all `before` values are zero: most say nothing, and what is not written
/// is not fetched either.
#[inline]
fn push_rare<T: Copy + Default + PartialEq>(column: &mut Vec<T>, before: usize, value: T) {
    if column.is_empty() {
        if value == T::default() {
            return;
        }
        column.resize(before, T::default());
    }
    column.push(value);
}

impl Table {
    fn push_missing(&mut self, class: Class, slot: usize) {
        match class {
            Class::Int => self.ints[slot].push(0),
            Class::Text => self.texts[slot].push(0),
            Class::Data => self.data[slot].push(&[]),
            Class::Env => {}
        }
    }

    /// Bytes of its buffers.
    fn capacity(&self) -> usize {
        let ints = self.ints.iter().map(Vec::capacity).sum::<usize>();
        let texts = self.texts.iter().map(Vec::capacity).sum::<usize>();
        let data = self.data.iter().map(|column| {
            4 * column.lengths.capacity() + column.bytes.capacity() + size_of::<Share>() * column.shares.capacity()
        });
        8 * (self.ret.capacity() + self.duration.capacity() + ints)
            + 4 * (self.desc.capacity() + self.missing.capacity() + texts)
            + self.flags.capacity()
            + data.sum::<usize>()
    }

    fn clear(&mut self) {
        self.ret.clear();
        self.duration.clear();
        self.desc.clear();
        self.flags.clear();
        self.missing.clear();
        self.ints.iter_mut().for_each(Vec::clear);
        self.texts.iter_mut().for_each(Vec::clear);
        for column in &mut self.data {
            column.lengths.clear();
            column.bytes.clear();
            column.shares.clear();
        }
    }
}

impl DataColumn {
    fn push(&mut self, data: &[u8]) {
        self.lengths.push(data.len() as u32);
        self.bytes.extend_from_slice(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Args, Flags, kind_by_name};

    /// A builder that was given `rows` writes with so many bytes of data each.
    fn writes(builder: &mut Builder, rows: usize, bytes: usize) {
        let kind = kind_by_name("write").unwrap();
        let (data, mut interner) = (vec![7; bytes], Interner::new());
        let args: Args<'_> = kind
            .spec()
            .params
            .iter()
            .map(|param| if param.class == Class::Data { Arg::Bytes(&data) } else { Arg::Int(1) })
            .collect();
        let event =
            Event { kind, time: 1, duration: Some(1), cpu: 0, tid: 1, pid: 1, ret: 0, flags: Flags::default(), args };
        for _ in 0..rows {
            builder.push(&event, Effect::default(), &mut interner);
        }
    }

    #[test]
    fn a_batch_is_full_by_its_rows_or_by_its_bytes_whichever_comes_first() {
        let mut builder = Builder::new(1);
        writes(&mut builder, 700, 4096);
        assert!(!builder.is_full());
        writes(&mut builder, 100, 4096);
        assert!(builder.is_full());
        builder.take(false);
        writes(&mut builder, 700, 4096);
        assert!(!builder.is_full(), "the next one begins empty");
    }

    #[test]
    fn buffers_are_used_again_and_those_beyond_a_bound_are_freed() {
        let mut builder = Builder::new(1);
        writes(&mut builder, 10, 100);
        let first = builder.take(false);
        let place = first.tables[0].data[0].bytes.as_ptr();
        builder.recycle(first);
        writes(&mut builder, 10, 100);
        assert_eq!(builder.columns.tables[0].data[0].bytes.as_ptr(), place);
        // Several batches that were all on their way at once come back together.
        let heavy: Vec<Columns> = (0..5)
            .map(|_| {
                writes(&mut builder, 700, 4096);
                builder.take(false)
            })
            .collect();
        for columns in heavy {
            builder.recycle(columns);
        }
        let kept: usize = builder.spare.iter().map(Table::capacity).sum();
        assert!(kept > 0 && kept <= MOST_SPARE, "{kept}");
    }
}
