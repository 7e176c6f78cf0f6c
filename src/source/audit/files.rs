//! Which files are audit logs, and which of them are one log that was rotated.

use super::pieces::{Next, Pieces};
use crate::event::Splitter;
use crate::source::scap;
use crate::value::{Moment, json_items, json_member};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes in which a log must show that it is one.
const LOOKED_AT: u64 = 64 << 10;

/// Endings of packed files.
const PACKED: [&str; 3] = [".gz", ".zst", ".lz4"];

fn start_of(path: &Path) -> Vec<u8> {
    let mut start = Vec::new();
    if let Ok(input) = scap::open(path) {
        // What a damaged packed file gives before its fault is enough.
        input.take(LOOKED_AT).read_to_end(&mut start).ok();
    }
    start
}

/// Whether bytes begin with JSON, or with a line of the old form.
pub fn looks_like_json(start: &[u8]) -> bool {
    let start = start.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(start).trim_ascii_start();
    matches!(start.first(), Some(b'{' | b'[')) || Splitter::is_legacy(start)
}

/// Whether a file holds audit events, told by its first 64 KiB.
pub fn is_log(path: &Path) -> bool {
    let start = start_of(path);
    let has = |word: &[u8]| memchr::memmem::find(&start, word).is_some();
    looks_like_json(&start)
        && (has(b"\"auditID\"") || has(b"audit.k8s.io/") || Splitter::is_legacy(start.trim_ascii_start()))
}

/// The name of a log without what rotation adds to it, and its ending: `audit-2026-11-21T21-16-33.788.log.gz`, `audit.log.2`
/// and `audit.log-20261121` are `audit` and `log`.
fn parts(path: &Path) -> (String, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut stem = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((rest, number)) = stem.rsplit_once('.')
        && is_number(number)
        && rest.contains('.')
    {
        stem = rest;
    }
    // logrotate's dateext
    if let Some((rest, day)) = stem.rsplit_once('-')
        && is_number(day)
        && day.len() >= 8
        && rest.contains('.')
    {
        stem = rest;
    }
    let (stem, ending) = stem.rsplit_once('.').filter(|(rest, _)| !rest.is_empty()).unwrap_or((stem, ""));
    let is_time = |text: &str| {
        text.bytes().zip("2006-01-02T15-04-05".bytes()).all(|(b, like)| b.is_ascii_digit() == like.is_ascii_digit())
    };
    // lumberjack's, of 23 characters with the milliseconds
    let cut = stem.len().checked_sub(23).filter(|&cut| cut > 0 && stem.is_char_boundary(cut));
    let stem = match cut {
        Some(cut) if is_time(&stem[cut..]) && stem.as_bytes()[cut - 1] == b'-' => &stem[..cut - 1],
        _ => stem,
    };
    (stem.to_owned(), ending.to_owned())
}

/// The files that a log was rotated into, those that are there packed and plain once, each with the time of its first
/// event (ns UTC), in that order; not the log itself, and none without events. One that went meanwhile is an error: it was
/// renamed or packed.
#[cfg(feature = "linux")]
pub(super) fn rotated(log: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let own = parts(log);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = log.with_file_name(entry?.file_name());
        if path != log && parts(&path) == own && path.is_file() {
            files.push(path);
        }
    }
    let is_twin = |path: &PathBuf| plain_of(path).is_some_and(|plain| files.contains(&plain));
    let mut times = Vec::new();
    for path in files.iter().filter(|path| !is_twin(path)) {
        match first_time(path) {
            u64::MAX => _ = std::fs::metadata(path)?,
            time => times.push((time, path.clone())),
        }
    }
    times.sort();
    Ok(times)
}

/// The plain file that a packed one is of.
fn plain_of(path: &Path) -> Option<PathBuf> {
    let name = path.to_string_lossy();
    PACKED.iter().find_map(|ending| name.strip_suffix(ending)).map(PathBuf::from)
}

/// Time of a file's first event, ns UTC; the last of all where there is none.
fn first_time(path: &Path) -> u64 {
    time_in(&start_of(path))
}

/// Time of the first event in a text that may be cut, ns UTC; the last of all where there is none.
pub(super) fn time_in(start: &[u8]) -> u64 {
    let (mut pieces, mut splitter) = (Pieces::new(start), Splitter::default());
    while let Ok(Next::Line(range)) = pieces.next() {
        if let Some(time) = time_of(&mut splitter, pieces.bytes(range)) {
            return time;
        }
        if pieces.pass_line().is_err() {
            break;
        }
    }
    u64::MAX
}

/// Time of an event, of the first of a list, or of what is cut: ns UTC.
fn time_of(splitter: &mut Splitter, line: &[u8]) -> Option<u64> {
    let first = json_member(line, b"items").and_then(|items| json_items(items).next()).map(|item| item.value);
    let is_legacy = Splitter::is_legacy(line);
    let taken = if is_legacy { splitter.split_legacy(line) } else { splitter.split(first.unwrap_or(line)) };
    if let Ok(taken) = taken {
        return Some(taken.event.time);
    }
    let word = b"stageTimestamp\":\"";
    let at = memchr::memmem::find(line, word)? + word.len();
    let text = std::str::from_utf8(line.get(at..at + 19)?).ok()?;
    match Moment::parse(&format!("{text}Z"))? {
        Moment::Utc(time) => Some(time),
        _ => None,
    }
}

/// Puts logs together: the files of one that was rotated, in the order in which they were written. A packed file beside the
/// plain one of its name is left out: it is the same, or will be once it is whole.
pub fn groups(logs: &[PathBuf]) -> Vec<Vec<PathBuf>> {
    let is_twin = |path: &PathBuf| plain_of(path).is_some_and(|plain| logs.contains(&plain));
    let mut groups: BTreeMap<PathBuf, Vec<(u64, PathBuf)>> = BTreeMap::new();
    for path in logs.iter().filter(|path| !is_twin(path)) {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let (stem, ending) = parts(path);
        groups.entry(folder.join(stem).join(ending)).or_default().push((0, path.clone()));
    }
    let sorted = groups.into_values().map(|mut files| {
        if files.len() > 1 {
            for (time, path) in &mut files {
                *time = first_time(path);
            }
        }
        files.sort();
        files.into_iter().map(|(_, path)| path).collect()
    });
    sorted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_have_the_name_of_their_log() {
        for (name, want) in [
            ("audit.log", "audit log"),
            ("audit-2026-11-21T21-16-33.788.log", "audit log"),
            ("audit-2026-11-21T21-16-33.788.log.gz", "audit log"),
            ("audit.log.1", "audit log"),
            ("audit.log.2.gz", "audit log"),
            ("audit.json", "audit json"),
            ("kube-audit.json", "kube-audit json"),
            ("log", "log "),
            ("audit.log-20261121", "audit log"),
            ("audit.log-20261121.gz", "audit log"),
        ] {
            let (stem, ending) = parts(Path::new(name));
            assert_eq!(format!("{stem} {ending}"), want, "{name}");
        }
    }

    #[test]
    fn files_are_read_in_the_order_of_their_events_and_twins_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, second: u32| {
            let path = folder.path().join(name);
            let text = format!("{{\"auditID\":\"x\",\"stageTimestamp\":\"2026-11-21T21:22:{second:02}.000000Z\"}}\n");
            std::fs::write(&path, text).unwrap();
            path
        };
        let (b, a, c) = (file("audit.log.1", 2), file("audit.log.2", 1), file("audit.log", 3));
        let (twin, other, json) = (file("audit.log.1.gz", 2), file("other.log", 9), file("audit.json", 1));
        let all = [c.clone(), b.clone(), twin, a.clone(), other.clone(), json.clone()];
        assert_eq!(groups(&all), vec![vec![json], vec![a, b, c], vec![other]]);
    }
}
