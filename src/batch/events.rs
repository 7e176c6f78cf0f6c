//! Rows back to events (invariant 11: a batch gives back the events it was built from).

use super::{Batch, Error, Row};
use crate::event::{Arg, Args, Class, Event, Kind};

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

impl<'a> Row<'a> {
    /// The event as its source handed it over. `env` is a buffer for the environment, if the kind has one.
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
        let args: Args<'b> = info
            .params
            .iter()
            .enumerate()
            .map(|(i, param)| match param.class {
                Class::Env if !missing(i) => Arg::Bytes(env),
                _ => self.arg(i),
            })
            .collect();
        Event {
            kind: Kind(self.batch.head().kinds[self.kind].kind),
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
