//! Chisels about the processes of a recording, below each other.

use super::prepare::Style;
use super::{Args, Chisel, Error, KeyDef, TableDef, TreeDef};
use crate::field::Level;
use crate::query::{Query, TreeQuery};

/// What processes are told apart by: ids are used again.
const KEYS: [&str; 2] = ["proc.pid", "proc.pid.ts"];

impl Chisel {
    /// The operator `tree`.
    pub(super) fn tree(&self, tree: &TreeDef, args: &Args, style: Style) -> Result<Query, Error> {
        if let Some(column) = tree.columns.iter().find(|c| !c.count && c.sum.is_none()) {
            let message = format!("column `{}` cannot be rolled up", column.name);
            return Err(self.at(&column.name, message, "a tree has counts and sums"));
        }
        let label = self.field(&tree.label)?;
        if label.field.level() != Level::Thread {
            let message = format!("expected a field of threads, found `{}`", tree.label);
            return Err(self.at(&tree.label, message, "such as proc.exeline"));
        }
        let by = KEYS.map(|field| KeyDef { field: field.to_owned(), name: None }).to_vec();
        let sort = KEYS[0].to_owned();
        let table = TableDef { by, columns: tree.columns.clone(), sort, top: None, of: None };
        let table = self.table(&table, args, Style { containers: false, ..style })?;
        let all = tree.only.as_deref().is_none_or(|name| !args.is_given(name));
        Ok(Query::Tree(TreeQuery { table, name: tree.name.clone(), label, all }))
    }
}
