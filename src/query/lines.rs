//! [`LinesQuery`]: each matching event, formatted.

use super::choose::{admits, asks};
use super::group::walk;
use crate::batch::{Batch, Error, Row};
use crate::event::{Flags, KindFlags};
use crate::field::{BufferFormat, Context, FieldRef, write_value};
use crate::filter::{Filter, Memo, Selection};
use crate::template::{Plan, Template};
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
    /// Other templates for events for which a condition holds; the first that holds. JSON has no use for them.
    pub cases: Vec<(Filter, Template)>,
    /// Data that is shown behind a line, as text.
    pub data: Option<LineData>,
}

/// Data behind a line.
#[derive(Debug, Clone)]
pub struct LineData {
    /// The field.
    pub field: FieldRef,
    /// Whether the line stands before each line of the data, not alone above all of them.
    pub each: bool,
}

/// After so many lines of a batch, room is made for the rest of it: megabytes that grow by doubling are copied as often.
const SAMPLE: usize = 512;

/// The most room that is made for lines that may not come, bytes.
const MOST_ROOM: usize = 8 << 20;

/// Which lines of calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ways {
    /// Beginnings that lie before everything in the batch, or before the moment that the context names.
    Before,
    /// All others, and all returns.
    Inside,
}

/// The lines of one batch, in row order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// The lines, each with its newline.
    pub bytes: Vec<u8>,
    /// Where each ends.
    pub ends: Vec<usize>,
    /// Number of the row in the batch that each is about.
    pub rows: Vec<u32>,
    /// Time of the last event that has a line, ns UTC.
    pub last_time: Option<u64>,
    /// Where calls have a line of their beginning, too: the time that each line tells, ns UTC, ascending.
    pub times: Vec<u64>,
}

impl LinesQuery {
    /// Lines of a template and nothing else: no JSON, no header, no events of the recorder itself.
    #[must_use]
    pub fn of(template: Template) -> LinesQuery {
        LinesQuery { template, json: false, header: None, internal: false, indent: None, cases: Vec::new(), data: None }
    }

    /// Lines of the selected rows, at most `limit`. With [`TimeFormat::DeltaPrinted`](crate::field::TimeFormat) the
    /// context's `prev_time` is where the batch before left off.
    pub fn lines(&self, batch: &Batch, selection: &Selection, ctx: &Context, limit: u64) -> Result<Lines, Error> {
        self.made(batch, selection, ctx, limit, None)
    }

    /// Lines of the selected rows as often as there are times in `before`: of the line before each, ns UTC, where that
    /// may be one of another batch.
    pub fn lines_after(
        &self,
        batch: &Batch,
        selection: &Selection,
        ctx: &Context,
        before: &[u64],
    ) -> Result<Lines, Error> {
        self.made(batch, selection, ctx, before.len() as u64, Some(before))
    }

    fn made(
        &self,
        batch: &Batch,
        selection: &Selection,
        ctx: &Context,
        limit: u64,
        before: Option<&[u64]>,
    ) -> Result<Lines, Error> {
        let mut lines = Lines::default();
        if ctx.entries {
            self.both_ways(batch, selection, ctx, Ways::Inside, &mut lines)?;
            return batch.damage().map_or(Ok(lines), |error| Err(error.clone()));
        }
        let mut ctx = *ctx;
        let cases = self.cases.iter().filter(|_| !self.json);
        let mut cases = cases
            .map(|(filter, template)| {
                let selection = filter.select(&mut Memo::default(), batch, &ctx)?;
                Ok((selection, Plan::of(template, false, batch, &ctx)))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let mut plan = Plan::of(&self.template, self.json, batch, &ctx);
        walk(
            batch,
            true,
            |kind| asks(selection, kind),
            |index, thread, kind, position| {
                if lines.ends.len() as u64 >= limit || !admits(selection, index, kind, position) {
                    return;
                }
                if let Some(&time) = before.and_then(|before| before.get(lines.ends.len())) {
                    ctx.prev_time = time;
                }
                let row = Row { batch, index, kind, position, thread };
                let start = lines.bytes.len();
                if !self.json {
                    self.indent(&row, &ctx, &mut lines.bytes);
                }
                let case = cases.iter_mut().find(|(selection, _)| admits(selection, index, kind, position));
                let plan = case.map_or(&mut plan, |(_, plan)| plan);
                let data = self.data.as_ref().filter(|_| !self.json);
                if !plan.write(&row, &ctx, &mut lines.bytes)
                    || !data.is_none_or(|data| data.write(&row, &ctx, start, &mut lines.bytes))
                {
                    lines.bytes.truncate(start);
                    return;
                }
                lines.bytes.push(b'\n');
                lines.ends.push(lines.bytes.len());
                lines.rows.push(index as u32);
                if lines.ends.len() == SAMPLE {
                    lines.make_room(index + 1, batch.rows());
                }
                if self.needs_time(&ctx) {
                    ctx.prev_time = row.time();
                    lines.last_time = Some(ctx.prev_time);
                }
            },
        )?;
        batch.damage().map_or(Ok(lines), |error| Err(error.clone()))
    }

    /// Lines of the beginning of calls that began before anything in the batch was complete, or before the context's
    /// `entries_from`: they stand among those of batches before it.
    pub fn begun_before(&self, batch: &Batch, selection: &Selection, ctx: &Context) -> Result<Lines, Error> {
        let mut lines = Lines::default();
        self.both_ways(batch, selection, ctx, Ways::Before, &mut lines)?;
        batch.damage().map_or(Ok(lines), |error| Err(error.clone()))
    }

    /// Lines of the return of calls and of their beginning, in the order of the time that they tell.
    fn both_ways(
        &self,
        batch: &Batch,
        selection: &Selection,
        ctx: &Context,
        ways: Ways,
        lines: &mut Lines,
    ) -> Result<(), Error> {
        let entry = Context { at_entry: true, ..*ctx };
        let floor = ctx.entries_from.unwrap_or(batch.head().min_time);
        walk(
            batch,
            true,
            |kind| asks(selection, kind),
            |index, thread, kind, position| {
                if !admits(selection, index, kind, position) {
                    return;
                }
                let row = Row { batch, index, kind, position, thread };
                let (is_call, begun) = (row.info().flags.has(KindFlags::CALL), row.entered());
                if is_call && (begun < floor) == (ways == Ways::Before) {
                    self.line(&row, &entry, begun, lines);
                }
                if ways == Ways::Inside && !(is_call && row.flags().has(Flags::IN_FLIGHT)) {
                    self.line(&row, ctx, row.time(), lines);
                }
            },
        )?;
        lines.sort();
        Ok(())
    }

    /// Appends the line of an event and the time that it tells, unless the template leaves it out.
    fn line(&self, row: &Row<'_>, ctx: &Context, time: u64, lines: &mut Lines) {
        if self.json {
            self.template.write_json(row, ctx, &mut lines.bytes);
        } else {
            let start = lines.bytes.len();
            self.indent(row, ctx, &mut lines.bytes);
            if !self.template.write(row, ctx, &mut lines.bytes) {
                lines.bytes.truncate(start);
                return;
            }
        }
        lines.bytes.push(b'\n');
        lines.ends.push(lines.bytes.len());
        lines.rows.push(row.index as u32);
        lines.times.push(time);
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

impl LineData {
    /// Appends the data to what stands in `out` from `start` on, which is the line, without a newline at the end.
    /// `false` if there is none.
    fn write(&self, row: &Row<'_>, ctx: &Context, start: usize, out: &mut Vec<u8>) -> bool {
        let value = self.field.value(row, ctx);
        let Value::Text(bytes) = &value else { return false };
        if bytes.is_empty() {
            return false;
        }
        let head = out.split_off(start);
        let write = |out: &mut Vec<u8>, line: &[u8]| {
            if out.len() > start {
                out.push(b'\n');
            }
            if self.each {
                out.extend_from_slice(&head);
            }
            write_value(&Value::text(line), self.field.ty, ctx, out);
        };
        if !self.each {
            out.extend_from_slice(&head);
        }
        if ctx.buffer != BufferFormat::Dots {
            write(out, bytes);
            return true;
        }
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        for line in text.split(|&b| b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !(self.each && line.is_empty()) {
                write(out, line);
            }
        }
        out.len() > start || !self.each
    }
}

impl Lines {
    /// Makes room for the lines of a batch of so many rows, of which these are those of the first `seen`.
    fn make_room(&mut self, seen: usize, rows: usize) {
        let more = |so_far: usize, most: usize| (so_far.saturating_mul(rows.saturating_sub(seen)) / seen).min(most);
        // Lines differ: a sixteenth more.
        let bytes = more(self.bytes.len(), MOST_ROOM);
        self.bytes.reserve_exact(bytes + bytes / 16);
        let lines = more(self.ends.len(), rows);
        self.ends.reserve_exact(lines);
        self.rows.reserve_exact(lines);
    }

    /// The text of a line.
    fn text(&self, n: usize) -> &[u8] {
        let start = n.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[n]]
    }

    /// Puts lines in the order of the time that they tell; those of one moment stay as they are.
    fn sort(&mut self) {
        if self.times.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        order.sort_by_key(|&n| self.times[n]);
        let mut sorted = Lines { bytes: Vec::with_capacity(self.bytes.len()), ..Lines::default() };
        for n in order {
            sorted.push(self, n);
        }
        *self = sorted;
    }

    /// Appends a line of others, which have the times that their lines tell.
    pub fn push(&mut self, from: &Lines, n: usize) {
        self.bytes.extend_from_slice(from.text(n));
        self.ends.push(self.bytes.len());
        self.rows.push(from.rows[n]);
        self.times.push(from.times[n]);
    }

    /// Keeps the first `count` lines.
    pub fn truncate(&mut self, count: usize) {
        if let Some(&last) = self.ends.get(..count).and_then(<[usize]>::last) {
            self.bytes.truncate(last);
        } else if count == 0 {
            self.bytes.clear();
        }
        self.times.truncate(count);
        self.ends.truncate(count);
        self.rows.truncate(count);
    }
}
