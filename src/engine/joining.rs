//! [`Joining`]: batches with what events of another sort say about their rows: the Kubernetes request behind a process, and what the
//! stages of a request say together. All that says something is looked at once, before the first question is asked.

use super::asked::{Asked, Key, Request, STAGES, is_audit};
use super::behind::{Behind, spans};
use super::layer::Layer;
use super::play::{Batches, Glance, Question};
use super::seen::{Seen, is_exec, proc_of};
use crate::batch::{Batch, Carried, Error, KindInfo, NOT_CARRIED, Row};
use crate::field::Join;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Live, programs are remembered this long: a log comes late, ns.
const KEPT_LIVE: u64 = 300_000_000_000;

/// What the questions want joined.
pub(super) fn wanted(questions: &[Question]) -> BTreeSet<Join> {
    let mut wanted = BTreeSet::new();
    for question in questions {
        if let Some(filter) = &question.filter {
            wanted.extend(filter.fields().iter().filter_map(|field| field.joins()));
        }
        question.query.for_each_field(&mut |field| wanted.extend(field.joins()));
    }
    wanted
}

/// Joins rows of batches.
pub(super) struct Joiner {
    wanted: BTreeSet<Join>,
    asked: Asked,
    seen: Seen,
    behind: Behind,
}

impl Joiner {
    fn new(wanted: &BTreeSet<Join>, keep: Option<u64>) -> Joiner {
        let (runs, whole) = (wanted.iter().any(|join| join.is_of_process()), wanted.iter().any(|j| !j.is_of_process()));
        Joiner {
            wanted: wanted.clone(),
            asked: Asked::new(whole, runs),
            seen: Seen::new(keep),
            behind: Behind::default(),
        }
    }

    /// For what happens now.
    pub(super) fn live(wanted: &BTreeSet<Join>) -> Joiner {
        Joiner::new(wanted, Some(KEPT_LIVE))
    }

    fn joins_processes(&self) -> bool {
        self.wanted.iter().any(|join| join.is_of_process())
    }

    /// Looks for the processes of requests about which something is new.
    fn settle(&mut self) {
        let news = std::mem::take(&mut self.asked.news);
        self.behind.settle(&self.asked, &mut self.seen, &news);
    }

    /// Takes a batch in that happens now, and adds what is known of its rows by now.
    pub(super) fn follow(&mut self, batch: &Batch) -> Result<(), Error> {
        self.asked.add(batch)?;
        if self.joins_processes() {
            self.seen.add_threads(0, batch.dict(), &batch.head().threads);
            self.seen.add_starts(0, batch, |_| true)?;
            self.settle();
        }
        if batch.head().snapshot { Ok(()) } else { self.join(0, batch) }
    }

    /// Adds what is known of a batch's rows.
    pub(super) fn join(&self, stream: usize, batch: &Batch) -> Result<(), Error> {
        batch.join(Arc::new(self.columns(stream, batch)?));
        Ok(())
    }

    /// Why no process was joined with a request.
    fn nothing(&self) -> Option<&'static str> {
        if !self.joins_processes() || !self.behind.is_empty() {
            return None;
        }
        Some(match () {
            () if !self.asked.has_events => {
                "no process has a Kubernetes request: there are no audit events; add them with -r audit.log"
            }
            () if self.asked.requests.is_empty() => {
                "no process has a Kubernetes request: no audit event asks for an exec, an attach or an ephemeral container"
            }
            () if self.seen.containers().is_empty() => {
                "no process has a Kubernetes request: no process of a container was recorded; add the node's recording with -r node.reel"
            }
            () if self.seen.ran_nothing() => {
                "no process has a Kubernetes request: nothing was run from 2 s before such a request to 60 s after it; the recordings may be of \
                 other times or other nodes, or their clocks differ"
            }
            () => {
                "no process has a Kubernetes request: what was run in containers fits none in pod, container and command"
            }
        })
    }

    /// The columns of a batch.
    fn columns(&self, stream: usize, batch: &Batch) -> Result<Carried, Error> {
        let mut made = Made::of(&self.wanted, batch.rows());
        let dict = batch.dict();
        let of_thread = |&row: &u32| {
            let proc = proc_of(stream, dict, dict.thread(row));
            proc.and_then(|proc| self.behind.of(&self.seen, proc))
        };
        let behind: Vec<Option<usize>> = batch.head().threads.iter().map(of_thread).collect();
        let audit: Vec<bool> = (0..batch.head().kinds.len()).map(|kind| is_audit(batch.kind_info(kind))).collect();
        let is_empty = behind.iter().all(Option::is_none) && !audit.contains(&true);
        if is_empty {
            return Ok(made.done());
        }
        batch.for_each_row(|row| {
            if audit.get(row.kind).copied().unwrap_or(false) {
                self.audit(&row, &mut made);
            } else if let Some(number) = behind.get(usize::from(row.thread)).copied().flatten() {
                made.put_request(row.index, number, &self.asked.requests[number], &self.behind);
            }
        })?;
        batch.damage().map_or(Ok(made.done()), |error| Err(error.clone()))
    }

    fn audit(&self, row: &Row<'_>, made: &mut Made) {
        let Some(key) = self.asked.key(row) else { return };
        if let Some(number) = self.asked.number(&key) {
            made.put_request(row.index, number, &self.asked.requests[number], &self.behind);
        }
        self.put_whole(row.index, &key, made);
    }

    fn put_whole(&self, row: usize, key: &Key, made: &mut Made) {
        let Some(whole) = self.asked.whole.get(key) else { return };
        let names = STAGES.iter().enumerate().filter(|(place, _)| whole.stages & 1 << place != 0);
        let stages = names.map(|(_, name)| *name).collect::<Vec<_>>().join(",");
        made.number(Join::Code, row, whole.code);
        made.number(Join::Latency, row, Some(whole.latency as i64));
        made.text(Join::Name, row, &whole.name);
        made.text(Join::Stages, row, stages.as_bytes());
    }
}

/// The columns of a batch that are being made.
struct Made {
    numbers: Vec<(Join, Vec<i64>)>,
    places: Vec<(Join, Vec<u32>)>,
    texts: Vec<Box<[u8]>>,
    known: HashMap<Box<[u8]>, u32>,
    /// What a request puts into each of `places`, by its number: the rows of a session all say the same.
    requests: HashMap<usize, Vec<u32>>,
}

impl Made {
    fn of(wanted: &BTreeSet<Join>, rows: usize) -> Made {
        let (texts, numbers): (Vec<Join>, Vec<Join>) = wanted.iter().partition(|join| join.is_text());
        Made {
            numbers: numbers.into_iter().map(|join| (join, vec![NOT_CARRIED; rows])).collect(),
            places: texts.into_iter().map(|join| (join, vec![0; rows])).collect(),
            texts: Vec::new(),
            known: HashMap::new(),
            requests: HashMap::new(),
        }
    }

    fn number(&mut self, of: Join, row: usize, value: Option<i64>) {
        if let (Some(value), Some((_, values))) = (value, self.numbers.iter_mut().find(|(join, _)| *join == of)) {
            values[row] = value;
        }
    }

    fn text(&mut self, of: Join, row: usize, text: &[u8]) {
        let Some(column) = self.places.iter().position(|(join, _)| *join == of) else { return };
        let place = self.place(text);
        if place != 0 {
            self.places[column].1[row] = place;
        }
    }

    /// Where a text stands; 0 if there is none.
    fn place(&mut self, text: &[u8]) -> u32 {
        if text.is_empty() {
            return 0;
        }
        self.known.get(text).copied().unwrap_or_else(|| {
            self.texts.push(text.into());
            self.known.insert(text.into(), self.texts.len() as u32);
            self.texts.len() as u32
        })
    }

    fn put_request(&mut self, row: usize, number: usize, request: &Request, behind: &Behind) {
        self.number(Join::Time, row, Some(request.key.1 as i64));
        if !self.requests.contains_key(&number) {
            let places = self.places_of(request, behind.by(number));
            self.requests.insert(number, places);
        }
        for ((_, column), &place) in
            self.places.iter_mut().zip(&self.requests[&number]).filter(|(_, place)| **place != 0)
        {
            column[row] = place;
        }
    }

    /// What a request puts into each column of texts, 0 where it says nothing; `by`: what the answer rests on.
    fn places_of(&mut self, request: &Request, by: &str) -> Vec<u32> {
        let pod = [&request.namespace[..], &request.pod].join(&b'/');
        let command = request.argv.join(&b' ');
        let texts: [(Join, &[u8]); 12] = [
            (Join::Id, &request.key.0),
            (Join::User, &request.user),
            (Join::As, &request.impuser),
            (Join::Address, &request.address),
            (Join::Claimed, &request.claimed),
            (Join::Agent, &request.agent),
            (Join::Credential, &request.credential),
            (Join::Action, request.action.name().as_bytes()),
            (Join::Pod, &pod),
            (Join::Container, &request.container),
            (Join::Command, &command),
            (Join::By, by.as_bytes()),
        ];
        let wanted: Vec<Join> = self.places.iter().map(|(join, _)| *join).collect();
        let text = |join: Join| texts.iter().find(|(of, _)| *of == join).map_or(&[][..], |(_, text)| text);
        wanted.into_iter().map(|join| self.place(text(join))).collect()
    }

    fn done(self) -> Carried {
        let mut joined = Carried::default();
        self.numbers.into_iter().for_each(|(join, values)| joined.add_numbers(join as u8, values));
        self.places.into_iter().for_each(|(join, places)| joined.add_texts(join as u8, places));
        joined.set_texts(self.texts);
        joined
    }
}

/// Batches with what is joined to their rows.
pub(super) struct Joining<'a> {
    inner: &'a dyn Batches,
    wanted: BTreeSet<Join>,
    joiner: Mutex<Option<Arc<Joiner>>>,
}

impl<'a> Joining<'a> {
    pub(super) fn new(inner: &'a dyn Batches, wanted: BTreeSet<Join>) -> Self {
        Joining { inner, wanted, joiner: Mutex::default() }
    }

    /// Looks at all batches: for requests first, because they say which programs are of interest.
    fn joiner(&self) -> Arc<Joiner> {
        let mut joiner = self.joiner.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(joiner.get_or_insert_with(|| {
            let mut joiner = Joiner::new(&self.wanted, None);
            // What cannot be read is told by whoever asks about it.
            for index in (0..self.inner.len()).filter(|&index| self.may_have(index, is_audit)) {
                self.inner.batch(index).and_then(|batch| joiner.asked.add(&batch).map_err(|e| e.to_string())).ok();
            }
            if joiner.joins_processes() && !joiner.asked.requests.is_empty() {
                self.processes(&mut joiner);
            }
            Arc::new(joiner)
        }))
    }

    /// Why no process was joined with a request, if that was looked for.
    pub(super) fn nothing(&self) -> Option<String> {
        let joiner = self.joiner.lock().unwrap_or_else(PoisonError::into_inner);
        joiner.as_ref().and_then(|joiner| joiner.nothing()).map(str::to_owned)
    }

    /// Looks at the processes of segments that end when requests have come, or later. Which they are the heads of batches and the
    /// dictionary say; only where a request may have begun something the batches themselves are opened.
    fn processes(&self, joiner: &mut Joiner) {
        let spans = spans(&joiner.asked);
        let first = spans.first().map_or(u64::MAX, |span| span.0);
        let overlaps = |(from, to): (u64, u64)| {
            let at = spans.partition_point(|span| span.0 <= to);
            at > 0 && from <= spans[at - 1].1
        };
        let ends = self.ends();
        let (mut segment, mut noted) = (None, BTreeSet::new());
        for index in (0..self.inner.len()).filter(|&index| ends[&self.segment(index)] >= first) {
            let stream = self.inner.stream(index);
            if segment.replace(self.segment(index)) != Some(self.segment(index)) {
                noted.clear();
                for batch in self.inner.initial(index).into_iter().flatten() {
                    joiner.seen.add_threads(stream, batch.dict(), &batch.head().threads);
                }
            }
            let new = |threads: &[u32], noted: &mut BTreeSet<u32>| {
                threads.iter().copied().filter(|row| noted.insert(*row)).collect::<Vec<u32>>()
            };
            let glance = self.inner.glance(index);
            let head = glance.as_ref().and_then(Glance::head);
            if let Some(head) = head
                && let Ok(dict) = self.inner.dict(index)
            {
                joiner.seen.add_threads(stream, &dict, &new(&head.threads, &mut noted));
            }
            let may_begin = head.is_none_or(|head| overlaps((head.min_time, head.max_time)));
            if may_begin
                && self.may_have(index, is_exec)
                && let Ok(batch) = self.inner.batch(index)
            {
                joiner.seen.add_threads(stream, batch.dict(), &new(&batch.head().threads, &mut noted));
                joiner.seen.add_starts(stream, &batch, |time| overlaps((time, time))).ok();
            }
        }
        joiner.settle();
    }

    /// Stream and segment of a batch.
    fn segment(&self, index: usize) -> (usize, Option<u64>) {
        (self.inner.stream(index), self.inner.standing(index).map(|standing| standing.segment))
    }

    /// The latest time of each segment, ns UTC, where it can be had without opening batches.
    fn ends(&self) -> BTreeMap<(usize, Option<u64>), u64> {
        let mut ends = BTreeMap::new();
        for index in 0..self.inner.len() {
            let end = self.inner.glance(index).as_ref().and_then(Glance::head).map_or(u64::MAX, |head| head.max_time);
            let latest = ends.entry(self.segment(index)).or_insert(0);
            *latest = end.max(*latest);
        }
        ends
    }

    /// Whether a batch may have rows of such a kind, as far as that can be told without opening it.
    fn may_have(&self, index: usize, is_such: fn(&KindInfo) -> bool) -> bool {
        let Some(glance) = self.inner.glance(index) else { return true };
        let Some(head) = glance.head() else { return true };
        head.kinds.iter().any(|k| glance.schema.kinds.get(usize::from(k.kind)).is_some_and(is_such))
    }
}

impl Layer for Joining<'_> {
    fn inner(&self) -> &dyn Batches {
        self.inner
    }

    fn open(&self, index: usize) -> Result<Batch, String> {
        let joiner = self.joiner();
        let batch = self.inner.batch(index)?;
        joiner.join(self.inner.stream(index), &batch).map_err(|e| e.to_string())?;
        Ok(batch)
    }
}
