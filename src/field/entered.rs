//! What can be said of a call at the moment at which it begins: what it was given, and nothing that it gave back.

use super::{Column, Context, Extract, FieldArg, FieldRef};
use crate::batch::{KindInfo, Row};
use crate::event::{From, KindFlags, MessagePart, ParamType, SPECS, Spec};
use crate::value::Value;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Which parameters of a kind are there when the call begins, a bit each by their place in its list.
pub(super) fn known(info: &KindInfo) -> u64 {
    static KNOWN: LazyLock<HashMap<&'static str, u64, FixedState>> =
        LazyLock::new(|| SPECS.iter().map(|spec| (spec.name, given(spec))).collect());
    let bits = KNOWN.get(info.name.as_str()).copied().unwrap_or(0);
    bits & 1u64.checked_shl(info.params.len() as u32).map_or(u64::MAX, |bit| bit - 1)
}

/// The parameters that a program gives.
fn given(spec: &Spec) -> u64 {
    let reads = spec.flags.has(KindFlags::READS);
    let is_given = |from: From, ty: ParamType| match from {
        From::Arg(_) | From::Str(_) | From::SockIn(..) | From::IovSize(_) | From::Early { .. } => true,
        From::BufLen(..) | From::Iov(_) => !reads,
        // As much of it as was taken.
        From::BufRet(_) => spec.flags.has(KindFlags::WRITES),
        From::Message { part, .. } => !reads || part == MessagePart::Size,
        // How long to wait.
        From::Field { .. } => ty == ParamType::Duration,
        _ => false,
    };
    let bit = |(at, p): (usize, &crate::event::Param)| if is_given(p.from, p.ty) && at < 64 { 1 << at } else { 0 };
    spec.params.iter().enumerate().map(bit).fold(0, |all, bit: u64| all | bit)
}

/// The value of a field at the moment at which a call begins; `None`: that of its return.
pub(super) fn value<'a>(field: &FieldRef, row: &Row<'a>, ctx: &Context) -> Option<Value<'a>> {
    let at = |column: Column| match column {
        Column::Time => Some(row.entered() as i64),
        Column::Duration => Some(0),
        Column::Return => None,
        Column::Num | Column::Cpu | Column::Flags => column.get(row),
    };
    match (field.field.name, &field.field.extract) {
        ("evt.dir", _) => Some(Value::text(b">")),
        (_, Extract::Number(column)) => Some(at(*column).map_or(Value::Missing, |v| column.number(v))),
        (_, Extract::Column(column, f)) => Some(at(*column).map_or(Value::Missing, |v| f(row.info(), v, ctx))),
        ("evt.arg" | "evt.rawarg", _) => {
            let info = row.info();
            let place = match &field.arg {
                FieldArg::Name(name) => info.params.iter().position(|p| p.name == *name),
                FieldArg::Index(n) => (*n as usize).checked_sub(usize::from(info.ret.is_some())),
                FieldArg::None => None,
            };
            let is_known = place.and_then(|n| 1u64.checked_shl(n as u32)).is_some_and(|bit| known(info) & bit != 0);
            if is_known { None } else { Some(Value::Missing) }
        }
        ("evt.buffer", _) => {
            let data = row.info().params.iter().position(|p| p.ty == ParamType::Bytes);
            let is_known = data.is_some_and(|n| n < 64 && known(row.info()) >> n & 1 == 1);
            if is_known { None } else { Some(Value::Missing) }
        }
        (name, _)
            if name.starts_with("evt.buflen") || name.starts_with("evt.count.") || name.starts_with("evt.res") =>
        {
            Some(Value::Missing)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::kind_by_name;

    #[test]
    fn what_a_call_gives_back_is_not_known_when_it_begins() {
        for (kind, want) in [
            ("read", vec!["fd", "size"]),
            ("write", vec!["data", "fd", "size"]),
            ("openat", vec!["dirfd", "name", "flags", "mode"]),
            ("connect", vec!["fd", "addr"]),
        ] {
            let spec = kind_by_name(kind).unwrap().spec();
            let names: Vec<&str> = spec
                .params
                .iter()
                .enumerate()
                .filter(|(n, _)| given(spec) >> n & 1 == 1)
                .map(|(_, p)| p.name)
                .collect();
            assert_eq!(names, want, "{kind}");
        }
    }
}
