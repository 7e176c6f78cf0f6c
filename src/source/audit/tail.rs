//! [`Tail`]: a log that is written, followed over rotation, copies and truncation.
//!
//! Files are read to their end in the order in which they were written. The one that had the name last is kept open:
//! its writer may not have noticed yet that it was renamed.

use super::files::rotated;
use super::growing::{Growing, Look};
use super::position::{Place, Position};
use crate::sys;
use std::collections::VecDeque;
use std::io::{self, PipeReader};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest time between two looks at a log: for file systems that tell nothing (NFS), and for what a look missed.
const LOOK: Duration = Duration::from_secs(1);

/// How often a folder is looked through anew where a file in it was renamed or packed meanwhile.
const TRIES: u32 = 10;

/// What a log gave.
#[derive(Debug)]
pub struct Lines {
    /// File and offset, for messages.
    pub place: String,
    /// Whole lines; empty with a remark.
    pub text: Vec<u8>,
    /// How far the log was taken over, these lines included.
    pub position: Position,
    /// Why something was not taken over.
    pub remark: Option<String>,
}

/// A log that is written.
pub struct Tail {
    path: PathBuf,
    limit: usize,
    /// Files to be read, oldest first; the last is the one under the name, or was.
    files: VecDeque<Growing>,
    /// The one that had the name before.
    older: Option<Growing>,
    /// Time of the first event in the newest file that is none of ours any more, ns UTC: what was rotated since has a later one.
    /// The last of all: not known.
    reached: u64,
    /// What is to be said.
    told: Vec<String>,
    is_missing: bool,
}

impl Tail {
    /// Follows a log: from a position, or from the start of the file that is there. Lines of more than `limit` bytes are
    /// refused. A log that is not there is waited for.
    ///
    /// # Errors
    /// The log or its folder cannot be read.
    pub fn open(path: &Path, position: Option<&Position>, limit: usize) -> io::Result<Tail> {
        let (files, told) = (VecDeque::new(), Vec::new());
        let (older, is_missing) = (None, false);
        let reached = position.map_or(u64::MAX, |position| position.reached);
        let mut tail = Tail { path: path.to_owned(), limit, files, older, reached, told, is_missing };
        match position.map(|position| position.files.as_slice()) {
            Some([older @ .., last]) => tail.resume(older.first(), last)?,
            Some([]) => tail.behind(u64::MAX, tail.named()?)?,
            None => {
                tail.reached = tail.among(|files| Ok(files.last().map_or(0, |(time, _)| *time)))?;
                tail.files.extend(tail.named()?);
            }
        }
        if tail.files.is_empty() {
            tail.missing();
        }
        Ok(tail)
    }

    /// The file under the name, if there is one.
    fn named(&self) -> io::Result<Option<Growing>> {
        match Growing::open(&self.path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn missing(&mut self) {
        if !std::mem::replace(&mut self.is_missing, true) {
            self.told.push(format!("{}: there is no such log yet: waiting for it", self.path.display()));
        }
    }

    /// Goes on where an earlier recorder ended: the file that it read last may have another name now.
    fn resume(&mut self, older: Option<&Place>, last: &Place) -> io::Result<()> {
        if self.reached == u64::MAX {
            self.reached = older.map_or(u64::MAX, |place| place.first);
        }
        if let Some(file) = Growing::resume_at(&self.path, last)? {
            self.files.push_back(file);
            self.older = older.map(|place| self.find(place)).transpose()?.flatten();
            return Ok(());
        }
        if let Some(file) = older.map(|place| self.find(place)).transpose()?.flatten() {
            self.files.push_back(file);
        }
        let named = self.named()?;
        match self.find(last)? {
            Some(file) => self.files.push_back(file),
            None if last.head_bytes > 0 => {
                let path = self.path.display();
                self.told.push(format!(
                    "{path}: the file that was read last is gone: what was written to it since is missing, unless another file has it"
                ));
            }
            None => {}
        }
        self.behind(last.first, named)
    }

    /// Looks at the files that the log was rotated into, and once more where one went meanwhile: it has another name then.
    fn among<T>(&self, look: impl Fn(&[(u64, PathBuf)]) -> io::Result<T>) -> io::Result<T> {
        let mut tries = 0;
        loop {
            match rotated(&self.path).and_then(|files| look(&files)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    /// The rotated file that an earlier recorder took over to a place.
    fn find(&self, place: &Place) -> io::Result<Option<Growing>> {
        self.among(|files| {
            for (_, path) in files.iter().rev() {
                if let Some(file) = Growing::resume(path, place)? {
                    return Ok(Some(file));
                }
            }
            Ok(None)
        })
    }

    /// What was rotated since, and has its first event before a time (ns UTC).
    fn rotated_before(&self, time: u64) -> io::Result<Vec<Growing>> {
        let reached = self.reached;
        if reached == u64::MAX {
            return Ok(Vec::new());
        }
        self.among(|files| {
            let between = files.iter().filter(|(first, _)| (reached + 1..time).contains(first));
            between.map(|(_, path)| Growing::open(path)).collect()
        })
    }

    /// A file that was opened before it was read may have been cut in between: then copies have what stood in it.
    fn before(&mut self, first: u64) {
        match self.rotated_before(first) {
            Ok(files) => files.into_iter().rev().for_each(|file| self.files.push_front(file)),
            Err(error) => self.told.push(format!(
                "{}: {error}: what was written before the log was rotated may be missing",
                self.path.display()
            )),
        }
    }

    /// Adds what was rotated behind a file whose first event has a time, and then the one under the name. An empty file has no
    /// such time: then it is that of the one before.
    fn behind(&mut self, first: u64, named: Option<Growing>) -> io::Result<()> {
        if first != u64::MAX {
            self.reached = first;
        }
        let files = self.rotated_before(u64::MAX)?;
        let known = named.as_ref().map(|file| file.id);
        self.files.extend(files.into_iter().filter(|file| Some(file.id) != known));
        self.files.extend(named);
        Ok(())
    }

    /// What came since the last call; `None`: nothing for now.
    ///
    /// # Errors
    /// A file cannot be read; it is tried again with the next call.
    pub fn look(&mut self) -> io::Result<Option<Lines>> {
        if let Some(remark) = self.told.pop() {
            return Ok(Some(self.remark(remark)));
        }
        if let Some(mut older) = self.older.take() {
            let look = older.look(self.limit);
            let found = look.map(|look| self.lines(&older, look));
            // Also where it could not be read: what was taken of it is not taken again.
            self.older = Some(older);
            if let Some(lines) = found? {
                return Ok(Some(self.placed(lines)));
            }
        }
        loop {
            let Some(mut file) = self.files.pop_front() else {
                self.files.extend(self.named()?);
                if self.files.is_empty() {
                    self.missing();
                    return Ok(self.told.pop().map(|remark| self.remark(remark)));
                }
                continue;
            };
            let (place, first) = (file.place(), file.first);
            let look = file.look(self.limit);
            // What was read at the old offset of a file that was cut may be anything.
            let is_cut = if self.files.is_empty() { file.is_cut() } else { Ok(false) };
            match is_cut {
                Ok(false) => {}
                Ok(true) => {
                    self.cut(&place, first)?;
                    continue;
                }
                // As it was before the look.
                Err(error) => {
                    self.files.extend(Growing::resume_at(&file.path, &place)?);
                    return Err(error);
                }
            }
            let found = look.map(|look| self.lines(&file, look));
            let begins = Some(file.first).filter(|_| first == u64::MAX && self.files.is_empty());
            self.files.push_front(file);
            if let Some(first) = begins.filter(|first| *first < u64::MAX) {
                self.before(first);
            }
            if let Some(lines) = found? {
                return Ok(Some(self.placed(lines)));
            }
            if self.files.len() == 1 {
                if self.follow()? {
                    continue;
                }
                return Ok(None);
            }
            if let Some(rest) = self.pass() {
                return Ok(Some(self.placed(rest)));
            }
        }
    }

    /// The file at hand was read to its end: looks whether another one has the name, or whether it was cut. Says whether
    /// there is more to read.
    fn follow(&mut self) -> io::Result<bool> {
        let Some(file) = self.files.front() else { return Ok(false) };
        let (id, first) = (file.id, file.first);
        let about = match std::fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            about => about?,
        };
        if (about.dev(), about.ino()) != id {
            if file.is_cut()? {
                // First cut, then renamed.
                let place = file.place();
                self.cut(&place, first)?;
                return Ok(true);
            }
            // Opened before the others are looked for: what takes its name meanwhile is known by its inode.
            let Some(named) = self.named()? else { return Ok(false) };
            self.behind(first, Some(named))?;
            // The file at hand, under its new name.
            self.files = std::mem::take(&mut self.files).into_iter().enumerate().fold(VecDeque::new(), keep_first(id));
            return Ok(self.files.len() > 1);
        }
        Ok(false)
    }

    /// The file at hand was cut: goes on behind the place that was read last, where a copy has it, and from the start.
    fn cut(&mut self, place: &Place, first: u64) -> io::Result<()> {
        let mut copy = self.find(place)?;
        // What nothing was read of is among what was rotated since.
        if copy.is_none() && place.head_bytes > 0 {
            let path = self.path.display();
            self.told.push(format!(
                "{path}: the log was cut, and no copy of it was found: what was written just before is missing"
            ));
        }
        // What was read of a line is in the copy as well; and it may have been cut more than once.
        self.files.clear();
        self.files.extend(copy.take());
        let named = self.named()?;
        self.behind(first, named)
    }

    /// Leaves the first file, which was read to its end, if another one is behind it. Returns what stood behind its last
    /// line, if nobody will write on.
    fn pass(&mut self) -> Option<Lines> {
        if self.files.len() < 2 {
            return None;
        }
        let file = self.files.pop_front()?;
        if file.first != u64::MAX {
            self.reached = file.first;
        }
        let mut left = if file.may_grow() { self.older.replace(file) } else { Some(file) }?;
        let (text, at) = left.rest()?;
        Some(Tail::found(&left, text, at, None))
    }

    fn lines(&self, file: &Growing, look: Look) -> Option<Lines> {
        match look {
            Look::Nothing => None,
            Look::Lines(text, at) => Some(Tail::found(file, text, at, None)),
            Look::TooLong(length, at) => {
                let (path, limit) = (file.path.display(), self.limit);
                let remark = format!(
                    "{path} ({at:#x}): expected at most {limit} bytes in a line, found {length}: the line is not taken over"
                );
                Some(Tail::found(file, Vec::new(), at, Some(remark)))
            }
        }
    }

    fn found(file: &Growing, text: Vec<u8>, at: u64, remark: Option<String>) -> Lines {
        Lines { place: format!("{} from {at:#x}", file.path.display()), text, position: Position::default(), remark }
    }

    fn remark(&self, remark: String) -> Lines {
        let lines =
            Lines { place: String::new(), text: Vec::new(), position: Position::default(), remark: Some(remark) };
        self.placed(lines)
    }

    /// The lines with how far everything was taken over.
    fn placed(&self, lines: Lines) -> Lines {
        let files = self.older.iter().chain(self.files.front()).map(Growing::place).collect();
        Lines { position: Position { log: self.path.clone(), files, reached: self.reached }, ..lines }
    }
}

/// Leaves out files with an inode but for the first of all.
fn keep_first(id: (u64, u64)) -> impl FnMut(VecDeque<Growing>, (usize, Growing)) -> VecDeque<Growing> {
    move |mut kept, (n, file)| {
        if n == 0 || file.id != id {
            kept.push_back(file);
        }
        kept
    }
}

impl Growing {
    /// As [`Growing::resume`]; a file that is gone by now is none.
    fn resume_at(path: &Path, place: &Place) -> io::Result<Option<Growing>> {
        match Growing::resume(path, place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            done => done,
        }
    }
}

/// Follows a log until the other end of `stop` is gone, and to the end that it has then: `each` hears what came, and says
/// whether it wants more. A log that cannot be read for now is told, and tried again.
///
/// # Errors
/// Its folder cannot be watched.
pub fn follow(mut tail: Tail, stop: &PipeReader, mut each: impl FnMut(Lines) -> bool) -> io::Result<()> {
    let watch = sys::FolderWatch::new()?;
    let folder = tail.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    watch.add(folder)?;
    // The name may be a link into another folder.
    if let Some(other) = std::fs::canonicalize(&tail.path).ok().as_deref().and_then(Path::parent) {
        watch.add(other)?;
    }
    let (mut is_over, mut told) = (false, String::new());
    loop {
        watch.clear();
        loop {
            let lines = match tail.look() {
                Ok(Some(lines)) => lines,
                Ok(None) => break,
                Err(error) => {
                    let text = format!("{}: {error}: trying again", tail.path.display());
                    if text == told {
                        break;
                    }
                    told.clone_from(&text);
                    tail.remark(text)
                }
            };
            if !each(lines) {
                return Ok(());
            }
        }
        if is_over {
            return Ok(());
        }
        is_over = sys::either(watch.as_fd(), stop.as_fd(), LOOK)[1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{OpenOptions, rename};
    use std::io::Write;

    struct Log {
        folder: tempfile::TempDir,
        tail: Option<Tail>,
        position: Option<Position>,
        said: Vec<String>,
    }

    fn line(n: u32) -> String {
        format!("{{\"auditID\":\"{n}\",\"stageTimestamp\":\"2026-11-21T21:{:02}:{:02}.000000Z\"}}\n", n / 60, n % 60)
    }

    impl Log {
        fn new() -> Log {
            Log { folder: tempfile::tempdir().unwrap(), tail: None, position: None, said: Vec::new() }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn start(&mut self) {
            let path = self.path("audit.log");
            self.tail = Some(Tail::open(&path, self.position.as_ref(), 1 << 20).unwrap());
        }

        /// What comes now.
        fn read(&mut self) -> String {
            let tail = self.tail.as_mut().unwrap();
            let mut text = String::new();
            while let Some(lines) = tail.look().unwrap() {
                text.push_str(&String::from_utf8(lines.text).unwrap());
                self.said.extend(lines.remark);
                self.position = Some(lines.position);
            }
            text
        }
    }

    #[test]
    fn a_line_waits_for_its_end() {
        let mut log = Log::new();
        log.start();
        assert_eq!(log.read(), "");
        assert!(log.said[0].contains("waiting"), "{:?}", log.said);
        let (a, b) = (line(1), line(2));
        log.write("audit.log", &a[..20]);
        assert_eq!(log.read(), "");
        log.write("audit.log", &format!("{}{}", &a[20..], &b[..5]));
        assert_eq!(log.read(), a);
        log.write("audit.log", &b[5..]);
        assert_eq!(log.read(), b);
    }

    #[test]
    fn renamed_files_are_read_to_their_end_also_when_their_writer_is_slow() {
        let mut log = Log::new();
        log.write("audit.log", &line(1));
        log.start();
        assert_eq!(log.read(), line(1));
        log.write("audit.log", &line(2));
        rename(log.path("audit.log"), log.path("audit.log.1")).unwrap();
        assert_eq!(log.read(), line(2));
        log.write("audit.log.1", &line(3));
        log.write("audit.log", &line(4));
        assert_eq!(log.read(), line(3) + &line(4));
        // The writer has not noticed yet.
        log.write("audit.log.1", &line(5));
        assert_eq!(log.read(), line(5));
        // Twice between two looks.
        rename(log.path("audit.log.1"), log.path("audit.log.2")).unwrap();
        log.write("audit.log", &line(6));
        rename(log.path("audit.log"), log.path("audit.log.1")).unwrap();
        log.write("audit.log", &line(7));
        rename(log.path("audit.log.2"), log.path("audit.log.3")).unwrap();
        rename(log.path("audit.log.1"), log.path("audit.log.2")).unwrap();
        rename(log.path("audit.log"), log.path("audit.log.1")).unwrap();
        log.write("audit.log", &line(8));
        assert_eq!(log.read(), line(6) + &line(7) + &line(8));
        assert!(log.said.is_empty(), "{:?}", log.said);
    }

    #[test]
    fn copies_are_read_on_where_the_log_was_cut() {
        let mut log = Log::new();
        log.write("audit.log", &(line(1) + &line(2)));
        log.start();
        assert_eq!(log.read(), line(1) + &line(2));
        log.write("audit.log", &line(3));
        std::fs::copy(log.path("audit.log"), log.path("audit.log.1")).unwrap();
        std::fs::write(log.path("audit.log"), "").unwrap();
        log.write("audit.log", &line(4));
        assert_eq!(log.read(), line(3) + &line(4));
        // A writer that goes on at its old offset leaves a hole.
        std::fs::copy(log.path("audit.log"), log.path("audit.log.1")).unwrap();
        let mut hole = vec![0; 1 << 21];
        hole.extend_from_slice(line(5).as_bytes());
        std::fs::write(log.path("audit.log"), hole).unwrap();
        assert_eq!(log.read(), line(5));
        assert!(log.said.is_empty(), "{:?}", log.said);
        // Cut without a copy: told, and read from its start.
        std::fs::write(log.path("audit.log"), line(6)).unwrap();
        assert_eq!(log.read(), line(6));
        assert!(log.said[0].contains("was cut"), "{:?}", log.said);
    }

    #[test]
    fn what_was_rotated_and_packed_meanwhile_is_read_behind_the_position() {
        let mut log = Log::new();
        log.write("audit.log", &(line(1) + &line(2)));
        log.start();
        assert_eq!(log.read(), line(1) + &line(2));
        log.tail = None;
        log.write("audit.log", &line(3));
        let packed = |log: &Log, to: &str| {
            let text = std::fs::read(log.path("audit.log")).unwrap();
            std::fs::write(log.path(to), zstd::encode_all(text.as_slice(), 1).unwrap()).unwrap();
            std::fs::remove_file(log.path("audit.log")).unwrap();
        };
        packed(&log, "audit-2026-11-21T21-16-33.788.log.zst");
        log.write("audit.log", &line(4));
        packed(&log, "audit-2026-11-21T21-17-33.788.log.zst");
        log.write("audit.log", &line(5));
        log.start();
        assert_eq!(log.read(), line(3) + &line(4) + &line(5));
        log.tail = None;
        log.start();
        assert_eq!(log.read(), "");
        log.tail = None;
        std::fs::remove_file(log.path("audit.log")).unwrap();
        log.write("audit.log", &line(6));
        log.start();
        assert_eq!(log.read(), line(6));
        assert!(log.said[0].contains("is gone"), "{:?}", log.said);
    }

    #[test]
    fn lines_that_are_too_long_are_refused_with_their_place() {
        let mut log = Log::new();
        log.start();
        log.read();
        let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(3 << 20));
        log.write("audit.log", &(line(1) + &long + &line(2)));
        assert_eq!(log.read(), line(1) + &line(2));
        let said = log.said.last().unwrap();
        let at = line(1).len();
        assert!(
            said.contains(&format!("({at:#x}): expected at most 1048576 bytes in a line, found {}", long.len() - 1))
        );
    }
}
