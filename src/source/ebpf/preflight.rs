//! Looks for the usual reasons why live capture cannot work, because the kernel's own answer is only EPERM.

use super::Error;
use crate::sys::{Capability, kernel_release, missing_capabilities};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Where the kernel describes its types.
const BTF: &str = "/sys/kernel/btf/vmlinux";
/// Where the kernel says how far it is locked down, the current mode in brackets.
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";
/// The namespace that our process ids are of.
const PID_NAMESPACE: &str = "/proc/self/ns/pid";
/// Inode of the first pid namespace (`PROC_PID_INIT_INO`, `include/linux/proc_ns.h`).
const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;
/// Task storage for tracing programs came with Linux 5.11.
const OLDEST: (u32, u32) = (5, 11);

fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn check_version(release: &str) -> Result<(), Error> {
    match version(release) {
        Some(found) if found < OLDEST => Err(Error::OldKernel(release.to_owned())),
        _ => Ok(()),
    }
}

fn check_lockdown(modes: &str) -> Result<(), Error> {
    if modes.contains("[confidentiality]") { Err(Error::Lockdown) } else { Ok(()) }
}

fn check_capabilities(missing: &[Capability]) -> Result<(), Error> {
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|c| c.name()).collect();
    Err(Error::Capabilities(names.join(" and ")))
}

fn check_pid_namespace(inode: Option<u64>) -> Result<(), Error> {
    if inode.is_some_and(|inode| inode != FIRST_PID_NAMESPACE) { Err(Error::PidNamespace) } else { Ok(()) }
}

/// Checks what live capture needs: the kernel's version, our privileges, the kernel's types, no lockdown, and process ids that are the
/// kernel's.
///
/// # Errors
/// The first of these that is not given.
pub fn preflight() -> Result<(), Error> {
    check_version(&kernel_release())?;
    check_capabilities(&missing_capabilities(&[Capability::Bpf, Capability::Perfmon]))?;
    check_lockdown(&std::fs::read_to_string(LOCKDOWN).unwrap_or_default())?;
    check_pid_namespace(std::fs::metadata(PID_NAMESPACE).ok().map(|found| found.ino()))?;
    if Path::new(BTF).exists() { Ok(()) } else { Err(Error::NoBtf) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_before_5_11_are_refused_and_odd_names_are_given_a_try() {
        for (release, ok) in [
            ("5.10.0-8-amd64", false),
            ("4.19.0", false),
            ("5.11.0", true),
            ("6.18.44-fc", true),
            ("6.1", true),
            ("?", true),
        ] {
            assert_eq!(check_version(release).is_ok(), ok, "{release}");
        }
    }

    #[test]
    fn only_the_lockdown_in_brackets_counts() {
        assert!(check_lockdown("none [integrity] confidentiality\n").is_ok());
        assert!(matches!(check_lockdown("none integrity [confidentiality]\n"), Err(Error::Lockdown)));
        assert!(check_lockdown("").is_ok());
    }

    #[test]
    fn every_missing_privilege_is_named() {
        let error = check_capabilities(&[Capability::Bpf, Capability::Perfmon]).unwrap_err();
        assert!(error.to_string().contains("missing: CAP_BPF and CAP_PERFMON\nhelp:"), "{error}");
        assert!(check_capabilities(&[]).is_ok());
    }
}
