//! [`Head`]: what is known of a batch without decoding any column; enough to tell whether a question touches it.

use super::Columns;
use serde::{Deserialize, Serialize};

/// Order of the rows as they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RowOrder {
    /// In order of completion.
    #[default]
    Time,
}

/// A kind in a batch and how many rows it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRows {
    /// Index into the schema.
    pub kind: u16,
    /// Rows.
    pub rows: u32,
}

/// What is known of a batch without decoding any column.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    /// `evt.num` of the first row.
    pub first_num: u64,
    /// Number of rows.
    pub rows: u32,
    /// Snapshot rows: no events, and no numbers.
    pub snapshot: bool,
    /// Row order.
    pub order: RowOrder,
    /// Earliest time, ns UTC.
    pub min_time: u64,
    /// Latest time, ns UTC.
    pub max_time: u64,
    /// Kinds in order of first occurrence; the batch's local kind numbers are indices here.
    pub kinds: Vec<KindRows>,
    /// Dictionary rows of threads in order of first occurrence; local thread numbers are indices here.
    pub threads: Vec<u32>,
    /// Dictionary rows of descriptors that occur, ascending.
    pub descs: Vec<u32>,
}

/// Run lengths of local thread numbers, in row order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runs {
    /// Local thread number of each run.
    pub values: Vec<u16>,
    /// Length of each run minus one; longer runs are cut.
    pub lengths: Vec<u8>,
}

impl Runs {
    /// Local numbers and lengths (1–256) of the runs.
    pub fn iter(&self) -> impl Iterator<Item = (u16, usize)> + '_ {
        self.values.iter().zip(&self.lengths).map(|(&v, &l)| (v, usize::from(l) + 1))
    }

    /// Run lengths of local numbers.
    pub fn of(values: impl Iterator<Item = u16>) -> Runs {
        let mut runs = Runs::default();
        for value in values {
            match (runs.values.last(), runs.lengths.last_mut()) {
                (Some(&last), Some(length)) if last == value && *length < u8::MAX => *length += 1,
                _ => {
                    runs.values.push(value);
                    runs.lengths.push(0);
                }
            }
        }
        runs
    }
}

impl Head {
    /// The head of a batch, and its rows' local thread numbers as runs.
    pub fn of(columns: &Columns) -> (Head, Runs) {
        let mut local = std::collections::HashMap::with_hasher(foldhash::fast::FixedState::default());
        let mut threads = Vec::new();
        let mut last = (None, 0u16);
        let runs = Runs::of(columns.thread.iter().map(|&row| {
            if last.0 != Some(row) {
                let id = *local.entry(row).or_insert_with(|| {
                    threads.push(row);
                    (threads.len() - 1) as u16
                });
                last = (Some(row), id);
            }
            last.1
        }));
        let mut descs: Vec<u32> = columns.tables.iter().flat_map(|t| &t.desc).copied().filter(|&d| d != 0).collect();
        descs.sort_unstable();
        descs.dedup();
        (Head::with(columns, threads, descs), runs)
    }

    /// The head of a batch whose thread rows (in order of first occurrence) and descriptor rows (ascending) are known.
    pub(super) fn with(columns: &Columns, threads: Vec<u32>, descs: Vec<u32>) -> Head {
        Head {
            first_num: columns.first_num,
            rows: columns.rows() as u32,
            snapshot: columns.snapshot,
            order: RowOrder::Time,
            min_time: columns.time.iter().copied().min().unwrap_or(0),
            max_time: columns.time.iter().copied().max().unwrap_or(0),
            kinds: columns.tables.iter().map(|t| KindRows { kind: t.kind, rows: t.duration.len() as u32 }).collect(),
            threads,
            descs,
        }
    }
}
