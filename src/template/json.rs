//! The same fields as one JSON object per event.

use super::line::Piece;
use crate::batch::Row;
use crate::field::{Context, FieldRef, write_value};
use crate::value::{Type, Value, write_i64, write_json_string, write_u64};

/// A field with its key as JSON.
#[derive(Debug, Clone)]
pub(super) struct Key {
    text: Vec<u8>,
    field: FieldRef,
}

/// The keys of a template, sorted, each once.
pub(super) fn keys(pieces: &[Piece]) -> Vec<Key> {
    let mut fields: Vec<(String, FieldRef)> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Field(field, _) | Piece::Info(field, _) | Piece::OutputTime(field) => Some(field.clone()),
        })
        .map(|field| (field.to_string(), field))
        .collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields.dedup_by(|a, b| a.0 == b.0);
    fields
        .into_iter()
        .map(|(name, field)| {
            let mut text = Vec::new();
            write_json_string(&mut text, name.as_bytes());
            text.push(b':');
            Key { text, field }
        })
        .collect()
}

pub(super) fn write(keys: &[Key], row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
    out.push(b'{');
    for (n, key) in keys.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&key.text);
        write_json_value(&key.field.value(row, ctx), key.field.ty, ctx, out);
    }
    out.push(b'}');
}

fn write_json_value(value: &Value<'_>, ty: Type, ctx: &Context, out: &mut Vec<u8>) {
    match value {
        Value::Missing => out.extend_from_slice(b"null"),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(v) => write_i64(out, *v),
        Value::Uint(v) => write_u64(out, *v),
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
