//! Stories of what is rare: ends that were lost, ids used again, jails and namespaces, sockets under many numbers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::story::{
    P, apply, call, ends, ends_of, exec, exit, fork, gone, inet, open, read, row, socket, text, thread, tuple, world,
};
use common::{V, event};
use sysreel::event::{Flags, OwnedEvent};
use sysreel::world::{DescKind, Role, StrId, ThreadRow, World};

const CHILD: (u32, u32) = (11, 11);
/// `CLONE_VM`, `CLONE_FS`, `CLONE_FILES`, `CLONE_SIGHAND`, `CLONE_THREAD`.
const THREAD: i64 = 0x10f00;

#[test]
fn the_next_process_with_an_id_has_nothing_of_one_whose_end_was_lost() {
    let mut world = world();
    fork(&mut world, P, CHILD, 10, 0);
    open(&mut world, CHILD, "/old", 0, 3);
    fork(&mut world, CHILD, (12, 11), 10, THREAD);
    fork(&mut world, CHILD, (13, 13), 11, 0);
    assert_eq!(world.threads(), 4);
    fork(&mut world, P, CHILD, 10, 0);
    assert_eq!(world.threads(), 3, "its second thread is gone too");
    assert_eq!(read(&mut world, CHILD, 3), "");
    assert_eq!(row(&mut world, (13, 13)).ppid, 1, "its child is an orphan");
}

#[test]
fn a_first_thread_that_ends_early_stays_for_the_others() {
    let mut world = world();
    open(&mut world, P, "/a", 0, 3);
    fork(&mut world, P, (12, 10), 1, THREAD);
    exit(&mut world, P, 100, false);
    gone(&mut world, P);
    assert_eq!(read(&mut world, (12, 10), 3), "/a");
    fork(&mut world, (12, 10), (13, 13), 10, 0);
    let child = row(&mut world, (13, 13));
    assert_eq!(text(&world, world.dict().thread(child.parent).comm), "sh");
    exit(&mut world, (12, 10), 101, true);
    gone(&mut world, (12, 10));
    assert_eq!(world.threads(), 1, "both went with the last");
    assert_eq!(row(&mut world, (13, 13)).ppid, 1);
}

#[test]
fn a_program_run_by_another_thread_keeps_the_descriptors_when_the_first_one_is_dead() {
    let mut world = world();
    open(&mut world, P, "/a", 0, 3);
    fork(&mut world, P, (12, 10), 1, THREAD);
    exit(&mut world, P, 100, false);
    gone(&mut world, P);
    exec(&mut world, P, "/bin/true", b"");
    assert_eq!((world.threads(), read(&mut world, P, 3)), (1, "/a".into()));
    exit(&mut world, P, 101, true);
    gone(&mut world, P);
    assert_eq!(world.threads(), 0);
}

#[test]
fn threads_whose_last_record_was_lost_do_not_stay_for_ever() {
    const SECOND: u64 = 1_000_000_000;
    let mut world = world();
    for tid in 100..200 {
        fork(&mut world, P, (tid, tid), 10, 0);
        exit(&mut world, (tid, tid), u64::from(tid) * SECOND, true);
    }
    assert_eq!(world.threads(), 1 + 61, "those of the last minute");
    let rest: Vec<u32> = world.live_threads().iter().map(|t| t.0).collect();
    assert_eq!((rest[1], rest[61]), (139, 199));
}

#[test]
fn orphans_in_a_pid_namespace_go_to_its_first_process() {
    let mut world = world();
    let inner = |child: u32, vpid: u32, ppid: u32| {
        let ids =
            [("child_tid", child), ("child_pid", child), ("child_vtid", vpid), ("child_vpid", vpid), ("ppid", ppid)];
        let named: Vec<(&str, V<'_>)> = ids.map(|(n, v)| (n, V::I(i64::from(v)))).into();
        event("procfork", 90, (ppid, ppid), 0, &named)
    };
    apply(&mut world, &inner(20, 1, 10));
    apply(&mut world, &inner(21, 2, 20));
    apply(&mut world, &inner(22, 3, 21));
    call(&mut world, P, "prctl", 0, &[("option", 36.into()), ("arg2_int", 1.into())]);
    exit(&mut world, (21, 21), 100, true);
    assert_eq!(row(&mut world, (22, 22)).ppid, 20, "a subreaper outside is none inside");
    call(&mut world, (22, 22), "setpgid", 0, &[("pid", 3.into()), ("pgid", 3.into())]);
    assert_eq!(row(&mut world, (22, 22)).pgid, 22, "numbers are those of the namespace");
}

#[test]
fn an_exec_of_which_only_the_return_was_seen_leaves_what_is_not_known_unknown() {
    let mut world = world();
    let (seen, _) = call(&mut world, P, "execve", 0, &[("filename", "/usr/bin/a-long-name-of-a-program".into())]);
    assert_eq!(text(&world, seen.comm), "a-long-name-of-");
    let (lost, _) = call(&mut world, P, "execve", 0, &[]);
    assert_eq!((lost.comm, world.dict().image(lost.image).exepath), (StrId::NONE, StrId::NONE));
}

#[test]
fn the_kernels_session_is_told_from_one_that_nobody_told() {
    let mut world = world();
    for (tid, groups) in [(20, [0, 0].as_slice()), (21, &[])] {
        let ids = [("tid", i64::from(tid)), ("pid", i64::from(tid)), ("ppid", 10)];
        let groups = ["sid", "pgid"].into_iter().zip(groups.iter().copied());
        let named: Vec<(&str, V<'_>)> = ids.into_iter().chain(groups).map(|(n, v)| (n, V::I(v))).collect();
        apply(&mut world, &event("snap_thread", 1, (tid, tid), 0, &named));
    }
    let groups = |row: ThreadRow| (row.sid, row.pgid);
    assert_eq!(groups(row(&mut world, (20, 20))), (0, 0));
    assert_eq!(groups(row(&mut world, (21, 21))), (ThreadRow::NO_GROUP, ThreadRow::NO_GROUP));
    let told = |(event, _): (OwnedEvent, _)| (event.event().tid, event.event().args[5].int());
    let written: Vec<(u32, Option<i64>)> = world.snapshot(2).into_iter().map(told).collect();
    assert!(written.contains(&(20, Some(0))) && written.contains(&(21, None)), "{written:?}");
}

#[test]
fn a_program_run_from_a_descriptor_is_what_that_refers_to() {
    let mut world = world();
    call(&mut world, P, "memfd_create", 5, &[("name", "payload".into()), ("flags", 1.into())]);
    let (row, _) = call(&mut world, P, "execve", 0, &[("exepath", "/dev/fd/5".into()), ("comm", "5".into())]);
    assert_eq!(text(&world, world.dict().image(row.image).exepath), "memfd:payload");
    assert_eq!(read(&mut world, P, 5), "", "and it was closed");
}

#[test]
fn names_and_login_users_that_were_written_to_proc_count() {
    let mut world = world();
    fork(&mut world, P, (12, 10), 1, THREAD);
    fork(&mut world, P, (13, 10), 1, THREAD);
    let files = [
        "/proc/self/comm",
        "/proc/self/task/12/comm",
        "/proc/thread-self/comm",
        "/proc/11/comm",
        "/proc/self/loginuid",
    ];
    for (fd, (name, data)) in (3..).zip(files.into_iter().zip(["main", "second", "third", "no", "1000"])) {
        open(&mut world, (13, 10), name, 1, fd);
        let named = [("fd", fd.into()), ("data", data.into()), ("size", 9.into())];
        call(&mut world, (13, 10), "write", data.len() as i64, &named);
    }
    let rows = [10, 12, 13].map(|tid| row(&mut world, (tid, 10)));
    assert_eq!(rows.clone().map(|r| text(&world, r.comm)), ["main", "second", "third"]);
    assert_eq!(rows.map(|r| r.loginuid), [0, 0, 1000]);
}

#[test]
fn directories_are_shared_by_those_who_share_them() {
    let mut world = world();
    fork(&mut world, P, (12, 10), 1, THREAD);
    fork(&mut world, P, CHILD, 10, 0x200); // CLONE_FS
    call(&mut world, CHILD, "chdir", 0, &[("path", "/tmp".into())]);
    let all = |world: &mut World| [P, (12, 10), CHILD].map(|who| row(world, who).cwd).map(|cwd| text(world, cwd));
    assert_eq!(all(&mut world), ["/tmp", "/tmp", "/tmp"]);
    call(&mut world, (12, 10), "unshare", 0, &[("flags", 0x200.into())]);
    call(&mut world, (12, 10), "chdir", 0, &[("path", "/srv".into())]);
    call(&mut world, P, "chdir", -2, &[("path", "/nowhere".into())]);
    assert_eq!(all(&mut world), ["/tmp", "/srv", "/tmp"]);
}

#[test]
fn paths_in_a_jail_begin_with_it() {
    let mut world = world();
    call(&mut world, P, "chroot", 0, &[("path", "jail".into())]);
    for (name, want) in [
        ("/etc/passwd", "/home/u/jail/etc/passwd"),
        ("/../../etc/x", "/home/u/jail/etc/x"),
        ("outside", "/home/u/outside"),
        ("../../../etc/x", "/etc/x"),
    ] {
        assert_eq!(open(&mut world, P, name, 0, 3).name, world.interner().text(want.as_bytes()), "{name}");
    }
    call(&mut world, P, "chdir", 0, &[("path", "/".into())]);
    let row = row(&mut world, P);
    assert_eq!((text(&world, row.cwd), text(&world, row.root)), ("/home/u/jail".into(), "/home/u/jail".into()));
    let inner = open(&mut world, P, "../../x", 0, 3).name;
    assert_eq!(text(&world, inner), "/home/u/jail/x");
    call(&mut world, P, "getcwd", 6, &[("path", V::B(b"/real\0"))]);
    let row = common::story::row(&mut world, P);
    assert_eq!(text(&world, row.cwd), "/home/u/jail/real", "links resolved, by the kernel");
}

#[test]
fn a_new_root_is_the_root_of_the_namespace() {
    for (new, old, cwd, want) in [
        ("/new", "/new/old", "/new/a", "/a"),
        ("/new", "/new/old", "/", "/"),
        ("/new", "/new/old", "/srv", "/old/srv"),
        (".", ".", "/new", "/"),
    ] {
        let mut world = world();
        call(&mut world, P, "unshare", 0, &[("flags", 0x2_0000.into())]);
        call(&mut world, P, "chdir", 0, &[("path", cwd.into())]);
        call(&mut world, P, "pivot_root", 0, &[("new_root", new.into()), ("put_old", old.into())]);
        let cwd = row(&mut world, P).cwd;
        assert_eq!(text(&world, cwd), want, "{new} {old}");
        assert_eq!(open(&mut world, P, "/x", 0, 3).name, world.interner().text(b"/x"));
    }
    let mut world = world();
    open(&mut world, P, "/proc/1/ns/mnt", 0, 3);
    call(&mut world, P, "setns", 0, &[("fd", 3.into()), ("nstype", 0.into())]);
    let cwd = row(&mut world, P).cwd;
    assert_eq!(text(&world, cwd), "/");
}

#[test]
fn a_tree_that_was_unmounted_takes_its_directories_along() {
    let mut world = world();
    call(&mut world, P, "unshare", 0, &[("flags", 0x2_0000.into())]);
    fork(&mut world, P, CHILD, 10, 0);
    call(&mut world, P, "chdir", 0, &[("path", "/old/home".into())]);
    call(&mut world, CHILD, "umount2", 0, &[("name", "/old".into()), ("flags", 2.into())]);
    assert_eq!((row(&mut world, P).cwd, row(&mut world, CHILD).cwd == StrId::NONE), (StrId::NONE, false));
}

#[test]
fn ids_of_another_user_namespace_are_not_those_of_the_host() {
    let mut world = world();
    call(&mut world, P, "unshare", 0, &[("flags", 0x1000_0000.into())]);
    assert_eq!(row(&mut world, P).euid, 0, "nothing changed yet");
    call(&mut world, P, "setresuid", 0, &[("ruid", 7.into()), ("euid", 7.into()), ("suid", 7.into())]);
    assert_eq!(row(&mut world, P).euid, u32::MAX, "not known");
    assert_eq!(exec(&mut world, P, "/bin/true", b"").euid, 0, "the kernel told");
}

#[test]
fn what_is_not_known_of_a_path_is_not_made_up() {
    let mut world = World::new();
    apply(&mut world, &thread(10, 10, 1, "sh"));
    socket(&mut world, 2, 4);
    let relative = [("dirfd", 4.into()), ("name", "a/b".into()), ("flags", 0.into())];
    for (dirfd, want) in [(4, "a/b"), (99, "a/b"), (-100, "/home/u/a/b")] {
        let named = [("dirfd", dirfd.into()), relative[1].clone(), relative[2].clone()];
        let (_, row) = call(&mut world, P, "openat", 5, &named);
        assert_eq!(text(&world, row.name), want, "{dirfd}");
    }
    let cut = event("openat", 100, P, 5, &[("dirfd", (-100).into()), ("name", "/very/long".into())]);
    let mut cut = cut.event();
    cut.flags = Flags::TRUNCATED;
    let effect = world.apply(&cut);
    assert_eq!(text(&world, world.dict().desc(effect.desc).name), "/very/long...");
    let (_, unread) = call(&mut world, P, "openat", 5, &[("dirfd", (-100).into()), ("flags", 0.into())]);
    assert_eq!((unread.kind, unread.name), (DescKind::File, StrId::NONE));
    let nameless = open(&mut world, P, "/tmp", 0o20_200_002, 6);
    assert_eq!((nameless.kind, text(&world, nameless.name).as_str()), (DescKind::File, "/tmp/#tmpfile"));
}

#[test]
fn a_socket_is_one_thing_under_all_its_numbers() {
    let mut world = world();
    let (here, there) = (([10, 0, 0, 1], 4031), ([10, 0, 0, 6], 80));
    socket(&mut world, 1, 3);
    socket(&mut world, 1, 4);
    call(&mut world, P, "dup", 5, &[("oldfd", 3.into())]);
    fork(&mut world, P, CHILD, 10, 0);
    let named = [("tuple", V::B(&tuple(here, there))), ("fd", 5.into()), ("addr", V::B(&inet(there.0, there.1)))];
    call(&mut world, CHILD, "connect", 0, &named);
    for (who, fd) in [(P, 3), (P, 5), (CHILD, 3), (CHILD, 5)] {
        assert_eq!(ends_of(&mut world, who, fd), "10.0.0.1:4031->10.0.0.6:80 Tcp Client", "{who:?} {fd}");
    }
    for who in [P, CHILD] {
        assert_eq!(ends_of(&mut world, who, 4), "-->- Tcp Unknown", "another socket like it");
    }
}

#[test]
fn the_first_datagram_tells_who_serves_and_who_asks() {
    let peer = inet([10, 0, 0, 9], 53);
    for (call_name, want) in
        [("sendto", "10.0.0.1:5000->10.0.0.9:53 Udp Client"), ("recvfrom", "10.0.0.9:53->10.0.0.1:5000 Udp Server")]
    {
        let mut world = world();
        socket(&mut world, 2, 3);
        let local = tuple(([10, 0, 0, 1], 5000), ([0; 4], 0));
        let named = [("fd", 3.into()), ("addr", V::B(&inet([10, 0, 0, 1], 0))), ("tuple", V::B(&local))];
        assert_eq!(call(&mut world, P, "bind", 0, &named).1.role, Role::Unknown, "any port will do for either");
        let (_, row) = call(&mut world, P, call_name, 5, &[("fd", 3.into()), ("addr", V::B(&peer))]);
        assert_eq!(ends(&row), want);
        call(&mut world, P, "connect", 0, &[("fd", 3.into()), ("addr", V::B(&[0; 16])), ("tuple", V::B(&local))]);
        assert_eq!(ends_of(&mut world, P, 3), "-->10.0.0.1:5000 Udp Unknown", "to nobody any more");
    }
}

#[test]
fn an_interrupted_connection_goes_on() {
    let mut world = world();
    socket(&mut world, 1, 3);
    let named = [("fd", 3.into()), ("addr", V::B(&inet([10, 0, 0, 6], 80)))];
    assert_eq!(ends(&call(&mut world, P, "connect", -4, &named).1), "0.0.0.0:0->10.0.0.6:80 Tcp Client");
}

#[test]
fn sockets_of_rare_families_are_named() {
    let mut world = world();
    for (domain, want) in [(17, "[packet]"), (38, "[alg]"), (40, "[vsock]"), (999, "")] {
        call(&mut world, P, "socket", 3, &[("domain", domain.into()), ("type", 1.into())]);
        assert_eq!(read(&mut world, P, 3), want, "{domain}");
    }
    let vsock = b"\x28\0\0\0\x00\x04\0\0\x02\0\0\0\0\0\0\0";
    call(&mut world, P, "connect", 0, &[("fd", 3.into()), ("addr", V::B(vsock))]);
    assert_eq!(read(&mut world, P, 3), "vsock:2:1024");
}

#[test]
fn only_commands_that_make_a_descriptor_make_one() {
    let mut world = world();
    call(&mut world, P, "bpf", 0, &[("cmd", 1.into())]);
    assert_eq!(read(&mut world, P, 0), "/dev/tty1", "a lookup returned 0");
    call(&mut world, P, "bpf", 3, &[("cmd", 5.into())]);
    assert_eq!(read(&mut world, P, 3), "[bpf-prog]");
    call(&mut world, P, "signalfd4", 4, &[("fd", (-1).into()), ("flags", 0o2_000_000.into())]);
    call(&mut world, P, "signalfd4", 4, &[("fd", 4.into()), ("flags", 0.into())]);
    exec(&mut world, P, "/bin/true", b"");
    assert_eq!((read(&mut world, P, 3), read(&mut world, P, 4)), (String::new(), String::new()));
}

#[test]
fn a_descriptor_taken_from_another_process_has_its_name() {
    let mut world = world();
    fork(&mut world, P, CHILD, 10, 0);
    open(&mut world, CHILD, "/secret", 0, 7);
    call(&mut world, P, "pidfd_open", 3, &[("pid", 11.into())]);
    assert_eq!(read(&mut world, P, 3), "[pidfd:11]");
    let (_, taken) = call(&mut world, P, "pidfd_getfd", 4, &[("pid_fd", 3.into()), ("target_fd", 7.into())]);
    assert_eq!(text(&world, taken.name), "/secret");
    assert_eq!(read(&mut world, P, 4), "/secret");
    call(&mut world, P, "pidfd_getfd", 4, &[("pid_fd", 3.into()), ("target_fd", 99.into())]);
    assert_eq!(read(&mut world, P, 4), "", "what is not known there is not known here");
}

#[test]
fn ten_thousand_peers_and_a_hundred_thousand_connections_leave_nothing_behind() {
    let mut world = world();
    world.begin_segment();
    let before = world.dict_size();
    socket(&mut world, 2, 3);
    for peer in 0..10_000_u16 {
        let addr = inet([10, 1, (peer >> 8) as u8, peer as u8], 1000 + peer);
        call(&mut world, P, "recvfrom", 5, &[("fd", 3.into()), ("addr", V::B(&addr))]);
    }
    for i in 0..100_000_u32 {
        let [_, a, b, c] = i.to_be_bytes();
        let ends = tuple(([10, 0, 0, 1], 80), ([10, a, b, c], 999));
        call(&mut world, P, "accept4", 5, &[("tuple", V::B(&ends))]);
        call(&mut world, P, "close", 0, &[("fd", 5.into())]);
    }
    assert!(world.dict_size() > before + 110_000 * 64, "every one was a row while it lasted");
    world.begin_segment();
    assert!(world.dict_size() < before + 1024, "{} bytes, {before} at first", world.dict_size());
}

/// Told again from its own snapshot, a world says the same of what is rare, too.
#[test]
fn a_snapshot_carries_what_is_rare() {
    let mut world = world();
    fork(&mut world, P, (12, 10), 1, THREAD);
    call(&mut world, (12, 10), "unshare", 0, &[("flags", 0x600.into())]);
    open(&mut world, (12, 10), "/own", 0, 3);
    open(&mut world, P, "/high", 0, 70_000);
    call(&mut world, P, "chroot", 0, &[("path", "/jail".into())]);
    let mut seeded = World::new();
    let rows: Vec<OwnedEvent> = world.snapshot(200).into_iter().map(|(row, _)| row).collect();
    for row in &rows {
        seeded.apply(&row.event());
    }
    for (who, fd) in [(P, 3), (P, 70_000), ((12, 10), 3), ((12, 10), 70_000), ((12, 10), 0)] {
        assert_eq!(read(&mut world, who, fd), read(&mut seeded, who, fd), "{who:?} {fd}");
    }
    let name = open(&mut seeded, P, "/etc/x", 0, 4).name;
    assert_eq!(text(&seeded, name), "/jail/etc/x");
}
