//! [`Values`]: the numbers of one kind's rows that an aggregate takes, read straight from columns where possible.

use super::aggregate::{Aggregate, How};
use super::group::KindIds;
use super::part::{NONE, cell};
use crate::batch::{Batch, DurationSum, Error, Row};
use crate::event::{Class, Flags, KindFlags};
use crate::field::{Context, FieldArg, FieldRef, Stored};
use crate::report::Cell;

/// Where an aggregate's numbers stand.
#[derive(Clone)]
pub(super) enum Source {
    /// No number is needed.
    None,
    /// Return values of 0 or more: a failed call's negated errno is not a quantity.
    Ret,
    /// The same, for kinds that read or write a descriptor.
    Buflen,
    /// Durations of calls.
    Duration,
    /// An integer parameter of this name.
    Param(String),
    /// Ids of the values of a field, to be told apart.
    Ids,
    /// Any other field: through its extractor, row by row.
    Field(FieldRef),
}

impl Source {
    pub(super) fn of(aggregate: &Aggregate) -> Source {
        let Some(field) = &aggregate.field else { return Source::None };
        if matches!(aggregate.how, How::Distinct | How::Values) {
            return Source::Ids;
        }
        match (field.field.name, &field.arg) {
            ("evt.rawres", _) => Source::Ret,
            ("evt.buflen", _) => Source::Buflen,
            ("evt.latency", _) => Source::Duration,
            ("evt.rawarg", FieldArg::Name(name)) if name == "res" => Source::Ret,
            ("evt.rawarg", FieldArg::Name(name)) => Source::Param(name.clone()),
            _ => Source::Field(field.clone()),
        }
    }

    /// Values to be told row by row.
    pub(super) fn empty<'a>(&self, rows: usize) -> Values<'a> {
        if let Source::Ids = self { Values::Ids(vec![NONE; rows]) } else { Values::Made(vec![None; rows]) }
    }

    /// The columns of one local kind; `None`: values come row by row.
    pub(super) fn columns<'a>(&self, batch: &'a Batch, kind: usize) -> Result<Option<Values<'a>>, Error> {
        let info = batch.kind_info(kind);
        Ok(Some(match self {
            Source::Ids => return Ok(None),
            Source::Field(field) => match field.stored(batch, kind)? {
                Some(Stored::Numbers { values, missing, bit }) => Values::Int { values, missing, bit },
                Some(Stored::Durations(durations)) => Values::Duration(durations),
                Some(Stored::Texts(..)) => Values::Absent,
                None => return Ok(None),
            },
            Source::Ret if info.ret.is_some() => Values::Ret { ret: batch.ret(kind)?, flags: batch.flags(kind)? },
            Source::Buflen if info.flags.has(KindFlags::READS) || info.flags.has(KindFlags::WRITES) => {
                Values::Ret { ret: batch.ret(kind)?, flags: batch.flags(kind)? }
            }
            Source::Duration => Values::Duration(batch.duration(kind)?),
            Source::Param(name) => match info.params.iter().position(|p| p.name == *name && p.class == Class::Int) {
                Some(param) => Values::Int {
                    values: batch.int(kind, info.slot(param))?,
                    missing: batch.missing(kind)?,
                    bit: 1u64.checked_shl(param as u32).unwrap_or(0),
                },
                None => Values::Absent,
            },
            _ => Values::Absent,
        }))
    }
}

/// A field's number for one event.
pub(super) fn number(field: &FieldRef, row: &Row, ctx: &Context) -> Option<i64> {
    match cell(field.value(row, ctx)) {
        Cell::Int(n) => Some(n),
        Cell::Uint(n) => Some(i64::try_from(n).unwrap_or(i64::MAX)),
        Cell::Bool(b) => Some(i64::from(b)),
        _ => None,
    }
}

/// Numbers of one kind's rows, by position in its table.
pub(super) enum Values<'a> {
    /// This kind has none.
    Absent,
    /// Return values; negative ones do not count, nor those of calls that have not returned.
    Ret {
        /// The column.
        ret: &'a [i64],
        /// Flags by row; empty where all are zero.
        flags: &'a [u8],
    },
    /// Durations plus one; 0 unknown.
    Duration(&'a [u64]),
    /// An integer parameter; rows whose `bit` is set in `missing` have none.
    Int {
        /// The column.
        values: &'a [i64],
        /// Missing parameters by row; empty where none is.
        missing: &'a [u64],
        /// The parameter's bit.
        bit: u64,
    },
    /// Durations of all rows of the kind together.
    Summed(DurationSum),
    /// Made row by row.
    Made(Vec<Option<i64>>),
    /// Ids of values, for [`How::Distinct`].
    Ids(Vec<u32>),
}

impl Values<'_> {
    /// Calls `add(group, number)` for every row that has a number.
    #[inline]
    pub(super) fn each(&self, groups: &KindIds, mut add: impl FnMut(usize, i64)) {
        match groups {
            KindIds::None => {}
            KindIds::All { group, rows } => {
                let group = *group as usize;
                self.zip(std::iter::repeat_n((), *rows), |(), v| add(group, v));
            }
            KindIds::Each(ids) => self.zip(ids, |&g, v| add(g as usize, v)),
        }
    }

    /// Sum of the numbers, and how many there are.
    pub(super) fn sum(&self, rows: usize) -> (i64, u64) {
        let (mut sum, mut count) = (0i64, 0u64);
        self.zip(std::iter::repeat_n((), rows), |(), v| {
            sum = sum.wrapping_add(v);
            count += 1;
        });
        (sum, count)
    }

    /// Calls `add(group, number)` for every row that has a number.
    #[inline]
    fn zip<G>(&self, groups: impl IntoIterator<Item = G>, mut add: impl FnMut(G, i64)) {
        let groups = groups.into_iter();
        match self {
            Values::Absent | Values::Summed(_) | Values::Ids(_) => {}
            Values::Ret { ret, flags } => {
                for (i, (g, &v)) in groups.zip(*ret).enumerate() {
                    if v >= 0 && flags.get(i).is_none_or(|f| !Flags(*f).has(Flags::IN_FLIGHT)) {
                        add(g, v);
                    }
                }
            }
            Values::Duration(duration) => {
                for (g, &d) in groups.zip(*duration) {
                    if d > 0 {
                        add(g, (d - 1) as i64);
                    }
                }
            }
            Values::Int { values, missing, bit } => {
                for (i, (g, &v)) in groups.zip(*values).enumerate() {
                    if missing.get(i).is_none_or(|m| m & bit == 0) {
                        add(g, v);
                    }
                }
            }
            Values::Made(values) => {
                for (g, v) in groups.zip(values) {
                    if let Some(v) = *v {
                        add(g, v);
                    }
                }
            }
        }
    }
}
