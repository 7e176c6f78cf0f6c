//! Calls that make, change, watch and close descriptors.

use super::entry::{
    END, FD, NEW, NO, PLAIN, RES, RES_FD, STATE, WAITS, call, choice, created, dev, fd, fd_set, field, flags, hex, ino,
    int, number, oct, path, pid, plain, relpath, signal, source, text, text_from, uint,
};
use crate::event::flags::{
    BPF_COMMANDS, BPF_MAP_TYPES, BPF_PROGRAM_TYPES, CLOSE_RANGE_FLAGS, EPOLL_CREATE1_FLAGS, EPOLL_CTL_OPS,
    EPOLL_EVENTS, FCNTL_COMMANDS, FD_FLAGS, FILE_FLAGS, FLOCK_FLAGS, INOTIFY_EVENTS, IOCTL_REQUESTS, LANDLOCK_ACCESS,
    LSEEK_WHENCE, MEMFD_CREATE_FLAGS, OPEN_TREE_FLAGS, OPENAT2_FLAGS, PERF_TYPES, PIDFD_OPEN_FLAGS,
};
use crate::event::spec::Category::{File, IoOther, Ipc, Memory, Other, Process, Signal, System, Time, Wait};
use crate::event::spec::{From, Param, ParamType, Spec};

/// The commands of `bpf` that load a program and make a map.
const PROG_LOAD: [u8; 4] = [0, 0, 5, 5];
const MAP_CREATE: [u8; 4] = [0, 0, 0, 0];

/// A number of what `bpf` was given, of which `size` bytes are read.
const fn bpf_attr(name: &'static str, ty: ParamType, size: u8, offset: u8) -> Param {
    number(name, ty, From::Part { arg: 1, count: 2, size, offset, width: 4 })
}

/// A name in it (`BPF_OBJ_NAME_LEN`).
const fn bpf_name(name: &'static str, size: u8, offset: u8) -> Param {
    text_from(name, ParamType::Text, From::Inside { arg: 1, count: 2, size, offset, len: 16 })
}

/// Opens, dups, closes, polls and whatever else descriptors are made by.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const DESCRIPTOR: &[Spec] = &[
    call("open", 2, NO, File, FD, NEW, &[path("name", 0), flags("flags", 1, FILE_FLAGS), oct("mode", 2), dev(255), ino(255), created(255)]),
    call("openat", 257, 56, File, FD, NEW, &[fd("dirfd", 0), relpath("name", 1), flags("flags", 2, FILE_FLAGS), oct("mode", 3), dev(255), ino(255), created(255)]),
    // struct open_how: flags, mode, resolve, 8 bytes each (linux/openat2.h)
    call("openat2", 437, 437, File, FD, NEW, &[fd("dirfd", 0), relpath("name", 1), field("flags", ParamType::Flags, [2, 24, 0, 8]).named(FILE_FLAGS), field("mode", ParamType::Oct, [2, 24, 8, 8]), field("resolve", ParamType::Flags, [2, 24, 16, 8]).named(OPENAT2_FLAGS), dev(255), ino(255), created(255)]),
    call("creat", 85, NO, File, FD, NEW, &[path("name", 0), oct("mode", 1), dev(255), ino(255), created(255), source("creat_flags", ParamType::Hex)]),
    call("open_by_handle_at", 304, 265, File, FD, NEW, &[fd("mountfd", 0), flags("flags", 2, FILE_FLAGS), dev(255), ino(255), source("path", ParamType::Path)]),
    call("open_tree", 428, 428, File, FD, NEW, &[fd("dirfd", 0), relpath("path", 1), flags("flags", 2, OPEN_TREE_FLAGS), dev(255), ino(255)]),
    call("open_tree_attr", 467, 467, File, FD, NEW, &[fd("dirfd", 0), relpath("path", 1), flags("flags", 2, OPEN_TREE_FLAGS), hex("attr", 3), uint("size", 4)]),
    call("memfd_create", 319, 279, Memory, FD, NEW, &[text("name", 0), flags("flags", 1, MEMFD_CREATE_FLAGS), dev(255), ino(255)]),
    call("memfd_secret", 447, 447, Memory, FD, NEW, &[flags("flags", 0, FD_FLAGS)]),
    call("close", 3, 57, IoOther, RES, END, &[fd("fd", 0)]).on(0),
    call("close_range", 436, 436, IoOther, RES, END, &[uint("first", 0), uint("last", 1), flags("flags", 2, CLOSE_RANGE_FLAGS)]),
    call("dup", 32, 23, IoOther, RES_FD, NEW, &[fd("oldfd", 0)]).on(0),
    call("dup2", 33, NO, IoOther, RES_FD, NEW, &[fd("oldfd", 0), fd("newfd", 1)]).on(0),
    call("dup3", 292, 24, IoOther, RES_FD, NEW, &[fd("oldfd", 0), fd("newfd", 1), flags("flags", 2, FD_FLAGS)]).on(0),
    call("fcntl", 72, 25, IoOther, RES_FD, STATE, &[fd("fd", 0), choice("cmd", 1, FCNTL_COMMANDS), hex("arg", 2)]).on(0),
    call("ioctl", 16, 29, IoOther, RES, PLAIN, &[fd("fd", 0), hex("request", 1).named(IOCTL_REQUESTS), hex("argument", 2)]).on(0),
    call("pipe", 22, NO, Ipc, RES, NEW, &[field("fd1", ParamType::Fd, [0, 8, 0, 4]), field("fd2", ParamType::Fd, [0, 8, 4, 4]), ino(128)]),
    call("pipe2", 293, 59, Ipc, RES, NEW, &[field("fd1", ParamType::Fd, [0, 8, 0, 4]), field("fd2", ParamType::Fd, [0, 8, 4, 4]), flags("flags", 1, FD_FLAGS), ino(128)]),
    call("eventfd", 284, NO, Ipc, RES_FD, NEW, &[uint("initval", 0), source("flags", ParamType::Hex)]),
    call("eventfd2", 290, 19, Ipc, RES_FD, NEW, &[flags("flags", 1, FD_FLAGS), uint("initval", 0)]),
    call("signalfd", 282, NO, Signal, RES_FD, NEW, &[fd("fd", 0), field("mask", ParamType::Hex, [1, 8, 0, 8]), source("flags", ParamType::Hex)]),
    call("signalfd4", 289, 74, Signal, RES_FD, NEW, &[flags("flags", 3, FD_FLAGS), fd("fd", 0), field("mask", ParamType::Hex, [1, 8, 0, 8])]),
    call("timerfd_create", 283, 85, Time, RES_FD, NEW, &[int("clockid", 0), flags("flags", 1, FD_FLAGS)]),
    call("timerfd_settime", 286, 86, Time, RES, PLAIN, &[fd("fd", 0), hex("flags", 1), hex("new", 2), hex("old", 3), field("interval", ParamType::Duration, [2, 32, 0, 16]), field("expires", ParamType::Duration, [2, 32, 16, 16])]).on(0),
    call("timerfd_gettime", 287, 87, Time, RES, PLAIN, &[fd("fd", 0), hex("value", 1)]).on(0),
    call("inotify_init", 253, NO, Ipc, RES_FD, NEW, &[source("flags", ParamType::Hex)]),
    call("inotify_init1", 294, 26, Ipc, RES_FD, NEW, &[flags("flags", 0, FD_FLAGS)]),
    call("inotify_add_watch", 254, 27, Ipc, RES, PLAIN, &[fd("fd", 0), path("path", 1), flags("mask", 2, INOTIFY_EVENTS)]).on(0),
    call("inotify_rm_watch", 255, 28, Ipc, RES, PLAIN, &[fd("fd", 0), int("wd", 1)]).on(0),
    call("fanotify_init", 300, 262, Ipc, RES_FD, NEW, &[hex("flags", 0), flags("event_flags", 1, FILE_FLAGS)]),
    call("fanotify_mark", 301, 263, Ipc, RES, PLAIN, &[fd("fd", 0), hex("flags", 1), hex("mask", 2), fd("dirfd", 3), relpath("path", 4)]).on(0),
    call("userfaultfd", 323, 282, File, RES_FD, NEW, &[flags("flags", 0, FD_FLAGS)]),
    // union bpf_attr (linux/bpf.h)
    call("bpf", 321, 280, Other, FD, NEW, &[choice("cmd", 0, BPF_COMMANDS), bpf_attr("prog_type", ParamType::Enum, 64, 0).named(BPF_PROGRAM_TYPES).when(PROG_LOAD), bpf_name("prog_name", 64, 48).when(PROG_LOAD), bpf_attr("insn_cnt", ParamType::Uint, 64, 4).when(PROG_LOAD), bpf_attr("map_type", ParamType::Enum, 44, 0).named(BPF_MAP_TYPES).when(MAP_CREATE), bpf_name("map_name", 44, 28).when(MAP_CREATE), bpf_attr("max_entries", ParamType::Uint, 44, 12).when(MAP_CREATE)]),
    call("perf_event_open", 298, 241, Other, FD, NEW, &[hex("attr", 0), pid("pid", 1), int("cpu", 2), fd("group_fd", 3), hex("flags", 4), field("type", ParamType::Enum, [0, 64, 0, 4]).named(PERF_TYPES), field("config", ParamType::Hex, [0, 64, 8, 8])]),
    call("pidfd_open", 434, 434, Process, FD, NEW, &[pid("pid", 0), flags("flags", 1, PIDFD_OPEN_FLAGS)]),
    call("pidfd_getfd", 438, 438, Process, FD, NEW, &[fd("pid_fd", 0), fd("target_fd", 1), hex("flags", 2), dev(255), ino(255)]),
    call("pidfd_send_signal", 424, 424, Signal, RES, PLAIN, &[fd("pid_fd", 0), signal("sig", 1), hex("siginfo", 2), hex("flags", 3)]).on(0),
    call("landlock_create_ruleset", 444, 444, System, FD, NEW, &[hex("attr", 0), uint("size", 1), hex("flags", 2), number("access", ParamType::Flags, From::Part { arg: 0, count: 1, size: 8, offset: 0, width: 8 }).named(LANDLOCK_ACCESS)]),
    call("landlock_add_rule", 445, 445, System, RES, PLAIN, &[fd("ruleset_fd", 0), uint("rule_type", 1), hex("attr", 2), hex("flags", 3), field("access", ParamType::Flags, [2, 12, 0, 8]).named(LANDLOCK_ACCESS).when([1, 0, 1, 1]), field("parent_fd", ParamType::Fd, [2, 12, 8, 4]).when([1, 0, 1, 1])]).on(0),
    call("landlock_restrict_self", 446, 446, System, RES, PLAIN, &[fd("ruleset_fd", 0), hex("flags", 1)]).on(0),
    call("epoll_create", 213, NO, Wait, RES_FD, NEW, &[int("size", 0)]),
    call("epoll_create1", 291, 20, Wait, RES_FD, NEW, &[flags("flags", 0, EPOLL_CREATE1_FLAGS)]),
    // struct epoll_event: events, the program's own number, 4 and 8 bytes without a gap (linux/eventpoll.h)
    call("epoll_ctl", 233, 21, IoOther, RES, PLAIN, &[fd("epfd", 0), choice("op", 1, EPOLL_CTL_OPS), fd("fd", 2), hex("event", 3), field("events", ParamType::Flags, [3, 12, 0, 4]).named(EPOLL_EVENTS), field("user_data", ParamType::Hex, [3, 12, 4, 8])]).on(2),
    call("epoll_wait", 232, NO, Wait, RES, WAITS, &[int("maxevents", 2), fd("epfd", 0), int("timeout", 3), number("events_0", ParamType::Flags, From::Returned { arg: 1, size: 12, offset: 0, width: 4 }).named(EPOLL_EVENTS), number("user_data_0", ParamType::Hex, From::Returned { arg: 1, size: 12, offset: 4, width: 8 })]),
    call("epoll_pwait", 281, 22, Wait, RES, WAITS, &[fd("epfd", 0), hex("events", 1), int("maxevents", 2), int("timeout", 3), hex("sigmask", 4), uint("sigsetsize", 5), number("events_0", ParamType::Flags, From::Returned { arg: 1, size: 12, offset: 0, width: 4 }).named(EPOLL_EVENTS), number("user_data_0", ParamType::Hex, From::Returned { arg: 1, size: 12, offset: 4, width: 8 })]),
    call("epoll_pwait2", 441, 441, Wait, RES, WAITS, &[fd("epfd", 0), hex("events", 1), int("maxevents", 2), hex("timeout", 3), hex("sigmask", 4), uint("sigsetsize", 5), number("events_0", ParamType::Flags, From::Returned { arg: 1, size: 12, offset: 0, width: 4 }).named(EPOLL_EVENTS), number("user_data_0", ParamType::Hex, From::Returned { arg: 1, size: 12, offset: 4, width: 8 })]),
    plain("epoll_ctl_old", 214, NO, IoOther, 4),
    plain("epoll_wait_old", 215, NO, Wait, 4).does(WAITS),
    call("poll", 7, NO, Wait, RES, WAITS, &[text_from("fds", ParamType::FdList, From::Array8(0, 1)), int("timeout", 2)]),
    // the kernel writes the time left over the timeout
    call("ppoll", 271, 73, Wait, RES, WAITS, &[text_from("fds", ParamType::FdList, From::Array8(0, 1)), field("sigmask", ParamType::Hex, [3, 8, 0, 8]), number("timeout", ParamType::Duration, From::Early { arg: 2, size: 16, offset: 0, width: 16 })]),
    // the sets are as the call left them: what is ready; `asked` is what was to be read, of the first 128 descriptors
    call("select", 23, NO, Wait, RES, WAITS, &[int("nfds", 0), fd_set("readfds", 1), fd_set("writefds", 2), fd_set("exceptfds", 3), text_from("asked", ParamType::FdSet, From::Early { arg: 1, size: 16, offset: 0, width: 0 })]),
    call("pselect6", 270, 72, Wait, RES, WAITS, &[int("nfds", 0), fd_set("readfds", 1), fd_set("writefds", 2), fd_set("exceptfds", 3), text_from("asked", ParamType::FdSet, From::Early { arg: 1, size: 16, offset: 0, width: 0 })]),
    call("lseek", 8, 62, File, RES, PLAIN, &[fd("fd", 0), uint("offset", 1), choice("whence", 2, LSEEK_WHENCE)]).on(0),
    // offset is in two registers, high half first; this is the low one
    call("llseek", NO, NO, File, RES, PLAIN, &[fd("fd", 0), uint("offset", 2), choice("whence", 4, LSEEK_WHENCE)]).on(0),
    call("flock", 73, 32, File, RES, PLAIN, &[fd("fd", 0), flags("operation", 1, FLOCK_FLAGS)]).on(0),
    call("fsync", 74, 82, File, RES, PLAIN, &[fd("fd", 0)]).on(0),
    call("fdatasync", 75, 83, File, RES, PLAIN, &[fd("fd", 0)]).on(0),
    call("syncfs", 306, 267, File, RES, PLAIN, &[fd("fd", 0)]).on(0),
    call("sync_file_range", 277, 84, File, RES, PLAIN, &[fd("fd", 0), uint("offset", 1), uint("len", 2), hex("flags", 3)]).on(0),
    call("ftruncate", 77, 46, File, RES, PLAIN, &[fd("fd", 0), uint("length", 1)]).on(0),
    call("fallocate", 285, 47, File, RES, PLAIN, &[fd("fd", 0), hex("mode", 1), uint("offset", 2), uint("len", 3)]).on(0),
    call("fadvise64", 221, 223, File, RES, PLAIN, &[fd("fd", 0), uint("offset", 1), uint("len", 2), int("advice", 3)]).on(0),
    call("readahead", 187, 213, File, RES, PLAIN, &[fd("fd", 0), uint("offset", 1), uint("count", 2)]).on(0),
    call("cachestat", 451, 451, File, RES, PLAIN, &[fd("fd", 0), hex("range", 1), hex("stat", 2), hex("flags", 3)]).on(0),
];
