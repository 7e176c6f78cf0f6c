//! Live capture without BPF: a tracer's thread in the place of the probe and the drain thread.
//!
//! Nothing is lost here: when the build thread falls behind, the command waits.

use super::assembler::{Assembler, Piece, SegmentLimits};
use super::clock::Clock;
use super::error::Error;
use super::live::{Build, Feed, LiveRequest, LiveSummary, QUEUE, Shared, spawn};
use super::request::Source;
use super::rotate::Pace;
use crate::source::ebpf::{self, Block, Decoder, Plans};
use crate::source::proc::Scope;
use crate::source::ptrace::{self, Options, Tracer};
use crate::sys::{self, Exit};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the tracer is made to hand on what it has.
const NUDGE: Duration = Duration::from_millis(20);

/// What is not in a recording that ptrace made, in words.
const UNSEEN: &str = "not seen: processors, their switches, io_uring's operations, the ends of Unix sockets, and whatever another tracer follows; durations hold the tracer's own stops";

/// What programs lose that are traced by one without privileges (security/commoncap.c, `cap_bprm_creds_from_file`).
const SET_UID: &str = "set-user-id programs run without the privileges of their owner";

/// What sees the events of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its name, for the header.
    pub probe: &'static str,
    /// What a reader should know about it.
    pub note: Option<String>,
}

impl Default for Chosen {
    fn default() -> Self {
        Chosen { probe: "ebpf", note: None }
    }
}

/// Chooses what sees the events, and says why if it is not the probe: that one, or `None` for ptrace.
pub(super) fn choose<P>(
    request: &LiveRequest,
    open: impl FnOnce() -> Result<P, ebpf::Error>,
) -> Result<Option<P>, Error> {
    let is_command = !request.command.is_empty();
    if request.source == Source::Ptrace {
        ptrace::preflight()?;
        request.chosen.set(Chosen { probe: "ptrace", note: Some(about()) }).ok();
        return if is_command { Ok(None) } else { Err(Error::NothingToTrace) };
    }
    let refused = match open() {
        // Whoever attaches it says what it lacks.
        Ok(probe) => return Ok(Some(probe)),
        Err(error) if request.source == Source::Ebpf || !is_missing(&error) => return Err(error.into()),
        Err(error) if !is_command => return Err(Error::WholeMachine(error)),
        Err(error) => error,
    };
    // Where this cannot be either, the first reason is the one to tell.
    if ptrace::preflight().is_err() {
        return Err(refused.into());
    }
    let reason = refused.to_string();
    let reason = reason.lines().next().unwrap_or_default();
    if let Some(tell) = request.tell {
        tell(&format!("note: {reason}"));
        tell(&format!("note: recording with ptrace, which stops the command twice at each call; {}", about()));
    }
    request.chosen.set(Chosen { probe: "ptrace", note: Some(format!("{reason}; {}", about())) }).ok();
    Ok(None)
}

/// What a recording by the probe should say of tracepoints that it could not attach to; `None` for none.
pub(super) fn lacking(missing: &[&str]) -> Option<String> {
    let names = missing.join(", ");
    let text = format!("this kernel does not let the probe see {names}: such events are not recorded");
    (!missing.is_empty()).then_some(text)
}

/// Whether something is not there that the probe needs; else it is a fault that should be seen.
fn is_missing(error: &ebpf::Error) -> bool {
    !matches!(error, ebpf::Error::Rings { .. } | ebpf::Error::Object { .. })
}

fn about() -> String {
    let admin = sys::missing_capabilities(&[sys::Capability::SysPtrace]).is_empty();
    if admin { UNSEEN.to_owned() } else { format!("{UNSEEN}; {SET_UID}") }
}

/// Captures a command with ptrace, as [`capture`](super::capture) does with the probe.
pub(super) fn capture(
    request: &LiveRequest,
    child: Option<sys::StoppedChild>,
    recycle: Receiver<crate::batch::Columns>,
    enough: &AtomicBool,
    pace: Option<Pace>,
    calls: Option<Arc<[bool]>>,
    consume: Box<dyn FnMut(Piece) -> Result<(), Error> + Send>,
) -> Result<LiveSummary, Error> {
    let child = child.ok_or(Error::NothingToTrace)?;
    let (plans, root) = (Arc::new(Plans::new()), child.pid());
    let shared = Shared::new(Arc::new(Clock::new()));
    let (to_build, from_tracer) = bounded(QUEUE);
    let (to_tracer, from_build) = bounded(QUEUE);
    let (begun, beginning) = bounded(1);
    let options = Options { snap_len: request.snaplen, calls, ..Options::default() };
    std::thread::scope(|threads| {
        let shared = &shared;
        let traced = Arc::clone(&plans);
        let tracer = spawn(threads, "trace", move || {
            let (tracer, begins) = match Tracer::new(root, &traced, &options) {
                Ok(tracer) => (Some(tracer), Ok(sys::ptrace::thread_id())),
                Err(error) => (None, Err(error)),
            };
            begun.send(begins).ok();
            let done = tracer.map_or(Ok((None, 0)), |tracer| trace(tracer, shared, &to_build, &from_build));
            drop(to_build);
            shared.wake();
            done
        })?;
        // A command that cannot be traced is not started.
        let tracer_tid = beginning.recv().map_err(|_| Error::Thread("trace"))??;
        let builder = spawn(threads, "build", move || {
            let assembler = Assembler::new(SegmentLimits::default(), consume).with_pace(pace);
            let decoder = Decoder::new(plans, shared.clock.pair());
            let scope = Scope::Process(root);
            let build = Build::new(shared, scope, request.flush, decoder, None, recycle, assembler).with_audit(request);
            build.work(&from_tracer, &to_tracer)
        })
        .inspect_err(|_| shared.stop.store(true, Ordering::Release))?;
        let started = start(child, shared).inspect(|()| request.place.started());
        wait(request, shared, enough, || {
            sys::ptrace::nudge(tracer_tid);
            tracer.is_finished()
        });
        enough.store(true, Ordering::Relaxed);
        let (command, tracer_cpu) = tracer.join().map_err(|_| Error::Thread("trace"))??;
        let ([events, late, doubtful], build_cpu) = builder.join().map_err(|_| Error::Thread("build"))??;
        started?;
        Ok(LiveSummary { events, dropped: 0, late, doubtful, command, cpu: [tracer_cpu, build_cpu], lacks: None })
    })
}

/// Starts the command once the first state is known, unless nobody would record what it does.
fn start(child: sys::StoppedChild, shared: &Shared) -> Result<(), Error> {
    while !shared.ready.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_micros(500));
    }
    if shared.stop.load(Ordering::Acquire) {
        return Ok(());
    }
    child.start_for_another().map_err(|error| {
        shared.stop.store(true, Ordering::Release);
        error.into()
    })
}

/// Waits until the tracer has finished; makes it finish when it is time to. `nudged` nudges it and says whether it has.
fn wait(request: &LiveRequest, shared: &Shared, enough: &AtomicBool, nudged: impl Fn() -> bool) {
    let end = request.duration.map(|d| Instant::now() + d);
    let mut last = Instant::now();
    loop {
        let over = end.is_some_and(|end| Instant::now() >= end)
            || enough.load(Ordering::Relaxed)
            || sys::stop_flag().load(Ordering::Relaxed);
        if over {
            shared.stop.store(true, Ordering::Release);
            // Whoever waits for something (a disk with room) hears that it is over.
            enough.store(true, Ordering::Relaxed);
        }
        // Again and again: a nudge that comes just before the tracer's wait is lost.
        let due = shared.stop.load(Ordering::Acquire) || last.elapsed() >= NUDGE;
        if due {
            last = Instant::now();
            if nudged() {
                return;
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The tracer's thread. Returns how the command ended, if it did, and the thread's processor time, ns.
fn trace(
    mut tracer: Tracer,
    shared: &Shared,
    to_build: &Sender<Feed>,
    spare: &Receiver<Block>,
) -> Result<(Option<Exit>, u64), Error> {
    let exit = tracer.run(&shared.stop, &mut |block| {
        let mut next = spare.try_recv().unwrap_or_default();
        next.clear();
        let is_sent = to_build.send(Feed::Block(std::mem::replace(block, next))).is_ok();
        shared.wake();
        is_sent
    })?;
    Ok((exit, sys::thread_cpu_ns()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(source: Source, command: &[&str]) -> LiveRequest {
        LiveRequest { source, command: command.iter().map(Into::into).collect(), ..LiveRequest::default() }
    }

    fn refused() -> Result<(), ebpf::Error> {
        Err(ebpf::Error::NoBtf)
    }

    #[test]
    fn a_command_is_traced_where_the_probe_cannot_be_and_the_reason_is_kept() {
        let auto = request(Source::Auto, &["true"]);
        assert_eq!(choose(&auto, refused).unwrap(), None);
        let chosen = auto.chosen.get().unwrap();
        assert!(chosen.probe == "ptrace" && chosen.note.as_ref().is_some_and(|n| n.contains("/sys/kernel/btf")));
        let auto = request(Source::Auto, &["true"]);
        assert_eq!(choose(&auto, || Ok(())).unwrap(), Some(()));
        assert_eq!(auto.chosen.get(), None);
        assert_eq!(lacking(&[]), None);
        let note = lacking(&["signal_deliver"]).unwrap();
        assert_eq!(note, "this kernel does not let the probe see signal_deliver: such events are not recorded");
    }

    #[test]
    fn the_whole_machine_cannot_be_traced_and_what_is_forced_is_done() {
        assert!(matches!(choose(&request(Source::Auto, &[]), refused), Err(Error::WholeMachine(_))));
        assert!(matches!(choose(&request(Source::Ebpf, &["true"]), refused), Err(Error::Probe(_))));
        assert!(matches!(choose(&request(Source::Ptrace, &[]), refused), Err(Error::NothingToTrace)));
        assert_eq!(choose(&request(Source::Ptrace, &["true"]), || Ok(())).unwrap(), None);
        let broken = || Err::<(), _>(ebpf::Error::Object { expected: "x", found: "y".to_owned() });
        assert!(matches!(choose(&request(Source::Auto, &["true"]), broken), Err(Error::Probe(_))));
    }
}
