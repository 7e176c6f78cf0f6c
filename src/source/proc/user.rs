//! Names of users and groups, from `/etc/passwd` and `/etc/group`.

use super::file;
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
    fn the_first_name_of_an_id_wins_and_odd_lines_are_left_out() {
        let names = names("root:x:0:0::/root:/bin/sh\ntoor:x:0:\n\n# comment\nnis+\nbad:x:-1:\nn:x:12\n");
        assert_eq!(names.into_iter().collect::<Vec<_>>(), [(0, "root".to_owned()), (12, "n".to_owned())]);
    }
}
