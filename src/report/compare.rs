//! [`Table::compare`]: what appeared, vanished, grew and shrank between two tables.

use super::{Cell, Column, Table};
use std::collections::BTreeMap;

/// Rows of two tables that have the same key.
type Pair<'a> = (Option<&'a [Cell]>, Option<&'a [Cell]>);

/// How a row changed: text, and how much.
struct Change {
    what: &'static str,
    /// The difference of the column that is compared.
    by: Option<f64>,
}

/// The number of a cell; nothing is 0.
fn number(cell: Option<&Cell>) -> f64 {
    match cell {
        Some(Cell::Int(n)) => *n as f64,
        Some(Cell::Uint(n)) => *n as f64,
        Some(Cell::Ratio { sum, of }) if *of > 0 => *sum as f64 / *of as f64,
        _ => 0.0,
    }
}

/// A difference as a cell: whole numbers stay whole.
fn difference(before: Option<&Cell>, after: Option<&Cell>) -> Cell {
    let whole = |cell: Option<&Cell>| match cell {
        None | Some(Cell::Missing) => Some(0),
        Some(Cell::Int(n)) => Some(i128::from(*n)),
        Some(Cell::Uint(n)) => Some(i128::from(*n)),
        Some(_) => None,
    };
    match whole(before).zip(whole(after)).and_then(|(a, b)| i64::try_from(b - a).ok()) {
        Some(n) => Cell::Int(n),
        None => Cell::Ratio { sum: ((number(after) - number(before)) * 1000.0).round() as i64, of: 1000 },
    }
}

impl Table {
    /// The rows in which this table and a later one differ, and how many are the same. `values` are the columns that hold
    /// amounts, by index; the others tell a row apart from its neighbours. `by` is the one of them by which rows grow or
    /// shrink; the largest difference comes first.
    pub fn compare(&self, later: &Table, values: &[usize], by: Option<usize>) -> (Table, usize) {
        let mut pairs: BTreeMap<Vec<Cell>, Pair<'_>> = BTreeMap::new();
        for row in &self.rows {
            pairs.entry(key(row, values)).or_default().0 = Some(row);
        }
        for row in &later.rows {
            pairs.entry(key(row, values)).or_default().1 = Some(row);
        }
        let all = pairs.len();
        let mut changed: Vec<(Change, Vec<Cell>, Pair<'_>)> =
            pairs.into_iter().filter_map(|(key, pair)| change(pair, by).map(|change| (change, key, pair))).collect();
        let size = |change: &Change| change.by.map_or(0.0, f64::abs);
        changed.sort_by(|a, b| size(&b.0).total_cmp(&size(&a.0)).then_with(|| (a.0.what, &a.1).cmp(&(b.0.what, &b.1))));
        let same = all - changed.len();
        let rows = changed.into_iter().map(|(change, key, pair)| row(&change, key, pair, (values, by))).collect();
        (Table { title: self.title.clone(), columns: self.compared_columns(values, by), rows }, same)
    }

    fn compared_columns(&self, values: &[usize], by: Option<usize>) -> Vec<Column> {
        let mut columns = vec![Column::text("CHANGE")];
        let own = |n: usize| self.columns.get(n).cloned().unwrap_or_else(|| Column::text(""));
        columns.extend(by.map(|by| Column { name: format!("{} by", own(by).name), ..own(by) }));
        for &value in values {
            let column = own(value);
            columns.push(Column { name: format!("{} before", column.name), ..column.clone() });
            columns.push(Column { name: format!("{} after", column.name), ..column });
        }
        columns.extend(self.columns.iter().enumerate().filter(|(n, _)| !values.contains(n)).map(|(_, c)| c.clone()));
        columns
    }
}

fn key(row: &[Cell], values: &[usize]) -> Vec<Cell> {
    row.iter().enumerate().filter(|(n, _)| !values.contains(n)).map(|(_, cell)| cell.clone()).collect()
}

/// How a row changed; `None`: not at all.
fn change((before, after): Pair<'_>, by: Option<usize>) -> Option<Change> {
    let at = |row: Option<&[Cell]>| number(by.and_then(|by| row?.get(by)));
    let difference = by.map(|_| at(after) - at(before));
    let what = match (before, after) {
        (None, _) => "appeared",
        (_, None) => "vanished",
        _ if difference.is_some_and(|d| d > 0.0) => "grew",
        _ if difference.is_some_and(|d| d < 0.0) => "shrank",
        _ => return None,
    };
    Some(Change { what, by: difference })
}

fn row(
    change: &Change,
    key: Vec<Cell>,
    (before, after): Pair<'_>,
    (values, by): (&[usize], Option<usize>),
) -> Vec<Cell> {
    let mut row = vec![Cell::Text(change.what.as_bytes().to_vec())];
    row.extend(by.map(|by| difference(before.and_then(|row| row.get(by)), after.and_then(|row| row.get(by)))));
    for &value in values {
        for side in [before, after] {
            row.push(side.and_then(|row| row.get(value)).cloned().unwrap_or(Cell::Missing));
        }
    }
    row.extend(key);
    row
}

#[cfg(test)]
mod tests {
    use super::super::{Cell, Column, Table, Unit};

    fn table(rows: &[(i64, &str)]) -> Table {
        let row = |(n, name): &(i64, &str)| vec![Cell::Int(*n), Cell::Text(name.as_bytes().to_vec())];
        let columns = vec![Column::number("Bytes", Unit::Bytes), Column::text("File")];
        Table { title: String::new(), columns, rows: rows.iter().map(row).collect() }
    }

    #[test]
    fn what_changed_most_comes_first_and_what_is_the_same_is_counted() {
        let (before, after) =
            (table(&[(5, "a"), (7, "b"), (9, "c"), (1, "d")]), table(&[(9, "c"), (1, "e"), (50, "a"), (2, "b")]));
        let (table, same) = before.compare(&after, &[0], Some(0));
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["CHANGE", "Bytes by", "Bytes before", "Bytes after", "File"]);
        let text = |cell: &Cell| cell.show(&Column::text(""), true);
        let rows: Vec<String> = table.rows.iter().map(|r| r.iter().map(text).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(rows, ["grew 45 5 50 a", "shrank -5 7 2 b", "appeared 1 <NA> 1 e", "vanished -1 1 <NA> d"]);
        assert_eq!(same, 1);
    }

    #[test]
    fn rows_without_amounts_appear_and_vanish() {
        let (table, same) = table(&[(5, "a")]).compare(&table(&[(5, "a"), (5, "b")]), &[], None);
        assert_eq!((table.rows.len(), same), (1, 1));
        assert_eq!(table.columns.len(), 3);
    }
}
