//! Threads and descriptors that nobody announced: what is asked, what answers complete, and what a rescan puts right.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::{V, event, write_reel};
use std::path::Path;
use sysreel::engine::{Assembler, Lost, SegmentLimits};
use sysreel::event::{Flags, OwnedEvent};
use sysreel::reel::{Error, Reader};
use sysreel::world::{LateFact, Want, World};

/// What a scan finds of a thread.
fn thread(tid: u32, pid: u32, start: i64, comm: &str) -> OwnedEvent {
    let ids = ["tid", "vtid"].map(|name| (name, V::I(i64::from(tid)))).into_iter();
    let pids = ["pid", "vpid"].map(|name| (name, V::I(i64::from(pid)))).into_iter();
    let rest = [
        ("ppid", V::I(1)),
        ("uid", V::I(7)),
        ("start", V::I(start)),
        ("comm", comm.into()),
        ("exe", comm.into()),
        ("args", V::B(b"-x\0")),
        ("cwd", "/home".into()),
    ];
    event("snap_thread", 0, (tid, pid), 0, &ids.chain(pids).chain(rest).collect::<Vec<_>>())
}

/// What a scan finds of a descriptor at a time.
fn file(time: u64, pid: u32, fd: i64, name: &str) -> OwnedEvent {
    event("snap_fd", time, (pid, pid), 0, &[("fd", V::I(fd)), ("kind", V::I(1)), ("name", name.into())])
}

fn seen_at(time: u64, events: Vec<OwnedEvent>) -> Vec<OwnedEvent> {
    let at = |e: OwnedEvent| OwnedEvent::of(&sysreel::event::Event { time, ..e.event() });
    events.into_iter().map(at).collect()
}

fn write_to(time: u64, tid: u32, fd: i64) -> OwnedEvent {
    event("write", time, (tid, tid), 1, &[("fd", V::I(fd))])
}

fn open(time: u64, tid: u32, fd: i64, name: &str) -> OwnedEvent {
    event("openat", time, (tid, tid), fd, &[("dirfd", V::I(-100)), ("name", name.into())])
}

fn close(time: u64, tid: u32, fd: i64) -> OwnedEvent {
    event("close", time, (tid, tid), 0, &[("fd", V::I(fd))])
}

/// A world of one process 10 that a scan found.
fn world() -> World {
    let mut world = World::new();
    world.apply(&thread(10, 10, 1, "known").event());
    world
}

fn apply(world: &mut World, events: &[OwnedEvent]) {
    for e in events {
        world.apply(&e.event());
    }
}

fn name_of(world: &World, row: u32) -> String {
    let dict = world.dict();
    String::from_utf8_lossy(dict.text(dict.desc(row).name)).into_owned()
}

/// The name that a write to a descriptor has now.
fn fd_name(world: &mut World, time: u64, tid: u32, fd: i64) -> String {
    let effect = world.apply(&write_to(time, tid, fd).event());
    name_of(world, effect.desc)
}

fn comm(world: &mut World, time: u64, tid: u32) -> String {
    let effect = world.apply(&event("getpid", time, (tid, tid), 0, &[]).event());
    String::from_utf8_lossy(world.dict().text(world.dict().thread(effect.thread).comm)).into_owned()
}

const TIME: u64 = 1_000_000_000_000;

#[test]
fn an_unknown_descriptor_is_asked_for_once_and_its_answer_holds_from_then_on() {
    let mut world = world();
    let first = world.apply(&write_to(TIME, 10, 3).event());
    world.apply(&write_to(TIME + 1, 10, 3).event());
    let want = Want::Descriptor { pid: 10, fd: 3 };
    assert_eq!(world.take_wants(), [want]);
    assert!(world.dict().desc(first.desc).is_unknown());
    let rows = world.answer(want, &[file(TIME + 2, 10, 3, "/f")]);
    apply(&mut world, &rows);
    assert_eq!(fd_name(&mut world, TIME + 3, 10, 3), "/f");
    let facts = world.take_late_facts();
    assert_eq!(facts.iter().map(|f| (f.kind.as_str(), f.back, f.id)).collect::<Vec<_>>(), [("snap_fd", 0, first.desc)]);
    assert_eq!(world.take_wants(), []);
}

#[test]
fn what_cannot_be_told_is_not_asked() {
    let mut world = world();
    for e in [
        event("write", TIME, (10, 10), -9, &[("fd", V::I(3))]),
        event("close", TIME, (10, 10), 0, &[("fd", V::I(3))]),
        event("mmap", TIME, (10, 10), 0, &[("fd", V::I(-1))]),
        event("getpid", TIME, (10, 10), 10, &[]),
        event("loss", TIME, (0, 0), 0, &[("count", V::I(1))]),
    ] {
        world.apply(&e.event());
    }
    assert_eq!(world.take_wants(), []);
}

#[test]
fn an_answer_that_was_found_after_the_number_meant_something_else_changes_nothing() {
    let want = Want::Descriptor { pid: 10, fd: 3 };
    for (changes, expected) in [
        (vec![close(TIME + 1, 10, 3), open(TIME + 2, 10, 3, "/new")], "/new"),
        (vec![close(TIME + 1, 10, 3)], ""),
        (vec![event("dup2", TIME + 1, (10, 10), 3, &[("oldfd", V::I(4)), ("newfd", V::I(3))])], "/four"),
    ] {
        let mut world = world();
        apply(&mut world, &[open(TIME - 1, 10, 4, "/four"), write_to(TIME, 10, 3)]);
        apply(&mut world, &changes);
        assert!(world.answer(want, &[file(TIME + 9, 10, 3, "/old")]).is_empty(), "{expected}");
        assert_eq!(world.take_late_facts(), []);
        assert_eq!(fd_name(&mut world, TIME + 10, 10, 3), expected);
    }
}

#[test]
fn copies_of_an_unknown_descriptor_are_answered_with_it() {
    let mut world = world();
    apply(
        &mut world,
        &[write_to(TIME, 10, 3), event("dup", TIME + 1, (10, 10), 7, &[("oldfd", V::I(3))]), close(TIME + 2, 10, 9)],
    );
    let rows = world.answer(Want::Descriptor { pid: 10, fd: 3 }, &[file(TIME + 3, 10, 3, "/f")]);
    apply(&mut world, &rows);
    assert_eq!(fd_name(&mut world, TIME + 4, 10, 7), "/f");
}

#[test]
fn a_thread_that_nobody_announced_is_asked_for_with_its_descriptors() {
    let mut world = world();
    let first = world.apply(&write_to(TIME, 50, 3).event());
    apply(&mut world, &[open(TIME + 1, 50, 4, "/own")]);
    assert_eq!(world.take_wants(), [Want::Thread { tid: 50, pid: 50 }]);
    let found =
        [thread(50, 50, 5, "late"), file(0, 50, 3, "/three"), file(0, 50, 4, "/other"), file(0, 50, 5, "/five")];
    let rows = world.answer(Want::Thread { tid: 50, pid: 50 }, &found);
    apply(&mut world, &rows);
    assert_eq!(comm(&mut world, TIME + 2, 50), "late");
    let names = [3, 4, 5].map(|fd| fd_name(&mut world, TIME + 3, 50, fd));
    assert_eq!(names, ["/three", "/own", "/five"], "what was seen happening stays");
    let facts = world.take_late_facts();
    let about: Vec<(&str, u32)> = facts.iter().map(|f| (f.kind.as_str(), f.id)).collect();
    assert_eq!(about, [("snap_thread", first.thread), ("snap_fd", first.desc)]);
}

fn names(facts: &[LateFact]) -> Vec<&str> {
    facts.iter().flat_map(|f| &f.values).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn after_an_exec_an_answer_says_nothing_of_the_program_before() {
    let mut world = world();
    apply(
        &mut world,
        &[
            write_to(TIME, 50, 3),
            event("execve", TIME + 1, (50, 50), 0, &[("comm", "new".into()), ("exe", "new".into())]),
            write_to(TIME + 2, 50, 3),
        ],
    );
    let rows = world.answer(Want::Thread { tid: 50, pid: 50 }, &[thread(50, 50, 5, "later")]);
    apply(&mut world, &rows);
    assert_eq!(comm(&mut world, TIME + 3, 50), "new");
    let facts = world.take_late_facts();
    assert!(names(&facts).contains(&"ppid") && !names(&facts).contains(&"comm"), "{facts:?}");
}

#[test]
fn an_id_that_passed_to_another_process_is_not_answered() {
    let mut world = world();
    apply(&mut world, &[write_to(TIME, 50, 3)]);
    let younger = TIME as i64 + 1_000_000_000;
    let rows =
        world.answer(Want::Thread { tid: 50, pid: 50 }, &[thread(50, 50, younger, "other"), file(0, 50, 3, "/x")]);
    assert!(rows.is_empty());
    assert_eq!(world.take_late_facts(), []);
}

#[test]
fn questions_are_asked_at_a_bounded_rate_and_none_is_forgotten() {
    let mut world = world();
    for fd in 0..3000 {
        world.apply(&write_to(TIME, 10, fd).event());
    }
    let first = world.take_wants().len();
    assert!((1..1000).contains(&first), "{first}");
    let mut all = first;
    for second in 1..=3 {
        world.apply(&event("getpid", TIME + second * 1_000_000_000, (10, 10), 0, &[]).event());
        all += world.take_wants().len();
    }
    assert!(all > first && all < 3000, "{all}");
    for second in 4..=10 {
        world.apply(&event("getpid", TIME + second * 1_000_000_000, (10, 10), 0, &[]).event());
        all += world.take_wants().len();
    }
    assert_eq!(all, 3000);
}

/// Thread name and descriptor name of each write in a reel.
fn told(path: &Path) -> Vec<(String, String, bool)> {
    let reader = Reader::open(path).unwrap();
    let mut told = Vec::new();
    for segment in 0..reader.segments().len() {
        for batch in reader.batches(segment) {
            batch
                .unwrap()
                .for_each_row(|row| {
                    let text = |id| String::from_utf8_lossy(row.dict().text(id)).into_owned();
                    if row.info().name == "write" {
                        let fd = row.desc().map(|d| text(d.name)).unwrap_or_default();
                        told.push((text(row.thread().comm), fd, row.flags().has(Flags::DOUBTFUL)));
                    }
                })
                .unwrap();
        }
    }
    told
}

fn give(assembler: &mut Assembler<Error>, events: &[OwnedEvent]) {
    for e in events {
        assembler.event(&e.event()).unwrap();
    }
}

#[test]
fn late_facts_reach_rows_that_were_written_before_also_in_segments_that_are_closed() {
    for events in [100, 2] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("late.reel");
        let limits = SegmentLimits { events, ..SegmentLimits::default() };
        write_reel(&path, limits, |assembler| {
            assembler.initial(&thread(10, 10, 1, "known").event());
            give(assembler, &[write_to(TIME, 10, 3), write_to(TIME + 1, 50, 4), write_to(TIME + 2, 10, 3)]);
            assembler.flush().unwrap();
            give(assembler, &[write_to(TIME + 3, 10, 3), write_to(TIME + 4, 50, 4)]);
            assembler.answer(Want::Descriptor { pid: 10, fd: 3 }, &[file(0, 10, 3, "/three")]).unwrap();
            let found = [thread(50, 50, 5, "late"), file(0, 50, 4, "/four")];
            assembler.answer(Want::Thread { tid: 50, pid: 50 }, &found).unwrap();
            give(assembler, &[write_to(TIME + 5, 10, 3)]);
            assembler.finish(TIME + 9).unwrap();
        });
        let known = ("known".to_owned(), "/three".to_owned(), false);
        let late = ("late".to_owned(), "/four".to_owned(), false);
        let expected = [known.clone(), late.clone(), known.clone(), known.clone(), late, known];
        assert_eq!(told(&path), expected, "{events} events in a segment");
    }
}

fn fork(time: u64, child: i64) -> OwnedEvent {
    let named =
        [("child_tid", V::I(child)), ("child_pid", V::I(child)), ("ppid", V::I(10)), ("start", V::I(time as i64))];
    event("procfork", time, (10, 10), 0, &named)
}

#[test]
fn a_rescan_puts_right_what_a_loss_hid_and_what_is_younger_wins() {
    let mut world = world();
    apply(&mut world, &[thread(20, 20, 2, "ends"), thread(30, 30, 3, "stays")]);
    let before = [(3, "/closed"), (4, "/replaced"), (5, "/kept"), (6, "/younger")];
    apply(&mut world, &before.map(|(fd, name)| open(TIME, 10, fd, name)));
    world.lost(TIME + 10);
    assert!(world.is_in_doubt());
    // The scan looks at process 10 at +20; what follows is younger than it.
    apply(
        &mut world,
        &[
            close(TIME + 30, 10, 6),
            open(TIME + 31, 10, 6, "/youngest"),
            open(TIME + 32, 10, 8, "/opened"),
            fork(TIME + 33, 60),
            fork(TIME + 12, 70),
            event("procexit", TIME + 34, (70, 70), 0, &[("last", V::I(1))]),
            event("cputime", TIME + 35, (70, 70), 0, &[("gone", V::I(1))]),
        ],
    );
    let found = seen_at(
        TIME + 20,
        vec![
            thread(10, 10, 1, "known"),
            thread(30, 30, 3, "renamed"),
            thread(40, 40, 4, "new"),
            thread(70, 70, TIME as i64 + 12, "ended"),
            file(0, 10, 4, "/other"),
            file(0, 10, 5, "/kept"),
            file(0, 10, 6, "/younger"),
            file(0, 10, 7, "/found"),
            file(0, 40, 3, "/of the new one"),
        ],
    );
    let rows = world.rescanned(&found, TIME + 15);
    apply(&mut world, &rows);
    assert!(!world.is_in_doubt());
    let live: Vec<u32> = world.live_threads().into_iter().map(|(tid, _)| tid).collect();
    assert_eq!(live, [10, 30, 40, 60], "20 is gone, 40 is new, 60 and the end of 70 are younger");
    assert_eq!([30, 40].map(|tid| comm(&mut world, TIME + 40, tid)), ["renamed", "new"]);
    let names = [3, 4, 5, 6, 7, 8].map(|fd| fd_name(&mut world, TIME + 41, 10, fd));
    assert_eq!(names, ["", "/other", "/kept", "/youngest", "/found", "/opened"]);
    assert_eq!(fd_name(&mut world, TIME + 42, 40, 3), "/of the new one");
    let kinds: Vec<&str> = rows.iter().map(|r| r.event().kind.spec().name).collect();
    let expected = ["snap_gone", "snap_thread", "snap_thread", "snap_fd", "snap_fd", "snap_closed", "snap_fd"];
    assert_eq!(kinds, expected, "only what differs is told");
}

#[test]
fn an_id_that_another_process_has_after_a_loss_is_that_process() {
    let mut world = world();
    world.lost(TIME);
    let found = seen_at(TIME + 2, vec![thread(10, 10, TIME as i64 + 1_000_000_000, "another")]);
    let rows = world.rescanned(&found, TIME + 1);
    let kinds: Vec<&str> = rows.iter().map(|r| r.event().kind.spec().name).collect();
    assert_eq!(kinds, ["snap_gone", "snap_thread"]);
    apply(&mut world, &rows);
    assert_eq!(comm(&mut world, TIME + 3, 10), "another");
}

#[test]
fn what_stands_behind_a_loss_is_doubtful_until_it_is_confirmed_or_seen_to_begin() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doubt.reel");
    write_reel(&path, SegmentLimits::default(), |assembler| {
        assembler.initial(&thread(10, 10, 1, "known").event());
        give(assembler, &[open(TIME, 10, 3, "/f"), write_to(TIME + 1, 10, 3)]);
        let lost = Lost { time: TIME + 2, cpu: 0, count: 5, stage: "ring", reason: String::new() };
        assembler.lost(&lost).unwrap();
        give(assembler, &[write_to(TIME + 3, 10, 3), fork(TIME + 4, 60), write_to(TIME + 5, 60, 3)]);
        give(assembler, &[open(TIME + 6, 60, 4, "/new"), write_to(TIME + 7, 60, 4)]);
        let found = [thread(10, 10, 1, "known"), file(0, 10, 3, "/f"), thread(60, 60, TIME as i64 + 4, "known")];
        assembler.rescanned(&seen_at(TIME + 8, found.into()), TIME + 8).unwrap();
        give(assembler, &[write_to(TIME + 9, 10, 3)]);
        assert_eq!(assembler.doubtful(), 3, "two writes, and the fork itself");
        assembler.finish(TIME + 10).unwrap();
    });
    let doubt: Vec<bool> = told(&path).into_iter().map(|(_, _, doubtful)| doubtful).collect();
    assert_eq!(doubt, [false, true, true, false, false]);
    assert_eq!(Reader::open(&path).unwrap().doubtful(), 3);
}

#[test]
fn the_state_told_again_from_the_rows_is_the_state_of_the_recorder() {
    let mut world = world();
    let events = [open(TIME, 10, 3, "/a"), write_to(TIME + 1, 10, 9), write_to(TIME + 2, 50, 3)];
    let mut rows: Vec<OwnedEvent> = vec![thread(10, 10, 1, "known")];
    apply(&mut world, &events);
    rows.extend(events);
    let mut take = |world: &mut World, more: Vec<OwnedEvent>| {
        apply(world, &more);
        rows.extend(more);
    };
    let more = world.answer(Want::Descriptor { pid: 10, fd: 9 }, &[file(0, 10, 9, "/nine")]);
    take(&mut world, more);
    world.lost(TIME + 3);
    let found = seen_at(TIME + 5, vec![thread(10, 10, 1, "other"), file(0, 10, 3, "/b"), thread(80, 80, 9, "x")]);
    let more = world.rescanned(&found, TIME + 4);
    take(&mut world, more);
    let mut again = World::new();
    apply(&mut again, &rows);
    let state = |world: &mut World| world.snapshot(TIME + 9).into_iter().map(|(event, _)| event).collect::<Vec<_>>();
    assert_eq!(state(&mut again), state(&mut world));
}

/// What a replay prints of the rows of a reel.
fn printed(path: &Path, format: &str) -> Vec<String> {
    let words = ["-r", path.to_str().unwrap(), "-p", format, "evt.type = getpid"];
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn getpid(time: u64) -> OwnedEvent {
    event("getpid", time, (10, 10), 10, &[])
}

#[test]
fn names_groups_and_containers_that_come_later_reach_rows_that_were_written_before() {
    const ID: &str = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("late.reel");
    // Three segments of two events; everything becomes known in the last one.
    let limits = SegmentLimits { events: 2, ..SegmentLimits::default() };
    write_reel(&path, limits, |assembler| {
        assembler.initial(&thread(10, 10, 1, "known").event());
        let exec = [("filename", V::from("/bin/x")), ("comm", "known".into()), ("cgroup_id", V::I(77))];
        give(assembler, &[event("execve", TIME, (10, 10), 0, &exec)]);
        give(assembler, &[getpid(TIME + 1), getpid(TIME + 2), getpid(TIME + 3), getpid(TIME + 4)]);
        let group = format!("/docker/{ID}");
        give(
            assembler,
            &[event("cgroup", TIME + 5, (10, 10), 0, &[("id", V::I(77)), ("path", group.as_str().into())])],
        );
        let name = [("id", V::I(0)), ("name", "alice".into())];
        assembler.named(&[event("snap_user", TIME + 5, (0, 0), 0, &name)]).unwrap();
        assembler.container(br#"{"container":{"id":"3ad7b26ded6d","name":"web","image":"nginx:1","type":0}}"#).unwrap();
        assembler.finish(TIME + 6).unwrap();
    });
    let rows = printed(&path, "%user.name %container.id %container.name %container.image %container.type");
    assert_eq!(rows, vec!["alice 3ad7b26ded6d web nginx:1 docker"; 4]);
    let reader = Reader::open(&path).unwrap();
    assert!(reader.segments().len() > 2 && reader.late_facts()[0] > 0 && reader.late_facts()[1] == 2);
    let users = |segment| reader.dict(segment).unwrap().users.keys().copied().collect::<Vec<_>>();
    assert_eq!(users(0), [0], "the first segment knows the name too");
}
