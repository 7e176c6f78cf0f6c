//! [`Error`]: why the live capture cannot start, and what to do about it.

use std::io;

/// Why the probe could not be loaded or attached.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not enough privileges.
    #[error(
        "live capture needs CAP_BPF and CAP_PERFMON, missing: {0}\nhelp: run as root, or: setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search+ep on this program"
    )]
    Capabilities(String),
    /// The kernel does not describe its types.
    #[error(
        "expected the kernel's types in /sys/kernel/btf/vmlinux, found none\nhelp: use a kernel that is built with CONFIG_DEBUG_INFO_BTF"
    )]
    NoBtf,
    /// The kernel is too old.
    #[error("expected Linux 5.11 or newer, found {0}\nhelp: record on a newer kernel; captures can be read anywhere")]
    OldKernel(String),
    /// The kernel protects its memory even from root.
    #[error(
        "kernel lockdown is \"confidentiality\": BPF may not read kernel memory\nhelp: boot with lockdown=integrity or without lockdown"
    )]
    Lockdown,
    /// Our process ids are not those that the kernel's probe tells.
    #[error(
        "expected the node's pid namespace, found one of a container: what /proc says here has other process ids than the probe\nhelp: run with hostPID: true (Kubernetes) or --pid=host (docker)"
    )]
    PidNamespace,
    /// The privileges are there, but the kernel refuses.
    #[error(
        "bpf(2) is refused although the privileges are there: {0}\nhelp: in a container its seccomp profile blocks it; start the container privileged or with a profile that allows bpf"
    )]
    Blocked(io::Error),
    /// The kernel lacks a tracepoint that the probe attaches to.
    #[error("the kernel has no tracepoint `{0}`\nhelp: use a kernel that is built with CONFIG_FTRACE_SYSCALLS")]
    NoTracepoint(&'static str),
    /// The kernel's verifier does not accept a program.
    #[error(
        "the kernel's verifier rejected `{program}`; the end of its log:\n{log}\nhelp: report this with the log and the output of `uname -r`"
    )]
    Verifier {
        /// Which program.
        program: &'static str,
        /// The last lines of the verifier's log.
        log: String,
    },
    /// The rings' memory was refused.
    #[error("no memory for rings of {bytes} bytes: {source}\nhelp: use a smaller buffer")]
    Rings {
        /// Bytes of all rings.
        bytes: usize,
        /// The system's answer.
        source: io::Error,
    },
    /// The probe's object is not what this program expects.
    #[error("the embedded probe is damaged: expected {expected}, found {found}\nhelp: build this program again")]
    Object {
        /// What is expected of it.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// Anything else that loading can fail with.
    #[error("the probe could not be loaded: {0}\nhelp: report this with the output of `uname -r`")]
    Load(String),
}
