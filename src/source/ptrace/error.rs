//! [`Error`]: why a command cannot be traced.

use std::io;

/// Why a command cannot be traced.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel is too old.
    #[error(
        "tracing needs Linux 5.3 or newer, found {0}\nhelp: record on a newer kernel; captures can be read anywhere"
    )]
    OldKernel(String),
    /// Yama forbids it.
    #[error(
        "tracing is forbidden: kernel.yama.ptrace_scope is {0}\nhelp: `sysctl kernel.yama.ptrace_scope=1` lets a program trace what it started itself"
    )]
    Yama(u32),
    /// The kernel refuses.
    #[error(
        "the command could not be traced: {0}\nhelp: in a container its seccomp profile may block ptrace; start the container with CAP_SYS_PTRACE or with a profile that allows it"
    )]
    Refused(io::Error),
    /// The wait for what the command does failed.
    #[error("waiting for what the command does: {0}\nhelp: report this with the output of `uname -r`")]
    Wait(io::Error),
}
