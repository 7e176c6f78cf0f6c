//! [`Bars`]: the rows of a table, by one of its columns.

use super::panel::{Area, Drawn, WIDTH, font, text};
use crate::report::{Align, Cell, Column, Table, Unit};
use plotters::prelude::*;

/// Height of a bar with its gap, pixels.
const ROW: u32 = 22;

/// The most bars.
const MOST: usize = 40;

/// Where bars begin and how long the longest is, pixels.
const LEFT: i32 = 380;
const LONGEST: i32 = 470;

/// Characters of a label.
const LABEL: usize = 52;

/// Rows of a table: what each is called, how it compares with the largest (0 to 1), and its number as text.
pub(in crate::report) struct Bars {
    heading: String,
    rows: Vec<(String, f64, String)>,
    more: usize,
}

/// The number of a cell.
pub(super) fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Int(n) => Some(*n as f64),
        Cell::Uint(n) => Some(*n as f64),
        Cell::Ratio { sum, of } if *of > 0 => Some(*sum as f64 / *of as f64),
        _ => None,
    }
}

/// Whether the numbers of a column say how much, and are no ids.
pub(super) fn says_how_much(index: usize, column: &Column) -> bool {
    let is_id = ["PID", "TID", "FD", "NETNS", "MNTNS"].contains(&column.name.as_str());
    column.align == Align::Right && !is_id && (column.unit != Unit::None || index == 0)
}

impl Bars {
    /// The bars of a table, if it has a column that says how much.
    pub(super) fn of(table: &Table) -> Option<Bars> {
        let (at, column) = table.columns.iter().enumerate().find(|(n, column)| says_how_much(*n, column))?;
        let value = |row: &Vec<Cell>| row.get(at).and_then(number).unwrap_or(0.0);
        let largest = table.rows.iter().map(value).fold(0.0, f64::max);
        if largest <= 0.0 {
            return None;
        }
        let row = |row: &Vec<Cell>| {
            let words = row.iter().zip(&table.columns).enumerate();
            let words = words.filter(|(n, (_, column))| !says_how_much(*n, column));
            let label = words.map(|(_, (cell, column))| cell.show(column, true)).collect::<Vec<_>>().join("  ");
            let shown = row.get(at).map(|cell| cell.show(column, false)).unwrap_or_default();
            (cut(&label), (value(row) / largest).clamp(0.0, 1.0), shown)
        };
        let rows = table.rows.iter().take(MOST).map(row).collect();
        Some(Bars { heading: column.name.clone(), rows, more: table.rows.len().saturating_sub(MOST) })
    }

    pub(super) fn height(&self) -> u32 {
        (self.rows.len() as u32 + 1 + u32::from(self.more > 0)) * ROW + 8
    }

    pub(super) fn draw(&self, area: &Area) -> Drawn {
        let write = |words: &str, at: (i32, i32)| area.draw(&Text::new(words.to_owned(), at, font(14))).map_err(text);
        write(&self.heading, (LEFT, 2))?;
        for (n, (label, part, value)) in self.rows.iter().enumerate() {
            let top = (n as i32 + 1) * ROW as i32;
            let end = LEFT + ((part * f64::from(LONGEST)).round() as i32).max(1);
            write(label, (10, top + 3))?;
            let bar = Rectangle::new([(LEFT, top + 1), (end, top + ROW as i32 - 4)], RGBColor(66, 133, 190).filled());
            area.draw(&bar).map_err(text)?;
            write(value, ((end + 6).min(WIDTH as i32 - 90), top + 3))?;
        }
        if self.more > 0 {
            write(&format!("… {} more rows", self.more), (10, (self.rows.len() as i32 + 1) * ROW as i32 + 3))?;
        }
        Ok(())
    }
}

/// A label with its middle left out where it is long: paths differ at their ends.
fn cut(label: &str) -> String {
    let count = label.chars().count();
    if count <= LABEL {
        return label.to_owned();
    }
    let head: String = label.chars().take(LABEL / 3).collect();
    let tail: String = label.chars().skip(count - (LABEL - LABEL / 3 - 1)).collect();
    format!("{head}…{tail}")
}
