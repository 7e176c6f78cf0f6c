//! `chisel new`, `chisel check`, `chisel test`: chisels of the user's own.

use super::args::{Options, parse};
use super::exit::{Failure, say};
use super::replay;
use crate::chisel::{Chisel, Example, Library};
use crate::report::escape;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What `chisel new` writes; `NAME` stands for the name.
const TEMPLATE: &str = include_str!("chisel_new.toml");

/// The subcommand with what is behind it.
pub(super) fn chisel(options: &Options, library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    let usage = "`sysreel chisel new NAME`, `sysreel chisel check FILE…`, `sysreel chisel test FILE…`";
    let rest = options.words.get(2..).unwrap_or_default();
    match (options.words.get(1).map(String::as_str), rest) {
        (Some("new"), [name]) => new(options, name, out),
        (Some("new"), _) => Err(Failure::new(format!("expected one name, found {}", rest.len()), usage)),
        (Some("check" | "test"), []) => Err(Failure::new("expected a chisel, found nothing", usage)),
        (Some("check"), names) => check(library, names, out),
        (Some("test"), names) => test(options, library, names, out),
        (Some(word), _) => Err(Failure::new(format!("expected new, check or test, found `{word}`"), usage)),
        (None, _) => Err(Failure::new("expected new, check or test, found nothing", usage)),
    }
}

/// Writes a chisel that works, with a comment on each line, to begin with.
fn new(options: &Options, name: &str, out: &mut dyn Write) -> Result<(), Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(Failure::new(
            format!("expected a name of letters, digits, `_` and `-`, found `{name}`"),
            "the file is NAME.toml, and `-c NAME` runs it",
        ));
    }
    let folder = options.chisel_dir.first().map_or(Path::new(""), PathBuf::as_path);
    let path = folder.join(format!("{name}.toml"));
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::new(format!("{} is there already", path.display()), "give another name, or remove the file")
        }
        _ => Failure::new(format!("cannot write {}: {error}", path.display()), "check that the folder is there"),
    };
    let mut file = fs::File::create_new(&path).map_err(failed)?;
    file.write_all(TEMPLATE.replace("NAME", name).as_bytes()).map_err(failed)?;
    let at = path.display();
    let word = if folder.as_os_str().is_empty() { format!("./{at}") } else { at.to_string() };
    writeln!(out, "{at}: written\nnext: sysreel chisel check {word}; sysreel -r FILE -c {word}")?;
    Ok(())
}

/// Says of each chisel what is wrong with it; exit code 1 if anything is.
fn check(library: &Library, names: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let mut bad = false;
    for name in names {
        let wrong = match library.find(name) {
            Ok(chisel) => {
                let wrong = chisel.check(library);
                if wrong.is_empty() {
                    writeln!(out, "{}: ok", shown(&chisel))?;
                }
                wrong
            }
            Err(error) => vec![error],
        };
        bad |= !wrong.is_empty();
        for error in &wrong {
            say(format_args!("error: {error}"));
        }
    }
    if bad { Err(Failure::verdict()) } else { Ok(()) }
}

/// What a chisel is called in messages: its file, or its name.
fn shown(chisel: &Chisel) -> String {
    escape(chisel.path.as_ref().map_or(chisel.name.clone(), |path| path.display().to_string()).as_bytes()).into_owned()
}

/// Runs the examples of each chisel and compares what they say with the files beside it; exit code 1 if one differs.
fn test(options: &Options, library: &Library, names: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let mut bad = false;
    for name in names {
        let chisel = library.find(name).map_err(Failure::of)?;
        if chisel.examples.is_empty() {
            writeln!(out, "{}: has no [[example]]", shown(&chisel))?;
            bad = true;
        }
        for (index, example) in chisel.examples.iter().enumerate() {
            bad |= !one(options, library, &chisel, (index, example), out)?;
        }
    }
    if bad { Err(Failure::verdict()) } else { Ok(()) }
}

/// Runs an example; says whether it is as it should be.
fn one(
    options: &Options,
    library: &Library,
    chisel: &Chisel,
    (index, example): (usize, &Example),
    out: &mut dyn Write,
) -> Result<bool, Failure> {
    let folder = chisel.folder().unwrap_or_else(|| PathBuf::from("tests/golden/chisels"));
    let title = format!("{}: example {}", shown(chisel), index + 1);
    let Some(capture) = sample(chisel, &example.capture, "reel") else {
        writeln!(out, "{title}: there is no capture {}", escape(example.capture.as_bytes()))?;
        return Ok(false);
    };
    let said = said(library, chisel, &capture, example)?;
    let kept = folder.join(chisel.expected(index).unwrap_or_default());
    if options.bless {
        fs::write(&kept, &said).map_err(|error| {
            Failure::new(format!("cannot write {}: {error}", kept.display()), "check that the folder is there")
        })?;
        writeln!(out, "{title}: {} written", kept.display())?;
        return Ok(true);
    }
    match fs::read(&kept) {
        Ok(text) if text == said => writeln!(out, "{title}: ok")?,
        Ok(text) => {
            writeln!(out, "{title}: says something else than {}:", kept.display())?;
            difference(&text, &said, out)?;
            return Ok(false);
        }
        Err(_) => {
            writeln!(out, "{title}: runs, and nothing to compare with is kept; --bless writes {}", kept.display())?;
        }
    }
    Ok(true)
}

/// What `-c` needs to find a chisel again.
fn name_of(chisel: &Chisel) -> String {
    chisel.path.as_ref().map_or(chisel.name.clone(), |path| path.display().to_string())
}

/// The capture or database of an example: as it is named, or a sample, from the chisel's folder or here.
fn sample(chisel: &Chisel, name: &str, extension: &str) -> Option<PathBuf> {
    let folders = [chisel.folder().unwrap_or_default(), PathBuf::new()];
    let names = [PathBuf::from(name), Path::new("captures").join(format!("{name}.{extension}"))];
    let all = folders.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    all.into_iter().find(|path| path.is_file())
}

/// What an example says, as it says it to a file.
fn said(library: &Library, chisel: &Chisel, capture: &Path, example: &Example) -> Result<Vec<u8>, Failure> {
    let mut words: Vec<std::ffi::OsString> = vec!["sysreel".into(), "-r".into(), capture.into(), "-c".into()];
    words.push(name_of(chisel).into());
    if !example.args.is_empty() {
        words.push(example.word().into());
    }
    if let Some(at) = &example.at {
        words.extend(["--at".into(), at.into()]);
    }
    if let Some(name) = &example.geoip {
        words.extend(["--geoip".into(), sample(chisel, name, "mmdb").unwrap_or_else(|| name.into()).into()]);
    }
    let options = Options { wide: true, ..parse(words).map_err(|error| super::exit::usage(&error))? };
    let mut said = Vec::new();
    replay::replay(&options, library, &mut said)?;
    Ok(said)
}

/// The first lines that differ.
fn difference(kept: &[u8], said: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let (kept, said) = (String::from_utf8_lossy(kept), String::from_utf8_lossy(said));
    let (mut old, mut new) = (kept.lines(), said.lines());
    let mut left = 10;
    loop {
        let (before, now) = (old.next(), new.next());
        if before.is_none() && now.is_none() || left == 0 {
            return Ok(());
        }
        if before != now {
            left -= 1;
            for (sign, line) in [('-', before), ('+', now)] {
                if let Some(line) = line {
                    writeln!(out, "  {sign} {}", escape(line.as_bytes()))?;
                }
            }
        }
    }
}
