//! [`Distinct`]: numbers for the different codes of a column, in order of their first occurrence.

/// Places: four for each code that a column may have.
const PLACES: usize = 1024;

/// A power of two as bits of a hash.
const BITS: u32 = PLACES.trailing_zeros();

/// The most codes that get a number: a place is always free.
pub(super) const MOST: usize = 256;

/// The number of a code. Of an older stamp than the current one: the place is free.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    code: u64,
    stamp: u32,
    number: u32,
}

/// Numbers for different codes. Stamps tell what is of now, because most columns are short and zeroing the places took longer
/// than filling them.
#[derive(Debug)]
pub(super) struct Distinct {
    places: Vec<Place>,
    stamp: u32,
    count: usize,
}

impl Default for Distinct {
    fn default() -> Self {
        Distinct { places: vec![Place::default(); PLACES], stamp: 0, count: 0 }
    }
}

impl Distinct {
    /// Forgets all codes.
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.places.fill(Place::default());
            self.stamp = 1;
        }
    }

    /// Codes so far.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The number of a code, and whether it is new; `None` for one more than [`MOST`].
    #[inline]
    pub(super) fn number(&mut self, code: u64) -> Option<(u8, bool)> {
        let mut at = (code.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS)) as usize;
        loop {
            let place = &mut self.places[at];
            if place.stamp != self.stamp {
                if self.count == MOST {
                    return None;
                }
                *place = Place { code, stamp: self.stamp, number: self.count as u32 };
                self.count += 1;
                return Some((place.number as u8, true));
            }
            if place.code == code {
                return Some((place.number as u8, false));
            }
            at = (at + 1) % PLACES;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_in_order_and_forgotten() {
        let mut distinct = Distinct::default();
        distinct.clear();
        for (code, expected) in [(0, (0, true)), (u64::MAX, (1, true)), (0, (0, false)), (7, (2, true))] {
            assert_eq!(distinct.number(code), Some(expected), "{code}");
        }
        assert_eq!(distinct.count(), 3);
        distinct.clear();
        assert_eq!((distinct.count(), distinct.number(7)), (0, Some((0, true))));
    }

    #[test]
    fn there_is_no_number_for_one_too_many_and_older_ones_stay() {
        let mut distinct = Distinct::default();
        distinct.clear();
        for code in 0..MOST as u64 {
            assert_eq!(distinct.number(code * 1024), Some((code as u8, true)));
        }
        assert_eq!((distinct.number(1), distinct.count()), (None, MOST));
        assert_eq!(distinct.number(255 * 1024), Some((255, false)));
    }

    #[test]
    fn stamps_may_come_round() {
        let mut distinct = Distinct { stamp: u32::MAX, ..Distinct::default() };
        distinct.number(5);
        distinct.clear();
        assert_eq!(distinct.number(5), Some((0, true)));
    }
}
