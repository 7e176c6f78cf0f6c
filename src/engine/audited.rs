//! Live audit events: the sources that are asked for, and a recording of them alone, which needs no privileges.

use super::assembler::{Assembler, Piece, SegmentLimits};
use super::error::Error;
use super::intake::{Incoming, Intake, QUEUE};
use super::live::{LiveRequest, LiveSummary, MOMENT, spawn};
use super::place::Place;
use super::request::Audit;
use super::rotate::Pace;
use super::traced::Chosen;
use crate::batch::Columns;
use crate::source::audit::{self, Position, PositionFile, Tail, Webhook};
use crate::sys;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io::PipeWriter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest time between two looks at whether something else is to be done.
const LOOK: Duration = Duration::from_millis(200);

/// Whoever is to be woken when there is something to take in.
pub(super) type Wake = Arc<dyn Fn() + Send + Sync>;

/// The sources at work.
pub(super) struct Sources {
    /// They end when these are gone.
    stops: Vec<PipeWriter>,
    threads: Vec<JoinHandle<()>>,
}

impl Sources {
    /// Starts what is asked for; what comes goes to `feed`.
    pub(super) fn start(
        audit: &Audit,
        position: Option<&Position>,
        feed: &Sender<Incoming>,
        wake: &Wake,
        place: &Arc<Place>,
        tell: fn(&str),
    ) -> Result<Sources, Error> {
        let mut sources = Sources { stops: Vec::new(), threads: Vec::new() };
        if let Some(log) = &audit.log {
            let failed = |source| Error::Log { path: log.clone(), source };
            let tail = Tail::open(log, position, audit.limit).map_err(failed)?;
            let (feed, wake, log) = (feed.clone(), Arc::clone(wake), log.clone());
            sources.spawn("audit log", move |stop| {
                let done = audit::follow(tail, stop, |lines| {
                    let is_sent = feed.send(Incoming::Lines(lines)).is_ok();
                    wake();
                    is_sent
                });
                if let Err(error) = done {
                    tell(&format!("warning: {}: {error}: the log is not followed", log.display()));
                }
            })?;
        }
        if let Some(webhook) = &audit.webhook {
            let server = Webhook::open(webhook, audit.limit)?;
            tell(&format!("note: the webhook listens on {}", server.address()));
            let (feed, wake) = (feed.clone(), Arc::clone(wake));
            let take = move |body, longest| {
                let refused = feed
                    .send_timeout(Incoming::Body(body), longest)
                    .err()
                    .map(crossbeam_channel::SendTimeoutError::into_inner);
                wake();
                match refused {
                    Some(Incoming::Body(body)) => Some(body),
                    _ => None,
                }
            };
            let place = Arc::clone(place);
            sources.spawn("audit webhook", move |stop| server.serve(stop, &take, &|| place.is_stuck(), tell))?;
        }
        Ok(sources)
    }

    fn spawn(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&std::io::PipeReader) + Send + 'static,
    ) -> Result<(), Error> {
        let (stop, keep) = std::io::pipe().map_err(|_| Error::Thread(name))?;
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || body(&stop));
        self.threads.push(thread.map_err(|_| Error::Thread(name))?);
        self.stops.push(keep);
        Ok(())
    }

    /// Lets them end; what they still have must be taken in meanwhile.
    pub(super) fn stop(&mut self) {
        self.stops.clear();
    }

    /// Waits until they have ended.
    pub(super) fn join(mut self) {
        self.stop();
        for thread in self.threads {
            // What ended in a fault has sent what it had.
            let _ = thread.join();
        }
    }
}

/// Starts what a recording asks for; `wake` is called when there is something to take in.
fn start(request: &LiveRequest, wake: &Wake) -> Result<Option<(Sources, Intake)>, Error> {
    let Some(audit) = &request.audit else { return Ok(None) };
    let tell = request.tell.unwrap_or(|_| {});
    let (feed, coming) = bounded(QUEUE);
    let file = audit.state.as_deref().zip(audit.log.as_deref());
    let (file, position) = file.map(|(file, log)| PositionFile::open(file, log)).transpose()?.unzip();
    let intake = Intake::new(coming, request.flush, file.map(Arc::new), &request.known, tell);
    let position = position.flatten();
    Ok(Some((Sources::start(audit, position.as_ref(), &feed, wake, &request.place, tell)?, intake)))
}

/// Audit events beside a recording of something else, taken in by its build thread.
pub(super) struct Beside {
    sources: Sources,
    intake: Intake,
}

impl Beside {
    /// Starts the sources that are asked for, if any are; called on the thread that is to be woken.
    pub(super) fn start(request: &LiveRequest) -> Result<Option<Beside>, Error> {
        let builder = std::thread::current();
        let wake: Wake = Arc::new(move || builder.unpark());
        let started = start(request, &wake)?;
        Ok(started.map(|(sources, intake)| Beside { sources, intake }))
    }

    /// Takes in what is there, and hands on what has waited long enough.
    pub(super) fn turn(&mut self, assembler: &mut Assembler<Error>) -> Result<(), Error> {
        self.intake.pull();
        if self.due().is_some_and(|due| due.is_zero()) { self.intake.commit(assembler, true) } else { Ok(()) }
    }

    /// How long until there is something to hand on; `None`: nothing waits.
    pub(super) fn due(&self) -> Option<Duration> {
        self.intake.due()
    }

    /// Ends the sources and takes in what they still have.
    pub(super) fn finish(mut self, assembler: &mut Assembler<Error>) -> Result<(), Error> {
        self.sources.stop();
        self.intake.finish(assembler, true)?;
        self.sources.join();
        Ok(())
    }
}

/// Captures audit events and nothing else, as [`capture`](super::capture) does with the probe.
pub(super) fn capture(
    request: &LiveRequest,
    recycle: Receiver<Columns>,
    enough: &AtomicBool,
    pace: Option<Pace>,
    consume: Box<dyn FnMut(Piece) -> Result<(), Error> + Send>,
) -> Result<LiveSummary, Error> {
    request.chosen.set(Chosen { probe: "live audit", note: None }).ok();
    let wake: Wake = Arc::new(|| {});
    let Some((mut sources, intake)) = start(request, &wake)? else { return Err(Error::Thread("audit")) };
    request.place.started();
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let stop = &stop;
        let builder = spawn(threads, "build", move || {
            let assembler = Assembler::new(SegmentLimits::default(), consume).with_pace(pace);
            let done = Build { assembler, intake, recycle, stop }.run();
            stop.store(true, Ordering::Release);
            done
        })?;
        let end = request.duration.map(|duration| Instant::now() + duration);
        while !stop.load(Ordering::Acquire)
            && !enough.load(Ordering::Relaxed)
            && !sys::stop_flag().load(Ordering::Relaxed)
            && end.is_none_or(|end| Instant::now() < end)
        {
            let left = end.map_or(10 * MOMENT, |end| end.saturating_duration_since(Instant::now()));
            sys::pause(None, left.min(10 * MOMENT));
        }
        enough.store(true, Ordering::Relaxed);
        sources.stop();
        let built = builder.join().map_err(|_| Error::Thread("build"))?;
        sources.join();
        let ([events, late], cpu) = built?;
        Ok(LiveSummary { events, late, cpu: [0, cpu], ..LiveSummary::default() })
    })
}

/// The build thread.
struct Build<'a> {
    assembler: Assembler<Error>,
    intake: Intake,
    recycle: Receiver<Columns>,
    stop: &'a AtomicBool,
}

impl Build<'_> {
    /// Takes in what comes until nothing will. Returns how many events these were and how many of them were late, and the
    /// thread's processor time, ns.
    fn run(mut self) -> Result<([u64; 2], u64), Error> {
        self.assembler.begin(sys::realtime_ns())?;
        while !self.intake.is_over() && !self.stop.load(Ordering::Relaxed) {
            let due = self.intake.due();
            self.intake.wait(due.unwrap_or(LOOK).min(LOOK));
            if self.intake.due().is_some_and(|due| due.is_zero()) {
                self.intake.commit(&mut self.assembler, false)?;
            }
            if sys::take_hangup() && !self.assembler.hang_up(sys::realtime_ns())? {
                break;
            }
            while let Ok(columns) = self.recycle.try_recv() {
                self.assembler.recycle(columns);
            }
        }
        // Whoever still sends is told to end by the thread that waits for us.
        self.stop.store(true, Ordering::Release);
        self.intake.finish(&mut self.assembler, false)?;
        self.assembler.finish(self.assembler.latest())?;
        Ok(([self.assembler.events(), self.assembler.late()], sys::thread_cpu_ns()))
    }
}
