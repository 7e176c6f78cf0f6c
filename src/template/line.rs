//! [`Template`]: a parsed line of output.

use super::json::Key;
use super::{Error, json, parse};
use crate::batch::Row;
use crate::field::{Context, FieldRef, write_info, write_outputtime, write_value};
use crate::value::Value;

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
}

impl Piece {
    pub(super) fn field(field: FieldRef, width: Option<usize>) -> Piece {
        match (field.field.name, width) {
            ("evt.info" | "evt.args", _) => Piece::Info(field, width),
            ("evt.outputtime", None) => Piece::OutputTime(field),
            _ => Piece::Field(field, width),
        }
    }
}

/// A parsed line of output. Cheap to share between threads.
#[derive(Debug, Clone)]
pub struct Template {
    pieces: Vec<Piece>,
    keeps_missing: bool,
    keys: Vec<Key>,
    text: String,
}

impl Template {
    /// Reads text such as `*%evt.num %20proc.name\n`: a number pads or cuts a field to so many characters, a leading
    /// `*` keeps lines with missing fields, and `\n`, `\t`, `\e` and `\\` are escapes. The longest field name counts.
    pub fn parse(text: &str) -> Result<Template, Error> {
        let (pieces, keeps_missing) = parse::parse(text)?;
        let keys = json::keys(&pieces);
        Ok(Template { pieces, keeps_missing, keys, text: text.to_owned() })
    }

    /// What it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Appends the line of an event, without a newline. `false`, and nothing appended, if a field is missing and the
    /// template has no leading `*`.
    pub fn write(&self, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::OutputTime(_) => write_outputtime(row, ctx, out),
                Piece::Info(_, None) => write_info(row, ctx, out),
                Piece::Info(_, Some(width)) => {
                    let from = out.len();
                    write_info(row, ctx, out);
                    fit(out, from, *width);
                }
                Piece::Field(field, width) => {
                    let value = field.value(row, ctx);
                    if matches!(value, Value::Missing) && !self.keeps_missing {
                        out.truncate(start);
                        return false;
                    }
                    let from = out.len();
                    write_value(&value, field.ty, ctx, out);
                    if let Some(width) = width {
                        fit(out, from, *width);
                    }
                }
            }
        }
        true
    }

    /// Appends one JSON object with the template's fields, keys sorted, without a newline; missing values are null.
    pub fn write_json(&self, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
        json::write(&self.keys, row, ctx, out);
    }
}

/// Pads with blanks or cuts what was appended since `from` to `width` characters.
fn fit(out: &mut Vec<u8>, from: usize, width: usize) {
    let starts = |b: &u8| b & 0xc0 != 0x80;
    let chars = out[from..].iter().filter(|b| starts(b)).count();
    if chars <= width {
        out.resize(out.len() + width - chars, b' ');
        return;
    }
    let cut = out[from..].iter().enumerate().filter(|(_, b)| starts(b)).nth(width).map_or(0, |(at, _)| at);
    out.truncate(from + cut);
}
