//! `convert --compact FILE TO`: the same reel, as small as it gets.

use super::args::Options;
use super::exit::{Failure, say};
use super::info::failed;
use crate::engine;
use crate::reel::{Error, Header, Pruned, Reader, Writer, is_recorded, part_of};
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Writes a reel again.
pub(super) fn pack(options: &Options) -> Result<(), Failure> {
    let [_, from, to] = options.words.as_slice() else {
        let found = options.words.len() - 1;
        return Err(Failure::new(
            format!("expected two files with --compact, found {found}"),
            "such as `sysreel convert --compact node.reel small.reel`",
        ));
    };
    let (from, to) = (Path::new(from), Path::new(to));
    let reader = Reader::open(from).map_err(|error| failed(from, &error))?;
    if let Some(damage) = reader.damages().first() {
        return Err(Failure::new(
            format!("{}: expected a whole reel, found damage at {:#x}", from.display(), damage.offset),
            "`sysreel verify` tells what is damaged; what is left of it can still be asked",
        ));
    }
    if reader.headers().len() != 1 {
        return Err(Failure::new(
            format!("{}: expected one reel, found several in one file", from.display()),
            "a reel that was put behind another one can be made smaller alone",
        ));
    }
    if is_recorded(from) {
        return Err(Failure::of(engine::Error::Busy(from.to_owned())));
    }
    let rows: u64 = reader.segments().iter().map(crate::reel::SegmentInfo::rows).sum();
    let shows = std::io::stderr().is_terminal() && !options.quiet;
    let mut progress = |done: u64| {
        if let Some(percent) = (done.min(rows) * 100).checked_div(rows).filter(|_| shows) {
            let _ = write!(std::io::stderr(), "\r{}: {percent} %", from.display());
        }
    };
    // The next file of its row knows it by the hash that it had when it was recorded.
    let known = Pruned { hash: reader.last_hash(), ..Pruned::default() };
    let header = reader.header().clone();
    let header = Header { pruned: header.pruned.or_else(|| (header.link.sequence > 0).then_some(known)), ..header };
    let writer = Writer::beside(to, &header).map_err(|error| failed(to, &error))?;
    let packed = engine::repack(&reader, writer, &mut progress);
    if shows {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    let part = part_of(to);
    let moved = |source| Error::Io { path: to.to_owned(), source };
    let totals = packed.and_then(|totals| std::fs::rename(&part, to).map(|()| totals).map_err(moved));
    let totals = totals.map_err(|error| {
        let _ = std::fs::remove_file(&part);
        failed(to, &error)
    })?;
    if !options.quiet {
        let (files, bytes) = ((from.display(), to.display()), (reader.size(), totals.bytes));
        say(format_args!("{} -> {}: {rows} events, {} -> {} bytes", files.0, files.1, bytes.0, bytes.1));
    }
    Ok(())
}
