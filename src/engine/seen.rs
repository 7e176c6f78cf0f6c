//! [`Seen`]: what rows of system calls say of processes: which container each is in, which process it came from, what it ran.

use super::asked::{Asked, PodName, Request};
use crate::batch::{Batch, Error, KindInfo, Row};
use crate::field::{Extract, FieldRef, lookup};
use crate::value::Value;
use crate::world::{Dict, ThreadRow};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A process: its stream, its id, and when it began, ns UTC.
pub(super) type Proc = (usize, u32, u64);

/// A program that was run: when, ns UTC, and by which process.
pub(super) type Start = (u64, Proc);

/// Processes and starts that are remembered at most.
const MOST: usize = 2 << 20;
/// How far parents are followed.
pub(super) const MAX_DEPTH: usize = 1024;

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

/// How well a container fits a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It is another one.
    No,
    /// Nothing says which pod it is of.
    Unknown,
    /// It is of the pod.
    Pod,
    /// It is the one.
    Container,
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

/// What is seen of processes.
pub(super) struct Seen {
    fields: Option<Fields>,
    containers: Vec<Container>,
    numbers: HashMap<Container, u32>,
    members: BTreeMap<Proc, Member>,
    /// Processes by container, and by the process that they came from.
    within: BTreeSet<(u32, Proc)>,
    children: BTreeSet<(Proc, Proc)>,
    /// Words of the programs that were run.
    starts: BTreeMap<Start, Vec<Vec<u8>>>,
    by_words: BTreeSet<(u64, Start)>,
    by_proc: BTreeSet<(Proc, Start)>,
    /// Only starts that are not older than this much behind the newest are kept, ns.
    keep: Option<u64>,
    /// What is new since somebody looked: programs that were run, processes that are in another container than was known.
    pub(super) new_starts: Vec<Start>,
    pub(super) moved: Vec<Proc>,
}

/// A thread's process.
fn process_of<'a>(dict: &'a Dict, thread: &'a ThreadRow) -> &'a ThreadRow {
    if thread.leader == 0 { thread } else { dict.thread(thread.leader) }
}

/// The process of a thread's row.
pub(super) fn proc_of(stream: usize, dict: &Dict, thread: &ThreadRow) -> Option<Proc> {
    let process = process_of(dict, thread);
    (process.pid != 0).then_some((stream, process.pid, process.start))
}

/// Whether a kind runs a program.
pub(super) fn is_exec(info: &KindInfo) -> bool {
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

/// What commands that may be the same have in common: the words behind the first, and the last part of its path.
pub(super) fn likeness(words: &[Vec<u8>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some((first, rest)) = words.split_first() {
        (first.rsplit(|&b| b == b'/').next(), rest).hash(&mut hasher);
    }
    hasher.finish()
}

/// The likenesses of a command that was run: `#! INTERPRETER [ONE ARGUMENT]` may stand before the path of a script.
pub(super) fn likenesses(ran: &[Vec<u8>]) -> impl Iterator<Item = u64> + '_ {
    (0..ran.len().min(3)).map(|before| likeness(&ran[before..]))
}

impl Seen {
    /// Keeps all that it sees, or only starts of the last `keep` ns.
    pub(super) fn new(keep: Option<u64>) -> Seen {
        Seen {
            fields: Fields::new(),
            containers: Vec::new(),
            numbers: HashMap::new(),
            members: BTreeMap::new(),
            within: BTreeSet::new(),
            children: BTreeSet::new(),
            starts: BTreeMap::new(),
            by_words: BTreeSet::new(),
            by_proc: BTreeSet::new(),
            keep,
            new_starts: Vec::new(),
            moved: Vec::new(),
        }
    }

    /// Takes in the processes of rows of a dictionary.
    pub(super) fn add_threads(&mut self, stream: usize, dict: &Dict, threads: &[u32]) {
        let Some(fields) = self.fields.take() else { return };
        for &row in threads {
            self.note(&fields, stream, dict, row, 0);
        }
        self.fields = Some(fields);
    }

    /// Takes in the programs that were run at times that `wants` names.
    pub(super) fn add_starts(
        &mut self,
        stream: usize,
        batch: &Batch,
        wants: impl Fn(u64) -> bool,
    ) -> Result<(), Error> {
        if batch.head().snapshot || !(0..batch.head().kinds.len()).any(|kind| is_exec(batch.kind_info(kind))) {
            return Ok(());
        }
        batch.for_each_row(|row| {
            if is_exec(row.info())
                && row.ret() == Some(0)
                && wants(row.time())
                && self.starts.len() < MOST
                && let Some(proc) = proc_of(stream, batch.dict(), row.thread())
            {
                self.start((row.time(), proc), argv(&row));
            }
        })?;
        self.forget();
        Ok(())
    }

    fn start(&mut self, start: Start, argv: Vec<Vec<u8>>) {
        self.by_words.extend(likenesses(&argv).map(|like| (like, start)));
        self.by_proc.insert((start.1, start));
        if self.starts.insert(start, argv).is_none() {
            self.new_starts.push(start);
        }
    }

    /// Forgets what is too long ago.
    fn forget(&mut self) {
        let (Some(keep), Some((last, _))) = (self.keep, self.starts.keys().next_back().copied()) else { return };
        while let Some(entry) = self.starts.first_entry().filter(|entry| entry.key().0.saturating_add(keep) < last) {
            let (start, argv) = entry.remove_entry();
            self.by_proc.remove(&(start.1, start));
            for like in likenesses(&argv) {
                self.by_words.remove(&(like, start));
            }
        }
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
                self.insert(proc, Member { container, ..known });
            }
            return;
        }
        if let Some(above) = creator.filter(|_| depth < MAX_DEPTH) {
            self.note(fields, stream, dict, above, depth + 1);
        }
        let creator = creator.and_then(|above| proc_of(stream, dict, dict.thread(above))).filter(|c| *c != proc);
        let follows = creator.is_some_and(|creator| self.members.contains_key(&creator));
        if (container.is_some() || follows) && self.members.len() < MOST {
            self.insert(proc, Member { container, creator });
        }
    }

    fn insert(&mut self, proc: Proc, member: Member) {
        if let Some(Member { container: Some(before), .. }) = self.members.insert(proc, member) {
            self.within.remove(&(before, proc));
        }
        self.within.extend(member.container.map(|container| (container, proc)));
        self.children.extend(member.creator.map(|creator| (creator, proc)));
        self.moved.push(proc);
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
    pub(super) fn fit(&self, asked: &Asked, request: &Request, container: u32) -> Fit {
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

    /// The pod that a container is known to be of.
    pub(super) fn pod(&self, asked: &Asked, container: u32) -> Option<PodName> {
        let container = &self.containers[container as usize];
        let [namespace, pod, _] = &container.told;
        let told = || (!pod.is_empty()).then(|| (namespace.clone(), pod.clone()));
        let known = asked.containers.get(&container.id).map(|known| (known.namespace.clone(), known.pod.clone()));
        known.or_else(told).or_else(|| asked.pods.get(&container.uid).cloned())
    }

    /// Whether a pod's status names a container.
    pub(super) fn is_named(&self, asked: &Asked, container: u32) -> bool {
        asked.containers.contains_key(&self.containers[container as usize].id)
    }

    /// The containers that processes were seen in.
    pub(super) fn containers(&self) -> std::ops::Range<u32> {
        0..self.containers.len() as u32
    }

    /// The container that a process is in.
    pub(super) fn container_of(&self, proc: Proc) -> Option<u32> {
        self.members.get(&proc).and_then(|member| member.container)
    }

    /// The process that another came from.
    pub(super) fn creator_of(&self, proc: Proc) -> Option<Proc> {
        self.members.get(&proc).and_then(|member| member.creator)
    }

    /// The processes that were seen in a container.
    pub(super) fn procs_in(&self, container: u32) -> impl Iterator<Item = Proc> + '_ {
        let all = (container, (0, 0, 0))..=(container, (usize::MAX, u32::MAX, u64::MAX));
        self.within.range(all).map(|(_, proc)| *proc)
    }

    /// The processes that came from one.
    pub(super) fn children_of(&self, proc: Proc) -> impl Iterator<Item = Proc> + '_ {
        let all = (proc, (0, 0, 0))..=(proc, (usize::MAX, u32::MAX, u64::MAX));
        self.children.range(all).map(|(_, child)| *child)
    }

    /// Whether a process came into its container from outside, as those do that its engine starts.
    pub(super) fn is_entry(&self, proc: Proc) -> bool {
        let Some(member) = self.members.get(&proc) else { return false };
        let above = member.creator.and_then(|creator| self.container_of(creator));
        above != member.container
    }

    /// Whether no program that was run is remembered.
    pub(super) fn ran_nothing(&self) -> bool {
        self.starts.is_empty()
    }

    /// The words of a program that was run.
    pub(super) fn argv(&self, start: Start) -> &[Vec<u8>] {
        self.starts.get(&start).map_or(&[], Vec::as_slice)
    }

    /// The programs that were run in a span of time, ns UTC, the first first.
    pub(super) fn starts_in(&self, (from, to): (u64, u64)) -> impl Iterator<Item = Start> + '_ {
        let all = if from <= to { span(from, to) } else { span(from, from) };
        self.starts.range(all).map(|(start, _)| *start)
    }

    /// Those of them that may be a command.
    pub(super) fn starts_like(&self, like: u64, (from, to): (u64, u64)) -> impl Iterator<Item = Start> + '_ {
        let all = span(from, to.max(from));
        self.by_words.range((like, *all.start())..=(like, *all.end())).map(|(_, start)| *start)
    }

    /// The programs that a process ran.
    pub(super) fn starts_of(&self, proc: Proc) -> impl Iterator<Item = Start> + '_ {
        let all = span(0, u64::MAX);
        self.by_proc.range((proc, *all.start())..=(proc, *all.end())).map(|(_, start)| *start)
    }
}

/// All starts of a span of time.
fn span(from: u64, to: u64) -> std::ops::RangeInclusive<Start> {
    (from, (0, 0, 0))..=(to, (usize::MAX, u32::MAX, u64::MAX))
}

#[cfg(test)]
impl Seen {
    /// A container of a pod's uid.
    pub(super) fn made_container(&mut self, id: &[u8], uid: &[u8]) -> u32 {
        self.containers.push(Container { id: id.to_vec(), uid: uid.to_vec(), told: Default::default() });
        self.containers.len() as u32 - 1
    }

    /// A process that is seen.
    pub(super) fn made_member(&mut self, proc: Proc, container: Option<u32>, creator: Option<Proc>) {
        self.insert(proc, Member { container, creator });
    }

    /// A program that is run.
    pub(super) fn made_start(&mut self, start: Start, argv: Vec<Vec<u8>>) {
        self.start(start, argv);
    }
}
