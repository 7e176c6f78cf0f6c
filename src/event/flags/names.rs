//! Looking names up in a [`FlagTable`].

use crate::event::spec::FlagTable;

impl FlagTable {
    /// Hands the names of a bit set to `out`, in the table's order. Bits without a name are passed over.
    ///
    /// A combination stands before its parts and uses their bits up, so that `O_SYNC` is not also `O_DSYNC`.
    pub fn names(&self, value: u64, out: &mut impl FnMut(&str)) {
        let chosen = value & self.choice;
        let mut rest = value & !self.choice;
        for &(name, bits) in self.values {
            if self.choice != 0 && bits & !self.choice == 0 {
                if bits == chosen {
                    out(name);
                }
            } else if bits == 0 {
                if value == 0 {
                    out(name);
                }
            } else if rest & bits == bits {
                rest &= !bits;
                out(name);
            }
        }
    }

    /// The name of one value of an enumeration; the first where two have the same value.
    pub fn name_of(&self, value: u64) -> Option<&'static str> {
        self.values.iter().find(|v| v.1 == value).map(|v| v.0)
    }
}
