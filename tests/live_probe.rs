//! The live capture against real programs. Each test says why it skips where the probe cannot be loaded.

#![cfg(feature = "linux")]

use std::ffi::OsString;
use sysreel::event::{Arg, Event};
use sysreel::source::ebpf::{Block, Decoder, Drain, Incoming, Options, Probe, preflight};
use sysreel::sys::{Child, Exit, StoppedChild, clock_pair};

/// One event, kept.
#[derive(Debug, Clone)]
struct Seen {
    name: &'static str,
    tid: u32,
    pid: u32,
    ret: i64,
    time: u64,
    duration: Option<u64>,
    args: Vec<Kept>,
    names: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq)]
enum Kept {
    Missing,
    Int(i64),
    Bytes(Vec<u8>),
}

impl Seen {
    fn new(event: &Event<'_>) -> Seen {
        let spec = event.kind.spec();
        let keep = |a: &Arg<'_>| match a {
            Arg::Missing => Kept::Missing,
            Arg::Int(v) => Kept::Int(*v),
            Arg::Bytes(b) => Kept::Bytes(b.to_vec()),
        };
        Seen {
            name: spec.name,
            tid: event.tid,
            pid: event.pid,
            ret: event.ret,
            time: event.time,
            duration: event.duration,
            args: event.args.iter().map(keep).collect(),
            names: spec.params.iter().map(|p| p.name).collect(),
        }
    }

    fn arg(&self, name: &str) -> &Kept {
        let at = self.names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("{} has no {name}", self.name));
        &self.args[at]
    }

    fn int(&self, name: &str) -> i64 {
        let Kept::Int(v) = self.arg(name) else { panic!("{}.{name} is {:?}", self.name, self.arg(name)) };
        *v
    }

    fn text(&self, name: &str) -> String {
        let Kept::Bytes(b) = self.arg(name) else { panic!("{}.{name} is {:?}", self.name, self.arg(name)) };
        String::from_utf8_lossy(b).into_owned()
    }
}

/// Everything that a command did.
struct Story {
    rows: Vec<Seen>,
    enters: Vec<Seen>,
    exit: Exit,
    pid: u32,
    drops: u64,
}

impl Story {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Seen> {
        self.rows.iter().filter(move |s| s.name == name)
    }

    fn first<'a>(&'a self, name: &'a str) -> &'a Seen {
        self.all(name).next().unwrap_or_else(|| panic!("no {name} among {} rows", self.rows.len()))
    }
}

/// Whether to skip, and says why.
fn skip() -> bool {
    preflight().inspect_err(|e| println!("skipped: {e}")).is_err()
}

fn words(command: &[&str]) -> Vec<OsString> {
    command.iter().map(OsString::from).collect()
}

fn take(drain: &mut Drain, decoder: &mut Decoder, story: &mut Story, last: bool) {
    let mut block = Block::default();
    loop {
        block.clear();
        let round = if last { drain.finish(&mut block) } else { drain.round(&mut block) };
        for record in &block {
            match decoder.decode(record) {
                Some(Incoming::Event(e)) => story.rows.push(Seen::new(&e)),
                Some(Incoming::Enter(e)) => story.enters.push(Seen::new(&e)),
                None => {}
            }
        }
        if !round.more {
            return;
        }
    }
}

fn record_with(command: &[&str], options: Options) -> Story {
    let stopped = StoppedChild::new(&words(command)).unwrap();
    let mut probe = Probe::open(&Options { root: Some(stopped.pid()), ..options }).unwrap();
    let mut drain = probe.drain().unwrap();
    let mut decoder = Decoder::new(probe.plans(), clock_pair());
    probe.attach().unwrap();
    let mut child: Child = stopped.start().unwrap();
    let mut story = Story { rows: Vec::new(), enters: Vec::new(), exit: Exit::Code(0), pid: child.pid(), drops: 0 };
    loop {
        take(&mut drain, &mut decoder, &mut story, false);
        if let Some(exit) = child.try_wait().unwrap() {
            story.exit = exit;
            break;
        }
        std::thread::yield_now();
    }
    probe.detach();
    take(&mut drain, &mut decoder, &mut story, true);
    story.drops = (0..drain.processors()).map(|c| drain.counters(c).drops).sum();
    story
}

fn record(command: &[&str]) -> Story {
    record_with(command, Options::default())
}

#[test]
fn a_command_tells_its_story_from_its_exec_to_its_end() {
    if skip() {
        return;
    }
    let story = record(&["sh", "-c", "ls / >/dev/null; (exit 3)"]);
    if std::env::var_os("DUMP").is_some() {
        for row in &story.rows {
            println!("{} {} {} {} -> {} {:?}", row.time, row.pid, row.tid, row.name, row.ret, row.args);
        }
    }
    assert_eq!(story.exit, Exit::Code(3));
    assert_eq!(story.drops, 0);
    assert_eq!(story.rows[0].name, "execve", "the first call of the command is its execve");
    assert_eq!(story.rows[0].pid, story.pid);
}

/// Not a test: what recording costs the recorded, for comparing (`cargo test --test live_probe -- --ignored --nocapture`, `SBENCH` a command).
#[test]
#[ignore = "measures, needs a quiet machine"]
fn cost_of_recording() {
    let Some(command) = std::env::var("SBENCH").ok() else { return };
    let command: Vec<&str> = command.split(' ').collect();
    let stopped = StoppedChild::new(&words(&command)).unwrap();
    let root = std::env::var_os("WHOLE").is_none().then(|| stopped.pid());
    let mut probe = Probe::open(&Options { root, ..Options::default() }).unwrap();
    let mut drain = probe.drain().unwrap();
    let mut decoder = Decoder::new(probe.plans(), clock_pair());
    probe.attach().unwrap();
    let mut child = stopped.start().unwrap();
    let (mut records, mut drained, mut decoded) = (0_u64, 0_u64, 0_u64);
    let mut block = Block::default();
    while child.try_wait().unwrap().is_none() {
        block.clear();
        let t0 = sysreel::sys::thread_cpu_ns();
        let round = drain.round(&mut block);
        let t1 = sysreel::sys::thread_cpu_ns();
        for record in &block {
            std::hint::black_box(decoder.decode(record));
        }
        drained += t1 - t0;
        decoded += sysreel::sys::thread_cpu_ns() - t1;
        records += u64::from(round.records);
        if !round.more {
            std::thread::sleep(std::time::Duration::from_micros(500));
        }
    }
    let drops: u64 = (0..drain.processors()).map(|c| drain.counters(c).drops).sum();
    let each = |ns: u64| ns as f64 / records.max(1) as f64;
    println!("{records} records, {drops} drops, drain {:.1} ns, decode {:.1} ns each", each(drained), each(decoded));
}
