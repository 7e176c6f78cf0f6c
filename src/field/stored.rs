//! [`Stored`]: a field whose value is what one column has, as it stands there: whoever asks looks at ids and numbers and makes no row.

use super::FieldRef;
use super::audit::{AUDIT, place};
use super::entry::{Extract, FieldArg, OfText};
use crate::batch::{Batch, Error, KindInfo};
use crate::event::{AuditPart, Class, is_stream};
use crate::value::Value;
use crate::world::{Dict, StrId};
use std::borrow::Cow;

/// What the rows of a kind have for a field, by their places in the kind's table. A damaged column may be shorter or longer than that.
pub enum Stored<'b> {
    /// Ids of texts, and what is made of those; 0, which no dictionary has a text for, where an event has none.
    Texts(Cow<'b, [u32]>, Made),
    /// Numbers; an event whose `bit` is set in `missing` has none. No events lack anything where that is empty.
    Numbers {
        /// The column.
        values: &'b [i64],
        /// What events lack.
        missing: &'b [u64],
        /// The parameter's bit.
        bit: u64,
    },
    /// Durations in ns, plus one; 0 where it is not known.
    Durations(&'b [u64]),
}

/// What is made of a text.
pub enum Made {
    /// Nothing: it is the value.
    AsIs,
    /// This, with a field's argument.
    By(OfText, FieldArg),
}

/// Which column that is.
enum Place {
    Param(usize),
    /// A text and what is made of it.
    Made(usize, OfText),
    /// The first parameter where its text is one of the [`STREAMS`](crate::event::STREAMS), the second otherwise.
    Stream(usize, usize),
    Duration,
}

impl FieldRef {
    /// The column that the values of a kind's rows are; `None`: they are made otherwise, or the kind has none.
    pub fn stored<'b>(&self, batch: &'b Batch, kind: usize) -> Result<Option<Stored<'b>>, Error> {
        match self.place_of(batch.kind_info(kind)) {
            Some(Place::Duration) => Ok(Some(Stored::Durations(batch.duration(kind)?))),
            Some(Place::Param(param)) => param_of(batch, kind, param),
            Some(Place::Made(param, of)) => Ok(match param_of(batch, kind, param)? {
                Some(Stored::Texts(ids, _)) => Some(Stored::Texts(ids, Made::By(of, self.arg.clone()))),
                _ => None,
            }),
            Some(Place::Stream(stream, other)) => match (param_of(batch, kind, stream)?, param_of(batch, kind, other)?)
            {
                (Some(Stored::Texts(streams, _)), Some(Stored::Texts(others, _))) => {
                    Ok(streams_or(&streams, &others, batch.dict()).map(|ids| Stored::Texts(ids.into(), Made::AsIs)))
                }
                _ => Ok(None),
            },
            None => Ok(None),
        }
    }

    fn place_of(&self, info: &KindInfo) -> Option<Place> {
        match self.field.extract {
            Extract::Audit(part) => place(info, part).map(Place::Param),
            Extract::Text(part, of) => place(info, part).map(|param| Place::Made(param, of)),
            Extract::Event(_) if self.field.name == "ka.action" => {
                Some(Place::Stream(place(info, AuditPart::Subresource)?, place(info, AuditPart::Verb)?))
            }
            Extract::Event(_) if self.field.name == "ka.latency" => (info.name == AUDIT).then_some(Place::Duration),
            _ => None,
        }
    }
}

fn param_of(batch: &Batch, kind: usize, param: usize) -> Result<Option<Stored<'_>>, Error> {
    Ok(match batch.slot(kind, param) {
        Some((Class::Text, slot)) => Some(Stored::Texts(batch.text(kind, slot)?.into(), Made::AsIs)),
        Some((Class::Int, slot)) => {
            let bit = 1u64.checked_shl(param as u32).unwrap_or(0);
            Some(Stored::Numbers { values: batch.int(kind, slot)?, missing: batch.missing(kind)?, bit })
        }
        _ => None,
    })
}

/// For each row the first id where that is of one of the [`STREAMS`](crate::event::STREAMS), else the second.
fn streams_or(streams: &[u32], others: &[u32], dict: &Dict) -> Option<Vec<u32>> {
    let mut known = ById::of(streams.iter().map(|&id| id.into()), MOST_IDS, None)?;
    let is_of_stream = |id: u32| dict.strings.get(StrId(id)).is_some_and(is_stream);
    let either = |(&stream, &other): (&u32, &u32)| {
        if *known.get(stream.into()).get_or_insert_with(|| is_of_stream(stream)) { stream } else { other }
    };
    Some(streams.iter().zip(others).map(either).collect())
}

/// Ids that are further apart than those of any dictionary are of a damaged column.
pub const MOST_IDS: usize = 1 << 22;

/// What is known of each id or number of a column, in an array from the smallest to the largest of them.
pub struct ById<T> {
    least: u64,
    told: Vec<T>,
}

impl<T: Clone> ById<T> {
    /// Each is `unknown`; `None` where they are as far apart as `most`. 0 stands for what an event lacks, and may be far from the others.
    pub fn of(ids: impl Iterator<Item = u64>, most: usize, unknown: T) -> Option<ById<T>> {
        let (mut least, mut largest) = (u64::MAX, 0);
        for id in ids {
            // One less makes of 0 the largest of all.
            least = least.min(id.wrapping_sub(1));
            largest = largest.max(id);
        }
        let least = least.wrapping_add(1);
        let span = usize::try_from(largest.saturating_sub(least)).ok().filter(|span| *span < most)?;
        Some(ById { least, told: vec![unknown; span + 2] })
    }

    /// What is known of one that the column has.
    #[inline]
    pub fn get(&mut self, id: u64) -> &mut T {
        let place = if id == 0 { 0 } else { (id - self.least) as usize + 1 };
        &mut self.told[place]
    }
}

impl Made {
    fn of<'d>(&self, text: &'d [u8]) -> Value<'d> {
        match self {
            Made::AsIs => Value::text(text),
            Made::By(of, arg) => of(text, arg),
        }
    }
}

impl Stored<'_> {
    /// The value that an id or number stands for.
    pub fn value<'d>(&self, raw: u64, dict: &'d Dict) -> Value<'d> {
        match self {
            Stored::Texts(_, made) => dict.strings.get(StrId(raw as u32)).map_or(Value::Missing, |text| made.of(text)),
            Stored::Numbers { .. } => Value::Int(raw as i64),
            Stored::Durations(_) => raw.checked_sub(1).map_or(Value::Missing, Value::Uint),
        }
    }
}
