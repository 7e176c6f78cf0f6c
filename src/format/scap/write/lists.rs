//! What stands before the first event: machine, interfaces, users, threads, descriptors. Entries say their own length.

use super::frame::{block, counted, patch};
use crate::format::scap::block::Block;
use std::net::{IpAddr, Ipv4Addr};

/// The most bytes of a name that readers take.
const NAME: usize = 1024;
/// The most bytes of a list (arguments, environment, groups) that readers take.
const LIST: usize = 4096;
/// The most bytes of the name of a user, its folder and its shell.
const USER_NAME: usize = 255;
/// Bytes of the machine's name, its NUL included.
const HOST: usize = 128;

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MachineFacts {
    /// Processors: more than the highest number of one in the events, or readers look beyond the end of their tables.
    pub processors: u32,
    /// Memory, bytes; 0 unknown.
    pub memory: u64,
    /// Its name.
    pub host: String,
    /// When it was started, ns UTC; 0 unknown.
    pub booted: u64,
}

/// Appends the block about the machine.
pub fn machine(out: &mut Vec<u8>, facts: &MachineFacts) {
    block(out, Block::Machine, |out| {
        out.extend(facts.processors.to_le_bytes());
        out.extend(facts.memory.to_le_bytes());
        // the most processes there may be: not recorded
        out.extend(0u64.to_le_bytes());
        let name = facts.host.as_bytes();
        let name = name.get(..HOST - 1).unwrap_or(name);
        out.extend_from_slice(name);
        out.resize(out.len() + HOST - name.len(), 0);
        out.extend(facts.booted.to_le_bytes());
        out.extend([0; 24]);
    });
}

/// Appends the list of network interfaces, from their addresses: (name, address, netmask, broadcast).
pub fn interfaces(out: &mut Vec<u8>, list: &[(Vec<u8>, IpAddr, IpAddr, IpAddr)]) {
    block(out, Block::Interfaces(2), |out| {
        for (name, address, mask, broadcast) in list {
            entry(out, false, |out| {
                // 3 and 4: the speed of the link is not told
                out.extend((if address.is_ipv4() { 3u16 } else { 4 }).to_le_bytes());
                let name = name.get(..NAME).unwrap_or(name);
                out.extend((name.len() as u16).to_le_bytes());
                for ip in [address, mask, broadcast] {
                    match ip {
                        IpAddr::V4(ip) => out.extend(ip.octets()),
                        IpAddr::V6(ip) => out.extend(ip.octets()),
                    }
                }
                out.extend_from_slice(name);
            });
        }
    });
}

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// A group, and no user.
    pub is_group: bool,
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: Vec<u8>,
    /// Home directory and shell of a user; empty where they are not known.
    pub home: Vec<u8>,
    /// See [`User::home`].
    pub shell: Vec<u8>,
}

/// Appends the list of users and groups. What the groups of users are is not recorded.
pub fn users(out: &mut Vec<u8>, list: &[User]) {
    block(out, Block::Users(2), |out| {
        for user in list {
            entry(out, true, |out| {
                out.push(u8::from(user.is_group));
                out.extend(user.id.to_le_bytes());
                if !user.is_group {
                    out.extend(u32::MAX.to_le_bytes());
                }
                counted(out, &user.name, USER_NAME);
                if !user.is_group {
                    counted(out, &user.home, USER_NAME);
                    counted(out, &user.shell, USER_NAME);
                }
            });
        }
    });
}

/// Appends an entry with its length before it, which counts itself or not.
fn entry(out: &mut Vec<u8>, counts_itself: bool, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    body(out);
    let length = out.len() - start - if counts_itself { 0 } else { 4 };
    patch(out, start, length as u32);
}

/// A thread as it was when the recording began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessEntry {
    /// Thread, process, parent process, session, process group.
    pub ids: [u64; 5],
    /// Name, first argument, path of the program.
    pub names: [Vec<u8>; 3],
    /// Arguments after the first, a NUL behind each.
    pub args: Vec<u8>,
    /// Working directory.
    pub cwd: Vec<u8>,
    /// Most descriptors that it may have.
    pub fdlimit: i64,
    /// What it shares with its maker, in scap's `clone_flags`.
    pub flags: u32,
    /// Effective user and group.
    pub owner: [u32; 2],
    /// Memory, KiB: virtual, resident, swapped.
    pub memory: [u32; 3],
    /// Faults: major, minor.
    pub faults: [u64; 2],
    /// Environment, a NUL behind each variable.
    pub env: Vec<u8>,
    /// Thread and process in their own namespace.
    pub inner: [i64; 2],
    /// Control groups, `subsystem=path` with a NUL behind each.
    pub cgroups: Vec<u8>,
    /// Root directory.
    pub root: Vec<u8>,
    /// When the first process of its namespace began, ns UTC; 0 unknown.
    pub namespace_start: u64,
    /// Number of the terminal; 0 none.
    pub tty: u32,
    /// Who logged in; all ones: nobody.
    pub login: u32,
    /// Facts about the program: writable, in an upper layer, from memory, in a lower layer.
    pub program: [bool; 4],
    /// Capabilities: inheritable, permitted, effective.
    pub capabilities: [u64; 3],
    /// Inode of the program, its times of change and of modification, ns UTC.
    pub inode: [u64; 3],
    /// Process group on the host.
    pub pgid: i64,
}

/// Appends the list of all threads.
pub fn processes(out: &mut Vec<u8>, list: &[ProcessEntry]) {
    block(out, Block::Threads(9), |out| {
        for thread in list {
            entry(out, true, |out| process(out, thread));
        }
    });
}

fn process(out: &mut Vec<u8>, it: &ProcessEntry) {
    it.ids.iter().for_each(|id| out.extend(id.to_le_bytes()));
    it.names.iter().for_each(|name| counted(out, name, NAME));
    counted(out, whole_items(&it.args), LIST);
    counted(out, &it.cwd, NAME);
    out.extend(it.fdlimit.to_le_bytes());
    out.extend(it.flags.to_le_bytes());
    it.owner.iter().chain(&it.memory).for_each(|n| out.extend(n.to_le_bytes()));
    it.faults.iter().for_each(|n| out.extend(n.to_le_bytes()));
    counted(out, whole_items(&it.env), LIST);
    it.inner.iter().for_each(|n| out.extend(n.to_le_bytes()));
    counted(out, whole_items(&it.cgroups), LIST);
    counted(out, &it.root, NAME);
    out.extend(it.namespace_start.to_le_bytes());
    out.extend(it.tty.to_le_bytes());
    out.extend(it.login.to_le_bytes());
    let [writable, upper, memfd, lower] = it.program;
    out.push(u8::from(writable));
    it.capabilities.iter().for_each(|n| out.extend(n.to_le_bytes()));
    out.push(u8::from(upper));
    it.inode.iter().for_each(|n| out.extend(n.to_le_bytes()));
    out.extend([u8::from(memfd), u8::from(lower)]);
    out.extend(it.pgid.to_le_bytes());
}

/// A list cut behind the last item that is whole.
fn whole_items(list: &[u8]) -> &[u8] {
    let Some(head) = list.get(..LIST) else { return list };
    let end = head.iter().rposition(|&b| b == 0).map_or(LIST, |at| at + 1);
    &list[..end]
}

/// What a descriptor is, by the number that scap has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Anything that has a name only, by its number.
    Named(u8),
    /// A file with what it was opened for (scap's `file_flags`) and its device.
    File {
        /// Flags.
        flags: u32,
        /// Device.
        dev: u32,
    },
    /// An IP socket: its ends, and its protocol (0 unknown, 1 none, 2 TCP, 3 UDP, 4 ICMP, 5 raw).
    Socket {
        /// Ends.
        ends: Ends,
        /// Protocol.
        l4: u8,
    },
    /// A Unix socket: the kernel's addresses of both ends.
    Unix {
        /// This end.
        source: u64,
        /// The other.
        peer: u64,
    },
}

/// The ends of an IP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// Local and remote.
    Both((IpAddr, u16), (IpAddr, u16)),
    /// Bound or listening: there is no other end.
    Local((IpAddr, u16)),
    /// None yet; of IPv6, or of IPv4.
    None {
        /// IPv6.
        v6: bool,
    },
}

/// A descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptorEntry {
    /// Its number.
    pub fd: i64,
    /// Inode; 0 unknown.
    pub ino: u64,
    /// What it is.
    pub shape: Shape,
    /// Its name or path; not of IP sockets.
    pub name: Vec<u8>,
}

/// Appends the list of a process's descriptors.
pub fn descriptors(out: &mut Vec<u8>, tid: u64, list: &[DescriptorEntry]) {
    block(out, Block::Descriptors(2), |out| {
        out.extend(tid.to_le_bytes());
        for descriptor in list {
            entry(out, true, |out| {
                out.extend(descriptor.fd.to_le_bytes());
                out.extend(descriptor.ino.to_le_bytes());
                shape(out, descriptor);
            });
        }
    });
}

fn shape(out: &mut Vec<u8>, descriptor: &DescriptorEntry) {
    match descriptor.shape {
        Shape::Named(kind) => {
            out.push(kind);
            counted(out, &descriptor.name, NAME);
        }
        Shape::File { flags, dev } => {
            out.push(16);
            out.extend(flags.to_le_bytes());
            counted(out, &descriptor.name, NAME);
            out.extend(dev.to_le_bytes());
        }
        Shape::Socket { ends, l4 } => {
            socket(out, ends);
            out.push(l4);
        }
        Shape::Unix { source, peer } => {
            out.push(8);
            out.extend(source.to_le_bytes());
            out.extend(peer.to_le_bytes());
            counted(out, &descriptor.name, NAME);
        }
    }
}

fn socket(out: &mut Vec<u8>, ends: Ends) {
    let unspecified = |v6: bool| if v6 { IpAddr::from([0u8; 16]) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
    let (v6, list): (bool, Vec<(IpAddr, u16)>) = match ends {
        Ends::Both(local, remote) => (local.0.is_ipv6() || remote.0.is_ipv6(), vec![local, remote]),
        Ends::Local(local) => (local.0.is_ipv6(), vec![local]),
        Ends::None { v6 } => (v6, vec![(unspecified(v6), 0), (unspecified(v6), 0)]),
    };
    out.push(match (v6, list.len()) {
        (false, 1) => 5,
        (true, 1) => 6,
        (false, _) => 3,
        (true, _) => 4,
    });
    for (ip, _) in &list {
        address(out, *ip, v6);
    }
    for (_, port) in &list {
        out.extend(port.to_le_bytes());
    }
}

/// Appends an address in network order; one of IPv4 among those of IPv6 in its mapped form.
pub(super) fn address(out: &mut Vec<u8>, ip: IpAddr, v6: bool) {
    match ip {
        IpAddr::V4(ip) if v6 => out.extend(ip.to_ipv6_mapped().octets()),
        IpAddr::V4(ip) => out.extend(ip.octets()),
        IpAddr::V6(ip) => out.extend(ip.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body of the only block, without its padding.
    fn body(out: &[u8], code: u32, padding: usize) -> &[u8] {
        assert_eq!(out[..4], code.to_le_bytes());
        assert_eq!(out[4..8], (out.len() as u32).to_le_bytes());
        &out[8..out.len() - 4 - padding]
    }

    #[test]
    fn the_machine_takes_180_bytes() {
        let mut out = Vec::new();
        machine(&mut out, &MachineFacts { processors: 2, memory: 3, host: "n".repeat(200), booted: 9 });
        let body = body(&out, 0x201, 0);
        assert_eq!((body.len(), body[0], body[4], body[146], body[147], body[148]), (180, 2, 3, b'n', 0, 9));
    }

    #[test]
    fn entries_of_interfaces_do_not_count_their_length() {
        let mut out = Vec::new();
        let ip = |n: u8| IpAddr::from([10, 0, 0, n]);
        interfaces(&mut out, &[(b"eth0".to_vec(), ip(1), ip(2), ip(3))]);
        assert_eq!(body(&out, 0x219, 0), b"\x14\0\0\0\x03\0\x04\0\x0a\0\0\x01\x0a\0\0\x02\x0a\0\0\x03eth0");
    }

    #[test]
    fn entries_of_users_count_their_length() {
        let mut out = Vec::new();
        let user = |is_group, id| User { is_group, id, name: b"ab".to_vec(), home: Vec::new(), shell: Vec::new() };
        users(&mut out, &[user(false, 7), user(true, 8)]);
        let expected = b"\x15\0\0\0\0\x07\0\0\0\xff\xff\xff\xff\x02\0ab\0\0\0\0\x0d\0\0\0\x01\x08\0\0\0\x02\0ab";
        assert_eq!(body(&out, 0x220, 2), expected);
    }

    #[test]
    fn a_thread_has_all_that_was_ever_appended() {
        let mut out = Vec::new();
        let thread = ProcessEntry {
            ids: [1, 2, 3, 4, 5],
            names: [b"c".to_vec(), b"e".to_vec(), b"/e".to_vec()],
            args: b"a\0".to_vec(),
            cwd: b"/".to_vec(),
            login: u32::MAX,
            program: [true, false, false, true],
            pgid: 5,
            ..ProcessEntry::default()
        };
        processes(&mut out, &[thread]);
        let length = u32::from_le_bytes(out[8..12].try_into().unwrap()) as usize;
        let entry = &out[8..8 + length];
        assert!(out.len() - 12 - length < 4, "padding");
        let texts = 3 + 3 + 4 + 4 + 3;
        assert_eq!(
            entry.len(),
            4 + 40 + texts + 8 + 4 + 8 + 12 + 16 + 2 + 16 + 2 + 2 + 12 + 4 + 1 + 24 + 1 + 24 + 2 + 8
        );
        assert_eq!(&entry[entry.len() - 10..], b"\0\x01\x05\0\0\0\0\0\0\0", "from memory, lower layer, group");
    }

    #[test]
    fn lists_are_cut_between_items() {
        let long = [b"x".repeat(3000), b"\0".to_vec(), b"y".repeat(3000), b"\0".to_vec()].concat();
        assert_eq!(whole_items(&long).len(), 3001);
        assert_eq!(whole_items(b"a\0b\0"), b"a\0b\0");
        assert_eq!(whole_items(&b"x".repeat(5000)).len(), LIST);
    }

    #[test]
    fn descriptors_have_the_layout_of_their_kind() {
        let v4 = |n: u8, port| (IpAddr::from([1, 2, 3, n]), port);
        let named = |shape, name: &[u8]| DescriptorEntry { fd: 3, ino: 4, shape, name: name.to_vec() };
        let tcp = |ends| named(Shape::Socket { ends, l4: 2 }, b"");
        let cases: &[(DescriptorEntry, &[u8])] = &[
            (named(Shape::Named(7), b"p"), b"\x07\x01\0p"),
            (named(Shape::File { flags: 1, dev: 2 }, b"/a"), b"\x10\x01\0\0\0\x02\0/a\x02\0\0\0"),
            (tcp(Ends::Both(v4(4, 80), v4(5, 81))), b"\x03\x01\x02\x03\x04\x01\x02\x03\x05\x50\0\x51\0\x02"),
            (tcp(Ends::Local(v4(4, 80))), b"\x05\x01\x02\x03\x04\x50\0\x02"),
            (tcp(Ends::Local((IpAddr::from([9; 16]), 80))), b"\x06\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\x50\0\x02"),
            (named(Shape::Unix { source: 1, peer: 2 }, b"/s"), b"\x08\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x02\0/s"),
        ];
        for (descriptor, expected) in cases {
            let mut out = Vec::new();
            descriptors(&mut out, 100, std::slice::from_ref(descriptor));
            assert_eq!(out[8..16], 100u64.to_le_bytes());
            let length = u32::from_le_bytes(out[16..20].try_into().unwrap()) as usize;
            assert_eq!(&out[36..16 + length], *expected, "{descriptor:?}");
            assert_eq!((out[20], out[28]), (3, 4));
        }
        let mut out = Vec::new();
        descriptors(&mut out, 1, &[tcp(Ends::None { v6: true })]);
        assert_eq!((out[36], out.len()), (4, 8 + 8 + 4 + 16 + 1 + 32 + 4 + 1 + 2 + 4));
    }
}
