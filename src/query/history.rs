//! [`HistoryQuery`]: what became of an object, event by event: what each changed against the body that was seen before.

use super::{Operator, Span, StateColumn, View};
use crate::batch::{Batch, Error};
use crate::field::FieldRef;
use crate::filter::{Filter, Memo, Selection};
use crate::report::{Cell, Column, Report, Table};
use crate::value::{Value, json_leaves};
use std::collections::BTreeMap;

/// Bytes of bodies that a worker keeps at most.
const MOST_BYTES: usize = 256 << 20;
/// Changes of one event that are shown.
const MOST_CHANGES: usize = 200;
/// Characters of a value that are shown.
const SHOWN: usize = 120;

/// What became of objects, event by event.
#[derive(Clone)]
pub struct HistoryQuery {
    /// Name of the analysis.
    pub title: String,
    /// One sentence on what it shows.
    pub about: String,
    /// Columns before the changes.
    pub columns: Vec<StateColumn>,
    /// Tells objects apart.
    pub key: FieldRef,
    /// The object as it was then, JSON.
    pub body: FieldRef,
    /// What is shown where there is no body: the changes as they were asked for.
    pub patch: FieldRef,
    /// Events that are shown also where nothing changed; the others only tell what the object was.
    pub show: Option<Filter>,
    /// Paths whose changes say nothing: with all that is below them.
    pub ignore: Vec<String>,
    /// What is secret.
    pub hide: Option<Hidden>,
}

/// Values that are not shown: only how long they are, and that they changed.
#[derive(Clone)]
pub struct Hidden {
    /// Of which events.
    pub only: Filter,
    /// Paths of values, with all that is below them; also below items of a list.
    pub paths: Vec<String>,
}

struct Kept {
    time: u64,
    num: u64,
    key: Cell,
    cells: Vec<Cell>,
    body: Option<Vec<u8>>,
    patch: Vec<String>,
    is_shown: bool,
    is_secret: bool,
}

/// Events that one worker has seen.
#[derive(Default)]
pub struct HistoryPartial {
    memo: Memo,
    secret: Memo,
    kept: Vec<Kept>,
    bytes: usize,
    /// Bodies that there was no room for.
    left_out: u64,
}

/// What leads to a value, and the value.
type Leaves = BTreeMap<String, String>;

impl HistoryQuery {
    fn leaves(&self, body: &[u8]) -> Leaves {
        let is_noise = |path: &str| self.ignore.iter().any(|noise| is_below(path, noise));
        json_leaves(body).into_iter().filter(|(path, _)| !is_noise(path)).collect()
    }

    /// Whether the value at a path of such an event is not shown.
    fn hides(&self, is_secret: bool, path: &str) -> bool {
        let path = path.split_once("].").filter(|(item, _)| item.starts_with("items[")).map_or(path, |(_, rest)| rest);
        let is_part = |hidden: &String| is_below(path, hidden) || is_below(hidden, path) || path.is_empty();
        is_secret && self.hide.as_ref().is_some_and(|hide| hide.paths.iter().any(is_part))
    }

    /// A line of what a patch asks for, `path: value`, or `operation /path: value` of a JSON patch (RFC 6902), as it is shown.
    fn asked(&self, line: &str, is_secret: bool) -> String {
        let Some((path, value)) = line.split_once(": ") else { return cut(line) };
        let plain = match path.split_once(' ') {
            Some((_, pointer)) => path_of(pointer),
            None => path.to_owned(),
        };
        if self.hides(is_secret, &plain) { format!("{path}: {}", length(value)) } else { cut(line) }
    }

    /// What is different between two bodies, by path.
    fn changes(&self, before: &Leaves, now: &Leaves, is_secret: bool) -> Vec<String> {
        let mut paths: Vec<&String> = before.keys().chain(now.keys()).collect();
        paths.sort_unstable();
        paths.dedup();
        let change = |path: &String| {
            let shown = |value: &str| if self.hides(is_secret, path) { length(value) } else { cut(value) };
            match (before.get(path), now.get(path)) {
                (Some(old), Some(new)) if old == new => None,
                (Some(old), Some(new)) => Some(format!("{path}: {} -> {}", shown(old), shown(new))),
                (Some(old), None) => Some(format!("- {path}: {}", shown(old))),
                (None, Some(new)) => Some(format!("+ {path}: {}", shown(new))),
                (None, None) => None,
            }
        };
        paths.into_iter().filter_map(change).collect()
    }
}

/// Whether a path is another one, or leads to something below it.
fn is_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// A JSON pointer as the paths of leaves are written.
fn path_of(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    steps.fold(String::new(), |path, step| {
        if step.contains('.') {
            format!("{path}[{step}]")
        } else if path.is_empty() {
            step
        } else {
            format!("{path}.{step}")
        }
    })
}

/// What is shown of a value that is not.
fn length(value: &str) -> String {
    format!("({} bytes, hidden)", value.len())
}

/// A value as it is shown.
fn cut(value: &str) -> String {
    if value.chars().count() <= SHOWN {
        return value.to_owned();
    }
    value.chars().take(SHOWN).chain("...".chars()).collect()
}

impl Operator for HistoryQuery {
    type Partial = HistoryPartial;

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        for column in &self.columns {
            each(&column.field);
            column.or.iter().for_each(&mut *each);
        }
        [&self.key, &self.body, &self.patch].into_iter().for_each(&mut *each);
        let filters = self.show.iter().chain(self.hide.iter().map(|hide| &hide.only));
        filters.flat_map(Filter::fields).for_each(&mut *each);
    }

    fn add(
        &self,
        partial: &mut HistoryPartial,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        let mut shown = selection.clone();
        if let Some(show) = &self.show {
            shown.intersect(show.select(&mut partial.memo, batch, view.ctx)?);
        }
        let shown = shown.to_rows(batch)?;
        let secret = match &self.hide {
            Some(hide) => Some(hide.only.select(&mut partial.secret, batch, view.ctx)?.to_rows(batch)?),
            None => None,
        };
        let (mut kept, mut bytes, mut left_out) = (Vec::new(), partial.bytes, 0);
        selection.for_each_row(batch, |row| {
            let text = |field: &FieldRef| match field.value(&row, view.ctx) {
                Value::Text(text) => Some(text.into_owned()),
                _ => None,
            };
            let lines = |field: &FieldRef| match field.value(&row, view.ctx) {
                Value::List(all) => all.into_iter().map(super::part::cell).collect(),
                Value::Missing => Vec::new(),
                one => vec![super::part::cell(one)],
            };
            let mut body = text(&self.body);
            if bytes + body.as_ref().map_or(0, Vec::len) > MOST_BYTES {
                (body, left_out) = (None, left_out + 1);
            }
            bytes += body.as_ref().map_or(0, Vec::len);
            let words = |cell: Cell| {
                if let Cell::Text(text) = cell { Some(String::from_utf8_lossy(&text).into_owned()) } else { None }
            };
            kept.push(Kept {
                time: row.time(),
                num: row.num(),
                key: super::part::cell(self.key.value(&row, view.ctx)),
                cells: self.columns.iter().map(|column| column.cell(&row, view.ctx)).collect(),
                body,
                patch: lines(&self.patch).into_iter().filter_map(words).collect(),
                is_shown: shown.get(row.index),
                is_secret: secret.as_ref().is_some_and(|secret| secret.get(row.index)),
            });
        })?;
        if let Some(error) = batch.damage() {
            return Err(error.clone());
        }
        partial.kept.append(&mut kept);
        partial.bytes = bytes;
        partial.left_out += left_out;
        Ok(())
    }

    fn finish(&self, partials: Vec<HistoryPartial>, _: Span, mut notes: Vec<String>) -> Report {
        let left_out: u64 = partials.iter().map(|partial| partial.left_out).sum();
        if left_out > 0 {
            notes.push(format!("{left_out} bodies were left out: they have more than {} MiB", MOST_BYTES >> 20));
        }
        let mut all: Vec<Kept> = partials.into_iter().flat_map(|partial| partial.kept).collect();
        all.sort_by(|a, b| (a.time, a.num, &a.key).cmp(&(b.time, b.num, &b.key)));
        let mut before: BTreeMap<Cell, Leaves> = BTreeMap::new();
        let mut rows = Vec::new();
        for event in all {
            let changes = match &event.body {
                Some(body) => {
                    let now = self.leaves(body);
                    match before.insert(event.key.clone(), now.clone()) {
                        Some(old) => self.changes(&old, &now, event.is_secret),
                        None if event.is_shown => self.changes(&Leaves::new(), &now, event.is_secret),
                        // What it was before the first change is no change.
                        None => Vec::new(),
                    }
                }
                None if event.is_shown => event.patch.iter().map(|line| self.asked(line, event.is_secret)).collect(),
                None => Vec::new(),
            };
            let more = changes.len().saturating_sub(MOST_CHANGES);
            let mut lines: Vec<String> = changes.into_iter().take(MOST_CHANGES).collect();
            if more > 0 {
                lines.push(format!("and {more} more"));
            }
            if lines.is_empty() && event.is_shown {
                lines.push(String::new());
            }
            for (number, line) in lines.into_iter().enumerate() {
                // The event's own columns stand once.
                let own = |cell: &Cell| if number == 0 { cell.clone() } else { Cell::Text(Vec::new()) };
                let mut row: Vec<Cell> = event.cells.iter().map(own).collect();
                row.push(Cell::Text(line.into_bytes()));
                rows.push(row);
            }
        }
        let mut columns: Vec<Column> = self.columns.iter().map(StateColumn::heading).collect();
        columns.push(Column::text("Change"));
        let table = Table { title: String::new(), columns, rows };
        Report { title: self.title.clone(), about: self.about.clone(), tables: vec![table], notes, ..Report::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::lookup;

    fn query() -> HistoryQuery {
        let field = |name: &str| lookup(name).unwrap();
        let paths = ["data", "stringData", "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]"];
        let hide = Hidden { only: Filter::parse("evt.num exists").unwrap(), paths: paths.map(str::to_owned).to_vec() };
        HistoryQuery {
            title: String::new(),
            about: String::new(),
            columns: Vec::new(),
            key: field("ka.object"),
            body: field("ka.object.state"),
            patch: field("ka.req.patch"),
            show: None,
            ignore: Vec::new(),
            hide: Some(hide),
        }
    }

    #[test]
    fn of_what_is_secret_the_length_is_shown_and_that_it_changed() {
        let query = query();
        let body = |text: &str| query.leaves(text.as_bytes());
        let old = body(r#"{"kind":"Secret","data":{"key":"b2xk","gone":"eA=="},"type":"Opaque"}"#);
        let new = body(r#"{"kind":"Secret","data":{"key":"bmV3","tls.crt":"eHg="},"type":"Other"}"#);
        let want = [
            "- data.gone: (4 bytes, hidden)",
            "data.key: (4 bytes, hidden) -> (4 bytes, hidden)",
            "+ data[tls.crt]: (4 bytes, hidden)",
            "type: Opaque -> Other",
        ];
        assert_eq!(query.changes(&old, &new, true), want);
        assert_eq!(query.changes(&old, &new, false)[1], "data.key: b2xk -> bmV3");
        // A list of secrets, and what `kubectl apply` leaves.
        for hidden in [
            r#"{"items":[{"data":{"key":"b2xk"}}]}"#,
            r#"{"items":[{"name":"a","stringData":{"key":"b2xk"}}]}"#,
            r#"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"b2xk"}}}"#,
            r#"{"data":"b2xk"}"#,
        ] {
            let told = query.changes(&Leaves::new(), &body(hidden), true).concat();
            assert!(told.contains("bytes, hidden") && !told.contains("b2xk"), "{told}");
        }
    }

    #[test]
    fn what_a_patch_asks_for_is_hidden_as_well() {
        for line in [
            "data.key: b2xk",
            "stringData.a: b2xk",
            "replace /data/key: b2xk",
            "add /data: {\"key\":\"b2xk\"}",
            "add : {\"data\":\"b2xk\"}",
            "add /metadata/annotations: {\"x\":\"b2xk\"}",
            "test /stringData/a~1b: b2xk",
            "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]: b2xk",
            "add /metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration: b2xk",
        ] {
            let told = query().asked(line, true);
            assert!(told.ends_with("bytes, hidden)") && !told.contains("b2xk"), "{told}");
            assert_eq!(query().asked(line, false), line);
        }
        assert_eq!(query().asked("metadata.labels.a: b2xk", true), "metadata.labels.a: b2xk");
        assert_eq!(query().asked("remove /data/key", true), "remove /data/key");
    }
}
