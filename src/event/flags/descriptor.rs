//! Values of calls on descriptors, in the native encoding of x86-64 Linux (its uapi headers).

use crate::event::spec::FlagTable;

/// Commands of `fcntl`.
pub(in crate::event) const FCNTL_COMMANDS: &FlagTable = &FlagTable {
    name: "fcntl_commands",
    choice: 0,
    values: &[
        ("F_GETPIPE_SZ", 1032),
        ("F_SETPIPE_SZ", 1031),
        ("F_NOTIFY", 1026),
        ("F_DUPFD_CLOEXEC", 1030),
        ("F_CANCELLK", 1029),
        ("F_GETLEASE", 1025),
        ("F_SETLEASE", 1024),
        ("F_GETOWN_EX", 16),
        ("F_SETOWN_EX", 15),
        ("F_SETLKW64", 14),
        ("F_SETLK64", 13),
        ("F_GETLK64", 12),
        ("F_GETSIG", 11),
        ("F_SETSIG", 10),
        ("F_GETOWN", 9),
        ("F_SETOWN", 8),
        ("F_SETLKW", 7),
        ("F_SETLK", 6),
        ("F_GETLK", 5),
        ("F_SETFL", 4),
        ("F_GETFL", 3),
        ("F_SETFD", 2),
        ("F_GETFD", 1),
        ("F_DUPFD", 0),
        ("F_OFD_GETLK", 36),
        ("F_OFD_SETLK", 37),
        ("F_OFD_SETLKW", 38),
        ("F_GETOWNER_UIDS", 17),
        ("F_DUPFD_QUERY", 1027),
        ("F_CREATED_QUERY", 1028),
        ("F_ADD_SEALS", 1033),
        ("F_GET_SEALS", 1034),
        ("F_GET_RW_HINT", 1035),
        ("F_SET_RW_HINT", 1036),
        ("F_GET_FILE_RW_HINT", 1037),
        ("F_SET_FILE_RW_HINT", 1038),
    ],
};

/// `flock`.
pub(in crate::event) const FLOCK_FLAGS: &FlagTable = &FlagTable {
    name: "flock_flags",
    choice: 0,
    values: &[("LOCK_SH", 1), ("LOCK_EX", 2), ("LOCK_NB", 4), ("LOCK_UN", 8), ("LOCK_NONE", 0)],
};

/// What `lseek` counts from.
pub(in crate::event) const LSEEK_WHENCE: &FlagTable =
    &FlagTable { name: "lseek_whence", choice: 0, values: &[("SEEK_END", 2), ("SEEK_CUR", 1), ("SEEK_SET", 0)] };

/// `close_range`.
pub(in crate::event) const CLOSE_RANGE_FLAGS: &FlagTable = &FlagTable {
    name: "close_range_flags",
    choice: 0,
    values: &[("CLOSE_RANGE_UNSHARE", 2), ("CLOSE_RANGE_CLOEXEC", 4)],
};

/// `epoll_create1`.
pub(in crate::event) const EPOLL_CREATE1_FLAGS: &FlagTable =
    &FlagTable { name: "epoll_create1_flags", choice: 0, values: &[("EPOLL_CLOEXEC", 0o2_000_000)] };

/// Operations of `epoll_ctl`.
pub(in crate::event) const EPOLL_CTL_OPS: &FlagTable = &FlagTable {
    name: "epoll_ctl_ops",
    choice: 0,
    values: &[("EPOLL_CTL_ADD", 1), ("EPOLL_CTL_DEL", 2), ("EPOLL_CTL_MOD", 3)],
};

/// Events of `struct pollfd`.
pub(in crate::event) const POLL_FLAGS: &FlagTable = &FlagTable {
    name: "poll_flags",
    choice: 0,
    values: &[
        ("POLLIN", 1),
        ("POLLPRI", 2),
        ("POLLOUT", 4),
        ("POLLRDHUP", 0x2000),
        ("POLLERR", 8),
        ("POLLHUP", 16),
        ("POLLNVAL", 32),
        ("POLLRDNORM", 64),
        ("POLLRDBAND", 128),
        ("POLLWRNORM", 256),
        ("POLLWRBAND", 512),
    ],
};

/// `memfd_create`.
pub(in crate::event) const MEMFD_CREATE_FLAGS: &FlagTable = &FlagTable {
    name: "memfd_create_flags",
    choice: 0,
    values: &[
        ("MFD_CLOEXEC", 1),
        ("MFD_ALLOW_SEALING", 2),
        ("MFD_HUGETLB", 4),
        ("MFD_NOEXEC_SEAL", 8),
        ("MFD_EXEC", 16),
    ],
};

/// `splice`, `vmsplice` and `tee`.
pub(in crate::event) const SPLICE_FLAGS: &FlagTable = &FlagTable {
    name: "splice_flags",
    choice: 0,
    values: &[("SPLICE_F_MOVE", 1), ("SPLICE_F_NONBLOCK", 2), ("SPLICE_F_MORE", 4), ("SPLICE_F_GIFT", 8)],
};

/// `preadv2` and `pwritev2` (`linux/fs.h`).
pub(in crate::event) const RWF_FLAGS: &FlagTable = &FlagTable {
    name: "rwf_flags",
    choice: 0,
    values: &[
        ("RWF_HIPRI", 1),
        ("RWF_DSYNC", 2),
        ("RWF_SYNC", 4),
        ("RWF_NOWAIT", 8),
        ("RWF_APPEND", 16),
        ("RWF_NOAPPEND", 32),
        ("RWF_ATOMIC", 64),
        ("RWF_DONTCACHE", 128),
    ],
};

/// `io_uring_setup` (`linux/io_uring.h`); one name is sysdig's, the header has `ATTACH_WQ`.
pub(in crate::event) const IO_URING_SETUP_FLAGS: &FlagTable = &FlagTable {
    name: "io_uring_setup_flags",
    choice: 0,
    values: &[
        ("IORING_SETUP_IOPOLL", 1),
        ("IORING_SETUP_SQPOLL", 2),
        ("IORING_SETUP_SQ_AFF", 4),
        ("IORING_SETUP_CQSIZE", 8),
        ("IORING_SETUP_CLAMP", 16),
        ("IORING_SETUP_ATTACH_RW", 32),
        ("IORING_SETUP_R_DISABLED", 64),
        ("IORING_SETUP_SUBMIT_ALL", 128),
        ("IORING_SETUP_COOP_TASKRUN", 256),
        ("IORING_SETUP_TASKRUN_FLAG", 512),
        ("IORING_SETUP_SQE128", 1024),
        ("IORING_SETUP_CQE32", 2048),
        ("IORING_SETUP_SINGLE_ISSUER", 4096),
        ("IORING_SETUP_DEFER_TASKRUN", 8192),
        ("IORING_SETUP_NO_MMAP", 0x4000),
        ("IORING_SETUP_REGISTERED_FD_ONLY", 0x8000),
        ("IORING_SETUP_NO_SQARRAY", 0x10000),
    ],
};

/// What the kernel says it can do, in answer to `io_uring_setup`.
pub(in crate::event) const IO_URING_SETUP_FEATS: &FlagTable = &FlagTable {
    name: "io_uring_setup_feats",
    choice: 0,
    values: &[
        ("IORING_FEAT_SINGLE_MMAP", 1),
        ("IORING_FEAT_NODROP", 2),
        ("IORING_FEAT_SUBMIT_STABLE", 4),
        ("IORING_FEAT_RW_CUR_POS", 8),
        ("IORING_FEAT_CUR_PERSONALITY", 16),
        ("IORING_FEAT_FAST_POLL", 32),
        ("IORING_FEAT_POLL_32BITS", 64),
        ("IORING_FEAT_SQPOLL_NONFIXED", 128),
        ("IORING_FEAT_ENTER_EXT_ARG", 256),
        ("IORING_FEAT_NATIVE_WORKERS", 512),
        ("IORING_FEAT_RSRC_TAGS", 1024),
        ("IORING_FEAT_CQE_SKIP", 2048),
        ("IORING_FEAT_LINKED_FILE", 4096),
        ("IORING_FEAT_REG_REG_RING", 8192),
    ],
};

/// `io_uring_enter`.
pub(in crate::event) const IO_URING_ENTER_FLAGS: &FlagTable = &FlagTable {
    name: "io_uring_enter_flags",
    choice: 0,
    values: &[
        ("IORING_ENTER_GETEVENTS", 1),
        ("IORING_ENTER_SQ_WAKEUP", 2),
        ("IORING_ENTER_SQ_WAIT", 4),
        ("IORING_ENTER_EXT_ARG", 8),
        ("IORING_ENTER_REGISTERED_RING", 16),
    ],
};

/// Operations of `io_uring_register`.
pub(in crate::event) const IO_URING_REGISTER_OPCODES: &FlagTable = &FlagTable {
    name: "io_uring_register_opcodes",
    choice: 0,
    values: &[
        ("IORING_REGISTER_BUFFERS", 0),
        ("IORING_UNREGISTER_BUFFERS", 1),
        ("IORING_REGISTER_FILES", 2),
        ("IORING_UNREGISTER_FILES", 3),
        ("IORING_REGISTER_EVENTFD", 4),
        ("IORING_UNREGISTER_EVENTFD", 5),
        ("IORING_REGISTER_FILES_UPDATE", 6),
        ("IORING_REGISTER_EVENTFD_ASYNC", 7),
        ("IORING_REGISTER_PROBE", 8),
        ("IORING_REGISTER_PERSONALITY", 9),
        ("IORING_UNREGISTER_PERSONALITY", 10),
        ("IORING_REGISTER_RESTRICTIONS", 11),
        ("IORING_REGISTER_ENABLE_RINGS", 12),
        ("IORING_REGISTER_FILES2", 13),
        ("IORING_REGISTER_FILES_UPDATE2", 14),
        ("IORING_REGISTER_BUFFERS2", 15),
        ("IORING_REGISTER_BUFFERS_UPDATE", 16),
        ("IORING_REGISTER_IOWQ_AFF", 17),
        ("IORING_UNREGISTER_IOWQ_AFF", 18),
        ("IORING_REGISTER_IOWQ_MAX_WORKERS", 19),
        ("IORING_REGISTER_RING_FDS", 20),
        ("IORING_UNREGISTER_RING_FDS", 21),
    ],
};

/// `opcode` of requests to a ring (`enum io_uring_op`, `linux/io_uring.h`).
pub(in crate::event) const IO_URING_OPS: &FlagTable = &FlagTable {
    name: "io_uring_ops",
    choice: 0,
    values: &[
        ("IORING_OP_NOP", 0),
        ("IORING_OP_READV", 1),
        ("IORING_OP_WRITEV", 2),
        ("IORING_OP_FSYNC", 3),
        ("IORING_OP_READ_FIXED", 4),
        ("IORING_OP_WRITE_FIXED", 5),
        ("IORING_OP_POLL_ADD", 6),
        ("IORING_OP_POLL_REMOVE", 7),
        ("IORING_OP_SYNC_FILE_RANGE", 8),
        ("IORING_OP_SENDMSG", 9),
        ("IORING_OP_RECVMSG", 10),
        ("IORING_OP_TIMEOUT", 11),
        ("IORING_OP_TIMEOUT_REMOVE", 12),
        ("IORING_OP_ACCEPT", 13),
        ("IORING_OP_ASYNC_CANCEL", 14),
        ("IORING_OP_LINK_TIMEOUT", 15),
        ("IORING_OP_CONNECT", 16),
        ("IORING_OP_FALLOCATE", 17),
        ("IORING_OP_OPENAT", 18),
        ("IORING_OP_CLOSE", 19),
        ("IORING_OP_FILES_UPDATE", 20),
        ("IORING_OP_STATX", 21),
        ("IORING_OP_READ", 22),
        ("IORING_OP_WRITE", 23),
        ("IORING_OP_FADVISE", 24),
        ("IORING_OP_MADVISE", 25),
        ("IORING_OP_SEND", 26),
        ("IORING_OP_RECV", 27),
        ("IORING_OP_OPENAT2", 28),
        ("IORING_OP_EPOLL_CTL", 29),
        ("IORING_OP_SPLICE", 30),
        ("IORING_OP_PROVIDE_BUFFERS", 31),
        ("IORING_OP_REMOVE_BUFFERS", 32),
        ("IORING_OP_TEE", 33),
        ("IORING_OP_SHUTDOWN", 34),
        ("IORING_OP_RENAMEAT", 35),
        ("IORING_OP_UNLINKAT", 36),
        ("IORING_OP_MKDIRAT", 37),
        ("IORING_OP_SYMLINKAT", 38),
        ("IORING_OP_LINKAT", 39),
        ("IORING_OP_MSG_RING", 40),
        ("IORING_OP_FSETXATTR", 41),
        ("IORING_OP_SETXATTR", 42),
        ("IORING_OP_FGETXATTR", 43),
        ("IORING_OP_GETXATTR", 44),
        ("IORING_OP_SOCKET", 45),
        ("IORING_OP_URING_CMD", 46),
        ("IORING_OP_SEND_ZC", 47),
        ("IORING_OP_SENDMSG_ZC", 48),
        ("IORING_OP_READ_MULTISHOT", 49),
        ("IORING_OP_WAITID", 50),
        ("IORING_OP_FUTEX_WAIT", 51),
        ("IORING_OP_FUTEX_WAKE", 52),
        ("IORING_OP_FUTEX_WAITV", 53),
        ("IORING_OP_FIXED_FD_INSTALL", 54),
        ("IORING_OP_FTRUNCATE", 55),
        ("IORING_OP_BIND", 56),
        ("IORING_OP_LISTEN", 57),
        ("IORING_OP_RECV_ZC", 58),
        ("IORING_OP_EPOLL_WAIT", 59),
        ("IORING_OP_READV_FIXED", 60),
        ("IORING_OP_WRITEV_FIXED", 61),
        ("IORING_OP_PIPE", 62),
    ],
};
