//! [`Scan`]: the columns of a kind that the event fields of a key are, so that a row's group is found by ids and numbers as they stand there.

use crate::batch::{Batch, Error};
use crate::event::Class;
use crate::field::{FieldRef, Scanned};

/// The most fields that are looked at so.
const MOST: usize = 4;

/// What the columns have for a row; a bit for each number that the row lacks.
pub(super) type RawKey = ([u64; MOST], u8);

/// A column as it stands in a batch.
enum Raw<'b> {
    Texts(&'b [u32]),
    Numbers { values: &'b [i64], missing: &'b [u64], bit: u64 },
    Durations(&'b [u64]),
}

/// The columns of the fields of a key, for one kind of a batch.
pub(super) struct Scan<'b>(Vec<Raw<'b>>);

impl<'b> Scan<'b> {
    /// `None`: a field is made otherwise.
    pub(super) fn of(fields: &[FieldRef], batch: &'b Batch, kind: usize) -> Result<Option<Scan<'b>>, Error> {
        let info = batch.kind_info(kind);
        let found: Option<Vec<Scanned>> = fields.iter().map(|field| field.scanned(info)).collect();
        let Some(found) = found.filter(|found| found.len() <= MOST) else { return Ok(None) };
        let mut columns = Vec::with_capacity(found.len());
        for scanned in found {
            columns.push(match scanned {
                Scanned::Duration => Raw::Durations(batch.duration(kind)?),
                Scanned::OneOf(_) => return Ok(None),
                Scanned::Param(param) => match batch.slot(kind, param) {
                    Some((Class::Text, slot)) => Raw::Texts(batch.text(kind, slot)?),
                    Some((Class::Int, slot)) => {
                        let bit = 1u64.checked_shl(param as u32).unwrap_or(0);
                        Raw::Numbers { values: batch.int(kind, slot)?, missing: batch.missing(kind)?, bit }
                    }
                    _ => return Ok(None),
                },
            });
        }
        Ok(Some(Scan(columns)))
    }

    /// What a row has; rows with the same have the same values.
    #[inline]
    pub(super) fn key(&self, position: usize) -> RawKey {
        let mut key = RawKey::default();
        for (n, (slot, column)) in key.0.iter_mut().zip(&self.0).enumerate() {
            *slot = match column {
                Raw::Texts(ids) => ids.get(position).copied().unwrap_or(0).into(),
                Raw::Durations(durations) => durations.get(position).copied().unwrap_or(0),
                Raw::Numbers { values, missing, bit } => {
                    key.1 |= u8::from(missing.get(position).is_some_and(|missing| missing & bit != 0)) << n;
                    values.get(position).map_or(0, |value| *value as u64)
                }
            };
        }
        key
    }
}
