//! [`Behind`]: which Kubernetes request each process of a container came from.
//!
//! An audit event names namespace, pod, container and command, and no process; a process has a control group (pod uid, container id),
//! a command and a time. What the two have in common decides, the strongest first: the container, the pod, the command, the time.
//!
//! Requests choose one after the other, in [`Turn`]s: what one has taken no later one may have. So each answer rests on rows, on
//! audit events and on the answers before it, and only those are looked for again of which something of that has changed.

use super::asked::{Action, Asked, News, PodName, Request};
use super::seen::{Fit, MAX_DEPTH, Proc, Seen, Start, likeness, likenesses};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Clocks of two machines may differ, and a process may seem to begin before its request, ns.
const EARLY: u64 = 2_000_000_000;
/// How long an exec may take to begin where its end is not known, ns. Half a second was measured on a busy machine.
const LATE: u64 = 60_000_000_000;
/// How long an ephemeral container may take: its image is loaded first, ns.
const LATE_DEBUG: u64 = 600_000_000_000;

/// When a request chooses: its sort, when it came, its number.
type Turn = (Action, u64, usize);

/// How well a command fits a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Words {
    /// A script: the kernel put its interpreter before it.
    Script,
    /// The same words.
    Same,
}

/// How well a start fits an exec: container, whether it came from outside, words, and how near it is; after the request rather than
/// before it.
type Rank = (Fit, bool, Words, Reverse<(bool, u64)>);

/// What a request came to.
#[derive(Debug, Clone, Default)]
struct Answer {
    /// The program that it ran, and how well that fits.
    start: Option<Start>,
    rank: Option<Rank>,
    /// Processes that came from it, and the container that is its alone.
    roots: BTreeSet<Proc>,
    whole: Option<u32>,
    /// What it and they have in common.
    by: &'static str,
    /// Containers that it may be about as well, because nothing says whose they are.
    guesses: BTreeSet<u32>,
}

/// Which request each process came from.
#[derive(Default)]
pub(super) struct Behind {
    answers: BTreeMap<usize, Answer>,
    /// Who took a start, and from whom a process or a container is; the last counts.
    taken: HashMap<Start, Turn>,
    roots: HashMap<Proc, BTreeSet<Turn>>,
    whole: BTreeMap<u32, BTreeSet<Turn>>,
    /// Execs by what their command is like and when they came, and all requests by pod.
    by_words: BTreeSet<(u64, u64, usize)>,
    by_pod: BTreeMap<PodName, BTreeSet<Turn>>,
    /// Of those that are not execs.
    others: BTreeMap<PodName, BTreeSet<Turn>>,
    unsure: BTreeSet<Turn>,
    /// Requests that are looked at again.
    again: BTreeSet<Turn>,
    /// How often a request was looked at.
    #[cfg(test)]
    looks: u64,
}

/// How a command fits the words of a request.
fn words(asked: &[Vec<u8>], ran: &[Vec<u8>]) -> Option<Words> {
    if asked == ran {
        return Some(Words::Same);
    }
    // `#! INTERPRETER [ONE ARGUMENT]` stands before the path of a script, which takes the place of its first word.
    let before = ran.len().checked_sub(asked.len()).filter(|n| matches!(n, 1 | 2))?;
    let (script, rest) = ran[before..].split_first()?;
    let (first, wanted) = asked.split_first()?;
    (wanted == rest && script.ends_with(first.strip_prefix(b"./").unwrap_or(first))).then_some(Words::Script)
}

fn turn(asked: &Asked, number: usize) -> Turn {
    let request = &asked.requests[number];
    (request.action, request.key.1, number)
}

/// Whether the API server let nothing be run.
fn is_refused(request: &Request) -> bool {
    request.code.is_some_and(|code| code >= 400)
}

/// When a request may have begun something, ns UTC.
fn window(request: &Request) -> (u64, u64) {
    let (received, late) = (request.key.1, if request.action == Action::Debug { LATE_DEBUG } else { LATE });
    let until = received.saturating_add(late);
    // That for an ephemeral container ends long before the container begins.
    let ended = request.ended.filter(|_| request.action != Action::Debug);
    (received.saturating_sub(EARLY), ended.map_or(until, |ended| until.min(ended.saturating_add(EARLY))))
}

/// Times at which requests may have begun something, in order and apart from each other, ns UTC.
pub(super) fn spans(asked: &Asked) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = asked.requests.iter().map(window).collect();
    all.sort_unstable();
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for (from, to) in all {
        match spans.last_mut().filter(|last| last.1 >= from) {
            Some(last) => last.1 = last.1.max(to),
            None => spans.push((from, to)),
        }
    }
    spans
}

impl Behind {
    /// Looks for the processes of requests about which something is new.
    pub(super) fn settle(&mut self, asked: &Asked, seen: &mut Seen, news: &News) {
        for &number in &news.requests {
            self.index(asked, number);
        }
        if !news.pods.is_empty() {
            self.again.append(&mut self.unsure);
        }
        for pod in &news.pods {
            self.again.extend(self.by_pod.get(pod).into_iter().flatten());
        }
        for proc in std::mem::take(&mut seen.moved) {
            self.moved(asked, seen, proc);
        }
        for start in std::mem::take(&mut seen.new_starts) {
            self.offer(asked, seen, start);
        }
        while let Some(turn) = self.again.pop_first() {
            self.look(asked, seen, turn);
        }
    }

    /// How often a request was looked at.
    #[cfg(test)]
    pub(super) fn looks(&self) -> u64 {
        self.looks
    }

    fn index(&mut self, asked: &Asked, number: usize) {
        let (request, turn) = (&asked.requests[number], turn(asked, number));
        let pod = (request.namespace.clone(), request.pod.clone());
        if request.action == Action::Exec {
            self.by_words.insert((likeness(&request.argv), request.key.1, number));
        } else {
            self.others.entry(pod.clone()).or_default().insert(turn);
        }
        self.by_pod.entry(pod).or_default().insert(turn);
        self.again.insert(turn);
    }

    /// A process is in another container than was known: what it ran, and what those that came from it ran, may be somebody's now.
    fn moved(&mut self, asked: &Asked, seen: &Seen, proc: Proc) {
        for proc in seen.children_of(proc).chain([proc]) {
            for start in seen.starts_of(proc) {
                self.again.extend(self.taken.get(&start));
                self.offer(asked, seen, start);
            }
        }
        self.free(asked, seen, proc);
    }

    /// A process is there to be had by what is not an exec.
    fn free(&mut self, asked: &Asked, seen: &Seen, proc: Proc) {
        let pod = seen.container_of(proc).and_then(|container| seen.pod(asked, container));
        let lasts = |turn: &&Turn| {
            let ended = asked.requests[turn.2].ended.filter(|_| proc.2 != 0);
            ended.is_none_or(|ended| proc.2 <= ended.saturating_add(LATE_DEBUG))
        };
        self.again.extend(pod.and_then(|pod| self.others.get(&pod)).into_iter().flatten().filter(lasts));
    }

    /// A start is there to be had: those look again for which it is better than what they have, or one that they may have meant, too.
    fn offer(&mut self, asked: &Asked, seen: &Seen, start: Start) {
        let Some(container) = seen.container_of(start.1) else { return };
        for number in self.like(asked, seen, start) {
            let request = &asked.requests[number];
            let Some(rank) = rank(asked, seen, request, start, container) else { continue };
            let known = self.answers.get(&number);
            let is_guess = rank.0 == Fit::Unknown;
            let is_new = is_guess && known.is_none_or(|known| !known.guesses.contains(&container));
            let is_better = known.is_none_or(|known| known.rank < Some(rank) && !(is_guess && known.guesses.len() > 1));
            if is_new || is_better {
                self.again.insert(turn(asked, number));
            }
        }
        self.free(asked, seen, start.1);
    }

    /// A start is somebody's: who could not tell containers from each other may be able to without it.
    fn claimed(&mut self, asked: &Asked, seen: &Seen, start: Start) {
        let Some(container) = seen.container_of(start.1) else { return };
        for number in self.like(asked, seen, start) {
            let known = self.answers.get(&number);
            if known.is_some_and(|known| known.guesses.len() > 1 && known.guesses.contains(&container)) {
                self.again.insert(turn(asked, number));
            }
        }
    }

    /// Execs whose command a start may be, and that may have begun it.
    fn like(&self, asked: &Asked, seen: &Seen, start: Start) -> Vec<usize> {
        let is_its = |number: &usize| {
            let request = &asked.requests[*number];
            let (from, to) = window(request);
            (from..=to).contains(&start.0) && !is_refused(request)
        };
        let of = |like| {
            let from = (like, start.0.saturating_sub(LATE), 0);
            self.by_words.range(from..=(like, start.0.saturating_add(EARLY), usize::MAX)).map(|(.., number)| *number)
        };
        likenesses(seen.argv(start)).flat_map(of).filter(is_its).collect()
    }

    /// A request chooses; those look again that it takes something from, and those that may have what it leaves.
    fn look(&mut self, asked: &Asked, seen: &Seen, turn: Turn) {
        #[cfg(test)]
        {
            self.looks += 1;
        }
        let before = self.leave(turn);
        let request = &asked.requests[turn.2];
        let answer = match request.action {
            _ if is_refused(request) => Answer::default(),
            // What it ran is too long ago to be chosen again, and is its nevertheless.
            _ if before.start.is_some_and(|start| seen.argv(start).is_empty()) => before.clone(),
            Action::Exec => self.exec(asked, seen, turn),
            Action::Debug => Self::debug(asked, seen, request),
            Action::Attach => self.attach(asked, seen, turn),
        };
        if let Some(start) = answer.start {
            self.again.extend(self.taken.insert(start, turn));
        }
        for &proc in &answer.roots {
            let all = self.roots.entry(proc).or_default();
            self.again.extend(all.range(turn..));
            all.insert(turn);
        }
        if let Some(container) = answer.whole {
            self.whole.entry(container).or_default().insert(turn);
        }
        if !answer.guesses.is_empty() {
            self.unsure.insert(turn);
        }
        if before.start != answer.start {
            before.start.into_iter().for_each(|start| self.offer(asked, seen, start));
            answer.start.into_iter().for_each(|start| self.claimed(asked, seen, start));
        }
        for &proc in before.roots.difference(&answer.roots) {
            self.free(asked, seen, proc);
        }
        // It has just chosen from what it left, too.
        self.again.remove(&turn);
        self.answers.insert(turn.2, answer);
    }

    /// A request gives up what it had.
    fn leave(&mut self, turn: Turn) -> Answer {
        let Some(answer) = self.answers.remove(&turn.2) else { return Answer::default() };
        if let Some(start) = answer.start.filter(|start| self.taken.get(start) == Some(&turn)) {
            self.taken.remove(&start);
        }
        for proc in &answer.roots {
            if let Some(all) = self.roots.get_mut(proc) {
                all.remove(&turn);
            }
        }
        if let Some(all) = answer.whole.and_then(|container| self.whole.get_mut(&container)) {
            all.remove(&turn);
        }
        self.unsure.remove(&turn);
        answer
    }

    /// Whether nobody has a start who chose before.
    fn is_free(&self, start: Start, turn: Turn) -> bool {
        self.taken.get(&start).is_none_or(|other| *other >= turn)
    }

    /// Whether nobody has a process who chose before.
    fn is_nobodys(&self, proc: Proc, turn: Turn) -> bool {
        self.roots.get(&proc).is_none_or(|all| all.range(..turn).next().is_none())
    }

    fn exec(&self, asked: &Asked, seen: &Seen, turn: Turn) -> Answer {
        let request = &asked.requests[turn.2];
        let (mut guesses, mut best) = (BTreeSet::new(), None);
        for start in seen.starts_like(likeness(&request.argv), window(request)) {
            let Some(container) = seen.container_of(start.1).filter(|_| self.is_free(start, turn)) else { continue };
            let Some(rank) = rank(asked, seen, request, start, container) else { continue };
            if rank.0 == Fit::Unknown {
                guesses.insert(container);
            }
            if best.is_none_or(|(known, _)| known < rank) {
                best = Some((rank, start));
            }
        }
        // Where nothing tells the pods of two containers, there is nothing to choose by.
        let Some((rank, start)) = best.filter(|(rank, _)| rank.0 != Fit::Unknown || guesses.len() == 1) else {
            return Answer { guesses, ..Answer::default() };
        };
        let by = match rank.0 {
            Fit::Container => "container,command,time",
            Fit::Pod => "pod,command,time",
            _ => "command,time",
        };
        Answer { start: Some(start), rank: Some(rank), roots: [start.1].into(), by, guesses, ..Answer::default() }
    }

    /// An ephemeral container is its request's alone.
    fn debug(asked: &Asked, seen: &Seen, request: &Request) -> Answer {
        let named = seen.containers().find(|&n| seen.fit(asked, request, n) == Fit::Container);
        if named.is_some() {
            return Answer { whole: named, by: "container", ..Answer::default() };
        }
        // No status names it: the first that runs the command in a container of the pod that nothing ran in before.
        let begins = |start: Start| {
            let container = seen.container_of(start.1)?;
            let is_old = |proc: Proc| proc.2 != 0 && proc.2 < request.key.1.saturating_sub(EARLY);
            let fits = seen.fit(asked, request, container) == Fit::Pod && !seen.is_named(asked, container);
            let is_it = request.argv.is_empty() || words(&request.argv, seen.argv(start)).is_some();
            (fits && is_it && seen.is_entry(start.1) && !seen.procs_in(container).any(is_old)).then_some(container)
        };
        let whole = seen.starts_in(window(request)).find_map(begins);
        let by = if request.argv.is_empty() { "pod,time" } else { "pod,command,time" };
        Answer { whole, by, ..Answer::default() }
    }

    /// What an engine starts for an attach, or else what the attached process starts while it lasts.
    fn attach(&self, asked: &Asked, seen: &Seen, turn: Turn) -> Answer {
        let request = &asked.requests[turn.2];
        let fits = |container| seen.fit(asked, request, container) >= Fit::Pod;
        let own = seen.starts_in(window(request)).find(|&start| {
            let is_late = start.0 >= request.key.1 && self.is_free(start, turn) && seen.is_entry(start.1);
            is_late && seen.container_of(start.1).is_some_and(fits) && self.is_nobodys(start.1, turn)
        });
        if let Some(start) = own {
            let roots = [start.1].into();
            return Answer { start: own, roots, by: "container,time", ..Answer::default() };
        }
        let (from, to) = (request.started.unwrap_or(request.key.1), request.ended.unwrap_or(u64::MAX));
        let began = |proc: &Proc| (from..=to).contains(&proc.2) && self.is_nobodys(*proc, turn);
        let mains = seen.containers().filter(|&n| fits(n)).filter_map(|n| Some((n, seen.procs_in(n).reduce(elder)?)));
        let within = |container: u32| move |proc: &Proc| seen.container_of(*proc) == Some(container);
        let roots = mains.flat_map(|(n, main)| seen.children_of(main).filter(within(n))).filter(began).collect();
        Answer { roots, by: "container,parent,time", ..Answer::default() }
    }

    /// What a request and its processes have in common.
    pub(super) fn by(&self, number: usize) -> &'static str {
        let found = self.answers.get(&number).filter(|answer| !answer.roots.is_empty() || answer.whole.is_some());
        found.map_or("", |answer| answer.by)
    }

    /// Whether no request has a process.
    pub(super) fn is_empty(&self) -> bool {
        self.answers.keys().all(|&number| self.by(number).is_empty())
    }

    /// The number of the request that a process, or one above it, came from.
    pub(super) fn of(&self, seen: &Seen, proc: Proc) -> Option<usize> {
        let last = |all: &BTreeSet<Turn>| all.last().map(|turn| turn.2);
        let mut at = proc;
        for _ in 0..MAX_DEPTH {
            let own = self.roots.get(&at).and_then(last);
            let whole = || seen.container_of(at).and_then(|container| self.whole.get(&container)).and_then(last);
            if let Some(number) = own.or_else(whole) {
                return Some(number);
            }
            at = seen.creator_of(at)?;
        }
        None
    }
}

/// How well a start fits an exec, if it does.
fn rank(asked: &Asked, seen: &Seen, request: &Request, start: Start, container: u32) -> Option<Rank> {
    let fit = seen.fit(asked, request, container);
    let words = words(&request.argv, seen.argv(start)).filter(|_| fit != Fit::No)?;
    let distance = (start.0 < request.key.1, start.0.abs_diff(request.key.1));
    Some((fit, seen.is_entry(start.1), words, Reverse(distance)))
}

/// The elder of two processes. Rows of a process that nobody announced yet have no begin, and are not the one that is meant.
fn elder(one: Proc, other: Proc) -> Proc {
    let age = |proc: Proc| (proc.2 == 0, proc.2, proc.1);
    if age(other) < age(one) { other } else { one }
}
