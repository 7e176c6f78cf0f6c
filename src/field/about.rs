//! Fields that say in one word or sentence what an event is about.

use super::entry::Column;
use super::{ArgRule, Context, Extract, Field, FieldArg, fd, fspath};
use crate::batch::{KindInfo, Row};
use crate::event::errno_text;
use crate::value::{Type, Value};

pub(super) static FIELDS: &[Field] = &[
    Field::new(
        "evt.about",
        Type::Path,
        ArgRule::No,
        "What the event is about: the path that the call names (of two the second), or the name of its descriptor.",
        "evt.about startswith /etc",
        Extract::Event(about),
    ),
    Field::new(
        "evt.res.meaning",
        Type::Text,
        ArgRule::No,
        "What the error of a failed call means, in words.",
        "evt.res.meaning contains permission",
        Extract::Column(Column::Return, meaning),
    ),
];

fn about<'a>(row: &Row<'a>, arg: &'a FieldArg, ctx: &Context) -> Value<'a> {
    match fspath::about(row, arg, ctx) {
        Value::Missing => row.desc().map_or(Value::Missing, |desc| fd::name(row.dict(), desc, arg)),
        path => path,
    }
}

fn meaning(info: &KindInfo, ret: i64, _: &Context) -> Value<'static> {
    let known = || errno_text(ret.checked_neg()?);
    if info.ret.is_none() || ret >= 0 {
        Value::Missing
    } else {
        known().map_or(Value::Missing, |text| Value::text(text.as_bytes()))
    }
}
