//! sysdig's options that make no sense here: each says why, and what to use instead.

use clap::{Arg, ArgAction, ArgMatches, Command};

/// An option that is known and refused.
struct Refused {
    letter: Option<char>,
    long: &'static str,
    /// Whether a value follows.
    takes_value: bool,
    why: &'static str,
    instead: &'static str,
}

const fn no(letter: char, long: &'static str, takes_value: bool, why: &'static str, instead: &'static str) -> Refused {
    Refused { letter: Some(letter), long, takes_value, why, instead }
}

const fn long(long: &'static str, takes_value: bool, why: &'static str, instead: &'static str) -> Refused {
    Refused { letter: None, long, takes_value, why, instead }
}

const ONE_PROBE: &str = "there is one probe, and it is part of the program";
const CHOOSE: &str = "leave it out; --ptrace records a command where BPF is missing";
const NO_PLUGINS: &str = "plugins of sysdig are not loaded";
const OWN: &str = "record what the kernel does with -w, or read a file with -r";
const NO_API: &str =
    "what a recording says of containers comes from their events and control groups, not from an API server";
const PODS: &str = "-pk and the fields k8s.* show what is known of pods";
const RUNTIME: &str = "container runtimes are not asked";
const ALWAYS: &str = "leave it out";

const REFUSED: &[Refused] = &[
    no(
        'F',
        "fatfile",
        false,
        "every recording has the state that its events need, also of what a filter leaves out",
        ALWAYS,
    ),
    no(
        'E',
        "exclude-users",
        false,
        "a recording has the names of users that its events are about",
        "record with a filter that leaves out what shall not be known, such as user.uid != 0",
    ),
    no('B', "bpf", false, ONE_PROBE, CHOOSE),
    no('H', "plugin", true, NO_PLUGINS, OWN),
    no('I', "input", true, NO_PLUGINS, OWN),
    no('k', "k8s-api", true, NO_API, PODS),
    no('K', "k8s-api-cert", true, NO_API, PODS),
    no('N', "node-name", true, NO_API, PODS),
    no('m', "mesos-api", true, "Mesos is not asked", PODS),
    no(
        'T',
        "force-tracers-capture",
        false,
        "tracers (writes to /dev/null) have no meaning of their own",
        "filter by fd.name = /dev/null",
    ),
    no('u', "udig", false, ONE_PROBE, CHOOSE),
    no('g', "gvisor-generate-config", true, "gVisor is no source of events", OWN),
    long("gvisor-root", true, "gVisor is no source of events", OWN),
    long("modern-bpf", false, ONE_PROBE, CHOOSE),
    long(
        "cpus-for-each-buffer",
        true,
        "rings are not shared out by processors",
        "--ring sets the memory of all of them",
    ),
    long("cri", true, RUNTIME, "the fields container.* show what the recording knows"),
    long("cri-timeout", true, RUNTIME, ALWAYS),
    long("filter-proclist", false, "a recording with a filter has only the processes that it is about", ALWAYS),
    long("large-environment", false, "an exec keeps 32 KiB of arguments and 16 KiB of environment", ALWAYS),
    long("libs-version", false, "sysreel is not made of Falco's libraries", "--version is sysreel's"),
    long("list-markdown", false, "the list of fields is Markdown with another option", "use -l --markdown"),
    long("log-level", true, "there is no log beside what standard error says", "-v says more"),
    long(
        "page-faults",
        false,
        "page faults are no events of their own",
        "thread.pfmajor and thread.pfminor count them, --switches shows where",
    ),
    long("plugin-info", true, NO_PLUGINS, ALWAYS),
    long("plugin-config-file", true, NO_PLUGINS, ALWAYS),
];

/// Adds the options, hidden.
pub(super) fn add(command: Command) -> Command {
    REFUSED.iter().fold(command, |command, option| {
        let action = if option.takes_value { ArgAction::Set } else { ArgAction::SetTrue };
        let mut arg = Arg::new(option.long).long(option.long).help(option.why).hide(true).action(action);
        if option.takes_value {
            // `-N` alone says as much as `-N NAME`.
            arg = arg.num_args(0..=1).default_missing_value("");
        }
        command.arg(if let Some(letter) = option.letter { arg.short(letter) } else { arg })
    })
}

/// The refusal of the first of them that was given.
pub(super) fn check(matches: &ArgMatches) -> Result<(), clap::Error> {
    let is_given = |option: &&Refused| {
        if option.takes_value { matches.contains_id(option.long) } else { matches.get_flag(option.long) }
    };
    match REFUSED.iter().find(is_given) {
        None => Ok(()),
        Some(option) => Err(clap::Error::raw(clap::error::ErrorKind::Io, told(option))),
    }
}

fn told(option: &Refused) -> String {
    let name =
        option.letter.map_or_else(|| format!("--{}", option.long), |letter| format!("-{letter} (--{})", option.long));
    format!("no {name} here: {}\nhelp: {}", option.why, option.instead)
}

/// What is said of an option given as `-F` or `--fatfile`, if it is one of them.
#[cfg(test)]
fn said(word: &str) -> Option<String> {
    let name = |option: &&Refused| {
        word.strip_prefix("--") == Some(option.long) || option.letter.is_some_and(|letter| word == format!("-{letter}"))
    };
    REFUSED.iter().find(name).map(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse;

    #[test]
    fn what_sysdig_has_and_this_does_not_says_why_and_what_to_use() {
        for word in ["-F", "-E", "-B", "-H", "-I", "-k", "-K", "-N", "-m", "-T", "-u", "-g", "--modern-bpf", "--cri"] {
            let error = parse(["sysreel", "-r", "x.reel", word].map(Into::into)).unwrap_err();
            assert_eq!(error.to_string().trim_start_matches("error: ").trim_end(), said(word).unwrap(), "{word}");
            assert!(said(word).unwrap().contains("\nhelp: "), "{word}");
        }
    }

    #[test]
    fn every_letter_of_sysdig_is_known() {
        let letters = "AbxXjBcCGeWdDEFhHkKmNilLMnPpqRrSstTUuvwzgIV";
        let command = crate::cli::args::command();
        for letter in letters.chars().filter(|&c| c != 'h') {
            assert!(command.get_arguments().any(|arg| arg.get_short() == Some(letter)), "-{letter}");
        }
    }
}
