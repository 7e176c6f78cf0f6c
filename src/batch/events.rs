//! Rows back to events (invariant 11: a batch gives back the events it was built from).

use super::told::{is_told_by_rows, told_by_rows};
use super::{Batch, Error, KindInfo, Row};
use crate::event::{Arg, Args, Class, Event, Kind, kind_by_name, kinds};

impl Batch {
    /// Calls `each` for every row, in row order.
    pub fn for_each_row<'a>(&'a self, mut each: impl FnMut(Row<'a>)) -> Result<(), Error> {
        let (kinds, positions) = (self.kind()?, self.positions()?);
        let mut index = 0;
        for (thread, length) in self.thread()?.iter() {
            for _ in 0..length {
                let (Some(&kind), Some(&position)) = (kinds.get(index), positions.get(index)) else { return Ok(()) };
                each(Row { batch: self, index, kind: usize::from(kind), position: position as usize, thread });
                index += 1;
            }
        }
        Ok(())
    }
}

/// A kind of the file's schema as this version knows it: numbers of kinds and places of parameters differ between
/// versions, names do not.
pub(super) struct Today {
    kind: Kind,
    /// For each parameter of this version, its place in the file's.
    params: Vec<Option<usize>>,
    /// Whether the dictionary's rows say what the file does not say twice.
    is_slim: bool,
}

impl Today {
    pub(super) fn of(info: &KindInfo) -> Today {
        let kind = kind_by_name(&info.name).unwrap_or(kinds::UNKNOWN);
        let place = |name: &str| info.params.iter().position(|p| p.name == name);
        let params: Vec<Option<usize>> = kind.spec().params.iter().map(|param| place(param.name)).collect();
        let is_slim =
            kind.spec().params.iter().zip(&params).any(|(p, at)| at.is_none() && is_told_by_rows(kind, p.name));
        Today { kind, params, is_slim }
    }
}

impl<'a> Row<'a> {
    /// The event as its source handed it over; as [`kinds::UNKNOWN`] if a later version recorded it. `env` is a buffer for the environment, if the kind has one.
    pub fn event<'b>(&self, env: &'b mut Vec<u8>) -> Event<'b>
    where
        'a: 'b,
    {
        let info = self.info();
        env.clear();
        if info.params.iter().any(|p| p.class == Class::Env) {
            for variable in self.env() {
                env.extend_from_slice(variable);
                env.push(0);
            }
        }
        let env: &'b Vec<u8> = env;
        let missing = |param: usize| self.is_missing(param);
        let today = self.batch.today(self.kind);
        let arg = |place: &Option<usize>| match *place {
            Some(i) if info.params[i].class == Class::Env && !missing(i) => Arg::Bytes(env),
            Some(i) => self.arg(i),
            None => Arg::Missing,
        };
        let mut args: Args<'b> = today.params.iter().map(arg).collect();
        if today.is_slim {
            let first = args.first().copied().unwrap_or(Arg::Missing);
            for (param, arg) in today.kind.spec().params.iter().zip(&mut args).filter(|(_, arg)| **arg == Arg::Missing)
            {
                *arg = told_by_rows(self, today.kind, first, param.name);
            }
        }
        Event {
            kind: today.kind,
            time: self.time(),
            duration: self.duration(),
            cpu: self.cpu(),
            tid: self.thread().tid,
            pid: self.thread().pid,
            ret: self.ret().unwrap_or(0),
            flags: self.flags(),
            args,
        }
    }
}
