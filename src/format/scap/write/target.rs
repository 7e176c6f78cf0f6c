//! [`Target`]: who is to read what is written. What sysdig 0.29.3 knows was found out by having it read an event of each
//! type with all parameters (`tests/scap_export.rs` holds the table against `sysdig -L`).

use crate::format::scap::event_type;

/// Who is to read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Target {
    /// sysdig 0.29.3 and newer readers: an enter event before each exit, and no value left empty that the former would read.
    #[default]
    All,
    /// sysdig 0.29.3 alone: what it does not know is left out, and calls that it has no type for are generic events.
    Old,
    /// Readers since libs 0.23, which take everything from exits: no enter events.
    Current,
}

/// The last type that sysdig 0.29.3 knows; it passes over events of later ones.
const LAST_029: u16 = 335;
/// The last code of a call that sysdig 0.29.3 knows; it does not survive a greater one.
const LAST_CALL_029: u16 = 328;

/// Types of which sysdig 0.29.3 knows fewer parameters than there are today: (type, how many).
#[rustfmt::skip] // a table
const FEWER: &[(u16, u8)] = &[
    (1, 1), (3, 5), (5, 1), (7, 2), (9, 2), (19, 1), (21, 2), (23, 2), (25, 1), (29, 2), (31, 2), (33, 2), (35, 3), (37, 1),
    (43, 5), (49, 2), (51, 0), (53, 4), (55, 0), (59, 4), (63, 1), (65, 1), (71, 1), (79, 1), (81, 2), (87, 1), (89, 1),
    (97, 1), (113, 2), (115, 2), (117, 3), (119, 2), (121, 3), (123, 2), (127, 1), (129, 1), (131, 1), (133, 1), (135, 1),
    (137, 1), (139, 1), (141, 3), (143, 3), (145, 5), (151, 1), (159, 4), (161, 4), (163, 4), (165, 4), (167, 1), (169, 3),
    (171, 1), (186, 4), (189, 2), (191, 14), (193, 1), (195, 1), (199, 1), (201, 1), (223, 20), (225, 20), (227, 20),
    (237, 1), (239, 1), (241, 1), (243, 1), (251, 8), (253, 1), (255, 2), (257, 4), (263, 1), (265, 2), (277, 2), (285, 1),
    (293, 20), (295, 1), (298, 1), (299, 1), (307, 6), (327, 6), (329, 1), (331, 20), (333, 3), (335, 20),
];

/// Types that sysdig 0.29.3 does not know, and older ones that say the same of the state: (type of the exit, older one).
/// The name of the call is that of the older one: `dup` for `dup2`.
const OLDER: &[(u16, u16)] = &[
    (363, 125), // dup2: dup
    (365, 125), // dup3: dup
    (367, 125), // dup
    (369, 297), // bpf
    (387, 259), // umount
    (389, 249), // accept4
    (391, 259), // umount2: umount
    (393, 61),  // pipe2: pipe
    (395, 139), // inotify_init1: inotify_init
    (397, 63),  // eventfd2: eventfd
    (399, 127), // signalfd4: signalfd
];

/// Number of parameters of a type that sysdig 0.29.3 knows; `None` if it does not know the type.
pub fn known_to_029(number: u16) -> Option<usize> {
    if number > LAST_029 {
        return None;
    }
    let fewer = FEWER.iter().find(|f| f.0 == number).map(|f| usize::from(f.1));
    fewer.or_else(|| event_type(number).map(|t| t.params.len()))
}

impl Target {
    /// Names that `--for` takes, with what each means.
    pub const NAMES: &'static [(&'static str, Target)] = &[("0.29", Target::Old), ("all", Target::All)];

    /// Whether calls have an enter event.
    pub fn has_enters(self) -> bool {
        self != Target::Current
    }

    /// Whether sysdig 0.29.3 is to read it.
    pub fn is_for_029(self) -> bool {
        self != Target::Current
    }

    /// The type to write for what today's type says; `None`: as a generic event.
    pub(super) fn exit(self, number: u16) -> Option<u16> {
        if self == Target::Current || known_to_029(number).is_some() {
            return Some(number);
        }
        let older = OLDER.iter().find(|o| o.0 == number).map(|o| o.1);
        older.or((self == Target::All).then_some(number))
    }

    /// The code of a call to write; 0 is that of one that is not known.
    pub(super) fn call_code(self, code: Option<u16>) -> u16 {
        code.filter(|&code| self == Target::Current || code <= LAST_CALL_029).unwrap_or(0)
    }

    /// How many parameters an event of a type must have, and may have.
    pub(super) fn params(self, number: u16) -> (usize, usize) {
        let all = event_type(number).map_or(0, |t| t.params.len());
        match (self, known_to_029(number)) {
            (Target::Current, _) | (Target::All, None) => (0, all),
            (Target::All, Some(known)) => (known.min(all), all),
            (Target::Old, known) => (known.unwrap_or(0).min(all), known.unwrap_or(0).min(all)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_of_types_that_are_there() {
        for &(number, count) in FEWER {
            let all = event_type(number).unwrap().params.len();
            assert!(number <= LAST_029 && usize::from(count) < all, "{number}");
        }
        for &(number, older) in OLDER {
            assert!(number > LAST_029 && older <= LAST_029 && number & older & 1 == 1, "{number}");
        }
        assert!(FEWER.windows(2).all(|w| w[0].0 < w[1].0) && OLDER.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn what_0_29_does_not_know_is_older_generic_or_passed_over() {
        assert_eq!(
            (Target::All.exit(363), Target::Old.exit(363), Target::Current.exit(363)),
            (Some(125), Some(125), Some(363))
        );
        assert_eq!((Target::All.exit(405), Target::Old.exit(405)), (Some(405), None));
        assert_eq!(
            (Target::Old.call_code(Some(3)), Target::Old.call_code(Some(400)), Target::All.call_code(None)),
            (3, 0, 0)
        );
        assert_eq!((Target::All.params(7), Target::Old.params(7), Target::Current.params(7)), ((2, 4), (2, 2), (0, 4)));
        assert_eq!((known_to_029(336), known_to_029(4)), (None, Some(1)));
    }
}
