//! [`Resolver`]: answers the world's questions from the machine, on a thread of its own.

use crate::event::{Args, Event, Flags, OwnedArg, OwnedEvent, kinds};
use crate::source::proc::{cgroup_of, groups, users};
use crate::world::Want;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::BTreeMap;
use std::thread::JoinHandle;

/// Questions that may wait; further ones are dropped, and their answers stay unknown.
const QUEUE: usize = 4096;

/// Answers questions on a thread of its own, because `/proc` may block.
pub(super) struct Resolver {
    questions: Option<Sender<Want>>,
    answers: Receiver<OwnedEvent>,
    thread: Option<JoinHandle<()>>,
}

impl Resolver {
    /// Starts the thread.
    pub(super) fn start() -> Resolver {
        let (questions, wants) = bounded(QUEUE);
        let (facts, answers) = bounded(QUEUE);
        let body = move || {
            let (users, groups) = (users(), groups());
            for want in wants {
                if let Some(fact) = answer(want, &users, &groups)
                    && facts.try_send(fact).is_err()
                {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("facts".to_owned()).spawn(body).ok();
        Resolver { questions: Some(questions), answers, thread }
    }

    /// Asks.
    pub(super) fn ask(&self, want: Want) {
        if let Some(questions) = &self.questions {
            questions.try_send(want).ok();
        }
    }

    /// An answer that has come.
    pub(super) fn answer(&self) -> Option<OwnedEvent> {
        self.answers.try_recv().ok()
    }

    /// Waits until all questions are answered.
    pub(super) fn finish(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn answer(want: Want, users: &BTreeMap<u32, String>, groups: &BTreeMap<u32, String>) -> Option<OwnedEvent> {
    let name = |id: u32, names: &BTreeMap<u32, String>| {
        names.get(&id).map(|n| vec![OwnedArg::Int(i64::from(id)), OwnedArg::Bytes(n.clone().into_bytes())])
    };
    let (kind, pid, args) = match want {
        Want::User(id) => (kinds::SNAP_USER, 0, name(id, users)?),
        Want::Group(id) => (kinds::SNAP_GROUP, 0, name(id, groups)?),
        Want::Cgroup { pid, id } => {
            let path = cgroup_of(pid)?;
            (kinds::CGROUP, pid, vec![OwnedArg::Int(id as i64), OwnedArg::Bytes(path.into_bytes())])
        }
    };
    let head = Event {
        kind,
        time: 0,
        duration: None,
        cpu: 0,
        tid: pid,
        pid,
        ret: 0,
        flags: Flags::default(),
        args: Args::new(),
    };
    Some(OwnedEvent::new(&head, args))
}
