//! `convert --to jsonl`: audit events as the lines that they came from.

use super::args::Options;
use super::exit::{Failure, say};
use super::question::{context, questions};
use crate::chisel::Library;
use crate::engine::{self, Reels};
use crate::field::Context;
use crate::query::Span;
use std::io::Write;

/// Writes the audit events of reels or logs to `out`, in order of time: each byte for byte as it came, a line each.
pub(super) fn json_lines(options: &Options, library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    match options.to.as_deref() {
        Some("jsonl") => {}
        found => {
            let found = found.unwrap_or("nothing");
            return Err(Failure::new(
                format!("expected --to jsonl, found {found}"),
                "audit events as JSON lines; -r FILE -w x.scap and -r FILE -w x.reel write other forms",
            ));
        }
    }
    let mut asked = Options { print: Some("%ka.raw".to_owned()), ..options.clone() };
    asked.read = options.words[1..].iter().map(Into::into).collect();
    asked.words = vec!["evt.type = k8saudit".to_owned()];
    if asked.read.is_empty() {
        return Err(Failure::new("expected a file, found nothing", "such as `sysreel convert --to jsonl audit.reel`"));
    }
    let questions = questions(&asked, library)?;
    let reels = Reels::open(&asked.read).map_err(|(path, error)| super::info::failed(&path, &error))?;
    for note in reels.notes() {
        say(format_args!("warning: {note}"));
    }
    let span: Span = reels.span();
    let ctx = Context { raw_text: true, start: span.start, ..context(&asked)? };
    let play = engine::Options { threads: options.threads, limit: None, until: None, ctx, span, notes: Vec::new() };
    let played = engine::play(&reels, &questions, &play, out)?;
    for damaged in &played.damaged {
        say(format_args!("warning: {}: {}", damaged.place, damaged.error.lines().next().unwrap_or_default()));
    }
    Ok(())
}
