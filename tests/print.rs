//! A plan for a batch writes what a template writes for each of its rows: every field, in every form of lines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, and says so")]

use std::path::PathBuf;
use sysreel::engine::{Batches, Reels};
use sysreel::field::{self, BufferFormat, Context, TimeFormat};
use sysreel::template::{CONTAINER, DEFAULT, Form, KUBERNETES, Plan, Template};

fn captures() -> Vec<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("captures");
    let entries = [dir.clone(), dir.join("compat")].into_iter().flat_map(|dir| dir.read_dir().unwrap());
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|name| name == "reel"));
    paths.sort();
    assert!(paths.len() > 5, "{paths:?}");
    paths
}

/// Templates and what is asked with them.
fn questions() -> Vec<(Template, bool, Context)> {
    let plain = Context::default();
    let every: Vec<String> =
        field::all().filter(|f| field::lookup(f.name).is_ok()).map(|f| format!("%{}", f.name)).collect();
    let every = format!("*{}", every.join(" | "));
    let some = "%evt.num %7proc.name %fd.name %5evt.info %toupper(proc.name) %evt.dir%evt.type";
    let csv = |text: &str| Template::parse(text).unwrap().with_form(Form::Csv);
    let text = |text: &str| Template::parse(text).unwrap();
    let raw = Context { raw_text: true, buffer: BufferFormat::Hex, buffer_limit: 10, tz_offset_s: -3600, ..plain };
    let mut all = vec![
        (text(&every), false, plain),
        (text(&every), true, raw),
        (csv(&every), false, plain),
        (text(some), false, raw),
        (text(some).with_form(Form::Coloured), false, plain),
        (text(CONTAINER), false, plain),
        (text(KUBERNETES), true, plain),
        (text(DEFAULT), true, Context { at_entry: true, entries: true, ..plain }),
        (text(DEFAULT), false, Context { at_entry: true, entries: true, ..plain }),
    ];
    for time_format in [
        TimeFormat::TimeOfDay,
        TimeFormat::Absolute,
        TimeFormat::Relative,
        TimeFormat::Delta,
        TimeFormat::DeltaPrinted,
        TimeFormat::Utc,
    ] {
        let ctx = Context { time_format, prev_time: 1_534_527_348_514_632_619, ..plain };
        all.extend([(text(DEFAULT), false, ctx), (text(DEFAULT), true, ctx), (csv(DEFAULT), false, ctx)]);
    }
    all
}

#[test]
fn a_plan_writes_what_its_template_writes_of_each_row() {
    let questions = questions();
    let mut written = 0;
    for path in captures() {
        let reels = Reels::open(std::slice::from_ref(&path)).unwrap();
        for index in 0..reels.len() {
            let batch = reels.batch(index).unwrap();
            for (template, json, ctx) in &questions {
                let mut plan = Plan::of(template, *json, &batch, ctx);
                let (mut ours, mut plain) = (Vec::new(), Vec::new());
                let each = |row| {
                    ours.clear();
                    plain.clear();
                    let said = plan.write(&row, ctx, &mut ours);
                    let meant = *json || template.write(&row, ctx, &mut plain);
                    if *json {
                        template.write_json(&row, ctx, &mut plain);
                    }
                    let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
                    assert_eq!(shown(&ours), shown(&plain), "{} row {}", path.display(), row.index);
                    assert_eq!(said, meant);
                    written += u64::from(said);
                };
                batch.for_each_row(each).unwrap();
            }
        }
    }
    assert!(written > 10_000, "{written}");
}
