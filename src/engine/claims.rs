//! [`Claims`]: which worker asks which turn.
//!
//! Lines are written in order, so their turns are claimed in order. Where everything is said at the end, each worker walks
//! through its own part of the file: it needs another segment's dictionary than the others, so that dictionaries are read
//! beside each other and what is memoised about their rows is worked out once. Whoever is done takes half of what the one
//! furthest behind has left.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Which worker asks which turn; each is asked once.
pub(super) enum Claims {
    /// One after the other, whoever comes.
    InOrder {
        /// The next one, and how many there are.
        next: AtomicUsize,
        turns: usize,
    },
    /// What each worker has left.
    Apart(Vec<Mutex<Range<usize>>>),
}

impl Claims {
    /// In order.
    pub(super) fn in_order(turns: usize) -> Claims {
        Claims::InOrder { next: AtomicUsize::new(0), turns }
    }

    /// A part of the turns for each of so many workers, at least one.
    pub(super) fn apart(turns: usize, workers: usize) -> Claims {
        let bound = |worker: usize| (turns as u128 * worker as u128 / workers.max(1) as u128) as usize;
        Claims::Apart((0..workers.max(1)).map(|worker| Mutex::new(bound(worker)..bound(worker + 1))).collect())
    }

    /// The next turn of a worker.
    pub(super) fn next(&self, worker: usize) -> Option<usize> {
        match self {
            Claims::InOrder { next, turns } => {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                (turn < *turns).then_some(turn)
            }
            Claims::Apart(parts) => {
                let own = parts.get(worker)?;
                loop {
                    if let Some(turn) = own.lock().unwrap_or_else(PoisonError::into_inner).next() {
                        return Some(turn);
                    }
                    let taken = take_half(parts)?;
                    *own.lock().unwrap_or_else(PoisonError::into_inner) = taken;
                }
            }
        }
    }
}

/// The second half of the longest part, a single turn whole; `None` when nothing is left.
fn take_half(parts: &[Mutex<Range<usize>>]) -> Option<Range<usize>> {
    loop {
        let left = |part: &Mutex<Range<usize>>| part.lock().unwrap_or_else(PoisonError::into_inner).len();
        let longest = parts.iter().max_by_key(|part| left(part))?;
        let mut part = longest.lock().unwrap_or_else(PoisonError::into_inner);
        match part.len() {
            // Its owner was quicker; unless nobody has anything, somebody else has.
            0 => {
                drop(part);
                if parts.iter().all(|part| left(part) == 0) {
                    return None;
                }
            }
            count => {
                let taken = part.end - count.div_ceil(2)..part.end;
                part.end = taken.start;
                return Some(taken);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// What each of some workers asked, together.
    fn asked(claims: &Claims, workers: usize) -> Vec<Vec<usize>> {
        thread::scope(|scope| {
            let each = |worker| scope.spawn(move || std::iter::from_fn(|| claims.next(worker)).collect::<Vec<_>>());
            let handles: Vec<_> = (0..workers).map(each).collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        })
    }

    #[test]
    fn every_turn_is_asked_once_however_many_workers_there_are() {
        for turns in [0, 1, 2, 3, 7, 100, 1001] {
            for workers in 1..6 {
                for claims in [Claims::in_order(turns), Claims::apart(turns, workers)] {
                    let mut all = asked(&claims, workers).concat();
                    all.sort_unstable();
                    assert_eq!(all, (0..turns).collect::<Vec<_>>(), "{turns} turns, {workers} workers");
                }
            }
        }
    }

    #[test]
    fn a_worker_walks_through_its_own_part_and_then_helps_the_others() {
        let claims = Claims::apart(100, 2);
        let alone: Vec<usize> = std::iter::from_fn(|| claims.next(1)).collect();
        assert_eq!(alone[..50], (50..100).collect::<Vec<_>>());
        // Half of what the other has left, from its end; then half of the rest.
        assert_eq!(alone[50..52], [25, 26]);
        assert_eq!(alone.len(), 100);
    }
}
