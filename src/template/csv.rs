//! The fields of a template as one line of CSV (RFC 4180, lines ending in LF).

use super::json::Key;
use crate::batch::Row;
use crate::field::{Context, write_value};
use crate::value::{Type, Value};

/// The names of the columns, without a newline.
pub(super) fn header(columns: &[Key]) -> String {
    let mut out = Vec::new();
    for (n, column) in columns.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let from = out.len();
        out.extend_from_slice(column.name.as_bytes());
        quote(&mut out, from, false);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends the values of a line; what is missing is empty, numbers are plain.
pub(super) fn write(columns: &[Key], row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
    for (n, column) in columns.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write_one(column, row, ctx, out);
    }
}

/// Appends one of them.
pub(super) fn write_one(column: &Key, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
    let from = out.len();
    if column.write_raw(row, ctx, out) {
        return quote(out, from, true);
    }
    let value = column.value(row, ctx);
    if !value.is_missing() {
        write_value(&value, column.ty, ctx, out);
        let is_text = matches!(value, Value::Text(_) | Value::List(_)) || column.ty == Type::Bytes;
        quote(out, from, is_text);
    }
}

/// Puts what was appended since `from` in quotes where it needs them. A text that a spreadsheet would take for a formula
/// gets a blank in front: captures hold text that an attacker chose.
pub(super) fn quote(out: &mut Vec<u8>, from: usize, is_text: bool) {
    let text = &out[from..];
    let formula = is_text && text.first().is_some_and(|b| b"=+-@".contains(b));
    if !formula && !text.iter().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
        return;
    }
    let text = out.split_off(from);
    out.push(b'"');
    if formula {
        out.push(b' ');
    }
    for b in text {
        if b == b'"' {
            out.push(b'"');
        }
        out.push(b);
    }
    out.push(b'"');
}
