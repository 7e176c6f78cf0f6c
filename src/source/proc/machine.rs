//! [`Machine`]: what belongs to the machine and to no process: interfaces and mounts, of every namespace that a process is in.

use super::interface::{Interface, interfaces};
use super::mount::{Mount, mounts};
use super::process::{MNT, NET, Process};
use super::snapshot::{dir_of, event, int, text, wide};
use crate::event::{Arg, Event, kinds};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Namespaces that are looked into at most; each costs a thread's start and some calls.
const MOST_NAMESPACES: usize = 4096;

/// Interfaces and mounts, by the inode of the namespace that they are in.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    interfaces: BTreeMap<u64, Vec<Interface>>,
    mounts: BTreeMap<u64, Vec<Mount>>,
    /// Network namespaces that could not be entered.
    closed: BTreeSet<u64>,
}

impl Machine {
    /// Looks into the namespaces of some processes. Mounts are as the first process sees them that has not another root.
    pub(super) fn of<'a>(processes: impl Iterator<Item = &'a Process>) -> Machine {
        let mut found = Machine::default();
        let mut jailed = BTreeMap::new();
        for process in processes.filter(|p| !p.is_kernel) {
            let (net, mnt) = (process.namespaces[NET], process.namespaces[MNT]);
            if net != 0 && found.interfaces.len() < MOST_NAMESPACES && !found.interfaces.contains_key(&net) {
                match interfaces(&dir_of(process.pid)) {
                    Some(all) => drop(found.interfaces.insert(net, all)),
                    None => drop(found.closed.insert(net)),
                }
            }
            if mnt != 0 && process.root.as_deref() != Some(b"/") {
                jailed.entry(mnt).or_insert(process.pid);
            } else if mnt != 0 {
                found.add_mounts(mnt, process.pid);
            }
        }
        for (mnt, pid) in jailed {
            found.add_mounts(mnt, pid);
        }
        // Another process of the same namespace may have been there still.
        found.closed.retain(|net| !found.interfaces.contains_key(net));
        found
    }

    fn add_mounts(&mut self, namespace: u64, pid: u32) {
        if self.mounts.len() < MOST_NAMESPACES && self.mounts.get(&namespace).is_none_or(Vec::is_empty) {
            self.mounts.insert(namespace, mounts(&dir_of(pid)));
        }
    }

    /// What could not be seen.
    pub(super) fn notes(&self) -> Vec<String> {
        let note = format!(
            "the interfaces of {} network namespaces are not known: they could not be entered (entering needs CAP_SYS_ADMIN)",
            self.closed.len()
        );
        if self.closed.is_empty() { Vec::new() } else { vec![note] }
    }

    /// Its rows, seen at a time (ns UTC).
    pub(super) fn for_each(&self, time: u64, f: &mut impl FnMut(Event<'_>)) {
        for (&namespace, interfaces) in &self.interfaces {
            for interface in interfaces {
                interface_events(time, namespace, interface, f);
            }
        }
        for (&namespace, mounts) in &self.mounts {
            for mount in mounts {
                f(event(kinds::SNAP_MOUNT, time, (0, 0), mount_args(mount, namespace)));
            }
        }
    }
}

/// One row for each address; one without where there is none.
fn interface_events(time: u64, namespace: u64, interface: &Interface, f: &mut impl FnMut(Event<'_>)) {
    let mut row = |address: [Option<IpAddr>; 3]| {
        let family = match address[0] {
            None => 0,
            Some(IpAddr::V4(_)) => 2,
            Some(IpAddr::V6(_)) => 10,
        };
        let told = address.map(|ip| ip.map(|ip| ip.to_string().into_bytes()));
        let args = [
            Arg::Bytes(&interface.name),
            int(interface.index),
            Arg::Int(family),
            text(told[0].as_ref()),
            text(told[1].as_ref()),
            text(told[2].as_ref()),
            wide(namespace),
            int(interface.flags),
            Arg::Bytes(interface.hardware.as_bytes()),
        ];
        f(event(kinds::SNAP_INTERFACE, time, (0, 0), args));
    };
    for address in &interface.addresses {
        row([Some(address.ip), Some(address.mask), address.broadcast]);
    }
    if interface.addresses.is_empty() {
        row([None; 3]);
    }
}

/// In the order of `snap_mount`'s parameters.
fn mount_args(mount: &Mount, namespace: u64) -> [Arg<'_>; 10] {
    [
        int(mount.id),
        int(mount.parent),
        wide(mount.dev),
        Arg::Bytes(&mount.root),
        Arg::Bytes(&mount.path),
        Arg::Bytes(&mount.kind),
        Arg::Bytes(&mount.source),
        Arg::Bytes(&mount.options),
        wide(namespace),
        Arg::Bytes(&mount.propagation),
    ]
}
