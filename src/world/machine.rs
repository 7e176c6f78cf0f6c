//! [`Machine`]: what belongs to the node and to no thread: addresses of its network interfaces, and its mounts.

use super::action::{bytes, int};
use super::engine::World;
use super::snapshot::head;
use crate::event::{Event, Kind, OwnedArg, OwnedEvent, kinds};
use std::collections::BTreeMap;

/// Rows that are kept at most: a node with many pods has some thousand mounts.
const MOST_ROWS: usize = 1 << 16;

/// Which row it is: kind, namespace, number, and the address where one interface has several.
type Key = (Kind, u64, u64, Vec<u8>);

/// Interfaces and mounts of every namespace that was looked at.
#[derive(Debug, Default)]
pub(super) struct Machine {
    rows: BTreeMap<Key, OwnedEvent>,
}

fn key(event: &Event<'_>) -> Key {
    match event.kind {
        kinds::SNAP_INTERFACE => {
            let address = bytes(event, 3).unwrap_or_default().to_vec();
            (event.kind, int(event, 6) as u64, int(event, 1) as u64, address)
        }
        _ => (event.kind, int(event, 8) as u64, int(event, 0) as u64, Vec::new()),
    }
}

impl World {
    /// Takes a row about the machine in, in place of what was known of the same interface's address or the same mount.
    pub(super) fn snap_machine(&mut self, event: &Event<'_>) {
        let key = key(event);
        if self.machine.rows.len() < MOST_ROWS || self.machine.rows.contains_key(&key) {
            self.machine.rows.insert(key, OwnedEvent::of(event));
        }
    }

    /// What is known of the machine, as snapshot rows at a moment (ns UTC): interfaces, then mounts, by namespace.
    pub(super) fn machine_rows(&self, time: u64) -> impl Iterator<Item = OwnedEvent> {
        let of = |kind: Kind| self.machine.rows.iter().filter(move |(key, _)| key.0 == kind);
        let rows = of(kinds::SNAP_INTERFACE).chain(of(kinds::SNAP_MOUNT));
        rows.map(move |(key, row)| {
            let args = row.event().args.iter().map(OwnedArg::of).collect();
            OwnedEvent::new(&head(key.0, time, 0, 0), args)
        })
    }
}
