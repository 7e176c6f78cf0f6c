//! Calls on processes, threads, credentials and signals.

use super::entry::{
    ENTER, NEVER, NO, PLAIN, RES, RES_PID, STATE, WAITS, call, choice, environment, fd, field, flags, gid, hex, int,
    memory, number, path, pid, plain, relpath, ret, signal, source, text, uid, uint,
};
use crate::event::flags::{
    CLONE_FLAGS, EXECVE_FLAGS, EXECVEAT_FLAGS, MADVISE_ADVICE, PRCTL_OPTIONS, PTRACE_REQUESTS, RLIMIT_RESOURCES,
    SCHEDULING_POLICIES, SECCOMP_OPERATIONS, SIGACTION_FLAGS, WAIT_OPTIONS,
};
use crate::event::spec::Category::{Memory, Other, Process, Scheduler, Signal, User, Wait};
use crate::event::spec::{From, ParamType, Spec};

/// Processes and threads.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const PROCESS: &[Spec] = &[
    // what a fork made is told by `procfork`, and what an exec made by the parameters that the source fills in; the last of these
    // calls are only told by imported captures
    call("clone", 56, 220, Process, RES_PID, STATE, &[flags("flags", 0, CLONE_FLAGS), memory("vm_size", 0), memory("vm_rss", 1), memory("vm_swap", 2), source("fdlimit", ParamType::Uint), source("pgft_maj", ParamType::Uint), source("pgft_min", ParamType::Uint), source("pidns_init_start_ts", ParamType::Uint)]),
    // struct clone_args starts with the flags, 8 bytes (linux/sched.h)
    call("clone3", 435, 435, Process, RES_PID, STATE, &[field("flags", ParamType::Flags, [0, 64, 0, 8]).named(CLONE_FLAGS), memory("vm_size", 0), memory("vm_rss", 1), memory("vm_swap", 2), field("exit_signal", ParamType::Signal, [0, 64, 32, 8]), source("fdlimit", ParamType::Uint), source("pgft_maj", ParamType::Uint), source("pgft_min", ParamType::Uint), source("pidns_init_start_ts", ParamType::Uint)]),
    call("fork", 57, NO, Process, RES_PID, STATE, &[memory("vm_size", 0), memory("vm_rss", 1), memory("vm_swap", 2), source("fdlimit", ParamType::Uint), source("pgft_maj", ParamType::Uint), source("pgft_min", ParamType::Uint), source("pidns_init_start_ts", ParamType::Uint), source("flags", ParamType::Flags).named(CLONE_FLAGS)]),
    call("vfork", 58, NO, Process, RES_PID, STATE, &[memory("vm_size", 0), memory("vm_rss", 1), memory("vm_swap", 2), source("fdlimit", ParamType::Uint), source("pgft_maj", ParamType::Uint), source("pgft_min", ParamType::Uint), source("pidns_init_start_ts", ParamType::Uint), source("flags", ParamType::Flags).named(CLONE_FLAGS)]),
    call("execve", 59, 221, Process, RES, STATE | ENTER, &[path("filename", 0), source("exe", ParamType::Text), source("exepath", ParamType::Path), source("args", ParamType::TextList), source("comm", ParamType::Text), environment("env"), source("uid", ParamType::Uid), source("euid", ParamType::Uid), source("gid", ParamType::Gid), source("egid", ParamType::Gid), source("cgroup_id", ParamType::Uint), source("flags", ParamType::Flags).named(EXECVE_FLAGS), source("fdlimit", ParamType::Uint), source("pgft_maj", ParamType::Uint), source("pgft_min", ParamType::Uint), source("vm_size", ParamType::Uint), source("vm_rss", ParamType::Uint), source("vm_swap", ParamType::Uint), source("tty", ParamType::Uint), source("vpgid", ParamType::Pid), source("loginuid", ParamType::Uid), source("cap_inheritable", ParamType::Hex), source("cap_permitted", ParamType::Hex), source("cap_effective", ParamType::Hex), source("exe_ino", ParamType::Uint), source("exe_dev", ParamType::Hex), source("exe_ino_ctime", ParamType::Time), source("exe_ino_mtime", ParamType::Time), source("pgid", ParamType::Pid), source("sid", ParamType::Pid)]),
    call("execveat", 322, 281, Process, RES, STATE | ENTER, &[fd("dirfd", 0), relpath("pathname", 1), flags("flags", 4, EXECVEAT_FLAGS), source("exe", ParamType::Text), source("exepath", ParamType::Path), source("args", ParamType::TextList), source("comm", ParamType::Text), environment("env"), source("uid", ParamType::Uid), source("euid", ParamType::Uid), source("gid", ParamType::Gid), source("egid", ParamType::Gid), source("cgroup_id", ParamType::Uint), source("exe_flags", ParamType::Flags).named(EXECVE_FLAGS), source("fdlimit", ParamType::Uint), source("pgft_maj", ParamType::Uint), source("pgft_min", ParamType::Uint), source("vm_size", ParamType::Uint), source("vm_rss", ParamType::Uint), source("vm_swap", ParamType::Uint), source("tty", ParamType::Uint), source("vpgid", ParamType::Pid), source("loginuid", ParamType::Uid), source("cap_inheritable", ParamType::Hex), source("cap_permitted", ParamType::Hex), source("cap_effective", ParamType::Hex), source("exe_ino", ParamType::Uint), source("exe_dev", ParamType::Hex), source("exe_ino_ctime", ParamType::Time), source("exe_ino_mtime", ParamType::Time), source("pgid", ParamType::Pid), source("sid", ParamType::Pid)]),
    call("exit", 60, 93, Process, NEVER, STATE | ENTER, &[int("status", 0)]),
    call("exit_group", 231, 94, Process, NEVER, STATE | ENTER, &[int("status", 0)]),
    call("wait4", 61, 260, Wait, RES_PID, WAITS, &[pid("pid", 0), hex("status", 1), flags("options", 2, WAIT_OPTIONS), hex("rusage", 3), field("wstatus", ParamType::Hex, [1, 4, 0, 4])]),
    call("waitid", 247, 95, Wait, RES, WAITS, &[int("which", 0), pid("pid", 1), hex("info", 2), hex("options", 3), hex("rusage", 4)]),
    call("prctl", 157, 167, Process, RES, STATE, &[choice("option", 0, PRCTL_OPTIONS), text("arg2_str", 1).when([0, 0, 15, 15]), uint("arg2_int", 1)]),
    call("arch_prctl", 158, NO, Process, RES, PLAIN, &[hex("code", 0), hex("addr", 1)]),
    call("unshare", 272, 97, Process, RES, STATE, &[flags("flags", 0, CLONE_FLAGS)]),
    call("setns", 308, 268, Process, RES, STATE, &[fd("fd", 0), flags("nstype", 1, CLONE_FLAGS)]).on(0),
    call("ptrace", 101, 117, Process, RES, PLAIN, &[hex("addr", 2), hex("data", 3), choice("request", 0, PTRACE_REQUESTS), pid("pid", 1)]),
    call("kcmp", 312, 272, Process, RES, PLAIN, &[pid("pid1", 0), pid("pid2", 1), int("type", 2), hex("idx1", 3), hex("idx2", 4)]),
    call("setsid", 112, 157, Process, RES_PID, STATE, &[]),
    call("getsid", 124, 156, Process, RES_PID, PLAIN, &[pid("pid", 0)]),
    call("setpgid", 109, 154, Process, RES, STATE, &[pid("pid", 0), pid("pgid", 1)]),
    call("getpgid", 121, 155, Process, RES_PID, PLAIN, &[pid("pid", 0)]),
    call("getpgrp", 111, NO, Process, RES_PID, PLAIN, &[]),
    call("getpid", 39, 172, Process, RES_PID, PLAIN, &[]),
    call("getppid", 110, 173, Process, RES_PID, PLAIN, &[]),
    call("gettid", 186, 178, Process, RES_PID, PLAIN, &[]),
    call("set_tid_address", 218, 96, Process, RES_PID, PLAIN, &[hex("a0", 0)]),
    call("getrlimit", 97, 163, Process, RES, PLAIN, &[field("cur", ParamType::Int, [1, 16, 0, 8]), field("max", ParamType::Int, [1, 16, 8, 8]), choice("resource", 0, RLIMIT_RESOURCES)]),
    call("setrlimit", 160, 164, Process, RES, STATE, &[field("cur", ParamType::Int, [1, 16, 0, 8]), field("max", ParamType::Int, [1, 16, 8, 8]), choice("resource", 0, RLIMIT_RESOURCES)]),
    call("prlimit", 302, 261, Process, RES, STATE, &[field("newcur", ParamType::Int, [2, 16, 0, 8]), field("newmax", ParamType::Int, [2, 16, 8, 8]), field("oldcur", ParamType::Int, [3, 16, 0, 8]), field("oldmax", ParamType::Int, [3, 16, 8, 8]), pid("pid", 0), choice("resource", 1, RLIMIT_RESOURCES)]),
    plain("getrusage", 98, 165, Process, 2),
    plain("getpriority", 140, 141, Process, 2),
    call("setpriority", 141, 140, Process, RES, PLAIN, &[int("which", 0), int("who", 1), int("prio", 2)]),
    plain("ioprio_get", 252, 31, Process, 2),
    plain("ioprio_set", 251, 30, Process, 3),
    plain("personality", 135, 92, Process, 1),
    plain("capget", 125, 90, Process, 2),
    // two of struct __user_cap_data_struct: effective, permitted, inheritable, 4 bytes each (linux/capability.h)
    call("capset", 126, 91, Process, RES, STATE, &[number("cap_inheritable", ParamType::Hex, From::Halves { arg: 1, size: 24, low: 8, high: 20 }), number("cap_permitted", ParamType::Hex, From::Halves { arg: 1, size: 24, low: 4, high: 16 }), number("cap_effective", ParamType::Hex, From::Halves { arg: 1, size: 24, low: 0, high: 12 })]),
    call("seccomp", 317, 277, Other, RES, PLAIN, &[choice("op", 0, SECCOMP_OPERATIONS), hex("flags", 1)]),
    plain("set_robust_list", 273, 99, Process, 2),
    plain("get_robust_list", 274, 100, Process, 3),
    plain("rseq", 334, 293, Process, 4),
    plain("getcpu", 309, 168, Process, 3),
    plain("set_thread_area", 205, NO, Process, 1),
    plain("get_thread_area", 211, NO, Process, 1),
    plain("modify_ldt", 154, NO, Process, 3),
    call("process_mrelease", 448, 448, Memory, RES, PLAIN, &[fd("pid_fd", 0), hex("flags", 1)]).on(0),
    call("process_madvise", 440, 440, Memory, RES, PLAIN, &[fd("pid_fd", 0), hex("vec", 1), uint("vlen", 2), choice("advice", 3, MADVISE_ADVICE), hex("flags", 4)]).on(0),
    plain("lsm_get_self_attr", 459, 459, Process, 4),
    plain("lsm_set_self_attr", 460, 460, Process, 4),
    plain("lsm_list_modules", 461, 461, Process, 3),
    plain("sched_yield", 24, 124, Scheduler, 0),
    plain("sched_setparam", 142, 118, Scheduler, 2),
    plain("sched_getparam", 143, 121, Scheduler, 2),
    call("sched_setscheduler", 144, 119, Scheduler, RES, PLAIN, &[pid("pid", 0), choice("policy", 1, SCHEDULING_POLICIES), field("priority", ParamType::Int, [2, 4, 0, 4])]),
    plain("sched_getscheduler", 145, 120, Scheduler, 1),
    plain("sched_get_priority_max", 146, 125, Scheduler, 1),
    plain("sched_get_priority_min", 147, 126, Scheduler, 1),
    plain("sched_rr_get_interval", 148, 127, Scheduler, 2),
    call("sched_setaffinity", 203, 122, Scheduler, RES, PLAIN, &[pid("pid", 0), uint("size", 1), number("mask", ParamType::Hex, From::Part { arg: 2, count: 1, size: 8, offset: 0, width: 8 })]),
    plain("sched_getaffinity", 204, 123, Scheduler, 3),
    plain("sched_setattr", 314, 274, Scheduler, 3),
    plain("sched_getattr", 315, 275, Scheduler, 4),
];

/// Users and groups.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const USER: &[Spec] = &[
    call("getuid", 102, 174, User, Some(ret("uid", ParamType::Uid)), PLAIN, &[]),
    call("geteuid", 107, 175, User, Some(ret("euid", ParamType::Uid)), PLAIN, &[]),
    call("getgid", 104, 176, User, Some(ret("gid", ParamType::Gid)), PLAIN, &[]),
    call("getegid", 108, 177, User, Some(ret("egid", ParamType::Gid)), PLAIN, &[]),
    call("getresuid", 118, 148, User, RES, PLAIN, &[field("ruid", ParamType::Uid, [0, 4, 0, 4]), field("euid", ParamType::Uid, [1, 4, 0, 4]), field("suid", ParamType::Uid, [2, 4, 0, 4])]),
    call("getresgid", 120, 150, User, RES, PLAIN, &[field("rgid", ParamType::Gid, [0, 4, 0, 4]), field("egid", ParamType::Gid, [1, 4, 0, 4]), field("sgid", ParamType::Gid, [2, 4, 0, 4])]),
    call("setuid", 105, 146, User, RES, STATE, &[uid("uid", 0)]),
    call("setgid", 106, 144, User, RES, STATE, &[gid("gid", 0)]),
    call("setreuid", 113, 145, User, RES, STATE, &[uid("ruid", 0), uid("euid", 1)]),
    call("setregid", 114, 143, User, RES, STATE, &[gid("rgid", 0), gid("egid", 1)]),
    call("setresuid", 117, 147, User, RES, STATE, &[uid("ruid", 0), uid("euid", 1), uid("suid", 2)]),
    call("setresgid", 119, 149, User, RES, STATE, &[gid("rgid", 0), gid("egid", 1), gid("sgid", 2)]),
    call("setfsuid", 122, 151, User, Some(ret("res", ParamType::Uid)), STATE, &[uid("uid", 0)]),
    call("setfsgid", 123, 152, User, Some(ret("res", ParamType::Gid)), STATE, &[gid("gid", 0)]),
    plain("getgroups", 115, 158, User, 2),
    call("setgroups", 116, 159, User, RES, STATE, &[uint("size", 0), hex("list", 1), number("gid_0", ParamType::Gid, From::Elements { arg: 1, count: 0, size: 4, offset: 0, width: 4 }), number("gid_1", ParamType::Gid, From::Elements { arg: 1, count: 0, size: 4, offset: 4, width: 4 })]),
];

/// Signals.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const SIGNAL: &[Spec] = &[
    call("kill", 62, 129, Signal, RES, PLAIN, &[pid("pid", 0), signal("sig", 1)]),
    call("tkill", 200, 130, Signal, RES, PLAIN, &[pid("tid", 0), signal("sig", 1)]),
    call("tgkill", 234, 131, Signal, RES, PLAIN, &[pid("pid", 0), pid("tid", 1), signal("sig", 2)]),
    call("rt_sigqueueinfo", 129, 138, Signal, RES, PLAIN, &[pid("pid", 0), signal("sig", 1), hex("info", 2)]),
    call("rt_tgsigqueueinfo", 297, 240, Signal, RES, PLAIN, &[pid("pid", 0), pid("tid", 1), signal("sig", 2), hex("info", 3)]),
    // struct sigaction as the kernel has it: handler, flags, restorer, mask, 8 bytes each
    call("rt_sigaction", 13, 134, Signal, RES, PLAIN, &[signal("sig", 0), hex("act", 1), hex("oldact", 2), uint("size", 3), field("handler", ParamType::Hex, [1, 32, 0, 8]), field("flags", ParamType::Flags, [1, 32, 8, 8]).named(SIGACTION_FLAGS)]),
    plain("rt_sigprocmask", 14, 135, Signal, 4),
    // the registers at its end are those of what the signal interrupted
    plain("rt_sigreturn", 15, 139, Signal, 0),
    plain("rt_sigpending", 127, 136, Signal, 2),
    plain("rt_sigtimedwait", 128, 137, Signal, 4).does(WAITS),
    plain("rt_sigsuspend", 130, 133, Signal, 2).does(WAITS),
    plain("sigaltstack", 131, 132, Signal, 2),
    plain("pause", 34, NO, Signal, 0).does(WAITS),
];
