//! A report as text.

use super::{Align, Cell, Column, Report, Table, escape};
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::peaker::PriorityMax;
use tabled::settings::style::HorizontalLine;
use tabled::settings::{Alignment, Modify, Padding, Style, Width};

/// The longest line of dashes under headings that are shorter, as in sysdig's tables.
const RULE: usize = 80;

impl Cell {
    /// The value for people: with its unit, or (`raw`) as a plain number; escaped.
    pub fn show(&self, column: &Column, raw: bool) -> String {
        let number = |value: f64, whole: Option<i128>| {
            if raw {
                whole.map_or_else(|| value.to_string(), |n| n.to_string())
            } else {
                column.unit.write(value, whole)
            }
        };
        match self {
            Cell::Missing | Cell::Ratio { of: 0, .. } => "<NA>".to_owned(),
            Cell::Bool(b) => b.to_string(),
            Cell::Int(n) => number(*n as f64, Some(i128::from(*n))),
            Cell::Uint(n) => number(*n as f64, Some(i128::from(*n))),
            Cell::Ratio { sum, of } => number(*sum as f64 / *of as f64, None),
            Cell::Ip(ip) => ip.to_string(),
            Cell::Text(bytes) => escape(bytes).into_owned(),
        }
    }
}

impl Report {
    /// The report as text, at most `width` columns wide if that is given; longer cells are cut and end in `…`.
    pub fn to_text(&self, width: Option<usize>, raw: bool) -> String {
        self.written(width, raw, false)
    }

    /// The same with pictures in the 256 colours of a terminal.
    pub fn to_coloured(&self, width: Option<usize>, raw: bool) -> String {
        self.written(width, raw, true)
    }

    fn written(&self, width: Option<usize>, raw: bool, coloured: bool) -> String {
        let mut out = String::new();
        for (i, table) in self.tables.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            if !table.title.is_empty() {
                out.push_str(&table.title);
                out.push('\n');
            }
            out.push_str(&table.to_text(width, raw));
        }
        for picture in &self.pictures {
            match picture {
                super::Picture::Heat(heat) => heat.to_text(&mut out, coloured),
                super::Picture::Series(series) if series.sparklines => series.to_text(&mut out, width),
                super::Picture::Series(_) => {}
            }
        }
        for note in &self.notes {
            out.push_str("note: ");
            out.push_str(&escape(note.as_bytes()));
            out.push('\n');
        }
        out
    }
}

impl Table {
    /// The table as lines, without blanks at their ends.
    fn to_text(&self, width: Option<usize>, raw: bool) -> String {
        let mut builder = Builder::default();
        builder.push_record(self.columns.iter().map(|c| c.name.clone()));
        for row in &self.rows {
            builder.push_record(row.iter().zip(&self.columns).map(|(cell, column)| cell.show(column, raw)));
        }
        let mut table = builder.build();
        table
            .with(Style::empty().horizontals([(1, HorizontalLine::empty().horizontal('-'))]))
            .with(Padding::new(0, 2, 0, 0))
            .with(Modify::new(Columns::last()).with(Padding::zero()));
        for (i, column) in self.columns.iter().enumerate() {
            let side = match column.align {
                Align::Left => Alignment::left(),
                Align::Right => Alignment::right(),
            };
            table.with(Modify::new(Columns::one(i)).with(side));
        }
        if let Some(width) = width {
            table.with(Width::truncate(width).suffix("…").priority(PriorityMax::default()));
        }
        let text = table.to_string();
        let heading = text.lines().next().map_or(0, |line| line.trim_end().chars().count());
        // Under the headings, and not as far as the longest command line reaches.
        let rule = heading.max(RULE);
        let line = |(n, line): (usize, &str)| {
            let end = if n == 1 { line.len().min(rule) } else { line.len() };
            [line.get(..end).unwrap_or(line).trim_end().to_owned(), "\n".to_owned()]
        };
        text.lines().enumerate().flat_map(line).collect()
    }
}

#[cfg(test)]
pub(super) use tests::sample;

#[cfg(test)]
mod tests {
    use super::super::{Cell, Column, Report, Table, Unit};

    pub(in super::super) fn sample() -> Report {
        Report {
            title: "topprocs_file".into(),
            about: "Processes by file I/O".into(),
            tables: vec![Table {
                title: String::new(),
                columns: vec![
                    Column::number("Bytes", Unit::Bytes),
                    Column::text("Process"),
                    Column::number("PID", Unit::None),
                ],
                rows: vec![
                    vec![Cell::Int(11_674), Cell::Text(b"curl".to_vec()), Cell::Uint(17_497)],
                    vec![Cell::Int(12), Cell::Text(b"a\x1b[2Jlong, \"name\" | here".to_vec()), Cell::Missing],
                ],
            }],
            pictures: Vec::new(),
            notes: vec!["3 events were lost".into()],
        }
    }

    #[test]
    fn numbers_stand_right_and_text_is_escaped() {
        let want = [
            "  Bytes  Process                        PID",
            "-------------------------------------------",
            "11.40KB  curl                         17497",
            "    12B  a\\x1b[2Jlong, \"name\" | here   <NA>",
            "note: 3 events were lost",
        ];
        assert_eq!(sample().to_text(None, false), want.join("\n") + "\n");
    }

    #[test]
    fn raw_numbers_have_no_unit() {
        assert!(sample().to_text(None, true).contains("11674  curl"));
    }

    #[test]
    fn no_line_of_a_table_is_wider_than_asked_for() {
        let text = sample().to_text(Some(30), false);
        assert!(text.contains('…'), "{text}");
        assert!(text.lines().all(|l| l.chars().count() <= 30), "{text}");
    }

    #[test]
    fn a_quotient_is_divided_when_it_is_written() {
        let percent = Column::number("CPU%", Unit::Percent);
        assert_eq!(Cell::Ratio { sum: 25, of: 100 }.show(&percent, false), "0.25%");
        assert_eq!(Cell::Ratio { sum: 25, of: 0 }.show(&percent, false), "<NA>");
    }
}
