//! Which kind of ours is which type of scap, and which parameter which.

use super::types::{EventType, TYPES, event_type};
use crate::event::{Kind, kind_by_name};

/// Which half of a call a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// When it begins, or something that is no call.
    Enter,
    /// When it returns.
    Exit,
}

impl Side {
    /// The half that the number of a type says.
    pub fn of(number: u16) -> Side {
        if number & 1 == 0 { Side::Enter } else { Side::Exit }
    }
}

/// Types that have another name than our kind: (theirs, ours, why).
const RENAMED: &[(&str, &str, &str)] = &[];

/// Parameters that have another name than ours: (their types, the half, theirs, ours, why).
const PARAMS: &[(&str, Side, &str, &str, &str)] = &[
    ("syscall", Side::Enter, "nativeID", "nativeid", "names have no capitals here"),
    ("syscall", Side::Exit, "nativeID", "nativeid", "names have no capitals here"),
    ("dup", Side::Enter, "fd", "oldfd", "the name that its exit has"),
    ("dup2", Side::Enter, "fd", "oldfd", "the name that its exit has"),
    ("dup3", Side::Enter, "fd", "oldfd", "the name that its exit has"),
    ("execve", Side::Exit, "trusted_exepath", "exepath", "the kernel's own path of the program"),
    ("execveat", Side::Exit, "trusted_exepath", "exepath", "the kernel's own path of the program"),
    ("execveat", Side::Exit, "flags", "exe_flags", "the call has flags of its own, which only its enter event tells"),
];

/// The type that today's recorders write when a call of this kind returns, or for a kind that is no call; `None`: none.
/// Kinds that only older files have give the last of those.
pub fn exit_type(kind: Kind) -> Option<u16> {
    let name = kind.spec().name;
    let name = RENAMED.iter().find(|r| r.1 == name).map_or(name, |r| r.0);
    let of = |old: bool, side: Side| {
        let fits = |(i, t): &(usize, &EventType)| {
            t.name == name && !t.is_unused() && t.is_old() == old && Side::of(*i as u16) == side
        };
        TYPES.iter().enumerate().rfind(fits).map(|(i, _)| i as u16)
    };
    let today = of(false, Side::Exit).or_else(|| of(false, Side::Enter));
    today.or_else(|| of(true, Side::Exit)).or_else(|| of(true, Side::Enter))
}

/// The type written when a call of this kind begins; `None`: the kind is no call of scap.
pub fn enter_type(kind: Kind) -> Option<u16> {
    exit_type(kind).filter(|t| Side::of(*t) == Side::Exit).map(|t| t - 1).filter(|&t| {
        // `close_range` and `keyctl` have no enter event.
        event_type(t).is_some_and(|t| !t.is_unused())
    })
}

/// The kind of a type; `None` where we have none, and for numbers that nobody uses.
pub fn kind_of(number: u16) -> Option<Kind> {
    let name = event_type(number).filter(|t| !t.is_unused())?.name;
    kind_by_name(RENAMED.iter().find(|r| r.0 == name).map_or(name, |r| r.1))
}

/// Our name of a parameter of a type.
pub fn our_name(number: u16, param: &str) -> &str {
    let Some(of) = event_type(number) else { return param };
    let renamed = PARAMS.iter().find(|p| p.0 == of.name && p.1 == Side::of(number) && p.2 == param);
    renamed.map_or(param, |p| p.3)
}

/// The name that a type has for a parameter of ours.
pub fn their_name(number: u16, param: &str) -> &str {
    let Some(of) = event_type(number) else { return param };
    let renamed = PARAMS.iter().find(|p| p.0 == of.name && p.1 == Side::of(number) && p.3 == param);
    renamed.map_or(param, |p| p.2)
}

/// Whether an exit belongs to an enter event: the same pair of numbers, or a pair of the same name.
pub fn same_family(enter: u16, exit: u16) -> bool {
    let name = |number| event_type(number).map(|t| t.name);
    enter & !1 == exit & !1 || name(enter).is_some_and(|n| name(exit) == Some(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(name: &str) -> Option<u16> {
        exit_type(kind_by_name(name).unwrap())
    }

    #[test]
    fn kinds_have_the_types_of_today() {
        let cases: &[(&str, u16, Option<u16>)] = &[
            ("open", 3, Some(2)),
            ("openat", 307, Some(306)),
            ("execve", 293, Some(292)),
            ("clone", 223, Some(222)),
            ("dup", 367, Some(366)),
            ("select", 83, Some(82)),
            ("accept", 247, Some(246)),
            ("ioctl", 171, Some(170)),
            ("procexit", 186, None),
            ("signaldeliver", 232, None),
            ("close_range", 451, None),
            ("fstat64", 77, Some(76)),
        ];
        for &(name, exit, enter) in cases {
            assert_eq!(number(name), Some(exit), "{name}");
            assert_eq!(enter_type(kind_by_name(name).unwrap()), enter, "{name}");
            assert_eq!(kind_of(exit), kind_by_name(name));
        }
        assert_eq!((number("loss"), number("getrusage")), (None, None));
        assert_eq!((kind_of(17), kind_of(9999)), (None, None));
    }

    #[test]
    fn a_parameter_has_one_name_on_each_side() {
        assert_eq!(our_name(331, "flags"), "exe_flags");
        assert_eq!(our_name(330, "flags"), "flags");
        assert_eq!(their_name(293, "exepath"), "trusted_exepath");
        assert_eq!(our_name(7, "fd"), "fd");
        for &(name, side, theirs, ours, _) in PARAMS {
            let kind = kind_by_name(name).unwrap();
            assert!(kind.spec().params.iter().any(|p| p.name == ours), "{name}.{ours}");
            let number = match side {
                Side::Exit => exit_type(kind),
                Side::Enter => enter_type(kind),
            };
            assert!(event_type(number.unwrap()).unwrap().place(theirs).is_some(), "{name}.{theirs}");
        }
    }

    #[test]
    fn an_exit_belongs_to_an_enter_of_its_name() {
        assert!(same_family(2, 3) && same_family(288, 293) && same_family(102, 307));
        assert!(!same_family(160, 3) && !same_family(22, 23 + 2));
    }
}
