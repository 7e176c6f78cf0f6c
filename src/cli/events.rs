//! `-L`: what can happen, with parameters and their types.

use super::args::Options;
use super::exit::Failure;
use crate::event::{Category, KindFlags, ParamType, SPECS, Spec};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;

/// Columns of a line, where the parameters of an event are broken.
const WIDTH: usize = 120;

/// The events that a word chooses: those of a category, else those that have it in their name, in a parameter's or in
/// that of a flag table.
pub(super) fn list(options: &Options, word: &str, out: &mut dyn Write) -> Result<(), Failure> {
    // `-Lv`, and `-L` in front of a word that is taken as a filter.
    let verbose = options.verbose || word == "v";
    let word = if matches!(word, "" | "v") { options.words.first().map_or("", String::as_str) } else { word };
    let shown = |spec: &&Spec| !spec.flags.has(KindFlags::SNAPSHOT);
    let of_category = |spec: &&Spec| spec.category.word() == word;
    let mut chosen: Vec<&Spec> = SPECS.iter().filter(shown).filter(of_category).collect();
    if chosen.is_empty() {
        chosen = SPECS.iter().filter(shown).filter(|s| mentions(s, word)).collect();
    }
    if chosen.is_empty() {
        let mut all: Vec<&str> = SPECS.iter().filter(shown).map(|s| s.category.word()).collect();
        all.sort_unstable();
        all.dedup();
        let help = format!("a part of a name, or a category: {}", all.join(", "));
        return Err(Failure::new(format!("no event has `{word}` in its name, parameters or flags"), help));
    }
    if options.json {
        return as_json(&chosen, out);
    }
    let mut groups: BTreeMap<(bool, &str), Vec<&Spec>> = BTreeMap::new();
    for spec in chosen {
        groups.entry((!spec.flags.has(KindFlags::CALL), spec.category.word())).or_default().push(spec);
    }
    for (n, ((is_other, category), mut specs)) in groups.into_iter().enumerate() {
        specs.sort_by_key(|spec| spec.name);
        let what = if is_other { "Other events" } else { "System calls" };
        writeln!(out, "{}{what}, category {category}:", if n > 0 { "\n" } else { "" })?;
        for spec in specs {
            event(out, spec, verbose)?;
        }
    }
    Ok(())
}

fn mentions(spec: &Spec, word: &str) -> bool {
    let params = spec.params.iter().map(|p| p.name).chain(spec.ret.iter().map(|r| r.name));
    let tables = spec.params.iter().filter_map(|p| p.table).map(|t| t.name);
    spec.name.contains(word) || params.chain(tables).any(|name| name == word)
}

/// `  name(TYPE name, …)`, broken between parameters.
fn event(out: &mut dyn Write, spec: &Spec, verbose: bool) -> Result<(), Failure> {
    let ret = spec.ret.iter().map(|r| format!("{} {}", type_name(r.ty), r.name));
    let params = spec.params.iter().map(|p| match p.table {
        Some(table) => format!("{}:{} {}", type_name(p.ty), table.name, p.name),
        None => format!("{} {}", type_name(p.ty), p.name),
    });
    let mut line = format!("  {}(", spec.name);
    let indent = " ".repeat(6);
    for (n, param) in ret.chain(params).enumerate() {
        if n > 0 {
            line.push(',');
        }
        if line.rsplit('\n').next().map_or(0, str::len) + param.len() + 2 > WIDTH {
            line.push('\n');
            line.push_str(&indent);
        } else if n > 0 {
            line.push(' ');
        }
        line.push_str(&param);
    }
    line.push(')');
    if spec.flags.has(KindFlags::INTERNAL) || spec.category == Category::Internal {
        line.push_str("   [shown with -D]");
    }
    writeln!(out, "{line}")?;
    if verbose {
        if let Some(numbers) = numbers(spec) {
            writeln!(out, "{indent}number: {numbers}")?;
        }
        for param in spec.params {
            if let Some(table) = param.table {
                let names: Vec<&str> = table.values.iter().map(|(name, _)| *name).collect();
                writeln!(out, "{indent}{}: {}", param.name, names.join(" "))?;
            }
        }
    }
    Ok(())
}

fn numbers(spec: &Spec) -> Option<String> {
    let one = |arch: &str, nr: Option<u16>| nr.map(|nr| format!("{nr} on {arch}"));
    let all: Vec<String> = [one("x86-64", spec.x86_64), one("arm64", spec.arm64)].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn as_json(chosen: &[&Spec], out: &mut dyn Write) -> Result<(), Failure> {
    let param = |name: &str, ty: ParamType, table: Option<&'static crate::event::FlagTable>| {
        let values = table
            .map(|t| t.values.iter().map(|&(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>());
        json!({"name": name, "type": type_name(ty), "table": table.map(|t| t.name), "values": values})
    };
    let of = |spec: &&Spec| {
        json!({
            "name": spec.name,
            "category": spec.category.word(),
            "is_call": spec.flags.has(KindFlags::CALL),
            "x86_64": spec.x86_64,
            "arm64": spec.arm64,
            "returns": spec.ret.map(|r| param(r.name, r.ty, None)),
            "params": spec.params.iter().map(|p| param(p.name, p.ty, p.table)).collect::<Vec<Value>>(),
        })
    };
    let all: Vec<Value> = chosen.iter().map(of).collect();
    Ok(writeln!(out, "{}", Value::Array(all))?)
}

/// sysdig's name for a parameter's type.
fn type_name(ty: ParamType) -> &'static str {
    match ty {
        ParamType::Int => "INT64",
        ParamType::Uint => "UINT64",
        ParamType::Hex => "HEX",
        ParamType::Oct => "OCT",
        ParamType::Errno => "ERRNO",
        ParamType::Fd => "FD",
        ParamType::Pid => "PID",
        ParamType::Uid => "UID",
        ParamType::Gid => "GID",
        ParamType::Signal => "SIGTYPE",
        ParamType::Flags => "FLAGS",
        ParamType::Enum => "ENUMFLAGS",
        ParamType::Mode => "MODE",
        ParamType::Duration => "RELTIME",
        ParamType::Time => "ABSTIME",
        ParamType::Text => "CHARBUF",
        ParamType::Path => "FSPATH",
        ParamType::RelPath => "FSRELPATH",
        ParamType::Bytes => "BYTEBUF",
        ParamType::TextList => "CHARBUFARRAY",
        ParamType::SockAddr => "SOCKADDR",
        ParamType::Tuple => "SOCKTUPLE",
        ParamType::FdList => "FDLIST",
        ParamType::FileList => "FILELIST",
        ParamType::FdSet => "FDSET",
        ParamType::OptionValue => "DYN",
        ParamType::Bool => "BOOL",
        ParamType::Json => "JSON",
    }
}
