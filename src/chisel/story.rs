//! Chisels about what happens over time: bursts of events, and the history of objects.

use super::{Args, Chisel, Error, KeyDef, StateColumnDef};
use crate::query::{BurstQuery, HistoryQuery, Query};
use serde::Deserialize;
use std::sync::Arc;

/// Operator `burst`: who did so many things within so long.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurstDef {
    /// Fields to group by.
    pub by: Vec<KeyDef>,
    /// How many events make a burst: a number, or an argument of type int.
    pub count: toml::Value,
    /// Length of the window that slides, milliseconds: a number, or an argument of type milliseconds.
    pub every_ms: toml::Value,
    /// The most rows; a number or an argument of type int.
    pub top: Option<toml::Value>,
}

/// Operator `history`: what became of objects, event by event.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryDef {
    /// Columns before the changes.
    pub columns: Vec<StateColumnDef>,
    /// Field that tells objects apart.
    pub key: String,
    /// Field with the object as it was then, JSON.
    pub body: String,
    /// Field with the changes as they were asked for, where there is no body.
    pub patch: String,
    /// Events that are shown also where nothing changed; the others only tell what the object was.
    pub show: Option<String>,
    /// Paths whose changes say nothing.
    #[serde(default)]
    pub ignore: Vec<String>,
}

impl Chisel {
    /// The operator `burst`.
    pub(super) fn burst(&self, burst: &BurstDef, args: &Args) -> Result<Query, Error> {
        let count = self.top(Some(&burst.count), args)?.filter(|count| *count > 0);
        let Some(count) = count else {
            return Err(self.at("count", "expected at least one event", "20 events make a burst of requests"));
        };
        Ok(Query::Other(Arc::new(BurstQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            keys: self.keys(&burst.by, args)?,
            count,
            within: self.interval(&burst.every_ms, args)?,
            top: self.top(burst.top.as_ref(), args)?,
        })))
    }

    /// The operator `history`.
    pub(super) fn history(&self, history: &HistoryDef, args: &Args) -> Result<Query, Error> {
        Ok(Query::Other(Arc::new(HistoryQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            columns: self.state_columns(&history.columns, false)?,
            key: self.field(&history.key)?,
            body: self.field(&history.body)?,
            patch: self.field(&history.patch)?,
            show: history.show.as_deref().map(|text| self.filter(text, args)).transpose()?,
            ignore: history.ignore.clone(),
        })))
    }
}
