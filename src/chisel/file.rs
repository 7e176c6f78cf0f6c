//! [`Chisel`]: a chisel file, parsed and checked as far as that needs no arguments.

use super::{
    ArgDef, AroundDef, Error, ExchangeDef, FirstSeenDef, FlameDef, HistogramDef, HistoryDef, ListDef, SaveDef,
    SequenceDef, SeriesDef, TablePartDef, ThresholdDef, ViewDef,
};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::PathBuf;

/// A chisel file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chisel {
    /// Name: the file's, without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// Where it comes from, for messages.
    #[serde(skip)]
    pub origin: String,
    /// Its file; `None` for one that is built in.
    #[serde(skip)]
    pub path: Option<PathBuf>,
    /// The file's text, for messages with a position.
    #[serde(skip)]
    pub(super) text: String,
    /// One line: what it shows.
    pub about: String,
    /// More about it; empty where `about` says all.
    #[serde(default)]
    pub description: String,
    /// Heading it stands under in `-cl`.
    pub category: String,
    /// Arguments, in order.
    #[serde(default, rename = "arg")]
    pub args: Vec<ArgDef>,
    /// Which events it looks at; may name `$arguments` as values.
    pub filter: Option<String>,
    /// The operator: a table.
    pub table: Option<TableDef>,
    /// The operator: lines.
    pub lines: Option<LinesDef>,
    /// The operator: rows of the world at a moment.
    pub snapshot: Option<SnapshotDef>,
    /// The operator: a tree of processes.
    pub tree: Option<TreeDef>,
    /// The operator: events as rows of a table.
    pub list: Option<ListDef>,
    /// The operator: aggregates per interval.
    pub series: Option<SeriesDef>,
    /// The operator: events that follow others.
    pub sequence: Option<SequenceDef>,
    /// The operator: many events within a time.
    pub threshold: Option<ThresholdDef>,
    /// The operator: buckets of time and value.
    pub histogram: Option<HistogramDef>,
    /// What is done with its report: events around its rows go to a file.
    pub around: Option<AroundDef>,
    /// What is done with its report: data goes to files.
    pub save: Option<SaveDef>,
    /// The operator: requests and their answers.
    pub exchange: Option<ExchangeDef>,
    /// The operator: stacks of processes.
    pub flame: Option<FlameDef>,
    /// The operator: several tables of the same events.
    pub tables: Option<Vec<TablePartDef>>,
    /// The operator: what became of objects.
    pub history: Option<HistoryDef>,
    /// The operator: what is new of a key.
    pub first_seen: Option<FirstSeenDef>,
    /// How the interactive screen shows it; `-cl` lists a chisel with this only with `-v`.
    pub view: Option<ViewDef>,
    /// What its report says beside its rows.
    #[serde(default, rename = "note")]
    pub notes: Vec<NoteDef>,
    /// Examples that tests run.
    #[serde(default, rename = "example")]
    pub examples: Vec<Example>,
}

/// Operator `table`: group by, aggregate, sort, top.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableDef {
    /// Fields to group by.
    pub by: Vec<KeyDef>,
    /// Value columns.
    pub columns: Vec<AggregateDef>,
    /// Heading of the column to sort by; a leading `-` puts the largest first.
    pub sort: String,
    /// The most rows; a number or an argument of type int.
    pub top: Option<toml::Value>,
    /// Rows of the world at a moment instead of events: `threads`, `processes` or `descriptors`.
    pub of: Option<String>,
}

/// Operator `snapshot`: rows of the world at a moment, a column for each field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotDef {
    /// `threads`, `processes` or `descriptors`.
    pub of: String,
    /// Columns, left to right.
    pub columns: Vec<StateColumnDef>,
    /// Heading of the column to sort by; a leading `-` puts the largest first. Without it: by process, thread and
    /// descriptor.
    pub sort: Option<String>,
    /// The most rows; a number or an argument of type int.
    pub top: Option<toml::Value>,
}

/// A column of a state: a heading, a field, and perhaps the field that answers where that one has no value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateColumnDef {
    /// Heading.
    pub name: String,
    /// The field.
    pub field: String,
    /// The field in its place where it has no value.
    pub or: Option<String>,
    /// Of text, only what stands from the first place with this text on.
    pub from: Option<String>,
    /// `none`, `bytes`, `duration` or `percent`.
    pub unit: Option<String>,
}

/// A field to group by: `"fd.name"`, `"$key"`, or `{ field = "fd.name", name = "Filename" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDef {
    /// The field, or an argument.
    pub field: String,
    /// Heading; the field itself where none is given.
    pub name: Option<String>,
}

impl<'de> Deserialize<'de> for KeyDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<KeyDef, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = KeyDef;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a field, or { field = \"…\", name = \"…\" }")
    }

    fn visit_str<E>(self, field: &str) -> Result<KeyDef, E> {
        Ok(KeyDef { field: field.to_owned(), name: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<KeyDef, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Named {
            field: String,
            name: String,
        }
        let named = Named::deserialize(MapAccessDeserializer::new(map))?;
        Ok(KeyDef { field: named.field, name: Some(named.name) })
    }
}

/// A value column: a heading, a unit, and exactly one way to make the value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregateDef {
    /// Heading.
    pub name: String,
    /// `none`, `bytes`, `duration` or `percent`.
    pub unit: Option<String>,
    /// Number of events.
    #[serde(default)]
    pub count: bool,
    /// Field to sum.
    pub sum: Option<String>,
    /// Field to count the different values of.
    pub distinct: Option<String>,
    /// With `distinct`: further fields, of which different combinations count.
    #[serde(default)]
    pub and: Vec<String>,
    /// Field to take the smallest value of.
    pub min: Option<String>,
    /// Field to take the largest value of.
    pub max: Option<String>,
    /// Field to average.
    pub avg: Option<String>,
    /// Field of nanoseconds to sum, as a share of the recording's length.
    pub share: Option<String>,
    /// Field to sum, for each second of the recording.
    pub rate: Option<String>,
    /// Field whose different values are named.
    pub values: Option<String>,
    /// Field of which to tell what `at` of a hundred values do not exceed.
    pub quantile: Option<String>,
    /// With `quantile`: how many of a hundred, 1 to 100.
    pub at: Option<u8>,
    /// Only of events for which this filter holds.
    #[serde(rename = "where")]
    pub only: Option<String>,
}

/// Operator `lines`: each matching event, formatted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinesDef {
    /// As after `-p`.
    pub format: String,
    /// A line above them; not in JSON.
    pub header: Option<String>,
    /// As after `-p`, where containers are asked for (`-pc`).
    pub containers: Option<String>,
    /// Field with the number of levels by which a line is indented.
    pub indent: Option<String>,
    /// Other formats for events for which a filter holds; the first that holds.
    #[serde(default)]
    pub cases: Vec<CaseDef>,
    /// Field of data that is shown behind a line, as text.
    pub data: Option<String>,
    /// Whether the line stands before each line of the data, not alone above all of them.
    #[serde(default)]
    pub each: bool,
}

/// Another format of [`LinesDef`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseDef {
    /// The filter.
    #[serde(rename = "where")]
    pub only: String,
    /// As after `-p`.
    pub format: String,
}

/// Operator `tree`: the processes of a recording below each other, with aggregates that are rolled up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeDef {
    /// Heading of the tree.
    pub name: String,
    /// What a process is called: a field of threads.
    pub label: String,
    /// Value columns: counts and sums, of each process and all below it.
    pub columns: Vec<AggregateDef>,
    /// Argument of type filter without which all processes are shown, and with which those that match and their
    /// ancestors.
    pub only: Option<String>,
}

/// What a report says beside its rows, where that holds. A recording's source is in its header: `ebpf`, `ptrace`, `scap 1.2`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteDef {
    /// The sentence.
    pub text: String,
    /// Only of recordings from this source, or an import of this format.
    pub source: Option<String>,
    /// Where there is no row; otherwise where there is one.
    #[serde(default)]
    pub empty: bool,
}

/// A command that tests run and documentation shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Name of a capture: `shell` is `captures/shell.reel`; of a user's chisel also a path, from the chisel's folder.
    pub capture: String,
    /// Arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// The moment (`--at`), for chisels about state.
    pub at: Option<String>,
    /// A database of places (`--geoip`): `places` is `captures/places.mmdb`; of a user's chisel also a path, from the chisel's folder.
    pub geoip: Option<String>,
    /// Name of the file with the expected output under `tests/golden/chisels`
    /// (of a user's chisel: beside it); the chisel's name where none is given.
    pub expect: Option<String>,
}

impl Chisel {
    /// Parses a chisel file; `origin` is for messages.
    pub fn parse(name: &str, origin: &str, text: &str) -> Result<Chisel, Error> {
        let mut chisel: Chisel = toml::from_str(text).map_err(|e| Error::toml(origin, text, &e))?;
        name.clone_into(&mut chisel.name);
        origin.clone_into(&mut chisel.origin);
        text.clone_into(&mut chisel.text);
        let operators = chisel.operators();
        if operators != 1 {
            let message = format!("expected one operator, found {operators}");
            return Err(Error::at(
                origin,
                text,
                None,
                message,
                "a chisel has one of [table], [lines], [list], [snapshot], [tree], [series], [histogram], [sequence], [threshold], [exchange], [flame], [[tables]], [history], [first_seen]",
            ));
        }
        if let Some(table) = &chisel.table {
            chisel.check_columns(&table.columns)?;
            if table.columns.is_empty() || table.by.is_empty() {
                let message = "expected at least one column and one key";
                return Err(chisel.at("table", message, "give `by` and `columns`"));
            }
        }
        for part in chisel.tables.iter().flatten() {
            chisel.check_columns(&part.columns)?;
        }
        if let Some(series) = &chisel.series {
            chisel.check_columns(&series.columns)?;
        }
        if let Some(view) = &chisel.view {
            chisel.check_view(view)?;
        }
        Ok(chisel)
    }

    /// How many operators there are.
    fn operators(&self) -> usize {
        let of_state = [self.snapshot.is_some(), self.tree.is_some()];
        let of_events = [
            self.table.is_some(),
            self.lines.is_some(),
            self.list.is_some(),
            self.series.is_some(),
            self.histogram.is_some(),
            self.sequence.is_some(),
            self.threshold.is_some(),
            self.exchange.is_some(),
            self.flame.is_some(),
            self.tables.is_some(),
            self.history.is_some(),
            self.first_seen.is_some(),
        ];
        of_state.into_iter().chain(of_events).filter(|&is_there| is_there).count()
    }

    fn check_columns(&self, columns: &[AggregateDef]) -> Result<(), Error> {
        for column in columns {
            let ways = column.ways().count() + usize::from(column.count);
            if ways != 1 {
                let message = format!("expected one way to make column `{}`, found {ways}", column.name);
                let ways = "give one of count, sum, distinct, min, max, avg, share, rate, values, quantile";
                return Err(self.at(&column.name, message, ways));
            }
            let is_one = |at: u8| column.quantile.is_some() && (1..=100).contains(&at);
            if !column.at.is_none_or(is_one) {
                let message = format!("expected 1 to 100 beside `quantile` as `at` of column `{}`", column.name);
                return Err(self.at(&column.name, message, "at = 95 is what 95 of 100 values do not exceed"));
            }
        }
        Ok(())
    }

    /// An error at the first place where the file has this text in quotes, or else anywhere.
    pub(super) fn at(&self, needle: &str, message: impl Into<String>, help: impl Into<String>) -> Error {
        let quoted = self.text.find(&format!("\"{needle}\"")).map(|i| i + 1);
        let start = quoted.or_else(|| self.text.find(needle));
        let span = start.filter(|_| !needle.is_empty()).map(|s| s..s + needle.len());
        Error::at(&self.origin, &self.text, span, message, help)
    }
}

impl AggregateDef {
    /// The ways to make a value that it names, with their fields.
    pub(super) fn ways(&self) -> impl Iterator<Item = (crate::query::How, &str)> {
        use crate::query::How;
        [
            (How::Sum, &self.sum),
            (How::Distinct, &self.distinct),
            (How::Min, &self.min),
            (How::Max, &self.max),
            (How::Avg, &self.avg),
            (How::Share, &self.share),
            (How::Rate, &self.rate),
            (How::Values, &self.values),
            (How::Quantile(self.at.unwrap_or(50)), &self.quantile),
        ]
        .into_iter()
        .filter_map(|(how, field)| field.as_deref().map(|f| (how, f)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_shown_where_they_are() {
        let good = "about = \"x\"\ncategory = \"I/O\"\n[table]\nby = [\"fd.name\"]\ncolumns = [{ name = \"N\", count = true }]\nsort = \"-N\"\n";
        assert!(Chisel::parse("t", "t.toml", good).is_ok());
        for (from, to, want) in [
            (
                "about",
                "abuot",
                "unknown key `abuot` in chisel t.toml, line 1\n  | abuot = \"x\"\n  | ^^^^^\nhelp: did you mean `about`?",
            ),
            (
                "count = true",
                "cuont = true",
                "unknown key `cuont` in chisel t.toml, line 5\n  | columns = [{ name = \"N\", cuont = true }]\n  |                          ^^^^^\nhelp: did you mean `count`?",
            ),
            (
                "count = true",
                "count = true, sum = \"evt.rawres\"",
                "expected one way to make column `N`, found 2 in chisel t.toml, line 5\n  | columns = [{ name = \"N\", count = true, sum = \"evt.rawres\" }]\n  |                      ^\nhelp: give one of count, sum, distinct, min, max, avg, share, rate, values, quantile",
            ),
            (
                "[table]",
                "[lines]\nformat = \"%evt.num\"\n[table]",
                "expected one operator, found 2 in chisel t.toml, line 1\n  | about = \"x\"\n  | ^\nhelp: a chisel has one of [table], [lines], [list], [snapshot], [tree], [series], [histogram], [sequence], [threshold], [exchange], [flame], [[tables]], [history], [first_seen]",
            ),
        ] {
            let error = Chisel::parse("t", "t.toml", &good.replace(from, to)).unwrap_err();
            assert_eq!(error.to_string(), want);
        }
    }
}
