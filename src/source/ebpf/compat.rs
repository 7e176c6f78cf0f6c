//! Numbers of 32-bit (i386) calls, for programs that make them on a 64-bit kernel.
//!
//! Source: `arch/x86/entry/syscalls/syscall_32.tbl`. Numbers that are not here are recorded as the kind `syscall`: calls
//! that 64-bit kernels have no kind for, and those whose arguments stand in a structure (old `mmap`, old `select`).
//! `socketcall` and `ipc` are taken apart by the probe, which gives their parts the last numbers of the table.

use crate::event::Spec;

/// (number, name in the event table)
#[rustfmt::skip] // a table
const NUMBERS: &[(u16, &str)] = &[
    (0, "restart_syscall"), (1, "exit"), (2, "fork"), (3, "read"), (4, "write"), (5, "open"), (6, "close"),
    (8, "creat"), (9, "link"), (10, "unlink"), (11, "execve"), (12, "chdir"), (13, "time"), (14, "mknod"),
    (15, "chmod"), (16, "lchown"), (19, "lseek"), (20, "getpid"), (21, "mount"), (22, "umount"), (23, "setuid"),
    (24, "getuid"), (26, "ptrace"), (27, "alarm"), (29, "pause"), (30, "utime"), (33, "access"), (36, "sync"),
    (37, "kill"), (38, "rename"), (39, "mkdir"), (40, "rmdir"), (41, "dup"), (42, "pipe"), (43, "times"), (45, "brk"),
    (46, "setgid"), (47, "getgid"), (49, "geteuid"), (50, "getegid"), (51, "acct"), (52, "umount2"), (54, "ioctl"),
    (55, "fcntl"), (57, "setpgid"), (60, "umask"), (61, "chroot"), (62, "ustat"), (63, "dup2"), (64, "getppid"),
    (65, "getpgrp"), (66, "setsid"), (70, "setreuid"), (71, "setregid"), (74, "sethostname"), (75, "setrlimit"),
    (76, "getrlimit"), (77, "getrusage"), (78, "gettimeofday"), (79, "settimeofday"), (80, "getgroups"),
    (81, "setgroups"), (83, "symlink"), (85, "readlink"), (86, "uselib"), (87, "swapon"), (88, "reboot"),
    (91, "munmap"), (92, "truncate"), (93, "ftruncate"), (94, "fchmod"), (95, "fchown"), (96, "getpriority"),
    (97, "setpriority"), (99, "statfs"), (100, "fstatfs"), (101, "ioperm"), (103, "syslog"), (104, "setitimer"),
    (105, "getitimer"), (106, "stat"), (107, "lstat"), (108, "fstat"), (110, "iopl"), (111, "vhangup"),
    (114, "wait4"), (115, "swapoff"), (116, "sysinfo"), (118, "fsync"), (120, "clone"), (121, "setdomainname"),
    (122, "uname"), (123, "modify_ldt"), (124, "adjtimex"), (125, "mprotect"), (127, "create_module"),
    (128, "init_module"), (129, "delete_module"), (130, "get_kernel_syms"), (131, "quotactl"), (132, "getpgid"),
    (133, "fchdir"), (135, "sysfs"), (136, "personality"), (137, "afs_syscall"), (138, "setfsuid"), (139, "setfsgid"),
    (140, "llseek"), (141, "getdents"), (142, "select"), (143, "flock"), (144, "msync"), (145, "readv"),
    (146, "writev"), (147, "getsid"), (148, "fdatasync"), (149, "_sysctl"), (150, "mlock"), (151, "munlock"),
    (152, "mlockall"), (153, "munlockall"), (154, "sched_setparam"), (155, "sched_getparam"),
    (156, "sched_setscheduler"), (157, "sched_getscheduler"), (158, "sched_yield"), (159, "sched_get_priority_max"),
    (160, "sched_get_priority_min"), (161, "sched_rr_get_interval"), (162, "nanosleep"), (163, "mremap"),
    (164, "setresuid"), (165, "getresuid"), (167, "query_module"), (168, "poll"), (169, "nfsservctl"),
    (170, "setresgid"), (171, "getresgid"), (172, "prctl"), (173, "rt_sigreturn"), (174, "rt_sigaction"),
    (175, "rt_sigprocmask"), (176, "rt_sigpending"), (177, "rt_sigtimedwait"), (178, "rt_sigqueueinfo"),
    (179, "rt_sigsuspend"), (180, "pread"), (181, "pwrite"), (182, "chown"), (183, "getcwd"), (184, "capget"),
    (185, "capset"), (186, "sigaltstack"), (187, "sendfile"), (188, "getpmsg"), (189, "putpmsg"), (190, "vfork"),
    (191, "getrlimit"), (192, "mmap2"), (193, "truncate"), (194, "ftruncate"), (195, "stat64"), (196, "lstat64"),
    (197, "fstat64"), (198, "lchown"), (199, "getuid"), (200, "getgid"), (201, "geteuid"), (202, "getegid"),
    (203, "setreuid"), (204, "setregid"), (205, "getgroups"), (206, "setgroups"), (207, "fchown"), (208, "setresuid"),
    (209, "getresuid"), (210, "setresgid"), (211, "getresgid"), (212, "chown"), (213, "setuid"), (214, "setgid"),
    (215, "setfsuid"), (216, "setfsgid"), (217, "pivot_root"), (218, "mincore"), (219, "madvise"),
    (220, "getdents64"), (221, "fcntl"), (224, "gettid"), (225, "readahead"), (226, "setxattr"), (227, "lsetxattr"),
    (228, "fsetxattr"), (229, "getxattr"), (230, "lgetxattr"), (231, "fgetxattr"), (232, "listxattr"),
    (233, "llistxattr"), (234, "flistxattr"), (235, "removexattr"), (236, "lremovexattr"), (237, "fremovexattr"),
    (238, "tkill"), (239, "sendfile"), (240, "futex"), (241, "sched_setaffinity"), (242, "sched_getaffinity"),
    (243, "set_thread_area"), (244, "get_thread_area"), (245, "io_setup"), (246, "io_destroy"), (247, "io_getevents"),
    (248, "io_submit"), (249, "io_cancel"), (250, "fadvise64"), (252, "exit_group"), (253, "lookup_dcookie"),
    (254, "epoll_create"), (255, "epoll_ctl"), (256, "epoll_wait"), (257, "remap_file_pages"),
    (258, "set_tid_address"), (259, "timer_create"), (260, "timer_settime"), (261, "timer_gettime"),
    (262, "timer_getoverrun"), (263, "timer_delete"), (264, "clock_settime"), (265, "clock_gettime"),
    (266, "clock_getres"), (267, "clock_nanosleep"), (268, "statfs"), (269, "fstatfs"), (270, "tgkill"),
    (271, "utimes"), (272, "fadvise64"), (273, "vserver"), (274, "mbind"), (275, "get_mempolicy"),
    (276, "set_mempolicy"), (277, "mq_open"), (278, "mq_unlink"), (279, "mq_timedsend"), (280, "mq_timedreceive"),
    (281, "mq_notify"), (282, "mq_getsetattr"), (283, "kexec_load"), (284, "waitid"), (286, "add_key"),
    (287, "request_key"), (288, "keyctl"), (289, "ioprio_set"), (290, "ioprio_get"), (291, "inotify_init"),
    (292, "inotify_add_watch"), (293, "inotify_rm_watch"), (294, "migrate_pages"), (295, "openat"), (296, "mkdirat"),
    (297, "mknodat"), (298, "fchownat"), (299, "futimesat"), (300, "newfstatat"), (301, "unlinkat"),
    (302, "renameat"), (303, "linkat"), (304, "symlinkat"), (305, "readlinkat"), (306, "fchmodat"),
    (307, "faccessat"), (308, "pselect6"), (309, "ppoll"), (310, "unshare"), (311, "set_robust_list"),
    (312, "get_robust_list"), (313, "splice"), (314, "sync_file_range"), (315, "tee"), (316, "vmsplice"),
    (317, "move_pages"), (318, "getcpu"), (319, "epoll_pwait"), (320, "utimensat"), (321, "signalfd"),
    (322, "timerfd_create"), (323, "eventfd"), (324, "fallocate"), (325, "timerfd_settime"), (326, "timerfd_gettime"),
    (327, "signalfd4"), (328, "eventfd2"), (329, "epoll_create1"), (330, "dup3"), (331, "pipe2"),
    (332, "inotify_init1"), (333, "preadv"), (334, "pwritev"), (335, "rt_tgsigqueueinfo"), (336, "perf_event_open"),
    (337, "recvmmsg"), (338, "fanotify_init"), (339, "fanotify_mark"), (340, "prlimit"), (341, "name_to_handle_at"),
    (342, "open_by_handle_at"), (343, "clock_adjtime"), (344, "syncfs"), (345, "sendmmsg"), (346, "setns"),
    (347, "process_vm_readv"), (348, "process_vm_writev"), (349, "kcmp"), (350, "finit_module"),
    (351, "sched_setattr"), (352, "sched_getattr"), (353, "renameat2"), (354, "seccomp"), (355, "getrandom"),
    (356, "memfd_create"), (357, "bpf"), (358, "execveat"), (359, "socket"), (360, "socketpair"), (361, "bind"),
    (362, "connect"), (363, "listen"), (364, "accept4"), (365, "getsockopt"), (366, "setsockopt"),
    (367, "getsockname"), (368, "getpeername"), (369, "sendto"), (370, "sendmsg"), (371, "recvfrom"),
    (372, "recvmsg"), (373, "shutdown"), (374, "userfaultfd"), (375, "membarrier"), (376, "mlock2"),
    (377, "copy_file_range"), (378, "preadv2"), (379, "pwritev2"), (380, "pkey_mprotect"), (381, "pkey_alloc"),
    (382, "pkey_free"), (383, "statx"), (384, "arch_prctl"), (385, "io_pgetevents"), (386, "rseq"), (393, "semget"),
    (394, "semctl"), (395, "shmget"), (396, "shmctl"), (397, "shmat"), (398, "shmdt"), (399, "msgget"),
    (400, "msgsnd"), (401, "msgrcv"), (402, "msgctl"), (403, "clock_gettime"), (404, "clock_settime"),
    (405, "clock_adjtime"), (406, "clock_getres"), (407, "clock_nanosleep"), (408, "timer_gettime"),
    (409, "timer_settime"), (410, "timerfd_gettime"), (411, "timerfd_settime"), (412, "utimensat"), (413, "pselect6"),
    (414, "ppoll"), (416, "io_pgetevents"), (417, "recvmmsg"), (418, "mq_timedsend"), (419, "mq_timedreceive"),
    (420, "semtimedop"), (421, "rt_sigtimedwait"), (422, "futex"), (423, "sched_rr_get_interval"),
    (424, "pidfd_send_signal"), (425, "io_uring_setup"), (426, "io_uring_enter"), (427, "io_uring_register"),
    (428, "open_tree"), (429, "move_mount"), (430, "fsopen"), (431, "fsconfig"), (432, "fsmount"), (433, "fspick"),
    (434, "pidfd_open"), (435, "clone3"), (436, "close_range"), (437, "openat2"), (438, "pidfd_getfd"),
    (439, "faccessat2"), (440, "process_madvise"), (441, "epoll_pwait2"), (442, "mount_setattr"),
    (443, "quotactl_fd"), (444, "landlock_create_ruleset"), (445, "landlock_add_rule"),
    (446, "landlock_restrict_self"), (447, "memfd_secret"), (448, "process_mrelease"), (449, "futex_waitv"),
    (450, "set_mempolicy_home_node"),
    // socketcall: 479 + SYS_SOCKET.. (linux/net.h)
    (480, "socket"), (481, "bind"), (482, "connect"), (483, "listen"), (484, "accept"), (485, "getsockname"),
    (486, "getpeername"), (487, "socketpair"), (488, "send"), (489, "recv"), (490, "sendto"), (491, "recvfrom"),
    (492, "shutdown"), (493, "setsockopt"), (494, "getsockopt"), (495, "sendmsg"), (496, "recvmsg"), (497, "accept4"),
    (498, "recvmmsg"), (499, "sendmmsg"),
    // ipc: SEMOP.. (linux/ipc.h), those that there are one after the other
    (500, "semop"), (501, "semget"), (502, "semctl"), (503, "semtimedop"), (504, "msgsnd"), (505, "msgrcv"),
    (506, "msgget"), (507, "msgctl"), (508, "shmat"), (509, "shmdt"), (510, "shmget"), (511, "shmctl"),
];

/// Where a 32-bit call has the arguments that its namesake has: by their places there, places here. [`PAIR`] is added
/// where 64 bits stand in two registers, low half first; [`NOWHERE`]: it has none such.
pub(super) type Places = [u8; 6];
/// See [`Places`].
pub(super) const PAIR: u8 = 16;
/// See [`Places`].
pub(super) const NOWHERE: u8 = 32;
/// The same places.
pub(super) const SAME: Places = [0, 1, 2, 3, 4, 5];

/// Calls with 64-bit offsets, and the parts of `ipc` (call, first, second, third, pointer, fifth).
const MOVED: &[(u16, Places)] = &[
    (180, [0, 1, 2, PAIR + 3, NOWHERE, NOWHERE]),
    (181, [0, 1, 2, PAIR + 3, NOWHERE, NOWHERE]),
    (193, [0, PAIR + 1, NOWHERE, NOWHERE, NOWHERE, NOWHERE]),
    (194, [0, PAIR + 1, NOWHERE, NOWHERE, NOWHERE, NOWHERE]),
    (225, [0, PAIR + 1, 3, NOWHERE, NOWHERE, NOWHERE]),
    (250, [0, PAIR + 1, 3, 4, NOWHERE, NOWHERE]),
    (253, [PAIR, 2, 3, NOWHERE, NOWHERE, NOWHERE]),
    (272, [0, PAIR + 1, PAIR + 3, 5, NOWHERE, NOWHERE]),
    (314, [0, PAIR + 1, PAIR + 3, 5, NOWHERE, NOWHERE]),
    (324, [0, 1, PAIR + 2, PAIR + 4, NOWHERE, NOWHERE]),
    (333, [0, 1, 2, PAIR + 3, NOWHERE, NOWHERE]),
    (334, [0, 1, 2, PAIR + 3, NOWHERE, NOWHERE]),
    (339, [0, 1, PAIR + 2, 4, 5, NOWHERE]),
    (378, [0, 1, 2, PAIR + 3, NOWHERE, 5]),
    (379, [0, 1, 2, PAIR + 3, NOWHERE, 5]),
    (500, [1, 4, 2, NOWHERE, NOWHERE, NOWHERE]),
    (501, [1, 2, 3, NOWHERE, NOWHERE, NOWHERE]),
    // the value is behind a pointer
    (502, [1, 2, 3, NOWHERE, NOWHERE, NOWHERE]),
    (503, [1, 4, 2, 5, NOWHERE, NOWHERE]),
    (504, [1, 4, 2, 3, NOWHERE, NOWHERE]),
    (505, [1, 4, 2, 5, 3, NOWHERE]),
    (506, [1, 2, NOWHERE, NOWHERE, NOWHERE, NOWHERE]),
    (507, [1, 2, 4, NOWHERE, NOWHERE, NOWHERE]),
    (508, [1, 4, 2, NOWHERE, NOWHERE, NOWHERE]),
    (509, [4, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE]),
    (510, [1, 2, 3, NOWHERE, NOWHERE, NOWHERE]),
    (511, [1, 2, 4, NOWHERE, NOWHERE, NOWHERE]),
];

/// Calls whose structures hold longs, so that they are half as wide: the old ones with limits, offsets and times.
const NARROW: &[u16] = &[30, 75, 76, 79, 162, 174, 187, 191, 264, 267, 271, 299, 309, 320, 325, 347, 348, 503, 504];

/// From here on a call has the same number everywhere.
const COMMON: u16 = 451;

/// How a 32-bit call differs from its namesake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Where its arguments are.
    pub(super) places: Places,
    /// Whether the 8-byte parts of its structures have 4 bytes.
    pub(super) narrow: bool,
}

/// What calls of 64-bit programs look like.
pub(super) const NATIVE: Layout = Layout { places: SAME, narrow: false };

/// The layout of a 32-bit call.
pub(super) fn layout(nr: u16) -> Layout {
    let places = MOVED.iter().find(|(n, _)| *n == nr).map_or(SAME, |(_, places)| *places);
    Layout { places, narrow: NARROW.contains(&nr) }
}

/// The i386 numbers of a kind.
pub(super) fn numbers(spec: &Spec) -> impl Iterator<Item = u16> {
    let listed = NUMBERS.iter().filter(move |(_, n)| *n == spec.name).map(|(nr, _)| *nr);
    listed.chain(spec.x86_64.filter(|nr| (COMMON..480).contains(nr)))
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
    fn numbers_of_a_kind_are_found() {
        for (name, nrs) in [("getppid", &[64_u16][..]), ("connect", &[362, 482]), ("mseal", &[462]), ("procexit", &[])]
        {
            let spec = kind_by_name(name).unwrap().spec();
            assert_eq!(numbers(spec).collect::<Vec<_>>(), nrs, "{name}");
        }
    }

    #[test]
    fn what_moves_or_is_narrow_is_a_call_that_is_known() {
        for nr in MOVED.iter().map(|(nr, _)| nr).chain(NARROW) {
            assert!(NUMBERS.iter().any(|(n, _)| n == nr), "{nr}");
        }
    }
}
