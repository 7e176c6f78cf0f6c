//! Made-up batches for tests.

use crate::batch::{Batch, Columns, DataColumn, Schema, Table};
use crate::event::{AuditPart, Class, Flags, kind_by_name};
use crate::world::{DescKind, DescRow, Dict, ThreadRow};
use std::sync::Arc;

/// A generator that is the same everywhere (a linear congruential one, Knuth's constants).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Threads and descriptors, some of them equal by name.
pub(crate) fn dict() -> Arc<Dict> {
    let mut dict = Dict::new();
    for name in ["bash", "cat", "cat", "nginx"] {
        let comm = dict.strings.push(name.as_bytes());
        let pid = dict.threads.len() as u32 + 100;
        dict.threads.push(ThreadRow { tid: pid, pid: pid / 2, comm, ..ThreadRow::default() });
    }
    for name in ["/a", "/b", "/a", "/c d"] {
        let name = dict.strings.push(name.as_bytes());
        let ino = dict.descs.len() as u64;
        dict.descs.push(DescRow { kind: DescKind::File, name, ino, ..DescRow::default() });
    }
    for text in ["exec", "", "get", "Zürich", r#"["10.0.0.1"]"#, r#"["9.9.9.9","10.0.0.1"]"#, r#"["9.9.9.9"#] {
        dict.strings.push(text.as_bytes());
    }
    Arc::new(dict)
}

/// Ids of texts: some of the dictionary's, one that it lost, one of a text apart that nobody has, and mostly none.
const TEXTS: [u32; 16] = [0, 0, 0, 1, 5, 7, 9, 9, 10, 11, 12, 13, 14, 15, 50, (1 << 22) + 7];

/// Random rows of five kinds; calls in flight, missing values and rows without thread or descriptor among them.
pub(crate) fn batch(dice: &mut Dice, rows: usize, schema: &Arc<Schema>, dict: &Arc<Dict>) -> Batch {
    let kinds = ["read", "write", "openat", "cputime", "k8saudit"].map(|n| kind_by_name(n).unwrap().0);
    let mut columns = Columns::default();
    for kind in kinds {
        let info = &schema.kinds[usize::from(kind)];
        columns.tables.push(Table {
            kind,
            ints: vec![Vec::new(); info.count(Class::Int)],
            texts: vec![Vec::new(); info.count(Class::Text)],
            data: vec![DataColumn::default(); info.count(Class::Data)],
            ..Table::default()
        });
    }
    for i in 0..rows {
        let local = dice.roll(5) as usize;
        columns.time.push(1_000 + i as u64 * 10);
        columns.cpu.push(dice.roll(2) as u16);
        columns.thread.push(dice.roll(5) as u32);
        columns.kind.push(local as u8);
        let table = &mut columns.tables[local];
        table.duration.push(dice.roll(50));
        table.flags.push(if dice.roll(10) == 0 { Flags::IN_FLIGHT.0 } else { 0 });
        let (is_audit, code) = (local == 4, AuditPart::Code.place());
        table.missing.push(u64::from(dice.roll(4) == 0) << if is_audit { code } else { 0 });
        if local < 3 {
            table.ret.push(dice.roll(300) as i64 - 50);
            table.desc.push(dice.roll(5) as u32);
        }
        table.ints.iter_mut().for_each(|c| c.push(dice.roll(1000) as i64));
        table.texts.iter_mut().for_each(|c| c.push(if is_audit { TEXTS[dice.roll(16) as usize] } else { 0 }));
        table.data.iter_mut().for_each(|c| c.lengths.push(0));
    }
    Batch::of_columns(columns, Arc::clone(schema), Arc::clone(dict))
}
