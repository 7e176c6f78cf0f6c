//! `completions SHELL`: what a shell needs to complete command lines, and the candidates that it asks for.
//!
//! The scripts hold no list: they ask this program, so fields, events and chisels (the user's own, too) are those of the
//! program that runs.

use super::args;
use super::exit::Failure;
use super::words::{self, Wanted};
use crate::chisel::Library;
use crate::event::{KindFlags, SPECS};
use crate::field;
use crate::value::{TRANSFORMERS, Type};
use std::io::Write;

/// The word by which the scripts ask.
pub(super) const ASK: &str = "__complete";

/// A candidate and what it is.
pub(super) type Candidate = (String, String);

const BASH: &str = r#"# Completion of sysreel for bash: source <(sysreel completions bash)
_sysreel() {
    local candidate about current="${COMP_WORDS[COMP_CWORD]}"
    local -a words=("${COMP_WORDS[@]:0:COMP_CWORD}")
    # bash takes an operator for a word of its own, and what stands behind it for the next one.
    case "$current" in
        '=' | '<' | '>' | ':') words+=("$current") current= ;;
    esac
    COMPREPLY=()
    while IFS=$'\t' read -r candidate about; do
        COMPREPLY+=("$candidate")
    done < <("${COMP_WORDS[0]}" __complete "${words[@]}" "$current" 2>/dev/null)
    case "$current" in
        \'* | \"*) compopt -o nospace 2>/dev/null ;;
    esac
    return 0
}
complete -o default -F _sysreel sysreel
"#;

const ZSH: &str = r#"#compdef sysreel
# Completion of sysreel for zsh: source <(sysreel completions zsh), or a file _sysreel in $fpath
_sysreel() {
    local line
    local -a candidates abouts
    for line in "${(@f)$("${words[1]}" __complete "${(@)words[1,CURRENT]}" 2>/dev/null)}"; do
        [[ -n "$line" ]] || continue
        candidates+=("${line%%$'\t'*}")
        abouts+=("${line%%$'\t'*}  ${line#*$'\t'}")
    done
    if (( ${#candidates} )); then
        compadd -l -d abouts -a candidates
    else
        _files
    fi
}
(( ${+functions[compdef]} )) && compdef _sysreel sysreel
"#;

const FISH: &str = r"# Completion of sysreel for fish: sysreel completions fish | source
function __sysreel_complete
    set -l words (commandline -opc)
    set -l candidates ($words[1] __complete $words (commandline -ct) 2>/dev/null)
    if test (count $candidates) -gt 0
        printf '%s\n' $candidates
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c sysreel -f -a '(__sysreel_complete)'
";

/// The script of a shell.
pub(super) fn script(words: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let script = match words.first().map(String::as_str) {
        Some("bash") => BASH,
        Some("zsh") => ZSH,
        Some("fish") => FISH,
        Some(other) => return Err(Failure::new(format!("no completions for `{other}`"), "one of: bash, zsh, fish")),
        None => return Err(Failure::new("expected a shell, found none", "one of: bash, zsh, fish")),
    };
    Ok(out.write_all(script.as_bytes())?)
}

/// Writes the candidates for the last of the words of a command line, the program's name first: each on a line, a tab
/// between it and what it is. None means a file.
pub(super) fn answer(words: &[String], library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    for (candidate, about) in candidates(words, library) {
        let about: String = about.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        writeln!(out, "{candidate}\t{about}")?;
    }
    Ok(())
}

/// What the last word may become.
fn candidates(words: &[String], library: &Library) -> Vec<Candidate> {
    let Some((current, before)) = words.get(1..).and_then(<[String]>::split_last) else { return Vec::new() };
    let place = words::place(current, before, library);
    let all = match &place.wanted {
        Wanted::Nothing => Vec::new(),
        Wanted::Options => options(&place.token),
        Wanted::Chisels => chisels(library),
        Wanted::Classes => named(field::all().map(field::Field::class)),
        Wanted::Categories => named(SPECS.iter().map(|spec| spec.category.word())),
        Wanted::Words(of) => of.iter().map(|(word, about)| ((*word).to_owned(), (*about).to_owned())).collect(),
        Wanted::Format => format(),
        Wanted::Fields => fields(),
        Wanted::Start => [fields(), subcommands(), transformers("("), words_of(&[("not", "the opposite")])].concat(),
        Wanted::Field => [fields(), transformers("("), words_of(&[("not", "the opposite"), ("(", "a part")])].concat(),
        Wanted::Operators(ty) => operators(*ty),
        Wanted::Values(field) => values(field),
        Wanted::Connectives => words_of(&[("and", "both hold"), ("or", "one holds")]),
    };
    let fits = all.into_iter().filter(|(word, _)| word.starts_with(&place.token));
    fits.map(|(word, about)| (format!("{}{word}", place.prefix), about)).collect()
}

fn words_of(words: &[(&str, &str)]) -> Vec<Candidate> {
    words.iter().map(|&(word, about)| (word.to_owned(), about.to_owned())).collect()
}

/// Names, ascending, each once.
fn named<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Candidate> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| (name.to_owned(), String::new())).collect()
}

fn options(token: &str) -> Vec<Candidate> {
    let command = args::command();
    let mut all = Vec::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
        all.extend(arg.get_long().map(|long| (format!("--{long}"), about.clone())));
        if !token.starts_with("--") {
            all.extend(arg.get_short().map(|short| (format!("-{short}"), about)));
        }
    }
    all.sort();
    all
}

fn subcommands() -> Vec<Candidate> {
    super::run::KNOWN.iter().map(|name| ((*name).to_owned(), "subcommand".to_owned())).collect()
}

fn chisels(library: &Library) -> Vec<Candidate> {
    library.all().into_iter().flatten().map(|chisel| (chisel.name, chisel.about)).collect()
}

fn fields() -> Vec<Candidate> {
    field::all().map(|field| (field.name.to_owned(), field.doc.to_owned())).collect()
}

fn transformers(behind: &str) -> Vec<Candidate> {
    TRANSFORMERS.iter().map(|t| (format!("{}{behind}", t.name), t.doc.to_owned())).collect()
}

/// What can stand behind a `%`, and the letters of `-p`.
fn format() -> Vec<Candidate> {
    [fields(), transformers("(")].concat()
}

fn operators(ty: Option<Type>) -> Vec<Candidate> {
    let fits = crate::filter::OPERATORS.iter().filter(|operator| ty.is_none_or(|ty| operator.allows(ty)));
    fits.map(|operator| (operator.name.to_owned(), operator.doc.to_owned())).collect()
}

/// Values of a field, where there is a list of them.
fn values(name: &str) -> Vec<Candidate> {
    let shown = || SPECS.iter().filter(|spec| !spec.flags.has(KindFlags::SNAPSHOT));
    match name {
        "evt.type" => named(shown().map(|spec| spec.name)),
        "syscall.type" => named(shown().filter(|spec| spec.flags.has(KindFlags::CALL)).map(|spec| spec.name)),
        name => match field::lookup(name) {
            Ok(field) if field.ty == Type::Bool => words_of(&[("true", ""), ("false", "")]),
            Ok(field) => named(crate::filter::values_of(&field).unwrap_or_default().into_iter()),
            Err(_) => Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &[&str]) -> Vec<String> {
        let words: Vec<String> = std::iter::once("sysreel").chain(line.iter().copied()).map(str::to_owned).collect();
        candidates(&words, &Library::default()).into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn every_place_of_a_command_line_has_its_candidates() {
        for (line, want) in [
            (&["--chisel-i"][..], "--chisel-info"),
            (&["-c", "topprocs_f"], "topprocs_file"),
            (&["-i", "netst"], "netstat"),
            (&["-c", "fdbytes_by", "fd.na"], "fd.name"),
            (&["-r", "x.reel", "proc.na"], "proc.name"),
            (&["-r", "x.reel", "proc.name", "conta"], "contains"),
            (&["-r", "x.reel", "evt.type", "=", "openat"], "openat2"),
            (&["-r", "x.reel", "evt.type=openat"], "evt.type=openat2"),
            (&["-r", "x.reel", "evt.type in (open, opena"], "evt.type in (open, openat"),
            (&["-r", "x.reel", "'evt.type = open and proc.na"], "evt.type = open and proc.name"),
            (&["-r", "x.reel", "evt.type", "=", "open", "an"], "and"),
            (&["-r", "x.reel", "evt.failed", "=", "t"], "true"),
            (&["-r", "x.reel", "evt.category", "=", "m"], "memory"),
            (&["-r", "x.reel", "fd.type", "=", "un"], "unix"),
            (&["-p", "%evt.num %proc.na"], "%evt.num %proc.name"),
            (&["-p", "*%20proc.na"], "*%20proc.name"),
            (&["-p", "%toup"], "%toupper("),
            (&["-p", "%toupper(proc.na"], "%toupper(proc.name"),
            (&["-l", "pro"], "proc"),
            (&["-L", "mem"], "memory"),
            (&["-t", ""], "u"),
            (&["--color", "al"], "always"),
            (&["completions", "z"], "zsh"),
            (&["veri"], "verify"),
            (&["help", "fil"], "filter"),
        ] {
            assert!(said(line).iter().any(|word| word == want), "{line:?}: {:?}", said(line));
        }
    }

    #[test]
    fn files_are_left_to_the_shell() {
        for line in [&["-r", ""][..], &["-w", "x"], &["info", "x"], &["-r", "x.reel", "--", "l"], &["-n", ""], &[]] {
            assert!(said(line).is_empty(), "{line:?}");
        }
    }
}
