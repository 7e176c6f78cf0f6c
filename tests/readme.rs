//! The sessions shown in README.md are real: each command of a `console` block is run, and says what stands there.
//!
//! `BLESS=1` writes what it says now.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs a line as a reader would, with the binary of this build as `sysreel`.
fn run(line: &str) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_sysreel")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let out = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {line}")])
        .current_dir(ROOT)
        .env("PATH", path)
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap()
}

/// The text with every block's output replaced by `output` of its command, and the number of commands.
fn rewrite(text: &str, mut output: impl FnMut(&str) -> String) -> (String, usize) {
    let (mut out, mut inside, mut commands) = (String::new(), false, 0);
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            commands += 1;
            out += &format!("{line}\n{}", output(command));
            continue;
        }
        out += line;
        out.push('\n');
    }
    (out, commands)
}

#[test]
fn the_readmes_sessions_are_real() {
    let file = Path::new(ROOT).join("README.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (fresh, commands) = rewrite(&text, run);
    assert!(commands >= 4, "no sessions found");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, fresh).unwrap();
        return;
    }
    for (shown, real) in text.lines().zip(fresh.lines()) {
        assert_eq!(shown, real, "README.md says something else than the program; BLESS=1 writes what it says now");
    }
    assert_eq!(text.lines().count(), fresh.lines().count());
}
