//! `--svg` and `--html`: pictures and pages of reports.

use super::args::Options;
use super::exit::Failure;
use crate::engine::Question;
use crate::query::Query;
use crate::report::{Report, to_html, to_svg};
use std::io::Write;
use std::path::Path;

/// Whether a picture goes to standard output, so that nothing else does.
pub(super) fn is_output(options: &Options) -> bool {
    let is_dash = |path: &Option<std::path::PathBuf>| path.as_ref().is_some_and(|path| path.as_os_str() == "-");
    is_dash(&options.svg) || is_dash(&options.html)
}

/// Whether there is something to draw: lines are not.
pub(super) fn check(options: &Options, questions: &[Question]) -> Result<(), Failure> {
    let flag = if options.svg.is_some() { "--svg" } else { "--html" };
    let says_lines = |q: &Question| matches!(q.query, Query::Lines(_) | Query::Nothing);
    if (options.svg.is_some() || options.html.is_some()) && questions.iter().all(says_lines) {
        return Err(Failure::new(
            format!("expected a chisel that makes a report with {flag}, found lines"),
            "such as -c topfiles_bytes, or -q -S",
        ));
    }
    Ok(())
}

/// Writes what was asked for of reports.
pub(super) fn write(options: &Options, reports: &[Report], out: &mut dyn Write) -> Result<(), Failure> {
    let forms = [(&options.svg, "--svg"), (&options.html, "--html")];
    for (path, flag) in forms.into_iter().filter_map(|(path, flag)| path.as_ref().map(|path| (path, flag))) {
        let made = if flag == "--svg" { to_svg(reports) } else { to_html(reports, options.raw) };
        put(path, &made.map_err(Failure::of)?, out)?;
    }
    Ok(())
}

fn put(path: &Path, text: &str, out: &mut dyn Write) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return Ok(out.write_all(text.as_bytes())?);
    }
    std::fs::write(path, text).map_err(|error| {
        Failure::new(format!("cannot write {}: {error}", path.display()), "check the folder and the disk")
    })
}
