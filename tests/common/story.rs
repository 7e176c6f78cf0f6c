//! Words in which stories of processes are told to a world.

use super::{V, event};
use sysreel::event::OwnedEvent;
use sysreel::world::{DescRow, StrId, ThreadRow, World};

/// The process that stories begin with.
pub const P: (u32, u32) = (10, 10);

/// A world with one process, 10, in `/home/u`, that runs `/bin/sh`.
pub fn world() -> World {
    let mut world = World::new();
    apply(&mut world, &thread(10, 10, 1, "sh"));
    apply(
        &mut world,
        &event("snap_fd", 1, P, 0, &[("fd", 0.into()), ("kind", 1.into()), ("name", "/dev/tty1".into())]),
    );
    world
}

/// A thread as a scan finds it.
pub fn thread(tid: i64, pid: i64, ppid: i64, comm: &str) -> OwnedEvent {
    let ids = [("tid", tid), ("pid", pid), ("vtid", tid), ("vpid", pid), ("ppid", ppid), ("sid", 10), ("pgid", pid)];
    let mut named: Vec<(&str, V<'_>)> = ids.map(|(n, v)| (n, V::I(v))).into();
    let exepath = format!("/bin/{comm}");
    named.extend([
        ("comm", comm.into()),
        ("exe", comm.into()),
        ("exepath", V::B(exepath.as_bytes())),
        ("cwd", "/home/u".into()),
    ]);
    named.extend([("uid", 0.into()), ("euid", 0.into()), ("gid", 0.into()), ("egid", 0.into())]);
    event("snap_thread", 1, (tid as u32, pid as u32), 0, &named)
}

/// The rows that an event refers to.
pub fn apply(world: &mut World, event: &OwnedEvent) -> (ThreadRow, DescRow) {
    let effect = world.apply(&event.event());
    (world.dict().thread(effect.thread).clone(), world.dict().desc(effect.desc).clone())
}

/// A call and the rows that it refers to.
pub fn call(world: &mut World, who: (u32, u32), name: &str, ret: i64, named: &[(&str, V<'_>)]) -> (ThreadRow, DescRow) {
    apply(world, &event(name, 100, who, ret, named))
}

/// The text of an id.
pub fn text(world: &World, id: StrId) -> String {
    String::from_utf8_lossy(world.dict().text(id)).into_owned()
}

/// The row of a thread now.
pub fn row(world: &mut World, who: (u32, u32)) -> ThreadRow {
    call(world, who, "getppid", 1, &[]).0
}

/// Name of the descriptor that a read by the thread is about.
pub fn read(world: &mut World, who: (u32, u32), fd: i64) -> String {
    let (_, desc) = call(world, who, "read", 1, &[("fd", fd.into())]);
    text(world, desc.name)
}

/// Opens a file, and gives its row.
pub fn open(world: &mut World, who: (u32, u32), name: &str, flags: i64, ret: i64) -> DescRow {
    call(world, who, "openat", ret, &[("dirfd", (-100).into()), ("name", name.into()), ("flags", flags.into())]).1
}

/// A child is born.
pub fn fork(world: &mut World, who: (u32, u32), child: (u32, u32), ppid: u32, flags: i64) {
    let ids = [
        ("child_tid", child.0),
        ("child_pid", child.1),
        ("child_vtid", child.0),
        ("child_vpid", child.1),
        ("ppid", ppid),
    ];
    let mut named: Vec<(&str, V<'_>)> = ids.map(|(n, v)| (n, V::I(i64::from(v)))).into();
    named.extend([("flags", flags.into()), ("start", 90.into())]);
    apply(world, &event("procfork", 90, who, 0, &named));
}

/// A program is run; gives the row of the thread.
pub fn exec(world: &mut World, who: (u32, u32), path: &str, env: &[u8]) -> ThreadRow {
    let comm = path.rsplit('/').next().unwrap();
    let named = [
        ("filename", path.into()),
        ("exe", comm.into()),
        ("exepath", path.into()),
        ("args", V::B(b"-l\0x y\0")),
        ("comm", comm.into()),
        ("env", V::B(env)),
        ("uid", 0.into()),
        ("euid", 0.into()),
        ("gid", 0.into()),
        ("egid", 0.into()),
        ("cgroup_id", 77.into()),
    ];
    apply(world, &event("execve", 110, who, 0, &named)).0
}

/// A thread exits, at a time.
pub fn exit(world: &mut World, who: (u32, u32), time: u64, last: bool) {
    apply(world, &event("procexit", time, who, 0, &[("status", 0.into()), ("last", i64::from(last).into())]));
}

/// The last switch away from a thread.
pub fn gone(world: &mut World, who: (u32, u32)) {
    call(world, who, "cputime", 0, &[("delta", 1.into()), ("total", 1.into()), ("gone", 1.into())]);
}

/// `struct sockaddr_in`.
pub fn inet(ip: [u8; 4], port: u16) -> Vec<u8> {
    [&[2, 0][..], &port.to_be_bytes(), &ip, &[0; 8]].concat()
}

/// The probe's tuple of a socket.
pub fn tuple(local: ([u8; 4], u16), remote: ([u8; 4], u16)) -> Vec<u8> {
    [&[2][..], &local.0, &local.1.to_le_bytes(), &remote.0, &remote.1.to_le_bytes()].concat()
}

/// Ends, protocol and role of a socket.
pub fn ends(row: &DescRow) -> String {
    let end = |e: Option<sysreel::world::Endpoint>| e.map_or("-".to_owned(), |e| format!("{}:{}", e.ip, e.port));
    format!("{}->{} {:?} {:?}", end(row.client), end(row.server), row.l4, row.role)
}

/// Makes an IPv4 socket of a type.
pub fn socket(world: &mut World, kind: i64, fd: i64) {
    call(world, P, "socket", fd, &[("domain", 2.into()), ("type", kind.into()), ("proto", 0.into())]);
}

/// Ends of the socket that a thread reads from.
pub fn ends_of(world: &mut World, who: (u32, u32), fd: i64) -> String {
    let (_, desc) = call(world, who, "read", 1, &[("fd", fd.into())]);
    ends(&desc)
}
