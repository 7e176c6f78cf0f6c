//! From options to questions: filter, format, chisels and their arguments.

use super::args::Options;
use super::exit::{Failure, say};
use crate::chisel::{After, ArgType, Chisel, Library, Style, split};
use crate::engine::Question;
use crate::field::{BufferFormat, Context, FieldRef, TimeFormat, lookup};
use crate::filter::Filter;
use crate::query::{Aggregate, How, Key, LinesQuery, Order, Query, Rows, TableQuery};
use crate::report::Unit;
use crate::template::{self, Form, Template};
use crate::value::{Places, Services};
use std::env;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Where chisels are looked for, before those that are built in.
/// The order: `--chisel-dir`, `SYSREEL_CHISEL_DIR` (parted by `:`), the user's data folder, then sysdig's places.
pub(super) fn library(options: &Options) -> Result<Library, Failure> {
    let mut directories = options.chisel_dir.clone();
    if let Some(absent) = directories.iter().find(|folder| !folder.is_dir()) {
        return Err(Failure::new(
            format!("expected a folder with --chisel-dir, found {}", absent.display()),
            "it holds NAME.toml for each `-c NAME`",
        ));
    }
    let listed = |name: &str, between: char| {
        let list = env::var(name).unwrap_or_default();
        list.split(between).filter(|d| !d.is_empty()).map(PathBuf::from).collect::<Vec<_>>()
    };
    let home = env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    directories.extend(listed("SYSREEL_CHISEL_DIR", ':'));
    // XDG Base Directory Specification: relative paths are to be ignored.
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|data| data.is_absolute());
    let data = data.or_else(|| home.as_ref().map(|home| home.join(".local/share")));
    directories.extend(data.map(|data| data.join("sysreel/chisels")));
    directories.push(PathBuf::from("chisels"));
    directories.extend(home.map(|home| home.join(".chisels")));
    directories.extend(listed("SYSDIG_CHISEL_DIR", ';'));
    Ok(Library::new(directories))
}

/// A chisel and its arguments.
pub(super) type Asked = (Chisel, Vec<String>);

/// Each chisel of a command line with its arguments, and which of the words they are.
pub(super) fn asked(options: &Options, library: &Library) -> Result<(Vec<Asked>, Vec<bool>), Failure> {
    let mut taken = vec![false; options.words.len()];
    let mut asked = Vec::new();
    for (name, words) in &options.chisels {
        let chisel = library.find(name).map_err(Failure::of)?;
        let rest = &options.words[words.clone()];
        let args = if takes_word(&chisel, rest) {
            taken[words.start] = true;
            arguments(&chisel, &rest[0])
        } else {
            Vec::new()
        };
        asked.push((chisel, args));
    }
    Ok((asked, taken))
}

/// All questions of a command line: each chisel, or else the events as lines; then the summary.
pub(super) fn questions(options: &Options, library: &Library) -> Result<Vec<Question>, Failure> {
    let containers = matches!(options.print.as_deref(), Some("c" | "container"));
    let style = Style { json: options.json, containers, internal: options.internal };
    let (asked, taken) = asked(options, library)?;
    let words: Vec<&str> = options.words.iter().zip(&taken).filter(|(_, t)| !**t).map(|(w, _)| w.as_str()).collect();
    let filter = without(filter(&words)?, &options.suppress)?;
    let both = |own: Option<Filter>| match (filter.clone(), own) {
        (Some(a), Some(b)) => Some(a.and(b)),
        (a, b) => a.or(b),
    };
    let mut questions = Vec::new();
    for (chisel, args) in asked {
        let prepared = chisel.prepare(&args, style).map_err(Failure::of)?;
        let filter = both(prepared.filter);
        if let Some(rows) = prepared.query.of_state() {
            check_state_filter(&chisel.name, rows, filter.as_ref())?;
        }
        if matches!(chisel.after(&args).map_err(Failure::of)?, Some(After::Around(..))) && options.read.is_empty() {
            let message = format!("expected a recording with a file for chisel `{}` to write, found none", chisel.name);
            return Err(Failure::new(message, "record with -w, then ask with -r"));
        }
        if let Some(marks) = chisel.marks(&args).map_err(Failure::of)? {
            questions.push(Question { filter: filter.clone(), query: Query::Other(Arc::new(marks)) });
        }
        questions.push(Question { filter, query: prepared.query });
    }
    if questions.is_empty() {
        let query = if options.quiet { Query::Nothing } else { Query::Lines(lines(options)?) };
        questions.push(Question { filter: filter.clone(), query });
    }
    let is_lines = |q: &Question| matches!(q.query, Query::Lines(_));
    if options.markdown && questions.iter().any(is_lines) {
        let help = "use -j or --csv for events, or -q with -S or a chisel that makes a table";
        return Err(Failure::new("no --markdown of lines: it is for tables", help));
    }
    if options.enter && (!options.chisel.is_empty() || !questions.iter().any(is_lines)) {
        let help = "leave out -c and -q: what a chisel tells of a call is told once, when the call is over";
        return Err(Failure::new("expected lines of events with --enter, found none", help));
    }
    let form = form(options);
    for question in &mut questions {
        if let Query::Lines(lines) = &mut question.query {
            lines.template = lines.template.clone().with_form(form);
            if form == Form::Csv {
                lines.header = Some(lines.template.csv_header());
                lines.indent = None;
            }
        }
    }
    if options.summary {
        questions.push(Question { filter, query: Query::Table(summary()?) });
    }
    super::plot::check(options, &questions)?;
    if options.geoip.is_empty() {
        for question in &questions {
            question.filter.iter().flat_map(Filter::fields).try_for_each(without_places)?;
            let mut unanswered = Ok(());
            question.query.for_each_field(&mut |field| {
                if unanswered.is_ok() {
                    unanswered = without_places(field);
                }
            });
            unanswered?;
        }
    }
    Ok(questions)
}

/// Refuses a filter of what is written that databases of places answer: they change, and a recording says what happened.
pub(super) fn recorded(filter: Option<&Filter>) -> Result<(), Failure> {
    match filter.into_iter().flat_map(Filter::fields).find(|field| field.needs_places()) {
        None => Ok(()),
        Some(field) => Err(Failure::new(
            format!("expected a filter of what is recorded, found `{field}`, which databases answer"),
            "leave it out here, and ask afterwards: -r FILE --geoip FILE.mmdb FILTER",
        )),
    }
}

/// Refuses a field that databases of places answer, where none is given.
fn without_places(field: &FieldRef) -> Result<(), Failure> {
    if !field.needs_places() {
        return Ok(());
    }
    let help = "--geoip FILE.mmdb gives one, such as GeoLite2-Country.mmdb for countries and GeoLite2-ASN.mmdb for networks; it may be given several times";
    Err(Failure::new(format!("`{field}` needs a database of places, found none"), help))
}

/// Rows of a state are no events: a condition on events would hold for none of them. What is about the machine and no
/// thread has nothing but its row's parameters.
fn check_state_filter(chisel: &str, rows: Rows, filter: Option<&Filter>) -> Result<(), Failure> {
    let fields = filter.map(Filter::fields).unwrap_or_default();
    let is_of_row = |name: &str| name.starts_with("evt.arg") && !rows.have_threads();
    let is_of_event = |name: &str| (name.starts_with("evt.") || name.starts_with("syscall.")) && !is_of_row(name);
    match fields.iter().find(|f| is_of_event(f.field.name)) {
        None => Ok(()),
        Some(field) => Err(Failure::new(
            format!("`{field}` is about events, and chisel `{chisel}` shows the state at a moment"),
            "filter by proc.*, fd.*, user.* or container.*, and name the moment with --at",
        )),
    }
}

/// The filter that words make; `None` for no words.
pub(super) fn filter(words: &[&str]) -> Result<Option<Filter>, Failure> {
    let text = words.join(" ");
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = Filter::parse(&text).inspect(|filter| {
        for warning in filter.warnings() {
            say(warning.as_warning(&text));
        }
    });
    read.map(Some).map_err(|error| match words.first() {
        // What a shell makes of `-r *.reel`.
        Some(word) if std::path::Path::new(word).is_file() => Failure::new(
            format!("expected a filter, found the file `{word}`"),
            "each file needs its own -r, such as -r a.reel -r b.reel",
        ),
        _ => Failure::of(error),
    })
}

/// The same filter, but nothing of programs with these names (`-U`) and of what descends from them.
pub(super) fn without(wanted: Option<Filter>, names: &[String]) -> Result<Option<Filter>, Failure> {
    let quoted = |name: &String| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    let list: Vec<String> = names.iter().map(quoted).collect();
    if list.is_empty() {
        return Ok(wanted);
    }
    let list = list.join(", ");
    let others =
        Filter::parse(&format!("not (proc.name in ({list}) or proc.aname in ({list}))")).map_err(Failure::of)?;
    Ok(Some(wanted.map_or(others.clone(), |wanted| wanted.and(others))))
}

/// The arguments in a word; one that can only be a filter is not taken apart, but its quotes are taken off.
fn arguments(chisel: &Chisel, word: &str) -> Vec<String> {
    if chisel.args.len() > 1 || chisel.args.iter().any(|arg| arg.ty != ArgType::Filter) {
        return split(word);
    }
    let quoted = word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    vec![quoted.filter(|inner| !inner.contains('\'')).unwrap_or(word).to_owned()]
}

/// sysdig's rule for the word behind `-c NAME`: taken if the chisel needs an argument, or can have one and the words
/// from there on are no filter.
fn takes_word(chisel: &Chisel, rest: &[String]) -> bool {
    if rest.is_empty() || chisel.args.is_empty() {
        return false;
    }
    let is_filter = chisel.args.len() == 1 && chisel.args[0].ty == ArgType::Filter;
    if is_filter || chisel.args.iter().any(crate::chisel::ArgDef::required) {
        return true;
    }
    !rest[0].starts_with('-') && Filter::parse(&rest.join(" ")).is_err()
}

/// The format of lines: what stands behind `-p`, or one of the presets by sysdig's letters.
pub(super) fn format(options: &Options) -> Result<&str, Failure> {
    Ok(match options.print.as_deref() {
        None | Some("p") => template::DEFAULT,
        Some("c" | "container") => template::CONTAINER,
        Some("k" | "kubernetes") => template::KUBERNETES,
        Some(preset @ ("m" | "mesos")) => {
            return Err(Failure::new(
                format!("no -p{preset} here: Mesos is not asked"),
                "use -pc for containers, -pk for pods",
            ));
        }
        Some(format) => format,
    })
}

/// How lines are written: CSV if asked for, else in colour or not.
fn form(options: &Options) -> Form {
    if options.csv {
        Form::Csv
    } else if is_coloured(options) {
        Form::Coloured
    } else {
        Form::Text
    }
}

/// Whether text is in colour: on a terminal, unless `NO_COLOR` is set and not empty, or anywhere that `CLICOLOR_FORCE` is
/// (other than 0) or `--color always` says so.
pub(super) fn is_coloured(options: &Options) -> bool {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let forced = || set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    match options.color.as_str() {
        "always" => true,
        "never" => false,
        _ if set("NO_COLOR").is_some() => false,
        _ => forced() || (std::io::stdout().is_terminal() && set("TERM").is_none_or(|term| term != "dumb")),
    }
}

fn lines(options: &Options) -> Result<LinesQuery, Failure> {
    let format = format(options)?;
    let template = Template::parse(format).map_err(|error| Failure::of(error.drawn(format)))?;
    let (json, internal) = (options.json, options.internal);
    Ok(LinesQuery { json, internal, ..LinesQuery::of(template) })
}

/// The names of services of this machine, for `-R`.
fn services() -> Result<&'static Services, Failure> {
    const PATH: &str = "/etc/services";
    let text = std::fs::read(PATH).map_err(|error| {
        Failure::new(format!("{PATH}: {error}"), "-R takes the names of ports from there; leave it out, or install it")
    })?;
    Ok(Box::leak(Box::new(Services::parse(&String::from_utf8_lossy(&text)))))
}

/// The lines above chisels' lines; JSON has none.
pub(super) fn headers(options: &Options, questions: &[Question], out: &mut dyn Write) -> std::io::Result<()> {
    for question in questions.iter().filter(|_| !options.json) {
        if let Query::Lines(LinesQuery { header: Some(header), .. }) = &question.query {
            writeln!(out, "{header}")?;
        }
    }
    Ok(())
}

/// `-S`: the 100 most frequent events, as sysdig heads them.
fn summary() -> Result<TableQuery, Failure> {
    Ok(TableQuery {
        title: "summary".to_owned(),
        about: "How often each event occurred".to_owned(),
        keys: vec![Key { name: "Event".to_owned(), field: lookup("evt.type").map_err(Failure::of)? }],
        values: vec![Aggregate {
            name: "#Calls".to_owned(),
            unit: Unit::None,
            how: How::Count,
            field: None,
            and: Vec::new(),
            only: None,
        }],
        order: Order { column: 0, descending: true },
        top: Some(100),
    })
}

/// Facts of the question; those of the capture are filled in when it is known.
pub(super) fn context(options: &Options) -> Result<Context, Failure> {
    let time_format = match options.time.as_str() {
        "h" => TimeFormat::TimeOfDay,
        "a" => TimeFormat::Absolute,
        "r" => TimeFormat::Relative,
        "d" => TimeFormat::Delta,
        "D" => TimeFormat::DeltaPrinted,
        "u" => TimeFormat::Utc,
        other => return Err(Failure::new(format!("unknown kind of time `{other}`"), "one of: h, a, r, d, D, u")),
    };
    if options.enter && time_format == TimeFormat::DeltaPrinted {
        return Err(Failure::new("`-t D` and `--enter` exclude each other", "use -t d for how long calls took"));
    }
    let in_line = options.json || options.csv;
    let buffer = match [options.base64, options.hex, options.hex_ascii, options.ascii] {
        [true, ..] => BufferFormat::Base64,
        [_, true, ..] | [_, _, true, _] if in_line => BufferFormat::Hex,
        [_, true, ..] => BufferFormat::HexDump,
        [_, _, true, _] => BufferFormat::HexAsciiDump,
        [.., true] if !in_line => BufferFormat::Ascii,
        _ => BufferFormat::Dots,
    };
    let whole = options.verbose || options.ascii || options.base64 || options.hex || options.hex_ascii;
    let buffer_limit = if whole { usize::MAX } else { Context::default().buffer_limit };
    let ports = if options.resolve_ports { Some(services()?) } else { None };
    let places = if options.geoip.is_empty() { None } else { Some(Places::open(&options.geoip).map_err(Failure::of)?) };
    let (zone, entries, tells_unrecorded) = (options.tz, options.enter, options.verbose);
    let plain = Context::default();
    Ok(Context { zone, time_format, buffer, buffer_limit, ports, places, entries, tells_unrecorded, ..plain })
}
