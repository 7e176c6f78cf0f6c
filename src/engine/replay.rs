//! [`Replay`]: a world made again from the rows of a recording.

use super::state::State;
use crate::batch::{Batch, Error, Row, Schema};
use crate::event::{Args, Event, Flags, Kind, KindFlags, OwnedArg, OwnedEvent, Spec, kind_by_name, kinds};
use crate::filter::{KindSelection, Selection};
use crate::world::{Dict, World};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A world made again from the rows of a segment, in their order.
pub(super) struct Replay {
    world: World,
    /// What the kinds of the segment at hand are here.
    kinds: Option<(Arc<Schema>, Vec<Option<Kind>>)>,
    dict: Option<Arc<Dict>>,
    /// Threads whose end was seen, with their process: the world keeps them until their processor time is final.
    ended: BTreeMap<u32, u32>,
    env: Vec<u8>,
    latest: u64,
}

impl Replay {
    /// A world in which nothing is known yet.
    pub(super) fn new() -> Replay {
        Replay { world: World::new(), kinds: None, dict: None, ended: BTreeMap::new(), env: Vec::new(), latest: 0 }
    }

    /// Time of the latest row so far, ns UTC; 0 before the first.
    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// Takes rows of the initial state in. On an error a part of them may be missing.
    pub(super) fn seed(&mut self, batch: &Batch) -> Result<(), Error> {
        self.rows(batch, KindFlags::SNAPSHOT, u64::MAX)
    }

    /// Takes the rows in that change state and are no later than `until` (ns UTC). On an error a part of them may be
    /// missing.
    pub(super) fn feed(&mut self, batch: &Batch, until: u64) -> Result<(), Error> {
        if batch.head().min_time > until {
            return Ok(());
        }
        self.latest = self.latest.max(batch.head().max_time.min(until));
        self.rows(batch, KindFlags::STATE, until)
    }

    fn rows(&mut self, batch: &Batch, wanted: KindFlags, until: u64) -> Result<(), Error> {
        self.enter(batch);
        let Some((schema, known)) = self.kinds.take() else { return Ok(()) };
        let known_of = |kind: u16| known.get(usize::from(kind)).copied().flatten();
        let kinds = batch.head().kinds.iter().map(|k| match known_of(k.kind) {
            Some(known) if known.spec().flags.has(wanted) => KindSelection::All,
            _ => KindSelection::None,
        });
        let selection = Selection { kinds: kinds.collect(), rows: None };
        let walked = selection.for_each_row(batch, |row| {
            let kind = batch.head().kinds.get(row.kind).map_or(u16::MAX, |k| k.kind);
            if known_of(kind).is_some() && row.time() <= until {
                self.row(&row);
            }
        });
        self.kinds = Some((schema, known));
        // Nobody answers here.
        self.world.take_wants();
        self.world.take_late_facts();
        walked?;
        batch.damage().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Whether rows of a kind change the state.
    pub(super) fn changes(info: &crate::batch::KindInfo) -> bool {
        kind_by_name(&info.name).is_some_and(|kind| kind.spec().flags.has(KindFlags::STATE))
    }

    /// The world as it is behind the last row.
    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// Takes one row in, of a kind that changes the state. See [`Replay::enter`].
    pub(super) fn step(&mut self, row: &Row<'_>) {
        self.row(row);
        self.world.take_wants();
        self.world.take_late_facts();
    }

    /// Finds out what the kinds of another schema are here; before the rows of a batch are taken in.
    pub(super) fn enter(&mut self, batch: &Batch) {
        self.dict = Some(Arc::clone(batch.dict()));
        if self.kinds.as_ref().is_some_and(|(schema, _)| Arc::ptr_eq(schema, batch.schema())) {
            return;
        }
        let kinds = batch.schema().kinds.iter();
        let known = kinds.map(|info| kind_by_name(&info.name).filter(|k| k.spec().flags.has(KindFlags::STATE)));
        self.kinds = Some((Arc::clone(batch.schema()), known.collect()));
    }

    fn row(&mut self, row: &Row<'_>) {
        let mut env = std::mem::take(&mut self.env);
        let mut event = row.event(&mut env);
        // A call in flight has changed nothing yet.
        if !event.flags.has(Flags::IN_FLIGHT) {
            self.event(&mut event);
        }
        drop(event);
        self.env = env;
    }

    fn event(&mut self, event: &mut Event<'_>) {
        match event.kind {
            // What was scanned at a moment holds all that happened before; the moment itself may be that of the first row.
            kinds::SNAP_THREAD | kinds::SNAP_FD => event.time = event.time.saturating_sub(1),
            kinds::PROCEXIT => {
                self.ended.insert(event.tid, event.pid);
            }
            kinds::CPUTIME => {}
            _ => {
                self.ended.remove(&event.tid);
            }
        }
        if event.kind == kinds::PROCFORK
            && let Some(child) = param(event.kind.spec(), "child_tid").and_then(|p| event.args.get(p)?.int())
        {
            self.ended.remove(&(child as u32));
        }
        self.world.apply(event);
    }

    /// The state at a moment, ns UTC.
    pub(super) fn state(&mut self, moment: u64) -> State {
        self.name_users();
        // A first thread that ended before the others stands for its process until they end too.
        let lives: BTreeSet<u32> =
            self.world.live_threads().iter().filter(|(tid, _)| !self.ended.contains_key(tid)).map(|t| t.1).collect();
        let ended = &self.ended;
        let is_gone = |tid| ended.get(&tid).is_some_and(|pid| *pid != tid || !lives.contains(pid));
        let state = State::of(&mut self.world, moment, is_gone);
        if let Some(dict) = &self.dict { state.with_containers(dict) } else { state }
    }

    /// Names that became known at any time of the segment.
    fn name_users(&mut self) {
        let Some(dict) = self.dict.take() else { return };
        for (kind, names) in [(kinds::SNAP_USER, &dict.users), (kinds::SNAP_GROUP, &dict.groups)] {
            for (id, name) in names {
                let Some(name) = dict.strings.get(*name) else { continue };
                let mut args = vec![OwnedArg::Int(i64::from(*id)), OwnedArg::Bytes(name.to_vec())];
                if let Some(account) = dict.accounts.get(id).filter(|_| kind == kinds::SNAP_USER) {
                    let text =
                        |id| dict.strings.get(id).map_or(OwnedArg::Missing, |text| OwnedArg::Bytes(text.to_vec()));
                    args.extend([text(account.home), text(account.shell)]);
                }
                self.world.apply(&OwnedEvent::new(&bare(kind), args).event());
            }
        }
        self.dict = Some(dict);
    }
}

fn param(spec: &Spec, name: &str) -> Option<usize> {
    spec.params.iter().position(|p| p.name == name)
}

fn bare(kind: Kind) -> Event<'static> {
    let (flags, args) = (Flags::default(), Args::new());
    Event { kind, time: 0, duration: None, cpu: 0, tid: 0, pid: 0, ret: 0, flags, args }
}
