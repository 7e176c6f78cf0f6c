//! The catalogue of fields: its reference, and that none of sysdig's and Falco's fields is forgotten.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use std::path::Path;
use std::process::Command;
use sysreel::field;

#[test]
fn the_reference_says_what_the_catalogue_says() {
    let made = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(["-l", "--markdown"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fields.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &made.stdout).unwrap();
    }
    let kept = std::fs::read(&path).unwrap();
    assert!(kept == made.stdout, "docs/fields.md is not what the catalogue says: BLESS=1 cargo test --test fields");
}

#[test]
fn each_field_of_sysdig_and_falco_is_a_field_another_name_or_told_to_be_absent() {
    let name = "each_field_of_sysdig_and_falco_is_a_field_another_name_or_told_to_be_absent";
    let Some(shared) = common::shared() else {
        common::skip(name, "no shared folder");
        return;
    };
    let fields = std::fs::read_to_string(shared.join("spec/fields.tsv")).unwrap();
    let mut forgotten = Vec::new();
    for line in fields.lines().filter(|line| !line.starts_with('#')) {
        let field = line.split('\t').nth(1).unwrap();
        let is_own = field::all().any(|own| own.name == field);
        let is_other_name = field::aliases().any(|alias| alias.name == field);
        let ways = [is_own, is_other_name, !is_own && !is_other_name && field::absent_field(field).is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            forgotten.push(field);
        }
    }
    assert!(forgotten.is_empty(), "{forgotten:?}");
}

#[test]
fn what_stands_for_a_field_or_points_to_one_names_one_that_is_there() {
    let is_there = |name: &str| field::all().any(|field| field.name == name);
    for alias in field::aliases() {
        assert!(is_there(alias.field) && !is_there(alias.name), "{alias:?}");
        let found = field::lookup(alias.name).or_else(|_| field::lookup(&format!("{}[x]", alias.name))).unwrap();
        assert_eq!((found.field.name, found.alias.unwrap().name), (alias.field, alias.name));
    }
    for absent in field::absent_fields() {
        assert!(absent.instead.is_empty() || is_there(absent.instead), "{absent:?}");
        assert!(!is_there(absent.name), "{absent:?}");
        let named = format!("{}{}", absent.name, if absent.name.ends_with('.') { "x" } else { "" });
        assert!(matches!(field::lookup(&named), Err(field::Error::Absent { .. })), "{absent:?}");
    }
}
