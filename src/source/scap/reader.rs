//! [`Reader`]: a capture from its first block to its last.

use super::error::Error;
use super::input::begins_section;
use super::rows::{self, FileFlags};
use super::sink::Sink;
use super::translate::{Counts, Translator};
use crate::event::OwnedEvent;
use crate::format::scap::RawEvent;
use crate::format::scap::block::{Block, MAJOR};
use crate::format::scap::meta::{self, Machine};
use crate::format::scap::stream::{Damages, Frame, Stream};
use std::collections::BTreeSet;
use std::io::Read;

/// Rows of the initial state that are kept while the tables are read: a hostile file may have any number of them.
const MAX_ROWS: usize = 4_000_000;

/// A capture that is being read.
pub struct Reader<R> {
    stream: Stream<R>,
    translator: Translator,
    machine: Machine,
    version: (u16, u16),
    sections: u32,
    tables: Tables,
    next: Option<Frame>,
    num: u64,
    /// Time of the first event, ns UTC.
    first: u64,
}

/// The tables at the start of a section.
#[derive(Default)]
struct Tables {
    accounts: Vec<OwnedEvent>,
    threads: Vec<OwnedEvent>,
    /// Bodies of the lists of descriptors, with their versions: which ports are served is known when all have been read.
    descriptors: Vec<(u8, Vec<u8>)>,
    rows: usize,
}

/// What a capture came to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Its events.
    pub counts: Counts,
    /// Sections: more than one where files were put one behind the other.
    pub sections: u32,
    /// What is wrong with it.
    pub damages: Damages,
}

impl<R: Read> Reader<R> {
    /// Reads up to the first event.
    ///
    /// # Errors
    /// It is no scap, or of a later version.
    pub fn new(input: R) -> Result<Reader<R>, Error> {
        let mut reader = Reader {
            stream: Stream::new(input),
            translator: Translator::new(),
            machine: Machine::default(),
            version: (0, 0),
            sections: 0,
            tables: Tables::default(),
            next: None,
            num: 0,
            first: 0,
        };
        match reader.stream.start() {
            start if begins_section(start) => {}
            start => {
                let found: Vec<String> = start.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                return Err(Error::NotScap(if found.is_empty() { "nothing".to_owned() } else { found.join(" ") }));
            }
        }
        reader.next = reader.tables()?;
        if let Some(frame) = reader.next {
            let event = RawEvent::parse(frame.block, reader.stream.body(frame));
            reader.first = event.map_or(0, |event| event.time);
        }
        Ok(reader)
    }

    /// What the capture says of its machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Version of its format: major and minor.
    pub fn version(&self) -> (u16, u16) {
        self.version
    }

    /// Time of its first event, ns UTC; 0 where it has none.
    pub fn first_time(&self) -> u64 {
        self.first
    }

    /// Where its bytes come from.
    pub fn input(&self) -> &R {
        self.stream.input()
    }

    /// What was found so far.
    pub fn summary(&self) -> Summary {
        Summary { counts: self.translator.counts(), sections: self.sections, damages: self.stream.damages().clone() }
    }

    /// Hands the next event to a sink, and before the first one of a section its tables; `false` at the end.
    pub fn step<S: Sink>(&mut self, sink: &mut S) -> Result<bool, S::Error> {
        self.hand_tables(sink)?;
        let Some(frame) = self.next.take().or_else(|| self.stream.next()) else {
            self.translator.finish(sink)?;
            return Ok(false);
        };
        match frame.block {
            Block::Event { .. } => match RawEvent::parse(frame.block, self.stream.body(frame)) {
                Ok(event) => {
                    self.num += 1;
                    self.translator.take(&event, self.num, sink)?;
                }
                Err(what) => self.stream.damaged(frame, what),
            },
            Block::Other => {}
            _ => {
                self.translator.finish(sink)?;
                if frame.block == Block::Section {
                    sink.section()?;
                }
                if self.table(frame).is_err() {
                    self.stream.damaged(frame, "expected version 1, found a later one");
                }
                match self.tables() {
                    Ok(next) => self.next = next,
                    Err(_) => self.stream.damaged(frame, "expected version 1, found a later one"),
                }
            }
        }
        Ok(true)
    }

    /// Reads tables up to the first event.
    fn tables(&mut self) -> Result<Option<Frame>, Error> {
        while let Some(frame) = self.stream.next() {
            if matches!(frame.block, Block::Event { .. }) {
                return Ok(Some(frame));
            }
            self.table(frame)?;
        }
        Ok(None)
    }

    fn table(&mut self, frame: Frame) -> Result<(), Error> {
        let body = self.stream.body(frame);
        let tables = &mut self.tables;
        let whole = match frame.block {
            Block::Section => {
                self.sections += 1;
                let half = |at: usize| {
                    body.get(at..at + 2).and_then(|b| b.first_chunk()).map_or(0, |b| u16::from_le_bytes(*b))
                };
                let version = (half(4), half(6));
                if version.0 > MAJOR {
                    return Err(Error::Version(version.0, version.1));
                }
                self.version = version;
                Ok(())
            }
            Block::Machine => meta::machine(body).map(|machine| self.machine = machine),
            Block::Threads(version) => meta::threads(version, body, |thread| {
                if tables.room() {
                    tables.threads.push(rows::thread(&thread));
                }
            }),
            Block::Descriptors(version) => {
                if tables.room() {
                    tables.descriptors.push((version, body.to_vec()));
                }
                Ok(())
            }
            Block::Users(version) => meta::accounts(version, body, |account| {
                if tables.room() {
                    tables.accounts.push(rows::account(&account));
                }
            }),
            Block::Interfaces(version) => {
                let mut number = 0;
                meta::interfaces(version, body, |interface| {
                    number += 1;
                    if tables.room() {
                        tables.accounts.push(rows::interface(number, &interface));
                    }
                })
            }
            Block::Other | Block::Event { .. } => Ok(()),
        };
        if whole.is_err() {
            self.stream.damaged(frame, "expected whole entries, found one that is cut");
        }
        Ok(())
    }

    fn hand_tables<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        if self.tables.rows == 0 {
            return Ok(());
        }
        let tables = std::mem::take(&mut self.tables);
        for row in tables.accounts.iter().chain(&tables.threads) {
            sink.initial(&row.event())?;
        }
        let mut served = BTreeSet::new();
        let mut cut = 0;
        for (version, body) in &tables.descriptors {
            cut += u64::from(meta::descriptors(*version, body, |_, d| served.extend(rows::served(&d))).is_err());
        }
        let flags = FileFlags::new();
        let mut result = Ok(());
        for (version, body) in &tables.descriptors {
            meta::descriptors(*version, body, |tid, descriptor| {
                if result.is_ok() {
                    result = sink.initial(&rows::descriptor(tid as u32, &descriptor, &served, &flags).event());
                }
            })
            .ok();
        }
        if cut > 0 {
            self.stream.note(&format!("expected whole lists of descriptors, found {cut} that are cut"));
        }
        result
    }
}

impl Tables {
    fn room(&mut self) -> bool {
        self.rows += 1;
        self.rows <= MAX_ROWS
    }
}
