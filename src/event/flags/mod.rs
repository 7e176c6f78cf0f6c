//! Names of flags, enumerations, errors and signals.

mod all;
mod descriptor;
mod errno;
mod names;
mod path;
mod process;
mod signal;
mod socket;
mod system;
#[cfg(test)]
mod tests;

pub use all::flag_table;
pub(in crate::event) use descriptor::{
    CLOSE_RANGE_FLAGS, EPOLL_CREATE1_FLAGS, EPOLL_CTL_OPS, FCNTL_COMMANDS, FLOCK_FLAGS, IO_URING_ENTER_FLAGS,
    IO_URING_OPS, IO_URING_REGISTER_OPCODES, IO_URING_SETUP_FEATS, IO_URING_SETUP_FLAGS, LSEEK_WHENCE,
    MEMFD_CREATE_FLAGS, RWF_FLAGS, SPLICE_FLAGS,
};
pub use errno::{errno_name, errno_text};
pub(in crate::event) use path::{
    ACCESS_FLAGS, CHMOD_MODE, FCHOWNAT_FLAGS, FD_FLAGS, FILE_FLAGS, FSCONFIG_CMDS, LINKAT_FLAGS, MKNOD_MODE,
    MOUNT_FLAGS, NEWFSTATAT_FLAGS, OPEN_TREE_FLAGS, OPENAT2_FLAGS, QUOTACTL_CMDS, QUOTACTL_TYPES, RENAMEAT2_FLAGS,
    UMOUNT_FLAGS, UNLINKAT_FLAGS,
};
pub(in crate::event) use process::{
    CLONE_FLAGS, EXECVE_FLAGS, EXECVEAT_FLAGS, MLOCK2_FLAGS, MLOCKALL_FLAGS, MMAP_FLAGS, PIDFD_OPEN_FLAGS,
    PRCTL_OPTIONS, PROT_FLAGS, PTRACE_REQUESTS, RLIMIT_RESOURCES,
};
pub use signal::signal_name;
pub(in crate::event) use socket::{SHUTDOWN_HOW, SOCKET_FAMILIES, SOCKOPT_LEVELS};
pub(in crate::event) use system::{
    BPF_COMMANDS, DELETE_MODULE_FLAGS, FINIT_MODULE_FLAGS, FUTEX_OPERATIONS, KEYCTL_OPERATIONS, SEMCTL_COMMANDS,
    SEMGET_FLAGS, SEMOP_FLAGS,
};
