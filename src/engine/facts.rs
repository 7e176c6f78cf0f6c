//! [`Resolver`]: answers the world's questions from the machine, on a thread of its own.

use super::clock::Clock;
use crate::event::{Args, Event, Flags, Kind, OwnedArg, OwnedEvent, kinds};
use crate::source::proc::{Accounts, GROUPS, Groups, Observer, USERS, groups, users};
use crate::world::Want;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// Questions that may wait; further ones are dropped, and their answers stay unknown.
const QUEUE: usize = 4096;

/// What was found.
#[derive(Debug)]
pub(super) struct Answer {
    /// The question.
    pub(super) want: Want,
    /// When it was looked for, ns UTC: it was so then, and may have changed since.
    pub(super) time: u64,
    /// Snapshot rows, or an event; nothing where nothing was found.
    pub(super) found: Vec<OwnedEvent>,
}

/// Answers questions on a thread of its own, because `/proc` may block.
pub(super) struct Resolver {
    questions: Option<Sender<Want>>,
    answers: Receiver<Answer>,
    /// Questions that are not answered yet.
    open: usize,
    thread: Option<JoinHandle<()>>,
}

impl Resolver {
    /// Starts the thread. `clock` gives the times.
    pub(super) fn start(clock: Arc<Clock>) -> Resolver {
        let (questions, wants) = bounded(QUEUE);
        let (facts, answers) = bounded(QUEUE);
        let body = move || {
            let mut finder = Finder {
                users: Names::new(USERS, users),
                groups: Names::new(GROUPS, groups),
                observer: Observer::new(clock.pair()),
                control: Groups::default(),
            };
            let send = |want, time, found| facts.send(Answer { want, time, found }).is_ok();
            loop {
                let want = finder.next(&wants);
                let time = clock.now();
                let is_sent = match want {
                    Ok(want) => send(want, time, finder.find(want)),
                    Err(RecvTimeoutError::Timeout) => {
                        finder.news().into_iter().all(|(want, found)| send(want, time, found))
                    }
                    Err(RecvTimeoutError::Disconnected) => false,
                };
                if !is_sent {
                    break;
                }
            }
            // A last look, for what the recording is about until its end.
            let time = clock.now();
            for (want, found) in finder.news() {
                send(want, time, found);
            }
        };
        let thread = std::thread::Builder::new().name("facts".to_owned()).spawn(body).ok();
        Resolver { questions: Some(questions), answers, open: 0, thread }
    }

    /// Asks.
    pub(super) fn ask(&mut self, want: Want) {
        if self.questions.as_ref().is_some_and(|questions| questions.try_send(want).is_ok()) {
            self.open += 1;
        }
    }

    /// An answer that has come.
    pub(super) fn answer(&mut self) -> Option<Answer> {
        let answer = self.answers.try_recv().ok()?;
        self.open -= 1;
        Some(answer)
    }

    /// Whether an answer is still to come.
    pub(super) fn is_busy(&self) -> bool {
        self.open > 0 && self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Waits until all questions are answered, and returns the answers that nobody took.
    pub(super) fn finish(&mut self) -> Vec<Answer> {
        self.questions = None;
        let left = self.answers.iter().collect();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
        left
    }
}

/// How often it is looked whether a name that was not there is there now.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Names by id, read when one is asked for and again when their file has changed.
struct Names {
    path: &'static str,
    read: fn() -> Accounts,
    by_id: Accounts,
    /// When the file was changed last, as of the last reading.
    changed: Option<SystemTime>,
    /// Ids that had no name when they were asked for.
    missing: BTreeSet<u32>,
}

impl Names {
    fn new(path: &'static str, read: fn() -> Accounts) -> Names {
        Names { path, read, by_id: Accounts::new(), changed: None, missing: BTreeSet::new() }
    }

    /// Reads the file if it changed since the last time.
    fn refresh(&mut self) {
        let changed = std::fs::metadata(self.path).and_then(|about| about.modified()).ok();
        if changed.is_none() || changed != self.changed {
            self.by_id = (self.read)();
            self.changed = changed;
        }
    }

    fn named(&self, kind: Kind, id: u32) -> Vec<OwnedEvent> {
        self.by_id.get(&id).map(|account| OwnedEvent::of(&account.event(kind, 0, id))).into_iter().collect()
    }

    fn find(&mut self, kind: Kind, id: u32) -> Vec<OwnedEvent> {
        self.refresh();
        let found = self.named(kind, id);
        if found.is_empty() && self.missing.len() < QUEUE {
            self.missing.insert(id);
        }
        found
    }

    /// Those that were missing and are there now.
    fn news(&mut self, kind: Kind) -> Vec<(u32, Vec<OwnedEvent>)> {
        if self.missing.is_empty() {
            return Vec::new();
        }
        self.refresh();
        let (found, missing): (BTreeSet<u32>, _) = self.missing.iter().partition(|id| self.by_id.contains_key(id));
        self.missing = missing;
        found.into_iter().map(|id| (id, self.named(kind, id))).collect()
    }
}

/// Where answers come from.
struct Finder {
    users: Names,
    groups: Names,
    observer: Observer,
    control: Groups,
}

impl Finder {
    /// The next question; a time-out where it is time to look again for what was not found.
    fn next(&self, wants: &Receiver<Want>) -> Result<Want, RecvTimeoutError> {
        if self.users.missing.is_empty() && self.groups.missing.is_empty() {
            return wants.recv().map_err(|_| RecvTimeoutError::Disconnected);
        }
        wants.recv_timeout(LOOK_AGAIN)
    }

    fn find(&mut self, want: Want) -> Vec<OwnedEvent> {
        match want {
            Want::User(id) => self.users.find(kinds::SNAP_USER, id),
            Want::Group(id) => self.groups.find(kinds::SNAP_GROUP, id),
            Want::Cgroup { pid, id } => {
                self.control.find(pid, id).into_iter().map(|path| moved(pid, id, path)).collect()
            }
            Want::Thread { pid, .. } => self.observer.process(pid),
            Want::Descriptor { pid, fd } => self.observer.descriptor(pid, fd),
        }
    }

    /// Names that were not there when they were asked for, and are now.
    fn news(&mut self) -> Vec<(Want, Vec<OwnedEvent>)> {
        let users = self.users.news(kinds::SNAP_USER).into_iter().map(|(id, found)| (Want::User(id), found));
        let groups = self.groups.news(kinds::SNAP_GROUP).into_iter().map(|(id, found)| (Want::Group(id), found));
        users.chain(groups).collect()
    }
}

fn moved(pid: u32, id: u64, path: String) -> OwnedEvent {
    let args = vec![OwnedArg::Int(id as i64), OwnedArg::Bytes(path.into_bytes())];
    OwnedEvent::new(&head(kinds::CGROUP, pid), args)
}

fn head(kind: crate::event::Kind, pid: u32) -> Event<'static> {
    Event { kind, time: 0, duration: None, cpu: 0, tid: pid, pid, ret: 0, flags: Flags::default(), args: Args::new() }
}
