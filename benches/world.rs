//! Memory of the live state: bytes for each open descriptor and each thread, and of what comes and goes.
//!
//! `cargo bench --bench world`. What is measured is what the process has more of (`VmRSS`) after the world took the events in.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot go on stops, and its figures go to standard output"
)]

use sysreel::event::{Arg, Args, Event, Flags, kind_by_name};
use sysreel::world::World;

/// Resident memory of this process, bytes (`/proc/self/statm`, second number, pages of 4 KiB).
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("statm");
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("pages") * 4096
}

fn event<'a>(kind: &str, tid: u32, ret: i64, args: &[Arg<'a>]) -> Event<'a> {
    let kind = kind_by_name(kind).expect("kind");
    let args: Args<'a> = args.iter().copied().collect();
    Event { kind, time: 1, duration: Some(1), cpu: 0, tid, pid: tid, ret, flags: Flags::default(), args }
}

fn fork(world: &mut World, child: i64, thread: bool) {
    let process = if thread { 10 } else { child };
    let flags = if thread { 0x10f00 } else { 0 };
    let ids = [child, process, child, process, 10, flags, 1].map(Arg::Int);
    world.apply(&event("procfork", 10, 0, &ids));
}

fn open(world: &mut World, tid: u32, name: &str, fd: i64) {
    let args = [Arg::Int(-100), Arg::Bytes(name.as_bytes()), Arg::Int(0), Arg::Int(0)];
    world.apply(&event("openat", tid, fd, &args));
}

/// Bytes that each of `count` things costs, made by `make` in a world with one process.
fn measure(what: &str, count: u64, make: impl FnOnce(&mut World)) {
    let mut world = World::new();
    open(&mut world, 10, "/first", 3);
    let before = resident();
    make(&mut world);
    let live = resident().saturating_sub(before);
    let line = format!(
        "{what}: {:.0} bytes each; in the segment's dictionary {:.0}",
        live as f64 / count as f64,
        world.dict_size() as f64 / count as f64
    );
    std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes()).expect("stdout");
}

fn main() {
    const MILLION: u64 = 1_000_000;
    measure("descriptors of one file, 1,000 in each of 1,000 processes", MILLION, |world| {
        for process in 100..1_100 {
            fork(world, process, false);
            (3..1_003).for_each(|fd| open(world, process as u32, "/var/lib/data", fd));
        }
    });
    measure("descriptors of a file each, 1,000,000 in one process", MILLION, |world| {
        (3..MILLION as i64).for_each(|fd| open(world, 10, &format!("/var/lib/data/{fd}"), fd));
    });
    measure("processes with 3 descriptors", 100_000, |world| {
        (0..3).for_each(|fd| open(world, 10, "/dev/null", fd));
        (100..100_100).for_each(|child| fork(world, child, false));
    });
    measure("threads of one process", 100_000, |world| {
        (100..100_100).for_each(|child| fork(world, child, true));
    });
}
