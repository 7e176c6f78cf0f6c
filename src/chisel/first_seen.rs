//! Chisels about what is new.

use super::{Args, Chisel, Error, StateColumnDef};
use crate::query::{FirstSeenQuery, Query};
use serde::Deserialize;
use std::sync::Arc;

/// Operator `first_seen`: events by which a key has a value for the first time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstSeenDef {
    /// What tells keys apart.
    pub key: StateColumnDef,
    /// What is new of a key.
    pub of: Vec<StateColumnDef>,
    /// Columns that are told of the event.
    pub columns: Vec<StateColumnDef>,
    /// How long it is only learnt what is usual, milliseconds from the beginning: a number, or an argument of type milliseconds.
    pub learning_ms: toml::Value,
}

impl Chisel {
    /// The operator `first_seen`.
    pub(super) fn first_seen(&self, def: &FirstSeenDef, args: &Args) -> Result<Query, Error> {
        let mut key = self.state_columns(std::slice::from_ref(&def.key), false)?;
        let Some(key) = key.pop() else { return Err(self.at("key", "expected a key, found none", "name a field")) };
        Ok(Query::Other(Arc::new(FirstSeenQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            key,
            of: self.state_columns(&def.of, false)?,
            columns: self.state_columns(&def.columns, false)?,
            learning: self.interval("learning_ms", &def.learning_ms, args, 0.0)?,
        })))
    }
}
