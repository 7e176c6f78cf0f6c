//! Values of open, mount and other path calls, in the native encoding of x86-64 Linux (its uapi headers).

use crate::event::spec::FlagTable;

/// How a file is opened (`fcntl.h`); the two lowest bits are the access mode.
pub(in crate::event) const FILE_FLAGS: &FlagTable = &FlagTable {
    name: "file_flags",
    choice: 3,
    values: &[
        ("O_TMPFILE", 0o20_200_000),
        ("O_LARGEFILE", 0o100_000),
        ("O_DIRECTORY", 0o200_000),
        ("O_DIRECT", 0o40000),
        ("O_TRUNC", 0o1000),
        ("O_SYNC", 0o4_010_000),
        ("O_NONBLOCK", 0o4000),
        ("O_EXCL", 0o200),
        ("O_DSYNC", 0o10000),
        ("O_APPEND", 0o2000),
        ("O_CREAT", 0o100),
        ("O_RDWR", 2),
        ("O_WRONLY", 1),
        ("O_RDONLY", 0),
        ("O_CLOEXEC", 0o2_000_000),
        ("O_NOCTTY", 0o400),
        ("O_ASYNC", 0o20000),
        ("O_NOFOLLOW", 0o400_000),
        ("O_NOATIME", 0o1_000_000),
        ("O_PATH", 0o10_000_000),
    ],
};

/// What calls other than `open` take of `file_flags`; `SOCK_`, `EFD_`, `TFD_` … have the same values. Without an access mode.
pub(in crate::event) const FD_FLAGS: &FlagTable = &FlagTable {
    name: "fd_flags",
    choice: 0,
    values: &[("O_DIRECT", 0o40000), ("O_NONBLOCK", 0o4000), ("O_CLOEXEC", 0o2_000_000)],
};

/// How `openat2` walks a path (`linux/openat2.h`).
pub(in crate::event) const OPENAT2_FLAGS: &FlagTable = &FlagTable {
    name: "openat2_flags",
    choice: 0,
    values: &[
        ("RESOLVE_BENEATH", 8),
        ("RESOLVE_IN_ROOT", 16),
        ("RESOLVE_NO_MAGICLINKS", 2),
        ("RESOLVE_NO_SYMLINKS", 4),
        ("RESOLVE_NO_XDEV", 1),
        ("RESOLVE_CACHED", 32),
    ],
};

/// `open_tree` (`linux/mount.h`, `linux/fcntl.h`).
pub(in crate::event) const OPEN_TREE_FLAGS: &FlagTable = &FlagTable {
    name: "open_tree_flags",
    choice: 0,
    values: &[
        ("OPEN_TREE_CLONE", 1),
        ("OPEN_TREE_CLOEXEC", 0x80000),
        ("AT_RECURSIVE", 0x8000),
        ("AT_EMPTY_PATH", 4096),
        ("AT_NO_AUTOMOUNT", 2048),
        ("AT_SYMLINK_NOFOLLOW", 256),
    ],
};

/// What `access` asks for.
pub(in crate::event) const ACCESS_FLAGS: &FlagTable =
    &FlagTable { name: "access_flags", choice: 0, values: &[("F_OK", 0), ("R_OK", 4), ("W_OK", 2), ("X_OK", 1)] };

/// `unlinkat`.
pub(in crate::event) const UNLINKAT_FLAGS: &FlagTable =
    &FlagTable { name: "unlinkat_flags", choice: 0, values: &[("AT_REMOVEDIR", 512)] };

/// `linkat`.
pub(in crate::event) const LINKAT_FLAGS: &FlagTable =
    &FlagTable { name: "linkat_flags", choice: 0, values: &[("AT_SYMLINK_FOLLOW", 1024), ("AT_EMPTY_PATH", 4096)] };

/// `newfstatat` and `statx`.
pub(in crate::event) const NEWFSTATAT_FLAGS: &FlagTable = &FlagTable {
    name: "newfstatat_flags",
    choice: 0,
    values: &[("AT_EMPTY_PATH", 4096), ("AT_NO_AUTOMOUNT", 2048), ("AT_SYMLINK_NOFOLLOW", 256)],
};

/// Permission bits.
pub(in crate::event) const CHMOD_MODE: &FlagTable = &FlagTable {
    name: "chmod_mode",
    choice: 0,
    values: &[
        ("S_IXOTH", 1),
        ("S_IWOTH", 2),
        ("S_IROTH", 4),
        ("S_IXGRP", 0o10),
        ("S_IWGRP", 0o20),
        ("S_IRGRP", 0o40),
        ("S_IXUSR", 0o100),
        ("S_IWUSR", 0o200),
        ("S_IRUSR", 0o400),
        ("S_ISVTX", 0o1000),
        ("S_ISGID", 0o2000),
        ("S_ISUID", 0o4000),
    ],
};

/// Permission bits and the type of the file, which is one number.
pub(in crate::event) const MKNOD_MODE: &FlagTable = &FlagTable {
    name: "mknod_mode",
    choice: 0o170_000,
    values: &[
        ("S_IXOTH", 1),
        ("S_IWOTH", 2),
        ("S_IROTH", 4),
        ("S_IXGRP", 0o10),
        ("S_IWGRP", 0o20),
        ("S_IRGRP", 0o40),
        ("S_IXUSR", 0o100),
        ("S_IWUSR", 0o200),
        ("S_IRUSR", 0o400),
        ("S_ISVTX", 0o1000),
        ("S_ISGID", 0o2000),
        ("S_ISUID", 0o4000),
        ("S_IFREG", 0o100_000),
        ("S_IFCHR", 0o20000),
        ("S_IFBLK", 0o60000),
        ("S_IFIFO", 0o10000),
        ("S_IFSOCK", 0o140_000),
    ],
};

/// `fchownat`.
pub(in crate::event) const FCHOWNAT_FLAGS: &FlagTable =
    &FlagTable { name: "fchownat_flags", choice: 0, values: &[("AT_SYMLINK_NOFOLLOW", 256), ("AT_EMPTY_PATH", 4096)] };

/// `renameat2`.
pub(in crate::event) const RENAMEAT2_FLAGS: &FlagTable = &FlagTable {
    name: "renameat2_flags",
    choice: 0,
    values: &[("RENAME_NOREPLACE", 1), ("RENAME_EXCHANGE", 2), ("RENAME_WHITEOUT", 4)],
};

/// `mount`, without the leading `MS_`.
pub(in crate::event) const MOUNT_FLAGS: &FlagTable = &FlagTable {
    name: "mount_flags",
    choice: 0,
    values: &[
        ("RDONLY", 0x1),
        ("NOSUID", 0x2),
        ("NODEV", 0x4),
        ("NOEXEC", 0x8),
        ("SYNCHRONOUS", 0x10),
        ("REMOUNT", 0x20),
        ("MANDLOCK", 0x40),
        ("DIRSYNC", 0x80),
        ("NOATIME", 0x400),
        ("NODIRATIME", 0x800),
        ("BIND", 0x1000),
        ("MOVE", 0x2000),
        ("REC", 0x4000),
        ("SILENT", 0x8000),
        ("POSIXACL", 0x10000),
        ("UNBINDABLE", 0x20000),
        ("PRIVATE", 0x40000),
        ("SLAVE", 0x80000),
        ("SHARED", 0x10_0000),
        ("RELATIME", 0x20_0000),
        ("KERNMOUNT", 0x40_0000),
        ("I_VERSION", 0x80_0000),
        ("STRICTATIME", 0x100_0000),
        ("LAZYTIME", 0x200_0000),
        ("NOSEC", 0x1000_0000),
        ("BORN", 0x2000_0000),
        ("ACTIVE", 0x4000_0000),
        ("NOUSER", 0x8000_0000),
        ("NOSYMFOLLOW", 0x100),
    ],
};

/// `umount2`, without the leading `MNT_` or `UMOUNT_`.
pub(in crate::event) const UMOUNT_FLAGS: &FlagTable = &FlagTable {
    name: "umount_flags",
    choice: 0,
    values: &[("FORCE", 0x1), ("DETACH", 0x2), ("EXPIRE", 0x4), ("NOFOLLOW", 0x8)],
};

/// Commands of `fsconfig` (`linux/mount.h`).
pub(in crate::event) const FSCONFIG_CMDS: &FlagTable = &FlagTable {
    name: "fsconfig_cmds",
    choice: 0,
    values: &[
        ("FSCONFIG_SET_FLAG", 0),
        ("FSCONFIG_SET_STRING", 1),
        ("FSCONFIG_SET_BINARY", 2),
        ("FSCONFIG_SET_PATH", 3),
        ("FSCONFIG_SET_PATH_EMPTY", 4),
        ("FSCONFIG_SET_FD", 5),
        ("FSCONFIG_CMD_CREATE", 6),
        ("FSCONFIG_CMD_RECONFIGURE", 7),
        ("FSCONFIG_CMD_CREATE_EXCL", 8),
    ],
};

/// Commands of `quotactl`, in the upper 24 bits of its first argument (`linux/quota.h`, `linux/dqblk_xfs.h`).
pub(in crate::event) const QUOTACTL_CMDS: &FlagTable = &FlagTable {
    name: "quotactl_cmds",
    choice: 0xffff_ff00,
    values: &[
        ("Q_QUOTAON", 0x8000_0200),
        ("Q_QUOTAOFF", 0x8000_0300),
        ("Q_GETFMT", 0x8000_0400),
        ("Q_GETINFO", 0x8000_0500),
        ("Q_SETINFO", 0x8000_0600),
        ("Q_GETQUOTA", 0x8000_0700),
        ("Q_SETQUOTA", 0x8000_0800),
        ("Q_SYNC", 0x8000_0100),
        ("Q_XQUOTAON", 0x58_0100),
        ("Q_XQUOTAOFF", 0x58_0200),
        ("Q_XGETQUOTA", 0x58_0300),
        ("Q_XSETQLIM", 0x58_0400),
        ("Q_XGETQSTAT", 0x58_0500),
        ("Q_XQUOTARM", 0x58_0600),
        ("Q_XQUOTASYNC", 0x58_0700),
        ("Q_GETNEXTQUOTA", 0x8000_0900),
        ("Q_XGETQSTATV", 0x58_0800),
        ("Q_XGETNEXTQUOTA", 0x58_0900),
    ],
};

/// Whose quota, in the lower 8 bits of the first argument of `quotactl`.
pub(in crate::event) const QUOTACTL_TYPES: &FlagTable =
    &FlagTable { name: "quotactl_types", choice: 0xff, values: &[("USRQUOTA", 0), ("GRPQUOTA", 1), ("PRJQUOTA", 2)] };
