//! [`Carrying`]: batches with what is carried along their rows; each stream is walked through in order, whoever asks first.

use super::carry::{Tracker, Wanted};
use super::layer::Layer;
use super::play::{Batches, Question, Standing};
use crate::batch::{Batch, Carried};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What the questions want carried.
pub(super) fn wanted(questions: &[Question]) -> Wanted {
    let mut wanted = Wanted::new();
    for question in questions {
        if let Some(filter) = &question.filter {
            wanted.extend(filter.fields().iter().filter_map(|field| field.carries()));
        }
        question.query.for_each_field(&mut |field| wanted.extend(field.carries()));
    }
    wanted
}

/// Batches before the one at hand whose columns are kept for workers that were overtaken before they said what they open.
const KEPT: usize = 64;

/// A stream: how far it was walked through, and what came of batches that are waited for.
struct Stream {
    /// Whoever walks has it.
    tracker: Option<Tracker>,
    next: usize,
    made: BTreeMap<usize, Result<Arc<Carried>, String>>,
    /// Batches that somebody opens and then walks through.
    opening: BTreeSet<usize>,
    /// Somebody stopped in the middle of a walk.
    broken: bool,
}

/// Batches with what is carried along their rows.
///
/// One thread walks at a time, in the order of the stream. Whoever wants a batch opens it and decodes what the walk looks at
/// before its turn comes, and asks its questions when the next one walks already.
pub(super) struct Carrying<'a> {
    inner: &'a dyn Batches,
    wanted: Wanted,
    streams: Mutex<BTreeMap<usize, Stream>>,
    changed: Condvar,
}

/// Says that somebody opens a batch, until it was walked through or given up.
struct Opening<'a, 'b> {
    carrying: &'a Carrying<'b>,
    first: usize,
    index: usize,
}

impl Drop for Opening<'_, '_> {
    fn drop(&mut self) {
        let mut streams = self.carrying.lock();
        if let Some(stream) = streams.get_mut(&self.first) {
            stream.opening.remove(&self.index);
            // A walk that was not finished: its thread is unwinding.
            stream.broken |= std::thread::panicking();
        }
        self.carrying.changed.notify_all();
    }
}

impl<'a> Carrying<'a> {
    pub(super) fn new(inner: &'a dyn Batches, wanted: Wanted) -> Self {
        Carrying { inner, wanted, streams: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Stream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begun(&self, first: usize) -> Stream {
        let tracker = Some(Tracker::new(&self.wanted));
        Stream { tracker, next: first, made: BTreeMap::new(), opening: BTreeSet::new(), broken: false }
    }

    /// A batch of a stream with what is carried along its rows.
    fn carried(&self, index: usize, first: usize) -> Result<Batch, String> {
        self.lock().entry(first).or_insert_with(|| self.begun(first)).opening.insert(index);
        let _opening = Opening { carrying: self, first, index };
        let batch = self.inner.batch(index)?;
        Tracker::decode(&batch);
        let carried = self.columns(&batch, index, first)?;
        batch.carry(carried);
        Ok(batch)
    }

    /// The columns of a batch; walks up to it where nobody else is about to.
    fn columns(&self, batch: &Batch, index: usize, first: usize) -> Result<Arc<Carried>, String> {
        // Windows of overlapping reels come back to a batch.
        let comes_back = self.inner.turns() != self.inner.len();
        let mut streams = self.lock();
        loop {
            let stream = streams.entry(first).or_insert_with(|| self.begun(first));
            let made = if comes_back { stream.made.get(&index).cloned() } else { stream.made.remove(&index) };
            if let Some(made) = made {
                return made;
            }
            if stream.broken {
                return Err("expected carried values, found none".to_owned());
            }
            let is_others = stream.next < index && stream.opening.contains(&stream.next);
            let Some(mut tracker) = stream.tracker.take_if(|_| !is_others) else {
                streams = self.changed.wait(streams).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if stream.next > index {
                // What was carried here was given away: the walk begins anew.
                (tracker, stream.next) = (Tracker::new(&self.wanted), first);
            }
            let at = stream.next;
            drop(streams);
            let own = (at == index).then_some(batch);
            let made = self.step(&mut tracker, at, own);
            streams = self.lock();
            if let Some(stream) = streams.get_mut(&first) {
                stream.made.insert(at, made);
                if !comes_back {
                    stream.made = stream.made.split_off(&at.saturating_sub(KEPT));
                }
                (stream.tracker, stream.next) = (Some(tracker), at + 1);
            }
            self.changed.notify_all();
        }
    }

    /// Walks through a batch, which is opened if it is not at hand.
    fn step(&self, tracker: &mut Tracker, index: usize, batch: Option<&Batch>) -> Result<Arc<Carried>, String> {
        if let Some(standing) = self.inner.standing(index)
            && tracker.begins(standing.segment)
        {
            for batch in self.inner.initial(index) {
                // What is damaged is told when the file is opened; the rest of the state is of use nevertheless.
                batch.and_then(|batch| tracker.seed(&batch).map_err(|e| e.to_string())).ok();
            }
        }
        match batch {
            Some(batch) => tracker.columns(batch),
            None => tracker.columns(&self.inner.batch(index)?),
        }
        .map_err(|e| e.to_string())
    }
}

impl Layer for Carrying<'_> {
    fn inner(&self) -> &dyn Batches {
        self.inner
    }

    fn open(&self, index: usize) -> Result<Batch, String> {
        let Some(Standing { first, .. }) = self.inner.standing(index) else { return self.inner.batch(index) };
        self.carried(index, first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Schema;
    use crate::field::Carry;
    use crate::query::made::{Dice, batch, dict};
    use crate::world::Dict;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const COUNT: usize = 100;
    /// Batches of a segment.
    const SEGMENT: usize = 7;
    const DAMAGED: usize = 48;

    /// Batches of one stream, made anew each time; one of them is damaged.
    struct Made {
        schema: Arc<Schema>,
        dict: Arc<Dict>,
        turns: usize,
        opened: AtomicUsize,
    }

    impl Made {
        fn new(turns: usize) -> Made {
            Made { schema: Arc::new(Schema::current()), dict: dict(), turns, opened: AtomicUsize::new(0) }
        }
    }

    impl Batches for Made {
        fn len(&self) -> usize {
            COUNT
        }

        fn batch(&self, index: usize) -> Result<Batch, String> {
            self.opened.fetch_add(1, Ordering::Relaxed);
            if index == DAMAGED {
                return Err("expected 4 bytes, found 3".to_owned());
            }
            Ok(batch(&mut Dice(index as u64), 50, &self.schema, &self.dict))
        }

        fn place(&self, index: usize) -> String {
            index.to_string()
        }

        fn turns(&self) -> usize {
            self.turns
        }

        fn standing(&self, index: usize) -> Option<Standing> {
            Some(Standing { first: 0, segment: (index / SEGMENT) as u64 })
        }

        fn counts_in_flight(&self, _: usize) -> bool {
            false
        }
    }

    fn wanted() -> Wanted {
        [Carry::Delta, Carry::ExecTime, Carry::TotalExecTime, Carry::Threads, Carry::Descriptors].into()
    }

    /// What a walk from the first batch to the last says.
    fn in_order() -> Vec<Result<Arc<Carried>, String>> {
        let (made, mut tracker) = (Made::new(COUNT), Tracker::new(&wanted()));
        let carrying = Carrying::new(&made, wanted());
        (0..COUNT).map(|index| carrying.step(&mut tracker, index, None)).collect()
    }

    fn check(carrying: &Carrying<'_>, index: usize, want: &[Result<Arc<Carried>, String>]) {
        let found = carrying.batch(index).map(|batch| batch.carried().cloned());
        let want = want[index].as_ref().map(|carried| Some(Carried::clone(carried))).map_err(Clone::clone);
        assert_eq!(found.err(), want.clone().err(), "{index}");
        if let Ok(want) = want {
            assert_eq!(carrying.batch(index).unwrap().carried(), want.as_ref(), "{index}");
        }
    }

    #[test]
    fn whatever_the_order_in_which_they_are_asked_for_batches_carry_the_same() {
        let want = in_order();
        assert!(want.iter().filter(|carried| carried.is_ok()).count() == COUNT - 1);
        for turns in [COUNT, COUNT + 1] {
            let made = Made::new(turns);
            let carrying = Carrying::new(&made, wanted());
            let mut dice = Dice(7);
            let backwards = (0..COUNT).rev();
            let any: Vec<usize> = (0..30).map(|_| dice.roll(COUNT as u64) as usize).collect();
            // Those that were given away are walked to again.
            for index in (0..COUNT).step_by(3).chain(backwards.step_by(5)).chain(any) {
                check(&carrying, index, &want);
            }
        }
    }

    #[test]
    fn threads_that_ask_in_order_open_each_batch_once_and_get_the_same() {
        let want = in_order();
        for threads in [1, 2, 5] {
            let made = Made::new(COUNT);
            let carrying = Carrying::new(&made, wanted());
            let next = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        loop {
                            let index = next.fetch_add(1, Ordering::Relaxed);
                            if index >= COUNT {
                                break;
                            }
                            let carried = carrying.batch(index).map(|batch| batch.carried().cloned());
                            let want = want[index].as_ref().map(|carried| Some(Carried::clone(carried)));
                            assert_eq!(carried.as_ref().ok(), want.ok().as_ref(), "{index}");
                        }
                    });
                }
            });
            // A worker may be overtaken between taking a number and saying so; the damaged one is tried twice.
            let most = if threads == 1 { COUNT + 1 } else { 2 * COUNT };
            let opened = made.opened.load(Ordering::Relaxed);
            assert!((COUNT..=most).contains(&opened), "{opened} opened by {threads}");
        }
    }
}
