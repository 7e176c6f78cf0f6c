//! [`Grouper`]: which group each row of a batch belongs to, as one array of ids per kind's table.
//!
//! Conditions on kinds and descriptors need the tables only; a key or a condition on threads needs one pass
//! over the rows, in which a cursor per kind finds a row's place in its table.

use super::part::{NONE, Part, slot};
use crate::batch::{Batch, Error, MAX_KINDS, Row, Runs, Schema};
use crate::event::Flags;
use crate::field::{Context, FieldRef, Level};
use crate::filter::{Bits, KindSelection, Selection};
use crate::report::Cell;
use crate::world::Dict;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::Arc;

/// Group ids by local kind and position.
pub(super) type Ids = Vec<KindIds>;

/// The groups of the rows of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KindIds {
    /// No row is selected.
    None,
    /// All rows are of one group.
    All {
        /// The group.
        group: u32,
        /// How many rows.
        rows: usize,
    },
    /// The group of each row.
    Each(Vec<u32>),
}

impl KindIds {
    /// Whether no row is selected.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, KindIds::None)
    }

    /// The group of a row; [`NONE`] past the last.
    #[inline]
    pub(super) fn get(&self, position: usize) -> u32 {
        match self {
            KindIds::None => NONE,
            KindIds::All { group, rows } => {
                if position < *rows {
                    *group
                } else {
                    NONE
                }
            }
            KindIds::Each(ids) => ids.get(position).copied().unwrap_or(NONE),
        }
    }

    /// The group of each row, to be changed one by one; empty where no row is selected.
    pub(super) fn each(&mut self) -> &mut [u32] {
        if let KindIds::All { group, rows } = *self {
            *self = KindIds::Each(vec![group; rows]);
        }
        if let KindIds::Each(ids) = self { ids } else { &mut [] }
    }
}

/// Finds the group of each row.
pub(super) struct Grouper {
    /// Key fields by level: kind, thread, descriptor, event.
    parts: [Part; 4],
    /// For each key field, its part and its place there.
    places: Vec<(usize, usize)>,
    combined: HashMap<[u32; 4], u32, FixedState>,
    groups: Vec<[u32; 4]>,
    segment: Option<(Arc<Schema>, Arc<Dict>)>,
}

impl Grouper {
    pub(super) fn new(fields: &[FieldRef]) -> Grouper {
        let mut by_level: [Vec<FieldRef>; 4] = Default::default();
        let mut places = Vec::new();
        for field in fields {
            let part = slot(field.field.level());
            places.push((part, by_level[part].len()));
            by_level[part].push(field.clone());
        }
        Grouper {
            parts: by_level.map(Part::new),
            places,
            combined: HashMap::with_hasher(FixedState::default()),
            groups: vec![[NONE; 4]],
            segment: None,
        }
    }

    /// Number of group ids, [`NONE`] included.
    pub(super) fn len(&self) -> usize {
        match self.only() {
            Some(part) => self.parts[part].len(),
            None => self.groups.len(),
        }
    }

    /// The key of a group, in the order of its fields.
    pub(super) fn key(&self, group: u32) -> Vec<Cell> {
        let ids = match self.only() {
            Some(part) => {
                let mut ids = [NONE; 4];
                ids[part] = group;
                ids
            }
            None => self.groups[group as usize],
        };
        let cell = |&(part, place): &(usize, usize)| {
            self.parts[part].cells(ids[part]).get(place).cloned().unwrap_or(Cell::Missing)
        };
        self.places.iter().map(cell).collect()
    }

    /// The only part with fields: its ids are the groups' ids.
    fn only(&self) -> Option<usize> {
        let mut used = (0..4).filter(|&p| !self.parts[p].is_empty());
        match (used.next(), used.next()) {
            (Some(part), None) => Some(part),
            _ => None,
        }
    }

    fn uses(&self, level: Level) -> bool {
        !self.parts[slot(level)].is_empty()
    }

    /// Forgets memoised rows when the batch belongs to another segment; tells whether it does.
    pub(super) fn enter(&mut self, batch: &Batch) -> bool {
        let same = |(schema, dict): &(Arc<Schema>, Arc<Dict>)| {
            Arc::ptr_eq(schema, batch.schema()) && Arc::ptr_eq(dict, batch.dict())
        };
        if self.segment.as_ref().is_some_and(same) {
            return false;
        }
        self.parts.iter_mut().for_each(Part::new_segment);
        self.segment = Some((Arc::clone(batch.schema()), Arc::clone(batch.dict())));
        true
    }

    /// Group ids of all rows.
    pub(super) fn ids(
        &mut self,
        batch: &Batch,
        selection: &Selection,
        in_flight: bool,
        ctx: &Context,
    ) -> Result<Ids, Error> {
        let mut ids = mask(batch, selection, in_flight)?;
        if self.uses(Level::Event) {
            self.by_event(batch, selection, ctx, &mut ids)?;
        } else if selection.rows.is_some() || self.uses(Level::Thread) {
            self.by_row(batch, selection, &mut ids)?;
        } else {
            self.by_kind(batch, &mut ids)?;
        }
        Ok(ids)
    }

    /// Keys of kind and descriptor fields: no row column is decoded.
    fn by_kind(&mut self, batch: &Batch, ids: &mut Ids) -> Result<(), Error> {
        for (kind, ids) in ids.iter_mut().enumerate().filter(|(_, ids)| !ids.is_empty()) {
            let key = [self.parts[0].of_kind(batch, kind), NONE, NONE, NONE];
            if self.uses(Level::Descriptor) {
                self.by_desc(batch, kind, key, ids)?;
                continue;
            }
            let id = self.id(key);
            match ids {
                KindIds::None => {}
                KindIds::All { group, .. } => *group = id,
                KindIds::Each(ids) => ids.iter_mut().for_each(|slot| *slot *= id),
            }
        }
        Ok(())
    }

    /// Adds the descriptor to a key that is the same for all rows of a kind but for it.
    fn by_desc(&mut self, batch: &Batch, kind: usize, mut key: [u32; 4], ids: &mut KindIds) -> Result<(), Error> {
        let descs = batch.desc(kind)?;
        if descs.is_empty() {
            *ids = KindIds::None;
            return Ok(());
        }
        if self.only().is_some() {
            if let KindIds::All { .. } = ids {
                *ids = KindIds::Each(self.parts[2].of_descs(batch, descs));
                return Ok(());
            }
            let part = &mut self.parts[2];
            for (slot, &row) in ids.each().iter_mut().zip(descs).filter(|(slot, _)| **slot != NONE) {
                *slot = part.of_desc(batch, row);
            }
            return Ok(());
        }
        // Id of the group by id of the descriptor, for this kind.
        let mut known: Vec<u32> = Vec::new();
        for (slot, &row) in ids.each().iter_mut().zip(descs).filter(|(slot, _)| **slot != NONE) {
            key[2] = self.parts[2].of_desc(batch, row);
            let at = key[2] as usize;
            if known.len() <= at {
                known.resize(self.parts[2].len().max(at + 1), u32::MAX);
            }
            if known[at] == u32::MAX {
                known[at] = self.combine(key);
            }
            *slot = known[at];
        }
        Ok(())
    }

    /// Keys of fields of threads, or a condition on rows: what a row has beside its table is brought into the order of
    /// the tables first, and then it is a key like the others.
    fn by_row(&mut self, batch: &Batch, selection: &Selection, ids: &mut Ids) -> Result<(), Error> {
        if !self.uses(Level::Thread) {
            if let Some(rows) = &selection.rows {
                admit(batch, rows, ids)?;
            }
            return self.by_kind(batch, ids);
        }
        let scattered = scatter(batch, true, selection.rows.as_ref(), ids)?;
        // Id by local thread of this batch.
        let mut of_thread = vec![u32::MAX; batch.head().threads.len()];
        let (use_desc, only) = (self.uses(Level::Descriptor), self.only().is_some());
        for (kind, ids) in ids.iter_mut().enumerate().filter(|(_, ids)| !ids.is_empty()) {
            let mut key = [self.parts[0].of_kind(batch, kind), NONE, NONE, NONE];
            let descs = if use_desc { batch.desc(kind)? } else { &[] };
            let mut last = ([NONE; 4], NONE);
            for (position, (slot, &local)) in ids.each().iter_mut().zip(scattered.of_kind(kind)).enumerate() {
                if *slot == NONE || local == OUT {
                    *slot = NONE;
                    continue;
                }
                key[1] = match of_thread.get(local as usize) {
                    Some(&id) if id != u32::MAX => id,
                    _ => {
                        let id = self.parts[1].of_thread(batch, local as u16);
                        of_thread.iter_mut().skip(local as usize).take(1).for_each(|slot| *slot = id);
                        id
                    }
                };
                if only {
                    *slot = key[1];
                    continue;
                }
                if use_desc {
                    key[2] = self.parts[2].of_desc(batch, descs.get(position).copied().unwrap_or(0));
                }
                if last.0 != key {
                    last = (key, self.combine(key));
                }
                *slot = last.1;
            }
        }
        Ok(())
    }

    /// Keys of any fields: where those of events are columns they are found table by table, all others in one pass in row order.
    fn by_event(&mut self, batch: &Batch, selection: &Selection, ctx: &Context, ids: &mut Ids) -> Result<(), Error> {
        if let Some(rows) = &selection.rows {
            admit(batch, rows, ids)?;
        }
        let mut is_known = vec![false; ids.len()];
        for (kind, ids) in ids.iter_mut().enumerate().filter(|(_, ids)| !ids.is_empty()) {
            is_known[kind] = self.parts[3].of_columns(batch, kind, ids.each())?;
        }
        self.by_walk(batch, ctx, &is_known, ids)
    }

    /// One pass in row order over the kinds whose groups are still to be found; rows of those that are known have the ids that the
    /// fields of events have, those of others any.
    fn by_walk(&mut self, batch: &Batch, ctx: &Context, is_known: &[bool], ids: &mut Ids) -> Result<(), Error> {
        let only = self.only();
        let (use_kind, use_thread) = (self.uses(Level::Kind), self.uses(Level::Thread));
        let use_desc = self.uses(Level::Descriptor);
        let is_found = |kind: usize| ids[kind].is_empty() || is_known[kind] && only.is_some();
        let used: Vec<bool> = (0..ids.len()).map(|kind| !is_found(kind)).collect();
        if !used.contains(&true) {
            return Ok(());
        }
        let descs = (0..ids.len())
            .map(|k| if use_desc && used[k] { batch.desc(k) } else { Ok(&[][..]) })
            .collect::<Result<Vec<_>, _>>()?;
        let mut slots: Vec<&mut [u32]> = ids.iter_mut().map(KindIds::each).collect();
        let mut last = ([NONE; 4], NONE);
        walk(
            batch,
            use_thread,
            |kind| used[kind],
            |index, thread, kind, position| {
                let Some(slot) = slots.get_mut(kind).and_then(|ids| ids.get_mut(position)).filter(|id| **id != NONE)
                else {
                    return;
                };
                let mut key = [NONE; 4];
                if use_kind {
                    key[0] = self.parts[0].of_kind(batch, kind);
                }
                if use_thread {
                    key[1] = self.parts[1].of_thread(batch, thread);
                }
                if use_desc {
                    let row = descs[kind].get(position).copied().unwrap_or(0);
                    key[2] = self.parts[2].of_desc(batch, row);
                }
                key[3] = if is_known[kind] {
                    *slot
                } else {
                    self.parts[3].of_row(&Row { batch, index, kind, position, thread }, ctx)
                };
                if key != last.0 {
                    last = (key, self.id(key));
                }
                *slot = last.1;
            },
        )
    }

    /// Id of a group by the ids of its parts, of which one or several are in use.
    fn id(&mut self, key: [u32; 4]) -> u32 {
        match self.only() {
            Some(part) => key[part],
            None => self.combine(key),
        }
    }

    /// Id of a group by the ids of its parts; [`NONE`] if a part that the key uses has no value.
    fn combine(&mut self, key: [u32; 4]) -> u32 {
        if self.parts.iter().zip(key).any(|(part, id)| !part.is_empty() && id == NONE) {
            return NONE;
        }
        if let Some(&id) = self.combined.get(&key) {
            return id;
        }
        let id = self.groups.len() as u32;
        self.groups.push(key);
        self.combined.insert(key, id);
        id
    }
}

/// 1 for rows whose kind's part of the selection admits them, 0 for others.
fn mask(batch: &Batch, selection: &Selection, in_flight: bool) -> Result<Ids, Error> {
    let mut all = Vec::with_capacity(batch.head().kinds.len());
    for (kind, of) in batch.head().kinds.iter().enumerate() {
        let rows = of.rows as usize;
        let mut ids = match selection.kinds.get(kind) {
            None | Some(KindSelection::None) => KindIds::None,
            Some(KindSelection::All) => KindIds::All { group: 1, rows },
            Some(KindSelection::Some(bits)) => {
                let mut ids = Vec::with_capacity(rows.next_multiple_of(64));
                bits.words().iter().for_each(|word| ids.extend((0..64).map(|bit| (word >> bit & 1) as u32)));
                ids.resize(rows, NONE);
                KindIds::Each(ids)
            }
        };
        if !in_flight && batch.duration_sum(kind).is_none() && !ids.is_empty() {
            let flags = batch.flags(kind)?;
            if flags.iter().any(|&flags| Flags(flags).has(Flags::IN_FLIGHT)) {
                let out = ids.each().iter_mut().zip(flags).filter(|(_, flags)| Flags(**flags).has(Flags::IN_FLIGHT));
                out.for_each(|(id, _)| *id = NONE);
            }
        }
        all.push(ids);
    }
    Ok(all)
}

/// Stands for a row that is not selected, where the local thread of a row is asked for.
const OUT: u32 = u32::MAX;

/// No group for rows that are not among `rows`.
fn admit(batch: &Batch, rows: &Bits, ids: &mut Ids) -> Result<(), Error> {
    let scattered = scatter(batch, false, Some(rows), ids)?;
    for (kind, ids) in ids.iter_mut().enumerate().filter(|(_, ids)| !ids.is_empty()) {
        let out = ids.each().iter_mut().zip(scattered.of_kind(kind)).filter(|(_, thread)| **thread == OUT);
        out.for_each(|(slot, _)| *slot = NONE);
    }
    Ok(())
}

/// What rows have beside their tables, in the order of the tables.
struct Scattered {
    /// The tables of the kinds that were asked for, end to end.
    flat: Vec<u32>,
    /// Where each begins.
    starts: [usize; MAX_KINDS],
}

impl Scattered {
    /// Of the rows of a kind that was asked for.
    fn of_kind(&self, kind: usize) -> &[u32] {
        self.starts.get(kind).and_then(|&start| self.flat.get(start..)).unwrap_or_default()
    }
}

/// The local thread of each row by local kind and position, for the kinds that have selected rows; 0 without `threads`,
/// [`OUT`] for rows that are not among `rows`.
fn scatter(batch: &Batch, threads: bool, rows: Option<&Bits>, ids: &Ids) -> Result<Scattered, Error> {
    let kinds = batch.kind()?;
    // All tables end to end, in one array; rows of other kinds are written behind them, one over the other, because a
    // branch that is right half of the time costs more than a store.
    let (mut cursor, mut step) = ([0usize; MAX_KINDS], [0usize; MAX_KINDS]);
    let mut total = 0;
    for (kind, of) in batch.head().kinds.iter().enumerate().take(MAX_KINDS) {
        if ids.get(kind).is_some_and(|ids| !ids.is_empty()) {
            (cursor[kind], step[kind]) = (total, 1);
            total += of.rows as usize;
        }
    }
    (0..MAX_KINDS).filter(|&kind| step[kind] == 0).for_each(|kind| cursor[kind] = total);
    let starts = cursor;
    let mut flat = vec![OUT; total + 1];
    let mut put = |kind: u8, value: u32| {
        let at = &mut cursor[usize::from(kind)];
        if let Some(slot) = flat.get_mut(*at) {
            *slot = value;
        }
        *at += step[usize::from(kind)];
    };
    if threads {
        let runs = batch.thread()?;
        let covered: usize = runs.lengths.iter().map(|&l| usize::from(l) + 1).sum();
        if covered != kinds.len() {
            let expected = format!("{} rows", kinds.len());
            return Err(Error { column: "thread", expected, found: format!("{covered}") });
        }
        let threads = of_rows(runs, kinds.len());
        match rows {
            None => kinds.iter().zip(&threads).for_each(|(&kind, &thread)| put(kind, u32::from(thread))),
            Some(rows) => kinds.iter().zip(&threads).enumerate().for_each(|(index, (&kind, &thread))| {
                put(kind, if rows.get(index) { u32::from(thread) } else { OUT });
            }),
        }
    } else {
        for (index, &kind) in kinds.iter().enumerate() {
            put(kind, if rows.is_none_or(|rows| rows.get(index)) { 0 } else { OUT });
        }
    }
    Ok(Scattered { flat, starts })
}

/// The local thread of each row, and some more behind them.
fn of_rows(runs: &Runs, rows: usize) -> Vec<u16> {
    // Where two processors are busy most runs are a row or two long: as many rows as fit into a register are written at
    // once, and the next run begins where this one ends.
    const AT_ONCE: usize = 16;
    let mut threads = vec![0u16; rows + AT_ONCE];
    let mut start = 0;
    for (thread, length) in runs.iter() {
        let own = threads.get_mut(start..).unwrap_or_default();
        if let Some(chunk) = own.first_chunk_mut::<AT_ONCE>() {
            *chunk = [thread; AT_ONCE];
        }
        if length > AT_ONCE {
            own.iter_mut().take(length).skip(AT_ONCE).for_each(|slot| *slot = thread);
        }
        start += length;
    }
    threads
}

/// The same groups, but none for rows that a selection does not admit.
pub(super) fn masked(batch: &Batch, selection: &Selection, ids: &Ids) -> Result<Ids, Error> {
    let mut out: Ids = ids.clone();
    for (kind, ids) in out.iter_mut().enumerate() {
        match selection.kinds.get(kind) {
            None | Some(KindSelection::None) => *ids = KindIds::None,
            Some(KindSelection::All) => {}
            Some(KindSelection::Some(bits)) => {
                let out = |at: usize| at >= bits.len() || !bits.get(at);
                ids.each().iter_mut().enumerate().filter(|(at, _)| out(*at)).for_each(|(_, id)| *id = NONE);
            }
        }
    }
    if let Some(rows) = &selection.rows {
        let used: Vec<bool> = out.iter().map(|ids| !ids.is_empty()).collect();
        let mut slots: Vec<&mut [u32]> = out.iter_mut().map(KindIds::each).collect();
        walk(
            batch,
            false,
            |kind| used.get(kind).copied().unwrap_or(false),
            |index, _, kind, position| {
                if !rows.get(index)
                    && let Some(id) = slots[kind].get_mut(position)
                {
                    *id = NONE;
                }
            },
        )?;
    }
    Ok(out)
}

/// Calls `visit(index, local thread, local kind, position)` for every row of the `wanted` local kinds, in order.
/// Without `threads` the thread column is not decoded, and the local thread is 0.
pub(super) fn walk(
    batch: &Batch,
    threads: bool,
    wanted: impl Fn(usize) -> bool,
    mut visit: impl FnMut(usize, u16, usize, usize),
) -> Result<(), Error> {
    let kinds = batch.kind()?;
    let (none, runs) = (Runs::default(), if threads { Some(batch.thread()?) } else { None });
    let covered = runs.map_or(kinds.len(), |runs| runs.lengths.iter().map(|&l| usize::from(l) + 1).sum());
    if covered != kinds.len() {
        return Err(Error { column: "thread", expected: format!("{} rows", kinds.len()), found: format!("{covered}") });
    }
    let mut runs = runs.unwrap_or(&none).iter();
    let (mut thread, mut end) = (0, if threads { 0 } else { usize::MAX });
    let wanted: [bool; MAX_KINDS] = std::array::from_fn(|kind| kind < batch.head().kinds.len() && wanted(kind));
    let mut cursor = [0usize; MAX_KINDS];
    for (index, kind) in kinds.iter().map(|&k| usize::from(k)).enumerate().filter(|&(_, k)| wanted[k]) {
        // Runs are caught up with here, so that those without a wanted row cost an addition each.
        while index >= end {
            let Some((next, length)) = runs.next() else { break };
            (thread, end) = (next, end + length);
        }
        visit(index, thread, kind, cursor[kind]);
        cursor[kind] += 1;
    }
    Ok(())
}
