//! Calls on clocks, and on the system as a whole.

use super::entry::{
    NO, PLAIN, READS, RES, WAITS, call, choice, data, fd, field, flags, hex, int, oct, plain, ret, source, text,
    text_from, uint,
};
use crate::event::flags::{CLOCKS, DELETE_MODULE_FLAGS, FINIT_MODULE_FLAGS, KEYCTL_OPERATIONS, REBOOT_COMMANDS};
use crate::event::spec::Category::{Other, Sleep, System, Time};
use crate::event::spec::{From, ParamType, Spec};

/// Clocks and timers.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const TIME: &[Spec] = &[
    call("nanosleep", 35, 101, Sleep, RES, WAITS, &[field("interval", ParamType::Duration, [0, 16, 0, 16])]),
    call("clock_nanosleep", 230, 115, Sleep, RES, WAITS, &[choice("clockid", 0, CLOCKS), hex("flags", 1), field("request", ParamType::Duration, [2, 16, 0, 16])]),
    plain("clock_gettime", 228, 113, Time, 2),
    call("clock_settime", 227, 112, Time, RES, PLAIN, &[choice("clockid", 0, CLOCKS), field("time", ParamType::Time, [1, 16, 0, 16])]),
    plain("clock_getres", 229, 114, Time, 2),
    plain("clock_adjtime", 305, 266, Time, 2),
    plain("adjtimex", 159, 171, Time, 1),
    plain("gettimeofday", 96, 169, Time, 2),
    call("settimeofday", 164, 170, Time, RES, PLAIN, &[field("seconds", ParamType::Int, [0, 16, 0, 8]), field("microseconds", ParamType::Int, [0, 16, 8, 8])]),
    plain("time", 201, NO, Time, 1),
    plain("times", 100, 153, Time, 1),
    plain("alarm", 37, NO, Time, 1),
    plain("getitimer", 36, 102, Time, 2),
    plain("setitimer", 38, 103, Time, 3),
    plain("timer_create", 222, 107, Time, 3),
    plain("timer_settime", 223, 110, Time, 4),
    plain("timer_gettime", 224, 108, Time, 2),
    plain("timer_getoverrun", 225, 109, Time, 1),
    plain("timer_delete", 226, 111, Time, 1),
];

/// Modules, keys, names, power.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const SYSTEM: &[Spec] = &[
    call("init_module", 175, 105, Other, RES, PLAIN, &[data("img", From::BufLen(0, 1)), uint("length", 1), text("uargs", 2)]),
    call("finit_module", 313, 273, Other, RES, READS, &[fd("fd", 0), text("uargs", 1), flags("flags", 2, FINIT_MODULE_FLAGS)]).on(0),
    call("delete_module", 176, 106, Other, RES, PLAIN, &[text("name", 0), flags("flags", 1, DELETE_MODULE_FLAGS)]),
    plain("create_module", 174, NO, System, 2),
    plain("get_kernel_syms", 177, NO, System, 1),
    plain("query_module", 178, NO, System, 5),
    call("kexec_load", 246, 104, System, RES, PLAIN, &[hex("entry", 0), uint("nr_segments", 1), hex("segments", 2), hex("flags", 3)]),
    // the command line's length stands before its address
    call("kexec_file_load", 320, 294, System, RES, PLAIN, &[fd("kernel_fd", 0), fd("initrd_fd", 1), text("cmdline", 3), hex("flags", 4)]).on(0),
    call("reboot", 169, 142, System, RES, PLAIN, &[hex("magic1", 0), hex("magic2", 1), hex("cmd", 2).named(REBOOT_COMMANDS), hex("arg", 3)]),
    call("keyctl", 250, 219, Other, RES, PLAIN, &[choice("operation", 0, KEYCTL_OPERATIONS), hex("arg2", 1), hex("arg3", 2), hex("arg4", 3), hex("arg5", 4)]),
    call("add_key", 248, 217, Other, RES, PLAIN, &[text("type", 0), text("description", 1), data("payload", From::BufLen(2, 3)), uint("plen", 3), int("keyring", 4)]),
    call("request_key", 249, 218, Other, RES, PLAIN, &[text("type", 0), text("description", 1), text("callout", 2), int("keyring", 3)]),
    call("sethostname", 170, 161, System, RES, PLAIN, &[text_from("name", ParamType::Text, From::BufLen(0, 1)), uint("len", 1)]),
    call("setdomainname", 171, 162, System, RES, PLAIN, &[text_from("name", ParamType::Text, From::BufLen(0, 1)), uint("len", 1)]),
    plain("uname", 63, 160, System, 1),
    plain("sysinfo", 99, 179, System, 1),
    call("syslog", 103, 116, System, RES, PLAIN, &[int("type", 0), hex("buf", 1), int("len", 2)]),
    call("umask", 95, 166, System, Some(ret("res", ParamType::Oct)), PLAIN, &[oct("mask", 0)]),
    plain("vhangup", 153, 58, System, 0),
    plain("getrandom", 318, 278, System, 3),
    plain("iopl", 172, NO, System, 1),
    plain("ioperm", 173, NO, System, 3),
    // calls that this table does not know, by their number on the machine that made them
    call("syscall", NO, NO, Other, RES, PLAIN, &[source("nativeid", ParamType::Uint), hex("a0", 0), hex("a1", 1), hex("a2", 2), hex("a3", 3), hex("a4", 4), hex("a5", 5)]),
    plain("restart_syscall", 219, 128, Other, 0),
    plain("uretprobe", 335, NO, Other, 0),
    plain("uprobe", 336, NO, Other, 0),
    // numbers that the kernel keeps for calls that it no longer has, or never had
    plain("_sysctl", 156, NO, System, 1),
    plain("nfsservctl", 180, 42, System, 3),
    plain("getpmsg", 181, NO, Other, 6),
    plain("putpmsg", 182, NO, Other, 6),
    plain("afs_syscall", 183, NO, Other, 6),
    plain("tuxcall", 184, NO, Other, 6),
    plain("security", 185, NO, Other, 6),
    plain("vserver", 236, NO, Other, 6),
];
