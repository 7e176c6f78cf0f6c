//! A report as JSON.

use super::{Cell, Heat, Picture, Report, Series, Table};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt::Write as _;

impl Cell {
    /// The value as JSON: raw numbers, text with what is not UTF-8 escaped.
    pub fn to_json(&self) -> Value {
        match self {
            Cell::Missing | Cell::Ratio { of: 0, .. } => Value::Null,
            Cell::Bool(b) => json!(b),
            Cell::Int(n) => json!(n),
            Cell::Uint(n) => json!(n),
            Cell::Ratio { sum, of } => json!(*sum as f64 / *of as f64),
            Cell::Ip(ip) => json!(ip.to_string()),
            // JSON escapes control characters itself, so that only broken UTF-8 needs our escapes.
            Cell::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => json!(text),
                Err(_) => json!(super::escape(bytes)),
            },
        }
    }
}

impl Report {
    /// The report as one JSON object on one line: `title`, `about`, `tables` (each `title`, `columns`, `rows`
    /// as objects by column name), `notes`, and where there are any `pictures` (`series` or `heat`). Numbers are raw;
    /// the columns say their units, times are ns UTC.
    pub fn to_json(&self) -> String {
        defuse(&self.json().to_string()) + "\n"
    }

    /// The same with `start` and `end`, ns UTC: a report among those of other times.
    pub fn to_json_of(&self, start: u64, end: u64) -> String {
        let mut all = self.json();
        all["start"] = json!(start);
        all["end"] = json!(end);
        defuse(&all.to_string()) + "\n"
    }

    fn json(&self) -> Value {
        let tables: Vec<Value> = self.tables.iter().map(Table::to_json).collect();
        let mut all = json!({ "title": self.title, "about": self.about, "tables": tables, "notes": self.notes });
        if !self.pictures.is_empty() {
            all["pictures"] = self.pictures.iter().map(Picture::to_json).collect();
        }
        all
    }
}

/// Writes the characters that JSON allows but a terminal would obey or hide as `\uNNNN`.
fn defuse(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let hostile =
            (c as u32) >= 0x7f && matches!(super::escape(c.encode_utf8(&mut [0; 4]).as_bytes()), Cow::Owned(_));
        if hostile {
            let _ = write!(out, "\\u{:04x}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

impl Picture {
    fn to_json(&self) -> Value {
        match self {
            Picture::Series(series) => json!({ "series": series.to_json() }),
            Picture::Heat(heat) => json!({ "heat": heat.to_json() }),
        }
    }
}

impl Series {
    fn to_json(&self) -> Value {
        let line = |line: &super::Line| json!({ "name": line.name, "unit": line.unit.name(), "points": line.points });
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        json!({ "title": self.title, "start": self.start, "step": self.step, "lines": lines })
    }
}

impl Heat {
    fn to_json(&self) -> Value {
        json!({
            "title": self.title,
            "start": self.start,
            "step": self.step,
            "value": self.value,
            "unit": self.unit.name(),
            "bounds": self.bounds,
            "rows": self.rows,
        })
    }
}

impl Table {
    fn to_json(&self) -> Value {
        let columns: Vec<Value> =
            self.columns.iter().map(|c| json!({ "name": c.name, "unit": c.unit.name() })).collect();
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let fields = self.columns.iter().zip(row).map(|(c, cell)| (c.name.clone(), cell.to_json()));
                Value::Object(fields.collect::<Map<_, _>>())
            })
            .collect();
        json!({ "title": self.title, "columns": columns, "rows": rows })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_raw_and_missing_values_null() {
        let value: serde_json::Value = serde_json::from_str(&super::super::text::sample().to_json()).unwrap();
        assert_eq!(value["tables"][0]["rows"][0]["Bytes"], 11_674);
        assert_eq!(value["tables"][0]["rows"][1]["PID"], serde_json::Value::Null);
        assert_eq!(value["tables"][0]["columns"][0]["unit"], "bytes");
        assert_eq!(value["notes"][0], "3 events were lost");
    }

    #[test]
    fn marks_that_reorder_text_do_not_pass_raw() {
        assert_eq!(super::defuse("\"gpj\u{202e}exe \u{fc}\""), "\"gpj\\u202eexe \u{fc}\"");
    }
}
