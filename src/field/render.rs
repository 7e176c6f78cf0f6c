//! Parameters as people read them: `fd=3(<f>/etc/passwd) flags=4097(O_RDONLY|O_CLOEXEC)`.
//!
//! A parameter has a raw form, and many have a resolved one, which stands behind it in parentheses. Everything is
//! appended to a buffer: this is the hot path of printing.

use super::address::{write_fd_list, write_fd_set, write_file_list, write_option_value, write_sock_addr, write_tuple};
use super::buffer::write_buffer;
use super::{Context, TimeFormat, fd, path};
use crate::batch::{Known, ParamInfo, Row};
use crate::event::{Arg, Class, FlagTable, Flags, KindFlags, ParamType, SPECS, errno_name, flag_table, signal_name};
use crate::value::{
    Services, Value, write_date, write_escaped, write_hex, write_i64, write_ip, write_oct, write_padded,
    write_ratio_short, write_time_of_day, write_u64,
};
use crate::world::ImageRow;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What is written for a value that is not there.
pub(super) const MISSING: &[u8] = b"<NA>";

/// One of the values that a kind shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// The return value.
    Return,
    /// A parameter.
    Param(usize),
}

impl Slot {
    /// Its place among what a kind shows.
    pub(super) fn position(self, info: &crate::batch::KindInfo) -> u32 {
        match self {
            Slot::Return => 0,
            Slot::Param(n) => n as u32 + u32::from(info.ret.is_some()),
        }
    }
}

/// One value with what is known about it.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) ty: ParamType,
    pub(super) table: Option<&'static FlagTable>,
    pub(super) class: Class,
    pub(super) value: Arg<'a>,
    pub(super) slot: Slot,
}

fn item<'a>(row: &Row<'a>, slot: Slot) -> Option<Item<'a>> {
    let info = row.info();
    Some(match slot {
        Slot::Return => {
            let value = Arg::Int(row.ret()?);
            Item { ty: info.ret.as_ref()?.1, table: None, class: Class::Int, value, slot }
        }
        Slot::Param(n) => {
            let param = info.params.get(n)?;
            Item { ty: param.ty, table: table_of(param), class: param.class, value: row.arg(n), slot }
        }
    })
}

/// Appends what `evt.info` says: every parameter, the return value first.
pub fn write_info(row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
    let info = row.info();
    let start = out.len();
    if ctx.at_entry {
        return write_given(row, ctx, out);
    }
    let untold = Flags::IN_FLIGHT.0 | Flags::UNTOLD.0;
    if let Some((name, ty)) = info.ret.as_ref().filter(|_| row.flags().0 & untold == 0) {
        let value = row.ret().map_or(Arg::Missing, Arg::Int);
        let item = Item { ty: *ty, table: None, class: Class::Int, value, slot: Slot::Return };
        write_pair(row, &item, name, ctx, out);
    }
    // What a source cannot tell at all stands at the end of the list.
    let known = |n: &usize| info.params[*n].class == Class::Env || row.arg(*n) != Arg::Missing;
    let count = (0..info.params.len()).rfind(known).map_or(0, |last| last + 1);
    // Of an audit event most is JSON that is asked for by name, and what it does not have is not worth a word.
    let is_terse = info.params.iter().any(|param| param.ty == ParamType::Json);
    for (n, param) in info.params.iter().take(count).enumerate() {
        if is_terse && (param.ty == ParamType::Json || row.arg(n) == Arg::Missing) {
            continue;
        }
        if out.len() > start {
            out.push(b' ');
        }
        let (ty, table, class) = (param.ty, table_of(param), param.class);
        let item = Item { ty, table, class, value: row.arg(n), slot: Slot::Param(n) };
        write_pair(row, &item, &param.name, ctx, out);
    }
}

/// The parameters that are known when a call begins.
pub(super) fn write_given(row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
    let (info, start) = (row.info(), out.len());
    let known = super::entered::known(info);
    for (n, param) in info.params.iter().enumerate().filter(|(n, _)| known >> n & 1 == 1) {
        if out.len() > start {
            out.push(b' ');
        }
        let (ty, table, class) = (param.ty, table_of(param), param.class);
        let item = Item { ty, table, class, value: row.arg(n), slot: Slot::Param(n) };
        write_pair(row, &item, &param.name, ctx, out);
    }
}

/// Appends `fd.name`; `<NA>` and `false` if there is none.
pub fn write_fd_name(row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) -> bool {
    let Some(desc) = row.desc() else {
        out.extend_from_slice(MISSING);
        return false;
    };
    match row.dict().strings.get(desc.name) {
        Some(name) => write_text(out, name, ctx),
        None if desc.client.is_none() && desc.server.is_none() => {
            out.extend_from_slice(MISSING);
            return false;
        }
        None => fd::write_ends(out, desc, ctx.ports),
    }
    true
}

fn write_pair(row: &Row<'_>, item: &Item<'_>, name: &str, ctx: &Context, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    write_both(row, item, ctx, out);
}

/// Appends a value, and what it stands for in parentheses behind it.
pub(super) fn write_both(row: &Row<'_>, item: &Item<'_>, ctx: &Context, out: &mut Vec<u8>) {
    write_plain(row, item, ctx, out);
    write_meaning(row, item, ctx, out);
}

/// Appends what a value stands for in parentheses, if there is more to say.
pub(super) fn write_meaning(row: &Row<'_>, item: &Item<'_>, ctx: &Context, out: &mut Vec<u8>) {
    let end = out.len();
    out.push(b'(');
    if write_resolved(row, item, ctx, out) { out.push(b')') } else { out.truncate(end) }
}

/// The value of `evt.arg`: the resolved form where there is one, the raw one otherwise.
pub(super) fn resolved<'a>(row: &Row<'a>, slot: Slot, ctx: &Context) -> Value<'a> {
    let Some(item) = item(row, slot) else { return Value::Missing };
    if item.class == Class::Env && !knows_env(row) {
        return Value::Missing;
    }
    if item.class == Class::Env {
        let env: Vec<_> = row.env().collect();
        return Value::owned(env.join(&b' '));
    }
    match (item.ty, item.value) {
        (_, Arg::Missing) => return Value::Missing,
        (ParamType::Text | ParamType::Json, Arg::Bytes(text)) => return Value::text(text),
        _ => {}
    }
    // A filter compares what was recorded; escaping is for whoever prints it.
    let ctx = Context { raw_text: true, ..*ctx };
    let mut out = Vec::with_capacity(32);
    if let (ParamType::TextList, Arg::Bytes(bytes)) = (item.ty, item.value) {
        write_list(&mut out, list(bytes), usize::MAX, &ctx);
        return Value::owned(out);
    }
    if !write_resolved(row, &item, &ctx, &mut out) {
        out.clear();
        write_plain(row, &item, &ctx, &mut out);
    }
    Value::owned(out)
}

/// Whether the thread's image is known: neither unread when it was recorded nor lost with a damaged dictionary.
fn knows_env(row: &Row<'_>) -> bool {
    let image = row.dict().image(row.thread().image);
    *image != ImageRow::default()
}

fn write_text(out: &mut Vec<u8>, text: &[u8], ctx: &Context) {
    if ctx.raw_text { out.extend_from_slice(text) } else { write_escaped(out, text) }
}

fn write_plain(row: &Row<'_>, item: &Item<'_>, ctx: &Context, out: &mut Vec<u8>) {
    match item.value {
        _ if item.class == Class::Env && !knows_env(row) => out.extend_from_slice(MISSING),
        _ if item.class == Class::Env => {
            // No variable is empty, but one that is lost.
            let variables = row.env().map(|text| if text.is_empty() { MISSING } else { text });
            write_list(out, variables, ctx.buffer_limit, ctx);
        }
        Arg::Missing => out.extend_from_slice(MISSING),
        Arg::Int(v) => write_int(out, item.ty, v, ctx),
        Arg::Bytes(bytes) => write_bytes(out, item.ty, bytes, ctx),
    }
}

pub(super) fn write_int(out: &mut Vec<u8>, ty: ParamType, v: i64, ctx: &Context) {
    match ty {
        ParamType::Uint => write_u64(out, v as u64),
        ParamType::Hex => write_hex(out, v as u64),
        ParamType::Oct | ParamType::Mode => write_oct(out, v as u64),
        ParamType::Bool => out.extend_from_slice(if v == 0 { b"false" } else { b"true" }),
        ParamType::Uid | ParamType::Gid | ParamType::Fd => write_i64(out, i64::from(v as i32)),
        ParamType::Time => {
            let offset = ctx.offset_s(v as u64);
            write_date(out, v as u64, offset);
            out.push(b' ');
            write_time_of_day(out, v as u64, offset, true);
        }
        // Beside the kernel's bits an imported value may have bits that the kernel does not know.
        ParamType::Flags | ParamType::Enum if v < 0 => write_u64(out, kernels(v)),
        _ => write_i64(out, v),
    }
}

/// The kernel's bits of a value.
fn kernels(v: i64) -> u64 {
    if v < 0 { v as u64 & 0xffff_ffff } else { v as u64 }
}

pub(super) fn write_bytes(out: &mut Vec<u8>, ty: ParamType, bytes: &[u8], ctx: &Context) {
    match ty {
        ParamType::Text | ParamType::Path | ParamType::RelPath if bytes == b"(NULL)" => out.extend_from_slice(MISSING),
        ParamType::TextList => write_list(out, list(bytes), ctx.buffer_limit, ctx),
        ParamType::Bytes
        | ParamType::SockAddr
        | ParamType::Tuple
        | ParamType::FdList
        | ParamType::FileList
        | ParamType::FdSet
        | ParamType::OptionValue
            if bytes.is_empty() =>
        {
            out.extend_from_slice(b"NULL");
        }
        ParamType::SockAddr => write_sock_addr(out, bytes, ctx.raw_text, ctx.ports),
        ParamType::Tuple => write_tuple(out, bytes, ctx.raw_text, ctx.ports),
        ParamType::FdList => write_fd_list(out, bytes),
        ParamType::FileList => write_file_list(out, bytes),
        ParamType::FdSet => write_fd_set(out, bytes),
        ParamType::OptionValue => write_option_value(out, bytes),
        ParamType::Bytes => write_data(out, bytes, ctx),
        _ => write_text(out, bytes, ctx),
    }
}

/// The texts of a list.
fn list(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&b| b == 0).filter(|text| !text.is_empty())
}

/// Appends texts with a dot behind each, cut to `limit` bytes as data is.
fn write_list<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a [u8]>, limit: usize, ctx: &Context) {
    let mut left = limit;
    for text in texts {
        let shown = &text[..cut(text, left)];
        write_text(out, shown, ctx);
        if shown.len() < text.len() {
            return out.extend_from_slice(b"...");
        }
        out.push(b'.');
        left = left.saturating_sub(text.len() + 1);
    }
}

/// Where to cut a text to at most `limit` bytes, not inside a character.
fn cut(text: &[u8], limit: usize) -> usize {
    let goes_on = |at: &usize| text.get(*at).is_some_and(|b| b & 0xc0 == 0x80);
    let end = text.len().min(limit);
    (end.saturating_sub(3)..=end).rev().find(|at| !goes_on(at)).unwrap_or(end)
}

fn write_data(out: &mut Vec<u8>, bytes: &[u8], ctx: &Context) {
    let shown = &bytes[..bytes.len().min(ctx.buffer_limit)];
    write_buffer(out, shown, ctx.buffer);
    if shown.len() < bytes.len() {
        out.extend_from_slice(b"...");
    }
}

/// Appends the resolved form; `false` if there is none (what was appended then is to be cut off again).
fn write_resolved(row: &Row<'_>, item: &Item<'_>, ctx: &Context, out: &mut Vec<u8>) -> bool {
    match item.value {
        Arg::Int(v) => write_resolved_int(row, item, v, ctx, out),
        Arg::Bytes(name) if matches!(item.ty, ParamType::Path | ParamType::RelPath) => {
            write_resolved_path(row, item, name, ctx, out)
        }
        _ => false,
    }
}

fn write_resolved_int(row: &Row<'_>, item: &Item<'_>, v: i64, ctx: &Context, out: &mut Vec<u8>) -> bool {
    match item.ty {
        ParamType::Errno => v < 0 && write_name(out, errno_name(v)),
        ParamType::Fd => write_descriptor(row, item.slot, v, ctx, out),
        ParamType::Pid => write_comm(row, v, ctx, out),
        ParamType::Uid => write_owner(row, v, true, ctx, out),
        ParamType::Gid => write_owner(row, v, false, ctx, out),
        ParamType::Signal => v != 0 && write_name(out, signal_name(v)),
        ParamType::Flags | ParamType::Mode => write_flags(out, item.table, kernels(v)),
        ParamType::Enum | ParamType::Hex => write_enum(out, item.table, kernels(v)),
        ParamType::Duration if v >= 0 => {
            write_seconds(out, v as u64);
            out.push(b's');
            true
        }
        _ => false,
    }
}

fn write_name(out: &mut Vec<u8>, name: Option<&str>) -> bool {
    out.extend_from_slice(name.unwrap_or_default().as_bytes());
    name.is_some()
}

/// The kernel's number for "relative to the working directory" in place of a descriptor.
const AT_FDCWD: i64 = -100;

fn write_descriptor(row: &Row<'_>, slot: Slot, v: i64, ctx: &Context, out: &mut Vec<u8>) -> bool {
    let v = i64::from(v as i32);
    if v == AT_FDCWD {
        return write_name(out, Some("AT_FDCWD"));
    }
    if v < 0 {
        return write_name(out, errno_name(v));
    }
    let info = row.info();
    let is_its_descriptor = match slot {
        Slot::Return => info.name != "fcntl" || is_duplicate(row),
        Slot::Param(n) => info.fd.map(usize::from) == Some(n) || matches!(info.params[n].name.as_str(), "fd1" | "fd2"),
    };
    let Some(desc) = row.desc().filter(|_| is_its_descriptor) else { return false };
    out.push(b'<');
    out.extend_from_slice(fd::type_words(desc.kind).1.as_bytes());
    out.extend_from_slice(match desc.l4 {
        crate::world::L4::None => b"",
        crate::world::L4::Tcp => b"t",
        crate::world::L4::Udp => b"u",
        crate::world::L4::Icmp => b"i",
        crate::world::L4::Raw => b"r",
    });
    out.push(b'>');
    match row.dict().strings.get(desc.name) {
        Some(name) => write_text(out, name, ctx),
        None => fd::write_ends(out, desc, ctx.ports),
    }
    true
}

/// Whether an `fcntl` makes a descriptor: `F_DUPFD` and `F_DUPFD_CLOEXEC` (`linux/fcntl.h`).
fn is_duplicate(row: &Row<'_>) -> bool {
    matches!(row.known(Known::Command).int(), Some(0 | 1030))
}

/// The name of a thread that the event's own thread knows: itself, its parent, its leader, its creator.
fn write_comm(row: &Row<'_>, tid: i64, ctx: &Context, out: &mut Vec<u8>) -> bool {
    let (dict, own) = (row.dict(), row.thread());
    let kin = [own.leader, own.parent, own.creator, own.session].into_iter().filter(|&r| r != 0);
    let mut known = std::iter::once(own).chain(kin.map(|r| dict.thread(r)));
    let found = known.find(|t| i64::from(t.tid) == tid && tid > 0).and_then(|t| dict.strings.get(t.comm));
    write_text(out, found.unwrap_or_default(), ctx);
    found.is_some()
}

fn write_owner(row: &Row<'_>, id: i64, is_user: bool, ctx: &Context, out: &mut Vec<u8>) -> bool {
    if id as i32 == -1 {
        return write_name(out, Some("<NONE>"));
    }
    let names = if is_user { &row.dict().users } else { &row.dict().groups };
    match names.get(&(id as u32)).and_then(|&name| row.dict().strings.get(name)) {
        Some(name) => write_text(out, name, ctx),
        None if id == 0 && names.is_empty() => out.extend_from_slice(b"root"),
        None => return false,
    }
    true
}

/// The flag table of a parameter. Their names are hashed once.
pub(super) fn table_of(param: &ParamInfo) -> Option<&'static FlagTable> {
    static TABLES: LazyLock<HashMap<&'static str, &'static FlagTable, FixedState>> =
        LazyLock::new(|| SPECS.iter().flat_map(|s| s.params).filter_map(|p| p.table).map(|t| (t.name, t)).collect());
    let name = param.table.as_deref()?;
    TABLES.get(name).copied().or_else(|| flag_table(name))
}

/// Names of a bit set, those of the table that apply.
fn write_flags(out: &mut Vec<u8>, table: Option<&FlagTable>, value: u64) -> bool {
    let Some(table) = table else { return false };
    let start = out.len();
    table.names(value, &mut |name| {
        if out.len() > start {
            out.push(b'|');
        }
        out.extend_from_slice(name.as_bytes());
    });
    out.len() > start
}

fn write_enum(out: &mut Vec<u8>, table: Option<&FlagTable>, value: u64) -> bool {
    write_name(out, table.and_then(|table| table.name_of(value)))
}

fn write_resolved_path(row: &Row<'_>, item: &Item<'_>, name: &[u8], ctx: &Context, out: &mut Vec<u8>) -> bool {
    if name.is_empty() || name[0] == b'/' || name == b"(NULL)" || name == b"<NA>" {
        return false;
    }
    let (info, dict) = (row.info(), row.dict());
    let desc_name = || row.desc().and_then(|d| dict.strings.get(d.name));
    let cwd = || dict.strings.get(row.thread().cwd).map(|cwd| path::resolve(cwd, name));
    let base = match (item.ty, item.slot) {
        (ParamType::RelPath, Slot::Param(n)) if n > 0 => row.arg(n - 1).int(),
        _ => Some(AT_FDCWD),
    };
    // A `chdir` that succeeded: the row of its thread is the one after it, so what it named is where that one stands.
    if info.name == "chdir" && row.ret().is_some_and(|ret| ret >= 0) {
        let name = dict.strings.get(row.thread().cwd);
        write_text(out, name.unwrap_or_default(), ctx);
        return name.is_some();
    }
    let full = match (base, item.slot) {
        (Some(fd), _) if fd as i32 == AT_FDCWD as i32 => cwd(),
        // The world has resolved what it opened; nothing else says what directory it was relative to.
        _ if info.flags.has(KindFlags::CREATES_FD) => desc_name().map(<[u8]>::to_vec),
        (_, Slot::Param(n)) if info.fd.map(usize::from) == n.checked_sub(1) => {
            desc_name().map(|dir| path::resolve(dir, name))
        }
        _ => None,
    };
    write_text(out, full.as_deref().unwrap_or_default(), ctx);
    full.is_some()
}

/// Appends `s.nnnnnnnnn`.
fn write_seconds(out: &mut Vec<u8>, ns: u64) {
    write_u64(out, ns / 1_000_000_000);
    out.push(b'.');
    write_padded(out, ns % 1_000_000_000, 9);
}

/// Appends the event's time in the form chosen with `-t`.
pub fn write_outputtime(row: &Row<'_>, ctx: &Context, out: &mut Vec<u8>) {
    let time = if ctx.at_entry { row.entered() } else { row.time() };
    match ctx.time_format {
        TimeFormat::TimeOfDay => write_time_of_day(out, time, ctx.offset_s(time), true),
        TimeFormat::Utc => {
            write_date(out, time, 0);
            out.push(b'T');
            write_time_of_day(out, time, 0, true);
            out.push(b'Z');
        }
        TimeFormat::Absolute => write_seconds(out, time),
        TimeFormat::Relative => write_seconds(out, time.saturating_sub(ctx.start)),
        TimeFormat::Delta if ctx.at_entry => write_seconds(out, 0),
        TimeFormat::Delta => write_seconds(out, row.duration().unwrap_or(0)),
        TimeFormat::DeltaPrinted => {
            let since = if ctx.prev_time == 0 { 0 } else { time.saturating_sub(ctx.prev_time) };
            write_seconds(out, since);
        }
    }
}

/// Appends a field's value as a line of output shows it; lists with blanks between.
pub fn write_value(value: &Value<'_>, ty: crate::value::Type, ctx: &Context, out: &mut Vec<u8>) {
    match value {
        Value::Missing => out.extend_from_slice(MISSING),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(v) => write_i64(out, *v),
        Value::Uint(v) if ty == crate::value::Type::Port => Services::write(ctx.ports, out, *v as u16),
        Value::Uint(v) => write_u64(out, *v),
        Value::Ratio { sum, of } => write_ratio_short(out, *sum, *of),
        Value::Text(bytes) if ty == crate::value::Type::Bytes => write_buffer(out, bytes, ctx.buffer),
        Value::Text(text) => write_text(out, text, ctx),
        Value::Ip(ip) => write_ip(out, *ip),
        Value::Either(ends) => {
            write_value(&ends[0], ty, ctx, out);
            out.extend_from_slice(b"->");
            write_value(&ends[1], ty, ctx, out);
        }
        Value::List(values) => {
            for (n, value) in values.iter().enumerate() {
                if n > 0 {
                    out.push(b' ');
                }
                write_value(value, ty, ctx, out);
            }
        }
    }
}
