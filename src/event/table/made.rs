//! Kinds that are no calls: life cycle, the recorder's own, and the initial state.

use super::entry::{environment, made, source};
use crate::event::flags::{CLONE_FLAGS, FILE_FLAGS};
use crate::event::spec::Category::{Internal, Process, Scheduler};
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
    made("procexit", Process, KindFlags::STATE, &[source("status", ParamType::Int), source("last", ParamType::Bool)]),
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
    // Stands for the kinds of later versions.
    made("unknown", Internal, KindFlags::INTERNAL, &[]),
];
