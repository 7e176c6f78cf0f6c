//! When an event happened and how long it took: values of `evt.time`, `evt.latency` and their kin.

use super::{Context, FieldArg, render};
use crate::batch::{KindInfo, Row};
use crate::value::{Value, write_date, write_padded, write_time_of_day, write_u64};

const SECOND: u64 = 1_000_000_000;

pub(super) fn written(write: impl FnOnce(&mut Vec<u8>)) -> Value<'static> {
    let mut text = Vec::with_capacity(32);
    write(&mut text);
    Value::owned(text)
}

pub(super) fn time(_: &KindInfo, time: i64, ctx: &Context) -> Value<'static> {
    written(|out| write_time_of_day(out, time as u64, ctx.offset_s(time as u64), true))
}

pub(super) fn time_s(_: &KindInfo, time: i64, ctx: &Context) -> Value<'static> {
    written(|out| write_time_of_day(out, time as u64, ctx.offset_s(time as u64), false))
}

fn date_and_time(time: i64, offset_s: i32, between: u8, nanos: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    write_date(&mut out, time as u64, offset_s);
    out.push(between);
    write_time_of_day(&mut out, time as u64, offset_s, nanos);
    out
}

pub(super) fn iso8601(_: &KindInfo, time: i64, _: &Context) -> Value<'static> {
    let mut text = date_and_time(time, 0, b'T', true);
    text.push(b'Z');
    Value::owned(text)
}

pub(super) fn datetime(_: &KindInfo, time: i64, ctx: &Context) -> Value<'static> {
    Value::owned(date_and_time(time, ctx.offset_s(time as u64), b' ', true))
}

pub(super) fn datetime_s(_: &KindInfo, time: i64, ctx: &Context) -> Value<'static> {
    Value::owned(date_and_time(time, ctx.offset_s(time as u64), b' ', false))
}

pub(super) fn rawtime_s(_: &KindInfo, time: i64, _: &Context) -> Value<'static> {
    Value::Uint(time as u64 / SECOND)
}

pub(super) fn rawtime_ns(_: &KindInfo, time: i64, _: &Context) -> Value<'static> {
    Value::Uint(time as u64 % SECOND)
}

/// Late events may lie before the first one: they stand at 0.
fn since_start(time: i64, ctx: &Context) -> u64 {
    (time as u64).saturating_sub(ctx.start)
}

pub(super) fn reltime(_: &KindInfo, time: i64, ctx: &Context) -> Value<'static> {
    Value::Uint(since_start(time, ctx))
}

pub(super) fn reltime_s(_: &KindInfo, time: i64, ctx: &Context) -> Value<'static> {
    Value::Uint(since_start(time, ctx) / SECOND)
}

pub(super) fn reltime_ns(_: &KindInfo, time: i64, ctx: &Context) -> Value<'static> {
    Value::Uint(since_start(time, ctx) % SECOND)
}

pub(super) fn outputtime<'a>(row: &Row<'a>, _: &'a FieldArg, ctx: &Context) -> Value<'a> {
    written(|out| render::write_outputtime(row, ctx, out))
}

pub(super) fn latency_s(_: &KindInfo, ns: i64, _: &Context) -> Value<'static> {
    Value::Uint(ns as u64 / SECOND)
}

pub(super) fn latency_ns(_: &KindInfo, ns: i64, _: &Context) -> Value<'static> {
    Value::Uint(ns as u64 % SECOND)
}

/// Two decimals above nanoseconds, cut, not rounded: `10.30ms`, `835ns`.
pub(super) fn latency_human(_: &KindInfo, ns: i64, _: &Context) -> Value<'static> {
    let ns = ns as u64;
    let (unit, name) = match ns {
        SECOND.. => (SECOND, "s"),
        1_000_000.. => (1_000_000, "ms"),
        1000.. => (1000, "us"),
        _ => (1, "ns"),
    };
    written(|out| {
        write_u64(out, ns / unit);
        if unit > 1 {
            out.push(b'.');
            write_padded(out, ns % unit * 100 / unit, 2);
        }
        out.extend_from_slice(name.as_bytes());
    })
}
