//! [`Reader`]: the events of logs, each once, in order of time.

use super::held::Held;
use super::pieces::{Found, Next, Pieces};
use super::seen::{Known, Seen};
use crate::event::{Arg, AuditFault, AuditPart, Event, Splitter, Taken, write_audit_id};
use crate::value::{json_items, json_member};
use std::io::Read;

/// Faults that are told one by one.
const MAX_TOLD: usize = 10;

/// Who takes the events.
pub trait Sink {
    /// Why it takes no more.
    type Error;

    /// An event, in order of time but for those that came very late.
    fn event(&mut self, event: &Event<'_>) -> Result<(), Self::Error>;
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Events, those left out not among them.
    pub events: u64,
    /// Events that were there already.
    pub repeated: u64,
    /// Lines and values that are no events.
    pub faults: u64,
    /// The first of them, each with file, line and offset.
    pub told: Vec<String>,
    /// Requests with the audit id of another one; only where these are watched ([`Reader::live`]).
    pub reused: u64,
}

/// Reads logs one after the other.
#[derive(Default)]
pub struct Reader {
    splitter: Splitter,
    seen: Seen,
    held: Held,
    counts: Counts,
    /// Time of the event that was read last, ns UTC.
    time: u64,
}

/// A log that is read beside others: the files that it was rotated into, in their order.
struct Log<R> {
    files: std::vec::IntoIter<(String, R)>,
    name: String,
    pieces: Pieces<R>,
    /// Latest time so far, ns UTC.
    latest: u64,
}

impl<R: Read> Log<R> {
    fn new(files: Vec<(String, R)>) -> Option<Log<R>> {
        let mut files = files.into_iter();
        let (name, from) = files.next()?;
        Some(Log { files, name, pieces: Pieces::new(from), latest: 0 })
    }

    /// Goes on in its next file, if there is one.
    fn next(&mut self) -> bool {
        let Some((name, from)) = self.files.next() else { return false };
        (self.name, self.pieces) = (name, Pieces::new(from));
        true
    }
}

/// What a line turned out to be.
enum Line {
    Taken,
    Fault(AuditFault),
}

#[cfg(feature = "linux")]
impl Reader {
    /// A reader of what comes piece by piece, which also watches for audit ids that several requests have.
    pub fn live() -> Reader {
        let mut reader = Reader::default();
        reader.seen.watch_ids();
        reader
    }

    /// Takes the events of a text in; they wait until [`Reader::finish`].
    pub fn take(&mut self, name: &str, text: &[u8]) {
        let mut pieces = Pieces::new(text);
        while let Ok(true) = self.step(name, &mut pieces) {}
    }

    /// Whether so many events wait that they should be given now.
    pub fn is_full(&self) -> bool {
        self.held.is_full()
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Notes an event that is kept already, so that it is not taken again: its parts as [`AuditPart`] has them, and when the
    /// request came (ns UTC).
    pub fn know(&mut self, id: &[u8], stage: &[u8], received: u64, uri: &[u8]) {
        self.seen.know(id, stage, received, uri);
    }

    /// Remarks that came up since the last call.
    pub fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.counts.told)
    }
}

impl Reader {
    /// What was read so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Reads logs to their end, whichever is behind the others; each is a row of files with names for messages.
    ///
    /// # Errors
    /// The sink takes no more. A file that cannot be read further is told, as lines that are none are.
    pub fn read<R: Read, S: Sink>(&mut self, logs: Vec<Vec<(String, R)>>, sink: &mut S) -> Result<(), S::Error> {
        let mut logs: Vec<Log<R>> = logs.into_iter().filter_map(Log::new).collect();
        while let Some(at) = (0..logs.len()).min_by_key(|&at| logs[at].latest) {
            let log = &mut logs[at];
            self.time = 0;
            let has_more = match self.step(&log.name, &mut log.pieces) {
                Ok(has_more) => has_more,
                Err(error) => {
                    self.fault(format!("{}, line {}: {error}", log.name, log.pieces.line()));
                    false
                }
            };
            log.latest = log.latest.max(self.time);
            if has_more {
                self.held.leave(false, |event| sink.event(event))?;
            } else if !log.next() {
                logs.remove(at);
            }
        }
        Ok(())
    }

    /// Gives the events that still wait.
    ///
    /// # Errors
    /// The sink takes no more.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        self.held.leave(true, |event| sink.event(event))
    }

    fn step<R: Read>(&mut self, name: &str, pieces: &mut Pieces<R>) -> std::io::Result<bool> {
        let Next::Line(range) = pieces.next()? else { return Ok(false) };
        // Most lines are one event each.
        if let Line::Taken = self.line(pieces.bytes(range.clone())) {
            pieces.take_line(range.end);
            return Ok(true);
        }
        let (line, start) = (pieces.line(), pieces.offset(range.start));
        if pieces.bytes(range.clone()).first() != Some(&b'{') {
            let fault = self.line(pieces.bytes(range));
            let Line::Fault(fault) = fault else { return Ok(true) };
            self.fault(format!("{name}, line {line} ({start:#x}): {fault}"));
            pieces.pass_line()?;
            return Ok(true);
        }
        match pieces.value()? {
            Found::Fault { at, expected } => {
                self.fault(format!("{name}, line {line} ({at:#x}): expected {expected}, found something else"));
            }
            Found::Value(range) => {
                let end = range.end;
                self.value(pieces.bytes(range), &format!("{name}, line {line} ({start:#x})"));
                pieces.take(end);
            }
        }
        Ok(true)
    }

    /// Takes a line that is an event.
    fn line(&mut self, line: &[u8]) -> Line {
        let taken =
            if line.first() == Some(&b'{') { self.splitter.split(line) } else { self.splitter.split_legacy(line) };
        match taken {
            Ok(taken) => {
                self.time = taken.event.time;
                keep(&mut self.seen, &mut self.held, &mut self.counts, &taken);
                Line::Taken
            }
            Err(fault) => Line::Fault(fault),
        }
    }

    /// Takes a value: an event, or a list of events.
    fn value(&mut self, value: &[u8], place: &str) {
        let Line::Fault(fault) = self.line(value) else { return };
        let Some(items) = json_member(value, b"items") else { return self.fault(format!("{place}: {fault}")) };
        for (n, item) in json_items(items).enumerate() {
            if let Line::Fault(fault) = self.line(item.value) {
                self.fault(format!("{place}: item {n}: {fault}"));
            }
        }
    }

    fn fault(&mut self, text: String) {
        self.counts.faults += 1;
        if self.counts.faults <= MAX_TOLD as u64 {
            self.counts.told.push(text);
        }
    }
}

/// Keeps an event that is new.
fn keep(seen: &mut Seen, held: &mut Held, counts: &mut Counts, taken: &Taken<'_>) {
    let event = &taken.event;
    let bytes =
        |part: AuditPart| event.args.get(part.place()).and_then(|arg: &Arg<'_>| arg.bytes()).unwrap_or_default();
    // As a reel can tell it again.
    let received = event.time - event.duration.unwrap_or(0);
    let known = seen.know(bytes(AuditPart::Id), bytes(AuditPart::Stage), received, bytes(AuditPart::Uri));
    if known == Known::Yes {
        counts.repeated += 1;
        return;
    }
    if known == Known::Reused {
        counts.reused += 1;
        if counts.reused <= MAX_TOLD as u64 {
            counts.told.push(reused(event));
        }
    }
    counts.events += 1;
    held.put(event);
}

/// What is to be said of an event whose audit id another request had.
fn reused(event: &Event<'_>) -> String {
    let mut id = Vec::new();
    write_audit_id(&mut id, event.args.get(AuditPart::Id.place()).and_then(|arg| arg.bytes()).unwrap_or_default());
    id.truncate(100);
    let id = String::from_utf8_lossy(&id).escape_debug().to_string();
    format!("several requests have the audit id {id}: a client may choose it (Audit-ID)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::join_audit;

    struct Texts(Vec<String>);

    impl Sink for Texts {
        type Error = std::convert::Infallible;

        fn event(&mut self, event: &Event<'_>) -> Result<(), Self::Error> {
            let mut text = Vec::new();
            join_audit(|part| event.args[part.place()], event.time, event.duration, &mut text);
            self.0.push(String::from_utf8(text).unwrap());
            Ok(())
        }
    }

    fn event(id: &str, second: u32) -> String {
        format!("{{\"auditID\":\"{id}\",\"stageTimestamp\":\"2026-11-21T21:22:{second:02}.000000Z\"}}")
    }

    fn read(text: &str) -> (Vec<String>, Counts) {
        let (mut reader, mut sink) = (Reader::default(), Texts(Vec::new()));
        let Ok(()) = reader.read(vec![vec![("x".to_owned(), text.as_bytes())]], &mut sink);
        let Ok(()) = reader.finish(&mut sink);
        (sink.0, reader.counts().clone())
    }

    #[test]
    fn events_are_found_in_every_form_once_each_and_in_order_of_time() {
        let (a, b, c) = (event("a", 1), event("b", 2), event("c", 3));
        let want = vec![a.clone(), b.clone(), c.clone()];
        let pretty = c.replace(',', ",\n  ");
        for (text, want) in [
            (format!("{a}\n{b}\n{c}\n"), want.clone()),
            (format!("{c}\r\n\n{a}\r\n{b}"), want.clone()),
            (format!("[{a},{b},\n{c}]\n"), want.clone()),
            (format!("[\n{a},\n{b}\n,{c}\n]"), want.clone()),
            (format!("{{\"kind\":\"EventList\",\"items\":[{a},{c},{b},{a}]}}"), want.clone()),
            (format!("{{\"kind\":\"EventList\",\n\"items\":[\n{a},\n{b}]}}\n{c}"), want.clone()),
            (format!("{a}{b} {c}"), want),
            (pretty.clone(), vec![pretty]),
        ] {
            let (found, counts) = read(&text);
            assert_eq!(found, want, "{text}");
            assert_eq!(counts.faults, 0, "{text}: {:?}", counts.told);
        }
    }

    #[test]
    fn logs_are_read_beside_each_other_and_their_files_one_behind_the_other() {
        // More than may wait, so that they come in order only if both are read at the same pace.
        let line = |log: &str, n: u32| {
            event(&format!("{log}{n}"), n % 60).replace("21:22", &format!("{:02}:{:02}", n / 3600, n / 60 % 60))
        };
        let text = |log: &str, from: u32, to: u32| (from..to).map(|n| line(log, n) + "\n").collect::<String>();
        let (a, b, c) = (text("a", 0, 9_000), text("a", 9_000, 30_000), text("b", 0, 30_000));
        let named = |name: &str, text: &'static str| (name.to_owned(), text.as_bytes());
        let [a, b, c] = [a, b, c].map(|text| &*text.leak());
        let (mut reader, mut sink) = (Reader::default(), Texts(Vec::new()));
        let Ok(()) = reader.read(vec![vec![named("a", a), named("b", b)], vec![named("c", c)], Vec::new()], &mut sink);
        let Ok(()) = reader.finish(&mut sink);
        assert_eq!(sink.0.len(), 60_000);
        let times: Vec<&str> = sink.0.iter().map(|text| text.rsplit_once('T').unwrap().1).collect();
        assert!(times.is_sorted());
    }

    #[test]
    fn what_is_no_event_is_told_with_its_place_and_the_rest_is_read() {
        let (a, b) = (event("a", 1), event("b", 2));
        for (text, told) in [
            (
                format!("{a}\n{{\"auditID\":\"cut\n{b}\n"),
                "x, line 2 (0x4e): expected the end of a string, found something else",
            ),
            (format!("{a}\n{{\"auditID\":\n{b}\n"), "x, line 2 (0x"),
            (format!("hello\n{a}\n{b}\n"), "x, line 1 (0x0): expected an audit event (`auditID`), found other JSON"),
            (
                format!("{a}\n{{\"kind\": 0}}\n{b}\n"),
                "x, line 2 (0x3f): expected a `stageTimestamp` (RFC 3339), found none",
            ),
            (format!("{a}\n{b}\n{{\"auditID\":\"cu"), "x, line 3"),
        ] {
            let (found, counts) = read(&text);
            assert_eq!(counts.faults, 1, "{text}: {:?}", counts.told);
            assert!(counts.told[0].starts_with(told), "{text}: {:?}", counts.told);
            assert_eq!(found, [a.clone(), b.clone()], "{text}");
        }
    }
}
