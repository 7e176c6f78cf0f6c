//! [`Clock`]: how moments of the boot clock become UTC, while somebody may set the machine's clock.

use crate::sys::{self, ClockPair};
use std::sync::atomic::{AtomicU64, Ordering};

/// Smallest difference that counts as a set clock, ns. Adjustments of the clock's rate change both clocks alike
/// (adjtimex(2)), so between two of them there is only what reading both costs.
const SMALLEST: u64 = 10_000_000;

/// The UTC time at boot as it is held to be now; shared between threads.
pub(super) struct Clock(AtomicU64);

impl Clock {
    /// What the machine's clocks say now.
    pub(super) fn new() -> Clock {
        Clock(AtomicU64::new(at_boot(sys::clock_pair())))
    }

    /// The pair that makes UTC of the boot clock.
    pub(super) fn pair(&self) -> ClockPair {
        ClockPair { boot: 0, utc: self.0.load(Ordering::Relaxed) }
    }

    /// UTC now, ns.
    pub(super) fn now(&self) -> u64 {
        self.pair().utc_of(sys::boot_ns())
    }

    /// Takes over what the clocks say now. Returns by how much UTC was set forward (or back: negative), ns.
    pub(super) fn follow(&self) -> Option<i64> {
        self.take(sys::clock_pair())
    }

    fn take(&self, now: ClockPair) -> Option<i64> {
        let step = at_boot(now).wrapping_sub(self.0.load(Ordering::Relaxed)) as i64;
        if step.unsigned_abs() < SMALLEST {
            return None;
        }
        self.0.store(at_boot(now), Ordering::Relaxed);
        Some(step)
    }
}

fn at_boot(pair: ClockPair) -> u64 {
    pair.utc_of(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_clock_is_followed_and_the_noise_of_reading_it_is_not() {
        let clock = Clock(AtomicU64::new(1_000_000_000_000));
        let at = |boot: u64, utc: u64| ClockPair { boot, utc: 1_000_000_000_000 + utc };
        assert_eq!(clock.take(at(5, 5)), None);
        assert_eq!(clock.take(at(1_000_000, 1_900_000)), None);
        assert_eq!(clock.pair().utc_of(7), 1_000_000_000_007, "noise changes nothing");
        assert_eq!(clock.take(at(2_000_000, 3_602_000_000)), Some(3_600_000_000));
        assert_eq!(clock.pair().utc_of(7), 1_003_600_000_007);
        assert_eq!(clock.take(at(3_000_000, 3_000_000)), Some(-3_600_000_000));
        assert_eq!(clock.take(at(4_000_000, 4_000_000)), None);
    }
}
