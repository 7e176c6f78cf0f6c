//! [`Behind`]: which Kubernetes request each process of a container came from.
//!
//! An audit event names namespace, pod, container and command, and no process; a process has a control group (pod uid, container id),
//! a command and a time. What the two have in common decides, the strongest first: the container, the pod, the command, the time.

use super::asked::{Action, Asked, Request};
use crate::batch::{Batch, Error, KindInfo, Row};
use crate::field::{Extract, FieldRef, lookup};
use crate::value::Value;
use crate::world::{Dict, ThreadRow};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A process: its stream, its id, and when it began, ns UTC.
pub(super) type Proc = (usize, u32, u64);

/// Clocks of two machines may differ, and a process may seem to begin before its request, ns.
const EARLY: u64 = 2_000_000_000;
/// How long an exec may take to begin where its end is not known, ns. Half a second was measured on a busy machine.
const LATE: u64 = 60_000_000_000;
/// How long an ephemeral container may take: its image is loaded first, ns.
const LATE_DEBUG: u64 = 600_000_000_000;
/// Processes and starts that are remembered at most.
const MOST: usize = 2 << 20;
/// How far parents are followed.
const MAX_DEPTH: usize = 1024;

/// A container that processes are in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Container {
    id: Vec<u8>,
    /// Of its pod, from the control group.
    uid: Vec<u8>,
    /// What its engine said of it: namespace, pod, name.
    told: [Vec<u8>; 3],
}

/// A process of a container, or one that came from such a one.
#[derive(Debug, Clone, Copy)]
struct Member {
    container: Option<u32>,
    creator: Option<Proc>,
}

/// A program that was run.
#[derive(Debug, Clone)]
struct Start {
    time: u64,
    proc: Proc,
    argv: Vec<Vec<u8>>,
}

/// How well a container fits a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is another one.
    No,
    /// Nothing says which pod it is of.
    Unknown,
    /// It is of the pod.
    Pod,
    /// It is the one.
    Container,
}

/// How well a command fits a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Words {
    /// A script: the kernel put its interpreter before it.
    Script,
    /// The same words.
    Same,
}

/// Fields that tell where a thread's row belongs.
struct Fields {
    id: FieldRef,
    uid: FieldRef,
    told: [FieldRef; 3],
}

impl Fields {
    fn new() -> Option<Fields> {
        let field = |name: &str| lookup(name).ok();
        let told =
            [field("k8s.ns.name")?, field("k8s.pod.name")?, field("container.label[io.kubernetes.container.name]")?];
        Some(Fields { id: field("container.full_id")?, uid: field("k8s.pod.uid")?, told })
    }
}

fn of_thread(field: &FieldRef, dict: &Dict, thread: &ThreadRow) -> Vec<u8> {
    let Extract::Thread(value) = field.field.extract else { return Vec::new() };
    if let Value::Text(text) = value(dict, thread, &field.arg) { text.into_owned() } else { Vec::new() }
}

/// Which request each process came from.
pub(super) struct Behind {
    fields: Option<Fields>,
    containers: Vec<Container>,
    numbers: HashMap<Container, u32>,
    members: BTreeMap<Proc, Member>,
    starts: Vec<Start>,
    /// Only starts that are not older than this much behind the newest are kept, ns.
    keep: Option<u64>,
    roots: HashMap<Proc, u32>,
    /// What each request and its processes have in common.
    pub(super) by: HashMap<u32, &'static str>,
    /// Requests whose container is theirs alone.
    whole: HashMap<u32, u32>,
    pub(super) is_new: bool,
}

/// A thread's process.
fn process_of<'a>(dict: &'a Dict, thread: &'a ThreadRow) -> &'a ThreadRow {
    if thread.leader == 0 { thread } else { dict.thread(thread.leader) }
}

fn proc_of(stream: usize, dict: &Dict, thread: &ThreadRow) -> Option<Proc> {
    let process = process_of(dict, thread);
    (process.pid != 0).then_some((stream, process.pid, process.start))
}

/// Whether a kind runs a program.
fn is_exec(info: &KindInfo) -> bool {
    matches!(info.name.as_str(), "execve" | "execveat")
}

/// The words of a command as the process sees them.
fn argv(row: &Row<'_>) -> Vec<Vec<u8>> {
    let dict = row.dict();
    let image = dict.image(row.thread().image);
    let args = dict.text(image.args);
    let args = args.strip_suffix(&[0]).map_or(Vec::new(), |args| args.split(|&b| b == 0).map(<[u8]>::to_vec).collect());
    [vec![dict.text(image.exe).to_vec()], args].concat()
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

impl Behind {
    /// Keeps all that it sees, or only starts of the last `keep` ns.
    pub(super) fn new(keep: Option<u64>) -> Behind {
        Behind {
            fields: Fields::new(),
            containers: Vec::new(),
            numbers: HashMap::new(),
            members: BTreeMap::new(),
            starts: Vec::new(),
            keep,
            roots: HashMap::new(),
            by: HashMap::new(),
            whole: HashMap::new(),
            is_new: false,
        }
    }

    /// Times at which requests may have begun something, in order and apart from each other, ns UTC.
    pub(super) fn spans(asked: &Asked) -> Vec<(u64, u64)> {
        let span = |request: &Request| {
            let late = if request.action == Action::Debug { LATE_DEBUG } else { LATE };
            (request.key.1.saturating_sub(EARLY), request.key.1.saturating_add(late))
        };
        let mut all: Vec<(u64, u64)> = asked.requests.iter().map(span).collect();
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

    /// Takes in the processes of a batch, and the programs that were run at times that `wants` names.
    pub(super) fn add(&mut self, stream: usize, batch: &Batch, wants: impl Fn(u64) -> bool) -> Result<(), Error> {
        let Some(fields) = self.fields.take() else { return Ok(()) };
        let dict = batch.dict();
        for &row in &batch.head().threads {
            self.note(&fields, stream, dict, row, 0);
        }
        self.fields = Some(fields);
        if batch.head().snapshot || !(0..batch.head().kinds.len()).any(|kind| is_exec(batch.kind_info(kind))) {
            return Ok(());
        }
        batch.for_each_row(|row| {
            if is_exec(row.info())
                && row.ret() == Some(0)
                && wants(row.time())
                && self.starts.len() < MOST
                && let Some(proc) = proc_of(stream, dict, row.thread())
            {
                self.starts.push(Start { time: row.time(), proc, argv: argv(&row) });
                self.is_new = true;
            }
        })?;
        if let (Some(keep), Some(last)) = (self.keep, self.starts.last().map(|start| start.time)) {
            self.starts.retain(|start| start.time.saturating_add(keep) >= last);
        }
        Ok(())
    }

    /// Notes the process of a thread's row, if it is in a container or came from one that is noted.
    fn note(&mut self, fields: &Fields, stream: usize, dict: &Dict, row: u32, depth: usize) {
        let thread = dict.thread(row);
        let Some(proc) = proc_of(stream, dict, thread) else { return };
        let process = process_of(dict, thread);
        let above = if process.creator != 0 { process.creator } else { process.parent };
        let creator = Some(above).filter(|&above| above != 0 && above < row);
        let known = self.members.get(&proc).copied();
        let id = of_thread(&fields.id, dict, thread);
        let is_in = !id.is_empty() && id != b"host";
        let container = if is_in { Some(self.container(fields, dict, thread, id)) } else { None };
        if let Some(known) = known.filter(|known| known.creator.is_some() || creator.is_none()) {
            // Where it is may only be known from the second event on.
            if container.is_some() && known.container != container {
                self.members.insert(proc, Member { container, ..known });
                self.is_new = true;
            }
            return;
        }
        if let Some(above) = creator.filter(|_| depth < MAX_DEPTH) {
            self.note(fields, stream, dict, above, depth + 1);
        }
        let creator = creator.and_then(|above| proc_of(stream, dict, dict.thread(above))).filter(|c| *c != proc);
        let follows = creator.is_some_and(|creator| self.members.contains_key(&creator));
        if (container.is_some() || follows) && self.members.len() < MOST {
            self.members.insert(proc, Member { container, creator });
            self.is_new = true;
        }
    }

    fn container(&mut self, fields: &Fields, dict: &Dict, thread: &ThreadRow, id: Vec<u8>) -> u32 {
        let told = fields.told.each_ref().map(|field| of_thread(field, dict, thread));
        let container = Container { id, uid: of_thread(&fields.uid, dict, thread), told };
        let next = self.containers.len() as u32;
        *self.numbers.entry(container).or_insert_with_key(|container| {
            self.containers.push(container.clone());
            next
        })
    }

    /// How a container fits what a request names.
    fn fit(&self, asked: &Asked, request: &Request, container: u32) -> Fit {
        let container = &self.containers[container as usize];
        let names = |namespace: &[u8], pod: &[u8], name: &[u8]| {
            if (namespace, pod) != (&request.namespace, &request.pod) {
                Fit::No
            } else if request.container.is_empty() || name.is_empty() {
                Fit::Pod
            } else if name == request.container {
                Fit::Container
            } else {
                Fit::No
            }
        };
        if let Some(known) = asked.containers.get(&container.id) {
            return names(&known.namespace, &known.pod, &known.name);
        }
        let [namespace, pod, name] = &container.told;
        if !pod.is_empty() {
            return names(namespace, pod, name);
        }
        let same = |(namespace, pod): &(Vec<u8>, Vec<u8>)| (namespace, pod) == (&request.namespace, &request.pod);
        if let Some(known) = asked.pods.get(&container.uid) {
            return if same(known) { Fit::Pod } else { Fit::No };
        }
        // The pod's own uid is known, and it is not this one.
        let has_other = asked.uids.contains_key(&(request.namespace.clone(), request.pod.clone()));
        if has_other && !container.uid.is_empty() { Fit::No } else { Fit::Unknown }
    }

    fn container_of(&self, proc: Proc) -> Option<u32> {
        self.members.get(&proc).and_then(|member| member.container)
    }

    /// Whether a process came into its container from outside, as those do that its engine starts.
    fn is_entry(&self, proc: Proc) -> bool {
        let Some(member) = self.members.get(&proc) else { return false };
        let above = member.creator.and_then(|creator| self.container_of(creator));
        above != member.container
    }

    /// Looks for the processes of every request.
    pub(super) fn settle(&mut self, asked: &Asked) {
        self.roots.clear();
        self.by.clear();
        self.whole.clear();
        self.starts.sort_by_key(|start| (start.time, start.proc));
        let mut order: Vec<usize> = (0..asked.requests.len()).collect();
        order.sort_by_key(|&n| (asked.requests[n].key.1, n));
        let is_in = |n: &usize| asked.requests[*n].code.is_none_or(|code| code < 400);
        order.retain(is_in);
        let of = |action: Action| order.iter().copied().filter(move |&n| asked.requests[n].action == action);
        let mut used = HashSet::new();
        for number in of(Action::Exec) {
            self.exec(asked, number, &mut used);
        }
        for number in of(Action::Debug) {
            self.debug(asked, number);
        }
        for number in of(Action::Attach) {
            self.attach(asked, number, &mut used);
        }
        self.is_new = false;
    }

    /// Places of starts at which a request may have begun something.
    fn window(&self, request: &Request, late: u64) -> std::ops::Range<usize> {
        let received = request.key.1;
        let until = received.saturating_add(late);
        let until = request.ended.map_or(until, |ended| until.min(ended.saturating_add(EARLY)));
        let from = self.starts.partition_point(|start| start.time < received.saturating_sub(EARLY));
        from..self.starts.partition_point(|start| start.time <= until).max(from)
    }

    fn exec(&mut self, asked: &Asked, number: usize, used: &mut HashSet<usize>) {
        let request = &asked.requests[number];
        let mut guesses = HashSet::new();
        let mut best = None;
        for place in self.window(request, LATE) {
            let start = &self.starts[place];
            let Some(container) = self.container_of(start.proc).filter(|_| !used.contains(&place)) else { continue };
            let (fit, words) = (self.fit(asked, request, container), words(&request.argv, &start.argv));
            let Some(words) = words.filter(|_| fit != Fit::No) else { continue };
            if fit == Fit::Unknown {
                guesses.insert(container);
            }
            // After the request rather than before it, and then the nearest.
            let distance = (start.time < request.key.1, start.time.abs_diff(request.key.1));
            let rank = (fit, self.is_entry(start.proc), words, std::cmp::Reverse(distance));
            if best.as_ref().is_none_or(|(known, _)| *known < rank) {
                best = Some((rank, place));
            }
        }
        let Some(((fit, ..), place)) = best else { return };
        // Where nothing tells the pods of two containers, there is nothing to choose by.
        if fit == Fit::Unknown && guesses.len() > 1 {
            return;
        }
        used.insert(place);
        let by = match fit {
            Fit::Container => "container,command,time",
            Fit::Pod => "pod,command,time",
            _ => "command,time",
        };
        self.root(self.starts[place].proc, number, by);
    }

    fn root(&mut self, proc: Proc, number: usize, by: &'static str) {
        self.roots.insert(proc, number as u32);
        self.by.insert(number as u32, by);
    }

    /// An ephemeral container is its request's alone.
    fn debug(&mut self, asked: &Asked, number: usize) {
        let request = &asked.requests[number];
        let named = (0..self.containers.len() as u32).find(|&n| self.fit(asked, request, n) == Fit::Container);
        if let Some(container) = named {
            self.whole.insert(container, number as u32);
            self.by.insert(number as u32, "container");
            return;
        }
        // No status names it: the first that runs the command in a container of the pod that nothing ran in before.
        let begins = |start: &Start| {
            let container = self.container_of(start.proc)?;
            let is_old = self.starts.iter().any(|other| {
                other.time < request.key.1.saturating_sub(EARLY) && self.container_of(other.proc) == Some(container)
            });
            let is_of_pod = self.fit(asked, request, container) == Fit::Pod;
            let fits = is_of_pod && !is_old && !asked.containers.contains_key(&self.containers[container as usize].id);
            let is_it = request.argv.is_empty() || words(&request.argv, &start.argv).is_some();
            (fits && is_it && self.is_entry(start.proc)).then_some(container)
        };
        // Its request ends long before the container begins.
        let window = self.window(&Request { ended: None, ..request.clone() }, LATE_DEBUG);
        if let Some(container) = self.starts[window].iter().find_map(begins) {
            self.whole.insert(container, number as u32);
            self.by.insert(number as u32, if request.argv.is_empty() { "pod,time" } else { "pod,command,time" });
        }
    }

    /// What an engine starts for an attach, or else what the attached process starts while it lasts.
    fn attach(&mut self, asked: &Asked, number: usize, used: &mut HashSet<usize>) {
        let request = &asked.requests[number];
        let fits = |container| self.fit(asked, request, container) >= Fit::Pod;
        let own = self.window(request, LATE).find(|&place| {
            let start = &self.starts[place];
            let is_late = start.time >= request.key.1 && !used.contains(&place) && self.is_entry(start.proc);
            is_late && self.container_of(start.proc).is_some_and(fits) && !self.roots.contains_key(&start.proc)
        });
        if let Some(place) = own {
            used.insert(place);
            self.root(self.starts[place].proc, number, "container,time");
            return;
        }
        let mut eldest: BTreeMap<u32, Proc> = BTreeMap::new();
        for (&proc, member) in &self.members {
            let Some(container) = member.container.filter(|&container| fits(container)) else { continue };
            let first = eldest.entry(container).or_insert(proc);
            *first = elder(*first, proc);
        }
        let until = request.ended.unwrap_or(u64::MAX);
        let from = request.started.unwrap_or(request.key.1);
        let began = |proc: &Proc, member: &Member| {
            let main = member.container.and_then(|container| eldest.get(&container));
            (from..=until).contains(&proc.2) && main.is_some_and(|main| member.creator == Some(*main))
        };
        let mut children: Vec<Proc> =
            self.members.iter().filter(|(proc, member)| began(proc, member)).map(|(proc, _)| *proc).collect();
        children.sort_unstable();
        children.retain(|proc| !self.roots.contains_key(proc));
        for proc in children {
            self.root(proc, number, "container,parent,time");
        }
    }

    /// The number of the request that a process, or one above it, came from.
    pub(super) fn of(&self, proc: Proc) -> Option<u32> {
        let mut at = proc;
        for _ in 0..MAX_DEPTH {
            if let Some(&number) = self.roots.get(&at) {
                return Some(number);
            }
            let member = self.members.get(&at)?;
            if let Some(number) = member.container.and_then(|container| self.whole.get(&container)) {
                return Some(*number);
            }
            at = member.creator?;
        }
        None
    }

    /// The process of a thread's row.
    pub(super) fn proc(stream: usize, dict: &Dict, thread: &ThreadRow) -> Option<Proc> {
        proc_of(stream, dict, thread)
    }
}

/// The elder of two processes. Rows of a process that nobody announced yet have no begin, and are not the one that is meant.
fn elder(one: Proc, other: Proc) -> Proc {
    let age = |proc: Proc| (proc.2 == 0, proc.2, proc.1);
    if age(other) < age(one) { other } else { one }
}
