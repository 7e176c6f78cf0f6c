//! Rows of a batch with other values of parameters.

use super::{DataColumn, KindInfo, Table};
use crate::event::Class;
use std::collections::BTreeMap;

/// Another value of a parameter of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Position of the row in its table.
    pub position: usize,
    /// Place of the parameter among those of the kind.
    pub param: usize,
    /// What it is from now on.
    pub value: NewValue,
}

/// What a parameter is from now on; of the parameter's class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewValue {
    /// Missing.
    Missing,
    /// A number.
    Int(i64),
    /// A text of the segment's dictionary.
    Text(u32),
    /// Data.
    Data(Vec<u8>),
}

impl Table {
    /// Gives rows other values; `info` is their kind. Changes that do not fit the kind change nothing.
    pub fn change(&mut self, info: &KindInfo, changes: &[Change]) {
        let mut data: BTreeMap<usize, BTreeMap<usize, &[u8]>> = BTreeMap::new();
        self.missing.resize(self.duration.len(), 0);
        for Change { position, param, value } in changes {
            let (Some(missing), Some(known)) = (self.missing.get_mut(*position), info.params.get(*param)) else {
                continue;
            };
            let (bit, slot) = (1 << param, info.slot(*param));
            *missing = if *value == NewValue::Missing { *missing | bit } else { *missing & !bit };
            match (known.class, value) {
                (Class::Int, NewValue::Int(number)) => put(&mut self.ints, slot, *position, *number),
                (Class::Text, NewValue::Text(id)) => put(&mut self.texts, slot, *position, *id),
                (Class::Data, NewValue::Data(bytes)) => {
                    data.entry(slot).or_default().insert(*position, bytes);
                }
                (Class::Int, NewValue::Missing) => put(&mut self.ints, slot, *position, 0),
                (Class::Text, NewValue::Missing) => put(&mut self.texts, slot, *position, 0),
                (Class::Data, NewValue::Missing) => {
                    data.entry(slot).or_default().insert(*position, &[]);
                }
                _ => {}
            }
        }
        if self.missing.iter().all(|&bits| bits == 0) {
            self.missing.clear();
        }
        for (slot, rows) in data {
            if let Some(column) = self.data.get_mut(slot) {
                column.change(&rows);
            }
        }
    }
}

fn put<T>(columns: &mut [Vec<T>], slot: usize, position: usize, value: T) {
    if let Some(place) = columns.get_mut(slot).and_then(|column| column.get_mut(position)) {
        *place = value;
    }
}

impl DataColumn {
    /// Gives rows other bytes, by their positions.
    fn change(&mut self, rows: &BTreeMap<usize, &[u8]>) {
        let mut old = std::mem::take(self).spread();
        let (mut bytes, mut start) = (Vec::with_capacity(old.bytes.len()), 0);
        for (position, length) in old.lengths.iter_mut().enumerate() {
            let end = start + *length as usize;
            let row = rows.get(&position).copied().unwrap_or_else(|| old.bytes.get(start..end).unwrap_or_default());
            *length = row.len() as u32;
            bytes.extend_from_slice(row);
            start = end;
        }
        *self = DataColumn { bytes, ..old };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Schema;
    use crate::event::{AuditPart, kinds};

    #[test]
    fn rows_get_other_values_and_their_neighbours_keep_theirs() {
        let schema = Schema::current();
        let info = &schema.kinds[usize::from(kinds::K8SAUDIT.0)];
        let column = |rows: &[&str]| DataColumn {
            lengths: rows.iter().map(|row| row.len() as u32).collect(),
            bytes: rows.concat().into_bytes(),
            shares: Vec::new(),
        };
        let mut table = Table {
            kind: kinds::K8SAUDIT.0,
            duration: vec![1, 1, 1],
            ints: vec![vec![200, 201, 202]],
            texts: vec![vec![1, 2, 3]; info.count(Class::Text)],
            data: vec![column(&["a", "bb", "ccc"]); info.count(Class::Data)],
            ..Table::default()
        };
        let (form, code, response) = (AuditPart::Form.place(), AuditPart::Code.place(), AuditPart::Response.place());
        let change = |position, param, value| Change { position, param, value };
        table.change(
            info,
            &[
                change(1, form, NewValue::Text(9)),
                change(0, code, NewValue::Missing),
                change(1, response, NewValue::Missing),
                change(2, AuditPart::Rest.place(), NewValue::Data(b"d".to_vec())),
                change(7, form, NewValue::Text(1)),
            ],
        );
        assert_eq!(table.texts[info.slot(form)], [1, 9, 3]);
        assert_eq!(table.ints[0], [0, 201, 202]);
        assert_eq!(table.data[info.slot(response)], column(&["a", "", "ccc"]));
        assert_eq!(table.data[info.slot(AuditPart::Rest.place())], column(&["a", "bb", "d"]));
        assert_eq!(table.missing, [1 << code, 1 << response, 0]);
        table.change(info, &[change(0, code, NewValue::Int(7)), change(1, response, NewValue::Data(b"x".to_vec()))]);
        assert_eq!((table.ints[0][0], table.missing.is_empty()), (7, true));
    }
}
