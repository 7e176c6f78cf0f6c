//! [`Joining`]: batches with what events of another sort say about their rows: the Kubernetes request behind a process, and what the
//! stages of a request say together. All that says something is looked at once, before the first question is asked.

use super::asked::{AUDIT, Asked, Key, Request, STAGES};
use super::behind::{Behind, Proc};
use super::layer::Layer;
use super::play::{Batches, Question};
use crate::batch::{Batch, Carried, Error, NOT_CARRIED, Row};
use crate::field::Join;
use std::collections::{BTreeSet, HashMap};
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
    behind: Behind,
}

impl Joiner {
    fn new(wanted: &BTreeSet<Join>, keep: Option<u64>) -> Joiner {
        let (runs, whole) = (wanted.iter().any(|join| join.is_of_process()), wanted.iter().any(|j| !j.is_of_process()));
        Joiner { wanted: wanted.clone(), asked: Asked::new(whole, runs), behind: Behind::new(keep) }
    }

    /// For what happens now.
    pub(super) fn live(wanted: &BTreeSet<Join>) -> Joiner {
        Joiner::new(wanted, Some(KEPT_LIVE))
    }

    fn joins_processes(&self) -> bool {
        self.wanted.iter().any(|join| join.is_of_process())
    }

    /// Takes a batch in that happens now, and adds what is known of its rows by now.
    pub(super) fn follow(&mut self, batch: &Batch) -> Result<(), Error> {
        self.asked.add(batch)?;
        if self.joins_processes() {
            self.behind.add(0, batch, |_| true)?;
            if self.asked.is_new || self.behind.is_new {
                self.behind.settle(&self.asked);
                self.asked.is_new = false;
            }
        }
        if !batch.head().snapshot {
            batch.join(Arc::new(self.columns(0, batch)?));
        }
        Ok(())
    }

    /// The columns of a batch.
    fn columns(&self, stream: usize, batch: &Batch) -> Result<Carried, Error> {
        let mut made = Made::of(&self.wanted, batch.rows());
        let dict = batch.dict();
        let of_thread = |&row: &u32| {
            let proc: Option<Proc> = Behind::proc(stream, dict, dict.thread(row));
            proc.and_then(|proc| self.behind.of(proc))
        };
        let behind: Vec<Option<u32>> = batch.head().threads.iter().map(of_thread).collect();
        let is_audit: Vec<bool> =
            (0..batch.head().kinds.len()).map(|kind| batch.kind_info(kind).name == AUDIT).collect();
        let is_empty = behind.iter().all(Option::is_none) && !is_audit.contains(&true);
        if is_empty {
            return Ok(made.done());
        }
        batch.for_each_row(|row| {
            if is_audit.get(row.kind).copied().unwrap_or(false) {
                self.audit(&row, &mut made);
            } else if let Some(number) = behind.get(usize::from(row.thread)).copied().flatten() {
                made.put_request(row.index, number, &self.asked.requests[number as usize], &self.behind);
            }
        })?;
        batch.damage().map_or(Ok(made.done()), |error| Err(error.clone()))
    }

    fn audit(&self, row: &Row<'_>, made: &mut Made) {
        let Some(key) = self.asked.key(row) else { return };
        if let Some(number) = self.asked.number(&key) {
            made.put_request(row.index, number as u32, &self.asked.requests[number], &self.behind);
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
    requests: HashMap<u32, Vec<u32>>,
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

    fn put_request(&mut self, row: usize, number: u32, request: &Request, behind: &Behind) {
        self.number(Join::Time, row, Some(request.key.1 as i64));
        if !self.requests.contains_key(&number) {
            let places = self.places_of(request, behind.by.get(&number).copied().unwrap_or_default());
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

    fn stream(&self, index: usize) -> usize {
        self.inner.standing(index).map_or(0, |standing| standing.first)
    }

    /// Looks at all batches: for requests first, because they say which programs are of interest.
    fn joiner(&self) -> Arc<Joiner> {
        let mut joiner = self.joiner.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(joiner.get_or_insert_with(|| {
            let mut joiner = Joiner::new(&self.wanted, None);
            // What cannot be read is told by whoever asks about it.
            for index in (0..self.inner.len()).filter(|&index| self.may_have(index, AUDIT)) {
                self.inner.batch(index).and_then(|batch| joiner.asked.add(&batch).map_err(|e| e.to_string())).ok();
            }
            if joiner.joins_processes() && !joiner.asked.requests.is_empty() {
                self.processes(&mut joiner);
            }
            Arc::new(joiner)
        }))
    }

    fn processes(&self, joiner: &mut Joiner) {
        let spans = Behind::spans(&joiner.asked);
        let wants = |time: u64| {
            let at = spans.partition_point(|span| span.0 <= time);
            at > 0 && time <= spans[at - 1].1
        };
        let mut segment = None;
        for index in 0..self.inner.len() {
            let stream = self.stream(index);
            let standing = self.inner.standing(index).map(|standing| (standing.first, standing.segment));
            if segment != standing {
                segment = standing;
                for batch in self.inner.initial(index).into_iter().flatten() {
                    joiner.behind.add(stream, &batch, wants).ok();
                }
            }
            self.inner
                .batch(index)
                .and_then(|batch| joiner.behind.add(stream, &batch, wants).map_err(|e| e.to_string()))
                .ok();
        }
        joiner.behind.settle(&joiner.asked);
    }

    /// Whether a batch may have rows of a kind, as far as that can be told without opening it.
    fn may_have(&self, index: usize, kind: &str) -> bool {
        let Some(glance) = self.inner.glance(index) else { return true };
        let Some(head) = glance.heads.get(glance.at).and_then(Option::as_ref) else { return true };
        head.kinds.iter().any(|k| glance.schema.kinds.get(usize::from(k.kind)).is_some_and(|info| info.name == kind))
    }
}

impl Layer for Joining<'_> {
    fn inner(&self) -> &dyn Batches {
        self.inner
    }

    fn open(&self, index: usize) -> Result<Batch, String> {
        let joiner = self.joiner();
        let batch = self.inner.batch(index)?;
        batch.join(Arc::new(joiner.columns(self.stream(index), &batch).map_err(|e| e.to_string())?));
        Ok(batch)
    }
}
