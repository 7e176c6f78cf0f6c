//! `--help`, `help TOPIC` and `man`: the options, the most used of them first, and the languages.

use super::exit::Failure;
use super::{args, manual, words};
use crate::chisel::Library;
use std::io::Write;

/// What `--help` shows; `help all` has the rest.
const SHORT: &[&str] = &[
    "write",
    "read",
    "chisel",
    "follow",
    "info",
    "list",
    "list_events",
    "print",
    "json",
    "csv",
    "quiet",
    "time",
    "ascii",
    "hex_ascii",
    "summary",
    "verbose",
    "tz",
    "enter",
    "count",
    "from",
    "to",
    "at",
    "stop-after",
    "snaplen",
    "ptrace",
    "words",
    "command",
    "version",
    "help",
];

/// What is said below all options.
const ALL: &str = "`sysreel help` is the short form of this, `sysreel man` the manual.";

/// The most used options with examples.
pub(super) fn short(out: &mut dyn Write) -> Result<(), Failure> {
    let hide = |arg: clap::Arg| if SHORT.contains(&arg.get_id().as_str()) { arg } else { arg.hide(true) };
    Ok(write!(out, "{}", args::command().mut_args(hide).render_help())?)
}

/// What stands behind `help`.
pub(super) fn help(words: &[String], library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    match words.first().map(String::as_str) {
        None => short(out),
        Some("all") => Ok(write!(out, "{}", args::command().after_help(ALL).render_help())?),
        Some(topic) => {
            let sections = manual::sections(library);
            let Some(section) = sections.iter().find(|section| section.topic == topic) else {
                let topics: Vec<&str> = words::TOPICS.iter().map(|(topic, _)| *topic).collect();
                let help = format!("one of: {}", topics.join(", "));
                return Err(Failure::new(format!("no help about `{topic}`"), help));
            };
            Ok(out.write_all(manual::plain(section).as_bytes())?)
        }
    }
}

/// The manual page: sysreel(1), in the language of man(7).
pub(super) fn man(library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    let page = clap_mangen::Man::new(args::command()).title("SYSREEL").section("1");
    let mut text = Vec::new();
    page.render(&mut text)?;
    out.write_all(&text)?;
    Ok(out.write_all(manual::roff(&manual::sections(library)).as_bytes())?)
}
