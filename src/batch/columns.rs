//! [`Columns`]: a batch as plain arrays.

use super::codec::limits::MAX_DATA;
use super::share::spread;
use super::{Error, Runs, Share, Store};
use std::sync::Arc;

/// The most rows of a batch.
pub const MAX_ROWS: usize = 65_536;

/// The most different kinds in a batch, so that a row's kind is one byte.
pub const MAX_KINDS: usize = 256;

/// A batch as plain arrays: four columns by row, and one small table per kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// `evt.num` of the first row.
    pub first_num: u64,
    /// `evt.num` of each row where they do not simply follow each other (imported captures keep theirs); else empty.
    pub nums: Vec<u64>,
    /// Snapshot rows: no events, and no numbers.
    pub snapshot: bool,
    /// Time of completion, ns UTC; may step back.
    pub time: Vec<u64>,
    /// Processor.
    pub cpu: Vec<u16>,
    /// Row of the thread in the segment's dictionary.
    pub thread: Vec<u32>,
    /// Index into [`Columns::tables`].
    pub kind: Vec<u8>,
    /// Tables in the order in which their kinds first occur. The n-th row of a kind is the n-th row of its table.
    pub tables: Vec<Table>,
}

/// The rows of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Index into the schema.
    pub kind: u16,
    /// Return values; empty where the kind has none.
    pub ret: Vec<i64>,
    /// Durations, ns, plus one; 0 unknown.
    pub duration: Vec<u64>,
    /// Rows of the descriptor each event is about; 0 none. Empty where no row has any.
    pub desc: Vec<u32>,
    /// [`Flags`](crate::event::Flags); empty where all are zero.
    pub flags: Vec<u8>,
    /// Bit n set: parameter n is missing; empty where all are zero.
    pub missing: Vec<u64>,
    /// Integer parameters, a column each.
    pub ints: Vec<Vec<i64>>,
    /// Text parameters (string ids), a column each.
    pub texts: Vec<Vec<u32>>,
    /// Data parameters, a column each.
    pub data: Vec<DataColumn>,
}

/// A column of byte strings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataColumn {
    /// Length of each, shares aside.
    pub lengths: Vec<u32>,
    /// All, end to end.
    pub bytes: Vec<u8>,
    /// Pieces of rows that stand in `bytes` already, in the order of the rows; only of JSON.
    pub shares: Vec<Share>,
}

impl DataColumn {
    /// The column without shares: each row's bytes as they are.
    #[must_use]
    pub fn spread(self) -> DataColumn {
        if self.shares.is_empty() {
            return self;
        }
        // What a builder made fits.
        spread(&self.lengths, &self.bytes, &self.shares, MAX_DATA).unwrap_or_default()
    }
}

impl Columns {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.kind.len()
    }
}

/// Plain columns as a [`Store`](super::Store).
pub(super) struct PlainStore {
    columns: Arc<Columns>,
    runs: Runs,
}

impl PlainStore {
    pub(super) fn new(columns: Arc<Columns>, runs: Runs) -> Self {
        PlainStore { columns, runs }
    }
}

impl Store for PlainStore {
    fn kind(&self) -> Result<Vec<u8>, Error> {
        Ok(self.columns.kind.clone())
    }
    fn thread(&self) -> Result<Runs, Error> {
        Ok(self.runs.clone())
    }
    fn time(&self) -> Result<Vec<u64>, Error> {
        Ok(self.columns.time.clone())
    }
    fn nums(&self) -> Result<Vec<u64>, Error> {
        Ok(self.columns.nums.clone())
    }
    fn cpu(&self) -> Result<Vec<u16>, Error> {
        Ok(self.columns.cpu.clone())
    }
    fn ret(&self, kind: usize) -> Result<Vec<i64>, Error> {
        Ok(self.columns.tables[kind].ret.clone())
    }
    fn duration(&self, kind: usize) -> Result<Vec<u64>, Error> {
        Ok(self.columns.tables[kind].duration.clone())
    }
    fn desc(&self, kind: usize) -> Result<Vec<u32>, Error> {
        Ok(self.columns.tables[kind].desc.clone())
    }
    fn flags(&self, kind: usize) -> Result<Vec<u8>, Error> {
        Ok(self.columns.tables[kind].flags.clone())
    }
    fn missing(&self, kind: usize) -> Result<Vec<u64>, Error> {
        Ok(self.columns.tables[kind].missing.clone())
    }
    fn int(&self, kind: usize, slot: usize) -> Result<Vec<i64>, Error> {
        Ok(self.columns.tables[kind].ints[slot].clone())
    }
    fn text(&self, kind: usize, slot: usize) -> Result<Vec<u32>, Error> {
        Ok(self.columns.tables[kind].texts[slot].clone())
    }
    fn data(&self, kind: usize, slot: usize) -> Result<DataColumn, Error> {
        Ok(self.columns.tables[kind].data[slot].clone().spread())
    }
    fn data_bytes(&self, kind: usize, slot: usize, look: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let column = &self.columns.tables[kind].data[slot];
        if column.shares.is_empty() {
            look(&column.bytes);
        } else {
            look(&column.clone().spread().bytes);
        }
        Ok(())
    }
}
