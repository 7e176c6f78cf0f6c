//! `plan`: what of a filter runs where, and what it costs.

use super::args::Options;
use super::exit::Failure;
use super::question::filter;
use crate::event::{Kind, KindFlags, SPECS};
use crate::filter::{Filter, Place, Push};
use crate::report::{Cell, Column, Report, Table, Unit};
use std::io::Write;

/// What recording adds to a call that is recorded, percent of itself. The others are in comparison with it, as
/// `benches/push.rs` measures them in one run: what a call costs differs from machine to machine, the comparison little.
const RECORDED: u64 = 100;
/// Left out by its number.
const BY_NUMBER: u64 = 64;
/// Left out because its thread is denied.
const BY_THREAD: u64 = 67;

/// Says what of a filter runs where.
pub(super) fn plan(options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let words: Vec<&str> = options.words.iter().skip(1).map(String::as_str).collect();
    let Some(filter) = filter(&words)? else {
        return Err(Failure::new(
            "expected a filter behind `plan`, found none",
            "for example: plan 'proc.name = nginx'",
        ));
    };
    Ok(out.write_all(super::replay::render(options, &report(&filter)).as_bytes())?)
}

/// One line about what a recording leaves out in the kernel, for `-v`.
#[cfg(feature = "linux")]
pub(super) fn summary(filter: &Filter) -> String {
    let Some(push) = Push::of([Some(filter)]) else {
        return "everything is recorded first: the filter counts all events".to_owned();
    };
    let (matching, state, out) = calls(&push);
    let threads = if push.denies_threads() { ", also those of threads that cannot match" } else { "" };
    format!(
        "in the kernel: {out} of {} kinds of calls are left out{threads}; {matching} can match, {state} change the state",
        matching + state + out
    )
}

fn is_call(kind: Kind) -> bool {
    kind.spec().flags.has(KindFlags::CALL) && kind.spec().x86_64.is_some()
}

/// Kinds of calls: that can match; that are recorded only because they change the state; that are left out.
fn calls(push: &Push) -> (usize, usize, usize) {
    let (mut matching, mut state, mut out) = (0, 0, 0);
    for kind in (0..SPECS.len()).map(|k| Kind(k as u16)).filter(|&kind| is_call(kind)) {
        let can_match = push.can_match().get(usize::from(kind.0)).copied().unwrap_or(true);
        match (can_match, push.records(kind)) {
            (true, _) => matching += 1,
            (false, true) => state += 1,
            (false, false) => out += 1,
        }
    }
    (matching, state, out)
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into().into_bytes())
}

fn report(filter: &Filter) -> Report {
    let about = Push::all_of(filter);
    let pushed = Push::of([Some(filter)]);
    let mut notes = Vec::new();
    if pushed.is_none() {
        notes.push("nothing is left out in the kernel: `evt.num` counts all events".to_owned());
    }
    notes
        .push("calls that change the state are always recorded, and then filtered, so that names stay true".to_owned());
    notes.push("the cost is what is added to a call, against one that is recorded; see benches/README.md".to_owned());
    Report {
        title: "plan".to_owned(),
        about: filter.to_string(),
        tables: vec![conditions(&about), kernel(pushed.as_ref()), kept(&about), replay(&about)],
        pictures: Vec::new(),
        notes,
    }
}

fn conditions(push: &Push) -> Table {
    let row = |condition: &crate::filter::Condition| {
        let place = match condition.place {
            Place::Kind => "kernel, by the call's number",
            Place::Thread => "kernel, by the thread",
            Place::World => "behind the world",
        };
        let (why, help) = condition.obstacle.map_or(("", ""), |o| (o.why(), o.help()));
        vec![text(condition.text.as_str()), text(place), text(why), text(help)]
    };
    Table {
        title: "conditions".to_owned(),
        columns: ["CONDITION", "DECIDED", "WHY NOT EARLIER", "WHAT WOULD HELP"].map(Column::text).to_vec(),
        rows: push.conditions().iter().map(row).collect(),
    }
}

fn kernel(push: Option<&Push>) -> Table {
    let all = SPECS.iter().enumerate().filter(|(k, _)| is_call(Kind(*k as u16))).count();
    let (matching, state, out) = push.map_or((all, 0, 0), calls);
    let mut rows = vec![
        ("calls that can match", matching, RECORDED),
        ("calls that change the state", state, RECORDED),
        ("calls left out by their number", out, BY_NUMBER),
    ];
    if let Some(push) = push.filter(|push| push.denies_threads()) {
        let denied = (0..SPECS.len())
            .map(|k| Kind(k as u16))
            .filter(|&kind| is_call(kind) && push.records(kind) && !kind.spec().flags.has(KindFlags::STATE));
        rows.push(("of these, left out for threads that cannot match", denied.count(), BY_THREAD));
    }
    let rows = rows.into_iter().map(|(what, kinds, cost)| vec![text(what), Cell::Uint(kinds as u64), Cell::Uint(cost)]);
    Table {
        title: "in the kernel".to_owned(),
        columns: vec![
            Column::text("WHAT"),
            Column::number("KINDS", Unit::None),
            Column::number("COST IN PERCENT", Unit::None),
        ],
        rows: rows.collect(),
    }
}

fn kept(push: &Push) -> Table {
    let by_thread = push.conditions().iter().any(|c| c.reads == "rows of threads");
    let rows = if by_thread {
        [
            ("threads", "those that can match when a segment begins, and whom they descend from"),
            ("descriptors", "those of processes that can match"),
            ("users and groups", "those of these threads"),
            ("arguments, environments, names", "only what a kept event or one of these rows refers to"),
        ]
    } else {
        [
            ("threads", "all: no condition is about them"),
            ("descriptors", "all"),
            ("users and groups", "those of these threads"),
            ("arguments, environments, names", "what a kept event or one of these rows refers to"),
        ]
    };
    Table {
        title: "in the reel".to_owned(),
        columns: ["WHAT", "KEPT"].map(Column::text).to_vec(),
        rows: rows.iter().map(|(what, kept)| vec![text(*what), text(*kept)]).collect(),
    }
}

fn replay(push: &Push) -> Table {
    let row = |c: &crate::filter::Condition| vec![text(c.text.as_str()), text(c.reads), Cell::Bool(c.prunes)];
    Table {
        title: "on replay".to_owned(),
        columns: ["CONDITION", "IS ASKED OF", "CAN PASS OVER BATCHES"].map(Column::text).to_vec(),
        rows: push.conditions().iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_kinds_of_calls() {
        let of = |text: &str| summary(&Filter::parse(text).unwrap());
        let read = of("evt.type = read");
        assert!(read.contains("; 1 can match, "), "{read}");
        assert!(of("proc.name = sh").contains("threads that cannot match"));
        assert!(of("evt.num > 3").contains("counts all events"));
    }
}
