//! Paths as text: joined and made lexically normal, as sysdig shows them (`.`, `..` and `//` removed).

/// Writes `base` + `/` + `path` (or `path` alone where it is absolute), normalised, to `out`.
///
/// Symbolic links are not followed: nothing is known of the file system here. `..` at the root stays there.
pub fn join(base: &[u8], path: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if path.first() != Some(&b'/') {
        push_all(base, out);
    }
    push_all(path, out);
    if out.is_empty() {
        out.push(b'/');
    }
}

fn push_all(path: &[u8], out: &mut Vec<u8>) {
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => out.truncate(out.iter().rposition(|&b| b == b'/').unwrap_or(0)),
            _ => {
                out.push(b'/');
                out.extend_from_slice(part);
            }
        }
    }
}

/// Whether a path is absolute and already normal, so that it can be taken as it is.
pub fn is_normal(path: &[u8]) -> bool {
    if path.first() != Some(&b'/') {
        return false;
    }
    path.len() == 1 || path[1..].split(|&b| b == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_made_normal() {
        let cases = [
            ("/home/u", "a.txt", "/home/u/a.txt"),
            ("/home/u/", "./a//b", "/home/u/a/b"),
            ("/home/u", "../../..", "/"),
            ("/home/u", "../x/.", "/home/x"),
            ("/home/u", "/etc/../tmp", "/tmp"),
            ("/", "etc", "/etc"),
            ("", "etc", "/etc"),
            ("/a", "", "/a"),
        ];
        for (base, path, want) in cases {
            let mut out = b"old".to_vec();
            join(base.as_bytes(), path.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want, "{base} + {path}");
        }
    }

    #[test]
    fn normal_paths_are_known_as_such() {
        for (path, want) in
            [("/", true), ("/a/b", true), ("/a/", false), ("a", false), ("//", false), ("/a/../b", false), ("", false)]
        {
            assert_eq!(is_normal(path.as_bytes()), want, "{path}");
        }
    }
}
