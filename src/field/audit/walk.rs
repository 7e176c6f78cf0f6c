//! Parts of audit events, and values inside of their JSON.

use crate::batch::{KindInfo, Row};
use crate::event::{Arg, AuditPart};
use crate::field::{FieldArg, OfText};
use crate::value::{Value, json_items, json_member, json_text};

/// The kind that all of this is about.
pub(in crate::field) const KIND: &str = "k8saudit";

/// A part of an audit event; other events have none.
pub(super) fn part<'a>(row: &Row<'a>, part: AuditPart) -> Arg<'a> {
    place(row.info(), part).map_or(Arg::Missing, |place| row.arg(place))
}

/// Which parameter of a kind a part of audit events is.
pub(in crate::field) fn place(info: &KindInfo, part: AuditPart) -> Option<usize> {
    if info.name != KIND {
        return None;
    }
    let is_it = |place: usize| info.params.get(place).is_some_and(|param| param.name == part.name());
    // A reel of another version may have them elsewhere.
    Some(part.place()).filter(|&place| is_it(place)).or_else(|| (0..info.params.len()).find(|&n| is_it(n)))
}

/// Whether it is an audit event at all: its time and duration are in no part.
pub(super) fn is_audit(row: &Row<'_>) -> bool {
    row.info().name == KIND
}

/// The bytes of a part.
pub(super) fn bytes<'a>(row: &Row<'a>, of: AuditPart) -> Option<&'a [u8]> {
    part(row, of).bytes()
}

/// A part as it is: a number or text.
pub(in crate::field) fn value<'a>(row: &Row<'a>, of: AuditPart) -> Value<'a> {
    match part(row, of) {
        Arg::Int(number) => Value::Int(number),
        Arg::Bytes(text) => Value::text(text),
        Arg::Missing => Value::Missing,
    }
}

/// A part as text.
pub(super) fn text<'a>(row: &Row<'a>, of: AuditPart) -> Value<'a> {
    bytes(row, of).map_or(Value::Missing, Value::text)
}

/// A JSON value as a field's: what a string says, anything else as it stands.
pub(super) fn said(value: &[u8]) -> Value<'_> {
    Value::Text(json_text(value))
}

/// Several as a list; an empty one is no value.
pub(super) fn list(values: Vec<Value<'_>>) -> Value<'_> {
    if values.is_empty() { Value::Missing } else { Value::List(values) }
}

/// The value at a path of keys.
pub(super) fn at<'a>(value: &'a [u8], path: &[&str]) -> Option<&'a [u8]> {
    path.iter().try_fold(value, |value, key| json_member(value, key.as_bytes()))
}

/// The value at a path of keys, as a field's.
pub(super) fn said_at<'a>(value: &'a [u8], path: &[&str]) -> Value<'a> {
    at(value, path).map_or(Value::Missing, said)
}

/// The value of a part at a path of keys.
pub(super) fn inside<'a>(row: &Row<'a>, of: AuditPart, path: &[&str]) -> Value<'a> {
    bytes(row, of).map_or(Value::Missing, |value| said_at(value, path))
}

/// What is made of a part's text.
pub(in crate::field) fn of_text<'a>(row: &Row<'a>, of: AuditPart, make: OfText, arg: &FieldArg) -> Value<'a> {
    bytes(row, of).map_or(Value::Missing, |text| make(text, arg))
}

/// The elements of an array at a path of a part, or the one with a number.
pub(super) fn elements<'a>(row: &Row<'a>, of: AuditPart, path: &[&str], arg: &FieldArg) -> Vec<&'a [u8]> {
    bytes(row, of).map_or_else(Vec::new, |value| elements_at(value, path, arg))
}

/// The elements of an array at a path, or the one with a number.
pub(super) fn elements_at<'a>(value: &'a [u8], path: &[&str], arg: &FieldArg) -> Vec<&'a [u8]> {
    let Some(array) = at(value, path).filter(|value| value.first() == Some(&b'[')) else { return Vec::new() };
    let only = if let FieldArg::Index(n) = arg { Some(*n as usize) } else { None };
    let all = json_items(array).map(|item| item.value);
    match only {
        Some(n) => all.skip(n).take(1).collect(),
        None => all.collect(),
    }
}

/// Several JSON values as a list.
pub(super) fn said_all(values: Vec<&[u8]>) -> Value<'_> {
    list(values.into_iter().map(said).collect())
}
