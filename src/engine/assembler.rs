//! [`Assembler`]: events in order → world → batches, cut into segments.

use super::rotate::Pace;
use crate::batch::{Builder, Columns};
use crate::event::{Arg, Args, Event, Flags, OwnedArg, OwnedEvent, kinds};
use crate::reel::Loss;
use crate::world::{Delta, LateFact, LateValue, Want, World};

/// Where a segment ends; whichever comes first (architecture §3).
#[derive(Debug, Clone, Copy)]
pub struct SegmentLimits {
    /// Events.
    pub events: u64,
    /// Bytes of dictionary, which bound the recorder's memory.
    pub dictionary: usize,
    /// Nanoseconds of event time.
    pub duration: u64,
}

impl Default for SegmentLimits {
    fn default() -> Self {
        SegmentLimits { events: 4_000_000, dictionary: 16 << 20, duration: 600_000_000_000 }
    }
}

/// Events between two looks at the dictionary's size: an exec may bring some hundred KiB.
const CHECKED_EVERY: u64 = 64;

/// Bytes of dictionary rows that a batch may bring: several of them wait to be written, which bounds the recorder's memory.
const MOST_PENDING: usize = 1 << 20;

/// What the assembler hands on, in order.
#[derive(Debug)]
pub enum Piece {
    /// A segment begins, at a time (ns UTC).
    Begin(u64),
    /// Rows that the next batch needs.
    Rows(Delta),
    /// A batch; its dictionary rows came before it.
    Batch(Columns),
    /// Events were lost; a row says so too.
    Lost(Lost),
    /// What became known of rows that were handed on already.
    Late(Vec<LateFact>),
    /// Something that whoever reads the recording should know.
    Note(String),
    /// The segment ends.
    End,
    /// Who wants to hear that all before this is on the disk.
    #[cfg(feature = "linux")]
    Durable(super::Durable),
    /// The file ends, and the next begins with an event of this time (ns UTC).
    Rotate(u64),
}

/// Bytes that something takes at most in a file, before it is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost(pub u64);

impl Cost {
    /// Of an event: its columns at full width, and its texts as if each were new.
    fn of(event: &Event<'_>) -> Cost {
        let arg = |arg: &Arg<'_>| if let Arg::Bytes(bytes) = arg { bytes.len() as u64 + 12 } else { 8 };
        Cost(48 + event.args.iter().map(arg).sum::<u64>())
    }

    /// Of rows of the dictionary.
    fn rows(delta: &Delta) -> Cost {
        let envs: usize = delta.images.iter().map(|image| image.env.len()).sum();
        let rows = delta.images.len() + delta.threads.len() + delta.descs.len();
        let texts = delta.string_lengths.len() + delta.apart_lengths.len();
        let bytes = delta.string_bytes.len() + delta.apart_bytes.len();
        Cost((bytes + 5 * (texts + envs) + 120 * rows) as u64)
    }
}

/// Something that was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// When it was noticed, ns UTC.
    pub time: u64,
    /// Where: processor.
    pub cpu: u16,
    /// How many events.
    pub count: u64,
    /// `ring`, `queue`, …
    pub stage: &'static str,
    /// Why, in words.
    pub reason: String,
}

impl From<Lost> for Loss {
    fn from(lost: Lost) -> Loss {
        let place = format!("{} of cpu {}", lost.stage, lost.cpu);
        Loss { from: lost.time, to: lost.time, place, count: lost.count }
    }
}

/// Events in order → world → batches, cut into segments.
pub struct Assembler<E> {
    world: World,
    builder: Builder,
    limits: SegmentLimits,
    hand_on: Box<dyn FnMut(Piece) -> Result<(), E> + Send>,
    begun: Option<u64>,
    segment_events: u64,
    latest: u64,
    late: u64,
    events: u64,
    pace: Option<Pace>,
    /// Doubtful events, all in all and of the segment.
    doubtful: [u64; 2],
    /// Number of the event that is being taken in, if it has one of its own.
    number: Option<u64>,
    /// Time of the latest event of another clock, ns UTC.
    #[cfg(feature = "linux")]
    aside: u64,
}

impl<E> Assembler<E> {
    /// An assembler that hands its pieces to `hand_on`.
    pub fn new(limits: SegmentLimits, hand_on: Box<dyn FnMut(Piece) -> Result<(), E> + Send>) -> Self {
        Assembler {
            world: World::new(),
            builder: Builder::new(1),
            limits,
            hand_on,
            begun: None,
            segment_events: 0,
            latest: 0,
            late: 0,
            events: 0,
            pace: None,
            doubtful: [0; 2],
            number: None,
            #[cfg(feature = "linux")]
            aside: 0,
        }
    }

    /// Lets a pace decide where files end.
    #[must_use]
    pub fn with_pace(self, pace: Option<Pace>) -> Self {
        Assembler { pace, ..self }
    }

    /// Takes a row of the initial state in; before the first event.
    pub fn initial(&mut self, event: &Event<'_>) {
        self.world.apply(event);
    }

    /// Begins the recording at a time (ns UTC), if no event has.
    pub fn begin(&mut self, time: u64) -> Result<(), E> {
        if self.begun.is_none() { self.next_segment(time) } else { Ok(()) }
    }

    /// The machine's clock was set forward by `step` (back: negative) and now says `now`, both ns: what comes is in a
    /// segment of its own, with a note before it.
    pub fn clock_set(&mut self, now: u64, step: i64) -> Result<(), E> {
        self.world.clock_set(step);
        self.latest = 0;
        self.next_segment(now)?;
        let (seconds, direction) = (step.unsigned_abs() as f64 / 1e9, if step > 0 { "forward" } else { "back" });
        let text = format!("the clock was set {direction} by {seconds:.3} s: from here on times are of the new one");
        self.note(&text)
    }

    /// Takes an event in that has a number of its own.
    pub fn numbered(&mut self, event: &Event<'_>, num: u64) -> Result<(), E> {
        self.number = Some(num);
        self.event(event)
    }

    /// Takes an event in.
    pub fn event(&mut self, event: &Event<'_>) -> Result<(), E> {
        self.make_way(event.time)?;
        let is_late = event.time < self.latest;
        self.latest = self.latest.max(event.time);
        self.record(event, is_late)
    }

    /// Takes an event in that is of another clock, or told long after it was: others are not late because of it, nor it because of
    /// them.
    #[cfg(feature = "linux")]
    pub fn aside(&mut self, event: &Event<'_>) -> Result<(), E> {
        self.make_way(self.latest)?;
        let is_late = event.time < self.aside;
        self.aside = self.aside.max(event.time);
        self.record(event, is_late)
    }

    /// Says who wants to hear that everything so far is on the disk.
    #[cfg(feature = "linux")]
    pub(super) fn durable(&mut self, durable: super::Durable) -> Result<(), E> {
        (self.hand_on)(Piece::Durable(durable))
    }

    fn record(&mut self, event: &Event<'_>, is_late: bool) -> Result<(), E> {
        let effect = self.world.apply(event);
        let mut flags = event.flags;
        if is_late {
            self.late += 1;
            flags = flags.with(Flags::LATE);
        }
        if self.world.is_in_doubt() && self.world.is_doubtful(event, effect) {
            self.doubtful = self.doubtful.map(|count| count + 1);
            flags = flags.with(Flags::DOUBTFUL);
        }
        if let Some(num) = self.number.take() {
            self.builder.number(num);
        }
        if flags == event.flags {
            self.builder.push(event, effect, self.world.interner());
        } else {
            let marked = Event { flags, args: event.args.clone(), ..*event };
            self.builder.push(&marked, effect, self.world.interner());
        }
        self.hand_late()?;
        self.pushed(event)
    }

    /// Applies an event to the state without recording it.
    pub fn apply(&mut self, event: &Event<'_>) {
        self.world.apply(event);
    }

    /// Ends the segment, and with it all that is known of the state: rows of another one may follow, then events.
    pub fn forget(&mut self) -> Result<(), E> {
        if self.begun.take().is_some() {
            self.end_segment()?;
        }
        self.world = World::new();
        self.latest = 0;
        Ok(())
    }

    /// Notes a call that was entered.
    pub fn enter(&mut self, event: &Event<'_>) {
        self.world.enter(event);
    }

    /// Records that events were lost.
    pub fn lost(&mut self, lost: &Lost) -> Result<(), E> {
        let args = vec![
            OwnedArg::Int(lost.count as i64),
            OwnedArg::Bytes(lost.stage.as_bytes().to_vec()),
            OwnedArg::Bytes(lost.reason.as_bytes().to_vec()),
        ];
        let head = Event {
            kind: kinds::LOSS,
            // Its place among the events that have come; when it was noticed is in the Loss frame.
            time: if self.latest == 0 { lost.time } else { self.latest },
            duration: None,
            cpu: lost.cpu,
            tid: 0,
            pid: 0,
            ret: 0,
            flags: Flags::default(),
            args: Args::new(),
        };
        self.event(&OwnedEvent::new(&head, args).event())?;
        self.world.lost(lost.time);
        (self.hand_on)(Piece::Lost(lost.clone()))
    }

    /// Takes the answer to a question about a thread or a descriptor in: the snapshot rows that were found. All events up
    /// to the time at which they were found must have been given before.
    pub fn answer(&mut self, want: Want, found: &[OwnedEvent]) -> Result<(), E> {
        let rows = self.world.answer(want, found);
        self.corrections(&rows)?;
        self.hand_late()
    }

    /// Takes the names of users and groups in (snapshot rows). Rows that were handed on already are answered with them too.
    pub fn named(&mut self, found: &[OwnedEvent]) -> Result<(), E> {
        for name in found {
            self.world.apply(&name.event());
            self.world.tell_name(&name.event());
        }
        self.hand_late()
    }

    /// A container was described, JSON as container engines' descriptions are recorded: rows of it are answered with that,
    /// also those that were handed on already.
    pub fn container(&mut self, json: &[u8]) -> Result<(), E> {
        self.world.describe_container(json);
        self.hand_late()
    }

    /// Hands on what became known of rows that were handed on, once there is a segment.
    fn hand_late(&mut self) -> Result<(), E> {
        if self.begun.is_none() || !self.world.has_late_facts() {
            return Ok(());
        }
        let facts = self.world.take_late_facts();
        (self.hand_on)(Piece::Late(facts))
    }

    /// Compares the state with a rescan that began at a time (ns UTC) and puts it right. All events up to its end must
    /// have been given before.
    pub fn rescanned(&mut self, found: &[OwnedEvent], begun: u64) -> Result<(), E> {
        let rows = self.world.rescanned(found, begun);
        self.corrections(&rows)
    }

    /// Whether events were lost that no rescan has made up for.
    pub fn is_in_doubt(&self) -> bool {
        self.world.is_in_doubt()
    }

    /// Adds a remark to the recording.
    pub fn note(&mut self, text: &str) -> Result<(), E> {
        (self.hand_on)(Piece::Note(text.to_owned()))
    }

    /// Events whose thread or descriptor was in doubt.
    pub fn doubtful(&self) -> u64 {
        self.doubtful[0]
    }

    /// They take their place among the events that have come: the state changes there, also when it is told again.
    fn corrections(&mut self, rows: &[OwnedEvent]) -> Result<(), E> {
        rows.iter().try_for_each(|row| {
            let row = row.event();
            self.event(&Event { time: self.latest, args: row.args.clone(), ..row })
        })
    }

    /// Hands the open batch on, if it has rows.
    pub fn flush(&mut self) -> Result<(), E> {
        if self.builder.rows() == 0 {
            return Ok(());
        }
        self.hand_rows()?;
        let columns = self.builder.take(false);
        let rows = columns.rows();
        (self.hand_on)(Piece::Batch(columns))?;
        if let Some(pace) = &mut self.pace {
            pace.handed(rows, false);
        }
        Ok(())
    }

    /// Told to hang up: goes on in the next file, which begins at a time (ns UTC), if its pace has it so. Says whether it
    /// has.
    pub fn hang_up(&mut self, now: u64) -> Result<bool, E> {
        let goes_on = self.pace.as_ref().is_some_and(Pace::hangup);
        if goes_on && self.begun.is_some() {
            self.next_file(now)?;
        }
        Ok(goes_on)
    }

    /// Ends the recording at a time (ns UTC): calls in flight are written, the segment is closed.
    pub fn finish(&mut self, now: u64) -> Result<(), E> {
        if self.begun.is_none() {
            self.next_segment(now)?;
        }
        // Only here, so that no call is in a recording twice: as in flight and as complete.
        for event in self.world.in_flight(now) {
            let event = event.event();
            if self.pace.as_ref().is_some_and(|pace| pace.is_over(event.time)) {
                self.next_file(event.time)?;
            }
            let effect = self.world.look(&event);
            self.builder.push(&event, effect, self.world.interner());
            self.pushed(&event)?;
        }
        self.end_segment()
    }

    /// Gives the buffers of a written batch back.
    pub fn recycle(&mut self, columns: Columns) {
        self.builder.recycle(columns);
    }

    /// Questions to the machine that came up.
    pub fn take_wants(&mut self) -> Vec<Want> {
        self.world.take_wants()
    }

    /// (tid, pid) of every thread that has not ended, ascending.
    pub fn live_threads(&self) -> Vec<(u32, u32)> {
        self.world.live_threads()
    }

    /// The state so far.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Time of the latest event so far, ns UTC; 0 before the first.
    pub fn latest(&self) -> u64 {
        self.latest
    }

    /// Number of rows in the open batch.
    pub fn open_rows(&self) -> usize {
        self.builder.rows()
    }

    /// Events whose time stepped back.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Events of the recording so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Number of the next event in its file.
    pub fn next_num(&self) -> u64 {
        self.builder.next_num()
    }

    fn is_over(&self, time: u64) -> bool {
        self.segment_events >= self.limits.events
            || self.begun.is_some_and(|begun| time.saturating_sub(begun) >= self.limits.duration)
            || (self.segment_events.is_multiple_of(CHECKED_EVERY) && self.world.dict_size() >= self.limits.dictionary)
    }

    /// Begins what an event of a time needs: a segment, a file.
    fn make_way(&mut self, time: u64) -> Result<(), E> {
        if self.begun.is_none() {
            self.next_segment(time)
        } else if self.pace.as_ref().is_some_and(|pace| pace.is_over(time)) {
            self.next_file(time)
        } else if self.is_over(time) {
            self.next_segment(time)
        } else {
            Ok(())
        }
    }

    /// Counts an event that was pushed, and hands the batch on if that was the last that it may have.
    fn pushed(&mut self, event: &Event<'_>) -> Result<(), E> {
        self.segment_events += 1;
        self.events += 1;
        let rows = self.builder.rows();
        let is_enough = self.pace.as_mut().is_some_and(|pace| pace.push(rows, || Cost::of(event)));
        let is_heavy =
            self.segment_events.is_multiple_of(CHECKED_EVERY) && self.world.interner().pending() >= MOST_PENDING;
        if is_enough || self.builder.is_full() || is_heavy { self.flush() } else { Ok(()) }
    }

    /// Ends the file. The world goes on, so nothing is between the two, and the next one has its state at its start.
    fn next_file(&mut self, time: u64) -> Result<(), E> {
        self.end_segment()?;
        (self.hand_on)(Piece::Rotate(time))?;
        self.world.begin_segment();
        self.builder.number_from(1);
        self.open_segment(time, true)
    }

    fn next_segment(&mut self, time: u64) -> Result<(), E> {
        let is_first = self.begun.is_none();
        if !is_first {
            self.end_segment()?;
            self.world.begin_segment();
        }
        self.open_segment(time, is_first)
    }

    fn open_segment(&mut self, time: u64, is_new_file: bool) -> Result<(), E> {
        if let (Some(pace), true) = (&mut self.pace, is_new_file) {
            pace.begin(time);
        }
        self.begun = Some(time);
        self.segment_events = 0;
        (self.hand_on)(Piece::Begin(time))?;
        for (event, effect) in self.world.snapshot(time) {
            let event = event.event();
            self.builder.push(&event, effect, self.world.interner());
            if let Some(pace) = &mut self.pace {
                pace.rows(Cost::of(&event));
            }
            if self.builder.is_full() {
                self.hand_snapshot()?;
            }
        }
        self.hand_snapshot()?;
        // Each file is whole without the others.
        let known = if is_new_file { self.world.container_facts() } else { Vec::new() };
        if known.is_empty() { Ok(()) } else { (self.hand_on)(Piece::Late(known)) }
    }

    fn end_segment(&mut self) -> Result<(), E> {
        self.flush()?;
        let doubtful = std::mem::take(&mut self.doubtful[1]);
        if doubtful > 0 {
            let values = vec![("rows".to_owned(), LateValue::Int(doubtful as i64))];
            let fact = LateFact { kind: LateFact::DOUBTFUL.to_owned(), back: 0, id: 0, values };
            (self.hand_on)(Piece::Late(vec![fact]))?;
        }
        (self.hand_on)(Piece::End)
    }

    fn hand_snapshot(&mut self) -> Result<(), E> {
        if self.builder.rows() == 0 {
            return Ok(());
        }
        self.hand_rows()?;
        let columns = self.builder.take(true);
        let rows = columns.rows();
        (self.hand_on)(Piece::Batch(columns))?;
        if let Some(pace) = &mut self.pace {
            pace.handed(rows, true);
        }
        Ok(())
    }

    fn hand_rows(&mut self) -> Result<(), E> {
        let delta = self.world.take_delta();
        if let Some(pace) = &mut self.pace {
            pace.rows(Cost::rows(&delta));
        }
        if delta.is_empty() { Ok(()) } else { (self.hand_on)(Piece::Rows(delta)) }
    }
}
