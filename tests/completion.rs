//! Completion in the shells themselves; without a shell its test is skipped by name.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

use std::path::Path;
use std::process::Command;

/// What a shell says to a script, with the program in its path; `None` where there is no such shell.
fn shell(name: &str, flags: &[&str], script: &str) -> Option<String> {
    if Command::new(name).arg("--version").output().is_err() {
        println!("skipped: completion in {name}: it is not installed");
        return None;
    }
    let program = Path::new(env!("CARGO_BIN_EXE_sysreel")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(name);
    command.args(flags).args(["-c", script]).env("PATH", path).env("HOME", home.path());
    let done =
        command.env_remove("SYSREEL_CHISEL_DIR").env_remove("SYSDIG_CHISEL_DIR").current_dir(home.path()).output();
    let done = done.unwrap();
    let (out, err) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8_lossy(&done.stderr).into_owned());
    assert!(done.status.success() && err.is_empty(), "{name}: {out}{err}");
    Some(out)
}

#[test]
fn bash_completes_options_fields_events_and_chisels() {
    // Words as bash takes a line apart: an operator is one of its own.
    let cases = [
        ("sysreel --list-ev", "--list-events"),
        ("sysreel -c topprocs_f", "topprocs_file"),
        ("sysreel -c fdbytes_by fd.na", "fd.name"),
        ("sysreel -r x.reel proc.na", "proc.name"),
        ("sysreel -r x.reel evt.type = openat", "openat2"),
        ("sysreel -r x.reel proc.name conta", "contains"),
        ("sysreel -p %evt.num%proc.na", "%evt.num%proc.name"),
        ("sysreel completions z", "zsh"),
    ];
    for (line, want) in cases {
        let count = line.split(' ').count();
        let script = format!(
            "source <(sysreel completions bash)\ncomplete -p sysreel >/dev/null || exit 1\nCOMP_WORDS=({line}); COMP_CWORD={}\n_sysreel\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
            count - 1
        );
        let Some(said) = shell("bash", &["--norc"], &script) else { return };
        assert!(said.lines().any(|line| line == want), "{line}: {said}");
    }
}

#[test]
fn bash_goes_on_behind_an_operator_and_in_quotes() {
    for (words, at, want) in [
        ("sysreel -r x.reel evt.failed =", 4, "true"),
        ("sysreel -r x.reel \"'evt.type = open and proc.na\"", 3, "evt.type = open and proc.name"),
    ] {
        let script = format!(
            "source <(sysreel completions bash)\nCOMP_WORDS=({words}); COMP_CWORD={at}\n_sysreel\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let Some(said) = shell("bash", &["--norc"], &script) else { return };
        assert!(said.lines().any(|line| line == want), "{words}: {said}");
    }
}

#[test]
fn fish_completes_what_it_asks_for() {
    for (line, want) in [("sysreel -c topprocs_f", "topprocs_file"), ("sysreel -r x.reel proc.na", "proc.name")] {
        let script = format!("sysreel completions fish | source; complete -C '{line}'");
        let Some(said) = shell("fish", &["--no-config"], &script) else { return };
        assert!(said.lines().any(|line| line.split('\t').next() == Some(want)), "{line}: {said}");
    }
}

#[test]
fn zsh_reads_its_script_and_asks() {
    // What zle would do with the candidates stands in for it.
    let script = "compadd() { print -l -- $candidates }\n_files() { print files }\nsource <(sysreel completions zsh)\n\
                  words=(sysreel -c topprocs_f); CURRENT=3; _sysreel\nwords=(sysreel -r ''); CURRENT=3; _sysreel";
    let Some(said) = shell("zsh", &["-f"], script) else { return };
    assert!(said.lines().any(|line| line == "topprocs_file") && said.lines().last() == Some("files"), "{said}");
}
