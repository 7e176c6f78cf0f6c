//! [`Batch`]: a batch being asked.

use super::events::Today;
use super::known::{Known, Places};
use super::{Columns, DataColumn, DurationSum, Error, Head, KindInfo, Runs, Schema};
use crate::event::Class;
use crate::world::{Dict, ThreadRow};
use std::sync::{Arc, OnceLock};

/// Where a batch's columns are decoded from. Each is asked for at most once; the batch keeps the result.
pub trait Store: Send + Sync {
    /// Local kind of each row.
    fn kind(&self) -> Result<Vec<u8>, Error>;
    /// Local thread of each row, as runs.
    fn thread(&self) -> Result<Runs, Error>;
    /// Time of each row, ns UTC.
    fn time(&self) -> Result<Vec<u64>, Error>;
    /// `evt.num` of each row; empty where they follow each other from the head's first.
    fn nums(&self) -> Result<Vec<u64>, Error>;
    /// Processor of each row.
    fn cpu(&self) -> Result<Vec<u16>, Error>;
    /// Return values of a local kind; empty where it has none.
    fn ret(&self, kind: usize) -> Result<Vec<i64>, Error>;
    /// Durations of a local kind plus one, ns; 0 unknown.
    fn duration(&self, kind: usize) -> Result<Vec<u64>, Error>;
    /// Descriptor rows of a local kind; empty where none has any.
    fn desc(&self, kind: usize) -> Result<Vec<u32>, Error>;
    /// Event flags of a local kind; empty where all are zero.
    fn flags(&self, kind: usize) -> Result<Vec<u8>, Error>;
    /// Missing parameters of a local kind; empty where all are zero.
    fn missing(&self, kind: usize) -> Result<Vec<u64>, Error>;
    /// An integer column of a local kind.
    fn int(&self, kind: usize, slot: usize) -> Result<Vec<i64>, Error>;
    /// A text column of a local kind.
    fn text(&self, kind: usize, slot: usize) -> Result<Vec<u32>, Error>;
    /// A data column of a local kind.
    fn data(&self, kind: usize, slot: usize) -> Result<DataColumn, Error>;
    /// Shows all bytes of a data column, end to end, without telling where each row's begin.
    fn data_bytes(&self, kind: usize, slot: usize, look: &mut dyn FnMut(&[u8])) -> Result<(), Error>;
}

type Cache<T> = OnceLock<Result<T, Error>>;

/// A column of byte strings with the place of each.
#[derive(Debug, Default)]
pub(super) struct DataIndex {
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

#[derive(Default)]
struct TableCache {
    ret: Cache<Vec<i64>>,
    duration: Cache<Vec<u64>>,
    desc: Cache<Vec<u32>>,
    flags: Cache<Vec<u8>>,
    missing: Cache<Vec<u64>>,
    ints: Vec<Cache<Vec<i64>>>,
    texts: Vec<Cache<Vec<u32>>>,
    data: Vec<Cache<DataIndex>>,
    /// The kind and its parameters as this version has them.
    today: OnceLock<Today>,
    /// Class of each parameter and its place among those of the class.
    slots: OnceLock<Vec<(Class, u8)>>,
    known: OnceLock<Places>,
}

impl TableCache {
    #[cold]
    fn of(info: Option<&KindInfo>) -> Box<TableCache> {
        fn caches<T>(count: usize) -> Vec<Cache<T>> {
            (0..count).map(|_| OnceLock::new()).collect()
        }
        let count = |class| info.map_or(0, |info| info.count(class));
        let (ints, texts, data) = (count(Class::Int), count(Class::Text), count(Class::Data));
        Box::new(TableCache { ints: caches(ints), texts: caches(texts), data: caches(data), ..TableCache::default() })
    }
}

/// A batch being asked. Shared between threads; columns are decoded on first use.
pub struct Batch {
    head: Head,
    schema: Arc<Schema>,
    dict: Arc<Dict>,
    store: Box<dyn Store>,
    kind: Cache<Vec<u8>>,
    thread: Cache<Runs>,
    time: Cache<Vec<u64>>,
    cpu: Cache<Vec<u16>>,
    nums: Cache<Vec<u64>>,
    positions: Cache<Vec<u32>>,
    /// Made for kinds that are asked about: of a hundred kinds a question mostly asks about a few.
    tables: Vec<OnceLock<Box<TableCache>>>,
    durations: Vec<DurationSum>,
    damage: OnceLock<Error>,
    origin: Option<Arc<Origin>>,
    carried: OnceLock<Arc<super::Carried>>,
    joined: OnceLock<Arc<super::Carried>>,
}

/// Where events come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Name of the host; empty where it is not known.
    pub host: String,
    /// The reel as it was named; empty for what is live.
    pub reel: String,
}

/// A column that is there costs a load and a compare: printing asks for a dozen of them per row.
#[inline]
fn cached<T>(cell: &Cache<T>, decode: impl FnOnce() -> Result<T, Error>) -> Result<&T, Error> {
    if let Some(Ok(column)) = cell.get() { Ok(column) } else { first(cell, decode) }
}

#[cold]
#[inline(never)]
fn first<T>(cell: &Cache<T>, decode: impl FnOnce() -> Result<T, Error>) -> Result<&T, Error> {
    cell.get_or_init(decode).as_ref().map_err(Clone::clone)
}

impl Batch {
    /// A batch whose columns come from `store`.
    pub fn new(head: Head, schema: Arc<Schema>, dict: Arc<Dict>, store: Box<dyn Store>) -> Batch {
        let tables = head.kinds.iter().map(|_| OnceLock::new()).collect();
        Batch {
            head,
            schema,
            dict,
            store,
            kind: OnceLock::new(),
            thread: OnceLock::new(),
            time: OnceLock::new(),
            cpu: OnceLock::new(),
            nums: OnceLock::new(),
            positions: OnceLock::new(),
            tables,
            durations: Vec::new(),
            damage: OnceLock::new(),
            origin: None,
            carried: OnceLock::new(),
            joined: OnceLock::new(),
        }
    }

    /// Says where its events come from.
    #[must_use]
    pub fn with_origin(self, origin: Arc<Origin>) -> Batch {
        Batch { origin: Some(origin), ..self }
    }

    /// Adds what an index tells of its durations, by local kind; `[]`: nothing. Only of a batch without calls in flight.
    #[must_use]
    pub fn with_durations(self, durations: Vec<DurationSum>) -> Batch {
        Batch { durations, ..self }
    }

    /// What the durations of all rows of a local kind come to, where an index tells it: then none of its calls is in flight.
    pub fn duration_sum(&self, local: usize) -> Option<DurationSum> {
        self.durations.get(local).copied()
    }

    /// Adds what rows before say about its rows.
    pub fn carry(&self, carried: Arc<super::Carried>) {
        // Whoever was first walked through the same rows.
        self.carried.set(carried).ok();
    }

    /// What rows before say about its rows, if somebody asked.
    pub fn carried(&self) -> Option<&super::Carried> {
        self.carried.get().map(|carried| &**carried)
    }

    /// Adds what events of another sort say about its rows.
    pub fn join(&self, joined: Arc<super::Carried>) {
        self.joined.set(joined).ok();
    }

    /// What events of another sort say about its rows, if somebody asked.
    pub fn joined(&self) -> Option<&super::Carried> {
        self.joined.get().map(|joined| &**joined)
    }

    /// Where its events come from, if that was said.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// A batch over plain columns (live, before or without a file).
    pub fn of_columns(columns: impl Into<Arc<Columns>>, schema: Arc<Schema>, dict: Arc<Dict>) -> Batch {
        let columns = columns.into();
        let (head, runs) = Head::of(&columns);
        Batch::new(head, schema, dict, Box::new(super::columns::PlainStore::new(columns, runs)))
    }

    /// What is known without decoding a column.
    #[inline]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The segment's kinds.
    #[inline]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The segment's dictionary.
    #[inline]
    pub fn dict(&self) -> &Arc<Dict> {
        &self.dict
    }

    /// Number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.head.rows as usize
    }

    /// Kind of a local kind number.
    #[inline]
    pub fn kind_info(&self, local: usize) -> &KindInfo {
        &self.schema.kinds[usize::from(self.head.kinds[local].kind)]
    }

    /// What is kept of a local kind.
    #[inline]
    fn asked(&self, local: usize) -> &TableCache {
        self.tables[local]
            .get_or_init(|| TableCache::of(self.schema.kinds.get(usize::from(self.head.kinds[local].kind))))
    }

    /// Class of a parameter of a local kind and its column among those of the class; `None` past the last one.
    #[inline]
    pub fn slot(&self, local: usize, param: usize) -> Option<(Class, usize)> {
        let slots = self.asked(local).slots.get_or_init(|| {
            let info = self.kind_info(local);
            (0..info.params.len()).map(|n| (info.params[n].class, info.slot(n) as u8)).collect()
        });
        slots.get(param).map(|&(class, slot)| (class, usize::from(slot)))
    }

    /// Place of a parameter among those of a local kind, if it has it.
    #[inline]
    pub fn place(&self, local: usize, known: Known) -> Option<usize> {
        self.asked(local).known.get_or_init(|| Places::of(self.kind_info(local))).get(known)
    }

    /// What a local kind is in this version's table.
    pub(super) fn today(&self, local: usize) -> &Today {
        self.asked(local).today.get_or_init(|| Today::of(self.kind_info(local)))
    }

    /// Dictionary row of a local thread number.
    #[inline]
    pub fn thread_row(&self, local: u16) -> &ThreadRow {
        self.dict.thread(self.head.threads.get(usize::from(local)).copied().unwrap_or(0))
    }

    /// Local kind of each row.
    #[inline]
    pub fn kind(&self) -> Result<&[u8], Error> {
        cached(&self.kind, || self.store.kind()).map(Vec::as_slice)
    }

    /// Local thread of each row, as runs.
    #[inline]
    pub fn thread(&self) -> Result<&Runs, Error> {
        cached(&self.thread, || self.store.thread())
    }

    /// Time of each row, ns UTC.
    #[inline]
    pub fn time(&self) -> Result<&[u64], Error> {
        cached(&self.time, || self.store.time()).map(Vec::as_slice)
    }

    /// `evt.num` of each row; empty where they follow each other from the head's first.
    #[inline]
    pub fn nums(&self) -> Result<&[u64], Error> {
        cached(&self.nums, || self.store.nums()).map(Vec::as_slice)
    }

    /// Processor of each row.
    #[inline]
    pub fn cpu(&self) -> Result<&[u16], Error> {
        cached(&self.cpu, || self.store.cpu()).map(Vec::as_slice)
    }

    /// Position of each row in its kind's table.
    #[inline]
    pub fn positions(&self) -> Result<&[u32], Error> {
        cached(&self.positions, || {
            let mut next = [0u32; super::MAX_KINDS];
            Ok(self
                .kind()?
                .iter()
                .map(|&k| {
                    let n = next[usize::from(k)];
                    next[usize::from(k)] += 1;
                    n
                })
                .collect())
        })
        .map(Vec::as_slice)
    }

    /// Return values of a local kind; empty where it has none.
    #[inline]
    pub fn ret(&self, kind: usize) -> Result<&[i64], Error> {
        cached(&self.asked(kind).ret, || self.store.ret(kind)).map(Vec::as_slice)
    }

    /// Durations of a local kind plus one, ns; 0 unknown.
    #[inline]
    pub fn duration(&self, kind: usize) -> Result<&[u64], Error> {
        cached(&self.asked(kind).duration, || self.store.duration(kind)).map(Vec::as_slice)
    }

    /// Descriptor rows of a local kind; empty where no row has any.
    #[inline]
    pub fn desc(&self, kind: usize) -> Result<&[u32], Error> {
        cached(&self.asked(kind).desc, || self.store.desc(kind)).map(Vec::as_slice)
    }

    /// Event flags of a local kind; empty where all are zero.
    #[inline]
    pub fn flags(&self, kind: usize) -> Result<&[u8], Error> {
        cached(&self.asked(kind).flags, || self.store.flags(kind)).map(Vec::as_slice)
    }

    /// Missing parameters of a local kind, a bit each; empty where all are zero.
    #[inline]
    pub fn missing(&self, kind: usize) -> Result<&[u64], Error> {
        cached(&self.asked(kind).missing, || self.store.missing(kind)).map(Vec::as_slice)
    }

    /// An integer column of a local kind.
    #[inline]
    pub fn int(&self, kind: usize, slot: usize) -> Result<&[i64], Error> {
        cached(&self.asked(kind).ints[slot], || self.store.int(kind, slot)).map(Vec::as_slice)
    }

    /// A text column (string ids) of a local kind.
    #[inline]
    pub fn text(&self, kind: usize, slot: usize) -> Result<&[u32], Error> {
        cached(&self.asked(kind).texts[slot], || self.store.text(kind, slot)).map(Vec::as_slice)
    }

    /// One value of a data column of a local kind.
    #[inline]
    pub fn data(&self, kind: usize, slot: usize, position: usize) -> Result<&[u8], Error> {
        let index = cached(&self.asked(kind).data[slot], || self.store.data(kind, slot).map(DataIndex::of))?;
        Ok(index.get(position))
    }

    /// A data column of a local kind, all its rows at once.
    pub fn data_run(&self, kind: usize, slot: usize) -> Result<DataRun<'_>, Error> {
        let index = cached(&self.asked(kind).data[slot], || self.store.data(kind, slot).map(DataIndex::of))?;
        Ok(DataRun { ends: &index.ends, bytes: &index.bytes })
    }

    /// Whether `look` says so of the bytes of a data column, all rows end to end. Where it does not, no row need be told
    /// apart, and no length is decoded.
    pub fn any_data(&self, kind: usize, slot: usize, look: impl Fn(&[u8]) -> bool) -> Result<bool, Error> {
        if let Some(Ok(index)) = self.asked(kind).data[slot].get() {
            return Ok(look(&index.bytes));
        }
        let mut found = false;
        self.store.data_bytes(kind, slot, &mut |bytes| found = look(bytes))?;
        Ok(found)
    }

    /// Keeps the first error that a row's accessor met, so that the asker can discard what it made of this batch.
    pub fn mark_damaged(&self, error: Error) {
        self.damage.get_or_init(|| error);
    }

    /// The first error that a row's accessor met.
    pub fn damage(&self) -> Option<&Error> {
        self.damage.get()
    }
}

impl DataIndex {
    fn of(column: DataColumn) -> DataIndex {
        let mut end = 0;
        let ends = column
            .lengths
            .iter()
            .map(|l| {
                end += l;
                end
            })
            .collect();
        DataIndex { ends, bytes: column.bytes }
    }

    fn get(&self, position: usize) -> &[u8] {
        DataRun { ends: &self.ends, bytes: &self.bytes }.get(position)
    }
}

/// The bytes of a data column, one row behind the other.
#[derive(Debug, Clone, Copy)]
pub struct DataRun<'a> {
    /// Where each row's bytes end, ascending.
    pub ends: &'a [u32],
    /// The bytes; of a damaged column fewer than the ends say.
    pub bytes: &'a [u8],
}

impl<'a> DataRun<'a> {
    /// The bytes of a row; none past the last.
    #[inline]
    pub fn get(&self, row: usize) -> &'a [u8] {
        let start = if row == 0 { 0 } else { self.ends.get(row - 1).copied().unwrap_or(0) };
        let end = self.ends.get(row).copied().unwrap_or(start);
        self.bytes.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Where a row's bytes end; `None` past the last.
    pub fn end(&self, row: usize) -> Option<usize> {
        self.ends.get(row).map(|&end| end as usize)
    }

    /// Bytes of the longest row.
    pub fn longest(&self) -> usize {
        let mut start = 0;
        let lengths = self.ends.iter().map(|&end| end.saturating_sub(std::mem::replace(&mut start, end)));
        lengths.max().unwrap_or(0) as usize
    }

    /// The row of the byte at `at`, which is none of a row before `from`; past the last if no row has it.
    pub fn row_at(&self, at: usize, from: usize) -> usize {
        let ends = self.ends.get(from..).unwrap_or_default();
        // Hits are near each other where there are many: twice the distance is looked at each time.
        let mut reach = 1;
        while ends.get(reach).is_some_and(|&end| end as usize <= at) {
            reach *= 2;
        }
        let near = &ends[reach / 2..ends.len().min(reach + 1)];
        from + reach / 2 + near.partition_point(|&end| end as usize <= at)
    }
}
