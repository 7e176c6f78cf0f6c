//! The object that a request is about: its place, what it was afterwards, and what a patch changes.

use super::{event, walk};
use crate::batch::Row;
use crate::event::AuditPart as P;
use crate::field::{ArgRule, Extract, Field, FieldArg};
use crate::value::{Type, Value, json_items, json_leaves, json_member, json_pointer, json_text};

/// Of the object that a request is about.
pub(in crate::field) static OBJECT_FIELDS: &[Field] = &[
    Field {
        name: "ka.object",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The object as resource/namespace/name, without what it has not.",
        example: "ka.object = pods/prod/web-1",
        extract: Extract::Event(|row, _, _| object(row)),
    },
    Field {
        name: "ka.object.state",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "The object as it was afterwards, JSON: the answer, or else what was sent to make or replace it.",
        example: "ka.object.state contains hostNetwork",
        extract: Extract::Event(|row, _, _| state(row).map_or(Value::Missing, walk::said)),
    },
    Field {
        name: "ka.req.obj",
        ty: Type::Text,
        arg: ArgRule::OptionalName,
        doc: "What was sent, JSON, or the value at a JSON pointer of it.",
        example: "ka.req.obj[/spec/replicas] = 0",
        extract: Extract::Event(|row, arg, _| pointed(row, P::Request, arg)),
    },
    Field {
        name: "ka.resp.obj",
        ty: Type::Text,
        arg: ArgRule::OptionalName,
        doc: "What was answered, JSON, or the value at a JSON pointer of it.",
        example: "ka.resp.obj[/status/phase] = Running",
        extract: Extract::Event(|row, arg, _| pointed(row, P::Response, arg)),
    },
    Field {
        name: "ka.req.patch",
        ty: Type::Text,
        arg: ArgRule::OptionalName,
        doc: "What a patch changes, each path: value, of a JSON patch with the operation before it; or the value at a JSON pointer.",
        example: "ka.req.patch[/spec/replicas] = 0",
        extract: Extract::Event(|row, arg, _| patch(row, arg)),
    },
];

fn object<'a>(row: &Row<'a>) -> Value<'a> {
    let text = |of| match of {
        Value::Text(text) => Some(text),
        _ => None,
    };
    let Some(resource) = text(walk::text(row, P::Resource)) else { return Value::Missing };
    let rest = [text(walk::text(row, P::Namespace)), text(event::target(row))];
    let parts: Vec<_> = std::iter::once(resource).chain(rest.into_iter().flatten()).collect();
    Value::owned(parts.join(&b'/'))
}

fn state<'a>(row: &Row<'a>) -> Option<&'a [u8]> {
    let is_object = |body: &&[u8]| {
        let kind = json_member(body, b"kind").map(json_text);
        body.first() == Some(&b'{') && kind.as_deref() != Some(b"Status")
    };
    if let Some(answer) = walk::bytes(row, P::Response).filter(is_object) {
        return Some(answer);
    }
    let is_whole = matches!(walk::bytes(row, P::Verb), Some(b"create" | b"update"));
    let is_own = walk::bytes(row, P::Subresource).is_none();
    // What was refused changed nothing.
    let is_done = walk::part(row, P::Code).int().is_some_and(|code| code < 400);
    walk::bytes(row, P::Request).filter(is_object).filter(|_| is_whole && is_own && is_done)
}

fn pointed<'a>(row: &Row<'a>, of: P, arg: &FieldArg) -> Value<'a> {
    let Some(body) = walk::bytes(row, of) else { return Value::Missing };
    match arg {
        FieldArg::Name(pointer) => json_pointer(body, pointer).map_or(Value::Missing, walk::said),
        _ => walk::said(body),
    }
}

fn patch<'a>(row: &Row<'a>, arg: &FieldArg) -> Value<'a> {
    if walk::bytes(row, P::Verb) != Some(b"patch") {
        return Value::Missing;
    }
    let Some(body) = walk::bytes(row, P::Request) else { return Value::Missing };
    let is_list = body.first() == Some(&b'[');
    let of = |item: &'a [u8], key: &[u8]| json_member(item, key);
    if let FieldArg::Name(pointer) = arg {
        if !is_list {
            return json_pointer(body, pointer).map_or(Value::Missing, walk::said);
        }
        let wanted = pointer.trim_start_matches('/').as_bytes();
        let is_it = |item: &[u8]| {
            json_member(item, b"path").is_some_and(|path| json_text(path).strip_prefix(b"/") == Some(wanted))
        };
        let found = json_items(body).filter(|item| is_it(item.value)).last();
        return found.and_then(|item| of(item.value, b"value")).map_or(Value::Missing, walk::said);
    }
    if !is_list {
        let line = |(path, value): (String, String)| Value::owned(format!("{path}: {value}").into_bytes());
        return walk::list(json_leaves(body).into_iter().map(line).collect());
    }
    // RFC 6902: operations in order.
    let line = |item: &'a [u8]| {
        let word = |key: &[u8]| of(item, key).map(|word| json_text(word).into_owned()).unwrap_or_default();
        let mut line = [word(b"op"), word(b"path")].join(&b' ');
        if let Some(value) = of(item, b"value") {
            line.extend_from_slice(b": ");
            line.extend_from_slice(&json_text(value));
        }
        if let Some(from) = of(item, b"from") {
            line.extend_from_slice(b" from ");
            line.extend_from_slice(&json_text(from));
        }
        Value::owned(line)
    };
    walk::list(json_items(body).map(|item| line(item.value)).collect())
}
