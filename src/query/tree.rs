//! [`TreeQuery`]: the processes of a recording as a tree, with what was aggregated of each and of all below it.

use super::rank::Span;
use super::table::{Key, TableQuery, TableWorker};
use crate::batch::{Batch, Error};
use crate::event::{Arg, signal_name};
use crate::field::{Context, Extract, FieldRef};
use crate::filter::{KindSelection, Selection};
use crate::report::{Cell, Column, Report, Table, Unit};
use crate::world::{Dict, ThreadRow};
use std::collections::{BTreeMap, BTreeSet};

/// How far parents are followed from a row; real trees are far shallower.
const MAX_DEPTH: usize = 256;

/// Levels that are shown by indentation.
const MAX_INDENT: usize = 64;

/// The processes of a recording as a tree: who started whom, how each ended, and aggregates that are rolled up.
#[derive(Clone)]
pub struct TreeQuery {
    /// What is aggregated: grouped by `proc.pid` and `proc.pid.ts`, in this order, sorted by the first of them.
    pub table: TableQuery,
    /// Heading of the tree.
    pub name: String,
    /// What a process is called: a field of its thread.
    pub label: FieldRef,
    /// Whether the processes are all, or those of which something was selected and their ancestors.
    pub all: bool,
}

/// A process: its id, and when it started (ns UTC; 0 unknown), because ids are used again.
type Id = (u32, u64);

/// What is known of a process; the row that is newest tells.
#[derive(Debug, Clone)]
struct Node {
    /// Time of the batch and row: larger is newer.
    age: (u64, u32),
    label: Cell,
    parent: Option<Id>,
}

/// What one worker has found.
pub struct TreeWorker {
    table: TableWorker,
    nodes: BTreeMap<Id, Node>,
    /// When and how processes ended.
    ends: BTreeMap<Id, (u64, i64)>,
}

/// The process of a thread's row.
fn process_of<'a>(dict: &'a Dict, thread: &'a ThreadRow) -> &'a ThreadRow {
    if thread.leader == 0 { thread } else { dict.thread(thread.leader) }
}

fn id_of(process: &ThreadRow) -> Id {
    (process.pid, process.start)
}

impl TreeQuery {
    /// Its amounts by what processes are called, without those below them.
    pub(super) fn as_table(&self) -> TableQuery {
        TableQuery { keys: vec![Key { name: self.name.clone(), field: self.label.clone() }], ..self.table.clone() }
    }

    /// A worker that has seen nothing.
    pub(super) fn worker(&self) -> TreeWorker {
        TreeWorker { table: self.table.worker(), nodes: BTreeMap::new(), ends: BTreeMap::new() }
    }

    /// Takes a batch: its processes, their ends, and the selected rows.
    pub(super) fn add(
        &self,
        worker: &mut TreeWorker,
        batch: &Batch,
        selection: &Selection,
        in_flight: bool,
        ctx: &Context,
    ) -> Result<(), Error> {
        let mut ends = Vec::new();
        exits(batch).for_each_row(batch, |row| {
            let param = |name: &str| row.info().params.iter().position(|p| p.name == name).map(|p| row.arg(p));
            let int = |name: &str| param(name).and_then(Arg::int);
            if int("last").is_some_and(|last| last != 0) {
                ends.push((id_of(process_of(row.dict(), row.thread())), (row.time(), int("status").unwrap_or(0))));
            }
        })?;
        worker.table.add(batch, selection, in_flight, ctx)?;
        worker.ends.extend(ends);
        let time = batch.head().max_time;
        for &row in &batch.head().threads {
            self.note(worker, batch.dict(), row, time, 0);
        }
        Ok(())
    }

    /// Notes the process of a thread's row, and its ancestors.
    fn note(&self, worker: &mut TreeWorker, dict: &Dict, row: u32, time: u64, depth: usize) {
        let thread = dict.thread(row);
        let (process, row) =
            if thread.leader == 0 { (thread, row) } else { (dict.thread(thread.leader), thread.leader) };
        if process.pid == 0 || depth > MAX_DEPTH {
            return;
        }
        let (id, age) = (id_of(process), (time, row));
        if worker.nodes.get(&id).is_some_and(|known| known.age >= age) {
            return;
        }
        // Who forked it, which survives re-parenting; of a process that was there before, its parent.
        let above = if process.creator != 0 { process.creator } else { process.parent };
        let starter = (above != 0 && above < row).then(|| process_of(dict, dict.thread(above))).map(id_of);
        let known = worker.nodes.get(&id).and_then(|known| known.parent);
        let parent = starter.or(known).filter(|parent| *parent != id);
        let label = match self.label.field.extract {
            Extract::Thread(value) => super::part::cell(value(dict, process, &self.label.arg)),
            _ => Cell::Missing,
        };
        worker.nodes.insert(id, Node { age, label, parent });
        if parent.is_some() && above != 0 && above < row {
            // An ancestor's row is older than any row of its own in this batch.
            self.note(worker, dict, above, 0, depth + 1);
        }
    }

    /// The report of all workers, in any order; `span.end` is when those that still run are looked at.
    pub(super) fn finish(&self, workers: Vec<TreeWorker>, span: Span, notes: Vec<String>) -> Report {
        let (mut nodes, mut ends, mut tables) = (BTreeMap::<Id, Node>::new(), BTreeMap::new(), Vec::new());
        for worker in workers {
            for (id, node) in worker.nodes {
                match nodes.get_mut(&id) {
                    Some(known) if known.age >= node.age => known.parent = known.parent.or(node.parent),
                    Some(known) => *known = Node { parent: node.parent.or(known.parent), ..node },
                    None => drop(nodes.insert(id, node)),
                }
            }
            ends.extend(worker.ends);
            tables.push(worker.table);
        }
        let values = self.table.values.len();
        let mut own: BTreeMap<Id, Vec<Cell>> = BTreeMap::new();
        let report = self.table.finish(&tables, span, notes);
        for mut row in report.tables.into_iter().flat_map(|t| t.rows) {
            if let [.., Cell::Int(pid), Cell::Uint(start)] = *row {
                row.truncate(values);
                own.insert((pid as u32, start), row);
            }
        }
        let tree = Tree::of(&nodes, &own, self.all);
        let mut rows = Vec::new();
        let order = tree.in_order();
        let mut sums = tree.rolled_up(&order, &own, values);
        for (depth, id) in order {
            let mut row = vec![Cell::Uint(u64::from(id.0))];
            row.extend(outcome(id, ends.get(&id), span.end));
            row.extend(sums.remove(&id).unwrap_or_default());
            row.push(indented(depth, nodes.get(&id).map(|n| &n.label)));
            rows.push(row);
        }
        let mut columns =
            vec![Column::number("PID", Unit::None), Column::number("DURATION", Unit::Duration), Column::text("END")];
        columns.extend(self.table.values.iter().map(super::Aggregate::heading));
        columns.push(Column::text(&self.name));
        let table = Table { title: String::new(), columns, rows };
        Report {
            title: report.title,
            about: report.about,
            tables: vec![table],
            pictures: Vec::new(),
            notes: report.notes,
        }
    }
}

/// Ends of processes in a batch.
fn exits(batch: &Batch) -> Selection {
    let kind = |k| if batch.kind_info(k).name == "procexit" { KindSelection::All } else { KindSelection::None };
    Selection { kinds: (0..batch.head().kinds.len()).map(kind).collect(), rows: None }
}

/// How long a process ran, and how it ended: its exit code, the signal, or nothing yet. `wait(2)` gives the status.
fn outcome(id: Id, end: Option<&(u64, i64)>, now: u64) -> [Cell; 2] {
    let until = end.map_or(now, |end| end.0);
    let duration = if id.1 == 0 { Cell::Missing } else { Cell::Uint(until.saturating_sub(id.1)) };
    let how = match end {
        None => "runs".to_owned(),
        Some((_, status)) => match status & 0x7f {
            0 => (status >> 8 & 0xff).to_string(),
            signal => signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned),
        },
    };
    [duration, Cell::Text(how.into_bytes())]
}

fn indented(depth: usize, label: Option<&Cell>) -> Cell {
    let mut text = vec![b' '; 2 * depth.min(MAX_INDENT)];
    match label {
        Some(Cell::Text(label)) => text.extend_from_slice(label),
        _ => text.extend_from_slice(b"<NA>"),
    }
    Cell::Text(text)
}

/// Processes below each other.
struct Tree {
    roots: Vec<Id>,
    children: BTreeMap<Id, Vec<Id>>,
}

impl Tree {
    fn of(nodes: &BTreeMap<Id, Node>, own: &BTreeMap<Id, Vec<Cell>>, all: bool) -> Tree {
        let mut shown: BTreeSet<Id> = BTreeSet::new();
        for id in nodes.keys().filter(|id| all || own.contains_key(id)) {
            let mut next = Some(*id);
            while let Some(id) = next.filter(|id| nodes.contains_key(id) && shown.insert(*id)) {
                next = nodes.get(&id).and_then(|n| n.parent);
            }
        }
        let mut tree = Tree { roots: Vec::new(), children: BTreeMap::new() };
        // By start: the order in which they came to be.
        let mut ids: Vec<Id> = shown.iter().copied().collect();
        ids.sort_unstable_by_key(|&(pid, start)| (start, pid));
        for id in ids {
            // A damaged or hostile reel may call a younger process the parent: no circles.
            let older = |parent: &Id| shown.contains(parent) && (parent.1, parent.0) < (id.1, id.0);
            match nodes.get(&id).and_then(|n| n.parent).filter(older) {
                Some(parent) => tree.children.entry(parent).or_default().push(id),
                None => tree.roots.push(id),
            }
        }
        tree
    }

    fn below(&self, id: Id) -> &[Id] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Every process with its depth, parents before their children.
    fn in_order(&self) -> Vec<(usize, Id)> {
        let mut pending: Vec<(usize, Id)> = self.roots.iter().rev().map(|&id| (0, id)).collect();
        let mut order = Vec::new();
        while let Some((depth, id)) = pending.pop() {
            order.push((depth, id));
            pending.extend(self.below(id).iter().rev().map(|&child| (depth + 1, child)));
        }
        order
    }

    /// The aggregates of every process and of all below it.
    fn rolled_up(
        &self,
        order: &[(usize, Id)],
        own: &BTreeMap<Id, Vec<Cell>>,
        values: usize,
    ) -> BTreeMap<Id, Vec<Cell>> {
        let mut sums: BTreeMap<Id, Vec<Cell>> = BTreeMap::new();
        // Children stand behind their parents, so that from the end each is complete when it is added.
        for &(_, id) in order.iter().rev() {
            let mut sum = own.get(&id).cloned().unwrap_or_else(|| vec![Cell::Missing; values]);
            for child in self.below(id) {
                for (sum, value) in sum.iter_mut().zip(sums.get(child).into_iter().flatten()) {
                    *sum = plus(sum, value);
                }
            }
            sums.insert(id, sum);
        }
        sums
    }
}

/// Counts and sums; other ways to make a value are refused when a chisel is read.
fn plus(a: &Cell, b: &Cell) -> Cell {
    match (a, b) {
        (Cell::Int(a), Cell::Int(b)) => Cell::Int(a.wrapping_add(*b)),
        (Cell::Uint(a), Cell::Uint(b)) => Cell::Uint(a.wrapping_add(*b)),
        (Cell::Missing, other) | (other, _) => other.clone(),
    }
}
