//! Neither `-r` nor `-w`: what happens now.

use super::args::Options;
use super::exit::{Failure, say};
use super::question::{context, questions};
use super::record::request;
use super::replay::render;
use crate::chisel::Library;
use crate::engine::{self, Screen, Watch};
use crate::query::Span;
use crate::report::Report;
use crate::sys;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

/// How often tables are shown: as sysdig.
const INTERVAL: Duration = Duration::from_secs(1);

/// Answers questions about what happens now.
pub(super) fn watch(options: &Options, library: &Library, words: &[OsString]) -> Result<(), Failure> {
    // Mistakes in the question come before anything that needs privileges.
    let questions = questions(options, library)?;
    let now = sys::realtime_ns();
    let ctx = crate::field::Context { tz_offset_s: sys::local_offset(now).unwrap_or(0), start: now, ..context(options)? };
    let watch = Watch {
        questions,
        record: request(options, Path::new("-"), words)?,
        options: engine::Options {
            threads: None,
            limit: options.count.map(std::num::NonZeroU64::get),
            until: None,
            ctx,
            span: Span::default(),
            notes: Vec::new(),
        },
        // The events of a command make one report, as those of a file do.
        interval: if options.command.is_empty() { INTERVAL } else { Duration::from_secs(u64::from(u32::MAX)) },
    };
    let mut terminal = Terminal { options, clear: options.command.is_empty() && io::stdout().is_terminal() && !options.json };
    match engine::watch(&watch, &mut terminal) {
        Ok(summary) => {
            if summary.dropped > 0 {
                say(format_args!("warning: {} events were dropped at the rings", summary.dropped));
                say("help: give the rings more memory with --ring (32M unless asked otherwise)");
            }
            Ok(())
        }
        Err(engine::Error::Screen(error)) => Err(Failure::from(error)),
        Err(error) => Err(Failure::of(error)),
    }
}

/// Standard output.
struct Terminal<'a> {
    options: &'a Options,
    /// Tables replace each other on the screen.
    clear: bool,
}

impl Screen for Terminal<'_> {
    fn lines(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    fn reports(&mut self, reports: &[Report]) -> io::Result<()> {
        let mut text = String::new();
        if self.clear {
            // Home, then clear to the end: no flicker.
            text.push_str("\x1b[H\x1b[2J");
        }
        for (i, report) in reports.iter().enumerate() {
            if i > 0 && !self.options.json {
                text.push('\n');
            }
            text.push_str(&render(self.options, report));
        }
        self.lines(text.as_bytes())
    }
}
