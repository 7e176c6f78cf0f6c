//! Chisels that say several tables of the same events.

use super::prepare::Style;
use super::{AggregateDef, Args, Chisel, Error, KeyDef, TableDef};
use crate::query::{Query, TablePart, TablesQuery};
use serde::Deserialize;
use std::sync::Arc;

/// One table of the operator `tables`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePartDef {
    /// Heading over it.
    pub title: String,
    /// Only of events for which this filter holds.
    #[serde(rename = "where")]
    pub only: Option<String>,
    /// Fields to group by.
    pub by: Vec<KeyDef>,
    /// Value columns.
    pub columns: Vec<AggregateDef>,
    /// Heading of the column to sort by; a leading `-` puts the largest first.
    pub sort: String,
    /// The most rows; a number or an argument of type int.
    pub top: Option<toml::Value>,
}

impl Chisel {
    /// The operator `tables`.
    pub(super) fn tables(&self, parts: &[TablePartDef], args: &Args, style: Style) -> Result<Query, Error> {
        let part = |part: &TablePartDef| {
            let def = TableDef {
                by: part.by.clone(),
                columns: part.columns.clone(),
                sort: part.sort.clone(),
                top: part.top.clone(),
                of: None,
            };
            Ok(TablePart {
                title: part.title.clone(),
                filter: part.only.as_deref().map(|text| self.filter(text, args)).transpose()?,
                table: self.table(&def, args, style)?,
            })
        };
        Ok(Query::Other(Arc::new(TablesQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            parts: parts.iter().map(part).collect::<Result<_, Error>>()?,
        })))
    }
}
