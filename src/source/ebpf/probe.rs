//! [`Probe`]: the loaded probe.

use super::error::Error;
use super::object::{Object, ring_bytes};
use super::plan::{Plans, ROW};
use super::{Drain, preflight};
use crate::sys::{Rings, processors};
use aya::maps::{Array, HashMap, Map, MapData, MapError, RingBuf};
use aya::programs::{BtfTracePoint, ProgramError};
use aya::{Btf, Ebpf, EbpfError, EbpfLoader};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// What to record, and with how much memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Record only this process, from its `execve` on, and its descendants: a [`StoppedChild`](crate::sys::StoppedChild)'s pid. `None`: the whole machine but ourselves.
    pub root: Option<u32>,
    /// Memory of all rings, bytes; shared among the processors, each gets a power of two of at least 256 KiB.
    pub ring_total: usize,
    /// Most bytes of data kept of a call, 0–4095.
    pub snap_len: u32,
    /// Most bytes of a path kept, its NUL included, 1–4096.
    pub text_max: u32,
    /// Kinds of calls that are wanted, by kind; `None`: all. Those that change the state are recorded in any case.
    pub calls: Option<Arc<[bool]>>,
    /// Threads may be denied by [`Verdicts`]: then only those of their calls are recorded that change the state.
    pub judged: bool,
    /// Who is born of a denied thread is denied until it changes.
    pub inherited: bool,
    /// Each switch of a processor from one thread to another is recorded, as of the one that leaves it.
    pub switches: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            root: None,
            ring_total: 32 << 20,
            snap_len: 80,
            text_max: 4096,
            calls: None,
            judged: false,
            inherited: false,
            switches: false,
        }
    }
}

/// (program, tracepoint). The last ones come first: whoever is seen to enter a call is also seen to leave it, and to end.
const PROGRAMS: [(&str, &str); 6] = [
    ("on_exit", "sched_process_exit"),
    ("on_exec", "sched_process_exec"),
    ("on_fork", "sched_process_fork"),
    ("on_switch", "sched_switch"),
    ("on_return", "sys_exit"),
    ("on_enter", "sys_enter"),
];

/// The same for tracepoints that a kernel may lack, or that loaders may be denied: recording goes on without them.
const OPTIONAL: [(&str, &str); 4] = [
    ("on_generate", "signal_generate"),
    ("on_signal", "signal_deliver"),
    ("on_submit", "io_uring_submit_req"),
    ("on_complete", "io_uring_complete"),
];

/// The loaded probe. Dropping it detaches it.
#[derive(Debug)]
pub struct Probe {
    ebpf: Ebpf,
    plans: Arc<Plans>,
    ring_bytes: usize,
    optional: Vec<(&'static str, &'static str)>,
}

impl Probe {
    /// Loads the probe into the kernel; nothing is recorded before [`Probe::attach`].
    ///
    /// # Errors
    /// What [`preflight`] finds, and everything that the kernel can refuse.
    pub fn open(options: &Options) -> Result<Probe, Error> {
        preflight()?;
        let ring_bytes = ring_bytes(options.ring_total, processors());
        let object = Object::with_rings(ring_bytes)?;
        let btf = Btf::from_sys_fs().map_err(|_| Error::NoBtf)?;
        let mut ebpf = load(&object, &btf, options, ring_bytes)?;
        let plans = Arc::new(Plans::new());
        fill_calls(&mut ebpf, &plans, options.calls.as_deref())?;
        for (program, tracepoint) in PROGRAMS {
            let loaded = program_of(&mut ebpf, program)?.load(tracepoint, &btf);
            loaded.map_err(|e| program_error(e, program, tracepoint))?;
        }
        let mut optional = OPTIONAL.to_vec();
        optional.retain(|(program, tracepoint)| {
            program_of(&mut ebpf, program).is_ok_and(|program| program.load(tracepoint, &btf).is_ok())
        });
        Ok(Probe { ebpf, plans, ring_bytes, optional })
    }

    /// Starts recording.
    ///
    /// # Errors
    /// A tracepoint cannot be attached to.
    pub fn attach(&mut self) -> Result<(), Error> {
        for (program, tracepoint) in PROGRAMS {
            let attached = program_of(&mut self.ebpf, program)?.attach();
            attached.map_err(|e| program_error(e, program, tracepoint))?;
        }
        let ebpf = &mut self.ebpf;
        self.optional.retain(|(program, _)| program_of(ebpf, program).is_ok_and(|program| program.attach().is_ok()));
        Ok(())
    }

    /// Tracepoints that this kernel does not let us see: signals or requests to rings are then not recorded.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> + '_ {
        OPTIONAL.iter().filter(|entry| !self.optional.contains(entry)).map(|(_, tracepoint)| *tracepoint)
    }

    /// Ends recording. What the rings hold stays there for [`Drain::finish`].
    pub fn detach(self) {
        drop(self);
    }

    /// What takes the records out. Make only one: two would take each other's.
    ///
    /// # Errors
    /// The rings cannot be mapped.
    pub fn drain(&mut self) -> Result<Drain, Error> {
        let bell = self.ebpf.take_map("bell").ok_or_else(|| missing("bell"))?;
        let bell = RingBuf::try_from(bell).map_err(|e| Error::Load(chain(&e)))?;
        let mapped =
            Rings::map(map_fd(&self.ebpf, "rings")?, map_fd(&self.ebpf, "ring_data")?, processors(), self.ring_bytes);
        let bytes = self.ring_bytes * processors();
        mapped.map(|rings| Drain::new(rings, Some(bell))).map_err(|source| Error::Rings { bytes, source })
    }

    /// Where threads are denied; works on after the probe is detached, to no effect. Once: a second time it is an error.
    ///
    /// # Errors
    /// The probe's maps are not there.
    pub fn verdicts(&mut self) -> Result<Verdicts, Error> {
        let mut take = |name| self.ebpf.take_map(name).ok_or_else(|| missing(name));
        let (verdicts, epoch) = (take("verdicts")?, take("verdict_epoch")?);
        let wrong = |e: MapError| Error::Load(chain(&e));
        Ok(Verdicts {
            threads: HashMap::try_from(verdicts).map_err(wrong)?,
            epoch: Array::try_from(epoch).map_err(wrong)?,
            current: 0,
        })
    }

    /// How records are read, for [`Decoder::new`](super::Decoder::new).
    pub fn plans(&self) -> Arc<Plans> {
        Arc::clone(&self.plans)
    }
}

/// What user space found out about threads (`struct verdict` in the probe): (generation, denied).
///
/// A thread's generation is its start on the boot clock, ns (0 if it ran before the probe did), plus one for each of its
/// calls whose kind [changes threads](crate::world::changes_thread). The probe believes a verdict about no other one.
pub struct Verdicts {
    threads: HashMap<MapData, u32, [u64; 2]>,
    epoch: Array<MapData, u64>,
    current: u64,
}

impl Verdicts {
    /// Says whether a thread is denied in a generation. `false`: there is no room for another one, so it is not.
    pub fn set(&mut self, tid: u32, generation: u64, denied: bool) -> bool {
        self.threads.insert(tid, [generation, u64::from(denied)], 0).is_ok()
    }

    /// Forgets a thread that has ended.
    pub fn forget(&mut self, tid: u32) {
        self.threads.remove(&tid).ok();
    }

    /// Makes what was set since the last time count.
    pub fn publish(&mut self) {
        self.current += 1;
        self.epoch.set(0, self.current, 0).ok();
    }
}

fn load(object: &Object, btf: &Btf, options: &Options, ring_bytes: usize) -> Result<Ebpf, Error> {
    let own = std::process::id();
    let root = options.root.unwrap_or(0);
    let mask = ring_bytes as u32 - 1;
    let (snap, text) = (options.snap_len.min(4095), options.text_max.clamp(1, 4096));
    let cpus = processors() as u32;
    let mut loader = EbpfLoader::new();
    loader.btf(Some(btf)).allow_unsupported_maps().map_max_entries("rings", cpus).map_max_entries("ring_data", cpus);
    let flags = [options.calls.is_some(), options.judged, options.inherited, options.switches];
    let [selective, judged, inherited, switches] = flags.map(u32::from);
    for (name, value) in [
        ("own_tgid", &own),
        ("root_tgid", &root),
        ("ring_mask", &mask),
        ("snap_len", &snap),
        ("text_max", &text),
        ("judged", &judged),
        ("selective", &selective),
        ("inherited", &inherited),
        ("switches", &switches),
    ] {
        loader.override_global(name, value, true);
    }
    loader.load(object.bytes()).map_err(|e| load_error(e, ring_bytes * processors()))
}

fn fill_calls(ebpf: &mut Ebpf, plans: &Plans, wanted: Option<&[bool]>) -> Result<(), Error> {
    let map = ebpf.map_mut("calls").ok_or_else(|| missing("a map `calls`"))?;
    let mut calls: Array<_, [u8; ROW]> = Array::try_from(map).map_err(|e| Error::Load(chain(&e)))?;
    for (i, row) in plans.rows(wanted).enumerate() {
        calls.set(i as u32, row, 0).map_err(|e| Error::Load(chain(&e)))?;
    }
    Ok(())
}

fn program_of<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut BtfTracePoint, Error> {
    let program = ebpf.program_mut(name).ok_or_else(|| missing(name))?;
    program.try_into().map_err(|_| missing(name))
}

fn map_fd<'a>(ebpf: &'a Ebpf, name: &'static str) -> Result<BorrowedFd<'a>, Error> {
    match ebpf.map(name) {
        Some(Map::Array(map)) => Ok(map.fd().as_fd()),
        _ => Err(missing(name)),
    }
}

fn missing(expected: &'static str) -> Error {
    Error::Object { expected, found: "none".to_owned() }
}

/// An error with all its causes, which the loader library leaves out of its own text.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text = format!("{text}: {e}");
        cause = e.source();
    }
    text
}

fn load_error(error: EbpfError, bytes: usize) -> Error {
    match error {
        EbpfError::MapError(MapError::CreateError { name, io_error }) => match io_error.kind() {
            io::ErrorKind::PermissionDenied => Error::Blocked(io_error),
            _ if name == "ring_data" => Error::Rings { bytes, source: io_error },
            _ => Error::Load(format!("map `{name}`: {io_error}")),
        },
        other => Error::Load(chain(&other)),
    }
}

/// A refusal without a log is not the verifier's.
fn rejected(io_error: io::Error, log: &str, program: &'static str) -> Error {
    if log.trim().is_empty() && io_error.kind() == io::ErrorKind::PermissionDenied {
        return Error::Blocked(io_error);
    }
    let lines: Vec<&str> = log.lines().collect();
    Error::Verifier { program, log: lines[lines.len().saturating_sub(20)..].join("\n") }
}

fn program_error(error: ProgramError, program: &'static str, tracepoint: &'static str) -> Error {
    match error {
        ProgramError::LoadError { io_error, verifier_log } => rejected(io_error, &verifier_log.to_string(), program),
        ProgramError::SyscallError(e) if e.io_error.kind() == io::ErrorKind::NotFound => {
            Error::NoTracepoint(tracepoint)
        }
        ProgramError::SyscallError(e) if e.io_error.kind() == io::ErrorKind::PermissionDenied => {
            Error::Blocked(e.io_error)
        }
        ProgramError::Btf(_) => Error::NoTracepoint(tracepoint),
        other => Error::Load(format!("`{program}`: {}", chain(&other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_map_is_told_apart_from_one_without_memory() {
        let create = |name: &str, errno| {
            let io_error = io::Error::from_raw_os_error(errno);
            EbpfError::MapError(MapError::CreateError { name: name.to_owned(), io_error })
        };
        assert!(matches!(load_error(create("calls", 1), 8), Error::Blocked(_)));
        assert!(matches!(load_error(create("ring_data", 12), 8), Error::Rings { bytes: 8, .. }));
        assert!(load_error(create("calls", 12), 8).to_string().contains("map `calls`"));
    }

    #[test]
    fn a_rejected_program_shows_the_end_of_the_verifiers_log() {
        let log = (0..40).map(|i| format!("line {i}")).collect::<Vec<_>>().join("\n");
        let refused = || io::Error::from_raw_os_error(13);
        let text = rejected(refused(), &log, "on_enter").to_string();
        assert!(text.contains("line 39") && text.contains("line 20\n") && !text.contains("line 19\n"), "{text}");
        assert!(matches!(rejected(refused(), "", "on_enter"), Error::Blocked(_)));
    }
}
