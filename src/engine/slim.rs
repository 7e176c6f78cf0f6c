//! Leaves out of a small capture's snapshot rows what the rows of its dictionary say anyway: half of their bytes.

use crate::batch::{Columns, KindInfo, Table, is_told_by_rows};
use crate::event::{Class, kind_by_name, kinds};

/// The kind without the parameters that its rows' threads and descriptors tell, and what stays: the place in `kind` of each.
pub(super) fn slim(kind: &KindInfo) -> (KindInfo, Vec<usize>) {
    let today = kind_by_name(&kind.name);
    // Memory and faults at the start would take more room than all that is left: what events tell of them is enough there.
    let is_measure = |name: &str| name.starts_with("vm_") || name.starts_with("pgft_");
    let is_thread = today == Some(kinds::SNAP_THREAD);
    let told = |name: &str| today.is_some_and(|kind| is_told_by_rows(kind, name)) || is_thread && is_measure(name);
    let kept: Vec<usize> = (0..kind.params.len()).filter(|&param| !told(&kind.params[param].name)).collect();
    let place = |param: Option<u8>| {
        let param = usize::from(param?);
        kept.iter().position(|&k| k == param).map(|place| place as u8)
    };
    let slim = KindInfo {
        fd: place(kind.fd),
        size: place(kind.size),
        params: kept.iter().map(|&param| kind.params[param].clone()).collect(),
        ..kind.clone()
    };
    (slim, kept)
}

/// Takes the columns that do not stay out of each table; `kinds` are those of the tables before, with what stays of each.
pub(super) fn drop_columns(columns: &mut Columns, kinds: &[KindInfo], kept: &[Vec<usize>]) {
    for table in &mut columns.tables {
        let kind = usize::from(table.kind);
        let (Some(info), Some(kept)) = (kinds.get(kind), kept.get(kind)) else { continue };
        if kept.len() < info.params.len() {
            drop_from(table, info, kept);
        }
    }
}

fn drop_from(table: &mut Table, info: &KindInfo, kept: &[usize]) {
    let of = |class: Class| kept.iter().filter(move |&&p| info.params[p].class == class).map(|&p| info.slot(p));
    table.ints = of(Class::Int).map(|slot| std::mem::take(&mut table.ints[slot])).collect();
    table.texts = of(Class::Text).map(|slot| std::mem::take(&mut table.texts[slot])).collect();
    table.data = of(Class::Data).map(|slot| std::mem::take(&mut table.data[slot])).collect();
    for missing in &mut table.missing {
        let bits = kept.iter().enumerate().map(|(place, &param)| (*missing >> param & 1) << place);
        *missing = bits.fold(0, |all, bit| all | bit);
    }
    if table.missing.iter().all(|&bits| bits == 0) {
        table.missing.clear();
    }
}
