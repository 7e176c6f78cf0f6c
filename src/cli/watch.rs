//! Neither `-r` nor `-w`: what happens now.

use super::args::Options;
use super::exit::Failure;
use super::question::questions;
use crate::chisel::Library;
use std::ffi::OsString;
use std::io::Write;

/// How often a live report is shown.
pub(super) const INTERVAL: std::time::Duration = std::time::Duration::from_secs(1);

/// Answers questions about what happens now.
#[cfg(feature = "linux")]
pub(super) fn watch(
    options: &Options,
    library: &Library,
    words: &[OsString],
    out: &mut (dyn Write + Send),
) -> Result<(), Failure> {
    use super::question::{context, headers};
    use super::screen::Terminal;
    use crate::engine::{self, Watch};
    use crate::field::Context;
    use crate::query::{Query, Span};
    use crate::sys;
    let questions = questions(options, library)?;
    if options.at.is_some() {
        return Err(Failure::new("expected a recording with --at, found none", "name it with -r FILE"));
    }
    let is_audit = options.audit_log.is_some() || options.audit_webhook.is_some();
    if options.command.is_empty() && !is_audit && questions.iter().all(|q| q.query.of_state().is_some()) {
        return now(options, &questions, out);
    }
    headers(options, &questions, out)?;
    let record = super::record::live(options, std::path::Path::new("-"), words)?;
    let options_of_play = engine::Options {
        threads: None,
        limit: record.limit,
        until: None,
        ctx: Context { tz_offset_s: sys::local_offset(sys::realtime_ns()).unwrap_or(0), ..context(options)? },
        span: Span::default(),
        notes: Vec::new(),
    };
    // The events of a command make one report, as those of a file do.
    let asked = options.every.or(options.interval);
    let interval = asked.unwrap_or(if options.command.is_empty() { INTERVAL } else { std::time::Duration::MAX });
    let request = Watch { questions, record, options: options_of_play, interval };
    let zone = request.options.ctx.tz_offset_s;
    let has_lines = request.questions.iter().any(|q| matches!(q.query, Query::Lines(_)));
    let mut screen = Terminal::new(options, has_lines, out);
    screen.zone(zone);
    let watched = engine::watch(&request, &mut screen);
    screen.end()?;
    match watched {
        Ok(live) => {
            screen.plot()?;
            super::record::told(options, &live);
        }
        Err(engine::Error::Screen(error)) => return Err(error.into()),
        Err(error) => return Err(Failure::of(error)),
    }
    Ok(())
}

/// The state of the machine now: `/proc` is asked once, and nothing is traced.
#[cfg(feature = "linux")]
fn now(options: &Options, questions: &[crate::engine::Question], out: &mut dyn Write) -> Result<(), Failure> {
    use crate::engine;
    let mut ctx = super::question::context(options)?;
    ctx.tz_offset_s = crate::sys::local_offset(crate::sys::realtime_ns()).unwrap_or(0);
    let mut state = engine::state_now().map_err(Failure::of)?;
    state.notes.push(format!("the state at {}", engine::moment(state.moment, ctx.tz_offset_s)));
    let play = engine::Options {
        threads: options.threads,
        limit: None,
        until: None,
        ctx,
        span: crate::query::Span { start: state.moment, end: state.moment },
        notes: Vec::new(),
    };
    let states = [state];
    let played = engine::play(&engine::WithStates::new(None, &states), questions, &play, out)?;
    super::replay::write_reports(options, &played, out)
}

/// Without the live half there is nothing to watch with.
#[cfg(not(feature = "linux"))]
pub(super) fn watch(
    options: &Options,
    library: &Library,
    _: &[OsString],
    _: &mut (dyn Write + Send),
) -> Result<(), Failure> {
    let _questions = questions(options, library)?;
    Err(no_live())
}

/// What a build without the live half says.
#[cfg(not(feature = "linux"))]
pub(super) fn no_live() -> Failure {
    Failure::new("this sysreel was built without live capture", "replay a reel with -r, or use a build for Linux")
}
