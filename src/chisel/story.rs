//! Chisels about the history of objects.

use super::{Args, Chisel, Error, StateColumnDef};
use crate::query::{Hidden, HistoryQuery, Query};
use serde::Deserialize;
use std::sync::Arc;

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
    /// What is secret.
    pub hide: Option<HideDef>,
}

/// Values of which only the length is shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HideDef {
    /// Of which events.
    #[serde(rename = "where")]
    pub only: String,
    /// Paths of values, with all that is below them; also below items of a list.
    pub paths: Vec<String>,
}

impl Chisel {
    /// The operator `history`.
    pub(super) fn history(&self, history: &HistoryDef, args: &Args) -> Result<Query, Error> {
        let hide =
            |hide: &HideDef| Ok::<_, Error>(Hidden { only: self.filter(&hide.only, args)?, paths: hide.paths.clone() });
        Ok(Query::Other(Arc::new(HistoryQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            columns: self.state_columns(&history.columns, false)?,
            key: self.field(&history.key)?,
            body: self.field(&history.body)?,
            patch: self.field(&history.patch)?,
            show: history.show.as_deref().map(|text| self.filter(text, args)).transpose()?,
            ignore: history.ignore.clone(),
            hide: history.hide.as_ref().map(hide).transpose()?,
        })))
    }
}
