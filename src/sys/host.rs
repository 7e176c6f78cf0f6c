//! What machine this is.

use std::ffi::CStr;
use std::io::IsTerminal;

fn uname() -> libc::utsname {
    let mut names = std::mem::MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the pointer is to a live utsname.
    unsafe { libc::uname(names.as_mut_ptr()) };
    // SAFETY: `utsname` is arrays of chars, and zeroes are valid ones, so it is initialised even had the call failed.
    unsafe { names.assume_init() }
}

fn text(chars: &[libc::c_char]) -> String {
    let bytes: Vec<u8> = chars.iter().map(|c| c.cast_unsigned()).collect();
    CStr::from_bytes_until_nul(&bytes).map(|c| c.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The host's name.
pub fn hostname() -> String {
    text(&uname().nodename)
}

/// The kernel's release, such as `6.18.44`.
pub fn kernel_release() -> String {
    text(&uname().release)
}

/// The architecture as the kernel names it, such as `x86_64`.
pub fn machine() -> String {
    text(&uname().machine)
}

/// The id of this boot, from `/proc/sys/kernel/random/boot_id`; empty where there is none.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|t| t.trim().to_owned()).unwrap_or_default()
}

fn sysconf(name: libc::c_int) -> Option<usize> {
    // SAFETY: takes and returns numbers.
    let value = unsafe { libc::sysconf(name) };
    usize::try_from(value).ok().filter(|v| *v > 0)
}

/// Bytes of a page of memory.
pub fn page_size() -> usize {
    sysconf(libc::_SC_PAGESIZE).unwrap_or(4096)
}

/// Real user id of this process.
pub fn user_id() -> u32 {
    // SAFETY: takes no argument and cannot fail.
    unsafe { libc::getuid() }
}

/// Number of configured processors, the offline ones included: the numbers of processors are below it.
pub fn processors() -> usize {
    sysconf(libc::_SC_NPROCESSORS_CONF).unwrap_or(1)
}

/// The unit of times in `/proc/PID/stat`: this many a second.
pub fn ticks_per_second() -> u64 {
    sysconf(libc::_SC_CLK_TCK).unwrap_or(100) as u64
}

/// Whether standard output is a terminal.
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_has_a_name_a_kernel_and_a_processor() {
        assert!(!kernel_release().is_empty());
        assert!(!machine().is_empty());
        assert!(processors() >= 1);
        assert!(page_size().is_power_of_two());
    }

    #[test]
    fn names_end_at_their_nul() {
        let chars: Vec<libc::c_char> = b"ab\0cd\0".iter().map(|b| *b as libc::c_char).collect();
        assert_eq!(text(&chars), "ab");
        assert_eq!(text(&[]), "");
    }
}
