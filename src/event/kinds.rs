//! Kinds that code names, found when the program is compiled.

use super::spec::Kind;
use super::table::find;

/// `procfork`.
pub const PROCFORK: Kind = find("procfork");
/// `procexit`.
pub const PROCEXIT: Kind = find("procexit");
/// `cputime`.
pub const CPUTIME: Kind = find("cputime");
/// `io_uring_submit`.
pub const IO_URING_SUBMIT: Kind = find("io_uring_submit");
/// `io_uring_complete`.
pub const IO_URING_COMPLETE: Kind = find("io_uring_complete");
/// `switch`.
pub const SWITCH: Kind = find("switch");
/// `loss`.
pub const LOSS: Kind = find("loss");
/// `cgroup`.
pub const CGROUP: Kind = find("cgroup");
/// `k8saudit`.
pub const K8SAUDIT: Kind = find("k8saudit");
/// `snap_thread`.
pub const SNAP_THREAD: Kind = find("snap_thread");
/// `snap_fd`.
pub const SNAP_FD: Kind = find("snap_fd");
/// `snap_user`.
pub const SNAP_USER: Kind = find("snap_user");
/// `snap_group`.
pub const SNAP_GROUP: Kind = find("snap_group");
/// `snap_gone`.
pub const SNAP_GONE: Kind = find("snap_gone");
/// `snap_interface`.
pub const SNAP_INTERFACE: Kind = find("snap_interface");
/// `snap_mount`.
pub const SNAP_MOUNT: Kind = find("snap_mount");
/// `unknown`: what a later version recorded and this one has no name for.
pub const UNKNOWN: Kind = find("unknown");
/// `snap_closed`.
pub const SNAP_CLOSED: Kind = find("snap_closed");
/// `exit`.
pub const EXIT: Kind = find("exit");
/// `exit_group`.
pub const EXIT_GROUP: Kind = find("exit_group");
/// `open`.
pub const OPEN: Kind = find("open");
/// `openat`.
pub const OPENAT: Kind = find("openat");
/// `openat2`.
pub const OPENAT2: Kind = find("openat2");
/// `creat`.
pub const CREAT: Kind = find("creat");
/// `close`.
pub const CLOSE: Kind = find("close");
/// `close_range`.
pub const CLOSE_RANGE: Kind = find("close_range");
/// `dup`.
pub const DUP: Kind = find("dup");
/// `dup2`.
pub const DUP2: Kind = find("dup2");
/// `dup3`.
pub const DUP3: Kind = find("dup3");
/// `fcntl`.
pub const FCNTL: Kind = find("fcntl");
/// `pipe`.
pub const PIPE: Kind = find("pipe");
/// `pipe2`.
pub const PIPE2: Kind = find("pipe2");
/// `socket`.
pub const SOCKET: Kind = find("socket");
/// `socketpair`.
pub const SOCKETPAIR: Kind = find("socketpair");
/// `bind`.
pub const BIND: Kind = find("bind");
/// `listen`.
pub const LISTEN: Kind = find("listen");
/// `connect`.
pub const CONNECT: Kind = find("connect");
/// `accept`.
pub const ACCEPT: Kind = find("accept");
/// `accept4`.
pub const ACCEPT4: Kind = find("accept4");
/// `shutdown`.
pub const SHUTDOWN: Kind = find("shutdown");
/// `sendto`.
pub const SENDTO: Kind = find("sendto");
/// `recvfrom`.
pub const RECVFROM: Kind = find("recvfrom");
/// `sendmsg`.
pub const SENDMSG: Kind = find("sendmsg");
/// `recvmsg`.
pub const RECVMSG: Kind = find("recvmsg");
/// `chdir`.
pub const CHDIR: Kind = find("chdir");
/// `fchdir`.
pub const FCHDIR: Kind = find("fchdir");
/// `chroot`.
pub const CHROOT: Kind = find("chroot");
/// `getcwd`.
pub const GETCWD: Kind = find("getcwd");
/// `clone`.
pub const CLONE: Kind = find("clone");
/// `clone3`.
pub const CLONE3: Kind = find("clone3");
/// `fork`.
pub const FORK: Kind = find("fork");
/// `vfork`.
pub const VFORK: Kind = find("vfork");
/// `execve`.
pub const EXECVE: Kind = find("execve");
/// `execveat`.
pub const EXECVEAT: Kind = find("execveat");
/// `prctl`.
pub const PRCTL: Kind = find("prctl");
/// `setuid`.
pub const SETUID: Kind = find("setuid");
/// `setgid`.
pub const SETGID: Kind = find("setgid");
/// `setreuid`.
pub const SETREUID: Kind = find("setreuid");
/// `setregid`.
pub const SETREGID: Kind = find("setregid");
/// `setresuid`.
pub const SETRESUID: Kind = find("setresuid");
/// `setresgid`.
pub const SETRESGID: Kind = find("setresgid");
/// `setfsuid`.
pub const SETFSUID: Kind = find("setfsuid");
/// `setfsgid`.
pub const SETFSGID: Kind = find("setfsgid");
/// `setgroups`.
pub const SETGROUPS: Kind = find("setgroups");
/// `setsid`.
pub const SETSID: Kind = find("setsid");
/// `setpgid`.
pub const SETPGID: Kind = find("setpgid");
/// `eventfd`.
pub const EVENTFD: Kind = find("eventfd");
/// `eventfd2`.
pub const EVENTFD2: Kind = find("eventfd2");
/// `epoll_create`.
pub const EPOLL_CREATE: Kind = find("epoll_create");
/// `epoll_create1`.
pub const EPOLL_CREATE1: Kind = find("epoll_create1");
/// `inotify_init`.
pub const INOTIFY_INIT: Kind = find("inotify_init");
/// `inotify_init1`.
pub const INOTIFY_INIT1: Kind = find("inotify_init1");
/// `signalfd`.
pub const SIGNALFD: Kind = find("signalfd");
/// `signalfd4`.
pub const SIGNALFD4: Kind = find("signalfd4");
/// `timerfd_create`.
pub const TIMERFD_CREATE: Kind = find("timerfd_create");
/// `memfd_create`.
pub const MEMFD_CREATE: Kind = find("memfd_create");
/// `memfd_secret`.
pub const MEMFD_SECRET: Kind = find("memfd_secret");
/// `userfaultfd`.
pub const USERFAULTFD: Kind = find("userfaultfd");
/// `bpf`.
pub const BPF: Kind = find("bpf");
/// `io_uring_setup`.
pub const IO_URING_SETUP: Kind = find("io_uring_setup");
/// `pidfd_open`.
pub const PIDFD_OPEN: Kind = find("pidfd_open");
/// `pidfd_getfd`.
pub const PIDFD_GETFD: Kind = find("pidfd_getfd");
/// `perf_event_open`.
pub const PERF_EVENT_OPEN: Kind = find("perf_event_open");
/// `fanotify_init`.
pub const FANOTIFY_INIT: Kind = find("fanotify_init");
/// `open_by_handle_at`.
pub const OPEN_BY_HANDLE_AT: Kind = find("open_by_handle_at");
/// `open_tree`.
pub const OPEN_TREE: Kind = find("open_tree");
/// `open_tree_attr`.
pub const OPEN_TREE_ATTR: Kind = find("open_tree_attr");
/// `fsopen`.
pub const FSOPEN: Kind = find("fsopen");
/// `fsmount`.
pub const FSMOUNT: Kind = find("fsmount");
/// `fspick`.
pub const FSPICK: Kind = find("fspick");
/// `mq_open`.
pub const MQ_OPEN: Kind = find("mq_open");
/// `landlock_create_ruleset`.
pub const LANDLOCK_CREATE_RULESET: Kind = find("landlock_create_ruleset");
/// `unshare`.
pub const UNSHARE: Kind = find("unshare");
/// `setns`.
pub const SETNS: Kind = find("setns");
/// `umount2`.
pub const UMOUNT2: Kind = find("umount2");
/// `pivot_root`.
pub const PIVOT_ROOT: Kind = find("pivot_root");
/// `sendmmsg`.
pub const SENDMMSG: Kind = find("sendmmsg");
/// `recvmmsg`.
pub const RECVMMSG: Kind = find("recvmmsg");
/// `capset`.
pub const CAPSET: Kind = find("capset");
/// `setrlimit`.
pub const SETRLIMIT: Kind = find("setrlimit");
/// `prlimit`.
pub const PRLIMIT: Kind = find("prlimit");
/// `read`.
pub const READ: Kind = find("read");
/// `write`.
pub const WRITE: Kind = find("write");
/// `pread`.
pub const PREAD: Kind = find("pread");
/// `pwrite`.
pub const PWRITE: Kind = find("pwrite");
/// `snap_fork`.
pub const SNAP_FORK: Kind = find("snap_fork");
/// `syscall`.
pub const SYSCALL: Kind = find("syscall");
/// `container`.
pub const CONTAINER: Kind = find("container");
/// `asyncevent`.
pub const ASYNCEVENT: Kind = find("asyncevent");
