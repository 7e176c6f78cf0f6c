//! [`InfoPlan`]: `evt.info` of the rows of one batch, with what is the same for all rows of a kind found once.
//!
//! The columns of a kind are at hand, names and flag tables are looked up already, and what a descriptor, a set of flags
//! or a user is called is copied from the last time. It says what [`write_info`](super::write_info) says of a single row.

use super::Context;
use super::render::{
    Item, MISSING, Slot, table_of, write_both, write_bytes, write_given, write_info, write_int, write_meaning,
};
use crate::batch::{Batch, DataRun, Error, KindInfo, Row};
use crate::event::{Arg, Class, FlagTable, Flags, ParamType};
use crate::value::{Fixed, Texts, TextsOf};
use crate::world::StrId;

/// `evt.info` of the rows of one batch.
pub struct InfoPlan<'b> {
    /// By local kind, made when its first row is written.
    kinds: Vec<Option<Box<KindPlan<'b>>>>,
    /// What the event's descriptor is called, by its row in the dictionary.
    descs: Texts,
}

struct KindPlan<'b> {
    ret: Option<ValuePlan<'b>>,
    params: Vec<ValuePlan<'b>>,
    flags: &'b [u8],
    missing: &'b [u64],
    descs: &'b [u32],
    /// Of an audit event most is JSON that is asked for by name, and what it does not have is not worth a word.
    is_terse: bool,
}

/// The return value or a parameter.
struct ValuePlan<'b> {
    first: Fixed,
    next: Fixed,
    ty: ParamType,
    table: Option<&'static FlagTable>,
    class: Class,
    slot: Slot,
    column: Column<'b>,
    /// Its bit among those of what is missing.
    bit: u64,
    way: Way,
}

/// Where the values of the kind's rows are.
enum Column<'b> {
    Int(&'b [i64]),
    Text(&'b [u32]),
    Data(DataRun<'b>),
    None,
}

/// What is short for some values.
enum Way {
    /// Nothing ever stands behind it.
    Plain,
    /// Nothing stands behind it unless it is negative, and then few are frequent.
    Result(TextsOf),
    /// The event's descriptor.
    Desc,
    /// A number of which few are frequent; its text depends on nothing else.
    Few(TextsOf),
    /// A path; nothing stands behind absolute ones.
    Path,
    /// Any.
    Other,
}

/// A column; where it is damaged, the batch keeps that and nothing is known.
fn column<'b, T>(batch: &'b Batch, column: Result<&'b [T], Error>) -> &'b [T] {
    column.unwrap_or_else(|error| {
        batch.mark_damaged(error);
        &[]
    })
}

impl<'b> InfoPlan<'b> {
    /// For rows of this batch.
    pub fn of(batch: &'b Batch) -> InfoPlan<'b> {
        let kinds = batch.head().kinds.iter().map(|_| None).collect();
        InfoPlan { kinds, descs: Texts::new(batch.dict().descs.len()) }
    }

    /// Appends what `evt.info` says of a row of the batch. What else `ctx` says must be the same for all rows, but for the
    /// time of the line before.
    pub fn write(&mut self, row: &Row<'b>, ctx: &Context, out: &mut Vec<u8>) {
        if ctx.at_entry {
            return write_given(row, ctx, out);
        }
        let Some(kind) = self.kinds.get_mut(row.kind) else { return write_info(row, ctx, out) };
        let kind = kind.get_or_insert_with(|| Box::new(KindPlan::of(row.batch, row.kind)));
        kind.write(row, &mut self.descs, ctx, out);
    }
}

impl<'b> KindPlan<'b> {
    fn of(batch: &'b Batch, kind: usize) -> KindPlan<'b> {
        let info = batch.kind_info(kind);
        let ret = info.ret.as_ref().map(|(name, ty)| {
            let values = Column::Int(column(batch, batch.ret(kind)));
            ValuePlan::new(name, info, (*ty, None, Class::Int), Slot::Return, values)
        });
        let param = |(n, param): (usize, &crate::batch::ParamInfo)| {
            let values = match batch.slot(kind, n) {
                Some((Class::Int, slot)) => Column::Int(column(batch, batch.int(kind, slot))),
                Some((Class::Text, slot)) => Column::Text(column(batch, batch.text(kind, slot))),
                Some((Class::Data, slot)) => match batch.data_run(kind, slot) {
                    Ok(run) => Column::Data(run),
                    Err(error) => {
                        batch.mark_damaged(error);
                        Column::None
                    }
                },
                Some((Class::Env, _)) | None => Column::None,
            };
            ValuePlan::new(&param.name, info, (param.ty, table_of(param), param.class), Slot::Param(n), values)
        };
        KindPlan {
            ret,
            params: info.params.iter().enumerate().map(param).collect(),
            flags: column(batch, batch.flags(kind)),
            missing: column(batch, batch.missing(kind)),
            descs: column(batch, batch.desc(kind)),
            is_terse: info.params.iter().any(|param| param.ty == ParamType::Json),
        }
    }

    fn write(&mut self, row: &Row<'b>, descs: &mut Texts, ctx: &Context, out: &mut Vec<u8>) {
        let (at, start) = (row.position, out.len());
        let flags = self.flags.get(at).copied().unwrap_or(0);
        let desc = self.descs.get(at).copied().unwrap_or(0);
        let missing = self.missing.get(at).copied().unwrap_or(0);
        if let Some(ret) = self.ret.as_mut().filter(|_| flags & (Flags::IN_FLIGHT.0 | Flags::UNTOLD.0) == 0) {
            let value = ret.value(row, 0);
            ret.write(value, true, row, (descs, desc), ctx, out);
        }
        // What a source cannot tell at all stands at the end of the list.
        let is_known = |p: &ValuePlan| p.class == Class::Env || p.value(row, missing) != Arg::Missing;
        let count = self.params.iter().rposition(is_known).map_or(0, |last| last + 1);
        for param in &mut self.params[..count] {
            let value = param.value(row, missing);
            if self.is_terse && (param.ty == ParamType::Json || value == Arg::Missing) {
                continue;
            }
            let is_first = out.len() == start;
            param.write(value, is_first, row, (descs, desc), ctx, out);
        }
    }
}

impl<'b> ValuePlan<'b> {
    fn new(
        name: &str,
        info: &KindInfo,
        (ty, table, class): (ParamType, Option<&'static FlagTable>, Class),
        slot: Slot,
        column: Column<'b>,
    ) -> ValuePlan<'b> {
        let is_its_descriptor = match slot {
            Slot::Return => info.name != "fcntl",
            Slot::Param(n) => info.fd.map(usize::from) == Some(n) || matches!(name, "fd1" | "fd2"),
        };
        let way = match ty {
            ParamType::Fd if is_its_descriptor => Way::Desc,
            ParamType::Errno => Way::Result(TextsOf::default()),
            ParamType::Flags | ParamType::Mode | ParamType::Enum | ParamType::Hex if table.is_none() => Way::Plain,
            ParamType::Flags
            | ParamType::Mode
            | ParamType::Enum
            | ParamType::Signal
            | ParamType::Uid
            | ParamType::Gid => Way::Few(TextsOf::default()),
            ParamType::Path | ParamType::RelPath => Way::Path,
            ParamType::Fd | ParamType::Pid | ParamType::Hex | ParamType::Duration => Way::Other,
            _ if class == Class::Env => Way::Other,
            _ => Way::Plain,
        };
        let bit = match slot {
            Slot::Return => 0,
            Slot::Param(n) => 1u64.checked_shl(n as u32).unwrap_or(0),
        };
        let (first, next) = (Fixed::new(format!("{name}=").as_bytes()), Fixed::new(format!(" {name}=").as_bytes()));
        ValuePlan { first, next, ty, table, class, slot, column, bit, way }
    }

    /// As [`Row::arg`] has it.
    #[inline]
    fn value(&self, row: &Row<'b>, missing: u64) -> Arg<'b> {
        if missing & self.bit != 0 {
            return Arg::Missing;
        }
        match self.column {
            Column::Int(values) => values.get(row.position).map_or(Arg::Missing, |&v| Arg::Int(v)),
            Column::Text(ids) => {
                let text = ids.get(row.position).and_then(|&id| row.dict().strings.get(StrId(id)));
                text.map_or(Arg::Missing, Arg::Bytes)
            }
            Column::Data(run) => Arg::Bytes(run.get(row.position)),
            Column::None => Arg::Missing,
        }
    }

    #[inline]
    fn write(
        &mut self,
        value: Arg<'b>,
        is_first: bool,
        row: &Row<'b>,
        (descs, desc): (&mut Texts, u32),
        ctx: &Context,
        out: &mut Vec<u8>,
    ) {
        if is_first {
            self.first.put(out);
        } else {
            self.next.put(out);
        }
        let item = Item { ty: self.ty, table: self.table, class: self.class, value, slot: self.slot };
        match (&mut self.way, value) {
            (Way::Plain, Arg::Missing) => out.extend_from_slice(MISSING),
            (Way::Plain, Arg::Int(v)) => write_int(out, self.ty, v, ctx),
            (Way::Plain, Arg::Bytes(bytes)) => write_bytes(out, self.ty, bytes, ctx),
            (Way::Path, Arg::Bytes(path @ [b'/', ..])) => write_bytes(out, self.ty, path, ctx),
            (Way::Result(_), Arg::Int(v)) if v >= 0 => write_int(out, self.ty, v, ctx),
            (Way::Desc, Arg::Int(v)) if v as i32 >= 0 => {
                write_int(out, self.ty, v, ctx);
                descs.put(desc as usize, out, |out| {
                    write_meaning(row, &item, ctx, out);
                    true
                });
            }
            (Way::Few(texts) | Way::Result(texts), Arg::Int(v)) => {
                texts.put(v, out, |out| {
                    write_both(row, &item, ctx, out);
                    true
                });
            }
            _ => write_both(row, &item, ctx, out),
        }
    }
}
