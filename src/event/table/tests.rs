use super::{SPECS, kind_by_name, kind_by_nr};
use crate::event::spec::{Class, Facts, From, KindFlags, ParamType, Spec};
use crate::event::{Kind, MAX_ARGS, flag_table, kinds};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The probe does no more than this many separate reads for one event.
const MAX_READS: usize = 7;

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn calls() -> impl Iterator<Item = &'static Spec> {
    SPECS.iter().filter(|s| s.flags.has(KindFlags::CALL))
}

#[test]
fn names_and_numbers_are_unique() {
    let mut names = BTreeSet::new();
    let mut numbers = BTreeMap::new();
    let mut arm = BTreeMap::new();
    for spec in SPECS {
        assert!(names.insert(spec.name), "{} twice", spec.name);
        assert!(is_identifier(spec.name), "{}", spec.name);
        if let Some(nr) = spec.x86_64 {
            assert_eq!(numbers.insert(nr, spec.name), None, "{nr}");
        }
        if let Some(nr) = spec.arm64 {
            assert_eq!(arm.insert(nr, spec.name), None, "{nr}");
        }
    }
    for nr in (0..=336).chain(424..=469) {
        assert!(numbers.contains_key(&nr), "nothing has number {nr}");
    }
    // the generic table keeps 244 to 259 for architectures' own calls, of which arm64 has none
    for nr in (0..=243).chain(260..=294).chain(424..=469) {
        assert!(arm.contains_key(&nr), "nothing has number {nr} on arm64");
    }
}

#[test]
fn numbers_are_those_of_the_native_headers() {
    let cases: &[(&str, i64)] = &[
        ("read", 0),
        ("pread", 17),
        ("execve", 59),
        ("umount2", 166),
        ("exit_group", 231),
        ("newfstatat", 262),
        ("prlimit", 302),
        ("execveat", 322),
        ("rseq", 334),
        ("clone3", 435),
        ("cachestat", 451),
        ("mseal", 462),
        ("file_setattr", 469),
    ];
    for &(name, nr) in cases {
        assert_eq!(kind_by_nr(nr as u16), kind_by_name(name), "{name}");
        assert_eq!(kind_by_nr(nr as u16).unwrap().spec().name, name);
    }
    for (name, x86, arm) in [("openat", 257, 56), ("bpf", 321, 280), ("clone3", 435, 435), ("mmap", 9, 222)] {
        let spec = kind_by_name(name).unwrap().spec();
        assert_eq!((spec.x86_64, spec.arm64), (Some(x86), Some(arm)), "{name}");
    }
    assert_eq!(kind_by_name("open").unwrap().spec().arm64, None);
    for nr in [400, 511, 512, u16::MAX] {
        assert_eq!(kind_by_nr(nr), None, "{nr}");
    }
    assert_eq!(kind_by_name("no_such_call"), None);
}

#[test]
fn every_kind_is_found_by_its_name_and_number() {
    for (i, spec) in SPECS.iter().enumerate() {
        let kind = Kind(i as u16);
        assert_eq!(kind_by_name(spec.name), Some(kind));
        assert!(spec.x86_64.is_none_or(|nr| kind_by_nr(nr) == Some(kind)), "{}", spec.name);
    }
    for (kind, name) in [(kinds::READ, "read"), (kinds::SNAP_FD, "snap_fd"), (kinds::OPENAT2, "openat2")] {
        assert_eq!(kind.spec().name, name);
    }
}

fn stored(ty: ParamType) -> Class {
    use ParamType as T;
    match ty {
        T::Bytes => Class::Data,
        T::Text
        | T::Path
        | T::RelPath
        | T::TextList
        | T::SockAddr
        | T::Tuple
        | T::FdList
        | T::FileList
        | T::FdSet
        | T::OptionValue => Class::Text,
        _ => Class::Int,
    }
}

#[test]
fn parameters_are_few_named_once_and_stored_as_their_type_is() {
    for spec in SPECS {
        let of = spec.name;
        assert!(spec.params.len() <= MAX_ARGS, "{of}");
        let mut names: BTreeSet<&str> = spec.ret.iter().map(|r| r.name).collect();
        for p in spec.params {
            let what = format!("{of}.{}", p.name);
            assert!(is_identifier(p.name), "{what}");
            assert!(names.insert(p.name), "{what} twice");
            let named = matches!(p.ty, ParamType::Flags | ParamType::Enum);
            assert!(!named || p.table.is_some(), "{what} has no names");
            assert!(p.table.is_none_or(|t| flag_table(t.name) == Some(t)), "{what}: readers cannot find its names");
            // What is told of other threads is no image of the event's own.
            let class = if p.name == "env" && of != "task" { Class::Env } else { stored(p.ty) };
            if p.ty == ParamType::Json {
                assert!(matches!(p.class, Class::Text | Class::Data), "{what}: short JSON is text, bodies are data");
                continue;
            }
            assert_eq!(p.class, class, "{what}");
        }
        for (i, p) in spec.params.iter().enumerate() {
            let after_fd = i > 0 && spec.params[i - 1].ty == ParamType::Fd;
            assert!(p.ty != ParamType::RelPath || after_fd, "{of}.{} is relative to nothing", p.name);
        }
    }
}

#[test]
fn indices_point_at_a_descriptor_and_a_size() {
    for spec in SPECS {
        let at = |i: u8| &spec.params[usize::from(i)];
        assert!(spec.fd.is_none_or(|i| at(i).ty == ParamType::Fd), "{}", spec.name);
        assert_eq!(spec.fd.is_some(), spec.flags.has(KindFlags::USES_FD), "{}", spec.name);
        assert!(spec.size.is_none_or(|i| at(i).ty == ParamType::Uint && at(i).name == "size"), "{}", spec.name);
    }
}

#[test]
fn descriptors_that_are_made_are_returned_or_told() {
    for spec in SPECS.iter().filter(|s| s.flags.has(KindFlags::CREATES_FD)) {
        let returned = spec.ret.is_some_and(|r| r.ty == ParamType::Fd);
        let told = spec.params.iter().any(|p| p.name == "fd1") && spec.params.iter().any(|p| p.name == "fd2");
        assert!(returned || told, "{}", spec.name);
        assert!(spec.flags.has(KindFlags::STATE), "{}", spec.name);
    }
}

/// What the probe must read for a parameter; `None` if it has it anyway.
fn reading(from: From) -> Option<String> {
    match from {
        From::None | From::Source | From::Arg(_) => None,
        From::Field { arg, size, .. } | From::Halves { arg, size, .. } => Some(format!("struct {arg} {size}")),
        From::Elements { arg, .. } => Some(format!("elements {arg}")),
        From::Returned { arg, .. } => Some(format!("returned {arg}")),
        From::Inside { arg, size, .. } | From::Part { arg, size, .. } => Some(format!("part {arg} {size}")),
        From::Early { arg, .. } => Some(format!("early {arg}")),
        From::Iov(arg) | From::IovSize(arg) => Some(format!("segments {arg}")),
        From::Message { arg, .. } => Some(format!("message {arg}")),
        From::Facts { of, fd, .. } => Some(format!("{of:?} {fd}")),
        other => Some(format!("{other:?}")),
    }
}

/// The register arguments that a parameter needs.
fn arguments(from: From) -> Vec<u8> {
    match from {
        From::Tuple(255)
        | From::None
        | From::Source
        | From::Facts { of: Facts::Memory, .. }
        | From::Facts { fd: 255, .. } => vec![],
        From::Facts { fd, .. } => vec![fd & 127],
        From::Elements { arg, count, .. } | From::Inside { arg, count, .. } | From::Part { arg, count, .. } => {
            vec![arg, count]
        }
        From::Returned { arg, .. } => vec![arg],
        From::BufLen(a, b) | From::SockIn(a, b) | From::SockOut(a, b) | From::Array8(a, b) | From::Bits(a, b) => {
            vec![a, b]
        }
        From::Arg(a) | From::Str(a) | From::BufRet(a) | From::Tuple(a) => vec![a],
        From::Iov(a) | From::IovSize(a) => vec![a, a + 1],
        From::Message { arg, .. } | From::Field { arg, .. } | From::Halves { arg, .. } | From::Early { arg, .. } => {
            vec![arg]
        }
    }
}

#[test]
fn the_probe_can_read_every_call() {
    for spec in calls() {
        let reads: BTreeSet<String> = spec.params.iter().filter_map(|p| reading(p.from)).collect();
        assert!(reads.len() <= MAX_READS, "{} needs {reads:?}", spec.name);
        for p in spec.params {
            let what = format!("{}.{}", spec.name, p.name);
            assert_ne!(p.from, From::None, "{what} comes from nowhere");
            assert!(arguments(p.from).iter().all(|&a| a < 6), "{what}: there are 6 register arguments");
            if let From::Field { size, offset, width, .. } = p.from {
                assert!(offset + width <= size, "{what} lies outside its structure");
                let timespec = width == 16 && matches!(p.ty, ParamType::Duration | ParamType::Time);
                assert!(matches!(width, 1 | 2 | 4 | 8) || timespec, "{what} is {width} bytes wide");
            }
        }
    }
}

#[test]
fn what_is_no_call_comes_from_the_source() {
    for spec in SPECS.iter().filter(|s| !s.flags.has(KindFlags::CALL)) {
        assert!(spec.params.iter().all(|p| p.from == From::Source), "{}", spec.name);
        assert!(spec.x86_64.is_none() && spec.arm64.is_none() && spec.ret.is_none(), "{}", spec.name);
    }
}

#[test]
fn calls_that_may_not_return_are_reported_when_entered() {
    let entered: Vec<&str> = SPECS.iter().filter(|s| s.flags.has(KindFlags::ENTER)).map(|s| s.name).collect();
    assert_eq!(entered, ["execve", "execveat", "exit", "exit_group"]);
}

#[test]
fn register_arguments_keep_the_bits_of_their_type() {
    let at_fdcwd = 0xffff_ff9c_u64;
    let cases: &[(ParamType, u64, i64)] = &[
        (ParamType::Fd, at_fdcwd, -100),
        (ParamType::Fd, -100_i64 as u64, -100),
        (ParamType::Fd, 0xdead_0000_0000_0003, 3),
        (ParamType::Pid, 0xffff_ffff, -1),
        (ParamType::Int, 0x8000_0000, i64::from(i32::MIN)),
        (ParamType::Uid, u64::MAX, 4_294_967_295),
        (ParamType::Gid, 1000, 1000),
        (ParamType::Mode, 0xffff_ffff_0000_01ff, 0o777),
        (ParamType::Flags, 0xffff_ffff_8000_0000, 0x8000_0000),
        (ParamType::Enum, 0x1_0000_0002, 2),
        (ParamType::Uint, 1 << 40, 1 << 40),
        (ParamType::Hex, 0x7fff_ffff_f000, 0x7fff_ffff_f000),
        (ParamType::Errno, -2_i64 as u64, -2),
        (ParamType::Errno, 1 << 33, 1 << 33),
        (ParamType::Bool, 7, 1),
    ];
    for &(ty, raw, expected) in cases {
        assert_eq!(ty.narrow(raw), expected, "{ty:?} {raw:#x}");
    }
}

/// sysdig's parameters that are not here, and why: (kinds, parameters, reason).
const LEFT_OUT: &[(&str, &[&str], &str)] = &[
    (
        "clone clone3 fork vfork",
        &["exe", "args", "tid", "pid", "ptid", "cwd", "comm", "cgroups", "uid", "gid", "vtid", "vpid"],
        "the thread's row has them, and `procfork` what is new in the child",
    ),
    (
        "execve execveat",
        &["tid", "pid", "ptid", "cwd", "cgroups"],
        "the thread's row has them; the group's number is `cgroup_id`",
    ),
    ("execve execveat", &["trusted_exepath"], "the kernel's own path of the program is `exepath`"),
];

/// Parameters that sysdig does not have.
const ADDED: &[(&str, &[&str])] = &[
    ("sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg", &["addr"]),
    ("sendmsg recvmsg sendmmsg recvmmsg", &["msgcontrol", "files"]),
    ("bind", &["tuple"]),
    ("accept accept4", &["sockfd"]),
    ("socket connect accept accept4 socketpair", &["ino", "peer_ino"]),
    ("getsockname getpeername", &["res", "fd", "addr"]),
    ("open openat openat2 creat", &["created"]),
    ("memfd_create pidfd_getfd", &["dev", "ino"]),
    ("mount", &["options"]),
    ("select", &["nfds", "readfds", "writefds", "exceptfds", "asked"]),
    ("epoll_wait", &["epfd", "timeout", "events_0", "user_data_0"]),
    ("bpf", &["prog_type", "prog_name", "map_type", "map_name", "insn_cnt", "max_entries"]),
    ("clone3", &["exit_signal"]),
    ("process_vm_readv process_vm_writev", &["remote_addr", "remote_len", "riovcnt"]),
    ("execve execveat", &["exepath", "euid", "egid", "cgroup_id", "exe_dev", "sid", "dirfd", "pathname", "exe_flags"]),
    ("procexit", &["last", "utime", "stime", "minflt", "majflt", "nvcsw", "nivcsw", "maxrss", "group_utime"]),
    ("procexit", &["group_stime", "group_minflt", "group_majflt", "group_nvcsw", "group_nivcsw"]),
    ("signaldeliver", &["uid", "code", "addr", "handler"]),
];

/// Devices are a parameter of their own right in these.
const DEV_IS_ASKED_FOR: &[&str] = &["mknod", "mknodat", "mount"];

fn listed<'a>(mut list: impl Iterator<Item = (&'a str, &'a [&'a str])>, kind: &str, param: &str) -> bool {
    list.any(|(kinds, params)| kinds.split(' ').any(|k| k == kind) && params.contains(&param))
        && !(param == "dev" && DEV_IS_ASKED_FOR.contains(&kind))
}

fn shared(path: &str) -> Option<String> {
    let root = std::env::var_os("SYSREEL_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    std::fs::read_to_string(root.join(path)).ok()
}

/// Live events of sysdig that are no kinds here, and why.
const NO_KINDS: &[(&str, &str)] = &[("procinfo", "its rows are `cputime`")];

/// Calls that change what sysdig keeps, but nothing of our world.
const NO_STATE_OF_OURS: &[&str] = &[
    "getsockopt",
    // Imported: kept as they were, dictionaries and snapshot rows have what is used of them.
    "container",
    "useradded",
    "userdeleted",
    "groupadded",
    "groupdeleted",
    "cpu_hotplug",
    "task",
    "task_file_pipe",
    "task_file_memfd",
    "task_file_regular",
    "task_file_directory",
    "task_file_socket_inet",
    "task_file_socket_inet6",
    "task_file_socket_unix",
    "task_file_socket_netlink",
    "task_file_anon_inode",
];

fn check_flags(spec: &Spec, theirs: &str) {
    let words = [
        ("READS_FROM_FD", KindFlags::READS),
        ("WRITES_TO_FD", KindFlags::WRITES),
        ("WAITS", KindFlags::WAITS),
        ("CREATES_FD", KindFlags::CREATES_FD),
    ];
    let theirs: BTreeSet<&str> = theirs.split('|').collect();
    for (word, flag) in words {
        assert_eq!(spec.flags.has(flag), theirs.contains(word), "{}: {word}", spec.name);
    }
    let state = theirs.contains("MODIFIES_STATE") && !NO_STATE_OF_OURS.contains(&spec.name);
    assert!(!state || spec.flags.has(KindFlags::STATE), "{} changes the world", spec.name);
}

fn check_params(spec: &Spec, theirs: &str) {
    let name = spec.name;
    let left_out = |p: &str| listed(LEFT_OUT.iter().map(|(kinds, params, _)| (*kinds, *params)), name, p);
    let theirs: BTreeSet<&str> =
        theirs.split(", ").filter_map(|p| p.split(':').next()).filter(|p| !p.is_empty() && !left_out(p)).collect();
    let ours = spec.ret.iter().map(|r| r.name).chain(spec.params.iter().map(|p| p.name));
    let ours: BTreeSet<&str> = ours.filter(|p| !listed(ADDED.iter().copied(), name, p) || theirs.contains(p)).collect();
    assert_eq!(ours, theirs, "{name}");
}

#[test]
fn calls_have_the_names_and_parameters_that_sysdig_gives_them() {
    let Some(table) = shared("spec/events.tsv") else {
        println!("skipped: calls_have_the_names_and_parameters_that_sysdig_gives_them (no shared folder)");
        return;
    };
    let mut checked = 0;
    for line in table.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[_, _, name, direction, _, origin, flags, _, params] = columns.as_slice() else { continue };
        let enters = direction == ">" && origin == "syscall";
        if enters || direction == "dir" || flags.contains("OLD_VERSION") || flags.contains("UNUSED") {
            continue;
        }
        checked += 1;
        if NO_KINDS.iter().any(|(names, _)| names.split(' ').any(|n| n == name)) {
            assert_eq!(kind_by_name(name), None, "{name} is a kind after all");
            continue;
        }
        let spec = kind_by_name(name).unwrap_or_else(|| panic!("{name} is missing")).spec();
        check_flags(spec, flags);
        // `syscall` numbers calls as sysdig does; here each that is known is a kind.
        if name != "syscall" {
            check_params(spec, params);
        }
    }
    assert!(checked > 150, "only {checked} calls in the table of sysdig's events");
}

/// Calls that sysdig has under another name than the kernel's headers.
const OTHER_NAMES: &[(&str, &str)] = &[("pread64", "pread"), ("pwrite64", "pwrite"), ("prlimit64", "prlimit")];

/// (name, number) of each `#define __NR_name number` of a header, by our names; `None` where it is not installed.
fn header(paths: &[&str]) -> Option<Vec<(String, u16)>> {
    let text = paths.iter().find_map(|path| std::fs::read_to_string(path).ok())?;
    let line = |line: &str| {
        let (name, number) = line.strip_prefix("#define __NR_")?.split_once(' ')?;
        let name = OTHER_NAMES.iter().find(|(kernels, _)| *kernels == name).map_or(name, |(_, ours)| *ours);
        Some((name.to_owned(), number.trim().parse().ok()?))
    };
    Some(text.lines().filter_map(line).collect())
}

#[test]
fn every_call_of_the_kernels_headers_has_its_name_and_number() {
    let paths = ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"];
    let Some(calls) = header(&paths) else {
        #[allow(clippy::print_stdout, reason = "a skip is told by name")]
        {
            println!("skipped: every_call_of_the_kernels_headers: no unistd_64.h");
        }
        return;
    };
    assert!(calls.len() > 300, "{}", calls.len());
    for (name, number) in &calls {
        assert_eq!(kind_by_nr(*number).map(|kind| kind.spec().name), Some(name.as_str()), "{number}");
    }
    // What sysdig knows of them is named as it does.
    let shared = std::env::var_os("SYSREEL_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let Ok(codes) = std::fs::read_to_string(shared.join("spec/ppm_sc.tsv")) else { return };
    let known: BTreeSet<&str> = codes.lines().filter_map(|line| line.split('\t').next()).collect();
    let ours = |name: &str| {
        OTHER_NAMES.iter().find(|(kernels, _)| *kernels == name).map_or(name.to_owned(), |n| n.1.to_owned())
    };
    for name in known.iter().filter(|name| calls.iter().any(|(call, _)| *call == ours(name))) {
        assert!(kind_by_name(&ours(name)).is_some(), "{name}");
    }
}
