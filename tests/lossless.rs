//! Invariant 11: a batch gives back the events it was built from, snapshot rows included.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use proptest::prelude::*;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use sysreel::batch::{Batch, Encoder, Schema, StoredBatch};
use sysreel::engine::{Assembler, Piece, SegmentLimits};
use sysreel::event::{Args, Class, Event, Flags, Kind, KindFlags, OwnedArg, OwnedEvent, SPECS, kinds};
use sysreel::world::Dict;

/// An event of any kind with any parameters; life-cycle ones only in as far as they keep the thread they happened to.
fn any_event() -> impl Strategy<Value = OwnedEvent> {
    let head = (0..SPECS.len() as u16, 1u64..5000, any::<Option<u32>>(), any::<u16>(), 1u32..6, any::<i64>(), 0u8..16);
    (head, any::<u64>(), proptest::collection::vec(any_arg(), 28)).prop_map(
        |((kind, step, duration, cpu, tid, ret, flags), wide, args)| {
            let spec = &SPECS[usize::from(kind)];
            let args = spec.params.iter().zip(args).map(|(param, (which, int, bytes))| match (param.class, which) {
                (_, 0) | (Class::Env, _) => OwnedArg::Missing,
                (Class::Int, _) => OwnedArg::Int(if which % 2 == 0 { int } else { int % 1000 }),
                _ => OwnedArg::Bytes(bytes),
            });
            let head = Event {
                kind: Kind(kind),
                time: step,
                duration: duration.map(|d| if d % 7 == 0 { wide >> 2 } else { u64::from(d) }),
                cpu,
                tid,
                pid: tid / 2 * 2,
                ret: if spec.ret.is_some() { ret } else { 0 },
                flags: Flags(flags & !Flags::LATE.0),
                args: Args::new(),
            };
            OwnedEvent::new(&head, args.collect())
        },
    )
}

fn any_arg() -> impl Strategy<Value = (u8, i64, Vec<u8>)> {
    (0u8..8, any::<i64>(), proptest::collection::vec(any::<u8>(), 0..40))
}

/// Kinds that replace or end the thread that an event names would make its row say something else.
fn keeps_its_thread(event: &OwnedEvent) -> bool {
    let event = event.event();
    !event.kind.spec().flags.has(KindFlags::SNAPSHOT)
        && !matches!(event.kind, kinds::PROCFORK | kinds::EXECVE | kinds::EXECVEAT | kinds::CPUTIME | kinds::PROCEXIT)
}

/// Runs events through the assembler, the encoder and back.
fn through(events: &[OwnedEvent], limits: SegmentLimits) -> Vec<OwnedEvent> {
    let pieces = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&pieces);
    let mut assembler: Assembler<Infallible> = Assembler::new(
        limits,
        Box::new(move |piece| {
            sink.lock().unwrap().push(piece);
            Ok(())
        }),
    );
    for event in events {
        assembler.event(&event.event()).unwrap();
    }
    assembler.finish(u64::MAX).unwrap();
    drop(assembler);
    let schema = Arc::new(Schema::current());
    let mut encoder = Encoder::new();
    let (mut dict, mut out) = (Dict::new(), Vec::new());
    for piece in Arc::into_inner(pieces).unwrap().into_inner().unwrap() {
        match piece {
            Piece::Begin(_) => dict = Dict::new(),
            Piece::Rows(delta) => dict.apply(&delta).unwrap(),
            Piece::Batch(columns) if columns.snapshot => {}
            Piece::Batch(columns) => {
                assert_eq!(columns.first_num, out.len() as u64 + 1, "numbers go on without a gap");
                let body: Arc<[u8]> = encoder.encode(&columns, &schema).unwrap().body.into();
                let length = body.len();
                let (head, store) = StoredBatch::open(Arc::new(body), 0..length, Arc::clone(&schema)).unwrap();
                let batch = Batch::new(head, Arc::clone(&schema), Arc::new(dict.clone()), Box::new(store));
                let mut env = Vec::new();
                batch.for_each_row(|row| out.push(OwnedEvent::of(&row.event(&mut env)))).unwrap();
                assert_eq!(batch.damage(), None);
            }
            Piece::Lost(_) | Piece::End => {}
        }
    }
    out
}

/// Times made ascending, so that no event is late.
fn in_order(events: Vec<OwnedEvent>) -> Vec<OwnedEvent> {
    let mut time = 0;
    events
        .into_iter()
        .map(|owned| {
            let mut event = owned.event();
            time += event.time;
            event.time = time;
            OwnedEvent::of(&event)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_into_batches_comes_out(events in proptest::collection::vec(any_event(), 0..300), cut in 1u64..200) {
        let events: Vec<_> = in_order(events.into_iter().filter(keeps_its_thread).collect());
        let limits = SegmentLimits { events: cut, ..SegmentLimits::default() };
        let back = through(&events, limits);
        prop_assert_eq!(back.len(), events.len());
        for (back, event) in back.iter().zip(&events) {
            prop_assert_eq!(back, event);
        }
    }
}
