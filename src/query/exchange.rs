//! [`ExchangeQuery`]: requests and their answers on connections, as a log or summed up.

use super::decode::{Message, Protocol};
use super::part::cell;
use super::{Operator, Span, View};
use crate::batch::{Batch, Error, Row};
use crate::event::{Flags, KindFlags};
use crate::field::FieldRef;
use crate::filter::Selection;
use crate::report::{Cell, Column, Report, Table, Unit};
use crate::value::{Value, write_date, write_time_of_day};
use std::collections::BTreeMap;

/// What is summed up of exchanges with the same method and target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// How many there were.
    Calls,
    /// The mean time from the request to its answer.
    Time,
    /// Bytes that answers brought.
    Bytes,
}

impl Sum {
    /// Names in chisel files.
    pub const NAMES: &[(&'static str, Sum)] = &[("ncalls", Sum::Calls), ("time", Sum::Time), ("bytes", Sum::Bytes)];

    /// The sum of this name in a chisel file.
    pub fn of_name(name: &str) -> Option<Sum> {
        Sum::NAMES.iter().find(|(n, _)| *n == name).map(|(_, sum)| *sum)
    }

    fn column(self) -> Column {
        let unit = match self {
            Sum::Calls => Unit::None,
            Sum::Time => Unit::Duration,
            Sum::Bytes => Unit::Bytes,
        };
        let name = Sum::NAMES.iter().find(|(_, sum)| *sum == self).map_or("", |(name, _)| *name);
        Column::number(name, unit)
    }
}

/// Requests and their answers on connections. An answer belongs to the last request that went the other way over the
/// same descriptor of the same process; a request that the next one overtakes has none.
#[derive(Clone)]
pub struct ExchangeQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Sums by method and target instead of a log.
    pub sum: Option<Sum>,
    /// The most rows shown.
    pub top: Option<usize>,
    /// Only requests of this method.
    pub method: Option<Vec<u8>>,
    /// Only exchanges in which the request or the answer brings as many bytes.
    pub at_least: u64,
    /// The data, the descriptor's number, the process's id and name.
    pub fields: [FieldRef; 4],
    /// Further columns.
    pub more: Vec<(String, FieldRef)>,
}

/// Process and descriptor.
type Channel = (u32, i64);

struct Found {
    time: u64,
    num: u64,
    channel: Channel,
    writes: bool,
    message: Message,
    process: Cell,
    more: Vec<Cell>,
}

/// Messages that one worker has seen.
#[derive(Default)]
pub struct ExchangePartial {
    found: Vec<Found>,
    tz_offset_s: Option<i32>,
}

struct Exchange {
    request: Found,
    result: Vec<u8>,
    answered: u64,
    /// Bytes that the answer brings, or else the request.
    size: Option<u64>,
}

impl ExchangeQuery {
    fn found(&self, row: &Row<'_>, view: View<'_>) -> Option<Found> {
        let [data, number, process, name] = &self.fields;
        let Value::Text(bytes) = data.value(row, view.ctx) else { return None };
        let message = self.protocol.message(&bytes)?;
        let whole = |field: &FieldRef| super::values::number(field, row, view.ctx);
        let channel = (u32::try_from(whole(process)?).ok()?, whole(number)?);
        Some(Found {
            time: row.time(),
            num: row.num(),
            channel,
            writes: row.info().flags.has(KindFlags::WRITES),
            message,
            process: cell(name.value(row, view.ctx)),
            more: self.more.iter().map(|(_, field)| cell(field.value(row, view.ctx))).collect(),
        })
    }

    /// Requests with their answers, in the order of the answers.
    fn exchanges(found: Vec<Found>) -> Vec<Exchange> {
        let mut pending: BTreeMap<Channel, Found> = BTreeMap::new();
        let mut exchanges = Vec::new();
        for found in found {
            match &found.message {
                Message::Request { .. } => drop(pending.insert(found.channel, found)),
                Message::Answer { result, size } => {
                    let is_other_way = |request: &Found| request.writes != found.writes;
                    if pending.get(&found.channel).is_some_and(is_other_way)
                        && let Some(request) = pending.remove(&found.channel)
                    {
                        let Message::Request { size: brought, .. } = request.message else { continue };
                        let size = size.or(brought);
                        exchanges.push(Exchange { request, result: result.clone(), answered: found.time, size });
                    }
                }
            }
        }
        exchanges
    }

    fn is_wanted(&self, exchange: &Exchange) -> bool {
        let Message::Request { method, .. } = &exchange.request.message else { return false };
        self.method.as_ref().is_none_or(|wanted| wanted == method) && exchange.size.unwrap_or(0) >= self.at_least
    }

    fn log(&self, exchanges: &[Exchange], tz_offset_s: i32) -> Table {
        let mut columns =
            ["TIME", "DIR", "METHOD", self.target(), "RESULT"].map(Column::text).into_iter().collect::<Vec<_>>();
        columns.push(Column::number("LATENCY", Unit::Duration));
        columns.push(Column::number("SIZE", Unit::Bytes));
        columns.push(Column::text("PROCESS"));
        columns.push(Column::number("PID", Unit::None));
        columns.extend(self.more.iter().map(|(name, _)| Column::text(name)));
        let row = |exchange: &Exchange| {
            let request = &exchange.request;
            let Message::Request { method, target, .. } = &request.message else { return Vec::new() };
            let mut time = Vec::new();
            write_date(&mut time, exchange.answered, tz_offset_s);
            time.push(b' ');
            write_time_of_day(&mut time, exchange.answered, tz_offset_s, true);
            let mut row = vec![
                Cell::Text(time),
                Cell::Text(if request.writes { b">".to_vec() } else { b"<".to_vec() }),
                Cell::Text(method.clone()),
                Cell::Text(target.clone()),
                Cell::Text(exchange.result.clone()),
                Cell::Uint(exchange.answered.saturating_sub(request.time)),
                exchange.size.map_or(Cell::Missing, Cell::Uint),
                request.process.clone(),
                Cell::Uint(u64::from(request.channel.0)),
            ];
            row.extend_from_slice(&request.more);
            row
        };
        let rows = exchanges.iter().take(self.top.unwrap_or(usize::MAX)).map(row).collect();
        Table { title: String::new(), columns, rows }
    }

    /// What requests are about, as a heading.
    fn target(&self) -> &'static str {
        match self.protocol {
            Protocol::Http => "URL",
            Protocol::Memcache => "KEY",
        }
    }

    fn sums(&self, sum: Sum, exchanges: &[Exchange]) -> Table {
        let mut by: BTreeMap<Vec<Cell>, (u64, u64)> = BTreeMap::new();
        for exchange in exchanges {
            let Message::Request { method, target, .. } = &exchange.request.message else { continue };
            let mut key = vec![Cell::Text(method.clone()), Cell::Text(target.clone())];
            key.extend_from_slice(&exchange.request.more);
            let (value, count) = by.entry(key).or_default();
            *count += 1;
            *value = value.saturating_add(match sum {
                Sum::Calls => 1,
                Sum::Time => exchange.answered.saturating_sub(exchange.request.time),
                Sum::Bytes => exchange.size.unwrap_or(0),
            });
        }
        let value = |(key, (value, count)): (Vec<Cell>, (u64, u64))| {
            let value = if sum == Sum::Time { value / count.max(1) } else { value };
            (value, key)
        };
        let mut rows: Vec<(u64, Vec<Cell>)> = by.into_iter().map(value).collect();
        rows.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        rows.truncate(self.top.unwrap_or(usize::MAX));
        let rows = rows.into_iter().map(|(value, key)| [Cell::Uint(value)].into_iter().chain(key).collect()).collect();
        let mut columns = vec![sum.column(), Column::text("method"), Column::text(self.target().to_lowercase())];
        columns.extend(self.more.iter().map(|(name, _)| Column::text(name)));
        Table { title: String::new(), columns, rows }
    }
}

impl Operator for ExchangeQuery {
    type Partial = ExchangePartial;

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        self.fields.iter().chain(self.more.iter().map(|(_, field)| field)).for_each(each);
    }

    fn add(
        &self,
        partial: &mut ExchangePartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        let mut all = Vec::new();
        selection.for_each_row(batch, |row| {
            if !row.flags().has(Flags::IN_FLIGHT) {
                all.extend(self.found(&row, view));
            }
        })?;
        if let Some(error) = batch.damage() {
            return Err(error.clone());
        }
        partial.tz_offset_s = Some(view.ctx.tz_offset_s);
        partial.found.append(&mut all);
        Ok(())
    }

    fn finish(&self, partials: Vec<ExchangePartial>, _: Span, notes: Vec<String>) -> Report {
        let tz_offset_s = partials.iter().find_map(|p| p.tz_offset_s).unwrap_or(0);
        let mut found: Vec<Found> = partials.into_iter().flat_map(|p| p.found).collect();
        // Of the same moment and number there may be several in reels that are asked together.
        found.sort_by_key(|found| (found.time, found.num, found.channel));
        let mut exchanges = ExchangeQuery::exchanges(found);
        exchanges.retain(|exchange| self.is_wanted(exchange));
        let table = match self.sum {
            Some(sum) => self.sums(sum, &exchanges),
            None => self.log(&exchanges, tz_offset_s),
        };
        Report { title: self.title.clone(), about: self.about.clone(), tables: vec![table], notes, ..Report::default() }
    }
}
