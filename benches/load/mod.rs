//! The load that several benches ask questions about: the committed samples, played again and again by several lanes at
//! once (process ids shifted, steps of time and durations stretched by chance); or a recording of one's own, played again
//! and again by one.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]
#![allow(dead_code, reason = "each bench takes one of the two")]

pub(crate) mod beside;

use std::path::Path;
use std::sync::{Arc, Mutex};
use sysreel::batch::{Encoder, Schema};
use sysreel::engine::{Assembler, Piece, SegmentLimits};
use sysreel::event::{Args, Event, OwnedArg, OwnedEvent, ParamType, kinds};
use sysreel::reel::{Error, Header, Reader, Writer};

/// Samples that are played at the same time.
const LANES: usize = 4;
/// Distance of the process ids of two lanes.
const LANE: u32 = 100_000;
/// Distance of the process ids of two rounds: above the largest that a kernel gives.
const ROUND: u32 = 4_200_000;

struct Sample {
    initial: Vec<OwnedEvent>,
    events: Vec<OwnedEvent>,
}

impl Sample {
    fn read(name: &str) -> Sample {
        Sample::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name))
    }

    fn of(path: &Path) -> Sample {
        let reader = Reader::open(path).unwrap();
        let mut sample = Sample { initial: Vec::new(), events: Vec::new() };
        let mut env = Vec::new();
        for segment in 0..reader.segments().len() {
            for batch in reader.snapshots(segment) {
                batch.unwrap().for_each_row(|row| sample.initial.push(OwnedEvent::of(&row.event(&mut env)))).unwrap();
            }
            for batch in reader.batches(segment) {
                batch.unwrap().for_each_row(|row| sample.events.push(OwnedEvent::of(&row.event(&mut env)))).unwrap();
            }
        }
        sample.events.sort_by_key(|e| e.event().time);
        sample
    }
}

/// An event of a lane: process ids moved by `by`, at `time`.
fn moved(event: &Event<'_>, by: u32, time: u64) -> OwnedEvent {
    let id = |pid: u32| if pid > 2 { pid + by } else { pid };
    let number = |ty: ParamType, v: i64| match u32::try_from(v) {
        Ok(pid) if ty == ParamType::Pid => i64::from(id(pid)),
        _ => v,
    };
    let spec = event.kind.spec();
    let args = event.args.iter().zip(spec.params).map(|(arg, param)| match *arg {
        sysreel::event::Arg::Missing => OwnedArg::Missing,
        sysreel::event::Arg::Int(v) => OwnedArg::Int(number(param.ty, v)),
        sysreel::event::Arg::Bytes(b) => OwnedArg::Bytes(b.to_vec()),
    });
    let args = args.collect();
    let ret = spec.ret.as_ref().map_or(event.ret, |r| number(r.ty, event.ret));
    let head = Event { time, ret, tid: id(event.tid), pid: id(event.pid), args: Args::new(), ..*event };
    OwnedEvent::new(&head, args)
}

/// One player of samples, each after the other.
struct Lane {
    sample: usize,
    next: usize,
    /// Time of its next event.
    time: u64,
    by: u32,
    dice: u64,
}

impl Lane {
    /// Half to one and a half of a number of nanoseconds (xorshift, Marsaglia's constants).
    fn stretched(&mut self, ns: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        ns * (512 + self.dice % 1024) / 1024
    }

    /// Its next event.
    fn take(&mut self, samples: &[Sample]) -> OwnedEvent {
        let (sample, time) = (&samples[self.sample], self.time);
        let event = sample.events[self.next].event();
        let duration = event.duration.map(|d| self.stretched(d));
        self.next += 1;
        let step = sample.events.get(self.next).map_or(1_000, |next| next.event().time - event.time);
        if self.next == sample.events.len() {
            (self.sample, self.next) = ((self.sample + 1) % samples.len(), 0);
        }
        self.time += self.stretched(step);
        moved(&Event { duration, ..event }, self.by, time)
    }
}

/// Writes a reel of so many events.
pub(crate) fn write(path: &Path, events: u64) {
    let samples: Vec<Sample> = ["build.reel", "shell.reel", "web.reel"].map(Sample::read).into();
    let (mut assembler, writer) = pipeline(path);
    let mut lanes: Vec<Lane> = (0..LANES)
        .map(|n| {
            let (time, dice) = (samples[0].events[0].event().time, 88_172_645_463_325_252 + n as u64);
            Lane { sample: n % samples.len(), next: 0, time, by: n as u32 * LANE, dice }
        })
        .collect();
    for lane in &lanes {
        for row in samples.iter().flat_map(|s| &s.initial) {
            assembler.initial(&moved(&row.event(), lane.by, row.event().time).event());
        }
    }
    for _ in 0..events {
        let lane = lanes.iter_mut().min_by_key(|l| l.time).unwrap();
        take(&mut assembler, &lane.take(&samples).event());
    }
    let end = lanes.iter().map(|l| l.time).max().unwrap();
    end_at(assembler, writer, end);
}

/// Writes a recording again and again, until there are so many events: each time its processes have other ids.
pub(crate) fn repeat(recording: &Path, path: &Path, events: u64) {
    let samples = [Sample::of(recording)];
    let (mut assembler, writer) = pipeline(path);
    let time = samples[0].events[0].event().time;
    let mut lane = Lane { sample: 0, next: 0, time, by: 0, dice: 88_172_645_463_325_252 };
    for n in 0..events {
        if lane.next == 0 {
            lane.by = (n / samples[0].events.len() as u64) as u32 * ROUND;
            for row in &samples[0].initial {
                let row = moved(&row.event(), lane.by, lane.time);
                if n == 0 { assembler.initial(&row.event()) } else { assembler.event(&row.event()).unwrap() }
            }
        }
        take(&mut assembler, &lane.take(&samples).event());
    }
    end_at(assembler, writer, lane.time);
}

/// All events of a recording in order, its initial state before them.
pub(crate) fn events(recording: &Path) -> (Vec<OwnedEvent>, Vec<OwnedEvent>) {
    let sample = Sample::of(recording);
    (sample.initial, sample.events)
}

fn take(assembler: &mut Assembler<Error>, event: &Event<'_>) {
    if event.kind != kinds::LOSS {
        assembler.event(event).unwrap();
    }
    drop(assembler.take_wants());
}

fn end_at(mut assembler: Assembler<Error>, writer: Arc<Mutex<Writer>>, end: u64) {
    assembler.finish(end).unwrap();
    drop(assembler);
    Arc::into_inner(writer).unwrap().into_inner().unwrap().finish().unwrap();
}

/// What makes a reel of events.
fn pipeline(path: &Path) -> (Assembler<Error>, Arc<Mutex<Writer>>) {
    let schema = Schema::current();
    let writer = Arc::new(Mutex::new(Writer::create(path, &Header::default()).unwrap()));
    let (out, mut encoder) = (Arc::clone(&writer), Encoder::new());
    let hand_on = Box::new(move |piece| {
        let mut writer = out.lock().unwrap();
        match piece {
            Piece::Begin(_) => writer.begin_segment(&schema, &[]),
            Piece::Rows(rows) => writer.dictionary(&rows),
            Piece::Batch(columns) => {
                let encoded = encoder.encode(&columns, &schema).unwrap();
                if columns.snapshot { writer.snapshot(&encoded) } else { writer.batch(&encoded) }
            }
            Piece::Lost(_) | Piece::Rotate(_) | Piece::Durable(_) | Piece::Note(_) => Ok(()),
            Piece::Late(facts) => writer.late(&facts),
            Piece::End => writer.close_segment(),
        }
    });
    (Assembler::new(SegmentLimits::default(), hand_on), writer)
}
