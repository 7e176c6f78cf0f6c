//! Selections that come from the question rather than from a filter.

use super::group::walk;
use crate::batch::{Batch, Error};
use crate::event::KindFlags;
use crate::filter::{Bits, KindSelection, Selection};

/// Every event of a batch; without `internal`, only what the recorded node did, not the recorder's own events.
pub fn all(batch: &Batch, internal: bool) -> Selection {
    let kind = |k| {
        let flags = batch.kind_info(k).flags;
        let hidden = !internal && (flags.has(KindFlags::INTERNAL) || flags.has(KindFlags::SNAPSHOT));
        if hidden || batch.head().snapshot { KindSelection::None } else { KindSelection::All }
    };
    Selection { kinds: (0..batch.head().kinds.len()).map(kind).collect(), rows: None }
}

/// Every event of a batch that can be counted: what the recorder found later and put right is none.
pub fn countable(batch: &Batch) -> Selection {
    let mut selection = all(batch, true);
    for (k, kind) in selection.kinds.iter_mut().enumerate() {
        if batch.kind_info(k).flags.has(KindFlags::SNAPSHOT) {
            *kind = KindSelection::None;
        }
    }
    selection
}

/// The rows of a selection that were complete at `from` or later and before `until`, ns UTC.
pub fn within(batch: &Batch, mut selection: Selection, from: u64, until: u64) -> Result<Selection, Error> {
    if batch.head().min_time >= from && batch.head().max_time < until {
        return Ok(selection);
    }
    let rows = Bits::of(batch.time()?.iter().map(|&time| time >= from && time < until));
    selection.intersect(Selection { rows: Some(rows), ..Selection::all(batch.head().kinds.len()) });
    Ok(selection)
}

/// The first `count` rows of a selection, and how many it had up to there.
pub fn first(batch: &Batch, selection: Selection, count: u64) -> Result<(Selection, u64), Error> {
    let mut rows = Bits::new(batch.rows());
    let mut found = 0;
    walk(
        batch,
        false,
        |kind| asks(&selection, kind),
        |index, _, kind, position| {
            if found < count && admits(&selection, index, kind, position) {
                rows.set(index);
                found += 1;
            }
        },
    )?;
    Ok((Selection { rows: Some(rows), ..selection }, found))
}

/// Whether a selection admits a row of a local kind.
pub(super) fn asks(selection: &Selection, kind: usize) -> bool {
    !matches!(selection.kinds.get(kind), None | Some(KindSelection::None))
}

/// Whether a selection admits a row.
pub(super) fn admits(selection: &Selection, index: usize, kind: usize, position: usize) -> bool {
    let by_kind = match selection.kinds.get(kind) {
        None | Some(KindSelection::None) => false,
        Some(KindSelection::All) => true,
        Some(KindSelection::Some(bits)) => position < bits.len() && bits.get(position),
    };
    by_kind && selection.rows.as_ref().is_none_or(|rows| index < rows.len() && rows.get(index))
}
