//! [`Assembler`]: events in order → world → batches, cut into segments.

use crate::batch::{Builder, Columns};
use crate::event::{Args, Event, Flags, OwnedArg, OwnedEvent, kinds};
use crate::reel::Loss;
use crate::world::{Delta, Want, World};

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
    /// The segment ends.
    End,
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
        }
    }

    /// Takes a row of the initial state in; before the first event.
    pub fn initial(&mut self, event: &Event<'_>) {
        self.world.apply(event);
    }

    /// Takes an event in.
    pub fn event(&mut self, event: &Event<'_>) -> Result<(), E> {
        if self.begun.is_none() || self.is_over(event.time) {
            self.next_segment(event.time)?;
        }
        let effect = self.world.apply(event);
        if event.time < self.latest {
            self.late += 1;
            let late = Event { flags: event.flags.with(Flags::LATE), args: event.args.clone(), ..*event };
            self.builder.push(&late, effect, self.world.interner());
        } else {
            self.latest = event.time;
            self.builder.push(event, effect, self.world.interner());
        }
        self.segment_events += 1;
        if self.builder.is_full() { self.flush() } else { Ok(()) }
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
        (self.hand_on)(Piece::Lost(lost.clone()))
    }

    /// Hands the open batch on, if it has rows.
    pub fn flush(&mut self) -> Result<(), E> {
        if self.builder.rows() == 0 {
            return Ok(());
        }
        self.hand_rows()?;
        let columns = self.builder.take(false);
        (self.hand_on)(Piece::Batch(columns))
    }

    /// Ends the recording at a time (ns UTC): calls in flight are written, the segment is closed.
    pub fn finish(&mut self, now: u64) -> Result<(), E> {
        if self.begun.is_none() {
            self.next_segment(now)?;
        }
        // Only here, so that no call is in a recording twice: as in flight and as complete.
        for event in self.world.in_flight(now) {
            let event = event.event();
            let effect = self.world.look(&event);
            self.builder.push(&event, effect, self.world.interner());
            if self.builder.is_full() {
                self.flush()?;
            }
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

    /// Number of the next event.
    pub fn next_num(&self) -> u64 {
        self.builder.next_num()
    }

    fn is_over(&self, time: u64) -> bool {
        self.segment_events >= self.limits.events
            || self.begun.is_some_and(|begun| time.saturating_sub(begun) >= self.limits.duration)
            || (self.segment_events.is_multiple_of(CHECKED_EVERY) && self.world.dict_size() >= self.limits.dictionary)
    }

    fn next_segment(&mut self, time: u64) -> Result<(), E> {
        if self.begun.is_some() {
            self.end_segment()?;
            self.world.begin_segment();
        }
        self.begun = Some(time);
        self.segment_events = 0;
        (self.hand_on)(Piece::Begin(time))?;
        for (event, effect) in self.world.snapshot(time) {
            self.builder.push(&event.event(), effect, self.world.interner());
            if self.builder.is_full() {
                self.hand_snapshot()?;
            }
        }
        self.hand_snapshot()
    }

    fn end_segment(&mut self) -> Result<(), E> {
        self.flush()?;
        (self.hand_on)(Piece::End)
    }

    fn hand_snapshot(&mut self) -> Result<(), E> {
        if self.builder.rows() == 0 {
            return Ok(());
        }
        self.hand_rows()?;
        let columns = self.builder.take(true);
        (self.hand_on)(Piece::Batch(columns))
    }

    fn hand_rows(&mut self) -> Result<(), E> {
        let delta = self.world.take_delta();
        if delta.is_empty() { Ok(()) } else { (self.hand_on)(Piece::Rows(delta)) }
    }
}
