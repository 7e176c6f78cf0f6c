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

/// What an analysis says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Name of the analysis.
    pub title: String,
    /// One sentence: what it shows.
    pub about: String,
    /// Tables, in order.
    pub tables: Vec<Table>,
    /// What a reader must know to trust the tables: losses, damage, cuts.
    pub notes: Vec<String>,
}
