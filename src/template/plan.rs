//! [`Plan`]: a template for the rows of one batch, by what its parts depend on.
//!
//! What depends on the thread alone is made once per thread of the batch and copied from then on, constant text around it
//! included; so it is with kinds and descriptors. Numbers and times have writers of their own. What is left goes the way of
//! single rows. A plan writes what [`Template::write`] and [`Template::write_json`] write, which stays the meaning of both.

use super::json::{self, Key, Of};
use super::line::{Piece, fit};
use super::{Form, Template, csv};
use crate::batch::{Batch, Row};
use crate::field::{Column, Context, Extract, FieldRef, InfoPlan, TimeFormat};
use crate::value::{Clock, Fixed, Texts, write_u64};

/// A template for the rows of one batch.
pub struct Plan<'t, 'b> {
    template: &'t Template,
    json: bool,
    steps: Vec<Step<'t>>,
    info: InfoPlan<'b>,
    clock: Clock,
}

/// What a text depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The kind, where the row has no flags.
    Kind,
    Thread,
    Desc,
}

/// A part of a line.
enum Cell<'t> {
    Text(Vec<u8>),
    Piece(&'t Piece),
    /// The value of a key.
    Json(&'t Key),
    /// A column of CSV.
    Csv(&'t Key),
}

enum Step<'t> {
    Text(Fixed, Vec<u8>),
    Num,
    Cpu,
    /// Local time of day.
    Clock,
    /// Nanoseconds since 1970 UTC.
    Time,
    /// `evt.info`, in a width.
    Info(Option<usize>),
    InfoString,
    InfoColumn,
    Kept(By, Texts, Vec<Cell<'t>>),
    Cell(Cell<'t>),
}

impl<'t, 'b> Plan<'t, 'b> {
    /// For rows of a batch; `ctx` says the same for all of them, but for the time of the line before.
    pub fn of(template: &'t Template, json: bool, batch: &'b Batch, ctx: &Context) -> Plan<'t, 'b> {
        let mut maker = Maker { steps: Vec::new(), batch, ctx };
        if json {
            maker.json(&template.keys);
        } else if template.form == Form::Csv {
            maker.csv(&template.columns);
        } else if template.form == Form::Text {
            template.pieces.iter().for_each(|piece| maker.piece(piece));
        }
        Plan { template, json, steps: maker.steps, info: InfoPlan::of(batch), clock: Clock::default() }
    }

    /// Appends the line of a row, without a newline. `false`, and nothing appended, if the template leaves it out.
    pub fn write(&mut self, row: &Row<'b>, ctx: &Context, out: &mut Vec<u8>) -> bool {
        if self.json && ctx.at_entry {
            self.template.write_json(row, ctx, out);
            return true;
        }
        if ctx.at_entry || !self.json && (ctx.tells_unrecorded || self.template.form == Form::Coloured) {
            return self.template.write(row, ctx, out);
        }
        let start = out.len();
        for step in &mut self.steps {
            let written = step.write(row, ctx, (&mut self.info, &mut self.clock), out);
            if !written && !self.template.keeps_missing {
                out.truncate(start);
                return false;
            }
        }
        true
    }
}

impl Step<'_> {
    /// Appends its text; whether there was a value.
    #[inline]
    fn write<'b>(
        &mut self,
        row: &Row<'b>,
        ctx: &Context,
        (info, clock): (&mut InfoPlan<'b>, &mut Clock),
        out: &mut Vec<u8>,
    ) -> bool {
        match self {
            Step::Text(text, _) => text.put(out),
            Step::Num => write_u64(out, row.num()),
            Step::Cpu => write_u64(out, u64::from(row.cpu())),
            Step::Clock => clock.write(out, row.time(), |time| ctx.offset_s(time)),
            Step::Time => write_u64(out, row.time()),
            Step::Info(width) => {
                let from = out.len();
                info.write(row, ctx, out);
                if let Some(width) = width {
                    fit(out, from, *width);
                }
            }
            Step::InfoString => json::write_string(out, |out| info.write(row, ctx, out)),
            Step::InfoColumn => {
                let from = out.len();
                info.write(row, ctx, out);
                csv::quote(out, from, true);
            }
            Step::Kept(by, texts, cells) => {
                let thing = match by {
                    By::Kind if row.flags().0 != 0 => return all(cells, row, ctx, out),
                    By::Kind => row.kind,
                    By::Thread => usize::from(row.thread),
                    By::Desc => row.desc_row().unwrap_or(0) as usize,
                };
                return texts.put(thing, out, |out| all(cells, row, ctx, out));
            }
            Step::Cell(cell) => return cell.write(row, ctx, out),
        }
        true
    }
}

/// Appends some parts; whether all had a value.
fn all(cells: &[Cell<'_>], row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) -> bool {
    // All are written, also behind one that has none.
    let mut whole = true;
    for cell in cells {
        whole &= cell.write(row, ctx, out);
    }
    whole
}

impl Cell<'_> {
    fn write(&self, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) -> bool {
        match self {
            Cell::Text(text) => out.extend_from_slice(text),
            Cell::Piece(piece) => return piece.write(row, ctx, out),
            Cell::Json(key) => json::write_one(key, row, ctx, out),
            Cell::Csv(column) => csv::write_one(column, row, ctx, out),
        }
        true
    }
}

/// Makes the steps of a plan.
struct Maker<'t, 'b, 'c> {
    steps: Vec<Step<'t>>,
    batch: &'b Batch,
    ctx: &'c Context,
}

impl<'t> Maker<'t, '_, '_> {
    fn piece(&mut self, piece: &'t Piece) {
        match piece {
            Piece::Text(text) => self.text(text),
            Piece::Field(field, None) if field.field.name == "evt.time" => self.steps.push(Step::Clock),
            Piece::OutputTime(_) if self.is_time_of_day() => self.steps.push(Step::Clock),
            Piece::Info(_, width) => self.steps.push(Step::Info(*width)),
            Piece::Name(field, _) => self.cell(Some(field), Cell::Piece(piece)),
            Piece::Field(field, width) => {
                let number = width.is_none().then(|| number(field)).flatten();
                self.cell_or(number, Some(field), Cell::Piece(piece));
            }
            Piece::OutputTime(_) | Piece::Made(..) => self.cell(None, Cell::Piece(piece)),
        }
    }

    fn json(&mut self, keys: &'t [Key]) {
        self.text(b"{");
        for (n, key) in keys.iter().enumerate() {
            if n > 0 {
                self.text(b",");
            }
            self.text(&key.text);
            match &key.of {
                Of::Info => self.steps.push(Step::InfoString),
                Of::OutputTime(_) if self.is_time_of_day() => self.steps.push(Step::Time),
                Of::Field(field) if field.field.name == "evt.time" => {
                    self.text(b"\"");
                    self.steps.push(Step::Clock);
                    self.text(b"\"");
                }
                Of::Field(field) => self.cell_or(number(field), Some(field), Cell::Json(key)),
                Of::OutputTime(_) | Of::Made(_) => self.cell(None, Cell::Json(key)),
            }
        }
        self.text(b"}");
    }

    fn csv(&mut self, columns: &'t [Key]) {
        for (n, column) in columns.iter().enumerate() {
            if n > 0 {
                self.text(b",");
            }
            match &column.of {
                Of::Info => self.steps.push(Step::InfoColumn),
                Of::OutputTime(_) if self.is_time_of_day() => self.steps.push(Step::Clock),
                Of::Field(field) if field.field.name == "evt.time" => self.steps.push(Step::Clock),
                Of::Field(field) => self.cell_or(number(field), Some(field), Cell::Csv(column)),
                Of::OutputTime(_) | Of::Made(_) => self.cell(None, Cell::Csv(column)),
            }
        }
    }

    fn is_time_of_day(&self) -> bool {
        self.ctx.time_format == TimeFormat::TimeOfDay
    }

    /// Constant text joins what stands before it.
    fn text(&mut self, text: &[u8]) {
        match self.steps.last_mut() {
            Some(Step::Kept(.., cells)) => cells.push(Cell::Text(text.to_vec())),
            Some(Step::Text(fixed, all)) => {
                all.extend_from_slice(text);
                *fixed = Fixed::new(all);
            }
            _ => self.steps.push(Step::Text(Fixed::new(text), text.to_vec())),
        }
    }

    fn cell_or(&mut self, step: Option<Step<'t>>, field: Option<&FieldRef>, cell: Cell<'t>) {
        match step {
            Some(step) => self.steps.push(step),
            None => self.cell(field, cell),
        }
    }

    /// A part joins those before it that depend on the same, and the constant text before them.
    fn cell(&mut self, field: Option<&FieldRef>, cell: Cell<'t>) {
        let Some(by) = field.and_then(by) else { return self.steps.push(Step::Cell(cell)) };
        match self.steps.pop() {
            Some(Step::Kept(before, texts, mut cells)) if before == by => {
                cells.push(cell);
                self.steps.push(Step::Kept(by, texts, cells));
            }
            Some(Step::Text(_, text)) => {
                self.steps.push(Step::Kept(by, Texts::new(self.count(by)), vec![Cell::Text(text), cell]));
            }
            before => {
                self.steps.extend(before);
                self.steps.push(Step::Kept(by, Texts::new(self.count(by)), vec![cell]));
            }
        }
    }

    fn count(&self, by: By) -> usize {
        match by {
            By::Kind => self.batch.head().kinds.len(),
            By::Thread => self.batch.head().threads.len(),
            By::Desc => self.batch.dict().descs.len(),
        }
    }
}

/// What the value of a field depends on, if that is less than a row.
fn by(field: &FieldRef) -> Option<By> {
    match field.field.extract {
        Extract::Kind(_) | Extract::Column(Column::Flags, _) => Some(By::Kind),
        Extract::Thread(_) => Some(By::Thread),
        Extract::Descriptor(_) => Some(By::Desc),
        Extract::Number(_) | Extract::Column(..) | Extract::Audit(_) | Extract::Text(..) | Extract::Event(_) => None,
    }
}

/// Plain numbers that every row has.
fn number<'t>(field: &FieldRef) -> Option<Step<'t>> {
    match field.field.extract {
        Extract::Number(Column::Num) => Some(Step::Num),
        Extract::Number(Column::Cpu) => Some(Step::Cpu),
        Extract::Number(Column::Time) => Some(Step::Time),
        _ => None,
    }
}
