//! [`Values`]: the parameters of one event of ours while they are put together.

use super::plan::{How, Plan, RETURN};
use crate::event::{Arg, Args, Class, Kind, MAX_ARGS};
use crate::format::scap::event::Params;
use crate::format::scap::values;

/// One value: where its bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Missing,
    Int(i64),
    Bytes(&'a [u8]),
    /// Bytes that were made: a place in the arena.
    Made(usize, usize),
}

/// The parameters of one event of ours.
pub(super) struct Values<'a> {
    pub(super) values: [Value<'a>; MAX_ARGS],
    pub(super) ret: Option<i64>,
}

impl<'a> Values<'a> {
    pub(super) fn new() -> Values<'a> {
        Values { values: [Value::Missing; MAX_ARGS], ret: None }
    }

    /// Puts parameters of an event of a plan in; what is there already stays. `returned`: they are of its end.
    pub(super) fn put(&mut self, plan: &Plan, params: Params<'a>, returned: bool, arena: &mut Vec<u8>) {
        for (slot, bytes) in plan.slots.iter().zip(params.iter()) {
            let Some(slot) = slot else { continue };
            if slot.to == RETURN {
                self.ret = match slot.how {
                    How::Selected => values::selected(bytes),
                    How::Int(signed) => values::integer(bytes, signed),
                    _ => None,
                }
                .or(self.ret);
                continue;
            }
            let place = &mut self.values[usize::from(slot.to)];
            if *place == Value::Missing {
                *place = value(&slot.how, bytes, returned, arena);
            }
        }
    }

    /// One value by the name of its parameter.
    pub(super) fn get(&self, kind: Kind, name: &str) -> Value<'a> {
        place(kind, name).map_or(Value::Missing, |place| self.values[place])
    }

    /// Sets one, if the kind has it.
    pub(super) fn set(&mut self, kind: Kind, name: &str, value: Value<'a>) {
        if let Some(place) = place(kind, name) {
            self.values[place] = value;
        }
    }

    /// All of them, in the order of the kind's parameters.
    pub(super) fn args<'b>(&self, kind: Kind, arena: &'b [u8]) -> Args<'b>
    where
        'a: 'b,
    {
        let params = kind.spec().params;
        let values = self.values.iter().zip(params);
        let arg = |(value, param): (&Value<'a>, &crate::event::Param)| match *value {
            Value::Int(value) => Arg::Int(value),
            Value::Bytes(bytes) => Arg::Bytes(bytes),
            Value::Made(from, to) => Arg::Bytes(arena.get(from..to).unwrap_or_default()),
            // A buffer of no bytes is known.
            Value::Missing if param.class == Class::Data && param.name == "data" => Arg::Bytes(&[]),
            Value::Missing => Arg::Missing,
        };
        values.map(arg).collect()
    }
}

fn place(kind: Kind, name: &str) -> Option<usize> {
    kind.spec().params.iter().position(|p| p.name == name)
}

fn value<'a>(how: &How, bytes: &'a [u8], returned: bool, arena: &mut Vec<u8>) -> Value<'a> {
    // What may be empty is known to be.
    if bytes.is_empty() && !matches!(how, How::Bytes) {
        return Value::Missing;
    }
    let from = arena.len();
    let made = match how {
        How::Int(signed) => return values::integer(bytes, *signed).map_or(Value::Missing, Value::Int),
        How::Named(conversion) => {
            let number = values::integer(bytes, false);
            return number.map_or(Value::Missing, |n| Value::Int(conversion.to_kernel(n as u64)));
        }
        How::Selected => return values::selected(bytes).map_or(Value::Missing, Value::Int),
        How::Text => return values::text(bytes).map_or(Value::Missing, Value::Bytes),
        How::Bytes => return Value::Bytes(bytes),
        How::Address => values::put_sockaddr(arena, bytes),
        How::Swapped => {
            values::put_swapped(arena, bytes);
            true
        }
        How::Polls(flags) => values::put_polls(arena, bytes, returned, flags),
        How::Option => values::put_option(arena, bytes),
    };
    if made { Value::Made(from, arena.len()) } else { Value::Missing }
}
