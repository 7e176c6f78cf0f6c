//! Stories of processes, descriptors and sockets, and what the world makes of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::story::{P, apply, ends, exec, fork, inet, open, read, socket, text, thread, tuple, world};
use common::{V, event};
use sysreel::world::{DescKind, L4, Role, ThreadRow, Want, World};

#[test]
fn an_opened_file_has_its_full_name_until_it_is_closed() {
    let mut world = world();
    let row = open(&mut world, P, "notes/../a.txt", 0, 3);
    assert_eq!((row.kind, text(&world, row.name).as_str()), (DescKind::File, "/home/u/a.txt"));
    assert_eq!(read(&mut world, P, 3), "/home/u/a.txt");
    let (_, closed) = apply(&mut world, &event("close", 101, P, 0, &[("fd", 3.into())]));
    assert_eq!(text(&world, closed.name), "/home/u/a.txt", "a close shows what it closed");
    assert_eq!(read(&mut world, P, 3), "");
}

#[test]
fn a_failed_open_names_the_file_and_opens_nothing() {
    let mut world = world();
    let row = open(&mut world, P, "/etc/shadow", 0, -13);
    assert_eq!(text(&world, row.name), "/etc/shadow");
    assert_eq!(read(&mut world, P, -13), "");
}

#[test]
fn a_path_relative_to_a_directory_descriptor_is_resolved() {
    let mut world = world();
    assert_eq!(open(&mut world, P, "/srv/data", 0o200_000, 4).kind, DescKind::Directory);
    let named = [("dirfd", 4.into()), ("name", "sub/f".into()), ("flags", 0.into())];
    let (_, row) = apply(&mut world, &event("openat", 101, P, 5, &named));
    assert_eq!(text(&world, row.name), "/srv/data/sub/f");
}

#[test]
fn copies_of_a_descriptor_refer_to_the_same_file() {
    let mut world = world();
    open(&mut world, P, "/a", 0, 3);
    apply(&mut world, &event("dup", 101, P, 4, &[("oldfd", 3.into())]));
    apply(&mut world, &event("dup2", 101, P, 0, &[("oldfd", 3.into()), ("newfd", 0.into())]));
    apply(&mut world, &event("fcntl", 101, P, 9, &[("fd", 3.into()), ("cmd", 0.into()), ("arg", 9.into())]));
    for fd in [0, 3, 4, 9] {
        assert_eq!(read(&mut world, P, fd), "/a", "descriptor {fd}");
    }
    apply(
        &mut world,
        &event("close_range", 102, P, 0, &[("first", 4.into()), ("last", 0xffff_ffff.into()), ("flags", 0.into())]),
    );
    assert_eq!((read(&mut world, P, 3), read(&mut world, P, 9)), ("/a".into(), String::new()));
}

#[test]
fn a_child_has_copies_of_its_own_and_a_thread_shares() {
    let mut world = world();
    open(&mut world, P, "/a", 0, 3);
    fork(&mut world, P, (11, 11), 10, 0);
    fork(&mut world, P, (12, 10), 1, 0x10f00);
    apply(&mut world, &event("close", 101, P, 0, &[("fd", 3.into())]));
    assert_eq!(read(&mut world, (11, 11), 3), "/a");
    assert_eq!(read(&mut world, (12, 10), 3), "");
    apply(&mut world, &event("chdir", 101, (12, 10), 0, &[("path", "/tmp".into())]));
    let (main, _) = apply(&mut world, &event("getppid", 102, P, 1, &[]));
    let (child, _) = apply(&mut world, &event("getppid", 102, (11, 11), 1, &[]));
    assert_eq!((text(&world, main.cwd), text(&world, child.cwd)), ("/tmp".into(), "/home/u".into()));
}

#[test]
fn exec_shows_the_new_program_and_closes_what_is_marked() {
    let mut world = world();
    open(&mut world, P, "/keep", 0, 3);
    open(&mut world, P, "/close", 0o2_000_000, 4);
    fork(&mut world, P, (11, 11), 10, 0);
    let row = exec(&mut world, (11, 11), "/usr/bin/cat", b"A=1\0B=2\0");
    let image = world.dict().image(row.image).clone();
    assert_eq!((text(&world, row.comm), text(&world, image.exepath)), ("cat".into(), "/usr/bin/cat".into()));
    assert_eq!(text(&world, image.args), "-l\0x y\0");
    assert_eq!(image.env.iter().map(|&e| text(&world, e)).collect::<Vec<_>>(), ["A=1", "B=2"]);
    assert_eq!(world.dict().thread(row.parent).tid, 10);
    assert_eq!((read(&mut world, (11, 11), 3), read(&mut world, (11, 11), 4)), ("/keep".into(), String::new()));
    assert_eq!(read(&mut world, P, 4), "/close", "the parent keeps its own");
    assert!(world.take_wants().contains(&Want::Cgroup { pid: 11, id: 77 }));
}

#[test]
fn exec_ends_the_other_threads_even_when_a_second_thread_calls_it() {
    let mut world = world();
    fork(&mut world, P, (12, 10), 1, 0x10f00);
    assert_eq!(world.threads(), 2);
    // The kernel gives the caller the process's first thread id before the call returns.
    exec(&mut world, P, "/bin/true", b"");
    assert_eq!(world.threads(), 1);
}

#[test]
fn a_parents_new_program_shows_in_its_living_children() {
    let mut world = world();
    fork(&mut world, P, (11, 11), 10, 0);
    let (before, _) = apply(&mut world, &event("getppid", 91, (11, 11), 10, &[]));
    exec(&mut world, P, "/bin/dash", b"");
    let (after, _) = apply(&mut world, &event("getppid", 120, (11, 11), 10, &[]));
    let parent = |row: &ThreadRow| text(&world, world.dict().thread(row.parent).comm);
    assert_eq!((parent(&before), parent(&after)), ("sh".into(), "dash".into()));
    assert!(after.parent < world.dict().threads.len() as u32);
}

#[test]
fn orphans_go_to_init_or_to_the_nearest_subreaper() {
    for (subreaper, want) in [(false, 1), (true, 10)] {
        let mut world = world();
        if subreaper {
            apply(&mut world, &event("prctl", 80, P, 0, &[("option", 36.into()), ("arg2_int", 1.into())]));
        }
        fork(&mut world, P, (11, 11), 10, 0);
        fork(&mut world, (11, 11), (12, 12), 11, 0);
        apply(&mut world, &event("procexit", 95, (11, 11), 0, &[("status", 0.into()), ("last", 1.into())]));
        let gone = [("delta", 1.into()), ("total", 1.into()), ("gone", 1.into())];
        apply(&mut world, &event("cputime", 96, (11, 11), 0, &gone));
        let (row, _) = apply(&mut world, &event("getppid", 97, (12, 12), want, &[]));
        assert_eq!(i64::from(row.ppid), want);
        assert_eq!(world.dict().thread(row.creator).tid, 11, "who forked it stays known");
        assert_eq!(world.threads(), 2);
    }
}

#[test]
fn names_and_credentials_change_rows_from_then_on() {
    let mut world = world();
    let (before, _) = apply(&mut world, &event("getppid", 91, P, 1, &[]));
    apply(
        &mut world,
        &event("prctl", 92, P, 0, &[("option", 15.into()), ("arg2_str", "a-name-longer-than-fifteen".into())]),
    );
    apply(
        &mut world,
        &event("setresuid", 93, P, 0, &[("ruid", (-1).into()), ("euid", 33.into()), ("suid", 33.into())]),
    );
    let (after, _) = apply(&mut world, &event("getppid", 94, P, 1, &[]));
    assert_eq!((text(&world, before.comm), before.euid), ("sh".into(), 0));
    assert_eq!((text(&world, after.comm), after.uid, after.euid), ("a-name-longer-t".into(), 0, 33));
    assert!(world.take_wants().contains(&Want::User(33)));
}

#[test]
fn a_connection_reads_client_to_server_on_both_sides() {
    let mut world = world();
    let (here, there) = (([10, 0, 0, 1], 4031), ([10, 0, 0, 6], 80));
    socket(&mut world, 1, 3);
    let named = [("tuple", V::B(&tuple(here, there))), ("fd", 3.into()), ("addr", V::B(&inet(there.0, there.1)))];
    let (_, row) = apply(&mut world, &event("connect", 101, P, -115, &named));
    assert_eq!(ends(&row), "10.0.0.1:4031->10.0.0.6:80 Tcp Client");
    socket(&mut world, 1, 4);
    let named = [("addr", V::B(&inet([0, 0, 0, 0], 80))), ("fd", 4.into())];
    let (_, row) = apply(&mut world, &event("bind", 102, P, 0, &named));
    assert_eq!(ends(&row), "-->0.0.0.0:80 Tcp Server");
    let (_, row) = apply(&mut world, &event("accept4", 103, P, 5, &[("tuple", V::B(&tuple(there, here)))]));
    assert_eq!(ends(&row), "10.0.0.1:4031->10.0.0.6:80 Tcp Server");
    let (_, row) = apply(&mut world, &event("read", 104, P, 5, &[("fd", 5.into())]));
    assert_eq!(row.role, Role::Server);
}

#[test]
fn a_refused_connection_leaves_the_socket_as_it_was() {
    let mut world = world();
    socket(&mut world, 1, 3);
    let named = [("fd", 3.into()), ("addr", V::B(&inet([127, 0, 0, 1], 1)))];
    let (_, row) = apply(&mut world, &event("connect", 101, P, -111, &named));
    assert_eq!(ends(&row), "0.0.0.0:0->127.0.0.1:1 Tcp Client", "the call is about what it tried");
    let (_, row) = apply(&mut world, &event("read", 102, P, -107, &[("fd", 3.into())]));
    assert_eq!(ends(&row), "-->- Tcp Unknown");
}

#[test]
fn datagrams_name_their_peer_and_the_bound_side_serves() {
    let mut world = world();
    socket(&mut world, 2, 3);
    let to = [("fd", 3.into()), ("addr", V::B(&inet([10, 0, 0, 9], 53)))];
    let (_, row) = apply(&mut world, &event("sendto", 101, P, 5, &to));
    assert_eq!((ends(&row).as_str(), row.l4), ("0.0.0.0:0->10.0.0.9:53 Udp Client", L4::Udp));
    socket(&mut world, 2, 4);
    apply(&mut world, &event("bind", 102, P, 0, &[("fd", 4.into()), ("addr", V::B(&inet([10, 0, 0, 1], 53)))]));
    let from = [("fd", 4.into()), ("addr", V::B(&inet([10, 0, 0, 7], 999)))];
    let (_, row) = apply(&mut world, &event("recvfrom", 103, P, 5, &from));
    assert_eq!(ends(&row), "10.0.0.7:999->10.0.0.1:53 Udp Server");
}

#[test]
fn unix_sockets_are_named_by_their_path() {
    let mut world = world();
    apply(&mut world, &event("socket", 100, P, 3, &[("domain", 1.into()), ("type", 1.into())]));
    for (addr, want) in [(&b"\x01\0/run/a.sock\0"[..], "/run/a.sock"), (b"\x01\0\0abstract", "@abstract")] {
        let (_, row) = apply(&mut world, &event("connect", 101, P, 0, &[("fd", 3.into()), ("addr", V::B(addr))]));
        assert_eq!((row.kind, text(&world, row.name).as_str()), (DescKind::Unix, want));
    }
}

#[test]
fn a_new_segment_and_a_world_seeded_by_its_snapshot_say_the_same() {
    let mut world = world();
    open(&mut world, P, "a.txt", 0, 3);
    socket(&mut world, 1, 4);
    fork(&mut world, P, (11, 11), 10, 0);
    exec(&mut world, (11, 11), "/usr/bin/cat", b"A=1\0");
    fork(&mut world, P, (12, 10), 1, 0x10f00);
    world.begin_segment();
    let mut seeded = World::new();
    for (row, _) in world.snapshot(200) {
        seeded.apply(&row.event());
    }
    for who in [P, (11, 11), (12, 10)] {
        for fd in [0, 3, 4] {
            let ask = event("read", 201, who, 1, &[("fd", fd.into())]);
            let (a, b) = (apply(&mut world, &ask), apply(&mut seeded, &ask));
            assert_eq!(text(&world, a.1.name), text(&seeded, b.1.name), "{who:?} {fd}");
            assert_eq!((a.1.kind, a.1.l4), (b.1.kind, b.1.l4));
            assert_eq!(
                (text(&world, a.0.comm), text(&world, a.0.cwd)),
                (text(&seeded, b.0.comm), text(&seeded, b.0.cwd))
            );
            assert_eq!((a.0.ppid, a.0.start, a.0.vtid), (b.0.ppid, b.0.start, b.0.vtid));
            let env =
                |w: &World, r: &ThreadRow| w.dict().image(r.image).env.iter().map(|&e| text(w, e)).collect::<Vec<_>>();
            assert_eq!(env(&world, &a.0), env(&seeded, &b.0));
        }
    }
    assert_eq!(read(&mut world, (11, 11), 3), "/home/u/a.txt");
}

#[test]
fn events_from_before_the_scan_do_not_undo_it() {
    let mut world = World::new();
    let scanned = thread(10, 10, 1, "sh");
    let mut scanned = scanned.event();
    scanned.time = 1000;
    world.apply(&scanned);
    let fd = [("fd", 3.into()), ("kind", 1.into()), ("name", "/second".into())];
    apply(&mut world, &event("snap_fd", 1000, P, 0, &fd));
    apply(&mut world, &event("close", 500, P, 0, &[("fd", 3.into())]));
    let row = open(&mut world, P, "/first", 0, 3);
    assert_eq!(text(&world, row.name), "/first", "the open is still about its own file");
    assert_eq!(read(&mut world, P, 3), "/second");
}

#[test]
fn a_call_in_flight_is_told_once_and_forgotten_when_it_returns() {
    let mut world = world();
    world.enter(&event("read", 300, P, 0, &[("fd", 0.into())]).event());
    let flying = world.in_flight(450);
    assert_eq!(flying.len(), 1);
    assert_eq!((flying[0].event().time, flying[0].event().duration), (450, Some(150)));
    apply(&mut world, &event("read", 500, P, 1, &[("fd", 0.into())]));
    assert!(world.in_flight(600).is_empty());
}
