//! [`Seed`]: rows of the initial state, as the lists that stand before the first event.

use super::derive::groups;
use super::lists::{
    DescriptorEntry, Ends, MachineFacts, ProcessEntry, Shape, User, descriptors, interfaces, machine, processes, users,
};
use super::target::Target;
use crate::event::{Arg, Event, Kind, flag_table, kinds};
use crate::format::scap::Conversion;
use crate::world::address::tuple;
use crate::world::{Dict, Endpoint};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The state at the start of a file, gathered row by row.
pub struct Seed {
    target: Target,
    open_flags: Option<Conversion>,
    /// By whether they are groups, and id.
    users: BTreeMap<(bool, u32), Vec<u8>>,
    /// Home directories and shells of users.
    accounts: BTreeMap<u32, [Vec<u8>; 2]>,
    threads: Vec<ProcessEntry>,
    /// By process.
    descriptors: BTreeMap<u64, Vec<DescriptorEntry>>,
    interfaces: Vec<(Vec<u8>, IpAddr, IpAddr, IpAddr)>,
}

/// `CLONE_THREAD` and `CLONE_FILES`, in scap's values: a thread shares its process's descriptors.
const OF_PROCESS: u32 = 0x2000 | 1;

impl Seed {
    /// Nothing yet.
    pub fn new(target: Target) -> Seed {
        let open_flags = flag_table("file_flags").map(|ours| Conversion::of("file_flags", ours, false));
        Seed {
            target,
            open_flags,
            users: BTreeMap::new(),
            accounts: BTreeMap::new(),
            threads: Vec::new(),
            descriptors: BTreeMap::new(),
            interfaces: Vec::new(),
        }
    }

    /// Takes a row of a snapshot in.
    pub fn row(&mut self, event: &Event<'_>) {
        match event.kind {
            kinds::SNAP_THREAD => self.thread(event),
            kinds::SNAP_FD => self.descriptor(event),
            kinds::SNAP_USER | kinds::SNAP_GROUP => {
                let id = int(event, "id").unwrap_or(0) as u32;
                self.name(event.kind == kinds::SNAP_GROUP, id, bytes(event, "name"));
                if event.kind == kinds::SNAP_USER {
                    self.account(id, [bytes(event, "home"), bytes(event, "shell")]);
                }
            }
            kinds::SNAP_INTERFACE => self.interface(event),
            _ => {}
        }
    }

    /// An interface with an address; the list knows no others. One that is there in several namespaces is one.
    fn interface(&mut self, event: &Event<'_>) {
        let ip = |name| std::str::from_utf8(bytes(event, name)).ok().and_then(|text| text.parse::<IpAddr>().ok());
        let Some(address) = ip("address") else { return };
        let none = if address.is_ipv4() { IpAddr::from([0u8; 4]) } else { IpAddr::from([0u8; 16]) };
        let like = |ip: Option<IpAddr>| ip.filter(|ip| ip.is_ipv4() == address.is_ipv4()).unwrap_or(none);
        let interface = (bytes(event, "name").to_vec(), address, like(ip("mask")), like(ip("broadcast")));
        if !self.interfaces.contains(&interface) {
            self.interfaces.push(interface);
        }
    }

    /// Takes in the names of users and groups that a dictionary has.
    pub fn names(&mut self, dict: &Dict) {
        for (is_group, table) in [(false, &dict.users), (true, &dict.groups)] {
            for (&id, &name) in table {
                self.name(is_group, id, dict.text(name));
            }
        }
        for (&id, account) in &dict.accounts {
            self.account(id, [dict.text(account.home), dict.text(account.shell)]);
        }
    }

    /// Takes in the name of a user or a group.
    pub fn name(&mut self, is_group: bool, id: u32, name: &[u8]) {
        if !name.is_empty() {
            self.users.insert((is_group, id), name.to_vec());
        }
    }

    /// Takes in the home directory and the shell of a user.
    fn account(&mut self, id: u32, texts: [&[u8]; 2]) {
        if texts.iter().any(|text| !text.is_empty()) {
            self.accounts.insert(id, texts.map(<[u8]>::to_vec));
        }
    }

    fn thread(&mut self, event: &Event<'_>) {
        let id = |name| int(event, name).unwrap_or(0);
        let text = |name| bytes(event, name).to_vec();
        let (tid, pid) = (id("tid"), id("pid"));
        let mut cgroups = Vec::new();
        groups(&mut cgroups, bytes(event, "cgroup"));
        let root = text("root");
        let known = |name: &str| int(event, name).unwrap_or(0) as u64;
        self.threads.push(ProcessEntry {
            ids: [tid, pid, id("ppid"), id("sid"), id("pgid")].map(|id| id as u64),
            names: [text("comm"), text("exe"), text("exepath")],
            args: text("args"),
            cwd: text("cwd"),
            fdlimit: int(event, "fdlimit").unwrap_or(-1),
            flags: if tid == pid { 0 } else { OF_PROCESS },
            owner: [id("euid") as u32, id("egid") as u32],
            env: text("env"),
            inner: [id("vtid"), id("vpid")],
            cgroups,
            root: if root.is_empty() { b"/".to_vec() } else { root },
            tty: id("tty") as u32,
            login: int(event, "loginuid").map_or(u32::MAX, |login| login as u32),
            capabilities: [known("cap_inheritable"), known("cap_permitted"), known("cap_effective")],
            inode: [known("exe_ino"), known("exe_ino_ctime"), known("exe_ino_mtime")],
            pgid: id("pgid"),
            ..ProcessEntry::default()
        });
    }

    fn descriptor(&mut self, event: &Event<'_>) {
        let ends = event.args.iter().zip(event.kind.spec().params).find(|(_, p)| p.name == "tuple");
        let ends = ends.and_then(|(arg, _)| arg.bytes()).and_then(tuple);
        let ino = int(event, "ino").unwrap_or(0) as u64;
        let Some(shape) = self.shape(event, ends, ino) else { return };
        let name = if matches!(shape, Shape::Socket { .. }) { Vec::new() } else { bytes(event, "name").to_vec() };
        let entry = DescriptorEntry { fd: int(event, "fd").unwrap_or(-1), ino, shape, name };
        self.descriptors.entry(u64::from(event.tid)).or_default().push(entry);
    }

    /// What a descriptor is in scap, by the number of its kind ([`DescKind`](crate::world::DescKind)).
    fn shape(&self, event: &Event<'_>, ends: Option<(Endpoint, Endpoint)>, ino: u64) -> Option<Shape> {
        // sysdig 0.29.3 reads no file with a kind that it does not know
        let newer = |number| if self.target.is_for_029() { UNSUPPORTED } else { number };
        let kind = int(event, "kind")?;
        Some(match kind {
            1 => {
                let flags = int(event, "flags").unwrap_or(0);
                let flags = self.open_flags.as_ref().map_or(0, |c| c.to_scap(flags).0) as u32;
                Shape::File { flags, dev: int(event, "dev").unwrap_or(0) as u32 }
            }
            2 => Shape::Named(2),
            3 | 4 => Shape::Socket { ends: sides(ends, kind == 4), l4: l4(int(event, "l4").unwrap_or(0)) },
            5 => Shape::Unix { source: ino, peer: 0 },
            6 => Shape::Named(15),
            7 => Shape::Named(UNSUPPORTED),
            8 => Shape::Named(7),
            9 => Shape::Named(9),
            10 => Shape::Named(11),
            11 => Shape::Named(12),
            12 => Shape::Named(13),
            13 => Shape::Named(14),
            14 => Shape::Named(newer(17)),
            15 => Shape::Named(newer(18)),
            16 => Shape::Named(newer(19)),
            17 => Shape::Named(newer(20)),
            18 => Shape::Named(newer(21)),
            _ => return None,
        })
    }

    /// Appends all that stands before the first event, but for the section header.
    pub fn finish(mut self, machine_facts: &MachineFacts, out: &mut Vec<u8>) {
        machine(out, machine_facts);
        interfaces(out, &self.interfaces);
        let mut accounts = self.accounts;
        let of_user = |((is_group, id), name)| {
            let [home, shell] = if is_group { None } else { accounts.remove(&id) }.unwrap_or_default();
            User { is_group, id, name, home, shell }
        };
        let list: Vec<User> = self.users.into_iter().map(of_user).collect();
        users(out, &list);
        // a process stands before its threads
        self.threads.sort_by_key(|t| (t.ids[0] != t.ids[1], t.ids[0]));
        processes(out, &self.threads);
        for (tid, list) in &self.descriptors {
            descriptors(out, *tid, list);
        }
    }
}

/// scap's number of a kind that has only a name.
const UNSUPPORTED: u8 = 10;

fn sides(ends: Option<(Endpoint, Endpoint)>, v6: bool) -> Ends {
    let side = |end: Endpoint| (end.ip, end.port);
    match ends {
        Some((local, remote)) if remote.port == 0 && remote.ip.is_unspecified() => Ends::Local(side(local)),
        Some((local, remote)) => Ends::Both(side(local), side(remote)),
        None => Ends::None { v6 },
    }
}

/// scap's number of a protocol by ours ([`L4`](crate::world::L4)).
fn l4(ours: i64) -> u8 {
    match ours {
        1 => 2,
        2 => 3,
        3 => 4,
        4 => 5,
        _ => 0,
    }
}

fn place(kind: Kind, name: &str) -> Option<usize> {
    kind.spec().params.iter().position(|p| p.name == name)
}

fn int(event: &Event<'_>, name: &str) -> Option<i64> {
    event.args.get(place(event.kind, name)?)?.int()
}

fn bytes<'a>(event: &Event<'a>, name: &str) -> &'a [u8] {
    place(event.kind, name).and_then(|place| event.args.get(place)).and_then(|arg| Arg::bytes(*arg)).unwrap_or_default()
}
