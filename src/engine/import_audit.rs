//! Kubernetes audit logs as reels.

use super::assembler::Assembler;
use super::error::Error;
use super::import::{Progress, beside_a_writer};
use crate::batch::Columns;
use crate::event::Event;
use crate::reel::{Header, Totals, Writer};
use crate::source::audit::{Counts, Reader, Sink};
use crate::source::scap::Input;
use crossbeam_channel::Receiver;

/// Events between two looks at how far it is.
const TOLD_EVERY: u64 = 1 << 14;

/// What an import of audit logs came to.
#[derive(Debug, Clone)]
pub struct ImportedLogs {
    /// What was read.
    pub counts: Counts,
    /// What was written.
    pub written: Totals,
}

/// Reads logs beside each other, each a row of files with names, and writes them as a reel, whose file `create` makes of its header.
///
/// # Errors
/// The reel cannot be written. Lines that are no events are none: see [`Counts`].
pub fn import_audit(
    logs: Vec<Vec<(String, Input)>>,
    create: impl FnOnce(&Header) -> Result<Writer, Error>,
    progress: Progress<'_>,
) -> Result<ImportedLogs, Error> {
    let header = Header {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        probe: "audit log".to_owned(),
        ..Header::default()
    };
    let writer = create(&header)?;
    let (counts, written) =
        beside_a_writer(writer, |assembler, recycle| read_all(logs, &mut Into { assembler, recycle }, progress))?;
    Ok(ImportedLogs { counts, written })
}

fn read_all(logs: Vec<Vec<(String, Input)>>, into: &mut Into, progress: Progress<'_>) -> Result<Counts, Error> {
    let mut reader = Reader::default();
    let inputs = || logs.iter().flatten().map(|(_, input)| input);
    let all: u64 = inputs().map(|input| input.progress().1).sum();
    let counters: Vec<_> = inputs().map(Input::counter).collect();
    let mut count = 0u64;
    let mut told = |_: &Event<'_>| {
        count += 1;
        if count.is_multiple_of(TOLD_EVERY) {
            progress(counters.iter().map(|read| read()).sum(), all);
        }
    };
    reader.read(logs, &mut Each { into, told: &mut told })?;
    reader.finish(into)?;
    into.assembler.begin(0)?;
    for note in remarks(reader.counts()) {
        into.assembler.note(&note)?;
    }
    into.assembler.finish(into.assembler.latest())?;
    Ok(reader.counts().clone())
}

/// What whoever reads the reel should know.
fn remarks(counts: &Counts) -> Vec<String> {
    let mut notes: Vec<String> = counts.told.iter().map(|text| format!("import: {text}")).collect();
    if counts.faults > counts.told.len() as u64 {
        notes.push(format!("import: {} lines or values are no audit events and were passed over", counts.faults));
    }
    if counts.repeated > 0 {
        notes.push(format!("import: {} events were there twice and count once", counts.repeated));
    }
    notes
}

/// Events into an assembler.
struct Into {
    assembler: Assembler<Error>,
    recycle: Receiver<Columns>,
}

impl Sink for Into {
    type Error = Error;

    fn event(&mut self, event: &Event<'_>) -> Result<(), Error> {
        self.assembler.event(event)?;
        if self.assembler.open_rows() == 0 {
            self.assembler.take_wants();
            while let Ok(columns) = self.recycle.try_recv() {
                self.assembler.recycle(columns);
            }
        }
        Ok(())
    }
}

/// The same, with a word about each.
struct Each<'a, 'b> {
    into: &'a mut Into,
    told: &'b mut dyn FnMut(&Event<'_>),
}

impl Sink for Each<'_, '_> {
    type Error = Error;

    fn event(&mut self, event: &Event<'_>) -> Result<(), Error> {
        (self.told)(event);
        self.into.event(event)
    }
}
