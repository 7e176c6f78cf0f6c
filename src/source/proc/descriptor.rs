//! The open descriptors of a process.

use super::file;
use super::socket::Socket;
use crate::world::{DescKind, L4, Role};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// `O_CLOEXEC`, which fdinfo shows among the flags.
const CLOEXEC: u32 = 0o2_000_000;

/// What a descriptor is open on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Descriptor {
    pub(super) fd: u32,
    pub(super) kind: DescKind,
    pub(super) name: Vec<u8>,
    pub(super) tuple: Option<Vec<u8>>,
    pub(super) l4: L4,
    pub(super) role: Role,
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) flags: u32,
    pub(super) cloexec: bool,
}

/// What an object without a path is, by the text of its link.
fn nameless(link: &[u8]) -> Option<DescKind> {
    const KINDS: [(&[u8], DescKind); 14] = [
        (b"pipe:[", DescKind::Pipe),
        (b"anon_inode:[eventfd]", DescKind::Event),
        (b"anon_inode:[eventpoll]", DescKind::Eventpoll),
        (b"anon_inode:[signalfd]", DescKind::Signal),
        (b"anon_inode:[timerfd]", DescKind::Timer),
        (b"anon_inode:inotify", DescKind::Inotify),
        (b"anon_inode:[userfaultfd]", DescKind::Userfault),
        (b"anon_inode:[io_uring]", DescKind::IoUring),
        (b"anon_inode:[pidfd]", DescKind::Pidfd),
        (b"pidfd:[", DescKind::Pidfd),
        (b"anon_inode:bpf", DescKind::Bpf),
        (b"/memfd:", DescKind::Memfd),
        (b"socket:[", DescKind::Socket),
        (b"anon_inode:", DescKind::Unknown),
    ];
    KINDS.iter().find(|(prefix, _)| link.starts_with(prefix)).map(|(_, kind)| *kind)
}

/// The inode in `socket:[123]`.
fn socket_inode(link: &[u8]) -> Option<u64> {
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The flags (octal) in the text of an fdinfo file.
fn open_flags(fdinfo: &str) -> u32 {
    let line = fdinfo.lines().find_map(|l| l.strip_prefix("flags:"));
    line.and_then(|l| u32::from_str_radix(l.trim(), 8).ok()).unwrap_or(0)
}

/// What a socket is, by the name of its protocol, which the kernel shows as an attribute of the socket's inode
/// (`net/socket.c`, `sockfs_xattr_get`).
fn protocol(path: &Path) -> Option<Socket> {
    let name = crate::sys::attribute(path, c"system.sockprotoname")?;
    let (kind, l4) = match name.split(|&b| b == 0).next()? {
        b"TCP" => (DescKind::Ipv4, L4::Tcp),
        b"TCPv6" => (DescKind::Ipv6, L4::Tcp),
        b"UDP" => (DescKind::Ipv4, L4::Udp),
        b"UDPv6" => (DescKind::Ipv6, L4::Udp),
        b"PING" => (DescKind::Ipv4, L4::Icmp),
        b"PINGv6" => (DescKind::Ipv6, L4::Icmp),
        b"RAW" => (DescKind::Ipv4, L4::Raw),
        b"RAWv6" => (DescKind::Ipv6, L4::Raw),
        b"UNIX" | b"UNIX-STREAM" => (DescKind::Unix, L4::None),
        b"NETLINK" => (DescKind::Netlink, L4::None),
        _ => return None,
    };
    Some(Socket { kind, l4, ..Socket::default() })
}

/// What a number of a process is open on; `None` if nothing.
pub(super) fn descriptor(process: &Path, fd: u32, socket: &mut dyn FnMut(u64) -> Option<Socket>) -> Option<Descriptor> {
    let path = process.join("fd").join(fd.to_string());
    let link = file::link(&path)?;
    let flags = open_flags(&file::text(&process.join("fdinfo").join(fd.to_string()), 4096).unwrap_or_default());
    let mut found = Descriptor { fd, flags: flags & !CLOEXEC, cloexec: flags & CLOEXEC != 0, ..Descriptor::default() };
    if let Some(ino) = socket_inode(&link) {
        let unknown = Socket { kind: DescKind::Socket, ..Socket::default() };
        // What is in no table is bound and connected to nothing; its protocol still has a name.
        let Socket { kind, l4, role, tuple, name } = socket(ino).or_else(|| protocol(&path)).unwrap_or(unknown);
        return Some(Descriptor { kind, name, tuple, l4, role, ino, ..found });
    }
    // Only what has a path is worth a stat, which also tells a directory from a file.
    let kind = nameless(&link);
    if let Ok(facts) = std::fs::metadata(&path) {
        found.dev = facts.dev();
        found.ino = facts.ino();
        let by_type = match facts.file_type() {
            t if t.is_dir() => DescKind::Directory,
            t if t.is_fifo() => DescKind::Pipe,
            _ => DescKind::File,
        };
        found.kind = kind.unwrap_or(by_type);
    } else {
        found.kind = kind.unwrap_or(DescKind::File);
    }
    found.name = link.strip_suffix(b" (deleted)").unwrap_or(&link).to_vec();
    Some(found)
}

/// The descriptors of the process whose `/proc` directory this is, in rising order; those that closed meanwhile are left out.
/// `socket` tells what the socket with an inode is.
pub(super) fn descriptors(process: &Path, socket: &mut dyn FnMut(u64) -> Option<Socket>) -> Vec<Descriptor> {
    file::numbers(&process.join("fd")).into_iter().filter_map(|fd| descriptor(process, fd, socket)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_tell_what_an_object_without_a_path_is() {
        for (link, kind) in [
            ("pipe:[12]", Some(DescKind::Pipe)),
            ("anon_inode:[eventfd]", Some(DescKind::Event)),
            ("anon_inode:bpf-map", Some(DescKind::Bpf)),
            ("anon_inode:[something new]", Some(DescKind::Unknown)),
            ("/memfd:x (deleted)", Some(DescKind::Memfd)),
            ("/etc/passwd", None),
        ] {
            assert_eq!(nameless(link.as_bytes()), kind, "{link}");
        }
        assert_eq!(socket_inode(b"socket:[77]"), Some(77));
        assert_eq!(socket_inode(b"socket:[x]"), None);
    }

    #[test]
    fn a_socket_that_is_nowhere_yet_has_a_protocol() {
        let found = |socket: &dyn std::os::fd::AsRawFd| {
            let path = format!("/proc/self/fd/{}", socket.as_raw_fd());
            protocol(Path::new(&path)).map(|s| (s.kind, s.l4))
        };
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = std::net::TcpListener::bind("[::1]:0").unwrap();
        let (unix, _) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(found(&udp), Some((DescKind::Ipv4, L4::Udp)));
        assert_eq!(found(&tcp), Some((DescKind::Ipv6, L4::Tcp)));
        assert_eq!(found(&unix), Some((DescKind::Unix, L4::None)));
        assert_eq!(found(&std::fs::File::open("/dev/null").unwrap()), None);
    }

    #[test]
    fn flags_are_octal() {
        assert_eq!(open_flags("pos:\t0\nflags:\t02100002\nmnt_id:\t9\n"), 0o2_100_002);
        assert_eq!(open_flags(""), 0);
    }

    #[test]
    fn our_own_descriptors_are_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a file");
        let open = std::fs::File::create(&path).unwrap();
        let open_dir = std::fs::File::open(dir.path()).unwrap();
        let all = descriptors(Path::new("/proc/self"), &mut |_| None);
        let with_name = |p: &Path| all.iter().find(|d| d.name == p.as_os_str().as_encoded_bytes()).cloned().unwrap();
        let file = with_name(&path);
        assert_eq!((file.kind, file.cloexec), (DescKind::File, true));
        assert_eq!(file.ino, open.metadata().unwrap().ino());
        assert_eq!(with_name(dir.path()).kind, DescKind::Directory);
        drop(open_dir);
    }
}
