//! [`Template`]: a parsed line of output.

use super::call::Call;
use super::json::Key;
use super::{Error, csv, json, parse};
use crate::batch::Row;
use crate::event::Flags;
use crate::field::{Context, FieldRef, write_fd_name, write_info, write_outputtime, write_value};
use crate::value::Value;

/// How a terminal shows the name of a program, what failed, and what stands behind them (ECMA-48 SGR).
const PROGRAM: &[u8] = b"\x1b[36m";
const FAILED: &[u8] = b"\x1b[31m";
const PLAIN: &[u8] = b"\x1b[0m";

/// What is written with `-v` for a value that the recording does not have.
const UNRECORDED: &[u8] = b"not recorded";

/// A part of a line.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// Written as it is.
    Text(Vec<u8>),
    /// A field, padded or cut to a width in characters.
    Field(FieldRef, Option<usize>),
    /// `evt.info` and `evt.args`, written without a value in between.
    Info(FieldRef, Option<usize>),
    /// `evt.outputtime`, the same.
    OutputTime(FieldRef),
    /// `fd.name`, the same.
    Name(FieldRef, Option<usize>),
    /// What a transformer makes, with its text.
    Made(Call, String, Option<usize>),
}

impl Piece {
    pub(super) fn field(field: FieldRef, width: Option<usize>) -> Piece {
        match (field.field.name, width) {
            ("evt.info" | "evt.args", _) => Piece::Info(field, width),
            ("evt.outputtime", None) => Piece::OutputTime(field),
            ("fd.name", _) => Piece::Name(field, width),
            _ => Piece::Field(field, width),
        }
    }
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As the template says.
    #[default]
    Text,
    /// The same with colours for a terminal: names of programs, and what failed.
    Coloured,
    /// Its fields as a line of CSV.
    Csv,
}

/// A parsed line of output. Cheap to share between threads.
#[derive(Debug, Clone)]
pub struct Template {
    pub(super) pieces: Vec<Piece>,
    pub(super) keeps_missing: bool,
    pub(super) columns: Vec<Key>,
    pub(super) keys: Vec<Key>,
    text: String,
    pub(super) form: Form,
}

impl Template {
    /// Reads text such as `*%evt.num %20proc.name\n`: a number pads or cuts a field to so many characters, a leading
    /// `*` keeps lines with missing fields, and `\n`, `\t`, `\e` and `\\` are escapes. The longest field name counts.
    /// Transformers are written around fields: `%10toupper(proc.name)`.
    pub fn parse(text: &str) -> Result<Template, Error> {
        let (pieces, keeps_missing) = parse::parse(text)?;
        let columns = json::columns(&pieces);
        let keys = json::keys(&columns);
        Ok(Template { pieces, keeps_missing, columns, keys, text: text.to_owned(), form: Form::Text })
    }

    /// The same in another form.
    #[must_use]
    pub fn with_form(self, form: Form) -> Template {
        Template { form, ..self }
    }

    /// The fields that it names.
    pub fn fields(&self) -> impl Iterator<Item = &FieldRef> {
        self.pieces.iter().flat_map(|piece| match piece {
            Piece::Text(_) => Vec::new(),
            Piece::Made(call, ..) => call.fields(),
            Piece::Field(field, _) | Piece::Info(field, _) | Piece::Name(field, _) | Piece::OutputTime(field) => {
                vec![field]
            }
        })
    }

    /// What it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of its columns, as the first line of CSV.
    pub fn csv_header(&self) -> String {
        csv::header(&self.columns)
    }

    /// Appends the line of an event, without a newline. `false`, and nothing appended, if a field is missing and the
    /// template has no leading `*`; CSV has all lines.
    pub fn write(&self, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) -> bool {
        if self.form == Form::Csv {
            csv::write(&self.columns, row, ctx, out);
            return true;
        }
        let start = out.len();
        for piece in &self.pieces {
            let from = out.len();
            if !piece.write(row, ctx, out) && !self.keeps_missing {
                out.truncate(start);
                return false;
            }
            if self.form == Form::Coloured {
                colour(piece, row, ctx, from, out);
            }
        }
        true
    }

    /// Appends one JSON object with the template's fields, keys sorted, without a newline; missing values are null.
    pub fn write_json(&self, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
        json::write(&self.keys, row, ctx, out);
    }
}

impl Piece {
    /// Appends its text in its width; whether there was a value.
    #[inline]
    pub(super) fn write(&self, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) -> bool {
        let from = out.len();
        let (written, width) = self.write_unfit(row, ctx, out);
        if let Some(width) = width {
            fit(out, from, width);
        }
        written
    }

    /// Appends its text; whether there was a value, and the width that the text is to have.
    #[inline]
    fn write_unfit(&self, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) -> (bool, Option<usize>) {
        let (value, ty, width) = match self {
            Piece::Text(text) => {
                out.extend_from_slice(text);
                return (true, None);
            }
            Piece::OutputTime(_) => {
                write_outputtime(row, ctx, out);
                return (true, None);
            }
            Piece::Info(_, width) => {
                write_info(row, ctx, out);
                return (true, *width);
            }
            Piece::Name(field, width) => {
                let from = out.len();
                let written = write_fd_name(row, ctx, out);
                if !written && ctx.tells_unrecorded && field.is_unrecorded(row) {
                    out.truncate(from);
                    out.extend_from_slice(UNRECORDED);
                }
                return (written, *width);
            }
            Piece::Field(field, width) => {
                let value = field.value(row, ctx);
                if value.is_missing() && ctx.tells_unrecorded && field.is_unrecorded(row) {
                    out.extend_from_slice(UNRECORDED);
                    return (false, *width);
                }
                (value, field.ty, width)
            }
            Piece::Made(call, _, width) => (call.value(row, ctx), call.ty(), width),
        };
        write_value(&value, ty, ctx, out);
        (!matches!(value, Value::Missing), *width)
    }
}

/// Colours what a piece appended since `from`, if it is to stand out.
fn colour(piece: &Piece, row: &Row<'_>, ctx: &Context, from: usize, out: &mut Vec<u8>) {
    let failed = || !ctx.at_entry && !row.flags().has(Flags::IN_FLIGHT) && is_error(row);
    let (code, end) = match piece {
        Piece::Field(field, _) if field.field.name == "proc.name" => (PROGRAM, out.len()),
        Piece::Field(field, _) if field.field.name == "evt.type" && failed() => (FAILED, out.len()),
        // What it returned stands first.
        Piece::Info(..) if failed() => {
            (FAILED, out[from..].iter().position(|&b| b == b' ').map_or(out.len(), |at| from + at))
        }
        _ => return,
    };
    let behind = out.split_off(end);
    let text = out.split_off(from);
    for part in [code, &text, PLAIN, &behind] {
        out.extend_from_slice(part);
    }
}

/// Whether a negative return value is an error (the kernel's are -1 to -4095).
fn is_error(row: &Row<'_>) -> bool {
    row.ret().is_some_and(|ret| (-4095..0).contains(&ret))
}

/// Pads with blanks or cuts what was appended since `from` to `width` characters.
pub(super) fn fit(out: &mut Vec<u8>, from: usize, width: usize) {
    let starts = |b: &u8| b & 0xc0 != 0x80;
    let chars = out[from..].iter().filter(|b| starts(b)).count();
    if chars <= width {
        out.resize(out.len() + width - chars, b' ');
        return;
    }
    let cut = out[from..].iter().enumerate().filter(|(_, b)| starts(b)).nth(width).map_or(0, |(at, _)| at);
    out.truncate(from + cut);
}
