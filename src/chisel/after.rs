//! What a chisel's report is for, where it is not only to be read.

use super::{Args, Chisel, Error};
use crate::query::{ListQuery, StateColumn};
use crate::report::Unit;
use serde::Deserialize;
use std::path::PathBuf;

/// Events around those that matched go to a file: those of the same thread, so long before and after. The report has
/// the columns `evt.rawtime` and `thread.tid`; beside lines, a report of its own is made for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AroundDef {
    /// Argument with the file; empty: nothing is written.
    pub file: String,
    /// Argument with the time before and after, milliseconds.
    pub ms: String,
}

/// Data of the report's rows goes to files of a folder, appended in the order of rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaveDef {
    /// The folder, made where the program runs.
    pub folder: String,
    /// Heading of the column with the file's name.
    pub name: String,
    /// Heading of the column with the data.
    pub data: String,
}

/// What is to be done with a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// See [`AroundDef`]: the file, and ns before and after.
    Around(PathBuf, u64),
    /// See [`SaveDef`].
    Save(SaveDef),
}

impl Chisel {
    /// What is to be done with its report, if anything.
    pub fn after(&self, given: &[String]) -> Result<Option<After>, Error> {
        if let Some(save) = &self.save {
            return Ok(Some(After::Save(save.clone())));
        }
        let Some(around) = &self.around else { return Ok(None) };
        let args = Args::check(&self.name, &self.args, given)?;
        if args.resolve(&around.file).is_empty() {
            return Ok(None);
        }
        let ms: f64 = args.resolve(&around.ms).parse().unwrap_or(0.0);
        Ok(Some(After::Around(PathBuf::from(args.resolve(&around.file)), (ms * 1e6).round() as u64)))
    }

    /// Where its lines stand, for what goes around them: a list under its name, if that is asked for.
    pub fn marks(&self, given: &[String]) -> Result<Option<ListQuery>, Error> {
        if self.lines.is_none() || self.after(given)?.is_none() {
            return Ok(None);
        }
        let column = |name: &str| {
            let field = self.field(name)?;
            Ok(StateColumn { name: name.to_owned(), unit: Unit::None, field, or: None, from: None })
        };
        let columns = vec![column("evt.rawtime")?, column("thread.tid")?];
        let (title, about) = (self.name.clone(), self.about.clone());
        Ok(Some(ListQuery { title, about, columns, order: None, top: None }))
    }
}
