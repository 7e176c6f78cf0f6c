//! Users and groups, from `/etc/passwd` and `/etc/group`.

use super::file;
use super::snapshot::{event, int};
use crate::event::{Arg, Event, Kind};
use std::collections::BTreeMap;
use std::path::Path;

/// What a line of `passwd(5)` tells of a user, or one of `group(5)` of a group, which has a name alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Home directory; empty where the line does not tell it.
    pub home: String,
    /// Shell; empty where the line does not tell it.
    pub shell: String,
}

/// Users or groups by id.
pub type Accounts = BTreeMap<u32, Account>;

impl Account {
    /// The row of a `snap_user` or `snap_group` at a time (ns UTC).
    pub fn event(&self, kind: Kind, time: u64, id: u32) -> Event<'_> {
        let of = [self.name.as_str(), &self.home, &self.shell].map(|text| match text.as_bytes() {
            b"" => Arg::Missing,
            text => Arg::Bytes(text),
        });
        let args = std::iter::once(int(id)).chain(of).take(kind.spec().params.len());
        event(kind, time, (0, 0), args)
    }
}

/// Lines `name:x:id:…`; the first of an id counts, as in the C library. Homes and shells are those of whole lines.
fn accounts(text: &str, is_group: bool) -> Accounts {
    let mut accounts = Accounts::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split(':').collect();
        let [name, _, id, rest @ ..] = &parts[..] else { continue };
        let Ok(id) = id.parse() else { continue };
        let [home, shell] = if let ([_, _, home, shell], false) = (rest, is_group) { [*home, *shell] } else { [""; 2] };
        let account = || Account { name: (*name).to_owned(), home: home.to_owned(), shell: shell.to_owned() };
        accounts.entry(id).or_insert_with(account);
    }
    accounts
}

fn read(path: &str, is_group: bool) -> Accounts {
    accounts(&file::text(Path::new(path), file::TABLE_LIMIT).unwrap_or_default(), is_group)
}

/// Where the host's users stand.
pub const USERS: &str = "/etc/passwd";
/// Where the host's groups stand.
pub const GROUPS: &str = "/etc/group";

/// The host's users; empty where there is no [`USERS`].
pub fn users() -> Accounts {
    read(USERS, false)
}

/// The host's groups; empty where there is no [`GROUPS`].
pub fn groups() -> Accounts {
    read(GROUPS, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::kinds;

    #[test]
    fn homes_and_shells_are_those_of_whole_lines() {
        let text = "root:x:0:0::/root:/bin/sh\nroot2:x:0:0::/:/x\nn:x:12\nd:x:1:1:::/usr/sbin/nologin\n";
        let users = accounts(text, false);
        assert_eq!(users.keys().copied().collect::<Vec<_>>(), [0, 1, 12]);
        let args = |id: u32| users[&id].event(kinds::SNAP_USER, 0, id).args.iter().copied().collect::<Vec<_>>();
        assert_eq!(args(0), [Arg::Int(0), Arg::Bytes(b"root"), Arg::Bytes(b"/root"), Arg::Bytes(b"/bin/sh")]);
        assert_eq!(args(1), [Arg::Int(1), Arg::Bytes(b"d"), Arg::Missing, Arg::Bytes(b"/usr/sbin/nologin")]);
        assert_eq!(args(12), [Arg::Int(12), Arg::Bytes(b"n"), Arg::Missing, Arg::Missing]);
    }

    #[test]
    fn groups_have_a_name_alone() {
        let groups = accounts("daemon:x:1:\nodd:x:7:a:b:c:d\n", true);
        assert_eq!(groups[&7], Account { name: "odd".to_owned(), ..Account::default() });
        let row = groups[&1].event(kinds::SNAP_GROUP, 0, 1);
        assert_eq!(row.args.iter().copied().collect::<Vec<_>>(), [Arg::Int(1), Arg::Bytes(b"daemon")]);
    }

    #[test]
    fn the_first_name_of_an_id_wins_and_odd_lines_are_left_out() {
        let users = accounts("root:x:0:0::/root:/bin/sh\ntoor:x:0:\n\n# comment\nnis+\nbad:x:-1:\nn:x:12\n", false);
        let names: Vec<(u32, &str)> = users.iter().map(|(id, user)| (*id, user.name.as_str())).collect();
        assert_eq!(names, [(0, "root"), (12, "n")]);
    }
}
