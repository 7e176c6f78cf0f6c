//! What can be named: fields, events, chisels.

use super::exit::Failure;
use crate::chisel::{Chisel, Library};
use crate::report::escape;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Lines of an example's output that are shown.
const SAID: usize = 20;

/// `-cl`: chisels by category, panels of the interactive screen only with `views`. A broken file of the user's is named,
/// not hidden.
pub(super) fn chisels(out: &mut dyn Write, library: &Library, views: bool) -> Result<(), Failure> {
    let mut by_category: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (name, chisel) in library.names().into_iter().zip(library.all()) {
        match chisel {
            Ok(chisel) if chisel.view.is_some() && !views => {}
            Ok(chisel) => by_category.entry(chisel.category).or_default().push((name, chisel.about)),
            Err(error) => super::exit::say(format_args!("warning: {error}")),
        }
    }
    for (i, (category, chisels)) in by_category.iter().enumerate() {
        writeln!(out, "{}Category: {category}\n{}", if i > 0 { "\n" } else { "" }, "-".repeat(category.len() + 10))?;
        for (name, about) in chisels {
            writeln!(out, "{name:<20} {about}")?;
        }
    }
    writeln!(out, "\nUse -i to get more about a chisel: sysreel -i topprocs_file")?;
    Ok(())
}

/// `-i CHISEL`: what it shows, its arguments, an example.
pub(super) fn chisel(out: &mut dyn Write, library: &Library, chisel: &Chisel) -> Result<(), Failure> {
    writeln!(out, "Category: {}\nName: {}\n\n{}", chisel.category, chisel.name, chisel.about)?;
    if !chisel.description.is_empty() {
        writeln!(out, "\n{}", chisel.description.trim())?;
    }
    if let Some(filter) = &chisel.filter {
        writeln!(out, "\nFilter: {filter}")?;
    }
    writeln!(out, "\nArguments:")?;
    for arg in &chisel.args {
        let state = match &arg.default {
            Some(default) => format!(", default {default}"),
            None if arg.optional => ", optional".to_owned(),
            None => String::new(),
        };
        writeln!(out, "  {} ({}{state}): {}", arg.name, arg.ty.name(), arg.about)?;
    }
    if chisel.args.is_empty() {
        writeln!(out, "  (none)")?;
    }
    for (index, example) in chisel.examples.iter().enumerate() {
        let args = as_typed(&example.word());
        let at = example.at.as_ref().map(|at| format!(" --at {at}")).unwrap_or_default();
        let capture = match Path::new(&example.capture).extension() {
            Some(_) => example.capture.clone(),
            None => format!("captures/{}.reel", example.capture),
        };
        writeln!(out, "\nExample:\n  sysreel -r {capture} -c {}{args}{at}", chisel.name)?;
        let said = library.example(chisel).filter(|_| index == 0).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        if !lines.is_empty() {
            writeln!(out)?;
        }
        for line in lines.iter().take(SAID) {
            writeln!(out, "  {}", escape(line.as_bytes()))?;
        }
        if lines.len() > SAID {
            writeln!(out, "  … {} more lines", lines.len() - SAID)?;
        }
    }
    Ok(())
}

/// A word of arguments behind a blank, as it is typed in a shell; nothing for none.
fn as_typed(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:=,%+@".contains(c);
    match word {
        "" => String::new(),
        word if word.chars().all(is_plain) => format!(" {word}"),
        word if word.contains('\'') => format!(" \"{word}\""),
        word => format!(" '{word}'"),
    }
}
