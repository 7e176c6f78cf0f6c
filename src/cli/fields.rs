//! `-l`: the fields, by class or by what they say, as text, JSON lines or the reference of `docs/fields.md`.

use super::exit::Failure;
use crate::field::{Alias, Field, absent_fields, aliases, all, carries, joins};
use crate::value::Type;
use std::io::Write;

/// How fields are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Name and sentence.
    Short,
    /// With type, level, argument, example and other names.
    Long,
    /// An object for each, one on a line, keys sorted.
    Json,
    /// A page of Markdown.
    Page,
}

/// Lists the fields of a class, or those whose name or sentence has a word; all of them for an empty text.
pub(super) fn fields(out: &mut dyn Write, wanted: &str, form: Form) -> Result<(), Failure> {
    let is_class = all().any(|field| field.class() == wanted);
    let mut chosen: Vec<&Field> = all()
        .filter(|field| wanted.is_empty() || if is_class { field.class() == wanted } else { is_about(field, wanted) })
        .collect();
    if chosen.is_empty() {
        return Err(none(wanted));
    }
    let mut classes: Vec<&str> = Vec::new();
    for field in all() {
        if !classes.contains(&field.class()) {
            classes.push(field.class());
        }
    }
    // The catalogue has some classes in several parts.
    chosen.sort_by_key(|field| classes.iter().position(|class| *class == field.class()));
    match form {
        Form::Json => chosen.iter().try_for_each(|field| json(out, field)),
        Form::Page => page(out, &chosen),
        Form::Short | Form::Long => text(out, &chosen, form == Form::Long),
    }
}

/// A word as it is looked for: without the end of a plural, in small letters.
fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    match word.strip_suffix('s') {
        Some(one) if one.len() > 3 => one.to_owned(),
        _ => word,
    }
}

fn is_about(field: &Field, wanted: &str) -> bool {
    let has = |text: &str| wanted.split_whitespace().all(|word| text.contains(&stem(word)));
    let others: String = aliases_of(field).flat_map(|alias| [" ", alias.name]).collect();
    has(&format!("{} {}{others}", field.name, field.doc).to_lowercase())
}

fn aliases_of(field: &Field) -> impl Iterator<Item = &'static Alias> {
    let name = field.name;
    aliases().filter(move |alias| alias.field == name)
}

fn none(wanted: &str) -> Failure {
    let mut classes: Vec<&str> = all().map(Field::class).collect();
    classes.dedup();
    classes.sort_unstable();
    classes.dedup();
    let cause = match crate::field::absent_field(wanted).or_else(|| crate::field::absent_field(&format!("{wanted}."))) {
        Some(absent) => format!("no field of `{wanted}` can be answered: {}", absent.reason),
        None => format!("no class of fields is `{wanted}`, and no field says so"),
    };
    Failure::new(cause, format!("the classes are {}; any other word is looked for", classes.join(", ")))
}

fn text(out: &mut dyn Write, chosen: &[&Field], long: bool) -> Result<(), Failure> {
    let mut last = "";
    for field in chosen {
        if field.class() != last {
            let gap = if last.is_empty() { "" } else { "\n" };
            last = field.class();
            writeln!(out, "{gap}----------------------\nField Class: {last}\n")?;
        }
        writeln!(out, "{:<22} {}", field.name, field.doc)?;
        if long {
            let argument = Some(field.arg.form()).filter(|form| !form.is_empty());
            let argument = argument.map(|form| format!("; argument: {form}")).unwrap_or_default();
            let (ty, level) = (type_name(field.ty), level(field));
            writeln!(out, "{:<22} type: {ty}; level: {level}{argument}; example: {}", "", field.example)?;
            for alias in aliases_of(field) {
                let why = if alias.deprecated.is_empty() {
                    String::new()
                } else {
                    format!(", deprecated: {}", alias.deprecated)
                };
                writeln!(out, "{:<22} also {}{why}", "", alias.name)?;
            }
        }
    }
    Ok(())
}

/// What a question about it costs.
fn level(field: &Field) -> &'static str {
    if carries(field).is_some() {
        "carried"
    } else if joins(field).is_some() {
        "joined"
    } else {
        field.level().name()
    }
}

fn type_name(ty: Type) -> String {
    format!("{ty:?}").to_lowercase()
}

fn json(out: &mut dyn Write, field: &Field) -> Result<(), Failure> {
    let names = |deprecated: bool| -> Vec<&str> {
        aliases_of(field).filter(|alias| alias.deprecated.is_empty() != deprecated).map(|alias| alias.name).collect()
    };
    let object = serde_json::json!({
        "aliases": names(false),
        "argument": field.arg.form(),
        "class": field.class(),
        "deprecated_names": names(true),
        "doc": field.doc,
        "example": field.example,
        "level": level(field),
        "name": field.name,
        "type": type_name(field.ty),
    });
    Ok(writeln!(out, "{object}")?)
}

/// Text of a cell: a bar would end it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn page(out: &mut dyn Write, chosen: &[&Field]) -> Result<(), Failure> {
    write!(out, "{HEAD}")?;
    let mut classes: Vec<&str> = Vec::new();
    for field in chosen {
        if !classes.contains(&field.class()) {
            classes.push(field.class());
        }
    }
    for class in classes {
        writeln!(
            out,
            "\n## {class}\n\n| field | type | argument | level | says | example |\n|---|---|---|---|---|---|"
        )?;
        for field in chosen.iter().filter(|field| field.class() == class) {
            let (ty, level) = (type_name(field.ty), level(field));
            let (doc, example) = (cell(field.doc), cell(field.example));
            writeln!(out, "| `{}` | {ty} | {} | {level} | {doc} | `{example}` |", field.name, field.arg.form())?;
        }
    }
    writeln!(out, "\n## Other names\n\n| name | field | |\n|---|---|---|")?;
    for alias in aliases() {
        let why = if alias.deprecated.is_empty() { String::new() } else { format!("deprecated: {}", alias.deprecated) };
        writeln!(out, "| `{}` | `{}` | {why} |", alias.name, alias.field)?;
    }
    writeln!(out, "\n## What no reel can answer\n\n| field | why | see |\n|---|---|---|")?;
    for absent in absent_fields() {
        let name = if absent.name.ends_with('.') { format!("{}*", absent.name) } else { absent.name.to_owned() };
        let see = if absent.instead.is_empty() { String::new() } else { format!("`{}`", absent.instead) };
        writeln!(out, "| `{name}` | {} | {see} |", absent.reason)?;
    }
    Ok(())
}

const HEAD: &str = "\
# Fields

What filters, formats, chisels and `-j` can name. Made by `sysreel -l --markdown`; `sysreel -l -v` says the same, `-l CLASS` a
part of it, `-l WORD` what is about something, `-l --json` one object for each.

The level is where a field is answered, and so what a question about it costs: once for each *kind* of event, row of a *thread* or
of a *descriptor*, or for each *event*; what is *carried* depends on the events before, which are walked through in order where a question names it; what is *joined* on events of another sort, which are looked for first. Values that are not there make every check false, `!=` included; they are written `<NA>`,
and `null` in JSON. Times and durations are nanoseconds, and a filter may name them with a unit.
";
