//! Chisels about requests and their answers, and about stacks of processes.

use super::prepare::Style;
use super::{AggregateDef, Args, Chisel, Error};
use crate::query::{ExchangeQuery, FlameQuery, How, Protocol, Query, Sum};
use serde::Deserialize;
use std::sync::Arc;

/// Operator `exchange`: requests and their answers on connections.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeDef {
    /// `http` or `memcache`.
    pub protocol: String,
    /// Sums by method and target instead of a log: `ncalls`, `time`, `bytes`, or an argument.
    pub sum: Option<String>,
    /// The most rows; a number or an argument of type int.
    pub top: Option<toml::Value>,
    /// Argument with the only method that is shown.
    pub method: Option<String>,
    /// Argument with the fewest bytes of what is shown.
    pub at_least: Option<String>,
}

/// Operator `flame`: an aggregate by the processes that stand above each other and the call on top.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlameDef {
    /// A count or a sum.
    pub value: AggregateDef,
}

impl Chisel {
    /// The operator `exchange`.
    pub(super) fn exchange(&self, exchange: &ExchangeDef, args: &Args, style: Style) -> Result<Query, Error> {
        let one_of = |names: Vec<&str>| format!("one of: {}", names.join(", "));
        let Some(protocol) = Protocol::of_name(&exchange.protocol) else {
            let known = Protocol::NAMES.iter().map(|(name, _)| *name).collect();
            let message = format!("unknown protocol `{}`", exchange.protocol);
            return Err(self.at(&exchange.protocol, message, one_of(known)));
        };
        let sum = match exchange.sum.as_deref().map(|sum| args.resolve(sum)) {
            None => None,
            Some(name) => Some(Sum::of_name(name).ok_or_else(|| {
                let known = Sum::NAMES.iter().map(|(name, _)| *name).collect();
                self.at(name, format!("unknown sum `{name}`"), one_of(known))
            })?),
        };
        let given = |text: &Option<String>| {
            let name = text.as_deref().and_then(|text| text.strip_prefix('$'));
            name.and_then(|name| args.get(name)).map(|(_, text)| text.to_owned()).filter(|text| !text.is_empty())
        };
        let [data, number, process, name] = ["evt.buffer", "fd.num", "proc.pid", "proc.name"];
        let more =
            if style.containers { vec![("container.id".to_owned(), self.field("container.id")?)] } else { vec![] };
        Ok(Query::Other(Arc::new(ExchangeQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            protocol,
            sum,
            top: self.top(exchange.top.as_ref(), args)?,
            method: given(&exchange.method).map(String::into_bytes),
            at_least: given(&exchange.at_least).and_then(|n| n.parse().ok()).unwrap_or(0),
            fields: [self.field(data)?, self.field(number)?, self.field(process)?, self.field(name)?],
            more,
        })))
    }

    /// The operator `flame`.
    pub(super) fn flame(&self, flame: &FlameDef, args: &Args) -> Result<Query, Error> {
        let value = self.value(&flame.value, args)?;
        if !matches!(value.how, How::Count | How::Sum) {
            return Err(self.at(
                &flame.value.name,
                "expected a count or a sum",
                "parts of a graph add up to the whole",
            ));
        }
        let query = FlameQuery::new(self.name.clone(), self.about.clone(), value);
        let query = query.map_err(|error| self.at("flame", error.to_string(), "this is a mistake in the program"))?;
        Ok(Query::Other(Arc::new(query)))
    }
}
