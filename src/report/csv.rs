//! A report as CSV (RFC 4180, lines ending in LF).

use super::{Cell, Column, Report};

/// A cell in quotes where it needs them. A text that a spreadsheet would take for a formula gets a blank in
/// front: captures hold text that an attacker chose.
fn push(out: &mut String, text: &str, is_text: bool) {
    let formula = is_text && text.starts_with(['=', '+', '-', '@']);
    if !formula && !text.contains([',', '"', '\n', '\r']) {
        out.push_str(text);
        return;
    }
    out.push('"');
    if formula {
        out.push(' ');
    }
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

impl Report {
    /// The report with a first column that says to which time its rows belong.
    #[must_use]
    pub fn at_time(&self, time: &str) -> Report {
        let mut report = self.clone();
        for table in &mut report.tables {
            table.columns.insert(0, Column::text("Time"));
            table.rows.iter_mut().for_each(|row| row.insert(0, Cell::Text(time.as_bytes().to_vec())));
        }
        report
    }

    /// The tables as CSV with raw numbers, a blank line between two; notes are left to standard error.
    pub fn to_csv(&self) -> String {
        let mut out = String::new();
        for (i, table) in self.tables.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            for (n, column) in table.columns.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                push(&mut out, &column.name, false);
            }
            out.push('\n');
            for row in &table.rows {
                for (n, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
                    out.push_str(if n > 0 { "," } else { "" });
                    if *cell != Cell::Missing {
                        push(&mut out, &cell.show(column, true), matches!(cell, Cell::Text(_)));
                    }
                }
                out.push('\n');
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::push;

    #[test]
    fn cells_are_quoted_only_where_needed() {
        let want = "Bytes,Process,PID\n11674,curl,17497\n12,\"a\\x1b[2Jlong, \"\"name\"\" | here\",\n";
        assert_eq!(super::super::text::sample().to_csv(), want);
    }

    #[test]
    fn a_formula_is_defused_and_a_negative_number_is_not_touched() {
        let mut out = String::new();
        push(&mut out, "=cmd()", true);
        push(&mut out, "-5", false);
        assert_eq!(out, "\" =cmd()\"-5");
    }
}
