//! The live pipeline: rings → drain thread → build thread (world, batches) → the consumer of its pieces.
//!
//! The threads are joined by bounded channels. Nothing here waits for the consumer but the build thread; when that
//! falls behind, the queue of blocks fills, then the rings, and what then cannot be kept is dropped at the ring,
//! counted, and recorded as a loss.

use super::assembler::{Assembler, Lost, Piece, SegmentLimits};
use super::audited::{self, Beside};
use super::clock::Clock;
use super::drain::drain_loop;
use super::error::Error;
use super::facts::{Answer, Resolver};
use super::place::Place;
use super::push::Judge;
use super::request::{Audit, Record, Source};
use super::rescan::{Rescans, rescan};
use super::rotate::Pace;
use super::traced::{self, Chosen};
use crate::event::{Event, Kind, kinds};
use crate::filter::Push;
use crate::source::ebpf::{Block, Decoder, Incoming, Options, Probe};
use crate::source::proc::{self, Scope};
use crate::sys;
use crate::world::Want;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Blocks that may wait for the build thread: 2 MiB, beside the rings themselves, which are the place to wait in.
pub(super) const QUEUE: usize = 8;

/// How long a wait for something else takes: the scan, the last switch of a dead process.
pub(super) const MOMENT: Duration = Duration::from_millis(5);

/// Time between two looks at whether the machine's clock was set: for as long, times may be of the clock before.
const LOOK_AT_CLOCK: Duration = Duration::from_millis(500);

/// What to capture, and for how long.
#[derive(Debug, Clone, Default)]
pub struct LiveRequest {
    /// Command whose process tree is captured; empty: the whole machine.
    pub command: Vec<OsString>,
    /// Bytes of I/O data kept per call.
    pub snaplen: u32,
    /// Memory of all rings together, bytes.
    pub ring_total: usize,
    /// Stop after this long.
    pub duration: Option<Duration>,
    /// Hand the open batch on at least this often.
    pub flush: Duration,
    /// Record each switch of a processor from one thread to another, too.
    pub switches: bool,
    /// What is to see the events.
    pub source: Source,
    /// Hears why it is another source than the best.
    pub tell: Option<fn(&str)>,
    /// What sees the events, once that is known: before the first of them.
    pub chosen: Arc<OnceLock<Chosen>>,
    /// What the probe may leave out; `None`: nothing.
    pub push: Option<Arc<Push>>,
    /// Hears when the command runs: the recording takes its name then.
    pub place: Arc<Place>,
    /// Audit events that are taken in from elsewhere.
    pub audit: Option<Audit>,
    /// Files of the recording that are there, oldest first: their audit events are not taken in again.
    pub known: Vec<PathBuf>,
}

/// Longest time between two writes unless asked otherwise.
const FLUSH: Duration = Duration::from_secs(1);

/// Memory of all rings together unless asked otherwise.
const RINGS: usize = 32 << 20;

impl LiveRequest {
    /// The live part of what the command line asks.
    pub(super) fn of(request: &Record) -> LiveRequest {
        LiveRequest {
            command: request.command.iter().map(Into::into).collect(),
            snaplen: request.snaplen,
            ring_total: request.ring.map_or(RINGS, |bytes| bytes as usize),
            duration: request.duration,
            flush: request.flush.unwrap_or(FLUSH),
            switches: request.switches,
            source: request.source,
            tell: Some(request.tell),
            chosen: Arc::default(),
            push: None,
            place: Arc::default(),
            audit: request.audit.clone(),
            known: Vec::new(),
        }
    }
}

/// What a capture did.
#[derive(Debug, Clone, Default)]
pub struct LiveSummary {
    /// Events recorded.
    pub events: u64,
    /// Events dropped at the rings.
    pub dropped: u64,
    /// Events whose time stepped back.
    pub late: u64,
    /// Events of threads or on descriptors of which a loss made doubtful what is known.
    pub doubtful: u64,
    /// How the command ended, if there was one.
    pub command: Option<sys::Exit>,
    /// Processor time of the drain thread and of the build thread, nanoseconds.
    pub cpu: [u64; 2],
    /// What the probe could not see on this kernel, in words; `None`: it saw all.
    pub lacks: Option<String>,
}

/// What the drain thread sends to the build thread.
pub(super) enum Feed {
    Block(Block),
    Lost(Lost),
}

/// What both threads and their owner share.
pub(super) struct Shared {
    pub(super) clock: Arc<Clock>,
    pub(super) stop: AtomicBool,
    pub(super) ready: AtomicBool,
    pub(super) dropped: AtomicU64,
    /// All events up to this time (ns UTC) were handed to the build thread.
    pub(super) drained: AtomicU64,
    builder: OnceLock<std::thread::Thread>,
}

impl Shared {
    pub(super) fn new(clock: Arc<Clock>) -> Shared {
        Shared {
            clock,
            stop: AtomicBool::new(false),
            ready: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            drained: AtomicU64::new(0),
            builder: OnceLock::new(),
        }
    }

    /// Wakes the build thread: there is something for it.
    pub(super) fn wake(&self) {
        if let Some(builder) = self.builder.get() {
            builder.unpark();
        }
    }
}

/// Captures until the command ends, the time is over, a signal asks to stop or `enough` says so; the pieces of the
/// recording go to `consume`, on the build thread, in files as `pace` says. `recycle` brings back the buffers of batches.
pub fn capture(
    request: &LiveRequest,
    recycle: Receiver<crate::batch::Columns>,
    enough: &AtomicBool,
    pace: Option<Pace>,
    consume: Box<dyn FnMut(Piece) -> Result<(), Error> + Send>,
) -> Result<LiveSummary, Error> {
    let is_alone = request.audit.as_ref().is_some_and(|audit| audit.is_alone);
    // Before signals are caught: the command inherits those that are ignored, as without a recorder.
    let child = match request.command.as_slice() {
        command @ [_, ..] if !is_alone => Some(sys::StoppedChild::new(command)?),
        _ => None,
    };
    sys::stop_on_signals().map_err(Error::Signals)?;
    sys::return_freed_memory();
    sys::refuse_large_files();
    if pace.is_some() {
        sys::note_hangups().map_err(Error::Signals)?;
    }
    if is_alone {
        return audited::capture(request, recycle, enough, pace, consume);
    }
    let root = child.as_ref().map(sys::StoppedChild::pid);
    let options = options(request, root);
    let Some(mut probe) = traced::choose(request, || Probe::open(&options))? else {
        return traced::capture(request, child, recycle, enough, pace, options.calls, consume);
    };
    let clock = Arc::new(Clock::new());
    let judge = match request.push.as_ref().filter(|push| push.denies_threads()) {
        Some(push) => Some(Judge::new(Arc::clone(push), probe.verdicts()?, clock.pair())),
        None => None,
    };
    probe.attach()?;
    let lacks = traced::lacking(&probe.missing().collect::<Vec<_>>());
    request.chosen.set(Chosen { note: lacks.clone(), ..Chosen::default() }).ok();
    let drain = probe.drain()?;
    let plans = probe.plans();
    let shared = Shared::new(clock);
    let scope = root.map_or(Scope::All, Scope::Process);
    let (to_build, from_drain) = bounded(QUEUE);
    let (to_drain, from_build) = bounded(QUEUE);
    std::thread::scope(|threads| {
        let shared = &shared;
        let drainer = spawn(threads, "drain", move || {
            let cpu = drain_loop(drain, shared, request.flush, &to_build, &from_build);
            drop(to_build);
            shared.wake();
            cpu
        })?;
        let builder = spawn(threads, "build", move || {
            let assembler = Assembler::new(SegmentLimits::default(), consume).with_pace(pace);
            let decoder = Decoder::new(plans, shared.clock.pair());
            let build =
                Build::new(shared, scope, request.flush, decoder, judge, recycle, assembler).with_audit(request);
            build.work(&from_drain, &to_drain)
        })
        .inspect_err(|_| shared.stop.store(true, Ordering::Release))?;
        let command = wait(request, child, shared, enough);
        // Whoever waits for something (a disk with room) hears that it is over.
        enough.store(true, Ordering::Relaxed);
        probe.detach();
        shared.stop.store(true, Ordering::Release);
        let drain_cpu = drainer.join().map_err(|_| Error::Thread("drain"))?;
        let ([events, late, doubtful], build_cpu) = builder.join().map_err(|_| Error::Thread("build"))??;
        Ok(LiveSummary {
            events,
            dropped: shared.dropped.load(Ordering::Relaxed),
            late,
            doubtful,
            command: command?,
            cpu: [drain_cpu, build_cpu],
            lacks,
        })
    })
}

/// What the probe is to do.
fn options(request: &LiveRequest, root: Option<u32>) -> Options {
    let push = request.push.as_deref();
    let records = |push: &Push| (0..crate::event::SPECS.len()).map(|k| push.records(Kind(k as u16))).collect();
    Options {
        root,
        snap_len: request.snaplen,
        ring_total: request.ring_total,
        calls: push.map(records),
        judged: push.is_some_and(Push::denies_threads),
        inherited: push.is_some_and(Push::inherits),
        switches: request.switches && push.is_none_or(|push| push.records(kinds::SWITCH)),
        ..Options::default()
    }
}

/// A thread with a name, which `top -H` and profiles show.
pub(super) fn spawn<'scope, T: Send + 'scope>(
    threads: &'scope std::thread::Scope<'scope, '_>,
    name: &'static str,
    body: impl FnOnce() -> T + Send + 'scope,
) -> Result<std::thread::ScopedJoinHandle<'scope, T>, Error> {
    std::thread::Builder::new().name(name.to_owned()).spawn_scoped(threads, body).map_err(|_| Error::Thread(name))
}

/// Starts the command once the first state is known, and waits for the end.
fn wait(
    request: &LiveRequest,
    child: Option<sys::StoppedChild>,
    shared: &Shared,
    enough: &AtomicBool,
) -> Result<Option<sys::Exit>, Error> {
    while !shared.ready.load(Ordering::Acquire) {
        std::thread::sleep(MOMENT / 10);
    }
    if shared.stop.load(Ordering::Acquire) {
        // Nobody would record what the command does.
        return Ok(None);
    }
    let mut child = child.map(sys::StoppedChild::start).transpose()?;
    request.place.started();
    let end = request.duration.map(|d| Instant::now() + d);
    // The command's end and signals wake us; what others set is seen a little later. A wake-up costs some ten microseconds
    // and cold caches, and those of an idle recorder are all that it costs.
    let ended = child.as_ref().and_then(|child| sys::process_end(child.pid()).ok());
    loop {
        if let Some(exit) = child.as_mut().map(sys::Child::try_wait).transpose().map_err(Error::Wait)?.flatten() {
            // The last switch away from the dead process, which brings its exact cputime, comes just after its end.
            std::thread::sleep(MOMENT);
            return Ok(Some(exit));
        }
        let over = end.is_some_and(|end| Instant::now() >= end);
        if over
            || enough.load(Ordering::Relaxed)
            || shared.stop.load(Ordering::Acquire)
            || sys::stop_flag().load(Ordering::Relaxed)
        {
            return Ok(None);
        }
        let left = end.map_or(10 * MOMENT, |end| end.saturating_duration_since(Instant::now()));
        if sys::pause(ended.as_ref().map(AsFd::as_fd), left.min(10 * MOMENT)) == sys::Woken::Signal {
            // It may have been a hang-up.
            shared.wake();
        }
    }
}

/// The processes that a rescan looks at, where a recording is not of the whole machine.
fn known(scope: Scope, assembler: &Assembler<Error>) -> Option<Vec<u32>> {
    match scope {
        Scope::All => None,
        Scope::Process(root) => Some(assembler.live_threads().into_iter().map(|(_, pid)| pid).chain([root]).collect()),
    }
}

/// The build thread.
pub(super) struct Build<'a> {
    shared: &'a Shared,
    scope: Scope,
    flush: Duration,
    recycle: Receiver<crate::batch::Columns>,
    assembler: Assembler<Error>,
    decoder: Decoder,
    resolver: Resolver,
    judge: Option<Judge>,
    /// Answers that wait until the events before them have come.
    waiting: VecDeque<Answer>,
    rescans: Rescans,
    /// All events up to this time (ns UTC) have been taken in.
    settled: u64,
    /// Audit events that come from elsewhere: where to ask for them, and what comes.
    audit: Option<&'a LiveRequest>,
    beside: Option<Beside>,
}

impl<'a> Build<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        scope: Scope,
        flush: Duration,
        decoder: Decoder,
        judge: Option<Judge>,
        recycle: Receiver<crate::batch::Columns>,
        assembler: Assembler<Error>,
    ) -> Self {
        Build {
            shared,
            scope,
            flush,
            recycle,
            assembler,
            decoder,
            resolver: Resolver::start(Arc::clone(&shared.clock)),
            waiting: VecDeque::new(),
            rescans: Rescans::default(),
            settled: 0,
            judge,
            audit: None,
            beside: None,
        }
    }

    /// Takes in the audit events that are asked for, too.
    pub(super) fn with_audit(self, request: &'a LiveRequest) -> Self {
        Build { audit: Some(request), ..self }
    }

    /// Takes in what comes until nothing comes any more. Returns how many events were seen, how many of them were late
    /// and how many doubtful, and the thread's processor time, ns.
    pub(super) fn work(mut self, feed: &Receiver<Feed>, spare: &Sender<Block>) -> Result<([u64; 3], u64), Error> {
        let result = self.run(feed, spare);
        self.shared.ready.store(true, Ordering::Release);
        self.shared.stop.store(true, Ordering::Release);
        let assembler = &self.assembler;
        let counts = [assembler.events(), assembler.late(), assembler.doubtful()];
        result.map(|()| (counts, sys::thread_cpu_ns()))
    }

    fn run(&mut self, feed: &Receiver<Feed>, spare: &Sender<Block>) -> Result<(), Error> {
        self.shared.builder.set(std::thread::current()).ok();
        self.scan()?;
        // Before the command starts: whatever happens to the recorder from here on, the file says where it comes from.
        self.assembler.begin(self.now())?;
        self.beside = self.audit.map(Beside::start).transpose()?.flatten();
        self.shared.ready.store(true, Ordering::Release);
        let (mut flushed, mut looked) = (Instant::now(), Instant::now());
        loop {
            let drained = self.shared.drained.load(Ordering::Acquire);
            match feed.try_recv() {
                Ok(Feed::Block(block)) => {
                    self.block(&block)?;
                    spare.try_send(block).ok();
                }
                Ok(Feed::Lost(lost)) => {
                    self.assembler.lost(&lost)?;
                    self.rescans.lost();
                }
                // Asleep, not waiting on the channel: that would spin and yield first. Whoever sends wakes us.
                Err(TryRecvError::Empty) => {
                    self.settled = self.settled.max(drained);
                    self.answers()?;
                    std::thread::park_timeout(self.rest(flushed.elapsed()));
                }
                Err(TryRecvError::Disconnected) => break,
            }
            if let Some(beside) = &mut self.beside {
                beside.turn(&mut self.assembler)?;
            }
            if sys::take_hangup() && !self.assembler.hang_up(self.now())? {
                self.shared.stop.store(true, Ordering::Release);
            }
            while let Ok(columns) = self.recycle.try_recv() {
                self.assembler.recycle(columns);
            }
            if flushed.elapsed() >= self.flush {
                self.assembler.flush()?;
                flushed = Instant::now();
            }
            if looked.elapsed() >= LOOK_AT_CLOCK {
                self.follow_clock()?;
                looked = Instant::now();
            }
        }
        self.end()
    }

    /// How long there is nothing to do if nobody wakes us; the last flush is so long ago.
    fn rest(&self, flushed: Duration) -> Duration {
        if self.resolver.is_busy() {
            return MOMENT;
        }
        if !self.waiting.is_empty() || self.rescans.is_awaited() {
            return 4 * MOMENT;
        }
        let is_open = self.assembler.open_rows() > 0;
        let flush = if is_open { self.flush.saturating_sub(flushed) } else { LOOK_AT_CLOCK };
        let audit = self.beside.as_ref().and_then(Beside::due);
        flush.min(LOOK_AT_CLOCK).min(audit.unwrap_or(LOOK_AT_CLOCK))
    }

    /// The state before the first event. The probe is attached already, so nothing falls between the two.
    fn scan(&mut self) -> Result<(), Error> {
        let snapshot = proc::snapshot(self.scope, self.shared.clock.pair())?;
        for (tid, total) in snapshot.cputimes() {
            self.decoder.note_cputime(tid, total);
        }
        snapshot.for_each(&mut |event| self.assembler.initial(&event));
        if let Some(judge) = &mut self.judge {
            self.assembler.live_threads().into_iter().for_each(|(tid, pid)| judge.found(tid, pid));
            judge.tell(self.assembler.world());
        }
        snapshot.notes().iter().try_for_each(|note| self.assembler.note(note))
    }

    /// Goes on in a new segment if the machine's clock was set: the times in a segment are of one clock.
    fn follow_clock(&mut self) -> Result<(), Error> {
        let Some(step) = self.shared.clock.follow() else { return Ok(()) };
        self.decoder.set_clock(self.shared.clock.pair());
        if let Some(judge) = &mut self.judge {
            judge.set_clock(self.shared.clock.pair());
        }
        self.assembler.clock_set(self.now(), step)
    }

    fn block(&mut self, block: &Block) -> Result<(), Error> {
        for record in block {
            let mut event = Event::default();
            match self.decoder.decode(record, &mut event) {
                Some(Incoming::Event) => {
                    self.assembler.event(&event)?;
                    if let Some(judge) = &mut self.judge {
                        judge.saw(&event);
                    }
                }
                Some(Incoming::Enter) => self.assembler.enter(&event),
                None => {}
            }
        }
        self.answers()
    }

    /// Hands questions to the resolver, and takes in what it and rescans have found.
    fn answers(&mut self) -> Result<(), Error> {
        for want in self.assembler.take_wants() {
            if let (Some(judge), Want::Cgroup { pid, .. }) = (&mut self.judge, want) {
                judge.asked(pid);
            }
            self.resolver.ask(want);
        }
        while let Some(answer) = self.resolver.answer() {
            self.waiting.push_back(answer);
        }
        // Blocks come in order, so what came last is as far as is known.
        self.settled = self.settled.max(self.assembler.latest());
        self.settle(self.settled)?;
        self.rescans.start(self.shared.clock.pair(), || known(self.scope, &self.assembler));
        if let Some(done) = self.rescans.take(self.settled) {
            self.assembler.rescanned(&done.found, done.begun)?;
        }
        Ok(())
    }

    /// Takes in the answers that were found before a time (ns UTC).
    fn settle(&mut self, time: u64) -> Result<(), Error> {
        while self.waiting.front().is_some_and(|answer| answer.time <= time) {
            let Some(Answer { want, found, .. }) = self.waiting.pop_front() else { break };
            match want {
                Want::User(_) | Want::Group(_) => self.assembler.named(&found)?,
                Want::Cgroup { .. } => {
                    for fact in &found {
                        let mut event = fact.event();
                        // It is told among the events that have come so far: those that wait in the rings are not late.
                        event.time = self.assembler.latest();
                        self.assembler.event(&event)?;
                        if let Some(judge) = &mut self.judge {
                            judge.saw(&event);
                        }
                    }
                }
                Want::Thread { .. } | Want::Descriptor { .. } => self.assembler.answer(want, &found)?,
            }
        }
        if let Some(judge) = &mut self.judge {
            judge.tell(self.assembler.world());
        }
        Ok(())
    }

    /// Everything that was asked, answered; after a loss, the state as the machine is now.
    fn last_answers(&mut self) -> Result<(), Error> {
        for want in self.assembler.take_wants() {
            self.resolver.ask(want);
        }
        self.waiting.extend(self.resolver.finish());
        self.settle(u64::MAX)?;
        if let Some(done) = self.rescans.finish() {
            self.assembler.rescanned(&done.found, done.begun)?;
        }
        if self.assembler.is_in_doubt() {
            let done = rescan(known(self.scope, &self.assembler).as_deref(), self.shared.clock.pair());
            self.assembler.rescanned(&done.found, done.begun)?;
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        self.shared.clock.now()
    }

    /// What threads that still run have used by now, calls in flight, and the end of the segment.
    fn end(&mut self) -> Result<(), Error> {
        if let Some(beside) = self.beside.take() {
            beside.finish(&mut self.assembler)?;
        }
        self.last_answers()?;
        let now = self.now();
        for (tid, pid) in self.assembler.live_threads() {
            let Some(total) = proc::cputime_of(tid, pid) else { continue };
            if let Some(event) = self.decoder.cputime_at(tid, pid, total, now) {
                self.assembler.event(&event)?;
            }
        }
        self.assembler.finish(now)
    }
}
