//! Mounts, from `/proc/PID/mountinfo` (`proc_pid_mountinfo(5)`).

use super::file;
use std::path::Path;

/// A mount as a process sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Mount {
    pub(super) id: u32,
    pub(super) parent: u32,
    /// Device number, as `stat` gives it for the files on it.
    pub(super) dev: u64,
    /// What of the file system is mounted.
    pub(super) root: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) kind: Vec<u8>,
    pub(super) source: Vec<u8>,
    /// Those of the mount, then those of its file system that are not said already.
    pub(super) options: Vec<u8>,
    /// `shared:1 master:2`: where mounts below it go to and come from.
    pub(super) propagation: Vec<u8>,
}

/// Text in which the kernel has written blanks and backslashes as `\040` (`seq_path_root`).
fn plain(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|d| first == b'\\' && d.iter().all(|b| (b'0'..=b'7').contains(b)));
        if let Some(digits) = octal {
            out.push(digits.iter().fold(0_u32, |n, d| n << 3 | u32::from(d - b'0')) as u8);
            rest = &tail[3..];
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

/// `major:minor` as `makedev(3)` has it.
fn device(text: &[u8]) -> Option<u64> {
    let (major, minor) = std::str::from_utf8(text).ok()?.split_once(':')?;
    let (major, minor): (u64, u64) = (major.parse().ok()?, minor.parse().ok()?);
    Some(minor & 0xff | (major & 0xfff) << 8 | (minor & !0xff) << 12 | (major & !0xfff) << 32)
}

/// The options of a mount and of its file system; whether it can be written is said by the mount alone.
fn options(mount: &[u8], system: &[u8]) -> Vec<u8> {
    let known: Vec<&[u8]> = mount.split(|&b| b == b',').collect();
    let mut all = mount.to_vec();
    for option in system.split(|&b| b == b',').filter(|o| !known.contains(o) && *o != b"ro" && *o != b"rw") {
        all.push(b',');
        all.extend_from_slice(option);
    }
    plain(&all)
}

/// A line: `36 35 98:0 /sub /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
fn mount(line: &[u8]) -> Option<Mount> {
    let words: Vec<&[u8]> = line.split(|&b| b == b' ').collect();
    let number = |at: usize| std::str::from_utf8(words.get(at)?).ok()?.parse::<u32>().ok();
    let (own, system) = words.split_at_checked(words.iter().skip(6).position(|w| *w == b"-")? + 6)?;
    Some(Mount {
        id: number(0)?,
        parent: number(1)?,
        dev: device(own.get(2)?)?,
        root: plain(own.get(3)?),
        path: plain(own.get(4)?),
        options: options(own.get(5)?, system.get(3).copied().unwrap_or_default()),
        propagation: own.get(6..)?.join(&b' '),
        kind: plain(system.get(1).filter(|kind| !kind.is_empty())?),
        source: plain(system.get(2).copied().unwrap_or_default()),
    })
}

/// The mounts that the process whose `/proc` directory this is sees, in the kernel's order.
pub(super) fn mounts(process: &Path) -> Vec<Mount> {
    let text = file::read(&process.join("mountinfo"), file::TABLE_LIMIT).unwrap_or_default();
    text.split(|&b| b == b'\n').filter_map(mount).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_line_is_taken_apart() {
        let line =
            b"36 35 98:300 /a\\040b /mnt\\134x ro,noatime master:1 shared:7 - fuse.sshfs me@host: rw,noatime,user_id=0";
        let expected = Mount {
            id: 36,
            parent: 35,
            dev: libc_makedev(98, 300),
            root: b"/a b".to_vec(),
            path: b"/mnt\\x".to_vec(),
            kind: b"fuse.sshfs".to_vec(),
            source: b"me@host:".to_vec(),
            options: b"ro,noatime,user_id=0".to_vec(),
            propagation: b"master:1 shared:7".to_vec(),
        };
        assert_eq!(mount(line), Some(expected));
        for end in 0..line.len() {
            mount(&line[..end]);
        }
        assert_eq!(mount(b"1 1 8:1 / / rw - "), None);
    }

    /// The same by the bits that `makedev(3)` tells.
    fn libc_makedev(major: u64, minor: u64) -> u64 {
        (major & 0xffff_f000) << 32 | (major & 0xfff) << 8 | (minor & 0xffff_ff00) << 12 | minor & 0xff
    }

    #[test]
    fn the_root_of_proc_is_a_mount_with_its_device() {
        let found = mounts(Path::new("/proc/self"));
        let proc = found.iter().rfind(|m| m.path == b"/proc").unwrap();
        assert_eq!(proc.kind, b"proc");
        assert_eq!(proc.dev, std::fs::metadata("/proc").unwrap().dev());
    }
}
