//! scap's own values of flags and enumerations ("PPM" values), and the kernel's.
//!
//! Names are the same in both; numbers are not. A reel holds the kernel's, so values are converted when they come in and go out.

use crate::event::FlagTable;

/// Tables whose values differ from the kernel's, or which the kernel does not have: (table, names and values).
/// Of all others scap has the kernel's values.
#[rustfmt::skip] // a table
pub static VALUES: &[(&str, &[(&str, u64)])] = &[
    ("file_flags", &[("O_LARGEFILE", 0x800), ("O_DIRECTORY", 0x400), ("O_DIRECT", 0x200), ("O_TRUNC", 0x100), ("O_SYNC", 0x80), ("O_NONBLOCK", 0x40), ("O_EXCL", 0x20), ("O_DSYNC", 0x10), ("O_APPEND", 8), ("O_CREAT", 4), ("O_RDWR", 3), ("O_WRONLY", 2), ("O_RDONLY", 1), ("O_CLOEXEC", 0x1000), ("O_NONE", 0), ("O_TMPFILE", 0x2000), ("O_F_CREATED", 0x4000), ("FD_UPPER_LAYER", 0x8000), ("FD_LOWER_LAYER", 0x0001_0000)]),
    ("creat_flags", &[("FD_UPPER_LAYER_CREAT", 1), ("FD_LOWER_LAYER_CREAT", 2)]),
    ("clone_flags", &[("CLONE_FILES", 1), ("CLONE_FS", 2), ("CLONE_IO", 4), ("CLONE_NEWIPC", 8), ("CLONE_NEWNET", 0x10), ("CLONE_NEWNS", 0x20), ("CLONE_NEWPID", 0x40), ("CLONE_NEWUTS", 0x80), ("CLONE_PARENT", 0x100), ("CLONE_PARENT_SETTID", 0x200), ("CLONE_PTRACE", 0x400), ("CLONE_SIGHAND", 0x800), ("CLONE_SYSVSEM", 0x1000), ("CLONE_THREAD", 0x2000), ("CLONE_UNTRACED", 0x4000), ("CLONE_VM", 0x8000), ("CLONE_INVERTED", 0x0001_0000), ("NAME_CHANGED", 0x0002_0000), ("CLOSED", 0x0004_0000), ("CLONE_NEWUSER", 0x0010_0000), ("CLONE_CHILD_CLEARTID", 0x0080_0000), ("CLONE_CHILD_SETTID", 0x0100_0000), ("CLONE_SETTLS", 0x0200_0000), ("CLONE_STOPPED", 0x0400_0000), ("CLONE_VFORK", 0x0800_0000), ("CLONE_NEWCGROUP", 0x1000_0000), ("CLONE_CHILD_IN_PIDNS", 0x2000_0000)]),
    ("poll_flags", &[("POLLIN", 1), ("POLLPRI", 2), ("POLLOUT", 4), ("POLLRDHUP", 8), ("POLLERR", 0x10), ("POLLHUP", 0x20), ("POLLNVAL", 0x40), ("POLLRDNORM", 0x80), ("POLLRDBAND", 0x100), ("POLLWRNORM", 0x200), ("POLLWRBAND", 0x400)]),
    ("shutdown_how", &[("SHUT_UNKNOWN", 0xffff), ("SHUT_RDWR", 2), ("SHUT_WR", 1), ("SHUT_RD", 0)]),
    ("rlimit_resources", &[("RLIMIT_UNKNOWN", 0xff), ("RLIMIT_RTTIME", 0xf), ("RLIMIT_RTPRIO", 0xe), ("RLIMIT_NICE", 0xd), ("RLIMIT_MSGQUEUE", 0xc), ("RLIMIT_SIGPENDING", 0xb), ("RLIMIT_LOCKS", 0xa), ("RLIMIT_AS", 9), ("RLIMIT_MEMLOCK", 8), ("RLIMIT_NOFILE", 7), ("RLIMIT_NPROC", 6), ("RLIMIT_RSS", 5), ("RLIMIT_CORE", 4), ("RLIMIT_STACK", 3), ("RLIMIT_DATA", 2), ("RLIMIT_FSIZE", 1), ("RLIMIT_CPU", 0)]),
    ("fcntl_commands", &[("F_GETPIPE_SZ", 0x1d), ("F_SETPIPE_SZ", 0x1c), ("F_NOTIFY", 0x1b), ("F_DUPFD_CLOEXEC", 0x1a), ("F_CANCELLK", 0x19), ("F_GETLEASE", 0x18), ("F_SETLEASE", 0x17), ("F_GETOWN_EX", 0x16), ("F_SETOWN_EX", 0x15), ("F_SETLKW64", 0x13), ("F_SETLK64", 0x12), ("F_GETLK64", 0x11), ("F_GETSIG", 0xf), ("F_SETSIG", 0xd), ("F_GETOWN", 0xc), ("F_SETOWN", 0xa), ("F_SETLKW", 9), ("F_SETLK", 8), ("F_GETLK", 6), ("F_SETFL", 5), ("F_GETFL", 4), ("F_SETFD", 3), ("F_GETFD", 2), ("F_DUPFD", 1), ("F_OFD_GETLK", 0x1e), ("F_OFD_SETLK", 0x1f), ("F_OFD_SETLKW", 0x20), ("UNKNOWN", 0)]),
    ("sockopt_levels", &[("SOL_SOCKET", 1), ("SOL_TCP", 2), ("UNKNOWN", 0)]),
    ("sockopt_options", &[("SO_COOKIE", 0x35), ("SO_MEMINFO", 0x34), ("SO_PEERGROUPS", 0x33), ("SO_ATTACH_BPF", 0x32), ("SO_INCOMING_CPU", 0x31), ("SO_BPF_EXTENSIONS", 0x30), ("SO_MAX_PACING_RATE", 0x2f), ("SO_BUSY_POLL", 0x2e), ("SO_SELECT_ERR_QUEUE", 0x2d), ("SO_LOCK_FILTER", 0x2c), ("SO_NOFCS", 0x2b), ("SO_PEEK_OFF", 0x2a), ("SO_WIFI_STATUS", 0x29), ("SO_RXQ_OVFL", 0x28), ("SO_DOMAIN", 0x27), ("SO_PROTOCOL", 0x26), ("SO_TIMESTAMPING", 0x25), ("SO_MARK", 0x24), ("SO_TIMESTAMPNS", 0x23), ("SO_PASSSEC", 0x22), ("SO_PEERSEC", 0x1f), ("SO_ACCEPTCONN", 0x1e), ("SO_TIMESTAMP", 0x1d), ("SO_PEERNAME", 0x1c), ("SO_DETACH_FILTER", 0x1b), ("SO_ATTACH_FILTER", 0x1a), ("SO_BINDTODEVICE", 0x19), ("SO_SECURITY_ENCRYPTION_NETWORK", 0x18), ("SO_SECURITY_ENCRYPTION_TRANSPORT", 0x17), ("SO_SECURITY_AUTHENTICATION", 0x16), ("SO_SNDTIMEO", 0x15), ("SO_RCVTIMEO", 0x14), ("SO_SNDLOWAT", 0x13), ("SO_RCVLOWAT", 0x12), ("SO_PEERCRED", 0x11), ("SO_PASSCRED", 0x10), ("SO_REUSEPORT", 0xf), ("SO_BSDCOMPAT", 0xe), ("SO_LINGER", 0xd), ("SO_PRIORITY", 0xc), ("SO_NO_CHECK", 0xb), ("SO_OOBINLINE", 0xa), ("SO_KEEPALIVE", 9), ("SO_RCVBUFFORCE", 0x21), ("SO_SNDBUFFORCE", 0x20), ("SO_RCVBUF", 8), ("SO_SNDBUF", 7), ("SO_BROADCAST", 6), ("SO_DONTROUTE", 5), ("SO_ERROR", 4), ("SO_TYPE", 3), ("SO_REUSEADDR", 2), ("SO_DEBUG", 1), ("UNKNOWN", 0)]),
    ("ptrace_requests", &[("PTRACE_SINGLEBLOCK", 0x26), ("PTRACE_SYSEMU_SINGLESTEP", 0x25), ("PTRACE_SYSEMU", 0x24), ("PTRACE_ARCH_PRCTL", 0x23), ("PTRACE_SET_THREAD_AREA", 0x22), ("PTRACE_GET_THREAD_AREA", 0x21), ("PTRACE_OLDSETOPTIONS", 0x20), ("PTRACE_SETFPXREGS", 0x1f), ("PTRACE_GETFPXREGS", 0x1e), ("PTRACE_SETFPREGS", 0x1d), ("PTRACE_GETFPREGS", 0x1c), ("PTRACE_SETREGS", 0x1b), ("PTRACE_GETREGS", 0x1a), ("PTRACE_SETSIGMASK", 0x19), ("PTRACE_GETSIGMASK", 0x18), ("PTRACE_PEEKSIGINFO", 0x17), ("PTRACE_LISTEN", 0x16), ("PTRACE_INTERRUPT", 0x15), ("PTRACE_SEIZE", 0x14), ("PTRACE_SETREGSET", 0x13), ("PTRACE_GETREGSET", 0x12), ("PTRACE_SETSIGINFO", 0x11), ("PTRACE_GETSIGINFO", 0x10), ("PTRACE_GETEVENTMSG", 0xf), ("PTRACE_SETOPTIONS", 0xe), ("PTRACE_SYSCALL", 0xd), ("PTRACE_DETACH", 0xc), ("PTRACE_ATTACH", 0xb), ("PTRACE_SINGLESTEP", 0xa), ("PTRACE_KILL", 9), ("PTRACE_CONT", 8), ("PTRACE_POKEUSR", 7), ("PTRACE_POKEDATA", 6), ("PTRACE_POKETEXT", 5), ("PTRACE_PEEKUSR", 4), ("PTRACE_PEEKDATA", 3), ("PTRACE_PEEKTEXT", 2), ("PTRACE_TRACEME", 1), ("PTRACE_UNKNOWN", 0)]),
    ("prot_flags", &[("PROT_READ", 1), ("PROT_WRITE", 2), ("PROT_EXEC", 4), ("PROT_SEM", 8), ("PROT_GROWSDOWN", 0x10), ("PROT_GROWSUP", 0x20), ("PROT_SAO", 0x40), ("PROT_NONE", 0)]),
    ("mmap_flags", &[("MAP_SHARED", 1), ("MAP_PRIVATE", 2), ("MAP_FIXED", 4), ("MAP_ANONYMOUS", 8), ("MAP_32BIT", 0x10), ("MAP_RENAME", 0x20), ("MAP_NORESERVE", 0x40), ("MAP_POPULATE", 0x80), ("MAP_NONBLOCK", 0x100), ("MAP_GROWSDOWN", 0x200), ("MAP_DENYWRITE", 0x400), ("MAP_EXECUTABLE", 0x800), ("MAP_INHERIT", 0x1000), ("MAP_FILE", 0x2000), ("MAP_LOCKED", 0x4000)]),
    ("quotactl_dqi_flags", &[("DQF_NONE", 1), ("V1_DQF_RSQUASH", 2)]),
    ("quotactl_cmds", &[("Q_QUOTAON", 1), ("Q_QUOTAOFF", 2), ("Q_GETFMT", 4), ("Q_GETINFO", 8), ("Q_SETINFO", 0x10), ("Q_GETQUOTA", 0x20), ("Q_SETQUOTA", 0x40), ("Q_SYNC", 0x80), ("Q_XQUOTAON", 0x100), ("Q_XQUOTAOFF", 0x200), ("Q_XGETQUOTA", 0x400), ("Q_XSETQLIM", 0x800), ("Q_XGETQSTAT", 0x1000), ("Q_XQUOTARM", 0x2000), ("Q_XQUOTASYNC", 0x4000)]),
    ("quotactl_types", &[("USRQUOTA", 1), ("GRPQUOTA", 2)]),
    ("quotactl_quota_fmts", &[("QFMT_NOT_USED", 1), ("QFMT_VFS_OLD", 2), ("QFMT_VFS_V0", 4), ("QFMT_VFS_V1", 8)]),
    ("semop_flags", &[("IPC_NOWAIT", 1), ("SEM_UNDO", 2)]),
    ("semget_flags", &[("IPC_EXCL", 0x4000), ("IPC_CREAT", 0x2000)]),
    ("semctl_commands", &[("IPC_STAT", 1), ("IPC_SET", 2), ("IPC_RMID", 4), ("IPC_INFO", 8), ("SEM_INFO", 0x10), ("SEM_STAT", 0x20), ("GETALL", 0x40), ("GETNCNT", 0x80), ("GETPID", 0x100), ("GETVAL", 0x200), ("GETZCNT", 0x400), ("SETALL", 0x800), ("SETVAL", 0x1000)]),
    ("pf_flags", &[("PROTECTION_VIOLATION", 1), ("PAGE_NOT_PRESENT", 2), ("WRITE_ACCESS", 4), ("READ_ACCESS", 8), ("USER_FAULT", 0x10), ("SUPERVISOR_FAULT", 0x20), ("RESERVED_PAGE", 0x40), ("INSTRUCTION_FETCH", 0x80)]),
    ("fchownat_flags", &[("AT_SYMLINK_NOFOLLOW", 0x400), ("AT_EMPTY_PATH", 0x1000)]),
    ("openat2_flags", &[("RESOLVE_BENEATH", 1), ("RESOLVE_IN_ROOT", 2), ("RESOLVE_NO_MAGICLINKS", 4), ("RESOLVE_NO_SYMLINKS", 8), ("RESOLVE_NO_XDEV", 0x10), ("RESOLVE_CACHED", 0x20)]),
    ("execveat_flags", &[("AT_EMPTY_PATH", 1), ("AT_SYMLINK_NOFOLLOW", 2)]),
    ("io_uring_setup_flags", &[("IORING_SETUP_IOPOLL", 1), ("IORING_SETUP_SQPOLL", 2), ("IORING_SQ_NEED_WAKEUP", 4), ("IORING_SETUP_SQ_AFF", 8), ("IORING_SETUP_CQSIZE", 0x10), ("IORING_SETUP_CLAMP", 0x20), ("IORING_SETUP_ATTACH_RW", 0x40), ("IORING_SETUP_R_DISABLED", 0x80)]),
    ("epoll_create1_flags", &[("EPOLL_CLOEXEC", 1)]),
    ("pidfd_open_flags", &[("PIDFD_NONBLOCK", 1)]),
    ("bpf_commands", &[("BPF_MAP_CREATE", 0), ("BPF_MAP_LOOKUP_ELEM", 1), ("BPF_MAP_UPDATE_ELEM", 2), ("BPF_MAP_DELETE_ELEM", 3), ("BPF_MAP_GET_NEXT_KEY", 4), ("BPF_PROG_LOAD", 5), ("BPF_OBJ_PIN", 6), ("BPF_OBJ_GET", 7), ("BPF_PROG_ATTACH", 8), ("BPF_PROG_DETACH", 9), ("BPF_PROG_TEST_RUN", 0xa), ("BPF_PROG_RUN", 0xa), ("BPF_PROG_GET_NEXT_ID", 0xb), ("BPF_MAP_GET_NEXT_ID", 0xc), ("BPF_PROG_GET_FD_BY_ID", 0xd), ("BPF_MAP_GET_FD_BY_ID", 0xe), ("BPF_OBJ_GET_INFO_BY_FD", 0xf), ("BPF_PROG_QUERY", 0x10), ("BPF_RAW_TRACEPOINT_OPEN", 0x11), ("BPF_BTF_LOAD", 0x12), ("BPF_BTF_GET_FD_BY_ID", 0x13), ("BPF_TASK_FD_QUERY", 0x14), ("BPF_MAP_LOOKUP_AND_DELETE_ELEM", 0x15), ("BPF_MAP_FREEZE", 0x16), ("BPF_BTF_GET_NEXT_ID", 0x17), ("BPF_MAP_LOOKUP_BATCH", 0x18), ("BPF_MAP_LOOKUP_AND_DELETE_BATCH", 0x19), ("BPF_MAP_UPDATE_BATCH", 0x1a), ("BPF_MAP_DELETE_BATCH", 0x1b), ("BPF_LINK_CREATE", 0x1c), ("BPF_LINK_UPDATE", 0x1d), ("BPF_LINK_GET_FD_BY_ID", 0x1e), ("BPF_LINK_GET_NEXT_ID", 0x1f), ("BPF_ENABLE_STATS", 0x20), ("BPF_ITER_CREATE", 0x21), ("BPF_LINK_DETACH", 0x22), ("BPF_PROG_BIND_MAP", 0x23)]),
    ("delete_module_flags", &[("O_NONBLOCK", 2), ("O_TRUNC", 1)]),
    ("anon_inode_fd_types", &[("ANON_INODE_FD_TYPE_UNKNOWN", 0), ("ANON_INODE_FD_TYPE_EVENTFD", 1), ("ANON_INODE_FD_TYPE_EVENTPOLL", 2), ("ANON_INODE_FD_TYPE_INOTIFY", 3), ("ANON_INODE_FD_TYPE_SIGNALFD", 4), ("ANON_INODE_FD_TYPE_TIMERFD", 5), ("ANON_INODE_FD_TYPE_IO_URING", 6), ("ANON_INODE_FD_TYPE_USERFAULTFD", 7), ("ANON_INODE_FD_TYPE_PIDFD", 8), ("ANON_INODE_FD_TYPE_BPF_MAP", 9), ("ANON_INODE_FD_TYPE_BPF_PROG", 0xa), ("ANON_INODE_FD_TYPE_BPF_LINK", 0xb), ("ANON_INODE_FD_TYPE_BPF_ITER", 0xc), ("ANON_INODE_FD_TYPE_PERF_EVENT", 0xd)]),
];

/// Says that bits above the 32nd are those of a scap value that the kernel's value does not give back.
const MARKED: u64 = 1 << 63;
/// A scap value that we keep beside the kernel's has at most 31 bits.
const KEPT: u64 = 0x7fff_ffff;
/// The kernel's value of a choice is not known.
const UNKNOWN: u64 = 0xffff_ffff;

/// The bits of scap's value that a kept one has beside the kernel's (see [`Conversion`]).
pub fn kept_bits(kept: i64) -> u64 {
    if kept as u64 & MARKED == 0 { 0 } else { kept as u64 >> 32 & KEPT }
}

/// The way between scap's values of one table and the kernel's.
///
/// What has no partner is kept: a converted value has the kernel's in its lower 32 bits and, where that alone would not give the
/// scap value back, the bits that differ in its upper ones.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// (scap's, the kernel's) of each name that both have; `None`: both are the same.
    pairs: Option<Vec<(u64, u64)>>,
    /// One of several values, not a set.
    choice: bool,
    /// The kernel's bits that are one number.
    one: u64,
    /// scap's bits that are that number.
    their_one: u64,
}

impl Conversion {
    /// Between a table of scap and one of ours. `choice` says that a value is one of the table's, and not a set of them.
    pub fn of(theirs: &str, ours: &FlagTable, choice: bool) -> Conversion {
        let Some((_, values)) = VALUES.iter().find(|v| v.0 == theirs) else {
            return Conversion { pairs: None, choice, one: 0, their_one: 0 };
        };
        let partner = |name: &str| ours.values.iter().find(|v| v.0 == name).map(|v| v.1);
        let pairs: Vec<(u64, u64)> = values.iter().filter_map(|&(name, value)| Some((value, partner(name)?))).collect();
        let chosen = |kernel: u64| ours.choice != 0 && kernel & !ours.choice == 0;
        let their_one = pairs.iter().filter(|p| chosen(p.1)).fold(0, |bits, p| bits | p.0);
        Conversion { pairs: Some(pairs), choice, one: ours.choice, their_one }
    }

    /// The value to keep for one of scap's.
    pub fn to_kernel(&self, scap: u64) -> i64 {
        let Some(pairs) = &self.pairs else { return scap as i64 };
        let kernel = self.partner(pairs, scap);
        let rest = (scap ^ self.back(pairs, kernel)) & KEPT;
        if rest == 0 { kernel as i64 } else { (kernel | rest << 32 | MARKED) as i64 }
    }

    /// scap's value of one that was kept, and the kernel's bits for which scap has none.
    pub fn to_scap(&self, kept: i64) -> (u64, u64) {
        let Some(pairs) = &self.pairs else { return (kept as u64, 0) };
        let kept = kept as u64;
        let (rest, kernel) = if kept & MARKED == 0 { (0, kept) } else { (kept >> 32 & KEPT, kept & UNKNOWN) };
        let scap = self.back(pairs, kernel);
        let known =
            if self.choice { if self.has(pairs, kernel) { kernel } else { 0 } } else { self.covered(pairs, kernel) };
        (scap ^ rest, if kernel == UNKNOWN && self.choice { 0 } else { kernel & !known })
    }

    /// The kernel's value of one of scap's, as far as it has one.
    fn partner(&self, pairs: &[(u64, u64)], scap: u64) -> u64 {
        if self.choice {
            return pairs.iter().find(|p| p.0 == scap).map_or(UNKNOWN, |p| p.1);
        }
        let one = pairs.iter().find(|p| self.is_one(p.1) && p.0 == scap & self.their_one);
        // No such number: all its bits, which no name has.
        let one = if self.one == 0 { 0 } else { one.map_or(self.one, |p| p.1) };
        let set = pairs.iter().filter(|p| !self.is_one(p.1) && p.0 != 0 && scap & p.0 == p.0);
        set.fold(one, |kernel, p| kernel | p.1)
    }

    /// scap's value of one of the kernel's, as far as it has one.
    fn back(&self, pairs: &[(u64, u64)], kernel: u64) -> u64 {
        if self.choice {
            let kernel = if self.one == 0 { kernel } else { kernel & self.one };
            return pairs.iter().find(|p| p.1 == kernel).map_or(0, |p| p.0);
        }
        let one = pairs.iter().find(|p| self.is_one(p.1) && p.1 == kernel & self.one).map_or(0, |p| p.0);
        pairs.iter().filter(|p| self.is_set(p.1, kernel)).fold(one, |scap, p| scap | p.0)
    }

    /// The kernel's bits that have a partner.
    fn covered(&self, pairs: &[(u64, u64)], kernel: u64) -> u64 {
        pairs.iter().filter(|p| self.is_set(p.1, kernel)).fold(self.one, |bits, p| bits | p.1)
    }

    fn has(&self, pairs: &[(u64, u64)], kernel: u64) -> bool {
        let kernel = if self.one == 0 { kernel } else { kernel & self.one };
        pairs.iter().any(|p| p.1 == kernel)
    }

    /// Whether it is one of the values of the number among the bits.
    fn is_one(&self, value: u64) -> bool {
        self.one != 0 && value & !self.one == 0
    }

    fn is_set(&self, value: u64, kernel: u64) -> bool {
        !self.is_one(value) && value != 0 && kernel & value == value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::flag_table;

    fn conversion(theirs: &str, ours: &str, choice: bool) -> Conversion {
        Conversion::of(theirs, flag_table(ours).unwrap(), choice)
    }

    #[test]
    fn values_are_sysdigs() {
        let root = std::env::var_os("SYSREEL_SHARED").map_or_else(
            || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
            std::path::PathBuf::from,
        );
        let Ok(table) = std::fs::read_to_string(root.join("spec/flags.tsv")) else {
            println!("skipped: values_are_sysdigs (no shared folder)");
            return;
        };
        let mut checked = 0;
        for line in table.lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            let (table, name, value) = (columns[0], columns[1], columns[2].parse::<u64>().unwrap());
            let own = VALUES.iter().find(|v| v.0 == table).map(|v| v.1);
            let values = own.unwrap_or_else(|| flag_table(table).unwrap_or_else(|| panic!("no {table}")).values);
            assert!(values.contains(&(name, value)), "{table}.{name}");
            checked += 1;
        }
        assert!(checked > 600, "{checked}");
    }

    #[test]
    fn flags_have_the_kernels_values_inside() {
        let open = conversion("file_flags", "file_flags", false);
        let cases: &[(u64, i64)] = &[
            (1, 0),
            (1 | 0x1000, 0o2_000_000),
            (3 | 4 | 0x100, 0o1102),
            (2 | 0x80 | 0x10, 0o4_010_001),
            (3 | 0x2000 | 0x400, 0o20_200_002),
        ];
        for &(scap, kernel) in cases {
            assert_eq!(open.to_kernel(scap), kernel, "{scap:#x}");
            assert_eq!(open.to_scap(kernel), (scap, 0), "{scap:#x}");
        }
        assert_eq!(open.to_scap(0o1_000_000), (1, 0o1_000_000), "scap has no O_NOATIME");
        let fd = conversion("file_flags", "fd_flags", false);
        assert_eq!((fd.to_kernel(0x1040), fd.to_kernel(0)), (0o2_004_000, 0));
    }

    #[test]
    fn choices_have_the_kernels_values_inside() {
        let fcntl = conversion("fcntl_commands", "fcntl_commands", true);
        assert_eq!((fcntl.to_kernel(1), fcntl.to_kernel(26)), (0, 1030));
        assert_eq!((fcntl.to_scap(0), fcntl.to_scap(1030)), ((1, 0), (26, 0)));
        assert_eq!(fcntl.to_kernel(0), UNKNOWN as i64);
        assert_eq!(fcntl.to_scap(UNKNOWN as i64), (0, 0));
        assert_eq!(fcntl.to_scap(1034), (0, 1034), "scap has no F_GET_SEALS");
        let same = conversion("lseek_whence", "lseek_whence", true);
        assert_eq!((same.to_kernel(2), same.to_scap(2)), (2, (2, 0)));
    }

    #[test]
    fn every_value_of_scap_comes_back() {
        for &(table, values) in VALUES {
            for ours in [table, "fd_flags"].into_iter().filter_map(flag_table) {
                for choice in [false, true] {
                    let conversion = Conversion::of(table, ours, choice);
                    let all = values.iter().fold(0, |bits, v| bits | v.1) & KEPT;
                    let bits = (0..31).map(|i| 1u64 << i);
                    for value in values.iter().map(|v| v.1 & KEPT).chain(bits).chain([0, all, KEPT]) {
                        let kept = conversion.to_kernel(value);
                        assert_eq!(conversion.to_scap(kept).0, value, "{table} as {}: {value:#x}", ours.name);
                    }
                }
            }
        }
    }
}
