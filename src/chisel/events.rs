//! Chisels about events with the operators that say everything at the end: `list`, `series`, `histogram`.

use super::prepare::Style;
use super::{AggregateDef, ArgType, Args, Chisel, Error, KeyDef, StateColumnDef};
use crate::query::{Buckets, HistogramQuery, ListQuery, Query, SeriesQuery};
use serde::Deserialize;
use std::sync::Arc;

/// Operator `list`: matching events as rows of a table, a column for each field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListDef {
    /// Columns, left to right.
    pub columns: Vec<StateColumnDef>,
    /// Heading of the column to sort by; a leading `-` puts the largest first. Without it: in the order of events.
    pub sort: Option<String>,
    /// The most rows; a number or an argument of type int.
    pub top: Option<toml::Value>,
}

/// Operator `series`: aggregates for each interval of event time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesDef {
    /// Length of an interval, milliseconds: a number, or an argument of type milliseconds.
    pub every_ms: toml::Value,
    /// Whether text shows each column as a line of characters, too.
    #[serde(default)]
    pub sparklines: bool,
    /// Fields that tell series apart; none: one series of all events.
    #[serde(default)]
    pub by: Vec<KeyDef>,
    /// Value columns.
    pub columns: Vec<AggregateDef>,
}

/// Operator `histogram`: how many events fell into each bucket of time and value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistogramDef {
    /// Length of a row's interval, milliseconds: a number, or an argument of type milliseconds.
    pub every_ms: toml::Value,
    /// What the value is called.
    pub name: String,
    /// The value: a field that is a number; none: the time since the row's interval began at which the event began.
    pub value: Option<String>,
    /// What it means.
    pub unit: Option<String>,
    /// Powers of ten that the axis has, 1 to 18.
    #[serde(default = "decades")]
    pub decades: u32,
}

/// From a nanosecond to a hundred seconds.
fn decades() -> u32 {
    11
}

impl Chisel {
    /// The operators that say everything at the end.
    pub(super) fn of_events(&self, args: &Args, style: Style) -> Result<Query, Error> {
        if let Some(list) = &self.list {
            return self.list(list, args, style);
        }
        if let Some(series) = &self.series {
            return self.series(series, args);
        }
        if let Some(histogram) = &self.histogram {
            return self.histogram(histogram, args);
        }
        if let Some(sequence) = &self.sequence {
            return self.sequence(sequence, args, style.containers);
        }
        if let Some(threshold) = &self.threshold {
            return self.threshold(threshold, args);
        }
        if let Some(exchange) = &self.exchange {
            return self.exchange(exchange, args, style);
        }
        if let Some(flame) = &self.flame {
            return self.flame(flame, args);
        }
        if let Some(tables) = &self.tables {
            return self.tables(tables, args, style);
        }
        if let Some(history) = &self.history {
            return self.history(history, args);
        }
        if let Some(first_seen) = &self.first_seen {
            return self.first_seen(first_seen, args);
        }
        Ok(Query::Nothing)
    }

    fn list(&self, list: &ListDef, args: &Args, style: Style) -> Result<Query, Error> {
        let columns = self.state_columns(&list.columns, style.containers)?;
        Ok(Query::Other(Arc::new(ListQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            order: self.order(list.sort.as_deref(), &columns)?,
            top: self.top(list.top.as_ref(), args)?,
            columns,
        })))
    }

    fn series(&self, series: &SeriesDef, args: &Args) -> Result<Query, Error> {
        Ok(Query::Other(Arc::new(SeriesQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            step: self.interval("every_ms", &series.every_ms, args, SHORTEST)?,
            keys: self.keys(&series.by, args)?,
            sparklines: series.sparklines,
            values: series.columns.iter().map(|c| self.value(c, args)).collect::<Result<_, _>>()?,
        })))
    }

    fn histogram(&self, histogram: &HistogramDef, args: &Args) -> Result<Query, Error> {
        if !(1..=18).contains(&histogram.decades) {
            return Err(self.at("decades", "expected 1 to 18 decades", "11 is from a nanosecond to a hundred seconds"));
        }
        let (field, buckets) = match &histogram.value {
            Some(value) => (self.field(value)?, Buckets::Decades(histogram.decades)),
            None => (self.field("evt.rawtime")?, Buckets::Offset),
        };
        Ok(Query::Other(Arc::new(HistogramQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            name: histogram.name.clone(),
            unit: self.unit(histogram.unit.as_deref())?,
            step: self.interval("every_ms", &histogram.every_ms, args, SHORTEST)?,
            field,
            buckets,
        })))
    }

    /// What a key says in milliseconds, as a number or by the argument that has it, as ns: `least` ms, and at most a year.
    pub(super) fn interval(&self, key: &str, value: &toml::Value, args: &Args, least: f64) -> Result<u64, Error> {
        match milliseconds(value, args) {
            Some(ms) if (least..=3.2e10).contains(&ms) => Ok((ms * 1e6).round() as u64),
            _ => Err(self.at(
                key,
                format!("expected an interval of {least} ms up to a year"),
                "give a number, or an argument of type milliseconds",
            )),
        }
    }
}

/// The shortest interval that events are put into, ms: below it there is nothing to see.
pub(super) const SHORTEST: f64 = 0.001;

/// A number of milliseconds, or the argument that has it.
fn milliseconds(value: &toml::Value, args: &Args) -> Option<f64> {
    match value {
        toml::Value::Integer(ms) => Some(*ms as f64),
        toml::Value::Float(ms) => Some(*ms),
        toml::Value::String(text) => match text.strip_prefix('$').and_then(|name| args.get(name)) {
            Some((ArgType::Int | ArgType::Milliseconds, text)) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
