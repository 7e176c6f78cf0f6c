//! The clocks that time stamps come from.

use std::io;

/// The same moment on two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockPair {
    /// Nanoseconds since boot, suspended time included (the probe's clock).
    pub boot: u64,
    /// Nanoseconds since 1970-01-01 UTC.
    pub utc: u64,
}

impl ClockPair {
    /// The UTC time of a moment on the boot clock.
    pub fn utc_of(self, boot: u64) -> u64 {
        self.utc.wrapping_add(boot.wrapping_sub(self.boot))
    }

    /// The boot clock's value at a UTC time.
    pub fn boot_of(self, utc: u64) -> u64 {
        self.boot.wrapping_add(utc.wrapping_sub(self.utc))
    }
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a timespec that lives across the call; a bad clock id only makes the call fail.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut now) } != 0;
    if failed {
        return 0;
    }
    (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
}

/// Nanoseconds since boot, suspended time included: the clock of `bpf_ktime_get_boot_ns`.
pub fn boot_ns() -> u64 {
    read(libc::CLOCK_BOOTTIME)
}

/// Nanoseconds since 1970-01-01 UTC.
pub fn realtime_ns() -> u64 {
    read(libc::CLOCK_REALTIME)
}

pub(super) fn thread_cpu() -> u64 {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Both clocks at one moment: of a few tries, the one with the least time between its two readings of the boot clock.
pub fn clock_pair() -> ClockPair {
    let mut best = ClockPair { boot: boot_ns(), utc: realtime_ns() };
    let mut narrowest = u64::MAX;
    for _ in 0..8 {
        let before = boot_ns();
        let utc = realtime_ns();
        let width = boot_ns().saturating_sub(before);
        if width < narrowest {
            narrowest = width;
            best = ClockPair { boot: before + width / 2, utc };
        }
    }
    best
}

/// Seconds that local time was ahead of UTC at a moment, which is given in nanoseconds since 1970.
///
/// # Errors
/// The C library knows no local time for it.
pub fn local_offset(utc_ns: u64) -> io::Result<i32> {
    Ok(local_parts(utc_ns)?.tm_gmtoff as i32)
}

fn local_parts(utc_ns: u64) -> io::Result<libc::tm> {
    let seconds = libc::time_t::try_from(utc_ns / 1_000_000_000).unwrap_or(0);
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to live locals of the types that the call wants.
    let done = unsafe { libc::localtime_r(&raw const seconds, parts.as_mut_ptr()) };
    if done.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `tm` is plain data, zeroed above and filled in by the call that succeeded.
    Ok(unsafe { parts.assume_init() })
}

/// Local time as `strftime` writes it; `None` where the result is empty or longer than 4096 bytes.
///
/// # Errors
/// The C library knows no local time for the moment (ns since 1970 UTC), or the format holds a NUL.
pub fn local_text(utc_ns: u64, format: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let parts = local_parts(utc_ns)?;
    let format = std::ffi::CString::new(format)?;
    let mut text = vec![0u8; 4096];
    // SAFETY: `text` has the length that is given, the format ends with a NUL, and `parts` is a whole `tm`.
    let length = unsafe { libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), &raw const parts) };
    text.truncate(length);
    Ok((length > 0).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_pair_converts_both_ways() {
        let pair = ClockPair { boot: 1_000, utc: 50_000 };
        assert_eq!(pair.utc_of(1_250), 50_250);
        assert_eq!(pair.utc_of(900), 49_900);
        assert_eq!(pair.boot_of(50_250), 1_250);
    }

    #[test]
    fn the_clocks_run_forward_and_agree_with_the_pair() {
        let before = boot_ns();
        let pair = clock_pair();
        assert!(pair.boot >= before);
        assert!(boot_ns() >= pair.boot);
        assert!(pair.utc > 1_600_000_000_000_000_000);
    }

    #[test]
    fn local_time_is_written_as_strftime_does() {
        let now = realtime_ns();
        let (offset, text) = (local_offset(now).unwrap(), local_text(now, b"x%s-%H").unwrap().unwrap());
        let hour = (now / 1_000_000_000).wrapping_add_signed(i64::from(offset)) / 3600 % 24;
        assert_eq!(text, format!("x{}-{hour:02}", now / 1_000_000_000).into_bytes());
        assert_eq!(local_text(now, b"").unwrap(), None);
        assert!(local_text(now, b"a\0b").is_err());
    }

    #[test]
    fn a_local_offset_is_less_than_a_day() {
        assert!(local_offset(realtime_ns()).unwrap().abs() < 86_400);
    }
}
