//! [`LinesQuery`]: each matching event, formatted.

use super::choose::{admits, asks};
use super::group::walk;
use crate::batch::{Batch, Error, Row};
use crate::field::{Context, FieldRef};
use crate::filter::Selection;
use crate::template::Template;
use crate::value::Value;

/// Blanks for each level of indentation, as in sysdig's `spy_users`.
const LEVEL: usize = 3;

/// Levels that are shown by indentation.
const MAX_LEVELS: usize = 64;

/// Each matching event, formatted.
#[derive(Debug, Clone)]
pub struct LinesQuery {
    /// How.
    pub template: Template,
    /// One JSON object per line instead.
    pub json: bool,
    /// A line above them; not in JSON.
    pub header: Option<String>,
    /// Whether events of the recorder itself are shown.
    pub internal: bool,
    /// A number of levels by which a line is indented; not in JSON.
    pub indent: Option<FieldRef>,
}

/// The lines of one batch, in row order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// The lines, each with its newline.
    pub bytes: Vec<u8>,
    /// Where each ends.
    pub ends: Vec<usize>,
    /// Time of the last event that has a line, ns UTC.
    pub last_time: Option<u64>,
}

impl LinesQuery {
    /// Lines of the selected rows, at most `limit`. With [`TimeFormat::DeltaPrinted`](crate::field::TimeFormat) the
    /// context's `prev_time` is where the batch before left off.
    pub fn lines(&self, batch: &Batch, selection: &Selection, ctx: &Context, limit: u64) -> Result<Lines, Error> {
        let mut lines = Lines::default();
        let mut ctx = *ctx;
        walk(
            batch,
            true,
            |kind| asks(selection, kind),
            |index, thread, kind, position| {
                if lines.ends.len() as u64 >= limit || !admits(selection, index, kind, position) {
                    return;
                }
                let row = Row { batch, index, kind, position, thread };
                if self.json {
                    self.template.write_json(&row, &ctx, &mut lines.bytes);
                } else {
                    let start = lines.bytes.len();
                    self.indent(&row, &ctx, &mut lines.bytes);
                    if !self.template.write(&row, &ctx, &mut lines.bytes) {
                        lines.bytes.truncate(start);
                        return;
                    }
                }
                lines.bytes.push(b'\n');
                lines.ends.push(lines.bytes.len());
                if self.needs_time(&ctx) {
                    ctx.prev_time = row.time();
                    lines.last_time = Some(ctx.prev_time);
                }
            },
        )?;
        batch.damage().map_or(Ok(lines), |error| Err(error.clone()))
    }

    /// Appends the blanks before a line.
    fn indent(&self, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
        if let Some(Value::Uint(levels)) = self.indent.as_ref().map(|field| field.value(row, ctx)) {
            out.resize(out.len() + LEVEL * usize::try_from(levels).map_or(MAX_LEVELS, |n| n.min(MAX_LEVELS)), b' ');
        }
    }

    /// Whether a line depends on the one before.
    pub fn needs_time(&self, ctx: &Context) -> bool {
        ctx.time_format == crate::field::TimeFormat::DeltaPrinted
    }
}

impl Lines {
    /// Keeps the first `count` lines.
    pub fn truncate(&mut self, count: usize) {
        if let Some(&last) = self.ends.get(..count).and_then(<[usize]>::last) {
            self.bytes.truncate(last);
        } else if count == 0 {
            self.bytes.clear();
        }
        self.ends.truncate(count);
    }
}
