//! `fs.path.*`: the paths that calls on the file system name.

use super::evt::slot;
use super::{ArgRule, Context, Extract, Field, FieldArg, path, render};
use crate::batch::Row;
use crate::event::ParamType;
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

/// Parameters with the path of calls that name one.
const NAMES: &[&str] = &["name", "path", "pathname", "filename"];
/// With the first and the second of calls that name two; of a symbolic link the second alone is a path.
const SOURCES: &[&str] = &["oldpath", "target", "source", "old"];
const TARGETS: &[&str] = &["newpath", "linkpath", "target", "new"];

/// The first of some parameters that holds a path, and whether it is relative to a descriptor.
fn find(row: &Row<'_>, names: &[&str]) -> Option<usize> {
    let is_path = |ty| matches!(ty, ParamType::Path | ParamType::RelPath);
    let params = &row.info().params;
    names.iter().find_map(|name| params.iter().position(|p| p.name == *name && is_path(p.ty)))
}

fn raw<'a>(row: &Row<'a>, names: &[&str]) -> Value<'a> {
    find(row, names).and_then(|n| row.arg(n).bytes()).map_or(Value::Missing, Value::text)
}

/// Whether the call names two paths: of those, the one that is called `target` is the second.
fn names_two(row: &Row<'_>) -> bool {
    find(row, TARGETS).is_some()
}

fn absolute<'a>(row: &Row<'a>, names: &[&str], ctx: &Context) -> Value<'a> {
    let Some(param) = find(row, names) else { return Value::Missing };
    let Some(given) = row.arg(param).bytes() else { return Value::Missing };
    if given.starts_with(b"/") {
        return Value::owned(path::resolve(b"", given));
    }
    let Some(slot) = slot(row.info(), &FieldArg::Name(row.info().params[param].name.clone())) else {
        return Value::Missing;
    };
    render::resolved(row, slot, ctx)
}

fn name<'a>(row: &Row<'a>, _: &'a FieldArg, ctx: &Context) -> Value<'a> {
    if names_two(row) { Value::Missing } else { absolute(row, NAMES, ctx) }
}

/// The path that a call makes where it names two, or else the path that it names.
pub(super) fn about<'a>(row: &Row<'a>, arg: &'a FieldArg, ctx: &Context) -> Value<'a> {
    if names_two(row) { target(row, arg, ctx) } else { name(row, arg, ctx) }
}

fn abspath<'a>(row: &Row<'a>, arg: &'a FieldArg, ctx: &Context) -> Value<'a> {
    if names_two(row) { origin(row, arg, ctx) } else { name(row, arg, ctx) }
}

fn name_raw<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    if names_two(row) { Value::Missing } else { raw(row, NAMES) }
}

fn origin<'a>(row: &Row<'a>, _: &'a FieldArg, ctx: &Context) -> Value<'a> {
    if names_two(row) { absolute(row, SOURCES, ctx) } else { Value::Missing }
}

fn origin_raw<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    if names_two(row) { raw(row, SOURCES) } else { Value::Missing }
}

fn target<'a>(row: &Row<'a>, _: &'a FieldArg, ctx: &Context) -> Value<'a> {
    absolute(row, TARGETS, ctx)
}

fn target_raw<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    raw(row, TARGETS)
}

fn opened_raw<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    match row.info().name.as_str() {
        "open" | "openat" | "openat2" | "creat" => raw(row, &["name"]),
        _ => Value::Missing,
    }
}

/// `struct pollfd`: descriptor i32, events and returned events, 2 bytes each (`poll(2)`).
fn list_nums<'a>(row: &Row<'a>, _: &'a FieldArg, _: &Context) -> Value<'a> {
    let list = row.info().params.iter().position(|p| p.ty == ParamType::FdList);
    let Some(bytes) = list.and_then(|n| row.arg(n).bytes()).filter(|list| !list.is_empty()) else {
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
