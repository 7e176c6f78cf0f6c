//! Chisels about the world at a moment.

use super::prepare::Style;
use super::{Args, Chisel, Error, SnapshotDef};
use crate::query::{Order, Query, Rows, SnapshotQuery, StateColumn};
use crate::report::Unit;

impl Chisel {
    /// The rows that a state question is about.
    pub(super) fn rows(&self, of: &str) -> Result<Rows, Error> {
        let names = || Rows::NAMES.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", ");
        Rows::of_name(of).ok_or_else(|| self.at(of, format!("unknown rows `{of}`"), format!("one of: {}", names())))
    }

    /// The operator `snapshot`.
    pub(super) fn snapshot(&self, snapshot: &SnapshotDef, args: &Args, style: Style) -> Result<Query, Error> {
        let rows = self.rows(&snapshot.of)?;
        let containers = style.containers && rows.have_threads();
        let columns = self.state_columns(&snapshot.columns, containers)?;
        let query = SnapshotQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            order: self.order(snapshot.sort.as_deref(), &columns)?,
            top: self.top(snapshot.top.as_ref(), args)?,
            columns,
        };
        Ok(Query::State(rows, Box::new(Query::Snapshot(query))))
    }

    /// Columns that are a field each, with one of containers where they are asked for.
    pub(super) fn state_columns(
        &self,
        defs: &[super::StateColumnDef],
        containers: bool,
    ) -> Result<Vec<StateColumn>, Error> {
        let column = |def: &super::StateColumnDef| {
            Ok(StateColumn {
                name: def.name.clone(),
                unit: self.unit(def.unit.as_deref())?,
                field: self.field(&def.field)?,
                or: def.or.as_deref().map(|or| self.field(or)).transpose()?,
                from: def.from.as_ref().map(|text| text.as_bytes().to_vec()),
            })
        };
        let mut columns = defs.iter().map(column).collect::<Result<Vec<_>, Error>>()?;
        if columns.is_empty() {
            return Err(self.at("columns", "expected at least one column, found none", "give `columns`"));
        }
        if containers && columns.iter().all(|c| c.field.field.name != "container.id") {
            let field = self.field("container.id")?;
            // The last column is the one that is cut where there is no room, so that this one stands before it.
            let at = columns.len() - 1;
            columns.insert(
                at,
                StateColumn { name: "container.id".to_owned(), unit: Unit::None, field, or: None, from: None },
            );
        }
        Ok(columns)
    }

    /// The order that a heading names; a leading `-` puts the largest first.
    pub(super) fn order(&self, sort: Option<&str>, columns: &[StateColumn]) -> Result<Option<Order>, Error> {
        let Some(sort) = sort else { return Ok(None) };
        let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
        let Some(column) = columns.iter().position(|c| c.name == name) else {
            return Err(self.at(sort, format!("no column `{name}` to sort by"), "give the `name` of a column"));
        };
        Ok(Some(Order { column, descending }))
    }
}
