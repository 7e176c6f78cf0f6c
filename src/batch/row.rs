//! [`Row`]: one event of a batch, for what is asked row by row.

use super::{Batch, Error, KindInfo, Known};
use crate::event::{Arg, Class, Flags};
use crate::world::{DescRow, Dict, StrId, ThreadRow};

/// One event of a batch. Accessors of damaged columns answer "missing" and mark the batch as damaged.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The batch.
    pub batch: &'a Batch,
    /// Number of the row in the batch.
    pub index: usize,
    /// Its local kind.
    pub kind: usize,
    /// Its position in its kind's table.
    pub position: usize,
    /// Its local thread number.
    pub thread: u16,
}

impl<'a> Row<'a> {
    #[inline]
    fn get<T: Copy>(&self, column: Result<&'a [T], Error>, at: usize) -> Option<T> {
        match column {
            Ok(values) => values.get(at).copied(),
            Err(error) => {
                self.batch.mark_damaged(error);
                None
            }
        }
    }

    /// `evt.num`.
    #[inline]
    pub fn num(&self) -> u64 {
        let told = self.get(self.batch.nums(), self.index);
        told.unwrap_or_else(|| self.batch.head().first_num.wrapping_add(self.index as u64))
    }

    /// Time of completion, ns UTC.
    #[inline]
    pub fn time(&self) -> u64 {
        self.get(self.batch.time(), self.index).unwrap_or(0)
    }

    /// Processor.
    #[inline]
    pub fn cpu(&self) -> u16 {
        self.get(self.batch.cpu(), self.index).unwrap_or(0)
    }

    /// Kind.
    #[inline]
    pub fn info(&self) -> &'a KindInfo {
        self.batch.kind_info(self.kind)
    }

    /// The segment's dictionary.
    #[inline]
    pub fn dict(&self) -> &'a Dict {
        self.batch.dict()
    }

    /// The thread as it was.
    #[inline]
    pub fn thread(&self) -> &'a ThreadRow {
        self.batch.thread_row(self.thread)
    }

    /// Return value; `None` where the kind has none, or its source does not tell.
    #[inline]
    pub fn ret(&self) -> Option<i64> {
        self.info().ret.as_ref().filter(|_| !self.flags().has(Flags::UNTOLD))?;
        self.get(self.batch.ret(self.kind), self.position)
    }

    /// Time at which it began, ns UTC; that of completion where nothing else is known.
    #[inline]
    pub fn entered(&self) -> u64 {
        self.time().saturating_sub(self.duration().unwrap_or(0))
    }

    /// Duration, ns.
    #[inline]
    pub fn duration(&self) -> Option<u64> {
        self.get(self.batch.duration(self.kind), self.position).filter(|&d| d > 0).map(|d| d - 1)
    }

    /// The descriptor it is about.
    #[inline]
    pub fn desc(&self) -> Option<&'a DescRow> {
        self.desc_row().map(|row| self.dict().desc(row)).filter(|desc| !desc.is_unknown())
    }

    /// Dictionary row of the descriptor it is about.
    #[inline]
    pub fn desc_row(&self) -> Option<u32> {
        self.get(self.batch.desc(self.kind), self.position).filter(|&d| d > 0)
    }

    /// Facts about it.
    #[inline]
    pub fn flags(&self) -> Flags {
        Flags(self.get(self.batch.flags(self.kind), self.position).unwrap_or(0))
    }

    /// The environment of what the thread runs, one text per variable.
    pub fn env(&self) -> impl Iterator<Item = &'a [u8]> {
        let dict = self.dict();
        dict.image(self.thread().image).env.iter().map(|&id| dict.text(id))
    }

    /// Whether the source could not read a parameter.
    #[inline]
    pub fn is_missing(&self, param: usize) -> bool {
        let missing = self.get(self.batch.missing(self.kind), self.position).unwrap_or(0);
        1u64.checked_shl(param as u32).is_some_and(|bit| missing & bit != 0)
    }

    /// A parameter that many kinds have; missing where its kind has none.
    #[inline]
    pub fn known(&self, known: Known) -> Arg<'a> {
        self.batch.place(self.kind, known).map_or(Arg::Missing, |place| self.arg(place))
    }

    /// A parameter by its index in the schema. An environment is not one text: see [`Row::env`].
    #[inline]
    pub fn arg(&self, param: usize) -> Arg<'a> {
        let Some((class, slot)) = self.batch.slot(self.kind, param) else { return Arg::Missing };
        if self.is_missing(param) {
            return Arg::Missing;
        }
        match class {
            Class::Int => self.get(self.batch.int(self.kind, slot), self.position).map_or(Arg::Missing, Arg::Int),
            Class::Text => self
                .get(self.batch.text(self.kind, slot), self.position)
                .and_then(|id| self.batch.dict().strings.get(StrId(id)))
                .map_or(Arg::Missing, Arg::Bytes),
            Class::Env => Arg::Missing,
            Class::Data => match self.batch.data(self.kind, slot, self.position) {
                Ok(bytes) => Arg::Bytes(bytes),
                Err(error) => {
                    self.batch.mark_damaged(error);
                    Arg::Missing
                }
            },
        }
    }
}
