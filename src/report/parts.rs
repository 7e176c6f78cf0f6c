//! [`Report`]: tables and notes under a title.

use super::Unit;
use std::net::IpAddr;

/// Which side of its column a cell stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// One value of a table, unrendered: integers stay integers until they are written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// No value; written `<NA>`, in JSON `null`.
    Missing,
    /// True or false.
    Bool(bool),
    /// Signed number.
    Int(i64),
    /// Unsigned number.
    Uint(u64),
    /// A quotient that is only divided when it is written; a zero divisor is written as a missing value.
    Ratio {
        /// Dividend.
        sum: i64,
        /// Divisor.
        of: u64,
    },
    /// An address.
    Ip(IpAddr),
    /// Text from a capture: any bytes.
    Text(Vec<u8>),
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Heading, and the key in JSON.
    pub name: String,
    /// What its numbers mean.
    pub unit: Unit,
    /// Side.
    pub align: Align,
}

impl Column {
    /// A left-aligned column of text.
    pub fn text(name: impl Into<String>) -> Column {
        Column { name: name.into(), unit: Unit::None, align: Align::Left }
    }

    /// A right-aligned column of numbers.
    pub fn number(name: impl Into<String>, unit: Unit) -> Column {
        Column { name: name.into(), unit, align: Align::Right }
    }
}

/// Rows under headings. Every row has as many cells as there are columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Heading over the table; empty where the report has only one.
    pub title: String,
    /// Columns, left to right.
    pub columns: Vec<Column>,
    /// Rows, in order.
    pub rows: Vec<Vec<Cell>>,
}

/// What can be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// Numbers over time.
    Series(Series),
    /// How many events fell into each bucket of time and value.
    Heat(Heat),
}

/// Numbers over time: one point of each line for every interval.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Series {
    /// What is drawn; empty where the report has only one.
    pub title: String,
    /// Begin of the first interval, ns UTC.
    pub start: u64,
    /// Length of an interval, ns.
    pub step: u64,
    /// What is added to UTC for local time, seconds.
    pub tz_offset_s: i32,
    /// Whether text shows it, too, as a line of characters each.
    pub sparklines: bool,
    /// The lines; all have the same number of points.
    pub lines: Vec<Line>,
}

/// One line of a [`Series`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// What its numbers are about.
    pub name: String,
    /// What they mean.
    pub unit: Unit,
    /// A number for each interval.
    pub points: Vec<i64>,
}

/// How many events fell into each bucket of time (downwards) and value (to the right).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heat {
    /// What is drawn; empty where the report has only one.
    pub title: String,
    /// Begin of the first row, ns UTC.
    pub start: u64,
    /// Length of a row's interval, ns.
    pub step: u64,
    /// What is added to UTC for local time, seconds.
    pub tz_offset_s: i32,
    /// What values are.
    pub value: String,
    /// Where buckets begin, ascending: one number more than there are buckets, the last is where the last ends.
    pub bounds: Vec<u64>,
    /// What the bounds mean.
    pub unit: Unit,
    /// Bounds that are named on the axis, by their place in `bounds`.
    pub marks: Vec<usize>,
    /// Events by row and bucket. Rows that no event fell into between others are there.
    pub rows: Vec<Vec<u64>>,
}

/// What an analysis says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Name of the analysis.
    pub title: String,
    /// One sentence: what it shows.
    pub about: String,
    /// Tables, in order.
    pub tables: Vec<Table>,
    /// What can be drawn, in order; what a series says stands in a table, too.
    pub pictures: Vec<Picture>,
    /// What a reader must know to trust the tables: losses, damage, cuts.
    pub notes: Vec<String>,
}
