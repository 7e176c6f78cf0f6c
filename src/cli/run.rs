//! [`run`]: which of the things to do is asked for.

use super::args::{Options, parse};
use super::exit::{Failure, code, say, usage};
use super::{chisel, convert, diff, export, fields, info, lines, list, plan, question, record, replay, verify, watch};
use crate::chisel::Library;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// Subcommands that are planned; a word that is none of these starts a filter.
const NOT_YET: &[&str] = &[
    "repair",
    "redact",
    "note",
    "rules",
    "detect",
    "audit",
    "falco",
    "doctor",
    "dump",
    "prune",
    "top",
    "serve",
    "completions",
    "man",
];

/// Subcommands that are there.
const KNOWN: &[&str] = &["chisel", "convert", "diff", "help", "info", "plan", "verify", "version"];

/// Runs a command line, the program's name first. Exit codes: 0 done, also when whoever read the output had
/// enough; 1 a check found something; 2 usage or failure.
pub fn run<I: IntoIterator<Item = OsString>>(words: I) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout());
    let result = match parse(words.iter().cloned()) {
        Ok(options) => dispatch(&options, &words, &mut out),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            write!(out, "{}", error.render()).map_err(Failure::from)
        }
        Err(error) => Err(usage(&error)),
    };
    code(result.and_then(|()| out.flush().map_err(Failure::from)))
}

fn dispatch(options: &Options, words: &[OsString], out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    if options.version {
        return version(out);
    }
    if let Some(class) = &options.list {
        // `-lv CLASS`: the letter is the value, and the class the next word; so it is where another option stands between.
        let next = || options.words.first().map_or("", String::as_str);
        let class = if matches!(class.as_str(), "v" | "") { next() } else { class };
        let long = options.verbose || options.list.as_deref() == Some("v");
        let form = match () {
            () if options.json => fields::Form::Json,
            () if options.markdown => fields::Form::Page,
            () if long => fields::Form::Long,
            () => fields::Form::Short,
        };
        return fields::fields(out, class, form);
    }
    if options.list_events {
        return list::events(out);
    }
    let library = question::library(options)?;
    if options.list_chisels || options.chisel.iter().any(|c| c == "l") {
        return list::chisels(out, &library, options.verbose);
    }
    if let Some(name) = &options.info {
        return list::chisel(out, &library, &library.find(name).map_err(Failure::of)?);
    }
    if options.print.as_deref() == Some("p") {
        return Ok(writeln!(out, "{}", question::DEFAULT_FORMAT)?);
    }
    if let Some(result) = subcommand(options, &library, out) {
        return result;
    }
    if options.command.is_empty() && words.last().is_some_and(|w| w == "--") {
        return Err(Failure::new("expected a command after `--`, found nothing", "for example `-- ls -l`"));
    }
    ignored(options);
    let rotates =
        [("-C", options.file_size), ("-G", options.slice), ("-e", options.file_events), ("-W", options.files)];
    if let (None, Some((flag, _))) = (&options.write, rotates.iter().find(|(_, given)| given.is_some())) {
        return Err(Failure::new(
            format!("expected -w FILE with {flag}, found none"),
            "it says how the files of a recording follow each other",
        ));
    }
    if options.follow && (options.read.is_empty() || options.write.is_some()) {
        return Err(Failure::new(
            "expected -r FILE with --follow, found none",
            "it shows a reel while it is written; without -r what happens now is shown",
        ));
    }
    export::check(options)?;
    match (&options.write, options.read.is_empty()) {
        (Some(path), false) if export::is_scap(path) => export::export(options, path),
        (Some(path), true) if export::is_scap(path) => export::record(options, path, words),
        (Some(path), false) => convert::convert(options, path),
        (Some(path), true) => {
            out.flush()?;
            record::record(options, path, words)
        }
        (None, false) if options.follow => replay::follow(options, &library, out),
        (None, false) => replay::replay(options, &library, out),
        (None, true) => watch::watch(options, &library, words, out),
    }
}

/// Says which options change nothing about what is to be done.
fn ignored(options: &Options) {
    let given: &[(&str, bool)] = if options.write.is_some() {
        let formatted = options.print.is_some();
        let form = [options.json, options.csv, options.markdown, options.raw, options.wide].contains(&true);
        let data = [options.ascii, options.base64, options.hex].contains(&true);
        &[
            ("-p", formatted),
            ("the form of the output", form),
            ("the form of data", data),
            ("-S", options.summary),
            ("--threads", options.threads.is_some()),
        ]
    } else if options.read.is_empty() {
        &[("--threads", options.threads.is_some()), ("--flush", options.flush.is_some()), ("--sync", options.sync)]
    } else {
        &[
            ("-s", options.snaplen.is_some()),
            ("--ring", options.ring.is_some()),
            ("--switches", options.switches),
            ("--flush", options.flush.is_some()),
            ("--sync", options.sync),
        ]
    };
    let names: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if !names.is_empty() {
        say(format_args!("note: no effect here: {}", names.join(", ")));
    }
}

/// A first word that can only be a subcommand, because fields have a dot.
fn subcommand(options: &Options, library: &Library, out: &mut (dyn Write + Send)) -> Option<Result<(), Failure>> {
    let is_action = options.write.is_some() || !options.read.is_empty() || !options.chisel.is_empty();
    // No filter begins with it, and chisels and recordings are what it takes.
    let is_diff = |word: &str| word == "diff" && options.write.is_none();
    let word =
        options.words.first().filter(|w| (!is_action || is_diff(w)) && w.chars().all(|c| c.is_ascii_lowercase()))?;
    Some(match word.as_str() {
        "not" => return None,
        "version" => version(out),
        "help" => help(out),
        "diff" => diff::diff(options, library, out),
        "chisel" => chisel::chisel(options, library, out),
        "convert" => lines::json_lines(options, library, out),
        "plan" => plan::plan(options, out),
        "info" => info::info(options, &options.words[1..], out),
        "verify" => verify::verify(options, &options.words[1..], out),
        word if NOT_YET.contains(&word) => {
            Err(Failure::new(format!("not supported yet: subcommand `{word}`"), "`sysreel --help` shows what is there"))
        }
        word => {
            let all = KNOWN.iter().chain(NOT_YET);
            let near = all.map(|k| (strsim::damerau_levenshtein(word, k), *k)).filter(|(d, _)| *d <= 2).min();
            let help = match near {
                Some((_, near)) => format!("did you mean `{near}`?"),
                None => "`sysreel --help` shows what can be asked; a filter looks like `proc.name = ls`".to_owned(),
            };
            Err(Failure::new(format!("unknown subcommand `{word}`"), help))
        }
    })
}

fn version(out: &mut dyn Write) -> Result<(), Failure> {
    Ok(writeln!(out, "sysreel {}", env!("CARGO_PKG_VERSION"))?)
}

fn help(out: &mut dyn Write) -> Result<(), Failure> {
    match parse(["sysreel", "--help"].map(OsString::from)) {
        Err(error) => Ok(write!(out, "{}", error.render())?),
        Ok(_) => Ok(()),
    }
}
