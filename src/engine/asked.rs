//! [`Asked`]: what audit events say of requests: those that run something in a pod, which containers a pod has, and what the stages
//! of each request say together.

use crate::batch::{Batch, Error, KindInfo, Row};
use crate::field::{Context, FieldRef, lookup};
use crate::value::{Value, json_items, json_member, json_text};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Requests that are remembered at most, and containers.
const MOST: usize = 4 << 20;

/// A request: its audit id, which a client may choose, and when it came, ns UTC.
pub(super) type Key = (Vec<u8>, u64);

/// Namespace and name of a pod.
pub(super) type PodName = (Vec<u8>, Vec<u8>);

/// What a request asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// A command in a container.
    Exec,
    /// A new container in a pod that runs.
    Debug,
    /// What runs in a container already.
    Attach,
}

impl Action {
    /// As `proc.audit.action` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Action::Exec => "exec",
            Action::Attach => "attach",
            Action::Debug => "debug",
        }
    }
}

/// A request that runs something in a pod.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) key: Key,
    pub(super) action: Action,
    pub(super) user: Vec<u8>,
    pub(super) impuser: Vec<u8>,
    pub(super) address: Vec<u8>,
    pub(super) claimed: Vec<u8>,
    pub(super) agent: Vec<u8>,
    pub(super) credential: Vec<u8>,
    pub(super) namespace: Vec<u8>,
    pub(super) pod: Vec<u8>,
    /// Empty where none is named: the pod has one, or the first is meant.
    pub(super) container: Vec<u8>,
    pub(super) argv: Vec<Vec<u8>>,
    /// When it was let in, and when it ended, ns UTC.
    pub(super) started: Option<u64>,
    pub(super) ended: Option<u64>,
    pub(super) code: Option<i64>,
}

/// What the stages of a request say together.
#[derive(Debug, Clone, Default)]
pub(super) struct Whole {
    pub(super) code: Option<i64>,
    /// ns until the last stage.
    pub(super) latency: u64,
    pub(super) name: Vec<u8>,
    /// Bits: see [`STAGES`].
    pub(super) stages: u8,
}

/// Stages in the order in which they come.
pub(super) const STAGES: [&str; 4] = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];

/// A container as its pod's status names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) namespace: Vec<u8>,
    pub(super) pod: Vec<u8>,
    pub(super) name: Vec<u8>,
}

/// Fields that are asked of audit events.
struct Fields {
    id: FieldRef,
    received: FieldRef,
    stage: FieldRef,
    code: FieldRef,
    latency: FieldRef,
    resource: FieldRef,
    subresource: FieldRef,
    namespace: FieldRef,
    name: FieldRef,
    verb: FieldRef,
    user: FieldRef,
    impuser: FieldRef,
    address: FieldRef,
    claimed: FieldRef,
    agent: FieldRef,
    credential: FieldRef,
    container: FieldRef,
    args: FieldRef,
    sent: FieldRef,
    answer: FieldRef,
}

impl Fields {
    fn new() -> Option<Fields> {
        let field = |name: &str| lookup(name).ok();
        Some(Fields {
            id: field("ka.auditid")?,
            received: field("ka.received")?,
            stage: field("ka.stage")?,
            code: field("ka.response.code")?,
            latency: field("ka.latency")?,
            resource: field("ka.target.resource")?,
            subresource: field("ka.target.subresource")?,
            namespace: field("ka.target.namespace")?,
            name: field("ka.target.name")?,
            verb: field("ka.verb")?,
            user: field("ka.user.name")?,
            impuser: field("ka.impuser.name")?,
            address: field("ka.sourceip")?,
            claimed: field("ka.sourceip.claimed")?,
            agent: field("ka.useragent")?,
            credential: field("ka.user.credential")?,
            container: field("ka.exec.container")?,
            args: field("ka.exec.args")?,
            sent: field("jevt.value[/requestObject]")?,
            answer: field("jevt.value[/responseObject]")?,
        })
    }
}

/// What is new since somebody looked.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Numbers of requests.
    pub(super) requests: BTreeSet<usize>,
    /// Pods of which more is known.
    pub(super) pods: BTreeSet<PodName>,
}

/// What audit events say.
pub(super) struct Asked {
    fields: Option<Fields>,
    /// Whether anybody asks for [`Whole`] requests, and for those that run something.
    wants: (bool, bool),
    pub(super) requests: Vec<Request>,
    by_key: HashMap<Key, usize>,
    pub(super) whole: HashMap<Key, Whole>,
    /// By whole id.
    pub(super) containers: HashMap<Vec<u8>, Known>,
    /// Namespace and name of pods by their uid.
    pub(super) pods: HashMap<Vec<u8>, PodName>,
    /// Uids that a pod's name had.
    pub(super) uids: BTreeMap<PodName, Vec<Vec<u8>>>,
    pub(super) news: News,
    /// Whether there was any audit event.
    pub(super) has_events: bool,
}

/// A field's text; empty for none, items of a list with commas between.
fn text(field: &FieldRef, row: &Row<'_>) -> Vec<u8> {
    match field.value(row, &Context::default()) {
        Value::Text(text) => text.into_owned(),
        Value::List(_) => list(field, row).join(&b','),
        _ => Vec::new(),
    }
}

fn list(field: &FieldRef, row: &Row<'_>) -> Vec<Vec<u8>> {
    let own = |value: Value<'_>| if let Value::Text(text) = value { Some(text.into_owned()) } else { None };
    match field.value(row, &Context::default()) {
        Value::List(values) => values.into_iter().filter_map(own).collect(),
        one => own(one).into_iter().collect(),
    }
}

fn number(field: &FieldRef, row: &Row<'_>) -> Option<i64> {
    match field.value(row, &Context::default()) {
        Value::Int(n) => Some(n),
        Value::Uint(n) => i64::try_from(n).ok(),
        _ => None,
    }
}

/// Whether a kind is that of audit events.
pub(super) fn is_audit(info: &KindInfo) -> bool {
    info.name == AUDIT
}

/// Whether a batch has audit events.
pub(super) fn has_audit(batch: &Batch) -> bool {
    (0..batch.head().kinds.len()).any(|kind| is_audit(batch.kind_info(kind)))
}

/// The kind of audit events.
const AUDIT: &str = "k8saudit";

impl Asked {
    /// Wants [`Whole`] requests, and those that run something in a pod.
    pub(super) fn new(wants_whole: bool, wants_runs: bool) -> Asked {
        Asked {
            fields: Fields::new(),
            wants: (wants_whole, wants_runs),
            requests: Vec::new(),
            by_key: HashMap::new(),
            whole: HashMap::new(),
            containers: HashMap::new(),
            pods: HashMap::new(),
            uids: BTreeMap::new(),
            news: News::default(),
            has_events: false,
        }
    }

    /// The request that an audit event is a stage of.
    pub(super) fn key(&self, row: &Row<'_>) -> Option<Key> {
        let fields = self.fields.as_ref()?;
        Some((text(&fields.id, row), number(&fields.received, row)? as u64))
    }

    /// The number of a request that runs something.
    pub(super) fn number(&self, key: &Key) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    /// Takes a batch's audit events in.
    pub(super) fn add(&mut self, batch: &Batch) -> Result<(), Error> {
        if !has_audit(batch) {
            return Ok(());
        }
        self.has_events = true;
        let Some(fields) = self.fields.take() else { return Ok(()) };
        let done = batch.for_each_row(|row| {
            if is_audit(row.info()) {
                self.row(&fields, &row);
            }
        });
        self.fields = Some(fields);
        done
    }

    fn row(&mut self, fields: &Fields, row: &Row<'_>) {
        if self.wants.0 {
            self.stage(fields, row);
        }
        if self.wants.1 && text(&fields.resource, row) == b"pods" {
            self.pod(fields, row);
        }
    }

    /// One stage more of a request.
    fn stage(&mut self, fields: &Fields, row: &Row<'_>) {
        let Some(received) = number(&fields.received, row) else { return };
        let key = (text(&fields.id, row), received as u64);
        if self.whole.len() >= MOST && !self.whole.contains_key(&key) {
            return;
        }
        let whole = self.whole.entry(key).or_default();
        let latency = number(&fields.latency, row).unwrap_or(0) as u64;
        let is_last = latency >= whole.latency;
        whole.latency = whole.latency.max(latency);
        if let Some(code) = number(&fields.code, row).filter(|_| is_last || whole.code.is_none()) {
            whole.code = Some(code);
        }
        let name = text(&fields.name, row);
        if !name.is_empty() && (is_last || whole.name.is_empty()) {
            whole.name = name;
        }
        let stage = text(&fields.stage, row);
        if let Some(place) = STAGES.iter().position(|name| name.as_bytes() == stage) {
            whole.stages |= 1 << place;
        }
    }

    /// An event about pods: a request that runs something, or what a pod is.
    fn pod(&mut self, fields: &Fields, row: &Row<'_>) {
        let (subresource, verb) = (text(&fields.subresource, row), text(&fields.verb, row));
        match subresource.as_slice() {
            b"exec" => self.request(fields, row, Action::Exec),
            b"attach" => self.request(fields, row, Action::Attach),
            b"ephemeralcontainers" if matches!(verb.as_slice(), b"patch" | b"update") => {
                self.request(fields, row, Action::Debug);
                self.status(&text(&fields.answer, row));
            }
            b"" | b"status" | b"ephemeralcontainers" if verb != b"list" && verb != b"watch" => {
                self.status(&text(&fields.answer, row));
            }
            b"" if verb == b"list" => {
                let answer = text(&fields.answer, row);
                let items = json_member(&answer, b"items").filter(|items| items.first() == Some(&b'['));
                for item in items.into_iter().flat_map(json_items) {
                    self.status(item.value);
                }
            }
            _ => {}
        }
    }

    fn request(&mut self, fields: &Fields, row: &Row<'_>, action: Action) {
        let Some(received) = number(&fields.received, row) else { return };
        let key = (text(&fields.id, row), received as u64);
        let number_of = self.by_key.get(&key).copied();
        if number_of.is_none() && self.requests.len() >= MOST {
            return;
        }
        let place = number_of.unwrap_or_else(|| {
            self.requests.push(Request {
                key: key.clone(),
                action,
                user: text(&fields.user, row),
                impuser: Vec::new(),
                address: text(&fields.address, row),
                claimed: text(&fields.claimed, row),
                agent: text(&fields.agent, row),
                credential: text(&fields.credential, row),
                namespace: text(&fields.namespace, row),
                pod: text(&fields.name, row),
                container: text(&fields.container, row),
                argv: list(&fields.args, row),
                started: None,
                ended: None,
                code: None,
            });
            self.requests.len() - 1
        });
        self.by_key.insert(key, place);
        let request = &mut self.requests[place];
        let impuser = text(&fields.impuser, row);
        if !impuser.is_empty() {
            request.impuser = impuser;
        }
        if let Some(code) = number(&fields.code, row) {
            request.code = Some(code);
        }
        match text(&fields.stage, row).as_slice() {
            b"ResponseStarted" => request.started = Some(row.time()),
            b"ResponseComplete" | b"Panic" => request.ended = Some(row.time()),
            _ => {}
        }
        if action == Action::Debug {
            let (name, argv) = debugged(&text(&fields.sent, row), &text(&fields.answer, row));
            if !name.is_empty() {
                (request.container, request.argv) = (name, argv);
            }
        }
        self.news.requests.insert(place);
    }

    /// What a pod's object says of its containers.
    fn status(&mut self, pod: &[u8]) {
        let said = |value: &[u8], path: &[&str]| {
            let found = path.iter().try_fold(value, |value, key| json_member(value, key.as_bytes()));
            found.map(|value| json_text(value).into_owned()).unwrap_or_default()
        };
        let (namespace, name) = (said(pod, &["metadata", "namespace"]), said(pod, &["metadata", "name"]));
        if name.is_empty() || self.containers.len() >= MOST || self.pods.len() >= MOST {
            return;
        }
        let uid = said(pod, &["metadata", "uid"]);
        if !uid.is_empty() && self.pods.insert(uid.clone(), (namespace.clone(), name.clone())).is_none() {
            self.uids.entry((namespace.clone(), name.clone())).or_default().push(uid);
            self.news.pods.insert((namespace.clone(), name.clone()));
        }
        let Some(status) = json_member(pod, b"status") else { return };
        for key in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
            let list = json_member(status, key.as_bytes()).filter(|list| list.first() == Some(&b'['));
            for item in list.into_iter().flat_map(json_items) {
                // `containerd://ID`: the runtime, and the id as control groups have it.
                let id = said(item.value, &["containerID"]);
                let id = id.windows(3).position(|three| three == b"://").map_or(&id[..], |at| &id[at + 3..]).to_vec();
                if id.is_empty() {
                    continue;
                }
                let known =
                    Known { namespace: namespace.clone(), pod: name.clone(), name: said(item.value, &["name"]) };
                if self.containers.insert(id, known).is_none() {
                    self.news.pods.insert((namespace.clone(), name.clone()));
                }
            }
        }
    }
}

/// Name and command of the ephemeral container that a patch or an update adds: the last of the list.
fn debugged(sent: &[u8], answer: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let listed = |body| {
        let list = json_member(json_member(body, b"spec")?, b"ephemeralContainers")?;
        (list.first() == Some(&b'[')).then(|| json_items(list).last()).flatten()
    };
    let Some(item) = listed(sent).or_else(|| listed(answer)) else { return (Vec::new(), Vec::new()) };
    let name = json_member(item.value, b"name").map(|name| json_text(name).into_owned()).unwrap_or_default();
    let words = |key: &[u8]| {
        let list = json_member(item.value, key).filter(|list| list.first() == Some(&b'['));
        list.into_iter().flat_map(json_items).map(|word| json_text(word.value).into_owned()).collect::<Vec<_>>()
    };
    // Without a command the image's is run, and arguments alone do not say what.
    let command = words(b"command");
    let argv = if command.is_empty() { Vec::new() } else { [command, words(b"args")].concat() };
    (name, argv)
}
