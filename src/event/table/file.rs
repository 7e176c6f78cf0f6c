//! Calls on paths, directories and mounts.

use super::entry::{
    FD, NEW, NO, PLAIN, RES, STATE, call, choice, data, fd, field, flags, gid, hex, int, mode, number, oct, path,
    plain, relpath, source, text, text_from, uid, uint,
};
use crate::event::flags::{
    ACCESS_FLAGS, CHMOD_MODE, FCHOWNAT_FLAGS, FSCONFIG_CMDS, LINKAT_FLAGS, MKNOD_MODE, MOUNT_FLAGS, NEWFSTATAT_FLAGS,
    QUOTACTL_CMDS, QUOTACTL_TYPES, RENAMEAT2_FLAGS, UMOUNT_FLAGS, UNLINKAT_FLAGS, XATTR_FLAGS,
};
use crate::event::spec::Category::{File, Other, Process, System, User};
use crate::event::spec::{From, ParamType, Spec};

/// The calls of `quotactl` that move a `struct if_dqblk`, a `struct if_dqinfo`, a format and a path: the command is in
/// the second byte of its register (linux/quota.h).
const QUOTA: [u8; 4] = [0, 8, 7, 8];
const QUOTA_INFO: [u8; 4] = [0, 8, 5, 6];
const QUOTA_FORMAT: [u8; 4] = [0, 8, 4, 4];
const QUOTA_ON: [u8; 4] = [0, 8, 2, 2];

/// Names in the file system.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const FILE: &[Spec] = &[
    call("stat", 4, NO, File, RES, PLAIN, &[path("path", 0)]),
    call("lstat", 6, NO, File, RES, PLAIN, &[path("path", 0)]),
    call("fstat", 5, 80, File, RES, PLAIN, &[fd("fd", 0)]).on(0),
    call("stat64", NO, NO, File, RES, PLAIN, &[path("path", 0)]),
    call("lstat64", NO, NO, File, RES, PLAIN, &[path("path", 0)]),
    call("fstat64", NO, NO, File, RES, PLAIN, &[]),
    call("newfstatat", 262, 79, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), flags("flags", 3, NEWFSTATAT_FLAGS)]).on(0),
    call("statx", 332, 291, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), flags("flags", 2, NEWFSTATAT_FLAGS), hex("mask", 3)]).on(0),
    call("statfs", 137, 43, File, RES, PLAIN, &[path("path", 0)]),
    call("fstatfs", 138, 44, File, RES, PLAIN, &[fd("fd", 0)]).on(0),
    call("ustat", 136, NO, File, RES, PLAIN, &[uint("dev", 0), hex("buf", 1)]),
    call("access", 21, NO, File, RES, PLAIN, &[path("name", 0), flags("mode", 1, ACCESS_FLAGS)]),
    call("faccessat", 269, 48, File, RES, PLAIN, &[fd("dirfd", 0), relpath("name", 1), flags("mode", 2, ACCESS_FLAGS)]).on(0),
    call("faccessat2", 439, 439, File, RES, PLAIN, &[fd("dirfd", 0), relpath("name", 1), flags("mode", 2, ACCESS_FLAGS), hex("flags", 3)]).on(0),
    call("readlink", 89, NO, File, RES, PLAIN, &[path("path", 0), text_from("target", ParamType::Text, From::BufRet(1)), uint("size", 2)]),
    call("readlinkat", 267, 78, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), text_from("target", ParamType::Text, From::BufRet(2)), uint("size", 3)]).on(0),
    // what the kernel returns counts the terminating NUL
    call("getcwd", 79, 17, File, RES, STATE, &[text_from("path", ParamType::Path, From::BufRet(0))]),
    call("chdir", 80, 49, File, RES, STATE, &[path("path", 0)]),
    call("fchdir", 81, 50, File, RES, STATE, &[fd("fd", 0)]).on(0),
    call("chroot", 161, 51, Process, RES, STATE, &[path("path", 0)]),
    call("pivot_root", 155, 41, File, RES, STATE, &[path("new_root", 0), path("put_old", 1)]),
    call("mkdir", 83, NO, File, RES, PLAIN, &[path("path", 0), oct("mode", 1)]),
    call("mkdirat", 258, 34, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), oct("mode", 2)]).on(0),
    call("rmdir", 84, NO, File, RES, PLAIN, &[path("path", 0)]),
    call("getdents", 78, NO, File, RES, PLAIN, &[fd("fd", 0)]).on(0),
    call("getdents64", 217, 61, File, RES, PLAIN, &[fd("fd", 0)]).on(0),
    call("rename", 82, NO, File, RES, PLAIN, &[path("oldpath", 0), path("newpath", 1)]),
    call("renameat", 264, 38, File, RES, PLAIN, &[fd("olddirfd", 0), relpath("oldpath", 1), fd("newdirfd", 2), relpath("newpath", 3)]),
    call("renameat2", 316, 276, File, RES, PLAIN, &[fd("olddirfd", 0), relpath("oldpath", 1), fd("newdirfd", 2), relpath("newpath", 3), flags("flags", 4, RENAMEAT2_FLAGS)]),
    call("link", 86, NO, File, RES, PLAIN, &[path("oldpath", 0), path("newpath", 1)]),
    call("linkat", 265, 37, File, RES, PLAIN, &[fd("olddir", 0), relpath("oldpath", 1), fd("newdir", 2), relpath("newpath", 3), flags("flags", 4, LINKAT_FLAGS)]),
    call("symlink", 88, NO, File, RES, PLAIN, &[text("target", 0), path("linkpath", 1)]),
    call("symlinkat", 266, 36, File, RES, PLAIN, &[text("target", 0), fd("linkdirfd", 1), relpath("linkpath", 2)]).on(1),
    call("unlink", 87, NO, File, RES, PLAIN, &[path("path", 0)]),
    call("unlinkat", 263, 35, File, RES, PLAIN, &[fd("dirfd", 0), relpath("name", 1), flags("flags", 2, UNLINKAT_FLAGS)]).on(0),
    call("mknod", 133, NO, Other, RES, PLAIN, &[path("path", 0), mode("mode", 1, MKNOD_MODE), uint("dev", 2)]),
    call("mknodat", 259, 33, Other, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), mode("mode", 2, MKNOD_MODE), uint("dev", 3)]).on(0),
    call("chmod", 90, NO, File, RES, PLAIN, &[path("filename", 0), mode("mode", 1, CHMOD_MODE)]),
    call("fchmod", 91, 52, File, RES, PLAIN, &[fd("fd", 0), mode("mode", 1, CHMOD_MODE)]).on(0),
    call("fchmodat", 268, 53, File, RES, PLAIN, &[fd("dirfd", 0), relpath("filename", 1), mode("mode", 2, CHMOD_MODE)]).on(0),
    call("fchmodat2", 452, 452, File, RES, PLAIN, &[fd("dirfd", 0), relpath("filename", 1), mode("mode", 2, CHMOD_MODE), hex("flags", 3)]).on(0),
    call("chown", 92, NO, File, RES, PLAIN, &[path("path", 0), uid("uid", 1), gid("gid", 2)]),
    call("lchown", 94, NO, File, RES, PLAIN, &[path("path", 0), uid("uid", 1), gid("gid", 2)]),
    call("fchown", 93, 55, File, RES, PLAIN, &[fd("fd", 0), uid("uid", 1), gid("gid", 2)]).on(0),
    call("fchownat", 260, 54, File, RES, PLAIN, &[fd("dirfd", 0), relpath("pathname", 1), uid("uid", 2), gid("gid", 3), flags("flags", 4, FCHOWNAT_FLAGS)]).on(0),
    call("truncate", 76, 45, File, RES, PLAIN, &[path("path", 0), uint("length", 1)]),
    // of the times that a file is to have; those that are "now" or "as before" are missing
    call("utime", 132, NO, File, RES, PLAIN, &[path("path", 0), hex("times", 1), field("atime_s", ParamType::Int, [1, 16, 0, 8]), field("mtime_s", ParamType::Int, [1, 16, 8, 8])]),
    call("utimes", 235, NO, File, RES, PLAIN, &[path("path", 0), hex("times", 1), field("atime_s", ParamType::Int, [1, 32, 0, 8]), field("mtime_s", ParamType::Int, [1, 32, 16, 8])]),
    call("futimesat", 261, NO, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), hex("times", 2), field("atime_s", ParamType::Int, [2, 32, 0, 8]), field("mtime_s", ParamType::Int, [2, 32, 16, 8])]).on(0),
    call("utimensat", 280, 88, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), hex("times", 2), flags("flags", 3, NEWFSTATAT_FLAGS), field("atime", ParamType::Time, [2, 32, 0, 16]), field("mtime", ParamType::Time, [2, 32, 16, 16])]).on(0),
    call("setxattr", 188, 5, File, RES, PLAIN, &[path("path", 0), text("name", 1), data("value", From::BufLen(2, 3)), uint("size", 3), flags("flags", 4, XATTR_FLAGS)]),
    call("lsetxattr", 189, 6, File, RES, PLAIN, &[path("path", 0), text("name", 1), data("value", From::BufLen(2, 3)), uint("size", 3), flags("flags", 4, XATTR_FLAGS)]),
    call("fsetxattr", 190, 7, File, RES, PLAIN, &[fd("fd", 0), text("name", 1), data("value", From::BufLen(2, 3)), uint("size", 3), flags("flags", 4, XATTR_FLAGS)]).on(0),
    call("getxattr", 191, 8, File, RES, PLAIN, &[path("path", 0), text("name", 1), data("value", From::BufRet(2)), uint("size", 3)]),
    call("lgetxattr", 192, 9, File, RES, PLAIN, &[path("path", 0), text("name", 1), data("value", From::BufRet(2)), uint("size", 3)]),
    call("fgetxattr", 193, 10, File, RES, PLAIN, &[fd("fd", 0), text("name", 1), data("value", From::BufRet(2)), uint("size", 3)]).on(0),
    call("listxattr", 194, 11, File, RES, PLAIN, &[path("path", 0), text_from("list", ParamType::TextList, From::BufRet(1)), uint("size", 2)]),
    call("llistxattr", 195, 12, File, RES, PLAIN, &[path("path", 0), text_from("list", ParamType::TextList, From::BufRet(1)), uint("size", 2)]),
    call("flistxattr", 196, 13, File, RES, PLAIN, &[fd("fd", 0), text_from("list", ParamType::TextList, From::BufRet(1)), uint("size", 2)]).on(0),
    call("removexattr", 197, 14, File, RES, PLAIN, &[path("path", 0), text("name", 1)]),
    call("lremovexattr", 198, 15, File, RES, PLAIN, &[path("path", 0), text("name", 1)]),
    call("fremovexattr", 199, 16, File, RES, PLAIN, &[fd("fd", 0), text("name", 1)]).on(0),
    call("setxattrat", 463, 463, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), hex("at_flags", 2), text("name", 3), hex("args", 4), uint("size", 5)]).on(0),
    call("getxattrat", 464, 464, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), hex("at_flags", 2), text("name", 3), hex("args", 4), uint("size", 5)]).on(0),
    call("listxattrat", 465, 465, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), hex("at_flags", 2), hex("list", 3), uint("size", 4)]).on(0),
    call("removexattrat", 466, 466, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), hex("at_flags", 2), text("name", 3)]).on(0),
    call("file_getattr", 468, 468, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), hex("attr", 2), uint("size", 3), hex("at_flags", 4)]).on(0),
    call("file_setattr", 469, 469, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), hex("attr", 2), uint("size", 3), hex("at_flags", 4)]).on(0),
    call("name_to_handle_at", 303, 264, File, RES, PLAIN, &[fd("dirfd", 0), relpath("path", 1), hex("handle", 2), hex("mount_id", 3), hex("flags", 4)]).on(0),
    call("mount", 165, 40, File, RES, STATE, &[text("dev", 0), path("dir", 1), text("type", 2), flags("flags", 3, MOUNT_FLAGS), text("options", 4)]),
    call("umount", NO, NO, File, RES, STATE, &[path("name", 0)]),
    call("umount2", 166, 39, File, RES, STATE, &[path("name", 0), flags("flags", 1, UMOUNT_FLAGS)]),
    call("move_mount", 429, 429, File, RES, STATE, &[fd("from_dirfd", 0), relpath("from_path", 1), fd("to_dirfd", 2), relpath("to_path", 3), hex("flags", 4)]),
    call("mount_setattr", 442, 442, File, RES, STATE, &[fd("dirfd", 0), relpath("path", 1), hex("flags", 2), hex("attr", 3), uint("size", 4), number("attr_set", ParamType::Hex, From::Part { arg: 3, count: 4, size: 32, offset: 0, width: 8 }), number("attr_clr", ParamType::Hex, From::Part { arg: 3, count: 4, size: 32, offset: 8, width: 8 }), number("propagation", ParamType::Hex, From::Part { arg: 3, count: 4, size: 32, offset: 16, width: 8 })]).on(0),
    call("fsopen", 430, 430, File, FD, NEW, &[text("fsname", 0), hex("flags", 1)]),
    call("fsconfig", 431, 431, System, RES, PLAIN, &[fd("fd", 0), choice("cmd", 1, FSCONFIG_CMDS), text("key", 2), text("value_charbuf", 3).when([1, 0, 1, 1]), int("aux", 4), data("value_bytebuf", From::BufLen(3, 4)).when([1, 0, 2, 2])]).on(0),
    call("fsmount", 432, 432, File, FD, NEW, &[fd("fs_fd", 0), hex("flags", 1), hex("attr_flags", 2)]),
    call("fspick", 433, 433, File, FD, NEW, &[fd("dirfd", 0), relpath("path", 1), hex("flags", 2)]),
    plain("statmount", 457, 457, File, 4),
    plain("listmount", 458, 458, File, 4),
    plain("sync", 162, 81, File, 0),
    call("acct", 163, 89, System, RES, PLAIN, &[path("path", 0)]),
    call("swapon", 167, 224, System, RES, PLAIN, &[path("path", 0), hex("flags", 1)]),
    call("swapoff", 168, 225, System, RES, PLAIN, &[path("path", 0)]),
    call("uselib", 134, NO, System, RES, PLAIN, &[path("path", 0)]),
    // the command is in the upper 24 bits of its register, the type in the lower 8 (linux/quota.h)
    call("quotactl", 179, 60, User, RES, PLAIN, &[text("special", 1), flags("cmd", 0, QUOTACTL_CMDS), flags("type", 0, QUOTACTL_TYPES), uint("id", 2), field("dqb_bhardlimit", ParamType::Uint, [3, 72, 0, 8]).when(QUOTA), field("dqb_bsoftlimit", ParamType::Uint, [3, 72, 8, 8]).when(QUOTA), field("dqb_curspace", ParamType::Uint, [3, 72, 16, 8]).when(QUOTA), field("dqb_ihardlimit", ParamType::Uint, [3, 72, 24, 8]).when(QUOTA), field("dqb_isoftlimit", ParamType::Uint, [3, 72, 32, 8]).when(QUOTA), field("dqb_btime", ParamType::Uint, [3, 72, 48, 8]).when(QUOTA), field("dqb_itime", ParamType::Uint, [3, 72, 56, 8]).when(QUOTA), field("dqi_bgrace", ParamType::Uint, [3, 24, 0, 8]).when(QUOTA_INFO), field("dqi_igrace", ParamType::Uint, [3, 24, 8, 8]).when(QUOTA_INFO), field("dqi_flags", ParamType::Hex, [3, 24, 16, 4]).when(QUOTA_INFO), field("quota_fmt_out", ParamType::Uint, [3, 4, 0, 4]).when(QUOTA_FORMAT), path("quotafilepath", 3).when(QUOTA_ON), source("quota_fmt", ParamType::Uint)]),
    call("quotactl_fd", 443, 443, User, RES, PLAIN, &[fd("fd", 0), flags("cmd", 1, QUOTACTL_CMDS), flags("type", 1, QUOTACTL_TYPES), uint("id", 2)]).on(0),
    call("lookup_dcookie", 212, 18, File, RES, PLAIN, &[hex("cookie", 0), hex("buffer", 1), uint("len", 2)]),
    plain("sysfs", 139, NO, File, 3),
];
