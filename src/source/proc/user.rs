//! Names of users and groups, from `/etc/passwd` and `/etc/group`.

use super::file;
use crate::event::OwnedArg;
use std::collections::BTreeMap;
use std::path::Path;

/// Lines `name:x:id:…`; the first name of an id wins, as in the C library.
fn names(text: &str) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    for line in text.lines() {
        let mut parts = line.split(':');
        if let (Some(name), Some(_), Some(Ok(id))) = (parts.next(), parts.next(), parts.next().map(str::parse)) {
            names.entry(id).or_insert_with(|| name.to_owned());
        }
    }
    names
}

/// Home directories and shells of a `passwd(5)`: `name:x:id:group:comment:home:shell`; the first line of an id counts.
fn accounts_of(text: &str) -> BTreeMap<u32, [String; 2]> {
    let mut accounts = BTreeMap::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split(':').collect();
        if let [_, _, id, _, _, home, shell] = parts[..]
            && let Ok(id) = id.parse()
        {
            accounts.entry(id).or_insert_with(|| [home.to_owned(), shell.to_owned()]);
        }
    }
    accounts
}

/// Home directories and shells of the host's users, as far as `/etc/passwd` tells them.
pub fn accounts() -> BTreeMap<u32, [String; 2]> {
    accounts_of(&file::text(Path::new("/etc/passwd"), file::TABLE_LIMIT).unwrap_or_default())
}

/// A user's parameters of `snap_user` behind id and name.
pub fn account_args(accounts: &BTreeMap<u32, [String; 2]>, id: u32) -> Vec<OwnedArg> {
    let texts = accounts.get(&id).into_iter().flatten();
    texts
        .map(|text| if text.is_empty() { OwnedArg::Missing } else { OwnedArg::Bytes(text.clone().into_bytes()) })
        .collect()
}

fn names_in(path: &str) -> BTreeMap<u32, String> {
    names(&file::text(Path::new(path), file::TABLE_LIMIT).unwrap_or_default())
}

/// The host's users; empty where there is no `/etc/passwd`.
pub fn users() -> BTreeMap<u32, String> {
    names_in("/etc/passwd")
}

/// The host's groups; empty where there is no `/etc/group`.
pub fn groups() -> BTreeMap<u32, String> {
    names_in("/etc/group")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_and_shells_are_those_of_whole_lines() {
        let accounts =
            accounts_of("root:x:0:0::/root:/bin/sh\nroot2:x:0:0::/:/x\nn:x:12\nd:x:1:1:::/usr/sbin/nologin\n");
        assert_eq!(accounts.keys().copied().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(accounts[&0], ["/root", "/bin/sh"]);
        let args = account_args(&accounts, 1);
        assert_eq!(args, [OwnedArg::Missing, OwnedArg::Bytes(b"/usr/sbin/nologin".to_vec())]);
        assert!(account_args(&accounts, 7).is_empty());
    }

    #[test]
    fn the_first_name_of_an_id_wins_and_odd_lines_are_left_out() {
        let names = names("root:x:0:0::/root:/bin/sh\ntoor:x:0:\n\n# comment\nnis+\nbad:x:-1:\nn:x:12\n");
        assert_eq!(names.into_iter().collect::<Vec<_>>(), [(0, "root".to_owned()), (12, "n".to_owned())]);
    }
}
