//! Which privileges this process has.

/// A privilege that live capture uses; numbers from `include/uapi/linux/capability.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Loads programs (since Linux 5.8).
    Bpf,
    /// Attaches them to tracepoints (since Linux 5.8).
    Perfmon,
    /// Reads what belongs to other users' processes.
    SysPtrace,
    /// Reads other users' files, such as their `/proc` entries.
    DacReadSearch,
}

impl Capability {
    /// Its name, as `setcap` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Capability::Bpf => "CAP_BPF",
            Capability::Perfmon => "CAP_PERFMON",
            Capability::SysPtrace => "CAP_SYS_PTRACE",
            Capability::DacReadSearch => "CAP_DAC_READ_SEARCH",
        }
    }

    fn bit(self) -> u64 {
        match self {
            Capability::DacReadSearch => 1 << 2,
            Capability::SysPtrace => 1 << 19,
            Capability::Perfmon => 1 << 38,
            Capability::Bpf => 1 << 39,
        }
    }
}

/// `CAP_SYS_ADMIN`, which the kernel takes for `CAP_BPF` and `CAP_PERFMON` too.
const SYS_ADMIN: u64 = 1 << 21;

fn effective(status: &str) -> u64 {
    let line = status.lines().find_map(|l| l.strip_prefix("CapEff:"));
    line.and_then(|l| u64::from_str_radix(l.trim(), 16).ok()).unwrap_or(0)
}

fn missing(have: u64, wanted: &[Capability]) -> Vec<Capability> {
    let by_admin = |c: &Capability| matches!(c, Capability::Bpf | Capability::Perfmon) && have & SYS_ADMIN != 0;
    wanted.iter().filter(|c| have & c.bit() == 0 && !by_admin(c)).copied().collect()
}

/// Those of `wanted` that this process does not have in effect, in the same order.
pub fn missing_capabilities(wanted: &[Capability]) -> Vec<Capability> {
    missing(effective(&std::fs::read_to_string("/proc/self/status").unwrap_or_default()), wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_set_is_read_from_status() {
        assert_eq!(effective("Name:\tx\nCapPrm:\t01\nCapEff:\t000000c000000000\n"), 0xc0_0000_0000);
        assert_eq!(effective("Name:\tx\n"), 0);
    }

    #[test]
    fn what_is_missing_is_named_and_admin_stands_for_bpf() {
        let wanted = [Capability::Bpf, Capability::Perfmon, Capability::SysPtrace];
        for (have, expected) in [
            (0, &wanted[..]),
            (1 << 39, &[Capability::Perfmon, Capability::SysPtrace]),
            (SYS_ADMIN, &[Capability::SysPtrace]),
            (u64::MAX, &[]),
        ] {
            assert_eq!(missing(have, &wanted), expected, "{have:#x}");
        }
    }
}
