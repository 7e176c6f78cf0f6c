//! `fs.path.*`: the paths that calls on the file system name.

use super::{ArgRule, Context, Extract, Field, FieldArg, path, render};
use crate::batch::{Known, Row};
use crate::value::{Type, Value, write_i64};

pub(super) static FIELDS: &[Field] = &[
    Field {
        name: "fs.path.name",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Path that a call on the file system works on, absolute.",
        example: "fs.path.name startswith /etc",
        extract: Extract::Event(name),
    },
    Field {
        name: "fs.path.nameraw",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "The same as the program gave it.",
        example: "fs.path.nameraw = passwd",
        extract: Extract::Event(name_raw),
    },
    Field {
        name: "fs.path.source",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Path that a rename, link or mount starts from, absolute.",
        example: "fs.path.source = /etc/passwd",
        extract: Extract::Event(origin),
    },
    Field {
        name: "fs.path.sourceraw",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "The same as the program gave it.",
        example: "fs.path.sourceraw = passwd",
        extract: Extract::Event(origin_raw),
    },
    Field {
        name: "fs.path.target",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Path that a rename, link or mount makes, absolute.",
        example: "fs.path.target = /etc/shadow",
        extract: Extract::Event(target),
    },
    Field {
        name: "fs.path.targetraw",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "The same as the program gave it.",
        example: "fs.path.targetraw = shadow",
        extract: Extract::Event(target_raw),
    },
    Field::new(
        "evt.abspath",
        Type::Path,
        ArgRule::No,
        "Path that a call names, absolute; of one that names two, the first.",
        "evt.abspath startswith /etc",
        Extract::Event(abspath),
    ),
    Field::new(
        "evt.abspath.src",
        Type::Path,
        ArgRule::No,
        "The first path of a call that names two, absolute.",
        "evt.abspath.src startswith /etc",
        Extract::Event(origin),
    ),
    Field::new(
        "evt.abspath.dst",
        Type::Path,
        ArgRule::No,
        "The second path of a call that names two, absolute.",
        "evt.abspath.dst startswith /etc",
        Extract::Event(target),
    ),
    Field {
        name: "fd.nameraw",
        ty: Type::Path,
        arg: ArgRule::No,
        doc: "Path that an open was asked for, as the program gave it.",
        example: "fd.nameraw startswith ../",
        extract: Extract::Event(opened_raw),
    },
    Field {
        name: "fdlist.nums",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Numbers of the descriptors that a poll waits for.",
        example: "fdlist.nums contains 3",
        extract: Extract::Event(list_nums),
    },
];

fn raw<'a>(row: &Row<'a>, known: Known) -> Value<'a> {
    row.known(known).bytes().map_or(Value::Missing, Value::text)
}

/// Whether the call names two paths: of those, the one that is called `target` is the second.
fn names_two(row: &Row<'_>) -> bool {
    row.batch.place(row.kind, Known::SecondPath).is_some()
}

fn absolute<'a>(row: &Row<'a>, known: Known, ctx: &Context) -> Value<'a> {
    let Some(param) = row.batch.place(row.kind, known) else { return Value::Missing };
    let Some(given) = row.arg(param).bytes() else { return Value::Missing };
    if given.starts_with(b"/") {
        return if path::is_plain(given) { Value::text(given) } else { Value::owned(path::resolve(b"", given)) };
    }
    render::resolved(row, render::Slot::Param(param), ctx)
}

fn name<'a>(row: &Row<'a>, _: &'a FieldArg, ctx: &Context) -> Value<'a> {
    if names_two(row) { Value::Missing } else { absolute(row, Known::Path, ctx) }
}

/// The path that a call makes where it names two, or else the path that it names.
pub(super) fn about<'a>(row: &Row<'a>, arg: &'a FieldArg, ctx: &Context) -> Value<'a> {
    if names_two(row) { target(row, arg, ctx) } else { name(row, arg, ctx) }
}

fn abspath<'a>(row: &Row<'a>, arg: &'a FieldArg, ctx: &Context) -> Value<'a> {
    if names_two(row) { origin(row, arg, ctx) } else { name(row, arg, ctx) }
}

fn name_raw<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    if names_two(row) { Value::Missing } else { raw(row, Known::Path) }
}

fn origin<'a>(row: &Row<'a>, _: &'a FieldArg, ctx: &Context) -> Value<'a> {
    if names_two(row) { absolute(row, Known::FirstPath, ctx) } else { Value::Missing }
}

fn origin_raw<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    if names_two(row) { raw(row, Known::FirstPath) } else { Value::Missing }
}

fn target<'a>(row: &Row<'a>, _: &'a FieldArg, ctx: &Context) -> Value<'a> {
    absolute(row, Known::SecondPath, ctx)
}

fn target_raw<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    raw(row, Known::SecondPath)
}

fn opened_raw<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    match row.info().name.as_str() {
        "open" | "openat" | "openat2" | "creat" => raw(row, Known::Opened),
        _ => Value::Missing,
    }
}

/// `struct pollfd`: descriptor i32, events and returned events, 2 bytes each (`poll(2)`).
fn list_nums<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let Some(bytes) = row.known(Known::List).bytes().filter(|list| !list.is_empty()) else {
        return Value::Missing;
    };
    let mut text = Vec::new();
    for entry in bytes.chunks_exact(8) {
        if !text.is_empty() {
            text.push(b',');
        }
        write_i64(&mut text, i64::from(i32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]])));
    }
    Value::owned(text)
}
