//! Invariant 11: a batch gives back the events it was built from, snapshot rows included.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::{V, event};
use proptest::prelude::*;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use sysreel::batch::{Batch, Encoder, Schema, StoredBatch};
use sysreel::engine::{Assembler, Piece, SegmentLimits};
use sysreel::event::{Args, Class, Event, Flags, Kind, KindFlags, MAX_ARGS, OwnedArg, OwnedEvent, SPECS, kinds};
use sysreel::world::{Dict, World};

/// An event of any kind with any parameters; life-cycle ones only in as far as they keep the thread they happened to.
fn any_event() -> impl Strategy<Value = OwnedEvent> {
    let head = (0..SPECS.len() as u16, 1u64..5000, any::<Option<u32>>(), any::<u16>(), 1u32..6, any::<i64>(), 0u8..16);
    (head, any::<u64>(), proptest::collection::vec(any_arg(), MAX_ARGS)).prop_map(
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

/// Runs events through the assembler, the encoder and back; the snapshot rows of all segments come first.
fn through(initial: &[OwnedEvent], events: &[OwnedEvent], limits: SegmentLimits) -> (Vec<OwnedEvent>, Vec<OwnedEvent>) {
    let pieces = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&pieces);
    let mut assembler: Assembler<Infallible> = Assembler::new(
        limits,
        Box::new(move |piece| {
            sink.lock().unwrap().push(piece);
            Ok(())
        }),
    );
    for event in initial {
        assembler.initial(&event.event());
    }
    for event in events {
        assembler.event(&event.event()).unwrap();
    }
    assembler.finish(u64::MAX).unwrap();
    drop(assembler);
    let schema = Arc::new(Schema::current());
    let mut encoder = Encoder::new();
    let (mut dict, mut snapshots, mut out) = (Dict::new(), Vec::new(), Vec::new());
    for piece in Arc::into_inner(pieces).unwrap().into_inner().unwrap() {
        match piece {
            Piece::Begin(_) => dict = Dict::new(),
            Piece::Rows(delta) => dict.apply(&delta).unwrap(),
            Piece::Batch(columns) => {
                let (into, first_num) = if columns.snapshot {
                    (&mut snapshots, 0)
                } else {
                    let next = out.len() as u64 + 1;
                    (&mut out, next)
                };
                assert_eq!(columns.first_num, first_num, "numbers go on without a gap");
                let body = encoder.encode(&columns, &schema).unwrap().body;
                let length = body.len();
                let (head, store) = StoredBatch::open(Arc::new(body), 0..length, Arc::clone(&schema)).unwrap();
                let batch = Batch::new(head, Arc::clone(&schema), Arc::new(dict.clone()), Box::new(store));
                let mut env = Vec::new();
                batch.for_each_row(|row| into.push(OwnedEvent::of(&row.event(&mut env)))).unwrap();
                assert_eq!(batch.damage(), None);
            }
            Piece::Lost(_) | Piece::Late(_) | Piece::Note(_) | Piece::End | Piece::Durable(_) | Piece::Rotate(_) => {}
        }
    }
    (snapshots, out)
}

#[test]
fn snapshot_rows_and_execs_come_back_too() {
    let ids = |tid: i64| {
        ["tid", "vtid"].map(|name| (name, V::I(tid))).into_iter().chain([("pid", 10.into()), ("ppid", 1.into())])
    };
    let texts = [
        ("comm", "sh".into()),
        ("exe", "sh".into()),
        ("args", V::B(b"-c\0x\0")),
        ("env", V::B(b"A=1\0B=\0")),
        ("cwd", "/".into()),
    ];
    let thread =
        |tid: i64| event("snap_thread", 1, (tid as u32, 10), 0, &ids(tid).chain(texts.clone()).collect::<Vec<_>>());
    let end = [&[2u8][..], &[127, 0, 0, 1, 80, 0], &[127, 0, 0, 1, 9, 4]].concat();
    let user = [("id", 0.into()), ("name", "root".into()), ("home", "/root".into()), ("shell", "/bin/sh".into())];
    let initial = [
        event("snap_user", 1, (0, 0), 0, &user),
        event("snap_user", 1, (0, 0), 0, &[("id", 33.into()), ("name", "www".into())]),
        thread(10),
        thread(12),
        event(
            "snap_fd",
            1,
            (10, 10),
            0,
            &[("fd", 3.into()), ("kind", 1.into()), ("name", "/a".into()), ("cloexec", 1.into())],
        ),
        event(
            "snap_fd",
            1,
            (10, 10),
            0,
            &[("fd", 4.into()), ("kind", 3.into()), ("tuple", V::B(&end)), ("l4", 1.into()), ("role", 2.into())],
        ),
    ];
    let named = [("filename", "./cat".into()), ("exe", "cat".into()), ("args", V::B(b"-n\0")), ("env", V::B(b"C=3\0"))];
    let exec = event("execve", 50, (10, 10), 0, &named);
    let (snapshot, rows) = through(&initial, std::slice::from_ref(&exec), SegmentLimits::default());
    assert_eq!(rows, [exec]);
    let mut world = World::new();
    for row in &initial {
        world.apply(&row.event());
    }
    let want: Vec<OwnedEvent> = world.snapshot(50).into_iter().map(|(row, _)| row).collect();
    assert_eq!(want.len(), initial.len());
    assert_eq!(snapshot, want);
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
        let (_, back) = through(&[], &events, limits);
        prop_assert_eq!(back.len(), events.len());
        for (back, event) in back.iter().zip(&events) {
            prop_assert_eq!(back, event);
        }
    }
}
