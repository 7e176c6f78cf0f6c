//! Chisels about events that follow others.

use super::{Args, Chisel, Error, StateColumnDef};
use crate::query::{Query, SequenceQuery, Step};
use serde::Deserialize;
use std::sync::Arc;

/// Operator `sequence`: events that come after others with the same key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceDef {
    /// What comes first.
    pub first: StepDef,
    /// What comes then.
    pub then: StepDef,
}

/// One of the two sorts of events of a sequence.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDef {
    /// Which events.
    #[serde(rename = "where")]
    pub only: String,
    /// Field that both have in common.
    pub key: String,
    /// Field in its place where it has no value.
    pub or: Option<String>,
    /// Columns that are told of it.
    #[serde(default)]
    pub columns: Vec<StateColumnDef>,
}

impl Chisel {
    /// The operator `sequence`.
    pub(super) fn sequence(&self, sequence: &SequenceDef, args: &Args, containers: bool) -> Result<Query, Error> {
        let first = self.step(&sequence.first, args, false)?;
        let then = self.step(&sequence.then, args, containers)?;
        let (title, about) = (self.name.clone(), self.about.clone());
        Ok(Query::Other(Arc::new(SequenceQuery { title, about, first, then })))
    }

    fn step(&self, step: &StepDef, args: &Args, containers: bool) -> Result<Step, Error> {
        let key = StateColumnDef {
            name: step.key.clone(),
            field: step.key.clone(),
            or: step.or.clone(),
            from: None,
            unit: None,
        };
        let filter = self.filter(&step.only, args)?;
        let mut keys = self.state_columns(&[key], false)?;
        let columns = if step.columns.is_empty() { Vec::new() } else { self.state_columns(&step.columns, containers)? };
        let Some(key) = keys.pop() else {
            return Err(self.at("key", "expected a key, found none", "name a field"));
        };
        Ok(Step { filter, key, columns })
    }
}
