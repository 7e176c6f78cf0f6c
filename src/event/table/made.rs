//! Kinds that are no calls: life cycle, the recorder's own, and the initial state.

use super::entry::{environment, made, source};
use crate::event::flags::{CLONE_FLAGS, FILE_FLAGS, IO_URING_OPS, SOCKET_FAMILIES};
use crate::event::spec::Category::{Internal, IoOther, Process, Scheduler, Signal};
use crate::event::spec::{KindFlags, ParamType, Spec};

const SNAPSHOT: KindFlags = KindFlags::SNAPSHOT.with(KindFlags::STATE);
const OWN_STATE: KindFlags = KindFlags::INTERNAL.with(KindFlags::STATE);

/// What the source makes itself.
pub(super) const MADE: &[Spec] = &[
    made(
        "procfork",
        Process,
        KindFlags::STATE,
        &[
            source("child_tid", ParamType::Pid),
            source("child_pid", ParamType::Pid),
            source("child_vtid", ParamType::Pid),
            source("child_vpid", ParamType::Pid),
            source("ppid", ParamType::Pid),
            source("flags", ParamType::Flags).named(CLONE_FLAGS),
            source("start", ParamType::Time),
        ],
    ),
    made(
        "procexit",
        Process,
        KindFlags::STATE,
        &[
            source("status", ParamType::Int),
            source("last", ParamType::Bool),
            source("ret", ParamType::Int),
            source("sig", ParamType::Signal),
            source("core", ParamType::Bool),
            source("reaper_tid", ParamType::Pid),
            source("utime", ParamType::Duration),
            source("stime", ParamType::Duration),
            source("minflt", ParamType::Uint),
            source("majflt", ParamType::Uint),
            source("nvcsw", ParamType::Uint),
            source("nivcsw", ParamType::Uint),
            // of the whole process, told by the last of its threads; the most memory it had is in KiB
            source("group_utime", ParamType::Duration),
            source("group_stime", ParamType::Duration),
            source("group_minflt", ParamType::Uint),
            source("group_majflt", ParamType::Uint),
            source("group_nvcsw", ParamType::Uint),
            source("group_nivcsw", ParamType::Uint),
            source("maxrss", ParamType::Uint),
        ],
    ),
    made(
        "signaldeliver",
        Signal,
        KindFlags::NONE,
        &[
            source("spid", ParamType::Pid),
            source("dpid", ParamType::Pid),
            source("sig", ParamType::Signal),
            source("uid", ParamType::Uid),
            source("code", ParamType::Int),
            source("addr", ParamType::Hex),
            source("handler", ParamType::Hex),
        ],
    ),
    // `flags` are the kernel's own for the request, and those of the completion that the program sees
    made(
        "io_uring_submit",
        IoOther,
        KindFlags::STATE,
        &[
            source("opcode", ParamType::Enum).named(IO_URING_OPS),
            source("fd", ParamType::Fd),
            source("user_data", ParamType::Hex),
            source("flags", ParamType::Hex),
            // the request's address in the kernel: the same in its completion
            source("request", ParamType::Hex),
            source("dirfd", ParamType::Fd),
            source("name", ParamType::RelPath),
            source("newdirfd", ParamType::Fd),
            source("newname", ParamType::RelPath),
            source("open_flags", ParamType::Flags).named(FILE_FLAGS),
            source("mode", ParamType::Oct),
            source("op_flags", ParamType::Hex),
            source("size", ParamType::Uint),
            source("pos", ParamType::Int),
            source("data", ParamType::Bytes),
            source("addr", ParamType::SockAddr),
            source("files", ParamType::FileList),
            source("domain", ParamType::Enum).named(SOCKET_FAMILIES),
            source("type", ParamType::Uint),
            source("proto", ParamType::Uint),
            // what it makes is an entry of the ring's own table, and no descriptor
            source("direct", ParamType::Bool),
        ],
    )
    .on(1),
    made(
        "io_uring_complete",
        IoOther,
        KindFlags::STATE,
        &[
            source("res", ParamType::Errno),
            source("opcode", ParamType::Enum).named(IO_URING_OPS),
            source("user_data", ParamType::Hex),
            source("flags", ParamType::Hex),
            source("request", ParamType::Hex),
            // the descriptor that it made
            source("fd", ParamType::Fd),
            source("dev", ParamType::Hex),
            source("ino", ParamType::Uint),
            source("tuple", ParamType::Tuple),
            source("data", ParamType::Bytes),
            source("addr", ParamType::SockAddr),
            source("files", ParamType::FileList),
        ],
    )
    .on(5),
    // on request only: of the thread that leaves the processor, with what it has had so far
    made(
        "switch",
        Scheduler,
        KindFlags::NONE,
        &[
            source("next", ParamType::Pid),
            source("pgft_maj", ParamType::Uint),
            source("pgft_min", ParamType::Uint),
            source("vm_size", ParamType::Uint),
            source("vm_rss", ParamType::Uint),
            source("vm_swap", ParamType::Uint),
        ],
    ),
    made(
        "cputime",
        Scheduler,
        OWN_STATE,
        &[source("delta", ParamType::Duration), source("total", ParamType::Duration), source("gone", ParamType::Bool)],
    ),
    made(
        "loss",
        Internal,
        // Shown among the events around it: whoever reads lines must see where they have a gap.
        KindFlags::NONE,
        &[source("count", ParamType::Uint), source("stage", ParamType::Text), source("reason", ParamType::Text)],
    ),
    made("cgroup", Process, OWN_STATE, &[source("id", ParamType::Uint), source("path", ParamType::Text)]),
    made(
        "snap_thread",
        Internal,
        SNAPSHOT,
        &[
            source("tid", ParamType::Pid),
            source("pid", ParamType::Pid),
            source("vtid", ParamType::Pid),
            source("vpid", ParamType::Pid),
            source("ppid", ParamType::Pid),
            source("sid", ParamType::Pid),
            source("pgid", ParamType::Pid),
            source("tty", ParamType::Uint),
            source("uid", ParamType::Uid),
            source("euid", ParamType::Uid),
            source("gid", ParamType::Gid),
            source("egid", ParamType::Gid),
            source("loginuid", ParamType::Uid),
            source("start", ParamType::Time),
            source("cputime", ParamType::Duration),
            source("comm", ParamType::Text),
            source("exe", ParamType::Text),
            source("exepath", ParamType::Path),
            source("args", ParamType::TextList),
            environment("env"),
            source("cwd", ParamType::Path),
            source("root", ParamType::Path),
            source("cgroup", ParamType::Text),
            // inode numbers of its namespaces, as `/proc/PID/ns` shows them
            source("cgroupns", ParamType::Uint),
            source("ipcns", ParamType::Uint),
            source("mntns", ParamType::Uint),
            source("netns", ParamType::Uint),
            source("pidns", ParamType::Uint),
            source("timens", ParamType::Uint),
            source("userns", ParamType::Uint),
            source("utsns", ParamType::Uint),
            // when it was looked at; 0: it was seen to begin
            source("scanned", ParamType::Time),
        ],
    ),
    made(
        "snap_fd",
        Internal,
        SNAPSHOT,
        &[
            source("fd", ParamType::Fd),
            source("kind", ParamType::Int),
            source("name", ParamType::Path),
            source("tuple", ParamType::Tuple),
            source("l4", ParamType::Int),
            source("role", ParamType::Int),
            source("dev", ParamType::Hex),
            source("ino", ParamType::Uint),
            source("flags", ParamType::Flags).named(FILE_FLAGS),
            source("cloexec", ParamType::Bool),
        ],
    )
    .on(0),
    made("snap_user", Internal, SNAPSHOT, &[source("id", ParamType::Uid), source("name", ParamType::Text)]),
    made("snap_group", Internal, SNAPSHOT, &[source("id", ParamType::Gid), source("name", ParamType::Text)]),
    made("snap_gone", Internal, SNAPSHOT, &[source("tid", ParamType::Pid), source("pid", ParamType::Pid)]),
    made("snap_closed", Internal, SNAPSHOT, &[source("fd", ParamType::Fd)]),
    // an address of a network interface; one row without an address where it has none
    made(
        "snap_interface",
        Internal,
        SNAPSHOT,
        &[
            source("name", ParamType::Text),
            source("index", ParamType::Uint),
            source("family", ParamType::Int),
            source("address", ParamType::Text),
            source("mask", ParamType::Text),
            source("broadcast", ParamType::Text),
            source("netns", ParamType::Uint),
            source("flags", ParamType::Hex),
            source("hardware", ParamType::Text),
        ],
    ),
    // a line of `mountinfo`
    made(
        "snap_mount",
        Internal,
        SNAPSHOT,
        &[
            source("id", ParamType::Uint),
            source("parent", ParamType::Uint),
            source("dev", ParamType::Hex),
            source("root", ParamType::Path),
            source("path", ParamType::Path),
            source("type", ParamType::Text),
            source("source", ParamType::Text),
            source("options", ParamType::Text),
            source("mntns", ParamType::Uint),
            source("propagation", ParamType::Text),
        ],
    ),
    // Stands for the kinds of later versions.
    made("unknown", Internal, KindFlags::INTERNAL, &[]),
    // A fork that two events of a scap tell of, each half of it.
    made(
        "snap_fork",
        Internal,
        SNAPSHOT,
        &[
            source("child_tid", ParamType::Pid),
            source("child_pid", ParamType::Pid),
            source("child_vtid", ParamType::Pid),
            source("child_vpid", ParamType::Pid),
            source("ppid", ParamType::Pid),
            source("flags", ParamType::Flags).named(CLONE_FLAGS),
            source("start", ParamType::Time),
        ],
    ),
];
