//! [`Spool`]: where the frames of a recording go: one file, or one after the other.
//!
//! Every file is a whole reel. While none can be written, a recording that rotates tries again: events wait in the
//! queues and rings meanwhile, and what does not fit there is counted by the probe and recorded as lost afterwards.

use super::error::Error;
use super::place::Place;
use super::pruner::Pruner;
use super::ring::Ring;
use super::rotate::Gauge;
use crate::reel::{self, Header, Totals, Writer};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Time between two tries, at first and at most.
const TRY_AGAIN: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// How long tries go on once the recording is to end.
const LAST_TRIES: Duration = Duration::from_secs(2);

/// How often it is looked whether the file that is written is still there.
const LOOK: Duration = Duration::from_secs(1);

/// How a recorder says something while it runs.
pub type Tell<'a> = &'a (dyn Fn(&str) + Sync);

/// What was written, all files together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
    /// Frames.
    pub frames: u64,
}

/// Where the frames of a recording go.
pub(super) struct Spool<'a> {
    header: Header,
    ring: Ring,
    place: &'a Place,
    rotates: bool,
    gauge: &'a Gauge,
    /// The recording is to end.
    ending: &'a AtomicBool,
    tell: Tell<'a>,
    writer: Option<(PathBuf, Writer)>,
    written: Written,
    /// When it was looked whether the file at hand is still there; `None`: it is not, and that was told.
    looked: Option<Instant>,
    /// It was not there under its name when that was looked at last.
    is_moved: bool,
    pruner: Pruner,
}

impl<'a> Spool<'a> {
    /// Nothing is created before the first frame.
    pub(super) fn new(
        header: Header,
        ring: Ring,
        place: &'a Place,
        rotates: bool,
        gauge: &'a Gauge,
        ending: &'a AtomicBool,
        tell: Tell<'a>,
    ) -> Spool<'a> {
        Spool {
            header,
            ring,
            place,
            rotates,
            gauge,
            ending,
            tell,
            writer: None,
            written: Written::default(),
            looked: None,
            is_moved: false,
            pruner: Pruner::default(),
        }
    }

    /// Notes what sees the events, for the headers of files to come.
    pub(super) fn seen_by(&mut self, probe: &str) {
        probe.clone_into(&mut self.header.probe);
    }

    /// Begins the first file, if that was not done.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        if self.writer.is_none() { self.open(self.header.started) } else { Ok(()) }
    }

    /// Ends the file, and begins the next with an event of a time, ns UTC.
    pub(super) fn rotate(&mut self, time: u64) -> Result<(), Error> {
        let held = self.writer.as_ref().and_then(|(_, writer)| writer.hold());
        self.close()?;
        // It must not put back what the ring takes away.
        let told = self.pruner.stop();
        self.say_all(&told);
        self.open(time)?;
        drop(held);
        self.pruner.begin(self.ring.complete(), self.ring.keep());
        Ok(())
    }

    /// Says something.
    pub(super) fn say(&self, text: &str) {
        (self.tell)(text);
    }

    fn say_all(&self, told: &[String]) {
        for text in told {
            self.say(text);
        }
    }

    /// Bytes of the file at hand.
    pub(super) fn bytes(&self) -> u64 {
        self.writer.as_ref().map_or(0, |(_, writer)| writer.bytes())
    }

    /// Writes something, trying again as long as that makes sense.
    pub(super) fn write(&mut self, mut what: impl FnMut(&mut Writer) -> Result<(), reel::Error>) -> Result<(), Error> {
        self.begin()?;
        let Some((path, mut writer)) = self.writer.take() else { return Err(Error::Thread("write")) };
        let done = self.insist(|| what(&mut writer));
        let failed = |error| Error::Write { path: path.clone(), error };
        let done = done.map_err(failed);
        self.writer = Some((path, writer));
        if self.looked.is_some_and(|last| last.elapsed() >= LOOK) {
            self.look(false);
        }
        done
    }

    /// Says, once for a file, that it was taken away while it is written. The recording goes on in it: what was written is
    /// there as long as it is open, and whoever took it away may have meant to.
    fn look(&mut self, is_end: bool) {
        if let Some(failure) = self.place.failure() {
            (self.tell)(&failure);
            self.looked = None;
        }
        let Some((path, file)) = self.writer.as_ref().and_then(|(path, writer)| Some((path, writer.file()?))) else {
            return;
        };
        if self.looked.is_none() || self.place.is_waiting() {
            return;
        }
        self.looked = Some(Instant::now());
        let Ok(own) = file.metadata() else { return };
        let is_same = |named: std::fs::Metadata| (named.dev(), named.ino()) == (own.dev(), own.ino());
        if !own.is_file() || std::fs::metadata(path).is_ok_and(is_same) {
            return;
        }
        // Whoever moves it mostly has the recorder begin the next one (a hang-up) in a moment.
        if own.nlink() > 0 && (is_end || !std::mem::replace(&mut self.is_moved, true)) {
            return;
        }
        let (path, fd, pid) = (path.display(), file.as_raw_fd(), std::process::id());
        (self.tell)(&match (own.nlink(), is_end) {
            (0, false) => format!(
                "warning: {path} was removed while it is written: the recording goes on, and is gone when it ends\nhelp: save it before that, with cp /proc/{pid}/fd/{fd} FILE"
            ),
            (0, true) => format!("warning: {path} was removed while it was written: the recording is gone"),
            _ => format!(
                "warning: {path} was moved while it is written: the recording goes on where it is now\nhelp: a hang-up (kill -HUP {pid}) begins {path} anew"
            ),
        });
        self.looked = None;
    }

    /// Ends the recording.
    pub(super) fn finish(mut self) -> Result<Written, Error> {
        self.close()?;
        let told = self.pruner.finish();
        self.say_all(&told);
        Ok(self.written)
    }

    fn open(&mut self, time: u64) -> Result<(), Error> {
        let path = self.ring.name(time);
        for (path, error) in self.ring.make_room(&path) {
            (self.tell)(&format!("warning: {}: {error}, so the ring has a file more", path.display()));
        }
        let header = Header { started: time, link: self.ring.link().clone(), ..self.header.clone() };
        let failed = |error| Error::Write { path: path.clone(), error };
        let mut writer = if self.rotates {
            self.insist(|| Writer::replace(&path, &header)).map_err(failed)?
        } else {
            self.place.begin(&path, &header).map_err(failed)?
        };
        writer.hurry();
        (self.looked, self.is_moved) = (Some(Instant::now()), false);
        self.gauge.file(writer.bytes());
        self.ring.begun(path.clone(), time);
        self.written.files += 1;
        self.writer = Some((path, writer));
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        self.look(true);
        let Some((path, mut writer)) = self.writer.take() else { return Ok(()) };
        let failed = |error| Error::Write { path: path.clone(), error };
        // The sums are tried for; without what comes behind them a file is still whole.
        self.insist(|| writer.close_segment()).map_err(failed)?;
        let so_far = writer.totals();
        let totals = match writer.finish() {
            Err(error) if self.rotates => {
                (self.tell)(&format!("warning: {}", first_line(&error)));
                so_far
            }
            done => done.map_err(failed)?,
        };
        self.count(totals);
        self.ring.ended(&path, totals.hash);
        Ok(())
    }

    fn count(&mut self, totals: Totals) {
        self.written.bytes += totals.bytes;
        self.written.frames += u64::from(totals.frames);
    }

    /// Tries until it works: on a full disk the oldest file of a ring makes room.
    fn insist<T>(&mut self, mut what: impl FnMut() -> Result<T, reel::Error>) -> Result<T, reel::Error> {
        let mut nap = TRY_AGAIN[0];
        let mut told = false;
        let mut ended: Option<Instant> = None;
        loop {
            let error = match what() {
                Ok(done) => {
                    if told {
                        self.place.set_stuck(false);
                        (self.tell)("note: writing goes on");
                    }
                    return Ok(done);
                }
                Err(error) => error,
            };
            let is_full = matches!(error, reel::Error::Full { .. }) || is_full(&error);
            if !self.rotates || !(is_full || matches!(error, reel::Error::Io { .. })) {
                return Err(error);
            }
            if is_full && self.ring.may_drop() {
                let dropped = self.ring.drop_oldest();
                let (path, why) = dropped
                    .map_or_else(|(path, e)| (path, format!("cannot go: {e}")), |path| (path, "made room".to_owned()));
                (self.tell)(&format!("warning: the disk is full: the oldest file, {}, {why}", path.display()));
                continue;
            }
            if self.ending.load(Ordering::Relaxed) && ended.get_or_insert_with(Instant::now).elapsed() >= LAST_TRIES {
                return Err(error);
            }
            if !std::mem::replace(&mut told, true) {
                self.place.set_stuck(true);
                let first = first_line(&error);
                (self.tell)(&format!("warning: {first}; trying again, and events wait for it"));
            }
            std::thread::sleep(nap);
            nap = (nap * 2).min(TRY_AGAIN[1]);
        }
    }
}

/// Whether a file could not be begun because the disk is full.
fn is_full(error: &reel::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error, reel::Error::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
}

fn first_line(error: &reel::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Rotation, import_audit};
    use crate::policy::Keep;
    use crate::reel::{Link, Reader};

    #[test]
    fn older_files_of_a_row_are_pruned_when_the_next_begins() {
        let folder = tempfile::tempdir().unwrap();
        let (path, log) = (folder.path().join("x"), folder.path().join("log"));
        let event = |id: &str| {
            format!(
                "{{\"auditID\":\"{id}\",\"requestObject\":{{\"a\":1}},\"stageTimestamp\":\"2020-11-21T12:00:0{id}.000000Z\"}}\n"
            )
        };
        std::fs::write(&log, event("1") + &event("2")).unwrap();
        let input = crate::source::scap::open(&log).unwrap();
        let link = Link { sequence: 1, row: 5, naming: "x".to_owned(), ..Link::default() };
        let create = |header: &Header| {
            let failed = |error| Error::Write { path: path.clone(), error };
            Writer::create(&folder.path().join("x0"), &Header { link, ..header.clone() }).map_err(failed)
        };
        import_audit(vec![vec![("log".to_owned(), input)]], create, &mut |_, _| {}).unwrap();
        let keep = Keep::parse(["Request=1d"]).unwrap();
        let rotation = Rotation { events: Some(1), keep, ..Rotation::default() };
        let ring = Ring::open(&path, &rotation, 50).unwrap();
        let (place, gauge, ending) = (Place::default(), Gauge::default(), AtomicBool::new(false));
        let told = std::sync::Mutex::new(Vec::new());
        let tell = |text: &str| told.lock().unwrap().push(text.to_owned());
        let mut spool = Spool::new(Header::default(), ring, &place, true, &gauge, &ending, &tell);
        spool.begin().unwrap();
        spool.rotate(60).unwrap();
        spool.finish().unwrap();
        let told = told.into_inner().unwrap().join("\n");
        assert!(told.contains("x0: of 2 audit events 0 went, 0 lost their response and 2 both bodies"), "{told}");
        let reader = Reader::open(&folder.path().join("x0")).unwrap();
        assert_eq!(reader.header().pruned.as_ref().map(|pruned| pruned.bodies), Some([0, 2]));
        assert_eq!((reader.header().link.sequence, reader.header().link.row), (1, 5));
    }
}
