//! Chisels about many events within a time.

use super::{Args, Chisel, Error, KeyDef};
use crate::query::{Query, ThresholdQuery};
use serde::Deserialize;
use std::sync::Arc;

/// Operator `threshold`: so many events of a key, or so many different values, within a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdDef {
    /// Fields to tell keys by.
    pub by: Vec<KeyDef>,
    /// Count the different values of this field, and not events.
    pub distinct: Option<KeyDef>,
    /// How many, at least: a number or an argument of type int.
    pub count: toml::Value,
    /// Within which time, milliseconds: a number, or an argument of type milliseconds.
    pub within_ms: toml::Value,
    /// The most rows; a number or an argument of type int.
    pub top: Option<toml::Value>,
}

impl Chisel {
    /// The operator `threshold`.
    pub(super) fn threshold(&self, threshold: &ThresholdDef, args: &Args) -> Result<Query, Error> {
        let count = self.top(Some(&threshold.count), args)?.unwrap_or(0);
        if count == 0 {
            return Err(self.at("count", "expected a count of 1 or more, found 0", "2 is the least that says much"));
        }
        Ok(Query::Other(Arc::new(ThresholdQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            keys: self.keys(&threshold.by, args)?,
            distinct: threshold.distinct.as_ref().map(|key| self.key(key, args)).transpose()?,
            count,
            within: self.interval("within_ms", &threshold.within_ms, args, super::events::SHORTEST)?,
            top: self.top(threshold.top.as_ref(), args)?,
        })))
    }
}
