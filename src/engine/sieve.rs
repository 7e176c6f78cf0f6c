//! [`Sieve`]: keeps of a recording what its filter wants. The world has seen every event by then, so a filter changes
//! what is kept, never what is true (invariant 12).
//!
//! Of the initial state the threads that can match are kept, who they descend from, and the descriptors of the former; of
//! the dictionary, the rows that what is kept refers to.

use super::assembler::Piece;
use super::compact::{Compact, closure};
use crate::batch::{Batch, Columns, Error, Origin, Schema};
use crate::event::{Class, Kind, KindFlags, kinds};
use crate::field::Context;
use crate::filter::{Filter, Memo, Push};
use crate::world::{Delta, Dict, LateFact};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Of how many segments before the numbers are kept.
const MOST_PAST: usize = 8;

/// Keeps what a recording filter wants.
pub(super) struct Sieve {
    filter: Filter,
    push: Push,
    memo: Memo,
    context: Context,
    /// What `evt.host` and `evt.reel` are.
    origin: Arc<Origin>,
    schema: Arc<Schema>,
    dict: Arc<Dict>,
    compact: Compact,
    /// The initial state of the segment, until all of it is there.
    initial: Vec<Columns>,
    next_num: u64,
    /// Numbers of the segments before, the last one first: facts about their rows still come.
    past: VecDeque<Compact>,
}

impl Sieve {
    /// A sieve for a recording that began at `start` (ns UTC) at an offset from UTC, on a host and into a reel.
    pub(super) fn new(filter: Filter, start: u64, tz_offset_s: i32, origin: Origin) -> Sieve {
        let context = Context { start, tz_offset_s, ..Context::default() };
        let (schema, dict) = (Arc::new(Schema::current()), Arc::new(Dict::new()));
        let push = Push::all_of(&filter);
        let (memo, compact) = (Memo::default(), Compact::default());
        Sieve {
            filter,
            push,
            memo,
            context,
            origin: Arc::new(origin),
            schema,
            dict,
            compact,
            initial: Vec::new(),
            next_num: 1,
            past: VecDeque::new(),
        }
    }

    /// What is kept of a piece, with what had to wait for it.
    pub(super) fn pass(&mut self, piece: Piece) -> Result<Vec<Piece>, Error> {
        match piece {
            Piece::Begin(_) => {
                self.dict = Arc::new(Dict::after(&self.dict));
                self.past.push_front(std::mem::take(&mut self.compact));
                self.past.truncate(MOST_PAST);
                Ok(vec![piece])
            }
            Piece::Rows(delta) => {
                self.rows(&delta);
                Ok(Vec::new())
            }
            Piece::Batch(columns) if columns.snapshot => {
                self.initial.push(columns);
                Ok(Vec::new())
            }
            Piece::Batch(columns) => {
                let mut kept = self.initial();
                let columns = self.keep(columns)?;
                kept.extend(self.written(columns, None));
                Ok(kept)
            }
            Piece::Late(facts) => {
                let mut kept = self.initial();
                for fact in &facts {
                    Arc::make_mut(&mut self.dict).tell_container(fact);
                }
                let facts: Vec<LateFact> = facts.into_iter().filter_map(|fact| self.late(fact)).collect();
                kept.extend((!facts.is_empty()).then_some(Piece::Late(facts)));
                Ok(kept)
            }
            other => {
                let mut kept = self.initial();
                if matches!(other, Piece::Rotate(_)) {
                    self.next_num = 1;
                }
                kept.push(other);
                Ok(kept)
            }
        }
    }

    /// A late fact with the number that its row was given; none about a row that was not written.
    fn late(&self, mut fact: LateFact) -> Option<LateFact> {
        let numbers = match fact.back {
            0 => Some(&self.compact),
            back => self.past.get(back as usize - 1),
        };
        let id = match crate::event::kind_by_name(&fact.kind) {
            Some(kinds::SNAP_THREAD) => numbers?.number_of_thread(fact.id),
            Some(kinds::SNAP_FD) => numbers?.number_of_desc(fact.id),
            // A name that nothing written needs is none of the recording's business.
            Some(kind @ (kinds::SNAP_USER | kinds::SNAP_GROUP)) => {
                let is_group = kind == kinds::SNAP_GROUP;
                let needs = |compact: &Compact| compact.names(is_group, fact.id);
                return (needs(&self.compact) || self.past.iter().any(needs)).then_some(fact);
            }
            _ => return Some(fact),
        };
        fact.id = id;
        (id != 0).then_some(fact)
    }

    /// Rows that the next batch needs.
    fn rows(&mut self, delta: &Delta) {
        // Our own deltas follow each other without a gap, so there is nothing to report.
        Arc::make_mut(&mut self.dict).apply(delta).ok();
    }

    /// The matching rows of a batch. Losses are always kept.
    fn keep(&mut self, columns: Columns) -> Result<Columns, Error> {
        let columns = Arc::new(columns);
        let batch = Batch::of_columns(Arc::clone(&columns), Arc::clone(&self.schema), Arc::clone(&self.dict))
            .with_origin(Arc::clone(&self.origin));
        let wanted = self.filter.select(&mut self.memo, &batch, &self.context)?.to_rows(&batch)?;
        drop(batch);
        let mut columns = Arc::unwrap_or_clone(columns);
        // Losses are always kept, and what puts the state right where it is about a thread that can match.
        let kind = |local: u8| Kind(columns.tables[usize::from(local)].kind);
        let is_kept = |i: usize| {
            let kind = kind(columns.kind[i]);
            kind == kinds::LOSS
                || kind.spec().flags.has(KindFlags::SNAPSHOT)
                    && self.push.may_match(&self.dict, self.dict.thread(columns.thread[i]))
        };
        let keep: Vec<bool> = (0..columns.rows()).map(|i| wanted.get(i) || is_kept(i)).collect();
        columns.retain(&keep);
        columns.first_num = self.next_num;
        self.next_num += columns.rows() as u64;
        Ok(columns)
    }

    /// A batch behind the dictionary rows that it needs.
    fn written(&mut self, mut columns: Columns, own: Option<&BTreeSet<u32>>) -> Vec<Piece> {
        if columns.rows() == 0 {
            return Vec::new();
        }
        self.compact.columns(&self.dict, &self.schema, &mut columns, own);
        let delta = self.compact.take_delta(&self.dict);
        let rows = (!delta.is_empty()).then_some(Piece::Rows(delta));
        rows.into_iter().chain([Piece::Batch(columns)]).collect()
    }

    /// What is kept of the initial state.
    fn initial(&mut self) -> Vec<Piece> {
        let initial = std::mem::take(&mut self.initial);
        let rows =
            |columns: &Columns| columns.thread.iter().copied().filter(|&row| row != 0).collect::<BTreeSet<u32>>();
        let threads: BTreeSet<u32> = initial.iter().flat_map(rows).collect();
        let dict = Arc::clone(&self.dict);
        let matching: BTreeSet<u32> =
            threads.into_iter().filter(|&row| self.push.may_match(&dict, dict.thread(row))).collect();
        let processes: BTreeSet<u32> = matching.iter().map(|&row| dict.thread(row).pid).collect();
        let namespaces = self.namespaces(&initial, &matching);
        let kept = closure(&dict, matching.iter().copied(), &|_| true);
        let ids = |uid: bool| {
            let of = |row: &u32| {
                let t = dict.thread(*row);
                if uid { vec![t.uid, t.euid, t.loginuid] } else { vec![t.gid, t.egid] }
            };
            kept.iter().flat_map(of).collect::<BTreeSet<u32>>()
        };
        let (users, groups) = (ids(true), ids(false));
        let mut out = Vec::new();
        for mut columns in initial {
            let mut positions = vec![0; columns.tables.len()];
            let mut keep = Vec::with_capacity(columns.rows());
            for (&kind, row) in columns.kind.iter().zip(&columns.thread) {
                let (table, position) = (&columns.tables[usize::from(kind)], positions[usize::from(kind)]);
                positions[usize::from(kind)] += 1;
                let is_within = |name: &str| {
                    let column = int_column(&self.schema, table.kind, name).and_then(|column| table.ints.get(column));
                    column.and_then(|values| values.get(position)).is_none_or(|ns| namespaces.contains(ns))
                };
                let id = || table.ints.first().and_then(|ids| ids.get(position)).map_or(u32::MAX, |&id| id as u32);
                keep.push(match crate::event::Kind(table.kind) {
                    kinds::SNAP_USER => users.contains(&id()),
                    kinds::SNAP_GROUP => groups.contains(&id()),
                    kinds::SNAP_INTERFACE => is_within("netns"),
                    kinds::SNAP_MOUNT => is_within("mntns"),
                    kinds::SNAP_FD => processes.contains(&dict.thread(*row).pid),
                    _ => *row == 0 || kept.contains(row),
                });
            }
            columns.retain(&keep);
            out.extend(self.written(columns, Some(&matching)));
        }
        out
    }

    /// The namespaces that some threads of the initial state are in; 0 is one that is not known.
    fn namespaces(&self, initial: &[Columns], of: &BTreeSet<u32>) -> BTreeSet<i64> {
        let mut found = BTreeSet::from([0]);
        for columns in initial {
            let Some(local) = columns.tables.iter().position(|t| t.kind == kinds::SNAP_THREAD.0) else { continue };
            let table = &columns.tables[local];
            let columns_of = ["netns", "mntns"].map(|name| int_column(&self.schema, table.kind, name));
            let rows = columns.kind.iter().zip(&columns.thread).filter(|(kind, _)| usize::from(**kind) == local);
            for (position, _) in rows.enumerate().filter(|(_, (_, row))| of.contains(row)) {
                let values = columns_of.iter().filter_map(|column| table.ints.get((*column)?)?.get(position));
                found.extend(values.copied());
            }
        }
        found
    }
}

/// Which column of numbers of a kind has a parameter.
fn int_column(schema: &Schema, kind: u16, name: &str) -> Option<usize> {
    let params = &schema.kinds.get(usize::from(kind))?.params;
    params.iter().filter(|p| p.class == Class::Int).position(|p| p.name == name)
}
