//! The same fields as one JSON object per event.

use super::call::Call;
use super::line::Piece;
use crate::batch::Row;
use crate::field::{Context, FieldRef, TimeFormat, write_info, write_value};
use crate::value::{Type, Value, write_i64, write_json_string, write_ratio, write_u64};

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Of {
    Field(FieldRef),
    /// `evt.info` and `evt.args`, written without a value in between.
    Info,
    /// `evt.outputtime`.
    OutputTime(FieldRef),
    Made(Call),
}

/// A field with its key as JSON.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// What it is called.
    pub(super) name: String,
    /// Type of its values.
    pub(super) ty: Type,
    /// Its name as JSON, with the colon.
    pub(super) text: Vec<u8>,
    pub(super) of: Of,
}

impl Key {
    /// Its value for one event.
    pub(super) fn value<'a>(&'a self, row: &Row<'a>, ctx: &Context) -> Value<'a> {
        match &self.of {
            Of::Field(field) | Of::OutputTime(field) => field.value(row, ctx),
            Of::Made(call) => call.value(row, ctx),
            Of::Info => {
                let mut text = Vec::with_capacity(128);
                write_info(row, ctx, &mut text);
                Value::owned(text)
            }
        }
    }

    /// Appends a value that has a writer of its own; `false`, and nothing appended, if it has none.
    pub(super) fn write_raw(&self, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) -> bool {
        if let Of::Info = self.of {
            write_info(row, ctx, out);
            return true;
        }
        false
    }
}

/// The keys of a template in the order of its text, each once.
pub(super) fn columns(pieces: &[Piece]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for piece in pieces {
        let (name, ty, of) = match piece {
            Piece::Text(_) => continue,
            Piece::Field(field, _) | Piece::Name(field, _) => (field.to_string(), field.ty, Of::Field(field.clone())),
            Piece::Info(field, _) => (field.to_string(), field.ty, Of::Info),
            Piece::OutputTime(field) => (field.to_string(), field.ty, Of::OutputTime(field.clone())),
            Piece::Made(call, text, _) => (text.clone(), call.ty(), Of::Made(call.clone())),
        };
        if keys.iter().any(|key| key.name == name) {
            continue;
        }
        let mut text = Vec::new();
        write_json_string(&mut text, name.as_bytes());
        text.push(b':');
        keys.push(Key { name, ty, text, of });
    }
    keys
}

/// The same, sorted.
pub(super) fn keys(columns: &[Key]) -> Vec<Key> {
    let mut keys = columns.to_vec();
    keys.sort_by(|a, b| a.name.cmp(&b.name));
    keys
}

pub(super) fn write(keys: &[Key], row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
    out.push(b'{');
    for (n, key) in keys.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&key.text);
        write_one(key, row, ctx, out);
    }
    out.push(b'}');
}

/// Appends the value of a key.
pub(super) fn write_one(key: &Key, row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
    match &key.of {
        Of::Info => write_string(out, |out| write_info(row, ctx, out)),
        // As sysdig has it: a number, whatever the form of lines.
        Of::OutputTime(_) if ctx.time_format == TimeFormat::TimeOfDay => {
            write_u64(out, if ctx.at_entry { row.entered() } else { row.time() });
        }
        Of::Field(_) | Of::OutputTime(_) | Of::Made(_) => {
            write_json_value(&key.value(row, ctx), key.ty, ctx, out);
        }
    }
}

/// Appends a text as a string: what the writer appends is plain but for quotes and backslashes in most lines.
pub(super) fn write_string(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    let from = out.len();
    write(out);
    let is_plain = crate::value::is_plain(&out[from..]) && memchr::memchr2(b'"', b'\\', &out[from..]).is_none();
    if is_plain {
        out.push(b'"');
        return;
    }
    let text = out.split_off(from);
    out.pop();
    write_json_string(out, &text);
}

fn write_json_value(value: &Value<'_>, ty: Type, ctx: &Context, out: &mut Vec<u8>) {
    match value {
        Value::Missing => out.extend_from_slice(b"null"),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(v) => write_i64(out, *v),
        Value::Uint(v) => write_u64(out, *v),
        Value::Ratio { sum, of } => write_ratio(out, *sum, *of),
        Value::Text(text) if ty != Type::Bytes => write_json_string(out, text),
        Value::Text(_) | Value::Ip(_) => {
            let mut text = Vec::new();
            write_value(value, ty, ctx, &mut text);
            write_json_string(out, &text);
        }
        Value::Either(ends) => write_array(ends.iter(), ty, ctx, out),
        Value::List(values) => write_array(values.iter(), ty, ctx, out),
    }
}

fn write_array<'v, 'a: 'v>(values: impl Iterator<Item = &'v Value<'a>>, ty: Type, ctx: &Context, out: &mut Vec<u8>) {
    out.push(b'[');
    for (n, value) in values.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write_json_value(value, ty, ctx, out);
    }
    out.push(b']');
}
