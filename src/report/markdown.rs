//! A report as Markdown.

use super::{Align, Report, Table, escape};
use std::fmt::Write as _;

impl Report {
    /// The report as Markdown: a heading, a pipe table each, and the notes as a list.
    pub fn to_markdown(&self, raw: bool) -> String {
        let mut out = String::new();
        if !self.title.is_empty() {
            let _ = write!(out, "## {}\n\n", self.title);
        }
        if !self.about.is_empty() {
            let _ = write!(out, "{}\n\n", self.about);
        }
        for table in &self.tables {
            table.push_markdown(&mut out, raw);
        }
        for note in &self.notes {
            let _ = writeln!(out, "- {}", escape(note.as_bytes()));
        }
        out
    }
}

impl Table {
    fn push_markdown(&self, out: &mut String, raw: bool) {
        if !self.title.is_empty() {
            let _ = write!(out, "### {}\n\n", self.title);
        }
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        out.push_str(&line(self.columns.iter().map(|c| c.name.clone()).collect()));
        let sides = self.columns.iter().map(|c| if c.align == Align::Right { "---:" } else { "---" }.to_owned());
        out.push_str(&line(sides.collect()));
        for row in &self.rows {
            let cells = row.iter().zip(&self.columns).map(|(cell, column)| cell.show(column, raw).replace('|', "\\|"));
            out.push_str(&line(cells.collect()));
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pipes_in_text_do_not_end_a_cell() {
        let text = super::super::text::sample().to_markdown(false);
        assert!(text.contains("| ---: | --- | ---: |"), "{text}");
        assert!(text.contains("\"name\" \\| here"), "{text}");
    }
}
