//! A reel as small as it gets: every batch as large as a batch may be, each segment's dictionary as one, all with
//! zstd's patience. Nothing is left out, and no number changes.

use crate::batch::{Columns, Encoder, Schema, Table};
use crate::event::kinds;
use crate::reel::{Error, Part, Reader, Totals, Writer};

/// Level of zstd: those above take three times as long for a hundredth.
const LEVEL: i32 = 15;

/// Writes all of a reel again; `progress` hears how many rows are done.
pub fn repack(reader: &Reader, mut writer: Writer, progress: &mut dyn FnMut(u64)) -> Result<Totals, Error> {
    let (mut encoder, mut done) = (Encoder::with_level(LEVEL), 0);
    writer.take_pains();
    for (index, info) in reader.segments().iter().enumerate() {
        let Some(schema) = &info.schema else {
            return Err(Error::Encode(format!("expected the kinds of segment {}, found none", info.number)));
        };
        writer.begin_segment(schema, &info.clocks)?;
        writer.dictionary(&reader.delta(index)?)?;
        let mut open = Open::new(schema, &mut writer, &mut encoder);
        for batch in reader.snapshots(index).chain(reader.batches(index)) {
            let columns = batch?.columns().map_err(|error| encode(&error))?;
            done += columns.rows() as u64;
            open.take(columns)?;
            progress(done);
        }
        open.write()?;
        for part in reader.parts(index)? {
            if let Part::Aside(aside) = part {
                writer.aside(&aside)?;
            }
        }
    }
    writer.finish()
}

/// The batch that is not full yet.
pub(super) struct Open<'a> {
    columns: Option<Columns>,
    schema: &'a Schema,
    writer: &'a mut Writer,
    encoder: &'a mut Encoder,
}

impl<'a> Open<'a> {
    /// None so far, of a segment with these kinds.
    pub(super) fn new(schema: &'a Schema, writer: &'a mut Writer, encoder: &'a mut Encoder) -> Open<'a> {
        Open { columns: None, schema, writer, encoder }
    }

    /// The writer, for what stands beside batches or before them.
    pub(super) fn writer(&mut self) -> &mut Writer {
        self.writer
    }

    /// Puts the rows that come next behind those that wait, which are written where both are too many for a batch.
    pub(super) fn take(&mut self, next: Columns) -> Result<(), Error> {
        if self.columns.as_ref().is_some_and(|columns| self.is_audit(columns) != self.is_audit(&next)) {
            self.write()?;
        }
        let next = match &mut self.columns {
            Some(columns) => columns.append(next).err(),
            None => Some(next),
        };
        if let Some(next) = next {
            self.write()?;
            self.columns = Some(next);
        }
        Ok(())
    }

    /// Whether there are audit events alone: readers find their places among the others by that.
    fn is_audit(&self, columns: &Columns) -> bool {
        let name = |table: &Table| self.schema.kinds.get(usize::from(table.kind)).map(|info| info.name.as_str());
        columns.tables.iter().all(|table| name(table) == Some(kinds::K8SAUDIT.spec().name))
    }

    /// Writes what waits.
    pub(super) fn write(&mut self) -> Result<(), Error> {
        let Some(mut columns) = self.columns.take() else { return Ok(()) };
        columns.share(self.schema);
        let encoded = self.encoder.encode(&columns, self.schema).map_err(|error| encode(&error))?;
        if columns.snapshot { self.writer.snapshot(&encoded) } else { self.writer.batch(&encoded) }
    }
}

fn encode(error: &crate::batch::Error) -> Error {
    Error::Encode(error.to_string())
}
