//! [`Order`] and [`Queue`]: calls stand where they return, and a foreign format wants them also where they began.
//!
//! What began before the last few hundred thousand rows were written is known from a first look at the whole file
//! (few calls last that long); everything else waits in a queue until nothing can come before it any more.

use crate::format::scap::write::Told;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::ops::Range;

/// Rows that wait. A call that lasted longer than so many rows took is looked up beforehand.
pub(super) const AHEAD: u64 = 200_000;

/// Where things stand in time order: time (ns UTC), number of the row, and the beginning before the end.
type Key = (u64, u64, u8);

/// The beginning of a call that was found beforehand: where it stands, and its block.
pub(super) type Early = (Key, Vec<u8>);

/// Where the two halves of a row stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    /// Its beginning.
    pub(super) enter: Key,
    /// Its end.
    pub(super) exit: Key,
    /// Its beginning is before what has been written by then.
    pub(super) is_early: bool,
}

/// Gives rows their places. It decides the same whenever it is given the same rows.
#[derive(Debug)]
pub(super) struct Order {
    ahead: u64,
    patience: u64,
    rows: u64,
    /// The latest time so far, ns UTC.
    latest: u64,
    /// Each thread's last end, ns UTC.
    ends: HashMap<u32, u64, foldhash::fast::FixedState>,
    /// For batches that wait: rows and latest time at their end.
    waiting: VecDeque<(u64, u64)>,
    /// All up to this time (ns UTC) is written before the next batch.
    written: u64,
}

impl Order {
    /// An order in which about `ahead` rows wait, and none for longer than `patience` (ns of event time).
    pub(super) fn new(ahead: u64, patience: u64) -> Order {
        Order { ahead, patience, rows: 0, latest: 0, ends: HashMap::default(), waiting: VecDeque::new(), written: 0 }
    }

    /// The places of the next row, which began (if that is known) and ended at times (ns UTC); `caller` is the thread of a
    /// call, which does one after the other.
    pub(super) fn next(&mut self, caller: Option<u32>, began: Option<u64>, ended: u64) -> Places {
        self.rows += 1;
        let before = caller.and_then(|tid| self.ends.get(&tid).copied()).unwrap_or(0);
        // what comes later than anything may stands as early as it still can
        let exit = ended.max(before).max(self.written);
        if let Some(tid) = caller {
            self.ends.insert(tid, exit);
        }
        self.latest = self.latest.max(exit);
        let enter = began.unwrap_or(exit).max(before).min(exit);
        Places { enter: (enter, self.rows, 0), exit: (exit, self.rows, 1), is_early: enter < self.written }
    }

    /// Forgets a thread that ended.
    pub(super) fn forget(&mut self, tid: u32) {
        self.ends.remove(&tid);
    }

    /// Ends a batch; says up to which time (ns UTC) all can be written.
    pub(super) fn end_batch(&mut self) -> u64 {
        self.waiting.push_back((self.rows, self.latest));
        let (rows, latest) = (self.rows, self.latest);
        let is_over = |batch: &(u64, u64)| {
            batch.0.saturating_add(self.ahead) <= rows || batch.1.saturating_add(self.patience) <= latest
        };
        while let Some(&(_, latest)) = self.waiting.front().filter(|batch| is_over(batch)) {
            self.written = latest;
            self.waiting.pop_front();
        }
        self.written
    }
}

/// Bytes of the rows of one batch, kept while some of them wait.
struct Chunk {
    bytes: Vec<u8>,
    left: usize,
}

/// What waits for its turn.
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<(Key, u32, u32, u32)>>,
    chunks: VecDeque<Chunk>,
    /// Number of the first chunk.
    first: u32,
    spare: Vec<u8>,
    /// Beginnings found beforehand, the last one first.
    early: Vec<Early>,
}

impl Queue {
    /// A queue with the beginnings that were found beforehand.
    pub(super) fn new(mut early: Vec<Early>) -> Queue {
        early.sort_unstable_by_key(|e| Reverse(e.0));
        Queue { heap: BinaryHeap::new(), chunks: VecDeque::new(), first: 0, spare: Vec::new(), early }
    }

    /// Begins a batch: the buffer for its bytes.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut self.spare);
        buffer.clear();
        buffer
    }

    /// Takes in a batch: its bytes, and the places of its rows in them. A beginning that was found beforehand is not taken
    /// twice; without a look beforehand it stands where it still can.
    pub(super) fn batch(&mut self, bytes: Vec<u8>, rows: Vec<(Places, Told)>, looked: bool) -> u64 {
        let chunk = self.first + self.chunks.len() as u32;
        let (mut left, mut late) = (0, 0);
        let mut put = |key: Key, at: Range<usize>| {
            self.heap.push(Reverse((key, chunk, at.start as u32, at.end as u32)));
            left += 1;
        };
        for (places, told) in rows {
            if let Some((_, at)) = told.enter.filter(|_| !(places.is_early && looked)) {
                late += u64::from(places.is_early);
                put(places.enter, at);
            }
            if let Some(at) = told.exit {
                put(places.exit, at);
            }
        }
        self.chunks.push_back(Chunk { bytes, left });
        late
    }

    /// Hands on, in order, what stands no later than a time (ns UTC).
    pub(super) fn write<E>(&mut self, until: u64, mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        loop {
            let next = self.heap.peek().map(|r| r.0.0);
            let early = self.early.last().map(|e| e.0);
            let is_early = early.is_some_and(|early| next.is_none_or(|next| early < next));
            let key = if is_early { early } else { next };
            if key.is_none_or(|key| key.0 > until) {
                break;
            }
            if is_early {
                if let Some((_, bytes)) = self.early.pop() {
                    each(&bytes)?;
                }
            } else if let Some(Reverse((_, chunk, start, end))) = self.heap.pop()
                && let Some(chunk) = self.chunks.get_mut((chunk - self.first) as usize)
            {
                chunk.left -= 1;
                each(chunk.bytes.get(start as usize..end as usize).unwrap_or_default())?;
            }
        }
        while self.chunks.front().is_some_and(|chunk| chunk.left == 0) {
            self.first += 1;
            self.spare = self.chunks.pop_front().map(|chunk| chunk.bytes).unwrap_or_default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as (thread, began, ended), in batches of two.
    fn written(rows: &[(u32, u64, u64)], ahead: u64, look: bool) -> Vec<String> {
        let name = |row: &(u32, u64, u64), half| format!("{}{half}", row.0);
        let mut early = Vec::new();
        let mut order = Order::new(ahead, u64::MAX);
        for batch in rows.chunks(2).filter(|_| look) {
            for row in batch {
                let places = order.next(Some(row.0), Some(row.1), row.2);
                if places.is_early {
                    early.push((places.enter, name(row, '>').into_bytes()));
                }
            }
            order.end_batch();
        }
        let mut out = Vec::new();
        let mut each = |bytes: &[u8]| -> Result<(), ()> {
            out.push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(())
        };
        let (mut order, mut queue) = (Order::new(ahead, u64::MAX), Queue::new(early));
        for batch in rows.chunks(2) {
            let mut bytes = queue.buffer();
            let mut told = Vec::new();
            for row in batch {
                let places = order.next(Some(row.0), Some(row.1), row.2);
                let start = bytes.len();
                bytes.extend(name(row, '>').into_bytes());
                let middle = bytes.len();
                bytes.extend(name(row, '<').into_bytes());
                told.push((places, Told { enter: Some((row.1, start..middle)), exit: Some(middle..bytes.len()) }));
            }
            queue.batch(bytes, told, look);
            queue.write(order.end_batch(), &mut each).unwrap();
        }
        queue.write(u64::MAX, &mut each).unwrap();
        out
    }

    const ROWS: &[(u32, u64, u64)] = &[(1, 10, 11), (2, 12, 20), (1, 11, 30), (3, 35, 40), (4, 5, 50), (1, 50, 50)];

    #[test]
    fn beginnings_stand_where_they_were() {
        let expected = ["4>", "1>", "1<", "1>", "2>", "2<", "1<", "3>", "3<", "4<", "1>", "1<"];
        for ahead in [0, 1, 2, 4, 100] {
            assert_eq!(written(ROWS, ahead, true), expected, "{ahead} rows ahead");
        }
    }

    #[test]
    fn without_a_look_beforehand_long_calls_begin_late() {
        // the second call of thread 1 began before the first two rows were written, too
        let expected = ["1>", "1<", "2>", "2<", "1>", "1<", "3>", "3<", "4>", "4<", "1>", "1<"];
        let mut late = written(ROWS, 0, false);
        assert_eq!(late.iter().filter(|w| *w == "4>").count(), 1);
        late.retain(|w| !w.starts_with('4'));
        assert_eq!(late, expected.into_iter().filter(|w| !w.starts_with('4')).collect::<Vec<_>>());
    }

    #[test]
    fn rows_that_came_late_stand_where_they_were_and_a_thread_keeps_its_order() {
        let rows = [(1, 1, 10), (2, 2, 5), (1, 3, 6), (3, 6, 7)];
        assert_eq!(written(&rows, 100, true), ["1>", "2>", "2<", "3>", "3<", "1<", "1>", "1<"]);
        // the first two are written by then
        assert_eq!(written(&rows, 0, true), ["1>", "2>", "2<", "3>", "1<", "1>", "1<", "3<"]);
    }
}
