//! A reel as small as it gets: every batch as large as a batch may be, each segment's dictionary as one, all with
//! zstd's patience. Nothing is left out, and no number changes.

use crate::batch::{Columns, Encoder, Schema};
use crate::reel::{Aside, Error, Reader, Totals, Writer};

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
        let mut open = Open { columns: None, schema, writer: &mut writer, encoder: &mut encoder };
        for batch in reader.snapshots(index).chain(reader.batches(index)) {
            let columns = batch?.columns().map_err(|error| encode(&error))?;
            done += columns.rows() as u64;
            open.take(columns)?;
            progress(done);
        }
        open.write()?;
        for aside in reader.asides(index)? {
            match aside {
                Aside::Late(facts) => writer.late(&facts)?,
                Aside::Loss(loss) => writer.loss(&loss)?,
                Aside::Note(note) => writer.note(&note)?,
            }
        }
    }
    writer.finish()
}

/// The batch that is not full yet.
struct Open<'a> {
    columns: Option<Columns>,
    schema: &'a Schema,
    writer: &'a mut Writer,
    encoder: &'a mut Encoder,
}

impl Open<'_> {
    fn take(&mut self, next: Columns) -> Result<(), Error> {
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

    fn write(&mut self) -> Result<(), Error> {
        let Some(mut columns) = self.columns.take() else { return Ok(()) };
        columns.share(self.schema);
        let encoded = self.encoder.encode(&columns, self.schema).map_err(|error| encode(&error))?;
        if columns.snapshot { self.writer.snapshot(&encoded) } else { self.writer.batch(&encoded) }
    }
}

fn encode(error: &crate::batch::Error) -> Error {
    Error::Encode(error.to_string())
}
