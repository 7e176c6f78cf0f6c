//! [`State`]: the world at a moment, as batches of rows that questions about state are asked of.
//!
//! A segment's snapshot seeds a [`World`], and its rows whose kind changes state bring it to the moment: the same state
//! engine that ran when the reel was written, over the few columns that it needs, in the order of the segment.

use super::play::Standing;
use super::replay::Replay;
use super::timeline::Slice;
use super::{Batches, Glance, Reels, SegmentGlance};
use crate::batch::{Batch, Builder, Columns, Schema};
use crate::reel::{Reader, SegmentInfo};
use crate::world::{Dict, Effect, World};
use std::path::Path;
use std::sync::Arc;

/// The world at a moment.
#[derive(Debug, Clone)]
pub struct State {
    /// The moment, ns UTC.
    pub moment: u64,
    /// What must be said about it: damage in what led to it, a recording filter.
    pub notes: Vec<String>,
    /// Number of the first batch of the stream that it is of.
    stream: usize,
    columns: Vec<Arc<Columns>>,
    schema: Arc<Schema>,
    dict: Arc<Dict>,
}

impl State {
    /// The live threads and descriptors of a world, as rows at a moment (ns UTC); rows of the threads that `ended` names
    /// are left out.
    pub(super) fn of(world: &mut World, moment: u64, ended: impl Fn(u32) -> bool) -> State {
        let mut builder = Builder::new(1);
        let mut columns = Vec::new();
        for (event, Effect { thread, desc }) in world.snapshot(moment) {
            let mut event = event.event();
            event.time = moment;
            if ended(event.tid) {
                continue;
            }
            builder.push(&event, Effect { thread, desc }, world.interner());
            if builder.is_full() {
                columns.push(Arc::new(builder.take(true)));
            }
        }
        if builder.rows() > 0 {
            columns.push(Arc::new(builder.take(true)));
        }
        let dict = Arc::new(world.dict().clone());
        State { moment, notes: Vec::new(), stream: 0, columns, schema: Arc::new(Schema::current()), dict }
    }

    /// Adds what was told of containers.
    pub(super) fn with_containers(mut self, of: &Dict) -> State {
        Arc::make_mut(&mut self.dict).containers.clone_from(&of.containers);
        self
    }

    /// Its rows.
    pub fn batches(&self) -> impl Iterator<Item = Batch> + '_ {
        (0..self.columns.len()).filter_map(|index| self.batch(index))
    }

    fn batch(&self, index: usize) -> Option<Batch> {
        let columns = Arc::clone(self.columns.get(index)?);
        Some(Batch::of_columns(columns, Arc::clone(&self.schema), Arc::clone(&self.dict)))
    }
}

/// The state of the machine now, from `/proc` alone: nothing is traced.
///
/// # Errors
/// `/proc` cannot be read.
#[cfg(feature = "linux")]
pub fn state_now() -> Result<State, super::Error> {
    use crate::source::proc;
    let clock = crate::sys::clock_pair();
    let snapshot = proc::snapshot(proc::Scope::All, clock)?;
    let mut world = World::new();
    snapshot.for_each(&mut |event| {
        world.apply(&event);
    });
    Ok(State::of(&mut world, clock.utc_of(crate::sys::boot_ns()), |_| false))
}

/// A moment (ns UTC) as people of a place read it, for notes and messages: date, time of day, offset from UTC.
pub fn moment(time: u64, tz_offset_s: i32) -> String {
    let mut text = Vec::with_capacity(40);
    crate::value::write_date(&mut text, time, tz_offset_s);
    text.push(b' ');
    crate::value::write_time_of_day(&mut text, time, tz_offset_s, true);
    let (sign, minutes) = (if tz_offset_s < 0 { '-' } else { '+' }, tz_offset_s.unsigned_abs() / 60);
    let zone = format!(" {sign}{:02}:{:02}", minutes / 60, minutes % 60);
    let zone = if tz_offset_s == 0 { " UTC" } else { &zone };
    String::from_utf8_lossy(&text).into_owned() + zone
}

/// The states at a moment (ns UTC; `None`: the end), one for each host that the files are from.
pub fn states_at(reels: &Reels, moment: Option<u64>) -> Vec<State> {
    let mut hosts: Vec<((String, String), Covering<'_>)> = Vec::new();
    for (number, (path, reader)) in reels.files().enumerate() {
        let header = reader.header();
        let host = (header.host.clone(), header.boot_id.clone());
        for (index, info) in reader.segments().into_iter().enumerate() {
            let begun = begin_of(reader, index, &info);
            if moment.is_some_and(|moment| begun > moment) {
                continue;
            }
            let found = Covering { path, reader, index, begun, stream: reels.stream_of(number) };
            match hosts.iter_mut().find(|(known, _)| *known == host) {
                // The segment that began last before the moment; of equal ones the one in the later file.
                Some((_, best)) if found.begun >= best.begun => *best = found,
                Some(_) => {}
                None => hosts.push((host.clone(), found)),
            }
        }
    }
    hosts.iter().map(|(_, segment)| segment.state(moment)).collect()
}

/// Time of a segment's earliest event, ns UTC; without one, when its frame was written.
fn begin_of(reader: &Reader, segment: usize, info: &SegmentInfo) -> u64 {
    let by_clock = || info.clocks.first().map_or(0, |pair| pair.utc);
    reader.segment_span(segment).map_or_else(by_clock, |span| span.0)
}

/// The segment that covers a moment.
struct Covering<'a> {
    path: &'a Path,
    reader: &'a Reader,
    index: usize,
    begun: u64,
    stream: usize,
}

impl Covering<'_> {
    fn state(&self, moment: Option<u64>) -> State {
        let mut replay = Replay::new();
        let mut bad = 0u32;
        for batch in self.reader.snapshots(self.index) {
            bad += u32::from(!batch.is_ok_and(|batch| replay.seed(&batch).is_ok()));
        }
        let until = moment.unwrap_or(u64::MAX);
        for batch in self.reader.batches(self.index) {
            bad += u32::from(!batch.is_ok_and(|batch| replay.feed(&batch, until).is_ok()));
        }
        let mut state = replay.state(moment.unwrap_or_else(|| replay.latest().max(self.begun)));
        state.stream = self.stream;
        if bad > 0 {
            let what = if bad == 1 { "1 damaged batch".to_owned() } else { format!("{bad} damaged batches") };
            state.notes.push(format!("{}: {what} led to this state: it may be wrong", self.path.display()));
        }
        if let Some(filter) = &self.reader.header().filter {
            let path = self.path.display();
            state
                .notes
                .push(format!("{path}: recorded with the filter `{filter}`: what other calls changed is not in it"));
        }
        state
    }
}

/// The rows of states, one state behind the other.
struct States<'a>(&'a [State]);

impl States<'_> {
    /// The state that a batch is of, and its number there.
    fn find(&self, index: usize) -> Option<(&State, usize)> {
        self.0.iter().flat_map(|state| (0..state.columns.len()).map(move |number| (state, number))).nth(index)
    }
}

impl Batches for States<'_> {
    fn len(&self) -> usize {
        self.0.iter().map(|state| state.columns.len()).sum()
    }

    fn batch(&self, index: usize) -> Result<Batch, String> {
        let found = self.find(index).and_then(|(state, number)| state.batch(number));
        found.ok_or_else(|| "expected a batch of state, found none".to_owned())
    }

    fn place(&self, _index: usize) -> String {
        "state".to_owned()
    }

    fn stream(&self, index: usize) -> usize {
        self.find(index).map_or(0, |(state, _)| state.stream)
    }

    fn counts_in_flight(&self, _index: usize) -> bool {
        true
    }

    fn state_notes(&self) -> Vec<String> {
        self.0.iter().flat_map(|state| state.notes.iter().cloned()).collect()
    }
}

/// Batches of events and the states at a moment: questions about state see those, all others see these.
pub struct WithStates<'a> {
    events: Option<&'a dyn Batches>,
    /// Turns of events that are asked for.
    turns: usize,
    states: States<'a>,
}

impl<'a> WithStates<'a> {
    /// `events` is `None` where there are none.
    pub fn new(events: Option<&'a dyn Batches>, states: &'a [State]) -> Self {
        WithStates { events, turns: events.map_or(0, Batches::turns), states: States(states) }
    }

    /// Every question is about state: nobody is asked for a turn of events, which are there for what they say of states.
    #[must_use]
    pub fn only_states(mut self) -> Self {
        self.turns = 0;
        self
    }

    fn events(&self) -> usize {
        self.events.map_or(0, Batches::len)
    }

    /// Whose batch one is, and its number there.
    fn at(&self, index: usize) -> (&dyn Batches, usize) {
        match self.events {
            Some(events) if index < events.len() => (events, index),
            _ => (&self.states, index - self.events()),
        }
    }
}

impl Batches for WithStates<'_> {
    fn len(&self) -> usize {
        self.events() + self.states.len()
    }

    fn batch(&self, index: usize) -> Result<Batch, String> {
        let (of, index) = self.at(index);
        of.batch(index)
    }

    fn place(&self, index: usize) -> String {
        let (of, index) = self.at(index);
        of.place(index)
    }

    fn turns(&self) -> usize {
        self.turns + self.states.turns()
    }

    fn turn(&self, index: usize) -> Vec<Slice> {
        match self.events {
            Some(events) if index < self.turns => events.turn(index),
            _ => vec![Slice::whole(self.events() + index - self.turns)],
        }
    }

    fn glance(&self, index: usize) -> Option<Glance> {
        let (of, index) = self.at(index);
        of.glance(index)
    }

    fn glance_segment(&self, index: usize) -> Option<SegmentGlance> {
        let (of, index) = self.at(index);
        of.glance_segment(index)
    }

    fn dict(&self, index: usize) -> Result<Arc<Dict>, String> {
        let (of, index) = self.at(index);
        of.dict(index)
    }

    fn bare(&self, index: usize) -> Result<Batch, String> {
        let (of, index) = self.at(index);
        of.bare(index)
    }

    fn standing(&self, index: usize) -> Option<Standing> {
        let (of, index) = self.at(index);
        of.standing(index)
    }

    fn stream(&self, index: usize) -> usize {
        let (of, index) = self.at(index);
        of.stream(index)
    }

    fn initial(&self, index: usize) -> Vec<Result<Batch, String>> {
        let (of, index) = self.at(index);
        of.initial(index)
    }

    fn counts_in_flight(&self, index: usize) -> bool {
        let (of, index) = self.at(index);
        of.counts_in_flight(index)
    }

    fn state_notes(&self) -> Vec<String> {
        self.states.state_notes()
    }
}
