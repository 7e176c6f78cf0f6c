use super::flag_table;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use super::{errno_name, errno_text, signal_name};

fn names(table: &str, value: u64) -> String {
    let mut all = Vec::new();
    flag_table(table).unwrap().names(value, &mut |name| all.push(name.to_owned()));
    all.join("|")
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn value(table: &str, name: &str) -> u64 {
    flag_table(table).unwrap().values.iter().find(|v| v.0 == name).unwrap_or_else(|| panic!("{table} has no {name}")).1
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn values_are_those_of_the_native_headers() {
    let cases: &[(&str, &str, i64)] = &[
        ("file_flags", "O_CREAT", libc::O_CREAT.into()),
        ("file_flags", "O_TRUNC", libc::O_TRUNC.into()),
        ("file_flags", "O_EXCL", libc::O_EXCL.into()),
        ("file_flags", "O_APPEND", libc::O_APPEND.into()),
        ("file_flags", "O_NONBLOCK", libc::O_NONBLOCK.into()),
        ("file_flags", "O_SYNC", libc::O_SYNC.into()),
        ("file_flags", "O_DSYNC", libc::O_DSYNC.into()),
        ("file_flags", "O_CLOEXEC", libc::O_CLOEXEC.into()),
        ("file_flags", "O_NOATIME", libc::O_NOATIME.into()),
        ("file_flags", "O_PATH", libc::O_PATH.into()),
        ("fd_flags", "O_CLOEXEC", libc::SOCK_CLOEXEC.into()),
        ("fd_flags", "O_NONBLOCK", libc::SOCK_NONBLOCK.into()),
        ("clone_flags", "CLONE_VM", libc::CLONE_VM.into()),
        ("clone_flags", "CLONE_FS", libc::CLONE_FS.into()),
        ("clone_flags", "CLONE_FILES", libc::CLONE_FILES.into()),
        ("clone_flags", "CLONE_THREAD", libc::CLONE_THREAD.into()),
        ("clone_flags", "CLONE_NEWNS", libc::CLONE_NEWNS.into()),
        ("clone_flags", "CLONE_NEWUSER", libc::CLONE_NEWUSER.into()),
        ("clone_flags", "CLONE_NEWCGROUP", libc::CLONE_NEWCGROUP.into()),
        ("clone_flags", "CLONE_PIDFD", libc::CLONE_PIDFD.into()),
        ("fcntl_commands", "F_DUPFD", libc::F_DUPFD.into()),
        ("fcntl_commands", "F_SETFD", libc::F_SETFD.into()),
        ("fcntl_commands", "F_SETLK", libc::F_SETLK.into()),
        ("fcntl_commands", "F_OFD_SETLKW", libc::F_OFD_SETLKW.into()),
        ("fcntl_commands", "F_DUPFD_CLOEXEC", libc::F_DUPFD_CLOEXEC.into()),
        ("fcntl_commands", "F_ADD_SEALS", libc::F_ADD_SEALS.into()),
        ("prot_flags", "PROT_EXEC", libc::PROT_EXEC.into()),
        ("mmap_flags", "MAP_FIXED", libc::MAP_FIXED.into()),
        ("mmap_flags", "MAP_SHARED_VALIDATE", libc::MAP_SHARED_VALIDATE.into()),
        ("mount_flags", "RELATIME", libc::MS_RELATIME as i64),
        ("mount_flags", "BIND", libc::MS_BIND as i64),
        ("umount_flags", "DETACH", libc::MNT_DETACH.into()),
        ("unlinkat_flags", "AT_REMOVEDIR", libc::AT_REMOVEDIR.into()),
        ("linkat_flags", "AT_SYMLINK_FOLLOW", libc::AT_SYMLINK_FOLLOW.into()),
        ("newfstatat_flags", "AT_NO_AUTOMOUNT", libc::AT_NO_AUTOMOUNT.into()),
        ("fchownat_flags", "AT_SYMLINK_NOFOLLOW", libc::AT_SYMLINK_NOFOLLOW.into()),
        ("openat2_flags", "RESOLVE_BENEATH", libc::RESOLVE_BENEATH as i64),
        ("openat2_flags", "RESOLVE_NO_XDEV", libc::RESOLVE_NO_XDEV as i64),
        ("sockopt_levels", "SOL_TCP", libc::SOL_TCP.into()),
        ("sockopt_options", "SO_COOKIE", libc::SO_COOKIE.into()),
        ("sockopt_options", "SO_REUSEPORT", libc::SO_REUSEPORT.into()),
        ("ptrace_requests", "PTRACE_ATTACH", libc::PTRACE_ATTACH.into()),
        ("ptrace_requests", "PTRACE_SEIZE", libc::PTRACE_SEIZE.into()),
        ("ptrace_requests", "PTRACE_GETREGS", libc::PTRACE_GETREGS.into()),
        ("semctl_commands", "IPC_RMID", libc::IPC_RMID.into()),
        ("semget_flags", "IPC_CREAT", libc::IPC_CREAT.into()),
        ("semop_flags", "SEM_UNDO", libc::SEM_UNDO.into()),
        ("futex_operations", "FUTEX_WAIT_BITSET", libc::FUTEX_WAIT_BITSET.into()),
        ("epoll_create1_flags", "EPOLL_CLOEXEC", libc::EPOLL_CLOEXEC.into()),
        ("epoll_ctl_ops", "EPOLL_CTL_MOD", libc::EPOLL_CTL_MOD.into()),
        ("rlimit_resources", "RLIMIT_NOFILE", libc::RLIMIT_NOFILE.into()),
        ("prctl_options", "PR_SET_NAME", libc::PR_SET_NAME.into()),
        ("prctl_options", "PR_SET_PTRACER", libc::PR_SET_PTRACER.into()),
        ("mknod_mode", "S_IFSOCK", libc::S_IFSOCK.into()),
        ("pidfd_open_flags", "PIDFD_NONBLOCK", libc::PIDFD_NONBLOCK.into()),
        ("socket_families", "AF_VSOCK", libc::AF_VSOCK.into()),
        ("quotactl_cmds", "Q_SETQUOTA", i64::from(libc::Q_SETQUOTA) << 8),
        ("poll_flags", "POLLRDHUP", libc::POLLRDHUP.into()),
    ];
    for &(table, name, native) in cases {
        assert_eq!(value(table, name), native as u64, "{table}.{name}");
    }
}

#[test]
fn bits_are_named_in_the_tables_order() {
    let cases: &[(&str, u64, &str)] = &[
        ("file_flags", 0, "O_RDONLY"),
        ("file_flags", 0o2_000_000, "O_RDONLY|O_CLOEXEC"),
        ("file_flags", 0o1101, "O_TRUNC|O_CREAT|O_WRONLY"),
        ("file_flags", 0o2_000_002, "O_RDWR|O_CLOEXEC"),
        ("file_flags", 3, ""),
        ("file_flags", 0o4_010_001, "O_SYNC|O_WRONLY"),
        ("file_flags", 0o10_001, "O_DSYNC|O_WRONLY"),
        ("file_flags", 0o20_200_002, "O_TMPFILE|O_RDWR"),
        ("fd_flags", 0, ""),
        ("fd_flags", 0o2_004_001, "O_NONBLOCK|O_CLOEXEC"),
        ("futex_operations", 0, "FUTEX_WAIT"),
        ("futex_operations", 128, "FUTEX_PRIVATE_FLAG|FUTEX_WAIT"),
        ("futex_operations", 128 + 256 + 9, "FUTEX_CLOCK_REALTIME|FUTEX_PRIVATE_FLAG|FUTEX_WAIT_BITSET"),
        ("mmap_flags", 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"),
        ("mmap_flags", 3, "MAP_SHARED_VALIDATE"),
        ("prot_flags", 0, "PROT_NONE"),
        ("prot_flags", 3, "PROT_READ|PROT_WRITE"),
        ("access_flags", 0, "F_OK"),
        ("mknod_mode", 0o60_600, "S_IWUSR|S_IRUSR|S_IFBLK"),
        ("quotactl_cmds", 0x8000_0701, "Q_GETQUOTA"),
        ("quotactl_types", 0x8000_0701, "GRPQUOTA"),
        ("clone_flags", 1 << 40, ""),
    ];
    for &(table, value, expected) in cases {
        assert_eq!(names(table, value), expected, "{table} {value:#x}");
    }
}

#[test]
fn values_of_an_enumeration_have_the_first_of_their_names() {
    let table = flag_table("socket_families").unwrap();
    assert_eq!(table.name_of(2), Some("AF_INET"));
    assert_eq!(table.name_of(1), Some("AF_LOCAL"));
    assert_eq!(table.name_of(0), Some("AF_UNSPEC"));
    assert_eq!(table.name_of(4711), None);
    assert!(flag_table("no_such_table").is_none());
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn errors_have_the_headers_numbers_and_kernel_internal_ones_too() {
    let cases: &[(i64, Option<&str>)] = &[
        (0, None),
        (i64::from(libc::ENOENT), Some("ENOENT")),
        (-i64::from(libc::EAGAIN), Some("EAGAIN")),
        (i64::from(libc::EDEADLK), Some("EDEADLK")),
        (i64::from(libc::ENOTSOCK), Some("ENOTSOCK")),
        (i64::from(libc::EINPROGRESS), Some("EINPROGRESS")),
        (i64::from(libc::EHWPOISON), Some("EHWPOISON")),
        (41, None),
        (-512, Some("ERESTARTSYS")),
        (-516, Some("ERESTART_RESTARTBLOCK")),
        (530, Some("ERECALLCONFLICT")),
        (i64::MIN, None),
        (i64::MAX, None),
    ];
    for &(number, expected) in cases {
        assert_eq!(errno_name(number), expected, "{number}");
        assert_eq!(errno_text(number).is_some(), expected.is_some(), "{number}");
    }
    let known: Vec<i64> = (0..=4095).filter(|&n| errno_name(n).is_some()).collect();
    assert_eq!(known.len(), 131 + 18, "x86-64 has 131 errors and the kernel 18 of its own");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn signals_have_the_headers_numbers() {
    let cases: &[(i64, Option<&str>)] = &[
        (0, None),
        (i64::from(libc::SIGHUP), Some("SIGHUP")),
        (i64::from(libc::SIGKILL), Some("SIGKILL")),
        (i64::from(libc::SIGCHLD), Some("SIGCHLD")),
        (i64::from(libc::SIGSYS), Some("SIGSYS")),
        (32, None),
        (-9, None),
    ];
    for &(number, expected) in cases {
        assert_eq!(signal_name(number), expected, "{number}");
    }
}
