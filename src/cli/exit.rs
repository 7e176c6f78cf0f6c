//! How the program ends: codes and messages.

use crate::report::escape;
use std::io::{self, Write};
use std::process::ExitCode;

/// Usage or failure.
const FAILED: u8 = 2;

/// What was checked is not as it should be.
const REFUSED: u8 = 1;

/// Why a command failed, as it is shown: without `error:`, with its `help:` lines.
#[derive(Debug)]
pub(super) struct Failure {
    text: Option<String>,
    code: u8,
}

impl Failure {
    /// A message with something to do.
    pub(super) fn new(message: impl std::fmt::Display, help: impl std::fmt::Display) -> Failure {
        Failure::of(format_args!("{message}\nhelp: {help}"))
    }

    /// Any error of a lower layer.
    pub(super) fn of(error: impl std::fmt::Display) -> Failure {
        Failure { text: Some(error.to_string()), code: FAILED }
    }

    /// Whoever read our output has had enough: no failure.
    pub(super) fn silent() -> Failure {
        Failure { text: None, code: 0 }
    }

    /// A check found something, and the output says what.
    pub(super) fn verdict() -> Failure {
        Failure { text: None, code: REFUSED }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::silent(),
            _ => Failure::new(
                format!("cannot write the output: {error}"),
                "check the disk or the program behind the pipe",
            ),
        }
    }
}

/// Writes to standard error; there is nobody to tell if that fails. File names and texts of a reel are in messages,
/// so what a terminal would obey is written out.
pub(super) fn say(text: impl std::fmt::Display) {
    let _ = io::stderr().write_all(readable(&text.to_string()).as_bytes());
}

/// Lines of a message, escaped, each with its end.
fn readable(text: &str) -> String {
    text.lines().flat_map(|line| [escape(line.as_bytes()), "\n".into()]).collect()
}

/// The exit code of a command, after saying what failed.
pub(super) fn code(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { text, code }) => {
            if let Some(text) = text {
                let start = if text.starts_with("error:") { "" } else { "error: " };
                say(format_args!("{start}{text}"));
            }
            ExitCode::from(code)
        }
    }
}

/// A failure of the command line's parser in our words.
pub(super) fn usage(error: &clap::Error) -> Failure {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(s)) => Some(s.clone()),
        Some(ContextValue::Strings(all)) => all.first().cloned(),
        _ => None,
    };
    let arg = text(ContextKind::InvalidArg).unwrap_or_default();
    let help = "`sysreel --help` shows the options";
    match error.kind() {
        ErrorKind::UnknownArgument => match text(ContextKind::SuggestedArg) {
            Some(near) => Failure::new(format!("unknown option `{arg}`"), format!("did you mean `{near}`?")),
            None => Failure::new(format!("unknown option `{arg}`"), help),
        },
        ErrorKind::ArgumentConflict => {
            let other = text(ContextKind::PriorArg).unwrap_or_default();
            if arg == other {
                return Failure::new(format!("`{arg}` is given twice"), "give it once");
            }
            Failure::new(format!("`{arg}` and `{other}` exclude each other"), "give one of them")
        }
        ErrorKind::ValueValidation => {
            use std::error::Error;
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            let (why, help) = why.split_once("\nhelp: ").unwrap_or((&why, help));
            Failure::new(format!("`{arg}`: {why}"), help)
        }
        ErrorKind::InvalidValue if !arg.is_empty() => {
            Failure::new(format!("expected a value for `{arg}`, found none"), help)
        }
        // The refusal of an option of sysdig's, with its help.
        ErrorKind::Io => Failure::of(error.to_string().trim_start_matches("error: ").trim_end()),
        _ => {
            let all = error.to_string();
            let first = all.lines().next().unwrap_or_default();
            Failure::new(first.trim_start_matches("error: "), help)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn what_a_terminal_would_obey_is_written_out_in_messages_too() {
        assert_eq!(readable("a\x1b[31m: gone\nhelp: look"), "a\\x1b[31m: gone\nhelp: look\n");
    }
}
