//! Paths as text: joined and made lexically normal, as sysdig shows them (`.`, `..` and `//` removed).

/// Writes `base` + `/` + `path` (or `root` + `path` where it is absolute), normalised, to `out`.
///
/// `base` and `root` are absolute paths of the host, `root` empty for the host's own. Symbolic links are not followed:
/// nothing is known of the file system here. `..` stays at the root, as in the kernel: a thread that stands below its root does not get
/// above it.
pub fn join(root: &[u8], base: &[u8], path: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let start = if path.first() == Some(&b'/') { root } else { base };
    push_all(start, 0, out);
    // Normal itself, so that its length is that of its copy in `out`.
    let root = root.strip_suffix(b"/").unwrap_or(root);
    let floor = if below(root, out).is_some() { root.len() } else { 0 };
    push_all(path, floor, out);
    if out.is_empty() {
        out.push(b'/');
    }
}

/// What of a path stands below a directory, with its leading `/`; empty for the directory itself, `None` for what is elsewhere.
pub(super) fn below<'a>(directory: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    let rest = path.strip_prefix(directory.strip_suffix(b"/").unwrap_or(directory))?;
    matches!(rest.first(), None | Some(b'/')).then_some(rest)
}

/// Appends the parts of a path; `..` does not get below the first `floor` bytes.
fn push_all(path: &[u8], floor: usize, out: &mut Vec<u8>) {
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => out.truncate(out.iter().rposition(|&b| b == b'/').unwrap_or(0).max(floor.min(out.len()))),
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
            ("", "/home/u", "a.txt", "/home/u/a.txt"),
            ("", "/home/u/", "./a//b", "/home/u/a/b"),
            ("", "/home/u", "../../..", "/"),
            ("", "/home/u", "../x/.", "/home/x"),
            ("", "/home/u", "/etc/../tmp", "/tmp"),
            ("", "/", "etc", "/etc"),
            ("", "", "etc", "/etc"),
            ("", "/a", "", "/a"),
            ("/jail", "/jail/u", "a", "/jail/u/a"),
            ("/jail", "/jail/u", "/etc/x", "/jail/etc/x"),
            ("/jail", "/jail/u", "../../../etc", "/jail/etc"),
            ("/jail", "/jail", "..", "/jail"),
            ("/jail", "/jail", "/../..", "/jail"),
            ("/jail", "/jailer/u", "../..", "/"),
            ("/jail", "/home/u", "../../etc", "/etc"),
            ("/jail/", "/jail/u", "../..", "/jail"),
        ];
        for (root, base, path, want) in cases {
            let mut out = b"old".to_vec();
            join(root.as_bytes(), base.as_bytes(), path.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want, "{root}: {base} + {path}");
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
