//! [`DurationSum`]: what the durations of a kind's rows in a batch come to, so that a sum of a whole kind reads no column.

use super::Columns;
use crate::event::Flags;

/// The durations of the rows of one kind in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DurationSum {
    /// Rows whose duration is known.
    pub count: u32,
    /// Sum of their durations, ns; wraps around.
    pub sum: u64,
    /// The shortest, ns; 0 where there is none.
    pub min: u64,
    /// The longest, ns, below 2^63; 0 where there is none.
    pub max: u64,
}

/// Rows of a batch for each of its kinds from which on sums are kept: a sum has some ten bytes, so they cost 0.04 bytes a
/// row at most.
const ROWS_PER_KIND: usize = 256;

impl DurationSum {
    /// Of a column of durations plus one, 0 unknown; `None` where one is no number of nanoseconds that can be added up.
    pub fn of(durations: &[u64]) -> Option<DurationSum> {
        let (mut count, mut sum, mut least, mut most) = (0u32, 0u64, u64::MAX, 0u64);
        for &plus_one in durations {
            let is_known = plus_one > 0;
            count += u32::from(is_known);
            sum = sum.wrapping_add(plus_one - u64::from(is_known));
            // Unknown ones wrap around to the largest number.
            least = least.min(plus_one.wrapping_sub(1));
            most = most.max(plus_one);
        }
        let (min, max) = if count == 0 { (0, 0) } else { (least, most - 1) };
        i64::try_from(max).is_ok().then_some(DurationSum { count, sum, min, max })
    }

    /// Those of a batch by local kind. None at all where they would take room beside few rows, and where calls are in
    /// flight, which do not always count.
    pub(super) fn of_batch(columns: &Columns) -> Vec<DurationSum> {
        let are_few = columns.rows() < ROWS_PER_KIND * columns.tables.len();
        if columns.snapshot || are_few || has_in_flight(columns) {
            return Vec::new();
        }
        let sums = columns.tables.iter().map(|table| DurationSum::of(&table.duration));
        sums.collect::<Option<_>>().unwrap_or_default()
    }
}

fn has_in_flight(columns: &Columns) -> bool {
    let flags = columns.tables.iter().flat_map(|table| &table.flags);
    Flags(flags.fold(0, |all, flags| all | flags)).has(Flags::IN_FLIGHT)
}
