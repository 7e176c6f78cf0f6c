//! [`Resolver`]: answers the world's questions from the machine, on a thread of its own.

use super::clock::Clock;
use crate::event::{Args, Event, Flags, OwnedArg, OwnedEvent, kinds};
use crate::source::proc::{Observer, cgroup_of, groups, users};
use crate::world::Want;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

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
            let mut finder = Finder { users: None, groups: None, observer: Observer::new(clock.pair()) };
            for want in wants {
                let time = clock.now();
                let found = finder.find(want);
                if facts.send(Answer { want, time, found }).is_err() {
                    return;
                }
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

/// Where answers come from. Names are read when one is asked for.
struct Finder {
    users: Option<BTreeMap<u32, String>>,
    groups: Option<BTreeMap<u32, String>>,
    observer: Observer,
}

impl Finder {
    fn find(&mut self, want: Want) -> Vec<OwnedEvent> {
        match want {
            Want::User(id) => named(kinds::SNAP_USER, id, self.users.get_or_insert_with(users)),
            Want::Group(id) => named(kinds::SNAP_GROUP, id, self.groups.get_or_insert_with(groups)),
            Want::Cgroup { pid, id } => cgroup_of(pid).into_iter().map(|path| moved(pid, id, path)).collect(),
            Want::Thread { pid, .. } => self.observer.process(pid),
            Want::Descriptor { pid, fd } => self.observer.descriptor(pid, fd),
        }
    }
}

fn named(kind: crate::event::Kind, id: u32, names: &BTreeMap<u32, String>) -> Vec<OwnedEvent> {
    let row = |name: &String| {
        let args = vec![OwnedArg::Int(i64::from(id)), OwnedArg::Bytes(name.clone().into_bytes())];
        OwnedEvent::new(&head(kind, 0), args)
    };
    names.get(&id).map(row).into_iter().collect()
}

fn moved(pid: u32, id: u64, path: String) -> OwnedEvent {
    let args = vec![OwnedArg::Int(id as i64), OwnedArg::Bytes(path.into_bytes())];
    OwnedEvent::new(&head(kinds::CGROUP, pid), args)
}

fn head(kind: crate::event::Kind, pid: u32) -> Event<'static> {
    Event { kind, time: 0, duration: None, cpu: 0, tid: pid, pid, ret: 0, flags: Flags::default(), args: Args::new() }
}
