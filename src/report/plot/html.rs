//! [`to_html`]: a page with pictures and tables.

use super::bars::{number, says_how_much};
use super::panel::{Error, panels, to_svg};
use crate::report::{Align, Report, Table, escape};
use std::fmt::Write as _;

/// How it looks. The policy in front of it forbids scripts and anything from elsewhere, whatever a capture holds.
const HEAD: &str = "<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<style>
body { font: 14px/1.4 sans-serif; color: #282828; margin: 2em auto; max-width: 70em; padding: 0 1em }
h1 { font-size: 1.4em } h2 { font-size: 1.2em; margin-top: 2em }
svg { max-width: 100%; height: auto }
.wide { overflow-x: auto }
table { border-collapse: collapse; margin: 1em 0 }
th { text-align: left; border-bottom: 1px solid #888; padding: .2em .8em }
td { padding: .15em .8em; border-bottom: 1px solid #eee; font-family: monospace; white-space: pre }
.n { text-align: right }
.notes { color: #7a4b00 }
</style>
";

/// Text in a page: escaped for the terminal of whoever reads its source, and for the page.
fn push(out: &mut String, text: &str) {
    for c in escape(text.as_bytes()).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

fn element(out: &mut String, tag: &str, text: &str) {
    let _ = write!(out, "<{tag}>");
    push(out, text);
    let name = tag.split(' ').next().unwrap_or(tag);
    let _ = writeln!(out, "</{name}>");
}

/// A page of reports: for each its pictures, its tables and what must be known to trust them. It needs nothing else.
pub fn to_html(reports: &[Report], raw: bool) -> Result<String, Error> {
    let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n");
    out.push_str(HEAD);
    let titles: Vec<&str> = reports.iter().map(|report| report.title.as_str()).collect();
    let title = match titles.as_slice() {
        [] => "sysreel".to_owned(),
        [one] => format!("sysreel: {one}"),
        [first, rest @ ..] => format!("sysreel: {first} and {} more", rest.len()),
    };
    element(&mut out, "title", &title);
    out.push_str("</head>\n<body>\n");
    element(&mut out, "h1", &title);
    for report in reports {
        element(&mut out, "h2", &report.title);
        if !report.about.is_empty() {
            element(&mut out, "p", &report.about);
        }
        if !panels(report).is_empty() {
            out.push_str(&to_svg(std::slice::from_ref(report))?);
        }
        for table in &report.tables {
            push_table(&mut out, table, raw);
        }
        if !report.notes.is_empty() {
            out.push_str("<ul class=\"notes\">\n");
            report.notes.iter().for_each(|note| element(&mut out, "li", note));
            out.push_str("</ul>\n");
        }
    }
    out.push_str("</body>\n</html>\n");
    Ok(out)
}

fn push_table(out: &mut String, table: &Table, raw: bool) {
    if !table.title.is_empty() {
        element(out, "h3", &table.title);
    }
    let is_number = |n: usize| table.columns.get(n).is_some_and(|column| column.align == Align::Right);
    let class = |n: usize| if is_number(n) { " class=\"n\"" } else { "" };
    let most = |n: usize| table.rows.iter().filter_map(|row| row.get(n).and_then(number)).fold(0.0, f64::max);
    let amounts = table.columns.iter().enumerate().map(|(n, column)| says_how_much(n, column).then(|| most(n)));
    let amounts: Vec<Option<f64>> = amounts.collect();
    out.push_str("<div class=\"wide\"><table>\n<tr>");
    for (n, column) in table.columns.iter().enumerate() {
        let _ = write!(out, "<th{}>", class(n));
        push(out, &column.name);
        out.push_str("</th>");
    }
    out.push_str("</tr>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (n, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
            let _ = write!(out, "<td{}", class(n));
            if let (Some(Some(most)), Some(value)) = (amounts.get(n), number(cell))
                && *most > 0.0
            {
                let part = (value / most * 100.0).clamp(0.0, 100.0);
                let _ = write!(out, " style=\"background:linear-gradient(to right,#cfe0ee {part:.1}%,transparent 0)\"");
            }
            out.push('>');
            push(out, &cell.show(column, raw));
            out.push_str("</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div>\n");
}

#[cfg(test)]
mod tests {
    use super::to_html;
    use crate::report::Cell;

    #[test]
    fn nothing_of_a_capture_becomes_a_tag() {
        let mut report = crate::report::text::sample();
        report.tables[0].rows[0][1] = Cell::Text(b"<script>alert('1')</script>\"&\x1b]0;x".to_vec());
        report.notes = vec!["<img src=x onerror=y>".into()];
        report.title = "</title><b>".into();
        report.tables[0].columns[1].name = "<th>".into();
        let page = to_html(&[report], false).unwrap();
        for text in ["<script", "<img", "</title><b>", "<th><th>", "\x1b"] {
            assert!(!page.contains(text), "{text} in {page}");
        }
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\\x1b]0;x"), "{page}");
    }
}
