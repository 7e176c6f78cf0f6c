//! [`Builder`]: events into columns, grouped by kind as they come (regrouping afterwards costs half as much again).

use super::{Columns, DataColumn, MAX_KINDS, MAX_ROWS, Table};
use crate::event::{Arg, Class, Event, SPECS};
use crate::world::{Effect, Interner};

/// No table yet.
const NONE: u16 = u16::MAX;

/// How one kind's parameters are stored.
#[derive(Debug, Clone)]
struct Plan {
    has_ret: bool,
    /// Class of each parameter, and its column among those of the class.
    slots: Vec<(Class, u8)>,
    counts: [u8; 3],
}

/// Events into columns. The buffers of a batch that was taken can be given back.
#[derive(Debug)]
pub struct Builder {
    columns: Columns,
    /// Table of each kind in the batch being built.
    local: Vec<u16>,
    plans: Vec<Plan>,
    next_num: u64,
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
            spare: Vec::new(),
        }
    }

    /// Number of rows so far.
    pub fn rows(&self) -> usize {
        self.columns.kind.len()
    }

    /// Whether the batch must be taken before the next event.
    pub fn is_full(&self) -> bool {
        self.rows() >= MAX_ROWS || self.columns.tables.len() >= MAX_KINDS
    }

    /// Adds an event; texts go to `interner`.
    pub fn push(&mut self, event: &Event<'_>, effect: Effect, interner: &mut Interner) {
        let kind = usize::from(event.kind.0);
        let columns = &mut self.columns;
        columns.time.push(event.time);
        columns.cpu.push(event.cpu);
        columns.thread.push(effect.thread);
        let plan = &self.plans[kind];
        let mut local = self.local[kind];
        if local == NONE {
            local = columns.tables.len() as u16;
            self.local[kind] = local;
            let spare = self.spare.iter().position(|t| usize::from(t.kind) == kind).map(|i| self.spare.swap_remove(i));
            columns.tables.push(spare.unwrap_or_else(|| plan.table(event.kind.0)));
        }
        columns.kind.push(local as u8);
        plan.push(&mut columns.tables[usize::from(local)], event, effect.desc, interner);
    }

    /// The batch so far, and a new one begins. Snapshot rows have no numbers.
    pub fn take(&mut self, snapshot: bool) -> Columns {
        for table in &self.columns.tables {
            self.local[usize::from(table.kind)] = NONE;
        }
        let mut columns = std::mem::take(&mut self.columns);
        columns.snapshot = snapshot;
        columns.first_num = if snapshot { 0 } else { self.next_num };
        if !snapshot {
            self.next_num += columns.rows() as u64;
        }
        columns.tables.iter_mut().for_each(Table::trim);
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
            self.columns = columns;
        }
        // Kinds come and go; what has not been used for long is let go.
        self.spare.truncate(2 * MAX_KINDS);
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
        Plan { has_ret: spec.ret.is_some(), slots, counts }
    }

    fn table(&self, kind: u16) -> Table {
        Table {
            kind,
            ints: vec![Vec::new(); usize::from(self.counts[0])],
            texts: vec![Vec::new(); usize::from(self.counts[1])],
            data: vec![DataColumn::default(); usize::from(self.counts[2])],
            ..Table::default()
        }
    }

    fn push(&self, table: &mut Table, event: &Event<'_>, desc: u32, interner: &mut Interner) {
        if self.has_ret {
            table.ret.push(event.ret);
        }
        table.duration.push(event.duration.map_or(0, |d| d.saturating_add(1)));
        table.desc.push(desc);
        table.flags.push(event.flags.0);
        let mut missing = 0u64;
        for (i, &(class, slot)) in self.slots.iter().enumerate() {
            let arg = event.args.get(i).copied().unwrap_or(Arg::Missing);
            let slot = usize::from(slot);
            match (class, arg) {
                (Class::Int, Arg::Int(value)) => table.ints[slot].push(value),
                (Class::Text, Arg::Bytes(text)) => table.texts[slot].push(interner.text(text).0),
                (Class::Data, Arg::Bytes(data)) => table.data[slot].push(data),
                (Class::Env, Arg::Bytes(_)) => {}
                (class, _) => {
                    missing |= 1 << i;
                    table.push_missing(class, slot);
                }
            }
        }
        table.missing.push(missing);
    }
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

    /// Columns that say nothing become empty.
    fn trim(&mut self) {
        if self.desc.iter().all(|&d| d == 0) {
            self.desc.clear();
        }
        if self.flags.iter().all(|&f| f == 0) {
            self.flags.clear();
        }
        if self.missing.iter().all(|&m| m == 0) {
            self.missing.clear();
        }
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
        }
    }
}

impl DataColumn {
    fn push(&mut self, data: &[u8]) {
        self.lengths.push(data.len() as u32);
        self.bytes.extend_from_slice(data);
    }
}
