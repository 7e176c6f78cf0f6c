//! Tables of differences between a peer and us: what is explained passes, what is not fails, and so does an explanation
//! of nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// Different values that are shown of one thing.
const SHOWN: usize = 3;

/// Ours is a number that is not less than theirs.
const AT_LEAST: &str = ">=";

/// One line: capture, kind or chisel, field or key, theirs, ours, reason. All but the last are patterns with `*` for
/// anything; one of several apart by blanks in the first two, by commas in the third, or behind a `!` none of them. In
/// theirs `$` stands for our value; ours may be `>=`, a number that is not less than theirs.
struct Rule {
    columns: [String; 5],
    line: usize,
}

impl Rule {
    fn explains(&self, words: [&str; 5]) -> bool {
        let among = |list: &str, by: char, word: &str| match list.strip_prefix('!') {
            Some(others) => !others.split(by).any(|pattern| matches(pattern, word)),
            None => list.split(by).any(|pattern| matches(pattern, word)),
        };
        among(&self.columns[0], ' ', words[0])
            && among(&self.columns[1], ' ', words[1])
            && among(&self.columns[2], ',', words[2])
            && matches(&self.columns[3].replace('$', words[4]), words[3])
            && match &*self.columns[4] {
                AT_LEAST => number(words[4]).zip(number(words[3])).is_some_and(|(ours, theirs)| ours >= theirs),
                pattern => matches(pattern, words[4]),
            }
    }
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// Whether a text is what a pattern with `*` for any bytes says.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The table, what of it was used, and what it does not explain.
pub struct Table {
    path: String,
    rules: Vec<Rule>,
    used: BTreeSet<usize>,
    wrong: String,
}

impl Table {
    /// Reads a table; a line that is not six columns, or whose reason is no reason, fails the test.
    pub fn read(path: &str) -> Table {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let rules = lines
            .map(|(at, line)| {
                let all: Vec<String> = line.split('\t').map(str::to_owned).collect();
                let [capture, of, about, theirs, ours, reason] =
                    all.try_into().unwrap_or_else(|all| panic!("{path}:{}: six columns expected: {all:?}", at + 1));
                assert!(reason.len() > 10, "{path}:{}: no reason", at + 1);
                assert!([&theirs, &ours] != ["*", "*"], "{path}:{}: nothing that could be otherwise", at + 1);
                Rule { columns: [capture, of, about, theirs, ours], line: at + 1 }
            })
            .collect();
        Table { path: path.to_owned(), rules, used: BTreeSet::new(), wrong: String::new() }
    }

    /// The differences of one capture.
    pub fn of<'a>(&'a mut self, capture: &'a str) -> Differences<'a> {
        Differences { capture, table: self, found: BTreeMap::new(), compared: 0 }
    }

    /// Fails the test if there is a difference without an explanation, or one without a difference.
    pub fn done(mut self) {
        for rule in self.rules.iter().filter(|rule| !self.used.contains(&rule.line)) {
            let _ = writeln!(self.wrong, "{}:{}: explains no difference any more", self.path, rule.line);
        }
        assert!(self.wrong.is_empty(), "{}", self.wrong);
    }
}

/// The differences of one capture.
pub struct Differences<'a> {
    capture: &'a str,
    table: &'a mut Table,
    found: BTreeMap<(String, String), (usize, Vec<String>)>,
    compared: usize,
}

impl Differences<'_> {
    /// Values compared so far.
    pub fn compared(&self) -> usize {
        self.compared
    }

    /// Two values that are the same.
    pub fn equal(&mut self) {
        self.compared += 1;
    }

    /// Compares two values: of a kind or chisel, about a field or key.
    pub fn compare(&mut self, of: &str, about: &str, theirs: &str, ours: &str) {
        self.compare_at("", of, about, theirs, ours);
    }

    /// The same; `place` is shown with a difference.
    pub fn compare_at(&mut self, place: &str, of: &str, about: &str, theirs: &str, ours: &str) {
        self.compared += 1;
        if theirs == ours {
            return;
        }
        let words = [self.capture, of, about, theirs, ours];
        if let Some(rule) = self.table.rules.iter().find(|rule| rule.explains(words)) {
            self.table.used.insert(rule.line);
            return;
        }
        let (count, some) = self.found.entry((about.to_owned(), of.to_owned())).or_default();
        *count += 1;
        if some.len() < SHOWN {
            some.push(format!("{place} theirs `{theirs}`, ours `{ours}`"));
        }
    }

    /// Keeps what was not explained for [`Table::done`].
    pub fn done(self) {
        for ((about, of), (count, some)) in &self.found {
            let _ = writeln!(
                self.table.wrong,
                "{}\t{of}\t{about}: {count} times\n    {}",
                self.capture,
                some.join("\n    ")
            );
        }
    }
}
