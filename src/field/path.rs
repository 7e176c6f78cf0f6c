//! Paths as text: joined and without `.`, `..` and doubled slashes.

/// `name` against `base`, normalised. An absolute name ignores the base.
pub(super) fn resolve(base: &[u8], name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(base.len() + name.len() + 1);
    let base = if name.first() == Some(&b'/') { &[][..] } else { base };
    for part in base.split(|&b| b == b'/').chain(name.split(|&b| b == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => {
                let cut = out.iter().rposition(|&b| b == b'/').unwrap_or(0);
                out.truncate(cut);
            }
            part => {
                out.push(b'/');
                out.extend_from_slice(part);
            }
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
    out
}

/// Whether an absolute path is what [`resolve`] makes of it: without empty parts, dots alone and a slash at its end.
pub(super) fn is_plain(path: &[u8]) -> bool {
    let is_part = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    path == b"/" || path.strip_prefix(b"/").is_some_and(|rest| rest.split(|&b| b == b'/').all(is_part))
}

/// What is before the last slash; `/` for names directly below the root.
pub(super) fn directory(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&b| b == b'/') {
        None | Some(0) => b"/",
        Some(at) => &path[..at],
    }
}

/// What is behind the last slash.
pub(super) fn filename(path: &[u8]) -> &[u8] {
    path.iter().rposition(|&b| b == b'/').map_or(path, |at| &path[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_names_are_resolved_against_their_base() {
        for (base, name, want) in [
            ("/tmp/", "x", "/tmp/x"),
            ("/tmp", "../etc/passwd", "/etc/passwd"),
            ("/a/b", "./c//d/.", "/a/b/c/d"),
            ("/a", "/etc/./x", "/etc/x"),
            ("/", "..", "/"),
            ("", "x", "/x"),
        ] {
            assert_eq!(String::from_utf8(resolve(base.as_bytes(), name.as_bytes())).unwrap(), want);
            assert!(is_plain(want.as_bytes()));
            let is_same = name.starts_with('/') && resolve(b"", name.as_bytes()) == name.as_bytes();
            assert_eq!(is_plain(name.as_bytes()), is_same, "{name}");
        }
    }

    #[test]
    fn a_path_is_cut_at_its_last_slash() {
        for (path, dir, file) in [("/etc/passwd", "/etc", "passwd"), ("/x", "/", "x"), ("x", "/", "x")] {
            assert_eq!(directory(path.as_bytes()), dir.as_bytes());
            assert_eq!(filename(path.as_bytes()), file.as_bytes());
        }
    }
}
