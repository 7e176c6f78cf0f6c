//! What several tests share: events by name, scratch reels, named skips.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

pub mod audit;

pub mod differences;

pub mod live;
pub mod mmdb;

pub mod noted;

pub mod scap;

pub mod story;

use std::path::Path;
use std::sync::{Arc, Mutex};
use sysreel::batch::{Encoder, Schema};
use sysreel::engine::{Assembler, Piece, SegmentLimits};
use sysreel::event::{Args, Event, Flags, OwnedArg, OwnedEvent, kind_by_name};
use sysreel::reel::{ClockPair, Error, Header, Writer};

/// A parameter's value in a scene.
#[derive(Debug, Clone)]
pub enum V<'a> {
    /// An integer.
    I(i64),
    /// Text or bytes.
    B(&'a [u8]),
}

impl From<i64> for V<'_> {
    fn from(v: i64) -> Self {
        V::I(v)
    }
}

impl<'a> From<&'a str> for V<'a> {
    fn from(v: &'a str) -> Self {
        V::B(v.as_bytes())
    }
}

impl<'a> From<&'a [u8]> for V<'a> {
    fn from(v: &'a [u8]) -> Self {
        V::B(v)
    }
}

/// An event of a kind, thread, process, return value and named parameters; the others are missing.
pub fn event(kind: &str, time: u64, (tid, pid): (u32, u32), ret: i64, named: &[(&str, V<'_>)]) -> OwnedEvent {
    let kind = kind_by_name(kind).unwrap_or_else(|| panic!("no event kind {kind}"));
    let spec = kind.spec();
    for (name, _) in named {
        assert!(spec.params.iter().any(|p| p.name == *name), "{} has no parameter {name}", spec.name);
    }
    let args = spec
        .params
        .iter()
        .map(|param| match named.iter().find(|(name, _)| *name == param.name) {
            None => OwnedArg::Missing,
            Some((_, V::I(v))) => OwnedArg::Int(*v),
            Some((_, V::B(b))) => OwnedArg::Bytes(b.to_vec()),
        })
        .collect();
    let head =
        Event { kind, time, duration: Some(5), cpu: 0, tid, pid, ret, flags: Flags::default(), args: Args::new() };
    OwnedEvent::new(&head, args)
}

/// Writes a reel of what `feed` gives the assembler, through the recorder's own pipeline.
pub fn write_reel(path: &Path, limits: SegmentLimits, feed: impl FnOnce(&mut Assembler<Error>)) {
    let writer = Writer::create(path, &Header { snaplen: 80, ..Header::default() }).unwrap();
    let writer = Arc::new(Mutex::new((writer, Encoder::new())));
    let sink = Arc::clone(&writer);
    let write = move |piece: Piece| -> Result<(), Error> {
        let (writer, encoder) = &mut *sink.lock().unwrap();
        let schema = Schema::current();
        match piece {
            Piece::Begin(time) => writer.begin_segment(&schema, &[ClockPair { boot: time, utc: time }]),
            Piece::Rows(delta) => writer.dictionary(&delta),
            Piece::Batch(columns) => {
                let encoded = encoder.encode(&columns, &schema).unwrap();
                if columns.snapshot { writer.snapshot(&encoded) } else { writer.batch(&encoded) }
            }
            Piece::Lost(lost) => writer.loss(&lost.into()),
            Piece::Late(facts) => writer.late(&facts),
            Piece::Note(_) => Ok(()),
            Piece::End => writer.close_segment(),
            Piece::Durable(_) | Piece::Rotate(_) => panic!("expected one file"),
        }
    };
    let mut assembler = Assembler::new(limits, Box::new(write));
    feed(&mut assembler);
    drop(assembler);
    let (writer, _) = Arc::into_inner(writer).unwrap().into_inner().unwrap();
    writer.finish().unwrap();
}

/// Says that a test was skipped and why; `.ci/run` counts these lines.
pub fn skip(test: &str, why: &str) {
    println!("skipped: {test}: {why}");
}

/// The folder of shared test data, if it is there.
pub fn shared() -> Option<std::path::PathBuf> {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = std::env::var_os("SYSREEL_SHARED").map_or(beside, Into::into);
    path.is_dir().then_some(path)
}
