//! [`Ring`]: the files of a recording that rotates: their names, those that are there already, and which goes first.
//!
//! Names are sysdig's: with `%` and a slice of time, what `strftime` makes of it in local time; otherwise the name and
//! a number behind it. A ring knows its files by the link in their headers, never by their names alone, so that it
//! takes nothing away that it did not write.

use super::error::Error;
use super::rotate::Rotation;
use crate::policy::Keep;
use crate::reel::{self, Link, Reader};
use crate::sys;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A file of the ring.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    path: PathBuf,
    started: u64,
    link: Link,
}

/// The files of a recording that rotates.
#[derive(Debug)]
pub(super) struct Ring {
    path: PathBuf,
    rotation: Rotation,
    /// Files that are complete, oldest first.
    members: Vec<Member>,
    /// Number behind the name of the next file.
    index: u64,
    /// Link of the next file.
    link: Link,
    /// How many files this recording began.
    begun: u64,
    /// The last of `members` is being written.
    is_open: bool,
}

impl Ring {
    /// Looks at what is there: the ring goes on behind its newest file, unless it is to start over.
    pub(super) fn open(path: &Path, rotation: &Rotation, now: u64) -> Result<Ring, Error> {
        let naming = name(path).to_string_lossy().into_owned();
        let mut ring = Ring {
            path: path.to_owned(),
            rotation: rotation.clone(),
            members: Vec::new(),
            index: 0,
            link: Link { naming, ..Link::default() },
            begun: 0,
            is_open: false,
        };
        if rotation.is_on() {
            ring.members = members(path, &ring.link.naming)?;
            if let Some(newest) = ring.members.last().filter(|newest| reel::is_recorded(&newest.path)) {
                return Err(Error::Busy(newest.path.clone()));
            }
            ring.link.row = now;
            ring.link.sequence = 1;
            if !rotation.start_over {
                ring.go_on();
            }
            ring.check()?;
        }
        Ok(ring)
    }

    /// Goes on behind the newest file that is there.
    fn go_on(&mut self) {
        let Some(newest) = self.members.last() else { return };
        self.link.row = newest.link.row;
        self.link.sequence = newest.link.sequence + 1;
        self.link.previous = name(&newest.path).to_string_lossy().into_owned();
        // A damaged file has no hash that anything could be linked to; the number alone tells then.
        self.link.hash = Reader::open(&newest.path).map(|reader| reader.last_hash()).unwrap_or_default();
        let own = name(&self.path).as_bytes();
        let number = name(&newest.path).as_bytes().strip_prefix(own).and_then(|n| std::str::from_utf8(n).ok());
        self.index = self.wrapped(number.and_then(|n| n.parse::<u64>().ok()).map_or(0, |n| n.saturating_add(1)));
    }

    /// Refuses to write over what is no reel.
    fn check(&self) -> Result<(), Error> {
        let first = self.name(self.link.row);
        let is_other = std::fs::metadata(&first).is_ok_and(|about| about.len() > 0) && reel::header_of(&first).is_err();
        if is_other { Err(Error::Occupied(first)) } else { Ok(()) }
    }

    fn wrapped(&self, index: u64) -> u64 {
        self.rotation.files.map_or(index, |files| index % files.max(1))
    }

    /// The link for the header of the next file.
    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// Name of the first file, if it began now (ns UTC).
    pub(super) fn name(&self, time: u64) -> PathBuf {
        let format = name(&self.path).as_bytes();
        let in_time = self.rotation.seconds.is_some() && self.rotation.events.is_none() && format.contains(&b'%');
        if !self.rotation.is_on() {
            return self.again();
        }
        if !in_time && self.is_plain() {
            return self.next_free();
        }
        if !in_time {
            let width = self.rotation.files.map_or(0, |files| files.to_string().len());
            return self.with(&format!("{:0width$}", self.index));
        }
        let text =
            if self.rotation.aligned { utc_text(time, format) } else { sys::local_text(time, format).ok().flatten() };
        let text = text.unwrap_or_else(|| format.to_vec());
        let path = self.path.with_file_name(OsStr::from_bytes(&text));
        if self.rotation.size.is_some() {
            return appended(&path, &self.index.to_string());
        }
        // A name that comes round again is meant to (`%a` keeps a week); a slice that was cut short is kept.
        let slice = self.rotation.seconds.unwrap_or(0).saturating_mul(1_000_000_000);
        let is_young = |path: &PathBuf| {
            let same = self.members.iter().find(|m| m.path == *path);
            same.is_some_and(|m| time.saturating_sub(m.started) < slice)
        };
        let mut numbered = (1..=u64::from(u32::MAX)).map(|n| appended(&path, &n.to_string()));
        if is_young(&path) { numbered.find(|path| !is_young(path)).unwrap_or(path) } else { path }
    }

    /// Whether files end for other reasons alone: they have the name itself first, then numbers behind it.
    fn is_plain(&self) -> bool {
        let rotation = &self.rotation;
        rotation.goes_on && rotation.size.is_none() && rotation.seconds.is_none() && rotation.events.is_none()
    }

    /// The first name that nothing has.
    fn next_free(&self) -> PathBuf {
        let is_free = |path: &PathBuf| std::fs::metadata(path).map_or(true, |about| about.len() == 0);
        let numbered = (1..=u64::from(u32::MAX)).map(|n| self.with(&n.to_string()));
        std::iter::once(self.path.clone()).chain(numbered).find(is_free).unwrap_or_else(|| self.path.clone())
    }

    /// The files that are there, oldest first.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.members.iter().map(|member| member.path.clone()).collect()
    }

    /// A recording in one file: its name; the next time (SIGHUP) the same if the file was moved away, else a number
    /// more.
    fn again(&self) -> PathBuf {
        let is_free = |path: &PathBuf| std::fs::metadata(path).map_or(true, |about| about.len() == 0);
        if self.begun == 0 || is_free(&self.path) {
            return self.path.clone();
        }
        (1..=u64::from(u32::MAX)).map(|n| self.with(&n.to_string())).find(is_free).unwrap_or_else(|| self.path.clone())
    }

    fn with(&self, number: &str) -> PathBuf {
        appended(&self.path, number)
    }

    /// Takes away the oldest files until there is room for one more; returns those that could not be.
    pub(super) fn make_room(&mut self, next: &Path) -> Vec<(PathBuf, std::io::Error)> {
        let mut failed = Vec::new();
        let Some(most) = self.rotation.files else { return failed };
        let keep = usize::try_from(most.saturating_sub(1)).unwrap_or(usize::MAX);
        // The file that is written over is replaced in one step, and is not taken away before.
        self.members.retain(|m| m.path != next);
        while self.members.len() > keep {
            if let Err(error) = self.drop_oldest() {
                failed.push(error);
            }
        }
        failed
    }

    /// Whether the oldest file may be taken away to make room.
    pub(super) fn may_drop(&self) -> bool {
        self.rotation.files.is_some() && self.members.len() > usize::from(self.is_open)
    }

    /// How long audit events are kept.
    pub(super) fn keep(&self) -> &Keep {
        &self.rotation.keep
    }

    /// The files that are complete, oldest first.
    pub(super) fn complete(&self) -> Vec<PathBuf> {
        let open = usize::from(self.is_open);
        self.members.iter().take(self.members.len() - open.min(self.members.len())).map(|m| m.path.clone()).collect()
    }

    /// Takes the oldest file away.
    pub(super) fn drop_oldest(&mut self) -> Result<PathBuf, (PathBuf, std::io::Error)> {
        let path = self.members.remove(0).path;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err((path, error)),
            _ => Ok(path),
        }
    }

    /// A file was begun at a time, ns UTC.
    pub(super) fn begun(&mut self, path: PathBuf, started: u64) {
        self.begun += 1;
        self.is_open = true;
        if self.rotation.is_on() {
            self.members.retain(|m| m.path != path);
            self.members.push(Member { path, started, link: self.link.clone() });
            self.index = self.wrapped(self.index + 1);
        }
    }

    /// The file at hand is complete; its last frame has this hash.
    pub(super) fn ended(&mut self, path: &Path, hash: [u8; 32]) {
        self.is_open = false;
        if self.rotation.is_on() {
            self.link.sequence += 1;
            self.link.previous = name(path).to_string_lossy().into_owned();
            self.link.hash = hash;
        }
    }
}

/// A time (ns UTC) in UTC, as `strftime` writes it; `None` where the format is none.
fn utc_text(time: u64, format: &[u8]) -> Option<Vec<u8>> {
    let moment = jiff::Timestamp::from_nanosecond(i128::from(time)).ok()?;
    let format = std::str::from_utf8(format).ok()?;
    let text = jiff::fmt::strtime::format(format, &moment.to_zoned(jiff::tz::TimeZone::UTC)).ok()?;
    (!text.is_empty()).then(|| text.into_bytes())
}

fn name(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

fn appended(path: &Path, number: &str) -> PathBuf {
    let mut whole = OsString::from_vec(path.as_os_str().as_bytes().to_vec());
    whole.push(number);
    whole.into()
}

/// The files of a ring that are there, oldest first.
fn members(path: &Path, naming: &str) -> Result<Vec<Member>, Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |error| Error::Folder { path: folder.to_owned(), error };
    let mut members = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let file = path.with_file_name(entry.map_err(failed)?.file_name());
        let Ok(header) = reel::header_of(&file) else { continue };
        if header.link.sequence > 0 && header.link.naming == naming && !is_part(&file) {
            members.push(Member { path: file, started: header.started, link: header.link });
        }
    }
    // By row first: the clock may have stepped between two files of one.
    members.sort_by(|a, b| {
        let key = |m: &Member| (m.link.row, m.link.sequence, m.started);
        key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path))
    });
    Ok(members)
}

/// Whether this is a file that was not finished being begun.
pub(super) fn is_part(path: &Path) -> bool {
    name(path).as_bytes().ends_with(reel::PART.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reel::{Header, Writer};

    fn write(ring: &mut Ring, time: u64) -> String {
        let path = ring.name(time);
        assert!(ring.make_room(&path).is_empty());
        let header = Header { started: time, link: ring.link().clone(), ..Header::default() };
        let writer = Writer::replace(&path, &header).unwrap();
        ring.begun(path.clone(), time);
        ring.ended(&path, writer.finish().unwrap().hash);
        name(&path).to_string_lossy().into_owned()
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn numbers_have_the_width_of_the_limit_and_wrap() {
        let folder = tempfile::tempdir().unwrap();
        let rotation = Rotation { events: Some(1), files: Some(12), ..Rotation::default() };
        let mut ring = Ring::open(&folder.path().join("x%H.reel"), &rotation, 5).unwrap();
        let names: Vec<String> = (0..14).map(|n| write(&mut ring, n)).collect();
        assert_eq!(names[..2], ["x%H.reel00", "x%H.reel01"]);
        assert_eq!(names[11..], ["x%H.reel11", "x%H.reel00", "x%H.reel01"]);
        assert_eq!(files(folder.path()).len(), 12);
    }

    #[test]
    fn a_ring_goes_on_behind_its_newest_file_and_links_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let rotation = Rotation { size: Some(1), files: Some(3), ..Rotation::default() };
        let mut ring = Ring::open(&path, &rotation, 5).unwrap();
        let names: Vec<String> = (0..4).map(|n| write(&mut ring, n)).collect();
        assert_eq!(names, ["x0", "x1", "x2", "x0"]);
        let mut ring = Ring::open(&path, &rotation, 50).unwrap();
        assert_eq!((ring.link().sequence, ring.link().row, ring.link().previous.as_str()), (5, 5, "x0"));
        assert_eq!(ring.link().hash, Reader::open(&folder.path().join("x0")).unwrap().last_hash());
        assert_eq!(write(&mut ring, 60), "x1");
        // A smaller ring takes the oldest away.
        let two = Rotation { files: Some(2), ..rotation.clone() };
        let mut ring = Ring::open(&path, &two, 70).unwrap();
        assert_eq!(write(&mut ring, 70), "x0");
        assert_eq!(files(folder.path()), ["x0", "x1"]);
        let over = Rotation { start_over: true, ..rotation };
        let mut ring = Ring::open(&path, &over, 80).unwrap();
        assert_eq!((ring.link().sequence, write(&mut ring, 80).as_str()), (1, "x0"));
    }

    #[test]
    fn slices_of_time_have_their_time_as_name_and_none_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let rotation = Rotation { seconds: Some(10), files: Some(3), ..Rotation::default() };
        let second = 1_000_000_000;
        let mut ring = Ring::open(&folder.path().join("%s.reel"), &rotation, 0).unwrap();
        let names: Vec<String> = [100, 110, 110, 120].map(|s| write(&mut ring, s * second)).to_vec();
        assert_eq!(names, ["100.reel", "110.reel", "110.reel1", "120.reel"]);
        assert_eq!(files(folder.path()), ["110.reel", "110.reel1", "120.reel"]);
        let both = Rotation { size: Some(1), ..rotation };
        let mut ring = Ring::open(&folder.path().join("%s.both"), &both, 0).unwrap();
        assert_eq!([write(&mut ring, 100 * second), write(&mut ring, 100 * second)], ["100.both0", "100.both1"]);
    }

    #[test]
    fn days_are_named_in_utc() {
        let folder = tempfile::tempdir().unwrap();
        let rotation = Rotation { seconds: Some(86_400), aligned: true, ..Rotation::default() };
        let mut ring = Ring::open(&folder.path().join("audit-%Y.%m.%d.reel"), &rotation, 0).unwrap();
        // 2026-11-21 23:59:59 and a second later; what begins anew on the same day stands beside what is there.
        let times = [1_795_305_599, 1_795_305_600, 1_795_305_700].map(|s| s * 1_000_000_000);
        let names: Vec<String> = times.iter().map(|&time| write(&mut ring, time)).collect();
        assert_eq!(names, ["audit-2026.11.21.reel", "audit-2026.11.22.reel", "audit-2026.11.22.reel1"]);
        assert_eq!(ring.complete().len(), 3);
    }

    #[test]
    fn what_is_no_reel_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x0"), "precious").unwrap();
        let rotation = Rotation { size: Some(1), ..Rotation::default() };
        assert!(matches!(Ring::open(&folder.path().join("x"), &rotation, 0), Err(Error::Occupied(_))));
    }
}
