//! Values of calls on processes and memory, in the native encoding of x86-64 Linux (its uapi headers).

use crate::event::spec::FlagTable;

/// `clone`, `clone3`, `unshare` and `setns` (`linux/sched.h`); the lowest 8 bits of `clone` are a signal number and have no names.
pub(in crate::event) const CLONE_FLAGS: &FlagTable = &FlagTable {
    name: "clone_flags",
    choice: 0,
    values: &[
        ("CLONE_FILES", 0x400),
        ("CLONE_FS", 0x200),
        ("CLONE_IO", 0x8000_0000),
        ("CLONE_NEWIPC", 0x800_0000),
        ("CLONE_NEWNET", 0x4000_0000),
        ("CLONE_NEWNS", 0x20000),
        ("CLONE_NEWPID", 0x2000_0000),
        ("CLONE_NEWUTS", 0x400_0000),
        ("CLONE_PARENT", 0x8000),
        ("CLONE_PARENT_SETTID", 0x10_0000),
        ("CLONE_PTRACE", 0x2000),
        ("CLONE_SIGHAND", 0x800),
        ("CLONE_SYSVSEM", 0x40000),
        ("CLONE_THREAD", 0x10000),
        ("CLONE_UNTRACED", 0x80_0000),
        ("CLONE_VM", 0x100),
        ("CLONE_NEWUSER", 0x1000_0000),
        ("CLONE_CHILD_CLEARTID", 0x20_0000),
        ("CLONE_CHILD_SETTID", 0x100_0000),
        ("CLONE_SETTLS", 0x80000),
        ("CLONE_VFORK", 0x4000),
        ("CLONE_NEWCGROUP", 0x200_0000),
        ("CLONE_NEWTIME", 0x80),
        ("CLONE_PIDFD", 0x1000),
        ("CLONE_DETACHED", 0x40_0000),
        ("CLONE_CLEAR_SIGHAND", 0x1_0000_0000),
        ("CLONE_INTO_CGROUP", 0x2_0000_0000),
    ],
};

/// `execveat`.
pub(in crate::event) const EXECVEAT_FLAGS: &FlagTable = &FlagTable {
    name: "execveat_flags",
    choice: 0,
    values: &[("AT_EMPTY_PATH", 4096), ("AT_SYMLINK_NOFOLLOW", 256), ("AT_EXECVE_CHECK", 0x10000)],
};

/// `pidfd_open`.
pub(in crate::event) const PIDFD_OPEN_FLAGS: &FlagTable =
    &FlagTable { name: "pidfd_open_flags", choice: 0, values: &[("PIDFD_NONBLOCK", 0o4000), ("PIDFD_THREAD", 0o200)] };

/// Resources with limits.
pub(in crate::event) const RLIMIT_RESOURCES: &FlagTable = &FlagTable {
    name: "rlimit_resources",
    choice: 0,
    values: &[
        ("RLIMIT_RTTIME", 15),
        ("RLIMIT_RTPRIO", 14),
        ("RLIMIT_NICE", 13),
        ("RLIMIT_MSGQUEUE", 12),
        ("RLIMIT_SIGPENDING", 11),
        ("RLIMIT_LOCKS", 10),
        ("RLIMIT_AS", 9),
        ("RLIMIT_MEMLOCK", 8),
        ("RLIMIT_NOFILE", 7),
        ("RLIMIT_NPROC", 6),
        ("RLIMIT_RSS", 5),
        ("RLIMIT_CORE", 4),
        ("RLIMIT_STACK", 3),
        ("RLIMIT_DATA", 2),
        ("RLIMIT_FSIZE", 1),
        ("RLIMIT_CPU", 0),
    ],
};

/// Options of `prctl`.
pub(in crate::event) const PRCTL_OPTIONS: &FlagTable = &FlagTable {
    name: "prctl_options",
    choice: 0,
    values: &[
        ("PR_GET_DUMPABLE", 3),
        ("PR_SET_DUMPABLE", 4),
        ("PR_GET_KEEPCAPS", 7),
        ("PR_SET_KEEPCAPS", 8),
        ("PR_SET_NAME", 15),
        ("PR_GET_NAME", 16),
        ("PR_GET_SECCOMP", 21),
        ("PR_SET_SECCOMP", 22),
        ("PR_CAPBSET_READ", 23),
        ("PR_CAPBSET_DROP", 24),
        ("PR_GET_SECUREBITS", 27),
        ("PR_SET_SECUREBITS", 28),
        ("PR_MCE_KILL", 33),
        ("PR_SET_MM", 35),
        ("PR_SET_CHILD_SUBREAPER", 36),
        ("PR_GET_CHILD_SUBREAPER", 37),
        ("PR_SET_NO_NEW_PRIVS", 38),
        ("PR_GET_NO_NEW_PRIVS", 39),
        ("PR_GET_TID_ADDRESS", 40),
        ("PR_SET_THP_DISABLE", 41),
        ("PR_GET_THP_DISABLE", 42),
        ("PR_CAP_AMBIENT", 47),
        ("PR_SET_PDEATHSIG", 1),
        ("PR_GET_PDEATHSIG", 2),
        ("PR_SET_TIMERSLACK", 29),
        ("PR_GET_TIMERSLACK", 30),
        ("PR_MCE_KILL_GET", 34),
        ("PR_GET_SPECULATION_CTRL", 52),
        ("PR_SET_SPECULATION_CTRL", 53),
        ("PR_SCHED_CORE", 62),
        ("PR_SET_PTRACER", 0x5961_6d61),
        ("PR_SET_VMA", 0x5356_4d41),
    ],
};

/// Requests of `ptrace` (`linux/ptrace.h`, `asm/ptrace-abi.h`).
pub(in crate::event) const PTRACE_REQUESTS: &FlagTable = &FlagTable {
    name: "ptrace_requests",
    choice: 0,
    values: &[
        ("PTRACE_SINGLEBLOCK", 33),
        ("PTRACE_SYSEMU_SINGLESTEP", 32),
        ("PTRACE_SYSEMU", 31),
        ("PTRACE_ARCH_PRCTL", 30),
        ("PTRACE_SET_THREAD_AREA", 26),
        ("PTRACE_GET_THREAD_AREA", 25),
        ("PTRACE_OLDSETOPTIONS", 21),
        ("PTRACE_SETFPXREGS", 19),
        ("PTRACE_GETFPXREGS", 18),
        ("PTRACE_SETFPREGS", 15),
        ("PTRACE_GETFPREGS", 14),
        ("PTRACE_SETREGS", 13),
        ("PTRACE_GETREGS", 12),
        ("PTRACE_SETSIGMASK", 0x420b),
        ("PTRACE_GETSIGMASK", 0x420a),
        ("PTRACE_PEEKSIGINFO", 0x4209),
        ("PTRACE_LISTEN", 0x4208),
        ("PTRACE_INTERRUPT", 0x4207),
        ("PTRACE_SEIZE", 0x4206),
        ("PTRACE_SETREGSET", 0x4205),
        ("PTRACE_GETREGSET", 0x4204),
        ("PTRACE_SETSIGINFO", 0x4203),
        ("PTRACE_GETSIGINFO", 0x4202),
        ("PTRACE_GETEVENTMSG", 0x4201),
        ("PTRACE_SETOPTIONS", 0x4200),
        ("PTRACE_SYSCALL", 24),
        ("PTRACE_DETACH", 17),
        ("PTRACE_ATTACH", 16),
        ("PTRACE_SINGLESTEP", 9),
        ("PTRACE_KILL", 8),
        ("PTRACE_CONT", 7),
        ("PTRACE_POKEUSR", 6),
        ("PTRACE_POKEDATA", 5),
        ("PTRACE_POKETEXT", 4),
        ("PTRACE_PEEKUSR", 3),
        ("PTRACE_PEEKDATA", 2),
        ("PTRACE_PEEKTEXT", 1),
        ("PTRACE_TRACEME", 0),
        ("PTRACE_SECCOMP_GET_FILTER", 0x420c),
        ("PTRACE_SECCOMP_GET_METADATA", 0x420d),
        ("PTRACE_GET_SYSCALL_INFO", 0x420e),
        ("PTRACE_GET_RSEQ_CONFIGURATION", 0x420f),
    ],
};

/// Access to mapped memory.
pub(in crate::event) const PROT_FLAGS: &FlagTable = &FlagTable {
    name: "prot_flags",
    choice: 0,
    values: &[
        ("PROT_READ", 1),
        ("PROT_WRITE", 2),
        ("PROT_EXEC", 4),
        ("PROT_SEM", 8),
        ("PROT_GROWSDOWN", 0x100_0000),
        ("PROT_GROWSUP", 0x200_0000),
        ("PROT_NONE", 0),
    ],
};

/// `mmap`; the lowest 4 bits are the type of the mapping, which is one number.
pub(in crate::event) const MMAP_FLAGS: &FlagTable = &FlagTable {
    name: "mmap_flags",
    choice: 0xf,
    values: &[
        ("MAP_SHARED", 1),
        ("MAP_PRIVATE", 2),
        ("MAP_FIXED", 16),
        ("MAP_ANONYMOUS", 32),
        ("MAP_32BIT", 64),
        ("MAP_NORESERVE", 0x4000),
        ("MAP_POPULATE", 0x8000),
        ("MAP_NONBLOCK", 0x10000),
        ("MAP_GROWSDOWN", 256),
        ("MAP_DENYWRITE", 2048),
        ("MAP_EXECUTABLE", 4096),
        ("MAP_LOCKED", 8192),
        ("MAP_SHARED_VALIDATE", 3),
        ("MAP_STACK", 0x20000),
        ("MAP_HUGETLB", 0x40000),
        ("MAP_SYNC", 0x80000),
        ("MAP_FIXED_NOREPLACE", 0x10_0000),
    ],
};

/// `mlockall`.
pub(in crate::event) const MLOCKALL_FLAGS: &FlagTable = &FlagTable {
    name: "mlockall_flags",
    choice: 0,
    values: &[("MCL_CURRENT", 1), ("MCL_FUTURE", 2), ("MCL_ONFAULT", 4)],
};

/// `mlock2`.
pub(in crate::event) const MLOCK2_FLAGS: &FlagTable =
    &FlagTable { name: "mlock2_flags", choice: 0, values: &[("MLOCK_ONFAULT", 1)] };

/// What is special about an executable; the probe's numbers are those of sysdig (`enum exe_flags` there).
pub(in crate::event) const EXECVE_FLAGS: &FlagTable = &FlagTable {
    name: "execve_flags",
    choice: 0,
    values: &[("EXE_WRITABLE", 1), ("EXE_UPPER_LAYER", 2), ("EXE_FROM_MEMFD", 4), ("EXE_LOWER_LAYER", 8)],
};
