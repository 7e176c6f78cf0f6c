//! [`Namespaces`]: which namespaces a thread is in, by the inode numbers that `/proc/PID/ns` shows.

use super::action::int;
use super::engine::World;
use crate::event::{Event, OwnedArg};

/// `snap_thread`'s parameter of the first of them; the others follow in the order of [`FLAGS`].
const FIRST: u8 = 23;
/// `snap_thread`'s parameter behind them: when the thread was looked at.
pub(super) const SCANNED: u8 = 31;

/// The flag of `clone(2)` that makes a new one: cgroup, ipc, mnt, net, pid, time, user, uts (`include/uapi/linux/sched.h`).
const FLAGS: [i64; 8] =
    [0x0200_0000, 0x0800_0000, 0x0002_0000, 0x4000_0000, 0x2000_0000, 0x80, 0x1000_0000, 0x0400_0000];
/// How the same are called in `/proc/PID/ns`.
const NAMES: [&[u8]; 8] = [b"cgroup", b"ipc", b"mnt", b"net", b"pid", b"time", b"user", b"uts"];
/// Those that a call changes for the children only, and not for its caller: pid and time.
pub(super) const OF_CHILDREN: i64 = 0x2000_0000 | 0x80;

/// Inode numbers of namespaces; 0 where one is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Namespaces([u64; 8]);

impl Namespaces {
    /// Those that a `snap_thread` row tells.
    pub(super) fn of(event: &Event<'_>) -> Namespaces {
        let told = |i: usize| event.args.get(usize::from(FIRST) + i).and_then(|a| a.int()).unwrap_or(0) as u64;
        Namespaces(std::array::from_fn(told))
    }

    /// As parameters of a `snap_thread` row.
    pub(super) fn args(self) -> [OwnedArg; 8] {
        self.0.map(|inode| if inode == 0 { OwnedArg::Missing } else { OwnedArg::Int(inode as i64) })
    }

    /// Without those that these flags make anew: which number a new one has is not told.
    pub(super) fn without(self, flags: i64) -> Namespaces {
        Namespaces(std::array::from_fn(|i| if flags & FLAGS[i] == 0 { self.0[i] } else { 0 }))
    }

    /// With those of another one where that knows them.
    pub(super) fn or(self, other: Namespaces) -> Namespaces {
        Namespaces(std::array::from_fn(|i| if self.0[i] == 0 { other.0[i] } else { self.0[i] }))
    }

    /// Whether these flags make any anew.
    pub(super) fn are_made(flags: i64) -> bool {
        FLAGS.iter().any(|flag| flags & flag != 0)
    }

    fn enter(&mut self, flags: i64, inode: u64) {
        for (known, flag) in self.0.iter_mut().zip(FLAGS) {
            if flags & flag != 0 {
                *known = inode;
            }
        }
    }
}

/// Which namespace a file of `/proc/PID/ns` is, as a flag: by its path, or by the name that its link has.
fn flag_of(name: &[u8]) -> Option<i64> {
    let last = name.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let word = last.split(|&b| b == b':').next().unwrap_or_default();
    NAMES.iter().position(|n| *n == word).map(|i| FLAGS[i])
}

impl World {
    /// A thread entered the namespaces behind a descriptor (`setns(2)`): one, whose inode is the file's, or several of a
    /// process (a pidfd), whose numbers are not told.
    pub(super) fn enter_namespaces(&mut self, index: usize, desc: u32, wanted: i64) {
        let found = self.dict().desc(desc);
        let (ino, one) = (found.ino, flag_of(self.dict().text(found.name)));
        let flags = if wanted == 0 { one.unwrap_or(-1) } else { wanted } & !OF_CHILDREN;
        let inode = if flags.count_ones() == 1 { ino } else { 0 };
        self.threads[index].namespaces.enter(flags, inode);
    }

    /// When a thread was looked at, as a `snap_thread` row tells it, ns UTC; 0: it was seen to begin. Rows that do not
    /// tell (older reels) are of the moment of their own.
    pub(super) fn scanned(event: &Event<'_>) -> u64 {
        event.args.get(usize::from(SCANNED)).and_then(|a| a.int()).map_or(event.time, |_| int(event, SCANNED) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::kinds;

    #[test]
    fn parameters_stand_where_the_event_table_has_them() {
        let params = kinds::SNAP_THREAD.spec().params;
        for (i, name) in NAMES.iter().enumerate() {
            assert_eq!(params[usize::from(FIRST) + i].name.as_bytes(), [name, &b"ns"[..]].concat());
        }
        assert_eq!(params[usize::from(SCANNED)].name, "scanned");
    }

    #[test]
    fn a_file_names_its_namespace_by_its_path_or_by_its_link() {
        for (name, expected) in [
            ("/proc/1/ns/net", Some(0x4000_0000)),
            ("mnt:[4026531841]", Some(0x2_0000)),
            ("/run/netns/blue", None),
            ("", None),
        ] {
            assert_eq!(flag_of(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn what_a_flag_makes_anew_is_not_known() {
        let all = Namespaces([1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(all.without(0x0002_0000 | 0x4000_0000), Namespaces([1, 2, 0, 0, 5, 6, 7, 8]));
        let mut entered = all.without(0x4000_0000);
        entered.enter(0x4000_0000, 9);
        assert_eq!(entered, Namespaces([1, 2, 3, 9, 5, 6, 7, 8]));
        assert_eq!(Namespaces([0, 0, 0, 0, 0, 0, 0, 1]).or(all), Namespaces([1, 2, 3, 4, 5, 6, 7, 1]));
    }
}
