//! [`Grouper`]: which group each row of a batch belongs to, as one array of ids per kind's table.
//!
//! Conditions on kinds and descriptors need the tables only; a key or a condition on threads needs one pass
//! over the rows, in which a cursor per kind finds a row's place in its table.

use super::part::{NONE, Part, slot};
use crate::batch::{Batch, Error, MAX_KINDS, Row, Runs, Schema};
use crate::event::Flags;
use crate::field::{Context, FieldRef, Level};
use crate::filter::{KindSelection, Selection};
use crate::report::Cell;
use crate::world::Dict;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::Arc;

/// Group ids by local kind and position; an empty array for kinds without a selected row.
pub(super) type Ids = Vec<Vec<u32>>;

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
        if selection.rows.is_some() || self.uses(Level::Thread) || self.uses(Level::Event) {
            self.by_row(batch, selection, ctx, &mut ids)?;
        } else {
            self.by_kind(batch, &mut ids)?;
        }
        Ok(ids)
    }

    /// Keys of kind and descriptor fields: no row column is decoded.
    fn by_kind(&mut self, batch: &Batch, ids: &mut Ids) -> Result<(), Error> {
        let (needs_desc, only) = (self.uses(Level::Descriptor), self.only());
        for (kind, ids) in ids.iter_mut().enumerate().filter(|(_, ids)| !ids.is_empty()) {
            let kind_id = self.parts[0].of_kind(batch, kind);
            if !needs_desc {
                let id = if only.is_some() { kind_id } else { self.combine([kind_id, NONE, NONE, NONE]) };
                for slot in ids.iter_mut() {
                    *slot *= id;
                }
                continue;
            }
            let descs = batch.desc(kind)?;
            if descs.is_empty() {
                ids.clear();
                continue;
            }
            for (slot, &row) in ids.iter_mut().zip(descs).filter(|(slot, _)| **slot != NONE) {
                let id = self.parts[2].of_desc(batch, row);
                *slot = if only.is_some() { id } else { self.combine([kind_id, NONE, id, NONE]) };
            }
        }
        Ok(())
    }

    /// Keys of any fields, or a condition on rows: one pass in row order.
    fn by_row(&mut self, batch: &Batch, selection: &Selection, ctx: &Context, ids: &mut Ids) -> Result<(), Error> {
        let only = self.only();
        let (use_kind, use_thread) = (self.uses(Level::Kind), self.uses(Level::Thread));
        let (use_desc, use_event) = (self.uses(Level::Descriptor), self.uses(Level::Event));
        let descs = (0..ids.len())
            .map(|k| if use_desc && !ids[k].is_empty() { batch.desc(k) } else { Ok(&[][..]) })
            .collect::<Result<Vec<_>, _>>()?;
        let rows = selection.rows.as_ref();
        let used: Vec<bool> = ids.iter().map(|ids| !ids.is_empty()).collect();
        walk(
            batch,
            use_thread,
            |kind| used[kind],
            |index, thread, kind, position| {
                let Some(slot) = ids.get_mut(kind).and_then(|ids| ids.get_mut(position)).filter(|id| **id != NONE)
                else {
                    return;
                };
                if rows.is_some_and(|rows| !rows.get(index)) {
                    *slot = NONE;
                    return;
                }
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
                if use_event {
                    key[3] = self.parts[3].of_row(&Row { batch, index, kind, position, thread }, ctx);
                }
                *slot = match only {
                    Some(part) => key[part],
                    None => self.combine(key),
                };
            },
        )
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
    for (kind, rows) in batch.head().kinds.iter().enumerate() {
        let len = rows.rows as usize;
        let mut ids = match selection.kinds.get(kind) {
            None | Some(KindSelection::None) => Vec::new(),
            Some(KindSelection::All) => vec![1; len],
            Some(KindSelection::Some(bits)) => {
                let mut ids = Vec::with_capacity(len.next_multiple_of(64));
                bits.words().iter().for_each(|word| ids.extend((0..64).map(|bit| (word >> bit & 1) as u32)));
                ids.resize(len, NONE);
                ids
            }
        };
        if !in_flight && !ids.is_empty() {
            for (id, flags) in ids.iter_mut().zip(batch.flags(kind)?) {
                if Flags(*flags).has(Flags::IN_FLIGHT) {
                    *id = NONE;
                }
            }
        }
        all.push(ids);
    }
    Ok(all)
}

/// The same groups, but none for rows that a selection does not admit.
pub(super) fn masked(batch: &Batch, selection: &Selection, ids: &Ids) -> Result<Ids, Error> {
    let mut out: Ids = ids.clone();
    for (kind, ids) in out.iter_mut().enumerate() {
        match selection.kinds.get(kind) {
            None | Some(KindSelection::None) => ids.clear(),
            Some(KindSelection::All) => {}
            Some(KindSelection::Some(bits)) => {
                let out = |at: usize| at >= bits.len() || !bits.get(at);
                ids.iter_mut().enumerate().filter(|(at, _)| out(*at)).for_each(|(_, id)| *id = NONE);
            }
        }
    }
    if let Some(rows) = &selection.rows {
        let used: Vec<bool> = out.iter().map(|ids| !ids.is_empty()).collect();
        walk(
            batch,
            false,
            |kind| used.get(kind).copied().unwrap_or(false),
            |index, _, kind, position| {
                if !rows.get(index)
                    && let Some(id) = out[kind].get_mut(position)
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
