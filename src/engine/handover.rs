//! [`Handover`]: what workers made of turns, put in order for whoever writes it.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// Results of turns. Workers that are too far ahead of what was taken wait, which bounds the results that wait.
pub(super) struct Handover<T> {
    queue: Mutex<Queue<T>>,
    changed: Condvar,
    window: usize,
}

struct Queue<T> {
    waiting: BTreeMap<usize, T>,
    /// The turn that is taken next.
    next: usize,
    is_halted: bool,
}

impl<T> Handover<T> {
    /// Nothing yet; at most `window` results wait.
    pub(super) fn new(window: usize) -> Handover<T> {
        let queue = Queue { waiting: BTreeMap::new(), next: 0, is_halted: false };
        Handover { queue: Mutex::new(queue), changed: Condvar::new(), window }
    }

    /// The result of a turn, when it is there; `None` if no worker is left to make it. Turns are taken in order.
    pub(super) fn take(&self, turn: usize) -> Option<T> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(result) = queue.waiting.remove(&turn) {
                queue.next = turn + 1;
                self.changed.notify_all();
                return Some(result);
            }
            if queue.is_halted {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands over a result, after waiting while it is too far ahead; `false` when nobody wants more.
    pub(super) fn put(&self, turn: usize, result: T) -> bool {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        while turn >= queue.next + self.window && !queue.is_halted {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.waiting.insert(turn, result);
        self.changed.notify_all();
        !queue.is_halted
    }

    /// Stops everybody.
    pub(super) fn halt(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).is_halted = true;
        self.changed.notify_all();
    }

    /// Halts the others if this thread panics while it holds what is returned, so that nobody waits for a result that
    /// never comes.
    pub(super) fn halts_on_panic(&self) -> HaltOnPanic<'_, T> {
        HaltOnPanic(self)
    }
}

/// See [`Handover::halts_on_panic`].
pub(super) struct HaltOnPanic<'a, T>(&'a Handover<T>);

impl<T> Drop for HaltOnPanic<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.halt();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_taken_in_order_whoever_is_first() {
        let handover = Handover::new(2);
        let taken = thread::scope(|scope| {
            let handover = &handover;
            for worker in 0..3 {
                scope.spawn(move || (0..100).filter(|turn| turn % 3 == worker).all(|turn| handover.put(turn, turn)));
            }
            (0..100).map(|turn| handover.take(turn)).collect::<Option<Vec<usize>>>()
        });
        assert_eq!(taken, Some((0..100).collect()));
    }

    #[test]
    fn nobody_waits_for_a_worker_that_is_gone() {
        let handover = Handover::<()>::new(1);
        let worker = thread::scope(|scope| {
            let gone = scope.spawn(|| {
                let _guard = handover.halts_on_panic();
                panic!("on purpose");
            });
            gone.join()
        });
        assert!(worker.is_err());
        assert_eq!(handover.take(0), None);
        assert!(!handover.put(5, ()));
    }
}
