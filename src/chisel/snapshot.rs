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
        let column = |def: &super::StateColumnDef| {
            Ok(StateColumn {
                name: def.name.clone(),
                unit: self.unit(def.unit.as_deref())?,
                field: self.field(&def.field)?,
                or: def.or.as_deref().map(|or| self.field(or)).transpose()?,
            })
        };
        let mut columns = snapshot.columns.iter().map(column).collect::<Result<Vec<_>, Error>>()?;
        if columns.is_empty() {
            return Err(self.at("columns", "expected at least one column, found none", "give `columns`"));
        }
        if style.containers && rows.have_threads() && columns.iter().all(|c| c.field.field.name != "container.id") {
            let field = self.field("container.id")?;
            // The last column is the one that is cut where there is no room, so that this one stands before it.
            let at = columns.len() - 1;
            columns.insert(at, StateColumn { name: "container.id".to_owned(), unit: Unit::None, field, or: None });
        }
        let order = snapshot.sort.as_deref().map(|sort| {
            let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
            let column = columns.iter().position(|c| c.name == name).ok_or_else(|| {
                self.at(sort, format!("no column `{name}` to sort by"), "give the `name` of a column")
            })?;
            Ok(Order { column, descending })
        });
        let query = SnapshotQuery {
            title: self.name.clone(),
            about: self.about.clone(),
            order: order.transpose()?,
            top: self.top(snapshot.top.as_ref(), args)?,
            columns,
        };
        Ok(Query::State(rows, Box::new(Query::Snapshot(query))))
    }
}
