//! [`Observer`]: answers to single questions, and a look at some processes only.

use super::descriptor::descriptor;
use super::file;
use super::snapshot::{Namespaces, Snapshot, descriptor_event, dir_of};
use crate::event::OwnedEvent;
use crate::sys::ClockPair;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the sockets of a namespace are taken to be as they were: many questions come at once.
const FRESH: Duration = Duration::from_millis(50);

/// Looks at single processes and descriptors.
#[derive(Debug)]
pub struct Observer {
    clock: ClockPair,
    namespaces: Namespaces,
    since: Instant,
}

impl Observer {
    /// An observer that gives times as UTC by `clock`.
    pub fn new(clock: ClockPair) -> Observer {
        Observer { clock, namespaces: Namespaces::default(), since: Instant::now() }
    }

    fn namespaces(&mut self) -> &mut Namespaces {
        if self.since.elapsed() >= FRESH {
            self.namespaces = Namespaces::default();
            self.since = Instant::now();
        }
        &mut self.namespaces
    }

    /// The snapshot rows of a process, its threads and descriptors; none if it is gone.
    pub fn process(&mut self, pid: u32) -> Vec<OwnedEvent> {
        let clock = self.clock;
        let processes = self.namespaces().look(pid, clock).into_iter().collect();
        rows(&Snapshot::of(processes))
    }

    /// The snapshot row of a descriptor; none if it is closed or the process is gone.
    pub fn descriptor(&mut self, pid: u32, fd: u32) -> Vec<OwnedEvent> {
        let (clock, dir) = (self.clock, dir_of(pid));
        let time = clock.utc_of(crate::sys::boot_ns());
        let namespaces = self.namespaces();
        let found = descriptor(&dir, fd, &mut |inode| namespaces.socket(&dir, inode));
        found.iter().filter_map(|found| descriptor_event(time, pid, found)).map(|e| OwnedEvent::of(&e)).collect()
    }
}

fn rows(snapshot: &Snapshot) -> Vec<OwnedEvent> {
    let mut rows = Vec::new();
    snapshot.for_each(&mut |event| rows.push(OwnedEvent::of(&event)));
    rows
}

/// The parent in the text of a `stat` file.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Some processes and all that descend from them, without anybody else: of others only the number of the parent is read.
pub fn family(known: &[u32], clock: ClockPair) -> Snapshot {
    let all = file::numbers(Path::new("/proc"));
    let parents: BTreeMap<u32, u32> =
        all.iter().filter_map(|&pid| Some((pid, parent(&file::text(&dir_of(pid).join("stat"), 4096)?)?))).collect();
    let known: BTreeSet<u32> = known.iter().copied().collect();
    let descends = |pid: u32| {
        let line = std::iter::successors(Some(pid), |pid| parents.get(pid).copied()).take(parents.len() + 1);
        line.take_while(|pid| *pid != 0).any(|pid| known.contains(&pid))
    };
    let mut namespaces = Namespaces::default();
    let own = std::process::id();
    let family = all.into_iter().filter(|&pid| pid != own && descends(pid));
    Snapshot::of(family.filter_map(|pid| namespaces.look(pid, clock)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Arg, kinds};
    use crate::sys::clock_pair;
    use std::os::fd::AsRawFd;
    use std::process::{Command, Stdio};

    #[test]
    fn a_descriptor_is_found_and_one_that_is_closed_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let open = std::fs::File::create(&path).unwrap();
        let mut observer = Observer::new(clock_pair());
        let found = observer.descriptor(std::process::id(), open.as_raw_fd() as u32);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].event().args[2], Arg::Bytes(path.as_os_str().as_encoded_bytes()));
        assert!(observer.descriptor(std::process::id(), 1 << 19).is_empty());
        assert!(observer.process(u32::MAX).is_empty());
    }

    #[test]
    fn a_family_is_a_process_and_its_children_and_nobody_else() {
        let mut shell =
            Command::new("sh").args(["-c", "cat; exit"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let pid = shell.id();
        let names = || {
            let mut names = Vec::new();
            family(&[pid], clock_pair()).for_each(&mut |e| {
                if e.kind == kinds::SNAP_THREAD {
                    names.push((e.args[15].bytes().unwrap().to_vec(), e.args[4].int().unwrap()));
                }
            });
            names
        };
        let begun = Instant::now();
        while names().len() < 2 && begun.elapsed() < Duration::from_secs(20) {
            std::thread::yield_now();
        }
        let found = names();
        assert!(found.len() == 2 && found.iter().any(|(_, ppid)| *ppid == i64::from(pid)), "{found:?}");
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert!(names().is_empty());
    }

    #[test]
    fn a_parent_is_found_behind_any_name() {
        assert_eq!(parent("7 (a) b) S 12 1 1"), Some(12));
        assert_eq!(parent("7"), None);
    }
}
