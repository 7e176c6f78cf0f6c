//! The rules of `ARCHITECTURE.md` that a program can check: layers, the place of `unsafe`, sizes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files.sort();
    assert!(files.len() > 50, "the sources were not found");
    files
}

/// Module → layer, from the list in `ARCHITECTURE.md`.
fn layers() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let mut layers = BTreeMap::new();
    for line in text.lines().filter(|l| l.starts_with("    ")) {
        let mut words = line.split_whitespace();
        let Some(Ok(layer)) = words.next().map(str::parse::<u32>) else { continue };
        layers.extend(words.map(|module| (module.to_owned(), layer)));
    }
    assert!(layers.contains_key("world") && layers.contains_key("cli"), "no layer list in ARCHITECTURE.md");
    layers
}

fn module(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The code before a file's unit tests; nothing of a file that holds only tests.
fn code<'a>(path: &Path, text: &'a str) -> &'a str {
    let only_tests = path.file_stem().is_some_and(|name| name == "tests" || name == "sample");
    if only_tests { "" } else { text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text) }
}

#[test]
fn every_module_uses_only_layers_above_it() {
    let layers = layers();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = module(&path);
        if matches!(from.as_str(), "lib" | "main") {
            continue;
        }
        let Some(own) = layers.get(&from) else {
            wrong.push(format!("{from} has no layer in ARCHITECTURE.md"));
            continue;
        };
        for (number, line) in code(&path, &text).lines().enumerate() {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(other) = layers.get(&used) else { continue };
                if used != from && other >= own {
                    wrong.push(format!(
                        "{}:{}: {from} (layer {own}) uses {used} (layer {other})",
                        path.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_sys_is_unsafe() {
    for (path, text) in sources() {
        if module(&path) != "sys" {
            assert!(
                !text.contains("unsafe {") && !text.contains("unsafe fn") && !text.contains("unsafe impl"),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn only_cli_prints() {
    for (path, text) in sources() {
        if !matches!(module(&path).as_str(), "cli" | "main") {
            let code = code(&path, &text);
            assert!(!code.contains("println!(") && !code.contains("eprint!("), "{}", path.display());
        }
    }
}

#[test]
fn files_and_functions_stay_small() {
    let mut lengths = Vec::new();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let code = code(&path, &text);
        let lines = code.lines().filter(|l| !l.trim().is_empty() && !l.trim().starts_with("//")).count();
        let is_table = path.components().any(|c| matches!(c.as_os_str().to_str(), Some("table" | "flags" | "field")));
        if lines > if is_table { 800 } else { 500 } {
            wrong.push(format!("{}: {lines} lines of code", path.display()));
        }
        for (name, length) in functions(code) {
            if length > 100 {
                wrong.push(format!("{}: {name} has {length} lines", path.display()));
            }
            lengths.push(length);
        }
    }
    lengths.sort_unstable();
    let p90 = lengths[lengths.len() * 9 / 10];
    assert!(p90 <= 30, "nine functions of ten should have at most 30 lines; the 90th percentile is {p90}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Names and lengths of the functions of a formatted file: from `fn` to the closing brace at its indentation.
fn functions(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let words: Vec<&str> = trimmed.split_whitespace().take_while(|w| !w.contains('(')).collect();
        let is_fn = trimmed.split('(').next().is_some_and(|head| head.split_whitespace().any(|w| w == "fn"))
            && !trimmed.starts_with("//")
            && words.len() < 6;
        // The end of a signature: a body, or (in a trait) none.
        let has_body = lines[start..].iter().find(|l| l.ends_with('{') || l.ends_with(';') || l.ends_with('}'));
        if !is_fn || !has_body.is_some_and(|l| l.ends_with('{')) {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|l| *l == close) {
            found.push((trimmed.to_owned(), length + 1));
        }
    }
    found
}
