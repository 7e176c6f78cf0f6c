//! [`run`]: which of the things to do is asked for.

use super::args::{Options, parse};
use super::exit::{Failure, code, say, usage};
use super::{
    audit, chisel, complete, convert, diff, events, export, fields, help, info, lines, list, pack, plan, prune,
    question, record, replay, verify, watch,
};
use crate::chisel::Library;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// Subcommands that are planned; a word that is none of these starts a filter.
const NOT_YET: &[&str] = &["repair", "redact", "note", "rules", "detect", "falco", "doctor", "dump", "top", "serve"];

/// Subcommands that are there.
pub(super) const KNOWN: &[&str] =
    &["audit", "chisel", "convert", "diff", "help", "info", "plan", "prune", "verify", "version", "completions", "man"];

/// Runs a command line, the program's name first. Exit codes: 0 done, also when whoever read the output had
/// enough; 1 a check found something; 2 usage or failure.
pub fn run<I: IntoIterator<Item = OsString>>(words: I) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let mut out = Output::Blocks(io::BufWriter::with_capacity(1 << 16, io::stdout()));
    if words.get(1).is_some_and(|word| word == complete::ASK) {
        return code(candidates(&words, &mut out).and_then(|()| out.flush().map_err(Failure::from)));
    }
    let result = match parse(words.iter().cloned()) {
        Ok(mut options) => {
            if options.unbuffered {
                out = Output::Lines(io::LineWriter::new(io::stdout()));
            }
            everything(&mut options);
            dispatch(&options, &words, &mut out)
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelp => help::short(&mut out),
        Err(error) => Err(usage(&error)),
    };
    code(result.and_then(|()| out.flush().map_err(Failure::from)))
}

/// What a shell asks for while a line is written.
fn candidates(words: &[OsString], out: &mut dyn Write) -> Result<(), Failure> {
    let words: Vec<String> = words[2..].iter().map(|word| word.to_string_lossy().into_owned()).collect();
    complete::answer(&words, &question::library(&Options::default())?, out)
}

/// Standard output.
enum Output {
    Blocks(io::BufWriter<io::Stdout>),
    /// Each line as soon as it is there.
    Lines(io::LineWriter<io::Stdout>),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Blocks(out) => out.write(bytes),
            Output::Lines(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Blocks(out) => out.flush(),
            Output::Lines(out) => out.flush(),
        }
    }
}

/// `-d` with `-w`: nothing is displayed, so the filter has nothing to say.
fn everything(options: &mut Options) {
    if options.display_filter && options.write.is_some() && !options.words.is_empty() {
        options.words.clear();
        say("note: -d: the filter is for the display alone, and everything is written");
    }
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
    if let Some(word) = &options.list_events {
        return events::list(options, word, out);
    }
    let library = question::library(options)?;
    if options.list_chisels || options.chisel.iter().any(|c| c == "l") {
        return list::chisels(out, &library, options.verbose);
    }
    if let Some(name) = &options.info {
        return list::chisel(out, &library, &library.find(name).map_err(Failure::of)?);
    }
    if options.print.as_deref() == Some("p") {
        return Ok(writeln!(out, "{}", question::format(options)?)?);
    }
    if let Some(result) = subcommand(options, &library, out) {
        return result;
    }
    if options.command.is_empty() && words.last().is_some_and(|w| w == "--") {
        return Err(Failure::new("expected a command after `--`, found nothing", "for example `-- ls -l`"));
    }
    ignored(options);
    let rotates = [
        ("-C", options.file_size),
        ("-G", options.slice.map(|slice| slice.seconds)),
        ("-e", options.file_events),
        ("-W", options.files),
    ];
    if let (None, Some((flag, _))) = (&options.write, rotates.iter().find(|(_, given)| given.is_some())) {
        return Err(Failure::new(
            format!("expected -w FILE with {flag}, found none"),
            "it says how the files of a recording follow each other",
        ));
    }
    for_replay(options)?;
    if options.follow && (options.read.is_empty() || options.write.is_some()) {
        return Err(Failure::new(
            "expected -r FILE with --follow, found none",
            "it shows a reel while it is written; without -r what happens now is shown",
        ));
    }
    export::check(options)?;
    audit::audit(options, options.write.as_deref())?;
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

/// What only a recording that is there can answer.
fn for_replay(options: &Options) -> Result<(), Failure> {
    if options.enter && options.write.is_some() && options.read.is_empty() {
        let help = "leave it out: the recording has both; ask for them with -r FILE --enter";
        return Err(Failure::new("`--enter` and `-w` exclude each other", help));
    }
    let wants = [("--from", options.from.is_some()), ("--to", options.to.is_some())];
    let Some((flag, _)) = wants.iter().find(|(_, given)| *given) else { return Ok(()) };
    if options.read.is_empty() {
        let help = "name a recording with -r FILE: what happens now has neither a start nor an end yet";
        return Err(Failure::new(format!("expected -r FILE with {flag}, found none"), help));
    }
    if options.follow || options.write.is_some() {
        let other = if options.follow { "--follow" } else { "-w" };
        let help = if options.follow { "leave it out: what is there is shown" } else { "use a filter by evt.rawtime" };
        return Err(Failure::new(format!("`{flag}` and `{other}` exclude each other"), help));
    }
    Ok(())
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
            ("--keep", !options.keep.is_empty()),
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
        "audit" => audit::subcommand(options, library, out),
        "diff" => diff::diff(options, library, out),
        "help" => help::help(&options.words[1..], library, out),
        "man" => help::man(library, out),
        "completions" => complete::script(&options.words[1..], out),
        "chisel" => chisel::chisel(options, library, out),
        "convert" if options.compact => pack::pack(options),
        "convert" => lines::json_lines(options, library, out),
        "plan" => plan::plan(options, out),
        "prune" => prune::prune(options, &options.words[1..], out),
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
