//! [`Known`]: parameters that fields look for in rows of many kinds, found once for each kind of a batch.

use super::KindInfo;
use crate::event::{Class, ParamType};

/// A parameter that many kinds have, by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Flags of an open.
    Flags,
    /// Mode of an open.
    Mode,
    /// Whether an open made the file.
    Created,
    /// The second descriptor of a pair.
    SecondFd,
    /// What `fcntl` is to do.
    Command,
    /// Data that was moved.
    Data,
    /// Descriptors that a poll waits for.
    List,
    /// Path of calls that name one.
    Path,
    /// The first path of calls that name two.
    FirstPath,
    /// The second of them; of a symbolic link it alone is a path.
    SecondPath,
    /// Path of an open.
    Opened,
}

/// All, in the order of their numbers.
const ALL: [Known; COUNT] = [
    Known::Flags,
    Known::Mode,
    Known::Created,
    Known::SecondFd,
    Known::Command,
    Known::Data,
    Known::List,
    Known::Path,
    Known::FirstPath,
    Known::SecondPath,
    Known::Opened,
];

const COUNT: usize = 11;

/// Where each stands among the parameters of a kind, plus one; 0 for none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places([u8; COUNT]);

impl Places {
    pub(super) fn of(info: &KindInfo) -> Places {
        let place = |known| find(info, known).and_then(|n| u8::try_from(n + 1).ok()).unwrap_or(0);
        Places(ALL.map(place))
    }

    #[inline]
    pub(super) fn get(self, known: Known) -> Option<usize> {
        usize::from(self.0[known as usize]).checked_sub(1)
    }
}

fn find(info: &KindInfo, known: Known) -> Option<usize> {
    let named = |name: &str| info.params.iter().position(|p| p.name == name);
    let is_path = |ty| matches!(ty, ParamType::Path | ParamType::RelPath);
    let path = |names: &[&str]| {
        names.iter().find_map(|name| info.params.iter().position(|p| p.name == *name && is_path(p.ty)))
    };
    match known {
        Known::Flags => named("flags"),
        Known::Mode => named("mode"),
        Known::Created => named("created"),
        Known::SecondFd => named("fd2"),
        Known::Command => named("cmd"),
        Known::Data => info.params.iter().position(|p| p.class == Class::Data && p.ty == ParamType::Bytes),
        Known::List => info.params.iter().position(|p| p.ty == ParamType::FdList),
        Known::Path => path(&["name", "path", "pathname", "filename"]),
        Known::FirstPath => path(&["oldpath", "target", "source", "old"]),
        Known::SecondPath => path(&["newpath", "linkpath", "target", "new"]),
        Known::Opened => path(&["name"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Schema;

    #[test]
    fn parameters_stand_where_their_kind_has_them() {
        assert!(ALL.iter().enumerate().all(|(n, known)| *known as usize == n));
        let schema = Schema::current();
        let kind = |name: &str| schema.kinds.iter().find(|kind| kind.name == name).unwrap();
        for (name, known, want) in [
            ("openat", Known::Flags, Some("flags")),
            ("openat", Known::Path, Some("name")),
            ("openat", Known::FirstPath, None),
            ("rename", Known::FirstPath, Some("oldpath")),
            ("rename", Known::SecondPath, Some("newpath")),
            ("read", Known::Data, Some("data")),
            ("poll", Known::List, Some("fds")),
            ("fcntl", Known::Command, Some("cmd")),
            ("getppid", Known::Flags, None),
        ] {
            let place = Places::of(kind(name)).get(known);
            assert_eq!(place.map(|n| kind(name).params[n].name.as_str()), want, "{name} {known:?}");
        }
    }
}
