//! `audit policy`: what an API server makes of a policy file, what a change of it saves or loses, and which chisels can find
//! anything under it.

use super::args::Options;
use super::exit::{Failure, say};
use super::info::text;
use super::progress::Imports;
use super::replay::render;
use crate::chisel::Library;
use crate::engine::{Reels, Volume, volumes};
use crate::field::FieldRef;
use crate::policy::{Grade, PolicyFile, PolicyLevel, Verdict, cover, samples};
use crate::report::{Cell, Column, Report, Table, Unit};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Runs `audit policy check FILE`, `test FILE LOG…` or `coverage FILE`.
pub(super) fn policy(
    options: &Options,
    words: &[String],
    library: &Library,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["check", path] => check(options, Path::new(path), out),
        ["test", path, logs @ ..] if !logs.is_empty() => {
            test(options, Path::new(path), &logs.iter().map(PathBuf::from).collect::<Vec<_>>(), out)
        }
        ["coverage", path] => coverage(options, Path::new(path), library, out),
        [word @ ("check" | "coverage"), ..] => Err(Failure::new(
            format!("expected one policy file with `audit policy {word}`, found {}", words.len() - 1),
            format!("such as `sysreel audit policy {word} policy.yaml`"),
        )),
        ["test", ..] => Err(Failure::new(
            "expected a policy file and a log with `audit policy test`, found less",
            "such as `sysreel audit policy test policy.yaml audit.log`; reels and folders do too",
        )),
        _ => Err(Failure::new(
            format!(
                "expected check, test or coverage behind `audit policy`, found {}",
                words.first().unwrap_or(&"nothing")
            ),
            "`audit policy check FILE`, `audit policy test FILE LOG`, `audit policy coverage FILE`",
        )),
    }
}

fn read(path: &Path) -> Result<PolicyFile, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display()), "check that the file exists and may be read")
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::new(format!("{}: expected UTF-8, found other bytes", path.display()), "a policy is a YAML file")
    })?;
    Ok(PolicyFile::parse(&text))
}

/// The policy of a file that the API server takes; what it says otherwise than it looks is told.
fn valid(path: &Path) -> Result<PolicyFile, Failure> {
    let file = read(path)?;
    for finding in file.findings.iter().filter(|finding| finding.grade != Grade::Note) {
        let (line, column) = (finding.line, finding.column);
        say(format_args!("{}: {}:{line}:{column}: {}", finding.grade.name(), path.display(), finding.text));
    }
    if file.is_valid() {
        return Ok(file);
    }
    let what = format!("{}: expected a policy that the API server takes, found errors", path.display());
    Err(Failure::new(what, "`sysreel audit policy check FILE` lists them"))
}

fn report(about: &str, tables: Vec<Table>, notes: Vec<String>) -> Report {
    Report { title: "policy".to_owned(), about: about.to_owned(), tables, pictures: Vec::new(), notes }
}

fn check(options: &Options, path: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let file = read(path)?;
    let number = |name: &str| Column::number(name, Unit::None);
    let columns = vec![number("LINE"), number("COLUMN"), Column::text("GRADE"), Column::text("WHAT")];
    let mut findings = Table { title: "findings".to_owned(), columns, rows: Vec::new() };
    for finding in &file.findings {
        let place = [finding.line, finding.column].map(|n| Cell::Uint(n as u64));
        findings.rows.push(place.into_iter().chain([text(finding.grade.name()), text(&*finding.text)]).collect());
    }
    let columns =
        vec![Column::text("REQUEST"), Column::text("LEVEL"), number("LINE"), Column::text("STAGES THAT ARE OMITTED")];
    let mut logged = Table { title: "what is logged".to_owned(), columns, rows: Vec::new() };
    for (what, request) in samples().into_iter().filter(|_| file.is_valid()) {
        let rule = file.policy.rule_of(&request).map(|n| &file.policy.rules[n]);
        let omitted = |rule: &crate::policy::PolicyRule| {
            let stages = crate::policy::STAGES.iter().filter(|stage| file.policy.is_omitted(rule, stage));
            stages.copied().collect::<Vec<_>>().join(", ")
        };
        logged.rows.push(vec![
            text(what),
            text(rule.map_or(PolicyLevel::None, |rule| rule.level).name()),
            rule.map_or(Cell::Missing, |rule| Cell::Uint(rule.line as u64)),
            rule.map(omitted).filter(|stages| !stages.is_empty()).map_or(Cell::Missing, text),
        ]);
    }
    let mut tables = vec![findings, logged];
    tables.retain(|table| !table.rows.is_empty());
    let valid = if file.is_valid() { "the API server takes it" } else { "the API server does not start with it" };
    let notes = vec![format!("{}: {} rules; {valid}", path.display(), file.policy.rules.len())];
    out.write_all(render(options, &report("A policy as the API server takes it", tables, notes)).as_bytes())?;
    if file.is_valid() { Ok(()) } else { Err(Failure::verdict()) }
}

fn test(options: &Options, path: &Path, logs: &[PathBuf], out: &mut dyn Write) -> Result<(), Failure> {
    let file = valid(path)?;
    let mut imports = Imports::new(options);
    let opened = Reels::open_telling(logs, &mut |path, read, all| imports.tell(path, read, all));
    imports.end();
    let reels = opened.map_err(|(path, error)| super::info::failed(&path, &error))?;
    for note in reels.notes() {
        say(format_args!("warning: {note}"));
    }
    let found = volumes(&reels, &file.policy);
    for damaged in &found.damaged {
        say(format_args!("warning: {}", damaged.lines().next().unwrap_or_default()));
    }
    let number = |name: &str| Column::number(name, Unit::None);
    let bytes = |name: &str| Column::number(name, Unit::Bytes);
    let columns = vec![
        number("LINE"),
        Column::text("LEVEL"),
        Column::text("ABOUT"),
        number("EVENTS"),
        bytes("BYTES"),
        number("LOGGED"),
        bytes("BYTES THEN"),
        bytes("SAVED"),
        number("OTHERWISE"),
    ];
    let mut table = Table { title: "rules".to_owned(), columns, rows: Vec::new() };
    let mut sum = Volume::default();
    for (rule, volume) in file.policy.rules.iter().zip(&found.rules) {
        table.rows.push(row(Some(rule.line), rule.level.name(), &rule.about(), volume));
        add(&mut sum, volume);
    }
    table.rows.push(row(None, "None", "no rule", &found.none));
    add(&mut sum, &found.none);
    table.rows.push(row(None, "", "all", &sum));
    let mut notes =
        vec!["a log has what its own policy let through: what that left out is not counted here".to_owned()];
    if sum.more > 0 {
        let count = sum.more;
        notes.push(format!(
            "{count} events would be logged with bodies that the log does not have: their size is not known"
        ));
    }
    if found.legacy > 0 {
        notes.push(format!(
            "{} events of the old one-line form do not say what they are about and are not counted",
            found.legacy
        ));
    }
    let report = report("What a policy logs of what a log holds, by rule", vec![table], notes);
    Ok(out.write_all(render(options, &report).as_bytes())?)
}

fn add(sum: &mut Volume, of: &Volume) {
    sum.events += of.events;
    sum.bytes += of.bytes;
    sum.kept += of.kept;
    sum.kept_bytes += of.kept_bytes;
    sum.more += of.more;
    sum.differ += of.differ;
}

fn row(line: Option<usize>, level: &str, about: &str, volume: &Volume) -> Vec<Cell> {
    vec![
        line.map_or(Cell::Missing, |line| Cell::Uint(line as u64)),
        text(level),
        text(about),
        Cell::Uint(volume.events),
        Cell::Uint(volume.bytes),
        Cell::Uint(volume.kept),
        Cell::Uint(volume.kept_bytes),
        Cell::Uint(volume.bytes.saturating_sub(volume.kept_bytes)),
        Cell::Uint(volume.differ),
    ]
}

fn coverage(options: &Options, path: &Path, library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    let file = valid(path)?;
    let columns = vec![Column::text("CHISEL"), Column::text("ANSWERS"), Column::text("WHY NOT")];
    let mut table = Table { title: "chisels".to_owned(), columns, rows: Vec::new() };
    let columns = ["CHISEL", "MISSING", "WHAT"].map(Column::text).to_vec();
    let mut missing = Table { title: "what is missing".to_owned(), columns, rows: Vec::new() };
    let mut counts = [0usize; 3];
    for chisel in library.all().into_iter().flatten() {
        let Ok(prepared) = chisel.sampled() else { continue };
        let mut fields: Vec<FieldRef> = Vec::new();
        prepared.query.for_each_field(&mut |field| fields.push(field.clone()));
        let shown: Vec<&FieldRef> = fields.iter().collect();
        let Some(found) = cover(&file.policy, prepared.filter.as_ref(), &shown) else { continue };
        counts[found.verdict as usize] += 1;
        let why = if found.why.is_empty() { Cell::Missing } else { text(found.why.join("; ")) };
        table.rows.push(vec![text(&*chisel.name), text(found.verdict.name()), why]);
        for (how, all) in [("never found", &found.dead), ("always empty", &found.empty)] {
            missing.rows.extend(all.iter().map(|what| vec![text(&*chisel.name), text(how), text(&**what)]));
        }
    }
    let mut tables = vec![table, missing];
    tables.retain(|table| !table.rows.is_empty());
    let [never, part, whole] =
        [Verdict::Never, Verdict::InPart, Verdict::Whole].map(|verdict| counts[verdict as usize]);
    let notes = vec![format!("{whole} chisels can answer, {part} in part, {never} never, under {}", path.display())];
    let report = report("Which chisels can find anything under a policy, and why others cannot", tables, notes);
    Ok(out.write_all(render(options, &report).as_bytes())?)
}
