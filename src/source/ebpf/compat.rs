//! Numbers of 32-bit (i386) calls, for programs that make them on a 64-bit kernel.
//!
//! Source: `arch/x86/entry/syscalls/syscall_32.tbl`. Those with other arguments than their namesake (old `mmap`,
//! `socketcall`, `ipc`, calls with 64-bit offsets in two registers) are left out.

/// (number, name in the event table)
#[rustfmt::skip] // a table
const NUMBERS: &[(u16, &str)] = &[
    (1, "exit"), (2, "fork"), (3, "read"), (4, "write"), (5, "open"), (6, "close"), (8, "creat"), (9, "link"),
    (10, "unlink"), (11, "execve"), (12, "chdir"), (14, "mknod"), (15, "chmod"), (20, "getpid"), (21, "mount"),
    (26, "ptrace"), (29, "pause"), (33, "access"), (36, "sync"), (37, "kill"), (38, "rename"), (39, "mkdir"),
    (40, "rmdir"), (41, "dup"), (42, "pipe"), (45, "brk"), (52, "umount2"), (54, "ioctl"), (57, "setpgid"),
    (60, "umask"), (61, "chroot"), (63, "dup2"), (64, "getppid"), (65, "getpgrp"), (66, "setsid"), (83, "symlink"),
    (85, "readlink"), (88, "reboot"), (91, "munmap"), (94, "fchmod"), (114, "wait4"), (118, "fsync"), (120, "clone"),
    (122, "uname"), (125, "mprotect"), (128, "init_module"), (129, "delete_module"), (132, "getpgid"),
    (133, "fchdir"), (141, "getdents"), (142, "select"), (143, "flock"), (144, "msync"), (145, "readv"),
    (146, "writev"), (147, "getsid"), (148, "fdatasync"), (158, "sched_yield"), (162, "nanosleep"), (168, "poll"),
    (172, "prctl"), (174, "rt_sigaction"), (175, "rt_sigprocmask"), (183, "getcwd"), (190, "vfork"),
    (199, "getuid"), (200, "getgid"), (201, "geteuid"), (202, "getegid"), (203, "setreuid"), (204, "setregid"),
    (208, "setresuid"), (210, "setresgid"), (212, "chown"), (213, "setuid"), (214, "setgid"), (220, "getdents64"),
    (221, "fcntl"), (224, "gettid"), (238, "tkill"), (240, "futex"), (252, "exit_group"), (254, "epoll_create"),
    (255, "epoll_ctl"), (256, "epoll_wait"), (258, "set_tid_address"), (270, "tgkill"), (291, "inotify_init"),
    (292, "inotify_add_watch"), (295, "openat"), (296, "mkdirat"), (297, "mknodat"), (298, "fchownat"),
    (301, "unlinkat"), (302, "renameat"), (303, "linkat"), (304, "symlinkat"), (305, "readlinkat"),
    (306, "fchmodat"), (307, "faccessat"), (310, "unshare"), (311, "set_robust_list"), (323, "eventfd"),
    (328, "eventfd2"), (329, "epoll_create1"), (330, "dup3"), (331, "pipe2"), (332, "inotify_init1"),
    (340, "prlimit"), (346, "setns"), (353, "renameat2"), (354, "seccomp"), (355, "getrandom"),
    (356, "memfd_create"), (357, "bpf"), (358, "execveat"), (359, "socket"), (360, "socketpair"), (361, "bind"),
    (362, "connect"), (363, "listen"), (364, "accept4"), (367, "getsockname"), (368, "getpeername"),
    (369, "sendto"), (370, "sendmsg"), (371, "recvfrom"), (372, "recvmsg"), (373, "shutdown"), (383, "statx"),
    (435, "clone3"), (436, "close_range"), (437, "openat2"), (439, "faccessat2"),
];

/// The i386 numbers of a kind.
pub(super) fn numbers(name: &str) -> impl Iterator<Item = u16> {
    NUMBERS.iter().filter(move |(_, n)| *n == name).map(|(nr, _)| *nr)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::kind_by_name;

    #[test]
    fn every_name_is_a_kind_and_every_number_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (nr, name) in NUMBERS {
            assert!(seen.insert(nr), "{nr} twice");
            assert!(kind_by_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn numbers_of_a_name_are_found() {
        assert_eq!(numbers("getppid").collect::<Vec<_>>(), [64]);
        assert_eq!(numbers("no such call").count(), 0);
    }
}
