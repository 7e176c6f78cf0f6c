//! [`Tracker`]: walks through the rows of a stream in order and tells of each what depends on those before it.
//!
//! It stands between the reader and the questions, and only where one of them names such a field. What is open, and who lives, a
//! [`World`] tells that is made again from the rows of the segment, as for a question about state; the rest are sums of its own.

use super::replay::Replay;
use crate::batch::{Batch, Carried, Error, KindInfo, NOT_CARRIED, Row};
use crate::event::{Class, Flags, ParamType};
use crate::field::{Carry, desc_name, type_word};
use crate::world::{DescRow, Endpoint, World};
use foldhash::fast::FixedState;
use std::collections::BTreeSet;
use std::sync::Arc;

type HashMap<K, V> = std::collections::HashMap<K, V, FixedState>;

/// What the questions want carried.
pub(super) type Wanted = BTreeSet<Carry>;

/// Those that are told by a world.
fn is_of_world(carry: Carry) -> bool {
    carry >= Carry::Threads
}

/// Those that are texts.
fn is_text(carry: Carry) -> bool {
    carry >= Carry::Types
}

/// Places of parameters by kind of a batch.
#[derive(Debug, Clone, Default)]
struct Places {
    memory: Option<[usize; 3]>,
    faults: Option<[usize; 2]>,
    list: Option<usize>,
    is_state: bool,
    what: What,
}

/// Kinds that are looked at more closely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum What {
    #[default]
    Other,
    /// A fork: child's thread and process.
    Fork(usize, usize),
    /// Processor time: since the last such row, and so far.
    CpuTime(usize, usize),
    Switch,
    Exit,
    /// Its descriptor is gone behind it.
    Close,
}

impl Places {
    fn of(info: &KindInfo) -> Places {
        let place = |name: &str| info.params.iter().position(|p| p.name == name);
        let all = |names: &[&str]| names.iter().map(|name| place(name)).collect::<Option<Vec<usize>>>();
        let what = match info.name.as_str() {
            "procfork" => place("child_tid").zip(place("child_pid")).map_or(What::Other, |(t, p)| What::Fork(t, p)),
            "cputime" => place("delta").zip(place("total")).map_or(What::Other, |(d, t)| What::CpuTime(d, t)),
            "switch" => What::Switch,
            "procexit" => What::Exit,
            "close" | "close_range" => What::Close,
            _ => What::Other,
        };
        Places {
            memory: all(&["vm_size", "vm_rss", "vm_swap"]).and_then(|all| all.try_into().ok()),
            faults: all(&["pgft_maj", "pgft_min"]).and_then(|all| all.try_into().ok()),
            list: info.params.iter().position(|p| p.ty == ParamType::FdList),
            is_state: Replay::changes(info),
            what,
        }
    }
}

/// Processor time of a thread.
#[derive(Debug, Clone, Copy, Default)]
struct Ran {
    /// ns so far.
    total: u64,
    /// Time of the row that told it last, ns UTC.
    at: u64,
}

/// What a row says.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    exec: Option<u64>,
    cpu: Option<u64>,
}

/// Walks through the rows of one stream.
pub(super) struct Tracker {
    wanted: Wanted,
    /// The world of the segment at hand, if anybody asks what it tells.
    replay: Option<Replay>,
    segment: Option<u64>,
    latest: Option<u64>,
    memory: HashMap<u32, [i64; 3]>,
    faults: HashMap<u32, [i64; 2]>,
    ran: HashMap<u32, Ran>,
    /// Time of the last switch on each processor, ns UTC.
    switched: HashMap<u16, u64>,
}

/// The columns of a batch that are being made.
struct Made {
    numbers: Vec<(Carry, Vec<i64>)>,
    places: Vec<(Carry, Vec<u32>)>,
    texts: Vec<Box<[u8]>>,
    known: HashMap<Box<[u8]>, u32>,
}

impl Made {
    fn of(wanted: &Wanted, rows: usize) -> Made {
        let (texts, numbers): (Vec<Carry>, Vec<Carry>) = wanted.iter().partition(|carry| is_text(**carry));
        Made {
            numbers: numbers.into_iter().map(|carry| (carry, vec![NOT_CARRIED; rows])).collect(),
            places: texts.into_iter().map(|carry| (carry, vec![0; rows])).collect(),
            texts: Vec::new(),
            known: HashMap::default(),
        }
    }

    fn place(&mut self, text: Vec<u8>) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let text = text.into_boxed_slice();
        if let Some(&place) = self.known.get(&text) {
            return place;
        }
        self.texts.push(text.clone());
        let place = self.texts.len() as u32;
        self.known.insert(text, place);
        place
    }

    fn done(self) -> Carried {
        let mut carried = Carried::default();
        self.numbers.into_iter().for_each(|(carry, values)| carried.add_numbers(carry as u8, values));
        self.places.into_iter().for_each(|(carry, places)| carried.add_texts(carry as u8, places));
        carried.set_texts(self.texts);
        carried
    }
}

impl Tracker {
    pub(super) fn new(wanted: &Wanted) -> Tracker {
        Tracker {
            wanted: wanted.clone(),
            replay: None,
            segment: None,
            latest: None,
            memory: HashMap::default(),
            faults: HashMap::default(),
            ran: HashMap::default(),
            switched: HashMap::default(),
        }
    }

    /// Whether a batch is of another segment than the one before: then its initial state is to be taken in first.
    pub(super) fn begins(&mut self, segment: u64) -> bool {
        let is_new = self.segment != Some(segment);
        self.segment = Some(segment);
        if is_new && self.wanted.iter().any(|carry| is_of_world(*carry)) {
            self.replay = Some(Replay::new());
        }
        is_new
    }

    /// Takes rows of the initial state in.
    pub(super) fn seed(&mut self, batch: &Batch) -> Result<(), Error> {
        if let Some(replay) = &mut self.replay {
            replay.seed(batch)?;
        }
        let places: Vec<Places> =
            batch.head().kinds.iter().enumerate().map(|(k, _)| Places::of(batch.kind_info(k))).collect();
        batch.for_each_row(|row| {
            let time = row.info().params.iter().position(|p| p.name == "cputime").and_then(|p| row.arg(p).int());
            self.sums(&row, &places[row.kind]);
            if let Some(total) = time {
                // Only what is not known better from the rows before.
                let ran = Ran { total: total as u64, at: row.time() };
                self.ran.entry(row.thread().tid).or_insert(ran);
            }
        })
    }

    /// Decodes what a walk looks at of every row, so that it need not wait for it. What is damaged is met again by the walk.
    pub(super) fn decode(batch: &Batch) {
        batch.positions().ok();
        batch.thread().ok();
        batch.time().ok();
        for (kind, _) in batch.head().kinds.iter().enumerate() {
            batch.flags(kind).ok();
            let info = batch.kind_info(kind);
            if !Replay::changes(info) {
                continue;
            }
            batch.ret(kind).ok();
            batch.desc(kind).ok();
            batch.missing(kind).ok();
            for param in 0..info.params.len() {
                match batch.slot(kind, param) {
                    Some((Class::Int, slot)) => drop(batch.int(kind, slot)),
                    Some((Class::Text, slot)) => drop(batch.text(kind, slot)),
                    Some((Class::Data | Class::Env, _)) | None => {}
                }
            }
        }
    }

    /// The columns of a batch of events.
    pub(super) fn columns(&mut self, batch: &Batch) -> Result<Arc<Carried>, Error> {
        let places: Vec<Places> =
            batch.head().kinds.iter().enumerate().map(|(k, _)| Places::of(batch.kind_info(k))).collect();
        let mut made = Made::of(&self.wanted, batch.rows());
        if let Some(replay) = &mut self.replay {
            replay.enter(batch);
        }
        let mut counts: HashMap<u32, [i64; 2]> = HashMap::default();
        batch.for_each_row(|row| self.row(&row, &places[row.kind], &mut made, &mut counts))?;
        batch.damage().map_or(Ok(Arc::new(made.done())), |error| Err(error.clone()))
    }

    fn row(&mut self, row: &Row<'_>, places: &Places, made: &mut Made, counts: &mut HashMap<u32, [i64; 2]>) {
        let said = self.sums(row, places);
        // Events of no thread say nothing of one.
        let is_nobody = row.thread().tid == 0;
        let delta = self.latest.map_or(0, |latest| row.time().saturating_sub(latest));
        self.latest = Some(row.time());
        let mut changed = None;
        if let Some(replay) = &mut self.replay {
            let tid = row.thread().tid;
            let number = row.info().fd.and_then(|fd| row.arg(usize::from(fd)).int());
            let named = |world: &World| world.descriptor_of(tid, number?).map(|desc| desc_name(world.dict(), desc));
            let of_close = matches!(places.what, What::Close | What::Exit).then(|| count(replay.world(), tid));
            let before = self.wanted.contains(&Carry::NameChanged).then(|| named(replay.world())).flatten();
            if places.is_state {
                replay.step(row);
                // Who shares what with whom is the world's to know.
                counts.clear();
            }
            let after = before.as_ref().and_then(|_| named(replay.world()));
            changed = number.map(|_| i64::from(after.is_some() && after != before));
            // What a call closes is still there in its own row.
            let now = of_close.unwrap_or_else(|| *counts.entry(tid).or_insert_with(|| count(replay.world(), tid)));
            if !is_nobody {
                self.put_world(row, places, made, now);
            }
        }
        for (carry, values) in &mut made.numbers {
            let value = match carry {
                Carry::Delta => Some(delta as i64),
                Carry::ExecTime => said.exec.map(|ns| ns as i64),
                Carry::Cpu => said.cpu.map(|hundredths| hundredths as i64),
                Carry::NameChanged => changed,
                _ if is_nobody => Some(NOT_CARRIED),
                _ => self.sum(row, *carry),
            };
            if let Some(value) = value {
                values[row.index] = value;
            }
        }
    }

    /// What was told last.
    fn sum(&self, row: &Row<'_>, carry: Carry) -> Option<i64> {
        let (tid, pid) = (row.thread().tid, row.thread().pid);
        let memory = |at: usize| self.memory.get(&pid).map(|memory| memory[at]);
        let faults = |at: usize| self.faults.get(&tid).map(|faults| faults[at]);
        match carry {
            Carry::VmSize => memory(0),
            Carry::VmRss => memory(1),
            Carry::VmSwap => memory(2),
            Carry::FaultsMajor => faults(0),
            Carry::FaultsMinor => faults(1),
            Carry::TotalExecTime => self.ran.get(&tid).map(|ran| ran.total as i64),
            _ => None,
        }
    }

    /// Takes in what a row says of memory, faults and processor time.
    fn sums(&mut self, row: &Row<'_>, places: &Places) -> Said {
        let (tid, pid) = (row.thread().tid, row.thread().pid);
        let mut said = Said::default();
        if row.flags().has(Flags::IN_FLIGHT) {
            return said;
        }
        let told = |place: usize| row.arg(place).int();
        if let Some([size, resident, swapped]) = places.memory
            && let (Some(size), Some(resident), Some(swapped)) = (told(size), told(resident), told(swapped))
        {
            self.memory.insert(pid, [size, resident, swapped]);
        }
        if let Some([major, minor]) = places.faults
            && let (Some(major), Some(minor)) = (told(major), told(minor))
        {
            self.faults.insert(tid, [major, minor]);
        }
        match places.what {
            What::Fork(child_tid, child_pid) => self.fork(row, told(child_tid), told(child_pid)),
            What::CpuTime(delta, total) => {
                let before = self.ran.get(&tid).copied().unwrap_or_default();
                let delta = told(delta).unwrap_or(0) as u64;
                let total = told(total).map_or(before.total.saturating_add(delta), |total| total as u64);
                self.ran.insert(tid, Ran { total, at: row.time() });
                said.exec = Some(delta);
                let past = row.time().saturating_sub(before.at);
                if before.at != 0 && past > 0 {
                    said.cpu = Some((u128::from(delta) * 10_000 / u128::from(past)).min(10_000) as u64);
                }
            }
            What::Switch => {
                let before = self.switched.insert(row.cpu(), row.time());
                let ran = row.time().saturating_sub(before.unwrap_or(row.time()));
                self.ran.entry(tid).or_default().total += ran;
                said.exec = Some(ran);
            }
            What::Exit | What::Close | What::Other => {}
        }
        said
    }

    /// A child has its parent's memory, and neither faults nor time of its own yet.
    fn fork(&mut self, row: &Row<'_>, tid: Option<i64>, pid: Option<i64>) {
        let (Some(tid), Some(pid)) = (tid, pid) else { return };
        let (tid, pid) = (tid as u32, pid as u32);
        self.faults.remove(&tid);
        self.ran.remove(&tid);
        if pid != row.thread().pid {
            match self.memory.get(&row.thread().pid).copied() {
                Some(memory) => self.memory.insert(pid, memory),
                None => self.memory.remove(&pid),
            };
        }
    }

    fn put_world(&self, row: &Row<'_>, places: &Places, made: &mut Made, [threads, open]: [i64; 2]) {
        let Some(world) = self.replay.as_ref().map(Replay::world) else { return };
        for (carry, values) in &mut made.numbers {
            match carry {
                Carry::Threads => values[row.index] = threads,
                Carry::Descriptors => values[row.index] = open,
                _ => {}
            }
        }
        for number in 0..made.places.len() {
            let text = text_of(world, made.places[number].0, row, places);
            let place = made.place(text);
            made.places[number].1[row.index] = place;
        }
    }
}

/// Threads that live and descriptors that are open, of a thread's process.
fn count(world: &World, tid: u32) -> [i64; 2] {
    let threads = world.thread_count(tid).map_or(NOT_CARRIED, i64::from);
    let open = if world.facts(tid).is_some() { world.descriptors_of(tid).count() as i64 } else { NOT_CARRIED };
    [threads, open]
}

/// One of the texts of a row; empty for none.
fn text_of(world: &World, carry: Carry, row: &Row<'_>, places: &Places) -> Vec<u8> {
    let tid = row.thread().tid;
    let standard = |fd: i64, text: fn(&World, &DescRow) -> Vec<u8>| {
        world.descriptor_of(tid, fd).map(|desc| text(world, desc)).unwrap_or_default()
    };
    let name = |world: &World, desc: &DescRow| desc_name(world.dict(), desc);
    let ty = |_: &World, desc: &DescRow| type_word(desc).as_bytes().to_vec();
    match carry {
        Carry::Types => {
            let each = |(fd, desc): (i64, &DescRow)| format!("{fd}:{} ", type_word(desc)).into_bytes();
            world.descriptors_of(tid).flat_map(each).collect()
        }
        Carry::StdinType => standard(0, ty),
        Carry::StdinName => standard(0, name),
        Carry::StdoutType => standard(1, ty),
        Carry::StdoutName => standard(1, name),
        Carry::StderrType => standard(2, ty),
        Carry::StderrName => standard(2, name),
        Carry::ListNames
        | Carry::ListClientIps
        | Carry::ListServerIps
        | Carry::ListClientPorts
        | Carry::ListServerPorts => of_list(world, carry, row, places),
        _ => Vec::new(),
    }
}

/// What the descriptors of a poll's list say, commas between. `struct pollfd`: descriptor i32, then 4 bytes of events.
fn of_list(world: &World, carry: Carry, row: &Row<'_>, places: &Places) -> Vec<u8> {
    let list = places.list.and_then(|place| row.arg(place).bytes()).unwrap_or_default();
    let ip = |end: Option<Endpoint>| end.map(|end| end.ip.to_string().into_bytes());
    let port = |end: Option<Endpoint>| end.map(|end| end.port.to_string().into_bytes());
    let mut out = Vec::new();
    for entry in list.chunks_exact(8) {
        let fd = i64::from(i32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]));
        let Some(desc) = world.descriptor_of(row.thread().tid, fd) else { continue };
        let text = match carry {
            Carry::ListNames => Some(desc_name(world.dict(), desc)),
            Carry::ListClientIps => ip(desc.client),
            Carry::ListServerIps => ip(desc.server),
            Carry::ListClientPorts => port(desc.client),
            _ => port(desc.server),
        };
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            if !out.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(&text);
        }
    }
    out
}
