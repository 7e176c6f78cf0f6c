//! [`Dict`]: the rows of a segment that its events refer to: strings, images, threads and descriptors.
//!
//! Rows are only ever appended, so a prefix of a dictionary is a dictionary, and what was appended since the
//! last batch ([`Delta`]) is what the reel stores before that batch. Row 0 of every table means "none".

use super::container::Container;
use super::delta::DeltaError;
use super::environment::Environment;
use super::facts::{Caps, ExeFacts};
use super::texts::{Texts, Unopened};
use crate::value::{Place, Places};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// Index of a string; 0 is "none", which is not the same as an empty text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct StrId(pub u32);

impl StrId {
    /// No text.
    pub const NONE: StrId = StrId(0);
}

/// Where ids of texts apart begin: behind all others that a dictionary can have.
pub(super) const APART: u32 = 1 << 22;

impl StrId {
    /// Where it stands among the texts apart, if it is the id of one.
    pub fn apart(self) -> Option<u32> {
        self.0.checked_sub(APART).filter(|_| self.0 < LATE)
    }

    /// The id of a text apart.
    pub fn of_apart(place: u32) -> StrId {
        StrId(APART + place)
    }
}

/// All strings of a segment.
#[derive(Debug, Clone, Default)]
pub struct Strings {
    own: Texts,
    /// Texts of which nearly each is another one and hardly any question is about: paths of requests, revisions, reasons. Apart, because
    /// whoever asks about the others need not read them.
    apart: Texts,
    /// The same of a dictionary that is being read.
    unopened: Vec<Unopened>,
    /// Ids that a damaged dictionary lost.
    lost: Vec<std::ops::Range<usize>>,
    /// Texts of late facts.
    late: Vec<Box<[u8]>>,
}

/// Where ids of what late facts add begin: far behind all that a dictionary can have, so that rows that refer to texts which
/// were lost do not get one of them.
const LATE: u32 = 1 << 31;

impl Strings {
    /// An empty table, in which the next id is 1.
    pub fn new() -> Self {
        Strings::default()
    }

    /// Appends a text and returns its id.
    pub fn push(&mut self, text: &[u8]) -> StrId {
        StrId(self.own.push(text))
    }

    /// Appends texts that stand end to end, by their lengths, which come to as many bytes.
    pub(super) fn extend(&mut self, bytes: &[u8], lengths: &[u32]) {
        self.own.extend(bytes, lengths);
    }

    /// Keeps a text of a late fact and returns its id.
    pub(super) fn push_late(&mut self, text: &[u8]) -> StrId {
        self.late.push(text.into());
        StrId(LATE + self.late.len() as u32 - 1)
    }

    /// The text of an id; `None` for [`StrId::NONE`] and for ids that a damaged dictionary lost.
    pub fn get(&self, id: StrId) -> Option<&[u8]> {
        let i = id.0 as usize;
        if id.0 >= LATE {
            return self.late.get((id.0 - LATE) as usize).map(|text| &**text);
        }
        if let Some(place) = id.apart() {
            return self.apart.get(place as usize).or_else(|| self.open(place));
        }
        if i == 0 || self.is_lost(i) {
            return None;
        }
        self.own.get(i)
    }

    fn open(&self, place: u32) -> Option<&[u8]> {
        let next = self.unopened.partition_point(|texts| texts.places().0 <= u64::from(place));
        self.unopened.get(next.checked_sub(1)?)?.get(place)
    }

    /// Appends texts apart that are read when they are asked for; an error where they stand in the place of others.
    pub fn add_unopened(&mut self, texts: Unopened) -> Result<(), DeltaError> {
        let (first, end) = texts.places();
        let last = self.unopened.last().map_or(1, |last| last.places().1);
        if first < last || end > u64::from(APART) {
            let expected = format!("texts from {last} to {APART}");
            return Err(DeltaError { table: "texts apart", expected, found: format!("{first} to {end}") });
        }
        self.unopened.push(texts);
        Ok(())
    }

    /// The texts, those apart left out, to be added to.
    pub(super) fn own_mut(&mut self) -> &mut Texts {
        &mut self.own
    }

    /// The texts apart, to be added to.
    pub(super) fn apart_mut(&mut self) -> &mut Texts {
        &mut self.apart
    }

    /// The texts apart.
    pub(super) fn apart(&self) -> &Texts {
        &self.apart
    }

    fn is_lost(&self, id: usize) -> bool {
        let next = self.lost.partition_point(|lost| lost.end <= id);
        self.lost.get(next).is_some_and(|lost| lost.contains(&id))
    }

    /// Gives up the ids before `next`, which a damaged dictionary lost, so that `next` is the next one.
    pub(super) fn lose_until(&mut self, next: u32) {
        let (from, next) = (self.own.len(), next as usize);
        if from < next {
            self.lost.push(from..next);
            self.own.skip_to(next);
        }
    }

    /// Number of ids in use, the none included; those of texts apart left out.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// Whether it holds no text.
    pub fn is_empty(&self) -> bool {
        self.own.len() <= 1
    }

    /// Bytes of memory held for texts.
    pub(super) fn capacity(&self) -> usize {
        self.own.capacity() + self.apart.capacity()
    }

    /// Bytes of all texts.
    pub fn size(&self) -> usize {
        self.own.size() + self.apart.size()
    }
}

/// What is known of a user beside the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    /// Home directory.
    pub home: StrId,
    /// Shell.
    pub shell: StrId,
}

/// What a process runs. New on exec.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ImageRow {
    /// First argument as the process sees it (`proc.exe`).
    pub exe: StrId,
    /// Full path of the executable.
    pub exepath: StrId,
    /// Arguments after the first, each with its terminating NUL, end to end.
    pub args: StrId,
    /// Environment, one string per variable.
    pub env: Environment,
    /// The file; stored behind the rows, so that versions that do not know of it read the rest.
    #[serde(skip)]
    pub facts: ExeFacts,
}

/// A thread as it was from one moment to the next change. Refers only to rows with a smaller index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ThreadRow {
    /// Thread id on the host.
    pub tid: u32,
    /// Process id on the host.
    pub pid: u32,
    /// Thread id in its own pid namespace.
    pub vtid: u32,
    /// Process id in its own pid namespace.
    pub vpid: u32,
    /// Parent process id on the host; 0 none or unknown.
    pub ppid: u32,
    /// The thread's name (`proc.name`).
    pub comm: StrId,
    /// Row of what it runs.
    pub image: u32,
    /// Working directory.
    pub cwd: StrId,
    /// Root directory if not `/`.
    pub root: StrId,
    /// Session id; 0 is that of the kernel and of what it starts, [`ThreadRow::NO_GROUP`] unknown.
    pub sid: u32,
    /// Process group id, as the session id.
    pub pgid: u32,
    /// Controlling terminal's device number; 0 none.
    pub tty: u32,
    /// Real user id.
    pub uid: u32,
    /// Effective user id.
    pub euid: u32,
    /// Real group id.
    pub gid: u32,
    /// Effective group id.
    pub egid: u32,
    /// Login user id; `u32::MAX` unset.
    pub loginuid: u32,
    /// Control group path.
    pub cgroup: StrId,
    /// Row of the parent process; 0 none or unknown.
    pub parent: u32,
    /// Row of who forked it, which survives re-parenting; 0 unknown.
    pub creator: u32,
    /// Row of the process's first thread, if this is another one; 0 otherwise.
    pub leader: u32,
    /// Row of the session's leader; 0 unknown or itself.
    pub session: u32,
    /// When it started, ns UTC; 0 unknown.
    pub start: u64,
    /// Not seen by the snapshot nor a fork: only its id is known.
    pub placeholder: bool,
    /// The most descriptors it may have open; 0 unknown, `u64::MAX` no limit. Stored behind the rows.
    #[serde(skip)]
    pub fdlimit: u64,
    /// Capabilities; `None` unknown. Stored behind the rows.
    #[serde(skip)]
    pub caps: Option<Arc<Caps>>,
}

impl ThreadRow {
    /// A session or process group that nobody told: not 0, which is one.
    pub const NO_GROUP: u32 = u32::MAX;

    /// A row to be filled with what is known of a thread.
    pub(super) fn blank() -> ThreadRow {
        ThreadRow { sid: ThreadRow::NO_GROUP, pgid: ThreadRow::NO_GROUP, ..ThreadRow::default() }
    }

    /// A row of which nothing is known: fields answer that their value is missing, and not 0 or root.
    pub fn lost() -> ThreadRow {
        ThreadRow { placeholder: true, ..ThreadRow::blank() }
    }
}

/// Kind of a descriptor (`fd.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum DescKind {
    /// Not known.
    #[default]
    Unknown,
    /// Regular file, device, or not known better.
    File,
    /// Directory.
    Directory,
    /// IPv4 socket.
    Ipv4,
    /// IPv6 socket.
    Ipv6,
    /// Unix socket.
    Unix,
    /// Netlink socket.
    Netlink,
    /// Socket of another family.
    Socket,
    /// Pipe or FIFO.
    Pipe,
    /// eventfd.
    Event,
    /// signalfd.
    Signal,
    /// epoll.
    Eventpoll,
    /// inotify.
    Inotify,
    /// timerfd.
    Timer,
    /// bpf object.
    Bpf,
    /// userfaultfd.
    Userfault,
    /// `io_uring`.
    IoUring,
    /// memfd.
    Memfd,
    /// pidfd.
    Pidfd,
}

/// Transport protocol of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum L4 {
    /// Not known or none.
    #[default]
    None,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP.
    Icmp,
    /// Raw IP.
    Raw,
}

/// The recorded node's role in a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Role {
    /// Not known.
    #[default]
    Unknown,
    /// It connected.
    Client,
    /// It listens or accepted.
    Server,
}

/// One end of an IP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// Address.
    pub ip: IpAddr,
    /// Port; 0 where the protocol has none.
    pub port: u16,
}

/// What a descriptor refers to: a value, interned, so that a file opened a million times is one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct DescRow {
    /// Kind.
    pub kind: DescKind,
    /// Path or name; `None` for IP sockets, whose name is made from their ends.
    pub name: StrId,
    /// Client end of an IP socket (local end until the role is known).
    pub client: Option<Endpoint>,
    /// Server end of an IP socket, or the only end of a bound or listening one.
    pub server: Option<Endpoint>,
    /// Transport protocol.
    pub l4: L4,
    /// Role.
    pub role: Role,
    /// Device number; 0 unknown.
    pub dev: u32,
    /// Inode number; 0 unknown.
    pub ino: u64,
    /// Kernel's open flags without close-on-exec.
    pub flags: u32,
}

/// The rows of one segment.
#[derive(Debug, Clone, Default)]
pub struct Dict {
    /// Texts.
    pub strings: Strings,
    /// Images; row 0 is empty.
    pub images: Vec<ImageRow>,
    /// Images of late facts.
    late_images: Vec<ImageRow>,
    /// Threads; row 0 is empty.
    pub threads: Vec<ThreadRow>,
    /// Descriptors; row 0 is empty.
    pub descs: Vec<DescRow>,
    /// User names by id.
    pub users: BTreeMap<u32, StrId>,
    /// What else is known of users.
    pub accounts: BTreeMap<u32, Account>,
    /// Group names by id.
    pub groups: BTreeMap<u32, StrId>,
    /// What was told of containers, by id as it was told; from late facts alone.
    pub containers: BTreeMap<String, Arc<Container>>,
    /// What tells where addresses are, once somebody asks who has it.
    places: OnceLock<&'static Places>,
}

impl Dict {
    /// A dictionary with only the "none" rows.
    pub fn new() -> Self {
        Dict {
            strings: Strings::new(),
            images: vec![ImageRow::default()],
            late_images: Vec::new(),
            threads: vec![ThreadRow::lost()],
            descs: vec![DescRow::default()],
            users: BTreeMap::new(),
            accounts: BTreeMap::new(),
            groups: BTreeMap::new(),
            containers: BTreeMap::new(),
            places: OnceLock::new(),
        }
    }

    /// The dictionary of a segment behind another one's: it knows the same containers, and nothing else yet.
    pub fn after(before: &Dict) -> Dict {
        Dict { containers: before.containers.clone(), ..Dict::new() }
    }

    /// Gives what tells where addresses are; whatever was given before stays.
    pub fn locate(&self, places: &'static Places) {
        self.places.get_or_init(|| places);
    }

    /// Where an address is, if that is known.
    pub fn place(&self, ip: IpAddr) -> Place {
        self.places.get().map_or_else(Place::default, |places| places.find(ip))
    }

    /// What was told of a container: by its whole id, or by the first 12 characters, as most engines' descriptions have it.
    pub fn container(&self, id: &[u8]) -> Option<&Container> {
        let find = |id: &[u8]| self.containers.get(std::str::from_utf8(id).ok()?);
        if self.containers.is_empty() {
            return None;
        }
        find(id).or_else(|| find(id.get(..12)?)).map(|found| &**found)
    }

    /// The text of an id, empty where there is none.
    pub fn text(&self, id: StrId) -> &[u8] {
        self.strings.get(id).unwrap_or_default()
    }

    /// The row of a thread; row 0 for rows that a damaged dictionary lost.
    pub fn thread(&self, row: u32) -> &ThreadRow {
        self.threads.get(row as usize).unwrap_or(&self.threads[0])
    }

    /// What a thread runs.
    pub fn image(&self, row: u32) -> &ImageRow {
        let late = || self.late_images.get(row.checked_sub(LATE)? as usize);
        self.images.get(row as usize).or_else(late).unwrap_or(&self.images[0])
    }

    /// Keeps an image of a late fact and returns its row.
    pub(super) fn push_late_image(&mut self, image: ImageRow) -> u32 {
        self.late_images.push(image);
        LATE + self.late_images.len() as u32 - 1
    }

    /// A descriptor's row; row 0 for rows that a damaged dictionary lost.
    pub fn desc(&self, row: u32) -> &DescRow {
        self.descs.get(row as usize).unwrap_or(&self.descs[0])
    }
}

/// What was appended to a dictionary: the body of a Dictionary frame.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Delta {
    /// Id of the first string here.
    pub first_string: u32,
    /// Lengths of the strings.
    pub string_lengths: Vec<u32>,
    /// The strings, end to end.
    pub string_bytes: Vec<u8>,
    /// Place of the first text apart here.
    pub first_apart: u32,
    /// Lengths of the texts apart.
    pub apart_lengths: Vec<u32>,
    /// The texts apart, end to end.
    pub apart_bytes: Vec<u8>,
    /// Row of the first image here.
    pub first_image: u32,
    /// Images.
    pub images: Vec<ImageRow>,
    /// Row of the first thread here.
    pub first_thread: u32,
    /// Threads.
    pub threads: Vec<ThreadRow>,
    /// Row of the first descriptor here.
    pub first_desc: u32,
    /// Descriptors.
    pub descs: Vec<DescRow>,
    /// User names that became known.
    pub users: Vec<(u32, StrId)>,
    /// What else became known of users.
    pub accounts: Vec<(u32, Account)>,
    /// Group names that became known.
    pub groups: Vec<(u32, StrId)>,
}

impl Delta {
    /// Appends what was appended next: rows whose numbers go on where these end.
    pub fn extend(&mut self, next: Delta) {
        self.string_lengths.extend(next.string_lengths);
        self.string_bytes.extend(next.string_bytes);
        self.apart_lengths.extend(next.apart_lengths);
        self.apart_bytes.extend(next.apart_bytes);
        self.images.extend(next.images);
        self.threads.extend(next.threads);
        self.descs.extend(next.descs);
        self.users.extend(next.users);
        self.accounts.extend(next.accounts);
        self.groups.extend(next.groups);
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.apart_lengths.is_empty() && self.is_apart_only()
    }

    /// Whether nothing but texts apart was appended.
    pub fn is_apart_only(&self) -> bool {
        self.string_lengths.is_empty()
            && self.images.is_empty()
            && self.threads.is_empty()
            && self.descs.is_empty()
            && self.users.is_empty()
            && self.accounts.is_empty()
            && self.groups.is_empty()
    }
}
