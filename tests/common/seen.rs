//! Everything that a command did, as the probe and the decoder tell it.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use sysreel::event::{Arg, Event, Flags};
use sysreel::source::ebpf::{Block, Decoder, Drain, Incoming, Options, Probe, preflight};
use sysreel::sys::{Child, Exit, StoppedChild, clock_pair};

/// One event, kept.
#[derive(Debug, Clone)]
pub struct Seen {
    pub name: &'static str,
    pub tid: u32,
    pub pid: u32,
    pub ret: i64,
    pub time: u64,
    pub duration: Option<u64>,
    pub flags: Flags,
    pub args: Vec<Kept>,
    pub names: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    Missing,
    Int(i64),
    Bytes(Vec<u8>),
}

impl Seen {
    pub fn new(event: &Event<'_>) -> Seen {
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
            flags: event.flags,
            args: event.args.iter().map(keep).collect(),
            names: spec.params.iter().map(|p| p.name).collect(),
        }
    }

    pub fn arg(&self, name: &str) -> &Kept {
        let at = self.names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("{} has no {name}", self.name));
        &self.args[at]
    }

    pub fn int(&self, name: &str) -> i64 {
        let Kept::Int(v) = self.arg(name) else { panic!("{}.{name} is {:?}", self.name, self.arg(name)) };
        *v
    }

    pub fn text(&self, name: &str) -> String {
        let Kept::Bytes(b) = self.arg(name) else { panic!("{}.{name} is {:?}", self.name, self.arg(name)) };
        String::from_utf8_lossy(b).into_owned()
    }
}

/// Everything that a command did.
pub struct Story {
    pub rows: Vec<Seen>,
    pub enters: Vec<Seen>,
    pub exit: Exit,
    pub pid: u32,
    pub drops: u64,
}

impl Story {
    pub fn new(pid: u32) -> Story {
        Story { rows: Vec::new(), enters: Vec::new(), exit: Exit::Code(0), pid, drops: 0 }
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Seen> {
        self.rows.iter().filter(move |s| s.name == name)
    }
}

/// Whether to skip, and says why.
pub fn skip() -> bool {
    preflight().inspect_err(|e| println!("skipped: {e}")).is_err()
}

pub fn words(command: &[&str]) -> Vec<OsString> {
    command.iter().map(OsString::from).collect()
}

pub fn take(drain: &mut Drain, decoder: &mut Decoder, story: &mut Story, last: bool) {
    let mut block = Block::default();
    loop {
        block.clear();
        let round = if last { drain.finish(&mut block) } else { drain.round(&mut block) };
        for record in &block {
            let mut event = Event::default();
            match decoder.decode(record, &mut event) {
                Some(Incoming::Event) => story.rows.push(Seen::new(&event)),
                Some(Incoming::Enter) => story.enters.push(Seen::new(&event)),
                None => {}
            }
        }
        if !round.more {
            return;
        }
    }
}

pub fn record_with(command: &[&str], options: Options) -> Story {
    let stopped = StoppedChild::new(&words(command)).unwrap();
    let mut probe = Probe::open(&Options { root: Some(stopped.pid()), ..options }).unwrap();
    let mut drain = probe.drain().unwrap();
    let mut decoder = Decoder::new(probe.plans(), clock_pair());
    probe.attach().unwrap();
    let mut child: Child = stopped.start().unwrap();
    let mut story = Story::new(child.pid());
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

pub fn record(command: &[&str]) -> Story {
    record_with(command, Options::default())
}

/// A program of `tests/programs`, compiled; `None`, with the reason, where there is no compiler.
pub fn program(dir: &Path, name: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/programs/{name}.c"));
    let program = dir.join(name);
    let compiled = Command::new("cc").args(["-w", "-pthread", "-o"]).args([&program, &source]).status();
    if !compiled.as_ref().is_ok_and(std::process::ExitStatus::success) {
        println!("skipped: {name}: no C compiler ({compiled:?})");
        return None;
    }
    Some(program)
}

/// Whether a path is on an overlay, whose files have other numbers inside the kernel than programs see.
pub fn layered(path: &Path) -> bool {
    let told = Command::new("stat").args(["-f", "-c", "%T"]).arg(path).output().unwrap();
    String::from_utf8_lossy(&told.stdout).trim() == "overlayfs"
}
