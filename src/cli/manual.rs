//! What the manual page and `help TOPIC` say beside the options, made from the tables that the program works with.

use crate::chisel::Library;
use crate::event::{KindFlags, SPECS};
use crate::field;
use crate::filter::OPERATORS;
use crate::template;
use crate::value::{Moment, TRANSFORMERS};

/// A heading and what stands below it.
pub(super) struct Section {
    /// The word behind `help`.
    pub(super) topic: &'static str,
    pub(super) title: &'static str,
    pub(super) items: Vec<Item>,
}

/// A piece of a section.
pub(super) enum Item {
    /// A paragraph.
    Text(String),
    /// A term and what it means.
    Entry(String, String),
}

fn text(text: impl Into<String>) -> Item {
    Item::Text(text.into())
}

fn entry(term: impl Into<String>, about: impl Into<String>) -> Item {
    Item::Entry(term.into(), about.into())
}

/// All sections.
pub(super) fn sections(library: &Library) -> Vec<Section> {
    let section = |topic, title, items| Section { topic, title, items };
    vec![
        section("filter", "FILTERS", filters()),
        section("format", "FORMATS", formats()),
        section("time", "TIMES", times()),
        section("fields", "FIELDS", fields()),
        section("events", "EVENTS", events()),
        section("chisels", "CHISELS", chisels(library)),
    ]
}

fn filters() -> Vec<Item> {
    let mut items = vec![
        text(
            "A filter is made of checks, such as `proc.name = nginx`, joined by `and`, `or`, `not` and parentheses; `not` binds closest, `or` loosest. All words behind the options are one filter; put it in quotes where the shell would take <, > or parentheses for itself.",
        ),
        text(
            "A check on a value that is not there is false, `!=` too. Numbers take units (10ms, 64KiB), moments are nanoseconds or dates (evt.rawtime >= 2026-11-22T08:00:00Z). The right side is a constant, a list, a field as val(FIELD), or a transformer.",
        ),
        text("Operators:"),
    ];
    items.extend(OPERATORS.iter().map(|operator| entry(operator.name, operator.doc)));
    items.push(text("Transformers, on either side:"));
    items.extend(TRANSFORMERS.iter().map(|transformer| entry(format!("{}()", transformer.name), transformer.doc)));
    items
}

fn formats() -> Vec<Item> {
    vec![
        text("Behind -p stands text with fields in it, such as `%evt.num %proc.name`."),
        entry(
            "%FIELD",
            "The value of a field; the longest name that fits counts. Some take an argument: %proc.aname[1], %evt.arg.name.",
        ),
        entry("%20FIELD", "The same, filled with blanks or cut to 20 characters."),
        entry("%toupper(FIELD)", "What a transformer makes of it; see the filters for their names."),
        entry(
            "*",
            "In front of all: lines with missing values are printed too, with <NA>; without it they are left out.",
        ),
        entry("\\n \\t \\e \\\\", "Line break, tab, escape, backslash."),
        entry("-pc, -pk", "The line of containers, of pods."),
        entry("-pp", "Shows the line that is printed without -p."),
        text(format!("Without -p it is: {}", template::DEFAULT)),
        text(
            "With -j each line is a JSON object with the fields as keys, sorted; with --csv the fields are columns. -t decides what evt.outputtime is; in JSON it is nanoseconds since 1970, unless -t asks for another form than h.",
        ),
    ]
}

fn times() -> Vec<Item> {
    vec![
        text(format!(
            "Moments (--at, --from, --to) are written as {}. Without Z or an offset they are local where the recording was made, or in the zone of --tz.",
            Moment::FORMS
        )),
        text("The forms of -t:"),
        entry("h", "Time of day."),
        entry("a", "Seconds since 1970 UTC."),
        entry("r", "Seconds since the first event of the recording."),
        entry("d", "Seconds that the call took."),
        entry("D", "Seconds since the line printed before."),
        entry("u", "Date and time in UTC, ISO 8601."),
    ]
}

fn fields() -> Vec<Item> {
    field::all().map(|field| entry(field.name, field.doc)).collect()
}

fn events() -> Vec<Item> {
    let shown = SPECS.iter().filter(|spec| !spec.flags.has(KindFlags::SNAPSHOT));
    let (calls, others): (Vec<_>, Vec<_>) = shown.partition(|spec| spec.flags.has(KindFlags::CALL));
    let names = |specs: Vec<&crate::event::Spec>| {
        let mut names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
        names.sort_unstable();
        names.join(", ")
    };
    vec![
        text("`sysreel -L` lists them with their parameters, `-L WORD` some of them, `-Lv` with the names of flags."),
        text(format!("System calls: {}.", names(calls))),
        text(format!("Other events: {}.", names(others))),
    ]
}

fn chisels(library: &Library) -> Vec<Item> {
    let mut items = vec![text("Analyses, each a file: -c NAME [ARGS] runs one, -i NAME describes it.")];
    for chisel in library.all().into_iter().flatten() {
        let args: String = chisel
            .args
            .iter()
            .map(|arg| if arg.required() { format!(" {}", arg.name) } else { format!(" [{}]", arg.name) })
            .collect();
        items.push(entry(format!("{}{args}", chisel.name), chisel.about));
    }
    items
}

/// The section of a topic as text.
pub(super) fn plain(section: &Section) -> String {
    let mut out = String::new();
    for item in &section.items {
        match item {
            Item::Text(text) => {
                if !out.is_empty() {
                    out.push('\n');
                }
                for line in wrapped(text, 100) {
                    out.push_str(&line);
                    out.push('\n');
                }
            }
            Item::Entry(term, about) => {
                let lines = wrapped(about, 70);
                let mut term = format!("  {term}");
                for line in lines {
                    if term.chars().count() > 27 {
                        out.push_str(&term);
                        out.push('\n');
                        term.clear();
                    }
                    out.push_str(format!("{term:<28}{line}").trim_end());
                    out.push('\n');
                    term.clear();
                }
            }
        }
    }
    out
}

/// Lines of at most `width` characters, broken at blanks; one at least.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// Sections in the language of man(7).
pub(super) fn roff(sections: &[Section]) -> String {
    let mut out = String::new();
    for section in sections {
        out.push_str(&format!(".SH {}\n", section.title));
        for item in &section.items {
            match item {
                Item::Text(text) => out.push_str(&format!(".PP\n{}\n", escaped(text))),
                Item::Entry(term, about) => {
                    out.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", escaped(term), escaped(about)));
                }
            }
        }
    }
    out
}

/// Text that man(7) takes as it is: no line of it is a request.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\n', " ");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_operator_and_chisel_is_in_the_manual() {
        let library = Library::default();
        let text = roff(&sections(&library));
        for name in field::all().map(|f| f.name).chain(OPERATORS.iter().map(|o| o.name)) {
            assert!(text.contains(&format!("\\fB{}\\fR", escaped(name))), "{name}");
        }
        assert!(text.contains("\\fBfdbytes_by key\\fR") || text.contains("\\fBfdbytes_by "), "fdbytes_by");
        let requests = [".SH ", ".PP", ".TP"];
        for line in text.lines().filter(|line| line.starts_with(['.', '\''])) {
            assert!(requests.iter().any(|request| line.starts_with(request)), "{line}");
        }
        assert_eq!(escaped(".x\\y -z"), "\\&.x\\ey \\-z");
    }

    #[test]
    fn text_is_broken_at_blanks() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("", 7), [""]);
        for section in sections(&Library::default()) {
            let lines = plain(&section);
            assert!(lines.lines().all(|line| line.chars().count() <= 110), "{}", section.topic);
        }
    }
}
